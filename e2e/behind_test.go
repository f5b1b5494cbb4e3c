// Copyright The OpenTelemetry Authors
// SPDX-License-Identifier: Apache-2.0

//go:build e2e

package e2e

import (
	"fmt"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/openaicompliance/openaicompliancereceiver/internal/fakeapi"
	"github.com/openaicompliance/openaicompliancereceiver/internal/testbed"
)

// pipelines are the settings of an exporter's queue, and whether it keeps what it
// has accepted.
var pipelines = []struct {
	name, queue string
	keeps       bool
}{
	{"no queue", "{enabled: false}", true},
	{"persistent queue", "{enabled: true, storage: file_storage}", true},
	{"queue in memory", "{enabled: true}", false},
}

// A kill while the backend refuses: the records stay with us where the exporter
// has no queue, and in its queue where that is stored. An exporter with a queue in
// memory has said yes to records that it then loses, and no receiver can help it.
func TestPipelinesBehind(t *testing.T) {
	for _, pipeline := range pipelines {
		t.Run(pipeline.name, func(t *testing.T) {
			r := newRig(t, backlog(fakeapi.Options{Seed: 2}, 20), twoTypes+"\nbatch: {max_records: 10}\nretry_on_failure: {initial_interval: 10ms, max_interval: 50ms}")
			r.replace("sending_queue: {enabled: false}", "sending_queue: "+pipeline.queue,
				"retry_on_failure: {enabled: false}", "retry_on_failure: {enabled: true, initial_interval: 10ms, max_interval: 50ms}")
			r.sink.Refuse(503)
			r.start()
			r.await("refusals", func() bool { return r.sink.Requests() > 20 })
			r.collector.Kill()
			r.sink.Refuse(0)
			r.api.Add("AUTH_LOG", time.Now().Add(-time.Second), `{"event_id":"after the kill"}`)
			r.start()
			want := fakeapi.Expected(r.api.Files(""))
			r.await("the record after the kill", func() bool { return r.sink.Counts()["after the kill"] > 0 })
			r.awaitEnd(len(want))
			r.stop()
			result := testbed.Compare(want, r.sink.Counts())
			assert.Equal(t, pipeline.keeps, len(result.Lost) == 0, "%d lost", len(result.Lost))
			assert.Empty(t, result.Alien)
			fmt.Printf("killed while the backend refuses, %-17s %5d records, %5d lost\n", pipeline.name+":", result.Expected, len(result.Lost))
		})
	}
}

// SIGHUP makes the collector stop all components and start them again in the same
// process. Under load that neither loses nor doubles a record. RELOADS sets how
// often.
func TestReloads(t *testing.T) {
	reloads := count(t, "RELOADS", 20)
	api := fakeapi.New(fakeapi.Options{Seed: 7, Live: &fakeapi.Schedule{
		Types: []string{"AUTH_LOG", "CODEX_LOG"}, Since: time.Now().Add(-5 * time.Second), Every: 100 * time.Millisecond, Records: 25,
	}})
	r := newRig(t, api, twoTypes+"\nbatch: {max_records: 10}")
	r.replace("level: debug", "level: info")
	r.start()
	ready := func() int { return strings.Count(r.output(), "Everything is ready") }
	for n := range reloads {
		r.await("the pipeline", func() bool { return ready() == n+1 })
		before := len(r.sink.Deliveries())
		r.await("records", func() bool { return len(r.sink.Deliveries()) > before })
		require.NoError(t, r.collector.Signal(syscall.SIGHUP))
	}
	r.await("the pipeline", func() bool { return ready() == reloads+1 })
	api.Freeze()
	r.awaitExact()
	r.stop()
	fmt.Printf("reloads in one process: %d, %d records, each of them once\n", reloads, len(r.sink.Deliveries()))
}
