// Copyright The OpenTelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package checkpoint

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/openaicompliance/openaicompliancereceiver/internal/deliver"
)

// eventSettings remember a day, and up to 800 events in blocks of 100.
var eventSettings = Settings{Overlap: overlap, Window: 24 * time.Hour, MaxEvents: 800}

// newEvents is a stream at its first run that remembers events.
func newEvents(t *testing.T, set Settings) *fixture {
	t.Helper()
	m := newMemory()
	s, err := Create(t.Context(), m, testKey, Beginning{Floor: floor, StartFrom: startFrom}, set)
	require.NoError(t, err)
	return &fixture{Stream: s, tb: t, memory: m, keep: set.Overlap}
}

// loadWith restarts on the same storage with other settings.
func (f *fixture) loadWith(set Settings) {
	f.tb.Helper()
	s, err := Load(f.tb.Context(), f.memory, testKey, set)
	require.NoError(f.tb, err)
	f.Stream = s
}

// event n, with its only content.
func event(n int) deliver.Event {
	return NewEvent(fmt.Sprintf("id-%d", n), fmt.Appendf(nil, "line %d", n))
}

// eventSpan is the span of a file that holds the events from first to before end.
func eventSpan(at time.Time, first, end int) deliver.Span {
	s := whole(fmt.Sprintf("file-%d", first), at)
	for n := first; n < end; n++ {
		s.Events = append(s.Events, event(n))
	}
	return s
}

// send delivers ten events in a file of each of the hours from first to before
// end: hour h has the events 10h to 10h+9.
func (f *fixture) send(first, end int) {
	f.tb.Helper()
	for hour := first; hour < end; hour++ {
		s := eventSpan(at(time.Duration(hour+1)*time.Hour), 10*hour, 10*hour+10)
		require.NoError(f.tb, f.Advance(f.tb.Context(), accepted(f.tb, s)))
	}
}

func (f *fixture) known(n int) bool {
	known, _ := f.Delivered(event(n))
	return known
}

// An event is known by its id once its batch is stored, and its content tells a
// repetition from a conflict. A restart forgets nothing.
func TestDelivered(t *testing.T) {
	f := newEvents(t, eventSettings)
	known, same := f.Delivered(event(1))
	assert.False(t, known)
	assert.False(t, same)
	require.NoError(t, f.Advance(t.Context(), accepted(t, eventSpan(at(time.Hour), 0, 5))))
	for range 2 {
		known, same = f.Delivered(event(1))
		assert.True(t, known)
		assert.True(t, same)
		known, same = f.Delivered(NewEvent("id-1", []byte("another line")))
		assert.True(t, known)
		assert.False(t, same)
		assert.False(t, f.known(5))
		f.loadWith(eventSettings)
	}
}

// Events of parts of files are remembered too, with the part.
func TestDeliveredInPart(t *testing.T) {
	f := newEvents(t, eventSettings)
	part := eventSpan(at(time.Hour), 0, 5)
	part.Last, part.NextLine = false, 6
	require.NoError(t, f.Advance(t.Context(), accepted(t, part)))
	f.loadWith(eventSettings)
	assert.True(t, f.known(4))
}

// What was not accepted is not remembered: it may be delivered yet.
func TestNotDelivered(t *testing.T) {
	f := newEvents(t, eventSettings)
	require.NoError(t, f.Advance(t.Context(), dropped(t, eventSpan(at(time.Hour), 0, 5))))
	assert.False(t, f.known(0), "dropped by choice")

	f.memory.setErr = errDisk
	receipt := accepted(t, eventSpan(at(2*time.Hour), 5, 500)) // more than a block
	require.ErrorIs(t, f.Advance(t.Context(), receipt), errDisk)
	assert.False(t, f.known(5), "not stored")
	f.memory.setErr = nil
	require.NoError(t, f.Advance(t.Context(), receipt))
	assert.True(t, f.known(5))
	assert.True(t, f.known(499))
}

// A write that fails after its block and before its mark leaves everything as it
// was, and the same call does when it is made again.
func TestEventsFailedMark(t *testing.T) {
	f := newEvents(t, eventSettings)
	f.send(0, 9) // ten events short of a block
	before := f.snapshot()
	receipt := accepted(t, eventSpan(at(10*time.Hour), 90, 120))
	f.memory.failAfter = 1
	require.Error(t, f.Advance(t.Context(), receipt))
	f.memory.failAfter = 0
	assert.Equal(t, before, f.snapshot())
	assert.False(t, f.known(90))
	require.NoError(t, f.Advance(t.Context(), receipt))
	f.loadWith(eventSettings)
	for n := range 120 {
		require.True(t, f.known(n), n)
	}
}

// Events leave when their files lie a window behind the file in delivery, a block
// at a time and never early; their values are deleted.
func TestWindowAges(t *testing.T) {
	set := eventSettings
	set.MaxEvents = 1_000_000 // so that time alone makes events leave
	f := newEvents(t, set)
	f.window.block = 100
	most := 0
	for hour := range 1000 {
		f.send(hour, hour+1)
		for back := range min(hour, 24) {
			require.True(t, f.known(10*(hour-back)), "hour %d forgot hour %d", hour, hour-back)
		}
		most = max(most, len(f.memory.data))
	}
	assert.False(t, f.known(0))
	assert.LessOrEqual(t, f.window.contents.n, 24*10+2*100)
	assert.LessOrEqual(t, most, 12)
	assert.Zero(t, f.Evicted())
	f.loadWith(set)
	assert.True(t, f.known(9999))
	assert.False(t, f.known(0))
}

// Events that are too many leave before their time, the oldest first, and are
// counted.
func TestWindowIsBounded(t *testing.T) {
	set := eventSettings
	set.Window = 10_000 * time.Hour
	f := newEvents(t, set)
	f.send(0, 500)
	assert.LessOrEqual(t, f.window.contents.n, set.MaxEvents+100)
	assert.Equal(t, 5000-f.window.contents.n, f.Evicted())
	for n := range 5000 {
		assert.Equal(t, n >= 5000-f.window.contents.n, f.known(n), n)
	}
	assert.Greater(t, f.window.contents.n, set.MaxEvents-100, "more left than had to")

	set.MaxEvents = 80
	f.loadWith(set)
	f.send(500, 501)
	assert.LessOrEqual(t, f.window.contents.n, 80+100+10)
	assert.True(t, f.known(5009))
}

// The latest content of an id counts, and stays when the block of the earlier one
// leaves.
func TestWindowKeepsConflict(t *testing.T) {
	f := newEvents(t, eventSettings)
	f.send(0, 10) // one block
	conflict := whole("conflict", at(20*time.Hour))
	conflict.Events = []deliver.Event{NewEvent("id-0", []byte("another line"))}
	require.NoError(t, f.Advance(t.Context(), accepted(t, conflict)))
	f.send(20, 30)
	f.loadWith(eventSettings)
	f.send(30, 36)
	require.False(t, f.known(1), "the first block is still there")
	known, same := f.Delivered(conflict.Events[0])
	assert.True(t, known)
	assert.True(t, same)
}

// With a window of no time nothing is remembered, and what was is let go.
func TestWindowOff(t *testing.T) {
	f := newEvents(t, eventSettings)
	f.send(0, 50)
	off := eventSettings
	off.Window = 0
	f.loadWith(off)
	f.send(50, 60)
	assert.False(t, f.known(500))
	for key := range f.memory.data {
		assert.False(t, strings.HasPrefix(key, testKey+"/events/"), key)
	}
}

// Old blocks that cannot be deleted fail no commit.
func TestDeleteFails(t *testing.T) {
	f := newEvents(t, eventSettings)
	f.memory.deleteErr = errDisk
	f.send(0, 200)
	assert.False(t, f.known(0))
	assert.True(t, f.known(1999))
	f.memory.deleteErr = nil
	f.loadWith(eventSettings)
	assert.False(t, f.known(0))
	assert.True(t, f.known(1999))
}

// A window whose blocks cannot be used is refused like any other state.
func TestDamagedWindow(t *testing.T) {
	for name, spoil := range map[string]func(*memory, string){
		"missing": func(m *memory, key string) { delete(m.data, key) },
		"changed": func(m *memory, key string) { m.data[key][17] ^= 0x80 },
	} {
		t.Run(name, func(t *testing.T) {
			f := newEvents(t, eventSettings)
			f.send(0, 15)
			spoil(f.memory, blockKey(testKey+"/events", 0))
			s, err := Load(t.Context(), f.memory, testKey, eventSettings)
			require.ErrorIs(t, err, ErrDamaged)
			assert.Nil(t, s)
		})
	}
}

// Two events differ when their ids or their lines do, and only then.
func TestNewEvent(t *testing.T) {
	first := NewEvent("a", []byte("x"))
	for want, other := range map[[2]bool]deliver.Event{
		{true, true}:  NewEvent("a", []byte("x")),
		{false, true}: NewEvent("b", []byte("x")),
		{true, false}: NewEvent("a", []byte("y")),
	} {
		assert.Equal(t, want, [2]bool{first.ID == other.ID, first.Content == other.Content})
	}
}
