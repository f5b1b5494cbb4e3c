// Copyright The OpenTelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package status

import (
	"maps"
	"slices"
	"time"
)

// reportAt is how long after the start of an outage it is reported; after the
// last it is reported each hour. The first is long enough for a request or two to
// be retried, and well below the 30 seconds that an operator may wait.
var reportAt = []time.Duration{10 * time.Second, time.Minute, 2 * time.Minute, 5 * time.Minute, 10 * time.Minute, 30 * time.Minute}

// nextReportAt is the first time of reportAt after another one, both measured
// from the start of the outage.
func nextReportAt(reported time.Duration) time.Duration {
	for _, at := range reportAt {
		if at > reported {
			return at
		}
	}
	return reported.Truncate(time.Hour) + time.Hour
}

// Outage is a run of failed requests of one scope: of one stream, or of all
// streams when the scope is key or network. Each run has a schedule of reports of
// its own, but after flapChanges runs less than flapWindow apart the later ones
// continue that of the last.
type Outage struct {
	Scope    Scope
	Cause    Condition       // of the latest failure
	Since    time.Time       // start of this run
	Began    time.Time       // start of the schedule of reports
	Runs     int             // less than flapWindow apart, this one included
	Failed   time.Time       // the latest failure
	Reported time.Time       // the latest report; zero before the first
	Ended    time.Time       // end of the latest run that has ended
	Streams  map[string]bool // the streams of this run; true while their requests fail
}

// addFailure adds a failure of a stream whose requests fail since then.
func (o *Outage) addFailure(stream string, c Condition, since, now time.Time) {
	if !o.lasts() {
		o.Since, o.Streams = since, map[string]bool{}
		if since.Sub(o.Ended) > flapWindow {
			o.Runs = 0
		}
		if o.Runs++; o.Runs <= flapChanges {
			o.Began, o.Reported = since, time.Time{}
		}
	}
	o.Cause, o.Failed = c, now
	o.Streams[stream] = true
}

// addSuccess takes a stream out, and reports whether an outage that had been
// reported has ended with it.
func (o *Outage) addSuccess(stream string, now time.Time) bool {
	if !o.Streams[stream] {
		return false
	}
	o.Streams[stream] = false
	if o.lasts() {
		return false
	}
	o.Ended = now
	return o.Reported.After(o.Since)
}

// lasts reports whether the requests of any stream fail.
func (o *Outage) lasts() bool {
	for _, failing := range o.Streams {
		if failing {
			return true
		}
	}
	return false
}

// NextReport is when the outage is to be reported next; zero when nothing new has
// happened since the last report.
func (o *Outage) NextReport() time.Time {
	if !o.lasts() || !o.Failed.After(o.Reported) {
		return time.Time{}
	}
	reported := time.Duration(-1)
	if !o.Reported.IsZero() {
		reported = o.Reported.Sub(o.Began)
	}
	next := o.Began.Add(nextReportAt(reported))
	if o.Runs > flapChanges { // an end may have been reported: it must not stand for long
		next = earlier(next, o.Ended.Add(flapWindow))
	}
	if first := o.Since.Add(reportAt[0]); next.Before(first) {
		return first
	}
	return next
}

// failing returns the streams whose requests fail, sorted.
func (o *Outage) failing() []string {
	var names []string
	for stream, failing := range o.Streams {
		if failing {
			names = append(names, stream)
		}
	}
	slices.Sort(names)
	return names
}

// affected returns every stream of the run, sorted.
func (o *Outage) affected() []string { return slices.Sorted(maps.Keys(o.Streams)) }
