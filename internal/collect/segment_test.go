// Copyright The OpenTelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package collect

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
)

// TestWaitsAreMonotonic proves that an interval is measured by the monotonic clock: a
// wall clock that is set forward, or advances while the machine sleeps, makes no poll due.
func TestWaitsAreMonotonic(t *testing.T) {
	state := liveState(func(s *SegmentState) { s.Now = time.Now() })
	first := PlanPoll(nil, state, reading(0, 0), livePlan()).begin(time.Now())
	second := PlanPoll(&PollResult{Poll: first, Ended: time.Now(), Complete: true}, state, reading(0, 0), livePlan())
	for _, at := range []time.Time{first.At, first.Since, second.At, second.Since} {
		assert.NotEqual(t, at.Round(0), at, "it has a monotonic reading")
	}
}

// TestWaitLooksAtTheClock proves that a wait for a time of day is looked into each
// minute: the clock may be set meanwhile, or may have stood still.
func TestWaitLooksAtTheClock(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := &segment{stream: &Stream{}}
		began := time.Now()
		assert.False(t, g.awaitPoll(t.Context(), began.Round(0).Add(24*time.Hour)))
		assert.Equal(t, clockCheck, time.Since(began))
	})
}
