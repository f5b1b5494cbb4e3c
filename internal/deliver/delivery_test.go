// Copyright The OpenTelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package deliver

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"go.opentelemetry.io/collector/config/configretry"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/consumer/consumererror"
	"go.opentelemetry.io/collector/pdata/plog"
)

// inOp is a call of which so many records are settled.
func inOp(records int, err error) observed {
	return observed{inOp: true, format: "openai_compliance", records: records, err: err}
}

// checkOps checks what ObsReport was told: one operation a call, errors by their
// kind and marked as downstream's.
func checkOps(t *testing.T, want []observed, got observer) {
	t.Helper()
	require.Len(t, got.ends, len(want))
	assert.Equal(t, len(want), got.starts)
	for i, end := range got.ends {
		if want[i].err != nil {
			require.ErrorIs(t, end.err, want[i].err)
			assert.True(t, consumererror.IsDownstream(end.err))
			end.err = want[i].err
		}
		assert.Equal(t, want[i], end)
	}
}

// A batch that is accepted at once is one call.
func TestAccepted(t *testing.T) {
	b := newBench(t, always(nil))
	l, d, err := b.deliver(NewConsumer(b.Settings), sizesOf(3, 10), 100)
	require.NoError(t, err)
	assert.Equal(t, []int{0, 1, 2}, l.with(Accepted))
	assert.Equal(t, []int{3}, b.lengths())
	assert.Empty(t, b.rejections)
	assert.False(t, d.Held())
	checkOps(t, []observed{inOp(3, nil)}, b.obs)
}

// A retryable rejection is answered with the same batch until it is accepted, with
// growing waits up to max_interval.
func TestRetriedUntilAccepted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, answers(errBusy, errBusy, errBusy, errBusy, errBusy, nil))
		b.Retry.MaxInterval = 5 * time.Second
		l, _, err := b.deliver(NewConsumer(b.Settings), sizesOf(3, 10), 100)
		require.NoError(t, err)
		assert.Len(t, l.with(Accepted), 3)
		assert.Equal(t, []int{3, 3, 3, 3, 3, 3}, b.lengths())
		const s = time.Second
		for i, at := range []time.Duration{0, 1 * s, 3 * s, 7 * s, 12 * s, 17 * s} {
			assert.Equal(t, at, b.calls[i].at)
		}
		require.Len(t, b.rejections, 5)
		for i, wait := range []time.Duration{1 * s, 2 * s, 4 * s, 5 * s, 5 * s} {
			r := b.rejections[i]
			require.ErrorIs(t, r.Err, errBusy)
			r.Err = nil
			assert.Equal(t, Rejection{Part: r.Part, Records: 3, Attempt: i + 1, Since: b.started, Wait: wait}, r)
			assert.Equal(t, []int{1, 2, 3}, r.Part.Lines)
		}
		checkOps(t, []observed{inOp(0, errBusy), inOp(0, errBusy), inOp(0, errBusy), inOp(0, errBusy), inOp(0, errBusy), inOp(3, nil)}, b.obs)
	})
}

// Each batch has a run of retries of its own: waits and attempts begin anew.
func TestRetriesBeginAnew(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, answers(errBusy, errBusy, nil, errBusy, nil))
		c := NewConsumer(b.Settings)
		for range 2 {
			_, _, err := b.deliver(c, sizesOf(1, 10), 100)
			require.NoError(t, err)
		}
		require.Len(t, b.rejections, 3)
		assert.Equal(t, time.Second, b.rejections[2].Wait)
		assert.Equal(t, 1, b.rejections[2].Attempt)
		assert.Equal(t, 3*time.Second, b.rejections[2].Since.Sub(b.started))
	})
}

// What is accepted of a batch makes waits and attempts begin anew for the rest.
func TestRetriesBeginAnewInBatch(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, answers(errBad, errBusy, errBusy, nil, errBusy, nil))
		l, _, err := b.deliver(NewConsumer(b.Settings), sizesOf(2, 10), 100)
		require.NoError(t, err)
		assert.Len(t, l.with(Accepted), 2)
		require.Len(t, b.rejections, 4)
		for i, want := range []Rejection{{Attempt: 1}, {Attempt: 2, Wait: time.Second}, {Attempt: 3, Wait: 2 * time.Second}, {Attempt: 1, Wait: time.Second}} {
			assert.Equal(t, want.Attempt, b.rejections[i].Attempt)
			assert.Equal(t, want.Wait, b.rejections[i].Wait)
		}
	})
}

// Waits drawn at random stay within the factor around max_interval, for days.
func TestRetriedForDays(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		calls := 0
		b := newBench(t, func([]int) error {
			if calls++; calls <= 20_000 {
				return errBusy
			}
			return nil
		})
		b.Retry.RandomizationFactor = 0.2
		l, _, err := b.deliver(NewConsumer(b.Settings), sizesOf(1, 10), 100_000)
		require.NoError(t, err)
		assert.Len(t, l.with(Accepted), 1)
		assert.Greater(t, time.Since(b.started), 5*24*time.Hour)
		for _, r := range b.rejections {
			assert.LessOrEqual(t, r.Wait, 36*time.Second+1)
		}
	})
}

// With drop, a permanently rejected batch is given up without a further call.
func TestDropped(t *testing.T) {
	b := newBench(t, always(errBad))
	b.OnPermanent = Drop
	l, _, err := b.deliver(NewConsumer(b.Settings), sizesOf(100, 10), 100)
	require.NoError(t, err)
	assert.Len(t, l.with(Dropped), 100)
	assert.Equal(t, []int{100}, b.lengths())
	require.Len(t, b.rejections, 1)
	assert.Equal(t, Dropped, b.rejections[0].Outcome)
	assert.True(t, b.rejections[0].Permanent)
	checkOps(t, []observed{inOp(100, errBad)}, b.obs)
}

// A quarantined record is reported as settled, with its error; the calls before,
// of records offered again, as none.
func TestQuarantinedIsReported(t *testing.T) {
	b := newBench(t, rejecting(errBad, 0))
	l, _, err := b.deliver(NewConsumer(b.Settings), sizesOf(2, 10), 100)
	require.NoError(t, err)
	assert.Equal(t, []int{0}, l.with(Quarantined))
	require.Len(t, b.rejections, 2)
	assert.Equal(t, Open, b.rejections[0].Outcome)
	assert.Equal(t, Quarantined, b.rejections[1].Outcome)
	assert.Equal(t, []int{1}, b.rejections[1].Part.Lines)
	checkOps(t, []observed{inOp(0, errBad), inOp(1, errBad), inOp(1, nil)}, b.obs)
}

// Where retries are disabled or their time is over, the delivery ends with an
// error and without a receipt. A hold ends so too.
func TestRetriesExhausted(t *testing.T) {
	type retry = configretry.BackOffConfig
	tests := []struct {
		name    string
		retry   func(*retry)
		err     error
		policy  Policy
		records int
		calls   int
	}{
		{"disabled", func(r *retry) { r.Enabled = false }, errBusy, Quarantine, 3, 1},
		{"disabled, block", func(r *retry) { r.Enabled = false }, errBad, Block, 1, 1},
		{"disabled, held after eight probes", func(r *retry) { r.Enabled = false }, errBad, Quarantine, 20, 9},
		{"time is over", func(r *retry) { r.MaxElapsedTime = 8 * time.Second }, errBusy, Quarantine, 3, 4},
		{"time is over before the first wait", func(r *retry) { r.MaxElapsedTime = time.Second - 1 }, errBusy, Quarantine, 3, 1},
		{"time is over during a hold", func(r *retry) { r.MaxElapsedTime = 2 * time.Second }, errBad, Quarantine, 20, 18},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := newBench(t, always(test.err))
				test.retry(&b.Retry)
				b.OnPermanent = test.policy
				l, _, err := b.deliver(NewConsumer(b.Settings), sizesOf(test.records, 10), 100)
				require.ErrorIs(t, err, ErrRetriesExhausted)
				require.ErrorIs(t, err, test.err)
				assert.True(t, consumererror.IsDownstream(err))
				assert.Len(t, l.with(Open), test.records)
				assert.Len(t, b.calls, test.calls)
				require.Len(t, b.rejections, test.calls)
				last := b.rejections[test.calls-1]
				assert.Equal(t, test.calls, last.Attempt)
				assert.Zero(t, last.Wait)
				assert.Equal(t, Open, last.Outcome)
				end := b.obs.ends[len(b.obs.ends)-1]
				assert.Zero(t, end.records)
				require.ErrorIs(t, end.err, ErrRetriesExhausted)
			})
		})
	}
}

// A call without records is not made, whatever the context says, and its receipt
// settles the step. It neither resets the attempts nor says that the next consumer
// works.
func TestNoRecords(t *testing.T) {
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	b := newBench(t, always(errBad))
	c := NewConsumer(b.Settings)
	c.state.failedRun = 7
	part := Part{File: FileRef{ID: "file-01"}, NextLine: 9}

	d := c.NewDelivery(nil)
	_, ok := d.Next()
	assert.False(t, ok)
	receipt, err := d.Offer(ended, Step{}, Call{Part: part})
	require.NoError(t, err)
	got, ok := receipt.Part()
	assert.True(t, ok)
	assert.Equal(t, part, got)
	assert.Equal(t, Accepted, receipt.Outcome())

	d = c.NewDelivery(sizesOf(2, 10))
	for _, step := range []Step{{Records: []int{0, 1}}, {Records: []int{0}}} {
		if len(step.Records) == 2 {
			_, err = d.Offer(t.Context(), step, call(d, step, 2))
		} else {
			receipt, err = d.Offer(ended, step, Call{Part: part})
			assert.Equal(t, Accepted, receipt.Outcome())
		}
		require.NoError(t, err)
	}
	assert.Len(t, b.calls, 1)
	assert.Equal(t, 7, c.state.failedRun)
	assert.Zero(t, c.state.acceptances)
	step, _ := d.Next()
	_, err = d.Offer(t.Context(), step, call(d, step, 2))
	require.NoError(t, err)
	assert.True(t, d.Held())
	assert.Equal(t, 2, b.rejections[1].Attempt)
}

// A Receipt that no delivery made proves nothing.
func TestZeroReceipt(t *testing.T) {
	part, ok := Receipt{}.Part()
	assert.False(t, ok)
	assert.Equal(t, Part{}, part)
	assert.Equal(t, Open, Receipt{}.Outcome())
}

// What a consumer did to the data before it rejected it does not show in the next
// attempt.
func TestConsumerMayMutate(t *testing.T) {
	tests := map[string]func(plog.Logs){
		"empties": func(logs plog.Logs) {
			logs.ResourceLogs().RemoveIf(func(plog.ResourceLogs) bool { return true })
		},
		"changes": func(logs plog.Logs) {
			for _, record := range logs.ResourceLogs().At(0).ScopeLogs().At(0).LogRecords().All() {
				record.Body().SetStr("changed")
			}
		},
		"moves": func(logs plog.Logs) { logs.ResourceLogs().MoveAndAppendTo(plog.NewLogs().ResourceLogs()) },
	}
	for name, mutate := range tests {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := newBench(t, nil)
				calls := 0
				next, err := consumer.NewLogs(func(_ context.Context, logs plog.Logs) error {
					calls++
					assert.Equal(t, build([]int{0, 1}), logs)
					mutate(logs)
					if calls < 3 {
						return errBusy
					}
					return nil
				}, consumer.WithCapabilities(consumer.Capabilities{MutatesData: true}))
				require.NoError(t, err)
				b.Next = next
				_, _, err = b.deliver(NewConsumer(b.Settings), sizesOf(2, 10), 100)
				require.NoError(t, err)
				assert.Equal(t, 3, calls)
			})
		})
	}
}

// A context that ends during a call makes every error worthless as an answer:
// nothing is decided, reported or settled. An acceptance still counts.
func TestContextEnds(t *testing.T) {
	for name, answer := range map[string]error{
		"permanent":                errBad,
		"permanent, of the cancel": consumererror.NewPermanent(context.Canceled),
		"retryable":                errBusy,
		"the context's own":        context.Canceled,
		"joined":                   errors.Join(errBad, context.Canceled),
		"accepted":                 nil,
	} {
		t.Run(name, func(t *testing.T) {
			ctx, cancel := context.WithCancel(t.Context())
			b := newBench(t, func([]int) error { cancel(); return answer })
			b.OnPermanent = Drop
			d := NewConsumer(b.Settings).NewDelivery(sizesOf(3, 10))
			step, _ := d.Next()
			receipt, err := d.Offer(ctx, step, call(d, step, 3))
			assert.Empty(t, b.rejections)
			require.Len(t, b.obs.ends, 1)
			require.ErrorIs(t, b.obs.ends[0].err, err)
			if answer == nil {
				require.NoError(t, err)
				assert.Equal(t, Accepted, receipt.Outcome())
				return
			}
			require.ErrorIs(t, err, context.Canceled)
			assert.Zero(t, receipt)
			again, ok := d.Next()
			assert.True(t, ok)
			assert.Equal(t, step, again)
		})
	}
}

// Where the context has ended already, no call begins.
func TestContextEndedBefore(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	b := newBench(t, always(nil))
	d := NewConsumer(b.Settings).NewDelivery(sizesOf(3, 10))
	step, _ := d.Next()
	receipt, err := d.Offer(ctx, step, call(d, step, 3))
	require.ErrorIs(t, err, context.Canceled)
	require.NotErrorIs(t, err, ErrRetriesExhausted)
	assert.Zero(t, receipt)
	assert.Empty(t, b.calls)
	assert.Zero(t, b.obs.starts)
}

// The consumer gets the context that ObsReport made of the caller's.
func TestContextReachesConsumer(t *testing.T) {
	b := newBench(t, nil)
	next, err := consumer.NewLogs(func(ctx context.Context, _ plog.Logs) error {
		assert.Equal(t, true, ctx.Value(opKey{}))
		return nil
	})
	require.NoError(t, err)
	b.Next = next
	_, _, err = b.deliver(NewConsumer(b.Settings), sizesOf(1, 10), 1)
	require.NoError(t, err)
}

// A fan-out joins the answers of several consumers. While one of them may still
// accept the batch it is retried, although IsPermanent says true of the join.
func TestIsPermanent(t *testing.T) {
	tests := map[string]struct {
		err  error
		want bool
	}{
		"plain":                         {errBusy, false},
		"permanent":                     {errBad, true},
		"permanent first":               {errors.Join(errBad, errBusy), false},
		"transient first":               {errors.Join(errBusy, errBad), false},
		"nested, one transient":         {errors.Join(errBad, errors.Join(errBad, errBusy)), false},
		"wrapped, one transient":        {fmt.Errorf("logs pipeline: %w", errors.Join(errBad, errBusy)), false},
		"downstream, one transient":     {consumererror.NewDownstream(errors.Join(errBusy, errBad)), false},
		"joined":                        {errors.Join(errBad, errBad), true},
		"nested":                        {errors.Join(errBad, errors.Join(errBad, errBad)), true},
		"wrapped":                       {fmt.Errorf("logs pipeline: %w", errors.Join(errBad, errBad)), true},
		"downstream":                    {consumererror.NewDownstream(errors.Join(errBad, errBad)), true},
		"permanent by itself":           {consumererror.NewPermanent(errors.Join(errBusy, errBusy)), true},
		"permanent of a wrapped one":    {consumererror.NewPermanent(fmt.Errorf("export: %w", errBusy)), true},
		"wrapped permanent of a join":   {fmt.Errorf("logs: %w", consumererror.NewPermanent(errors.Join(errBusy))), true},
		"downstream of a permanent one": {consumererror.NewDownstream(errBad), true},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) { assert.Equal(t, test.want, isPermanent(test.err)) })
	}
}

// Another component's error has a text of bounded length, wherever it ends up, and
// keeps its kind.
func TestErrorTextIsCut(t *testing.T) {
	long := consumererror.NewPermanent(errors.New(strings.Repeat("x", 5000)))
	b := newBench(t, always(long))
	b.Retry.Enabled, b.OnPermanent = false, Block
	_, _, err := b.deliver(NewConsumer(b.Settings), sizesOf(1, 10), 1)
	require.ErrorIs(t, err, ErrRetriesExhausted)
	require.ErrorIs(t, err, long)
	assert.True(t, consumererror.IsPermanent(err))
	assert.Less(t, len(err.Error()), 500)
	assert.Less(t, len(b.obs.ends[0].err.Error()), 500)
	assert.Less(t, len(b.rejections[0].Err.Error()), 310)
	assert.True(t, consumererror.IsPermanent(b.rejections[0].Err))
}
