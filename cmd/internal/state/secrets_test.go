// Copyright The OpenTelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package state

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// A secret in the wrong place, of the configuration or of the command line, is not
// shown.
func TestSecretsAreNotShown(t *testing.T) {
	const key = "sk-admin-CanaryKey0123456789"
	for name, change := range map[string][]string{
		"an id":             {"workspace_id: ", "workspace_id: " + key + " #"},
		"a list":            {"[AUTH_LOG]", "[" + key + "]"},
		"the storage":       {"storage: file_storage", "storage: " + key},
		"its name":          {"storage: file_storage", "storage: file_storage/" + key},
		"another storage":   {"storage: file_storage", "storage: other/" + key},
		"a time":            {"start_from: -20d", "max_pages: " + key},
		"an unknown key":    {"start_from: -20d", key + ": 1"},
		"a directory's key": {"{directory:", "{" + key + ": 1, directory:"},
		"a variable's name": {"start_from: -20d", "start_from: ${env:" + key + "}"},
	} {
		m := newMachine(t, newAPI(t))
		m.set(change...)
		out, notes, err := m.state("show")
		require.Error(t, err, name)
		assert.NotContains(t, out+notes+err.Error(), "CanaryKey", name)
	}
	m := newMachine(t, newAPI(t))
	for _, args := range [][]string{{key}, {"-" + key}, {"show", "--output=" + key}, {"set-cursor", "AUTH_LOG", key}} {
		out, notes, err := m.state(args...)
		require.Error(t, err, strings.Join(args, " "))
		assert.NotContains(t, out+notes+err.Error(), "CanaryKey", args)
	}
}
