// Copyright The OpenTelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package receiver

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"go.opentelemetry.io/collector/component/componentstatus"

	"github.com/openaicompliance/openaicompliancereceiver/internal/fakeapi"
)

// An answer in the file's place - a proxy's page, an empty body, a cut one with a
// length that fits - is never taken for the file, however often it comes; the
// file is delivered once it is served.
func TestStreamTakesNoOtherAnswerForTheFile(t *testing.T) {
	cut := "{"
	for name, body := range map[string]string{"a page": "<html>blocked</html>", "nothing": "", "a cut body": cut} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, fakeapi.Options{})
			w.api.Add("AUTH_LOG", recent(time.Hour), authLine("a"), authLine("b"))
			w.api.Script(fakeapi.Fault{Op: "fetch", Status: 200, Body: body})
			w.start()
			w.awaitLog("File set aside: it cannot be read. The others go on, every pass tries it again until the API stops serving it.")
			w.awaitPasses(5)
			require.Empty(t, w.counts())
			w.api.ClearScript()
			w.awaitExact()
		})
	}
}

// A file that can never be downloaded, for whatever reason, holds the others up
// for three passes and no longer.
func TestStreamGoesOnWithoutHopelessFile(t *testing.T) {
	cut := 3
	for name, fault := range map[string]fakeapi.Fault{
		"server error":     {Op: "fetch", Status: 500},
		"API error":        {Op: "download", Status: 500},
		"encoding":         {Op: "fetch", Header: map[string]string{"Content-Encoding": "br"}, Status: 200, Body: "x"},
		"broken gzip":      {Op: "fetch", Header: map[string]string{"Content-Encoding": "gzip"}, Status: 200, Body: "x"},
		"always cut":       {Op: "fetch", Truncate: &cut},
		"connection reset": {Op: "fetch", Reset: true},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, fakeapi.Options{}, func(cfg *Config) { cfg.APIRetry.BackOff.MaxElapsedTime = 20 * time.Millisecond })
			bad := w.api.Add("AUTH_LOG", recent(2*time.Hour), authLine("bad"))
			good := w.api.Add("AUTH_LOG", recent(time.Hour), authLine("good"))
			fault.FileID = bad.ID
			w.api.Script(fault)
			w.start()
			w.awaitExact(good)
			w.api.ClearScript()
			w.awaitExact()
		})
	}
}

// Several files of which none can be read are hardly each its own fault: the pass
// fails and the component is degraded, and well again when one can be read.
func TestStreamReportsThatNoFileCanBeRead(t *testing.T) {
	w := newWorld(t, fakeapi.Options{})
	for i := range 4 {
		w.api.Add("AUTH_LOG", recent(time.Duration(5-i)*time.Hour), authLine(string(rune('a'+i))))
	}
	w.api.Script(fakeapi.Fault{Op: "fetch", Status: 403})
	w.start()
	require.Eventually(t, func() bool { return len(w.status.kinds()) == 1 }, 20*time.Second, time.Millisecond)
	w.api.ClearScript()
	w.awaitExact()
	assert.Equal(t, []componentstatus.Status{componentstatus.StatusRecoverableError, componentstatus.StatusOK}, w.status.kinds())
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

// The first complete pass comes after the API has forgotten files behind the
// floor: that gap is told too.
func TestStreamReportsGapBehindTheFloor(t *testing.T) {
	start := time.Now().UTC().Truncate(time.Second)
	now, setNow := serverClock(start)
	w := newWorld(t, fakeapi.Options{Now: now})
	w.api.Add("AUTH_LOG", start.Add(-time.Hour), authLine("forgotten"))
	w.api.Script(fakeapi.Fault{Op: "list", Status: 400})
	w.start()
	w.awaitLog("Pass ended early; the next one goes on from the stored position.")
	setNow(start.Add(40 * 24 * time.Hour))
	w.api.ClearScript()
	w.awaitLog("Gap: the API no longer serves what it exported in this time, and no complete pass has listed it. Its records may be lost.")
	require.Len(t, w.records("openai.compliance.gap"), 1)
}

// The same workspace written in capitals has the same position.
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
