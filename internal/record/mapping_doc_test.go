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

var update = flag.Bool("update", false, "write the generated documents and the goldens anew")

const (
	docBegin = "<!-- begin of the generated table -->\n"
	docEnd   = "<!-- end of the generated table -->\n"
)

// The tables in docs/mapping.md and docs/privacy.md are what the code does.
// go test ./internal/record -run TestGeneratedTables -update writes them.
func TestGeneratedTables(t *testing.T) {
	for file, table := range map[string]string{"../../docs/mapping.md": mappingTable(), "../../docs/privacy.md": fieldTable()} {
		text, err := os.ReadFile(file)
		require.NoError(t, err)
		before, rest, ok := strings.Cut(string(text), docBegin)
		require.True(t, ok, "%s has no %q", file, docBegin)
		found, after, ok := strings.Cut(rest, docEnd)
		require.True(t, ok, "%s has no %q", file, docEnd)
		if *update {
			require.NoError(t, os.WriteFile(file, []byte(before+docBegin+table+docEnd+after), 0o600))
			continue
		}
		assert.Equal(t, table, found, file)
	}
}

// forms are the words of the table: the type in a parsed body, and what becomes
// of the field where content is withheld.
var forms = map[fieldKind][2]string{
	fieldText: {"text", "stays"}, fieldInteger: {"integer", "stays"}, fieldBoolean: {"boolean", "stays"},
	fieldSetting: {"text", "stays if a number or boolean"}, fieldContent: {"text", "**withheld**"},
}

func fieldTable() string {
	var out strings.Builder
	out.WriteString("| event type | field | in a parsed body | where content is withheld |\n|---|---|---|---|\n")
	for _, eventType := range slices.Sorted(maps.Keys(typeFields)) {
		fieldRows(&out, "`"+eventType+"`", "", object(typeFields[eventType]))
	}
	fieldRows(&out, "every type", "", object(commonFields))
	return out.String()
}

func fieldRows(out *strings.Builder, eventType, path string, f *field) {
	switch f.kind {
	case fieldObject:
		for _, key := range slices.Sorted(maps.Keys(f.fields)) {
			fieldRows(out, eventType, strings.TrimPrefix(path+"."+key, "."), f.fields[key])
		}
	case fieldList:
		fieldRows(out, eventType, path+"[]", f.of)
	default:
		fmt.Fprintf(out, "| %s | `%s` | %s | %s |\n", eventType, path, forms[f.kind][0], forms[f.kind][1])
	}
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
