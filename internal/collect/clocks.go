// Copyright The OpenTelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package collect

import (
	"sync"
	"time"

	"github.com/openaicompliance/openaicompliancereceiver/internal/checkpoint"
)

// retention is how long the API keeps a file after its end_time, and then for
// good no longer.
const retention = 30 * 24 * time.Hour

// tick is the resolution of the API's times.
const tick = time.Microsecond

// How far the clocks may differ.
const (
	// implausibleAfter is how much later than both clocks a time cannot be.
	implausibleAfter = time.Hour
	skewAlarm        = 10 * time.Minute
	skewOver         = 5 * time.Minute
	skewAnswers      = 3
	skewLasting      = time.Minute
)

// earliestTime is before any compliance log: an earlier time is none.
var earliestTime = time.Date(2020, 1, 1, 0, 0, 0, 0, time.UTC)

// Clocks knows the server's clock, from the Date of its list answers, and the
// local one, and what both are worth together. It is safe for concurrent use.
type Clocks struct {
	local func() time.Time // the wall clock

	mu         sync.Mutex // guards what follows
	server     time.Time  // the last usable Date, plus Age
	serverSeen time.Time  // when it came, by the monotonic clock
	skew       skew
}

// NewClocks reads the local time of day from local; nil is time.Now.
func NewClocks(local func() time.Time) *Clocks {
	if local == nil {
		local = time.Now
	}
	return &Clocks{local: local}
}

// Observe takes the Date of an answer that has just come, zero for none. It
// returns the difference of the clocks, and whether the alarm has just begun or
// ended.
func (c *Clocks) Observe(date time.Time) (difference time.Duration, alarm SkewAlarm) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if date.IsZero() {
		return 0, SkewUnchanged
	}
	now := time.Now()
	c.server, c.serverSeen = date, now
	difference = date.Sub(c.local())
	c.skew, alarm = c.skew.after(difference, now)
	return difference, alarm
}

// Read returns both clocks as they are now.
func (c *Clocks) Read() checkpoint.Reading {
	c.mu.Lock()
	defer c.mu.Unlock()
	reading := checkpoint.Reading{Local: c.local().Round(0).UTC()}
	if !c.server.IsZero() {
		reading.Server = c.server.Add(time.Since(c.serverSeen)).UTC()
	}
	return reading
}

// earlierOf is now: the clock that is behind. What closes or gives up something
// goes by it, so no wrong clock alone can close anything.
func earlierOf(r checkpoint.Reading) time.Time {
	if !r.Server.IsZero() && r.Server.Before(r.Local) {
		return r.Server
	}
	return r.Local
}

// laterOf is the clock that is ahead.
func laterOf(r checkpoint.Reading) time.Time {
	if r.Server.After(r.Local) {
		return r.Server
	}
	return r.Local
}

// plausible reports whether a listed end_time can be one.
func plausible(end time.Time, r checkpoint.Reading) bool {
	return !end.IsZero() && !end.Before(earliestTime) && !end.After(laterOf(r).Add(implausibleAfter))
}

// agreeOn reports what the clocks say of a time span that has passed since an
// earlier reading: both, one or none of them went on by more than it. A constant
// difference between them does not count.
func agreeOn(span time.Duration, since, now checkpoint.Reading) verdict {
	local := now.Local.Sub(since.Local) > span
	if since.Server.IsZero() || now.Server.IsZero() {
		return verdictOf(local, local)
	}
	return verdictOf(local, now.Server.Sub(since.Server) > span)
}

// verdict of two clocks.
type verdict int

const (
	verdictNo verdict = iota
	verdictSuspected
	verdictYes
)

func verdictOf(one, other bool) verdict {
	switch {
	case one && other:
		return verdictYes
	case one || other:
		return verdictSuspected
	}
	return verdictNo
}

// SkewAlarm says what an answer changed about the alarm of differing clocks.
type SkewAlarm int

// The changes.
const (
	SkewUnchanged SkewAlarm = iota
	SkewBegins
	SkewEnds
)

// skew counts the answers in a row that make or end the alarm.
type skew struct {
	alarming bool
	answers  int
	first    time.Time
}

// after is the skew after one more answer that came at now.
func (s skew) after(difference time.Duration, now time.Time) (skew, SkewAlarm) {
	difference = difference.Abs()
	against := difference > skewAlarm
	if s.alarming {
		against = difference < skewOver
	}
	if !against {
		s.answers = 0
		return s, SkewUnchanged
	}
	if s.answers++; s.answers == 1 {
		s.first = now
	}
	if s.answers < skewAnswers || (!s.alarming && now.Sub(s.first) < skewLasting) {
		return s, SkewUnchanged
	}
	if s.alarming {
		return skew{}, SkewEnds
	}
	return skew{alarming: true}, SkewBegins
}
