// Copyright The OpenTelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package checkpoint

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"go.opentelemetry.io/collector/extension/xextension/storage"

	"github.com/openaicompliance/openaicompliancereceiver/internal/checkpoint/internal/permit"
)

const snapshotFiles = 600

var weekSettings = Settings{Window: 24 * time.Hour, MaxEvents: 4000}

// newSnapshotWorld has completed files and seen events in several blocks, an open file,
// queued files and lines.
func newSnapshotWorld(t *testing.T) *fixture {
	t.Helper()
	f := newFixture(t, Bounds{Floor: floor}, weekSettings)
	for i := range snapshotFiles {
		end := at(time.Duration(i+1) * time.Minute)
		f.commitPart(accepted(t, eventPart(partOf(fmt.Sprint("f-", i), end, 0), numbers(3*i, 3*i+3)...)))
	}
	f.begin("open", at(11*time.Hour), 7)
	f.enqueue(whole("queued", at(12*time.Hour)))
	f.commitPart(quarantined(t, partOf("lines", at(time.Hour), 0, 3, 4)))
	f.commitPart(accepted(t, partOf("odd", time.Time{}, 0)))
	require.NotEmpty(t, f.current().Completed.Blocks)
	require.NotEmpty(t, f.current().Events.Blocks)
	return f
}

// requireSame requires that a client holds what was stored of the world.
func (f *fixture) requireSame(client storage.Client, cursorAt time.Time) {
	f.tb.Helper()
	s, err := Load(f.tb.Context(), client, testKey, weekSettings)
	require.NoError(f.tb, err)
	seg, _ := s.Segment(Live)
	require.Equal(f.tb, cursorAt, seg.Cursor)
	for i := range snapshotFiles {
		require.True(f.tb, s.IsCompleted(fmt.Sprint("f-", i)), i)
		for n := range 3 {
			_, same := s.SeenEvent(event(nil, 3*i+n))
			require.True(f.tb, same, "%d %d", i, n)
		}
	}
	require.True(f.tb, s.IsCompleted("odd"))
	require.Equal(f.tb, f.OpenFiles(), s.OpenFiles())
	require.Equal(f.tb, f.Queue(), s.Queue())
	require.Equal(f.tb, f.NewEvent("id", nil), s.NewEvent("id", nil))
}

func (f *fixture) readSnapshot() *Snapshot {
	f.tb.Helper()
	snap, err := ReadSnapshot(f.tb.Context(), f.memory, testKey)
	require.NoError(f.tb, err)
	require.NoError(f.tb, snap.Check())
	return snap
}

// A snapshot moves all of a stream to an empty storage, by way of its JSON too, and the
// stream continues there.
func TestSnapshotMovesEverything(t *testing.T) {
	f := newSnapshotWorld(t)
	sets := f.memory.sets
	snap := f.readSnapshot()
	assert.Equal(t, sets, f.memory.sets, "reading wrote")
	text, err := json.Marshal(snap)
	require.NoError(t, err)
	read := &Snapshot{}
	require.NoError(t, decodeStrict(text, read))
	require.Equal(t, snap, read)

	ops, err := read.Operations(t.Context(), permit.Edit{}, newMemory(), nil)
	require.NoError(t, err)
	other := newMemory()
	require.NoError(t, other.Batch(t.Context(), ops...))
	again, err := ReadSnapshot(t.Context(), other, testKey)
	require.NoError(t, err)
	assert.Equal(t, snap, again)
	f.requireSame(other, f.cursor())

	s, err := Load(t.Context(), other, testKey, weekSettings)
	require.NoError(t, err)
	for i := range snapshotFiles {
		require.NoError(t, s.Commit(t.Context(), accepted(t, partOf(fmt.Sprint("more-", i), at(13*time.Hour), 0)), CommitTime{}))
	}
	f.requireSame(other, at(13*time.Hour))
}

// Wherever a storage stops between two operations, the old or the new state is whole; in
// the end nothing of the old one is left and the number of the term is higher.
func TestSnapshotIsStoredWhole(t *testing.T) {
	f := newSnapshotWorld(t)
	snap := f.readSnapshot()
	before, after := f.cursor(), at(2*time.Hour)
	snap.Segments[0].Cursor = after
	ops, err := snap.Operations(t.Context(), permit.Edit{}, f.memory, slices.Collect(maps.Keys(f.memory.data)))
	require.NoError(t, err)
	changed := false
	for n := range len(ops) + 1 {
		client := f.memory.clone()
		require.NoError(t, client.Batch(t.Context(), ops[:n]...))
		changed = changed || n > 0 && ops[n-1].Key == termKey(testKey)
		want := before
		if changed {
			want = after
		}
		stored := client.clone()
		f.requireSame(client, want)
		if n == len(ops) {
			s, err := Load(t.Context(), stored, testKey, weekSettings)
			require.NoError(t, err)
			assert.Equal(t, f.term.Number+2, s.term.Number)
			assert.Len(t, stored.data, len(blocksNamed(s)))
		}
	}
	assert.True(t, changed)
}

// Nothing is read of a stream that has a damaged part, and of no stream nothing.
func TestSnapshotOfDamage(t *testing.T) {
	f := newSnapshotWorld(t)
	for key := range f.memory.data {
		client := f.memory.clone()
		client.data[key][0] ^= 1
		_, err := ReadSnapshot(t.Context(), client, testKey)
		require.ErrorIs(t, err, ErrCorrupt, key)
	}
	snap, err := ReadSnapshot(t.Context(), newMemory(), testKey)
	require.NoError(t, err)
	assert.Nil(t, snap)
}

// A file that is forgotten may be delivered again, with its events; those up to the time
// stay known. One that is marked completed is not delivered.
func TestSnapshotForgets(t *testing.T) {
	f := newSnapshotWorld(t)
	snap := f.readSnapshot()
	files, events := snap.ForgetCompleted(at(500 * time.Minute))
	assert.Equal(t, 100, files)
	assert.GreaterOrEqual(t, events, 300)
	snap.MarkCompleted("given-up", at(12*time.Hour))
	assert.True(t, snap.IsCompleted("given-up"))
	assert.False(t, snap.IsCompleted("f-599"))
	ops, err := snap.Operations(t.Context(), permit.Edit{}, f.memory, slices.Collect(maps.Keys(f.memory.data)))
	require.NoError(t, err)
	require.NoError(t, f.memory.Batch(t.Context(), ops...))
	f.loadWith(weekSettings)
	for i := range snapshotFiles {
		assert.Equal(t, i < 500, f.IsCompleted(fmt.Sprint("f-", i)), i)
		assert.False(t, f.known(3*i) && i >= 500, i)
	}
	assert.True(t, f.IsCompleted("given-up"))
}

// A snapshot that no stream could have stored is not stored.
func TestSnapshotCheck(t *testing.T) {
	f := newSnapshotWorld(t)
	for name, spoil := range map[string]func(*Snapshot){
		"key":       func(s *Snapshot) { s.Key = "stream/x" },
		"block key": func(s *Snapshot) { s.Key += "/term" },
		"segments":  func(s *Snapshot) { s.Segments = []StoredSegment{} },
		"nil":       func(s *Snapshot) { s.Queue = nil },
		"floor":     func(s *Snapshot) { s.Segments[0].From = s.Bounds.Floor.Add(1) },
		"order":     func(s *Snapshot) { s.Segments = append(s.Segments, s.Segments[0]) },
		"cursor":    func(s *Snapshot) { s.Segments[0].Cursor = s.Segments[0].From.Add(-1) },
		"base":      func(s *Snapshot) { s.Segments[0].ListBase = time.Time{} },
		"open":      func(s *Snapshot) { s.Open[0].NextLine = 0 },
		"lines":     func(s *Snapshot) { s.Queue[0].Lines[0].To = 3 },
		"nothing":   func(s *Snapshot) { s.Queue[0].Lines = nil },
		"twice":     func(s *Snapshot) { s.Queue = append(s.Queue, s.Queue[0]) },
		"cut":       func(s *Snapshot) { s.Events[0].Entries = s.Events[0].Entries[1:] },
		"times":     func(s *Snapshot) { s.Events[0].Until = s.Events[0].Since.Add(-1) },
		"hash key":  func(s *Snapshot) { s.HashKey = HashKey{} },
	} {
		snap := f.readSnapshot()
		spoil(snap)
		_, err := snap.Operations(t.Context(), permit.Edit{}, f.memory, nil)
		require.Error(t, err, name)
	}
}

// Every key that is written is known for what it is, and others are not.
func TestParseKey(t *testing.T) {
	stream, replay := Key("ws", "AUTH_LOG"), ReplayKey("r", "ws", "AUTH_LOG")
	for _, below := range []string{"", "/term", "/" + testTerm, "/" + blockName(testTerm, eventsKind, 12, nil), "/files/0", "/events/3"} {
		got, ok := ParseKey(stream + below)
		assert.True(t, ok, below)
		assert.Equal(t, StoredKey{Stream: stream, Below: below != "", PrincipalID: "ws", EventType: "AUTH_LOG"}, got)
		got, ok = ParseKey(replay + below)
		assert.True(t, ok, below)
		assert.Equal(t, StoredKey{Stream: replay, Below: below != "", Replay: "r", PrincipalID: "ws", EventType: "AUTH_LOG"}, got)
	}
	for _, key := range []string{"", "stream", "stream/ws", "replay/r/ws", "other/ws/AUTH_LOG", "stream/ws/AUTH_LOG/files", "stream/ws/AUTH_LOG/x/files/1", "stream/ws/AUTH_LOG/other/1"} {
		_, ok := ParseKey(key)
		assert.False(t, ok, key)
	}
	f := newSnapshotWorld(t)
	for key := range f.memory.data {
		_, ok := ParseKey(key)
		assert.True(t, ok, key)
	}
}
