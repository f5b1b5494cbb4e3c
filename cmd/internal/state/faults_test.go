// Copyright The OpenTelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package state

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"go.opentelemetry.io/collector/extension/xextension/storage"

	"github.com/openaicompliance/openaicompliancereceiver/cmd/internal/command"
	"github.com/openaicompliance/openaicompliancereceiver/internal/checkpoint"
	"github.com/openaicompliance/openaicompliancereceiver/internal/fakeapi"
)

// A corrupt checkpoint is shown with its key and the reason, is never exported or
// edited, and can be replaced by an import or deleted.
func TestCorrupt(t *testing.T) {
	m := newMachine(t, newAPI(t))
	m.api.Add("AUTH_LOG", ago(time.Hour), line("a"))
	m.collect(map[string]int{"a": 1})
	exported := m.must("export")
	out, _, err := m.corrupt().state("show")
	require.ErrorContains(t, err, "1 of 1 checkpoints cannot be used")
	assert.Equal(t, 1, exitStatus(err))
	assert.Regexp(t, `AUTH_LOG +corrupt\n`, out)
	assert.Regexp(t, `load checkpoint "`+authKey+`/[0-9a-f]{32}": stored checkpoint is corrupt: its checksum does not match`, out)
	for _, args := range [][]string{{"export"}, {"set-cursor", "AUTH_LOG", "-2h", "--yes"}, {"quarantine", "discard", "AUTH_LOG", "all", "--yes"}} {
		_, _, err := m.state(args...)
		require.ErrorContains(t, err, checkpoint.ErrCorrupt.Error())
		assert.Equal(t, 1, exitStatus(err))
	}
	_, notes, err := m.stateWith(exported, "import", "--yes")
	require.NoError(t, err)
	assert.Contains(t, notes, "in place of a corrupt checkpoint")
	m.collect(map[string]int{"a": 1})

	m.corrupt()
	m.must("delete", "AUTH_LOG", "--yes")
	m.collect(map[string]int{"a": 2})

	require.NoError(t, os.WriteFile(m.file(), []byte("no database"), 0o600))
	_, _, err = m.state("show")
	require.ErrorContains(t, err, "open "+m.file()+": ")
}

var authKey = checkpoint.Key(fakeapi.DefaultWorkspace, "AUTH_LOG")

// corrupt changes one bit of the checkpoint.
func (m *machine) corrupt() *machine {
	m.t.Helper()
	client := m.client()
	var term struct{ ID string }
	value, err := client.Get(m.t.Context(), authKey+"/term")
	require.NoError(m.t, err)
	require.NoError(m.t, json.Unmarshal(value, &term))
	value, err = client.Get(m.t.Context(), authKey+"/"+term.ID)
	require.NoError(m.t, err)
	value[len(value)/2] ^= 1
	require.NoError(m.t, client.Set(m.t.Context(), authKey+"/"+term.ID, value))
	require.NoError(m.t, client.Close(m.t.Context()))
	return m
}

// State of an older build is recognized, is never exported or edited, and can be
// replaced by an import or deleted, with its blocks. So is an export of one.
func TestOldFormat(t *testing.T) {
	m := newMachine(t, newAPI(t))
	m.api.Add("AUTH_LOG", ago(time.Hour), line("a"))
	m.collect(map[string]int{"a": 1})
	exported := m.must("export")
	m.must("delete", "--all", "--yes")
	storeOld := func() {
		client := m.client()
		require.NoError(t, client.Batch(t.Context(),
			storage.SetOperation(authKey, []byte("openai-compliance-state 3 00000000\n{}")),
			storage.SetOperation(authKey+"/files/1", []byte("block"))))
		require.NoError(t, client.Close(t.Context()))
	}
	storeOld()
	out, _, err := m.state("show")
	require.ErrorContains(t, err, "1 of 1 checkpoints cannot be used")
	assert.Regexp(t, `AUTH_LOG +old format\n`, out)
	for _, args := range [][]string{{"export"}, {"set-cursor", "AUTH_LOG", "-2h", "--yes"}, {"quarantine", "discard", "AUTH_LOG", "all", "--yes"}} {
		_, _, err := m.state(args...)
		require.ErrorContains(t, err, checkpoint.ErrOldFormat.Error())
		assert.Equal(t, 1, exitStatus(err))
	}
	m.must("delete", "AUTH_LOG", "--yes")
	assert.Regexp(t, `AUTH_LOG +no checkpoint\n`, m.must("show"))
	storeOld()
	_, notes, err := m.stateWith(exported, "import", "--yes")
	require.NoError(t, err)
	assert.Contains(t, notes, "in place of state of an older build")
	m.collect(map[string]int{"a": 1})

	_, _, err = m.stateWith(`{"format":"openai-compliance-state","version":2,"streams":[]}`, "import", "--yes")
	require.ErrorContains(t, err, "it is an export of an older build, which this one does not read")
}

// With the id of another workspace every command ends with a misuse that names both,
// and changes nothing. The other's streams can still be named by their keys.
func TestOtherPrincipal(t *testing.T) {
	m := newMachine(t, newAPI(t))
	m.api.Add("AUTH_LOG", ago(time.Hour), line("a"))
	m.collect(map[string]int{"a": 1})
	before := m.must("export")
	const other = "00000000-0000-4000-8000-000000000000"
	m.set(fakeapi.DefaultWorkspace, other)
	for _, args := range [][]string{
		{"show"},
		{"export"},
		{"export", "AUTH_LOG"},
		{"import", "--replace", "--yes"},
		{"set-cursor", "AUTH_LOG", "-2h", "--yes"},
		{"quarantine", "discard", "AUTH_LOG", "all", "--yes"},
		{"delete", "AUTH_LOG", "--yes"},
		{"delete", "--all", "--yes"},
	} {
		_, _, err := m.stateWith(before, args...)
		require.ErrorContains(t, err, other, args)
		require.ErrorContains(t, err, fakeapi.DefaultWorkspace, args)
		assert.Equal(t, 2, exitStatus(err), args)
	}
	assert.Equal(t, streamsOf(t, before), streamsOf(t, m.must("export", authKey)))
	assert.Empty(t, m.backups())
	m.must("delete", authKey, "--yes")
	assert.Regexp(t, `AUTH_LOG +no checkpoint\n`, m.must("show"))
}

// An id that is none, and event types that are none, are a misuse with one sentence.
func TestBadConfiguration(t *testing.T) {
	for _, tt := range []struct{ from, to, want string }{
		{fakeapi.DefaultWorkspace, "acme", `receivers::openai_compliance: workspace_id: "acme" is not a UUID such as 0f8fad5b-d9cb-469f-a165-70867728950e`},
		{fakeapi.DefaultWorkspace, "a/b/../c", `workspace_id: "a/b/../c" is not a UUID`},
		{fakeapi.DefaultWorkspace, "12345", "receivers::openai_compliance: 'workspace_id' expected type 'string', got unconvertible type 'int'"},
		{fakeapi.DefaultWorkspace, "[1, 2]", "workspace_id"},
		{fakeapi.DefaultWorkspace, "{a: b}", "workspace_id"},
		{fakeapi.DefaultWorkspace, "${env:STATE_TEST_UNSET}", "workspace_id: missing"},
		{fakeapi.DefaultWorkspace, "org-a1", "workspace_id: this is an organization's id; write it under organization_id"},
		{"workspace_id: ", "organization_id: ", "organization_id: this is a workspace's id; write it under workspace_id"},
		{"[AUTH_LOG]", "[auth_log, b]", `event_types: "auth_log" does not look like an event type`},
		{"storage: file_storage", "storage: other", "this build of openai-compliance opens file_storage only"},
		{"storage: file_storage", "storage:", "no storage is configured"},
		{"start_from", "begin_from", "begin_from"},
	} {
		m := newMachine(t, fakeapi.New(fakeapi.Options{}))
		m.set(tt.from, tt.to)
		out, notes, err := m.state("show")
		require.Error(t, err)
		assert.Contains(t, err.Error(), tt.want)
		assert.NotContains(t, err.Error(), "\n")
		assert.Equal(t, 2, exitStatus(err), tt.to)
		assert.Empty(t, out+notes)
		files, err := os.ReadDir(m.dir)
		require.NoError(t, err)
		assert.Empty(t, files)
	}
}

// What is wrong with a call is a misuse, reported before anything is opened.
func TestMisuse(t *testing.T) {
	m := newMachine(t, newAPI(t))
	for want, args := range map[string][]string{
		"state takes a command":     {},
		`"remove" is not a command`: {"remove"},
		`"purge" is not a command of openai-compliance state quarantine`: {"quarantine", "purge"},
		"unknown flag: --yes":                                {"show", "--yes"},
		"set-cursor takes a STREAM and a TIME":               {"set-cursor", "AUTH_LOG"},
		`TIME: "-3min" has the unknown`:                      {"set-cursor", "AUTH_LOG", "-3min"},
		"no checkpoints are stored":                          {"export"},
		"unknown shorthand flag: 'x' in -x":                  {"show", "-x"},
		"unknown shorthand flag: 'c' in -config":             {"show", "-config", m.config},
		`"xml" for "-o, --output" flag: write table or json`: {"show", "-o", "xml"},
		`show takes no argument "-2h"`:                       {"show", "-2h"},
		"discard takes a STREAM and a FILE_ID":               {"quarantine", "discard", "AUTH_LOG"},
		`has no "openai_compliance/b"`:                       {"show", "--receiver", "openai_compliance/b"},
	} {
		out, notes, err := m.state(args...)
		require.ErrorContains(t, err, want)
		assert.Equal(t, command.ExitMisuse, exitStatus(err), want)
		assert.Empty(t, out+notes)
	}
	var stdout, stderr bytes.Buffer
	_, err := m.run(newEnv(nil, &stdout, &stderr), &stderr, []string{"state", "show"})
	require.ErrorContains(t, err, "--config is missing")
	assert.Equal(t, command.ExitMisuse, exitStatus(err))
	_, _, err = m.state("import")
	require.ErrorContains(t, err, "read export: it is no export of this tool")
	assert.Equal(t, command.ExitMisuse, exitStatus(err))
	out, _, err := m.state("--help")
	require.NoError(t, err)
	assert.Contains(t, out, "openai-compliance state [command]")
	files, err := os.ReadDir(m.dir)
	require.NoError(t, err)
	assert.Empty(t, files)
}

// The file is found under the name that file_storage gives it, whatever the
// receiver is called, and only that receiver's is.
func TestNameOfTheFile(t *testing.T) {
	m := newMachine(t, newAPI(t))
	for name, file := range map[string]string{
		"openai_compliance/b":           "receiver_openai_compliance_b",
		"openai_compliance/a/ä":         "receiver_openai_compliance_a~002F~00E4",
		"openai_compliance/" + longName: "67", // the length of a digest in place of a name that is too long
	} {
		m.set("  openai_compliance:", "  "+name+":")
		location, err := locateStorage(t.Context(), newEnv(nil, nil, nil), &options{Source: command.Source{Configs: []string{m.config}}})
		require.NoError(t, err)
		if name == "openai_compliance/"+longName {
			assert.Len(t, filepath.Base(location.file.path), 64)
		} else {
			assert.Equal(t, file, filepath.Base(location.file.path))
		}
		m.set("  "+name+":", "  openai_compliance:")
	}
}

var longName = strings.Repeat("x", 250)
