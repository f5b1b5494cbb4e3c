// Copyright The OpenTelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package state

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/extension"

	"github.com/openaicompliance/openaicompliancereceiver/cmd/internal/command"
	"github.com/openaicompliance/openaicompliancereceiver/internal/checkpoint"
	"github.com/openaicompliance/openaicompliancereceiver/internal/checkpoint/edit"
	"github.com/openaicompliance/openaicompliancereceiver/internal/fakeapi"
	"github.com/openaicompliance/openaicompliancereceiver/internal/testbed"
)

// memoryConfig of an extension that stores in memory.
type memoryConfig struct {
	Name string `mapstructure:"name"`
}

// memoryStorages makes extensions of that kind; those of one name share what they store.
func memoryStorages(stored map[string]*testbed.Storage) extension.Factory {
	return extension.NewFactory(component.MustNewType("memory_storage"),
		func() component.Config { return &memoryConfig{} },
		func(_ context.Context, _ extension.Settings, cfg component.Config) (extension.Extension, error) {
			return stored[cfg.(*memoryConfig).Name], nil
		}, component.StabilityLevelAlpha)
}

// A program that brings the factory of another storage opens that storage, with the
// configuration that the collector has for it; its backup is an export. Without the
// factory the storage is named.
func TestOtherStorage(t *testing.T) {
	m := newMachine(t, fakeapi.New(fakeapi.Options{}))
	m.set("storage: file_storage", "storage: memory_storage/of", "  file_storage:", "  memory_storage/of: {name: here}\n  file_storage:")
	t.Chdir(t.TempDir())
	_, _, err := m.state("show")
	require.ErrorContains(t, err, "storage is memory_storage/of, and this build of openai-compliance opens file_storage only")
	assert.Equal(t, command.ExitMisuse, exitStatus(err))

	here := testbed.NewStorage()
	owner := component.MustNewID("openai_compliance")
	state := func(in string, args ...string) (out, notes string, err error) {
		var stdout, stderr bytes.Buffer
		env := command.NewEnv(strings.NewReader(in), &stdout, &stderr, memoryStorages(map[string]*testbed.Storage{"here": here}))
		notes, err = m.run(env, &stderr, append([]string{"state", "--config", m.config}, args...))
		assert.Equal(t, 0, here.OpenClients())
		return stdout.String(), notes, err
	}
	client, err := here.GetClient(t.Context(), component.KindReceiver, owner, "")
	require.NoError(t, err)
	store, err := edit.Open(t.Context(), client)
	require.NoError(t, err)
	from := time.Now().UTC().Truncate(time.Microsecond).Add(-48 * time.Hour)
	stored := newSnapshot("AUTH_LOG", &checkpoint.Bounds{Floor: from}, checkpoint.StoredSegment{From: from, Cursor: from.Add(time.Hour), ListBase: from})
	require.NoError(t, store.Replace(t.Context(), stored))
	require.NoError(t, client.Close(t.Context()))

	out, _, err := state("", "show")
	require.NoError(t, err)
	assert.Regexp(t, `memory_storage/of\n\nSTREAM .*\nAUTH_LOG +collecting `, out)
	before, _, err := state("", "export")
	require.NoError(t, err)
	_, notes, err := state("", "set-cursor", "AUTH_LOG", from.Format(time.RFC3339Nano), "--yes")
	require.NoError(t, err)
	backups, err := filepath.Glob("openai-compliance.*.backup.json")
	require.NoError(t, err)
	require.Len(t, backups, 1)
	assert.Contains(t, notes, "Backup: "+backups[0])
	backup, err := os.ReadFile(backups[0])
	require.NoError(t, err)
	assert.Equal(t, streamsOf(t, before), streamsOf(t, string(backup)))
	_, _, err = state(string(backup), "import", "--replace", "--yes")
	require.NoError(t, err)
	after, _, err := state("", "export")
	require.NoError(t, err)
	assert.Equal(t, streamsOf(t, before), streamsOf(t, after))
}

// A storage of another kind that is locked says so in its own words.
func TestOtherStorageInUse(t *testing.T) {
	m := newMachine(t, fakeapi.New(fakeapi.Options{}))
	m.set("storage: file_storage", "storage: memory_storage", "  file_storage:", "  memory_storage:\n  file_storage:")
	here := testbed.NewStorage()
	_, err := here.GetClient(t.Context(), component.KindReceiver, component.MustNewID("openai_compliance"), "")
	require.NoError(t, err)
	var stdout, stderr bytes.Buffer
	env := command.NewEnv(nil, &stdout, &stderr, memoryStorages(map[string]*testbed.Storage{"": here}))
	_, err = m.run(env, &stderr, []string{"state", "--config", m.config, "show"})
	require.ErrorContains(t, err, `open storage "memory_storage": storage: locked by another client`)
	assert.Equal(t, command.ExitFinding, exitStatus(err))
}
