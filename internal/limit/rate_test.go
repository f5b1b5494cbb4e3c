// Copyright The OpenTelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package limit

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// No window of 61 seconds ever sees more starts than the limit, wherever it begins,
// and the limit is used in full: 5 windows' worth take 4 windows.
func TestRateSlidingWindow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const limit = 50
		r := NewRate(limit)
		began := time.Now()
		var starts []time.Time
		for range 5 * limit {
			require.NoError(t, r.Wait(t.Context()))
			starts = append(starts, time.Now())
			time.Sleep(100 * time.Millisecond)
		}
		for i := limit; i < len(starts); i++ {
			assert.GreaterOrEqual(t, starts[i].Sub(starts[i-limit]), time.Minute+time.Second)
		}
		assert.Less(t, starts[len(starts)-1].Sub(began), 4*windowLength+limit*100*time.Millisecond)
	})
}

// A pause holds every request, and a shorter one does not cut it short.
func TestRatePause(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := NewRate(0)
		assert.Zero(t, r.PausedFor())
		r.Pause(time.Hour)
		r.Pause(time.Minute)
		assert.Equal(t, time.Hour, r.PausedFor())
		began := time.Now()
		require.NoError(t, r.Wait(t.Context()))
		assert.Equal(t, time.Hour, time.Since(began))
		assert.Zero(t, r.PausedFor())
		assert.Zero(t, r.PerMinute())
	})
}

// A wait that is given up takes no place.
func TestRateGivenUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := NewRate(1)
		require.ErrorIs(t, r.Wait(ended(t)), context.Canceled)
		began := time.Now()
		require.NoError(t, r.Wait(t.Context()))
		assert.Zero(t, time.Since(began))
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		require.ErrorIs(t, r.Wait(ctx), context.DeadlineExceeded)
		require.NoError(t, r.Wait(t.Context()))
		assert.Equal(t, windowLength, time.Since(began))
	})
}

// A limit that was lowered counts the requests that began before.
func TestRateLowered(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := NewRate(100)
		var starts []time.Time
		wait := func() {
			require.NoError(t, r.Wait(t.Context()))
			starts = append(starts, time.Now())
			time.Sleep(100 * time.Millisecond)
		}
		for range 100 {
			wait()
		}
		for range 50 {
			r.Rejected()
		}
		assert.Equal(t, 50, r.PerMinute())
		for range 100 {
			wait()
		}
		for i := 100; i < len(starts); i++ {
			assert.GreaterOrEqual(t, starts[i].Sub(starts[i-50]), windowLength)
		}
		assert.Equal(t, starts[50].Add(windowLength), starts[100])
	})
}

// What began more than a minute ago teaches nothing.
func TestRateLearnsFromOneMinute(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := NewRate(50)
		for range 30 {
			require.NoError(t, r.Wait(t.Context()))
		}
		time.Sleep(30 * time.Second)
		for range 20 {
			require.NoError(t, r.Wait(t.Context()))
		}
		time.Sleep(30*time.Second + 500*time.Millisecond)
		r.Rejected()
		assert.Equal(t, 50, r.PerMinute(), "20 of 50 are too few")
	})
}
