// Copyright The OpenTelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package openaicompliancereceiver

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

var (
	faultRow  = regexp.MustCompile(`(?m)^\| (\d+a?) \|(.*)\|([^|]*)\|$`)
	testName  = regexp.MustCompile("`((?:Test|Fuzz)[A-Za-z0-9_]+)`")
	testFunc  = regexp.MustCompile(`(?m)^func ((?:Test|Fuzz)[A-Za-z0-9_]+)\(`)
	skipCalls = regexp.MustCompile(`\bt\.Skip`)
)

// Every test that docs/guarantees.md names exists and is not skipped, the table
// has all 59 rows, and a row without a test says that it is open.
func TestGuaranteesAreProven(t *testing.T) {
	document, err := os.ReadFile("docs/guarantees.md")
	require.NoError(t, err)
	tests := allTests(t)
	rows := faultRow.FindAllStringSubmatch(string(document), -1)
	assert.Equal(t, 59, len(rows)) //nolint:testifylint // Len would print the whole document
	for _, row := range rows {
		proof := row[3]
		names := testName.FindAllStringSubmatch(proof, -1)
		assert.True(t, len(names) > 0 || strings.Contains(proof, "open"), "row %s names no test and does not say that it is open", row[1])
		for _, name := range names {
			body, ok := tests[name[1]]
			assert.True(t, ok, "row %s names %s, which does not exist", row[1], name[1])
			assert.False(t, skipCalls.MatchString(body), "row %s names %s, which is skipped", row[1], name[1])
		}
	}
}

// allTests returns the text of each test function of the project, by name.
func allTests(t *testing.T) map[string]string {
	t.Helper()
	tests := map[string]string{}
	require.NoError(t, filepath.WalkDir(".", func(path string, _ fs.DirEntry, err error) error {
		if err != nil || !strings.HasSuffix(path, "_test.go") || strings.HasPrefix(path, "_build") {
			return err
		}
		text, err := os.ReadFile(path)
		for _, at := range testFunc.FindAllStringSubmatchIndex(string(text), -1) {
			body, _, _ := strings.Cut(string(text[at[0]:]), "\n}\n")
			tests[string(text[at[2]:at[3]])] = body
		}
		return err
	}))
	return tests
}
