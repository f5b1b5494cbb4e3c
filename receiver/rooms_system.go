// Copyright The OpenTelemetry Authors
// SPDX-License-Identifier: Apache-2.0

//go:build darwin || dragonfly || freebsd || linux || netbsd || openbsd

package receiver

import "syscall"

// newRoom asks the system for memory. Where it has none left, Go's heap has the last
// word.
func newRoom(size int) []byte {
	room, err := syscall.Mmap(-1, 0, size, syscall.PROT_READ|syscall.PROT_WRITE, syscall.MAP_ANON|syscall.MAP_PRIVATE)
	if err != nil {
		return make([]byte, size)
	}
	return room
}

// freeRoom gives it back. One of Go's heap is unknown to Munmap and left to the
// garbage collector.
func freeRoom(room []byte) { _ = syscall.Munmap(room) }
