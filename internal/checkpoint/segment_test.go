// Copyright The OpenTelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package checkpoint

import (
	"math/rand/v2"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

var clocks = Reading{Server: at(50 * time.Hour), Local: at(51 * time.Hour)}

// A first run that begins far back has a history; the two adjoin, each file belongs to
// one, and each has its own cursor.
func TestHistory(t *testing.T) {
	f := newFixture(t, Bounds{Floor: floor, LiveFrom: at(10 * time.Hour)}, daySettings)
	assert.True(t, f.HasPendingWork())
	f.done("edge", at(10*time.Hour))
	f.done("live", at(12*time.Hour))
	f.done("late", at(11*time.Hour))
	for range 2 {
		history, ok := f.Segment(History)
		require.True(t, ok)
		assert.Equal(t, Segment{From: floor, To: at(10 * time.Hour), Cursor: at(10 * time.Hour), ListBase: floor}, history)
		assert.True(t, history.Contains(at(10*time.Hour)))
		assert.False(t, history.Contains(floor))
		assert.Equal(t, at(12*time.Hour), f.cursor())
		f.reload()
	}
}

// History that has ended is the past of live, which keeps its own cursor.
func TestHistoryEnds(t *testing.T) {
	f := newFixture(t, Bounds{Floor: floor, LiveFrom: at(10 * time.Hour)}, daySettings)
	f.done("old", at(3*time.Hour))
	f.done("new", at(11*time.Hour))
	require.NoError(t, f.SetSuspected(t.Context(), History, &SuspectedGap{From: floor, To: at(time.Hour), Checked: clocks, Since: clocks}))
	require.NoError(t, f.End(t.Context(), History))
	for range 2 {
		assert.Equal(t, []Segment{{From: floor, Cursor: at(11 * time.Hour), ListBase: at(10 * time.Hour)}}, f.Segments())
		_, ok := f.Segment(History)
		assert.False(t, ok)
		assert.True(t, f.IsCompleted("old"))
		assert.Equal(t, []SuspectedGap{{From: floor, To: at(time.Hour), Checked: clocks, Since: clocks}}, f.Suspected())
		f.reload()
	}
	require.NoError(t, f.End(t.Context(), History), "there is none")
	assert.False(t, f.Ended())
	assert.False(t, f.HasPendingWork())
}

// A live segment that is late is split where nothing is listed yet, again and again.
func TestSplit(t *testing.T) {
	f := live(t)
	f.done("a", at(2*time.Hour))
	for name, wrong := range map[string]time.Time{"at the floor": floor, "at the cursor": at(2 * time.Hour), "before it": at(time.Hour)} {
		require.ErrorIs(t, f.Split(t.Context(), wrong), errSplit, name)
	}
	require.NoError(t, f.PollComplete(t.Context(), Live, at(3*time.Hour), at(time.Hour), clocks))
	require.ErrorIs(t, f.Split(t.Context(), at(3*time.Hour)), errSplit, "listed")
	require.NoError(t, f.Split(t.Context(), at(30*time.Hour)))
	f.done("b", at(31*time.Hour))
	require.NoError(t, f.Split(t.Context(), at(60*time.Hour)))
	f.reload()
	assert.Equal(t, []Segment{
		{From: floor, To: at(30 * time.Hour), Cursor: at(2 * time.Hour), ListedThrough: at(3 * time.Hour), ListBase: at(time.Hour), Checked: clocks},
		{From: at(30 * time.Hour), To: at(60 * time.Hour), Cursor: at(31 * time.Hour), ListBase: at(30 * time.Hour)},
		{From: at(60 * time.Hour), Cursor: at(60 * time.Hour), ListBase: at(60 * time.Hour)},
	}, f.Segments())
	require.NoError(t, f.End(t.Context(), History))
	history, _ := f.Segment(History)
	assert.Equal(t, Segment{From: floor, To: at(60 * time.Hour), Cursor: at(31 * time.Hour), ListBase: at(30 * time.Hour)}, history)
}

// A stream with an upper bound has nothing after it, and ends for good.
func TestUntil(t *testing.T) {
	f := newFixture(t, Bounds{Floor: floor, Until: at(20 * time.Hour), LiveFrom: at(10 * time.Hour)}, daySettings)
	seg, _ := f.Segment(Live)
	assert.True(t, seg.Contains(at(20*time.Hour)))
	assert.False(t, seg.Contains(at(20*time.Hour+time.Microsecond)))
	require.ErrorIs(t, f.Split(t.Context(), at(20*time.Hour)), errSplit)
	require.NoError(t, f.End(t.Context(), History))
	assert.False(t, f.Ended())
	require.NoError(t, f.End(t.Context(), Live))
	f.reload()
	assert.True(t, f.Ended())
}

// listed_through never moves back; base and clocks are stored with every complete poll.
func TestPollComplete(t *testing.T) {
	f := live(t)
	f.done("a", at(time.Minute))
	zone := time.FixedZone("", 9*3600)
	require.NoError(t, f.PollComplete(t.Context(), Live, at(2*time.Hour).In(zone), at(30*time.Second), clocks))
	later := Reading{Local: at(99 * time.Hour)}
	for _, tt := range []struct {
		through, base, wantBase time.Time
	}{
		{at(time.Hour), at(time.Minute), at(time.Minute)},
		{at(time.Hour), at(time.Hour), at(time.Minute)}, // not later than the cursor
		{time.Time{}, time.Time{}, floor},               // not earlier than the segment
	} {
		require.NoError(t, f.PollComplete(t.Context(), Live, tt.through, tt.base, later))
		f.reload()
		seg, _ := f.Segment(Live)
		assert.Equal(t, Segment{From: floor, Cursor: at(time.Minute), ListedThrough: at(2 * time.Hour), ListBase: tt.wantBase, Checked: later}, seg)
	}
}

// A reported gap is passed, within the part and never backwards.
func TestPassGap(t *testing.T) {
	f := newFixture(t, Bounds{Floor: floor, LiveFrom: at(10 * time.Hour)}, daySettings)
	f.done("a", at(2*time.Hour))
	require.NoError(t, f.PassGap(t.Context(), History, at(time.Hour), Reading{}))
	history, _ := f.Segment(History)
	assert.Equal(t, at(2*time.Hour), history.Cursor)
	require.NoError(t, f.PassGap(t.Context(), History, at(20*time.Hour), clocks))
	f.reload()
	history, _ = f.Segment(History)
	assert.Equal(t, at(10*time.Hour), history.Cursor)
	assert.Equal(t, at(20*time.Hour), history.ListedThrough)
	assert.Equal(t, clocks, history.Checked)
	assert.Equal(t, at(10*time.Hour), f.cursor())
}

// A suspected gap lets listed_through pass, not the cursor, and stays until it is
// decided.
func TestSuspected(t *testing.T) {
	f := live(t)
	first := SuspectedGap{From: floor, To: at(time.Hour), Checked: clocks, Since: clocks}
	second := SuspectedGap{From: at(2 * time.Hour), To: at(3 * time.Hour), Checked: clocks, Since: clocks}
	for _, gap := range []SuspectedGap{first, second, second} {
		require.NoError(t, f.SetSuspected(t.Context(), Live, &gap))
	}
	f.reload()
	assert.Equal(t, []SuspectedGap{first, second}, f.Suspected())
	seg, _ := f.Segment(Live)
	assert.Equal(t, at(3*time.Hour), seg.ListedThrough)
	assert.Equal(t, clocks, seg.Checked)
	assert.Equal(t, floor, seg.Cursor)
	require.NoError(t, f.SetSuspected(t.Context(), Live, nil))
	f.reload()
	assert.Empty(t, f.Suspected())
}

// A suspected gap that is withdrawn takes listed_through back with it, and the clocks of
// that time.
func TestWithdrawSuspected(t *testing.T) {
	f := live(t)
	f.done("a", at(time.Hour))
	require.NoError(t, f.PollComplete(t.Context(), Live, at(2*time.Hour), at(time.Hour), clocks))
	require.NoError(t, f.WithdrawSuspected(t.Context(), Live), "there is none")
	far := Reading{Server: clocks.Server.Add(40 * 24 * time.Hour), Local: clocks.Local}
	require.NoError(t, f.SetSuspected(t.Context(), Live, &SuspectedGap{From: at(2 * time.Hour), To: at(240 * time.Hour), Checked: clocks, Since: far}))
	require.NoError(t, f.PollComplete(t.Context(), Live, at(3*time.Hour), at(time.Hour), far))
	seg, _ := f.Segment(Live)
	require.Equal(t, at(240*time.Hour), seg.ListedThrough)
	require.NoError(t, f.WithdrawSuspected(t.Context(), Live))
	f.reload()
	assert.Empty(t, f.Suspected())
	seg, _ = f.Segment(Live)
	assert.Equal(t, Segment{From: floor, Cursor: at(time.Hour), ListedThrough: at(2 * time.Hour), ListBase: at(time.Hour), Checked: clocks}, seg)
}

// Correct sets back and never forward.
func TestCorrect(t *testing.T) {
	f := live(t)
	f.done("a", at(40*time.Hour))
	require.NoError(t, f.PollComplete(t.Context(), Live, at(41*time.Hour), at(40*time.Hour), clocks))
	require.NoError(t, f.Correct(t.Context(), Live, at(90*time.Hour), at(90*time.Hour)))
	require.NoError(t, f.Correct(t.Context(), Live, time.Time{}, at(20*time.Hour)))
	seg, _ := f.Segment(Live)
	assert.Equal(t, Segment{From: floor, Cursor: at(40 * time.Hour), ListedThrough: at(20 * time.Hour), ListBase: at(40 * time.Hour), Checked: clocks}, seg)
	require.NoError(t, f.Correct(t.Context(), Live, at(-time.Hour), time.Time{}))
	f.reload()
	seg, _ = f.Segment(Live)
	assert.Equal(t, Segment{From: floor, Cursor: floor, ListedThrough: at(20 * time.Hour), ListBase: floor, Checked: clocks}, seg)
	assert.True(t, f.IsCompleted("a"))
}

// Whatever the order of splits, ends, deliveries and restarts: segments adjoin, every
// file belongs to exactly one, no cursor is outside, and no completed file is forgotten.
func TestSegmentsAdjoin(t *testing.T) {
	several := 0
	for seed := range uint64(100) {
		rng := rand.New(rand.NewPCG(seed, 3))
		f := newFixture(t, Bounds{Floor: floor, LiveFrom: at(time.Duration(rng.IntN(3)) * 10 * time.Hour)}, daySettings)
		done := map[string]bool{}
		for step := range 60 {
			id, end := strconv.Itoa(step), at(time.Duration(1+rng.IntN(200*60))*time.Minute)
			switch rng.IntN(6) {
			case 0:
				_ = f.Split(t.Context(), at(time.Duration(rng.IntN(200))*time.Hour))
			case 1:
				require.NoError(t, f.End(t.Context(), History))
			case 2:
				f.reload()
			case 3:
				f.enqueue(whole("bad-"+id, end))
			default:
				f.done(id, end)
				done[id] = true
			}
			if len(f.Segments()) > 2 {
				several++
			}
			checkSegments(t, f, done)
		}
	}
	assert.NotZero(t, several)
}

func checkSegments(t *testing.T, f *fixture, done map[string]bool) {
	t.Helper()
	segments := f.Segments()
	require.Equal(t, floor, segments[0].From)
	for i, seg := range segments {
		if i+1 < len(segments) {
			require.Equal(t, seg.To, segments[i+1].From)
		} else {
			require.True(t, seg.To.IsZero())
		}
		require.False(t, seg.Cursor.Before(seg.From))
		require.True(t, seg.To.IsZero() || !seg.Cursor.After(seg.To), "cursor %s is after %s", seg.Cursor, seg.To)
	}
	for id := range done {
		require.True(t, f.IsCompleted(id), id)
	}
	for _, file := range f.Queue() {
		owners := 0
		for _, seg := range segments {
			if seg.Contains(file.File.EndTime) {
				owners++
			}
		}
		require.Equal(t, 1, owners)
	}
}
