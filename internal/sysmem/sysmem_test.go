// Copyright The OpenTelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package sysmem

import (
	"runtime"
	"testing"

	"github.com/stretchr/testify/assert"
)

type pair struct{ a, b uint64 }

// TestMake: what is made holds zeros, can be written to its end, and takes nothing of
// the heap; giving back nothing, or what is of the heap, does no harm.
func TestMake(t *testing.T) {
	const n = 1 << 20
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	pairs := Make[pair](n)
	runtime.ReadMemStats(&after)
	assert.Len(t, pairs, n)
	for i := range pairs {
		if pairs[i] != (pair{}) {
			t.Fatalf("%d is not zero", i)
		}
		pairs[i] = pair{uint64(i), ^uint64(i)}
	}
	assert.Equal(t, pair{n - 1, ^uint64(n - 1)}, pairs[n-1])
	if alloc(1) != nil {
		assert.Less(t, after.TotalAlloc-before.TotalAlloc, uint64(1<<20))
	}
	assert.Equal(t, int64(16*n), made.Load())
	Free(pairs)
	assert.Zero(t, made.Load())

	Free(Make[byte](0))
	free(bytesOf(make([]pair, 3))) // of the heap, as where the system has no memory left
	assert.Zero(t, made.Load())
}
