// Copyright The OpenTelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package collect

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/openaicompliance/openaicompliancereceiver/internal/checkpoint"
)

// TestClocks proves that the earlier clock is now, whichever is wrong, and that the
// server's clock advances between answers.
func TestClocks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		offset := time.Duration(0)
		clocks := NewClocks(func() time.Time { return time.Now().Add(offset) })
		assert.True(t, clocks.Read().Server.IsZero())
		assert.True(t, earlierOf(clocks.Read()).Equal(time.Now()), "without a Date ours counts")

		clocks.Observe(time.Now().Add(40 * 24 * time.Hour))
		time.Sleep(time.Minute)
		assert.True(t, earlierOf(clocks.Read()).Equal(time.Now()), "a Date in the future moves nothing")
		assert.True(t, laterOf(clocks.Read()).Equal(time.Now().Add(40*24*time.Hour)))

		clocks.Observe(time.Now())
		offset = 30 * time.Hour
		time.Sleep(time.Minute)
		assert.True(t, earlierOf(clocks.Read()).Equal(time.Now()), "our own clock ahead moves nothing")

		clocks.Observe(time.Time{})
		assert.False(t, clocks.Read().Server.IsZero(), "an answer without a Date changes nothing")
	})
}

// TestAgreeOn proves that a gap needs both clocks, and that a constant difference
// between them counts for nothing.
func TestAgreeOn(t *testing.T) {
	const days = 24 * time.Hour
	since := reading(-40*days, -40*days)
	assert.Equal(t, verdictYes, agreeOn(retention, since, reading(0, 0)))
	assert.Equal(t, verdictNo, agreeOn(retention, reading(-2*days, -2*days), reading(0, 0)))
	assert.Equal(t, verdictSuspected, agreeOn(retention, reading(-2*days, -2*days), reading(40*days, 0)), "the server alone jumped")
	assert.Equal(t, verdictSuspected, agreeOn(retention, reading(-2*days, -2*days), reading(0, 40*days)), "ours alone jumped")
	assert.Equal(t, verdictNo, agreeOn(retention, reading(-2*days, 58*days), reading(0, 60*days)), "a constant difference")
	noServer := checkpoint.Reading{Local: ago(40 * days)}
	assert.Equal(t, verdictYes, agreeOn(retention, noServer, reading(0, 0)), "ours alone, where the server's is unknown")
}

// TestPlausible holds listed times against both clocks.
func TestPlausible(t *testing.T) {
	clocks := reading(0, -2*time.Hour)
	assert.True(t, plausible(testNow, clocks))
	assert.True(t, plausible(testNow.Add(time.Hour), clocks))
	assert.False(t, plausible(testNow.Add(time.Hour+tick), clocks))
	assert.False(t, plausible(time.Time{}, clocks))
	assert.False(t, plausible(time.Date(2019, 12, 31, 23, 59, 59, 0, time.UTC), clocks))
	assert.False(t, plausible(time.Date(9999, 12, 31, 0, 0, 0, 0, time.UTC), clocks))
}

// TestSkewAlarm proves that the alarm needs three answers over a minute, and three
// better ones to end.
func TestSkewAlarm(t *testing.T) {
	var s skew
	var alarm SkewAlarm
	step := func(at, difference time.Duration) SkewAlarm {
		s, alarm = s.after(difference, testNow.Add(at))
		return alarm
	}
	assert.Equal(t, SkewUnchanged, step(0, time.Hour))
	assert.Equal(t, SkewUnchanged, step(10*time.Second, -time.Hour))
	assert.Equal(t, SkewUnchanged, step(20*time.Second, time.Hour), "three answers within a minute")
	assert.Equal(t, SkewBegins, step(70*time.Second, time.Hour))
	assert.Equal(t, SkewUnchanged, step(80*time.Second, 0))
	assert.Equal(t, SkewUnchanged, step(90*time.Second, 7*time.Minute), "between the two bounds the row begins again")
	assert.Equal(t, SkewUnchanged, step(100*time.Second, time.Minute))
	assert.Equal(t, SkewUnchanged, step(110*time.Second, time.Minute))
	assert.Equal(t, SkewEnds, step(120*time.Second, time.Minute))
}
