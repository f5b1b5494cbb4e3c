// Copyright The OpenTelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package sysmem

import (
	"encoding/binary"
	"os"
	"runtime"
	"testing"
	"unsafe"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestHeadroomIsNotTouched: it takes no memory of the system, not even where the heap
// had something in use before.
func TestHeadroomIsNotTouched(t *testing.T) {
	used := make([]byte, 2*len(headroom{}.pieces)*len(piece{}))
	for i := range used {
		used[i] = 1
	}
	require.Greater(t, resident(t, used), 0.9)
	begin, end := address(used), address(used)+uintptr(len(used))
	used = nil
	runtime.GC()
	reused := 0
	for range 8 { // wherever the heap has free places
		var h headroom
		h.hold()
		defer h.drop()
		for _, piece := range h.pieces {
			assert.Less(t, resident(t, piece[:]), 0.01)
			if at := address(piece[:]); at >= begin && at < end {
				reused++
			}
		}
	}
	assert.Positive(t, reused, "none lies where the heap had something in use")
}

func address(memory []byte) uintptr { return uintptr(unsafe.Pointer(unsafe.SliceData(memory))) }

// resident is the share of its pages that are there, as the kernel tells in the highest
// bit of a page's entry.
func resident(t *testing.T, memory []byte) float64 {
	t.Helper()
	f, err := os.Open("/proc/self/pagemap")
	require.NoError(t, err)
	defer f.Close()
	size := os.Getpagesize()
	first := int64(address(memory)) / int64(size)
	entries := make([]byte, len(memory)/size*8)
	_, err = f.ReadAt(entries, first*8)
	require.NoError(t, err)
	there := 0
	for rest := entries; len(rest) > 0; rest = rest[8:] {
		there += int(binary.NativeEndian.Uint64(rest) >> 63)
	}
	return float64(there) / float64(len(entries)/8)
}
