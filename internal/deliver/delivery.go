// Copyright The OpenTelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package deliver

import (
	"context"
	"fmt"
	"time"

	"go.opentelemetry.io/collector/consumer/consumererror"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/openaicompliance/openaicompliancereceiver/internal/wait"
)

// Step is what to offer next: after Wait, the records with these indexes,
// ascending. A probe is a single record out of order.
type Step struct {
	Wait    time.Duration
	Records []int
	Probe   bool
}

// Call is what one ConsumeLogs call carries: the records of a step that are no
// duplicates. Build makes the data anew for each attempt: what was offered
// once is off limits, whatever the answer was. With Records 0 no call is made.
type Call struct {
	Part    Part
	Records int
	Build   func() plog.Logs
}

// Delivery is one batch on its way. It is for one goroutine.
type Delivery struct {
	consumer *Consumer
	plan     plan
	backOff  *wait.BackOff // since the last acceptance, nil before a call
	wait     time.Duration // before the next step
	rejected Rejection     // the last one; Attempt is 0 after an acceptance
}

// NewDelivery begins the delivery of records of these sizes in bytes, in order.
func (c *Consumer) NewDelivery(sizes []int) *Delivery {
	return &Delivery{consumer: c, plan: newPlan(c.set.OnPermanent, sizes)}
}

// SetStoredAhead tells how many lines the checkpoint stores ahead that are no
// records of this delivery: they count towards MaxAhead.
func (d *Delivery) SetStoredAhead(lines int) { d.plan.left.stored = lines }

// Next returns what to offer next; false when everything is settled. It changes
// nothing: only Offer does.
func (d *Delivery) Next() (Step, bool) {
	step, ok := d.plan.step()
	step.Wait = d.wait
	return step, ok
}

// Left returns what a checkpoint has to know once the step is settled: the first
// unsettled index, len(sizes) when there is none, and the settled ones after it.
func (d *Delivery) Left(step Step) (first int, ahead []int) { return d.plan.left.after(step.Records) }

// Held reports whether the stream holds here: it retries with back-off and neither
// passes nor quarantines the records until some are accepted.
func (d *Delivery) Held() bool { return d.plan.held }

// Offer makes one call of the next consumer for the step that Next returned. It
// returns a Receipt when the step is settled, and a zero Receipt when it is not
// and the delivery continues with Next. An error means that the context ended or
// that retries are exhausted (ErrRetriesExhausted); nothing is settled then.
//
// A call without records settles the step and says nothing of the next consumer;
// for a batch without records it may be made with a zero Step.
func (d *Delivery) Offer(ctx context.Context, step Step, call Call) (Receipt, error) {
	if call.Records == 0 {
		decided, _ := d.decide(step, answer{kind: answerNoCall})
		d.wait = 0
		if decided.backOff {
			d.wait, _ = d.backOffFor()
		}
		return Receipt{part: call.Part, outcome: Accepted}, nil
	}
	if err := ctx.Err(); err != nil {
		return Receipt{}, fmt.Errorf("deliver: %w", err)
	}
	if d.rejected.Attempt == 0 {
		d.rejected.Since = time.Now()
	}
	if d.backOff == nil {
		d.backOff = wait.NewBackOff(d.consumer.set.Retry)
	}
	obs := d.consumer.set.Obs
	op := obs.StartLogsOp(ctx)
	err := d.consumer.set.Next.ConsumeLogs(op, call.Build())
	if err == nil {
		obs.EndLogsOp(op, Format, call.Records, nil)
		return d.accept(step, call), nil
	}
	// A context that ended makes every error worthless as an answer.
	if ctx.Err() != nil {
		err = fmt.Errorf("deliver: %w", ctx.Err())
		obs.EndLogsOp(op, Format, 0, err)
		return Receipt{}, err
	}
	permanent, shown := isPermanent(err), d.consumer.shown(err)
	downstream := consumererror.NewDownstream(shown)
	d.rejected = Rejection{
		Part: call.Part, Records: call.Records, Err: shown, Permanent: permanent,
		Attempt: d.rejected.Attempt + 1, Since: d.rejected.Since,
	}
	receipt, err := d.reject(step, call)
	settled := 0
	if receipt.outcome != Open {
		settled = call.Records
	}
	if err != nil {
		err = fmt.Errorf("deliver: %w: %w", err, downstream)
		obs.EndLogsOp(op, Format, 0, err)
		return Receipt{}, err
	}
	obs.EndLogsOp(op, Format, settled, downstream)
	return receipt, nil
}

// decide takes the answer to the step. It returns the bound for batches that it
// taught, else 0.
func (d *Delivery) decide(step Step, a answer) (decided decision, learned int) {
	c := d.consumer
	c.mu.Lock()
	defer c.mu.Unlock()
	decided = d.plan.answer(&c.state, step, a)
	if a.kind != answerAccepted {
		return decided, 0
	}
	if len(step.Records) == len(d.plan.size.sizes) {
		c.state.size.batchAccepted()
	}
	if _, more := d.plan.step(); !more {
		learned = c.state.size.learn(d.plan.size)
	}
	return decided, learned
}

// accept settles the step that was accepted.
func (d *Delivery) accept(step Step, call Call) Receipt {
	_, learned := d.decide(step, answer{kind: answerAccepted, sent: call.Records, at: time.Now()})
	d.backOff, d.wait, d.rejected.Attempt = nil, 0, 0
	if learned > 0 {
		r := d.rejected
		r.Outcome, r.Wait, r.Held, r.LearnedBytes = Accepted, 0, false, learned
		d.consumer.set.OnRejected(r)
	}
	return Receipt{part: call.Part, outcome: Accepted}
}

// reject decides what follows d.rejected, and reports it.
func (d *Delivery) reject(step Step, call Call) (Receipt, error) {
	a := answer{kind: answerRetryable, sent: call.Records, at: time.Now()}
	if d.rejected.Permanent {
		a.kind = answerPermanent
	}
	decided, _ := d.decide(step, a)
	var exhausted error
	d.wait = 0
	if decided.backOff {
		d.wait, exhausted = d.backOffFor()
	}
	d.rejected.Outcome, d.rejected.Wait, d.rejected.Held = decided.outcome, d.wait, d.plan.held
	d.consumer.set.OnRejected(d.rejected)
	if decided.outcome == Open {
		return Receipt{}, exhausted
	}
	return Receipt{part: call.Part, outcome: decided.outcome}, nil
}

// backOffFor is the wait before the next call.
func (d *Delivery) backOffFor() (time.Duration, error) {
	if d.backOff == nil {
		d.backOff = wait.NewBackOff(d.consumer.set.Retry)
	}
	next, ok := d.backOff.Next(0)
	if !ok {
		return 0, ErrRetriesExhausted
	}
	return next, nil
}
