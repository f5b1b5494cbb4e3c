// Copyright The OpenTelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package receiver

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// Every line that the receiver writes to the log is explained in
// docs/operations.md, by its beginning, and every line explained there exists.
func TestLogLinesAreDocumented(t *testing.T) {
	document, err := os.ReadFile("../docs/operations.md")
	require.NoError(t, err)
	_, table, _ := strings.Cut(string(document), "\n## Log lines\n")
	table, _, _ = strings.Cut(table, "\n## ")
	var explained []string
	for _, row := range regexp.MustCompile("(?m)^\\| `([^`]+)`").FindAllStringSubmatch(table, -1) {
		explained = append(explained, row[1])
	}

	sources, err := filepath.Glob("*.go")
	require.NoError(t, err)
	call := regexp.MustCompile(`ogger\.(?:Debug|Info|Warn|Error)\(\s*"((?:[^"\\]|\\.)+)"`)
	used := map[string]bool{}
	for _, source := range sources {
		if strings.HasSuffix(source, "_test.go") {
			continue
		}
		text, err := os.ReadFile(source)
		require.NoError(t, err)
		for _, line := range call.FindAllStringSubmatch(string(text), -1) {
			at := slices.IndexFunc(explained, func(beginning string) bool { return strings.HasPrefix(line[1], beginning) })
			if assert.GreaterOrEqual(t, at, 0, "%s: %q is not explained", source, line[1]) {
				used[explained[at]] = true
			}
		}
	}
	for _, beginning := range explained {
		assert.True(t, used[beginning], "no line begins with %q", beginning)
	}
}
