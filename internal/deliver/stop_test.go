// Copyright The OpenTelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package deliver

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"go.opentelemetry.io/collector/consumer/consumererror"
)

// The end of stop ends a wait at once, and no further call begins.
func TestStopEndsWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, always(errBusy))
		b.Retry.InitialInterval, b.Retry.MaxInterval = time.Hour, time.Hour
		stop, cancel := context.WithCancel(t.Context())
		time.AfterFunc(90*time.Minute, cancel)
		started := time.Now()
		receipt, err := New(b.Settings).Deliver(t.Context(), stop, b.batch(3))
		checkNoReceipt(t, receipt, err, context.Canceled)
		require.NotErrorIs(t, err, ErrGivenUp)
		assert.Equal(t, 90*time.Minute, time.Since(started))
		assert.Len(t, b.calls, 2)
		require.Len(t, b.obs.ends, 1)
		assert.Equal(t, 3, b.obs.ends[0].records)
		require.ErrorIs(t, b.obs.ends[0].err, context.Canceled)
	})
}

// Where stop has ended already, no call begins.
func TestStoppedBefore(t *testing.T) {
	b := newBench(t, always(nil))
	stop, cancel := context.WithCancel(t.Context())
	cancel()
	receipt, err := New(b.Settings).Deliver(t.Context(), stop, b.batch(3))
	checkNoReceipt(t, receipt, err, context.Canceled)
	assert.Empty(t, b.calls)
	assert.Zero(t, b.builds)
	assert.Len(t, b.obs.ends, b.obs.starts, "an operation was begun and not ended")
}

// stop does not cancel a call that runs. Its answer counts: what it accepts is
// not to be delivered again, and what it refuses is not tried again now.
func TestStopLetsCallFinish(t *testing.T) {
	tests := []struct {
		name    string
		answer  error
		drop    bool
		err     error
		dropped bool
	}{
		{name: "accepted"},
		{name: "refused", answer: errBusy, err: context.Canceled},
		{name: "refused for good and dropped", answer: errBad, drop: true, dropped: true},
		{name: "refused for good and blocked", answer: errBad, err: context.Canceled},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				stop, cancel := context.WithCancel(t.Context())
				b := newBench(t, func(ctx context.Context, _ int) error {
					cancel()
					select {
					case <-ctx.Done():
						t.Error("stop ended the call")
					case <-time.After(time.Hour):
					}
					return test.answer
				})
				if test.drop {
					b.OnPermanent = Drop
				}
				receipt, err := New(b.Settings).Deliver(t.Context(), stop, b.batch(3))
				if test.err != nil {
					checkNoReceipt(t, receipt, err, test.err)
				} else {
					checkReceipt(t, receipt, err, test.dropped)
				}
				assert.Len(t, b.calls, 1)
			})
		})
	}
}

// The consumer gets the context that ObsReport made of ctx, so its end ends the
// call.
func TestContextReachesConsumer(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	b := newBench(t, func(ctx context.Context, _ int) error {
		assert.Equal(t, true, ctx.Value(opKey{}))
		require.NoError(t, ctx.Err())
		cancel()
		return ctx.Err()
	})
	receipt, err := New(b.Settings).Deliver(ctx, t.Context(), b.batch(1))
	checkNoReceipt(t, receipt, err, context.Canceled)
}

// A context that ends during a call makes every refusal worthless, a permanent
// one too: it is neither a verdict on the data nor a reason to wait.
func TestCancelledIsNoVerdict(t *testing.T) {
	for name, answer := range map[string]error{
		"permanent":                errBad,
		"permanent, of the cancel": consumererror.NewPermanent(context.Canceled),
		"retryable":                errBusy,
		"the context's own":        context.Canceled,
		"joined":                   errors.Join(errBad, context.Canceled),
	} {
		t.Run(name, func(t *testing.T) {
			ctx, cancel := context.WithCancel(t.Context())
			b := newBench(t, func(context.Context, int) error {
				cancel()
				return answer
			})
			b.OnPermanent = Drop
			receipt, err := New(b.Settings).Deliver(ctx, t.Context(), b.batch(3))
			checkNoReceipt(t, receipt, err, context.Canceled)
			assert.Len(t, b.calls, 1)
			assert.Empty(t, b.refusals)
			require.Len(t, b.obs.ends, 1)
			require.Error(t, b.obs.ends[0].err)
		})
	}
}

// Accepted is accepted, even while the context ends.
func TestAcceptedWhileCancelled(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	b := newBench(t, func(context.Context, int) error {
		cancel()
		return nil
	})
	receipt, err := New(b.Settings).Deliver(ctx, t.Context(), b.batch(3))
	checkReceipt(t, receipt, err, false)
	require.Len(t, b.obs.ends, 1)
	assert.NoError(t, b.obs.ends[0].err)
}
