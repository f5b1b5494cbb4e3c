// Copyright The OpenTelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package receiver

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"go.uber.org/zap/zaptest/observer"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/consumer/consumertest"
	corereceiver "go.opentelemetry.io/collector/receiver"
	"go.opentelemetry.io/collector/receiver/receivertest"

	"github.com/openaicompliance/openaicompliancereceiver/internal/fakeapi"
	"github.com/openaicompliance/openaicompliancereceiver/internal/metadata"
)

const duplicateWarning = "two receivers collect the same event types"

// A second receiver of a principal and event type warns at its start, naming both,
// for as long as the first runs; others do not.
func TestTwoReceiversOfOneType(t *testing.T) {
	api := fakeapi.New(fakeapi.Options{})
	require.NoError(t, api.Start("", ""))
	defer api.Close()
	start := func(name string, change func(*Config)) (corereceiver.Logs, *observer.ObservedLogs, error) {
		cfg := testConfig(api.URL)
		cfg.StorageID, cfg.AllowEphemeralCursor = nil, true
		cfg.EventTypes = []string{"AUTH_LOG", "APP_LOG"}
		change(cfg)
		core, logs := observer.New(zapcore.WarnLevel)
		set := receivertest.NewNopSettings(metadata.Type)
		set.Logger = zap.New(core)
		set.ID = component.MustNewIDWithName("openai_compliance", name)
		r, err := New(set, cfg, consumertest.NewNop())
		require.NoError(t, err)
		err = r.Start(t.Context(), &host{nil, &statuses{}})
		return r, logs.FilterMessage(duplicateWarning), err
	}
	started := func(name string, change func(*Config)) (corereceiver.Logs, *observer.ObservedLogs) {
		r, logs, err := start(name, change)
		require.NoError(t, err)
		return r, logs
	}
	stop := func(r corereceiver.Logs) { require.NoError(t, r.Shutdown(t.Context())) }

	first, logs := started("first", func(*Config) {})
	assert.Empty(t, logs.All())
	other, logs := started("other", func(c *Config) { c.WorkspaceID, c.OrganizationID = "", "org-abc" })
	assert.Empty(t, logs.All(), "another principal")
	disjoint, logs := started("disjoint", func(c *Config) { c.EventTypes = []string{"AUDIT_LOG"} })
	assert.Empty(t, logs.All(), "other event types")
	second, logs := started("second", func(c *Config) {
		c.WorkspaceID = strings.ToUpper(c.WorkspaceID)
		c.EventTypes = []string{"CODEX_LOG", "AUTH_LOG"}
	})
	require.Len(t, logs.All(), 1)
	assert.Equal(t, map[string]any{
		"receivers":   []any{"openai_compliance/second", "openai_compliance/first"},
		"event_types": []any{"AUTH_LOG"},
	}, logs.All()[0].ContextMap())

	_, logs, err := start("failed", func(c *Config) { c.APIKey, c.APIKeyFile = "", "/nowhere" })
	require.Error(t, err)
	assert.Len(t, logs.All(), 2)
	stop(first)
	stop(second)
	stop(second)
	again, logs := started("first", func(*Config) {}) // a reload
	assert.Empty(t, logs.All())
	for _, r := range []corereceiver.Logs{again, other, disjoint} {
		stop(r)
	}
	assert.Empty(t, receivers.members)
}

// Start names the keys whose values were trimmed, and never the values.
func TestStartNamesTrimmedKeys(t *testing.T) {
	w := newWorld(t, fakeapi.Options{}, func(cfg *Config) { cfg.trimmed = []string{"api_key", "workspace_id"} })
	w.start()
	entries := w.logs.FilterMessage("white space or quotes around a value ignored").All()
	require.Len(t, entries, 2)
	assert.Equal(t, map[string]any{"key": "api_key"}, entries[0].ContextMap())
	assert.Equal(t, map[string]any{"key": "workspace_id"}, entries[1].ContextMap())
}
