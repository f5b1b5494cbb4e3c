// Copyright The OpenTelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package checkpoint

import (
	"fmt"
	"strconv"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/openaicompliance/openaicompliancereceiver/internal/deliver"
)

// A key names its stream, so that no two share a checkpoint.
func TestKey(t *testing.T) {
	assert.Equal(t, "stream/ws-1/AUTH_LOG", Key("ws-1", "AUTH_LOG"))
	assert.Equal(t, "replay/r/ws-1/AUTH_LOG", ReplayKey("r", "ws-1", "AUTH_LOG"))
}

// A first run is stored before any request and counts as state; its bounds follow with
// the first answer.
func TestFirstRun(t *testing.T) {
	m := newMemory()
	none, err := Load(t.Context(), m, testKey, daySettings)
	require.NoError(t, err)
	require.Nil(t, none)
	zone := time.FixedZone("", 7200)
	s, err := Create(t.Context(), m, testKey, FirstRun{StartFrom: "now-1h", Until: "now", Clock: floor.In(zone).Add(1)}, daySettings)
	require.NoError(t, err)
	want := FirstRun{StartFrom: "now-1h", Until: "now", Clock: floor}
	for range 2 {
		assert.Equal(t, want, s.FirstRun())
		_, ok := s.Bounds()
		assert.False(t, ok)
		assert.Empty(t, s.Segments())
		_, ok = s.Segment(Live)
		assert.False(t, ok)
		require.ErrorIs(t, s.Commit(t.Context(), accepted(t, partOf("a", at(1), 0)), CommitTime{}), errBoundsNotSet)
		require.ErrorIs(t, s.Enqueue(t.Context(), whole("a", at(1))), errBoundsNotSet)
		require.ErrorIs(t, s.Split(t.Context(), at(1)), errBoundsNotSet)
		require.NoError(t, s.PollComplete(t.Context(), Live, at(1), at(1), Reading{}))
		s, err = Load(t.Context(), m, testKey, daySettings)
		require.NoError(t, err)
	}
	_, err = Create(t.Context(), m, testKey, firstRun, daySettings)
	require.ErrorIs(t, err, errExists)
}

// Bounds are whole microseconds and fixed, but for a correction while nothing is
// completed.
func TestFixBounds(t *testing.T) {
	f := newFixture(t, Bounds{Floor: at(time.Hour + 1), Until: at(9*time.Hour + 999), LiveFrom: at(2*time.Hour + 999)}, daySettings)
	for range 2 {
		b, ok := f.Bounds()
		assert.True(t, ok)
		assert.Equal(t, Bounds{at(time.Hour), at(9 * time.Hour), at(2 * time.Hour)}, b)
		assert.Equal(t, []Segment{
			{From: at(time.Hour), To: at(2 * time.Hour), Cursor: at(time.Hour), ListBase: at(time.Hour)},
			{From: at(2 * time.Hour), To: at(9 * time.Hour), Cursor: at(2 * time.Hour), ListBase: at(2 * time.Hour)},
		}, f.Segments())
		f.reload()
	}
	require.ErrorIs(t, f.FixBounds(t.Context(), Bounds{Floor: floor, Until: floor}), errUntilTooLow)
	require.NoError(t, f.FixBounds(t.Context(), Bounds{Floor: floor}))
	assert.Equal(t, []Segment{{From: floor, Cursor: floor, ListBase: floor}}, f.Segments())
	for name, use := range map[string]func(f *fixture){
		"completed":   func(f *fixture) { f.done("a", at(time.Hour)) },
		"open":        func(f *fixture) { f.begin("a", at(time.Hour), 2) },
		"queued":      func(f *fixture) { f.enqueue(whole("a", at(time.Hour))) },
		"implausible": func(f *fixture) { f.commitPart(accepted(t, partOf("a", time.Time{}, 0))) },
	} {
		f := live(t)
		use(f)
		require.ErrorIs(t, f.FixBounds(t.Context(), Bounds{Floor: at(-time.Hour)}), errBoundsInUse, name)
		require.NoError(t, f.FixBounds(t.Context(), Bounds{Floor: floor}), "the same bounds")
	}
	for name, from := range map[string]time.Time{"none": {}, "before the floor": at(-1), "at the floor": floor, "after until": at(2 * time.Hour)} {
		assert.Len(t, newFixture(t, Bounds{Floor: floor, Until: at(time.Hour), LiveFrom: from}, daySettings).Segments(), 1, name)
	}
}

// A first run that cannot be stored is no run.
func TestCreateFails(t *testing.T) {
	m := newMemory()
	m.setErr = errDisk
	s, err := Create(t.Context(), m, testKey, firstRun, daySettings)
	require.ErrorIs(t, err, errDisk)
	require.ErrorContains(t, err, testKey)
	assert.Nil(t, s)
}

// Each Load begins a term: the number goes up, the id is another, the earlier
// checkpoint goes.
func TestTerms(t *testing.T) {
	f := live(t)
	f.done("a", at(time.Hour))
	ids := map[string]bool{}
	for number := range int64(4) {
		current, ok, err := readTerm(t.Context(), f.memory, testKey)
		require.NoError(t, err)
		require.True(t, ok)
		assert.Equal(t, number+1, current.Number)
		assert.Equal(t, f.term, current)
		assert.False(t, ids[current.ID])
		ids[current.ID] = true
		f.requireNoLeftovers()
		assert.True(t, f.IsCompleted("a"))
		f.reload()
	}
}

// A checkpoint of an earlier term that cannot be deleted is deleted at the next Load or
// commit.
func TestEarlierTermsAreDeleted(t *testing.T) {
	f := live(t)
	f.memory.deleteErr = errDisk
	for range 3 {
		f.reload()
	}
	assert.Len(t, f.memory.data, 5, "term and four checkpoints")
	f.memory.deleteErr = nil
	f.reload()
	f.requireNoLeftovers()
}

// A file that is delivered in part resumes after a restart.
func TestResumeLine(t *testing.T) {
	f := live(t)
	next, ahead, changed := f.ResumeLine("a", "sha-a")
	assert.Equal(t, 1, next)
	assert.Empty(t, ahead)
	assert.False(t, changed)
	f.begin("b", at(2*time.Minute), 1001)
	part := partOf("a", at(time.Minute), 7)
	part.Ahead = []int{9, 12}
	f.commitPart(accepted(t, part))
	for range 2 {
		f.reload()
		next, ahead, changed = f.ResumeLine("a", "sha-a")
		assert.Equal(t, 7, next)
		assert.Equal(t, []int{9, 12}, ahead)
		assert.False(t, changed)
		next, _, _ = f.ResumeLine("b", "sha-b")
		assert.Equal(t, 1001, next)
		assert.Equal(t, floor, f.cursor(), "a part of a file moves no cursor")
		assert.Len(t, f.OpenFiles(), 2)
	}
	next, ahead, changed = f.ResumeLine("a", "other bytes")
	assert.Equal(t, 1, next)
	assert.Empty(t, ahead)
	assert.True(t, changed)

	other := partOf("a", at(time.Minute), 3)
	other.SHA256 = "other bytes"
	f.commitPart(accepted(t, other))
	next, _, changed = f.ResumeLine("a", "other bytes")
	assert.Equal(t, 3, next)
	assert.False(t, changed)
}

// The last part completes its file: the cursor moves, the offset goes.
func TestCompletes(t *testing.T) {
	for name, receipt := range map[string]func(testing.TB, deliver.Part) deliver.Receipt{"accepted": accepted, "dropped": dropped} {
		t.Run(name, func(t *testing.T) {
			f := live(t)
			f.begin("a", at(time.Minute), 4)
			f.commitPart(receipt(t, partOf("a", at(time.Minute).In(time.FixedZone("", -7*3600)), 0)))
			for range 2 {
				assert.True(t, f.IsCompleted("a"))
				assert.False(t, f.IsCompleted("b"))
				assert.Equal(t, at(time.Minute), f.cursor())
				assert.Empty(t, f.OpenFiles())
				assert.False(t, f.HasPendingWork())
				f.reload()
			}
		})
	}
}

// A Receipt that no delivery has created changes nothing.
func TestZeroReceipt(t *testing.T) {
	f := live(t)
	before := shown(f.Stream)
	require.ErrorIs(t, f.Commit(t.Context(), deliver.Receipt{}, CommitTime{}), errNoReceipt)
	assert.Equal(t, before, shown(f.Stream))
}

// The cursor never moves back, and moves over enqueued files.
func TestCursorNeverMovesBack(t *testing.T) {
	f := live(t)
	f.done("a", at(10*time.Minute))
	f.done("late", at(5*time.Minute))
	f.enqueue(whole("early", at(6*time.Minute)))
	assert.Equal(t, at(10*time.Minute), f.cursor())
	require.NoError(t, f.Enqueue(t.Context(), whole("unlisted", at(20*time.Minute))))
	assert.Equal(t, at(10*time.Minute), f.cursor())
	f.enqueue(whole("bad", at(30*time.Minute)))
	assert.Equal(t, at(30*time.Minute), f.cursor())
	f.reload()
	assert.Equal(t, at(30*time.Minute), f.cursor())
}

// A file with an implausible time is completed, moves nothing, and stays completed until
// a complete poll no longer lists it.
func TestImplausibleTime(t *testing.T) {
	f := live(t)
	f.done("sound", at(time.Hour))
	far := time.Date(9000, 1, 1, 0, 0, 0, 0, time.UTC)
	commit := func(id string, end time.Time, next int) {
		require.NoError(t, f.Commit(t.Context(), accepted(t, eventPart(partOf(id, end, next), 7)), CommitTime{Implausible: true, Now: at(2 * time.Hour)}))
	}
	commit("future", far, 4)
	assert.True(t, f.OpenFiles()[0].Implausible)
	commit("future", far, 0)
	commit("past", time.Unix(0, 0), 0)
	for range 2 {
		assert.Equal(t, at(time.Hour), f.cursor())
		assert.Equal(t, []string{"future", "past"}, f.Implausible())
		assert.True(t, f.IsCompleted("future"))
		assert.True(t, f.IsCompleted("past"))
		known, same := f.SeenEvent(event(f.Stream, 7))
		assert.True(t, known && same)
		f.reload()
	}
	// A poll that does not list one forgets it no earlier than any completed file: a deep
	// poll, or one after a restart, lists further back.
	require.NoError(t, f.ForgetImplausible(t.Context(), func(id string) bool { return id == "future" }))
	f.reload()
	assert.Equal(t, []string{"future"}, f.Implausible())
	assert.True(t, f.IsCompleted("past"))
	// Long after, it is still completed while it is listed.
	for i := range completedBlock { // which seals the block that names both
		f.done(strconv.Itoa(i), at(3*time.Hour))
	}
	f.done("later", at(100*24*time.Hour))
	require.NoError(t, f.PollComplete(t.Context(), Live, at(100*24*time.Hour), at(100*24*time.Hour), Reading{}))
	f.done("last", at(100*24*time.Hour+1))
	require.NoError(t, f.ForgetImplausible(t.Context(), func(id string) bool { return id == "future" }))
	f.reload()
	assert.True(t, f.IsCompleted("future"))
	assert.False(t, f.IsCompleted("past"))
}

// Beyond the bound of ids the clock stands in for the end_time.
func TestManyImplausible(t *testing.T) {
	f := live(t)
	for i := range maxImplausible + 10 {
		require.NoError(t, f.Commit(t.Context(), accepted(t, partOf(strconv.Itoa(i), time.Time{}, 0)), CommitTime{Implausible: true, Now: at(time.Hour)}))
	}
	assert.Len(t, f.Implausible(), maxImplausible)
	assert.True(t, f.IsCompleted(strconv.Itoa(maxImplausible+9)))
	assert.Equal(t, floor, f.cursor())
}

// An unreadable entry is completed by its digest and moves no cursor.
func TestMarkCompleted(t *testing.T) {
	f := live(t)
	require.NoError(t, f.MarkCompleted(t.Context(), "digest", at(time.Hour)))
	sets := f.memory.sets
	require.NoError(t, f.MarkCompleted(t.Context(), "digest", at(time.Hour)))
	assert.Equal(t, sets, f.memory.sets, "once is enough")
	f.reload()
	assert.True(t, f.IsCompleted("digest"))
	assert.Equal(t, floor, f.cursor())
}

// Every change fails as a whole when storage does, and the same call succeeds later.
func TestFailedWrite(t *testing.T) {
	changes := map[string]func(f *fixture) error{
		"part": func(f *fixture) error {
			return f.Commit(f.tb.Context(), accepted(f.tb, partOf("open", at(time.Minute), 9)), CommitTime{})
		},
		"completed": func(f *fixture) error {
			return f.Commit(f.tb.Context(), accepted(f.tb, partOf("open", at(3*time.Hour), 0)), CommitTime{})
		},
		"queued file completed": func(f *fixture) error {
			return f.Commit(f.tb.Context(), accepted(f.tb, partOf("bad", at(2*time.Minute), 0)), CommitTime{})
		},
		"quarantined": func(f *fixture) error {
			return f.Commit(f.tb.Context(), quarantined(f.tb, partOf("new", at(4*time.Minute), 6, 5)), CommitTime{})
		},
		"events": func(f *fixture) error {
			return f.Commit(f.tb.Context(), accepted(f.tb, eventPart(partOf("e", at(time.Minute), 2), numbers(0, 500)...)), CommitTime{})
		},
		"enqueue": func(f *fixture) error { return f.EnqueueAndPass(f.tb.Context(), whole("worse", at(time.Hour))) },
		"update": func(f *fixture) error {
			return f.UpdateQueued(f.tb.Context(), QueuedFile{File: ref("bad", at(3*time.Minute)), NextLine: 1, Reason: "other"})
		},
		"remove": func(f *fixture) error { return f.RemoveQueued(f.tb.Context(), "bad") },
		"open":   func(f *fixture) error { return f.RemoveOpen(f.tb.Context(), "open") },
		"poll":   func(f *fixture) error { return f.PollComplete(f.tb.Context(), Live, at(time.Hour), floor, Reading{}) },
		"gap":    func(f *fixture) error { return f.PassGap(f.tb.Context(), Live, at(time.Hour), Reading{}) },
		"suspected": func(f *fixture) error {
			return f.SetSuspected(f.tb.Context(), Live, &SuspectedGap{From: floor, To: at(1)})
		},
		"correct": func(f *fixture) error { return f.Correct(f.tb.Context(), Live, floor, time.Time{}) },
		"split":   func(f *fixture) error { return f.Split(f.tb.Context(), at(9*time.Hour)) },
		"end":     func(f *fixture) error { return f.End(f.tb.Context(), Live) },
		"marked":  func(f *fixture) error { return f.MarkCompleted(f.tb.Context(), "digest", at(time.Minute)) },
		"forget":  func(f *fixture) error { return f.ForgetImplausible(f.tb.Context(), func(string) bool { return false }) },
	}
	for name, change := range changes {
		t.Run(name, func(t *testing.T) {
			f := live(t)
			f.done("done", at(30*time.Second))
			f.begin("open", at(time.Minute), 4)
			f.enqueue(whole("bad", at(2*time.Minute)))
			f.commitPart(accepted(t, partOf("odd", time.Time{}, 0)))
			before := shown(f.Stream)
			f.memory.setErr = errDisk
			for range 2 {
				err := change(f)
				require.ErrorIs(t, err, errDisk)
				require.ErrorContains(t, err, testKey)
				assert.Equal(t, before, shown(f.Stream))
			}
			f.memory.setErr = nil
			require.NoError(t, change(f))
			after := shown(f.Stream)
			assert.NotEqual(t, before, after)
			f.requireNoLeftovers()
			f.reload()
			assert.Equal(t, after, shown(f.Stream))
		})
	}
}

// A reader is not held up by a writer that waits for storage.
func TestReadersDoNotWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := live(t)
		release := make(chan struct{})
		f.memory.wait = func() { <-release }
		receipt := accepted(t, partOf("a", at(time.Minute), 0))
		var writer sync.WaitGroup
		writer.Go(func() { assert.NoError(t, f.Commit(t.Context(), receipt, CommitTime{})) })
		synctest.Wait()
		assert.False(t, f.IsCompleted("a"), "shows before it is stored")
		assert.Equal(t, floor, f.cursor())
		f.SeenEvent(deliver.Event{ID: 1})
		assert.NotEmpty(t, f.String())
		close(release)
		writer.Wait()
		assert.True(t, f.IsCompleted("a"))
	})
}

// Writers and readers of all kinds may run at once.
func TestConcurrentUse(t *testing.T) {
	f := live(t)
	var all sync.WaitGroup
	for i := range 4 {
		var receipts []deliver.Receipt
		for n := range 50 {
			id := fmt.Sprintf("%d-%d", i, n)
			receipts = append(receipts, accepted(t, eventPart(partOf(id, at(time.Duration(n+1)*time.Hour), 0), 1000*i+n)))
		}
		all.Go(func() {
			for n, receipt := range receipts {
				assert.NoError(t, f.Commit(t.Context(), receipt, CommitTime{}))
				assert.NoError(t, f.EnqueueAndPass(t.Context(), whole(fmt.Sprintf("bad-%d-%d", i, n), at(time.Duration(n)*time.Hour))))
			}
		})
		all.Go(func() {
			for n := range 500 {
				f.SeenEvent(event(nil, n))
				f.IsCompleted(strconv.Itoa(n))
				f.ResumeLine("bad-1-1", "")
				_, _, _, _ = f.Queue(), f.OpenFiles(), f.Segments(), f.String()
			}
		})
	}
	all.Wait()
	assert.Equal(t, at(50*time.Hour), f.cursor())
	assert.Len(t, f.completed, 200)
	files, _ := f.QueueCounts()
	assert.Equal(t, 200, files)
}

// Close can be called for no stream.
func TestClose(*testing.T) {
	var none *Stream
	none.Close()
}

func TestString(t *testing.T) {
	f := live(t)
	f.done("a", at(time.Minute))
	f.enqueue(whole("z", at(2*time.Minute)))
	assert.Equal(t, "cursor 2026-08-02T00:02:00Z from 2026-08-02T00:00:00Z; 0 open files; queued: 1 files, 0 records", f.String())
}

// Completed files are remembered while any listing may name them, and no longer. So the
// checkpoint stays small.
func TestCompletedFilesAge(t *testing.T) {
	f := live(t)
	const perDay = 144
	most := 0
	for i := range 10_000 {
		end := at(time.Duration(i+1) * 10 * time.Minute)
		f.done(strconv.Itoa(i), end)
		if i%100 == 0 {
			require.NoError(t, f.PollComplete(t.Context(), Live, end, f.cursor(), Reading{}))
		}
		most = max(most, len(f.memory.data[testKey+"/"+f.term.ID]))
	}
	for i := 10_000 - 31*perDay; i < 10_000; i++ {
		require.True(t, f.IsCompleted(strconv.Itoa(i)), "file %d is forgotten while the API may list it", i)
	}
	assert.LessOrEqual(t, len(f.completed), 31*perDay+2*completedBlock+100)
	assert.Less(t, most, 16_000)
	f.requireNoLeftovers()
	f.reload()
	assert.True(t, f.IsCompleted("9999"))
	assert.False(t, f.IsCompleted("0"))
}

// The list base, too, keeps completed files: the next poll lists from there.
func TestListBaseKeepsCompleted(t *testing.T) {
	f := live(t)
	for i := range 6000 {
		f.done(strconv.Itoa(i), at(time.Duration(i+1)*10*time.Minute))
	}
	f.reload()
	assert.True(t, f.IsCompleted("0"))
	require.NoError(t, f.PollComplete(t.Context(), Live, at(6000*10*time.Minute), f.cursor(), Reading{}))
	assert.False(t, f.IsCompleted("0"))
	assert.True(t, f.IsCompleted("5999"))
}

// A file that was completed twice is forgotten with its younger entry.
func TestCompletedTwice(t *testing.T) {
	c := completedFiles{}
	a, b := completedFile{hash: FileHash{1}, end: 1}, completedFile{hash: FileHash{1}, end: 2}
	c.add([]completedFile{a, b})
	c.remove([]completedFile{a})
	assert.Len(t, c, 1)
	c.remove([]completedFile{b, b})
	assert.Empty(t, c)
}

// The hashes of two streams have nothing in common; those of one survive a restart.
func TestHashKeys(t *testing.T) {
	f, other := live(t), live(t)
	e := f.NewEvent("id", []byte("line"))
	assert.NotEqual(t, e, other.NewEvent("id", []byte("line")))
	f.reload()
	assert.Equal(t, e, f.NewEvent("id", []byte("line")))
	assert.Equal(t, e.ID, f.NewEvent("id", []byte("other")).ID)
	assert.NotEqual(t, e.Content, f.NewEvent("id", []byte("other")).Content)
	assert.NotEqual(t, f.NewEvent("ab", []byte("c")).Content, f.NewEvent("a", []byte("bc")).Content)
	assert.NotEqual(t, fmt.Sprint(f.current().HashKey), fmt.Sprint(HashKey{}))
}
