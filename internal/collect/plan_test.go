// Copyright The OpenTelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package collect

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/openaicompliance/openaicompliancereceiver/internal/checkpoint"
)

var testNow = time.Date(2026, 11, 25, 12, 0, 0, 0, time.UTC)

// ago is a time before testNow.
func ago(d time.Duration) time.Time { return testNow.Add(-d) }

func reading(server, local time.Duration) checkpoint.Reading {
	return checkpoint.Reading{Server: testNow.Add(server), Local: testNow.Add(local)}
}

func liveState(changes ...func(*SegmentState)) SegmentState {
	state := SegmentState{Now: testNow, Segment: checkpoint.Segment{
		From: ago(240 * time.Hour), Cursor: ago(time.Hour), ListBase: ago(2 * time.Hour), ListedThrough: ago(time.Hour),
	}}
	for _, change := range changes {
		change(&state)
	}
	return state
}

func livePlan() PlanSettings {
	return PlanSettings{
		Overlap: time.Hour, Part: checkpoint.Live,
		Next: func(began, _ time.Time) time.Time { return began.Add(5 * time.Minute) },
	}
}

func completed(kind PollKind, changes ...func(*PollResult)) *PollResult {
	result := &PollResult{
		Poll: Poll{Kind: kind, At: ago(time.Minute), Since: ago(time.Minute)}, Ended: testNow, Complete: true, LastDeep: ago(time.Hour),
	}
	for _, change := range changes {
		change(result)
	}
	return result
}

// TestPlanPoll holds the next poll's kind, its range and its time against the rules.
func TestPlanPoll(t *testing.T) {
	until := func(s *SegmentState) { s.To, s.ListedThrough = ago(10*time.Hour), ago(time.Minute) }
	for name, tt := range map[string]struct {
		prev  *PollResult
		seg   SegmentState
		clock checkpoint.Reading
		set   PlanSettings
		kind  PollKind
		after time.Time
		at    time.Time
	}{
		"the first poll of a run is deep and begins at once": {
			seg: liveState(), kind: PollDeep, after: ago(98 * time.Hour), at: testNow,
		},
		"a regular poll lists from the list base less the overlap": {
			prev: completed(PollDeep), seg: liveState(), kind: PollRegular, after: ago(3 * time.Hour), at: ago(-4 * time.Minute),
		},
		"the range never begins before the segment": {
			prev: completed(PollDeep), seg: liveState(func(s *SegmentState) { s.From = ago(150 * time.Minute) }),
			kind: PollRegular, after: ago(150 * time.Minute), at: ago(-4 * time.Minute),
		},
		"a file delivered in part holds the range down": {
			prev: completed(PollDeep), seg: liveState(func(s *SegmentState) { s.OldestOpen = ago(30 * time.Hour) }),
			kind: PollRegular, after: ago(30 * time.Hour).Add(-tick), at: ago(-4 * time.Minute),
		},
		"without an overlap a tick is listed again": {
			prev: completed(PollDeep), seg: liveState(), set: func() PlanSettings { p := livePlan(); p.Overlap = 0; return p }(),
			kind: PollRegular, after: ago(2 * time.Hour).Add(-tick), at: ago(-4 * time.Minute),
		},
		"a deep poll comes a day after the last one": {
			prev: completed(PollRegular, func(r *PollResult) { r.LastDeep = ago(25 * time.Hour) }), seg: liveState(),
			kind: PollDeep, after: ago(98 * time.Hour), at: ago(-4 * time.Minute),
		},
		"a listing that ended early resumes where it was": {
			prev: completed(PollDeep, func(r *PollResult) { r.Complete, r.Resume = false, ago(5*time.Hour) }), seg: liveState(),
			kind: PollDeep, after: ago(5 * time.Hour), at: ago(-4 * time.Minute),
		},
		"a live listing that has taken a day begins anew": {
			prev: completed(PollRegular, func(r *PollResult) { r.Complete, r.Resume, r.Poll.Since = false, ago(5*time.Hour), ago(25*time.Hour) }),
			seg:  liveState(), kind: PollRegular, after: ago(3 * time.Hour), at: ago(-4 * time.Minute),
		},
		"a split segment is polled again at once": {
			prev: completed(PollDeep, func(r *PollResult) { r.Complete, r.Again = false, true }), seg: liveState(),
			kind: PollRegular, after: ago(3 * time.Hour), at: testNow,
		},
		"a bounded segment that is listed after its end is listed whole, at once": {
			prev: completed(PollRegular), seg: liveState(until), kind: PollFull, after: ago(240 * time.Hour), at: testNow,
		},
		"a whole listing without news that waits for the rest of the stream keeps the schedule": {
			prev: completed(PollFull), seg: liveState(until, func(s *SegmentState) { s.Pending = true }),
			kind: PollFull, after: ago(240 * time.Hour), at: ago(-4 * time.Minute),
		},
		"a replay has no deep polls": {
			seg: liveState(), set: func() PlanSettings { p := livePlan(); p.Replay = true; return p }(),
			kind: PollRegular, after: ago(3 * time.Hour), at: testNow,
		},
		"a stored time later than both clocks lists from the later clock": { // fault 8
			seg:  liveState(func(s *SegmentState) { s.Cursor, s.ListBase = ago(-20*24*time.Hour), ago(-20*24*time.Hour) }),
			kind: PollRegular, after: ago(deepRange), at: testNow,
		},
		"only listed_through is later than both clocks: what is not listed yet is not passed over": {
			seg: liveState(func(s *SegmentState) {
				s.Cursor, s.ListBase, s.ListedThrough = ago(144*time.Hour), ago(145*time.Hour), ago(-10*24*time.Hour)
			}),
			kind: PollRegular, after: ago(146 * time.Hour), at: testNow,
		},
		"a stored time that one clock explains stays": {
			seg:  liveState(func(s *SegmentState) { s.Cursor, s.ListBase = ago(-20*24*time.Hour), ago(-20*24*time.Hour) }),
			kind: PollDeep, after: ago(-20 * 24 * time.Hour).Add(-deepRange), at: testNow, clock: reading(21*24*time.Hour, 0),
		},
	} {
		t.Run(name, func(t *testing.T) {
			set, clock := tt.set, tt.clock
			if set.Next == nil {
				set = livePlan()
			}
			if clock.Local.IsZero() {
				clock = reading(0, 0)
			}
			poll := PlanPoll(tt.prev, tt.seg, clock, set)
			assert.Equal(t, tt.kind, poll.Kind)
			assert.Equal(t, tt.after, poll.After)
			assert.Equal(t, tt.at, poll.At)
		})
	}
}

// TestSegmentIsDone proves that only a whole listing without news ends a segment, and
// live only once nothing else is left.
func TestSegmentIsDone(t *testing.T) {
	state := liveState(func(s *SegmentState) { s.To, s.ListedThrough = ago(10*time.Hour), ago(time.Minute) })
	pending := state
	pending.Pending = true
	early := state
	early.ListedThrough = ago(10 * time.Hour)
	news := completed(PollFull, func(r *PollResult) { r.Poll.Delivered = true })
	history := livePlan()
	history.Part = checkpoint.History
	assert.True(t, segmentIsDone(*completed(PollFull), state, livePlan()))
	assert.False(t, segmentIsDone(*completed(PollRegular), state, livePlan()), "not listed whole")
	assert.False(t, segmentIsDone(*news, state, livePlan()), "something new came")
	assert.False(t, segmentIsDone(*completed(PollFull), early, livePlan()), "the overlap is not over")
	assert.False(t, segmentIsDone(*completed(PollFull), pending, livePlan()), "work is left")
	assert.True(t, segmentIsDone(*completed(PollFull), pending, history), "history waits for nobody")
}

// TestSplitAt proves that a live segment is split only when it is far behind.
func TestSplitAt(t *testing.T) {
	state := liveState(func(s *SegmentState) { s.Cursor, s.ListedThrough = ago(40*time.Hour), ago(50*time.Hour) })
	assert.Equal(t, ago(24*time.Hour), splitAt(state.Segment, testNow, livePlan()))
	assert.Zero(t, splitAt(liveState().Segment, testNow, livePlan()))
	near := liveState(func(s *SegmentState) { s.Cursor, s.ListedThrough = ago(24*time.Hour+30*time.Minute), time.Time{} })
	assert.Zero(t, splitAt(near.Segment, testNow, livePlan()), "not worth it")
	bounded := state
	bounded.To = ago(30 * time.Hour)
	assert.Zero(t, splitAt(bounded.Segment, testNow, livePlan()), "it ends before")
}

// TestPollBegins proves that a poll which begins late is planned on from there, and that
// one which resumes another stays part of the same listing.
func TestPollBegins(t *testing.T) {
	fresh := Poll{At: ago(time.Hour), Since: ago(time.Hour)}
	assert.Equal(t, Poll{At: testNow, Since: testNow}, fresh.begin(testNow))
	resumed := Poll{At: ago(time.Hour), Since: ago(2 * time.Hour)}
	assert.Equal(t, Poll{At: testNow, Since: ago(2 * time.Hour)}, resumed.begin(testNow))
}

// TestStuckFile proves that only polls in a row count.
func TestStuckFile(t *testing.T) {
	stuck := StuckFile{}.again("a").again("a")
	assert.Equal(t, StuckFile{"a", 2}, stuck)
	assert.Equal(t, StuckFile{"b", 1}, stuck.again("b"))
}
