// Copyright The OpenTelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package status

import (
	"errors"
	"time"

	"go.uber.org/zap"
)

// errNoAnswer stands in for the error of a request that still waits.
var errNoAnswer = errors.New("no answer yet")

// RequestSent says that a request of a stream is sent whose answer is to come
// within seconds: not the body of a file. RequestFailed or RequestSucceeded follows,
// whatever happens. A request that waits for silentAfter counts as failed; without
// this call only a failure does.
func (t *Tracker) RequestSent(name string) {
	t.changeStream(name, func(s *stream, now time.Time) {
		if s.sent.IsZero() {
			s.sent = now
		}
	})
}

// RequestFailed takes every failed attempt of a request, retried ones too. An
// attempt that fails for the sake of one record, entry or file is no outage and is
// left out.
func (t *Tracker) RequestFailed(name string, scope Scope, c Condition) {
	t.changeStream(name, func(s *stream, now time.Time) {
		sent := s.sent
		s.sent = time.Time{}
		if scope.wholeStream() && !c.IsZero() {
			t.failLocked(name, s, scoped{c, scope}, failedAt{start: earlier(sent, now), now: now})
		}
	})
}

// RequestSucceeded takes every request that succeeded.
func (t *Tracker) RequestSucceeded(name string) {
	t.changeStream(name, func(s *stream, now time.Time) {
		s.sent, s.succeeded = time.Time{}, now
		t.recoverLocked(name, now)
	})
}

// NextTry says when the next request of a stream is made, for the log.
func (t *Tracker) NextTry(name string, at time.Time) {
	t.changeStream(name, func(s *stream, _ time.Time) { s.nextTry = at })
}

// failedAt is when a failed request was sent, and when it failed.
type failedAt struct{ start, now time.Time }

func (t *Tracker) failLocked(name string, s *stream, f scoped, at failedAt) {
	if s.failure.IsZero() {
		s.since = at.start
	}
	if old := t.outages[outageOf(name, s.failure.scope)]; old != nil && s.failure.scope != f.scope {
		old.addSuccess(name, at.now) // another outage follows: no end to report
	}
	s.failure = f
	key := outageOf(name, f.scope)
	o := t.outages[key]
	if o == nil {
		o = &Outage{Scope: f.scope}
		t.outages[key] = o
	}
	o.addFailure(name, f.Condition, s.since, at.now)
}

// outageOf names the outage that a failure of a stream belongs to.
func outageOf(name string, scope Scope) outageKey {
	if scope.wholeReceiver() {
		name = ""
	}
	return outageKey{scope, name}
}

// recoverLocked ends the failures of a stream.
func (t *Tracker) recoverLocked(name string, now time.Time) {
	s := t.streams[name]
	if s == nil || s.failure.IsZero() {
		return
	}
	o := t.outages[outageOf(name, s.failure.scope)]
	s.failure, s.since = scoped{}, time.Time{}
	if o.addSuccess(name, now) && !t.ended[name] {
		t.logger.Info("requests succeed again", zap.String("cause", o.Cause.Label), zap.String("scope", string(o.Scope)),
			zap.Strings("event_types", o.affected()), zap.Time("since", o.Since), zap.Duration("duration", now.Sub(o.Since)))
	}
}

// failSilentLocked lets requests that wait for too long count as failed.
func (t *Tracker) failSilentLocked(now time.Time) {
	for name, s := range t.streams {
		if s.failure.IsZero() && !s.sent.IsZero() && now.Sub(s.sent) >= silentAfter {
			f := scoped{Condition{Label: "no_answer", Err: errNoAnswer}, ScopeNetwork}
			t.failLocked(name, s, f, failedAt{start: s.sent, now: now})
		}
	}
}

// reportOutagesLocked logs the outages that are due.
func (t *Tracker) reportOutagesLocked(now time.Time) {
	for _, o := range t.outages {
		if next := o.NextReport(); next.IsZero() || next.After(now) {
			continue
		}
		o.Reported = now
		t.logger.Warn("requests fail", t.outageFieldsLocked(o, now)...)
	}
}

func (t *Tracker) outageFieldsLocked(o *Outage, now time.Time) []zap.Field {
	failing := o.failing()
	fields := []zap.Field{
		zap.String("cause", o.Cause.Label), zap.String("scope", string(o.Scope)), zap.Error(o.Cause.Err),
		zap.Strings("event_types", failing), zap.Time("since", o.Since), zap.Duration("duration", now.Sub(o.Since)),
	}
	if o.Cause.Hint != "" {
		fields = append(fields, zap.String("hint", o.Cause.Hint))
	}
	var next time.Time
	for _, name := range failing {
		if s := t.streams[name]; s != nil && s.nextTry.After(now) {
			next = earlier(next, s.nextTry)
		}
	}
	if !next.IsZero() {
		fields = append(fields, zap.Time("next_try", next))
	}
	return fields
}
