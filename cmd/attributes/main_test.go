// Copyright The OpenTelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/openaicompliance/openaicompliancereceiver/internal/record"
)

// The samples of every type show as that type, with their attributes and body.
func TestShow(t *testing.T) {
	paths, err := filepath.Glob("../../testdata/records/*.jsonl")
	require.NoError(t, err)
	require.NotEmpty(t, paths)
	for _, path := range paths {
		var out bytes.Buffer
		require.NoError(t, show(&out, record.Source{}, path, 1, true))
		eventType := strings.ToUpper(strings.TrimSuffix(filepath.Base(path), ".jsonl"))
		assert.True(t, strings.HasPrefix(out.String(), eventType+"\n"), out.String())
		assert.Contains(t, out.String(), "log.record.uid")
		assert.Contains(t, out.String(), `{"event_id":`)
	}
}

// An exported file's name tells its type, whatever time it holds.
func TestTypeInName(t *testing.T) {
	for name, want := range map[string]string{
		"AUDIT_LOG_2026-08-01T12:30:07.481516+00:00.jsonl": "AUDIT_LOG", "costs.jsonl": "costs", "CODEX_LOG_2026.jsonl": "CODEX_LOG",
	} {
		assert.Equal(t, want, typeInName.FindString(strings.TrimSuffix(name, ".jsonl")))
	}
}

// With content withheld none is shown, and a line that is not there is an error.
func TestShowWithheld(t *testing.T) {
	var out bytes.Buffer
	source := record.Source{Content: record.Content{Mode: record.ContentDrop}}
	require.NoError(t, show(&out, source, "../../testdata/records/codex_log.jsonl", 2, true))
	assert.NotContains(t, out.String(), "CANARY")
	require.Error(t, show(&out, source, "../../testdata/records/codex_log.jsonl", 99, true))
}

// One command shows each documented action, as kept and as dropped.
func TestShowEachAction(t *testing.T) {
	var out bytes.Buffer
	require.NoError(t, showEachAction(&out, "../../testdata/records/audit_log.jsonl"))
	shown := out.String()
	assert.GreaterOrEqual(t, strings.Count(shown, ", kept\n"), 136)
	assert.Equal(t, strings.Count(shown, ", kept\n"), strings.Count(shown, ", dropped\n"))
	_, dropped, _ := strings.Cut(shown, "USER_DELETE, dropped\n")
	dropped, _, _ = strings.Cut(dropped, ", kept\n")
	assert.Contains(t, dropped, "openai.compliance.target.user.id")
	assert.Contains(t, dropped, `"deleted_user_id":"user-Grace00000000000000002"`)
	for block := range strings.SplitSeq(shown, ", dropped\n") {
		block, _, _ = strings.Cut(block, ", kept\n")
		if !strings.HasPrefix(shown, block) {
			assert.NotContains(t, block, "CANARY")
		}
	}
}
