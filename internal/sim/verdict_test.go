// Copyright The OpenTelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package sim

import (
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/openaicompliance/openaicompliancereceiver/internal/fakeapi"
)

// due reports whether the receiver must have delivered a file by now.
func (m *model) due(f *file) bool {
	floor, collected := m.floors[f.EventType]
	now := m.now()
	if !m.until.IsZero() && (f.EndTime.After(m.until) || f.shown().After(m.closes)) {
		return false
	}
	if asked := m.asked[f.EventType]; asked.Sub(f.EndTime) >= fakeapi.Retention {
		return false
	}
	return collected && f.EndTime.After(floor) && !f.EndTime.After(now) && !f.shown().After(now)
}

// expired reports whether the API has stopped serving a file.
func (m *model) expired(f *file) bool { return m.now().Sub(f.EndTime) >= fakeapi.Retention }

// told reports whether a gap was told that a file lies in, or is suspected and shown.
func (m *model) told(f *file) bool {
	return slices.ContainsFunc(slices.Concat(m.gaps, m.suspected), func(g gap) bool {
		return g.lost() && g.eventType == f.EventType && f.EndTime.After(g.from) && !f.EndTime.After(g.to.Add(m.behind[f.EventType]))
	})
}

// whole reports whether every line of the file as listed has come.
func (f *file) whole() bool {
	lines := f.variants[f.SHA256].lines
	for _, l := range lines {
		if l.accepted == 0 {
			return false
		}
	}
	return len(lines) > 0
}

// checkGaps finds gaps that were told of files that have come, or are still to be
// had: there is none unless something was lost.
func (m *model) checkGaps() {
	for _, g := range m.gaps {
		if g.reason == "unreadable_entry" {
			if !m.unnamed[g.eventType] {
				m.violate(nil, "an entry of %s was told to be unreadable, and all could be read", g.eventType)
			}
			continue
		}
		if g.reason == "suspected" { // one of the clocks was wrong for a day
			continue
		}
		if g.reason == "ties" {
			if !m.tied(g.eventType, g.to) {
				m.violate(nil, "ties of %s were told at %s, and all could be listed", g.eventType, g.to)
			}
			continue
		}
		if f := m.files[g.fileID]; f != nil && (!m.expired(f) || f.whole()) {
			m.violate(f, "a gap was told and there is none")
		}
		if g.fileID == "" && m.now().Add(-fakeapi.Retention).Before(g.to) {
			m.violate(nil, "a gap (%s) of %s was told up to %s, which is still served", g.reason, g.eventType, g.to)
		}
	}
}

// delivered reports whether a line has come, or rightly has not.
func (m *model) delivered(f *file, l *line) bool {
	if l.accepted > 0 || l.dropped > 0 {
		return true
	}
	event := "\n" + l.id + "\n" + l.text
	return m.dedup && l.id != "" && m.copies[f.EventType+event]+m.copies[f.ID+event] > 0
}

// deliveredElse reports whether a line has come from any variant of its file.
func (m *model) deliveredElse(f *file, number int) bool {
	for _, v := range f.variants {
		if l := v.lines[number]; l != nil && m.delivered(f, l) {
			return true
		}
	}
	return false
}

// missing lists the first lines of the file that have not come, none when all of
// one variant have. A line that was set aside may come later from another variant,
// once the right bytes are served.
func (m *model) missing(f *file) []int {
	var fewest []int
	first := true
	for _, v := range f.variants {
		var lost []int
		for _, number := range slices.Sorted(maps.Keys(v.lines)) {
			if !m.delivered(f, v.lines[number]) && !m.deliveredElse(f, number) {
				lost = append(lost, number)
			}
		}
		if first || len(lost) < len(fewest) {
			fewest, first = lost, false
		}
	}
	return fewest
}

// soon is how long a file may take that is visible in time, when nothing stands
// in the way.
const soon = 10 * time.Hour

// waiting counts the files that are due and not complete, and those of them that
// should have come long ago: only a deep listing finds files that appear late.
func (m *model) waiting(overlap time.Duration) (all, overdue int) {
	for _, f := range m.files {
		if !m.due(f) || m.expired(f) || len(m.missing(f)) == 0 {
			continue
		}
		if m.toldTied(f) {
			continue
		}
		all++
		if f.shown().Sub(f.EndTime) <= overlap/2 && m.now().Sub(f.shown()) > soon {
			overdue++
		}
	}
	return all, overdue
}

// foreseen is the first stretch above a floor that may expire before the first list:
// the receiver tells no gap that is not longer, since clocks differ and every first
// run from the beginning would tell one.
const foreseen = time.Minute

// first is the earliest file time that could be had when the type was first asked for.
func (m *model) first(eventType string) time.Time {
	floor, served := m.floors[eventType], m.asked[eventType].Add(-fakeapi.Retention)
	if served.After(floor) {
		return served
	}
	return floor
}

// final adds what is missing at the end to the violations.
func (m *model) final() {
	for _, id := range slices.Sorted(maps.Keys(m.files)) {
		f := m.files[id]
		if !m.due(f) {
			continue
		}
		lost := m.missing(f)
		switch {
		case len(lost) == 0:
		case m.expired(f) && f.EndTime.Sub(m.first(f.EventType)) <= foreseen:
		case m.toldTied(f):
		case !m.expired(f):
			m.lost += len(lost)
			m.violate(f, "lost: lines %v", lost)
		case !m.told(f):
			m.lost += len(lost)
			m.violate(f, "lost in silence: the file expired, and no gap was told; lines %v", lost)
		}
	}
	m.checkGaps()
}

// take adds the verdict on a replay.
func (m *model) take(name string, replay *model) {
	for _, v := range replay.violations {
		m.violate(nil, "replay %s: %s", name, v)
	}
}

// sums of a run, or of many.
type sums struct {
	due, delivered, leftOut, toldLost      int
	lost, doubled, repeated, gaps, crashes int
}

// sum adds up what became of the records.
func (m *model) sum() (s sums) {
	s.lost, s.doubled, s.repeated, s.gaps = m.lost, m.doubled, m.repeated, len(m.gaps)
	for _, f := range m.files {
		if !m.due(f) {
			continue
		}
		gone := len(m.missing(f)) > 0
		for number, l := range f.variants[f.SHA256].lines {
			s.due++
			switch {
			case m.came(f, number):
				s.delivered++
			case gone && !m.delivered(f, l):
				s.toldLost++
			default:
				s.leftOut++
			}
		}
	}
	s.toldLost -= s.lost
	return s
}

// came reports whether a line was accepted, with whatever bytes its file had.
func (m *model) came(f *file, number int) bool {
	for _, v := range f.variants {
		if l := v.lines[number]; l != nil && l.accepted > 0 {
			return true
		}
	}
	return false
}

func (s *sums) add(o sums) {
	s.due, s.delivered, s.leftOut, s.toldLost = s.due+o.due, s.delivered+o.delivered, s.leftOut+o.leftOut, s.toldLost+o.toldLost
	s.lost, s.doubled, s.repeated = s.lost+o.lost, s.doubled+o.doubled, s.repeated+o.repeated
	s.gaps, s.crashes = s.gaps+o.gaps, s.crashes+o.crashes
}

// String is the line that a simulation closes with.
func (s sums) String() string {
	return fmt.Sprintf("records: %d due, %d delivered, %d lost, %d doubled without a crash, %d again after %d crashes; %d left out as duplicates or by choice, %d told lost in %d gaps",
		s.due, s.delivered, s.lost, s.doubled, s.repeated, s.crashes, s.leftOut, s.toldLost, s.gaps)
}

// tally counts what the run has seen, for the states of interest.
func (m *model) tally(reached map[string]int) {
	reached["gap told"] += len(m.gaps)
	if len(m.gaps) == 0 {
		reached["no gap told"]++
	}
	for _, g := range m.gaps {
		if g.reason == "ties" {
			reached["ties told"]++
		}
	}
	for _, f := range m.files {
		if !m.due(f) {
			continue
		}
		if len(f.Content) == 0 {
			reached["empty file"]++
		}
		if len(m.missing(f)) > 0 {
			reached["expired file told"]++
			continue
		}
		if f.VisibleFrom.After(f.EndTime) {
			reached["late file"]++
		}
		for sum, v := range f.variants {
			for _, l := range v.lines {
				m.tallyLine(f, l, sum != f.SHA256, reached)
			}
		}
	}
}

func (m *model) tallyLine(f *file, l *line, unverified bool, reached map[string]int) {
	switch {
	case unverified && l.accepted > 0:
		reached["unverified record delivered"]++
	case unverified:
	case l.accepted > 1:
		reached["record repeated after a crash"]++
	case l.dropped > 0 && l.accepted == 0:
		reached["record dropped by choice"]++
	case l.aside && l.accepted > 0:
		reached["record set aside and delivered"]++
	case l.accepted == 0 && l.id != "":
		reached["duplicate left out"]++
	case l.id == "":
		reached["record without id"]++
	case m.conflicts[f.EventType+"\n"+l.id]:
		reached["conflict delivered"]++
	}
}
