// Copyright The OpenTelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package deliver

import (
	"context"
	"fmt"

	"go.opentelemetry.io/collector/consumer/consumererror"
)

// OfferOnce makes one call of the next consumer and returns its answer: a Receipt
// once it accepts the records, else an error. Nothing is retried, and a rejection
// counts for nothing: it is for records that wait elsewhere. A call without records
// is accepted without one. IsPermanent tells rejections apart.
func (c *Consumer) OfferOnce(ctx context.Context, call Call) (Receipt, error) {
	if call.Records == 0 {
		return Receipt{part: call.Part, outcome: Accepted}, nil
	}
	op := c.set.Obs.StartLogsOp(ctx)
	err := c.set.Next.ConsumeLogs(op, call.Build())
	if err == nil {
		c.set.Obs.EndLogsOp(op, Format, call.Records, nil)
		c.mu.Lock()
		defer c.mu.Unlock()
		c.state.accepted()
		return Receipt{part: call.Part, outcome: Accepted}, nil
	}
	if ctx.Err() != nil {
		c.set.Obs.EndLogsOp(op, Format, 0, ctx.Err())
		return Receipt{}, fmt.Errorf("deliver: %w", ctx.Err())
	}
	err = consumererror.NewDownstream(c.shown(err))
	c.set.Obs.EndLogsOp(op, Format, 0, err)
	return Receipt{}, fmt.Errorf("deliver: %w", err)
}

// IsPermanent reports whether OfferOnce's error says that no further call will be
// accepted.
func IsPermanent(err error) bool { return isPermanent(err) }
