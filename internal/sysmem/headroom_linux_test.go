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
	used := make([]byte, 2*headroomSize)
	for i := range used {
		used[i] = 1
	}
	require.Greater(t, resident(t, used), 0.9)
	begin := address(used)
	used = nil
	runtime.GC()
	var h headroom
	h.hold()
	defer h.drop()
	at := address(h.held[:])
	require.True(t, at >= begin && at < begin+2*headroomSize, "it does not lie where the heap had something in use")
	assert.Less(t, resident(t, h.held[:]), 0.01)
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
