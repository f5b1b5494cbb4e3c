// Copyright The OpenTelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package receiver

import (
	"context"

	"golang.org/x/sync/semaphore"
)

// budget bounds what all streams together hold in memory and download at once.
// Memory is taken before a download slot and kept until the file is delivered,
// so whoever holds a slot waits for nothing.
type budget struct {
	memory *semaphore.Weighted
	limit  int64
	slots  *semaphore.Weighted
}

func newBudget(cfg DownloadConfig) *budget {
	return &budget{
		memory: semaphore.NewWeighted(cfg.MemoryLimit),
		limit:  cfg.MemoryLimit,
		slots:  semaphore.NewWeighted(int64(cfg.Concurrency)),
	}
}

// hold takes memory for a file of size bytes; a larger one than the limit takes
// all of it and so is held alone. Requests are served in order, none starves.
func (b *budget) hold(ctx context.Context, size int64) (*lease, error) {
	size = min(max(size, 1), b.limit)
	if err := b.memory.Acquire(ctx, size); err != nil {
		return nil, err
	}
	return &lease{memory: b.memory, size: size}, nil
}

// lease is memory that one file holds. It is for one goroutine.
type lease struct {
	memory *semaphore.Weighted
	size   int64
}

// release gives the memory back; a second call does nothing.
func (l *lease) release() {
	l.memory.Release(l.size)
	l.size = 0
}

// released reports whether the memory was given back.
func (l *lease) released() bool { return l.size == 0 }

// download runs fn in one of the download slots.
func (b *budget) download(ctx context.Context, fn func() error) error {
	if err := b.slots.Acquire(ctx, 1); err != nil {
		return err
	}
	defer b.slots.Release(1)
	return fn()
}
