// Copyright The OpenTelemetry Authors
// SPDX-License-Identifier: Apache-2.0

// Package wait holds the two ways of waiting that the receiver has: for a time,
// and for longer after each failure.
package wait

import (
	"context"
	"time"

	"github.com/cenkalti/backoff/v5"

	"go.opentelemetry.io/collector/config/configretry"
)

// Sleep waits, or returns the context's error if it ends first.
func Sleep(ctx context.Context, d time.Duration) error {
	if d <= 0 || ctx.Err() != nil {
		return ctx.Err()
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}

// BackOff computes the waits of one run of retries and knows when it is over.
type BackOff struct {
	cfg     configretry.BackOffConfig
	next    *backoff.ExponentialBackOff
	started time.Time
}

// NewBackOff starts a run of retries now.
func NewBackOff(cfg configretry.BackOffConfig) *BackOff {
	return &BackOff{
		cfg: cfg,
		next: &backoff.ExponentialBackOff{
			InitialInterval:     cfg.InitialInterval,
			RandomizationFactor: cfg.RandomizationFactor,
			Multiplier:          cfg.Multiplier,
			MaxInterval:         cfg.MaxInterval,
		},
		started: time.Now(),
	}
}

// Next is the wait before the next try, at least atLeast. ok is false when
// retries are disabled or the wait would go past max_elapsed_time.
func (b *BackOff) Next(atLeast time.Duration) (d time.Duration, ok bool) {
	if !b.cfg.Enabled {
		return 0, false
	}
	d = max(b.next.NextBackOff(), atLeast)
	if b.cfg.MaxElapsedTime > 0 && time.Since(b.started)+d > b.cfg.MaxElapsedTime {
		return 0, false
	}
	return d, true
}
