// Copyright The OpenTelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package preview

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// A secret in the wrong place, of the configuration or of the command line, is not
// shown, and neither is what of the file cannot be read.
func TestSecretsAreNotShown(t *testing.T) {
	const key = "sk-admin-CanaryKey0123456789"
	t.Setenv("PREVIEW_KEY", "key")
	const good = "0f8fad5b-d9cb-469f-a165-70867728950e"
	config := fmt.Sprintf(collector, good, "http://127.0.0.1:1", t.TempDir())
	for name, change := range map[string][]string{
		"an id":             {good, key},
		"a list":            {"[AUTH_LOG, AUDIT_LOG]", "[" + key + "]"},
		"a text for a list": {"[AUTH_LOG, AUDIT_LOG]", "{" + key + ": x}"},
		"the storage":       {"storage: file_storage", "storage: " + key},
		"a number":          {"storage: file_storage", "max_pages: " + key},
		"an unknown key":    {"storage: file_storage", key + ": 1"},
		"the proxy":         {"http: {", "http: {proxy_url: 'http://u:" + key + "#x@h:3128', "},
		"a variable's name": {good, "${env:" + key + "}"},
		"a key file":        {"api_key: ${env:PREVIEW_KEY}", "api_key_file: " + key},
		"a broken file":     {"receivers:", "receivers: {" + key},
	} {
		path := filepath.Join(t.TempDir(), "collector.yaml")
		require.NoError(t, os.WriteFile(path, []byte(strings.Replace(config, change[0], change[1], 1)), 0o600))
		out, notes, status := runPreview(t, "--config", path)
		require.NotZero(t, status, name)
		assert.NotContains(t, out+notes, "CanaryKey", name)
	}
	for _, args := range [][]string{
		{key},
		{"-" + key},
		{"--records", key},
		{"--since", key},
		{"--types", key, "--workspace-id", "x"},
		{"--workspace-id", key},
		{"--organization-id", key},
		{"--endpoint", key},
		{"--api-key-file", key, "--workspace-id", "0f8fad5b-d9cb-469f-a165-70867728950e", "--endpoint", "http://127.0.0.1:1"},
	} {
		out, notes, status := runPreview(t, args...)
		require.NotZero(t, status, args)
		assert.NotContains(t, out+notes, "CanaryKey", args)
	}
}
