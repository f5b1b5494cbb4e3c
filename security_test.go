// Copyright The OpenTelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package openaicompliancereceiver

import (
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// Every attacker that docs/security.md names has tests that show the worst, they
// exist, and none is skipped.
func TestSecurityIsProven(t *testing.T) {
	document, err := os.ReadFile("docs/security.md")
	require.NoError(t, err)
	tests := allTests(t)
	_, text, found := strings.Cut(string(document), "## Who attacks from where\n")
	require.True(t, found)
	text, _, _ = strings.Cut(text, "\n## ")
	rows := regexp.MustCompile(`(?m)^\| (.+) \| .+ \| .+ \| (.+) \|$`).FindAllStringSubmatch(text, -1)[1:] // below the names of the columns
	assert.Len(t, rows, 7)
	for _, row := range rows {
		names := testName.FindAllStringSubmatch(row[2], -1)
		assert.NotEmpty(t, names, "%s: no test", row[1])
		for _, name := range names {
			body, ok := tests[name[1]]
			assert.True(t, ok, "%s: %s does not exist", row[1], name[1])
			assert.False(t, skipCalls.MatchString(body), "%s: %s is skipped", row[1], name[1])
		}
	}
}
