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

var (
	// A cell ends at a bar that no backslash stands before.
	movingRow   = regexp.MustCompile(`(?m)^\| ((?:[^|\\]|\\.)+) \| ((?:[^|\\]|\\.)+) \| ((?:[^|\\]|\\.)+) \|$`)
	exampleName = regexp.MustCompile("`(examples/[^`]+)`")
	makeTarget  = regexp.MustCompile("`make ([a-z-]+)`")
	settingName = regexp.MustCompile("`([a-z_]+(?:::[a-z_]+)*)`")
)

// Every row of docs/coming-from.md names a test, an example or a make target that
// exists and is not skipped, and every setting it speaks of is in the schema.
func TestComingFromIsShown(t *testing.T) {
	document, err := os.ReadFile("docs/coming-from.md")
	require.NoError(t, err)
	makefile, err := os.ReadFile("Makefile")
	require.NoError(t, err)
	schema, err := os.ReadFile("config.schema.yaml")
	require.NoError(t, err)
	tests := allTests(t)
	rows := movingRow.FindAllStringSubmatch(string(document), -1)
	require.Len(t, rows, strings.Count(string(document), "\n| "), "a row has another form than three cells")
	for _, row := range rows {
		there, here, proof := row[1], row[2], row[3]
		if there == "there" {
			continue
		}
		shown := 0
		for _, name := range testName.FindAllStringSubmatch(proof, -1) {
			body, ok := tests[name[1]]
			assert.True(t, ok, "%s: %s does not exist", there, name[1])
			assert.False(t, skipCalls.MatchString(body), "%s: %s is skipped", there, name[1])
			shown++
		}
		for _, name := range exampleName.FindAllStringSubmatch(proof, -1) {
			assert.FileExists(t, name[1], there)
			shown++
		}
		for _, name := range makeTarget.FindAllStringSubmatch(here+proof, -1) {
			assert.Contains(t, string(makefile), "\n"+name[1]+":", "%s: no such make target", there)
		}
		shown += len(makeTarget.FindAllString(proof, -1))
		assert.Positive(t, shown, "%s: nothing shows it", there)
		for _, name := range settingName.FindAllStringSubmatch(here, -1) {
			assertSetting(t, string(schema), there, name[1])
		}
	}
}

// notOurs are words between backticks that are no settings of the receiver.
var notOurs = map[string]bool{
	"debug": true, "hint": true, "transform": true, "attributes": true, "resource": true, "until": true,
	"s": true, "m": true, "h": true, "d": true, "w": true, "mon": true, "q": true, "y": true, "beginning": true,
}

// assertSetting looks a key up in the schema. What stands under http and service
// is the Collector's own.
func assertSetting(t *testing.T, schema, row, key string) {
	t.Helper()
	if notOurs[key] || strings.HasPrefix(key, "http::") || strings.HasPrefix(key, "service::") || key == "openai_compliance" {
		return
	}
	for part := range strings.SplitSeq(key, "::") {
		assert.Regexp(t, `(?m)^ +`+part+`:`, schema, "%s: %s is no setting", row, key)
	}
}
