// Copyright The OpenTelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package limit

import "time"

// Bounds of what 429s teach.
const (
	// lowestLearned is the lowest limit that is learned, in requests a minute.
	lowestLearned = 10
	// rejectedMinutes is how many minutes running must have a 429 before one lowers
	// a limit that this receiver is not near to: others share the server's budget.
	rejectedMinutes = 3
	// raiseAfter is how long no 429 must come before the limit rises by raiseBy.
	raiseAfter = 15 * time.Minute
	raiseBy    = 5
)

// learned is the limit of one route and what its 429s have taught. It is a value:
// its methods return the next one.
type learned struct {
	ceiling int // requests a minute that the settings allow; 0 is none
	limit   int // requests a minute now; 0 is none

	quietSince time.Time // the last 429, or the last raise after it
	loweredAt  time.Time // zero if never
	minutes    int       // minutes running with a 429, up to the one that began at minuteFrom
	minuteFrom time.Time
	minuteLast time.Time // the last 429 of this run
}

// traffic is what one route saw within the last minute.
type traffic struct {
	begun    int       // requests, rejected ones included
	rejected int       // of these
	latest   time.Time // when the latest request ever began
}

// raised returns the limit as it is at now.
func (l learned) raised(now time.Time) learned {
	for l.limit != l.ceiling && now.Sub(l.quietSince) >= raiseAfter {
		l.limit += raiseBy
		if l.ceiling > 0 {
			l.limit = min(l.limit, l.ceiling)
		}
		l.quietSince = l.quietSince.Add(raiseAfter)
	}
	return l
}

// lowered returns what is left of the limit after a 429 at now. last counts the 429
// among its rejected ones.
//
// The new limit is what the server served, not what was begun: a limit that counts
// the 429 itself is exceeded again each minute.
func (l learned) lowered(now time.Time, last traffic) learned {
	l = l.raised(now)
	l.quietSince = now
	l.countMinute(now)
	switch {
	case !l.loweredAt.IsZero() && !last.latest.After(l.loweredAt):
		// Nothing has begun since the limit was lowered, so this request was in
		// flight then and counted as served.
		l.limit = max(min(l.limit, lowestLearned), l.limit-1)
	case l.limit == 0 && l.minutes < rejectedMinutes:
	case l.limit == 0:
		l.lower(now, max(lowestLearned, last.begun-last.rejected))
	case 5*last.begun >= 4*l.limit || l.minutes >= rejectedMinutes:
		l.lower(now, min(l.limit, max(lowestLearned, last.begun-last.rejected)))
	}
	return l
}

func (l *learned) lower(now time.Time, limit int) {
	l.limit, l.loweredAt, l.minutes = limit, now, 0
}

// countMinute counts the minutes running that have a 429. A minute begins with the
// first 429 after the last minute. The run ends with two minutes without a 429, so
// that a pause of one does not end it.
func (l *learned) countMinute(now time.Time) {
	quiet := now.Sub(l.minuteLast)
	l.minuteLast = now
	switch {
	case l.minutes == 0 || quiet >= 2*time.Minute:
		l.minutes = 1
	case now.Sub(l.minuteFrom) >= time.Minute:
		l.minutes++
	default:
		return
	}
	l.minuteFrom = now
}
