// Copyright The OpenTelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"fmt"
	"os"

	"go.opentelemetry.io/collector/config/configopaque"
	"go.opentelemetry.io/collector/confmap"

	"github.com/openaicompliance/openaicompliancereceiver/cmd/internal/collectorconf"
	"github.com/openaicompliance/openaicompliancereceiver/receiver"
)

// config is the receiver's configuration, from a collector's or from flags and
// environment, validated as the collector validates it.
func (o *options) config(ctx context.Context) (*receiver.Config, error) {
	cfg := receiver.NewDefaultConfig()
	if len(o.configs) > 0 {
		if err := o.load(ctx, cfg); err != nil {
			return nil, err
		}
	} else {
		o.fill(cfg)
	}
	if o.types != nil {
		cfg.EventTypes = o.types
	}
	// Nothing is stored, so nothing need be configured for it.
	cfg.AllowEphemeralCursor = true
	if err := confmap.Validate(cfg); err != nil {
		return nil, err
	}
	return cfg, nil
}

func (o *options) load(ctx context.Context, cfg *receiver.Config) error {
	conf, err := collectorconf.Load(ctx, o.configs...)
	if err != nil {
		return err
	}
	id, keys, err := collectorconf.Component(conf, "receivers", "openai_compliance", o.receiver)
	if err != nil {
		return err
	}
	if err := keys.Unmarshal(cfg); err != nil {
		return fmt.Errorf("receivers::%s: %w", id, err)
	}
	return nil
}

func (o *options) fill(cfg *receiver.Config) {
	cfg.APIKeyFile = o.keyFile
	if o.keyFile == "" {
		cfg.APIKey = configopaque.String(os.Getenv("OPENAI_COMPLIANCE_API_KEY"))
	}
	cfg.WorkspaceID, cfg.OrganizationID = o.workspace, o.organization
	if o.workspace == "" && o.organization == "" { // a flag counts more than the environment's other id
		cfg.WorkspaceID, cfg.OrganizationID = os.Getenv("OPENAI_WORKSPACE_ID"), os.Getenv("OPENAI_ORGANIZATION_ID")
	}
	cfg.EventTypes = []string{"AUTH_LOG", "AUDIT_LOG"}
	if cfg.OrganizationID != "" {
		cfg.EventTypes = []string{"APP_LOG", "APP_AUTH_LOG", "COSTS"}
	}
	cfg.HTTP.Endpoint = o.endpoint
}
