// Copyright The OpenTelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package checkpoint

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"
)

// Part names a segment of a stream that is worked on: the last one, which new files
// belong to, or the first one while there are several.
type Part int

// The parts. A stream with bounds always has Live.
const (
	Live Part = iota
	History
)

// Reading is both clocks at one moment. Server is zero when unknown.
type Reading struct {
	Server time.Time `json:"server,omitzero"`
	Local  time.Time `json:"local,omitzero"`
}

func (r Reading) wholeMicros() Reading { return Reading{wholeMicros(r.Server), wholeMicros(r.Local)} }

// SuspectedGap is file time that may be a data gap: one clock alone says so.
type SuspectedGap struct {
	// Part it was found in. It is not stored: a segment holds its own gaps.
	Part Part      `json:"-"`
	From time.Time `json:"from"`
	To   time.Time `json:"to"`
	// Checked are the clocks that were stored with the listed_through before it, Since
	// those when it was suspected first.
	Checked Reading `json:"checked"`
	Since   Reading `json:"since"`
}

// StoredSegment is a segment as it is stored. Segments adjoin, oldest first: every file
// after the floor belongs to exactly one.
type StoredSegment struct {
	From          time.Time      `json:"from"`
	Cursor        time.Time      `json:"cursor"`
	ListedThrough time.Time      `json:"listed_through,omitzero"`
	ListBase      time.Time      `json:"list_base"`
	Checked       Reading        `json:"checked,omitzero"`
	Suspected     []SuspectedGap `json:"suspected,omitempty"`
}

// Segment is the file time (From, To] of a stream with its own cursor.
type Segment struct {
	From time.Time
	// To is zero for a segment that is open to the future.
	To time.Time
	// Cursor is the end_time up to which every listed file is completed or queued.
	Cursor time.Time
	// ListedThrough is the time now when the last complete poll began; zero before the
	// first one. Gaps and lag are measured from it.
	ListedThrough time.Time
	// ListBase is the cursor as it stood when the last complete poll began; From before
	// the first one.
	ListBase time.Time
	// Checked are the clocks that were stored with ListedThrough.
	Checked Reading
}

// Contains reports whether a file with this end_time belongs to the segment.
func (g Segment) Contains(end time.Time) bool {
	return end.After(g.From) && (g.To.IsZero() || !end.After(g.To))
}

// known is the time through which the segment is listed or completed.
func (g Segment) known() time.Time { return latest(g.From, g.Cursor, g.ListedThrough) }

func latest(times ...time.Time) time.Time { return slices.MaxFunc(times, time.Time.Compare) }

func earlier(a, b time.Time) time.Time {
	if a.Before(b) {
		return a
	}
	return b
}

func newSegment(from time.Time) StoredSegment {
	return StoredSegment{From: from, Cursor: from, ListBase: from}
}

func firstSegments(b Bounds) []StoredSegment {
	segments := []StoredSegment{newSegment(b.Floor)}
	if b.LiveFrom.After(b.Floor) && (b.Until.IsZero() || b.LiveFrom.Before(b.Until)) {
		segments = append(segments, newSegment(b.LiveFrom))
	}
	return segments
}

// segments returns all of them, oldest first, each with its end.
func (s *state) segments() []Segment {
	segments := make([]Segment, len(s.Segments))
	for i, stored := range s.Segments {
		to := s.Bounds.Until
		if i+1 < len(s.Segments) {
			to = s.Segments[i+1].From
		}
		segments[i] = Segment{stored.From, to, stored.Cursor, stored.ListedThrough, stored.ListBase, stored.Checked}
	}
	return segments
}

// index of a part; -1 when the stream has no such part.
func (s *state) index(p Part) int {
	switch {
	case p == Live:
		return len(s.Segments) - 1
	case len(s.Segments) > 1:
		return 0
	}
	return -1
}

// Segments of the stream, oldest first. All but the last are history. There are none
// before FixBounds.
func (s *Stream) Segments() []Segment { return s.current().segments() }

// Segment returns a part; ok is false when the stream has no such part.
func (s *Stream) Segment(p Part) (seg Segment, ok bool) {
	now := s.current()
	i := now.index(p)
	if i < 0 {
		return Segment{}, false
	}
	return now.segments()[i], true
}

// Ended reports whether the stream is collected up to Until.
func (s *Stream) Ended() bool { return s.current().Ended }

// HasPendingWork reports whether there is anything to do but to list the live segment:
// history, an open file, or anything queued.
func (s *Stream) HasPendingWork() bool {
	now := s.current()
	return len(now.Segments) > 1 || len(now.Open)+len(now.Queue) > 0
}

// changeSegment commits a change to a part. A part that is gone has nothing to change.
func (s *Stream) changeSegment(ctx context.Context, p Part, change func(stored *StoredSegment, seg Segment) error) error {
	return s.commit(ctx, func(d *draft) error {
		i := d.index(p)
		if i < 0 {
			return errNoChange
		}
		d.Segments = slices.Clone(d.Segments)
		return change(&d.Segments[i], d.segments()[i])
	})
}

// PollComplete stores that a poll has listed all of a part. through is the time now when
// the poll began, and base the cursor at that time. listed_through never moves back.
func (s *Stream) PollComplete(ctx context.Context, p Part, through, base time.Time, clocks Reading) error {
	return s.changeSegment(ctx, p, func(stored *StoredSegment, seg Segment) error {
		stored.ListedThrough = latest(stored.ListedThrough, wholeMicros(through))
		stored.ListBase = latest(seg.From, earlier(wholeMicros(base), seg.Cursor))
		stored.Checked = clocks.wholeMicros()
		return nil
	})
}

// PassGap stores that a data gap up to through was reported: cursor and listed_through
// pass it, within the part. Neither moves back.
func (s *Stream) PassGap(ctx context.Context, p Part, through time.Time, clocks Reading) error {
	return s.changeSegment(ctx, p, func(stored *StoredSegment, seg Segment) error {
		through = wholeMicros(through)
		stored.ListedThrough = latest(stored.ListedThrough, through)
		if !seg.To.IsZero() {
			through = earlier(through, seg.To)
		}
		stored.Cursor = latest(stored.Cursor, through)
		stored.Checked = clocks.wholeMicros()
		return nil
	})
}

// SetSuspected adds a suspected gap of a part, or replaces the one with the same From.
// The commit lets listed_through pass the gap; the cursor moves with files only. nil
// removes all suspected gaps of the part.
func (s *Stream) SetSuspected(ctx context.Context, p Part, gap *SuspectedGap) error {
	return s.changeSegment(ctx, p, func(stored *StoredSegment, _ Segment) error {
		if gap == nil {
			if len(stored.Suspected) == 0 {
				return errNoChange
			}
			stored.Suspected = nil
			return nil
		}
		added := SuspectedGap{
			From: wholeMicros(gap.From), To: wholeMicros(gap.To), Checked: gap.Checked.wholeMicros(), Since: gap.Since.wholeMicros(),
		}
		gaps := slices.DeleteFunc(slices.Clone(stored.Suspected), func(g SuspectedGap) bool { return g.From.Equal(added.From) })
		gaps = append(gaps, added)
		stored.Suspected = gaps
		stored.ListedThrough = latest(stored.ListedThrough, added.To)
		stored.Checked = added.Since
		return nil
	})
}

// WithdrawSuspected removes the suspected gaps of a part that one clock alone made, and
// sets listed_through back to where it was before them, with the clocks of that time.
func (s *Stream) WithdrawSuspected(ctx context.Context, p Part) error {
	return s.changeSegment(ctx, p, func(stored *StoredSegment, _ Segment) error {
		if len(stored.Suspected) == 0 {
			return errNoChange
		}
		for _, gap := range stored.Suspected {
			if gap.From.Before(stored.ListedThrough) {
				stored.ListedThrough, stored.Checked = gap.From, gap.Checked
			}
		}
		stored.Suspected = nil
		return nil
	})
}

// Suspected returns the suspected gaps of all segments, oldest segment first.
func (s *Stream) Suspected() []SuspectedGap {
	var gaps []SuspectedGap
	segments := s.current().Segments
	for i, seg := range segments {
		for _, gap := range seg.Suspected {
			gap.Part = History
			if i == len(segments)-1 {
				gap.Part = Live
			}
			gaps = append(gaps, gap)
		}
	}
	return gaps
}

// Correct sets back a cursor and a listed_through that are later than both clocks. Zero
// leaves one as it is, and neither moves forward. The list base is not later than the
// cursor.
func (s *Stream) Correct(ctx context.Context, p Part, cursor, listedThrough time.Time) error {
	return s.changeSegment(ctx, p, func(stored *StoredSegment, seg Segment) error {
		if !cursor.IsZero() {
			stored.Cursor = latest(seg.From, earlier(stored.Cursor, wholeMicros(cursor)))
			stored.ListBase = earlier(stored.ListBase, stored.Cursor)
		}
		if !listedThrough.IsZero() {
			stored.ListedThrough = earlier(stored.ListedThrough, wholeMicros(listedThrough))
		}
		return nil
	})
}

var errSplit = errors.New("the time is listed already, or after until")

// Split ends the live segment at a time that it has not reached, and begins a new one
// there. What is before the time becomes history.
func (s *Stream) Split(ctx context.Context, at time.Time) error {
	at = wholeMicros(at)
	return s.commit(ctx, func(d *draft) error {
		if d.Bounds == nil {
			return fmt.Errorf("split %q: %w", s.key, errBoundsNotSet)
		}
		live := d.segments()[d.index(Live)]
		if !at.After(live.known()) || !live.To.IsZero() && !at.Before(live.To) {
			return fmt.Errorf("split %q at %s: %w", s.key, at.Format(time.RFC3339Nano), errSplit)
		}
		d.Segments = append(slices.Clip(d.Segments), newSegment(at))
		return nil
	})
}

// End ends a part that is collected. History becomes one with the next segment, which
// then begins where history did and keeps its own cursor. The end of Live ends the
// stream.
func (s *Stream) End(ctx context.Context, p Part) error {
	return s.commit(ctx, func(d *draft) error {
		switch i := d.index(p); {
		case i < 0 || p == Live && d.Ended:
			return errNoChange
		case p == Live:
			d.Ended = true
		default:
			ended, next := d.Segments[i], d.Segments[i+1]
			next.From = ended.From
			next.Suspected = slices.Concat(ended.Suspected, next.Suspected)
			d.Segments = slices.Replace(slices.Clone(d.Segments), i, i+2, next)
		}
		return nil
	})
}

// advanceCursor moves the cursor of the file's segment to its end_time, never back.
func (d *draft) advanceCursor(end time.Time) {
	i := len(d.Segments) - 1
	for i > 0 && !end.After(d.Segments[i].From) {
		i--
	}
	if end.After(d.Segments[i].Cursor) {
		d.Segments = slices.Clone(d.Segments)
		d.Segments[i].Cursor = end
	}
}
