// Copyright The OpenTelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package receiver

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"go.opentelemetry.io/collector/component/componentstatus"

	"github.com/openaicompliance/openaicompliancereceiver/internal/fakeapi"
)

// quarantinedFile is logged for each file that goes to the retry queue.
const quarantinedFile = "file quarantined"

// fetches counts the requests to the storage host.
func (w *world) fetches() (n int) {
	for _, r := range w.api.Requests() {
		if r.Host == "storage" {
			n++
		}
	}
	return n
}

// awaitFetches waits until n more requests to the storage host have been made.
func (w *world) awaitFetches(n int) {
	w.t.Helper()
	before := w.fetches()
	require.Eventually(w.t, func() bool { return w.fetches() >= before+n }, 20*time.Second, 5*time.Millisecond)
}

// An answer in the file's place - a proxy's page, an empty body, a cut one with a
// length that fits - is never taken for the file, however often it comes, whatever
// verification is set; the file is delivered once it is served.
func TestStreamTakesNoOtherAnswerForTheFile(t *testing.T) {
	for name, body := range map[string]string{"a page": "<html>blocked</html>", "nothing": "", "a cut body": "{"} {
		for _, verify := range []string{verifyLenient, verifyStrict} {
			t.Run(name+", "+verify, func(t *testing.T) {
				w := newWorld(t, fakeapi.Options{}, func(cfg *Config) { cfg.Download.Verify = verify })
				file := w.api.Add("AUTH_LOG", recent(time.Hour), authLine("a"), authLine("b"))
				w.api.Script(fakeapi.Fault{Op: "fetch", Status: 200, Body: body})
				w.start()
				entry := w.awaitLog(quarantinedFile).ContextMap()
				assert.Equal(t, file.ID, entry["file_id"])
				assert.Equal(t, "integrity", entry["cause"])
				w.awaitFetches(5)
				require.Empty(t, w.counts())
				w.api.ClearScript()
				w.awaitExact()
			})
		}
	}
}

// A file that can never be downloaded, for whatever reason, holds the others up
// for three tries and no longer.
func TestStreamGoesOnWithoutHopelessFile(t *testing.T) {
	cut := 3
	for name, tt := range map[string]struct {
		fault fakeapi.Fault
		tries int
	}{
		"server error":     {fakeapi.Fault{Op: "fetch", Status: 500}, 3},
		"API error":        {fakeapi.Fault{Op: "download", Status: 500}, 3},
		"encoding":         {fakeapi.Fault{Op: "fetch", Header: map[string]string{"Content-Encoding": "br"}, Status: 200, Body: "x"}, 1},
		"broken gzip":      {fakeapi.Fault{Op: "fetch", Header: map[string]string{"Content-Encoding": "gzip"}, Status: 200, Body: "x"}, 1},
		"always cut":       {fakeapi.Fault{Op: "fetch", Truncate: &cut}, 3},
		"connection reset": {fakeapi.Fault{Op: "fetch", Reset: true}, 3},
		"not found":        {fakeapi.Fault{Op: "fetch", Status: 404}, 1},
		"expired URLs":     {fakeapi.Fault{Op: "fetch", Status: 403}, 3},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, fakeapi.Options{}, func(cfg *Config) { cfg.APIRetry.BackOff.MaxElapsedTime = 0 })
			w.times.QueueFirst, w.times.QueueMost = time.Hour, time.Hour
			bad := w.api.Add("AUTH_LOG", recent(2*time.Hour), authLine("bad"))
			good := w.api.Add("AUTH_LOG", recent(time.Hour), authLine("good"))
			fault := tt.fault
			fault.FileID = bad.ID
			w.api.Script(fault)
			w.start()
			w.awaitExact(good)
			assert.Equal(t, bad.ID, w.awaitLog(quarantinedFile).ContextMap()["file_id"])
			assert.Equal(t, tt.tries, w.downloads(bad), "before the queue")
			assert.Empty(t, w.status.kinds(), "one file's fault is not the component's")

			w.stop() // a restart tries what is queued
			w.api.ClearScript()
			w.start()
			w.awaitExact()
			assert.Equal(t, tt.tries+1, w.downloads(bad))
		})
	}
}

// downloads counts the requests for a file.
func (w *world) downloads(file *fakeapi.File) (n int) {
	for _, r := range w.api.Requests() {
		if r.Host == "api" && strings.HasSuffix(r.Path, "/"+file.ID) {
			n++
		}
	}
	return n
}

// Several files in a row of which none can be read are hardly each its own fault: at
// the eighth the stream holds, quarantines no more, and the component is degraded; it
// is well again when one can be read. Seven are no fault of the component.
func TestStreamReportsThatNoFileCanBeRead(t *testing.T) {
	w := newWorld(t, fakeapi.Options{})
	add := func(from, to int) {
		for i := from; i < to; i++ {
			w.api.Add("AUTH_LOG", recent(time.Duration(20-i)*time.Hour), authLine(string(rune('a'+i))))
		}
	}
	add(0, 7)
	w.api.Script(fakeapi.Fault{Op: "fetch", Status: 403})
	w.start()
	require.Eventually(t, func() bool { return w.logs.FilterMessage(quarantinedFile).Len() == 7 }, 20*time.Second, time.Millisecond)
	w.awaitPasses(3)
	assert.Empty(t, w.status.kinds())
	add(7, 12)
	require.Eventually(t, func() bool { return len(w.status.kinds()) == 1 }, 20*time.Second, time.Millisecond)
	w.awaitFetches(8)
	assert.Equal(t, 7, w.logs.FilterMessage(quarantinedFile).Len(), "nothing more is quarantined")
	assert.Len(t, w.snapshot(streamKey).Queue, 7)
	assert.Equal(t, map[string]int64{"quarantined": 7}, w.outcomes("otelcol_receiver_openai_compliance_files"))
	w.api.ClearScript()
	w.awaitExact()
	assert.Equal(t, []componentstatus.Status{componentstatus.StatusRecoverableError, componentstatus.StatusOK}, w.status.kinds())
}

// A hold ends with the first verified file, whichever way it comes: from the files of
// the hold, in a later poll when poll_timeout has ended the one that holds, or from the
// retry queue, where it failed with another cause.
func TestHoldEndsWithAnyVerifiedFile(t *testing.T) {
	held := func(t *testing.T, configure func(*Config)) (*world, *fakeapi.File) {
		t.Helper()
		w := newWorld(t, fakeapi.Options{}, configure)
		odd := w.api.Add("AUTH_LOG", recent(22*time.Hour), authLine("odd"))
		w.api.Script(fakeapi.Fault{Op: "fetch", FileID: odd.ID, Corrupt: true}, fakeapi.Fault{Op: "fetch", Status: 404})
		for i := range 12 {
			w.api.Add("AUTH_LOG", recent(time.Duration(20-i)*time.Hour), authLine(string(rune('a'+i))))
		}
		w.start()
		require.Eventually(t, func() bool { return len(w.status.kinds()) == 1 }, 20*time.Second, time.Millisecond)
		assert.Equal(t, 8, w.logs.FilterMessage(quarantinedFile).Len())
		return w, odd
	}
	wantStatus := []componentstatus.Status{componentstatus.StatusRecoverableError, componentstatus.StatusOK}
	for name, timeout := range map[string]time.Duration{"of the hold": 0, "in a later poll": 300 * time.Millisecond} {
		t.Run(name, func(t *testing.T) {
			w, _ := held(t, func(cfg *Config) {
				cfg.Download.Verify, cfg.PollTimeout = verifyStrict, timeout
			})
			w.api.ClearScript()
			w.awaitExact()
			require.Eventually(t, func() bool { return len(w.status.kinds()) == 2 }, 20*time.Second, time.Millisecond)
			assert.Equal(t, wantStatus, w.status.kinds())
		})
	}
	t.Run("from the queue", func(t *testing.T) {
		w, odd := held(t, func(cfg *Config) { cfg.Download.Verify = verifyStrict })
		w.api.ClearScript()
		for _, file := range w.api.Files("") {
			if file != odd {
				w.api.Script(fakeapi.Fault{Op: "fetch", FileID: file.ID, Status: 404})
			}
		}
		require.Eventually(t, func() bool { return w.counts()["odd"] == 1 }, 20*time.Second, time.Millisecond)
		require.Eventually(t, func() bool { return w.logs.FilterMessage(quarantinedFile).Len() == 13 }, 20*time.Second, time.Millisecond,
			"the rest is quarantined one by one")
		assert.Equal(t, wantStatus, w.status.kinds())
	})
}

// Types whose requests are answered with errors do not keep another one from its
// downloads: neither slots nor memory are held through the waits between tries.
func TestStreamsWaitWithoutHoldingAnything(t *testing.T) {
	w := newWorld(t, fakeapi.Options{}, func(cfg *Config) {
		cfg.EventTypes = []string{"AUDIT_LOG", "CODEX_LOG", "AUTH_LOG"}
		cfg.Download.Concurrency = 1
		cfg.Download.MemoryLimit = 1
		cfg.APIRetry.BackOff.InitialInterval, cfg.APIRetry.BackOff.MaxInterval = time.Hour, time.Hour
		cfg.APIRetry.BackOff.MaxElapsedTime = 0
	})
	for _, eventType := range []string{"AUDIT_LOG", "CODEX_LOG"} {
		w.api.Add(eventType, recent(time.Hour), authLine(eventType))
		w.api.Script(fakeapi.Fault{Op: "download", EventType: eventType, Status: 500})
	}
	w.start()
	require.Eventually(t, func() bool { return w.listRequests() >= 3 }, 20*time.Second, time.Millisecond)
	auth := w.api.Add("AUTH_LOG", recent(time.Minute), authLine("well"))
	require.Eventually(t, func() bool { return w.counts()[auth.EventIDs[0]] == 1 }, 20*time.Second, time.Millisecond)
}

// The first complete poll comes after the API has forgotten files that followed the
// floor: that gap is reported too.
func TestStreamReportsGapBehindTheFloor(t *testing.T) {
	start := time.Now().UTC().Truncate(time.Second)
	now, setNow := serverClock(start)
	w := newWorld(t, fakeapi.Options{Now: now})
	w.api.Add("AUTH_LOG", start.Add(-time.Hour), authLine("forgotten"))
	w.api.Script(fakeapi.Fault{Op: "list", Status: 400})
	w.start()
	w.awaitLog(pollFailed)
	setNow(start.Add(40 * 24 * time.Hour))
	w.api.ClearScript()
	w.awaitLog(expiredUnlisted)
	w.awaitPasses(3)
	gaps := w.records("openai.compliance.gap")
	require.Len(t, gaps, 1)
	assert.Equal(t, "retention", gaps[0]["openai.compliance.gap.reason"])
	assert.Equal(t, start.Add(-24*time.Hour).Format(time.RFC3339), gaps[0]["openai.compliance.gap.from"])
}

// The same workspace written in capitals has the same checkpoint.
func TestWorkspaceIDHasNoCase(t *testing.T) {
	w := newWorld(t, fakeapi.Options{})
	w.api.Add("AUTH_LOG", recent(time.Hour), authLine("a"))
	w.start()
	w.awaitExact()
	w.stop()
	w.cfg.WorkspaceID = "0F8FAD5B-D9CB-469F-A165-70867728950E"
	w.cfg.OnMissingState = missingStateFail
	w.start()
	w.awaitExact()
}
