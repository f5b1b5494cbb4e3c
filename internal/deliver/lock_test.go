// Copyright The OpenTelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package deliver

import (
	"context"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// queueUp makes n goroutines wait for each kind of turn while the lock is held,
// and returns the order in which they get it.
func queueUp(t *testing.T, n [turns]int) []Turn {
	t.Helper()
	l := NewLock()
	require.NoError(t, l.Acquire(t.Context(), TurnRetry))
	var order []Turn
	var all sync.WaitGroup
	for turn, count := range n {
		for range count {
			all.Go(func() {
				if assert.NoError(t, l.Acquire(t.Context(), Turn(turn))) {
					order = append(order, Turn(turn))
					l.Release()
				}
			})
		}
	}
	synctest.Wait()
	l.Release()
	all.Wait()
	require.NoError(t, l.Acquire(t.Context(), TurnLive), "the lock is free again")
	return order
}

// Live goes before history before retry, each at least every fifth turn.
func TestLockOrder(t *testing.T) {
	const l, h, r = TurnLive, TurnHistory, TurnRetry
	tests := []struct {
		name string
		n    [turns]int
		want []Turn
	}{
		{"by rank", [turns]int{1, 1, 1}, []Turn{l, h, r}},
		{"history gets the fifth", [turns]int{9, 3, 0}, []Turn{l, l, l, l, h, l, l, l, l, h, l, h}},
		{"retry gets the fifth", [turns]int{0, 6, 2}, []Turn{h, h, h, h, r, h, h, r}},
		{"both in time", [turns]int{9, 3, 3}, []Turn{l, l, l, h, r, l, l, l, h, r, l, l, l, h, r}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { assert.Equal(t, test.want, queueUp(t, test.n)) })
		})
	}
}

// Each waiter gets one of any five turns, whatever the others do.
func TestLockFifthTurn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		order := queueUp(t, [turns]int{100, 100, 100})
		for i := range len(order) - 5 {
			for turn, left := range countFrom(order[i:]) {
				if left > 0 {
					assert.Contains(t, order[i:i+5], Turn(turn), "turns %d to %d", i, i+5)
				}
			}
		}
	})
}

func countFrom(order []Turn) (counts [turns]int) {
	for _, turn := range order {
		counts[turn]++
	}
	return counts
}

// Those of one kind get it in order of arrival.
func TestLockFirstComeFirstServed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := NewLock()
		require.NoError(t, l.Acquire(t.Context(), TurnLive))
		var order []int
		for i := range 5 {
			go func() {
				if assert.NoError(t, l.Acquire(t.Context(), TurnLive)) {
					order = append(order, i)
					l.Release()
				}
			}()
			synctest.Wait()
		}
		l.Release()
		synctest.Wait()
		assert.Equal(t, []int{0, 1, 2, 3, 4}, order)
	})
}

// A context that ends while it waits, or has ended, gets no lock, and leaves it to
// the others.
func TestLockContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := NewLock()
		ended, cancel := context.WithCancel(t.Context())
		cancel()
		require.ErrorIs(t, l.Acquire(ended, TurnLive), context.Canceled)
		require.NoError(t, l.Acquire(t.Context(), TurnLive), "the lock is still free")

		short, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		require.ErrorIs(t, l.Acquire(short, TurnLive), context.DeadlineExceeded)
		l.Release()
		require.NoError(t, l.Acquire(t.Context(), TurnRetry))
		l.Release()
	})
}

// A context that ends at the moment of its turn either holds the lock or passes
// it on.
func TestLockContextRace(t *testing.T) {
	for range 200 {
		synctest.Test(t, func(t *testing.T) {
			l := NewLock()
			require.NoError(t, l.Acquire(t.Context(), TurnLive))
			ctx, cancel := context.WithCancel(t.Context())
			go func() {
				if l.Acquire(ctx, TurnHistory) == nil {
					l.Release()
				}
			}()
			synctest.Wait()
			go cancel()
			go l.Release()
			require.NoError(t, l.Acquire(t.Context(), TurnRetry))
			l.Release()
			synctest.Wait()
		})
	}
}

func TestLockReleaseUnheld(t *testing.T) {
	assert.Panics(t, NewLock().Release)
}
