// Copyright The OpenTelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package checkpoint

import (
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// An enqueued file is kept as it is, oldest end_time first.
func TestEnqueue(t *testing.T) {
	f := live(t)
	a, b := whole("a", at(4*time.Minute)), whole("b", at(2*time.Minute))
	f.enqueue(a)
	f.enqueue(b)
	for range 2 {
		assert.Equal(t, []QueuedFile{b, a}, f.Queue())
		got, ok := f.Queued("a")
		assert.True(t, ok)
		assert.Equal(t, a, got)
		_, ok = f.Queued("c")
		assert.False(t, ok)
		files, records := f.QueueCounts()
		assert.Equal(t, [2]int{2, 0}, [2]int{files, records})
		assert.True(t, f.HasPendingWork())
		f.reload()
	}
	require.NoError(t, f.RemoveQueued(t.Context(), "a", "b", "c"))
	require.NoError(t, f.RemoveQueued(t.Context(), "a"))
	assert.Empty(t, f.Queue())
	assert.False(t, f.IsCompleted("a"), "a lost file is not a completed one")
	f.requireNoLeftovers()
	f.reload()
	assert.Empty(t, f.Queue())
}

// The oldest queued file is the one with the earliest known end_time: a file without one,
// or of which only lines are queued, does not count.
func TestOldestQueued(t *testing.T) {
	f := live(t)
	assert.Zero(t, f.OldestQueued())
	f.enqueue(whole("unknown", time.Time{}))
	f.enqueue(QueuedFile{File: ref("lines", at(1)), Lines: []LineRange{{1, 3}}})
	assert.Zero(t, f.OldestQueued())
	f.enqueue(whole("b", at(4*time.Minute)))
	f.enqueue(whole("a", at(2*time.Minute)))
	for range 2 {
		assert.Equal(t, at(2*time.Minute), f.OldestQueued())
		f.reload()
	}
	require.NoError(t, f.RemoveQueued(t.Context(), "a"))
	assert.Equal(t, at(4*time.Minute), f.OldestQueued())
}

// Callers cannot change what the stream holds, nor it what they hold.
func TestQueueIsCopied(t *testing.T) {
	f := live(t)
	file := QueuedFile{File: ref("a", at(1)), Lines: []LineRange{{1, 3}}, Ahead: []int{7}}
	f.enqueue(file)
	file.Lines[0].To = 9
	f.Queue()[0].Lines[0].To = 9
	got, _ := f.Queued("a")
	got.Ahead[0] = 9
	got, _ = f.Queued("a")
	assert.Equal(t, []LineRange{{1, 3}}, got.Lines)
	assert.Equal(t, []int{7}, got.Ahead)
}

// A file that is open is taken over with its next line, digest and lines ahead; it ends
// by its completion.
func TestEnqueueTakesOver(t *testing.T) {
	f := live(t)
	part := partOf("a", at(2*time.Minute), 5)
	part.Ahead = []int{8}
	f.commitPart(accepted(t, part))
	f.enqueue(whole("a", at(2*time.Minute)))
	assert.Empty(t, f.OpenFiles())
	got, _ := f.Queued("a")
	assert.Equal(t, 5, got.NextLine)
	assert.Equal(t, "sha-a", got.SHA256)
	assert.Equal(t, []int{8}, got.Ahead)

	f.begin("a", at(2*time.Minute), 9)
	again := whole("a", at(2*time.Minute))
	again.Reason, again.Since = "other", at(99*time.Hour)
	f.enqueue(again)
	f.reload()
	assert.Empty(t, f.OpenFiles())
	got, _ = f.Queued("a")
	assert.Equal(t, 9, got.NextLine)
	assert.Equal(t, "other", got.Reason)
	assert.Equal(t, at(2*time.Minute), got.Since)
	next, _, changed := f.ResumeLine("a", "sha-a")
	assert.Equal(t, 9, next)
	assert.False(t, changed)

	f.done("a", at(2*time.Minute))
	assert.True(t, f.IsCompleted("a"))
	assert.Empty(t, f.Queue())
	assert.Empty(t, f.OpenFiles())
	require.ErrorIs(t, f.Enqueue(t.Context(), again), errCompleted)
}

// The completion of a queued file moves no cursor: the cursor passed it, or was not to.
func TestQueuedCompletionMovesNoCursor(t *testing.T) {
	f := live(t)
	require.NoError(t, f.Enqueue(t.Context(), whole("a", at(time.Hour))))
	f.done("a", at(time.Hour))
	assert.Equal(t, floor, f.cursor())
	file := whole("odd", at(time.Hour))
	file.Implausible = true
	f.enqueue(file)
	assert.Equal(t, floor, f.cursor())
	f.done("odd", at(time.Hour))
	assert.Equal(t, []string{"odd"}, f.Implausible())
}

// Rejected lines of an open file are queued while the file is delivered; the file
// completes and the lines stay until a retry delivers them.
func TestQuarantinedLines(t *testing.T) {
	f := live(t)
	f.commitPart(accepted(t, partOf("a", at(time.Minute), 5, 1, 2, 4)))
	f.commitPart(quarantined(t, partOf("a", at(time.Minute), 6, 5)))
	f.commitPart(quarantined(t, partOf("a", at(time.Minute), 8, 6)))
	f.commitPart(accepted(t, partOf("a", at(time.Minute), 20, 8, 9)))
	f.commitPart(quarantined(t, partOf("a", at(time.Minute), 21, 20)))
	f.reload()
	next, _, _ := f.ResumeLine("a", "sha-a")
	assert.Equal(t, 21, next)
	entry, _ := f.Queued("a")
	assert.Equal(t, []LineRange{{5, 7}, {20, 21}}, entry.Lines)
	assert.Equal(t, CauseRejected, entry.Cause)
	assert.Equal(t, at(time.Hour), entry.Since)
	files, records := f.QueueCounts()
	assert.Equal(t, [2]int{0, 3}, [2]int{files, records})

	// A retry while the file is still open leaves the offset alone.
	f.commitPart(accepted(t, partOf("a", at(time.Minute), 0, 5)))
	next, _, _ = f.ResumeLine("a", "sha-a")
	assert.Equal(t, 21, next)
	assert.False(t, f.IsCompleted("a"))

	f.done("a", at(time.Minute))
	assert.True(t, f.IsCompleted("a"))
	assert.Equal(t, at(time.Minute), f.cursor())
	f.commitPart(quarantined(t, partOf("a", at(time.Minute), 0, 6)))
	entry, _ = f.Queued("a")
	assert.Equal(t, []LineRange{{6, 7}, {20, 21}}, entry.Lines)
	f.commitPart(dropped(t, partOf("a", at(time.Minute), 0, 6)))
	f.commitPart(accepted(t, partOf("a", at(time.Minute), 0, 20)))
	f.reload()
	assert.Empty(t, f.Queue())
	assert.Empty(t, f.OpenFiles())
	assert.True(t, f.IsCompleted("a"))
}

// A file that is queued whole keeps its rejected lines after its completion.
func TestQuarantinedLinesOfQueuedFile(t *testing.T) {
	f := live(t)
	f.enqueue(whole("a", at(time.Minute)))
	f.commitPart(accepted(t, partOf("a", at(time.Minute), 5, 1, 4)))
	f.commitPart(quarantined(t, partOf("a", at(time.Minute), 6, 5)))
	entry, _ := f.Queued("a")
	assert.Equal(t, 6, entry.NextLine)
	f.done("a", at(time.Minute))
	f.reload()
	entry, _ = f.Queued("a")
	assert.Equal(t, 0, entry.NextLine)
	assert.Equal(t, []LineRange{{5, 6}}, entry.Lines)
	assert.True(t, f.IsCompleted("a"))
	f.commitPart(accepted(t, partOf("a", at(time.Minute), 0, 5)))
	assert.Empty(t, f.Queue())
}

// Lines of other bytes mean nothing: all of the file comes anew.
func TestQuarantinedLinesOfOtherBytes(t *testing.T) {
	f := live(t)
	f.commitPart(quarantined(t, partOf("a", at(time.Minute), 6, 5)))
	other := partOf("a", at(time.Minute), 6, 5)
	other.SHA256 = "other"
	f.commitPart(accepted(t, other))
	assert.Empty(t, f.Queue())
	next, _, _ := f.ResumeLine("a", "other")
	assert.Equal(t, 6, next)
}

// A listing replaces what is known of a queued file, not its progress.
func TestUpdateQueued(t *testing.T) {
	f := live(t)
	f.enqueue(whole("a", at(time.Minute)))
	f.begin("a", at(time.Minute), 7)
	listed := QueuedFile{File: ref("a", at(2*time.Minute)), Reason: strings.Repeat("é", 300), Cause: "digest"}
	listed.File.Size = 99
	require.NoError(t, f.UpdateQueued(t.Context(), listed))
	require.NoError(t, f.UpdateQueued(t.Context(), whole("unknown", at(1))))
	f.reload()
	got, _ := f.Queued("a")
	assert.Equal(t, listed.File, got.File)
	assert.Equal(t, 7, got.NextLine)
	assert.Equal(t, "digest", got.Cause)
	assert.Equal(t, 200, utf8.RuneCountInString(got.Reason))
	assert.Len(t, f.Queue(), 1)
}

// At its bounds the queue takes nothing more and drops nothing.
func TestQueueFull(t *testing.T) {
	f := live(t)
	f.enqueue(QueuedFile{File: ref("lines", at(1)), SHA256: "sha-lines", Lines: manyRanges(MaxQueuedRanges)})
	before := shown(f.Stream)
	require.ErrorIs(t, f.Commit(t.Context(), quarantined(t, partOf("new", at(2), 9, 8)), CommitTime{}), ErrQueueFull)
	require.ErrorIs(t, f.Enqueue(t.Context(), QueuedFile{File: ref("new", at(2)), Lines: []LineRange{{1, 2}}}), ErrQueueFull)
	assert.Equal(t, before, shown(f.Stream))
	require.NoError(t, f.Commit(t.Context(), quarantined(t, partOf("lines", at(1), 0, 1)), CommitTime{}), "no new range")
	require.NoError(t, f.MarkCompleted(t.Context(), "lines", at(1)))
	f.commitPart(accepted(t, partOf("lines", at(1), 0, 1)))
	f.commitPart(quarantined(t, partOf("new", at(2), 9, 8)))

	f = live(t)
	for i := range MaxQueuedFiles {
		f.enqueue(whole(strconv.Itoa(i), at(time.Duration(i+1))))
	}
	require.ErrorIs(t, f.EnqueueAndPass(t.Context(), whole("one more", at(time.Hour))), ErrQueueFull)
	assert.True(t, f.cursor().Before(at(time.Hour)))
	f.enqueue(whole("7", at(time.Minute)))
	f.reload()
	files, _ := f.QueueCounts()
	assert.Equal(t, MaxQueuedFiles, files)
}

// manyRanges are ranges of one line, two apart.
func manyRanges(n int) (ranges []LineRange) {
	for i := range n {
		ranges = append(ranges, LineRange{2*i + 1, 2*i + 2})
	}
	return ranges
}

// A commit that does not change the queue writes none of its blocks.
func TestQueueBlocksAreKept(t *testing.T) {
	f := live(t)
	for i := range 50 {
		f.enqueue(QueuedFile{File: ref(strconv.Itoa(i), at(time.Duration(i))), Lines: manyRanges(100)})
	}
	before := f.current().Queue
	sets := f.memory.sets
	f.done("a", at(time.Hour))
	assert.Equal(t, sets+1, f.memory.sets)
	f.commitPart(accepted(t, partOf("7", at(7), 0, 1)))
	assert.Equal(t, sets+3, f.memory.sets, "one block and the checkpoint")
	changed := 0
	for _, block := range f.current().Queue {
		if !before.names(block.Name) {
			changed++
		}
	}
	assert.Equal(t, 1, changed)
	f.requireNoLeftovers()
}

// The blocks agree with a plain map, whatever is added, replaced and removed.
func TestQueueBlocks(t *testing.T) {
	for seed := range uint64(10) {
		rng := rand.New(rand.NewPCG(seed, 5))
		var q queue
		want := map[string]QueuedFile{}
		for range 500 {
			id := strconv.Itoa(rng.IntN(60))
			if rng.IntN(3) == 0 {
				q = q.without(id)
				delete(want, id)
			} else {
				file := QueuedFile{File: ref(id, at(0)), NextLine: rng.IntN(2), Lines: manyRanges(1 + rng.IntN(400))}
				q = q.with(file)
				want[id] = file
			}
			files, lines := 0, 0
			for id, file := range want {
				got, ok := q.get(id)
				require.True(t, ok)
				require.Equal(t, file, got)
				files, lines = files+min(1, file.NextLine), lines+len(file.Lines)
			}
			gotFiles, gotLines := q.counts()
			require.Equal(t, [3]int{files, lines, lines}, [3]int{gotFiles, gotLines, q.ranges()})
			require.Len(t, q.all(), len(want))
			for i := range q {
				require.NotEmpty(t, q[i].files)
				require.True(t, len(q[i].files) == 1 || q[i].weight() <= maxBlockWeight)
			}
		}
	}
}

// Ranges are sets of lines.
func TestLineRanges(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 1))
	for range 2000 {
		a, b := randomLines(rng), randomLines(rng)
		union, difference := slices.Concat(a, b), slices.DeleteFunc(slices.Clone(a), func(n int) bool { return slices.Contains(b, n) })
		slices.Sort(union)
		ra, rb := rangesOf(a), rangesOf(b)
		require.True(t, validRanges(ra))
		require.Equal(t, len(a), countLines(ra))
		require.Equal(t, rangesOf(slices.Compact(union)), unitedRanges(ra, rb))
		require.Equal(t, rangesOf(difference), rangesWithout(ra, rb))
		require.Equal(t, len(difference) == 0, containsLines(rb, a))
	}
}

func randomLines(rng *rand.Rand) (lines []int) {
	for n := range 20 {
		if rng.IntN(2) == 0 {
			lines = append(lines, n+1)
		}
	}
	return lines
}
