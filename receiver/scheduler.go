// Copyright The OpenTelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package receiver

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/openaicompliance/openaicompliancereceiver/internal/compliance"
	"github.com/openaicompliance/openaicompliancereceiver/internal/sysmem"
)

// scheduler decides which download begins next, over all streams. A download
// begins when the rate limit, a slot and memory for its file allow it, all taken
// at once: who holds one of them never waits for another.
//
// The best ask waits until it fits; none behind it goes first, so a large file is
// not starved by small ones.
type scheduler struct {
	memoryLimit int64
	rooms       sysmem.Rooms
	// waited is told how long a download waited for the rate limit or a pause.
	waited func(context.Context, compliance.Operation, time.Duration)

	mu       sync.Mutex // guards everything below
	window   *window
	memory   int64 // free bytes
	slots    int   // free downloads
	waiting  []*ask
	next     uint64
	others   int // grants since the last one to a backlog, while one waited
	wakeUp   *time.Timer
	wakeUpAt time.Time
}

// backlogShare is how many grants pass a waiting backlog before it has its turn: a
// fifth of the rate always serves it.
const backlogShare = 5

// ask is one download that waits for its turn.
type ask struct {
	rank rank
	// end is the file's end_time: the earliest expires first.
	end  time.Time
	size int64
	// after is the ask of the file before it in its lane, if there is one: it goes
	// first, whatever their ranks. Who holds memory never waits for one who has none.
	after *ask

	waits   bool      // in the queue
	order   uint64    // of arrival
	limited time.Time // when the rate limit first held it back; zero if it has not
	// limitedFor is how long that took, set before granted is closed.
	limitedFor time.Duration
	granted    chan struct{}
}

// rank of a download; smaller goes first.
type rank int

const (
	rankExpiring rank = iota // the API stops serving the file within a day
	rankFirst                // live files of AUTH_LOG and AUDIT_LOG
	rankLive
	rankHistory
	rankReplay
)

// backlog reports whether the share for backlogs is the ask's.
func (a *ask) backlog() bool { return a.rank >= rankHistory }

func (a *ask) before(b *ask) bool {
	switch {
	case a.rank != b.rank:
		return a.rank < b.rank
	case !a.end.Equal(b.end):
		return a.end.Before(b.end)
	}
	return a.order < b.order
}

func newScheduler(cfg DownloadConfig, perMinute int, waited func(context.Context, compliance.Operation, time.Duration)) *scheduler {
	return &scheduler{
		waited: waited, memoryLimit: cfg.MemoryLimit, window: newWindow(perMinute), memory: cfg.MemoryLimit, slots: cfg.Concurrency,
	}
}

// enqueue takes an ask in; the caller waits for its turn. Asks of one rank and
// end_time are served in the order of these calls. A file above the memory limit
// takes all of the memory, and so is held alone.
func (s *scheduler) enqueue(a ask) *ask {
	a.size = min(max(a.size, 1), s.memoryLimit)
	a.granted, a.waits = make(chan struct{}), true
	s.mu.Lock()
	defer s.mu.Unlock()
	a.order = s.next
	s.next++
	s.waiting = append(s.waiting, &a)
	s.dispatchLocked()
	return &a
}

// wait returns what the ask was granted in its turn.
func (s *scheduler) wait(ctx context.Context, a *ask) (*lease, error) {
	select {
	case <-a.granted:
		s.waited(ctx, compliance.OperationDownload, a.limitedFor)
		return &lease{scheduler: s, size: a.size, slot: 1}, nil
	case <-ctx.Done():
		s.withdraw(a)
		return nil, ctx.Err()
	}
}

// withdraw takes an ask back, with what it was granted meanwhile.
func (s *scheduler) withdraw(a *ask) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if i := slices.Index(s.waiting, a); i >= 0 {
		a.waits = false
		s.waiting = slices.Delete(s.waiting, i, i+1)
	} else {
		s.memory += a.size
		s.slots++
	}
	s.dispatchLocked()
}

// dispatchLocked grants what can begin now, and wakes up for what can begin later
// by time alone.
func (s *scheduler) dispatchLocked() {
	for len(s.waiting) > 0 && s.slots > 0 {
		best := s.bestLocked()
		if best.size > s.memory {
			return
		}
		now := time.Now()
		if d := s.window.take(now); d > 0 {
			if best.limited.IsZero() {
				best.limited = now
			}
			s.wakeLocked(now.Add(d))
			return
		}
		s.grantLocked(best)
	}
}

// bestLocked is the ask whose turn it is.
func (s *scheduler) bestLocked() *ask {
	var best, backlog *ask
	for _, a := range s.waiting {
		if a.after != nil && a.after.waits {
			continue
		}
		if best == nil || a.before(best) {
			best = a
		}
		if a.backlog() && (backlog == nil || a.before(backlog)) {
			backlog = a
		}
	}
	if backlog != nil && s.others >= backlogShare-1 {
		return backlog
	}
	return best
}

func (s *scheduler) grantLocked(a *ask) {
	s.waiting = slices.DeleteFunc(s.waiting, func(other *ask) bool { return other == a })
	switch {
	case a.backlog():
		s.others = 0
	case slices.ContainsFunc(s.waiting, (*ask).backlog):
		s.others++
	}
	if !a.limited.IsZero() {
		a.limitedFor = time.Since(a.limited)
	}
	a.waits, a.after = false, nil
	s.memory -= a.size
	s.slots--
	close(a.granted)
}

// wakeLocked dispatches again at a time, if nothing does so before.
func (s *scheduler) wakeLocked(at time.Time) {
	if s.wakeUp != nil {
		if s.wakeUpAt.Equal(at) {
			return
		}
		s.wakeUp.Stop()
	}
	s.wakeUpAt = at
	s.wakeUp = time.AfterFunc(time.Until(at), func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.wakeUp = nil
		s.dispatchLocked()
	})
}

// pause begins no download for at least d from now.
func (s *scheduler) pause(d time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.window.pause(d)
}

// close ends the scheduler once nobody asks any more.
func (s *scheduler) close() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.wakeUp != nil {
		s.wakeUp.Stop()
		s.wakeUp = nil
	}
}

// lease is what one download holds: a slot until it has ended, and memory until
// its file is delivered.
type lease struct {
	scheduler *scheduler

	// Guarded by the scheduler's mutex.
	size int64
	slot int

	room []byte // of the one who holds the lease
}

// memory is where the file is to be held, until the lease is released.
func (l *lease) memory(size int64) []byte {
	l.room = l.scheduler.rooms.Take(int(size))
	return l.room
}

// downloaded gives the slot back. A second call does nothing.
func (l *lease) downloaded() {
	l.scheduler.mu.Lock()
	defer l.scheduler.mu.Unlock()
	l.scheduler.slots += l.slot
	l.slot = 0
	l.scheduler.dispatchLocked()
}

// release gives back all that is still held. A second call does nothing. Nobody may
// look into the memory after the first.
func (l *lease) release() {
	if l.room != nil {
		l.scheduler.rooms.Give(l.room)
		l.room = nil
	}
	l.scheduler.mu.Lock()
	defer l.scheduler.mu.Unlock()
	l.scheduler.slots += l.slot
	l.scheduler.memory += l.size
	l.slot, l.size = 0, 0
	l.scheduler.dispatchLocked()
}

// released reports whether the memory was given back.
func (l *lease) released() bool {
	l.scheduler.mu.Lock()
	defer l.scheduler.mu.Unlock()
	return l.size == 0
}

// expiringWithin is how near its expiry a file outranks all others.
const expiringWithin = 24 * time.Hour

// rankOf ranks a download of a stream. serverTime is zero while the server has not
// told its clock.
func (s *stream) rankOf(part rank, file compliance.File) rank {
	now := s.serverTime()
	if s.replay != "" {
		return rankReplay
	}
	if !now.IsZero() && file.EndTime.Before(now.Add(expiringWithin-retention)) {
		return rankExpiring
	}
	return part
}
