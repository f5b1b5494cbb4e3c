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

// begun is a stream with a boundary and an upper bound, both zero for none.
func begun(tb testing.TB, boundary, until time.Time) *fixture {
	tb.Helper()
	m := newMemory()
	s, err := Create(tb.Context(), m, testKey, Beginning{Floor: floor, StartFrom: startFrom, Boundary: boundary, Until: until, UntilText: "then"}, Settings{Overlap: overlap})
	require.NoError(tb, err)
	return &fixture{Stream: s, tb: tb, memory: m, keep: overlap}
}

// A first run that begins far back has a history of its own; the two adjoin, each
// file belongs to one, and each has its own position.
func TestHistory(t *testing.T) {
	f := begun(t, at(10*time.Hour), time.Time{})
	for range 2 {
		assert.Equal(t, []Segment{
			{From: floor, To: at(10 * time.Hour), Cursor: floor},
			{From: at(10 * time.Hour), Cursor: at(10 * time.Hour)},
		}, f.Segments())
		f.reload(overlap)
	}
	f.done("edge", at(10*time.Hour))
	f.done("live", at(12*time.Hour))
	f.done("live late", at(11*time.Hour))
	history, ok := f.Segment(History)
	require.True(t, ok)
	assert.Equal(t, at(10*time.Hour), history.Cursor, "the boundary belongs to the history")
	assert.Equal(t, at(12*time.Hour), cursor(f.Stream))
	assert.Equal(t, at(9*time.Hour), f.ListFrom(History, 0))
	assert.Equal(t, at(11*time.Hour), f.ListFrom(Live, 0))
	assert.Equal(t, at(10*time.Hour), f.ListFrom(Live, 72*time.Hour), "live is listed below its begin")
}

// History that has ended is live's own past: deep listings reach into it, and what
// was finished there is known.
func TestHistoryEnds(t *testing.T) {
	f := begun(t, at(10*time.Hour), time.Time{})
	f.done("old", at(3*time.Hour))
	f.done("new", at(11*time.Hour))
	f.setAside("bad", at(4*time.Hour))
	require.NoError(t, f.End(t.Context(), History))
	for range 2 {
		assert.Equal(t, []Segment{{From: floor, Cursor: at(11 * time.Hour)}}, f.Segments())
		_, ok := f.Segment(History)
		assert.False(t, ok)
		assert.True(t, f.Done("old"))
		assert.True(t, f.listed(at(4*time.Hour)), "the file in quarantine is left behind")
		f.reload(overlap)
	}
	require.NoError(t, f.End(t.Context(), History), "there is none")
	assert.Len(t, f.Segments(), 1)
	assert.False(t, f.Ended())
}

// A live segment that is far behind is split where nothing is done yet, again and
// again; the oldest part is worked on first.
func TestSplit(t *testing.T) {
	f := newFixture(t, overlap)
	f.done("a", at(2*time.Hour))
	for name, wrong := range map[string]time.Time{"at the floor": floor, "at the cursor": at(2 * time.Hour), "below it": at(time.Hour)} {
		require.Error(t, f.Split(t.Context(), wrong), name)
	}
	require.NoError(t, f.SetListedThrough(t.Context(), Live, at(3*time.Hour)))
	require.Error(t, f.Split(t.Context(), at(3*time.Hour)), "where passes have listed")
	require.NoError(t, f.Split(t.Context(), at(30*time.Hour)))
	f.done("b", at(31*time.Hour))
	require.NoError(t, f.Split(t.Context(), at(60*time.Hour)))
	f.reload(overlap)
	assert.Equal(t, []Segment{
		{From: floor, To: at(30 * time.Hour), Cursor: at(2 * time.Hour), ListedThrough: at(3 * time.Hour)},
		{From: at(30 * time.Hour), To: at(60 * time.Hour), Cursor: at(31 * time.Hour)},
		{From: at(60 * time.Hour), Cursor: at(60 * time.Hour)},
	}, f.Segments())
	require.NoError(t, f.End(t.Context(), History))
	history, _ := f.Segment(History)
	assert.Equal(t, Segment{From: floor, To: at(60 * time.Hour), Cursor: at(31 * time.Hour)}, history)
}

// A stream with an upper bound holds nothing above it, and ends for good.
func TestUntil(t *testing.T) {
	f := begun(t, at(10*time.Hour), at(20*time.Hour))
	live, _ := f.Segment(Live)
	assert.True(t, live.Holds(at(20*time.Hour)))
	assert.False(t, live.Holds(at(20*time.Hour+time.Microsecond)))
	require.Error(t, f.Split(t.Context(), at(20*time.Hour)), "above the bound")
	require.NoError(t, f.End(t.Context(), History))
	assert.False(t, f.Ended())
	require.NoError(t, f.End(t.Context(), Live))
	f.reload(overlap)
	assert.True(t, f.Ended())
	until, text := f.Until()
	assert.Equal(t, at(20*time.Hour), until)
	assert.Equal(t, "then", text)
	assert.Equal(t, []Segment{{From: floor, To: at(20 * time.Hour), Cursor: at(10 * time.Hour)}}, f.Segments())

	for name, boundary := range map[string]time.Time{"none": {}, "below the floor": at(-time.Hour), "at the floor": floor, "above the bound": at(21 * time.Hour)} {
		assert.Len(t, begun(t, boundary, at(20*time.Hour)).Segments(), 1, name)
	}
}

// What is not listed any more counts as expired in the part that was listed only.
func TestExpiredOfPart(t *testing.T) {
	f := begun(t, at(10*time.Hour), time.Time{})
	f.setAside("old", at(3*time.Hour))
	f.begin("new", at(11*time.Hour), 4)
	assert.Contains(t, f.Expired(History, nil, at(20*time.Hour)), "old")
	assert.Len(t, f.Expired(History, nil, at(20*time.Hour)), 1)
	assert.Contains(t, f.Expired(Live, nil, at(20*time.Hour)), "new")
	assert.Len(t, f.Expired(Live, nil, at(20*time.Hour)), 1)
}

// Whatever the order of splits, ends, deliveries and restarts: the segments adjoin
// without a gap, every file belongs to exactly one, no cursor lies outside its
// segment, none of the finished files is forgotten and every unfinished one listed.
func TestSegmentsAdjoin(t *testing.T) {
	seen := map[string]int{}
	for seed := range uint64(200) {
		rng := rand.New(rand.NewPCG(seed, 3))
		f := begun(t, at(time.Duration(rng.IntN(3))*10*time.Hour), time.Time{})
		done := map[string]bool{}
		for step := range 60 {
			switch rng.IntN(6) {
			case 0:
				if err := f.Split(t.Context(), at(time.Duration(rng.IntN(200))*time.Hour)); err == nil {
					seen["split"]++
				}
			case 1:
				require.NoError(t, f.End(t.Context(), History))
			case 2:
				f.reload(time.Duration(rng.IntN(3)) * time.Hour)
			case 3:
				f.setAside("bad-"+strconv.Itoa(step), at(time.Duration(1+rng.IntN(200*60))*time.Minute))
			default:
				f.done(strconv.Itoa(step), at(time.Duration(1+rng.IntN(200*60))*time.Minute))
				done[strconv.Itoa(step)] = true
			}
			checkSegments(t, f, done, seen)
		}
	}
	for _, state := range []string{"split", "several", "three"} {
		assert.NotZero(t, seen[state], state)
	}
}

func checkSegments(t *testing.T, f *fixture, done map[string]bool, seen map[string]int) {
	t.Helper()
	segments := f.Segments()
	if len(segments) > 1 {
		seen["several"]++
	}
	if len(segments) > 2 {
		seen["three"]++
	}
	require.Equal(t, floor, segments[0].From)
	for _, seg := range segments[1:] {
		require.Equal(t, 1, owners(segments, seg.From), "the boundary %s", seg.From)
	}
	for i, seg := range segments {
		if i+1 < len(segments) {
			require.Equal(t, seg.To, segments[i+1].From)
		} else {
			require.True(t, seg.To.IsZero())
		}
		require.False(t, seg.Cursor.Before(seg.From))
		require.True(t, seg.To.IsZero() || !seg.Cursor.After(seg.To), "cursor %s behind %s", seg.Cursor, seg.To)
	}
	for id := range done {
		require.True(t, f.Done(id), id)
	}
	for id, entry := range f.state.Quarantine {
		for i, seg := range segments {
			require.True(t, !seg.Holds(entry.EndTime) || f.state.listFrom(i, 0).Before(entry.EndTime), "%s is left behind", id)
		}
		require.Equal(t, 1, owners(segments, entry.EndTime), "%s", entry.EndTime)
	}
}

// owners counts the segments that a file with this end_time belongs to.
func owners(segments []Segment, end time.Time) (n int) {
	for _, seg := range segments {
		if seg.Holds(end) {
			n++
		}
	}
	return n
}
