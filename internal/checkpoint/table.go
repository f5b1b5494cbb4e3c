// Copyright The OpenTelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package checkpoint

import (
	"math/bits"

	"github.com/openaicompliance/openaicompliancereceiver/internal/sysmem"
)

// table holds entries by their hash, outside of Go's heap. A million of them take 19
// to 23 MB, and most are found with a look at one or two memory lines.
//
// The hash tells the slot where an entry would like to be, in ascending order. One
// that finds its slot taken goes to a later one, with no free slot between the two,
// and all entries lie in the order of their hashes. So a search ends at the first
// that is greater. 0 marks a free slot: what is stored under it counts as 1.
type table struct {
	slots []entry
	homes int // how many slots an entry may like; those behind them are for the displaced
	n     int
}

// What a small table begins with: slots to like, and slots for the displaced.
const (
	tableLeast = 200
	tableSpare = 56
)

// slotHash spreads hashes that are near each other: the product with an odd number is
// another one for each.
func slotHash(hash uint64) uint64 { return max(hash*spread, 1) }

// spread is 2^64 divided by the golden ratio, as of Fibonacci hashing.
const spread = 0x9e3779b97f4a7c15

// home is the slot where an entry would like to be.
func (t *table) home(hash uint64) int {
	at, _ := bits.Mul64(hash, uint64(t.homes)) //nolint:gosec // a length
	return int(at)                             //nolint:gosec // less than homes
}

// find returns the slot that holds a hash, or where it would have to be.
func (t *table) find(hash uint64) (at int, ok bool) {
	for at = t.home(hash); at < len(t.slots) && t.slots[at].hash != 0 && t.slots[at].hash < hash; at++ {
	}
	return at, at < len(t.slots) && t.slots[at].hash == hash
}

// get returns the value of a hash.
func (t *table) get(hash uint64) (value uint64, ok bool) {
	at, ok := t.find(slotHash(hash))
	if !ok {
		return 0, false
	}
	return t.slots[at].value, true
}

// put sets the value of a hash.
func (t *table) put(hash, value uint64) {
	hash = slotHash(hash)
	at, ok := t.find(hash)
	if ok {
		t.slots[at].value = value
		return
	}
	if t.n*6 >= t.homes*5 {
		t.grow()
		at, _ = t.find(hash)
	}
	t.insert(at, entry{hash, value})
	t.n++
}

// insert moves those from a slot on, up to the next free one, back by one.
func (t *table) insert(at int, e entry) {
	free := at
	for free < len(t.slots) && t.slots[free].hash != 0 {
		free++
	}
	if free == len(t.slots) {
		t.resize(t.homes, len(t.slots)-t.homes+tableSpare)
	}
	if free > at {
		copy(t.slots[at+1:free+1], t.slots[at:free])
	}
	t.slots[at] = e
}

// grow makes a table a fifth larger; put calls it at five sixths.
func (t *table) grow() { t.resize(max(tableLeast, t.homes+t.homes/5), tableSpare) }

// resize puts the entries in slots of other numbers, more of them to spare if need
// be.
func (t *table) resize(homes, spare int) {
	old := t.slots
	t.homes, t.slots = homes, sysmem.Make[entry](homes+spare)
	next := 0
	for _, e := range old {
		if e.hash == 0 {
			continue
		}
		if next = max(next, t.home(e.hash)); next == len(t.slots) {
			sysmem.Free(t.slots)
			t.slots = old
			t.resize(homes, 2*spare)
			return
		}
		t.slots[next] = e
		next++
	}
	sysmem.Free(old)
}

// release gives the memory back and leaves the table empty.
func (t *table) release() {
	sysmem.Free(t.slots)
	*t = table{}
}

// remove takes out a hash if it has this value, and moves those forward that found
// their slot taken.
func (t *table) remove(hash, value uint64) {
	at, ok := t.find(slotHash(hash))
	if !ok || t.slots[at].value != value {
		return
	}
	end := at + 1
	for end < len(t.slots) && t.slots[end].hash != 0 && t.home(t.slots[end].hash) < end {
		end++
	}
	copy(t.slots[at:end-1], t.slots[at+1:end])
	t.slots[end-1] = entry{}
	t.n--
}
