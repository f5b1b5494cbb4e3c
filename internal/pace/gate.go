// Copyright The OpenTelemetry Authors
// SPDX-License-Identifier: Apache-2.0

// Package pace decides when requests begin: as many as the API allows in a minute, the
// most urgent downloads first, each with memory for its file.
package pace

import (
	"context"
	"sync"
	"time"

	"github.com/openaicompliance/openaicompliancereceiver/internal/wait"
)

// window counts the requests to one endpoint: at most limit of them begin in any
// minute, and none while the server asked for a pause. Its owner locks it.
//
// It slides over the times of the requests themselves, so a server that counts in
// windows of its own never sees more than it allows. A request may be longer on its
// way than the one that takes its place a minute later, so a little more than a
// minute lies between the two.
type window struct {
	limit  int // 0 is no limit
	length time.Duration

	starts      []time.Time
	pausedUntil time.Time
}

// slack is how much longer one request may be on its way than another, a new
// connection included: without it, a server that slides its window too refuses
// every fortieth download of a backlog.
const slack = time.Second

func newWindow(limit int) *window { return &window{limit: limit, length: time.Minute + slack} }

// take takes a place at now, or says how long to wait before asking again.
func (w *window) take(now time.Time) time.Duration {
	if d := w.pausedUntil.Sub(now); d > 0 {
		return d
	}
	if w.limit == 0 {
		return 0
	}
	for len(w.starts) > 0 && now.Sub(w.starts[0]) >= w.length {
		w.starts = w.starts[1:]
	}
	if len(w.starts) >= w.limit {
		return w.length - now.Sub(w.starts[0])
	}
	w.starts = append(w.starts, now)
	return 0
}

// pause takes no place for at least d from now.
func (w *window) pause(d time.Duration) {
	if until := time.Now().Add(d); until.After(w.pausedUntil) {
		w.pausedUntil = until
	}
}

// Gate lets the requests of all streams to one endpoint through, as its window
// allows.
type Gate struct {
	mu     sync.Mutex // guards window
	window *window
}

// NewGate lets at most limit requests begin in any minute; 0 is no limit.
func NewGate(limit int) *Gate { return &Gate{window: newWindow(limit)} }

// Enter waits for the next free place and takes it.
func (g *Gate) Enter(ctx context.Context) error {
	for {
		d := g.take(time.Now())
		if d <= 0 {
			return ctx.Err()
		}
		if err := wait.Sleep(ctx, d); err != nil {
			return err
		}
	}
}

// PausedFor is how long the server's pause lasts from now on.
func (g *Gate) PausedFor(now time.Time) time.Duration {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.window.pausedUntil.Sub(now)
}

func (g *Gate) take(now time.Time) time.Duration {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.window.take(now)
}

// Pause keeps the gate shut for at least d from now.
func (g *Gate) Pause(d time.Duration) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.window.pause(d)
}
