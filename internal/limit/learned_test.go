// Copyright The OpenTelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package limit

import (
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// One 429 lowers the limit to what was served, if this receiver was near to it.
func TestLowered(t *testing.T) {
	early := noon.Add(-time.Hour)
	tests := []struct {
		name           string
		ceiling, limit int
		last           traffic
		want           int
	}{
		{"the whole limit begun", 100, 100, traffic{begun: 100, rejected: 1}, 99},
		{"80 % of it begun", 100, 100, traffic{begun: 80, rejected: 4}, 76},
		{"less than 80 %", 100, 100, traffic{begun: 79, rejected: 1}, 100},
		{"far below", 100, 100, traffic{begun: 1, rejected: 1}, 100},
		{"nothing begun", 100, 100, traffic{}, 100},
		{"80 % of a learned limit", 100, 50, traffic{begun: 40, rejected: 1}, 39},
		{"less than 80 % of it", 100, 50, traffic{begun: 39, rejected: 1}, 50},
		{"never below 10", 100, 12, traffic{begun: 11, rejected: 8}, 10},
		{"never up to 10", 5, 5, traffic{begun: 5, rejected: 1}, 5},
		{"never above what it was", 100, 30, traffic{begun: 60, rejected: 1}, 30},
		{"no ceiling, one 429", 0, 0, traffic{begun: 51, rejected: 1}, 0},
		{"no ceiling, learned", 0, 50, traffic{begun: 50, rejected: 2}, 48},
		{"no ceiling, less than 80 % of what was learned", 0, 50, traffic{begun: 30, rejected: 1}, 50},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			before := learned{ceiling: test.ceiling, limit: test.limit, quietSince: noon}
			if test.limit != test.ceiling {
				before.loweredAt = early
			}
			test.last.latest = noon
			got := before.lowered(noon, test.last)
			assert.Equal(t, test.want, got.limit)
			assert.Equal(t, test.ceiling, got.ceiling)
			assert.Equal(t, noon, got.quietSince)
		})
	}
}

// Far below the limit, 429s lower it only if each of three minutes running has one.
func TestLoweredByMinutes(t *testing.T) {
	const s = time.Second
	tests := []struct {
		name string
		at   []time.Duration
		want int
	}{
		{"one", []time.Duration{0}, 100},
		{"many in two minutes", []time.Duration{0, 10 * s, 20 * s, 59 * s, 60 * s, 70 * s, 119 * s}, 100},
		{"three minutes", []time.Duration{0, 60 * s, 120 * s}, 19},
		{"three minutes, of which the third begins early", []time.Duration{0, 60600 * time.Millisecond, 120400 * time.Millisecond, 181 * s}, 19},
		{"three minutes, with a pause of one after each", []time.Duration{5 * s, 70 * s, 135 * s}, 19},
		{"a minute without", []time.Duration{0, 60 * s, 180 * s}, 100},
		{"three minutes, after a minute without", []time.Duration{0, 120 * s, 180 * s, 240 * s}, 19},
		{"every quarter of an hour", []time.Duration{0, 900 * s, 1800 * s, 2700 * s}, 100},
		{"the run begins anew once it has lowered", []time.Duration{0, 60 * s, 120 * s, 180 * s, 240 * s}, 19},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			l := learned{ceiling: 100, limit: 100}
			for i, at := range test.at {
				begun := 20
				if l.limit < 100 {
					begun = 12 // below 80 % of what was learned
				}
				now := noon.Add(at)
				l = l.lowered(now, traffic{begun: begun, rejected: 1, latest: now.Add(-s + time.Duration(i))})
			}
			assert.Equal(t, test.want, l.limit)
		})
	}
}

// The requests in flight when the limit was lowered do not lower it again by the
// rule, however late their 429s come: they only were not served.
func TestLoweredOncePerBurst(t *testing.T) {
	l := learned{ceiling: 100, limit: 100}
	began := noon.Add(-time.Second)
	l = l.lowered(noon, traffic{begun: 84, rejected: 1, latest: began})
	assert.Equal(t, 83, l.limit)
	l = l.lowered(noon.Add(time.Second), traffic{begun: 84, rejected: 2, latest: began})
	assert.Equal(t, 82, l.limit)
	l = l.lowered(noon.Add(50*time.Second), traffic{begun: 3, rejected: 3, latest: began})
	assert.Equal(t, 81, l.limit)
	l = l.lowered(noon.Add(70*time.Second), traffic{begun: 1, rejected: 1, latest: noon.Add(65 * time.Second)})
	assert.Equal(t, 81, l.limit, "far below, and not in flight at noon")
}

// Each quarter of an hour without a 429 raises the limit by 5, up to the ceiling.
func TestRaised(t *testing.T) {
	const minute = time.Minute
	tests := []struct {
		name           string
		ceiling, limit int
		quiet          time.Duration
		want           int
	}{
		{"not yet", 100, 50, 15*minute - 1, 50},
		{"once", 100, 50, 15 * minute, 55},
		{"not yet twice", 100, 50, 30*minute - 1, 55},
		{"twice", 100, 50, 30 * minute, 60},
		{"up to the ceiling", 100, 98, 15 * minute, 100},
		{"no further", 100, 98, 1500 * minute, 100},
		{"no ceiling", 0, 50, 60 * minute, 70},
		{"no limit", 0, 0, 60 * minute, 0},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			l := learned{ceiling: test.ceiling, limit: test.limit, quietSince: noon}
			assert.Equal(t, test.want, l.raised(noon.Add(test.quiet)).limit)
		})
	}
}

// A route that learned raises again by itself, and each 429 puts that off.
func TestRateRaises(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := NewRate(20)
		for range 20 {
			require.NoError(t, r.Wait(t.Context()))
		}
		time.Sleep(time.Second)
		for range 6 {
			r.Rejected()
		}
		assert.Equal(t, 14, r.PerMinute())
		time.Sleep(14 * time.Minute)
		require.NoError(t, r.Wait(t.Context()))
		r.Rejected()
		time.Sleep(14 * time.Minute)
		assert.Equal(t, 14, r.PerMinute())
		time.Sleep(time.Minute)
		assert.Equal(t, 19, r.PerMinute())
		time.Sleep(time.Hour)
		assert.Equal(t, 20, r.PerMinute())
	})
}

// server allows requests in a minute, and counts what it was asked.
type server struct {
	allow func(now time.Time) bool

	mu              sync.Mutex // guards everything below
	asked, rejected int
}

func (s *server) ask() bool {
	time.Sleep(100 * time.Millisecond)
	defer time.Sleep(100 * time.Millisecond)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.asked++
	if s.allow(time.Now()) {
		return true
	}
	s.rejected++
	return false
}

// limiter is what Downloads and Rate have in common.
type limiter interface {
	Pause(time.Duration)
	Rejected()
}

// serve lets four workers ask for some hours; they pause after each 429.
func (s *server) serve(l limiter, begin func() (end func()), pause time.Duration) {
	until := time.Now().Add(hours * time.Hour)
	var workers sync.WaitGroup
	for range 4 {
		workers.Go(func() {
			for time.Now().Before(until) {
				end := begin()
				if !s.ask() {
					l.Rejected()
					l.Pause(pause)
				}
				end()
			}
		})
	}
	workers.Wait()
}

func slidingMinute(limit int) func(time.Time) bool {
	var taken []time.Time
	return func(now time.Time) bool {
		for len(taken) > 0 && now.Sub(taken[0]) >= time.Minute {
			taken = taken[1:]
		}
		if len(taken) >= limit {
			return false
		}
		taken = append(taken, now)
		return true
	}
}

func fixedMinute(limit int) func(time.Time) bool {
	var minute time.Time
	n := 0
	return func(now time.Time) bool {
		if m := now.Truncate(time.Minute); !m.Equal(minute) {
			minute, n = m, 0
		}
		n++
		return n <= limit
	}
}

func tokenBucket(limit int) func(time.Time) bool {
	tokens, last := float64(limit), time.Time{}
	return func(now time.Time) bool {
		if !last.IsZero() {
			tokens = min(float64(limit), tokens+float64(limit)*now.Sub(last).Minutes())
		}
		last = now
		if tokens < 1 {
			return false
		}
		tokens--
		return true
	}
}

const (
	allowed = 50 // a minute
	hours   = 3
)

// A server that allows 50 a minute under a ceiling of 100, or none, rejects at most
// 2 % of what it is asked, and serves nearly all that it would.
func TestLearnedRateOfServer(t *testing.T) {
	servers := map[string]func(int) func(time.Time) bool{"sliding": slidingMinute, "fixed": fixedMinute, "tokens": tokenBucket}
	for name, allow := range servers {
		for _, ceiling := range []int{0, 100} {
			for _, pause := range []time.Duration{5 * time.Second, 30 * time.Second, time.Minute} {
				t.Run(fmt.Sprintf("%s/ceiling=%d/pause=%s", name, ceiling, pause), func(t *testing.T) {
					synctest.Test(t, func(t *testing.T) {
						s := &server{allow: allow(allowed)}
						d := newDownloads(t, Settings{Memory: 100, Slots: 4, PerMinute: ceiling})
						s.serve(d, func() (end func()) {
							g, err := d.Acquire(t.Context(), d.Enqueue(Request{}))
							assert.NoError(t, err)
							return g.Release
						}, pause)
						s.assertUsed(t)
					})
					synctest.Test(t, func(t *testing.T) {
						s, r := &server{allow: allow(allowed)}, NewRate(ceiling)
						s.serve(r, func() (end func()) {
							assert.NoError(t, r.Wait(t.Context()))
							return func() {}
						}, pause)
						s.assertUsed(t)
					})
				})
			}
		}
	}
}

func (s *server) assertUsed(t *testing.T) {
	t.Helper()
	possible := allowed * 60 * hours
	t.Logf("%d asked, %d rejected, %d possible", s.asked, s.rejected, possible)
	assert.LessOrEqual(t, s.rejected, s.asked*2/100)
	assert.GreaterOrEqual(t, s.asked-s.rejected, possible*95/100)
}

// A single 429 while this receiver is far below its limit pauses it and lowers
// nothing: others spent the server's budget.
func TestSingle429FarBelow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDownloads(t, Settings{Memory: 100, Slots: 4, PerMinute: 100})
		for range 30 {
			acquire(t, d, Request{}).Release()
		}
		d.Rejected()
		d.Pause(time.Minute)
		assert.Equal(t, 100, d.PerMinute())
		began := time.Now()
		acquire(t, d, Request{})
		assert.Equal(t, time.Minute, time.Since(began))
	})
}
