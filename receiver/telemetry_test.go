// Copyright The OpenTelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package receiver

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"

	"go.opentelemetry.io/collector/component/componenttest"

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

// The lag is measured by the API's clock, and grows while a stream says nothing:
// one that hangs is seen to fall behind.
func TestDeliveryLag(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tel, tt := newTestTelemetry(t)
		auth := tel.stream(t.Context(), "AUTH_LOG")
		assert.Empty(t, points(t, tt, "delivery_lag"), "before anything is known")

		date := time.Now().Add(3 * time.Hour) // the local clock is three hours slow
		tel.serverTime(date)
		auth.upTo(date.Add(-time.Minute))
		tel.stream(t.Context(), "CODEX_LOG").upTo(date)
		assert.Equal(t, map[string]float64{"AUTH_LOG": 60, "CODEX_LOG": 0}, points(t, tt, "delivery_lag"))

		time.Sleep(time.Hour)
		assert.Equal(t, map[string]float64{"AUTH_LOG": 3660, "CODEX_LOG": 3600}, points(t, tt, "delivery_lag"))
		tel.serverTime(time.Time{}) // an answer without a Date
		assert.InDelta(t, 3660, points(t, tt, "delivery_lag")["AUTH_LOG"], 0)
		tel.serverTime(date.Add(time.Hour))
		auth.upTo(date.Add(time.Hour))
		assert.Zero(t, points(t, tt, "delivery_lag")["AUTH_LOG"])
	})
}

// Backlog and expiry are of all segments together: the sum of the files, and the
// file that goes first. With nothing pending there is no expiry to fear.
func TestPendingExpiry(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tel, tt := newTestTelemetry(t)
		f := tel.stream(t.Context(), "AUTH_LOG")
		now := time.Now()
		f.pending("live", 2, now.Add(-time.Hour))
		f.pending("backlog", 40, now.Add(-29*24*time.Hour))
		assert.Equal(t, map[string]float64{"AUTH_LOG": 42}, points(t, tt, "backlog_files"))
		assert.Equal(t, map[string]float64{"AUTH_LOG": (24 * time.Hour).Seconds()}, points(t, tt, "oldest_pending_expiry"))

		time.Sleep(25 * time.Hour)
		assert.InDelta(t, -time.Hour.Seconds(), points(t, tt, "oldest_pending_expiry")["AUTH_LOG"], 0, "past it")
		f.pending("backlog", 0, time.Time{})
		assert.InDelta(t, (30*24*time.Hour - 26*time.Hour).Seconds(), points(t, tt, "oldest_pending_expiry")["AUTH_LOG"], 0)
		f.pending("live", 0, time.Time{})
		assert.Empty(t, points(t, tt, "oldest_pending_expiry"))
		assert.Equal(t, map[string]float64{"AUTH_LOG": 0}, points(t, tt, "backlog_files"))
	})
}

// What is set aside is shown as it is now, and a stream asked for twice is one.
func TestAsideGauges(t *testing.T) {
	tel, tt := newTestTelemetry(t)
	tel.stream(t.Context(), "AUTH_LOG").aside(2, 17)
	assert.Equal(t, map[string]float64{"AUTH_LOG": 2}, points(t, tt, "quarantined_files"))
	assert.Equal(t, map[string]float64{"AUTH_LOG": 17}, points(t, tt, "quarantined_records"))
	tel.stream(t.Context(), "AUTH_LOG").aside(0, 1)
	assert.Equal(t, map[string]float64{"AUTH_LOG": 0}, points(t, tt, "quarantined_files"))
	assert.Equal(t, map[string]float64{"AUTH_LOG": 1}, points(t, tt, "quarantined_records"))
}

// Every counter of a stream is there from the start, so that its first increase
// is one to a query for increases.
func TestCountersStartAtZero(t *testing.T) {
	tel, tt := newTestTelemetry(t)
	tel.stream(t.Context(), "AUTH_LOG")
	for _, name := range []string{
		"checkpoint_failures", "checkpoint_corruptions", "batch_retries", "deduplication_evictions", "file_bytes", "data_gaps", "records_without_timestamp",
	} {
		assert.Equal(t, map[string]float64{"AUTH_LOG": 0}, points(t, tt, name), name)
	}
	assert.Len(t, points(t, tt, "files"), 5)
	assert.Len(t, points(t, tt, "records"), 6)
	assert.Len(t, points(t, tt, "polls"), 6)
}

// A wait is counted with its operation and length; a request that went at once
// counts as well, so that their share can be told.
func TestRateLimitWait(t *testing.T) {
	tel, tt := newTestTelemetry(t)
	tel.rateLimitWait(t.Context(), compliance.OperationDownload, 1500*time.Millisecond)
	tel.rateLimitWait(t.Context(), compliance.OperationDownload, 0)
	tel.rateLimitWait(t.Context(), compliance.OperationList, 0)
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
