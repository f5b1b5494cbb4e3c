// Copyright The OpenTelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package wait

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"go.opentelemetry.io/collector/config/configretry"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// Sleep waits for as long as it is told, or until the context ends.
func TestSleep(t *testing.T) {
	tests := []struct {
		name            string
		sleep, deadline time.Duration
		want            time.Duration
		err             error
	}{
		{"to the end", time.Minute, time.Hour, time.Minute, nil},
		{"until the context ends", time.Hour, time.Minute, time.Minute, context.DeadlineExceeded},
		{"no time", 0, time.Hour, 0, nil},
		{"negative time", -time.Minute, time.Hour, 0, nil},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := context.WithTimeout(t.Context(), test.deadline)
				defer cancel()
				started := time.Now()
				require.ErrorIs(t, Sleep(ctx, test.sleep), test.err)
				assert.Equal(t, test.want, time.Since(started))
			})
		})
	}
}

// A context that has ended already always wins, even over no wait at all.
func TestSleepEndedContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for range 1000 {
		require.ErrorIs(t, Sleep(ctx, time.Hour), context.Canceled)
		require.ErrorIs(t, Sleep(ctx, 0), context.Canceled)
	}
}

// exact is a schedule without randomness.
func exact(initial, most, elapsed time.Duration) configretry.BackOffConfig {
	return configretry.BackOffConfig{Enabled: true, InitialInterval: initial, MaxInterval: most, Multiplier: 2, MaxElapsedTime: elapsed}
}

// Waits double up to max_interval, and are never shorter than atLeast.
func TestBackOffNext(t *testing.T) {
	const s = time.Second
	tests := []struct {
		name    string
		atLeast []time.Duration
		want    []time.Duration
	}{
		{"grows to max_interval", []time.Duration{0, 0, 0, 0, 0}, []time.Duration{s, 2 * s, 4 * s, 5 * s, 5 * s}},
		{"at least what is asked", []time.Duration{3 * s, 3 * s, 3 * s}, []time.Duration{3 * s, 3 * s, 4 * s}},
		{"what is asked may pass max_interval", []time.Duration{0, time.Hour, 0}, []time.Duration{s, time.Hour, 4 * s}},
		{"a negative floor is none", []time.Duration{-time.Hour, 0}, []time.Duration{s, 2 * s}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			b := NewBackOff(exact(s, 5*s, 0))
			for i, atLeast := range test.atLeast {
				d, ok := b.Next(atLeast)
				assert.True(t, ok)
				assert.Equal(t, test.want[i], d)
			}
		})
	}
}

// With a multiplier of 1 and no randomization every wait is the same.
func TestBackOffStatic(t *testing.T) {
	cfg := exact(10*time.Second, 10*time.Second, 0)
	cfg.Multiplier = 1
	require.NoError(t, cfg.Validate())
	b := NewBackOff(cfg)
	for range 5 {
		d, ok := b.Next(0)
		assert.True(t, ok)
		assert.Equal(t, 10*time.Second, d)
	}
}

// Waits drawn at random stay within the factor around the schedule, and differ.
func TestBackOffRandom(t *testing.T) {
	cfg := exact(10*time.Second, 10*time.Second, 0)
	cfg.RandomizationFactor = 0.5
	b := NewBackOff(cfg)
	seen := map[time.Duration]bool{}
	for range 1000 {
		d, ok := b.Next(0)
		require.True(t, ok)
		assert.GreaterOrEqual(t, d, 5*time.Second)
		assert.LessOrEqual(t, d, 15*time.Second+1)
		seen[d] = true
	}
	assert.Greater(t, len(seen), 100)
}

// Disabled retries are over at once.
func TestBackOffDisabled(t *testing.T) {
	cfg := exact(time.Second, time.Minute, 0)
	cfg.Enabled = false
	d, ok := NewBackOff(cfg).Next(time.Hour)
	assert.False(t, ok)
	assert.Zero(t, d)
}

// A wait that would end past max_elapsed_time is not begun; time that the tries
// themselves took counts.
func TestBackOffMaxElapsedTime(t *testing.T) {
	tests := []struct {
		name    string
		spent   time.Duration
		atLeast time.Duration
		max     time.Duration
		ok      bool
	}{
		{"within", 8 * time.Second, 0, 10 * time.Second, true},
		{"just at the end", 9 * time.Second, 0, 10 * time.Second, true},
		{"past the end", 9*time.Second + 1, 0, 10 * time.Second, false},
		{"past the end for the floor's sake", 0, 10*time.Second + 1, 10 * time.Second, false},
		{"no limit", 1000 * time.Hour, 0, 0, true},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := NewBackOff(exact(time.Second, time.Second, test.max))
				time.Sleep(test.spent)
				d, ok := b.Next(test.atLeast)
				assert.Equal(t, test.ok, ok)
				if ok {
					assert.Equal(t, max(time.Second, test.atLeast), d)
				} else {
					assert.Zero(t, d)
				}
			})
		})
	}
}
