// Copyright The OpenTelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package sysmem

import (
	"runtime"
	"testing"

	"github.com/stretchr/testify/assert"
)

const pieceSize = 4 * mib

// heapInUse is what the garbage collector finds in use.
func heapInUse() int64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

// TestHeadroom: the collector sees the headroom while there is a user, and none when
// there is none; a user who comes before it was collected has the same again.
func TestHeadroom(t *testing.T) {
	var h headroom
	idle := heapInUse()
	h.hold()
	h.hold()
	first := h.pieces
	assert.InDelta(t, idle+maxPieces*pieceSize, heapInUse(), mib)
	h.drop()
	assert.Equal(t, first, h.pieces, "given up beside a user")
	h.drop()
	h.hold()
	assert.Equal(t, first, h.pieces, "a second one beside the first")
	first = [maxPieces]*piece{}
	h.drop()
	assert.Equal(t, first, h.pieces)
	assert.InDelta(t, idle, heapInUse(), mib)
	h.hold()
	assert.InDelta(t, idle+maxPieces*pieceSize, heapInUse(), mib, "none after the first was collected")
	h.drop()
}

// TestHeadroomMakesRoom: the more was made outside of the heap the less headroom there
// is, down to what remains in any case; what was given back counts no more.
func TestHeadroomMakesRoom(t *testing.T) {
	var h headroom
	h.hold()
	defer h.drop()
	idle := heapInUse() - maxPieces*pieceSize
	for _, tt := range []struct{ made, pieces int64 }{{7 * mib, 4}, {11 * mib, 3}, {15 * mib, 2}, {40 * mib, 2}} {
		memory := Make[uint32](int(tt.made / 4))
		h.fit()
		assert.InDelta(t, idle+tt.pieces*pieceSize, heapInUse(), mib, tt.made)
		Free(memory)
		h.fit()
		assert.InDelta(t, idle+maxPieces*pieceSize, heapInUse(), mib)
	}
}
