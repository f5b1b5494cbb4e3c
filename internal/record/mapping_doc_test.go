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
	for file, tables := range map[string][]string{
		"../../docs/mapping.md": {attributeTable(), mappingTable()}, "../../docs/privacy.md": {fieldTable()},
	} {
		text, err := os.ReadFile(file)
		require.NoError(t, err)
		parts := strings.Split(string(text), docBegin)
		require.Len(t, parts, len(tables)+1, "%s has another number of %q", file, docBegin)
		for i, table := range tables {
			found, after, ok := strings.Cut(parts[i+1], docEnd)
			require.True(t, ok, "%s has no %q", file, docEnd)
			if !*update {
				assert.Equal(t, table, found, file)
			}
			parts[i+1] = table + docEnd + after
		}
		if *update {
			require.NoError(t, os.WriteFile(file, []byte(strings.Join(parts, docBegin)), 0o600))
		}
	}
}

// forms are the words of the table: the type in a parsed body, and what becomes
// of the field where content is withheld.
var forms = map[form][2]string{
	formText: {"text", "stays"}, formToken: {"text", "stays if a token"}, formTime: {"text", "stays if a time"},
	formInteger: {"integer", "stays"}, formDecimal: {"text", "stays if a number"}, formBoolean: {"boolean", "stays"},
	formCoordinate: {"text", "stays to a tenth of a degree"}, formURL: {"text", "scheme and host stay"},
	formTokens: {"text", "stays if all tokens"}, formContent: {"text", "**withheld**"},
	formOpen: {"text", "**withheld** but for the members below"},
}

// eachTable calls fn for the lines of each type, in alphabetic order, and of every type.
func eachTable(fn func(of string, table []field, derived []derivation)) {
	for _, name := range slices.Sorted(maps.Keys(types)) {
		fn("`"+name+"`", types[name].table, derivations[name])
	}
	fn("every type", envelope, everyDerivation)
}

func fieldTable() string {
	var out strings.Builder
	out.WriteString("| event type | field | in a parsed body | where content is withheld |\n|---|---|---|---|\n")
	eachTable(func(of string, table []field, _ []derivation) {
		table = slices.Clone(table)
		slices.SortStableFunc(table, func(a, b field) int { return strings.Compare(a.path, b.path) })
		for _, f := range table {
			fmt.Fprintf(&out, "| %s | `%s` | %s | %s |\n", of, f.path, forms[f.form][0], forms[f.form][1])
		}
	})
	return out.String()
}

func mappingTable() string {
	var out strings.Builder
	out.WriteString("| event type | field | attribute | values |\n|---|---|---|---|\n")
	row := func(of, path, attr, words string) {
		if attr == attrTimestamp || attr == "Timestamp" {
			attr = "Timestamp"
		} else {
			attr = "`" + attr + "`"
		}
		fmt.Fprintf(&out, "| %s | `%s` | %s | %s |\n", of, path, attr, words)
	}
	eachTable(func(of string, table []field, derived []derivation) {
		for _, f := range table {
			for _, to := range f.to {
				words := ""
				if to.read != nil {
					words = to.read.words
				}
				if to.attr == attrTimestamp || !isInternal(to.attr) {
					row(of, f.path, to.attr, words)
				}
			}
			if f.null != "" {
				row(of, f.path, f.null, "null → true")
			}
		}
		for _, d := range derived {
			row(of, d.from, d.attr, d.words)
		}
	})
	return out.String()
}

var kindWords = map[kind]string{
	kindString: "text", kindStrings: "list of texts", kindInt: "integer", kindDouble: "double", kindBool: "boolean",
}

func attributeTable() string {
	var out strings.Builder
	out.WriteString("| attribute | type | example | meaning |\n|---|---|---|---|\n")
	for _, name := range slices.Sorted(maps.Keys(attributes)) {
		of := attributes[name]
		fmt.Fprintf(&out, "| `%s` | %s | `%s` | %s |\n", name, kindWords[of.kind], of.example, of.meaning)
	}
	return out.String()
}
