// Copyright The OpenTelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package checkpoint

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/openaicompliance/openaicompliancereceiver/internal/deliver"
)

// event n with its only content, as some stream hashes it. Tests use one key for all, so
// that parts do not depend on the stream.
func event(_ *Stream, n int) deliver.Event {
	key := HashKey{1}
	return key.event(fmt.Sprintf("id-%d", n), fmt.Appendf(nil, "line %d", n))
}

func numbers(from, to int) (ns []int) {
	for n := from; n < to; n++ {
		ns = append(ns, n)
	}
	return ns
}

// eventPart gives a part these events.
func eventPart(part deliver.Part, ns ...int) deliver.Part {
	for _, n := range ns {
		part.Events = append(part.Events, event(nil, n))
	}
	return part
}

// send delivers ten events in a file of each of the hours: hour h has the events 10h to
// 10h+9.
func (f *fixture) send(from, to int) {
	f.tb.Helper()
	for hour := from; hour < to; hour++ {
		part := partOf(fmt.Sprintf("file-%d", hour), at(time.Duration(hour+1)*time.Hour), 0)
		f.commitPart(accepted(f.tb, eventPart(part, numbers(10*hour, 10*hour+10)...)))
	}
}

func (f *fixture) known(n int) bool {
	known, same := f.SeenEvent(event(nil, n))
	return known && same
}

// An event is known once its part is stored; its content tells a repetition from a
// conflict. A restart forgets nothing.
func TestSeenEvents(t *testing.T) {
	f := live(t)
	known, same := f.SeenEvent(event(nil, 1))
	assert.False(t, known)
	assert.False(t, same)
	f.commitPart(accepted(t, eventPart(partOf("a", at(time.Hour), 3), numbers(0, 5)...)))
	other := event(nil, 1)
	other.Content++
	for range 2 {
		assert.True(t, f.known(1))
		known, same = f.SeenEvent(other)
		assert.True(t, known)
		assert.False(t, same)
		assert.False(t, f.known(5))
		f.reload()
	}
}

// What was not accepted is not remembered: it may be delivered yet.
func TestOnlyAcceptedEventsAreSeen(t *testing.T) {
	f := live(t)
	f.commitPart(dropped(t, eventPart(partOf("a", at(time.Hour), 3), 0)))
	f.commitPart(quarantined(t, eventPart(partOf("a", at(time.Hour), 4, 3), 1)))
	f.memory.setErr = errDisk
	receipt := accepted(t, eventPart(partOf("b", at(time.Hour), 3), numbers(5, 500)...))
	require.ErrorIs(t, f.Commit(t.Context(), receipt, CommitTime{}), errDisk)
	f.memory.setErr = nil
	for _, n := range []int{0, 1, 5} {
		assert.False(t, f.known(n))
	}
	f.commitPart(receipt)
	assert.True(t, f.known(5))
	assert.True(t, f.known(499))
}

// Fault 39: content A, then B, then A again under one id. When the first block is
// forgotten, the younger A is still known, and so is B.
func TestForgettingKeepsYoungerEntry(t *testing.T) {
	for _, restart := range []bool{false, true} {
		f := live(t)
		a := event(nil, 0)
		b := deliver.Event{ID: a.ID, Content: a.Content + 1}
		deliverAt := func(hour int, e deliver.Event) {
			part := partOf(fmt.Sprint("conflict-", hour), at(time.Duration(hour)*time.Hour+time.Minute), 0)
			part.Events = []deliver.Event{e}
			f.commitPart(accepted(t, part))
		}
		f.send(0, 10) // A and others: one block
		require.Len(t, f.current().Events.Blocks, 1)
		deliverAt(20, b)
		deliverAt(21, a)
		f.send(22, 32)
		if restart {
			f.reload()
		}
		f.send(32, 36)
		require.False(t, f.known(1), "the first block is still there")
		for _, e := range []deliver.Event{a, b} {
			known, same := f.SeenEvent(e)
			assert.True(t, known && same)
		}
		f.send(100, 120)
		for _, e := range []deliver.Event{a, b} {
			known, _ := f.SeenEvent(e)
			assert.False(t, known, "the younger entries have aged")
		}
		assert.Empty(t, f.events.more)
	}
}

// Events are forgotten when their files are a window earlier than the file in delivery, a
// block at a time and never early.
func TestEventsAge(t *testing.T) {
	f := live(t)
	most := 0
	for hour := range 1000 {
		f.send(hour, hour+1)
		for back := range min(hour, 24) {
			require.True(t, f.known(10*(hour-back)), "hour %d forgot hour %d", hour, hour-back)
		}
		most = max(most, len(f.memory.data))
	}
	assert.False(t, f.known(0))
	assert.LessOrEqual(t, f.events.used, 24*10+2*100)
	assert.LessOrEqual(t, most, 12)
	assert.Zero(t, f.Evicted())
	f.reload()
	assert.True(t, f.known(9999))
	assert.False(t, f.known(0))
}

// Events that are too many are forgotten before their time, the oldest first, and
// counted.
func TestEventsAreBounded(t *testing.T) {
	set := Settings{Window: 10_000 * time.Hour, MaxEvents: 800}
	f := newFixture(t, Bounds{Floor: floor}, set)
	f.send(0, 500)
	assert.LessOrEqual(t, f.events.used, set.MaxEvents+100)
	assert.Greater(t, f.events.used, set.MaxEvents-100, "more forgotten than needed")
	assert.Equal(t, 5000-f.events.used, f.Evicted())
	for n := range 5000 {
		assert.Equal(t, n >= 5000-f.events.used, f.known(n), n)
	}
	set.MaxEvents = 80
	f.loadWith(set)
	f.send(500, 501)
	assert.LessOrEqual(t, f.events.used, 80+100+10)
	assert.True(t, f.known(5009))
	f.requireNoLeftovers()
}

// History and live take turns: each block ages by its own times.
func TestEventsOfTwoSegments(t *testing.T) {
	f := newFixture(t, Bounds{Floor: floor, LiveFrom: at(500 * time.Hour)}, daySettings)
	for turn := range 30 {
		f.send(turn, turn+1)
		f.send(600+turn, 601+turn)
	}
	for turn := 10; turn < 30; turn++ {
		assert.True(t, f.known(10*turn))
		assert.True(t, f.known(10*(600+turn)))
	}
}

// Without a window nothing is remembered, and what was is forgotten.
func TestNoWindow(t *testing.T) {
	f := live(t)
	f.send(0, 50)
	f.loadWith(Settings{MaxEvents: 800})
	f.send(50, 60)
	assert.False(t, f.known(500))
	for key := range f.memory.data {
		assert.NotContains(t, key, "/"+eventsKind+"/")
	}
}

// Blocks that cannot be deleted fail no commit, and go with the next one.
func TestDeleteFails(t *testing.T) {
	f := live(t)
	f.memory.deleteErr = errDisk
	f.send(0, 200)
	assert.False(t, f.known(0))
	assert.True(t, f.known(1999))
	f.memory.deleteErr = nil
	f.send(200, 201)
	f.requireNoLeftovers()
	f.reload()
	assert.False(t, f.known(0))
	assert.True(t, f.known(1999))
}

// A block of a commit that failed is deleted by the next commit.
func TestAbandonedBlocks(t *testing.T) {
	f := live(t)
	f.send(0, 9)
	f.memory.failAfter = f.memory.calls + 2 // the block is written, the checkpoint is not
	require.Error(t, f.Commit(t.Context(), accepted(t, eventPart(partOf("a", at(10*time.Hour), 0), numbers(90, 120)...)), CommitTime{}))
	assert.False(t, f.known(90))
	f.send(50, 55)
	f.requireNoLeftovers()
}

// A checkpoint whose blocks are missing or changed is refused.
func TestBadBlocks(t *testing.T) {
	f := live(t)
	f.send(0, 300)
	f.enqueue(whole("bad", at(time.Hour)))
	kinds := map[string]bool{}
	for key := range blocksNamed(f.Stream) {
		parts := strings.Split(strings.TrimPrefix(key, testKey+"/"), "/")
		if len(parts) < 3 {
			continue
		}
		kinds[parts[1]] = true
		for name, spoil := range map[string]func([]byte) []byte{
			"missing": func([]byte) []byte { return nil },
			"changed": func(data []byte) []byte { data[17] ^= 0x80; return data },
			"cut":     func(data []byte) []byte { return data[:len(data)-1] },
			"empty":   func([]byte) []byte { return []byte{} },
		} {
			m := f.memory.clone()
			if m.data[key] = spoil(m.data[key]); name == "missing" {
				delete(m.data, key)
			}
			before := m.clone()
			s, err := Load(t.Context(), m, testKey, daySettings)
			require.ErrorIs(t, err, ErrCorrupt, "%s %s", name, key)
			require.ErrorContains(t, err, key)
			assert.Nil(t, s)
			assert.Equal(t, before.data, m.data, "a refused checkpoint is left as it is")
		}
	}
	assert.Len(t, kinds, 3)
}

// The table agrees with a plain count of entries, whatever is added and removed.
func TestEventTable(t *testing.T) {
	for seed := range uint64(20) {
		rng := rand.New(rand.NewPCG(seed, 1))
		var table seenEvents
		counts := map[deliver.Event]int{}
		var added []deliver.Event
		ids := 1 + rng.IntN(2000)
		pick := func() deliver.Event {
			id := uint64(rng.IntN(ids)) + 1
			if seed%2 == 0 { // home slots all over the table, else all in the first
				id *= 0x9e3779b97f4a7c15
			}
			return deliver.Event{ID: id, Content: rng.Uint64N(3)}
		}
		for range 20_000 {
			if rng.IntN(5) < 3 || len(added) == 0 {
				e := pick()
				table.add([]deliver.Event{e})
				counts[e]++
				added = append(added, e)
			} else { // the oldest, as blocks go
				e := added[0]
				added = added[1:]
				table.remove([]deliver.Event{e})
				if counts[e]--; counts[e] == 0 {
					delete(counts, e)
				}
			}
			e := pick()
			known, same := table.find(e)
			require.Equal(t, counts[e] > 0, same)
			require.Equal(t, counts[deliver.Event{ID: e.ID, Content: 0}]+counts[deliver.Event{ID: e.ID, Content: 1}]+counts[deliver.Event{ID: e.ID, Content: 2}] > 0, known)
		}
		table.remove(added)
		require.Zero(t, table.used)
		require.Empty(t, table.more)
		require.False(t, slices.ContainsFunc(table.slots, func(e deliver.Event) bool { return e != deliver.Event{} }))
	}
}

// One id for all events is no trouble, and neither is an id of 0.
func TestOneIDForAll(t *testing.T) {
	var table seenEvents
	var events []deliver.Event
	for n := range uint64(200_000) {
		events = append(events, deliver.Event{ID: 0, Content: n})
	}
	table.add(events)
	assert.Equal(t, 1, table.used)
	for _, e := range events {
		known, same := table.find(e)
		require.True(t, known && same)
	}
	table.remove(events[:199_999])
	known, same := table.find(events[199_999])
	assert.True(t, known && same)
	_, same = table.find(events[0])
	assert.False(t, same)
}
