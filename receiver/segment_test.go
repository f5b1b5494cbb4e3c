// Copyright The OpenTelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package receiver

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/openaicompliance/openaicompliancereceiver/internal/checkpoint"
	"github.com/openaicompliance/openaicompliancereceiver/internal/fakeapi"
)

const (
	farBehind = "backlog detected, collecting new files first"
	collected = "segment complete"
)

var streamKey = checkpoint.Key(fakeapi.DefaultWorkspace, "AUTH_LOG")

// snapshot of what is stored under a key. It begins no term.
func (w *world) snapshot(key string) *checkpoint.Snapshot {
	w.t.Helper()
	client := openClient(w.t, w, "look")
	defer func() { assert.NoError(w.t, client.Close(w.t.Context())) }()
	snapshot, err := checkpoint.ReadSnapshot(w.t.Context(), client, key)
	require.NoError(w.t, err)
	require.NotNil(w.t, snapshot)
	return snapshot
}

// segments of the stored state.
func (w *world) segments() []checkpoint.StoredSegment {
	w.t.Helper()
	return w.snapshot(streamKey).Segments
}

// A first run that begins far back delivers what is new before most of its history,
// all of it once; when the history is complete, its segment is gone.
func TestLiveBeforeHistory(t *testing.T) {
	bothMeanings(t, func(t *testing.T, inclusive bool) {
		t.Helper()
		w := newWorld(t, fakeapi.Options{Inclusive: inclusive, PageLimit: 7}, func(cfg *Config) {
			cfg.StartFrom = "-20d"
			cfg.Download.Concurrency = 2
		})
		for i := range 60 {
			w.api.Add("AUTH_LOG", recent(19*24*time.Hour-time.Duration(i)*3*time.Hour), authLine(fmt.Sprintf("old-%d", i)))
		}
		for i := range 10 {
			w.api.Add("AUTH_LOG", recent(20*time.Hour-time.Duration(i)*time.Hour), authLine(fmt.Sprintf("new-%d", i)))
		}
		w.api.Script(fakeapi.Fault{Op: "fetch", Delay: fakeapi.Duration(5 * time.Millisecond)})
		w.start()
		w.awaitExact()
		w.awaitLog(collected)
		olds, lastNew := 0, 0
		for _, record := range w.records("") {
			if strings.HasPrefix(record["log.record.uid"].(string), "old") {
				olds++
			} else {
				lastNew = olds
			}
		}
		assert.Less(t, lastNew, 20, "so much history came before the last new file")
		w.stop()
		assert.Len(t, w.segments(), 1)
		w.start()
		w.awaitExact()
	})
}

// After an outage of days new files need not wait for missed ones: live begins a day
// back, the rest becomes history, each file is delivered once, and late ones of the
// history are still found when it is complete.
func TestOutageBecomesHistory(t *testing.T) {
	start := time.Now().UTC().Truncate(time.Second)
	now, setNow := serverClock(start)
	w := newWorld(t, fakeapi.Options{Now: now})
	w.api.Add("AUTH_LOG", start.Add(-time.Hour), authLine("before"))
	w.start()
	w.awaitExact()
	w.stop()

	back := start.Add(5 * 24 * time.Hour)
	for i := range 40 {
		w.api.Add("AUTH_LOG", start.Add(time.Duration(i)*3*time.Hour), authLine(fmt.Sprintf("missed-%d", i)))
	}
	w.api.Add("AUTH_LOG", back.Add(-24*time.Hour), authLine("at live_from"))
	setNow(back)
	w.start()
	entry := w.awaitLog(farBehind)
	assert.Equal(t, back.Add(-24*time.Hour), entry.ContextMap()["live_from"])
	w.awaitExact()
	w.awaitLog(collected)
	w.stop()
	require.Len(t, w.segments(), 1)

	// The next start lists three days back, past the former boundary.
	w.api.Add("AUTH_LOG", back.Add(-50*time.Hour), authLine("late"))
	w.start()
	w.awaitExact()
	assert.Zero(t, w.logs.FilterMessage(farBehind).Len())
}

// History is complete only after a poll over all of it that has found nothing new: a
// file that appears while it is collected, long before its cursor, is not left out.
func TestHistoryEndsWithCleanList(t *testing.T) {
	w := newWorld(t, fakeapi.Options{}, func(cfg *Config) { cfg.StartFrom = "-20d" })
	hold, held := make(chan struct{}), make(chan struct{}, 1)
	w.next = consumeFunc(func(ctx context.Context, logs plog.Logs) error {
		select {
		case held <- struct{}{}:
			<-hold
		default:
		}
		return w.sink.ConsumeLogs(ctx, logs)
	})
	w.api.Add("AUTH_LOG", recent(10*24*time.Hour), authLine("seen"))
	w.start()
	require.Eventually(t, func() bool { return len(held) == 1 }, 20*time.Second, time.Millisecond)
	w.api.Add("AUTH_LOG", recent(15*24*time.Hour), authLine("appears late"))
	close(hold)
	w.awaitLog(collected)
	w.awaitExact()
}

// History whose files expire before they could be listed is reported as a gap up to
// where the API still serves, and no further.
func TestGapInHistory(t *testing.T) {
	start := time.Now().UTC().Truncate(time.Second)
	now, setNow := serverClock(start)
	w := newWorld(t, fakeapi.Options{Now: now})
	w.api.Add("AUTH_LOG", start.Add(-time.Hour), authLine("before"))
	w.start()
	w.awaitExact()
	w.awaitPasses(2)
	w.stop()
	back := start.Add(33 * 24 * time.Hour)
	w.api.Add("AUTH_LOG", start.Add(24*time.Hour), authLine("gone"))
	kept := w.api.Add("AUTH_LOG", back.Add(-10*24*time.Hour), authLine("kept"))
	setNow(back)
	w.start()
	w.awaitLog(collected)
	w.awaitPasses(3)
	gaps := w.records("openai.compliance.gap")
	require.Len(t, gaps, 1)
	assert.Equal(t, start.Format(time.RFC3339), gaps[0]["openai.compliance.gap.from"])
	assert.Equal(t, back.Add(-30*24*time.Hour).Format(time.RFC3339), gaps[0]["openai.compliance.gap.to"])
	assert.Equal(t, 1, w.counts()[kept.EventIDs[0]])
	assert.Zero(t, w.counts()["gone"])
}

// A file that is quarantined in history is not reported lost by a poll of live that was
// under way when history was complete, and so has not looked for it.
func TestHistoryEndsDuringPollOfLive(t *testing.T) {
	w := newWorld(t, fakeapi.Options{}, func(cfg *Config) { cfg.StartFrom = "beginning" })
	w.api.Add("AUTH_LOG", recent(29*24*time.Hour+12*time.Hour), authLine("old"))
	old := w.api.Files("")[0]
	w.api.Script(fakeapi.Fault{Op: "fetch", FileID: old.ID, Status: 404})
	slow := w.api.Add("AUTH_LOG", recent(time.Hour), authLine("slow"))
	w.api.Script(fakeapi.Fault{Op: "fetch", FileID: slow.ID, Delay: fakeapi.Duration(300 * time.Millisecond)})
	w.start()
	w.awaitLog(collected)
	require.Zero(t, w.counts()["slow"], "live was through before history was")
	require.Eventually(t, func() bool { return w.counts()["slow"] == 1 }, 20*time.Second, time.Millisecond)
	w.awaitPasses(3)
	require.Empty(t, w.records("openai.compliance.gap"))
	w.api.ClearScript()
	w.awaitExact()
}
