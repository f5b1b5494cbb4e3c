// Copyright The OpenTelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package sysmem

import (
	"math/bits"
	"slices"
	"sync"
)

// Rooms are pieces of memory that are used again and again while others are in use,
// for things of nearly one size, as the files of a backlog are: the system clears new
// memory, which takes as long as to read a file into it. There are never more of them
// than were in use at once, and none when none is in use.
//
// Whoever takes a room is its only owner until it is given back, and must not look
// into it afterwards. While a room is in use the process has its headroom. The zero
// value is ready for use, by several goroutines.
type Rooms struct {
	mu    sync.Mutex // guards everything below
	inUse int        // bytes
	free  [][]byte
}

// leastRoom is the size of the smallest.
const leastRoom = 64 << 10

// roomSize is a step above size, an eighth of the next power of two, so that things of
// nearly one size fit. What is not written to takes no memory of the system.
func roomSize(size int) int {
	step := max(leastRoom, 1<<bits.Len(uint(max(size, 1)-1))/8)
	return (size + step - 1) / step * step
}

// Take returns a room of at least so many bytes, one at least.
func (r *Rooms) Take(size int) []byte {
	size = roomSize(max(size, 1))
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.inUse == 0 {
		processHeadroom.hold()
	} else {
		processHeadroom.fit()
	}
	r.inUse += size
	if at := slices.IndexFunc(r.free, func(room []byte) bool { return len(room) == size }); at >= 0 {
		room := r.free[at]
		r.free = slices.Delete(r.free, at, at+1)
		return room
	}
	r.clearLocked()
	return allocate[byte](size)
}

// Give ends the use of a room.
func (r *Rooms) Give(room []byte) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.inUse -= len(room)
	if spoil {
		overwrite(room)
	}
	r.free = append(r.free, room)
	if r.inUse == 0 {
		r.clearLocked()
		processHeadroom.drop()
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
func (r *Rooms) clearLocked() {
	for _, room := range r.free {
		free(room)
	}
	r.free = nil
}
