// Copyright The OpenTelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package openaicompliancereceiver

import (
	"context"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/consumer"
	corereceiver "go.opentelemetry.io/collector/receiver"

	"github.com/openaicompliance/openaicompliancereceiver/internal/metadata"
	"github.com/openaicompliance/openaicompliancereceiver/receiver"
)

//go:generate make generate

// NewFactory creates the factory of the openai_compliance receiver.
func NewFactory() corereceiver.Factory {
	return corereceiver.NewFactory(
		metadata.Type,
		func() component.Config { return receiver.NewDefaultConfig() },
		corereceiver.WithLogs(createLogs, metadata.LogsStability),
	)
}

func createLogs(_ context.Context, set corereceiver.Settings, cfg component.Config, next consumer.Logs) (corereceiver.Logs, error) {
	return receiver.New(set, cfg.(*receiver.Config), next)
}
