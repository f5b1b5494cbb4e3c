// Copyright The OpenTelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/extension/xextension/storage"

	"github.com/openaicompliance/openaicompliancereceiver/internal/checkpoint"
	"github.com/openaicompliance/openaicompliancereceiver/internal/fakeapi"
)

// Damaged state is named with its key and the reason, is never exported or
// edited, and can be replaced by an import or deleted.
func TestDamaged(t *testing.T) {
	m := newMachine(t, newAPI(t))
	m.api.Add("AUTH_LOG", ago(time.Hour), line("a"))
	m.collect(map[string]int{"a": 1})
	exported := m.must("export")
	damage := func() {
		client, err := m.extension().(storage.Extension).GetClient(t.Context(), component.KindReceiver, component.MustNewID("openai_compliance"), "")
		require.NoError(t, err)
		key := checkpoint.Key(fakeapi.DefaultWorkspace, "AUTH_LOG")
		value, err := client.Get(t.Context(), key)
		require.NoError(t, err)
		value[len(value)/2] ^= 1
		require.NoError(t, client.Set(t.Context(), key, value))
		require.NoError(t, client.Close(context.Background()))
	}
	damage()
	out, _, err := m.state("show")
	require.ErrorContains(t, err, "the state of 1 of 1 cannot be used")
	assert.Contains(t, out, `read state "stream/`+fakeapi.DefaultWorkspace+`/AUTH_LOG": stored state cannot be used: its checksum does not match`)
	for _, args := range [][]string{{"export"}, {"set-cursor", "AUTH_LOG", "-2h", "-yes"}, {"release", "AUTH_LOG", "all", "-yes"}} {
		_, _, err := m.state(args...)
		require.ErrorIs(t, err, checkpoint.ErrDamaged)
	}
	_, notes, err := m.stateWith(exported, "import", "-yes")
	require.NoError(t, err)
	assert.Contains(t, notes, "in place of damaged state")
	m.collect(map[string]int{"a": 1})

	damage()
	m.must("delete", "AUTH_LOG", "-yes")
	m.collect(map[string]int{"a": 2})

	require.NoError(t, os.WriteFile(m.file(), []byte("no database"), 0o600))
	_, _, err = m.state("show")
	require.ErrorContains(t, err, "open "+m.file()+": ")
}

// What is wrong with a call or a configuration is said before anything is opened.
func TestFaults(t *testing.T) {
	m := newMachine(t, newAPI(t))
	for want, args := range map[string][]string{
		"no command":                           {},
		`"remove" is not a command`:            {"remove"},
		"show has no -yes":                     {"show", "-yes"},
		"set-cursor takes a TYPE and a TIME":   {"set-cursor", "AUTH_LOG"},
		`TIME: "-3min" has the unknown`:        {"set-cursor", "AUTH_LOG", "-3min"},
		"there is no state":                    {"export"},
		`has no "openai_compliance/b"`:         {"show", "-receiver", "openai_compliance/b"},
		"read export: it is no export of this": {"import"},
	} {
		_, _, err := m.state(args...)
		require.ErrorContains(t, err, want)
	}
	require.ErrorContains(t, run(t.Context(), time.Now(), []string{"show"}, nil, os.Stdout, os.Stderr), "-config is missing")
	m.set("storage: file_storage", "storage: other")
	_, _, err := m.state("show")
	require.ErrorContains(t, err, "this tool knows file_storage alone")
	files, err := os.ReadDir(m.dir)
	require.NoError(t, err)
	assert.Empty(t, files)
}

// The file is found under the name that file_storage gives it, whatever the
// receiver is called, and only that receiver's is.
func TestNameOfTheFile(t *testing.T) {
	m := newMachine(t, newAPI(t))
	for name, file := range map[string]string{
		"openai_compliance/b":       "receiver_openai_compliance_b",
		"openai_compliance/a/ä":     "receiver_openai_compliance_a~002F~00E4",
		"openai_compliance/" + long: "67", // the length of a digest in place of a name that is too long
	} {
		m.set("  openai_compliance:", "  "+name+":")
		where, err := locate(t.Context(), &options{configs: []string{m.config}})
		require.NoError(t, err)
		if name == "openai_compliance/"+long {
			assert.Len(t, filepath.Base(where.path), 64)
		} else {
			assert.Equal(t, file, filepath.Base(where.path))
		}
		m.set("  "+name+":", "  openai_compliance:")
	}
}

var long = strings.Repeat("x", 250)
