// Copyright The OpenTelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package sysmem

import (
	"testing"

	"github.com/stretchr/testify/assert"
)

const mib = 1 << 20

// TestRooms: a room is large enough and belongs to one owner; it is used again for
// the same size while others are in use; none is kept beside a new one of another
// size, or when none is in use.
func TestRooms(t *testing.T) {
	var r Rooms
	first, second := r.Take(mib+1), r.Take(2*mib)
	assert.Len(t, first, 2*mib)
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
