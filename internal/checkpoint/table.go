// Copyright The OpenTelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package checkpoint

import (
	"math/bits"

	"github.com/openaicompliance/openaicompliancereceiver/internal/sysmem"
)

// table holds entries by their hash, outside of Go's heap. A million of them with
// values of four bytes take 14 to 17 MB, and most are found with a look at one or two
// memory lines.
//
// The hash tells the slot where an entry would like to be, in ascending order. One
// that finds its slot taken goes to a later one, with no free slot between the two,
// and all entries lie in the order of their hashes. So a search ends at the first
// that is greater. 0 marks a free slot: what is stored under it counts as 1.
type table[V value] struct {
	hashes []uint64
	values []V // of the hash in the same slot
	homes  int // how many slots an entry may like; those behind them are for the displaced
	n      int
}

// value is what belongs to a hash.
type value interface{ uint32 | uint64 }

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
func (t *table[V]) home(hash uint64) int {
	at, _ := bits.Mul64(hash, uint64(t.homes)) //nolint:gosec // a length
	return int(at)                             //nolint:gosec // less than homes
}

// find returns the slot that holds a hash, or where it would have to be.
func (t *table[V]) find(hash uint64) (at int, ok bool) {
	for at = t.home(hash); at < len(t.hashes) && t.hashes[at] != 0 && t.hashes[at] < hash; at++ {
	}
	return at, at < len(t.hashes) && t.hashes[at] == hash
}

// get returns the value of a hash.
func (t *table[V]) get(hash uint64) (value V, ok bool) {
	at, ok := t.find(slotHash(hash))
	if !ok {
		return 0, false
	}
	return t.values[at], true
}

// put sets the value of a hash.
func (t *table[V]) put(hash uint64, value V) {
	hash = slotHash(hash)
	at, ok := t.find(hash)
	if ok {
		t.values[at] = value
		return
	}
	if t.n*6 >= t.homes*5 {
		t.grow()
		at, _ = t.find(hash)
	}
	t.insert(at, hash, value)
	t.n++
}

// insert moves those from a slot on, up to the next free one, back by one.
func (t *table[V]) insert(at int, hash uint64, value V) {
	free := at
	for free < len(t.hashes) && t.hashes[free] != 0 {
		free++
	}
	if free == len(t.hashes) {
		t.resize(t.homes, len(t.hashes)-t.homes+tableSpare)
	}
	if free > at {
		copy(t.hashes[at+1:free+1], t.hashes[at:free])
		copy(t.values[at+1:free+1], t.values[at:free])
	}
	t.hashes[at], t.values[at] = hash, value
}

// grow makes a table a fifth larger; put calls it at five sixths.
func (t *table[V]) grow() { t.resize(max(tableLeast, t.homes+t.homes/5), tableSpare) }

// resize puts the entries in slots of other numbers, more of them to spare if need
// be.
func (t *table[V]) resize(homes, spare int) {
	old := *t
	t.homes, t.hashes, t.values = homes, sysmem.Make[uint64](homes+spare), sysmem.Make[V](homes+spare)
	next := 0
	for at, hash := range old.hashes {
		if hash == 0 {
			continue
		}
		if next = max(next, t.home(hash)); next == len(t.hashes) {
			t.release()
			*t = old
			t.resize(homes, 2*spare)
			return
		}
		t.hashes[next], t.values[next] = hash, old.values[at]
		next++
	}
	old.release()
}

// release gives the memory back and leaves the table empty.
func (t *table[V]) release() {
	sysmem.Free(t.hashes)
	sysmem.Free(t.values)
	*t = table[V]{}
}

// remove takes out a hash if it has this value, and moves those forward that found
// their slot taken.
func (t *table[V]) remove(hash uint64, value V) {
	at, ok := t.find(slotHash(hash))
	if !ok || t.values[at] != value {
		return
	}
	end := at + 1
	for end < len(t.hashes) && t.hashes[end] != 0 && t.home(t.hashes[end]) < end {
		end++
	}
	copy(t.hashes[at:end-1], t.hashes[at+1:end])
	copy(t.values[at:end-1], t.values[at+1:end])
	t.hashes[end-1] = 0
	t.n--
}
