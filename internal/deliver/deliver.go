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
	// OnPermanent says what a permanent refusal means for the batch.
	OnPermanent Policy
	// OnRefused is told of every refusal and what follows it.
	OnRefused func(Refusal)
}

// Policy for a batch that the next consumer refuses for good.
type Policy int

const (
	// Block hands it over again like any other.
	Block Policy = iota
	// Drop gives it up.
	Drop
	// SetAside lets the batches behind it pass; the caller keeps it for later.
	// From the third such refusal in a row on, the pipeline and not the data is
	// taken to be broken - exporters report a wrong key or address as permanent
	// too - and the batch is handed over again until it is accepted.
	SetAside
)

// brokenAfter is how many permanent refusals in a row show a broken pipeline.
const brokenAfter = 3

// Refusal is one ConsumeLogs call that returned an error.
type Refusal struct {
	Span      Span
	Records   int
	Err       error
	Permanent bool
	// Attempt counts from 1; Since is when the first one began.
	Attempt int
	Since   time.Time
	// Outcome is what follows: Dropped, Aside, or Open with Wait the time to the
	// next attempt, which is 0 when Deliver gives up.
	Outcome Outcome
	Wait    time.Duration
}

// Deliverer hands over one batch at a time. It is for one goroutine.
type Deliverer struct {
	set Settings
	// refused counts the batches refused for good since the last accepted one.
	refused int
}

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
		return Receipt{span: batch.Span, outcome: Accepted}, nil
	}
	op := d.set.Obs.StartLogsOp(ctx)
	outcome, refusal, err := d.attempts(op, stop, batch)
	d.set.Obs.EndLogsOp(op, Format, batch.Records, errors.Join(refusal, err))
	if err != nil {
		return Receipt{}, err
	}
	return Receipt{span: batch.Span, outcome: outcome}, nil
}

// attempts hands the batch over until an answer ends it. refusal is the
// consumer's error when the batch ended without being accepted; err is set when
// it still needs delivery.
func (d *Deliverer) attempts(ctx, stop context.Context, batch Batch) (outcome Outcome, refusal, err error) {
	retries := wait.NewBackOff(d.set.Retry)
	since := time.Now()
	for attempt := 1; ; attempt++ {
		if err := stop.Err(); err != nil {
			return Open, nil, fmt.Errorf("deliver: %w", err)
		}
		consumeErr := d.set.Next.ConsumeLogs(ctx, batch.Build())
		if consumeErr == nil {
			d.refused = 0
			return Accepted, nil, nil
		}
		// A context that ended says nothing about the data.
		if ctx.Err() != nil {
			return Open, nil, fmt.Errorf("deliver: %w", ctx.Err())
		}
		r := Refusal{
			Span: batch.Span, Records: batch.Records, Attempt: attempt, Since: since,
			Err: brief{consumeErr}, Permanent: isPermanent(consumeErr),
		}
		if r.Outcome = d.judge(r); r.Outcome != Open {
			d.set.OnRefused(r)
			return r.Outcome, consumererror.NewDownstream(brief{consumeErr}), nil
		}
		var again bool
		r.Wait, again = retries.Next(0)
		d.set.OnRefused(r)
		if !again {
			return Open, nil, fmt.Errorf("deliver: %w: %w", ErrGivenUp, consumererror.NewDownstream(brief{consumeErr}))
		}
		if err := wait.Sleep(stop, r.Wait); err != nil {
			return Open, nil, fmt.Errorf("deliver: %w", err)
		}
	}
}

// judge says what a refusal means for its batch, by the policy.
func (d *Deliverer) judge(r Refusal) Outcome {
	switch {
	case !r.Permanent:
		return Open
	case d.set.OnPermanent == Drop:
		return Dropped
	case d.set.OnPermanent == SetAside && r.Attempt == 1:
		// Only a batch's first answer counts: a held one stays held.
		if d.refused++; d.refused < brokenAfter {
			return Aside
		}
	}
	return Open
}

// brief is another component's error with a text of bounded length: it ends up in
// our logs, status and spans, and may quote what the component was given.
type brief struct{ error }

const briefLength = 300

// Error cuts the text.
func (b brief) Error() string {
	text := []rune(b.error.Error())
	if len(text) > briefLength {
		return string(text[:briefLength]) + "…"
	}
	return string(text)
}

// Unwrap keeps the error's kind.
func (b brief) Unwrap() error { return b.error }

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
