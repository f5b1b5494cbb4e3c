// Copyright The OpenTelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package sigma

import (
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const (
	begin = "<!-- begin of the generated rules -->\n"
	end   = "<!-- end of the generated rules -->"
)

// The queries of each rule in deploy/sigma/README.md, the table of docs/recipes.md and the
// detections that the demo page offers are what the rules say.
// go test ./internal/sigma -run TestDocuments -update writes them.
func TestDocuments(t *testing.T) {
	rules, ev := loadRules(t)
	lists := map[string]bool{}
	for field, kind := range emittedFields(t) {
		lists[field] = kind == "list of texts"
	}
	for file, part := range map[string]string{
		rulesDir + "/README.md": queriesOf(rules, ev, lists), "../../docs/recipes.md": tableOf(rules),
	} {
		text, err := os.ReadFile(file)
		require.NoError(t, err)
		before, rest, ok := strings.Cut(string(text), begin)
		require.True(t, ok, file)
		_, after, ok := strings.Cut(rest, end)
		require.True(t, ok, file)
		checkFile(t, file, before+begin+part+end+after)
	}
	checkFile(t, "../../cmd/demo-ui/detections.tsv", detectionsOf(rules, ev, lists))
}

func checkFile(t *testing.T, file, want string) {
	t.Helper()
	if *update {
		require.NoError(t, os.WriteFile(file, []byte(want), 0o644))
	}
	have, err := os.ReadFile(file)
	require.NoError(t, err)
	assert.True(t, want == string(have), "%s is not what the rules say; write it with -update", file) //nolint:testifylint // Equal would print the whole document
}

func queriesOf(rules map[string]*rule, ev *evaluator, lists map[string]bool) string {
	var out strings.Builder
	for _, file := range slices.Sorted(maps.Keys(rules)) {
		r := rules[file]
		fmt.Fprintf(&out, "\n### %s\n\n[%s.yml](%s.yml)\n", r.Title, file, file)
		for _, d := range dialects {
			fmt.Fprintf(&out, "\n%s:\n\n```\n%s\n```\n", d.name, d.query(ev, r, lists))
		}
	}
	out.WriteString("\n")
	return out.String()
}

func tableOf(rules map[string]*rule) string {
	var out strings.Builder
	out.WriteString("| rule | level | detects |\n|---|---|---|\n")
	for _, file := range slices.Sorted(maps.Keys(rules)) {
		meaning, _, _ := strings.Cut(rules[file].Description, "\n")
		fmt.Fprintf(&out, "| [%s](../deploy/sigma/%s.yml) | %s | %s |\n", file, file, rules[file].Level, strings.TrimPrefix(meaning, "Detects "))
	}
	return out.String()
}

// detectionsOf are a line for each rule: its title, and its query with the fields to show.
func detectionsOf(rules map[string]*rule, ev *evaluator, lists map[string]bool) string {
	var out strings.Builder
	for _, file := range slices.Sorted(maps.Keys(rules)) {
		query := logsQL.query(ev, rules[file], lists)
		if rules[file].correlation == nil {
			query += " | fields " + strings.Join(append([]string{"_time"}, rules[file].Fields...), ", ")
		}
		fmt.Fprintf(&out, "%s\t%s\n", rules[file].Title, query)
	}
	return out.String()
}
