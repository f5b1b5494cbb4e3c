// Copyright The OpenTelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package checkpoint

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/openaicompliance/openaicompliancereceiver/internal/deliver"
)

// A key names its stream, so that no two share a state.
func TestKey(t *testing.T) {
	assert.Equal(t, "stream/ws-1/AUTH_LOG", Key("ws-1", "AUTH_LOG"))
	assert.NotEqual(t, Key("ws-1", "AUTH_LOG"), Key("ws-2", "AUTH_LOG"))
	assert.NotEqual(t, Key("ws-1", "AUTH_LOG"), Key("ws-1", "AUDIT_LOG"))
}

// The state of a first run is stored before anything else happens, and a later
// run finds it whatever its own settings say.
func TestFirstRun(t *testing.T) {
	m := newMemory()
	none, err := Load(t.Context(), m, testKey, Settings{Overlap: overlap})
	require.NoError(t, err)
	require.Nil(t, none)

	zone := time.FixedZone("", 2*60*60)
	created, err := Create(t.Context(), m, testKey, Beginning{Floor: floor.In(zone), StartFrom: startFrom}, Settings{Overlap: overlap})
	require.NoError(t, err)
	require.Equal(t, 1, m.sets)
	require.Contains(t, m.data, testKey)

	loaded, err := Load(t.Context(), m, testKey, Settings{Overlap: 2 * overlap})
	require.NoError(t, err)
	for _, s := range []*Stream{created, loaded} {
		at, text := s.Floor()
		assert.Equal(t, floor, at)
		assert.Equal(t, startFrom, text)
		assert.Equal(t, floor, cursor(s))
		assert.Equal(t, floor, s.ListFrom(Live, 0), "asked below the floor")
		assert.False(t, s.Done("a"))
		line, changed := s.NextLine("a", "sha-a")
		assert.Equal(t, 1, line)
		assert.False(t, changed)
	}
	assert.Equal(t, 1, m.sets, "reading wrote")
}

// A first run that cannot be stored is no run.
func TestCreateFails(t *testing.T) {
	m := newMemory()
	m.setErr = errDisk
	s, err := Create(t.Context(), m, testKey, Beginning{Floor: floor, StartFrom: startFrom}, Settings{Overlap: overlap})
	require.ErrorIs(t, err, errDisk)
	require.ErrorContains(t, err, testKey)
	assert.Nil(t, s)
	assert.Empty(t, m.data)
}

// A file that is delivered in part goes on after a restart where it stood.
func TestResumeInFile(t *testing.T) {
	f := newFixture(t, overlap)
	f.begin("a", at(time.Minute), 4)
	f.begin("b", at(2*time.Minute), 1001)
	f.begin("a", at(time.Minute), 7)
	for range 2 {
		f.reload(overlap)
		line, changed := f.NextLine("a", "sha-a")
		assert.Equal(t, 7, line)
		assert.False(t, changed)
		line, _ = f.NextLine("b", "sha-b")
		assert.Equal(t, 1001, line)
		assert.False(t, f.Done("a"))
		assert.Equal(t, floor, cursor(f.Stream), "a part of a file moved the cursor")
	}
}

// A position holds for the bytes it was stored for: others begin at line 1.
func TestChangedFile(t *testing.T) {
	f := newFixture(t, overlap)
	f.begin("a", at(time.Minute), 4)
	f.reload(overlap)
	line, changed := f.NextLine("a", "sha-of-other-bytes")
	assert.Equal(t, 1, line)
	assert.True(t, changed)

	other := span("a", at(time.Minute), 3)
	other.SHA256 = "sha-of-other-bytes"
	require.NoError(t, f.Advance(t.Context(), accepted(t, other)))
	line, changed = f.NextLine("a", "sha-of-other-bytes")
	assert.Equal(t, 3, line)
	assert.False(t, changed)
}

// The last span finishes its file: the cursor moves, the position goes.
func TestLastSpan(t *testing.T) {
	for name, make := range map[string]func(testing.TB, deliver.Span) deliver.Receipt{"accepted": accepted, "dropped by choice": dropped} {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t, overlap)
			f.begin("a", at(time.Minute), 4)
			zone := time.FixedZone("", -7*60*60)
			require.NoError(t, f.Advance(t.Context(), make(t, whole("a", at(time.Minute).In(zone)))))
			for range 2 {
				assert.True(t, f.Done("a"))
				assert.False(t, f.Done("b"))
				assert.Equal(t, at(time.Minute), cursor(f.Stream))
				assert.Empty(t, f.state.Open)
				line, changed := f.NextLine("a", "sha-a")
				assert.Equal(t, 1, line)
				assert.False(t, changed)
				f.reload(overlap)
			}
		})
	}
}

// A Receipt that no delivery made moves nothing.
func TestZeroReceiptRefused(t *testing.T) {
	f := newFixture(t, overlap)
	before := f.snapshot()
	require.Error(t, f.Advance(t.Context(), deliver.Receipt{}))
	assert.Equal(t, before, f.snapshot())
	assert.Equal(t, 1, f.memory.sets)
}

// The cursor never moves back, not for late files either.
func TestCursorNeverMovesBack(t *testing.T) {
	f := newFixture(t, overlap)
	f.done("a", at(10*time.Minute))
	f.done("late", at(5*time.Minute))
	f.begin("later", at(6*time.Minute), 2)
	f.done("later", at(6*time.Minute))
	assert.Equal(t, at(10*time.Minute), cursor(f.Stream))
	f.setAside("latest", at(7*time.Minute))
	f.done("b", at(10*time.Minute))
	assert.Equal(t, at(10*time.Minute), cursor(f.Stream))
	f.reload(overlap)
	assert.Equal(t, at(10*time.Minute), cursor(f.Stream))
}

// A write that fails leaves the stream where it stood, and the same call does
// when it is made again.
func TestFailedWrite(t *testing.T) {
	tests := []struct {
		name  string
		write func(f *fixture) error
	}{
		{"part of a file", func(f *fixture) error {
			return f.Advance(f.tb.Context(), accepted(f.tb, span("open", at(time.Minute), 9)))
		}},
		{"end of a file", func(f *fixture) error {
			return f.Advance(f.tb.Context(), accepted(f.tb, whole("open", at(3*time.Hour))))
		}},
		{"end of a file in quarantine", func(f *fixture) error {
			return f.Advance(f.tb.Context(), accepted(f.tb, whole("bad", at(2*time.Minute))))
		}},
		{"quarantine", func(f *fixture) error {
			return f.Quarantine(f.tb.Context(), "worse", Quarantined{EndTime: at(time.Minute)})
		}},
		{"quarantine again", func(f *fixture) error {
			return f.Quarantine(f.tb.Context(), "bad", Quarantined{EndTime: at(2 * time.Minute)})
		}},
		{"listed through", func(f *fixture) error {
			return f.SetListedThrough(f.tb.Context(), Live, at(time.Hour))
		}},
		{"release", func(f *fixture) error {
			return f.Release(f.tb.Context(), f.Expired(Live, nil, at(time.Hour)))
		}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			f := newFixture(t, overlap)
			f.done("done", at(30*time.Second))
			f.begin("open", at(time.Minute), 4)
			f.setAside("bad", at(2*time.Minute))
			before, stored := f.snapshot(), string(f.memory.data[testKey])
			require.Equal(t, before, stored)

			f.memory.setErr = errDisk
			for range 2 {
				err := test.write(f)
				require.ErrorIs(t, err, errDisk)
				require.ErrorContains(t, err, testKey)
				assert.Equal(t, before, f.snapshot())
				assert.Equal(t, stored, string(f.memory.data[testKey]))
			}

			f.memory.setErr = nil
			require.NoError(t, test.write(f))
			assert.NotEqual(t, before, f.snapshot())
			assert.Equal(t, f.snapshot(), string(f.memory.data[testKey]), "what shows is not what is stored")
			after := f.snapshot()
			f.reload(overlap)
			assert.Equal(t, after, f.snapshot())
		})
	}
}

// The time that listings have reached is stored, never goes back and moves no
// position.
func TestListedThrough(t *testing.T) {
	f := newFixture(t, overlap)
	assert.Zero(t, f.Segments()[0].ListedThrough)
	f.done("a", at(time.Minute))
	from := f.ListFrom(Live, 0)
	zone := time.FixedZone("", 9*60*60)
	require.NoError(t, f.SetListedThrough(t.Context(), Live, at(2*time.Hour).In(zone)))
	sets := f.memory.sets
	for _, back := range []time.Time{at(2 * time.Hour), at(time.Hour), {}} {
		require.NoError(t, f.SetListedThrough(t.Context(), Live, back))
	}
	assert.Equal(t, sets, f.memory.sets, "nothing new was stored")
	for range 2 {
		assert.Equal(t, at(2*time.Hour), f.Segments()[0].ListedThrough)
		assert.Equal(t, at(time.Minute), cursor(f.Stream))
		assert.Equal(t, from, f.ListFrom(Live, 0))
		f.reload(overlap)
	}
}

// The text for logs names the position and the files set aside.
func TestString(t *testing.T) {
	f := newFixture(t, overlap)
	f.done("a", at(time.Minute))
	f.setAside("z", at(2*time.Minute))
	f.setAside("b", at(2*time.Minute))
	assert.Equal(t, "cursor 2026-08-02T00:01:00Z from 2026-08-02T00:00:00Z on, 1 files in the ledger, quarantine [b z], 0 runs of refused lines", f.String())
}
