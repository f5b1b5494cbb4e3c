// Copyright The OpenTelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package receiver

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"go.opentelemetry.io/collector/consumer/consumererror"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"

	"github.com/openaicompliance/openaicompliancereceiver/internal/fakeapi"
)

// awaitCounts waits for exactly these deliveries and lets more polls go by.
func (w *world) awaitCounts(want map[string]int) {
	w.t.Helper()
	require.Eventually(w.t, func() bool { return len(w.counts()) >= len(want) }, 20*time.Second, 5*time.Millisecond)
	w.awaitPasses(3)
	require.Equal(w.t, want, w.counts())
}

func (w *world) assertRecords(want map[string]int64) {
	w.t.Helper()
	assert.Equal(w.t, want, w.outcomes("otelcol_receiver_openai_compliance_records"))
}

// outcomes of a counter of AUTH_LOG that are not zero.
func (w *world) outcomes(name string) map[string]int64 {
	w.t.Helper()
	metric, err := w.tel.GetMetric(name)
	require.NoError(w.t, err)
	found := map[string]int64{}
	for _, point := range metric.Data.(metricdata.Sum[int64]).DataPoints {
		eventType, _ := point.Attributes.Value("event_type")
		outcome, _ := point.Attributes.Value("outcome")
		if point.Value != 0 && eventType.AsString() == "AUTH_LOG" {
			found[outcome.AsString()] = point.Value
		}
	}
	return found
}

// An event that comes again with the same bytes - in the same batch, in another
// file, after a restart - is dropped and counted; with other bytes it is a
// conflict and delivered; lines without an id and lines that cannot be read are
// never dropped.
func TestDeduplication(t *testing.T) {
	w := newWorld(t, fakeapi.Options{})
	changed := authLine("a")[:len(authLine("a"))-1] + `,"new":1}`
	first := w.api.Add("AUTH_LOG", recent(3*time.Hour), authLine("a"), authLine("b"), authLine("a"), `{"no":"id"}`, `{"no":"id"}`, `{"event_id":"c"`)
	second := w.api.Add("AUTH_LOG", recent(2*time.Hour), authLine("b"), changed, authLine("d"), `{"event_id":"c"`)
	want := map[string]int{"a": 2, "b": 1, "d": 1, first.ID + ":4": 1, first.ID + ":5": 1, first.ID + ":6": 1, second.ID + ":4": 1}
	w.start()
	w.awaitCounts(want)
	w.stop()

	w.api.Add("AUTH_LOG", recent(time.Hour), authLine("d"), authLine("b"), changed, authLine("e"))
	want["e"] = 1
	w.start()
	w.awaitCounts(want)
	w.assertRecords(map[string]int64{"delivered": 6, "malformed": 2, "duplicate": 5, "conflict": 1})
}

// Deduplication reaches back as far as the window in file time, and can be
// turned off.
func TestDeduplicationWindow(t *testing.T) {
	for window, want := range map[time.Duration]map[string]int{
		0:              {"a": 3},
		2 * time.Hour:  {"a": 2},
		24 * time.Hour: {"a": 1},
	} {
		t.Run(window.String(), func(t *testing.T) {
			w := newWorld(t, fakeapi.Options{}, func(cfg *Config) { cfg.Deduplication.Window = window })
			w.api.Add("AUTH_LOG", recent(10*time.Hour), authLine("a"))
			var filler []string // fills a block, which ages as a whole
			for i := range 3000 {
				filler = append(filler, authLine(fmt.Sprintf("filler-%d", i)))
			}
			w.api.Add("AUTH_LOG", recent(9*time.Hour), filler...)
			w.api.Add("AUTH_LOG", recent(5*time.Hour), `{"no":"id"}`)
			w.api.Add("AUTH_LOG", recent(4*time.Hour), authLine("a"))
			w.api.Add("AUTH_LOG", recent(3*time.Hour), authLine("a"))
			w.start()
			require.Eventually(t, func() bool { return len(w.counts()) == 3002 }, 20*time.Second, 5*time.Millisecond)
			w.awaitPasses(3)
			assert.Equal(t, want["a"], w.counts()["a"])
		})
	}
}

// No more events are remembered than deduplication.max_events says, and those
// that had to go are counted.
func TestDeduplicationMaxEvents(t *testing.T) {
	w := newWorld(t, fakeapi.Options{}, func(cfg *Config) { cfg.Deduplication.MaxEvents = 4000 })
	var lines []string
	for i := range 9000 {
		lines = append(lines, authLine(fmt.Sprintf("e-%d", i)))
	}
	w.api.Add("AUTH_LOG", recent(2*time.Hour), lines...)
	w.api.Add("AUTH_LOG", recent(time.Hour), authLine("e-0"), authLine("e-8999"))
	w.start()
	require.Eventually(t, func() bool { return len(w.counts()) == 9000 }, 20*time.Second, 5*time.Millisecond)
	w.awaitPasses(3)
	assert.Equal(t, 2, w.counts()["e-0"])
	assert.Equal(t, 1, w.counts()["e-8999"])
	metric, err := w.tel.GetMetric("otelcol_receiver_openai_compliance_deduplication_evictions")
	require.NoError(t, err)
	assert.Positive(t, metric.Data.(metricdata.Sum[int64]).DataPoints[0].Value)
}

// Only what the next consumer accepted is remembered: an event of a batch that
// was dropped is delivered when it comes again.
func TestDeduplicationForgetsDroppedBatches(t *testing.T) {
	w := newWorld(t, fakeapi.Options{}, func(cfg *Config) { cfg.OnPermanentError = permanentDrop })
	var calls atomic.Int64
	w.next = consumeFunc(func(ctx context.Context, logs plog.Logs) error {
		if calls.Add(1) == 1 {
			return consumererror.NewPermanent(errors.New("cannot take this"))
		}
		return w.sink.ConsumeLogs(ctx, logs)
	})
	w.api.Add("AUTH_LOG", recent(2*time.Hour), authLine("a"))
	w.api.Add("AUTH_LOG", recent(time.Hour), authLine("a"))
	w.start()
	w.awaitCounts(map[string]int{"a": 1})
}

// A file that appears later than the overlap foresees is found by the deep poll
// at the next start, delivered, and counted as late.
func TestDeepPollFindsLateFiles(t *testing.T) {
	w := newWorld(t, fakeapi.Options{}, func(cfg *Config) { cfg.StartFrom = "-100h" })
	w.api.Add("AUTH_LOG", recent(90*time.Hour), authLine("old"))
	w.api.Add("AUTH_LOG", recent(time.Minute), authLine("new"))
	w.start()
	w.awaitExact()
	w.api.Add("AUTH_LOG", recent(50*time.Hour), authLine("late"))
	w.awaitPasses(5)
	assert.Zero(t, w.counts()["late"])
	w.stop()
	w.start()
	w.awaitExact()
	assert.Equal(t, map[string]int64{"delivered": 2, "late": 1}, w.outcomes("otelcol_receiver_openai_compliance_files"))
}
