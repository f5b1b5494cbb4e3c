// Copyright The OpenTelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package state

import (
	"encoding/json"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/openaicompliance/openaicompliancereceiver/internal/checkpoint"
	"github.com/openaicompliance/openaicompliancereceiver/internal/checkpoint/edit"
	"github.com/openaicompliance/openaicompliancereceiver/internal/deliver"
	"github.com/openaicompliance/openaicompliancereceiver/internal/fakeapi"
)

const cursorFormat = "2006-01-02T15:04:05.999999Z07:00"

// show prints the checkpoint of each stream, its open files and its retry queue, as
// tables and as JSON, and streams without a checkpoint or not configured. It changes
// nothing.
func TestShow(t *testing.T) {
	m := newMachine(t, newAPI(t))
	out := m.must("show")
	assert.Regexp(t, `AUTH_LOG +no checkpoint\n`, out)
	assert.NoFileExists(t, m.file())

	good := m.api.Add("AUTH_LOG", ago(2*time.Hour), line("a"), line("b"))
	bad := m.api.Add("AUTH_LOG", ago(time.Hour), line("c"))
	m.collectBut(bad, map[string]int{"a": 1, "b": 1})
	m.set("[AUTH_LOG]", "[AUDIT_LOG]")
	out = m.must("show")
	assert.Regexp(t, `AUDIT_LOG +no checkpoint\n`, out)
	assert.Regexp(t, `AUTH_LOG \(not configured\) +collecting +-20d +\S+ +\S+ +- +1 +2 +0 +1 +0\n`, out)
	assert.Regexp(t, `AUTH_LOG +live +\S+ +`+bad.EndTime.UTC().Format(cursorFormat)+` `, out)
	assert.Regexp(t, `RETRY QUEUE +FILE .*\nAUTH_LOG +`+bad.ID+` .* from 1 +digest +verify: `, out)

	var r report
	require.NoError(t, json.Unmarshal([]byte(m.must("show", "-o", "json")), &r))
	require.Len(t, r.Streams, 2)
	auth := r.Streams[1]
	assert.Equal(t, m.file(), r.Storage)
	assert.Equal(t, []any{"AUTH_LOG", false, stateCollecting, 1, 2},
		[]any{auth.Name, auth.Configured, auth.State, auth.CompletedFiles, auth.SeenEvents})
	require.Len(t, auth.RetryQueue, 1)
	queued := auth.RetryQueue[0]
	assert.Equal(t, []any{bad.ID, bad.SHA256, "digest", 1}, []any{queued.File.ID, queued.File.SHA256, queued.Cause, queued.NextLine})
	assert.Equal(t, "-20d", auth.FirstRun.StartFrom)
	live := auth.Segments[len(auth.Segments)-1]
	assert.False(t, live.Checked.Local.IsZero())
	assert.False(t, live.ListedThrough.Before(good.EndTime))
	assert.Empty(t, m.backups())
}

// show prints streams that have not started and that have ended, suspected gaps, and
// line ranges, at most a few of them in a table.
func TestShowStates(t *testing.T) {
	m := newMachine(t, fakeapi.New(fakeapi.Options{}))
	m.set("[AUTH_LOG]", "[AUTH_LOG, AUDIT_LOG, CODEX_LOG]")
	from := time.Date(2026, 8, 1, 0, 0, 0, 0, time.UTC)
	clocks := checkpoint.Reading{Server: from.Add(2 * time.Hour), Local: from.Add(3 * time.Hour)}
	segment := checkpoint.StoredSegment{
		From: from, Cursor: from, ListBase: from, ListedThrough: from.Add(time.Hour), Checked: clocks,
		Suspected: []checkpoint.SuspectedGap{{From: from, To: from.Add(time.Hour), Checked: clocks, Since: clocks}},
	}
	ended := newSnapshot("AUDIT_LOG", &checkpoint.Bounds{Floor: from, Until: from.Add(24 * time.Hour)}, segment)
	ended.Ended, ended.Implausible = true, []string{"odd"}
	ranges := []checkpoint.LineRange{{From: 1, To: 2}, {From: 3, To: 6}}
	for i := range 8 {
		ranges = append(ranges, checkpoint.LineRange{From: 10 * (i + 1), To: 10*(i+1) + 1})
	}
	codex := newSnapshot("CODEX_LOG", &checkpoint.Bounds{Floor: from}, segment)
	codex.Queue = []checkpoint.QueuedFile{
		{File: deliver.FileRef{ID: "both"}, NextLine: 90, Lines: ranges[:2], Cause: "integrity", Reason: "a\x1bb", Since: from},
		{File: deliver.FileRef{ID: "lines"}, Lines: ranges, Cause: checkpoint.CauseRejected, Since: from},
	}
	codex.Digest = &checkpoint.DigestChain{ID: "c0ffee", Number: 7, SHA256: "aa", Cut: from, Pending: "{}"}
	codex.DigestEntries = []json.RawMessage{[]byte(`{}`)}
	m.store(newSnapshot("AUTH_LOG", nil), ended, codex)
	out := m.must("show")
	assert.Regexp(t, `DIGESTS .*\nCODEX_LOG +c0ffee +7 +aa +2026-08-01T00:00:00Z +yes +1\n`, out)
	assert.Regexp(t, `\nAUTH_LOG +not started +- +- +- +- +0 +0 +0 +0 +0\n`, out)
	assert.Regexp(t, `\nAUDIT_LOG +ended +- +- +2026-08-01T00:00:00Z +2026-08-02T00:00:00Z +1 +0 +0 +0 +0\n`, out)
	assert.Regexp(t, `\nCODEX_LOG +collecting +- +- +2026-08-01T00:00:00Z +- +0 +0 +0 +1 +16\n`, out)
	assert.Regexp(t, `\nAUDIT_LOG +live .* 2026-08-01T02:00:00Z +2026-08-01T03:00:00Z +-\n`, out)
	assert.Regexp(t, `\nCODEX_LOG +both +- +2026-08-31T00:00:00Z +2026-08-01T00:00:00Z +1, 3-5, from 90 +integrity +a\x{fffd}b\n`, out)
	assert.Regexp(t, `\nCODEX_LOG +lines .* 1, 3-5, 10, 20, 30, 40, 50, 60, 2 more ranges +rejected +-\n`, out)
	assert.Regexp(t, `SUSPECTED GAPS .*\nAUDIT_LOG +live +2026-08-01T00:00:00Z +2026-08-01T01:00:00Z +2026-08-01T02:00:00Z +2026-08-01T03:00:00Z\nCODEX_LOG +live `, out)

	var r report
	require.NoError(t, json.Unmarshal([]byte(m.must("show", "-o", "json")), &r))
	assert.Equal(t, ranges, r.Streams[2].RetryQueue[1].Lines)
	assert.Equal(t, clocks, r.Streams[2].Segments[0].Suspected[0].Since)
	assert.Equal(t, int64(7), r.Streams[2].Digest.Number)
	_, _, err := m.state("set-cursor", "AUTH_LOG", "-2h", "--yes")
	require.ErrorContains(t, err, "the stream has not started")
}

// While a receiver has the storage open every command fails, and the receiver runs on
// undisturbed.
func TestStorageInUse(t *testing.T) {
	m := newMachine(t, newAPI(t))
	m.api.Add("AUTH_LOG", ago(time.Hour), line("a"))
	m.collect(map[string]int{"a": 1})
	exported := m.must("export")
	m.start()
	for _, args := range [][]string{
		{"show"},
		{"export"},
		{"import", "--replace", "--yes"},
		{"set-cursor", "AUTH_LOG", "-2h", "--yes"},
		{"quarantine", "discard", "AUTH_LOG", "all", "--yes"},
		{"delete", "--all", "--yes"},
	} {
		_, _, err := m.stateWith(exported, args...)
		require.ErrorContains(t, err, "another collector holds the storage: stop it first", args)
		assert.Equal(t, 1, exitStatus(err))
	}
	m.api.Add("AUTH_LOG", ago(time.Second), line("b"))
	require.Eventually(t, func() bool { return m.counts()["b"] == 1 }, 20*time.Second, 5*time.Millisecond)
	m.stop()
	m.collect(map[string]int{"a": 1, "b": 1})
	assert.Empty(t, m.backups())
}

// A cursor that is set back redelivers nothing, and finds what appeared too late to be
// found otherwise, also before the first start. Without -yes nothing changes.
func TestSetCursorBack(t *testing.T) {
	m := newMachine(t, newAPI(t))
	for id, at := range map[string]time.Duration{"a": 10 * 24 * time.Hour, "b": 6 * 24 * time.Hour, "c": time.Hour} {
		m.api.Add("AUTH_LOG", ago(at), line(id))
	}
	m.collect(map[string]int{"a": 1, "b": 1, "c": 1})
	m.merge()
	m.api.Add("AUTH_LOG", ago(5*24*time.Hour), line("late"))
	m.start()
	m.awaitPolls(6)
	m.stop()
	require.Zero(t, m.counts()["late"], "otherwise this test shows nothing")

	before := m.must("export")
	assert.Contains(t, m.must("set-cursor", "AUTH_LOG", "-8d"), "Nothing changed. Add --yes")
	assert.Equal(t, streamsOf(t, before), streamsOf(t, m.must("export")))
	assert.Contains(t, m.must("set-cursor", "AUTH_LOG", "-8d", "--yes"), "Completed files are not redelivered.")
	m.collect(map[string]int{"a": 1, "b": 1, "c": 1, "late": 1})

	m.api.Add("AUTH_LOG", ago(25*24*time.Hour), line("earlier"))
	_, _, err := m.state("set-cursor", "AUTH_LOG", "-31d", "--yes")
	require.ErrorContains(t, err, "is more than 30 days ago")
	assert.Contains(t, m.must("set-cursor", "AUTH_LOG", "-26d", "--yes"), "Floor ")
	m.collect(map[string]int{"a": 1, "b": 1, "c": 1, "late": 1, "earlier": 1})
}

// merge waits until history has become one with live, and the cursor is at the end.
func (m *machine) merge() {
	m.t.Helper()
	m.start()
	defer m.stop()
	m.awaitPolls(20)
}

func streamsOf(t *testing.T, export string) string {
	t.Helper()
	file, _, err := edit.ReadExport(strings.NewReader(export))
	require.NoError(t, err)
	return file.SHA256
}

// With -redeliver the files after the time are redelivered, those before it are not, and
// another start adds nothing.
func TestSetCursorBackRedelivers(t *testing.T) {
	m := newMachine(t, newAPI(t))
	for id, at := range map[string]time.Duration{"a": 10 * 24 * time.Hour, "b": 6 * 24 * time.Hour, "c": 30 * time.Hour, "d": time.Hour} {
		m.api.Add("AUTH_LOG", ago(at), line(id))
	}
	m.collect(map[string]int{"a": 1, "b": 1, "c": 1, "d": 1})
	assert.Contains(t, m.must("set-cursor", "AUTH_LOG", "-8d", "--redeliver", "--yes"), "Every file after that is redelivered")
	m.collect(map[string]int{"a": 1, "b": 2, "c": 2, "d": 2})
	m.collect(map[string]int{"a": 1, "b": 2, "c": 2, "d": 2})
}

// A cursor that is set forward needs -skip, says what it skips, and skips it though
// every start lists the last days; what is after it is collected. Set back again, it
// finds the skipped records, and so does the backup.
func TestSetCursorForwardSkips(t *testing.T) {
	m := newMachine(t, newAPI(t))
	m.api.Add("AUTH_LOG", ago(20*time.Hour), line("a"))
	m.collect(map[string]int{"a": 1})
	m.api.Add("AUTH_LOG", ago(10*time.Hour), line("skipped"))
	m.api.Add("AUTH_LOG", ago(time.Hour), line("b"))
	before := streamsOf(t, m.must("export"))
	_, notes, err := m.state("set-cursor", "AUTH_LOG", "-2h", "--yes")
	require.ErrorContains(t, err, "the time is later than the cursor; add --skip")
	assert.Contains(t, notes, "Skipped permanently: undelivered files after ")
	assert.Equal(t, before, streamsOf(t, m.must("export")))

	m.must("set-cursor", "AUTH_LOG", "-2h", "--skip", "--yes")
	m.collect(map[string]int{"a": 1, "b": 1})
	require.Len(t, m.backups(), 1)
	backup := m.backups()[0]
	_, _, err = m.state("set-cursor", "AUTH_LOG", "-1m", "--redeliver", "--yes")
	require.ErrorContains(t, err, "nothing can be redelivered")
	_, _, err = m.state("set-cursor", "AUTH_LOG", "2100-01-01T00:00:00Z", "--skip", "--yes")
	require.ErrorContains(t, err, "is in the future")
	m.must("set-cursor", "AUTH_LOG", "-12h", "--yes")
	m.collect(map[string]int{"a": 1, "b": 1, "skipped": 1})

	require.NoError(t, os.Rename(backup, m.file()))
	assert.Equal(t, before, streamsOf(t, m.must("export")))
	m.collect(map[string]int{"a": 1, "b": 2, "skipped": 2})
}

// A quarantined file is shown, over restarts too, and the next start delivers it.
func TestQuarantine(t *testing.T) {
	m := newMachine(t, newAPI(t))
	bad := m.api.Add("AUTH_LOG", ago(9*24*time.Hour), line("bad"))
	m.api.Add("AUTH_LOG", ago(time.Hour), line("a"))
	m.collectBut(bad, map[string]int{"a": 1})
	assert.Contains(t, m.must("show"), bad.ID)
	m.start()
	m.awaitPolls(4)
	m.stop()
	assert.Contains(t, m.must("show"), bad.ID)

	m.api.ClearScript()
	m.collect(map[string]int{"a": 1, "bad": 1})
	assert.NotContains(t, m.must("show"), bad.ID)
}

// A discarded file is never requested again.
func TestDiscard(t *testing.T) {
	m := newMachine(t, newAPI(t))
	bad := m.api.Add("AUTH_LOG", ago(2*time.Hour), line("bad"))
	m.api.Add("AUTH_LOG", ago(time.Hour), line("a"))
	m.collectBut(bad, map[string]int{"a": 1})
	assert.Contains(t, m.must("quarantine", "discard", "AUTH_LOG", "all", "--yes"), " is discarded; its undelivered records are lost")
	m.api.ClearScript()
	m.collect(map[string]int{"a": 1})
	_, _, err := m.state("quarantine", "discard", "AUTH_LOG", bad.ID, "--yes")
	require.ErrorContains(t, err, "nothing of file "+bad.ID+" is quarantined")
}

// Export and import move everything to another machine: nothing is delivered there
// that was delivered here, repetitions of seen events included, and what is new is.
// Without -yes no file is made. A checkpoint is replaced with -replace only. An export
// that was changed, cut or is of another workspace is not imported.
func TestExportImport(t *testing.T) {
	here := newMachine(t, newAPI(t))
	here.api.Add("AUTH_LOG", ago(10*24*time.Hour), line("a"))
	here.api.Add("AUTH_LOG", ago(2*time.Hour), line("b"))
	here.collect(map[string]int{"a": 1, "b": 1})
	exported := here.must("export")

	there := newMachine(t, here.api)
	_, notes, err := there.stateWith(exported, "import")
	require.NoError(t, err)
	assert.Contains(t, notes, "Nothing changed")
	assert.NoFileExists(t, there.file())
	for _, tt := range []struct{ from, to, want string }{
		{`"start_from": "-20d"`, `"start_from": "-19d"`, "its checksum does not match"},
		{`"version": 1`, `"version": 2`, "its version is 2, this build reads version 1"},
		{`"format": "openai-compliance-checkpoints"`, `"format": "x"`, "it is no export of this tool"},
		{exported[len(exported)/2:], "", "it is no export of this tool"},
	} {
		_, _, err := there.stateWith(strings.Replace(exported, tt.from, tt.to, 1), "import", "--yes")
		require.ErrorContains(t, err, tt.want)
	}
	_, notes, err = there.stateWith(exported, "import", "--yes")
	require.NoError(t, err)
	assert.Contains(t, notes, "Done (verified).")
	assert.Equal(t, streamsOf(t, exported), streamsOf(t, there.must("export")))
	there.api.Add("AUTH_LOG", ago(time.Minute), line("b"), line("new"))
	there.collect(map[string]int{"new": 1})

	_, _, err = there.stateWith(exported, "import", "--yes")
	require.ErrorContains(t, err, "a checkpoint of AUTH_LOG is stored")
	_, _, err = there.stateWith(exported, "import", "--replace", "--yes", "AUTH_LOG")
	require.NoError(t, err)
	assert.Equal(t, streamsOf(t, exported), streamsOf(t, there.must("export")))
	there.set(fakeapi.DefaultWorkspace, "00000000-0000-4000-8000-000000000000")
	_, _, err = there.stateWith(exported, "import", "--yes")
	require.ErrorContains(t, err, "the export is of "+fakeapi.DefaultWorkspace)
}

// A deleted stream makes a first run, and nothing of it is left.
func TestDelete(t *testing.T) {
	m := newMachine(t, newAPI(t))
	m.api.Add("AUTH_LOG", ago(time.Hour), line("a"))
	m.collect(map[string]int{"a": 1})
	_, _, err := m.state("delete", "--yes")
	require.ErrorContains(t, err, "takes one STREAM or more, or --all")
	_, _, err = m.state("delete", "CODEX_LOG", "--yes")
	require.ErrorContains(t, err, "no checkpoint of CODEX_LOG is stored, but of AUTH_LOG")
	assert.Contains(t, m.must("delete", "AUTH_LOG"), "Nothing changed")
	m.collect(map[string]int{"a": 1})
	m.must("delete", "--all", "--yes")
	assert.Regexp(t, `AUTH_LOG +no checkpoint\n`, m.must("show"))
	m.collect(map[string]int{"a": 2})
}
