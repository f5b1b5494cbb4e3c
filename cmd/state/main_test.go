// Copyright The OpenTelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"encoding/json"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/openaicompliance/openaicompliancereceiver/internal/checkpoint/edit"
	"github.com/openaicompliance/openaicompliancereceiver/internal/fakeapi"
)

const cursorFormat = "2006-01-02T15:04:05.999999Z07:00"

// show tells of each type where it stands, what it remembers and what is set
// aside, as a table and as JSON; of types without state and without
// configuration; and it changes nothing.
func TestShow(t *testing.T) {
	m := newMachine(t, newAPI(t))
	out := m.must("show")
	assert.Regexp(t, `AUTH_LOG +no state`, out)
	assert.NoFileExists(t, m.file())

	good := m.api.Add("AUTH_LOG", ago(2*time.Hour), line("a"), line("b"))
	bad := m.api.Add("AUTH_LOG", ago(time.Hour), line("c"))
	m.collectBut(bad, map[string]int{"a": 1, "b": 1})
	m.set("[AUTH_LOG]", "[AUDIT_LOG]")
	out = m.must("show")
	cursor := good.EndTime.UTC().Format(cursorFormat)
	assert.Regexp(t, `AUDIT_LOG +no state`, out)
	assert.Regexp(t, `AUTH_LOG \(not configured\) +live +\S+ +`+cursor+` +\S+ +\S+ +1 +2 +0 +1 +0\n`, out)
	assert.Regexp(t, `IN QUARANTINE +FILE .*\nAUTH_LOG +`+bad.ID+` .*verify: body has SHA-256`, out)

	var p picture
	require.NoError(t, json.Unmarshal([]byte(m.must("show", "-json")), &p))
	require.Len(t, p.Streams, 2)
	auth := p.Streams[1]
	assert.Equal(t, m.file(), p.Storage)
	assert.Equal(t, []any{"AUTH_LOG", false, true, 1, 2}, []any{auth.Name, auth.Configured, auth.Stored, auth.Files, auth.Events})
	assert.Equal(t, bad.SHA256, auth.Quarantine[bad.ID].SHA256)
	assert.Positive(t, auth.Quarantine[bad.ID].Tries)
	assert.Empty(t, m.backups())
}

// While a receiver holds the storage every command is refused, and the receiver
// goes on undisturbed.
func TestRefusedWhileHeld(t *testing.T) {
	m := newMachine(t, newAPI(t))
	m.api.Add("AUTH_LOG", ago(time.Hour), line("a"))
	m.collect(map[string]int{"a": 1})
	exported := m.must("export")
	m.start()
	for _, args := range [][]string{
		{"show"},
		{"export"},
		{"import", "-replace", "-yes"},
		{"set-cursor", "AUTH_LOG", "-2h", "-yes"},
		{"release", "AUTH_LOG", "all", "-yes"},
		{"discard", "AUTH_LOG", "all", "-yes"},
		{"delete", "-all", "-yes"},
	} {
		_, _, err := m.stateWith(exported, args...)
		require.ErrorContains(t, err, "is in use: stop the collector first", args)
	}
	m.api.Add("AUTH_LOG", ago(time.Second), line("b"))
	require.Eventually(t, func() bool { return m.counts()["b"] == 1 }, 20*time.Second, 5*time.Millisecond)
	m.stop()
	m.collect(map[string]int{"a": 1, "b": 1})
	assert.Empty(t, m.backups())
}

// A cursor that is set back doubles nothing, and finds what appeared too late to
// be found otherwise. Without -yes nothing changes.
func TestSetCursorBack(t *testing.T) {
	m := newMachine(t, newAPI(t))
	for id, at := range map[string]time.Duration{"a": 10 * 24 * time.Hour, "b": 6 * 24 * time.Hour, "c": time.Hour} {
		m.api.Add("AUTH_LOG", ago(at), line(id))
	}
	m.collect(map[string]int{"a": 1, "b": 1, "c": 1})
	m.merge()
	m.api.Add("AUTH_LOG", ago(5*24*time.Hour), line("late"))
	m.start()
	m.passes(6)
	m.stop()
	require.Zero(t, m.counts()["late"], "otherwise this test shows nothing")

	before := m.must("export")
	assert.Contains(t, m.must("set-cursor", "AUTH_LOG", "-8d"), "Nothing was changed. Add -yes")
	assert.Equal(t, streamsOf(t, before), streamsOf(t, m.must("export")))
	assert.Contains(t, m.must("set-cursor", "AUTH_LOG", "-8d", "-yes"), "Listed again from there. The ledger stays")
	m.collect(map[string]int{"a": 1, "b": 1, "c": 1, "late": 1})
}

// merge waits until history has become one with live, and the cursor is at the end.
func (m *machine) merge() {
	m.t.Helper()
	m.start()
	defer m.stop()
	m.passes(20)
}

func streamsOf(t *testing.T, export string) string {
	t.Helper()
	file, _, err := edit.ReadExport(strings.NewReader(export))
	require.NoError(t, err)
	return file.SHA256
}

// With -deliver-again the files after the time come a second time, those before it
// do not, and a third start adds nothing.
func TestSetCursorBackDeliversAgain(t *testing.T) {
	m := newMachine(t, newAPI(t))
	for id, at := range map[string]time.Duration{"a": 10 * 24 * time.Hour, "b": 6 * 24 * time.Hour, "c": 30 * time.Hour, "d": time.Hour} {
		m.api.Add("AUTH_LOG", ago(at), line(id))
	}
	m.collect(map[string]int{"a": 1, "b": 1, "c": 1, "d": 1})
	assert.Contains(t, m.must("set-cursor", "AUTH_LOG", "-8d", "-deliver-again", "-yes"), "Delivered again: every file after")
	m.collect(map[string]int{"a": 1, "b": 2, "c": 2, "d": 2})
	m.collect(map[string]int{"a": 1, "b": 2, "c": 2, "d": 2})
}

// A cursor that is set forward needs -skip, says what it skips, and skips it though
// every start lists three days back; what comes after it is collected. The copy
// that was made before brings the skipped records back.
func TestSetCursorForwardSkips(t *testing.T) {
	m := newMachine(t, newAPI(t))
	m.api.Add("AUTH_LOG", ago(20*time.Hour), line("a"))
	m.collect(map[string]int{"a": 1})
	m.api.Add("AUTH_LOG", ago(10*time.Hour), line("skipped"))
	m.api.Add("AUTH_LOG", ago(time.Hour), line("b"))
	before := streamsOf(t, m.must("export"))
	_, notes, err := m.state("set-cursor", "AUTH_LOG", "-2h", "-yes")
	require.ErrorContains(t, err, "add -skip if that is meant")
	assert.Contains(t, notes, "Skipped for good: files after ")
	assert.Equal(t, before, streamsOf(t, m.must("export")))

	m.must("set-cursor", "AUTH_LOG", "-2h", "-skip", "-yes")
	m.collect(map[string]int{"a": 1, "b": 1})
	_, _, err = m.state("set-cursor", "AUTH_LOG", "-12h", "-yes")
	require.ErrorContains(t, err, "collect it with replay")

	require.Len(t, m.backups(), 1)
	require.NoError(t, os.Rename(m.backups()[0], m.file()))
	assert.Equal(t, before, streamsOf(t, m.must("export")))
	m.collect(map[string]int{"a": 1, "b": 2, "skipped": 1})
}

// A released file is tried again and delivered, though the cursor is far ahead of
// it; until then it stays listed, over restarts too.
func TestRelease(t *testing.T) {
	m := newMachine(t, newAPI(t))
	bad := m.api.Add("AUTH_LOG", ago(9*24*time.Hour), line("bad"))
	m.api.Add("AUTH_LOG", ago(time.Hour), line("a"))
	m.collectBut(bad, map[string]int{"a": 1})
	_, _, err := m.state("release", "AUTH_LOG", "file-unknown", "-yes")
	require.ErrorContains(t, err, "no such file is in quarantine")
	assert.Contains(t, m.must("release", "AUTH_LOG", bad.ID, "-yes"), "leaves quarantine")
	assert.Regexp(t, `DELIVERED IN PART.*\nAUTH_LOG +`+bad.ID, m.must("show"))

	m.api.ClearScript()
	m.api.Script(fakeapi.Fault{Op: "download", FileID: bad.ID, Status: http.StatusServiceUnavailable, Times: 1})
	m.start() // the answer is passing trouble: the try is not over
	m.stop()
	m.collect(map[string]int{"a": 1, "bad": 1})
	assert.NotContains(t, m.must("show"), bad.ID)
	m.collect(map[string]int{"a": 1, "bad": 1})
}

// A discarded file is never asked for again.
func TestDiscard(t *testing.T) {
	m := newMachine(t, newAPI(t))
	bad := m.api.Add("AUTH_LOG", ago(2*time.Hour), line("bad"))
	m.api.Add("AUTH_LOG", ago(time.Hour), line("a"))
	m.collectBut(bad, map[string]int{"a": 1})
	assert.Contains(t, m.must("discard", "AUTH_LOG", "all", "-yes"), "is given up")
	m.api.ClearScript()
	m.collect(map[string]int{"a": 1})
	_, _, err := m.state("discard", "AUTH_LOG", bad.ID, "-yes")
	require.ErrorContains(t, err, "nothing of that file is set aside")
}

// Export and import carry everything to another machine: nothing is delivered
// there that was delivered here, repetitions of remembered events included, and
// what is new is. A dry run makes no file; state that is there is not replaced
// unasked; a file that was changed, cut or is of another workspace is refused.
func TestExportImport(t *testing.T) {
	here := newMachine(t, newAPI(t))
	here.api.Add("AUTH_LOG", ago(10*24*time.Hour), line("a"))
	here.api.Add("AUTH_LOG", ago(2*time.Hour), line("b"))
	here.collect(map[string]int{"a": 1, "b": 1})
	exported := here.must("export")

	there := newMachine(t, here.api)
	_, notes, err := there.stateWith(exported, "import")
	require.NoError(t, err)
	assert.Contains(t, notes, "Nothing was changed")
	assert.NoFileExists(t, there.file())
	for _, tt := range []struct{ from, to, want string }{
		{`"start_from": "-20d"`, `"start_from": "-19d"`, "its checksum does not match"},
		{`"version": 2`, `"version": 3`, "it has version 3, this build reads 1 to 2"},
		{`"format": "openai-compliance-state"`, `"format": "x"`, "it is no export of this tool"},
		{exported[len(exported)/2:], "", "it is no export of this tool"},
	} {
		_, _, err := there.stateWith(strings.Replace(exported, tt.from, tt.to, 1), "import", "-yes")
		require.ErrorContains(t, err, tt.want)
	}
	_, notes, err = there.stateWith(exported, "import", "-yes")
	require.NoError(t, err)
	assert.Contains(t, notes, "Done and read back.")
	assert.Equal(t, streamsOf(t, exported), streamsOf(t, there.must("export")))
	there.api.Add("AUTH_LOG", ago(time.Minute), line("b"), line("new"))
	there.collect(map[string]int{"new": 1})

	_, _, err = there.stateWith(exported, "import", "-yes")
	require.ErrorContains(t, err, "has state already")
	_, _, err = there.stateWith(exported, "import", "-replace", "-yes", "AUTH_LOG")
	require.NoError(t, err)
	assert.Equal(t, streamsOf(t, exported), streamsOf(t, there.must("export")))
	there.set(fakeapi.DefaultWorkspace, "00000000-0000-4000-8000-000000000000")
	_, _, err = there.stateWith(exported, "import", "-yes")
	require.ErrorContains(t, err, "the export is of "+fakeapi.DefaultWorkspace)
}

// A deleted type begins anew, and nothing of it is left behind.
func TestDelete(t *testing.T) {
	m := newMachine(t, newAPI(t))
	m.api.Add("AUTH_LOG", ago(time.Hour), line("a"))
	m.collect(map[string]int{"a": 1})
	_, _, err := m.state("delete", "-yes")
	require.ErrorContains(t, err, "takes one TYPE or more, or -all")
	_, _, err = m.state("delete", "CODEX_LOG", "-yes")
	require.ErrorContains(t, err, "there is no state of CODEX_LOG, but of: AUTH_LOG")
	assert.Contains(t, m.must("delete", "AUTH_LOG"), "Nothing was changed")
	m.collect(map[string]int{"a": 1})
	m.must("delete", "-all", "-yes")
	assert.Regexp(t, `AUTH_LOG +no state`, m.must("show"))
	m.collect(map[string]int{"a": 2})
}
