// Copyright The OpenTelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package deliver

import (
	"context"
	"sync"
	"time"

	"go.opentelemetry.io/collector/config/configretry"
	"go.opentelemetry.io/collector/consumer"
)

// Obs brackets each call of the next consumer, as receiverhelper.ObsReport does.
// numRecords is 0 for a call whose records are offered again.
type Obs interface {
	StartLogsOp(ctx context.Context) context.Context
	EndLogsOp(ctx context.Context, format string, numRecords int, err error)
}

// Format is the name ObsReport knows the data by.
const Format = "openai_compliance"

// Policy for records that the next consumer permanently rejects.
type Policy int

const (
	// Block retries a rejected single record until it is accepted.
	Block Policy = iota
	// Drop gives up a rejected batch as one, without a further call.
	Drop
	// Quarantine keeps rejected single records for later, so that the ones after
	// them pass, unless the next consumer looks broken.
	Quarantine
)

// Settings of a Consumer.
type Settings struct {
	Next consumer.Logs
	Obs  Obs
	// Retry rules the waits between attempts. When it is disabled, or its
	// MaxElapsedTime without an acceptance is over, Offer returns
	// ErrRetriesExhausted and no checkpoint moves.
	Retry       configretry.BackOffConfig
	OnPermanent Policy
	// HideErrors keeps the text of the next consumer's errors out of everything that
	// is reported.
	HideErrors bool
	// OnRejected is called for every rejected call, and once more when a bound for
	// batches is learned; it is called without locks. May be nil.
	OnRejected func(Rejection)
}

// Rejection is one call of the next consumer that returned an error. With
// LearnedBytes set it is no further call: it is the batch's last rejection again,
// now that all parts were accepted.
type Rejection struct {
	Part      Part
	Records   int
	Err       error // its text is bounded, or hidden
	Permanent bool
	// Attempt counts the batch's rejected calls since something of it was accepted,
	// from 1; Since is when the first of them began.
	Attempt int
	Since   time.Time
	// Outcome of the records: Open when they are offered again. Wait is the time
	// until the next call, 0 when there is none to wait for.
	Outcome Outcome
	Wait    time.Duration
	Held    bool
	// LearnedBytes is the new bound for batches, else 0.
	LearnedBytes int
}

// Consumer is the next consumer as one stream knows it. It is safe for concurrent
// use, but one call at a time is made under the stream's Lock.
type Consumer struct {
	set   Settings
	mu    sync.Mutex
	state streamState
}

// NewConsumer returns a Consumer that has learned nothing yet.
func NewConsumer(set Settings) *Consumer {
	if set.OnRejected == nil {
		set.OnRejected = func(Rejection) {}
	}
	return &Consumer{set: set}
}

// MaxBytes is the learned bound for batches, 0 when there is none.
func (c *Consumer) MaxBytes() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.state.size.bytes
}

// maxFailedRun is how many single records in a row fail before the stream holds.
const maxFailedRun = 8

// streamState is what a stream's batches teach each other.
type streamState struct {
	failedRun   int // single records that failed since the last acceptance
	acceptances int // calls
	size        learnedSize
}

func (s *streamState) accepted() { s.acceptances, s.failedRun = s.acceptances+1, 0 }

// singleFailed counts a failed single record; false when it is one too many.
func (s *streamState) singleFailed() bool {
	s.failedRun = min(s.failedRun+1, maxFailedRun)
	return s.failedRun < maxFailedRun
}
