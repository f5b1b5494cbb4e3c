// Copyright The OpenTelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package state

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/spf13/cobra"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/openaicompliance/openaicompliancereceiver/internal/checkpoint"
	"github.com/openaicompliance/openaicompliancereceiver/internal/deliver"
	"github.com/openaicompliance/openaicompliancereceiver/internal/fakeapi"
)

var update = flag.Bool("update", false, "write the output of the examples into docs/state.md")

const documentPath = "../../../docs/state.md"

// example is one command of the document and what it prints.
var example = regexp.MustCompile("(?s)(```console\n\\$ ([^\n]+)\n)(.*?)(```\n)")

// documentDir stands in the document for the storage's directory.
const documentDir = "/var/lib/otelcol/openai-compliance"

// Every example of docs/state.md, run one after the other a minute apart, prints
// what the document says.
func TestDocument(t *testing.T) {
	path, err := filepath.Abs(documentPath)
	require.NoError(t, err)
	document, err := os.ReadFile(path)
	require.NoError(t, err)
	m := newMachine(t, fakeapi.New(fakeapi.Options{}))
	m.set("[AUTH_LOG]", "[AUTH_LOG, CODEX_LOG, AUDIT_LOG]")
	m.storeExample()
	t.Chdir(filepath.Dir(m.config))
	now := time.Date(2026, 8, 20, 12, 0, 0, 0, time.UTC)
	ran := 0
	got := example.ReplaceAllFunc(document, func(block []byte) []byte {
		parts := example.FindSubmatch(block)
		out := strings.ReplaceAll(m.shell(now, string(parts[2])), m.dir, documentDir)
		now = now.Add(time.Minute)
		ran++
		return []byte(string(parts[1]) + out + string(parts[4]))
	})
	assert.Positive(t, ran)
	if *update {
		require.NoError(t, os.WriteFile(path, got, 0o600))
	}
	eachCommand(New(newEnv(nil, nil, nil)), func(cmd *cobra.Command) {
		example := "\n$ openai-compliance state --config collector.yaml " + strings.TrimPrefix(cmd.CommandPath(), "state ")
		shown := strings.Contains(string(document), example+" ") || strings.Contains(string(document), example+"\n")
		assert.True(t, shown, "no example of %s", cmd.CommandPath())
	})
	assert.Equal(t, string(document), string(got), "go test ./cmd/internal/state -run TestDocument -update writes it anew")
}

// eachCommand calls do for the commands that run.
func eachCommand(cmd *cobra.Command, do func(*cobra.Command)) {
	if !cmd.HasSubCommands() {
		do(cmd)
	}
	for _, child := range cmd.Commands() {
		eachCommand(child, do)
	}
}

// shell runs one command, as a shell would with its redirections.
func (m *machine) shell(now time.Time, line string) string {
	m.t.Helper()
	if name, ok := strings.CutPrefix(line, "cat "); ok {
		data, err := os.ReadFile(name)
		require.NoError(m.t, err)
		return string(data)
	}
	words := strings.Fields(strings.TrimPrefix(line, "openai-compliance "))
	var in, out, notes bytes.Buffer
	target := ""
	for i := len(words) - 2; i > 0; i-- {
		switch words[i] {
		case ">":
			target, words = words[i+1], words[:i]
		case "<":
			data, err := os.ReadFile(words[i+1])
			require.NoError(m.t, err)
			in.Write(data)
			words = words[:i]
		}
	}
	env := newEnv(&in, &out, &notes)
	env.Now = func() time.Time { return now }
	_, _ = m.run(env, &notes, words)
	if target != "" {
		require.NoError(m.t, os.WriteFile(target, out.Bytes(), 0o600))
		out.Reset()
	}
	return out.String() + notes.String()
}

// storeExample stores the checkpoints that the document shows.
func (m *machine) storeExample() {
	m.t.Helper()
	day := time.Date(2026, 8, 20, 0, 0, 0, 0, time.UTC)
	begin := day.Add(-13 * 24 * time.Hour)
	firstRun, listed := day.Add(8*time.Hour), day.Add(11*time.Hour+58*time.Minute)
	checked := checkpoint.Reading{Server: listed, Local: listed.Add(400 * time.Millisecond)}
	bounds := &checkpoint.Bounds{Floor: begin, LiveFrom: firstRun.Add(-24 * time.Hour)}
	cursor := day.Add(11*time.Hour + 50*time.Minute)
	auth := newSnapshot("AUTH_LOG", bounds, checkpoint.StoredSegment{From: begin, Cursor: cursor, ListBase: cursor, ListedThrough: listed, Checked: checked})
	auth.MarkCompleted("eclf_1c8a7", cursor.Add(-10*time.Minute))
	auth.MarkCompleted("eclf_7d20f", cursor)
	history, bad, kept := day.Add(-5*24*time.Hour), day.Add(-160*time.Hour), day.Add(9*time.Hour)
	codex := newSnapshot("CODEX_LOG", bounds,
		checkpoint.StoredSegment{From: begin, Cursor: history, ListBase: begin},
		checkpoint.StoredSegment{From: firstRun.Add(-24 * time.Hour), Cursor: kept, ListBase: kept, ListedThrough: listed, Checked: checked})
	codex.Queue = []checkpoint.QueuedFile{
		{
			File:     deliver.FileRef{ID: "eclf_b04e2", Name: "codex_log-0421.jsonl", Size: 48211, EndTime: bad, SHA256: strings.Repeat("5e", 32)},
			NextLine: 1, Cause: "integrity", Reason: "verify: body has 1204 bytes, the listing says 48211", Since: firstRun.Add(10 * time.Minute),
		},
		{
			File:   deliver.FileRef{ID: "eclf_90c3d", Name: "codex_log-0517.jsonl", Size: 9120, EndTime: kept, SHA256: strings.Repeat("a7", 32)},
			SHA256: strings.Repeat("a7", 32), Lines: []checkpoint.LineRange{{From: 12, To: 14}, {From: 20, To: 21}},
			Cause: checkpoint.CauseRejected, Since: kept.Add(20 * time.Minute),
		},
	}
	codex.Open = []checkpoint.QueuedFile{{
		File:     deliver.FileRef{ID: "eclf_2f6d1", Name: "codex_log-0102.jsonl", Size: 7300, EndTime: history.Add(time.Hour), SHA256: strings.Repeat("c4", 32)},
		NextLine: 31, SHA256: strings.Repeat("c4", 32), Since: listed,
	}}
	codex.MarkCompleted("eclf_90c3d", kept)
	for _, snap := range []*checkpoint.Snapshot{auth, codex} {
		snap.FirstRun = checkpoint.FirstRun{StartFrom: "-13d@d", Clock: firstRun}
	}
	m.store(auth, codex)
}
