// Copyright The OpenTelemetry Authors
// SPDX-License-Identifier: Apache-2.0

// Package limit decides when requests begin: no more than the API allows in a
// minute, the most urgent downloads first, each with memory for its file.
package limit

import (
	"cmp"
	"context"
	"errors"
	"math"
	"slices"
	"sync"
	"time"
)

// Settings of all downloads together.
type Settings struct {
	Memory    int64 // bytes
	Slots     int   // downloads at once
	PerMinute int   // ceiling of downloads that begin in a minute; 0 is none
	// EvictAfter is how long memory stays with a grant without progress; 0 is the
	// constant of this name.
	EvictAfter time.Duration
	// Waited is called with how long a download waited for the rate or a pause; may
	// be nil.
	Waited func(ctx context.Context, waited time.Duration)
}

// Downloads decides which download begins next, over all streams. A download begins
// when the rate, a slot and memory for its file allow it, all taken at once: one
// that holds one of them never waits for another.
//
// The next ticket waits until it fits; none after it goes first, so small files do
// not starve a large one.
type Downloads struct {
	memoryLimit int64
	evictAfter  time.Duration
	waited      func(context.Context, time.Duration)
	closed      chan struct{}
	evictions   sync.WaitGroup // OnEvict calls under way

	mu       sync.Mutex // guards everything below
	route    route
	queue    queue
	slots    int   // free
	memory   int64 // free bytes
	evicting int64 // bytes that are free once their OnEvict calls have returned
	held     []*Grant
	wake     *time.Timer
}

// ErrClosed is returned to those who wait when the Downloads is closed.
var ErrClosed = errors.New("acquire a download: the limiter is closed")

// NewDownloads returns a Downloads; the caller closes it.
func NewDownloads(set Settings) *Downloads {
	memory := max(set.Memory, 1)
	d := &Downloads{
		memoryLimit: memory, evictAfter: cmp.Or(set.EvictAfter, EvictAfter), waited: set.Waited, closed: make(chan struct{}),
		route: newRoute(set.PerMinute), slots: max(set.Slots, 1), memory: memory,
	}
	if d.waited == nil {
		d.waited = func(context.Context, time.Duration) {}
	}
	d.wake = time.AfterFunc(math.MaxInt64, d.dispatch)
	d.wake.Stop()
	return d
}

// Enqueue puts a download into the queue; Acquire takes it out. Tickets of one
// priority and end_time are served in the order of these calls. A file above the
// memory limit takes all of the memory: it is admitted alone, when nothing else is
// held.
func (d *Downloads) Enqueue(r Request) *Ticket {
	r.Size = min(max(r.Size, 1), d.memoryLimit)
	t := &Ticket{request: r, granted: make(chan struct{})}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.queue.add(t)
	d.dispatchLocked()
	return t
}

// Acquire waits for the ticket's turn; it is called once for each ticket. With an
// ended context it takes the ticket back, also one that was granted meanwhile.
func (d *Downloads) Acquire(ctx context.Context, t *Ticket) (*Grant, error) {
	err := ctx.Err()
	if err == nil {
		select {
		case <-t.granted:
			d.waited(ctx, t.rateHeld)
			return t.grant, nil
		case <-ctx.Done():
			err = ctx.Err()
		case <-d.closed:
			err = ErrClosed
		}
	}
	d.takeBack(t)
	return nil, err
}

func (d *Downloads) takeBack(t *Ticket) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.queue.remove(t)
	if t.grant != nil {
		t.grant.releaseLocked()
	}
	d.dispatchLocked()
}

func (d *Downloads) dispatch() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.dispatchLocked()
}

// dispatchLocked grants what can begin now, evicts for the next ticket if memory is
// all that it lacks, and wakes up for what can begin later by time alone.
func (d *Downloads) dispatchLocked() {
	for !d.isClosed() && d.slots > 0 {
		next := nextTicket(d.queue.waiting, d.queue.since)
		if next == nil {
			return
		}
		now := time.Now()
		if wait := d.route.wait(now); wait > 0 {
			next.holdForRate(now)
			d.wake.Reset(wait)
			return
		}
		next.endRateHold(now)
		if lacking := next.request.Size - d.memory; lacking > 0 {
			d.evictLocked(lacking-d.evicting, now)
			return
		}
		d.grantLocked(next, now)
	}
}

// grantLocked gives a ticket a place in the minute, a slot and memory.
func (d *Downloads) grantLocked(t *Ticket, now time.Time) {
	d.queue.remove(t)
	d.queue.countGrant(t)
	d.route.begin(now)
	d.slots--
	d.memory -= t.request.Size
	t.grant = &Grant{downloads: d, memory: t.request.Size, slots: 1, turn: math.MaxInt, progress: now}
	d.held = append(d.held, t.grant)
	close(t.granted)
}

// evictLocked takes memory from grants so that bytes more become free, or wakes up
// when there may be more to take.
func (d *Downloads) evictLocked(bytes int64, now time.Time) {
	if bytes <= 0 {
		return // the calls under way are enough
	}
	victims, again := chooseVictims(d.held, bytes, now, d.evictAfter)
	for _, g := range victims {
		d.evictions.Go(g.evictLocked())
	}
	if !again.IsZero() {
		d.wake.Reset(again.Sub(now))
	}
}

// Pause lets no download begin for at least d from now.
func (d *Downloads) Pause(pause time.Duration) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.route.pause(time.Now(), pause)
}

// Rejected learns from one 429 of the download route. The caller pauses too.
func (d *Downloads) Rejected() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.route.reject(time.Now())
}

// PerMinute is the limit now, in downloads a minute; 0 is none.
func (d *Downloads) PerMinute() int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.route.perMinute(time.Now())
}

// Close grants nothing more and returns when the OnEvict calls under way have. Those
// who wait get ErrClosed.
func (d *Downloads) Close() {
	d.mu.Lock()
	if !d.isClosed() {
		close(d.closed)
	}
	d.wake.Stop()
	d.mu.Unlock()
	d.evictions.Wait()
}

func (d *Downloads) isClosed() bool {
	select {
	case <-d.closed:
		return true
	default:
		return false
	}
}

// removeHeldLocked removes a grant from those that hold memory.
func (d *Downloads) removeHeldLocked(g *Grant) {
	if i := slices.Index(d.held, g); i >= 0 {
		d.held = slices.Delete(d.held, i, i+1)
	}
}
