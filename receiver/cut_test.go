// Copyright The OpenTelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package receiver

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"go.opentelemetry.io/collector/component/componentstatus"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/openaicompliance/openaicompliancereceiver/internal/fakeapi"
	"github.com/openaicompliance/openaicompliancereceiver/internal/testbed"
)

// What the next consumer accepted is stored even when poll_timeout is over while the
// storage fails: nothing is delivered twice.
func TestCutPollStoresWhatWasAccepted(t *testing.T) {
	w := newWorld(t, fakeapi.Options{}, func(cfg *Config) { cfg.PollTimeout = 20 * time.Millisecond })
	storage := w.storage.(*testbed.Storage)
	w.next = consumeFunc(func(ctx context.Context, logs plog.Logs) error {
		storage.FailSet(errors.New("no space left on device"))
		return w.sink.ConsumeLogs(ctx, logs)
	})
	w.api.Add("AUTH_LOG", recent(time.Hour), authLine("a"))
	w.start()
	// Half a second at least is between two writes: the poll is overdue.
	require.Eventually(t, func() bool { return w.logs.FilterMessage(storeFailed).Len() > 1 }, 20*time.Second, 5*time.Millisecond)
	storage.FailSet(nil)
	w.awaitExact()
}

// Files that cannot be read do not use up max_pages: what follows them is delivered.
func TestMaxPagesPassesQuarantinedFiles(t *testing.T) {
	w := newWorld(t, fakeapi.Options{PageLimit: 2}, func(cfg *Config) { cfg.MaxPages = 1 })
	var good []*fakeapi.File
	for i := range 8 {
		f := w.api.Add("AUTH_LOG", recent(20*time.Hour-time.Duration(i)*time.Hour), authLine(fmt.Sprintf("a-%d", i)))
		if i < 4 {
			w.api.Script(fakeapi.Fault{Op: "fetch", FileID: f.ID, Status: 404})
			continue
		}
		good = append(good, f)
	}
	w.start()
	w.awaitExact(good...)
	w.api.ClearScript()
	w.awaitExact()
}

// A file whose download takes longer than poll_timeout each time is quarantined after
// three polls, and the others are delivered.
func TestCutPollsQuarantineHopelessFile(t *testing.T) {
	for name, fault := range map[string]fakeapi.Fault{
		"server error": {Op: "fetch", Status: 503}, "stalled": {Op: "fetch", Stall: true}, "silent": {Op: "download", Delay: fakeapi.Duration(time.Hour)},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, fakeapi.Options{PageLimit: 2}, func(cfg *Config) {
				cfg.PollTimeout, cfg.Download.StallTimeout = 250*time.Millisecond, 600*time.Millisecond
			})
			bad := w.api.Add("AUTH_LOG", recent(2*time.Hour), authLine("bad"))
			good := w.api.Add("AUTH_LOG", recent(time.Hour), authLine("good"))
			other := w.api.Add("AUTH_LOG", recent(time.Minute), authLine("on the next page"))
			fault.FileID = bad.ID
			w.api.Script(fault)
			w.start()
			assert.Equal(t, bad.ID, w.awaitLog(quarantinedFile).ContextMap()["file_id"])
			w.awaitExact(good, other)
			assert.Equal(t, 1, w.logs.FilterMessage(quarantinedFile).Len())
			assert.Empty(t, w.status.kinds())
			w.stop()
			w.api.ClearScript()
			w.start()
			w.awaitExact()
		})
	}
}

// A wait for a server that asked for a pause is no fault of the file: however often
// poll_timeout ends it, the file is not quarantined.
func TestCutPollsDoNotBlameFilesForPauses(t *testing.T) {
	w := newWorld(t, fakeapi.Options{}, func(cfg *Config) {
		cfg.PollTimeout, cfg.APIRetry.MaxRetryAfter = 50*time.Millisecond, time.Second
	})
	w.api.Add("AUTH_LOG", recent(time.Hour), authLine("a"))
	w.api.Script(fakeapi.Fault{Op: "download", Status: 429, Times: 4, Header: map[string]string{"Retry-After": "1"}})
	w.start()
	w.awaitExact()
	assert.Zero(t, w.logs.FilterMessage(quarantinedFile).Len())
}

// An API that fails or is silent is reported even when poll_timeout ends each poll
// before the tries do, at the first run and later; and so is its recovery.
func TestCutPollsReportAnAPIThatFails(t *testing.T) {
	for name, tt := range map[string]struct {
		fault fakeapi.Fault
		later bool
	}{
		"fails at first": {fakeapi.Fault{Op: "list", Status: 503}, false},
		"fails later":    {fakeapi.Fault{Op: "list", Status: 503}, true},
		"silent later":   {fakeapi.Fault{Op: "list", Delay: fakeapi.Duration(time.Hour)}, true},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, fakeapi.Options{}, func(cfg *Config) {
				cfg.PollTimeout, cfg.APIRetry.BackOff.MaxElapsedTime = 250*time.Millisecond, 0
			})
			if tt.later {
				w.start()
				w.awaitPasses(3)
				assert.Empty(t, w.status.kinds())
			}
			w.api.Script(tt.fault)
			if !tt.later {
				w.start()
			}
			require.Eventually(t, func() bool { return len(w.status.kinds()) > 0 }, 20*time.Second, time.Millisecond)
			w.api.ClearScript()
			require.Eventually(t, func() bool { return len(w.status.kinds()) > 1 }, 20*time.Second, time.Millisecond)
			assert.Equal(t, []componentstatus.Status{componentstatus.StatusRecoverableError, componentstatus.StatusOK}, w.status.kinds())
		})
	}
}

// A poll that poll_timeout ends while pages come is no failure, whatever it is doing
// at that moment.
func TestCutPollIsNoFailure(t *testing.T) {
	w := newWorld(t, fakeapi.Options{PageLimit: 2}, func(cfg *Config) { cfg.PollTimeout = 300 * time.Millisecond })
	for i := range 30 {
		w.api.Add("AUTH_LOG", recent(20*time.Hour-time.Duration(i)*30*time.Minute), authLine(fmt.Sprintf("a-%d", i)))
	}
	w.api.Script(fakeapi.Fault{Op: "list", Delay: fakeapi.Duration(70 * time.Millisecond)})
	w.start()
	w.awaitLog(cut)
	w.awaitExact()
	assert.Empty(t, w.status.kinds())
	assert.Zero(t, w.logs.FilterMessage("requests fail").Len())
}
