// Copyright The OpenTelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package deliver

import (
	"context"
	"fmt"
	"slices"
	"sync"
)

// Turn is who takes the delivery lock. The smaller one goes first.
type Turn int

const (
	// TurnLive is the live segment.
	TurnLive Turn = iota
	// TurnHistory is the history segment.
	TurnHistory
	// TurnRetry is the retry queue.
	TurnRetry

	turns = 3
)

// maxPassedOver is how many turns others take while one waits: it gets the fifth.
const maxPassedOver = 4

// Lock is a stream's delivery lock, held for one attempt. Of those that wait,
// live goes before history before retry, each at least every fifth turn.
type Lock struct {
	mu     sync.Mutex
	held   bool
	queues [turns]queue
}

// queue is who waits for one kind of turn, in order of arrival.
type queue struct {
	waiters    []chan struct{} // closed when the lock is handed to the waiter
	passedOver int             // turns that others got while somebody waits here
}

// NewLock returns a free Lock.
func NewLock() *Lock { return &Lock{} }

// Acquire waits for the lock. An error means that the context ended and the lock
// is not held.
func (l *Lock) Acquire(ctx context.Context, turn Turn) error {
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("wait for the delivery turn: %w", err)
	}
	l.mu.Lock()
	if !l.held {
		l.held = true
		l.mu.Unlock()
		return nil
	}
	granted := make(chan struct{})
	l.queues[turn].waiters = append(l.queues[turn].waiters, granted)
	l.mu.Unlock()
	select {
	case <-granted:
		return nil
	case <-ctx.Done():
		l.abandon(turn, granted)
		return fmt.Errorf("wait for the delivery turn: %w", ctx.Err())
	}
}

// abandon takes a waiter out of its queue, or passes on the lock that it got while
// its context ended.
func (l *Lock) abandon(turn Turn, granted chan struct{}) {
	l.mu.Lock()
	defer l.mu.Unlock()
	q := &l.queues[turn]
	i := slices.Index(q.waiters, granted)
	if i < 0 {
		l.handOver()
		return
	}
	q.waiters = slices.Delete(q.waiters, i, i+1)
	if len(q.waiters) == 0 {
		q.passedOver = 0
	}
}

// Release hands the lock to the next waiter. It panics when nobody holds the lock.
func (l *Lock) Release() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.held {
		panic("deliver: Release of a Lock that is not held")
	}
	l.handOver()
}

// handOver gives the lock to the waiter whose turn it is, if there is one. The
// lock's mutex is held.
func (l *Lock) handOver() {
	turn, ok := l.nextTurn()
	if !ok {
		l.held = false
		return
	}
	for i := range l.queues {
		if q := &l.queues[i]; Turn(i) != turn && len(q.waiters) > 0 {
			q.passedOver++
		}
	}
	q := &l.queues[turn]
	q.passedOver = 0
	close(q.waiters[0])
	q.waiters = slices.Delete(q.waiters, 0, 1)
}

// nextTurn is the smallest turn that is waited for, unless another one would then
// miss its fifth turn: of those passed over the longest, the one of rank k (from 0)
// gets its own only after k others.
func (l *Lock) nextTurn() (Turn, bool) {
	var waiting []Turn
	for i := range l.queues {
		if len(l.queues[i].waiters) > 0 {
			waiting = append(waiting, Turn(i))
		}
	}
	if len(waiting) == 0 {
		return 0, false
	}
	first := waiting[0]
	slices.SortStableFunc(waiting, func(a, b Turn) int { return l.queues[b].passedOver - l.queues[a].passedOver })
	for rank, turn := range waiting {
		if maxPassedOver-l.queues[turn].passedOver <= rank {
			return waiting[0], true
		}
	}
	return first, true
}
