// Copyright The OpenTelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package collectorconf

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func write(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "config.yaml")
	require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
	return path
}

// Files are merged and variables expanded as the collector does it.
func TestLoad(t *testing.T) {
	t.Setenv("PREVIEW_TEST_KEY", "from-the-environment")
	first := write(t, "receivers:\n  a:\n    key: ${env:PREVIEW_TEST_KEY}\n    other: ${PREVIEW_TEST_KEY}\n    left: 1\n")
	second := write(t, "receivers:\n  a:\n    left: 2\n")
	conf, err := Load(t.Context(), first, second)
	require.NoError(t, err)
	assert.Equal(t, map[string]any{"receivers": map[string]any{"a": map[string]any{
		"key": "from-the-environment", "other": "from-the-environment", "left": 2,
	}}}, conf.ToStringMap())

	_, err = Load(t.Context(), filepath.Join(t.TempDir(), "missing.yaml"))
	require.ErrorContains(t, err, "missing.yaml")
	_, err = Load(t.Context(), write(t, "receivers: ["))
	require.ErrorContains(t, err, "read configuration")
}

// The one component of a type needs no name; of several, one must be named.
func TestComponent(t *testing.T) {
	conf, err := Load(t.Context(), write(t, "receivers:\n  one: {key: 1}\n  two: {key: 2}\n  two/b: {key: 3}\n  twofold: {key: 4}\n"))
	require.NoError(t, err)
	for _, tt := range []struct {
		kind, id, name string
		key            int
		err            string
	}{
		{"one", "", "one", 1, ""},
		{"two", "two", "two", 2, ""},
		{"two", "two/b", "two/b", 3, ""},
		{"two", "", "", 0, "choose one of two, two/b"},
		{"two", "two/c", "", 0, `has no "two/c", but two, two/b`},
		{"three", "", "", 0, "the configuration has no three"},
	} {
		name, keys, err := Component(conf, "receivers", tt.kind, tt.id)
		if tt.err != "" {
			require.ErrorContains(t, err, tt.err)
			continue
		}
		require.NoError(t, err)
		assert.Equal(t, tt.name, name)
		assert.Equal(t, tt.key, keys.Get("key"))
	}
}
