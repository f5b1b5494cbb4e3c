// Copyright The OpenTelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package sysmem

import (
	"sync"
	"weak"
)

// headroom is a piece of the heap that nobody writes to, so that it takes none of the
// system's memory, but for a moment where the runtime clears what was in use before.
// The garbage collector begins anew when the heap has grown to twice what was in use.
// With a few MB in use it would spend a quarter of the processor time on looking
// through the same records again and again; with this piece in use it begins less than
// half as often.
//
// It is there while files are on their way, once for the process, whose heap it is.
type headroom struct {
	mu    sync.Mutex // guards everything below
	users int
	held  *[headroomSize]byte // nil without users
	// last is where it was held: it may still be there, and is used again then.
	last weak.Pointer[[headroomSize]byte]
}

// headroomSize is by how much more the heap may grow, in bytes.
const headroomSize = 8 << 20

var processHeadroom headroom

// hold keeps the headroom until as many calls of drop.
func (h *headroom) hold() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.users++
	if h.held != nil {
		return
	}
	if h.held = h.last.Value(); h.held == nil {
		h.held = new([headroomSize]byte)
		untouch(h.held[:]) // the runtime clears what was in use before
		h.last = weak.Make(h.held)
	}
}

// drop leaves the headroom to the garbage collector after the last user.
func (h *headroom) drop() {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.users--; h.users == 0 {
		h.held = nil
	}
}
