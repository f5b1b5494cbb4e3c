// Copyright The OpenTelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package collect

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/openaicompliance/openaicompliancereceiver/internal/record"
)

// TestLineBatcher proves that batches end at max_records and at max_bytes, attributes
// included, that a longer line goes alone, that blank lines and those to skip are in
// none, and that together they hold every line from the first wanted one.
func TestLineBatcher(t *testing.T) {
	file := record.File{ID: "id", Name: "name"}
	perRecord := recordSize(file, 0)
	content := []byte("1\n2\n\n4\n" + strings.Repeat("x", 2000) + "\n6\n7\n\n")
	const many = 1 << 20
	for name, tt := range map[string]struct {
		maxRecords, maxBytes int
		first                int
		skip                 []int
		want                 [][]int
	}{
		"by records":      {2, many, 1, nil, [][]int{{1, 2}, {4, 5}, {6, 7}}},
		"by bytes":        {100, 3 * (perRecord + 1), 1, nil, [][]int{{1, 2, 4}, {5}, {6, 7}}},
		"a byte less":     {100, 3*(perRecord+1) - 1, 1, nil, [][]int{{1, 2}, {4}, {5}, {6, 7}}},
		"all in one":      {100, many, 1, nil, [][]int{{1, 2, 4, 5, 6, 7}}},
		"from the middle": {2, many, 5, nil, [][]int{{5, 6}, {7}}},
		"from a blank":    {9, many, 3, nil, [][]int{{4, 5, 6, 7}}},
		"past the end":    {2, many, 99, nil, [][]int{nil}},
		"without some":    {2, many, 2, []int{4, 6}, [][]int{{2, 5}, {7}}},
		"without the end": {9, many, 1, []int{1, 7}, [][]int{{2, 4, 5, 6}}},
		"without any":     {9, many, 6, []int{6, 7}, [][]int{nil}},
	} {
		t.Run(name, func(t *testing.T) {
			b := newLineBatcher(content, file, tt.first, tt.skip)
			var got [][]int
			for nextLine := -1; nextLine != 0; {
				var numbers []int
				lines, after := b.next(tt.maxRecords, tt.maxBytes)
				for _, line := range lines {
					numbers = append(numbers, line.Number)
				}
				got = append(got, numbers)
				if after != 0 && len(numbers) > 0 {
					assert.Greater(t, after, numbers[len(numbers)-1])
				}
				nextLine = after
			}
			assert.Equal(t, tt.want, got)
		})
	}
}

// TestLineBatcherLimitMayChange proves that a limit that is learned on the way counts
// from the next batch on.
func TestLineBatcherLimitMayChange(t *testing.T) {
	b := newLineBatcher([]byte("1\n2\n3\n"), record.File{}, 1, nil)
	lines, nextLine := b.next(1, 1)
	assert.Len(t, lines, 1)
	assert.Equal(t, 2, nextLine)
	lines, nextLine = b.next(9, 1<<20)
	assert.Len(t, lines, 2)
	assert.Zero(t, nextLine)
}
