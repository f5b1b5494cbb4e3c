// Copyright The OpenTelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package command

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"slices"

	"github.com/spf13/cobra"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/config/configopaque"
	"go.opentelemetry.io/collector/confmap"

	"github.com/openaicompliance/openaicompliancereceiver/cmd/internal/collectorconf"
	"github.com/openaicompliance/openaicompliancereceiver/internal/collect"
	"github.com/openaicompliance/openaicompliancereceiver/internal/secret"
	"github.com/openaicompliance/openaicompliancereceiver/receiver"
)

// Source is a collector's configuration, and the receiver in it.
type Source struct {
	Configs  []string
	Receiver string
}

// AddFlags adds --config and --receiver, also for the command's own commands.
func (s *Source) AddFlags(cmd *cobra.Command) {
	cmd.PersistentFlags().StringArrayVar(&s.Configs, "config", nil, "a collector's configuration `FILE`; may be repeated, as the collector's own flag")
	cmd.PersistentFlags().StringVar(&s.Receiver, "receiver", "", "`ID` of the receiver, if the configuration has more than one")
}

// Load reads the collector's configuration into the receiver's, without validation. It
// returns the id of the receiver and the whole configuration too.
func (s *Source) Load(ctx context.Context, cfg *receiver.Config) (component.ID, *confmap.Conf, error) {
	var owner component.ID
	conf, err := collectorconf.Load(ctx, s.Configs...)
	if err != nil {
		return owner, nil, err
	}
	id, keys, err := collectorconf.Component(conf, "receivers", "openai_compliance", s.Receiver)
	if err != nil {
		return owner, nil, err
	}
	if err := errors.Join(owner.UnmarshalText([]byte(id)), keys.Unmarshal(cfg)); err != nil {
		return owner, nil, fmt.Errorf("receivers::%s: %w", id, err)
	}
	return owner, conf, nil
}

// API says how the API is reached and whose logs are read: by a collector's
// configuration, or by flags and environment.
type API struct {
	Source
	Types []string

	keyFile, workspace, organization, endpoint string
}

const apiHelp = `With --config, key, ids, types and HTTP settings are taken from a collector's
configuration. Without, the key is taken from OPENAI_COMPLIANCE_API_KEY or
--api-key-file, and the id from OPENAI_WORKSPACE_ID, OPENAI_ORGANIZATION_ID or a
flag. Like every request to this API, those of this command appear in the
workspace's AUDIT_LOG.`

// AddFlags adds the flags, and says in the command's help where the rest comes from.
func (a *API) AddFlags(cmd *cobra.Command) {
	a.Source.AddFlags(cmd)
	flags := cmd.Flags()
	flags.StringSliceVar(&a.Types, "types", nil, "event `TYPES`, separated by commas; default those of the configuration, else AUTH_LOG,AUDIT_LOG")
	complete(cmd, "types", slices.Sorted(maps.Keys(collect.EventTypes))...)
	flags.StringVar(&a.keyFile, "api-key-file", "", "`FILE` that holds the key")
	flags.StringVar(&a.workspace, "workspace-id", "", "`UUID` of the workspace")
	flags.StringVar(&a.organization, "organization-id", "", "`ID` of the organization, org-…")
	flags.StringVar(&a.endpoint, "endpoint", "", "`URL` of the API; default "+receiver.DefaultEndpoint)
	cmd.Long += "\n\n" + apiHelp
}

// Config is the receiver's configuration, validated as the collector validates it.
// Every error is a misuse.
func (a *API) Config(ctx context.Context) (*receiver.Config, error) {
	if err := a.check(); err != nil {
		return nil, err
	}
	cfg := receiver.NewDefaultConfig()
	if len(a.Configs) > 0 {
		if _, _, err := a.Load(ctx, cfg); err != nil {
			return nil, Misuse(secret.ConcealError(err))
		}
	} else {
		a.fill(cfg)
	}
	if a.Types != nil {
		cfg.EventTypes = a.Types
	}
	// Nothing is stored, so nothing need be configured for it.
	cfg.AllowEphemeralCursor = true
	return cfg, Misuse(secret.ConcealError(confmap.Validate(cfg)))
}

// check refuses flags that would not count.
func (a *API) check() error {
	if a.workspace != "" && a.organization != "" {
		return Misusef("--workspace-id and --organization-id exclude each other")
	}
	for flag, value := range map[string]string{
		"--api-key-file": a.keyFile, "--workspace-id": a.workspace, "--organization-id": a.organization, "--endpoint": a.endpoint,
	} {
		if len(a.Configs) > 0 && value != "" {
			return Misusef("--config and %s exclude each other", flag)
		}
	}
	if len(a.Configs) == 0 && a.Receiver != "" {
		return Misusef("--receiver needs --config")
	}
	return nil
}

func (a *API) fill(cfg *receiver.Config) {
	cfg.APIKeyFile = a.keyFile
	if a.keyFile == "" {
		cfg.APIKey = configopaque.String(os.Getenv("OPENAI_COMPLIANCE_API_KEY"))
	}
	cfg.WorkspaceID, cfg.OrganizationID = a.workspace, a.organization
	if a.workspace == "" && a.organization == "" { // a flag counts more than the environment's other id
		cfg.WorkspaceID, cfg.OrganizationID = os.Getenv("OPENAI_WORKSPACE_ID"), os.Getenv("OPENAI_ORGANIZATION_ID")
	}
	cfg.EventTypes = []string{"AUTH_LOG", "AUDIT_LOG"}
	if cfg.OrganizationID != "" {
		cfg.EventTypes = []string{"APP_LOG", "APP_AUTH_LOG", "COSTS"}
	}
	if a.endpoint != "" {
		cfg.HTTP.Endpoint = a.endpoint
	}
}
