// Copyright The OpenTelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package sysmem

import (
	"os"
	"syscall"
	"unsafe"
)

// untouch gives the whole pages of memory back to the system, which has zeros for who
// looks at them. Where pages are larger than the runtime's, memory begins within one.
func untouch(memory []byte) {
	page := uintptr(os.Getpagesize())
	begin := uintptr(unsafe.Pointer(unsafe.SliceData(memory))) //nolint:gosec // as a number
	skip := (page - begin%page) % page
	whole := (uintptr(len(memory)) - skip) / page * page
	_ = syscall.Madvise(memory[skip:skip+whole], syscall.MADV_DONTNEED)
}
