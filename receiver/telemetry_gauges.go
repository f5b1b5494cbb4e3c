// Copyright The OpenTelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package receiver

import (
	"context"
	"errors"
	"sync"
	"time"

	"go.opentelemetry.io/otel/metric"
)

// apiClock is the API's clock as far as its answers tell. The local clock only
// measures what has passed since the last one; before the first it stands in.
type apiClock struct {
	mu         sync.Mutex // guards what follows
	date, seen time.Time
}

// set notes the Date of an answer that has just come; a zero one changes nothing.
func (c *apiClock) set(date time.Time) {
	if date.IsZero() {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.date, c.seen = date, time.Now()
}

func (c *apiClock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.date.IsZero() {
		return time.Now()
	}
	return c.date.Add(time.Since(c.seen))
}

// serverTime notes the Date of an answer of the API. Ages of files are measured
// by it.
func (t *telemetry) serverTime(date time.Time) { t.clock.set(date) }

// freshness is what the gauges of one event type show: how far its delivery has
// come and what is held up. Each setter replaces what it was told before, and the
// gauges go on from there, so a stream that hangs shows as one that falls behind.
// It is safe for concurrent use.
type freshness struct {
	mu       sync.Mutex // guards everything below
	through  time.Time
	segments map[string]pending
	files    int
	records  int
}

// pending is what one segment has listed and not delivered.
type pending struct {
	files  int
	oldest time.Time
}

// stream returns the gauges of one event type, and starts its counters at zero:
// an alert on the increase of a counter sees its first increase only if the
// counter was there before.
func (t *telemetry) stream(ctx context.Context, eventType string) *freshness {
	t.startCounters(ctx, eventType)
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.types[eventType] == nil {
		t.types[eventType] = &freshness{segments: map[string]pending{}}
	}
	return t.types[eventType]
}

func (t *telemetry) startCounters(ctx context.Context, eventType string) {
	for _, outcome := range []string{fileDelivered, fileUnverified, fileLate, fileQuarantined, fileExpired} {
		t.builder.ReceiverOpenaiComplianceFiles.Add(ctx, 0, metric.WithAttributes(eventTypeAttr(eventType), outcomeAttr(outcome)))
	}
	for _, outcome := range []string{pollSuccess, pollPartial, pollUnauthorized, pollForbidden, pollNotFound, pollFailed} {
		t.builder.ReceiverOpenaiCompliancePolls.Add(ctx, 0, metric.WithAttributes(eventTypeAttr(eventType), outcomeAttr(outcome)))
	}
	for _, outcome := range []string{recordDelivered, recordMalformed, recordDropped, recordQuarantined, recordDuplicate, recordConflict} {
		t.builder.ReceiverOpenaiComplianceRecords.Add(ctx, 0, metric.WithAttributes(eventTypeAttr(eventType), outcomeAttr(outcome)))
	}
	for _, counter := range []metric.Int64Counter{
		t.builder.ReceiverOpenaiComplianceCheckpointFailures, t.builder.ReceiverOpenaiComplianceCheckpointCorruptions,
		t.builder.ReceiverOpenaiComplianceBatchRetries,
		t.builder.ReceiverOpenaiComplianceDeduplicationEvictions, t.builder.ReceiverOpenaiComplianceFileBytes,
		t.builder.ReceiverOpenaiComplianceDataGaps, t.builder.ReceiverOpenaiComplianceRecordsWithoutTimestamp,
	} {
		counter.Add(ctx, 0, metric.WithAttributes(eventTypeAttr(eventType)))
	}
}

// upTo says that every file of the live segment that ended by then is delivered,
// the API's clock having shown that time when it was last listed. delivery_lag is
// the age of this.
func (f *freshness) upTo(through time.Time) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.through = through
}

// pending says how many files a segment has listed and not delivered, those set
// aside included, and the end time of the oldest of them. No files forgets the
// segment.
func (f *freshness) pending(segment string, files int, oldest time.Time) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if files == 0 {
		delete(f.segments, segment)
		return
	}
	f.segments[segment] = pending{files, oldest}
}

// aside says how many files and how many records are set aside now.
func (f *freshness) aside(files, records int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.files, f.records = files, records
}

// reading is what the gauges show at one time; nil is no value.
type reading struct {
	lag, expiry             *float64 // seconds
	backlog, files, records int64
}

// read computes the gauges at a time of the API's clock.
func (f *freshness) read(now time.Time) reading {
	f.mu.Lock()
	defer f.mu.Unlock()
	r := reading{files: int64(f.files), records: int64(f.records)}
	if !f.through.IsZero() {
		r.lag = new(max(0, now.Sub(f.through).Seconds()))
	}
	var oldest time.Time
	for _, p := range f.segments {
		r.backlog += int64(p.files)
		if oldest.IsZero() || p.oldest.Before(oldest) {
			oldest = p.oldest
		}
	}
	if !oldest.IsZero() {
		r.expiry = new(oldest.Add(retention).Sub(now).Seconds())
	}
	return r
}

// registerGauges connects the gauges with what the streams were told.
func (t *telemetry) registerGauges() error {
	b := t.builder
	return errors.Join(
		b.RegisterReceiverOpenaiComplianceDeliveryLagCallback(t.seconds(func(r reading) *float64 { return r.lag })),
		b.RegisterReceiverOpenaiComplianceOldestPendingExpiryCallback(t.seconds(func(r reading) *float64 { return r.expiry })),
		b.RegisterReceiverOpenaiComplianceBacklogFilesCallback(t.count(func(r reading) int64 { return r.backlog })),
		b.RegisterReceiverOpenaiComplianceQuarantinedFilesCallback(t.count(func(r reading) int64 { return r.files })),
		b.RegisterReceiverOpenaiComplianceQuarantinedRecordsCallback(t.count(func(r reading) int64 { return r.records })),
	)
}

func (t *telemetry) seconds(value func(reading) *float64) metric.Float64Callback {
	return func(_ context.Context, o metric.Float64Observer) error {
		t.each(func(r reading, eventType metric.MeasurementOption) {
			if v := value(r); v != nil {
				o.Observe(*v, eventType)
			}
		})
		return nil
	}
}

func (t *telemetry) count(value func(reading) int64) metric.Int64Callback {
	return func(_ context.Context, o metric.Int64Observer) error {
		t.each(func(r reading, eventType metric.MeasurementOption) { o.Observe(value(r), eventType) })
		return nil
	}
}

func (t *telemetry) each(observe func(reading, metric.MeasurementOption)) {
	now := t.clock.now()
	t.mu.Lock()
	defer t.mu.Unlock()
	for eventType, f := range t.types {
		observe(f.read(now), metric.WithAttributes(eventTypeAttr(eventType)))
	}
}
