// Copyright The OpenTelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package receiver

import (
	"context"

	metricnoop "go.opentelemetry.io/otel/metric/noop"
	tracenoop "go.opentelemetry.io/otel/trace/noop"
	"go.uber.org/zap"

	"go.opentelemetry.io/collector/component"
	corereceiver "go.opentelemetry.io/collector/receiver"

	"github.com/openaicompliance/openaicompliancereceiver/internal/compliance"
)

// Connect returns a client of the configured principal that goes the receiver's
// own ways - proxy, certificates, key, redirects - for tools that run beside the
// collector. It has no telemetry, no extensions, no rate limit and no retries; the
// function it returns closes its connections.
func Connect(ctx context.Context, cfg *Config, version string) (*compliance.Client, func(), error) {
	ways, err := newTransports(ctx, cfg, noExtensions{}, component.TelemetrySettings{
		Logger: zap.NewNop(), MeterProvider: metricnoop.NewMeterProvider(), TracerProvider: tracenoop.NewTracerProvider(),
	})
	if err != nil {
		return nil, nil, err
	}
	build := corereceiver.Settings{BuildInfo: component.BuildInfo{Version: version}}
	return newAPI(cfg, ways, build, nil), ways.close, nil
}

// Advice says what an operator can do about an error that a client met with an
// event type.
func Advice(err error, eventType string) string { return advice(err, eventType) }

// noExtensions is a host without extensions.
type noExtensions struct{}

func (noExtensions) GetExtensions() map[component.ID]component.Component { return nil }
