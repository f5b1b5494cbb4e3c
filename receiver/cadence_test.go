// Copyright The OpenTelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package receiver

import (
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// farOff is the zone of a machine far off.
var farOff = time.FixedZone("elsewhere", 5*3600)

// times lists the first n times of a schedule after a moment, in UTC, on a machine
// whose zone is another.
func times(t *testing.T, schedule, after string, n int) (all []string) {
	t.Helper()
	moment, err := time.Parse(time.RFC3339, after)
	require.NoError(t, err)
	polls := (&Config{Schedule: schedule}).pollSchedule()
	for range n {
		moment = moment.In(farOff)
		moment = polls.next(moment.Add(-time.Second), moment)
		all = append(all, moment.Format(time.RFC3339))
	}
	return all
}

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

// An interval counts from the start of a poll; a schedule leaves out the times that
// passed during the poll.
func TestPollScheduleAfterLongPoll(t *testing.T) {
	began := time.Date(2026, 8, 5, 10, 0, 0, 0, time.UTC)
	ended := began.Add(25 * time.Minute)
	every := (&Config{PollInterval: 10 * time.Minute}).pollSchedule()
	assert.Equal(t, began.Add(10*time.Minute), every.next(began, ended))
	scheduled := (&Config{PollInterval: 5 * time.Minute, Schedule: "*/10 * * * *"}).pollSchedule()
	assert.Equal(t, began.Add(30*time.Minute), scheduled.next(began, ended))
}

// A time of a schedule is a time of day: it has no monotonic reading.
func TestScheduleIsATimeOfDay(t *testing.T) {
	hourly := (&Config{Schedule: "@hourly"}).pollSchedule()
	due := hourly.next(time.Now(), time.Now())
	assert.Equal(t, due.Round(0), due)
}

// FuzzSchedule: no text makes the parser or the search for the next time panic,
// and the next time is in the future.
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
		next := pollSchedule{schedule: schedule, zone: zone}.next(now, now)
		assert.True(t, next.After(now), "%s after %s", next, now)
	})
}

// A machine without a time-zone database is distinguished from a zone that does not exist.
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
