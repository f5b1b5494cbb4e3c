// Copyright The OpenTelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package limit

import (
	"context"
	"math/rand/v2"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// Smaller priorities go first; within one the file that expires first, whatever
// order they came in, and then the one that came first.
func TestDownloadsPriorities(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDownloads(t, oneSlot)
		l := &grantLog{t: t, d: d}
		l.add("under way", Request{Priority: Live}, time.Second)
		l.add("unknown size", Request{Priority: UnknownSize, EndTime: noon.Add(-99 * time.Hour), Size: 100}, time.Second)
		l.add("retry", Request{Priority: RetryQueue, EndTime: noon.Add(-20 * time.Hour)}, time.Second)
		l.add("replay", Request{Priority: Replay, EndTime: noon.Add(-9 * time.Hour)}, time.Second)
		l.add("history", Request{Priority: History, EndTime: noon.Add(-7 * time.Hour)}, time.Second)
		l.add("live, young", Request{Priority: Live, EndTime: noon.Add(-time.Hour)}, time.Second)
		l.add("live, old", Request{Priority: Live, EndTime: noon.Add(-2 * time.Hour)}, time.Second)
		l.add("live, old, second", Request{Priority: Live, EndTime: noon.Add(-2 * time.Hour)}, time.Second)
		l.add("important", Request{Priority: Important, EndTime: noon}, time.Second)
		time.Sleep(500 * time.Millisecond)
		l.add("expiring", Request{Priority: Expiring, EndTime: noon}, time.Second)
		time.Sleep(time.Minute)
		names, _ := l.granted()
		assert.Equal(t, []string{
			"under way", "expiring", "important", "live, old", "live, old, second",
			"history", // after four others it has its share
			"live, young", "replay", "retry", "unknown size",
		}, names)
	})
}

// A fifth of the downloads serves history and replays while live ones wait, and all
// of them while none does.
func TestDownloadsHistoryShare(t *testing.T) {
	for name, priority := range map[string]Priority{"history": History, "replay": Replay} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				l := &grantLog{t: t, d: newDownloads(t, Settings{Memory: 1 << 20, Slots: 4, PerMinute: 50})}
				for range 400 {
					l.add("live", Request{Priority: Important, Size: 1}, time.Second)
					l.add(name, Request{Priority: priority, Size: 1}, time.Second)
				}
				time.Sleep(5*time.Minute + 30*time.Second)
				first, _ := l.granted()
				require.Len(t, first, 300)
				assert.InDelta(t, 60, count(first, name), 5)
				time.Sleep(20 * time.Minute)
				all, _ := l.granted()
				assert.Equal(t, 400, count(all, "live"))
				assert.Equal(t, 400, count(all, name))
			})
		})
	}
}

// The retry queue has a tenth of the downloads while others wait, a share of history
// and replays notwithstanding, and all of them while none does.
func TestDownloadsRetryShare(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDownloads(t, Settings{Memory: 1 << 20, Slots: 1})
		l := &grantLog{t: t, d: d}
		for range 100 {
			l.add("retry", Request{Priority: RetryQueue, EndTime: noon}, time.Second)
			l.add("live", Request{Priority: Live, EndTime: noon.Add(time.Hour)}, time.Second)
			l.add("history", Request{Priority: History, EndTime: noon.Add(time.Hour)}, time.Second)
		}
		time.Sleep(100 * time.Second)
		first, _ := l.granted()
		assert.InDelta(t, 10, count(first[:100], "retry"), 1)
		assert.InDelta(t, 20, count(first[:100], "history"), 1)
		time.Sleep(200 * time.Second)
		all, _ := l.granted()
		assert.Equal(t, 100, count(all, "retry"))
	})
}

// No window of 61 seconds ever sees more downloads begin than the limit, and the
// limit is used in full.
func TestDownloadsRate(t *testing.T) {
	const limit = 50
	synctest.Test(t, func(t *testing.T) {
		d := newDownloads(t, Settings{Memory: 1 << 20, Slots: 4, PerMinute: limit})
		assert.Equal(t, limit, d.PerMinute())
		l := &grantLog{t: t, d: d}
		began := time.Now()
		for range 6 * limit {
			l.add("file", Request{Priority: Live, Size: 1}, 300*time.Millisecond)
		}
		time.Sleep(10 * time.Minute)
		_, at := l.granted()
		require.Len(t, at, 6*limit)
		for i := limit; i < len(at); i++ {
			assert.GreaterOrEqual(t, at[i].Sub(at[i-limit]), time.Minute+time.Second)
		}
		assert.Less(t, at[len(at)-1].Sub(began), 5*time.Minute+15*time.Second)
	})
}

// Downloads wait until their bytes fit under the limit of all streams together; one
// above the limit is held alone, and small ones that come later do not starve it.
func TestDownloadsMemory(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDownloads(t, Settings{Memory: 100, Slots: 10})
		l := &grantLog{t: t, d: d}
		l.add("60", Request{Size: 60}, 10*time.Second)
		l.add("40", Request{Size: 40}, 20*time.Second)
		l.add("large", Request{Size: 1000}, time.Second)
		for range 5 {
			l.add("small", Request{Size: 1}, time.Second)
		}
		time.Sleep(15 * time.Second)
		synctest.Wait()
		names, _ := l.granted()
		assert.Equal(t, []string{"60", "40"}, names)
		time.Sleep(time.Minute)
		names, at := l.granted()
		require.Len(t, names, 8)
		assert.Equal(t, "large", names[2])
		assert.Equal(t, time.Second, at[3].Sub(at[2]), "the large one was not alone")
		assertFree(t, d, 100, 10)
	})
}

// No more downloads run at once than there are slots; one that has ended leaves its
// slot to the next while its file keeps its memory.
func TestDownloadsSlots(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDownloads(t, Settings{Memory: 100, Slots: 2})
		first, second := acquire(t, d, Request{Size: 10}), acquire(t, d, Request{Size: 10})
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		_, err := d.Acquire(ctx, d.Enqueue(Request{Size: 10}))
		require.ErrorIs(t, err, context.DeadlineExceeded)
		first.Downloaded()
		first.Downloaded() // a second time gives nothing
		third := acquire(t, d, Request{Size: 10})
		assertFree(t, d, 70, 0)
		for _, g := range []*Grant{first, second, third, first} {
			g.Release()
		}
		first.Downloaded()
		assertFree(t, d, 100, 2)
	})
}

// The files of a stream have their turns in order, even where a later one has come
// to rank before an earlier one while that waited: a file that is downloaded and
// cannot be delivered yet would hold the memory that the first one waits for.
func TestDownloadsOrderByAfter(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDownloads(t, oneSlot)
		held := acquire(t, d, Request{Size: 100})
		first := d.Enqueue(Request{Priority: UnknownSize, EndTime: noon, Size: 100})
		second := d.Enqueue(Request{Priority: Expiring, EndTime: noon.Add(time.Hour), Size: 100, After: first})
		other := d.Enqueue(Request{Priority: Replay, Size: 1})
		held.Release()
		for _, ticket := range []*Ticket{other, first, second} {
			require.True(t, isGranted(ticket))
			g, err := d.Acquire(t.Context(), ticket)
			require.NoError(t, err)
			g.Release()
		}
	})
}

// A ticket whose predecessor was taken back waits for it no longer.
func TestDownloadsAfterTakenBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDownloads(t, oneSlot)
		held := acquire(t, d, Request{Size: 100})
		first := d.Enqueue(Request{Size: 100})
		second := d.Enqueue(Request{Size: 100, After: first})
		_, err := d.Acquire(ended(t), first)
		require.ErrorIs(t, err, context.Canceled)
		held.Release()
		assert.True(t, isGranted(second))
	})
}

// A ticket that is taken back holds nothing, also when it had been granted, and does
// not delay those after it.
func TestDownloadsTakeBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDownloads(t, oneSlot)
		held := acquire(t, d, Request{Size: 100})
		ctx, cancel := context.WithCancel(t.Context())
		waited := make(chan error, 1)
		urgent, other := d.Enqueue(Request{Priority: Expiring, Size: 100}), d.Enqueue(Request{Priority: Replay, Size: 1})
		go func() {
			_, err := d.Acquire(ctx, urgent)
			waited <- err
		}()
		synctest.Wait()
		cancel()
		require.ErrorIs(t, <-waited, context.Canceled)
		held.Release()
		require.True(t, isGranted(other))
		_, err := d.Acquire(ended(t), other)
		require.ErrorIs(t, err, context.Canceled)
		assertFree(t, d, 100, 1)
		assert.Empty(t, d.queue.waiting)
		assert.Empty(t, d.held)
	})
}

// A pause that a server asked for holds every download, and a shorter one does not
// cut it short. Waited is called with how long that was, waits for memory or a slot
// not included.
func TestDownloadsPause(t *testing.T) {
	var waits []time.Duration
	set := oneSlot
	set.Waited = func(_ context.Context, waited time.Duration) { waits = append(waits, waited) }
	synctest.Test(t, func(t *testing.T) {
		d := newDownloads(t, set)
		held := acquire(t, d, Request{})
		d.Pause(10 * time.Minute)
		d.Pause(time.Second)
		time.AfterFunc(time.Minute, held.Release)
		began := time.Now()
		paused := acquire(t, d, Request{})
		assert.Equal(t, 10*time.Minute, time.Since(began))
		paused.Downloaded()
		time.AfterFunc(time.Minute, paused.Release)
		acquire(t, d, Request{Size: 100})
		assert.Equal(t, []time.Duration{0, 9 * time.Minute, 0}, waits)
	})
}

// A closed Downloads grants nothing, and whoever waits gets an error. The bubble
// ends without a goroutine, though the next minute and the next eviction are far.
func TestDownloadsClose(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := NewDownloads(Settings{Memory: 100, Slots: 2, PerMinute: 1})
		held := acquire(t, d, Request{Size: 100})
		held.OnEvict(func() { t.Error("evicted") })
		waited := make(chan error)
		ticket := d.Enqueue(Request{Size: 100})
		go func() {
			_, err := d.Acquire(t.Context(), ticket)
			waited <- err
		}()
		synctest.Wait()
		d.Close()
		d.Close()
		assert.False(t, d.wake.Stop(), "the timer is stopped")
		require.ErrorIs(t, <-waited, ErrClosed)
		_, err := d.Acquire(t.Context(), d.Enqueue(Request{}))
		require.ErrorIs(t, err, ErrClosed)
		held.Release()
		assertFree(t, d, 100, 2)
		time.Sleep(time.Hour)
	})
}

// Whatever many streams do at once, nothing is lost or given twice.
func TestDownloadsConcurrent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDownloads(t, Settings{Memory: 1000, Slots: 4, PerMinute: 300})
		var streams sync.WaitGroup
		for n := range 20 {
			streams.Go(func() {
				rng := rand.New(rand.NewPCG(1, uint64(n)))
				for range 30 {
					ctx, cancel := context.WithTimeout(t.Context(), time.Duration(rng.IntN(300))*time.Second)
					r := Request{Priority: Priority(rng.IntN(int(UnknownSize) + 1)), Size: rng.Int64N(1200)}
					if g, err := d.Acquire(ctx, d.Enqueue(r)); err == nil {
						g.OnEvict(func() { time.Sleep(time.Second) })
						g.SetTurn(rng.IntN(3))
						time.Sleep(time.Duration(rng.IntN(5)) * time.Second)
						g.Downloaded()
						time.Sleep(time.Duration(rng.IntN(50)) * time.Second)
						g.Release()
					}
					cancel()
				}
			})
		}
		streams.Wait()
		time.Sleep(time.Minute)
		synctest.Wait()
		assertFree(t, d, 1000, 4)
		assert.Empty(t, d.queue.waiting)
		assert.Empty(t, d.held)
		assert.Zero(t, d.evicting)
	})
}
