// Copyright The OpenTelemetry Authors
// SPDX-License-Identifier: Apache-2.0

//go:build e2e

package e2e

import (
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/openaicompliance/openaicompliancereceiver/internal/fakeapi"
	"github.com/openaicompliance/openaicompliancereceiver/internal/testbed"
)

// useExample makes a rig run an example, with the endpoints of the rig in place
// of those that the example invents.
func (r *rig) useExample(file string, endpoints map[string]string) {
	r.t.Helper()
	data, err := os.ReadFile(file)
	require.NoError(r.t, err)
	text := string(data)
	for invented, real := range endpoints {
		require.Contains(r.t, text, invented)
		text = strings.ReplaceAll(text, invented, real)
	}
	text = strings.ReplaceAll(text, "    storage: file_storage\n", "    storage: file_storage\n    poll_interval: 100ms\n"+
		"    rate_limit: {downloads_per_minute: 0, lists_per_minute: 0}\n    http: {endpoint: '"+r.api.URL+"'}\n")
	require.NoError(r.t, os.WriteFile(r.config, []byte(text), 0o600))
	r.env = append(r.env, "OPENAI_COMPLIANCE_API_KEY="+fakeapi.DefaultKey, "OPENAI_WORKSPACE_ID="+fakeapi.DefaultWorkspace)
}

// examples/fields-and-filters.yaml does what it says: fields are added, the
// receiver's own requests dropped, and the apps' records go to a place of their own.
func TestFieldsAndFilters(t *testing.T) {
	r := newRig(t, fakeapi.New(fakeapi.Options{}), twoTypes)
	apps := &testbed.Sink{}
	require.NoError(t, apps.Start())
	t.Cleanup(apps.Close)
	r.useExample("../examples/fields-and-filters.yaml", map[string]string{
		"https://siem.example.com": r.sink.Endpoint, "https://apps.example.com": apps.Endpoint,
		"/var/lib/otelcol/openai-compliance": t.TempDir(),
	})
	audit := func(id, action string) string {
		return `{"event_id":"` + id + `","type":"AUDIT_LOG","timestamp":"2026-08-02T09:14:55Z","action":"` + action + `"}`
	}
	hourAgo := time.Now().Add(-time.Hour)
	r.api.Add("AUDIT_LOG", hourAgo, audit("list", "LIST_WORKSPACE_LOG_FILES"), audit("kept", "USER_DELETE"), audit("download", "DOWNLOAD_WORKSPACE_LOG_FILE"))
	r.api.Add("AUTH_LOG", hourAgo, `{"event_id":"auth","type":"AUTH_LOG"}`)
	r.api.Add("APP_LOG", hourAgo, `{"event_id":"app","type":"APP_LOG"}`)
	r.start()
	r.await("the records", func() bool { return r.sink.Unique() == 2 && apps.Unique() == 1 })
	r.awaitPasses(8)
	r.stop()
	assert.Equal(t, map[string]int{"kept": 1, "auth": 1}, r.sink.Counts())
	assert.Equal(t, map[string]int{"app": 1}, apps.Counts())
	for _, delivery := range r.sink.Deliveries() {
		assert.Equal(t, "security", delivery.Attributes["team"], delivery.UID)
		if delivery.UID == "kept" {
			assert.Equal(t, "USER_DELETE", delivery.Attributes["action_seen"])
		}
	}
}
