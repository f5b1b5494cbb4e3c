// Copyright The OpenTelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package sysmem

import (
	"sync"
	"weak"
)

// headroom is a part of the heap that nobody writes to, so that it takes none of the
// system's memory, but for a moment where the runtime clears what was in use before.
// The garbage collector begins anew when the heap has grown to twice what was in use.
// With a few MB in use it would spend a quarter of the processor time on looking
// through the same records again and again; with this part in use it begins less than
// half as often.
//
// It is there while files are on their way, once for the process, whose heap it is. What
// others make outside of the heap leaves less of it, so that both together take the same.
type headroom struct {
	mu    sync.Mutex // guards everything below
	users int
	// pieces are nil from some index on, all of them without users.
	pieces [maxPieces]*piece
	// last is where each was: it may still be there, and is used again then.
	last [maxPieces]weak.Pointer[piece]
}

// piece is as large as the steps in which the headroom grows and shrinks.
type piece [4 << 20]byte

const (
	maxPieces = 4
	minPieces = 2
	// together is what headroom and all that was made share, in bytes.
	together = 24 << 20
)

var processHeadroom headroom

// hold keeps the headroom until as many calls of drop.
func (h *headroom) hold() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.users++
	h.fitLocked()
}

// fit makes the headroom as large as it may be now.
func (h *headroom) fit() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.fitLocked()
}

// drop leaves the headroom to the garbage collector after the last user.
func (h *headroom) drop() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.users--
	h.fitLocked()
}

func (h *headroom) fitLocked() {
	want := 0
	if h.users > 0 {
		want = min(max(int(together-made.Load())/len(piece{}), minPieces), maxPieces)
	}
	for i := range h.pieces {
		switch {
		case i >= want:
			h.pieces[i] = nil
		case h.pieces[i] == nil:
			h.pieces[i] = h.pieceLocked(i)
		}
	}
}

// pieceLocked is the piece that was there last, or a new one.
func (h *headroom) pieceLocked(i int) *piece {
	if last := h.last[i].Value(); last != nil {
		return last
	}
	fresh := new(piece)
	untouch(fresh[:]) // the runtime clears what was in use before
	h.last[i] = weak.Make(fresh)
	return fresh
}
