// Copyright The OpenTelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package receiver

import (
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// startFromForms names what start_from accepts, for error messages.
const startFromForms = `an RFC 3339 time with a zone ("2026-01-31T00:00:00Z"), a span back from now ("-24h", "-7d"; units s, m, h, d, w; a plain number is seconds) or "beginning"`

// retention is how long the API keeps a file (OpenAPI description 2.5.3).
const retention = 30 * 24 * time.Hour

var (
	spanPattern = regexp.MustCompile(`^([+-]?)((?:\d+[smhdw])+|\d+)$`)
	partPattern = regexp.MustCompile(`(\d+)([smhdw]?)`)
)

var spanUnits = map[string]time.Duration{
	"": time.Second, "s": time.Second, "m": time.Minute, "h": time.Hour,
	"d": 24 * time.Hour, "w": 7 * 24 * time.Hour,
}

// resolveStartFrom turns the text of start_from into the absolute time it
// means at now. The result is in UTC.
func resolveStartFrom(text string, now time.Time) (time.Time, error) {
	text = strings.TrimSpace(text)
	if text == "beginning" {
		return now.Add(-retention).UTC(), nil
	}
	// YAML writes a date alone as midnight UTC; a quoted one means the same.
	for _, layout := range []string{time.RFC3339Nano, time.DateOnly} {
		t, err := time.Parse(layout, text)
		switch {
		case err != nil:
		case t.After(now.Add(time.Hour)): // clocks differ a little
			return time.Time{}, fmt.Errorf("%q lies in the future: nothing would be collected until then", text)
		default:
			return t.UTC(), nil
		}
	}
	back, err := parseSpan(text)
	if err != nil {
		return time.Time{}, err
	}
	return now.Add(-back).UTC(), nil
}

// parseSpan reads a span back from now; the leading minus is required unless
// the span is zero.
func parseSpan(text string) (time.Duration, error) {
	m := spanPattern.FindStringSubmatch(text)
	if m == nil {
		return 0, fmt.Errorf("%q is not %s", text, startFromForms)
	}
	var total time.Duration
	for _, part := range partPattern.FindAllStringSubmatch(m[2], -1) {
		n, err := strconv.ParseInt(part[1], 10, 64)
		unit := spanUnits[part[2]]
		if err != nil || n > int64(100*365*24*time.Hour/unit) {
			return 0, fmt.Errorf("%q reaches back more than 100 years", text)
		}
		total += time.Duration(n) * unit
	}
	if m[1] != "-" && total != 0 {
		return 0, errors.New(strconv.Quote(text) + ` lies in the future; write "-` + strings.TrimPrefix(text, "+") + `" for a span back from now`)
	}
	return total, nil
}
