// Copyright The OpenTelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package collect

import (
	"testing"

	"github.com/stretchr/testify/assert"

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
