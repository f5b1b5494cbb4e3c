// Copyright The OpenTelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package limit

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/openaicompliance/openaicompliancereceiver/internal/wait"
)

// route counts the requests to one route of the API: no more begin in a minute than
// its limit, and none while the server asked for a pause. Its owner locks it.
//
// The minute slides over the requests, so a server that counts in minutes of its
// own never sees more than the limit.
type route struct {
	learned     learned
	starts      []start // of the last windowLength, ascending
	latest      time.Time
	pausedUntil time.Time
}

// start is when a request began, and whether a 429 was counted for it. Which of
// several requests a 429 answers does not matter for the counts.
type start struct {
	at       time.Time
	rejected bool
}

// windowLength is a minute and how much longer one request may be on its way than
// another, a new connection included: without this second, a server that slides its
// window too rejects every fortieth download of a backlog.
const windowLength = time.Minute + time.Second

func newRoute(perMinute int) route {
	perMinute = max(perMinute, 0)
	return route{learned: learned{ceiling: perMinute, limit: perMinute}}
}

// wait is how long no request may begin from now on; 0 or less when one may.
func (r *route) wait(now time.Time) time.Duration {
	if paused := r.pausedUntil.Sub(now); paused > 0 {
		return paused
	}
	r.forget(now)
	limit := r.perMinute(now)
	if limit == 0 || len(r.starts) < limit {
		return 0
	}
	return windowLength - now.Sub(r.starts[len(r.starts)-limit].at)
}

// begin counts a request that begins now.
func (r *route) begin(now time.Time) {
	r.forget(now)
	r.starts = append(r.starts, start{at: now})
	r.latest = now
}

// pause lets no request begin for at least d from now.
func (r *route) pause(now time.Time, d time.Duration) {
	if until := now.Add(d); until.After(r.pausedUntil) {
		r.pausedUntil = until
	}
}

// reject learns from a 429.
func (r *route) reject(now time.Time) {
	for i, s := range slices.Backward(r.starts) {
		if !s.rejected {
			r.starts[i].rejected = true
			break
		}
	}
	last := traffic{latest: r.latest}
	for _, s := range r.starts {
		if now.Sub(s.at) > time.Minute {
			continue
		}
		last.begun++
		if s.rejected {
			last.rejected++
		}
	}
	r.learned = r.learned.lowered(now, last)
}

// perMinute is the limit now; 0 is none.
func (r *route) perMinute(now time.Time) int {
	r.learned = r.learned.raised(now)
	return r.learned.limit
}

// forget drops the requests that count no more.
func (r *route) forget(now time.Time) {
	for len(r.starts) > 0 && now.Sub(r.starts[0].at) >= windowLength {
		r.starts = r.starts[1:]
	}
}

// Rate limits the requests of all streams to one route.
type Rate struct {
	mu    sync.Mutex // guards route
	route route
}

// NewRate lets at most perMinute requests begin in any minute; 0 is no limit until
// a 429 teaches one.
func NewRate(perMinute int) *Rate { return &Rate{route: newRoute(perMinute)} }

// Wait returns when a request may begin, which it counts as begun, or with the
// context's error.
func (r *Rate) Wait(ctx context.Context) error {
	for {
		if err := ctx.Err(); err != nil {
			return err
		}
		d := r.tryBegin()
		if d <= 0 {
			return nil
		}
		if err := wait.Sleep(ctx, d); err != nil {
			return err
		}
	}
}

// tryBegin counts a request as begun, or returns how long none may begin.
func (r *Rate) tryBegin() time.Duration {
	r.mu.Lock()
	defer r.mu.Unlock()
	now := time.Now()
	d := r.route.wait(now)
	if d <= 0 {
		r.route.begin(now)
	}
	return d
}

// Pause lets no request begin for at least d from now.
func (r *Rate) Pause(d time.Duration) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.route.pause(time.Now(), d)
}

// PausedFor is how long the pause lasts from now on; 0 when there is none.
func (r *Rate) PausedFor() time.Duration {
	r.mu.Lock()
	defer r.mu.Unlock()
	return max(time.Until(r.route.pausedUntil), 0)
}

// Rejected learns from one 429 of the route. The caller pauses too.
func (r *Rate) Rejected() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.route.reject(time.Now())
}

// PerMinute is the limit now, in requests a minute; 0 is none.
func (r *Rate) PerMinute() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.route.perMinute(time.Now())
}
