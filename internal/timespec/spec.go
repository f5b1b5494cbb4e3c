// Copyright The OpenTelemetry Authors
// SPDX-License-Identifier: Apache-2.0

// Package timespec reads the times that people write into a configuration:
// absolute ones, spans from now, and spans that are rounded down to a unit.
//
//	2026-01-31T06:00:00Z   RFC 3339, with or without a fraction of a second
//	2026-01-31             midnight UTC of that day
//	now, beginning         this moment; as far back as the API keeps files
//	-24h  -1h30m  +2d      spans of s, m, h, d, w, mon, q and y; no sign is +
//	-3600                  a number alone is seconds
//	@d  -7d@d  -1mon@mon   a span, then rounded down to the unit behind the @
//	@w  @w0 … @w7          the last Sunday; the last Sunday, Monday … Sunday
//
// Everything is reckoned in UTC. Seconds to weeks have a fixed length. Months,
// quarters and years keep the day of the month, or take the month's last day
// where it has no such day: a month before 31 March is the end of February. The
// parts of a span are applied in the order in which they are written.
package timespec

import (
	"strconv"
	"strings"
	"time"
)

// Beginning is how far back "beginning" reaches: the time for which the API
// keeps a file (OpenAPI description 2.5.3).
const Beginning = 30 * 24 * time.Hour

const (
	now       = "now"
	beginning = "beginning"
)

// Spec is a time as it was written. The zero value is the present moment.
type Spec struct {
	absolute  bool
	at        time.Time // of an absolute time
	beginning bool
	backwards bool // the sign of the parts
	parts     []part
	snap      string // the unit to round down to, or empty
}

// part is one number and its unit.
type part struct {
	n    int64
	unit string
}

// fixed units by their length, calendar units by their months. No name stands in
// both.
var (
	fixed = map[string]time.Duration{
		"s": time.Second, "m": time.Minute, "h": time.Hour, "d": 24 * time.Hour, "w": 7 * 24 * time.Hour,
	}
	calendar = map[string]int64{"mon": 1, "q": 3, "y": 12}
)

// Absolute reports whether the text names a moment of its own, whatever the time
// is now.
func (s Spec) Absolute() bool { return s.absolute }

// Forward reports whether the text names a span ahead of now.
func (s Spec) Forward() bool { return len(s.parts) > 0 && !s.backwards && !s.idle() }

// idle says that the span is of no length.
func (s Spec) idle() bool {
	for _, p := range s.parts {
		if p.n != 0 {
			return false
		}
	}
	return true
}

// At is the moment that the text means at the given time, in UTC.
func (s Spec) At(now time.Time) time.Time {
	t := now.UTC()
	switch {
	case s.absolute:
		return s.at
	case s.beginning:
		return t.Add(-Beginning)
	}
	for _, p := range s.parts {
		t = p.move(t, s.backwards)
	}
	return roundDown(t, s.snap)
}

func (p part) move(t time.Time, backwards bool) time.Time {
	n := p.n
	if backwards {
		n = -n
	}
	if months, ok := calendar[p.unit]; ok {
		return addMonths(t, n*months)
	}
	return t.Add(time.Duration(n) * fixed[p.unit])
}

// addMonths keeps the day of the month where the month has it, and takes the
// month's last day where not. time.AddDate would go on into the next month.
func addMonths(t time.Time, n int64) time.Time {
	year, month, day := t.Date()
	first := time.Date(year, month+time.Month(n), 1, t.Hour(), t.Minute(), t.Second(), t.Nanosecond(), time.UTC)
	last := first.AddDate(0, 1, -1).Day()
	return first.AddDate(0, 0, min(day, last)-1)
}

// roundDown is the latest begin of a unit that is not after t.
func roundDown(t time.Time, unit string) time.Time {
	midnight := time.Date(t.Year(), t.Month(), t.Day(), 0, 0, 0, 0, time.UTC)
	switch unit {
	case "":
		return t
	case "s", "m", "h":
		return t.Truncate(fixed[unit])
	case "d":
		return midnight
	case "mon":
		return midnight.AddDate(0, 0, 1-t.Day())
	case "q":
		return time.Date(t.Year(), t.Month()-(t.Month()-1)%3, 1, 0, 0, 0, 0, time.UTC)
	case "y":
		return time.Date(t.Year(), time.January, 1, 0, 0, 0, 0, time.UTC)
	}
	// A day of the week: w, or w and the number of days since a Sunday.
	want := 0
	if digit := strings.TrimPrefix(unit, "w"); digit != "" {
		want = int(digit[0] - '0')
	}
	return midnight.AddDate(0, 0, -((int(t.Weekday())-want)%7+7)%7)
}

// String writes the time so that Parse reads the same one.
func (s Spec) String() string {
	switch {
	case s.absolute:
		return s.at.Format(time.RFC3339Nano)
	case s.beginning:
		return beginning
	}
	var text strings.Builder
	for i, p := range s.parts {
		if i == 0 && s.backwards {
			text.WriteByte('-')
		}
		text.WriteString(strconv.FormatInt(p.n, 10) + p.unit)
	}
	if s.snap != "" {
		text.WriteString("@" + s.snap)
	}
	if text.Len() == 0 {
		return now
	}
	return text.String()
}
