// Copyright The OpenTelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package limit

import (
	"cmp"
	"slices"
	"time"
)

// Priority of a download; smaller goes first.
type Priority int

// Priorities, the most urgent first.
const (
	Expiring  Priority = iota // the API stops serving the file soon
	Important                 // live files of the types that matter most
	Live
	History
	Replay
	RetryQueue
	UnknownSize // takes the memory of the largest file
)

// Request describes a download that waits for its turn.
type Request struct {
	Priority Priority
	// EndTime of the file: within a priority, the earliest goes first.
	EndTime time.Time
	// Size is the memory that the file takes, in bytes.
	Size int64
	// After goes first, whatever the priorities; nil for none. So a file that cannot
	// be delivered yet never holds the memory that the file before it waits for.
	After *Ticket
}

// Ticket is a place in the queue.
type Ticket struct {
	request Request
	order   uint64 // of arrival
	waits   bool   // in the queue

	rateHeldSince time.Time     // zero while not the rate or a pause holds it
	rateHeld      time.Duration // complete once granted is closed

	granted chan struct{} // closed once grant is set
	grant   *Grant
}

// holdForRate notes that the rate or a pause keeps the ticket from its turn.
func (t *Ticket) holdForRate(now time.Time) {
	if t.rateHeldSince.IsZero() {
		t.rateHeldSince = now
	}
}

// endRateHold notes that it no longer does.
func (t *Ticket) endRateHold(now time.Time) {
	if !t.rateHeldSince.IsZero() {
		t.rateHeld += now.Sub(t.rateHeldSince)
		t.rateHeldSince = time.Time{}
	}
}

// queue holds the tickets that wait, and what the shares need to be kept.
type queue struct {
	waiting  []*Ticket // in the order of arrival
	arrivals uint64
	since    grantsSince
}

// grantsSince counts the grants to others since the last one of a kind, while a
// ticket of that kind waited.
type grantsSince struct {
	history, retry int
}

// Shares of the grants for what other tickets would always pass: one of so many.
const (
	historyShare = 5  // history and replays together
	retryShare   = 10 // the retry queue
)

func (t *Ticket) isHistory() bool {
	return t.request.Priority == History || t.request.Priority == Replay
}
func (t *Ticket) isRetry() bool { return t.request.Priority == RetryQueue }

// earlierOf is the ticket that goes first by priority, end_time and arrival; a may
// be nil.
func earlierOf(a, b *Ticket) *Ticket {
	if a == nil || cmp.Or(
		cmp.Compare(a.request.Priority, b.request.Priority),
		a.request.EndTime.Compare(b.request.EndTime),
		cmp.Compare(a.order, b.order)) > 0 {
		return b
	}
	return a
}

// nextTicket is the ticket whose turn it is; nil when none waits.
func nextTicket(waiting []*Ticket, since grantsSince) *Ticket {
	var best, history, retry *Ticket
	for _, t := range waiting {
		if t.request.After != nil && t.request.After.waits {
			continue
		}
		best = earlierOf(best, t)
		if t.isHistory() {
			history = earlierOf(history, t)
		}
		if t.isRetry() {
			retry = earlierOf(retry, t)
		}
	}
	switch {
	case history != nil && since.history >= historyShare-1:
		return history
	case retry != nil && since.retry >= retryShare-1:
		return retry
	}
	return best
}

func (q *queue) add(t *Ticket) {
	t.order, t.waits = q.arrivals, true
	q.arrivals++
	q.waiting = append(q.waiting, t)
}

// remove takes a ticket out, unless it has left the queue already.
func (q *queue) remove(t *Ticket) {
	if i := slices.Index(q.waiting, t); i >= 0 {
		q.waiting = slices.Delete(q.waiting, i, i+1)
		t.waits, t.request.After = false, nil
	}
}

// countGrant notes a grant for the shares, once its ticket has left the queue.
func (q *queue) countGrant(t *Ticket) {
	q.since.history = q.countSince(q.since.history, t, (*Ticket).isHistory)
	q.since.retry = q.countSince(q.since.retry, t, (*Ticket).isRetry)
}

func (q *queue) countSince(since int, granted *Ticket, isKind func(*Ticket) bool) int {
	switch {
	case isKind(granted):
		return 0
	case slices.ContainsFunc(q.waiting, isKind):
		return since + 1
	}
	return since
}
