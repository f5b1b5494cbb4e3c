// Copyright The OpenTelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package limit

import (
	"cmp"
	"slices"
	"time"
)

// EvictAfter is how long memory stays with a grant without progress before it may
// be taken for another download.
const EvictAfter = 30 * time.Second

// Grant is what one download holds: a slot until the download has ended, and memory
// until its file is delivered. Its methods are safe for concurrent use.
type Grant struct {
	downloads *Downloads

	// Guarded by the mutex of downloads.
	memory   int64
	slots    int
	turn     int
	progress time.Time
	onEvict  func() // nil when its memory cannot be taken
	evicted  bool
}

// Downloaded gives the slot back and counts as progress. Further calls do nothing.
func (g *Grant) Downloaded() {
	d := g.downloads
	d.mu.Lock()
	defer d.mu.Unlock()
	if g.slots == 0 {
		return
	}
	g.progress = time.Now()
	g.giveSlotLocked()
	d.dispatchLocked()
}

// Release gives back all that is still held. Further calls do nothing.
func (g *Grant) Release() {
	d := g.downloads
	d.mu.Lock()
	defer d.mu.Unlock()
	g.releaseLocked()
	d.dispatchLocked()
}

func (g *Grant) releaseLocked() {
	g.giveSlotLocked()
	g.downloads.memory += g.memory
	g.memory = 0
	g.downloads.removeHeldLocked(g)
}

func (g *Grant) giveSlotLocked() {
	g.downloads.slots += g.slots
	g.slots = 0
}

// Progress keeps the memory from eviction for Settings.EvictAfter from now.
func (g *Grant) Progress() {
	g.downloads.mu.Lock()
	defer g.downloads.mu.Unlock()
	g.progress = time.Now()
}

// SetTurn sets how far the file is from its delivery: 0 in delivery, 1 the next, and
// so on. Without a call it is the farthest.
func (g *Grant) SetTurn(turn int) {
	g.downloads.mu.Lock()
	defer g.downloads.mu.Unlock()
	g.turn = turn
}

// OnEvict lets the memory be taken; without it, or with nil, it never is. drop is
// called at most once, in a separate goroutine and without locks of this package
// held. It must let go of the bytes before it returns. If the memory was taken just
// before Release, drop may run after Release has returned.
func (g *Grant) OnEvict(drop func()) {
	d := g.downloads
	d.mu.Lock()
	defer d.mu.Unlock()
	g.onEvict = drop
	d.dispatchLocked()
}

// Evicted reports whether the memory was taken: drop was called or is about to be.
func (g *Grant) Evicted() bool {
	g.downloads.mu.Lock()
	defer g.downloads.mu.Unlock()
	return g.evicted
}

// evictLocked takes the memory and returns what lets go of the bytes, to be called
// without locks. The memory is free only when that has returned.
func (g *Grant) evictLocked() (letGo func()) {
	d, bytes, drop := g.downloads, g.memory, g.onEvict
	g.evicted, g.memory = true, 0
	d.evicting += bytes
	d.removeHeldLocked(g)
	return func() {
		drop()
		d.mu.Lock()
		defer d.mu.Unlock()
		d.evicting -= bytes
		d.memory += bytes
		d.dispatchLocked()
	}
}

// chooseVictims returns the grants to evict so that bytes become free: of those
// without progress for the idle time the farthest from delivery, as many as needed, and
// none if all are not enough. Then again is when there is one more; zero if never.
func chooseVictims(held []*Grant, bytes int64, now time.Time, idle time.Duration) (victims []*Grant, again time.Time) {
	var evictable []*Grant
	var sum int64
	for _, g := range held {
		at := g.progress.Add(idle)
		switch {
		case g.onEvict == nil:
		case !at.After(now):
			evictable = append(evictable, g)
			sum += g.memory
		case again.IsZero() || at.Before(again):
			again = at
		}
	}
	if sum < bytes {
		return nil, again
	}
	slices.SortStableFunc(evictable, func(a, b *Grant) int {
		return cmp.Or(cmp.Compare(b.turn, a.turn), a.progress.Compare(b.progress))
	})
	for n, g := range evictable {
		if bytes -= g.memory; bytes <= 0 {
			return evictable[:n+1], time.Time{}
		}
	}
	return evictable, time.Time{}
}
