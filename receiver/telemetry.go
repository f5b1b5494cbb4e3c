// Copyright The OpenTelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package receiver

import (
	"context"
	"sync"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
	"go.opentelemetry.io/otel/trace"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/pdata/pcommon"

	"github.com/openaicompliance/openaicompliancereceiver/internal/compliance"
	"github.com/openaicompliance/openaicompliancereceiver/internal/deliver"
	"github.com/openaicompliance/openaicompliancereceiver/internal/metadata"
)

// Values of the outcome attribute; metadata.yaml says what each means.
const (
	fileDelivered   = "delivered"
	fileUnverified  = "unverified"
	fileLate        = "late"
	fileQuarantined = "quarantined"
	fileExpired     = "expired"

	recordDelivered = "delivered"
	recordMalformed = "malformed"
	recordDropped   = "dropped"

	recordQuarantined = "quarantined"

	recordDuplicate = "duplicate"
	recordConflict  = "conflict"

	pollSuccess      = "success"
	pollPartial      = "partial"
	pollUnauthorized = "unauthorized"
	pollForbidden    = "forbidden"
	pollNotFound     = "not_found"
	pollFailed       = "failed"

	requestSuccess = "success"
	requestRefused = "refused"
	requestError   = "error"
)

// telemetry counts what metadata.yaml defines.
type telemetry struct {
	builder *metadata.TelemetryBuilder
	tracer  trace.Tracer
	clock   apiClock

	mu    sync.Mutex // guards what follows
	types map[string]*freshness
}

// newTelemetry registers the instruments; shutdown gives them back.
func newTelemetry(set component.TelemetrySettings) (*telemetry, error) {
	builder, err := metadata.NewTelemetryBuilder(set)
	if err != nil {
		return nil, err
	}
	t := &telemetry{builder: builder, tracer: metadata.Tracer(set), types: map[string]*freshness{}}
	if err := t.registerGauges(); err != nil {
		builder.Shutdown()
		return nil, err
	}
	return t, nil
}

func (t *telemetry) shutdown() { t.builder.Shutdown() }

func eventTypeAttr(eventType string) attribute.KeyValue {
	return attribute.String("event_type", eventType)
}

func operationAttr(op compliance.Operation) attribute.KeyValue {
	return attribute.String("operation", string(op))
}

func outcomeAttr(outcome string) attribute.KeyValue { return attribute.String("outcome", outcome) }

// request implements compliance.Settings.Observe.
func (t *telemetry) request(ctx context.Context, o compliance.Observation) {
	outcome := requestSuccess
	switch {
	case o.Status == 0:
		outcome = requestError
	case o.Err != nil:
		outcome = requestRefused
	}
	attrs := []attribute.KeyValue{operationAttr(o.Op), outcomeAttr(outcome)}
	t.builder.ReceiverOpenaiComplianceAPIRequestDuration.Record(ctx, o.Duration.Seconds(), metric.WithAttributes(attrs...))
	if o.Status != 0 {
		attrs = append(attrs, attribute.Int("http.response.status_code", o.Status))
	}
	t.builder.ReceiverOpenaiComplianceAPIRequests.Add(ctx, 1, metric.WithAttributes(attrs...))
}

// rateLimitWait counts how long a request waited for its place in rate_limit or
// for a pause of the API's to end; 0 when it went at once. The operation is list
// or download.
func (t *telemetry) rateLimitWait(ctx context.Context, op compliance.Operation, waited time.Duration) {
	t.builder.ReceiverOpenaiComplianceRateLimitWait.Record(ctx, waited.Seconds(), metric.WithAttributes(operationAttr(op)))
}

func (t *telemetry) file(ctx context.Context, eventType, outcome string) {
	t.builder.ReceiverOpenaiComplianceFiles.Add(ctx, 1, metric.WithAttributes(eventTypeAttr(eventType), outcomeAttr(outcome)))
}

func (t *telemetry) fileBytes(ctx context.Context, eventType string, n int) {
	t.builder.ReceiverOpenaiComplianceFileBytes.Add(ctx, int64(n), metric.WithAttributes(eventTypeAttr(eventType)))
}

// delivered counts a batch that is done; each record has one outcome.
func (t *telemetry) delivered(ctx context.Context, eventType string, c counts, outcome deliver.Outcome) {
	t.records(ctx, eventType, recordDuplicate, c.duplicates)
	switch outcome {
	case deliver.Dropped:
		t.records(ctx, eventType, recordDropped, c.records)
		return
	case deliver.Aside:
		t.records(ctx, eventType, recordQuarantined, c.records)
		return
	}
	t.records(ctx, eventType, recordDelivered, c.records-c.malformed-c.conflicts)
	t.records(ctx, eventType, recordMalformed, c.malformed)
	t.records(ctx, eventType, recordConflict, c.conflicts)
	t.latencies(ctx, eventType, c.times, time.Now())
}

// latencies counts how old the events were at their acceptance, and those whose
// age nobody knows.
func (t *telemetry) latencies(ctx context.Context, eventType string, times []pcommon.Timestamp, accepted time.Time) {
	attrs := metric.WithAttributeSet(attribute.NewSet(eventTypeAttr(eventType)))
	options := []metric.RecordOption{attrs} // made once, not for every record
	untimed := int64(0)
	for _, at := range times {
		if at == 0 {
			untimed++
			continue
		}
		age := max(0, accepted.Sub(at.AsTime()))
		t.builder.ReceiverOpenaiComplianceEventDeliveryLatency.Record(ctx, age.Seconds(), options...)
	}
	t.builder.ReceiverOpenaiComplianceRecordsWithoutTimestamp.Add(ctx, untimed, attrs)
}

func (t *telemetry) evicted(ctx context.Context, eventType string, n int) {
	if n > 0 {
		t.builder.ReceiverOpenaiComplianceDeduplicationEvictions.Add(ctx, int64(n), metric.WithAttributes(eventTypeAttr(eventType)))
	}
}

func (t *telemetry) records(ctx context.Context, eventType, outcome string, n int) {
	if n > 0 {
		t.builder.ReceiverOpenaiComplianceRecords.Add(ctx, int64(n), metric.WithAttributes(eventTypeAttr(eventType), outcomeAttr(outcome)))
	}
}

func (t *telemetry) gap(ctx context.Context, eventType string) {
	t.builder.ReceiverOpenaiComplianceDataGaps.Add(ctx, 1, metric.WithAttributes(eventTypeAttr(eventType)))
}

func (t *telemetry) batchRetried(ctx context.Context, eventType string) {
	t.builder.ReceiverOpenaiComplianceBatchRetries.Add(ctx, 1, metric.WithAttributes(eventTypeAttr(eventType)))
}

func (t *telemetry) checkpointFailed(ctx context.Context, eventType string) {
	t.builder.ReceiverOpenaiComplianceCheckpointFailures.Add(ctx, 1, metric.WithAttributes(eventTypeAttr(eventType)))
}

// checkpointCorrupted counts a stored checkpoint that cannot be used.
func (t *telemetry) checkpointCorrupted(ctx context.Context, eventType string) {
	t.builder.ReceiverOpenaiComplianceCheckpointCorruptions.Add(ctx, 1, metric.WithAttributes(eventTypeAttr(eventType)))
}
