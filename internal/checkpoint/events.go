// Copyright The OpenTelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package checkpoint

import (
	"encoding/binary"
	"math/bits"
	"slices"
	"time"

	"github.com/openaicompliance/openaicompliancereceiver/internal/deliver"
)

// eventBlock is how many events make a block, at most. A small window has small ones,
// since events are forgotten a block at a time.
const eventBlock = 2048

func appendEvents(data []byte, events []deliver.Event) []byte {
	data = slices.Grow(data, len(events)*eventEntry)
	for _, e := range events {
		data = binary.LittleEndian.AppendUint64(data, e.ID)
		data = binary.LittleEndian.AppendUint64(data, e.Content)
	}
	return data
}

func parseEvents(data []byte) []deliver.Event {
	events := make([]deliver.Event, len(data)/eventEntry)
	for i := range events {
		entry := data[i*eventEntry:]
		events[i] = deliver.Event{ID: binary.LittleEndian.Uint64(entry), Content: binary.LittleEndian.Uint64(entry[8:])}
	}
	return events
}

// remember adds the accepted events of a file that ended at end. The tail becomes a
// block when it is full, and also before it would span more file time than the window:
// history and live files take turns, and each block ages by its own times.
func (d *draft) remember(events []deliver.Event, end time.Time) {
	if d.set.Window == 0 || len(events) == 0 {
		return
	}
	at, span := end.UnixMicro(), d.set.Window.Microseconds()
	if len(d.Events.Tail) > 0 && (at > d.Events.TailTimes.Since+span || at < d.Events.TailTimes.Until-span) {
		d.sealEvents()
	}
	d.Events = d.Events.appended(end, appendEvents(nil, events))
	if len(d.Events.Tail) >= max(1, min(eventBlock, d.set.MaxEvents/8))*eventEntry {
		d.sealEvents()
	}
	d.seen = events
}

func (d *draft) sealEvents() {
	d.Events = d.Events.sealed(d.writeBlock(eventsKind, d.Events.Tail), eventEntry)
}

// ageEvents forgets the blocks that are further than the window from every file still to
// come, and the oldest blocks while they hold more than MaxEvents.
func (d *draft) ageEvents() {
	segments := d.segments()
	d.Events, d.agedEvents = d.Events.without(func(ref blockRef) bool {
		return !slices.ContainsFunc(segments, func(seg Segment) bool { return d.reaches(seg, ref.Times) })
	})
	count := 0
	for _, ref := range d.Events.Blocks {
		count += ref.Count
	}
	n := 0
	for ; n < len(d.Events.Blocks) && count > d.set.MaxEvents; n++ {
		count -= d.Events.Blocks[n].Count
	}
	crowded := d.Events.Blocks[:n]
	d.Events.Blocks = d.Events.Blocks[n:]
	for _, ref := range crowded {
		d.evicted += ref.Count
	}
	d.agedEvents = slices.Concat(d.agedEvents, crowded)
}

// reaches reports whether the window of a file that the segment still delivers may hold
// events of these times.
func (d *draft) reaches(seg Segment, times timeRange) bool {
	span := d.set.Window.Microseconds()
	return d.set.Window > 0 && seg.Cursor.UnixMicro() <= times.Until+span && (seg.To.IsZero() || seg.To.UnixMicro() >= times.Since-span)
}

// seenEvents holds the seen events. Its zero value is empty.
//
// Nearly all ids have one content, so the table has one slot per id: linear probing, at
// most four fifths full. All further entries of an id are in more. An entry that is there
// twice is forgotten once its second block is.
type seenEvents struct {
	slots []deliver.Event // ID 0 is a free slot; an id of 0 counts as 1
	used  int
	more  map[uint64]map[uint64]int // id, content: entries besides the one in the slot
}

func slotID(id uint64) uint64 { return max(id, 1) }

// home is the slot where the search for an id begins.
func (t *seenEvents) home(id uint64) int {
	at, _ := bits.Mul64(id, uint64(len(t.slots)))
	return int(at) //nolint:gosec // less than the number of slots
}

// slot returns the slot of an id, or the free slot where it would be.
func (t *seenEvents) slot(id uint64) (at int, ok bool) {
	for at = t.home(id); t.slots[at].ID != 0; at = t.after(at) {
		if t.slots[at].ID == id {
			return at, true
		}
	}
	return at, false
}

func (t *seenEvents) after(at int) int {
	if at++; at == len(t.slots) {
		return 0
	}
	return at
}

// find reports whether the id is known, and whether it is with this content.
func (t *seenEvents) find(e deliver.Event) (known, same bool) {
	if t.used == 0 {
		return false, false
	}
	id := slotID(e.ID)
	at, ok := t.slot(id)
	return ok, ok && (t.slots[at].Content == e.Content || t.more[id][e.Content] > 0)
}

func (t *seenEvents) add(events []deliver.Event) {
	for _, e := range events {
		t.addOne(deliver.Event{ID: slotID(e.ID), Content: e.Content})
	}
}

func (t *seenEvents) addOne(e deliver.Event) {
	if 5*t.used >= 4*len(t.slots) {
		t.grow()
	}
	at, ok := t.slot(e.ID)
	if !ok {
		t.slots[at] = e
		t.used++
		return
	}
	if t.more == nil {
		t.more = map[uint64]map[uint64]int{}
	}
	if t.more[e.ID] == nil {
		t.more[e.ID] = map[uint64]int{}
	}
	t.more[e.ID][e.Content]++
}

func (t *seenEvents) grow() {
	old := t.slots
	t.slots = make([]deliver.Event, max(256, len(old)+len(old)/4))
	for _, e := range old {
		if e.ID != 0 {
			at, _ := t.slot(e.ID)
			t.slots[at] = e
		}
	}
}

func (t *seenEvents) remove(events []deliver.Event) {
	for _, e := range events {
		t.removeOne(deliver.Event{ID: slotID(e.ID), Content: e.Content})
	}
}

func (t *seenEvents) removeOne(e deliver.Event) {
	if t.used == 0 {
		return
	}
	at, ok := t.slot(e.ID)
	switch {
	case !ok:
	case t.more[e.ID][e.Content] > 0:
		t.takeMore(e)
	case t.slots[at].Content != e.Content:
	case len(t.more[e.ID]) > 0: // another content of the id takes the slot
		for content := range t.more[e.ID] {
			t.slots[at].Content = content
			break
		}
		t.takeMore(t.slots[at])
	default:
		t.free(at)
	}
}

// takeMore removes an entry from more.
func (t *seenEvents) takeMore(e deliver.Event) {
	contents := t.more[e.ID]
	if contents[e.Content]--; contents[e.Content] == 0 {
		delete(contents, e.Content)
	}
	if len(contents) == 0 {
		delete(t.more, e.ID)
	}
}

// free empties a slot and moves those after it back whose search passes it.
func (t *seenEvents) free(hole int) {
	for at := t.after(hole); t.slots[at].ID != 0; at = t.after(at) {
		if t.distance(t.home(t.slots[at].ID), at) >= t.distance(hole, at) {
			t.slots[hole], hole = t.slots[at], at
		}
	}
	t.slots[hole] = deliver.Event{}
	t.used--
}

// distance in slots from one to another, in the direction of the search.
func (t *seenEvents) distance(from, to int) int {
	if to < from {
		to += len(t.slots)
	}
	return to - from
}
