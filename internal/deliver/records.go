// Copyright The OpenTelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package deliver

import "slices"

// records knows which records of a batch are settled: all before first, and a few
// after it that probes have delivered.
type records struct {
	settled []bool
	first   int   // the first unsettled index; len(settled) when there is none
	ahead   []int // settled ones after first, ascending
	stored  int   // lines that the checkpoint stores ahead besides
}

func newRecords(n int) records { return records{settled: make([]bool, n)} }

func (r *records) all() []int {
	indexes := make([]int, len(r.settled))
	for i := range indexes {
		indexes[i] = i
	}
	return indexes
}

// unsettled are the indexes of what is left.
func (r *records) unsettled() []int {
	var left []int
	for i := r.first; i < len(r.settled); i++ {
		if !r.settled[i] {
			left = append(left, i)
		}
	}
	return left
}

// of are the unsettled ones of some indexes.
func (r *records) of(indexes []int) []int {
	var left []int
	for _, i := range indexes {
		if !r.settled[i] {
			left = append(left, i)
		}
	}
	return left
}

// isAheadFull tells whether no record but the first unsettled one may be probed.
func (r *records) isAheadFull() bool { return len(r.ahead)+r.stored >= MaxAhead }

// settle marks ascending indexes.
func (r *records) settle(indexes []int) {
	for _, i := range indexes {
		r.settled[i] = true
	}
	r.first, r.ahead = r.after(indexes)
}

// after is what first and ahead are once the ascending indexes are settled.
func (r *records) after(indexes []int) (first int, ahead []int) {
	first = r.first
	for first < len(r.settled) {
		if _, found := slices.BinarySearch(indexes, first); !found && !r.settled[first] {
			break
		}
		first++
	}
	for _, i := range slices.Concat(r.ahead, indexes) {
		if i > first {
			ahead = append(ahead, i)
		}
	}
	slices.Sort(ahead)
	return first, slices.Compact(ahead)
}
