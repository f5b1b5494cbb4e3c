// Copyright The OpenTelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package record

import (
	"math"
	"strings"
	"time"
)

// A Timestamp counts nanoseconds since 1970 and holds no other time.
var (
	earliest = time.Unix(0, 0)
	latest   = time.Unix(0, math.MaxInt64)
)

// parseTime reads RFC 3339 and what is like it: an offset without colon, a blank in place
// of T or before the offset, lower-case t and z, and a leap second, which counts as the
// next second. False if there is no time that a record can have.
func parseTime(text string) (at time.Time, ok bool) {
	at, err := time.Parse(time.RFC3339Nano, text)
	if err != nil {
		at, ok = parseUnusualTime(strings.TrimSpace(text))
		if !ok {
			return time.Time{}, false
		}
	}
	return at, !at.Before(earliest) && !at.After(latest)
}

// Where the parts of a time lie.
const (
	endOfDate   = len("2006-01-02")
	endOfMinute = len("2006-01-02T15:04:")
	endOfSecond = len("2006-01-02T15:04:05")
	maxTime     = 64
)

var upperTZ = strings.NewReplacer("t", "T", "z", "Z", " ", "")

func parseUnusualTime(text string) (time.Time, bool) {
	if len(text) <= endOfSecond || len(text) > maxTime || !strings.ContainsRune("Tt ", rune(text[endOfDate])) {
		return time.Time{}, false
	}
	text = text[:endOfDate] + "T" + upperTZ.Replace(text[endOfDate+1:])
	var leap time.Duration
	if len(text) > endOfSecond && text[endOfMinute:endOfSecond] == "60" {
		text, leap = text[:endOfMinute]+"59"+text[endOfSecond:], time.Second
	}
	for _, layout := range []string{time.RFC3339Nano, "2006-01-02T15:04:05.999999999Z0700"} {
		if at, err := time.Parse(layout, text); err == nil {
			return at.Add(leap), true
		}
	}
	return time.Time{}, false
}

// byteSet tells bytes apart.
type byteSet [256]bool

func bytesOf(chars string) *byteSet {
	var set byteSet
	for i := range len(chars) {
		set[chars[i]] = true
	}
	return &set
}

// holds says whether a text has no bytes but those of a set.
func holds[T chars](set *byteSet, of T) bool {
	for i := range len(of) {
		if !set[of[i]] {
			return false
		}
	}
	return true
}

var (
	dateBytes  = bytesOf("0123456789-")
	clockBytes = bytesOf("0123456789:.,+-TtZz ")
)

// hasFormOfTime says whether a text can be a time: a date and what follows it in a time,
// or seconds since 1970.
func hasFormOfTime[T chars](of T) bool {
	for len(of) > 0 && of[0] == ' ' {
		of = of[1:]
	}
	if len(of) == 0 || len(of) > maxTime {
		return false
	}
	if len(of) >= endOfDate && of[4] == '-' && of[7] == '-' {
		return holds(dateBytes, of[:endOfDate]) && holds(clockBytes, of[endOfDate:])
	}
	whole := 0
	for whole < len(of) && digits[of[whole]] {
		whole++
	}
	return whole > 0 && len(of) <= 20 && (whole == len(of) || of[whole] == '.' && holds(digits, of[whole+1:]))
}
