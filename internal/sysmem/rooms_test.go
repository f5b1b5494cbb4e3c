// Copyright The OpenTelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package sysmem

import (
	"testing"

	"github.com/stretchr/testify/assert"
)

const mib = 1 << 20

// TestRoomSize: a room is as large as asked for and at most a quarter larger, the
// smallest aside.
func TestRoomSize(t *testing.T) {
	assert.Equal(t, leastRoom, roomSize(1))
	for size := leastRoom; size < 200*mib; size += size/7 + 1 {
		assert.GreaterOrEqual(t, roomSize(size), size)
		assert.LessOrEqual(t, roomSize(size), size+max(size/4, leastRoom), size)
	}
	assert.Equal(t, roomSize(14_900_000), roomSize(15_020_000), "files of nearly one size")
}

// TestRooms: a room is large enough and belongs to one owner; it is used again for
// the same size while others are in use; none is kept beside a new one of another
// size, or when none is in use.
func TestRooms(t *testing.T) {
	var r Rooms
	first, second := r.Take(mib+1), r.Take(2*mib)
	assert.Len(t, first, mib+mib/4)
	assert.Len(t, second, 2*mib)
	first[0], second[0] = 1, 2
	assert.Equal(t, byte(1), first[0], "two owners of one room")

	at := &second[0]
	r.Give(second)
	again := r.Take(2*mib - 1)
	assert.Same(t, at, &again[0], "a free room of this size was not used again")

	r.Give(again)
	large := r.Take(3 * mib)
	assert.Len(t, large, 3*mib)
	assert.Empty(t, r.free, "a free room beside a new one")
	r.Give(large)
	assert.Len(t, r.free, 1)
	r.Give(first)
	assert.Empty(t, r.free, "free rooms kept while nothing is in use")
	assert.Zero(t, r.inUse)
}

// TestRoomsHaveHeadroom: the process holds it for whoever has a room in use, and for no
// longer.
func TestRoomsHaveHeadroom(t *testing.T) {
	users := func() int {
		processHeadroom.mu.Lock()
		defer processHeadroom.mu.Unlock()
		assert.Equal(t, processHeadroom.users > 0, processHeadroom.pieces[0] != nil)
		return processHeadroom.users
	}
	var one, other Rooms
	first, second, third := one.Take(1), one.Take(1), other.Take(1)
	assert.Equal(t, 2, users())
	one.Give(first)
	assert.Equal(t, 2, users(), "given up beside a room in use")
	one.Give(second)
	assert.Equal(t, 1, users())
	one.Give(one.Take(1))
	other.Give(third)
	assert.Zero(t, users())
}
