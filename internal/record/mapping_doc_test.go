// Copyright The OpenTelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package record

import (
	"flag"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

var update = flag.Bool("update", false, "write docs/mapping.md anew")

const (
	mappingDoc = "../../docs/mapping.md"
	docBegin   = "<!-- begin of the generated table -->\n"
	docEnd     = "<!-- end of the generated table -->\n"
)

// The table in docs/mapping.md is what the code does.
// go test ./internal/record -run TestMappingDocument -update writes it.
func TestMappingDocument(t *testing.T) {
	text, err := os.ReadFile(mappingDoc)
	require.NoError(t, err)
	before, rest, ok := strings.Cut(string(text), docBegin)
	require.True(t, ok, "docs/mapping.md has no %q", docBegin)
	table, after, ok := strings.Cut(rest, docEnd)
	require.True(t, ok, "docs/mapping.md has no %q", docEnd)
	if *update {
		require.NoError(t, os.WriteFile(mappingDoc, []byte(before+docBegin+mappingTable()+docEnd+after), 0o600))
		return
	}
	assert.Equal(t, mappingTable(), table)
}

func mappingTable() string {
	var out strings.Builder
	out.WriteString("| event type | field | attribute | values |\n|---|---|---|---|\n")
	row := func(eventType string, r rule) {
		attr := "`" + r.attr + "`"
		if r.kind == kindTime {
			attr = "Timestamp"
		}
		if r.kind == kindInt {
			attr += " (integer)"
		}
		var values []string
		for _, from := range slices.Sorted(maps.Keys(r.values)) {
			values = append(values, fmt.Sprintf("%s → %s", from, r.values[from]))
		}
		fmt.Fprintf(&out, "| %s | `%s` | %s | %s |\n", eventType, r.path, attr, strings.Join(values, ", "))
	}
	for _, r := range envelope {
		row("every type", r)
	}
	for _, eventType := range slices.Sorted(maps.Keys(mappings)) {
		for _, r := range mappings[eventType] {
			row("`"+eventType+"`", r)
		}
	}
	return out.String()
}
