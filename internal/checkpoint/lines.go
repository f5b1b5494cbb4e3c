// Copyright The OpenTelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package checkpoint

import (
	"cmp"
	"slices"
)

// LineRange is lines of one file, from From (from 1). To is excluded.
type LineRange struct {
	From int `json:"from"`
	To   int `json:"to"`
}

// rangesOf names ascending lines in as few ranges as they make.
func rangesOf(lines []int) (ranges []LineRange) {
	for _, line := range lines {
		if n := len(ranges); n > 0 && ranges[n-1].To == line {
			ranges[n-1].To++
			continue
		}
		ranges = append(ranges, LineRange{line, line + 1})
	}
	return ranges
}

// unitedRanges are the lines of both, ascending, in as few ranges as they make.
func unitedRanges(a, b []LineRange) (united []LineRange) {
	all := slices.Concat(a, b)
	slices.SortFunc(all, func(a, b LineRange) int { return cmp.Compare(a.From, b.From) })
	for _, r := range all {
		if n := len(united); n > 0 && united[n-1].To >= r.From {
			united[n-1].To = max(united[n-1].To, r.To)
			continue
		}
		united = append(united, r)
	}
	return united
}

// rangesWithout are the lines of a that are not of b. Both are ascending.
func rangesWithout(a, b []LineRange) (left []LineRange) {
	for _, r := range a {
		for len(b) > 0 && b[0].To <= r.From {
			b = b[1:]
		}
		for _, cut := range b {
			if cut.From >= r.To {
				break
			}
			if cut.From > r.From {
				left = append(left, LineRange{r.From, cut.From})
			}
			r.From = max(r.From, cut.To)
		}
		if r.From < r.To {
			left = append(left, r)
		}
	}
	return left
}

// containsLines reports whether all lines are in the ranges.
func containsLines(ranges []LineRange, lines []int) bool {
	return len(rangesWithout(rangesOf(lines), ranges)) == 0
}

func countLines(ranges []LineRange) (n int) {
	for _, r := range ranges {
		n += r.To - r.From
	}
	return n
}

// validRanges reports whether the ranges are ascending, apart and not empty.
func validRanges(ranges []LineRange) bool {
	end := 0
	for _, r := range ranges {
		if r.From <= end || r.To <= r.From {
			return false
		}
		end = r.To
	}
	return true
}
