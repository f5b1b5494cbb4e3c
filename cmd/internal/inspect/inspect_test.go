// Copyright The OpenTelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package inspect

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/openaicompliance/openaicompliancereceiver/cmd/internal/command"
)

func runInspect(t *testing.T, args ...string) (out, notes string, status int) {
	t.Helper()
	var stdout, stderr bytes.Buffer
	env := command.NewEnv(nil, &stdout, &stderr)
	root := command.NewRoot(env)
	root.AddCommand(New(env))
	status = command.Run(t.Context(), root, env, append([]string{"inspect"}, args...))
	return stdout.String(), stderr.String(), status
}

// The samples of every type show as that type, with their attributes and body, as a
// table and as JSON.
func TestInspect(t *testing.T) {
	paths, err := filepath.Glob("../../../testdata/records/*.jsonl")
	require.NoError(t, err)
	require.NotEmpty(t, paths)
	for _, path := range paths {
		eventType := strings.ToUpper(strings.TrimSuffix(filepath.Base(path), ".jsonl"))
		out, notes, status := runInspect(t, "--type", eventType, "--body", path)
		require.Zero(t, status, notes)
		assert.True(t, strings.HasPrefix(out, eventType+"\n"), out)
		assert.Contains(t, out, "log.record.uid")
		assert.Contains(t, out, `{"event_id":`)

		out, notes, status = runInspect(t, "--type", eventType, "--body", "--parsed", "-o", "json", path)
		require.Zero(t, status, notes)
		var shown shownRecord
		require.NoError(t, json.Unmarshal([]byte(out), &shown))
		assert.Equal(t, eventType, shown.EventType)
		body, ok := shown.Body.(map[string]any)
		require.True(t, ok)
		assert.Equal(t, shown.Attributes["log.record.uid"], body["event_id"])
	}
}

// An exported file's name tells its type, whatever time it holds; else the flag does.
func TestInspectType(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"AUDIT_LOG_2026-08-01T12:30:07.481516+00:00.jsonl", "audit_log.jsonl", "AUDIT_LOG_2026.jsonl"} {
		path := filepath.Join(dir, name)
		require.NoError(t, os.WriteFile(path, []byte("{}"), 0o600))
		out, notes, status := runInspect(t, path)
		require.Zero(t, status, notes)
		assert.True(t, strings.HasPrefix(out, "AUDIT_LOG\n"), out)
	}
	path := filepath.Join(dir, "x_sample.jsonl")
	require.NoError(t, os.WriteFile(path, []byte(`{"event_id":"a\u001b\u202eb"}`), 0o600))
	out, notes, status := runInspect(t, "--type", "NEW_LOG", "--body", path)
	require.Zero(t, status, notes)
	assert.True(t, strings.HasPrefix(out, "NEW_LOG\n"), out)
	assert.Contains(t, out, "log.record.uid                                 a\ufffd\ufffdb\n")
}

// With content withheld none is shown.
func TestInspectWithheld(t *testing.T) {
	out, _, status := runInspect(t, "--content", "drop", "--line", "2", "--body", "../../../testdata/records/codex_log.jsonl")
	require.Zero(t, status)
	assert.NotContains(t, out, "CANARY")
	assert.Contains(t, out, "openai.compliance.content")
}

// What is wrong with a call is a misuse with one sentence.
func TestInspectMisuse(t *testing.T) {
	t.Setenv("OPENAI_COMPLIANCE_HMAC_KEY", "")
	const sample = "../../../testdata/records/codex_log.jsonl"
	unnamed := filepath.Join(t.TempDir(), "x_sample.jsonl")
	require.NoError(t, os.WriteFile(unnamed, []byte("{}"), 0o600))
	for want, args := range map[string][]string{
		"inspect takes exported files":        {},
		`--content: "dorp" is not keep, hmac`: {"--content", "dorp", sample},
		"set OPENAI_COMPLIANCE_HMAC_KEY":      {"--content", "hmac", sample},
		"--line: -3 must be at least 1":       {"--line", "-3", sample},
		"has no line 99":                      {"--line", "99999", sample},
		"does not begin with an event type":   {unnamed},
		"open none.jsonl":                     {"--type", "A_LOG", "none.jsonl"},
		"unknown flag: --lines":               {"--lines", "3", sample},
	} {
		out, notes, status := runInspect(t, args...)
		assert.Equal(t, command.ExitMisuse, status, want)
		assert.Contains(t, notes, want)
		assert.Equal(t, 1, strings.Count(notes, "\n"), notes)
		assert.Empty(t, out)
	}
}

// One command shows each documented action, as kept and as dropped, and no content in the
// latter.
func TestInspectEachAction(t *testing.T) {
	out, notes, status := runInspect(t, "--each-action", "--body", "../../../testdata/records/audit_log.jsonl")
	require.Zero(t, status, notes)
	assert.GreaterOrEqual(t, strings.Count(out, ", kept\n"), 136)
	assert.Equal(t, strings.Count(out, ", kept\n"), strings.Count(out, ", dropped\n"))
	_, dropped, _ := strings.Cut(out, "USER_DELETE, dropped\n")
	dropped, _, _ = strings.Cut(dropped, ", kept\n")
	assert.Contains(t, dropped, "openai.compliance.target.user.id")
	assert.Contains(t, dropped, `"deleted_user_id":"user-Grace00000000000000002"`)
	for i, block := range strings.Split(out, ", dropped\n") {
		if block, _, _ = strings.Cut(block, ", kept\n"); i > 0 {
			assert.NotContains(t, block, "CANARY")
		}
	}
}
