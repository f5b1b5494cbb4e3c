// Copyright The OpenTelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package pace

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/openaicompliance/openaicompliancereceiver/internal/sysmem"
)

// Scheduler decides which download begins next, over all streams. A download
// begins when the rate limit, a slot and memory for its file allow it, all taken
// at once: who holds one of them never waits for another.
//
// The best ask waits until it fits; none behind it goes first, so a large file is
// not starved by small ones.
type Scheduler struct {
	memoryLimit int64
	rooms       sysmem.Rooms
	// waited is told how long a download waited for the rate limit or a pause.
	waited func(context.Context, time.Duration)

	mu       sync.Mutex // guards everything below
	window   *window
	memory   int64 // free bytes
	slots    int   // free downloads
	waiting  []*Ask
	next     uint64
	others   int // grants since the last one to a backlog, while one waited
	wakeUp   *time.Timer
	wakeUpAt time.Time
}

// backlogShare is how many grants pass a waiting backlog before it has its turn: a
// fifth of the rate always serves it.
const backlogShare = 5

// Ask is one download that waits for its turn.
type Ask struct {
	Rank Rank
	// End is the file's end_time: the earliest expires first.
	End time.Time
	// Size is the memory it takes, in bytes.
	Size int64
	// After is the ask of the file before it in its lane, if there is one: it goes
	// first, whatever their ranks. Who holds memory never waits for one who has none.
	After *Ask

	waits   bool      // in the queue
	order   uint64    // of arrival
	limited time.Time // when the rate limit first held it back; zero if it has not
	// limitedFor is how long that took, set before granted is closed.
	limitedFor time.Duration
	granted    chan struct{}
}

// Rank of a download; smaller goes first.
type Rank int

// Ranks, the most urgent first.
const (
	Expiring Rank = iota // the API stops serving the file soon
	First                // live files of the types that matter most
	Live
	History
	Replay
)

// backlog reports whether the share for backlogs is the ask's.
func (a *Ask) backlog() bool { return a.Rank >= History }

func (a *Ask) before(b *Ask) bool {
	switch {
	case a.Rank != b.Rank:
		return a.Rank < b.Rank
	case !a.End.Equal(b.End):
		return a.End.Before(b.End)
	}
	return a.order < b.order
}

// Limits of all downloads together.
type Limits struct {
	Memory    int64 // bytes
	Slots     int   // downloads at once
	PerMinute int   // that begin in any minute; 0 is no limit
}

// NewScheduler returns a Scheduler that tells waited how long each download was kept
// back.
func NewScheduler(limits Limits, waited func(context.Context, time.Duration)) *Scheduler {
	return &Scheduler{
		waited: waited, memoryLimit: limits.Memory, window: newWindow(limits.PerMinute), memory: limits.Memory, slots: limits.Slots,
	}
}

// Enqueue takes an ask in; the caller waits for its turn. Asks of one rank and
// end_time are served in the order of these calls. A file above the memory limit
// takes all of the memory, and so is held alone.
func (s *Scheduler) Enqueue(a Ask) *Ask {
	a.Size = min(max(a.Size, 1), s.memoryLimit)
	a.granted, a.waits = make(chan struct{}), true
	s.mu.Lock()
	defer s.mu.Unlock()
	a.order = s.next
	s.next++
	s.waiting = append(s.waiting, &a)
	s.dispatchLocked()
	return &a
}

// Wait returns what the ask was granted in its turn.
func (s *Scheduler) Wait(ctx context.Context, a *Ask) (*Lease, error) {
	select {
	case <-a.granted:
		s.waited(ctx, a.limitedFor)
		return &Lease{scheduler: s, size: a.Size, slot: 1}, nil
	case <-ctx.Done():
		s.withdraw(a)
		return nil, ctx.Err()
	}
}

// withdraw takes an ask back, with what it was granted meanwhile.
func (s *Scheduler) withdraw(a *Ask) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if i := slices.Index(s.waiting, a); i >= 0 {
		a.waits = false
		s.waiting = slices.Delete(s.waiting, i, i+1)
	} else {
		s.memory += a.Size
		s.slots++
	}
	s.dispatchLocked()
}

// dispatchLocked grants what can begin now, and wakes up for what can begin later
// by time alone.
func (s *Scheduler) dispatchLocked() {
	for len(s.waiting) > 0 && s.slots > 0 {
		best := s.bestLocked()
		if best.Size > s.memory {
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
func (s *Scheduler) bestLocked() *Ask {
	var best, backlog *Ask
	for _, a := range s.waiting {
		if a.After != nil && a.After.waits {
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

func (s *Scheduler) grantLocked(a *Ask) {
	s.waiting = slices.DeleteFunc(s.waiting, func(other *Ask) bool { return other == a })
	switch {
	case a.backlog():
		s.others = 0
	case slices.ContainsFunc(s.waiting, (*Ask).backlog):
		s.others++
	}
	if !a.limited.IsZero() {
		a.limitedFor = time.Since(a.limited)
	}
	a.waits, a.After = false, nil
	s.memory -= a.Size
	s.slots--
	close(a.granted)
}

// wakeLocked dispatches again at a time, if nothing does so before.
func (s *Scheduler) wakeLocked(at time.Time) {
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

// Pause begins no download for at least d from now.
func (s *Scheduler) Pause(d time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.window.pause(d)
}

// Close ends the scheduler once nobody asks any more.
func (s *Scheduler) Close() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.wakeUp != nil {
		s.wakeUp.Stop()
		s.wakeUp = nil
	}
}

// Lease is what one download holds: a slot until it has ended, and memory until
// its file is delivered.
type Lease struct {
	scheduler *Scheduler

	// Guarded by the scheduler's mutex.
	size int64
	slot int

	room []byte // of the one who holds the lease
}

// Memory is where the file is to be held, until the lease is released.
func (l *Lease) Memory(size int64) []byte {
	l.room = l.scheduler.rooms.Take(int(size))
	return l.room[:size]
}

// Downloaded gives the slot back. A second call does nothing.
func (l *Lease) Downloaded() {
	l.scheduler.mu.Lock()
	defer l.scheduler.mu.Unlock()
	l.scheduler.slots += l.slot
	l.slot = 0
	l.scheduler.dispatchLocked()
}

// Release gives back all that is still held. A second call does nothing. Nobody may
// look into the memory after the first.
func (l *Lease) Release() {
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

// Released reports whether the memory was given back.
func (l *Lease) Released() bool {
	l.scheduler.mu.Lock()
	defer l.scheduler.mu.Unlock()
	return l.size == 0
}
