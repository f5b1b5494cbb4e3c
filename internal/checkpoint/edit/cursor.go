// Copyright The OpenTelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package edit

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/openaicompliance/openaicompliancereceiver/internal/checkpoint"
)

// retention is how long the API keeps a file.
const retention = 30 * 24 * time.Hour

// Options of SetCursor. Skip loses records and Redeliver repeats them, so the operator
// confirms each.
type Options struct {
	// Skip permits a time that is later than a cursor: what is between is never collected.
	Skip bool
	// Redeliver forgets what was delivered after the time.
	Redeliver bool
	// Now is the time by the clock of this machine.
	Now time.Time
}

// Stretch is the file time (From, To].
type Stretch struct {
	From time.Time `json:"from"`
	To   time.Time `json:"to"`
}

// Move reports what SetCursor has done.
type Move struct {
	// Skipped are the stretches that will not be collected, Discarded the open files in
	// them.
	Skipped   []Stretch
	Discarded []string
	// Files and Events are the numbers of completed files and seen events that are
	// forgotten.
	Files, Events int
}

// Reasons why a cursor is not set.
var (
	ErrSkips      = errors.New("the time is later than the cursor")
	errRedeliver  = errors.New("nothing can be redelivered: the time is later than the cursor")
	errNotStarted = errors.New("the stream has not started: it has no cursor yet")
)

// SetCursor lets a stream list everything after a time again. What is not completed of it
// is delivered, also before the first start of the stream. A time later than a cursor lets
// the stream begin at this time. Nothing changes on error; with ErrSkips the Move says
// what would be skipped.
func SetCursor(s *checkpoint.Snapshot, at time.Time, o Options) (*Move, error) {
	at = at.UTC().Truncate(time.Microsecond)
	text := at.Format(time.RFC3339Nano)
	switch {
	case s.Bounds == nil || len(s.Segments) == 0:
		return nil, errNotStarted
	case at.After(o.Now):
		return nil, fmt.Errorf("%s is in the future; files until then would be skipped", text)
	case !s.Bounds.Until.IsZero() && !at.Before(s.Bounds.Until):
		return nil, fmt.Errorf("%s is not earlier than until, %s: nothing would be left to collect", text, s.Bounds.Until.Format(time.RFC3339Nano))
	}
	move := &Move{Skipped: skippedBy(s, at)}
	if len(move.Skipped) > 0 {
		return move, moveForward(s, at, o, move)
	}
	if at.Before(o.Now.Add(-retention)) {
		return nil, fmt.Errorf("%s is more than 30 days ago; the API serves nothing of that time", text)
	}
	moveBack(s, at, o, move)
	return move, nil
}

// skippedBy returns the stretches between the cursors and a time.
func skippedBy(s *checkpoint.Snapshot, at time.Time) (stretches []Stretch) {
	for i, seg := range s.Segments {
		to := at
		if i+1 < len(s.Segments) && s.Segments[i+1].From.Before(at) {
			to = s.Segments[i+1].From
		}
		if to.After(seg.Cursor) {
			stretches = append(stretches, Stretch{seg.Cursor, to})
		}
	}
	return stretches
}

// moveForward lets the stream begin at a time. That is the floor and not only the cursor:
// what is listed after the floor is delivered, wherever the cursor is. The retry queue
// stays, since it does not need the listing.
func moveForward(s *checkpoint.Snapshot, at time.Time, o Options, move *Move) error {
	for _, f := range s.Open {
		if !f.Implausible && !f.File.EndTime.After(at) {
			move.Discarded = append(move.Discarded, f.File.ID)
		}
	}
	switch {
	case o.Redeliver:
		return errRedeliver
	case !o.Skip:
		return ErrSkips
	}
	s.Open = slices.DeleteFunc(slices.Clone(s.Open), func(f checkpoint.QueuedFile) bool { return slices.Contains(move.Discarded, f.File.ID) })
	s.Segments = slices.Clone(s.Segments[segmentAt(s, at):])
	first := &s.Segments[0]
	// Gaps are measured from listed_through; what is skipped is none.
	if first.ListedThrough.Before(at) {
		first.ListedThrough, first.Checked = at, checkpoint.Reading{}
	}
	first.Suspected = nil
	first.Cursor, first.ListBase = at, at
	setFloor(s, at)
	return nil
}

// moveBack lets everything after a time be listed again.
func moveBack(s *checkpoint.Snapshot, at time.Time, o Options, move *Move) {
	s.Ended = false
	s.Segments = slices.Clone(s.Segments)
	if at.Before(s.Segments[0].From) {
		setFloor(s, at)
	}
	i := segmentAt(s, at)
	for n := range s.Segments[i:] {
		seg := &s.Segments[i+n]
		seg.Cursor = seg.From
		if n == 0 {
			seg.Cursor = at
		}
		seg.ListBase = seg.Cursor
		if o.Redeliver { // as if nothing were listed yet
			seg.ListedThrough, seg.Checked = time.Time{}, checkpoint.Reading{}
		}
	}
	if o.Redeliver {
		redeliver(s, at, move)
	}
}

// redeliver forgets what is known of the files after a time. Lines of them in the retry
// queue are delivered with their files; files that are queued whole begin at line 1.
func redeliver(s *checkpoint.Snapshot, at time.Time, move *Move) {
	move.Files, move.Events = s.ForgetCompleted(at)
	again := func(f checkpoint.QueuedFile) bool { return !f.Implausible && f.File.EndTime.After(at) }
	s.Open = slices.DeleteFunc(slices.Clone(s.Open), again)
	s.Queue = slices.DeleteFunc(slices.Clone(s.Queue), func(f checkpoint.QueuedFile) bool { return f.NextLine == 0 && again(f) })
	for i := range s.Queue {
		if f := &s.Queue[i]; again(*f) {
			f.NextLine, f.SHA256, f.Ahead, f.Lines = 1, "", nil, nil
		}
	}
}

// setFloor lets the stream begin at a time.
func setFloor(s *checkpoint.Snapshot, at time.Time) {
	bounds := *s.Bounds
	bounds.Floor = at
	s.Bounds, s.Segments[0].From = &bounds, at
}

// segmentAt is the index of the segment that begins at or before a time, 0 for an earlier
// time.
func segmentAt(s *checkpoint.Snapshot, at time.Time) int {
	i := len(s.Segments) - 1
	for i > 0 && at.Before(s.Segments[i].From) {
		i--
	}
	return i
}
