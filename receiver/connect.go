// Copyright The OpenTelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package receiver

import (
	"context"
	"net/http"
	"time"

	metricnoop "go.opentelemetry.io/otel/metric/noop"
	tracenoop "go.opentelemetry.io/otel/trace/noop"
	"go.uber.org/zap"

	"go.opentelemetry.io/collector/component"

	"github.com/openaicompliance/openaicompliancereceiver/internal/collect"
	"github.com/openaicompliance/openaicompliancereceiver/internal/compliance"
	"github.com/openaicompliance/openaicompliancereceiver/internal/record"
)

// Connect returns a client of the configured principal that goes the receiver's
// own ways - proxy, certificates, key, redirects - for tools that run beside the
// collector. It has no telemetry, no extensions, no rate limit and no retries; the
// function it returns closes its connections.
func Connect(ctx context.Context, cfg *Config, version string) (*compliance.Client, func(), error) {
	clients, err := newTransports(ctx, cfg, noExtensions{}, component.TelemetrySettings{
		Logger: zap.NewNop(), MeterProvider: metricnoop.NewMeterProvider(), TracerProvider: tracenoop.NewTracerProvider(),
	}, func(*http.Transport) {})
	if err != nil {
		return nil, nil, err
	}
	return newAPI(cfg, cfg.newKeySource(), clients, apiHooks{}, version), clients.close, nil
}

// WithholdContent returns what makes of a line of an event type the text that the
// receiver would put into the raw body of its record: the line itself, or with
// content withheld as the configuration says.
func WithholdContent(cfg *Config, eventType string) func(line []byte) []byte {
	content := cfg.Content.forRecords()
	if content.Mode == record.ContentKeep {
		return func(line []byte) []byte { return line }
	}
	mapper := record.NewMapper(record.Source{EventType: eventType, PrincipalAttr: record.AttrWorkspaceID, Content: content})
	return func(line []byte) []byte {
		logs, _ := mapper.Map(record.File{}, []record.Line{{Number: 1, Text: line}}, time.Time{})
		return []byte(logs.ResourceLogs().At(0).ScopeLogs().At(0).LogRecords().At(0).Body().AsString())
	}
}

// PrincipalID is the workspace or organisation as it stands in the storage's keys.
func PrincipalID(cfg *Config) string { return cfg.principal().ID }

// Advice says what an operator can do about an error that a client met with an
// event type.
func Advice(err error, eventType string) string {
	return collect.Classifier{EventType: eventType}.Classify(err).Hint
}

// noExtensions is a host without extensions.
type noExtensions struct{}

func (noExtensions) GetExtensions() map[component.ID]component.Component { return nil }
