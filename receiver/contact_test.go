// Copyright The OpenTelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package receiver

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"go.opentelemetry.io/collector/component/componentstatus"

	"github.com/openaicompliance/openaicompliancereceiver/internal/fakeapi"
)

const digestsHeld = "no file matches its digest, collection held"

// twoTypes is a world with n files of each of two event types.
func twoTypes(t *testing.T, n int, configure ...func(*Config)) (*world, []*fakeapi.File) {
	t.Helper()
	w := newWorld(t, fakeapi.Options{}, append([]func(*Config){func(cfg *Config) {
		cfg.EventTypes = []string{"AUTH_LOG", "AUDIT_LOG"}
	}}, configure...)...)
	var files []*fakeapi.File
	for i := range n {
		for _, eventType := range w.cfg.EventTypes {
			at := recent(2*time.Hour - time.Duration(i)*time.Minute)
			files = append(files, w.api.Add(eventType, at, authLine(fmt.Sprint(eventType, i))))
		}
	}
	return w, files
}

// Eight files that differ from their digests, when none ever matched, are one fault of
// the receiver: over all its types seven are quarantined, nothing is delivered, one
// error says what was listed and what came, and no file is fetched more than three
// times by the hold. The first file with its digest ends the hold, and everything is
// delivered.
func TestFirstContactHoldsAllTypes(t *testing.T) {
	w, files := twoTypes(t, 6)
	w.times.HoldMost = 60 * time.Millisecond
	w.api.Script(fakeapi.Fault{Op: "fetch", Corrupt: true})
	w.start()
	held := w.awaitLog(digestsHeld)
	assert.Contains(t, held.ContextMap()["hint"], "download.verify: lenient")
	assert.True(t, slices.ContainsFunc(files, func(file *fakeapi.File) bool {
		return strings.HasSuffix(held.ContextMap()["error"].(string), "the listing says "+file.SHA256)
	}))
	require.Eventually(t, func() bool {
		before := w.fetches()
		w.awaitPasses(40)
		return w.fetches() == before
	}, 20*time.Second, time.Millisecond, "the tries of the hold are used up")
	assert.Equal(t, 1, w.logs.FilterMessage(digestsHeld).Len())
	assert.Equal(t, 7, w.logs.FilterMessage(quarantinedFile).Len())
	assert.Empty(t, w.counts())
	for _, file := range files {
		assert.LessOrEqual(t, w.downloads(file), 3+1+1, "once when it was listed, perhaps once ahead, three times by the hold")
	}
	assert.Equal(t, []componentstatus.Status{componentstatus.StatusRecoverableError}, w.status.kinds())

	w.api.ClearScript()
	w.api.Add("AUTH_LOG", recent(time.Minute), authLine("new"))
	w.awaitExact()
	assert.Equal(t, []componentstatus.Status{componentstatus.StatusRecoverableError, componentstatus.StatusOK}, w.status.kinds())
}

// Once any file has matched, files that differ are their own fault: their type may
// hold, and the other one goes on.
func TestOtherDigestsAfterAMatchConcernTheirType(t *testing.T) {
	w, files := twoTypes(t, 9)
	good := w.api.Add("AUTH_LOG", recent(3*time.Hour), authLine("first"))
	w.cfg.EventTypes = []string{"AUTH_LOG"}
	w.start()
	w.awaitExact(append(filesOf(files, "AUTH_LOG"), good)...)
	w.stop()

	for _, file := range filesOf(files, "AUDIT_LOG") {
		w.api.Script(fakeapi.Fault{Op: "fetch", FileID: file.ID, Corrupt: true})
	}
	w.cfg.EventTypes = []string{"AUTH_LOG", "AUDIT_LOG"}
	w.start()
	entry := w.awaitLog("event type held, will retry")
	assert.Equal(t, "AUDIT_LOG", entry.ContextMap()["event_type"])
	assert.Equal(t, "digest", entry.ContextMap()["cause"])
	later := w.api.Add("AUTH_LOG", recent(time.Minute), authLine("later"))
	w.awaitExact(append(filesOf(files, "AUTH_LOG"), good, later)...)
	assert.Zero(t, w.logs.FilterMessage(digestsHeld).Len())
}

func filesOf(files []*fakeapi.File, eventType string) (of []*fakeapi.File) {
	for _, file := range files {
		if file.EventType == eventType {
			of = append(of, file)
		}
	}
	return of
}

// With download.verify set to lenient after a hold, the quarantined files are due at
// once; each is delivered, marked and named in a warning.
func TestLenientTakesTheFilesOfAHold(t *testing.T) {
	w, files := twoTypes(t, 6)
	w.api.Script(fakeapi.Fault{Op: "fetch", Corrupt: true})
	w.start()
	w.awaitLog(digestsHeld)
	w.stop()

	w.cfg.Download.Verify = verifyLenient
	w.times.QueueFirst, w.times.QueueMost = 300*time.Millisecond, 300*time.Millisecond
	w.start()
	require.Eventually(t, func() bool { return len(w.records("")) == len(files) }, 20*time.Second, 5*time.Millisecond)
	for _, record := range w.records("") {
		assert.Equal(t, true, record["openai.compliance.unverified"])
	}
	assert.Equal(t, len(files), w.logs.FilterMessage("file delivered unverified").Len())
}
