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

	"github.com/openaicompliance/openaicompliancereceiver/internal/checkpoint"
	"github.com/openaicompliance/openaicompliancereceiver/internal/fakeapi"
)

// Messages that these tests look for.
const (
	startFromChanged = "changed start_from or until is ignored"
	allEnded         = "every stream has reached until"
	streamEnded      = "reached until, collection finished"
	cut              = "poll stopped by poll_timeout or max_pages, will resume"
	pollFailed       = "poll failed, will resume from checkpoint"
	expiredUnlisted  = "data gap: files expired before they were listed"
	batchRetried     = "next consumer returned an error, retrying batch"
	rejectedRecord   = "permanent error from next consumer, record quarantined"
	storeFailed      = "failed to save checkpoint, retrying"
)

// With until the streams end by themselves, having delivered everything up to the
// bound, to the microsecond, and nothing after it; log and status say so, once all
// have ended; a restart makes no further request.
func TestUntil(t *testing.T) {
	bothMeanings(t, func(t *testing.T, inclusive bool) {
		t.Helper()
		until := recent(50 * time.Hour).UTC().Truncate(time.Microsecond)
		w := newWorld(t, fakeapi.Options{Inclusive: inclusive, PageLimit: 3}, func(cfg *Config) {
			cfg.EventTypes = []string{"AUDIT_LOG", "AUTH_LOG"}
			cfg.StartFrom, cfg.Until = "-20d", until.Format(time.RFC3339Nano)
		})
		var within []*fakeapi.File
		for i := range 10 {
			within = append(within, w.api.Add("AUTH_LOG", until.Add(-time.Duration(i)*7*time.Hour), authLine(fmt.Sprintf("a-%d", i))))
		}
		within = append(within, w.api.Add("AUDIT_LOG", until.Add(-time.Hour), authLine("audit")))
		w.api.Add("AUTH_LOG", until.Add(time.Microsecond), authLine("later"))
		w.api.Add("AUDIT_LOG", recent(time.Minute), authLine("new"))
		w.start()
		w.awaitLog(allEnded)
		assert.Equal(t, fakeapi.Expected(within), w.counts())
		events := w.status.events.all()
		last := events[len(events)-1]
		assert.Equal(t, componentstatus.StatusOK, last.Status())
		ended, _ := last.Attributes().Get("openai.compliance.ended")
		assert.True(t, ended.Bool())
		assert.Equal(t, 2, w.logs.FilterMessage(streamEnded).Len())
		w.stop()

		before := len(w.api.Requests())
		w.start()
		w.awaitLog(allEnded)
		assert.Len(t, w.api.Requests(), before)
	})
}

// A bound in the future is waited for: files are collected as they come, and the
// stream ends once both clocks are the overlap past it.
func TestUntilAhead(t *testing.T) {
	start := time.Now().UTC().Truncate(time.Second)
	now, setNow := serverClock(start)
	w := newWorld(t, fakeapi.Options{Now: now}, func(cfg *Config) { cfg.Until = start.Add(2 * time.Hour).Format(time.RFC3339) })
	first := w.api.Add("AUTH_LOG", start.Add(-time.Hour), authLine("first"))
	w.start()
	w.awaitExact(first)
	second := w.api.Add("AUTH_LOG", start.Add(90*time.Minute), authLine("second"))
	w.api.Add("AUTH_LOG", start.Add(121*time.Minute), authLine("later"))
	setNow(start.Add(3*time.Hour - time.Second))
	w.awaitExact(first, second)
	assert.Zero(t, w.logs.FilterMessage(allEnded).Len())
	late := w.api.Add("AUTH_LOG", start.Add(100*time.Minute), authLine("late"))
	w.awaitExact(first, second, late)
	setNow(start.Add(3 * time.Hour))
	w.awaitLog(allEnded)
	assert.Equal(t, fakeapi.Expected([]*fakeapi.File{first, second, late}), w.counts())
}

// A poll that max_pages or poll_timeout stops loses nothing: the next one resumes.
func TestCutPolls(t *testing.T) {
	fill := func(w *world) {
		for i := range 30 {
			w.api.Add("AUTH_LOG", recent(20*time.Hour-time.Duration(i)*30*time.Minute), authLine(fmt.Sprintf("a-%d", i)))
		}
	}
	t.Run("max_pages", func(t *testing.T) {
		w := newWorld(t, fakeapi.Options{PageLimit: 5}, func(cfg *Config) { cfg.MaxPages = 2 })
		fill(w)
		w.start()
		w.awaitLog(cut)
		w.awaitExact()
	})
	t.Run("nothing but lists within poll_timeout", func(t *testing.T) {
		// Completed files are listed again first, and that takes longer than a poll may:
		// each has to resume where the last one was stopped.
		w := newWorld(t, fakeapi.Options{PageLimit: 2}, func(cfg *Config) {
			cfg.Overlap, cfg.PollTimeout = 24*time.Hour, 100*time.Millisecond
		})
		fill(w)
		w.start()
		w.awaitExact()
		w.stop()
		w.api.Add("AUTH_LOG", recent(time.Minute), authLine("new"))
		w.api.Script(fakeapi.Fault{Op: "list", Delay: fakeapi.Duration(30 * time.Millisecond)})
		w.start()
		w.awaitLog(cut)
		w.awaitExact()
	})
	t.Run("poll_timeout", func(t *testing.T) {
		w := newWorld(t, fakeapi.Options{PageLimit: 5}, func(cfg *Config) { cfg.PollTimeout = 200 * time.Millisecond })
		w.next = consumeFunc(func(ctx context.Context, logs plog.Logs) error {
			time.Sleep(10 * time.Millisecond)
			return w.sink.ConsumeLogs(ctx, logs)
		})
		fill(w)
		w.start()
		w.awaitLog(cut)
		w.awaitExact()
		assert.Empty(t, w.status.kinds(), "a cut is no failure")
	})
	t.Run("poll_timeout never cuts a call of the next consumer", func(t *testing.T) {
		w := newWorld(t, fakeapi.Options{}, func(cfg *Config) { cfg.PollTimeout = 20 * time.Millisecond })
		w.next = consumeFunc(func(ctx context.Context, logs plog.Logs) error {
			select {
			case <-time.After(100 * time.Millisecond):
				return w.sink.ConsumeLogs(ctx, logs)
			case <-ctx.Done():
				return ctx.Err()
			}
		})
		w.api.Add("AUTH_LOG", recent(time.Hour), authLine("slow"))
		w.start()
		w.awaitExact()
	})
}

// replayed counts the records of a replay and the others, by uid.
func (w *world) replayed(name string) (replayed, usual map[string]int) {
	replayed, usual = map[string]int{}, map[string]int{}
	for _, record := range w.records("") {
		uid, _ := record["log.record.uid"].(string)
		if record["openai.compliance.replay"] == name {
			replayed[uid]++
		} else {
			usual[uid]++
		}
	}
	return replayed, usual
}

// A replay delivers every record of its time range once more, marked, though live has
// delivered it and knows it; live collection continues meanwhile, each record once;
// restarts and changed bounds repeat nothing of a replay that has ended, and another
// name is another replay.
func TestReplay(t *testing.T) {
	w := newWorld(t, fakeapi.Options{PageLimit: 4}, func(cfg *Config) { cfg.StartFrom = "-20d" })
	var old []*fakeapi.File
	for i := range 20 {
		old = append(old, w.api.Add("AUTH_LOG", recent(10*24*time.Hour-time.Duration(i)*time.Hour), authLine(fmt.Sprintf("old-%d", i))))
	}
	w.start()
	w.awaitExact()
	w.stop()

	w.cfg.Replay = []ReplayConfig{{Name: "again", From: "-11d", To: "-2d"}}
	w.api.Add("AUTH_LOG", recent(time.Minute), authLine("new"))
	for range 3 { // the later ones find it ended
		w.start()
		require.Eventually(t, func() bool {
			replayed, usual := w.replayed("again")
			return len(replayed) == len(old) && usual["new"] == 1
		}, 20*time.Second, 5*time.Millisecond)
		w.awaitPasses(6)
		w.stop()
		w.cfg.Replay[0].To = "-1d"
	}
	replayed, usual := w.replayed("again")
	assert.Equal(t, fakeapi.Expected(old), replayed)
	assert.Equal(t, fakeapi.Expected(w.api.Files("")), usual)

	w.cfg.Replay = append(w.cfg.Replay, ReplayConfig{Name: "once-more", From: "-11d", To: "-2d"})
	w.start()
	require.Eventually(t, func() bool {
		replayed, _ := w.replayed("once-more")
		return len(replayed) == len(old)
	}, 20*time.Second, 5*time.Millisecond)
}

// A replay that a stop or an error interrupts resumes, and its trouble is not live's.
func TestReplayResumes(t *testing.T) {
	w := newWorld(t, fakeapi.Options{}, func(cfg *Config) {
		cfg.Batch.MaxRecords = 1
		cfg.Replay = []ReplayConfig{{Name: "again", From: "-11d", To: "-2d"}}
	})
	reject := true
	w.next = consumeFunc(func(ctx context.Context, logs plog.Logs) error {
		record := logs.ResourceLogs().At(0).ScopeLogs().At(0).LogRecords().At(0)
		uid, _ := record.Attributes().Get("log.record.uid")
		if _, replay := record.Attributes().Get("openai.compliance.replay"); replay && reject && uid.Str() == "c" {
			return errors.New("busy")
		}
		return w.sink.ConsumeLogs(ctx, logs)
	})
	w.api.Add("AUTH_LOG", recent(5*24*time.Hour), authLine("a"), authLine("b"), authLine("c"), authLine("d"))
	w.start()
	assert.Equal(t, "again", w.awaitLog(batchRetried).ContextMap()["replay"])
	w.api.Add("AUTH_LOG", recent(time.Minute), authLine("live"))
	require.Eventually(t, func() bool { return w.counts()["live"] == 1 }, 20*time.Second, 5*time.Millisecond)
	w.stop()
	reject = false
	w.start()
	assert.Equal(t, "again", w.awaitLog(streamEnded).ContextMap()["replay"])
	assert.Equal(t, map[string]int{"a": 1, "b": 1, "c": 1, "d": 1, "live": 1}, w.counts())
	assert.True(t, w.snapshot(checkpoint.ReplayKey("again", fakeapi.DefaultWorkspace, "AUTH_LOG")).Ended)
}
