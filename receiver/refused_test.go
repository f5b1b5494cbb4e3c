// Copyright The OpenTelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package receiver

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/zap"

	"go.opentelemetry.io/collector/component/componentstatus"
	"go.opentelemetry.io/collector/consumer/consumererror"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"

	"github.com/openaicompliance/openaicompliancereceiver/internal/checkpoint"
	"github.com/openaicompliance/openaicompliancereceiver/internal/fakeapi"
)

var errPoison = consumererror.NewPermanent(errors.New("cannot take this"))

// holds reports whether any body of the logs holds a text.
func holds(logs plog.Logs, text string) bool {
	for _, record := range logs.ResourceLogs().At(0).ScopeLogs().At(0).LogRecords().All() {
		if strings.Contains(record.Body().AsString(), text) {
			return true
		}
	}
	return false
}

// authLines are n small records.
func authLines(prefix string, n int) (lines []string) {
	for i := range n {
		lines = append(lines, authLine(fmt.Sprintf("%s-%d", prefix, i)))
	}
	return lines
}

// A record that the next consumer permanently rejects is quarantined and holds up
// neither the others of its batch nor what follows; all but that record is delivered,
// once, over restarts; and that record too when the consumer changes its mind.
func TestQuarantineOfRecords(t *testing.T) {
	w := newWorld(t, fakeapi.Options{}, func(cfg *Config) { cfg.Batch.MaxRecords = 3 })
	var takesAll atomic.Bool
	w.next = consumeFunc(func(ctx context.Context, logs plog.Logs) error {
		if holds(logs, "poison") && !takesAll.Load() {
			return errPoison
		}
		return w.sink.ConsumeLogs(ctx, logs)
	})
	file := w.api.Add("AUTH_LOG", recent(2*time.Hour), authLine("a"), authLine("poison"), "", authLine("b"), authLine("c"))
	w.api.Add("AUTH_LOG", recent(time.Hour), authLine("d"), authLine("a"))
	want := map[string]int{"a": 1, "b": 1, "c": 1, "d": 1}
	w.start()
	w.awaitCounts(want)
	entry := w.awaitLog(rejectedRecord).ContextMap()
	assert.Equal(t, file.ID, entry["file_id"])
	assert.Equal(t, []any{2}, entry["lines"])
	w.awaitFetches(3) // from the queue
	w.stop()
	queue := w.snapshot(streamKey).Queue
	require.Len(t, queue, 1)
	assert.Equal(t, file.ID, queue[0].File.ID)
	assert.Equal(t, []checkpoint.LineRange{{From: 2, To: 3}}, queue[0].Lines)
	w.start()
	w.awaitFetches(3)
	require.Equal(t, want, w.counts())
	assert.Empty(t, w.status.kinds())

	takesAll.Store(true)
	want["poison"] = 1
	w.awaitCounts(want)
	w.assertRecords(map[string]int64{"delivered": 5, "quarantined": 1, "duplicate": 1})
	w.stop()
	assert.Empty(t, w.snapshot(streamKey).Queue)
}

// Permanent rejections of everything show a broken pipeline, such as a wrong key of the
// backend: no more is quarantined, the stream is held, the component is degraded; and
// all is delivered, once, when it works again. Of files with few records seven single
// ones are quarantined before that, of a larger batch none.
func TestQuarantineStopsAtBrokenPipeline(t *testing.T) {
	for name, tt := range map[string]struct{ files, records, quarantined int }{
		"files of one record": {12, 1, 7},
		"files of five":       {4, 5, 7},
		"a large batch":       {2, 20, 0},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, fakeapi.Options{})
			var broken atomic.Bool
			broken.Store(true)
			w.next = consumeFunc(func(ctx context.Context, logs plog.Logs) error {
				if broken.Load() {
					return errPoison
				}
				return w.sink.ConsumeLogs(ctx, logs)
			})
			for i := range tt.files {
				w.api.Add("AUTH_LOG", recent(time.Duration(20-i)*time.Hour), authLines(fmt.Sprintf("e-%d", i), tt.records)...)
			}
			w.start()
			require.Eventually(t, func() bool {
				held := w.logs.FilterMessage(batchRetried).FilterField(zap.Bool("held", true))
				return held.Len() > 0 && len(w.status.kinds()) == 1
			}, 20*time.Second, time.Millisecond)
			require.Eventually(t, func() bool { return w.retries() > 20 }, 20*time.Second, time.Millisecond)
			assert.Equal(t, tt.quarantined, w.logs.FilterMessage(rejectedRecord).Len())
			_, quarantined := queuedLines(w.snapshot(streamKey))
			assert.Equal(t, tt.quarantined, quarantined)
			assert.Empty(t, w.counts())
			broken.Store(false)
			w.awaitExact()
			assert.Equal(t, []componentstatus.Status{componentstatus.StatusRecoverableError, componentstatus.StatusOK}, w.status.kinds())
		})
	}
}

// retries counts the rejected calls that were made again.
func (w *world) retries() (n int64) {
	metric, err := w.tel.GetMetric("otelcol_receiver_openai_compliance_batch_retries")
	if err != nil {
		return 0
	}
	for _, point := range metric.Data.(metricdata.Sum[int64]).DataPoints {
		n += point.Value
	}
	return n
}

// queuedLines counts the files of the retry queue that have rejected lines, and these.
func queuedLines(snapshot *checkpoint.Snapshot) (files, lines int) {
	for _, queued := range snapshot.Queue {
		if len(queued.Lines) > 0 {
			files++
		}
		for _, r := range queued.Lines {
			lines += r.To - r.From
		}
	}
	return files, lines
}

// Records that are rejected until the API forgets their file are reported lost.
func TestQuarantinedRecordsExpire(t *testing.T) {
	start := time.Now()
	now, setNow := serverClock(start)
	w := newWorld(t, fakeapi.Options{Now: now})
	w.next = consumeFunc(func(ctx context.Context, logs plog.Logs) error {
		if holds(logs, "poison") {
			return errPoison
		}
		return w.sink.ConsumeLogs(ctx, logs)
	})
	file := w.api.Add("AUTH_LOG", start.Add(-time.Hour), authLine("good"), authLine("poison"))
	w.start()
	w.awaitLog(rejectedRecord)
	const expired = "quarantined records expired"
	for day := range 32 {
		if day < 30 {
			require.Zero(t, w.logs.FilterMessage(expired).Len())
		}
		setNow(start.Add(time.Duration(day) * 24 * time.Hour))
		w.awaitPasses(2)
	}
	entry := w.awaitLog(expired)
	assert.Equal(t, file.ID, entry.ContextMap()["file_id"])
	w.awaitPasses(3)
	records := w.records("openai.compliance.gap")
	require.Len(t, records, 1)
	assert.Equal(t, "refused", records[0]["openai.compliance.gap.reason"])
	assert.EqualValues(t, 2, records[0]["openai.compliance.file.line"])
	w.stop()
	assert.Empty(t, w.snapshot(streamKey).Queue)
}

// What a split or the retry queue has achieved stays: records accepted before a
// retryable error or a stop are not delivered again.
func TestQuarantineKeepsProgress(t *testing.T) {
	t.Run("split", func(t *testing.T) {
		w := newWorld(t, fakeapi.Options{}, func(cfg *Config) { cfg.RetryOnFailure.Enabled = false })
		var phase atomic.Int64 // 0 rejects the batch, 1 takes three records and is busy, 2 takes all
		var taken atomic.Int64
		w.next = consumeFunc(func(ctx context.Context, logs plog.Logs) error {
			switch {
			case phase.Load() == 0:
				phase.Store(1)
				return errPoison
			case phase.Load() == 1 && taken.Add(int64(logs.LogRecordCount())) > 3:
				return errors.New("busy")
			}
			return w.sink.ConsumeLogs(ctx, logs)
		})
		w.api.Add("AUTH_LOG", recent(time.Hour), authLine("a"), authLine("b"), authLine("c"), authLine("d"), authLine("e"))
		w.start()
		require.Eventually(t, func() bool { return taken.Load() > 3 }, 20*time.Second, time.Millisecond)
		w.stop()
		require.Equal(t, map[string]int{"a": 1, "b": 1, "c": 1}, w.counts())
		phase.Store(2)
		w.start()
		w.awaitExact()
	})
	t.Run("queue", func(t *testing.T) {
		w := newWorld(t, fakeapi.Options{}, func(cfg *Config) { cfg.Batch.MaxRecords = 1 })
		var phase, taken atomic.Int64 // of phase: 0 rejects everything, 1 takes three records and is busy, 2 takes all
		w.next = consumeFunc(func(ctx context.Context, logs plog.Logs) error {
			switch {
			case phase.Load() == 0:
				return errPoison
			case phase.Load() == 1 && taken.Add(1) > 3:
				return errors.New("busy")
			}
			return w.sink.ConsumeLogs(ctx, logs)
		})
		w.api.Add("AUTH_LOG", recent(time.Hour), authLine("a"), authLine("b"), authLine("c"), authLine("d"), authLine("e"))
		w.start()
		require.Eventually(t, func() bool { return w.logs.FilterMessage(rejectedRecord).Len() == 5 }, 20*time.Second, time.Millisecond)
		phase.Store(1)
		require.Eventually(t, func() bool { return taken.Load() > 3 }, 20*time.Second, time.Millisecond)
		w.stop()
		require.Len(t, w.counts(), 3)
		_, lines := queuedLines(w.snapshot(streamKey))
		require.Equal(t, 2, lines)
		phase.Store(2)
		w.start()
		w.awaitExact()
	})
}

// Many rejected lines of one file cost one download for each try, and are stored
// as one range.
func TestQuarantineFetchesEachFileOnce(t *testing.T) {
	w := newWorld(t, fakeapi.Options{})
	var calls atomic.Int64
	w.next = consumeFunc(func(ctx context.Context, logs plog.Logs) error {
		calls.Add(1)
		if holds(logs, "poison") {
			return errPoison
		}
		return w.sink.ConsumeLogs(ctx, logs)
	})
	file := w.api.Add("AUTH_LOG", recent(time.Hour), append([]string{authLine("good")}, authLines("poison", 100)...)...)
	w.start()
	require.Eventually(t, func() bool { return w.logs.FilterMessage(rejectedRecord).Len() == 100 }, 20*time.Second, time.Millisecond)
	downloads := w.downloads(file)
	before := calls.Load()
	w.awaitFetches(3)
	w.stop()
	tries := w.downloads(file) - downloads
	calling := int(calls.Load() - before)
	assert.Greater(t, calling, 8*(tries-2), "each download serves eight records")
	assert.LessOrEqual(t, calling, 8*(tries+1), "a try ends after eight rejected records in a row")
	queue := w.snapshot(streamKey).Queue
	require.Len(t, queue, 1)
	assert.Equal(t, []checkpoint.LineRange{{From: 2, To: 102}}, queue[0].Lines)
	assert.Equal(t, 1, w.counts()["good"])
}
