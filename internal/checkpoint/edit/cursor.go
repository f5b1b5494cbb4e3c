// Copyright The OpenTelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package edit

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/openaicompliance/openaicompliancereceiver/internal/checkpoint"
)

// retention is how long the API serves a file.
const retention = 30 * 24 * time.Hour

// Options of SetCursor. Neither is taken for granted: one loses records, the other
// doubles them.
type Options struct {
	// Skip permits a time ahead of the position: what lies between is never
	// collected.
	Skip bool
	// DeliverAgain forgets what was delivered after the time.
	DeliverAgain bool
	// Now is the time by the clock of this machine.
	Now time.Time
}

// Stretch of file time, from From (which it leaves out) up to and with To.
type Stretch struct {
	From time.Time `json:"from"`
	To   time.Time `json:"to"`
}

// Move says what SetCursor has done.
type Move struct {
	// Skipped are the stretches that will not be collected, GivenUp the files in
	// them that are in quarantine or delivered in part.
	Skipped []Stretch
	GivenUp []string
	// Forgotten files and events of them come again.
	Files, Events int
}

// Reasons why a cursor is not set.
var (
	ErrSkips = errors.New("the time lies ahead of what is collected")
	errAgain = errors.New("there is nothing to deliver again after a time ahead of the position")
)

// SetCursor makes a stream go on from a time: everything after it is listed again,
// and what the ledger does not know of it is delivered. A time ahead of the
// position begins the stream anew there. Nothing changes on error; with ErrSkips
// the Move says what would be skipped.
func SetCursor(s *checkpoint.Snapshot, at time.Time, o Options) (*Move, error) {
	at = at.UTC().Truncate(time.Microsecond)
	first := s.Segments[0]
	switch {
	case at.After(o.Now):
		return nil, fmt.Errorf("%s lies in the future; files that come until then would be skipped", at.Format(time.RFC3339Nano))
	case at.Before(first.From):
		return nil, fmt.Errorf("%s lies below %s, where this stream begins, and the ledger does not tell what was delivered there; collect it with replay",
			at.Format(time.RFC3339Nano), first.From.Format(time.RFC3339Nano))
	case !s.Until.IsZero() && !at.Before(s.Until):
		return nil, fmt.Errorf("%s is not below until, %s: nothing would be left to collect", at.Format(time.RFC3339Nano), s.Until.Format(time.RFC3339Nano))
	}
	move := &Move{Skipped: skipped(s, at)}
	if len(move.Skipped) > 0 {
		return forward(s, at, o, move)
	}
	if at.Before(o.Now.Add(-retention)) {
		return nil, fmt.Errorf("%s is more than 30 days ago; the API serves nothing of that time", at.Format(time.RFC3339Nano))
	}
	back(s, at, o, move)
	return move, nil
}

// skipped are the stretches between the cursors and a time.
func skipped(s *checkpoint.Snapshot, at time.Time) (stretches []Stretch) {
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

// forward begins the stream anew at a time. It must be the segment's begin and not
// only its cursor: every start lists three days back.
func forward(s *checkpoint.Snapshot, at time.Time, o Options, move *Move) (*Move, error) {
	for _, id := range unfinished(s) {
		if !endOf(s, id).After(at) {
			move.GivenUp = append(move.GivenUp, id)
		}
	}
	switch {
	case o.DeliverAgain:
		return nil, errAgain
	case !o.Skip:
		return move, ErrSkips
	}
	for _, id := range move.GivenUp {
		delete(s.Quarantine, id)
		delete(s.Open, id)
	}
	i := holding(s, at)
	s.Segments = slices.Clone(s.Segments[i:])
	seg := &s.Segments[0]
	seg.From, seg.Cursor = at, at
	if seg.ListedThrough.Before(at) {
		seg.ListedThrough = at
	}
	return move, nil
}

// back lets everything after a time be listed again.
func back(s *checkpoint.Snapshot, at time.Time, o Options, move *Move) {
	s.Ended = false
	s.Segments = slices.Clone(s.Segments)
	i := holding(s, at)
	for n := range s.Segments[i:] {
		seg := &s.Segments[i+n]
		if n > 0 {
			seg.Cursor = seg.From
		} else {
			seg.Cursor = at
		}
		if o.DeliverAgain { // as if these files had never been listed
			seg.ListedThrough = time.Time{}
		}
	}
	if !o.DeliverAgain {
		return
	}
	move.Files, move.Events = s.ForgetDone(at)
	maps.DeleteFunc(s.Open, func(_ string, open checkpoint.OpenFile) bool { return open.EndTime.After(at) })
	s.Refused = slices.DeleteFunc(s.Refused, func(run checkpoint.Refused) bool { return run.EndTime.After(at) })
}

// holding is the index of the segment that a time belongs to.
func holding(s *checkpoint.Snapshot, at time.Time) int {
	i := len(s.Segments) - 1
	for i > 0 && at.Before(s.Segments[i].From) {
		i--
	}
	return i
}

// unfinished files, in quarantine or delivered in part, in order.
func unfinished(s *checkpoint.Snapshot) []string {
	ids := slices.AppendSeq(slices.Collect(maps.Keys(s.Quarantine)), maps.Keys(s.Open))
	slices.Sort(ids)
	return slices.Compact(ids)
}

func endOf(s *checkpoint.Snapshot, id string) time.Time {
	if entry, ok := s.Quarantine[id]; ok {
		return entry.EndTime
	}
	return s.Open[id].EndTime
}
