// Copyright The OpenTelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package deliver

import (
	"math/bits"
	"math/rand/v2"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"go.opentelemetry.io/collector/consumer/consumererror"
	"go.opentelemetry.io/collector/pdata/plog"
)

// maxCalls is what a batch with some bad records may cost.
func maxCalls(records, bad int) int { return 2*bad*bits.Len(uint(records-1)) + 16 }

func everyNth(records, n, from int) []int {
	var indexes []int
	for i := from; i < records; i += n {
		indexes = append(indexes, i)
	}
	return indexes
}

// Permanently rejected records alone go to quarantine, at once and for few calls.
func TestPoisonedRecords(t *testing.T) {
	tests := map[string][]int{
		"the first":                  {0},
		"the last":                   {999},
		"one in the middle":          {500},
		"eight, spread":              everyNth(1000, 125, 0),
		"eight, spread otherwise":    everyNth(1000, 125, 62),
		"eight in a row":             {300, 301, 302, 303, 304, 305, 306, 307},
		"the first half":             everyNth(500, 1, 0),
		"every second":               everyNth(1000, 2, 0),
		"all but the one of a probe": slices.DeleteFunc(everyNth(1000, 1, 0), func(i int) bool { return i == 640 }),
	}
	for name, bad := range tests {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := newBench(t, rejecting(errBad, bad...))
				l, d, err := b.deliver(NewConsumer(b.Settings), sizesOf(1000, 100), 5000)
				require.NoError(t, err)
				assert.Equal(t, bad, l.with(Quarantined))
				assert.Len(t, l.with(Accepted), 1000-len(bad))
				assert.LessOrEqual(t, len(b.calls), maxCalls(1000, len(bad)))
				assert.Zero(t, time.Since(b.started))
				assert.False(t, d.Held())
			})
		})
	}
}

// A batch of eight or more records that is all bad holds until the next consumer
// accepts something, and nothing of it is quarantined.
func TestAllBadHolds(t *testing.T) {
	for _, policy := range []Policy{Quarantine, Block} {
		for _, records := range []int{8, 1000} {
			synctest.Test(t, func(t *testing.T) {
				b := newBench(t, always(errBad))
				b.OnPermanent = policy
				l, d, err := b.deliver(NewConsumer(b.Settings), sizesOf(records, 100), 9*1000)
				require.ErrorIs(t, err, errStopped)
				assert.Len(t, l.with(Open), records)
				assert.True(t, d.Held())
				assert.Greater(t, time.Since(b.started), 8*time.Hour, "it backs off")
				for i, c := range b.calls {
					assert.Equal(t, i%9 == 0, len(c.records) == records, "call %d", i)
				}
				assert.False(t, b.rejections[7].Held)
				assert.True(t, b.rejections[8].Held)
				assert.Equal(t, time.Second, b.rejections[8].Wait)
			})
		}
	}
}

// What a hold offers changes from try to try, so that one good record is found.
func TestHoldFindsGoodRecord(t *testing.T) {
	for good := range 200 {
		synctest.Test(t, func(t *testing.T) {
			bad := slices.DeleteFunc(everyNth(200, 1, 0), func(i int) bool { return i == good })
			b := newBench(t, rejecting(errBad, bad...))
			l, _, err := b.deliver(NewConsumer(b.Settings), sizesOf(200, 100), 9*26+500)
			require.NoError(t, err)
			assert.Equal(t, []int{good}, l.with(Accepted))
			assert.Len(t, l.with(Quarantined), 199)
		})
	}
}

// An outage that answers permanent errors, and is over at a time.
func TestPermanentOutage(t *testing.T) {
	for _, records := range []int{1, 5, 8, 500} {
		synctest.Test(t, func(t *testing.T) {
			started := time.Now()
			b := newBench(t, func([]int) error {
				if time.Since(started) < time.Hour {
					return errBad
				}
				return nil
			})
			c, quarantined := NewConsumer(b.Settings), 0
			for range 20 {
				l, _, err := b.deliver(c, sizesOf(records, 1), 10_000)
				require.NoError(t, err)
				quarantined += len(l.with(Quarantined))
			}
			assert.LessOrEqual(t, quarantined, 7)
			assert.GreaterOrEqual(t, time.Since(b.started), time.Hour)
			assert.Zero(t, c.MaxBytes(), "an outage teaches no size")
		})
	}
}

// One poisoned record alone in its batch is quarantined and the next batch is
// delivered; the eighth such batch in a row holds.
func TestPoisonedSingles(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		answer := errBad
		b := newBench(t, func([]int) error { return answer })
		c := NewConsumer(b.Settings)
		for i := range 20 {
			answer = errBad
			if i == 7 || i == 15 {
				answer = nil
			}
			l, _, err := b.deliver(c, sizesOf(1, 100), 1)
			require.NoError(t, err, "batch %d", i)
			assert.Equal(t, answer != nil, l.outcomes[0] == Quarantined)
		}
		answer = errBad
		for range 3 {
			_, _, err := b.deliver(c, sizesOf(1, 100), 1)
			require.NoError(t, err)
		}
		l, d, err := b.deliver(c, sizesOf(1, 100), 50)
		require.ErrorIs(t, err, errStopped)
		assert.True(t, d.Held())
		assert.Equal(t, []int{0}, l.with(Open))
	})
}

// The split after a probe is no part of the run of failed single records.
func TestProbedSplitIsNotInRun(t *testing.T) {
	b := newBench(t, rejecting(errBad, everyNth(100, 1, 1)...))
	c := NewConsumer(b.Settings)
	_, _, err := b.deliver(c, sizesOf(100, 100), 500)
	require.NoError(t, err)
	assert.Zero(t, c.state.failedRun)
}

// With block nothing is quarantined or passed: the single record is retried until
// it is accepted, and the rest follows.
func TestBlockHoldsSingle(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		started := time.Now()
		b := newBench(t, func(records []int) error {
			if slices.Contains(records, 40) && time.Since(started) < time.Hour {
				return errBad
			}
			return nil
		})
		b.OnPermanent = Block
		l, d, err := b.deliver(NewConsumer(b.Settings), sizesOf(100, 100), 500)
		require.NoError(t, err)
		assert.Len(t, l.with(Accepted), 100)
		assert.False(t, d.Held())
		held := 0
		for _, r := range b.rejections {
			if r.Held {
				held++
				assert.Equal(t, []int{41}, r.Part.Lines)
				assert.Positive(t, r.Wait)
			}
		}
		assert.Greater(t, held, 100)
	})
}

// tooLarge rejects calls of more than a limit in bytes.
func tooLarge(err error, limit, bytes int) func([]int) error {
	return func(records []int) error {
		if len(records)*bytes > limit {
			return err
		}
		return nil
	}
}

// A next consumer with a limit gets all records, and later batches are bounded by
// what it accepted, for a while.
func TestLearnedSize(t *testing.T) {
	b := newBench(t, tooLarge(errBad, 1<<20, 1000))
	c := NewConsumer(b.Settings)
	assert.Zero(t, c.MaxBytes())
	l, _, err := b.deliver(c, sizesOf(1700, 1000), 100)
	require.NoError(t, err)
	assert.Len(t, l.with(Accepted), 1700)
	assert.Equal(t, []int{1700, 1, 850, 849}, b.lengths())
	assert.Equal(t, 850_000, c.MaxBytes())
	require.Len(t, b.rejections, 2)
	assert.Zero(t, b.rejections[0].LearnedBytes)
	r := b.rejections[1]
	assert.Equal(t, 850_000, r.LearnedBytes)
	assert.Equal(t, 1700, r.Records)
	assert.Equal(t, Accepted, r.Outcome)
	require.ErrorIs(t, r.Err, errBad)

	for range 49 {
		_, _, err = b.deliver(c, sizesOf(800, 1000), 1)
		require.NoError(t, err)
	}
	assert.Equal(t, 850_000, c.MaxBytes())
	_, _, err = b.deliver(c, sizesOf(800, 1000), 1)
	require.NoError(t, err)
	assert.Equal(t, 1_700_000, c.MaxBytes(), "doubled: not above the original")
	for range 50 {
		_, _, err = b.deliver(c, sizesOf(800, 1000), 1)
		require.NoError(t, err)
	}
	assert.Zero(t, c.MaxBytes(), "above the original is none")
	assert.Len(t, b.rejections, 2)
}

// What is learned, and from what nothing is.
func TestLearnedSizeProof(t *testing.T) {
	const busy, bad = false, true
	tests := []struct {
		name      string
		permanent bool
		limit     int
		records   int
		poisoned  []int
		want      int
	}{
		{"never below 64 KiB", bad, 20_000, 1000, nil, 64 << 10},
		{"nothing from a batch of less", bad, 20_000, 60, nil, 0},
		{"nothing where a record is at fault", bad, 500_000, 1000, []int{3}, 0},
		{"nothing where a single record is too large", bad, 999, 7, nil, 0},
		{"from retryable errors too, as a queue has them", busy, 300_000, 1000, nil, 250_000},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				answer := errBusy
				if test.permanent {
					answer = errBad
				}
				size, poison := tooLarge(answer, test.limit, 1000), rejecting(answer, test.poisoned...)
				b := newBench(t, func(records []int) error {
					if err := size(records); err != nil {
						return err
					}
					return poison(records)
				})
				c := NewConsumer(b.Settings)
				_, _, err := b.deliver(c, sizesOf(test.records, 1000), 1000)
				require.NoError(t, err)
				assert.Equal(t, test.want, c.MaxBytes())
			})
		})
	}
}

// A call without the duplicates was smaller than its records.
func TestLearnedSizeDuplicates(t *testing.T) {
	p := sizeProof{sizes: sizesOf(10, 100_000)}
	p.accepted([]int{0, 1, 2, 3, 4}, 4)
	assert.Zero(t, p.largest)
	p.accepted([]int{5, 6}, 2)
	p.accepted([]int{7}, 1)
	assert.Equal(t, 200_000, p.largest)
}

// A lower limit lowers the bound; the original stays the largest.
func TestLearnedSizeAgain(t *testing.T) {
	var l learnedSize
	proof := sizeProof{sizes: sizesOf(10, 100_000), largest: 500_000, split: true}
	assert.Equal(t, 500_000, l.learn(proof))
	proof = sizeProof{sizes: sizesOf(5, 100_000), largest: 200_000, split: true}
	assert.Equal(t, 200_000, l.learn(proof))
	assert.Equal(t, learnedSize{bytes: 200_000, original: 1_000_000}, l)
	for range 2 * raiseAfter {
		l.batchAccepted()
	}
	assert.Equal(t, learnedSize{bytes: 800_000, original: 1_000_000}, l)
}

// A processor that fails with a plain error on one record of a batch: after five
// tries over five minutes the others pass, and the record goes to quarantine.
func TestPlainErrorOfOneRecord(t *testing.T) {
	for _, n := range []int{2, 7, 300} {
		for _, bad := range []int{0, n / 2, n - 1} {
			synctest.Test(t, func(t *testing.T) {
				b := newBench(t, rejecting(errBusy, bad))
				l, d, err := b.deliver(NewConsumer(b.Settings), sizesOf(n, 100), 200)
				require.NoError(t, err)
				assert.Equal(t, []int{bad}, l.with(Quarantined))
				assert.Len(t, l.with(Accepted), n-1)
				assert.False(t, d.Held())
				assert.Greater(t, time.Since(b.started), 5*time.Minute)
				assert.Less(t, time.Since(b.started), 10*time.Minute)
				var last []time.Duration
				for _, c := range b.calls {
					if slices.Equal(c.records, []int{bad}) {
						last = append(last, c.at)
					}
				}
				assert.GreaterOrEqual(t, len(last), 3)
				assert.GreaterOrEqual(t, last[len(last)-1]-last[0], time.Minute)
			})
		}
	}
}

// With drop the same is only retried.
func TestPlainErrorWithDrop(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, rejecting(errBusy, 3))
		b.OnPermanent = Drop
		l, _, err := b.deliver(NewConsumer(b.Settings), sizesOf(20, 100), 100)
		require.ErrorIs(t, err, errStopped)
		assert.Len(t, l.with(Open), 20)
		assert.Equal(t, slices.Repeat([]int{20}, 100), b.lengths())
	})
}

// A dead next consumer sees one record more a try, another each time, and no split.
func TestDeadConsumer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, always(errBusy))
		l, d, err := b.deliver(NewConsumer(b.Settings), sizesOf(50, 100), 120)
		require.ErrorIs(t, err, errStopped)
		assert.Len(t, l.with(Open), 50)
		assert.False(t, d.Held())
		probed := map[int]bool{}
		for i, c := range b.calls {
			if len(c.records) == 50 {
				continue
			}
			require.Len(t, c.records, 1)
			assert.GreaterOrEqual(t, c.at, 5*time.Minute)
			assert.Len(t, b.calls[i-1].records, 50)
			assert.Zero(t, b.rejections[i].Wait, "the batch follows at once")
			probed[c.records[0]] = true
		}
		assert.Greater(t, len(probed), 45)
	})
}

// An outage begins right after the probe of a retried batch was accepted: seven
// records at most are quarantined, then the stream holds.
func TestOutageInTheMiddle(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, nil)
		started, dead := time.Now(), false
		*b = *newBench(t, func(records []int) error {
			if dead && time.Since(started) < 12*time.Hour {
				return errBusy
			}
			if len(records) == 1 {
				dead = true
			}
			return rejecting(errBusy, 7)(records)
		})
		l, d, err := b.deliver(NewConsumer(b.Settings), sizesOf(100, 100), 20_000)
		require.NoError(t, err)
		assert.Len(t, l.with(Quarantined), 7)
		assert.Len(t, l.with(Accepted), 93)
		assert.False(t, d.Held())
	})
}

// world is a next consumer with faults drawn at random.
type world struct {
	bad       []int // records
	badErr    error
	limit     int // records a call; 0 for none
	outages   []outage
	began     time.Time
	duplicate float64
}

type outage struct {
	from, to time.Duration
	err      error
}

func newWorld(r *rand.Rand, records int) *world {
	errs := []error{errBad, errBusy}
	w := &world{badErr: errs[r.IntN(2)], began: time.Now()}
	if r.IntN(3) > 0 {
		for range r.IntN(10) {
			w.bad = append(w.bad, r.IntN(records))
		}
	}
	if r.IntN(3) == 0 {
		w.limit = 1 + r.IntN(records)
	}
	at := time.Duration(0)
	for range r.IntN(4) {
		from := at + time.Duration(r.Int64N(int64(10*time.Minute)))
		at = from + time.Duration(r.Int64N(int64(40*time.Minute)))
		w.outages = append(w.outages, outage{from, at, errs[r.IntN(2)]})
	}
	if r.IntN(3) == 0 {
		w.duplicate = r.Float64() / 2
	}
	return w
}

func (w *world) answer(records []int) error {
	since := time.Since(w.began)
	for _, o := range w.outages {
		if since >= o.from && since < o.to {
			return o.err
		}
	}
	if w.limit > 0 && len(records) > w.limit {
		return errBad
	}
	return rejecting(w.badErr, w.bad...)(records)
}

// Whatever happens, each record is settled once, parts go from left to right, no
// more than eight are stored ahead, and with duplicates among them all get through
// in the end. Without outages it costs few calls.
func TestRandomWorlds(t *testing.T) {
	for seed := range uint64(200) {
		synctest.Test(t, func(t *testing.T) {
			r := rand.New(rand.NewPCG(seed, 13))
			n := 1 + r.IntN(120)
			w := newWorld(r, n)
			b := newBench(t, w.answer)
			b.OnPermanent = []Policy{Block, Drop, Quarantine, Quarantine}[r.IntN(4)]
			c := NewConsumer(b.Settings)
			d, l := c.NewDelivery(sizesOf(n, 1000)), newLedger(t, n)
			stored := r.IntN(2) * r.IntN(MaxAhead+1)
			d.SetStoredAhead(stored)
			steps := 0
			for step, ok := d.Next(); ok && steps < 5000; step, ok = d.Next() {
				steps++
				time.Sleep(step.Wait)
				request := call(d, step, n)
				sent := slices.DeleteFunc(slices.Clone(step.Records), func(int) bool { return r.Float64() < w.duplicate })
				request.Records = len(sent)
				request.Build = func() plog.Logs { return build(sent) }
				receipt, err := d.Offer(t.Context(), step, request)
				require.NoError(t, err)
				l.add(step, receipt)
			}
			checkWorld(t, w, b, l)
			if len(w.outages) == 0 && w.limit == 0 && len(w.bad) > 0 && consumererror.IsPermanent(w.badErr) && stored == 0 && b.OnPermanent == Quarantine {
				bad := len(w.bad)
				assert.LessOrEqual(t, steps, maxCalls(max(n, 2), bad), "seed %d: %d records, %v", seed, n, w.bad)
			}
			assert.LessOrEqual(t, l.maxAhead+stored*min(l.maxAhead, 1), MaxAhead)
		})
	}
}

// checkWorld checks that what is left or quarantined has a reason.
func checkWorld(t *testing.T, w *world, b *bench, l *ledger) {
	t.Helper()
	for _, i := range l.with(Quarantined) {
		assert.Equal(t, Quarantine, b.OnPermanent)
		if !slices.Contains(w.bad, i) {
			assert.NotEmpty(t, w.outages, "record %d is good", i)
		}
	}
	if b.OnPermanent != Drop {
		assert.Empty(t, l.with(Dropped))
	}
	for _, i := range l.with(Open) {
		assert.True(t, b.OnPermanent != Quarantine && len(w.bad) > 0 || slices.Contains(w.bad, i), "record %d is good", i)
	}
}
