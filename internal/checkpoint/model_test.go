// Copyright The OpenTelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package checkpoint

import (
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/openaicompliance/openaicompliancereceiver/internal/deliver"
)

// listedFile is a file as the API has it, and what became of it.
type listedFile struct {
	id        string
	end       time.Time
	broken    bool  // cannot be downloaded at present
	poison    []int // lines that are rejected at present
	delivered []int // how often the delivery of each line was stored
	completed int
}

// model drives a stream as the receiver does, through random faults, against an API that
// it holds itself.
type model struct {
	*fixture
	rng    *rand.Rand
	files  []*listedFile
	now    time.Time
	cursor time.Time
	kills  int // after a failed write
	// seen counts the situations that a run is to reach, so that none proves nothing.
	seen map[string]int
}

// errRestart ends a poll: the process was killed.
var errRestart = errors.New("restart")

var modelSeeds = flag.Uint64("model-seeds", 60, "how many random runs TestModel makes")

const modelOverlap = time.Hour

func (m *model) chance(percent int) bool { return m.rng.IntN(100) < percent }

func (m *model) upTo(d time.Duration) time.Duration {
	return time.Duration(m.rng.Int64N(d.Microseconds())+1) * time.Microsecond
}

// publish adds files: newer ones, ties, and late ones within the overlap.
func (m *model) publish() {
	for range m.rng.IntN(4) {
		if m.chance(70) {
			m.now = m.now.Add(m.upTo(20 * time.Minute))
		} else if m.now.After(floor) {
			m.seen["tie"]++
		}
		m.add(max(m.now.Sub(floor), time.Microsecond))
	}
	if width := m.now.Sub(m.listFrom()); width > 0 && m.chance(30) {
		m.add(m.listFrom().Sub(floor) + m.upTo(width))
		m.seen["late"]++
	}
}

func (m *model) add(end time.Duration) {
	file := &listedFile{id: fmt.Sprintf("file-%d", len(m.files)), end: at(end), broken: m.chance(10), delivered: make([]int, m.rng.IntN(10))}
	for line := range file.delivered {
		if m.chance(5) {
			file.poison = append(file.poison, line+1)
		}
	}
	m.files = append(m.files, file)
}

func (m *model) listFrom() time.Time {
	seg, _ := m.Segment(Live)
	return latest(seg.From, seg.ListBase.Add(-modelOverlap))
}

// poll lists and delivers what is neither completed nor queued, oldest first, and then
// tries the retry queue.
func (m *model) poll() error {
	from, base := m.listFrom(), m.cursor
	listing := slices.Clone(m.files)
	slices.SortStableFunc(listing, func(a, b *listedFile) int { return a.end.Compare(b.end) })
	for _, file := range listing {
		if queued, _ := m.Queued(file.id); queued.NextLine > 0 || !file.end.After(from) || m.IsCompleted(file.id) {
			continue
		}
		if m.chance(3) {
			m.seen["killed between files"]++
			return errRestart
		}
		if err := m.file(file); err != nil {
			return err
		}
	}
	if err := m.write(func() error { return m.PollComplete(m.tb.Context(), Live, m.now, base, Reading{}) }, func() {}); err != nil {
		return err
	}
	return m.retry()
}

func (m *model) retry() error {
	for _, queued := range m.Queue() {
		file := m.files[slices.IndexFunc(m.files, func(f *listedFile) bool { return f.id == queued.File.ID })]
		if queued.NextLine > 0 {
			if err := m.file(file); err != nil {
				return err
			}
			continue
		}
		for _, lines := range queued.Lines {
			for line := lines.From; line < lines.To; line++ {
				m.seen["line retried"]++
				if err := m.commitModel(file, 0, line); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

// file delivers a file from where it is to be resumed.
func (m *model) file(file *listedFile) error {
	if file.broken {
		m.seen["queued"]++
		return m.write(func() error { return m.EnqueueAndPass(m.tb.Context(), whole(file.id, file.end)) }, func() {})
	}
	next, _, changed := m.ResumeLine(file.id, "sha-"+file.id)
	require.False(m.tb, changed)
	for first := next; next > 0; first = next {
		next = min(first+1+m.rng.IntN(4), len(file.delivered)+1)
		if slices.Contains(file.poison, first) {
			next = first + 1
		} else if i := slices.IndexFunc(file.poison, func(line int) bool { return line > first && line < next }); i >= 0 {
			next = file.poison[i]
		}
		var lines []int
		for line := first; line < next; line++ {
			lines = append(lines, line)
		}
		if next > len(file.delivered) {
			next = 0
		}
		if err := m.commitModel(file, next, lines...); err != nil {
			return err
		}
		if next > 0 && m.chance(10) {
			m.seen["killed inside a file"]++
			return errRestart
		}
		if next > 0 && m.chance(3) {
			file.broken = true
			m.seen["open file queued"]++
			return m.write(func() error { return m.EnqueueAndPass(m.tb.Context(), whole(file.id, file.end)) }, func() {})
		}
	}
	return nil
}

// commitModel stores the outcome of some lines, of which either all are rejected or none.
func (m *model) commitModel(file *listedFile, next int, lines ...int) error {
	part := partOf(file.id, file.end, next, lines...)
	receipt := deliver.Receipt{}
	rejected := len(lines) > 0 && slices.Contains(file.poison, lines[0])
	if rejected {
		m.seen["line queued"]++
		receipt = quarantined(m.tb, part)
	} else {
		receipt = accepted(m.tb, part)
	}
	wasCompleted := m.IsCompleted(file.id)
	return m.write(func() error { return m.Commit(m.tb.Context(), receipt, CommitTime{Now: m.now}) }, func() {
		for _, line := range lines {
			if !rejected {
				file.delivered[line-1]++
			}
		}
		if next == 0 && !wasCompleted && m.IsCompleted(file.id) {
			file.completed++
		}
	})
}

// write stores a change with faults: a Set that fails, one that fails after it took
// effect, and a kill after either. stored is called once the change shows or, after a
// kill, when it was stored anyway.
func (m *model) write(store func() error, stored func()) error {
	for m.chance(15) {
		took := m.chance(50)
		if took {
			m.memory.afterSet = errDisk
		} else {
			m.memory.setErr = errDisk
		}
		require.ErrorIs(m.tb, store(), errDisk)
		m.memory.setErr, m.memory.afterSet = nil, nil
		m.seen["failed write"]++
		if m.chance(40) {
			m.seen["killed after a failed write"]++
			m.kills++
			before := shown(m.Stream)
			m.reload()
			if shown(m.Stream) != before {
				m.seen["stored anyway"]++
				stored()
			}
			return errRestart
		}
	}
	require.NoError(m.tb, store())
	stored()
	return nil
}

// check holds after every step.
func (m *model) check() {
	seg, _ := m.Segment(Live)
	require.False(m.tb, seg.Cursor.Before(m.cursor), "the cursor moved back")
	m.cursor = seg.Cursor
	for _, file := range m.files {
		require.LessOrEqual(m.tb, file.completed, 1, "%s completed twice", file.id)
		for line, times := range file.delivered {
			require.LessOrEqual(m.tb, times, 1, "line %d of %s delivered twice", line+1, file.id)
		}
	}
}

// finish repairs everything and polls until nothing is left to do.
func (m *model) finish() {
	repair := func() {
		for _, file := range m.files {
			file.broken, file.poison = false, nil
		}
	}
	for repair(); m.poll() != nil || m.HasPendingWork(); repair() {
		m.reload()
		m.check()
	}
	m.check()
	for _, file := range m.files {
		require.True(m.tb, m.IsCompleted(file.id), "%s, which ended at %v: %v", file.id, file.end, m)
		for line, times := range file.delivered {
			require.Equal(m.tb, 1, times, "line %d of %s", line+1, file.id)
		}
	}
	// A kill between block and checkpoint leaves the block.
	require.LessOrEqual(m.tb, len(m.memory.data), len(blocksNamed(m.Stream))+m.kills)
}

// Whatever fails and whenever the process is killed, every line is delivered exactly
// once.
func TestModel(t *testing.T) {
	seen := map[string]int{}
	for seed := range *modelSeeds {
		m := &model{fixture: live(t), rng: rand.New(rand.NewPCG(seed, 7)), now: floor, cursor: floor, seen: seen}
		for range 60 {
			m.publish()
			for _, file := range m.files {
				file.broken = file.broken && m.chance(80)
				if m.chance(20) {
					file.poison = nil
				}
			}
			if m.poll() != nil || m.chance(20) {
				m.reload()
			}
			m.check()
		}
		m.finish()
	}
	for _, situation := range []string{
		"tie", "late", "queued", "open file queued", "line queued", "line retried", "failed write", "stored anyway",
		"killed between files", "killed inside a file", "killed after a failed write",
	} {
		assert.GreaterOrEqual(t, seen[situation], 50, situation)
	}
}
