// Copyright The OpenTelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package collect

import (
	"strconv"
	"testing"

	"github.com/stretchr/testify/assert"
)

// TestFileFaults proves that eight different files in a row with one cause hold the
// stream, and that only a verified file ends that.
func TestFileFaults(t *testing.T) {
	f := &fileFaults{}
	for range 20 {
		assert.False(t, f.add("same", "404"), "one file")
	}
	assert.False(t, f.add("odd", "integrity"), "another cause begins a row")
	for i := range 7 {
		assert.False(t, f.add(strconv.Itoa(i), "404"))
	}
	assert.Empty(t, f.succeeded(), "nothing was held")
	for i := range 7 {
		assert.False(t, f.add(strconv.Itoa(i), "404"))
	}
	assert.False(t, f.holds())
	assert.True(t, f.add("7", "404"))
	assert.True(t, f.holds())
	assert.True(t, f.add("odd", "integrity"), "nothing more is quarantined")
	assert.Equal(t, "404", f.succeeded())
	assert.False(t, f.holds())
	assert.False(t, f.add("7", "404"))
}
