// Copyright The OpenTelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package checkpoint

import (
	"context"
	"errors"
	"slices"
	"time"
)

// Part names a segment of a stream that is worked on: the last one, which new
// files go to, or the first one while there are several.
type Part int

// The parts. A stream always has Live.
const (
	Live Part = iota
	History
)

// segment is a stretch of file time, from its From (which it leaves out) up to
// the From of the next one, with a position of its own. Segments lie side by side,
// oldest first: every file above the floor belongs to exactly one.
type segment struct {
	From time.Time `json:"from"`
	// Cursor is the end_time up to which every listed file is done or set aside.
	Cursor time.Time `json:"cursor"`
	// ListedThrough is the server's clock at the begin of the last pass that
	// listed all of the segment; zero before the first.
	ListedThrough time.Time `json:"listed_through"`
}

// Segment describes one part of a stream: the files after From, up to and with To.
type Segment struct {
	From time.Time
	// To is zero where the segment is open to the future.
	To            time.Time
	Cursor        time.Time
	ListedThrough time.Time
}

// Holds reports whether a file with this end_time belongs to the segment.
func (g Segment) Holds(end time.Time) bool {
	return end.After(g.From) && (g.To.IsZero() || !end.After(g.To))
}

// Known is the time through which nothing of the segment is left to be found but
// what appears late: its complete passes have listed it, or its files are done.
func (g Segment) Known() time.Time {
	known := g.From
	for _, at := range []time.Time{g.Cursor, g.ListedThrough} {
		if at.After(known) {
			known = at
		}
	}
	return known
}

// segments returns all of them, oldest first.
func (s *state) segments() []Segment {
	out := make([]Segment, len(s.Segments))
	for i, seg := range s.Segments {
		out[i] = Segment{seg.From, s.Until, seg.Cursor, seg.ListedThrough}
		if i+1 < len(s.Segments) {
			out[i].To = s.Segments[i+1].From
		}
	}
	return out
}

// index of a part; -1 where the stream has no such part.
func (s *state) index(part Part) int {
	if part == Live {
		return len(s.Segments) - 1
	}
	if len(s.Segments) > 1 {
		return 0
	}
	return -1
}

// holding returns the segment that a file with this end_time belongs to. One at or
// below the floor, which no caller asks for, is taken to belong to the first.
func (s *state) holding(end time.Time) *segment {
	i := len(s.Segments) - 1
	for i > 0 && !end.After(s.Segments[i].From) {
		i--
	}
	return &s.Segments[i]
}

// Segments of the stream, oldest first. They adjoin; all but the last are history.
func (s *Stream) Segments() []Segment { return s.state.segments() }

// Segment returns a part of the stream; ok is false where there is no such part.
func (s *Stream) Segment(part Part) (seg Segment, ok bool) {
	i := s.state.index(part)
	if i < 0 {
		return Segment{}, false
	}
	return s.state.segments()[i], true
}

var errBoundary = errors.New("checkpoint: a stream is split only where nothing is done yet")

// Split cuts the live segment in two at a time that it has not reached: what lies
// before becomes history with the position so far, and live begins there.
func (s *Stream) Split(ctx context.Context, at time.Time) error {
	live, _ := s.Segment(Live)
	if !at.After(live.Known()) || (!live.To.IsZero() && !at.Before(live.To)) {
		return errBoundary
	}
	next := s.state.clone()
	next.Segments = append(next.Segments, segment{From: at.UTC(), Cursor: at.UTC()})
	return s.store(ctx, next)
}

// End closes a part that is complete. History becomes one with the segment above
// it, whose deep listings then reach down into it; the live segment of a stream
// with an upper bound ends the stream.
func (s *Stream) End(ctx context.Context, part Part) error {
	next := s.state.clone()
	switch i := next.index(part); {
	case i < 0:
		return nil
	case part == Live:
		next.Ended = true
	default:
		next.Segments[i+1].From = next.Segments[i].From
		next.Segments = slices.Delete(next.Segments, i, i+1)
	}
	return s.store(ctx, next)
}

// Ended reports whether the stream has reached its upper bound.
func (s *Stream) Ended() bool { return s.state.Ended }

// Unfinished reports whether anything is left to do besides the files that live
// will find: history, a file delivered in part, or what is set aside.
func (s *Stream) Unfinished() bool {
	return len(s.state.Segments) > 1 || len(s.state.Open)+len(s.state.Quarantine)+len(s.state.Refused) > 0
}

// Until is the upper bound in file time, zero for none, and the text it was made
// of.
func (s *Stream) Until() (at time.Time, text string) { return s.state.Until, s.state.UntilText }

// SetListedThrough stores that a part has been listed up to the given time, or
// that what lies before it has been reported as a gap. It moves no position and
// never goes back.
func (s *Stream) SetListedThrough(ctx context.Context, part Part, at time.Time) error {
	i := s.state.index(part)
	if i < 0 || !at.After(s.state.Segments[i].ListedThrough) {
		return nil
	}
	next := s.state.clone()
	next.Segments[i].ListedThrough = at.UTC()
	return s.store(ctx, next)
}

// ListFrom is the time after which a part is to be listed, at least back behind
// its position: the overlap, or more where the caller asks for it. The position is
// where its last complete pass began if that is earlier: what appeared late while
// a long pass was under way is not behind it. Unfinished files hold it down, so
// that a smaller overlap in the configuration cannot leave them behind. It never
// lies below the segment.
func (s *Stream) ListFrom(part Part, atLeast time.Duration) time.Time {
	i := s.state.index(part)
	if i < 0 {
		return time.Time{}
	}
	return s.state.listFrom(i, max(s.set.Overlap, atLeast))
}

// lowestUnfinished is the earliest end_time of the segment's files that are set
// aside or delivered in part; ok is false when there are none.
func (s *state) lowestUnfinished(seg Segment) (lowest time.Time, ok bool) {
	lower := func(end time.Time) {
		if seg.Holds(end) && (!ok || end.Before(lowest)) {
			lowest, ok = end, true
		}
	}
	for _, entry := range s.Quarantine {
		lower(entry.EndTime)
	}
	for _, open := range s.Open {
		lower(open.EndTime)
	}
	return lowest, ok
}

// advanceCursor moves the cursor of the file's segment to its end. A cursor never
// moves back.
func (s *state) advanceCursor(end time.Time) {
	if seg := s.holding(end); end.After(seg.Cursor) {
		seg.Cursor = end
	}
}

// listFrom is the time after which the files of a segment are to be listed. It is
// at least a tick behind the position: another file may share its end_time.
func (s *state) listFrom(i int, overlap time.Duration) time.Time {
	seg := s.segments()[i]
	position := seg.Cursor
	if !seg.ListedThrough.IsZero() && seg.ListedThrough.Before(position) {
		position = seg.ListedThrough
	}
	from := position.Add(-max(overlap, tick))
	if lowest, ok := s.lowestUnfinished(seg); ok && lowest.Add(-tick).Before(from) {
		from = lowest.Add(-tick)
	}
	if from.Before(seg.From) {
		from = seg.From
	}
	return from
}

// lowestListed is the time after which any segment may be listed, a span back.
func (s *state) lowestListed(back time.Duration) time.Time {
	lowest := s.listFrom(0, back)
	for i := range s.Segments[1:] {
		if from := s.listFrom(i+1, back); from.Before(lowest) {
			lowest = from
		}
	}
	return lowest
}
