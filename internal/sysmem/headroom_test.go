// Copyright The OpenTelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package sysmem

import (
	"runtime"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestHeadroom: the collector sees the headroom while there is a user, and none when
// there is none; a user who comes before it was collected has the same again.
func TestHeadroom(t *testing.T) {
	inUse := func() uint64 {
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return m.HeapAlloc
	}
	var h headroom
	idle := inUse()
	h.hold()
	h.hold()
	first := h.held
	assert.InDelta(t, idle+headroomSize, inUse(), 1<<20)
	h.drop()
	assert.NotNil(t, h.held, "given up beside a user")
	h.drop()
	h.hold()
	assert.Same(t, first, h.held, "a second one beside the first")
	first = nil
	h.drop()
	require.Nil(t, h.held)
	assert.InDelta(t, idle, inUse(), 1<<20)
	h.hold()
	assert.InDelta(t, idle+headroomSize, inUse(), 1<<20, "none after the first was collected")
	h.drop()
}
