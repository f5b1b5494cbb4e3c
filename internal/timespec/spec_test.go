// Copyright The OpenTelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package timespec

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func at(t *testing.T, text string) time.Time {
	t.Helper()
	moment, err := time.Parse(time.RFC3339Nano, text)
	require.NoError(t, err)
	return moment.UTC()
}

// A Wednesday, in the second month of the third quarter.
const wednesday = "2026-08-05T13:45:30.5Z"

// Each form means the moment that its text says, at the time given.
func TestForms(t *testing.T) {
	for _, tt := range []struct{ text, now, want string }{
		{"now", wednesday, wednesday},
		{" now ", wednesday, wednesday},
		{"0", wednesday, wednesday},
		{"beginning", wednesday, "2026-07-06T13:45:30.5Z"},

		{"2026-01-31T06:00:00Z", wednesday, "2026-01-31T06:00:00Z"},
		{"2026-01-31T06:00:00.123456789Z", wednesday, "2026-01-31T06:00:00.123456789Z"},
		{"2026-01-31T06:00:00+02:00", wednesday, "2026-01-31T04:00:00Z"},
		{"2026-01-31", wednesday, "2026-01-31T00:00:00Z"},
		{"0001-01-01", wednesday, "0001-01-01T00:00:00Z"}, // Go's zero time is a time like others

		{"-1", wednesday, "2026-08-05T13:45:29.5Z"},
		{"-1s", wednesday, "2026-08-05T13:45:29.5Z"},
		{"-3600", wednesday, "2026-08-05T12:45:30.5Z"},
		{"-30m", wednesday, "2026-08-05T13:15:30.5Z"},
		{"-24h", wednesday, "2026-08-04T13:45:30.5Z"},
		{"-7d", wednesday, "2026-07-29T13:45:30.5Z"},
		{"-2w", wednesday, "2026-07-22T13:45:30.5Z"},
		{"-1mon", wednesday, "2026-07-05T13:45:30.5Z"},
		{"-1q", wednesday, "2026-05-05T13:45:30.5Z"},
		{"-1y", wednesday, "2025-08-05T13:45:30.5Z"},
		{"+2d", wednesday, "2026-08-07T13:45:30.5Z"},
		{"2d", wednesday, "2026-08-07T13:45:30.5Z"},
		{"-1h30m", wednesday, "2026-08-05T12:15:30.5Z"},
		{"-1mon1d", wednesday, "2026-07-04T13:45:30.5Z"},

		{"@s", wednesday, "2026-08-05T13:45:30Z"},
		{"@m", wednesday, "2026-08-05T13:45:00Z"},
		{"@h", wednesday, "2026-08-05T13:00:00Z"},
		{"@d", wednesday, "2026-08-05T00:00:00Z"},
		{"now@d", wednesday, "2026-08-05T00:00:00Z"},
		{"@mon", wednesday, "2026-08-01T00:00:00Z"},
		{"@q", wednesday, "2026-07-01T00:00:00Z"},
		{"@y", wednesday, "2026-01-01T00:00:00Z"},
		{"+128m@h", wednesday, "2026-08-05T15:00:00Z"},
		{"-1d@d", wednesday, "2026-08-04T00:00:00Z"},
		{"-1mon@mon", wednesday, "2026-07-01T00:00:00Z"},
		{"-3600@h", wednesday, "2026-08-05T12:00:00Z"},

		{"@w", wednesday, "2026-08-02T00:00:00Z"},
		{"@w0", wednesday, "2026-08-02T00:00:00Z"},
		{"@w7", wednesday, "2026-08-02T00:00:00Z"},
		{"@w1", wednesday, "2026-08-03T00:00:00Z"},
		{"@w3", wednesday, "2026-08-05T00:00:00Z"}, // the day itself
		{"@w4", wednesday, "2026-07-30T00:00:00Z"}, // tomorrow's name: last week's
		{"@w6", wednesday, "2026-08-01T00:00:00Z"},
		{"@w", "2026-08-02T00:00:00Z", "2026-08-02T00:00:00Z"}, // a Sunday
		{"@w7", "2026-08-02T23:59:59Z", "2026-08-02T00:00:00Z"},
		{"-1w@w1", wednesday, "2026-07-27T00:00:00Z"},
	} {
		t.Run(tt.text, func(t *testing.T) {
			spec, err := Parse(tt.text)
			require.NoError(t, err)
			assert.Equal(t, at(t, tt.want), spec.At(at(t, tt.now)))
		})
	}
}

// Months, quarters and years keep the day of the month or take the last one;
// leap years and the turn of the year count as the calendar has them.
func TestCalendar(t *testing.T) {
	for _, tt := range []struct{ text, now, want string }{
		{"-1mon", "2026-03-31T10:00:00Z", "2026-02-28T10:00:00Z"},
		{"-1mon", "2028-03-31T10:00:00Z", "2028-02-29T10:00:00Z"},
		{"+1mon", "2026-01-31T10:00:00Z", "2026-02-28T10:00:00Z"},
		{"+1mon", "2026-02-28T10:00:00Z", "2026-03-28T10:00:00Z"},
		{"-1mon", "2026-01-15T10:00:00Z", "2025-12-15T10:00:00Z"},
		{"-1q", "2026-05-31T10:00:00Z", "2026-02-28T10:00:00Z"},
		{"-1y", "2028-02-29T10:00:00Z", "2027-02-28T10:00:00Z"},
		{"-4y", "2028-02-29T10:00:00Z", "2024-02-29T10:00:00Z"},
		{"-25mon", "2026-01-31T10:00:00Z", "2023-12-31T10:00:00Z"},
		{"+1mon1mon", "2026-01-31T10:00:00Z", "2026-03-28T10:00:00Z"}, // in the order written, each clamped
		{"+2mon", "2026-01-31T10:00:00Z", "2026-03-31T10:00:00Z"},
		{"@q", "2026-12-31T23:59:59Z", "2026-10-01T00:00:00Z"},
		{"@q", "2026-01-01T00:00:00Z", "2026-01-01T00:00:00Z"},
		{"-1q@q", "2026-01-15T00:00:00Z", "2025-10-01T00:00:00Z"},
		{"@w6", "2026-01-01T00:00:00Z", "2025-12-27T00:00:00Z"},
		{"@d", "2026-08-05T01:00:00+02:00", "2026-08-04T00:00:00Z"},  // days are UTC's
		{"-1d", "2026-03-29T12:00:00+02:00", "2026-03-28T10:00:00Z"}, // a day is 24 hours
	} {
		t.Run(tt.text+" at "+tt.now, func(t *testing.T) {
			spec, err := Parse(tt.text)
			require.NoError(t, err)
			now, err := time.Parse(time.RFC3339, tt.now)
			require.NoError(t, err)
			assert.Equal(t, at(t, tt.want), spec.At(now))
		})
	}
}

// What a text cannot mean is refused with the reason, and with what would be
// right.
func TestParseErrors(t *testing.T) {
	for text, want := range map[string]string{
		"":                          "is empty; write an RFC 3339 time",
		"  ":                        "is empty",
		"yesterday":                 `is not an RFC 3339 time with a zone ("2026-01-31T00:00:00Z"), a span`,
		"-":                         "is a sign alone",
		"+@d":                       "is a sign alone",
		"--1h":                      "is not an RFC 3339 time with a zone",
		"-1 h":                      "is not an RFC 3339 time with a zone",
		"-1.5h":                     "has a fraction; use a smaller unit",
		"-3min":                     `has the unknown unit "min"; units are s, m, h, d, w, mon, q, y`,
		"-3H":                       `has the unknown unit "H"`,
		"-1h30":                     "ends with a number that has no unit",
		"-1h-30m":                   "is not an RFC 3339 time with a zone",
		"-101y":                     "spans more than 100 years",
		"-60y60y":                   "spans more than 100 years",
		"-99999999999999999999s":    "spans more than 100 years",
		"9223372036854775807":       "spans more than 100 years",
		"@":                         `has "" behind the @`,
		"@w8":                       `has "w8" behind the @, which rounds down to one unit: s, m, h, d, w, mon, q, y, or w0 to w7`,
		"@d-2h":                     `has "d-2h" behind the @`,
		"@d@h":                      `has "d@h" behind the @`,
		"beginning@d":               "is not an RFC 3339 time with a zone",
		"2026-01-31T06:00:00":       "is not complete: RFC 3339 has a T, seconds and a zone",
		"2026-01-31T06:00":          "is not complete",
		"2026-01-31 06:00:00":       "is not complete",
		"9999-12-31T23:59:59-14:00": "is not an RFC 3339 time",
		"2026-02-30T06:00:00Z":      "is not an RFC 3339 time; write it like",
		"2026-02-30":                "is not an RFC 3339 time; write it like",
		"2026-01-31T06:00:00Z@d":    "is not an RFC 3339 time; write it like",
		"２４h":                       "is not an RFC 3339 time with a zone",
	} {
		t.Run(text, func(t *testing.T) {
			_, err := Parse(text)
			require.ErrorContains(t, err, want)
		})
	}
}

// Absolute and Forward tell a caller why a time lies where it lies.
func TestKinds(t *testing.T) {
	for text, want := range map[string][2]bool{
		"2026-01-31T06:00:00Z": {true, false},
		"now":                  {false, false},
		"beginning":            {false, false},
		"-24h":                 {false, false},
		"+24h":                 {false, true},
		"24h":                  {false, true},
		"0":                    {false, false},
		"+0d":                  {false, false},
		"@d":                   {false, false},
	} {
		spec, err := Parse(text)
		require.NoError(t, err)
		assert.Equal(t, want, [2]bool{spec.Absolute(), spec.Forward()}, text)
	}
}
