// Copyright The OpenTelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package receiver

import (
	"context"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
	"go.opentelemetry.io/otel/trace"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/pdata/pcommon"

	"github.com/openaicompliance/openaicompliancereceiver/internal/collect"
	"github.com/openaicompliance/openaicompliancereceiver/internal/compliance"
	"github.com/openaicompliance/openaicompliancereceiver/internal/deliver"
	"github.com/openaicompliance/openaicompliancereceiver/internal/metadata"
	"github.com/openaicompliance/openaicompliancereceiver/internal/record"
)

// Values of the outcome attribute of records and requests; metadata.yaml says what
// each means.
const (
	recordDelivered   = "delivered"
	recordMalformed   = "malformed"
	recordDropped     = "dropped"
	recordQuarantined = "quarantined"
	recordDuplicate   = "duplicate"
	recordConflict    = "conflict"

	requestSuccess = "success"
	requestRefused = "refused"
	requestError   = "error"
)

// telemetry counts what metadata.yaml defines.
type telemetry struct {
	builder *metadata.TelemetryBuilder
	tracer  trace.Tracer
	gauges  *gauges
}

// newTelemetry registers the instruments; shutdown gives them back.
func newTelemetry(set component.TelemetrySettings) (*telemetry, error) {
	builder, err := metadata.NewTelemetryBuilder(set)
	if err != nil {
		return nil, err
	}
	t := &telemetry{builder: builder, tracer: metadata.Tracer(set), gauges: newGauges()}
	if err := t.gauges.register(builder); err != nil {
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

func reasonAttr(reason string) attribute.KeyValue { return attribute.String("reason", reason) }

func outcomeAttr(outcome string) attribute.KeyValue { return attribute.String("outcome", outcome) }

// addStream starts the counters of an event type at zero: an alert on the increase
// of a counter sees its first increase only if the counter was there before.
func (t *telemetry) addStream(ctx context.Context, id collect.StreamID) {
	t.gauges.addStream(id)
	b, eventType := t.builder, id.EventType
	for _, outcome := range []string{collect.FileDelivered, collect.FileUnverified, collect.FileLate, collect.FileQuarantined, collect.FileExpired} {
		b.ReceiverOpenaiComplianceFiles.Add(ctx, 0, metric.WithAttributes(eventTypeAttr(eventType), outcomeAttr(outcome)))
	}
	for _, outcome := range []string{
		collect.PollSuccess, collect.PollPartial, collect.PollUnauthorized, collect.PollForbidden, collect.PollNotFound, collect.PollFailed,
	} {
		b.ReceiverOpenaiCompliancePolls.Add(ctx, 0, metric.WithAttributes(eventTypeAttr(eventType), outcomeAttr(outcome)))
	}
	for _, outcome := range []string{recordDelivered, recordMalformed, recordDropped, recordQuarantined, recordDuplicate, recordConflict} {
		b.ReceiverOpenaiComplianceRecords.Add(ctx, 0, metric.WithAttributes(eventTypeAttr(eventType), outcomeAttr(outcome)))
	}
	for _, reason := range record.DriftReasons {
		b.ReceiverOpenaiComplianceRecordsUnmapped.Add(ctx, 0, metric.WithAttributes(eventTypeAttr(eventType), reasonAttr(reason.Name)))
	}
	for _, counter := range []metric.Int64Counter{
		b.ReceiverOpenaiComplianceCheckpointFailures, b.ReceiverOpenaiComplianceCheckpointCorruptions,
		b.ReceiverOpenaiComplianceBatchRetries, b.ReceiverOpenaiComplianceBatchSplits,
		b.ReceiverOpenaiComplianceDeduplicationEvictions, b.ReceiverOpenaiComplianceFileBytes,
		b.ReceiverOpenaiComplianceDataGaps, b.ReceiverOpenaiComplianceRecordsWithoutTimestamp,
	} {
		counter.Add(ctx, 0, metric.WithAttributes(eventTypeAttr(eventType)))
	}
}

func (t *telemetry) endStream(id collect.StreamID) { t.gauges.endStream(id) }

func (t *telemetry) setProgress(id collect.StreamID, p collect.Progress) { t.gauges.setProgress(id, p) }

func (t *telemetry) setClockSkew(difference time.Duration) { t.gauges.setClockSkew(difference) }

// recordRequest implements compliance.Settings.Observe.
func (t *telemetry) recordRequest(ctx context.Context, o compliance.Observation) {
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

// recordRateLimitWait counts how long a request waited for its place in rate_limit or
// for a pause of the API's to end; 0 when it did not. The operation is list or
// download.
func (t *telemetry) recordRateLimitWait(ctx context.Context, op compliance.Operation, waited time.Duration) {
	t.builder.ReceiverOpenaiComplianceRateLimitWait.Record(ctx, waited.Seconds(), metric.WithAttributes(operationAttr(op)))
}

func (t *telemetry) countPoll(ctx context.Context, eventType, outcome string) {
	t.builder.ReceiverOpenaiCompliancePolls.Add(ctx, 1, metric.WithAttributes(eventTypeAttr(eventType), outcomeAttr(outcome)))
}

func (t *telemetry) countFile(ctx context.Context, eventType, outcome string) {
	t.builder.ReceiverOpenaiComplianceFiles.Add(ctx, 1, metric.WithAttributes(eventTypeAttr(eventType), outcomeAttr(outcome)))
}

func (t *telemetry) countFileBytes(ctx context.Context, eventType string, n int) {
	t.builder.ReceiverOpenaiComplianceFileBytes.Add(ctx, int64(n), metric.WithAttributes(eventTypeAttr(eventType)))
}

// countBatch counts records that are settled; each has one outcome.
func (t *telemetry) countBatch(ctx context.Context, eventType string, c collect.BatchCounts, outcome deliver.Outcome) {
	t.countRecords(ctx, eventType, recordDuplicate, c.Duplicates)
	switch outcome {
	case deliver.Dropped:
		t.countRecords(ctx, eventType, recordDropped, c.Records)
		return
	case deliver.Quarantined:
		t.countRecords(ctx, eventType, recordQuarantined, c.Records)
		return
	}
	t.countRecords(ctx, eventType, recordDelivered, c.Records-c.Malformed-c.Conflicts)
	t.countRecords(ctx, eventType, recordMalformed, c.Malformed)
	t.countRecords(ctx, eventType, recordConflict, c.Conflicts)
	t.recordLatencies(ctx, eventType, c.Times, time.Now())
	t.countDrift(ctx, eventType, c.Drifts)
}

// countDrift counts records that the mapping does not know in full, once for each reason.
func (t *telemetry) countDrift(ctx context.Context, eventType string, drifts []record.Drift) {
	for _, reason := range record.DriftReasons {
		n := int64(0)
		for _, drift := range drifts {
			if drift&reason.Drift != 0 {
				n++
			}
		}
		if n > 0 {
			t.builder.ReceiverOpenaiComplianceRecordsUnmapped.Add(ctx, n, metric.WithAttributes(eventTypeAttr(eventType), reasonAttr(reason.Name)))
		}
	}
}

// recordLatencies counts how old the events were at their acceptance, and those
// without a readable time.
func (t *telemetry) recordLatencies(ctx context.Context, eventType string, times []pcommon.Timestamp, accepted time.Time) {
	attrs := metric.WithAttributeSet(attribute.NewSet(eventTypeAttr(eventType)))
	options := []metric.RecordOption{attrs} // made once, not for every record
	without := int64(0)
	for _, at := range times {
		if at == 0 {
			without++
			continue
		}
		age := max(0, accepted.Sub(at.AsTime()))
		t.builder.ReceiverOpenaiComplianceEventDeliveryLatency.Record(ctx, age.Seconds(), options...)
	}
	t.builder.ReceiverOpenaiComplianceRecordsWithoutTimestamp.Add(ctx, without, attrs)
}

func (t *telemetry) countRecords(ctx context.Context, eventType, outcome string, n int) {
	if n > 0 {
		t.builder.ReceiverOpenaiComplianceRecords.Add(ctx, int64(n), metric.WithAttributes(eventTypeAttr(eventType), outcomeAttr(outcome)))
	}
}

func (t *telemetry) countEvictions(ctx context.Context, eventType string, n int) {
	if n > 0 {
		t.builder.ReceiverOpenaiComplianceDeduplicationEvictions.Add(ctx, int64(n), metric.WithAttributes(eventTypeAttr(eventType)))
	}
}

func (t *telemetry) countGap(ctx context.Context, eventType string) {
	t.builder.ReceiverOpenaiComplianceDataGaps.Add(ctx, 1, metric.WithAttributes(eventTypeAttr(eventType)))
}

// countRejection counts a rejected call whose records are offered again: a retry of
// the same records, or a split.
func (t *telemetry) countRejection(ctx context.Context, eventType string, r deliver.Rejection) {
	switch attrs := metric.WithAttributes(eventTypeAttr(eventType)); {
	case r.Outcome != deliver.Open:
	case r.Wait > 0:
		t.builder.ReceiverOpenaiComplianceBatchRetries.Add(ctx, 1, attrs)
	case r.Records > 1:
		t.builder.ReceiverOpenaiComplianceBatchSplits.Add(ctx, 1, attrs)
	}
}

func (t *telemetry) countCheckpointFailure(ctx context.Context, eventType string) {
	t.builder.ReceiverOpenaiComplianceCheckpointFailures.Add(ctx, 1, metric.WithAttributes(eventTypeAttr(eventType)))
}

func (t *telemetry) countCheckpointCorruption(ctx context.Context, eventType string) {
	t.builder.ReceiverOpenaiComplianceCheckpointCorruptions.Add(ctx, 1, metric.WithAttributes(eventTypeAttr(eventType)))
}
