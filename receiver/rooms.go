// Copyright The OpenTelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package receiver

import (
	"slices"
	"sync"

	"github.com/openaicompliance/openaicompliancereceiver/internal/sysmem"
)

// rooms are the memory that files are held in while they are downloaded and
// delivered, outside of Go's heap. They are used again while others are in use, for
// files of nearly one size, as those of a backlog are: the system clears new memory,
// which takes as long as to read a file into it. There are never more of them than
// were in use at once.
//
// Whoever takes a room is its only owner until it is given back, and must not look
// into it afterwards.
type rooms struct {
	mu    sync.Mutex // guards everything below
	inUse int        // bytes
	free  [][]byte
}

// roomUnit is the step of rooms' sizes, so that files of nearly one size fit.
const roomUnit = 1 << 20

// take returns a room of at least so many bytes.
func (r *rooms) take(size int) []byte {
	size = (size + roomUnit - 1) / roomUnit * roomUnit
	r.mu.Lock()
	defer r.mu.Unlock()
	r.inUse += size
	if at := slices.IndexFunc(r.free, func(room []byte) bool { return len(room) == size }); at >= 0 {
		room := r.free[at]
		r.free = slices.Delete(r.free, at, at+1)
		return room
	}
	r.clearLocked()
	return sysmem.Make[byte](size)
}

// give ends the use of a room.
func (r *rooms) give(room []byte) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.inUse -= len(room)
	if spoil {
		overwrite(room)
	}
	r.free = append(r.free, room)
	if r.inUse == 0 {
		r.clearLocked()
	}
}

// overwrite lets nobody find what was in a room.
func overwrite(room []byte) {
	room[0] = 0xdb
	for n := 1; n < len(room); n *= 2 {
		copy(room[n:], room[:n])
	}
}

// clearLocked gives the free rooms back to the system.
func (r *rooms) clearLocked() {
	for _, room := range r.free {
		sysmem.Free(room)
	}
	r.free = nil
}
