// Copyright The OpenTelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package status

import (
	"cmp"
	"slices"
	"strings"
	"time"
)

const (
	// flapWindow is the time in which changes of a cause are counted, and how long
	// a flapping one must stay good.
	flapWindow = 10 * time.Minute
	// flapChanges is how many changes within flapWindow are not flapping yet.
	flapChanges = 3
)

// causeID tells causes apart. Error texts are no part of it: a new text is no
// new cause. The stream is empty for what concerns the whole receiver.
type causeID struct {
	kind   Kind
	scope  Scope
	label  string
	stream string
}

func compareCauses(a, b causeID) int {
	return cmp.Or(cmp.Compare(a.kind, b.kind), cmp.Compare(a.stream, b.stream), cmp.Compare(a.label, b.label), cmp.Compare(a.scope, b.scope))
}

// cause is what is remembered of a cause that is, or was, there.
type cause struct {
	err     error
	active  bool
	changes []time.Time // the latest, at most flapChanges+1
	until   time.Time   // a flapping cause is shown until then
}

func (c *cause) changeTo(active bool, now time.Time) {
	c.active, c.until = active, time.Time{}
	c.changes = append(c.changes, now)
	if len(c.changes) <= flapChanges {
		return
	}
	c.changes = c.changes[len(c.changes)-flapChanges-1:]
	if !active && now.Sub(c.changes[0]) <= flapWindow {
		c.until = now.Add(flapWindow)
	}
}

func (c *cause) shown(now time.Time) bool { return c.active || now.Before(c.until) }

// causes remembers which causes there are and how often each has changed.
type causes map[causeID]*cause

// update takes the causes that there are now.
func (cs causes) update(current map[causeID]error, now time.Time) {
	for id, err := range current {
		c := cs[id]
		if c == nil {
			c = &cause{}
			cs[id] = c
		}
		c.err = err
		if !c.active {
			c.changeTo(true, now)
		}
	}
	for id, c := range cs {
		if _, ok := current[id]; ok {
			continue
		}
		if c.active {
			c.changeTo(false, now)
		}
		if !c.active && now.Sub(c.changes[len(c.changes)-1]) >= flapWindow {
			delete(cs, id)
		}
	}
}

// shown returns the causes to report, in a fixed order: those that there are, and
// flapping ones that have not been good for long enough.
func (cs causes) shown(now time.Time) []causeID {
	var ids []causeID
	for id, c := range cs {
		if c.shown(now) {
			ids = append(ids, id)
		}
	}
	slices.SortFunc(ids, compareCauses)
	return ids
}

// nextChange is when a flapping cause stops to be shown; zero when none does.
func (cs causes) nextChange() (next time.Time) {
	for _, c := range cs {
		if !c.active {
			next = earlier(next, c.until)
		}
	}
	return next
}

// earlier is the earlier of two times; a zero one does not count.
func earlier(a, b time.Time) time.Time {
	if a.IsZero() || (!b.IsZero() && b.Before(a)) {
		return b
	}
	return a
}

// causesError lists all causes of a status in one line.
type causesError []error

func (e causesError) Error() string {
	texts := make([]string, len(e))
	for i, err := range e {
		texts[i] = err.Error()
	}
	return strings.Join(texts, "; ")
}

// Unwrap gives errors.Is and errors.As all the causes.
func (e causesError) Unwrap() []error { return e }
