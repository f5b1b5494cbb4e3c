// Copyright The OpenTelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package sim

import (
	"maps"
	"net/http"
	"slices"
	"strconv"
	"time"

	"github.com/openaicompliance/openaicompliancereceiver/internal/checkpoint"
)

// Kinds of windows in which a clock is wrong. Of the two clocks, the Date of list
// answers and the collector's own, one is right at any time.
const (
	dateWrong  = "date is wrong"
	dateJumps  = "date jumps"
	dateCached = "date is cached, with its age"
	dateStale  = "date is cached, without its age"
	dateAbsent = "date is absent"
	ownAhead   = "own clock is ahead"
	ownBehind  = "own clock is behind"
	restored   = "restored from a snapshot"
)

var (
	dateKinds = []string{dateWrong, dateJumps, dateCached, dateStale, dateAbsent}
	ownKinds  = []string{ownAhead, ownBehind, restored}
)

// drawClocks plans times at which one of the clocks is wrong, one after the other.
func (p *plan) drawClocks() {
	if !p.chance(0.4) {
		return
	}
	at := pick(p, 0, 0, p.between(0, day/2))
	for range 1 + p.rng.IntN(3) {
		w := window{kind: pick(p, slices.Concat(dateKinds, ownKinds)...), from: at, until: at + p.between(time.Minute, 5*time.Hour), by: p.drawOffset()}
		switch w.kind {
		case ownAhead:
			w.by = w.by.Abs()
		case ownBehind:
			w.by = -w.by.Abs()
		case restored:
			w.until = p.drawRestore(at)
			w.by = at - w.until
			w.from, w.until = w.until, w.until+p.between(time.Minute, 10*time.Minute)
		case dateCached, dateStale:
			w.by = -p.between(time.Minute, 10*time.Hour)
		}
		p.windows = append(p.windows, w)
		at = w.until + p.between(time.Hour, 5*time.Hour) // in which a poll stores right clocks
	}
}

// drawOffset draws how far a clock is off.
func (p *plan) drawOffset() time.Duration {
	off := pick(p, 2*time.Minute, 20*time.Minute, 2*time.Hour, 30*time.Hour, 8*day, 31*day, 40*day, 20*365*day)
	if p.chance(0.5) && off < 365*day {
		return -off
	}
	return off
}

// drawRestore plans a snapshot of the machine at a time, and returns when the machine
// is set back to it.
func (p *plan) drawRestore(taken time.Duration) (back time.Duration) {
	back = taken + p.between(5*time.Minute, 10*time.Hour)
	var s *snapshot
	p.happens(taken, "snapshot", func(w *world) { s = w.takeSnapshot() })
	p.happens(back, restored, func(w *world) { w.restore(s) })
	return back
}

// behindMost is how far any clock is behind at most between two times; 0 or less.
func (p *plan) behindMost(from, to time.Duration) (by time.Duration) {
	for _, w := range p.windows {
		if w.from > to || w.until < from {
			continue
		}
		switch {
		case w.kind == dateJumps:
			by = min(by, -w.by.Abs())
		case w.kind == dateAbsent || w.kind == dateCached:
		case slices.Contains(dateKinds, w.kind), slices.Contains(ownKinds, w.kind):
			by = min(by, w.by)
		}
	}
	return by
}

// ownNow is the collector's own clock.
func (w *world) ownNow() time.Time {
	open := w.trouble("", ownKinds...)
	if open.kind != "" && open.kind != restored {
		w.reach(open.kind)
	}
	return time.Now().Add(open.by)
}

// bendDate makes the Date of an answer wrong.
func (w *world) bendDate(header http.Header) {
	open := w.trouble("", dateKinds...)
	at, err := http.ParseTime(header.Get("Date"))
	if open.kind == "" || err != nil {
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.reached[open.kind]++
	switch open.kind {
	case dateAbsent:
		header["Date"] = nil
		return
	case dateCached:
		header.Set("Age", strconv.Itoa(int(-open.by/time.Second)))
		open.by = open.by.Truncate(time.Second)
	case dateJumps:
		w.jumps++
		open.by = []time.Duration{open.by, 0, -open.by.Abs(), time.Minute}[w.jumps%4]
	}
	header.Set("Date", at.Add(open.by).Format(http.TimeFormat))
}

// snapshot of a machine: its storage, and what had been delivered by then.
type snapshot struct {
	values   map[string][]byte
	types    int
	replays  int
	accepted map[*line]int
	at       map[*variant]int
	known    map[string]map[string]map[string]event // by model
}

// takeSnapshot remembers the machine as it is.
func (w *world) takeSnapshot() *snapshot {
	w.mu.Lock()
	defer w.mu.Unlock()
	s := &snapshot{
		values: maps.Clone(w.disk.values), types: len(w.plan.cfg.EventTypes), replays: len(w.plan.cfg.Replay),
		accepted: map[*line]int{}, at: map[*variant]int{}, known: map[string]map[string]map[string]event{},
	}
	for name, m := range w.models() {
		s.known[name] = map[string]map[string]event{}
		for eventType, known := range m.known {
			s.known[name][eventType] = maps.Clone(known)
		}
		for _, f := range m.files {
			for _, v := range f.variants {
				s.at[v] = v.at
				for _, l := range v.lines {
					s.accepted[l] = l.accepted
				}
				m.takeUncommitted(s, v)
			}
		}
	}
	return s
}

// takeUncommitted takes back what of a file was accepted and not yet committed.
func (m *model) takeUncommitted(s *snapshot, v *variant) {
	for _, lines := range m.uncommitted {
		for _, l := range lines {
			if v.lines[l.number] == l {
				s.accepted[l]--
				s.at[v] = min(s.at[v], l.number-1)
			}
		}
	}
}

// restore sets the machine back to a snapshot: what was delivered since comes again,
// and nothing else. Where another configuration has been started since it does nothing,
// as floors that were fixed meanwhile would be fixed again.
func (w *world) restore(s *snapshot) {
	w.afterCrash()
	if !w.fits(s) {
		return
	}
	w.reach(restored)
	w.mu.Lock()
	for name, m := range w.models() {
		m.setBack(s, name)
	}
	clear(w.disk.values)
	maps.Copy(w.disk.values, s.values)
	clear(w.cursors)
	w.killLocked()
	w.mu.Unlock()
	w.afterCrash()
}

// fits reports whether a snapshot holds all streams that there are.
func (w *world) fits(s *snapshot) bool {
	if s == nil || s.types != len(w.plan.cfg.EventTypes) || s.replays != len(w.plan.cfg.Replay) {
		return false
	}
	for _, eventType := range w.plan.cfg.EventTypes {
		stored, err := checkpoint.ReadSnapshot(w.closing, peek{disk: &disk{fate: newFate(), values: s.values}}, checkpoint.Key(w.plan.cfg.WorkspaceID, eventType))
		if err != nil || stored == nil || len(stored.Segments) == 0 {
			return false
		}
	}
	return true
}

// setBack is told that the machine is set back to a snapshot.
func (m *model) setBack(s *snapshot, name string) {
	m.known = map[string]map[string]event{}
	for eventType, known := range s.known[name] {
		m.known[eventType] = maps.Clone(known)
	}
	for _, f := range m.files {
		for _, v := range f.variants {
			v.at = s.at[v]
			for _, l := range v.lines {
				l.again = l.again || l.accepted > s.accepted[l]
			}
		}
	}
}
