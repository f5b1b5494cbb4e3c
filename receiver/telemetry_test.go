// Copyright The OpenTelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package receiver

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/zap"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"

	"go.opentelemetry.io/collector/component/componenttest"

	"github.com/openaicompliance/openaicompliancereceiver/internal/checkpoint"
	"github.com/openaicompliance/openaicompliancereceiver/internal/collect"
	"github.com/openaicompliance/openaicompliancereceiver/internal/compliance"
	"github.com/openaicompliance/openaicompliancereceiver/internal/fakeapi"
)

const metricPrefix = "otelcol_receiver_openai_compliance_"

func newTestTelemetry(t *testing.T) (*telemetry, *componenttest.Telemetry) {
	t.Helper()
	tt := componenttest.NewTelemetry()
	tel, err := newTelemetry(tt.NewTelemetrySettings())
	require.NoError(t, err)
	t.Cleanup(func() {
		tel.shutdown()
		assert.NoError(t, tt.Shutdown(context.WithoutCancel(t.Context())))
	})
	return tel, tt
}

// points returns the values of a metric by the values of its attributes, joined
// with a space; a histogram's value is its sum.
func points(t *testing.T, tt *componenttest.Telemetry, name string) map[string]float64 {
	t.Helper()
	values := map[string]float64{}
	m, err := tt.GetMetric(metricPrefix + name)
	if err != nil {
		return values // nothing was recorded
	}
	switch data := m.Data.(type) {
	case metricdata.Sum[int64]:
		for _, p := range data.DataPoints {
			values[attrValues(p.Attributes)] = float64(p.Value)
		}
	case metricdata.Gauge[int64]:
		for _, p := range data.DataPoints {
			values[attrValues(p.Attributes)] = float64(p.Value)
		}
	case metricdata.Gauge[float64]:
		for _, p := range data.DataPoints {
			values[attrValues(p.Attributes)] = p.Value
		}
	case metricdata.Histogram[float64]:
		for _, p := range data.DataPoints {
			values[attrValues(p.Attributes)] = p.Sum
		}
	default:
		t.Fatalf("%s is a %T", name, data)
	}
	return values
}

// histogramCounts returns how many values a histogram has seen.
func histogramCounts(t *testing.T, tt *componenttest.Telemetry, name string) map[string]uint64 {
	t.Helper()
	m, err := tt.GetMetric(metricPrefix + name)
	require.NoError(t, err)
	counts := map[string]uint64{}
	for _, p := range m.Data.(metricdata.Histogram[float64]).DataPoints {
		counts[attrValues(p.Attributes)] = p.Count
	}
	return counts
}

func attrValues(set attribute.Set) (text string) {
	for _, attr := range set.ToSlice() {
		if text != "" {
			text += " "
		}
		text += attr.Value.String()
	}
	return text
}

var auth, codex = collect.StreamID{EventType: "AUTH_LOG"}, collect.StreamID{EventType: "CODEX_LOG"}

// The lag is measured by the clock that is behind, and grows while a stream says
// nothing: one that hangs is seen to fall behind. It ends with the stream.
func TestDeliveryLag(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tel, tt := newTestTelemetry(t)
		tel.addStream(t.Context(), auth)
		tel.addStream(t.Context(), codex)
		assert.Empty(t, points(t, tt, "delivery_lag"), "before anything is known")
		lag := func(of string) float64 { return points(t, tt, "delivery_lag")[of] }

		tel.setClockSkew(-3 * time.Hour) // the local clock is three hours fast
		now := time.Now().Add(-3 * time.Hour)
		tel.setProgress(auth, collect.Progress{DeliveredThrough: now.Add(-time.Minute)})
		tel.setProgress(codex, collect.Progress{DeliveredThrough: now})
		assert.Equal(t, map[string]float64{"AUTH_LOG": 60, "CODEX_LOG": 0}, points(t, tt, "delivery_lag"))
		assert.Equal(t, map[string]float64{"": -10800}, points(t, tt, "clock_skew"))

		time.Sleep(time.Hour)
		assert.Equal(t, map[string]float64{"AUTH_LOG": 3660, "CODEX_LOG": 3600}, points(t, tt, "delivery_lag"))
		tel.setProgress(auth, collect.Progress{}) // nothing new is known
		assert.InDelta(t, 3660, lag("AUTH_LOG"), 0)
		tel.setProgress(auth, collect.Progress{DeliveredThrough: now.Add(time.Hour)})
		assert.Zero(t, lag("AUTH_LOG"))
		tel.setClockSkew(3 * time.Hour) // the local clock is slow: it counts
		assert.InDelta(t, (3 * time.Hour).Seconds(), lag("AUTH_LOG"), 0)

		tel.endStream(auth)
		assert.Len(t, points(t, tt, "delivery_lag"), 1)
	})
}

// Backlog and expiry are of all segments and replays together: the sum of the files,
// quarantined ones included, and the file that goes first. With nothing pending there
// is no expiry to fear.
func TestPendingExpiry(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tel, tt := newTestTelemetry(t)
		replay := collect.StreamID{EventType: "AUTH_LOG", Replay: "again"}
		tel.addStream(t.Context(), auth)
		tel.addStream(t.Context(), replay)
		now := time.Now()
		live := collect.Progress{Part: checkpoint.Live, PendingFiles: 2, QuarantinedFiles: 1, OldestEnd: now.Add(-time.Hour)}
		history := collect.Progress{Part: checkpoint.History, PendingFiles: 40, QuarantinedFiles: 1, OldestEnd: now.Add(-29 * 24 * time.Hour)}
		tel.setProgress(auth, live)
		tel.setProgress(auth, history)
		assert.Equal(t, map[string]float64{"AUTH_LOG": 43}, points(t, tt, "backlog_files"))
		assert.Equal(t, map[string]float64{"AUTH_LOG": (24 * time.Hour).Seconds()}, points(t, tt, "oldest_pending_expiry"))
		tel.setProgress(replay, collect.Progress{Part: checkpoint.Live, PendingFiles: 100, OldestEnd: now.Add(-2 * time.Hour)})
		assert.Equal(t, map[string]float64{"AUTH_LOG": 143}, points(t, tt, "backlog_files"))

		time.Sleep(25 * time.Hour)
		assert.InDelta(t, -time.Hour.Seconds(), points(t, tt, "oldest_pending_expiry")["AUTH_LOG"], 0, "past it")
		tel.endStream(replay)
		tel.setProgress(auth, collect.Progress{Part: checkpoint.History})
		assert.InDelta(t, (30*24*time.Hour - 26*time.Hour).Seconds(), points(t, tt, "oldest_pending_expiry")["AUTH_LOG"], 0)
		tel.setProgress(auth, collect.Progress{Part: checkpoint.Live})
		assert.Empty(t, points(t, tt, "oldest_pending_expiry"))
		assert.Equal(t, map[string]float64{"AUTH_LOG": 0}, points(t, tt, "backlog_files"))
	})
}

// What is in quarantine is shown as it is now, that of replays with it, and a stream
// that is named twice is one.
func TestQuarantineGauges(t *testing.T) {
	tel, tt := newTestTelemetry(t)
	tel.addStream(t.Context(), auth)
	tel.setProgress(auth, collect.Progress{QuarantinedFiles: 2, QuarantinedRecords: 17})
	assert.Equal(t, map[string]float64{"AUTH_LOG": 2}, points(t, tt, "quarantined_files"))
	assert.Equal(t, map[string]float64{"AUTH_LOG": 17}, points(t, tt, "quarantined_records"))
	tel.setProgress(collect.StreamID{EventType: "AUTH_LOG", Replay: "again"}, collect.Progress{QuarantinedFiles: 3})
	assert.Equal(t, map[string]float64{"AUTH_LOG": 5}, points(t, tt, "quarantined_files"))
	tel.addStream(t.Context(), auth)
	tel.setProgress(auth, collect.Progress{QuarantinedRecords: 1})
	assert.Equal(t, map[string]float64{"AUTH_LOG": 3}, points(t, tt, "quarantined_files"))
	assert.Equal(t, map[string]float64{"AUTH_LOG": 1}, points(t, tt, "quarantined_records"))
}

// Every counter of a stream is there from the start, so that its first increase
// is one to a query for increases.
func TestCountersStartAtZero(t *testing.T) {
	tel, tt := newTestTelemetry(t)
	tel.addStream(t.Context(), auth)
	for _, name := range []string{
		"checkpoint_failures", "checkpoint_corruptions", "batch_retries", "batch_splits", "deduplication_evictions", "file_bytes", "data_gaps", "records_without_timestamp",
	} {
		assert.Equal(t, map[string]float64{"AUTH_LOG": 0}, points(t, tt, name), name)
	}
	assert.Len(t, points(t, tt, "files"), 5)
	assert.Len(t, points(t, tt, "records"), 6)
	assert.Len(t, points(t, tt, "polls"), 6)
}

// A wait is counted with its operation and length; a request without a wait
// counts as well, so that their share can be told.
func TestRateLimitWait(t *testing.T) {
	tel, tt := newTestTelemetry(t)
	tel.recordRateLimitWait(t.Context(), compliance.OperationDownload, 1500*time.Millisecond)
	tel.recordRateLimitWait(t.Context(), compliance.OperationDownload, 0)
	tel.recordRateLimitWait(t.Context(), compliance.OperationList, 0)
	assert.Equal(t, map[string]float64{"download": 1.5, "list": 0}, points(t, tt, "rate_limit_wait"))
	assert.Equal(t, map[string]uint64{"download": 2, "list": 1}, histogramCounts(t, tt, "rate_limit_wait"))
}

// Each record handed on adds its age to the latency, or counts as one without a
// time of its own; a duplicate adds nothing. Each request adds its duration.
func TestLatencyAndDurations(t *testing.T) {
	w := newWorld(t, fakeapi.Options{})
	hourAgo := `{"event_id":"a","type":"AUTH_LOG","timestamp":"` + recent(time.Hour).UTC().Format(time.RFC3339) + `"}`
	w.api.Add("AUTH_LOG", recent(30*time.Minute), hourAgo, `{"event_id":"b","type":"AUTH_LOG"}`, `{"event_id":"c","type":"AUTH_LOG","timestamp":"noon"}`)
	w.api.Add("AUTH_LOG", recent(20*time.Minute), hourAgo)
	w.start()
	require.Eventually(t, func() bool { return points(t, w.tel, "records")["AUTH_LOG duplicate"] == 1 }, 20*time.Second, 5*time.Millisecond)
	w.stop()
	assert.Equal(t, map[string]uint64{"AUTH_LOG": 1}, histogramCounts(t, w.tel, "event_delivery_latency"))
	assert.InDelta(t, time.Hour.Seconds(), points(t, w.tel, "event_delivery_latency")["AUTH_LOG"], 60)
	assert.Equal(t, map[string]float64{"AUTH_LOG": 2}, points(t, w.tel, "records_without_timestamp"))

	durations := histogramCounts(t, w.tel, "api_request_duration")
	assert.Equal(t, uint64(2), durations["download success"])
	assert.Equal(t, uint64(2), durations["fetch success"])
	assert.InDelta(t, points(t, w.tel, "api_requests")["200 list success"], float64(durations["list success"]), 0)
}

// What the mapping does not know is counted by its reason, and warned about once for each
// kind and day, without anything of the records.
func TestDrift(t *testing.T) {
	w := newWorld(t, fakeapi.Options{}, func(cfg *Config) { cfg.EventTypes = []string{"AUTH_LOG", "AUDIT_LOG"} })
	known := func(n int, more string) string {
		return fmt.Sprintf(`{"event_id":"e-%d","type":"AUDIT_LOG","principal":{"id":%q},"action":"USER_DELETE","action_result":"SUCCESS"%s}`, n, fakeapi.DefaultWorkspace, more)
	}
	w.api.Add("AUDIT_LOG", recent(40*time.Minute), known(1, ""), known(2, `,"CANARY":{"CANARY":1}`))
	w.api.Add("AUDIT_LOG", recent(30*time.Minute), known(3, `,"action_data":{"CANARY":1}`),
		strings.Replace(known(4, ""), "USER_DELETE", "CANARY", 1), strings.Replace(known(5, ""), `"SUCCESS"`, `"CANARY"`, 1), strings.Replace(known(6, ""), `"SUCCESS"`, `null`, 1),
		strings.Replace(known(7, ""), `"type":"AUDIT_LOG"`, `"type":"CANARY"`, 1), strings.Replace(known(8, ""), fakeapi.DefaultWorkspace, "CANARY", 1), "CANARY")
	w.start()
	require.Eventually(t, func() bool { return points(t, w.tel, "records")["AUDIT_LOG malformed"] == 1 }, 20*time.Second, 5*time.Millisecond)
	w.stop()
	counted := points(t, w.tel, "records_unmapped")
	for key, want := range map[string]float64{
		"AUDIT_LOG sub_type": 1, "AUDIT_LOG member": 2, "AUDIT_LOG outcome": 2, "AUDIT_LOG type": 1, "AUDIT_LOG principal": 1, "AUTH_LOG member": 0,
	} {
		value, found := counted[key]
		assert.True(t, found, key)
		assert.InDelta(t, want, value, 0, key)
	}
	reasons := map[string]int{}
	for _, entry := range w.logs.All() {
		assert.NotContains(t, fmt.Sprint(entry.Message, entry.ContextMap()), canary)
		if entry.Message == "records differ from the known schema" {
			reasons[entry.ContextMap()["reason"].(string)]++
			assert.Equal(t, zap.WarnLevel, entry.Level)
		}
	}
	assert.Equal(t, map[string]int{"sub_type": 1, "member": 1, "outcome": 1, "type": 1, "principal": 1}, reasons)
}

// A kind of drift is warned about again on the next day.
func TestDriftIsWarnedOfDaily(t *testing.T) {
	r := &reporter{driftDays: map[driftKey]int64{}}
	key := driftKey{"AUTH_LOG", "member"}
	assert.True(t, r.isFirstOfDay(key, 1))
	assert.False(t, r.isFirstOfDay(key, 1))
	assert.True(t, r.isFirstOfDay(driftKey{"AUTH_LOG", "type"}, 1))
	assert.True(t, r.isFirstOfDay(key, 2))
	assert.False(t, r.isFirstOfDay(key, 2))
}
