// Copyright The OpenTelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package archive

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func entry(id string) Entry {
	return Entry{
		EventType: "AUTH_LOG", WorkspaceID: "ws", FileID: id, FileName: "../" + id, EndTime: time.Date(2026, 8, 1, 2, 3, 4, 5000, time.UTC),
		Fetched: time.Date(2026, 8, 2, 0, 0, 0, 0, time.UTC),
	}
}

func open(t *testing.T, dir string) *Archive {
	t.Helper()
	a, err := Open(dir)
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, a.Close()) })
	return a
}

// A file that was put is there after the archive was opened again, under a path that
// nobody else chooses, and only as long as no byte of it is another.
func TestPutAndHas(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "new", "archive")
	a := open(t, dir)
	require.NoError(t, a.Put(entry("one"), []byte("{}\n")))
	path := filepath.Join(dir, "AUTH_LOG", "AUTH_LOG_20260801T020304.000005Z_ca3d163bab055381.jsonl")
	assert.FileExists(t, path)
	for _, a := range []*Archive{a, open(t, dir)} {
		got, ok := a.Has(entry("one"))
		assert.True(t, ok)
		assert.Equal(t, int64(3), got.Size)
		_, ok = a.Has(entry("two"))
		assert.False(t, ok)
		other := entry("one")
		other.SHA256 = "listed with another digest"
		_, ok = a.Has(other)
		assert.False(t, ok)
		other = entry("one")
		other.WorkspaceID = "of somebody else"
		_, ok = a.Has(other)
		assert.False(t, ok)
	}
	require.NoError(t, os.WriteFile(path, []byte("{!\n"), 0o600))
	_, ok := a.Has(entry("one"))
	assert.False(t, ok)
	require.NoError(t, a.Put(entry("one"), []byte("{}\n")))
	_, ok = a.Has(entry("one"))
	assert.True(t, ok)
	parts, err := filepath.Glob(filepath.Join(dir, "AUTH_LOG", ".part-*"))
	require.NoError(t, err)
	assert.Empty(t, parts)
}

// A line of the manifest that a crash has cut costs its entry alone, and lines that name
// a place outside of the directory count as cut.
func TestCutManifest(t *testing.T) {
	dir := t.TempDir()
	a := open(t, dir)
	require.NoError(t, a.Put(entry("one"), []byte("{}\n")))
	require.NoError(t, a.Put(entry("two"), []byte("{ }\n")))
	path := filepath.Join(dir, ManifestName)
	data, err := os.ReadFile(path)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(path, data[:len(data)-10], 0o600))
	a = open(t, dir)
	_, ok := a.Has(entry("two"))
	assert.False(t, ok)
	require.NoError(t, a.Put(entry("two"), []byte("{ }\n")))
	entries, err := Read(dir)
	require.NoError(t, err)
	assert.Len(t, entries, 2)

	evil := `{"event_type":"A","file_id":"x","sha256":"` + entries[0].SHA256 + `","path":"../../etc/passwd"}` + "\n"
	require.NoError(t, os.WriteFile(path, []byte(evil), 0o600))
	entries, err = Read(dir)
	require.NoError(t, err)
	assert.Empty(t, entries)
	_, err = Read(filepath.Join(dir, "none"))
	require.ErrorIs(t, err, os.ErrNotExist)
}
