// Copyright The OpenTelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package receiver

import (
	"errors"
	"testing"
	"time"
	"unsafe"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/zap"

	"go.opentelemetry.io/collector/extension/xextension/storage"

	"github.com/openaicompliance/openaicompliancereceiver/internal/checkpoint"
)

// farOff is the zone of a machine far off.
var farOff = time.FixedZone("elsewhere", 5*3600)

// times lists the first n times of a schedule after a moment, in UTC, on a machine
// whose zone is another.
func times(t *testing.T, schedule, after string, n int) (all []string) {
	t.Helper()
	moment, err := time.Parse(time.RFC3339, after)
	require.NoError(t, err)
	cadence := (&Config{Schedule: schedule}).cadence()
	for range n {
		moment = moment.In(farOff)
		moment = cadence.next(moment.Add(-time.Second), moment)
		all = append(all, moment.Format(time.RFC3339))
	}
	return all
}

var noon = time.Date(2026, 8, 2, 12, 0, 0, 0, time.UTC)

// A schedule's times are UTC's, or those of the zone that it names, whatever the
// zone of the machine is.
func TestScheduleTimes(t *testing.T) {
	for schedule, want := range map[string][]string{
		"*/10 * * * *":                    {"2026-08-05T13:50:00Z", "2026-08-05T14:00:00Z"},
		"30 2 * * *":                      {"2026-08-06T02:30:00Z", "2026-08-07T02:30:00Z"},
		"@hourly":                         {"2026-08-05T14:00:00Z", "2026-08-05T15:00:00Z"},
		"@weekly":                         {"2026-08-09T00:00:00Z", "2026-08-16T00:00:00Z"},
		"0 6 * * MON-FRI":                 {"2026-08-06T06:00:00Z", "2026-08-07T06:00:00Z"},
		"CRON_TZ=Europe/Berlin 0 6 * * *": {"2026-08-06T04:00:00Z", "2026-08-07T04:00:00Z"},
		"TZ=America/New_York 0 0 1 1 *":   {"2027-01-01T05:00:00Z", "2028-01-01T05:00:00Z"},
	} {
		assert.Equal(t, want, times(t, schedule, "2026-08-05T13:45:30Z", 2), schedule)
	}
}

// Summer time, as README says: a time that the clocks skip is left out that day,
// one that they repeat comes twice, and hours go on evenly.
func TestScheduleInSummerTime(t *testing.T) {
	const berlin = "CRON_TZ=Europe/Berlin "
	assert.Equal(t, []string{"2026-03-28T01:30:00Z", "2026-03-30T00:30:00Z"},
		times(t, berlin+"30 2 * * *", "2026-03-27T12:00:00Z", 2), "02:30 of 29 March does not exist")
	assert.Equal(t, []string{"2026-10-25T00:30:00Z", "2026-10-25T01:30:00Z", "2026-10-26T01:30:00Z"},
		times(t, berlin+"30 2 * * *", "2026-10-24T12:00:00Z", 3), "02:30 of 25 October comes twice")
	assert.Equal(t, []string{"2026-03-29T00:00:00Z", "2026-03-29T01:00:00Z", "2026-03-29T02:00:00Z"},
		times(t, berlin+"0 * * * *", "2026-03-28T23:30:00Z", 3))
	assert.Equal(t, []string{"2026-10-25T00:00:00Z", "2026-10-25T01:00:00Z", "2026-10-25T02:00:00Z"},
		times(t, berlin+"0 * * * *", "2026-10-24T23:30:00Z", 3))
}

// An interval counts from the begin of a pass; a schedule leaves out the times
// that went by while the pass ran.
func TestCadenceAfterLongPass(t *testing.T) {
	began := time.Date(2026, 8, 5, 10, 0, 0, 0, time.UTC)
	ended := began.Add(25 * time.Minute)
	every := (&Config{PollInterval: 10 * time.Minute}).cadence()
	assert.Equal(t, began.Add(10*time.Minute), every.next(began, ended))
	scheduled := (&Config{PollInterval: 5 * time.Minute, Schedule: "*/10 * * * *"}).cadence()
	assert.Equal(t, began.Add(30*time.Minute), scheduled.next(began, ended))
}

// A stream waits between two passes as its cadence says, and looks at the clock in
// between: it may be set, or have stood still.
func TestStreamWaitsForSchedule(t *testing.T) {
	progress, err := checkpoint.Create(t.Context(), storage.NewNopClient(), "stream/x/AUTH_LOG", checkpoint.Beginning{Floor: noon}, checkpoint.Settings{})
	require.NoError(t, err)
	for schedule, due := range map[string]time.Time{"@daily": noon.Add(12 * time.Hour), "": noon.Add(time.Minute)} {
		cfg := NewDefaultConfig()
		cfg.PollInterval, cfg.Schedule = time.Minute, schedule
		s := &stream{
			shared:    shared{cfg: cfg, health: newHealth(nil, zap.NewNop(), []string{"AUTH_LOG"}, 1), first: newFirstPass(zap.NewNop(), nil)},
			eventType: "AUTH_LOG", cadence: cfg.cadence(), progress: progress, logger: zap.NewNop(),
		}
		s.live = &lane{stream: s, pass: &pass{started: noon, finish: func(error) {}}}
		s.history = &lane{stream: s, part: checkpoint.History}
		s.live.end(t.Context(), nil)
		if schedule == "" {
			assert.Equal(t, due, s.live.due)
		} else {
			assert.Zero(t, s.live.due.Sub(due)%(24*time.Hour), s.live.due)
			assert.WithinRange(t, s.live.due, time.Now(), time.Now().Add(24*time.Hour))
		}
		assert.LessOrEqual(t, s.nextLook(), clockCheck)
	}
}

// setForward is a time as it stands after the clock was set forward: the wall clock
// says less than the monotonic one.
func setForward(at time.Time, by time.Duration) time.Time {
	wall := (*uint64)(unsafe.Pointer(&at)) // the first field: its bits from the 30th on are seconds
	*wall -= uint64(by/time.Second) << 30
	return at
}

// A clock that is set forward, or goes on while the machine sleeps, does not make a
// stream spin until its interval is over; a schedule goes by the time of day.
func TestClockSetForward(t *testing.T) {
	progress, err := checkpoint.Create(t.Context(), storage.NewNopClient(), "stream/x/AUTH_LOG", checkpoint.Beginning{Floor: noon}, checkpoint.Settings{})
	require.NoError(t, err)
	s := &stream{progress: progress}
	s.live, s.history = &lane{stream: s}, &lane{stream: s, part: checkpoint.History}
	s.live.due = setForward(time.Now().Add(30*time.Second), time.Hour)
	require.Greater(t, time.Until(s.live.due), 20*time.Second)
	require.Negative(t, s.live.due.Round(0).Sub(time.Now().Round(0)))
	assert.Greater(t, s.nextLook(), 20*time.Second, "the pass is not due, so there is nothing to look for")

	hourly := (&Config{Schedule: "@hourly"}).cadence()
	due := hourly.next(time.Now(), time.Now())
	assert.Equal(t, due.Round(0), due, "a time of day has no monotonic reading")
}

// FuzzSchedule: no text makes the parser or the search for the next time panic,
// and the next time lies ahead.
func FuzzSchedule(f *testing.F) {
	for _, text := range []string{
		"*/10 * * * *", "@daily", "CRON_TZ=Europe/Berlin 0 6 * * 1-5", "TZ=", "CRON_TZ=UTC", "TZ=UTC TZ=", "CRON_TZ=UTC @every 1s",
		"0 0 30 2 *", "0-59/7 1,2 L * ?", "@", "@every", "* * * * * *", "CRON_TZ=America/Sao_Paulo 0 0 * * 0", "5-1 * * * *", "*/0 * * * *",
	} {
		f.Add(text, int64(1_785_937_530))
	}
	f.Fuzz(func(t *testing.T, text string, seconds int64) {
		schedule, zone, err := parseSchedule(text)
		if err != nil {
			assert.Nil(t, schedule)
			return
		}
		now := time.Unix(seconds%(1<<33), 0)
		next := cadence{schedule: schedule, zone: zone}.next(now, now)
		assert.True(t, next.After(now), "%s after %s", next, now)
	})
}

// A machine without a time-zone database is told from a zone that does not exist.
func TestZoneErrors(t *testing.T) {
	none := func(name string) (*time.Location, error) { return nil, errors.New("unknown time zone " + name) }
	_, err := loadZone("Europe/Paris", none)
	require.ErrorContains(t, err, `names "Europe/Paris", but this machine has no time-zone database; install the package tzdata`)
	require.ErrorContains(t, err, "timetzdata")
	_, err = loadZone("Europe/Bonn", time.LoadLocation)
	require.ErrorContains(t, err, `names "Europe/Bonn", which is not a time zone`)
	zone, err := loadZone("Europe/Paris", time.LoadLocation)
	require.NoError(t, err)
	assert.Equal(t, "Europe/Paris", zone.String())
}
