// Copyright The OpenTelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package collect

import (
	"time"

	"github.com/openaicompliance/openaicompliancereceiver/internal/checkpoint"
)

// PollKind says how far back a poll lists.
type PollKind int

const (
	// PollRegular lists from the list base less the overlap.
	PollRegular PollKind = iota
	// PollDeep lists the last days, for files that appear later than the overlap
	// foresees.
	PollDeep
	// PollFull lists all of a segment with an upper bound, before it ends.
	PollFull
)

// deepInterval is how often the last deepRange is listed again; the first poll of
// a run does so too. A file that appears latestArrival after its end is found.
const (
	deepInterval  = 24 * time.Hour
	latestArrival = 72 * time.Hour
	deepRange     = latestArrival + deepInterval
)

// LiveReach is how far back live begins: what is older is history. splitSlack more
// than that is not worth a split.
const (
	LiveReach  = 24 * time.Hour
	splitSlack = time.Hour
)

// Poll is one listing cycle over a segment, planned or under way. It is a value.
type Poll struct {
	Kind PollKind
	// At is when it begins, by the local clock.
	At time.Time
	// After is the time after which it lists, in file time.
	After time.Time
	// Usual is the time after which a regular poll lists: a file before it
	// appeared late.
	Usual time.Time
	// Base is the cursor as it stood when the listing began.
	Base time.Time
	// Since is when the listing began: polls that end early and resume each other
	// are one listing.
	Since time.Time
	// Began holds both clocks at the first answer of the listing; zero before.
	Began checkpoint.Reading
	// Delivered is set once a file of the listing has been delivered.
	Delivered bool
	// Correct is set when stored times are later than the clocks as far as they are known.
	Correct bool
}

// begin is the poll as it begins at now, which may be later than planned: the next one
// is planned from here, so that a long poll is not followed by several at once.
func (p Poll) begin(now time.Time) Poll {
	if p.Since.Equal(p.At) { // it resumes no other
		p.Since = now
	}
	p.At = now
	return p
}

// PollResult is how a poll ended.
type PollResult struct {
	Poll  Poll
	Ended time.Time
	// Complete is set when every page was listed to its end and that is stored.
	Complete bool
	// Again is set when the segment changed, and the next poll begins at once.
	Again bool
	// Resume is the time after which the listing resumes, after an early end.
	Resume time.Time
	// LastDeep is when the last complete deep poll began; zero before the first.
	LastDeep time.Time
	// Stuck is the file that ended the poll.
	Stuck StuckFile
}

// StuckFile is a file that ended the poll, as its first one, in so many polls in a row.
// The zero value is none.
type StuckFile struct {
	ID    string
	Polls int
}

// again is the file as it is stuck once more, in the poll after.
func (f StuckFile) again(fileID string) StuckFile {
	if f.ID != fileID {
		f.Polls = 0
	}
	return StuckFile{ID: fileID, Polls: f.Polls + 1}
}

// PlanSettings are what the configuration says about polls.
type PlanSettings struct {
	Overlap time.Duration
	// Next is when the poll after one that began and ended at these times begins.
	Next func(began, ended time.Time) time.Time
	// Part of the stream, and whether it is a replay's.
	Part   checkpoint.Part
	Replay bool
}

// SegmentState is what a plan is made for.
type SegmentState struct {
	checkpoint.Segment
	// OldestOpen is the earliest end_time of its files that are delivered in part;
	// zero without one.
	OldestOpen time.Time
	// Pending is set while the stream has work besides new files.
	Pending bool
	// Now has the monotonic reading: waits are measured by it, and nothing else.
	Now time.Time
}

// PlanPoll decides on the next poll of a segment: how far back it lists and when it
// begins. prev is nil before the first poll of a run.
func PlanPoll(prev *PollResult, seg SegmentState, clocks checkpoint.Reading, set PlanSettings) Poll {
	at := pollTime(prev, seg, set)
	if prev != nil && resumes(prev, seg, set) {
		next := prev.Poll
		next.At, next.After = at, prev.Resume
		return next
	}
	poll := Poll{At: at, Since: at, Base: seg.Cursor, Usual: listAfter(seg, set.Overlap)}
	poll.After = poll.Usual
	switch {
	case tooLate(seg.Segment, clocks):
		poll.Correct = true
		poll.Base = correctedBase(seg.Segment, clocks)
		poll.Usual = notBefore(earlierTime(poll.Base, poll.Usual), seg.From)
		poll.After = poll.Usual
	case closing(seg, set):
		poll.Kind, poll.After = PollFull, listAfter(seg, retention)
	case set.Part == checkpoint.Live && !set.Replay && deepIsDue(prev, at):
		poll.Kind, poll.After = PollDeep, listAfter(seg, deepRange)
	}
	return poll
}

// pollTime is when the next poll begins.
func pollTime(prev *PollResult, seg SegmentState, set PlanSettings) time.Time {
	switch {
	case prev == nil, prev.Again:
		return seg.Now
	case prev.Complete && closing(seg, set) && !waitsForOthers(prev, seg):
		return seg.Now
	}
	return set.Next(prev.Poll.At, prev.Ended)
}

// waitsForOthers reports whether a segment is listed to its end and only waits for
// the rest of the stream.
func waitsForOthers(prev *PollResult, seg SegmentState) bool {
	return prev.Poll.Kind == PollFull && !prev.Poll.Delivered && seg.Pending
}

// resumes reports whether the next poll resumes the listing of the last one. A live
// listing that has taken a day begins anew, so that new files are not its last.
func resumes(prev *PollResult, seg SegmentState, set PlanSettings) bool {
	if prev.Complete || prev.Again || prev.Resume.IsZero() {
		return false
	}
	return set.Part == checkpoint.History || seg.Now.Sub(prev.Poll.Since) < LiveReach
}

// closing reports whether a segment with an upper bound has been listed for long
// enough after it.
func closing(seg SegmentState, set PlanSettings) bool {
	return !seg.To.IsZero() && !seg.ListedThrough.Before(seg.To.Add(set.Overlap))
}

// tooLate reports whether a stored time is later than both clocks: it was stored by
// a wrong clock, or edited.
func tooLate(seg checkpoint.Segment, clocks checkpoint.Reading) bool {
	latest := laterOf(clocks).Add(implausibleAfter)
	return seg.Cursor.After(latest) || seg.ListBase.After(latest) || seg.ListedThrough.After(latest)
}

// correctedBase is the list base of a segment with a stored time that is too late. A
// cursor that is right stays.
func correctedBase(seg checkpoint.Segment, clocks checkpoint.Reading) time.Time {
	if latest := laterOf(clocks).Add(implausibleAfter); seg.Cursor.After(latest) {
		return laterOf(clocks).Add(-deepRange)
	}
	return seg.Cursor
}

func deepIsDue(prev *PollResult, at time.Time) bool {
	return prev == nil || prev.LastDeep.IsZero() || at.Sub(prev.LastDeep) >= deepInterval
}

// listAfter is the time after which a segment is listed, a span back: at least a
// tick, since another file may share the last one's end_time. A file that is
// delivered in part holds it down, and it never lies before the segment.
func listAfter(seg SegmentState, back time.Duration) time.Time {
	after := seg.ListBase.Add(-max(back, tick))
	if open := seg.OldestOpen; !open.IsZero() && open.Add(-tick).Before(after) {
		after = open.Add(-tick)
	}
	return notBefore(after, seg.From)
}

func notBefore(at, earliest time.Time) time.Time {
	if at.Before(earliest) {
		return earliest
	}
	return at
}

// segmentIsDone reports whether a poll has shown that nothing more comes to a
// segment with an upper bound.
func segmentIsDone(result PollResult, seg SegmentState, set PlanSettings) bool {
	return result.Complete && result.Poll.Kind == PollFull && !result.Poll.Delivered &&
		closing(seg, set) && (set.Part == checkpoint.History || !seg.Pending)
}

// splitAt is where a live segment that is far behind is split, so that new files do
// not wait for old ones; zero where it is not.
func splitAt(seg checkpoint.Segment, now time.Time, set PlanSettings) time.Time {
	at := now.Add(-LiveReach).Truncate(tick)
	known := notBefore(notBefore(seg.Cursor, seg.ListedThrough), seg.From)
	if set.Part != checkpoint.Live || set.Replay || !at.After(known.Add(splitSlack)) || (!seg.To.IsZero() && !at.Before(seg.To)) {
		return time.Time{}
	}
	return at
}
