// Copyright The OpenTelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package timespec

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/openaicompliance/openaicompliancereceiver/internal/secret"
)

// Forms names what Parse reads, for error messages.
const Forms = `an RFC 3339 time with a zone ("2026-01-31T00:00:00Z"), a span from now ("-24h", "-7d", "-1mon"; units s, m, h, d, w, mon, q, y; a plain number is seconds), a rounded one ("@d", "-1w@w1"), "now" or "beginning"`

const (
	unitNames = "s, m, h, d, w, mon, q, y"
	snapNames = unitNames + ", or w0 to w7 for the days of the week from Sunday"
)

// maxYears bounds a span: files are kept for 30 days, and no sum overflows.
const maxYears = 100

// Parse reads one time. The error says what is wrong with the text and what
// would be right.
func Parse(text string) (Spec, error) {
	trimmed := strings.TrimSpace(text)
	var (
		spec Spec
		err  error
	)
	switch {
	case secret.Looks(text): // what is wrong with it would quote a part
		err = errors.New("is not " + Forms)
	case trimmed == "":
		err = errors.New("is empty; write " + Forms)
	case trimmed == beginning:
		spec.beginning = true
	case looksAbsolute(trimmed):
		spec.absolute = true
		spec.at, err = parseAbsolute(trimmed)
	default:
		spec, err = parseRelative(trimmed)
	}
	if err != nil {
		return Spec{}, fmt.Errorf("%s %w", secret.Quote(text), err)
	}
	return spec, nil
}

// looksAbsolute tells "2026-01-31…" from a number of seconds.
func looksAbsolute(text string) bool {
	return len(text) > 4 && text[4] == '-' && strings.Trim(text[:4], digits) == ""
}

func parseAbsolute(text string) (time.Time, error) {
	// YAML reads a date alone as midnight UTC; a quoted one means the same.
	for _, layout := range []string{time.RFC3339Nano, time.DateOnly} {
		// An offset can carry the first and the last day of RFC 3339's years
		// out of them.
		if t, err := time.Parse(layout, text); err == nil && t.UTC().Year() >= 0 && t.UTC().Year() <= 9999 {
			return t.UTC(), nil
		}
	}
	for _, layout := range []string{"2006-01-02T15:04:05", "2006-01-02T15:04", "2006-01-02 15:04:05"} {
		if _, err := time.Parse(layout, text); err == nil {
			return time.Time{}, errors.New(`is not complete: RFC 3339 has a T, seconds and a zone; write it like "2026-01-31T06:00:00Z" for UTC or with an offset like "+02:00"`)
		}
	}
	return time.Time{}, errors.New(`is not an RFC 3339 time; write it like "2026-01-31T06:00:00Z"`)
}

const digits = "0123456789"

// parseRelative reads [now | [+|-]<number><unit>…][@<unit>].
func parseRelative(text string) (spec Spec, err error) {
	span, snap, rounded := strings.Cut(text, "@")
	if rounded {
		if spec.snap, err = parseSnap(snap); err != nil {
			return Spec{}, err
		}
	}
	if span == now || span == "" { // if it is empty there is a snap: the text is not
		return spec, nil
	}
	if span[0] == '-' || span[0] == '+' {
		spec.backwards = span[0] == '-'
		span = span[1:]
	}
	spec.parts, err = parseParts(span)
	return spec, err
}

func parseSnap(unit string) (string, error) {
	if _, ok := fixed[unit]; ok {
		return unit, nil
	}
	if _, ok := calendar[unit]; ok {
		return unit, nil
	}
	if len(unit) == 2 && unit[0] == 'w' && unit[1] >= '0' && unit[1] <= '7' {
		return unit, nil
	}
	return "", fmt.Errorf("has %q behind the @, which rounds down to one unit: %s", unit, snapNames)
}

func parseParts(rest string) (parts []part, err error) {
	total := 0.0 // in years, which is enough to refuse the absurd
	for rest != "" {
		number := rest[:len(rest)-len(strings.TrimLeft(rest, digits))]
		rest = rest[len(number):]
		unit := rest[:len(rest)-len(strings.TrimLeft(rest, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"))]
		rest = rest[len(unit):]
		p, err := newPart(number, unit, rest, len(parts) == 0)
		if err != nil {
			return nil, err
		}
		if total += p.years(); total > maxYears {
			return nil, fmt.Errorf("spans more than %d years", maxYears)
		}
		parts = append(parts, p)
	}
	if len(parts) == 0 {
		return nil, errors.New(`is a sign alone; write a number and a unit behind it, like "-24h"`)
	}
	return parts, nil
}

// newPart checks one number and its unit; rest is what follows them.
func newPart(number, unit, rest string, first bool) (part, error) {
	switch {
	case number == "":
		return part{}, errors.New("is not " + Forms)
	case unit == "" && strings.HasPrefix(rest, "."):
		return part{}, errors.New(`has a fraction; use a smaller unit, like "-90m" for an hour and a half`)
	case unit == "" && rest != "":
		return part{}, errors.New("is not " + Forms)
	case unit == "" && !first:
		return part{}, fmt.Errorf("ends with a number that has no unit; units are %s", unitNames)
	}
	n, err := strconv.ParseInt(number, 10, 64)
	if err != nil {
		return part{}, fmt.Errorf("spans more than %d years", maxYears)
	}
	if unit == "" {
		unit = "s"
	}
	_, isFixed := fixed[unit]
	_, isCalendar := calendar[unit]
	if !isFixed && !isCalendar {
		return part{}, fmt.Errorf("has the unknown unit %q; units are %s", unit, unitNames)
	}
	return part{n, unit}, nil
}

func (p part) years() float64 {
	if months, ok := calendar[p.unit]; ok {
		return float64(p.n) * float64(months) / 12
	}
	return float64(p.n) * fixed[p.unit].Hours() / (365 * 24)
}
