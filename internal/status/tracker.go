// Copyright The OpenTelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package status

import (
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"go.uber.org/zap"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componentstatus"
	"go.opentelemetry.io/collector/pdata/pcommon"
)

// EndedAttribute is set in the status once every stream has reached until.
const EndedAttribute = "openai.compliance.ended"

// Tracker turns the conditions of all streams into the component's status, and
// reports outages and first polls. A status is reported when the set of its causes
// changes, and at no other time. Close it.
type Tracker struct {
	host   component.Host
	logger *zap.Logger
	types  []string
	count  int // of streams, replays included

	mu       sync.Mutex // guards everything below
	streams  map[string]*stream
	ended    map[string]bool
	polls    firstPolls
	outages  map[outageKey]*Outage
	causes   causes
	reported []causeID
	timer    *time.Timer
	closed   bool
}

// outageKey names an outage; the stream is empty for key and network.
type outageKey struct {
	scope  Scope
	stream string
}

// NewTracker tracks the streams of the event types, named like these, and as many
// more as there are streams: those of replays have other names.
func NewTracker(host component.Host, logger *zap.Logger, eventTypes []string, streams int) *Tracker {
	t := &Tracker{host: host, logger: logger, types: slices.Clone(eventTypes), count: streams, polls: firstPolls{}}
	t.resetLocked()
	return t
}

func (t *Tracker) resetLocked() {
	t.streams, t.ended = map[string]*stream{}, map[string]bool{}
	t.outages, t.causes = map[outageKey]*Outage{}, causes{}
}

// Set takes the condition of one kind of a stream; a zero one clears it. The
// stream is empty for what no stream has to itself, such as the clocks.
func (t *Tracker) Set(name string, kind Kind, scope Scope, c Condition) {
	t.changeStream(name, func(s *stream, _ time.Time) {
		if c.IsZero() {
			delete(s.conditions, kind)
			return
		}
		s.conditions[kind] = scoped{c, scope}
	})
}

// End says that a stream has reached until. It counts for nothing afterwards.
// When the last one ends the status becomes OK and has EndedAttribute.
func (t *Tracker) End(name string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.closed || t.ended[name] {
		return
	}
	now := time.Now()
	t.ended[name] = true
	t.recoverLocked(name, now)
	delete(t.streams, name)
	for id := range t.causes {
		if id.stream == name {
			delete(t.causes, id)
		}
	}
	if !t.allEndedLocked() {
		t.refreshLocked(now)
		return
	}
	clear(t.streams)
	clear(t.causes)
	t.reported = nil
	t.setTimerLocked(now)
	attrs := pcommon.NewMap()
	attrs.PutBool(EndedAttribute, true)
	componentstatus.ReportStatus(t.host, componentstatus.NewEvent(componentstatus.StatusOK, componentstatus.WithAttributes(attrs)))
	t.logger.Info("every stream has reached until", zap.Strings("event_types", t.types))
}

// Reset forgets all but the first polls, as at the end of a term: who collects
// nothing has no trouble.
func (t *Tracker) Reset() {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.closed {
		return
	}
	t.resetLocked()
	t.refreshLocked(time.Now())
}

// Close ends all reports.
func (t *Tracker) Close() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.closed = true
	if t.timer != nil {
		t.timer.Stop()
	}
}

func (t *Tracker) allEndedLocked() bool { return len(t.ended) > 0 && len(t.ended) >= t.count }

// changeStream applies what is new of a stream that has not ended.
func (t *Tracker) changeStream(name string, apply func(s *stream, now time.Time)) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.closed || t.ended[name] || t.allEndedLocked() {
		return
	}
	s := t.streams[name]
	if s == nil {
		s = &stream{conditions: map[Kind]scoped{}}
		t.streams[name] = s
	}
	now := time.Now()
	apply(s, now)
	t.refreshLocked(now)
}

// onTimer runs when the timer fires: time alone has changed something.
func (t *Tracker) onTimer() {
	t.mu.Lock()
	defer t.mu.Unlock()
	if !t.closed {
		t.refreshLocked(time.Now())
	}
}

// refreshLocked reports what is due, and sets the timer for what is next.
func (t *Tracker) refreshLocked(now time.Time) {
	t.failSilentLocked(now)
	t.reportOutagesLocked(now)
	t.causes.update(t.currentLocked(now), now)
	if shown := t.causes.shown(now); !slices.Equal(shown, t.reported) {
		t.reported = shown
		t.reportStatusLocked(shown)
	}
	t.setTimerLocked(now)
}

func (t *Tracker) reportStatusLocked(shown []causeID) {
	if len(shown) == 0 {
		componentstatus.ReportStatus(t.host, componentstatus.NewEvent(componentstatus.StatusOK))
		return
	}
	errs := make(causesError, len(shown))
	for i, id := range shown {
		errs[i] = t.causes[id].err
	}
	componentstatus.ReportStatus(t.host, componentstatus.NewRecoverableErrorEvent(errs))
}

func (t *Tracker) setTimerLocked(now time.Time) {
	next := t.causes.nextChange()
	for _, s := range t.streams {
		next = earlier(next, s.nextChange(now))
	}
	for _, o := range t.outages {
		next = earlier(next, o.NextReport())
	}
	switch {
	case t.timer == nil && next.IsZero():
	case next.IsZero():
		t.timer.Stop()
	case t.timer == nil:
		t.timer = time.AfterFunc(next.Sub(now), t.onTimer)
	default:
		t.timer.Reset(next.Sub(now))
	}
}

// currentLocked returns the causes that make the component degraded now.
func (t *Tracker) currentLocked(now time.Time) map[causeID]error {
	current := map[causeID]error{}
	polls := t.noneWorksLocked(now)
	for _, name := range slices.Sorted(maps.Keys(t.streams)) {
		t.streams[name].eachCondition(now, func(kind Kind, c scoped) {
			if kind == KindPoll && !polls {
				return
			}
			id, err := causeOf(name, kind, c)
			if _, ok := current[id]; !ok {
				current[id] = err
			}
		})
	}
	return current
}

// causeOf returns what a condition of a stream is in the status.
func causeOf(name string, kind Kind, c scoped) (causeID, error) {
	id, err := causeID{kind: kind, scope: c.scope, label: c.Label, stream: name}, c.asError()
	switch {
	case c.scope.wholeReceiver():
		id.stream = ""
	case name != "":
		err = fmt.Errorf("%s: %w", name, err)
	}
	return id, err
}

// noneWorksLocked reports whether every event type that has not ended makes no
// progress; of the other streams, when all types have ended.
func (t *Tracker) noneWorksLocked(now time.Time) bool {
	names := slices.DeleteFunc(slices.Clone(t.types), func(name string) bool { return t.ended[name] })
	if len(names) == 0 {
		for name := range t.streams {
			if name != "" {
				names = append(names, name)
			}
		}
		if len(names) < t.count-len(t.ended) {
			return false
		}
	}
	return len(names) > 0 && !slices.ContainsFunc(names, func(name string) bool { return !t.stoppedLocked(name, now) })
}

// stoppedLocked reports whether a stream makes no progress, or would make none if
// it tried: no request of it has succeeded since an outage of key or network began.
func (t *Tracker) stoppedLocked(name string, now time.Time) bool {
	s := t.streams[name]
	if s != nil && s.stopped(now) {
		return true
	}
	for _, scope := range []Scope{ScopeKey, ScopeNetwork} {
		o := t.outages[outageKey{scope: scope}]
		if o == nil || !o.lasts() || now.Sub(o.Since) < statusAfter {
			continue
		}
		// A success just before may be of the same moment: the next request decides.
		if s == nil || s.succeeded.Before(o.Since.Add(-statusAfter)) {
			return true
		}
	}
	return false
}
