// Copyright The OpenTelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package collect

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/openaicompliance/openaicompliancereceiver/internal/fakeapi"
)

// TestUnansweredFile proves that a file for which the API's download route gives no answer
// is quarantined after three polls that listed, and the file after it is delivered;
// and that an outage of the API, in which nothing is listed, quarantines nothing.
func TestUnansweredFile(t *testing.T) {
	for name, tt := range map[string]struct {
		polls  int
		outage bool
		queued int
	}{
		"two polls":   {polls: 2, queued: 0},
		"three polls": {polls: 3, queued: 1},
		"an outage":   {polls: 20, outage: true, queued: 0},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				api := newTestAPI()
				odd := api.Add(testType, time.Now().Add(-2*time.Hour), `{"event_id":"odd"}`)
				good := api.Add(testType, time.Now().Add(-time.Hour), `{"event_id":"good"}`)
				api.Script(fakeapi.Fault{Op: "download", FileID: odd.ID, Reset: true})
				if tt.outage {
					api.Script(fakeapi.Fault{Op: "list", Skip: 1, Reset: true})
				}
				stream := newTestStream(t, newTestDeps(t, api), testSettings())
				ctx, cancel := context.WithCancel(t.Context())
				done := make(chan struct{})
				go func() { defer close(done); stream.Run(ctx) }()
				time.Sleep(time.Duration(tt.polls)*5*time.Minute - time.Minute)
				files, _ := stream.checkpoint.QueueCounts()
				assert.Equal(t, tt.queued, files)
				assert.Equal(t, tt.queued == 1, stream.checkpoint.IsCompleted(good.ID), "the file after it")
				cancel()
				<-done
			})
		})
	}
}
