// Copyright The OpenTelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package pace

import (
	"context"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// queue asks a scheduler for several downloads and notes the order of the grants.
type queue struct {
	t *testing.T
	*Scheduler
	mu    sync.Mutex
	order []string
	at    []time.Time
}

func newQueue(t *testing.T, perMinute int, limits Limits) *queue {
	t.Helper()
	limits.PerMinute = perMinute
	return &queue{t: t, Scheduler: NewScheduler(limits, notMeasured)}
}

// add asks, and once it is granted holds the download for a time.
func (q *queue) add(name string, a Ask, hold time.Duration) {
	go func() {
		held, err := q.acquire(q.t.Context(), a)
		if !assert.NoError(q.t, err) {
			return
		}
		q.mu.Lock()
		q.order, q.at = append(q.order, name), append(q.at, time.Now())
		q.mu.Unlock()
		time.Sleep(hold)
		held.Release()
	}()
	synctest.Wait()
}

// granted returns the names in the order of their grants, and the times of these.
func (q *queue) granted() ([]string, []time.Time) {
	q.mu.Lock()
	defer q.mu.Unlock()
	return slices.Clone(q.order), slices.Clone(q.at)
}

func notMeasured(context.Context, time.Duration) {}

// acquire asks and waits.
func (s *Scheduler) acquire(ctx context.Context, a Ask) (*Lease, error) {
	return s.Wait(ctx, s.Enqueue(a))
}

var noon = time.Date(2026, 8, 2, 12, 0, 0, 0, time.UTC)

// one download at a time.
var oneSlot = Limits{Memory: 100, Slots: 1}

// Live goes before history and history before a replay, AUTH_LOG and AUDIT_LOG
// before the other live types, a file near its expiry before everything; within a
// rank the file that expires first, whatever order they came in.
func TestSchedulerRanks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q := newQueue(t, 0, oneSlot)
		q.add("under way", Ask{Rank: Live}, time.Second)
		q.add("replay", Ask{Rank: Replay, End: noon.Add(-9 * time.Hour)}, time.Second)
		q.add("history", Ask{Rank: History, End: noon.Add(-7 * time.Hour)}, time.Second)
		q.add("live, young", Ask{Rank: Live, End: noon.Add(-time.Hour)}, time.Second)
		q.add("live, old", Ask{Rank: Live, End: noon.Add(-2 * time.Hour)}, time.Second)
		q.add("audit", Ask{Rank: First, End: noon}, time.Second)
		q.add("expiring", Ask{Rank: Expiring, End: noon}, time.Second)
		time.Sleep(time.Minute)
		order, _ := q.granted()
		// After four others the backlog has its turn.
		assert.Equal(t, []string{"under way", "expiring", "audit", "live, old", "live, young", "history", "replay"}, order)
	})
}

// A fifth of the downloads serves the backlog while live ones wait, and all of
// them while none does.
func TestSchedulerBacklogShare(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q := newQueue(t, 50, Limits{Memory: 1 << 20, Slots: 4})
		for range 400 {
			q.add("live", Ask{Rank: First, Size: 1}, time.Second)
			q.add("history", Ask{Rank: History, Size: 1}, time.Second)
		}
		time.Sleep(5*time.Minute + 30*time.Second)
		first, _ := q.granted()
		require.Len(t, first, 300)
		assert.InDelta(t, 60, count(first, "history"), 5)
		time.Sleep(20 * time.Minute)
		all, _ := q.granted()
		assert.Equal(t, 400, count(all, "live"))
		assert.Equal(t, 400, count(all, "history"))
	})
}

func count(names []string, name string) (n int) {
	for _, other := range names {
		if other == name {
			n++
		}
	}
	return n
}

// No window of 60 seconds ever sees more downloads begin than the limit, and the
// limit is used in full.
func TestSchedulerRate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const limit = 50
		q := newQueue(t, limit, Limits{Memory: 1 << 20, Slots: 4})
		began := time.Now()
		for range 6 * limit {
			q.add("file", Ask{Rank: Live, Size: 1}, 300*time.Millisecond)
		}
		time.Sleep(10 * time.Minute)
		_, at := q.granted()
		require.Len(t, at, 6*limit)
		for i := limit; i < len(at); i++ {
			assert.GreaterOrEqual(t, at[i].Sub(at[i-limit]), time.Minute)
		}
		assert.Less(t, at[len(at)-1].Sub(began), 5*time.Minute+15*time.Second)
	})
}

// Downloads wait until their bytes fit under the limit of all streams together; one
// above the limit is held alone, and small ones that come later do not starve it.
func TestSchedulerMemory(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q := newQueue(t, 0, Limits{Memory: 100, Slots: 10})
		q.add("60", Ask{Size: 60}, 10*time.Second)
		q.add("40", Ask{Size: 40}, 20*time.Second)
		q.add("large", Ask{Size: 1000}, time.Second)
		for range 5 {
			q.add("small", Ask{Size: 1}, time.Second)
		}
		time.Sleep(15 * time.Second)
		synctest.Wait()
		order, _ := q.granted()
		assert.Equal(t, []string{"60", "40"}, order)
		time.Sleep(time.Minute)
		order, at := q.granted()
		require.Len(t, order, 8)
		assert.Equal(t, "large", order[2])
		assert.Equal(t, time.Second, at[3].Sub(at[2]), "the large one was not alone")
		q.Scheduler.mu.Lock()
		defer q.Scheduler.mu.Unlock()
		assert.EqualValues(t, 100, q.memory)
		assert.Equal(t, 10, q.slots)
	})
}

// No more downloads run at once than download::concurrency says; a download that
// has ended leaves its slot to the next while its file keeps its memory.
func TestSchedulerSlots(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := NewScheduler(Limits{Memory: 100, Slots: 2}, notMeasured)
		first, err := s.acquire(t.Context(), Ask{Size: 10})
		require.NoError(t, err)
		second, err := s.acquire(t.Context(), Ask{Size: 10})
		require.NoError(t, err)
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		_, err = s.acquire(ctx, Ask{Size: 10})
		require.ErrorIs(t, err, context.DeadlineExceeded)
		first.Downloaded()
		first.Downloaded() // a second time gives nothing
		third, err := s.acquire(t.Context(), Ask{Size: 10})
		require.NoError(t, err)
		assert.EqualValues(t, 70, s.memory)
		assert.False(t, first.Released())
		for _, l := range []*Lease{first, second, third, first} {
			l.Release()
		}
		assert.True(t, first.Released())
		assert.EqualValues(t, 100, s.memory)
		assert.Equal(t, 2, s.slots)
	})
}

// The files of a lane have their turns in order, even where a later one has come to
// rank before an earlier one while that waited: a file that is fetched and cannot be
// delivered yet would hold the memory that the first one waits for.
func TestSchedulerKeepsLanesInOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := NewScheduler(oneSlot, notMeasured)
		held, err := s.acquire(t.Context(), Ask{Size: 100})
		require.NoError(t, err)
		first := s.Enqueue(Ask{Rank: History, End: noon, Size: 100})
		second := s.Enqueue(Ask{Rank: Expiring, End: noon.Add(time.Hour), Size: 100, After: first})
		other := s.Enqueue(Ask{Rank: Replay, Size: 1})
		held.Release()
		got, err := s.Wait(t.Context(), first)
		require.NoError(t, err)
		got.Release()
		got, err = s.Wait(t.Context(), second)
		require.NoError(t, err, "the one behind it has its turn by rank then")
		got.Release()
		_, err = s.Wait(t.Context(), other)
		require.NoError(t, err)
	})
}

// An ask that is withdrawn holds nothing, also when it was granted in that very
// moment, and does not hold back those behind it.
func TestSchedulerWithdraw(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := NewScheduler(oneSlot, notMeasured)
		held, err := s.acquire(t.Context(), Ask{Size: 100})
		require.NoError(t, err)
		ctx, cancel := context.WithCancel(t.Context())
		waited := make(chan error, 2)
		go func() {
			_, err := s.acquire(ctx, Ask{Rank: Expiring, Size: 100})
			waited <- err
		}()
		go func() {
			l, err := s.acquire(t.Context(), Ask{Rank: Replay, Size: 1})
			if err == nil {
				l.Release()
			}
			waited <- err
		}()
		synctest.Wait()
		cancel()
		require.ErrorIs(t, <-waited, context.Canceled)
		held.Release()
		require.NoError(t, <-waited)
		assert.EqualValues(t, 100, s.memory)
		assert.Equal(t, 1, s.slots)
		assert.Empty(t, s.waiting)

		granted := &Ask{Size: 30, granted: make(chan struct{})}
		s.mu.Lock()
		s.grantLocked(granted)
		s.mu.Unlock()
		s.withdraw(granted)
		assert.EqualValues(t, 100, s.memory)
		assert.Equal(t, 1, s.slots)
	})
}

// A pause that a server asked for holds back every download, and a shorter one does
// not cut it short.
func TestSchedulerPause(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q := newQueue(t, 1, oneSlot)
		began := time.Now()
		q.add("before", Ask{}, time.Second)
		q.add("after", Ask{}, time.Second)
		q.Pause(10 * time.Minute)
		q.Pause(time.Second)
		time.Sleep(15 * time.Minute)
		_, at := q.granted()
		require.Len(t, at, 2)
		assert.Equal(t, 10*time.Minute, at[1].Sub(began))
		q.Close()
	})
}
