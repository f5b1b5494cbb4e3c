// Copyright The OpenTelemetry Authors
// SPDX-License-Identifier: Apache-2.0

// Package deliver hands batches to the next consumer until it says yes or never.
package deliver

import (
	"context"
	"errors"
	"fmt"
	"time"

	"go.opentelemetry.io/collector/config/configretry"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/consumer/consumererror"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/openaicompliance/openaicompliancereceiver/internal/wait"
)

// Batch is what one ConsumeLogs call carries.
type Batch struct {
	Span Span
	// Records is how many records Build makes; 0 needs no delivery.
	Records int
	// Build makes the data anew for each attempt: what was handed over once is
	// off limits, whatever the answer was.
	Build func() plog.Logs
}

// Obs brackets the delivery of one batch, retries included, as
// receiverhelper.ObsReport does.
type Obs interface {
	StartLogsOp(ctx context.Context) context.Context
	EndLogsOp(ctx context.Context, format string, numRecords int, err error)
}

// Format is the name ObsReport knows the data by.
const Format = "openai_compliance"

// Settings of a Deliverer.
type Settings struct {
	Next consumer.Logs
	Obs  Obs
	// Retry rules the waits between attempts. When it is disabled, or its
	// MaxElapsedTime is over, Deliver gives up with an error and no position
	// moves: the records are tried again later, not dropped.
	Retry configretry.BackOffConfig
	// DropPermanent lets a permanent refusal count as done.
	DropPermanent bool
	// OnRefused is told of every refusal and what follows it.
	OnRefused func(Refusal)
}

// Refusal is one ConsumeLogs call that returned an error.
type Refusal struct {
	Span      Span
	Records   int
	Err       error
	Permanent bool
	// Attempt counts from 1; Since is when the first one began.
	Attempt int
	Since   time.Time
	// Dropped is set when the batch is given up by choice, else Wait is the
	// time to the next attempt; both are zero when Deliver gives up.
	Dropped bool
	Wait    time.Duration
}

// Deliverer hands over one batch at a time. It is for one goroutine.
type Deliverer struct{ set Settings }

// New returns a Deliverer.
func New(set Settings) *Deliverer { return &Deliverer{set: set} }

// ErrGivenUp is a batch that was refused for longer than the retry settings
// allow. Nothing of it is lost: its position has not moved.
var ErrGivenUp = errors.New("the next consumer refused the batch for longer than retry_on_failure allows")

// Deliver returns a Receipt once the batch needs no further delivery. Any error
// means that it does: a context ended or the retry settings ran out.
//
// ctx bounds the calls to the next consumer. stop ends the waits between them
// and begins no further call, but lets a running one finish: what it accepts is
// then not delivered twice.
func (d *Deliverer) Deliver(ctx, stop context.Context, batch Batch) (Receipt, error) {
	if batch.Records == 0 {
		return Receipt{span: batch.Span, minted: true}, nil
	}
	op := d.set.Obs.StartLogsOp(ctx)
	dropped, err := d.attempts(op, stop, batch)
	d.set.Obs.EndLogsOp(op, Format, batch.Records, errors.Join(dropped, err))
	if err != nil {
		return Receipt{}, err
	}
	return Receipt{span: batch.Span, minted: true, dropped: dropped != nil}, nil
}

// attempts hands the batch over until an answer ends it. dropped is the
// consumer's error when the batch was given up by choice; err is set when it
// still needs delivery.
func (d *Deliverer) attempts(ctx, stop context.Context, batch Batch) (dropped, err error) {
	retries := wait.NewBackOff(d.set.Retry)
	since := time.Now()
	for attempt := 1; ; attempt++ {
		if err := stop.Err(); err != nil {
			return nil, fmt.Errorf("deliver: %w", err)
		}
		consumeErr := d.set.Next.ConsumeLogs(ctx, batch.Build())
		if consumeErr == nil {
			return nil, nil
		}
		// A context that ended says nothing about the data.
		if ctx.Err() != nil {
			return nil, fmt.Errorf("deliver: %w", ctx.Err())
		}
		refusal := Refusal{
			Span: batch.Span, Records: batch.Records, Attempt: attempt, Since: since,
			Err: consumeErr, Permanent: isPermanent(consumeErr),
		}
		if refusal.Permanent && d.set.DropPermanent {
			refusal.Dropped = true
			d.set.OnRefused(refusal)
			return consumererror.NewDownstream(consumeErr), nil
		}
		var again bool
		refusal.Wait, again = retries.Next(0)
		d.set.OnRefused(refusal)
		if !again {
			return nil, fmt.Errorf("deliver: %w: %w", ErrGivenUp, consumererror.NewDownstream(consumeErr))
		}
		if err := wait.Sleep(stop, refusal.Wait); err != nil {
			return nil, fmt.Errorf("deliver: %w", err)
		}
	}
}

// isPermanent reports whether nobody will take the batch any more. A fan-out
// joins the answers of several consumers; consumererror.IsPermanent is true of
// the join when one of them is permanent, while another may still accept.
func isPermanent(err error) bool {
	if !consumererror.IsPermanent(err) {
		return false
	}
	if joined, ok := err.(interface{ Unwrap() []error }); ok {
		for _, part := range joined.Unwrap() {
			if !isPermanent(part) {
				return false
			}
		}
		return true
	}
	if inner := errors.Unwrap(err); consumererror.IsPermanent(inner) {
		return isPermanent(inner)
	}
	return true // this layer itself says so
}
