// Copyright The OpenTelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package receiver

import (
	"context"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"

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

	requestSuccess = "success"
	requestRefused = "refused"
	requestError   = "error"
)

// telemetry counts what metadata.yaml defines.
type telemetry struct{ builder *metadata.TelemetryBuilder }

func eventTypeAttr(eventType string) attribute.KeyValue {
	return attribute.String("event_type", eventType)
}

func outcomeAttr(outcome string) attribute.KeyValue { return attribute.String("outcome", outcome) }

// request implements compliance.Settings.Observe.
func (t *telemetry) request(ctx context.Context, op compliance.Operation, status int, err error) {
	outcome := requestSuccess
	switch {
	case status == 0:
		outcome = requestError
	case err != nil:
		outcome = requestRefused
	}
	attrs := []attribute.KeyValue{attribute.String("operation", string(op)), outcomeAttr(outcome)}
	if status != 0 {
		attrs = append(attrs, attribute.Int("http.response.status_code", status))
	}
	t.builder.ReceiverOpenaiComplianceAPIRequests.Add(ctx, 1, metric.WithAttributes(attrs...))
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
	t.builder.ReceiverOpenaiComplianceGaps.Add(ctx, 1, metric.WithAttributes(eventTypeAttr(eventType)))
}

func (t *telemetry) consumeRetry(ctx context.Context, eventType string) {
	t.builder.ReceiverOpenaiComplianceConsumeRetries.Add(ctx, 1, metric.WithAttributes(eventTypeAttr(eventType)))
}

func (t *telemetry) checkpointFailed(ctx context.Context, eventType string) {
	t.builder.ReceiverOpenaiComplianceCheckpointFailures.Add(ctx, 1, metric.WithAttributes(eventTypeAttr(eventType)))
}
