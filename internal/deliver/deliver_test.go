// Copyright The OpenTelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package deliver

import (
	"context"
	"errors"
	"fmt"
	"slices"
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

var (
	errBusy = errors.New("busy")
	errBad  = consumererror.NewPermanent(errors.New("bad data"))
)

// checkReceipt checks that a delivery ended well.
func checkReceipt(t *testing.T, receipt Receipt, err error, dropped bool) {
	t.Helper()
	require.NoError(t, err)
	span, ok := receipt.Span()
	assert.True(t, ok)
	assert.Equal(t, testSpan, span)
	assert.Equal(t, dropped, receipt.Outcome() == Dropped)
}

// checkNoReceipt checks that nothing proves a delivery that failed.
func checkNoReceipt(t *testing.T, receipt Receipt, err, target error) {
	t.Helper()
	require.ErrorIs(t, err, target)
	_, ok := receipt.Span()
	assert.False(t, ok)
	assert.Equal(t, Open, receipt.Outcome())
}

// A batch that is accepted at once is handed over once.
func TestAccepted(t *testing.T) {
	b := newBench(t, always(nil))
	receipt, err := New(b.Settings).Deliver(t.Context(), t.Context(), b.batch(3))
	checkReceipt(t, receipt, err, false)
	assert.Equal(t, []int{3}, b.received)
	assert.Empty(t, b.refusals)
	assert.Equal(t, 1, b.obs.starts)
	assert.Equal(t, []observed{{inOp: true, format: "openai_compliance", records: 3}}, b.obs.ends)
}

// A retryable refusal is answered with the same batch until it is accepted, with
// growing waits up to max_interval; observers see one operation.
func TestRetriedUntilAccepted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, answers(errBusy, errBusy, errBusy, errBusy, errBusy, nil))
		started := time.Now()
		receipt, err := New(b.Settings).Deliver(t.Context(), t.Context(), b.batch(3))
		checkReceipt(t, receipt, err, false)
		assert.Equal(t, []int{3, 3, 3, 3, 3, 3}, b.received)
		assert.Equal(t, 6, b.builds)
		var offsets []time.Duration
		for _, at := range b.calls {
			offsets = append(offsets, at.Sub(started))
		}
		const s = time.Second
		assert.Equal(t, []time.Duration{0, 1 * s, 3 * s, 7 * s, 12 * s, 17 * s}, offsets)
		var want []Refusal
		for i, wait := range []time.Duration{1 * s, 2 * s, 4 * s, 5 * s, 5 * s} {
			want = append(want, Refusal{Span: testSpan, Records: 3, Err: errBusy, Attempt: i + 1, Wait: wait})
		}
		assert.Equal(t, want, b.refusals)
		assert.Equal(t, slices.Repeat([]time.Time{started}, 5), b.since)
		assert.Equal(t, 1, b.obs.starts)
		assert.Equal(t, []observed{{inOp: true, format: "openai_compliance", records: 3}}, b.obs.ends)
	})
}

// With no limit on the time, retries go on for days.
func TestRetriedForEver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, func(_ context.Context, n int) error {
			if n <= 100_000 {
				return errBusy
			}
			return nil
		})
		started := time.Now()
		receipt, err := New(b.Settings).Deliver(t.Context(), t.Context(), b.batch(1))
		checkReceipt(t, receipt, err, false)
		assert.Greater(t, time.Since(started), 5*24*time.Hour)
	})
}

// Waits drawn at random stay within the factor around max_interval.
func TestWaitsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, func(_ context.Context, n int) error {
			if n <= 500 {
				return errBusy
			}
			return nil
		})
		b.Retry.RandomizationFactor = 0.2
		_, err := New(b.Settings).Deliver(t.Context(), t.Context(), b.batch(1))
		require.NoError(t, err)
		require.Len(t, b.refusals, 500)
		for i, refusal := range b.refusals {
			assert.LessOrEqual(t, refusal.Wait, 6*time.Second+1)
			assert.Equal(t, refusal.Wait, b.calls[i+1].Sub(b.calls[i]))
		}
	})
}

// Each batch has a run of retries of its own: the waits begin small again.
func TestRetriesStartAnew(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, answers(errBusy, errBusy, nil, errBusy, nil))
		d := New(b.Settings)
		for range 2 {
			receipt, err := d.Deliver(t.Context(), t.Context(), b.batch(1))
			checkReceipt(t, receipt, err, false)
		}
		require.Len(t, b.refusals, 3)
		assert.Equal(t, time.Second, b.refusals[2].Wait)
		assert.Equal(t, 1, b.refusals[2].Attempt)
	})
}

// What a consumer did to the data before it refused it does not show in the next
// attempt: it may keep, change or empty what it was given.
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
				want := b.batch(2).Build()
				calls := 0
				next, err := consumer.NewLogs(func(_ context.Context, logs plog.Logs) error {
					calls++
					assert.Equal(t, want, logs)
					mutate(logs)
					if calls < 3 {
						return errBusy
					}
					return nil
				}, consumer.WithCapabilities(consumer.Capabilities{MutatesData: true}))
				require.NoError(t, err)
				b.Next = next
				receipt, err := New(b.Settings).Deliver(t.Context(), t.Context(), b.batch(2))
				checkReceipt(t, receipt, err, false)
				assert.Equal(t, 3, calls)
			})
		})
	}
}

// A permanent refusal is dropped where the settings say so, and said to be.
func TestPermanentDropped(t *testing.T) {
	for name, refusal := range map[string]error{"plain": errBad, "wrapped": errors.Join(errBad)} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t, answers(refusal))
			b.OnPermanent = Drop
			receipt, err := New(b.Settings).Deliver(t.Context(), t.Context(), b.batch(3))
			checkReceipt(t, receipt, err, true)
			assert.Equal(t, []Refusal{{Span: testSpan, Records: 3, Err: refusal, Permanent: true, Attempt: 1, Outcome: Dropped}}, b.refusals)
			require.Len(t, b.obs.ends, 1)
			assert.Equal(t, 3, b.obs.ends[0].records)
			require.ErrorIs(t, b.obs.ends[0].err, errBad)
			assert.True(t, consumererror.IsDownstream(b.obs.ends[0].err))
		})
	}
}

// A permanent refusal behind retryable ones is dropped too.
func TestPermanentDroppedAfterRetries(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, answers(errBusy, errBusy, errBad))
		b.OnPermanent = Drop
		receipt, err := New(b.Settings).Deliver(t.Context(), t.Context(), b.batch(1))
		checkReceipt(t, receipt, err, true)
		require.Len(t, b.refusals, 3)
		assert.Equal(t, Refusal{Span: testSpan, Records: 1, Err: errBad, Permanent: true, Attempt: 3, Outcome: Dropped}, b.refusals[2])
	})
}

// A permanent refusal is retried where the settings say block.
func TestPermanentBlocks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, answers(errBad, errBad, nil))
		receipt, err := New(b.Settings).Deliver(t.Context(), t.Context(), b.batch(3))
		checkReceipt(t, receipt, err, false)
		assert.Equal(t, []int{3, 3, 3}, b.received)
		assert.Equal(t, []Refusal{
			{Span: testSpan, Records: 3, Err: errBad, Permanent: true, Attempt: 1, Wait: time.Second},
			{Span: testSpan, Records: 3, Err: errBad, Permanent: true, Attempt: 2, Wait: 2 * time.Second},
		}, b.refusals)
		assert.NoError(t, b.obs.ends[0].err)
	})
}

// A fan-out joins the answers of several consumers. While one of them may still
// take the batch it is not dropped, although IsPermanent says true of the join.
func TestJoinedPermanentAndTransient(t *testing.T) {
	for name, joined := range map[string]error{
		"permanent first": errors.Join(errBad, errBusy),
		"transient first": errors.Join(errBusy, errBad),
		"nested":          errors.Join(errBad, errors.Join(errBad, errBusy)),
		"wrapped":         fmt.Errorf("logs pipeline: %w", errors.Join(errBad, errBusy)),
		"downstream":      consumererror.NewDownstream(errors.Join(errBusy, errBad)),
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := newBench(t, answers(joined, nil))
				b.OnPermanent = Drop
				receipt, err := New(b.Settings).Deliver(t.Context(), t.Context(), b.batch(1))
				checkReceipt(t, receipt, err, false)
				assert.Len(t, b.calls, 2)
				require.Len(t, b.refusals, 1)
				assert.Equal(t, Open, b.refusals[0].Outcome)
			})
		})
	}
}

// All of a fan-out's consumers refused for good: nothing is left to wait for.
func TestJoinedPermanent(t *testing.T) {
	for name, joined := range map[string]error{
		"joined":              errors.Join(errBad, errBad),
		"nested":              errors.Join(errBad, errors.Join(errBad, errBad)),
		"wrapped":             fmt.Errorf("logs pipeline: %w", errors.Join(errBad, errBad)),
		"downstream":          consumererror.NewDownstream(errors.Join(errBad, errBad)),
		"permanent by itself": consumererror.NewPermanent(errors.Join(errBusy, errBusy)),
	} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t, answers(joined))
			b.OnPermanent = Drop
			receipt, err := New(b.Settings).Deliver(t.Context(), t.Context(), b.batch(1))
			checkReceipt(t, receipt, err, true)
		})
	}
}

// Where retries are disabled or their time is over, the delivery is given up and
// nothing proves it.
func TestGivenUp(t *testing.T) {
	tests := []struct {
		name  string
		retry func(*configretry.BackOffConfig)
		err   error
		calls int
	}{
		{"retries disabled", func(r *configretry.BackOffConfig) { r.Enabled = false }, errBusy, 1},
		{"retries disabled, permanent and block", func(r *configretry.BackOffConfig) { r.Enabled = false }, errBad, 1},
		{"time is over", func(r *configretry.BackOffConfig) { r.MaxElapsedTime = 8 * time.Second }, errBusy, 4},
		{"time is over before the first wait", func(r *configretry.BackOffConfig) { r.MaxElapsedTime = time.Second - 1 }, errBusy, 1},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := newBench(t, always(test.err))
				test.retry(&b.Retry)
				receipt, err := New(b.Settings).Deliver(t.Context(), t.Context(), b.batch(3))
				checkNoReceipt(t, receipt, err, ErrGivenUp)
				require.ErrorIs(t, err, test.err)
				assert.True(t, consumererror.IsDownstream(err))
				assert.Len(t, b.calls, test.calls)
				require.Len(t, b.refusals, test.calls)
				last := b.refusals[test.calls-1]
				assert.Equal(t, test.calls, last.Attempt)
				assert.Zero(t, last.Wait)
				assert.Equal(t, Open, last.Outcome)
				assert.Equal(t, []observed{{inOp: true, format: "openai_compliance", records: 3, err: b.obs.ends[0].err}}, b.obs.ends)
				require.ErrorIs(t, b.obs.ends[0].err, ErrGivenUp)
			})
		})
	}
}

// A batch without records needs no delivery: nobody is called, whatever the
// contexts say.
func TestEmptyBatch(t *testing.T) {
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	for name, ctx := range map[string]context.Context{"running": t.Context(), "ended": ended} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t, always(errBad))
			receipt, err := New(b.Settings).Deliver(ctx, ctx, b.batch(0))
			checkReceipt(t, receipt, err, false)
			assert.Empty(t, b.calls)
			assert.Zero(t, b.builds)
			assert.Zero(t, b.obs.starts)
			assert.Empty(t, b.obs.ends)
		})
	}
}

// A Receipt that no delivery made proves nothing.
func TestZeroReceipt(t *testing.T) {
	span, ok := Receipt{}.Span()
	assert.False(t, ok)
	assert.Equal(t, Span{}, span)
	assert.Equal(t, Open, Receipt{}.Outcome())
}
