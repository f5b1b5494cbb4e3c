// Copyright The OpenTelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package sim

import (
	"cmp"
	"fmt"
	"strings"
	"time"

	"github.com/openaicompliance/openaicompliancereceiver/internal/fakeapi"
)

// delivery is one log record as the next consumer sees it.
type delivery struct {
	uid, eventName, body    string
	fileID, sha256          string
	line                    int
	malformed, isUnverified bool
	// gapFrom and gapTo are set in a record that tells of lost ones.
	gapFrom, gapTo time.Time
	gapReason      string
	replay         string
}

// event is a record that is remembered to tell duplicates.
type event struct {
	text string
	end  time.Time
}

// gap is lost time that was told.
type gap struct {
	eventType string
	from, to  time.Time
	fileID    string
	reason    string
}

// lost reports whether the gap tells of files that are gone.
func (g gap) lost() bool { return g.reason != "unreadable_entry" && g.reason != "ties" }

// model is what should happen, held against what does. The world's lock guards
// it. It is told of the files before the run, of every acceptance, drop and
// commit, and of the end of every receiver; it collects violations.
type model struct {
	now   func() time.Time
	files map[string]*file
	// floors of the streams that exist, by event type.
	floors map[string]time.Time
	// asked is when a receiver was first asked for a type. behind is how far the clock
	// was behind, at most, that fixed its floor: what expires then is noticed that much
	// too late, since a constant difference of the clocks says nothing.
	asked  map[string]time.Time
	behind map[string]time.Duration
	// until is the upper bound, zero for none. What appears after closes may be
	// left out: the stream may have ended.
	until, closes time.Time
	// dedup is whether duplicates may be left out; window, if not 0, is how far
	// back they must be.
	dedup  bool
	window time.Duration

	// unnamed are the types of which an entry has no usable id for a time. pageLimit is how
	// many entries a page lists, shortPages are the types of which a page may list fewer
	// times and yet say that there are more.
	unnamed, shortPages map[string]bool
	pageLimit           int
	gaps                []gap
	suspected           []gap // that the clocks have not decided yet
	violations          []string
	// sums of lines: doubled without a crash, come again after one, lost.
	doubled, repeated, lost int
	// uncommitted lines of each stream: accepted, and the position not yet
	// stored. unstored is set when storing it has failed at least once.
	uncommitted map[string][]*line
	unstored    map[string]bool
	pending     map[string][]*line // as uncommitted, dropped ones included
	open        map[string]bool    // streams that are inside a file
	// probe is set while a single record is accepted: it may come before its turn.
	probe       bool
	known       map[string]map[string]event
	newest      map[string]time.Time // greatest end_time fetched
	copies      map[string]int       // acceptances by event type, drops by file, and id and text
	conflicts   map[string]bool      // ids that exist with several texts
	texts       map[string]string
	pendingEnd  map[string]time.Time
	pendingFile map[string]string
}

func newModel(now func() time.Time) *model {
	return &model{
		now: now, files: map[string]*file{}, floors: map[string]time.Time{},
		asked: map[string]time.Time{}, behind: map[string]time.Duration{}, unnamed: map[string]bool{}, shortPages: map[string]bool{},
		uncommitted: map[string][]*line{}, unstored: map[string]bool{}, pending: map[string][]*line{}, open: map[string]bool{},
		known: map[string]map[string]event{}, newest: map[string]time.Time{}, copies: map[string]int{},
		conflicts: map[string]bool{}, texts: map[string]string{}, pendingEnd: map[string]time.Time{}, pendingFile: map[string]string{},
	}
}

// add tells the model of a file.
func (m *model) add(f *fakeapi.File) *file {
	added := &file{File: f, variants: map[string]*variant{}}
	m.files[f.ID] = added
	v := added.expect(f.Content)
	for _, l := range v.lines {
		if l.id == "" {
			continue
		}
		key := f.EventType + "\n" + l.id
		if text, ok := m.texts[key]; ok && text != l.text {
			m.conflicts[key] = true
		}
		m.texts[key] = l.text
	}
	return added
}

// violate notes what is wrong, and the history of the file it is about.
func (m *model) violate(f *file, format string, args ...any) {
	text := fmt.Sprintf(format, args...)
	if f != nil {
		text = fmt.Sprintf("%s: file %s of %s, end_time %s, visible from %s: %s\n    %s", text, f.ID, f.EventType,
			f.EndTime.Format(time.RFC3339Nano), f.VisibleFrom.Format(time.RFC3339Nano), m.shape(f), strings.Join(f.history, "\n    "))
	}
	m.violations = append(m.violations, text)
}

func (m *model) shape(f *file) string {
	var out []string
	for sum, v := range f.variants {
		out = append(out, fmt.Sprintf("%s… %d lines", sum[:8], len(v.lines)))
	}
	if f.odd.name != "" {
		out = append(out, "listed with "+f.odd.name)
	}
	return strings.Join(out, ", ")
}

// note adds to a file's history.
func (m *model) note(f *file, format string, args ...any) {
	f.history = append(f.history, m.now().UTC().Format("02 15:04:05.000 ")+fmt.Sprintf(format, args...))
}

// accept is told of a batch that the next consumer took (or, with dropped, has
// refused for good) before the receiver learns of it.
func (m *model) accept(life int, eventType string, batch []delivery, dropped bool) {
	if len(batch) == 0 {
		m.violate(nil, "an empty batch for %s", eventType)
		return
	}
	if d := batch[0]; !d.gapTo.IsZero() {
		m.gaps = append(m.gaps, gap{eventType, d.gapFrom, d.gapTo, d.fileID, d.gapReason})
		return
	}
	var lines []*line
	m.probe = len(batch) == 1
	for _, d := range batch {
		if l := m.acceptOne(eventType, d, dropped); l != nil {
			lines = append(lines, l)
		}
	}
	if f := m.files[batch[0].fileID]; f != nil {
		verb := "accepted"
		if dropped {
			verb = "dropped"
		}
		m.note(f, "receiver %d: %s lines %d to %d (%d)", life, verb, batch[0].line, batch[len(batch)-1].line, len(batch))
		m.pendingFile[eventType] = f.ID
		if m.pendingEnd[eventType] = f.EndTime; f.odd.oddEnd {
			m.pendingEnd[eventType] = time.Time{}
		}
		if v := f.variants[batch[0].sha256]; v != nil {
			m.open[eventType] = batch[len(batch)-1].line < v.last
		}
	}
	if len(lines) == 1 && lines[0].aside { // what was set aside of a file counts as one batch
		lines = append(lines, m.uncommitted[eventType]...)
	}
	m.pending[eventType] = lines
	m.unstored[eventType] = false
	if !dropped {
		m.uncommitted[eventType] = lines
	}
}

// refuse is told of a batch that the next consumer refuses for good.
func (m *model) refuse(life int, eventType string, batch []delivery, policy string) {
	if d := batch[0]; policy == "drop" || !d.gapTo.IsZero() { // the log tells of a gap too
		m.accept(life, eventType, batch, true)
		return
	}
	for _, d := range batch {
		if f := m.files[d.fileID]; policy == "quarantine" && f != nil && f.variants[d.sha256] != nil {
			if l := f.variants[d.sha256].lines[d.line]; l != nil {
				l.aside = true
			}
		}
	}
}

func (m *model) acceptOne(eventType string, d delivery, dropped bool) *line {
	f := m.files[d.fileID]
	if f == nil || f.EventType != eventType {
		m.violate(nil, "alien: record %q of %s, file %q line %d, body %q", d.uid, eventType, d.fileID, d.line, d.body)
		return nil
	}
	v := f.variants[d.sha256]
	if v == nil || v.lines[d.line] == nil {
		m.violate(f, "alien: line %d with digest %s does not exist", d.line, d.sha256)
		return nil
	}
	l := v.lines[d.line]
	if l.text != d.body || d.uid != cmp.Or(l.id, fmt.Sprintf("%s:%d", d.fileID, d.line)) {
		m.violate(f, "alien: line %d is %q as %q, should be %q", d.line, d.body, d.uid, l.text)
	}
	if d.isUnverified != (d.sha256 != f.SHA256) && !f.odd.unmarked {
		m.violate(f, "line %d: unverified is %v, the listing's digest is %s", d.line, d.isUnverified, f.SHA256)
	}
	floor, ok := m.floors[eventType]
	atFloor := f.odd.oddEnd && f.EndTime.Equal(floor) // nobody can tell
	if !ok || !f.EndTime.After(floor) && !atFloor {
		m.violate(f, "line %d lies below the floor %s", d.line, floor)
	}
	if !m.until.IsZero() && f.EndTime.After(m.until) {
		m.violate(f, "line %d lies above the bound %s", d.line, m.until)
	}
	if dropped {
		l.dropped++
		m.copies[f.ID+"\n"+l.id+"\n"+l.text]++
		return l
	}
	m.once(f, v, l)
	return l
}

// once checks that a line does not come twice, not out of order and not as a
// duplicate of another.
func (m *model) once(f *file, v *variant, l *line) {
	switch {
	case l.accepted > 0 && !l.again:
		m.doubled++
		m.violate(f, "doubled: line %d came again", l.number)
	case l.accepted > 0:
		l.again = false
		m.repeated++
	case l.number < v.at && !l.aside && m.dedup && m.copies[f.EventType+"\n"+l.id+"\n"+l.text] > 0:
		m.violate(f, "a duplicate that was left out came all the same, with what was set aside: line %d (%s)", l.number, l.id)
	case l.number < v.at && !l.aside:
		m.violate(f, "out of order: line %d after %d", l.number, v.at)
	default:
		m.checkDuplicate(f, l)
	}
	if !l.aside && !m.probe {
		v.at = l.number
	}
	l.accepted++
	if l.id != "" {
		m.copies[f.EventType+"\n"+l.id+"\n"+l.text]++
	}
}

// checkDuplicate finds records that deduplication should have left out.
func (m *model) checkDuplicate(f *file, l *line) {
	before, ok := m.known[f.EventType][l.id]
	if l.id == "" || m.window == 0 || f.odd.oddEnd || !ok || before.text != l.text || m.conflicts[f.EventType+"\n"+l.id] {
		return
	}
	end := f.EndTime
	if newest := m.newest[f.EventType]; newest.After(end) {
		end = newest
	}
	if age := end.Sub(before.end); age < m.window {
		m.violate(f, "duplicate within the window: line %d (%s) was delivered with file time %s, %v before the newest, window %v",
			l.number, l.id, before.end, age, m.window)
	}
}

// fetched is told of every download: it may be the newest file that makes the
// receiver forget events.
func (m *model) fetched(id string) {
	f := m.files[id]
	if f == nil {
		return
	}
	end := f.EndTime
	if f.odd.oddEnd { // the time now stands in for it
		end = m.now()
	}
	if end.After(m.newest[f.EventType]) {
		m.newest[f.EventType] = end
	}
}

// stored is told when the position of a stream has been written.
func (m *model) stored(eventType string) {
	if end := m.pendingEnd[eventType]; len(m.pending[eventType]) > 0 && !end.IsZero() {
		if m.known[eventType] == nil {
			m.known[eventType] = map[string]event{}
		}
		for _, l := range m.uncommitted[eventType] {
			if l.id != "" {
				m.known[eventType][l.id] = event{l.text, end}
			}
		}
	}
	delete(m.pending, eventType)
	delete(m.uncommitted, eventType)
	delete(m.unstored, eventType)
}

// storeFailed is told when writing it has failed.
func (m *model) storeFailed(eventType string) { m.unstored[eventType] = true }

// ended is told when a receiver has ended, and says how many streams lost a
// commit and how many stopped inside a file.
func (m *model) ended(crashed bool) (between, inside int) {
	for eventType, lines := range m.uncommitted {
		if !crashed && !m.unstored[eventType] && len(lines) > 0 {
			m.violate(nil, "shutdown: %d lines of %s were accepted and not committed", len(lines), eventType)
		}
		for _, l := range lines {
			l.again = true
		}
		between++
	}
	for _, open := range m.open {
		if open {
			inside++
		}
	}
	clear(m.pending)
	clear(m.uncommitted)
	clear(m.unstored)
	return between, inside
}
