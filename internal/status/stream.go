// Copyright The OpenTelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package status

import "time"

const (
	// statusAfter is how long requests fail until the status shows it.
	statusAfter = 30 * time.Second
	// silentAfter is how long a request may wait for its answer until it counts as
	// a failed one; it fails for good only at http::timeout.
	silentAfter = 20 * time.Second
)

// stream is what is known of one stream.
type stream struct {
	conditions map[Kind]scoped
	failure    scoped    // of the latest request; zero when it succeeded
	since      time.Time // start of the failures
	sent       time.Time // of the request that waits for its answer; zero without one
	succeeded  time.Time // the latest success
	nextTry    time.Time // zero when unknown
}

// scoped is a condition and how far it reaches.
type scoped struct {
	Condition
	scope Scope
}

// failingLong reports whether requests fail for long enough to show.
func (s *stream) failingLong(now time.Time) bool {
	return !s.failure.IsZero() && now.Sub(s.since) >= statusAfter
}

// stopped reports whether the stream makes no progress.
func (s *stream) stopped(now time.Time) bool {
	for kind := range s.conditions {
		if kind.stopsStream() {
			return true
		}
	}
	return s.failingLong(now)
}

// eachCondition calls visit for each condition of a kind, failing requests included.
func (s *stream) eachCondition(now time.Time, visit func(Kind, scoped)) {
	for kind, c := range s.conditions {
		visit(kind, c)
	}
	if s.failingLong(now) {
		visit(KindPoll, s.failure)
	}
}

// nextChange is when a condition begins to show, or a waiting request counts as
// failed; zero when neither will.
func (s *stream) nextChange(now time.Time) (next time.Time) {
	if !s.failure.IsZero() && !s.failingLong(now) {
		next = s.since.Add(statusAfter)
	}
	if s.failure.IsZero() && !s.sent.IsZero() {
		next = earlier(next, s.sent.Add(silentAfter))
	}
	return next
}
