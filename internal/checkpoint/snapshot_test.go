// Copyright The OpenTelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package checkpoint

import (
	"fmt"
	"maps"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"go.opentelemetry.io/collector/extension/xextension/storage"

	"github.com/openaicompliance/openaicompliancereceiver/internal/checkpoint/internal/permit"
	"github.com/openaicompliance/openaicompliancereceiver/internal/deliver"
)

// snapshotWorld has a ledger and a window of several blocks, an open file, one in
// quarantine and refused lines.
type snapshotWorld struct {
	*fixture
	set Settings
}

const snapshotFiles = 600

func snapshotID(i int) string { return fmt.Sprintf("f-%d", i) }

func snapshotEvent(i int) deliver.Event {
	return NewEvent(fmt.Sprintf("e-%d", i), fmt.Appendf(nil, "line %d", i))
}

func newSnapshotWorld(t *testing.T) snapshotWorld {
	t.Helper()
	w := snapshotWorld{newFixture(t, overlap), Settings{Overlap: overlap, Window: 24 * time.Hour, MaxEvents: 4000}}
	var err error
	w.Stream, err = Load(t.Context(), w.memory, testKey, w.set)
	require.NoError(t, err)
	for i := range snapshotFiles {
		s := whole(snapshotID(i), at(time.Duration(i)*time.Minute))
		for n := range 3 {
			s.Events = append(s.Events, snapshotEvent(3*i+n))
		}
		require.NoError(t, w.Advance(t.Context(), accepted(t, s)))
	}
	w.begin("open", at(11*time.Hour), 7)
	w.setAside("aside", at(12*time.Hour))
	require.NoError(t, w.SetRefused(t.Context(), []Refused{{FileID: "refused", From: 3, To: 5, EndTime: at(time.Hour)}}, nil, at(time.Hour)))
	require.NotEmpty(t, w.state.Files.Blocks)
	require.NotEmpty(t, w.state.Events.Blocks)
	return w
}

// requireSame requires that a client holds what was stored of the world.
func (w snapshotWorld) requireSame(t *testing.T, client storage.Client, cursorAt time.Time) {
	t.Helper()
	s, err := Load(t.Context(), client, testKey, w.set)
	require.NoError(t, err)
	require.Equal(t, cursorAt, cursor(s))
	for i := range snapshotFiles {
		require.True(t, s.Done(snapshotID(i)), i)
		for n := range 3 {
			_, same := s.Delivered(snapshotEvent(3*i + n))
			require.True(t, same, "%d %d", i, n)
		}
	}
	next, _ := s.NextLine("open", "sha-open")
	require.Equal(t, 7, next)
	require.True(t, s.Quarantined("aside"))
	require.Equal(t, w.Refused(), s.Refused())
}

func apply(t *testing.T, client storage.Client, ops []*storage.Operation) {
	t.Helper()
	require.NoError(t, client.Batch(t.Context(), ops...))
}

// A snapshot brings all of a stream to an empty storage, and the stream goes on.
func TestSnapshotMovesEverything(t *testing.T) {
	w := newSnapshotWorld(t)
	snap, err := ReadSnapshot(t.Context(), w.memory, testKey)
	require.NoError(t, err)
	ops, err := snap.Operations(permit.Edit{}, nil)
	require.NoError(t, err)
	other := newMemory()
	apply(t, other, ops)
	w.requireSame(t, other, cursor(w.Stream))
	again, err := ReadSnapshot(t.Context(), other, testKey)
	require.NoError(t, err)
	assert.Equal(t, snap, again)

	s, err := Load(t.Context(), other, testKey, w.set)
	require.NoError(t, err)
	for i := range snapshotFiles {
		id := fmt.Sprintf("more-%d", i)
		require.NoError(t, s.Advance(t.Context(), accepted(t, whole(id, at(13*time.Hour)))))
	}
	w.requireSame(t, other, at(13*time.Hour))
}

// Wherever a storage stops between two operations, the old state or the new one is
// whole, and the blocks of the old one go at the end.
func TestSnapshotIsStoredWhole(t *testing.T) {
	w := newSnapshotWorld(t)
	snap, err := ReadSnapshot(t.Context(), w.memory, testKey)
	require.NoError(t, err)
	before, after := cursor(w.Stream), at(2*time.Hour)
	snap.Segments[0].Cursor = after
	ops, err := snap.Operations(permit.Edit{}, keysOf(w.memory))
	require.NoError(t, err)
	changed := 0
	for n := range len(ops) + 1 {
		client := &memory{data: maps.Clone(w.memory.data)}
		apply(t, client, ops[:n])
		want := before
		if n > 0 && ops[n-1].Key == testKey {
			changed = n
		}
		if changed > 0 {
			want = after
		}
		w.requireSame(t, client, want)
		if n == len(ops) {
			assert.Len(t, client.data, len(w.memory.data))
		}
	}
	assert.Positive(t, changed)
}

func keysOf(m *memory) (keys []string) {
	for key := range m.data {
		keys = append(keys, key)
	}
	return keys
}

// Nothing is read of a stream that has a missing or damaged part.
func TestSnapshotOfDamage(t *testing.T) {
	w := newSnapshotWorld(t)
	for _, key := range keysOf(w.memory) {
		client := &memory{data: maps.Clone(w.memory.data)}
		value := client.data[key]
		client.data[key] = append([]byte{value[0] ^ 1}, value[1:]...)
		_, err := ReadSnapshot(t.Context(), client, testKey)
		require.ErrorIs(t, err, ErrDamaged, key)
	}
	snap, err := ReadSnapshot(t.Context(), newMemory(), testKey)
	require.NoError(t, err)
	assert.Nil(t, snap)
}

// A file that is forgotten may come again, with its events; those up to the time
// stay known. One that is marked done stays out.
func TestSnapshotForgets(t *testing.T) {
	w := newSnapshotWorld(t)
	snap, err := ReadSnapshot(t.Context(), w.memory, testKey)
	require.NoError(t, err)
	files, events := snap.ForgetDone(at(499 * time.Minute))
	assert.Equal(t, 100, files)
	assert.GreaterOrEqual(t, events, 300)
	snap.MarkDone("given-up", at(12*time.Hour))
	ops, err := snap.Operations(permit.Edit{}, keysOf(w.memory))
	require.NoError(t, err)
	apply(t, w.memory, ops)
	s, err := Load(t.Context(), w.memory, testKey, w.set)
	require.NoError(t, err)
	for i := range snapshotFiles {
		assert.Equal(t, i < 500, s.Done(snapshotID(i)), i)
		known, _ := s.Delivered(snapshotEvent(3 * i))
		assert.False(t, known && i >= 500, i)
	}
	assert.True(t, s.Done("given-up"))
}

// A snapshot that no stream could have stored is not stored.
func TestSnapshotCheck(t *testing.T) {
	w := newSnapshotWorld(t)
	for want, spoil := range map[string]func(*Snapshot){
		"none of this receiver": func(s *Snapshot) { s.Key = "stream/x" },
		"is missing":            func(s *Snapshot) { s.Segments = nil },
		"below its floor":       func(s *Snapshot) { s.Segments[0].From = s.Floor.Add(-1) },
		"do not adjoin": func(s *Snapshot) {
			s.Segments = append(s.Segments, s.Segments[0])
		},
		"a cursor lies outside": func(s *Snapshot) { s.Segments[0].Cursor = s.Segments[0].From.Add(-1) },
		"no id or line":         func(s *Snapshot) { s.Open["x"] = OpenFile{} },
		"no lines":              func(s *Snapshot) { s.Refused[0].To = 3 },
		"is cut":                func(s *Snapshot) { s.Events[0].Entries = s.Events[0].Entries[1:] },
	} {
		snap, err := ReadSnapshot(t.Context(), w.memory, testKey)
		require.NoError(t, err)
		require.NoError(t, snap.Check())
		spoil(snap)
		_, err = snap.Operations(permit.Edit{}, nil)
		require.ErrorContains(t, err, want)
	}
}

// Every key that is written is known for what it is, and others are not.
func TestParseKey(t *testing.T) {
	for key, want := range map[string]StoredKey{
		Key("ws", "AUTH_LOG"):                                         {Stream: "stream/ws/AUTH_LOG", PrincipalID: "ws", EventType: "AUTH_LOG"},
		newLedger(Key("ws", "AUTH_LOG")).prefix + "/12":               {Stream: "stream/ws/AUTH_LOG", PrincipalID: "ws", EventType: "AUTH_LOG", Block: true},
		ReplayKey("r", "ws", "AUTH_LOG"):                              {Stream: "replay/r/ws/AUTH_LOG", Replay: "r", PrincipalID: "ws", EventType: "AUTH_LOG"},
		newWindow(ReplayKey("r", "w", "X"), Settings{}).prefix + "/0": {Stream: "replay/r/w/X", Replay: "r", PrincipalID: "w", EventType: "X", Block: true},
	} {
		got, ok := ParseKey(key)
		assert.True(t, ok, key)
		assert.Equal(t, want, got)
	}
	for _, key := range []string{"", "stream", "stream/ws", "replay/r/ws", "other/ws/AUTH_LOG", "stream/ws/AUTH_LOG/files"} {
		_, ok := ParseKey(key)
		assert.False(t, ok, key)
	}
}

// A file that was released from quarantine is listed wherever the cursor stands,
// begins at its first line whatever its bytes, and is told when it expires.
func TestReleasedFile(t *testing.T) {
	f := newFixture(t, overlap)
	f.setAside("bad", at(time.Hour))
	f.done("later", at(100*time.Hour))
	next := f.state.clone()
	delete(next.Quarantine, "bad")
	next.Open["bad"] = position{SHA256: "listed", EndTime: at(time.Hour), NextLine: 1}
	require.NoError(t, f.store(t.Context(), next))
	f.reload(overlap)
	assert.True(t, f.listed(at(time.Hour)))
	line, changed := f.NextLine("bad", "other bytes")
	assert.Equal(t, 1, line)
	assert.False(t, changed)
	gone := f.Expired(Live, nil, at(50*time.Hour))
	assert.Equal(t, "released from quarantine for another try, and not read since", gone["bad"].Reason)
}
