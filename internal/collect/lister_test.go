// Copyright The OpenTelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package collect

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/openaicompliance/openaicompliancereceiver/internal/checkpoint"
	"github.com/openaicompliance/openaicompliancereceiver/internal/compliance"
)

// TestNoneIdentified proves that a page is at fault, and not its entries, from three
// entries on of which none has a usable id.
func TestNoneIdentified(t *testing.T) {
	entries := func(ids ...string) (page []compliance.Entry) {
		for _, id := range ids {
			page = append(page, compliance.Entry{File: compliance.File{ID: id}})
		}
		return page
	}
	assert.False(t, noneIdentified(nil))
	assert.False(t, noneIdentified(entries("")))
	assert.False(t, noneIdentified(entries("", "")))
	assert.True(t, noneIdentified(entries("", "", "")))
	assert.False(t, noneIdentified(entries("", "", "a")))
}

// A page blames the clocks when more than half of it, at least three entries, has a time
// that neither explains; fewer are a fault of those entries.
func TestClocksAtFault(t *testing.T) {
	now := time.Date(2026, 8, 1, 12, 0, 0, 0, time.UTC)
	clocks := checkpoint.Reading{Server: now, Local: now}
	for name, tt := range map[string]struct {
		odd, right int
		want       bool
	}{
		"one of one": {1, 0, false}, "one of ten": {1, 9, false}, "two of two": {2, 0, false}, "half": {4, 4, false},
		"three of three": {3, 0, true}, "more than half": {5, 3, true},
	} {
		var entries []compliance.Entry
		for range tt.odd {
			entries = append(entries, compliance.Entry{File: compliance.File{EndTime: now.Add(40 * 24 * time.Hour)}})
		}
		for range tt.right {
			entries = append(entries, compliance.Entry{File: compliance.File{EndTime: now.Add(-time.Hour)}})
		}
		assert.Equal(t, tt.want, clocksAtFault(append(entries, compliance.Entry{}), clocks), name)
	}
}
