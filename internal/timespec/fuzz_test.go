// Copyright The OpenTelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package timespec

import (
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// Units to build valid texts from, which mutation alone seldom finds.
var (
	units = []string{"", "s", "m", "h", "d", "w", "mon", "q", "y"}
	snaps = []string{"", "@s", "@m", "@h", "@d", "@w", "@w0", "@w1", "@w2", "@w3", "@w4", "@w5", "@w6", "@w7", "@mon", "@q", "@y"}
)

// FuzzParse: no text makes Parse or At panic; what Parse reads is written back to
// the same moment; a span lies on its side of now; rounding goes down only, by
// less than the unit, and twice is once.
func FuzzParse(f *testing.F) {
	for i, text := range []string{
		"now", "beginning", "-24h", "+128m@h", "-1mon@mon", "@w", "@w7", "-3600", "-1h30m", "-1q@q", "2d",
		"2026-01-31T06:00:00.5+02:00", "2026-01-31", "2026-01-31 06:00", "@d-2h", "-1.5h", "--", "9223372036854775807y",
		"0001-01-01T00:00:00Z", "9999-12-31T23:59:59-14:00",
	} {
		f.Add(text, int16(7-i), uint8(i), uint8(i), int64(1_785_937_530)+int64(i)*86_400*29)
	}
	f.Fuzz(func(t *testing.T, text string, n int16, unit, snap uint8, seconds int64) {
		now := time.Unix(seconds%(1<<37), 0).UTC() // some thousands of years either way
		if spec, err := Parse(text); err == nil {
			checkSpec(t, spec, now)
		} else {
			assert.Equal(t, Spec{}, spec)
		}
		built := strconv.Itoa(int(n)) + units[int(unit)%len(units)] + snaps[int(snap)%len(snaps)]
		spec, err := Parse(built)
		if err != nil {
			require.ErrorContains(t, err, "100 years", built)
			return
		}
		checkSpec(t, spec, now)
	})
}

func checkSpec(t *testing.T, spec Spec, now time.Time) {
	t.Helper()
	got := spec.At(now)
	assert.Equal(t, time.UTC, got.Location())
	again, err := Parse(spec.String())
	require.NoError(t, err, spec.String())
	assert.Equal(t, got, again.At(now), spec.String())
	assert.Equal(t, spec.String(), again.String())
	if spec.Absolute() {
		assert.Equal(t, got, spec.At(now.Add(time.Hour)), "an absolute time does not depend on now")
		return
	}
	unrounded := spec
	unrounded.snap = ""
	moved := unrounded.At(now)
	assert.Equal(t, spec.Forward(), moved.After(now), spec.String())
	assert.False(t, got.After(moved), spec.String())
	assert.Equal(t, got, roundDown(got, spec.snap), spec.String())
	if spec.snap != "" {
		next := part{1, strings.TrimRight(spec.snap, digits)}.move(got, false)
		assert.True(t, next.After(moved), "%s: rounded down by a whole unit", spec)
	}
}
