// Copyright The OpenTelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package receiver

import (
	"context"
	"errors"
	"sync"
	"time"

	"go.opentelemetry.io/otel/metric"

	"github.com/openaicompliance/openaicompliancereceiver/internal/checkpoint"
	"github.com/openaicompliance/openaicompliancereceiver/internal/collect"
	"github.com/openaicompliance/openaicompliancereceiver/internal/metadata"
	"github.com/openaicompliance/openaicompliancereceiver/internal/status"
)

// gauges are what the receiver shows of each event type: how far its delivery has
// come and what is held up. Each report replaces the one before, and the gauges go on
// from there, so a stream that hangs shows as one whose lag grows. It is safe for
// concurrent use.
type gauges struct {
	mu    sync.Mutex // guards what follows
	types map[string]*status.Lag
	// skew of the server's clock, less ours; nil before the first answer.
	skew *time.Duration
}

func newGauges() *gauges { return &gauges{types: map[string]*status.Lag{}} }

// addStream names a stream before any of them runs.
func (g *gauges) addStream(id collect.StreamID) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.types[id.EventType] == nil {
		g.types[id.EventType] = status.NewLag()
	}
}

func (g *gauges) lagOf(id collect.StreamID) *status.Lag {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.types[id.EventType]
}

// endStream takes the lag of a stream away: nothing more comes.
func (g *gauges) endStream(id collect.StreamID) {
	lag := g.lagOf(id)
	for _, part := range []checkpoint.Part{checkpoint.Live, checkpoint.History} {
		lag.SetPending(status.SegmentKey{Replay: id.Replay, Part: int(part)}, 0, time.Time{})
	}
	lag.SetQuarantined(id.Replay, 0, 0)
	if id.Replay == "" {
		lag.End()
	}
}

func (g *gauges) setProgress(id collect.StreamID, p collect.Progress) {
	lag := g.lagOf(id)
	files := p.PendingFiles
	if p.Part == checkpoint.Live {
		files += p.QuarantinedFiles
	}
	lag.SetPending(status.SegmentKey{Replay: id.Replay, Part: int(p.Part)}, files, p.OldestEnd)
	lag.SetQuarantined(id.Replay, p.QuarantinedFiles, p.QuarantinedRecords)
	if id.Replay == "" && !p.DeliveredThrough.IsZero() {
		lag.SetDelivered(p.DeliveredThrough)
	}
}

func (g *gauges) setClockSkew(difference time.Duration) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.skew = &difference
}

// register connects the gauges with what was reported.
func (g *gauges) register(b *metadata.TelemetryBuilder) error {
	return errors.Join(
		b.RegisterReceiverOpenaiComplianceDeliveryLagCallback(g.seconds(func(r status.Reading) *float64 { return r.DeliveryLag })),
		b.RegisterReceiverOpenaiComplianceOldestPendingExpiryCallback(g.seconds(func(r status.Reading) *float64 { return r.OldestPendingExpiry })),
		b.RegisterReceiverOpenaiComplianceAPINewestEventAgeCallback(g.seconds(func(r status.Reading) *float64 { return r.NewestEventAge })),
		b.RegisterReceiverOpenaiComplianceBacklogFilesCallback(g.count(func(r status.Reading) int64 { return r.BacklogFiles })),
		b.RegisterReceiverOpenaiComplianceDigestNumberCallback(func(_ context.Context, o metric.Int64Observer) error {
			g.each(func(r status.Reading, eventType metric.MeasurementOption) {
				if r.DigestNumber != nil {
					o.Observe(*r.DigestNumber, eventType)
				}
			})
			return nil
		}),
		b.RegisterReceiverOpenaiComplianceQuarantinedFilesCallback(g.count(func(r status.Reading) int64 { return r.QuarantinedFiles })),
		b.RegisterReceiverOpenaiComplianceQuarantinedRecordsCallback(g.count(func(r status.Reading) int64 { return r.QuarantinedRecords })),
		b.RegisterReceiverOpenaiComplianceClockSkewCallback(g.observeSkew),
	)
}

func (g *gauges) observeSkew(_ context.Context, o metric.Float64Observer) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.skew != nil {
		o.Observe(g.skew.Seconds())
	}
	return nil
}

func (g *gauges) seconds(value func(status.Reading) *float64) metric.Float64Callback {
	return func(_ context.Context, o metric.Float64Observer) error {
		g.each(func(r status.Reading, eventType metric.MeasurementOption) {
			if v := value(r); v != nil {
				o.Observe(*v, eventType)
			}
		})
		return nil
	}
}

func (g *gauges) count(value func(status.Reading) int64) metric.Int64Callback {
	return func(_ context.Context, o metric.Int64Observer) error {
		g.each(func(r status.Reading, eventType metric.MeasurementOption) { o.Observe(value(r), eventType) })
		return nil
	}
}

func (g *gauges) each(observe func(status.Reading, metric.MeasurementOption)) {
	g.mu.Lock()
	defer g.mu.Unlock()
	now := time.Now()
	if g.skew != nil && *g.skew < 0 {
		now = now.Add(*g.skew) // the earlier clock
	}
	for eventType, lag := range g.types {
		observe(lag.Read(now), metric.WithAttributes(eventTypeAttr(eventType)))
	}
}
