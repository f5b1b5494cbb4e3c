// Copyright The OpenTelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package receiver

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/robfig/cron/v3"

	"github.com/openaicompliance/openaicompliancereceiver/internal/secret"
)

// pollSchedule says when a stream's next pass begins: an interval after the last one
// began, or at the times of a schedule.
type pollSchedule struct {
	interval time.Duration
	schedule cron.Schedule // nil for an interval
	zone     *time.Location
}

// pollSchedule of the configured keys. Validate has refused what cannot be read; an
// unvalidated configuration falls back to the interval.
func (c *Config) pollSchedule() pollSchedule {
	schedule := pollSchedule{interval: c.PollInterval, zone: time.UTC}
	if c.Schedule != "" {
		schedule.schedule, schedule.zone, _ = parseSchedule(c.Schedule)
	}
	return schedule
}

// next is when the pass after one that began and ended at the given times is
// due. An interval counts from the begin, so that a long pass does not make the
// next one late. Times of a schedule that went by while the pass ran are left
// out: whoever names times means these times.
func (c pollSchedule) next(began, ended time.Time) time.Time {
	if c.schedule == nil {
		return began.Add(c.interval)
	}
	due := c.schedule.Next(ended.In(c.zone))
	if due.IsZero() { // none within five years, which Validate does not let pass
		return ended.Add(longestPause)
	}
	return due.UTC().Round(0) // without the monotonic reading: it is a time of day
}

const scheduleForms = `minute, hour, day of month, month and day of week, like "*/10 * * * *", or @hourly, @daily, @weekly; CRON_TZ=<zone> before it sets the time zone, else it is UTC`

// parseSchedule reads a cron schedule and its time zone. The zone is read here:
// the parser panics where it finds one and nothing behind it.
func parseSchedule(text string) (cron.Schedule, *time.Location, error) {
	shown := secret.Quote(text)
	if secret.Looks(text) { // what is wrong with it would quote a part
		return nil, time.UTC, fmt.Errorf("%s cannot be read; write %s", shown, scheduleForms)
	}
	fields, zone, err := cutZone(strings.TrimSpace(text))
	if err != nil {
		return nil, time.UTC, fmt.Errorf("%s %w", shown, err)
	}
	switch {
	case fields == "":
		return nil, time.UTC, fmt.Errorf("%s has no fields; write %s", shown, scheduleForms)
	case strings.Contains(fields, "="):
		return nil, time.UTC, fmt.Errorf("%s names more than one time zone, or in the wrong place; write %s", shown, scheduleForms)
	case strings.HasPrefix(fields, "@every"):
		return nil, time.UTC, fmt.Errorf("%s is an interval; write it under poll_interval", shown)
	}
	schedule, err := cron.ParseStandard(fields)
	if err != nil {
		return nil, time.UTC, fmt.Errorf("%s cannot be read: %w; write %s", shown, err, scheduleForms)
	}
	if schedule.Next(time.Now().In(zone)).IsZero() {
		return nil, time.UTC, fmt.Errorf("%s never comes: no month has such a day", shown)
	}
	return schedule, zone, nil
}

// cutZone takes the time zone off the front of a schedule.
func cutZone(text string) (fields string, zone *time.Location, err error) {
	name, ok := strings.CutPrefix(text, "CRON_TZ=")
	if !ok {
		if name, ok = strings.CutPrefix(text, "TZ="); !ok {
			return text, time.UTC, nil
		}
	}
	name, fields, _ = strings.Cut(name, " ")
	if name == "" || name == "Local" {
		return "", nil, errors.New("names no time zone; write one such as CRON_TZ=Europe/Berlin")
	}
	if zone, err = loadZone(name, time.LoadLocation); err != nil {
		return "", nil, err
	}
	return strings.TrimSpace(fields), zone, nil
}

// loadZone tells a zone that does not exist from a machine that has no zones.
func loadZone(name string, load func(string) (*time.Location, error)) (*time.Location, error) {
	zone, err := load(name)
	if err == nil {
		return zone, nil
	}
	if _, err := load("Europe/Berlin"); err != nil {
		return nil, fmt.Errorf("names %q, but this machine has no time-zone database; install the package tzdata, set ZONEINFO, or build the collector with the tag timetzdata", name)
	}
	return nil, fmt.Errorf("names %q, which is not a time zone such as Europe/Berlin", name)
}

// validatePollSchedule checks poll_interval and schedule, of which one may be written.
func (c *Config) validatePollSchedule() error {
	var errs []error
	if c.PollInterval <= 0 {
		errs = append(errs, fmt.Errorf("poll_interval: %v must be greater than 0", c.PollInterval))
	}
	if c.PollInterval > longestPause {
		errs = append(errs, fmt.Errorf("poll_interval: %v is longer than %v: the API forgets files after 30 days", c.PollInterval, longestPause))
	}
	if c.Schedule != "" {
		if c.pollIntervalWritten {
			errs = append(errs, errors.New("poll_interval, schedule: both are set; keep exactly one"))
		}
		if _, _, err := parseSchedule(c.Schedule); err != nil {
			errs = append(errs, fmt.Errorf("schedule: %w", err))
		} else if at := c.pollSchedule().pausesTooLong(time.Now()); !at.IsZero() {
			errs = append(errs, fmt.Errorf("schedule: %s has no time for more than four weeks after %s: the API forgets files after 30 days",
				secret.Quote(c.Schedule), at.Format(time.DateOnly)))
		}
	}
	return errors.Join(errs...)
}

// longestPause between two passes that leaves time to fetch what the last files
// of the retention hold.
const longestPause = 28 * 24 * time.Hour

// pausesTooLong finds a day of the coming year after which a schedule has no time
// for longer than that, and the zero time if there is none.
func (c pollSchedule) pausesTooLong(now time.Time) time.Time {
	for day := range 366 {
		at := now.AddDate(0, 0, day)
		if c.next(at, at).Sub(at) > longestPause {
			return at
		}
	}
	return time.Time{}
}
