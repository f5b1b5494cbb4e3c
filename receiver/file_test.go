// Copyright The OpenTelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package receiver

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
)

// Batches end at max_records and at max_bytes, a longer line goes alone, blank
// lines are in none, and together they hold every line from the first wanted one.
func TestBatcher(t *testing.T) {
	long := strings.Repeat("x", 30)
	content := []byte("1\n2\n\n4\n" + long + "\n6\n7\n\n")
	for name, tt := range map[string]struct {
		limit BatchConfig
		first int
		want  [][]int
	}{
		"by records":      {BatchConfig{MaxRecords: 2, MaxBytes: 1000}, 1, [][]int{{1, 2}, {4, 5}, {6, 7}}},
		"by bytes":        {BatchConfig{MaxRecords: 100, MaxBytes: 3}, 1, [][]int{{1, 2, 4}, {5}, {6, 7}}},
		"all in one":      {BatchConfig{MaxRecords: 100, MaxBytes: 1000}, 1, [][]int{{1, 2, 4, 5, 6, 7}}},
		"from the middle": {BatchConfig{MaxRecords: 2, MaxBytes: 1000}, 5, [][]int{{5, 6}, {7}}},
		"from a blank":    {BatchConfig{MaxRecords: 9, MaxBytes: 1000}, 3, [][]int{{4, 5, 6, 7}}},
		"past the end":    {BatchConfig{MaxRecords: 2, MaxBytes: 1000}, 99, [][]int{nil}},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBatcher(content, tt.limit, tt.first)
			var got [][]int
			for next := -1; next != 0; {
				var numbers []int
				lines, after := b.next()
				for _, line := range lines {
					numbers = append(numbers, line.Number)
				}
				got = append(got, numbers)
				if after != 0 && len(numbers) > 0 {
					assert.Greater(t, after, numbers[len(numbers)-1])
				}
				next = after
			}
			assert.Equal(t, tt.want, got)
		})
	}
}
