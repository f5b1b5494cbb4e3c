// Copyright The OpenTelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package receiver

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"go.opentelemetry.io/collector/config/configopaque"

	"github.com/openaicompliance/openaicompliancereceiver/internal/fakeapi"
)

// Each usual misuse is answered with what to do about it, by the name of the
// setting or the scope, and never with the key.
func TestHintsOnMisuse(t *testing.T) {
	const other = "11111111-2222-3333-4444-555555555555"
	answer := func(status int, body string) fakeapi.Fault {
		return fakeapi.Fault{Op: "list", Status: status, Body: body}
	}
	organization := func(cfg *Config) {
		cfg.WorkspaceID, cfg.OrganizationID, cfg.EventTypes = "", fakeapi.DefaultOrganization, []string{"COSTS"}
	}
	for name, tt := range map[string]struct {
		change func(*Config)
		opts   fakeapi.Options
		fault  fakeapi.Fault
		error  string
		want   []string
	}{
		"an inference key": {
			change: func(cfg *Config) { cfg.APIKey = "sk-svcacct-secret" },
			error:  "list: 401", want: []string{"does not look like one for compliance logs", "sk-admin-", "an inference key never works", "Admin keys"},
		},
		"a project's key": {
			change: func(cfg *Config) { cfg.APIKey = "sk-proj-secret" },
			error:  "list: 401", want: []string{"only older compliance keys work"},
		},
		"a revoked key": {
			change: func(cfg *Config) { cfg.APIKey = "sk-admin-secret" },
			error:  "list: 401", want: []string{"it was revoked, or belongs to another workspace"},
		},
		"no scope": {
			opts:  fakeapi.Options{Forbidden: []string{"AUTH_LOG"}},
			error: "list: 403", want: []string{"may not read this type: grant the key the scope chatgpt.enterprise.compliance_logs_platform.auth_log.read (or chatgpt.enterprise.compliance_logs_platform.read for all types)"},
		},
		"an address that is not allowed": {
			fault: answer(403, `{"error":{"message":"Your IP address is not in the compliance API allowlist"}}`),
			error: "list: 403", want: []string{"does not serve this address", "allow-list for the compliance API"},
		},
		"forbidden, without a word": {
			fault: answer(403, ""),
			error: "list: 403", want: []string{"platform.auth_log.read", "made in this workspace", "IP allow-list"},
		},
		"forbidden for an organization": {
			change: organization, fault: answer(403, ""),
			error: "list: 403", want: []string{"platform.costs.read", "made in this organization"},
		},
		"another workspace": {
			change: func(cfg *Config) { cfg.WorkspaceID = other },
			error:  "list: 404", want: []string{"check http::endpoint", "workspace_id", "organization_id", "the API does not know it"},
		},
		"another organization": {
			change: func(cfg *Config) { organization(cfg); cfg.OrganizationID = "org-other" },
			error:  "list: 404", want: []string{"check http::endpoint", "organization_id", "workspace", "the API does not know it"},
		},
		"a misspelled type": {
			change: func(cfg *Config) { cfg.EventTypes = []string{"AUDITLOG"} },
			error:  "list: 400 Bad Request: Invalid event_type", want: []string{"did you mean AUDIT_LOG?"},
		},
		"a type that nobody knows": {
			change: func(cfg *Config) { cfg.EventTypes = []string{"COFFEE_MACHINE_LOG"} },
			error:  "list: 400", want: []string{"does not know this event type under workspace_id: check event_types"},
		},
		"a type that is not enabled": {
			fault: answer(400, `{"detail":"Invalid event_type AUTH_LOG"}`),
			error: "list: 400", want: []string{"though it is a published one: check that it is enabled"},
		},
		"a request the API has outgrown": {
			fault: answer(422, `{"detail":[{"loc":["query","since"],"msg":"Field required"}]}`),
			error: "list: 422 Unprocessable Entity: [query since]: Field required", want: []string{"a newer version of this receiver"},
		},
		"a page of a proxy": {
			fault: answer(200, "<html>Please sign in</html>"),
			error: "is not a whole JSON document", want: []string{"check http::endpoint, and whether a proxy or gateway answers"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, tt.opts, func(cfg *Config) {
				cfg.APIRetry.BackOff.Enabled = false
				if tt.change != nil {
					tt.change(cfg)
				}
			})
			if tt.fault.Op != "" {
				w.api.Script(tt.fault)
			}
			w.start()
			fields := w.awaitLog("first poll ended").ContextMap()
			assert.Contains(t, fields["error"], tt.error)
			assert.Contains(t, []any{"unauthorized", "forbidden", "not_found", "failed"}, fields["state"])
			for _, want := range tt.want {
				assert.Contains(t, fields["hint"], want)
			}
			for _, entry := range w.logs.All() {
				assert.NotContains(t, fmt.Sprint(entry.Message, entry.ContextMap()), "secret")
			}
		})
	}
}

// What the configuration itself can know is refused before any request: an id
// under the other name, and a type of the other kind of principal. Should the API
// be the first to notice, the hint says the same (TestHints).
func TestConfigRefusesTheWrongPrincipal(t *testing.T) {
	cfg := NewDefaultConfig()
	cfg.APIKey, cfg.AllowEphemeralCursor = configopaque.String(fakeapi.DefaultKey), true
	cfg.EventTypes = []string{"COSTS"}
	cfg.WorkspaceID = fakeapi.DefaultWorkspace
	require.ErrorContains(t, cfg.Validate(), "COSTS exists for organizations only; collect it with a receiver that has organization_id")
	cfg.WorkspaceID = fakeapi.DefaultOrganization
	require.ErrorContains(t, cfg.Validate(), "this is an organization's id; write it under organization_id")
	cfg.WorkspaceID, cfg.OrganizationID = "", fakeapi.DefaultWorkspace
	require.ErrorContains(t, cfg.Validate(), "this is a workspace's id; write it under workspace_id")
}
