// Copyright The OpenTelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package receiver

import (
	"context"
	"sync"
	"time"

	"github.com/openaicompliance/openaicompliancereceiver/internal/wait"
)

// gate lets the requests of all streams to one endpoint through: at most limit
// of them in any window, and none while the server asked for a pause.
//
// The window slides over the times of the requests themselves, so a server that
// counts in windows of its own never sees more than it allows.
type gate struct {
	limit  int // 0 is no limit
	window time.Duration

	mu          sync.Mutex // guards everything below
	starts      []time.Time
	pausedUntil time.Time
}

func newGate(limit int) *gate { return &gate{limit: limit, window: time.Minute} }

// enter waits for the next free place and takes it.
func (g *gate) enter(ctx context.Context) error {
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

// take takes a place at now, or says how long to wait before asking again.
func (g *gate) take(now time.Time) time.Duration {
	g.mu.Lock()
	defer g.mu.Unlock()
	if d := g.pausedUntil.Sub(now); d > 0 {
		return d
	}
	if g.limit == 0 {
		return 0
	}
	for len(g.starts) > 0 && now.Sub(g.starts[0]) >= g.window {
		g.starts = g.starts[1:]
	}
	if len(g.starts) >= g.limit {
		return g.window - now.Sub(g.starts[0])
	}
	g.starts = append(g.starts, now)
	return 0
}

// pause keeps the gate shut for at least d from now.
func (g *gate) pause(d time.Duration) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if until := time.Now().Add(d); until.After(g.pausedUntil) {
		g.pausedUntil = until
	}
}
