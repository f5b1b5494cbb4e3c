// Copyright The OpenTelemetry Authors
// SPDX-License-Identifier: Apache-2.0

// Package sysmem holds large things outside of Go's heap. The garbage collector lets a
// heap grow to twice what is in use; what lies here counts once, and what is given
// back goes to the system at once. While Rooms are in use the heap has headroom.
package sysmem

import (
	"sync/atomic"
	"unsafe"
)

// made is how many bytes Make has returned and Free not got back.
var made atomic.Int64

// Make returns n zero values. T holds no pointers, since the garbage collector does
// not look for any here. Whoever made it gives it back with Free, and looks at no part
// of it afterwards: that would end the process. No pointer to it may be left behind
// either, since the heap might come to lie there.
func Make[T any](n int) []T {
	all := allocate[T](n)
	made.Add(int64(len(bytesOf(all))))
	return all
}

// Free gives back what Make has returned, all of it and once; nil is nothing.
func Free[T any](all []T) {
	memory := bytesOf(all)
	made.Add(-int64(len(memory)))
	free(memory)
}

func allocate[T any](n int) []T {
	if n == 0 {
		return nil
	}
	var one T
	memory := alloc(n * int(unsafe.Sizeof(one)))
	if memory == nil {
		return make([]T, n) // the system has none left; the heap has the last word
	}
	return unsafe.Slice((*T)(unsafe.Pointer(unsafe.SliceData(memory))), n) //nolint:gosec // of this length, and aligned to pages
}

func bytesOf[T any](all []T) []byte {
	if all == nil {
		return nil
	}
	var one T
	return unsafe.Slice((*byte)(unsafe.Pointer(unsafe.SliceData(all))), len(all)*int(unsafe.Sizeof(one))) //nolint:gosec // its very length
}
