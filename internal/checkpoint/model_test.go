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

	"github.com/stretchr/testify/require"

	"github.com/openaicompliance/openaicompliancereceiver/internal/deliver"
)

// listedFile is a file as the API has it, and what became of it.
type listedFile struct {
	id        string
	end       time.Time
	broken    bool  // cannot be read at present
	delivered []int // how often each line's delivery was stored
	finished  int   // how often its end was stored
}

// model drives a stream as the receiver does, through random faults, against an
// API that it holds itself.
type model struct {
	*fixture
	rng    *rand.Rand
	files  []*listedFile
	now    time.Time
	cursor time.Time
	// seen counts the states that a run is to reach, so that none proves nothing.
	seen map[string]int
}

// errRestart ends a pass: the process was killed.
var errRestart = errors.New("killed")

var modelSeeds = flag.Uint64("model-seeds", 20, "how many random runs TestModel makes of each kind")

func newModel(t *testing.T, seed uint64, keep time.Duration, seen map[string]int) *model {
	t.Helper()
	return &model{fixture: newFixture(t, keep), rng: rand.New(rand.NewPCG(seed, 7)), now: floor, cursor: floor, seen: seen}
}

func (m *model) chance(percent int) bool { return m.rng.IntN(100) < percent }

// upTo is a random time of at least 1 µs and at most d.
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
	lowest := cursor(m.Stream).Add(-m.keep)
	if from := m.ListFrom(Live, 0); from.After(lowest) {
		lowest = from
	}
	if width := cursor(m.Stream).Sub(lowest); width > 0 && m.chance(30) {
		m.add(lowest.Sub(floor) + m.upTo(width))
		m.seen["late"]++
	}
}

func (m *model) add(end time.Duration) {
	m.files = append(m.files, &listedFile{
		id: fmt.Sprintf("file-%d", len(m.files)), end: at(end), broken: m.chance(10), delivered: make([]int, m.rng.IntN(10)),
	})
}

// pass lists from the position and delivers what is not done, oldest first.
func (m *model) pass() error {
	from := m.ListFrom(Live, 0)
	require.False(m.tb, from.Before(floor), "listed below the floor")
	listing := slices.Clone(m.files)
	slices.SortStableFunc(listing, func(a, b *listedFile) int { return a.end.Compare(b.end) })
	for _, file := range listing {
		if !file.end.After(from) || m.Done(file.id) {
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
	return nil
}

func (m *model) file(file *listedFile) error {
	if file.broken {
		m.seen["quarantine"]++
		return m.write(func() error {
			return m.Quarantine(m.tb.Context(), file.id, Quarantined{EndTime: file.end})
		}, func() {})
	}
	line, changed := m.NextLine(file.id, "sha-"+file.id)
	require.False(m.tb, changed)
	for last := false; !last; {
		first := line
		line = min(first+1+m.rng.IntN(4), len(file.delivered)+1)
		last = line > len(file.delivered)
		s := span(file.id, file.end, line)
		if last {
			s = whole(file.id, file.end)
		}
		if err := m.advance(file, first, line, s); err != nil {
			return err
		}
		if !last && m.chance(10) {
			m.seen["killed inside a file"]++
			return errRestart
		}
	}
	return nil
}

func (m *model) advance(file *listedFile, first, next int, s deliver.Span) error {
	receipt := accepted(m.tb, s)
	return m.write(func() error { return m.Advance(m.tb.Context(), receipt) }, func() {
		for line := first; line < next; line++ {
			file.delivered[line-1]++
		}
		if s.Last {
			file.finished++
		}
	})
}

// write stores a change with faults: a Set that fails, one that fails after it
// took effect, and a kill after either. stored is called once the change is.
func (m *model) write(store func() error, stored func()) error {
	applied := false
	for m.chance(15) {
		before, after := errDisk, error(nil)
		if m.chance(50) {
			before, after = nil, errDisk
		}
		m.memory.setErr, m.memory.afterSet = before, after
		require.ErrorIs(m.tb, store(), errDisk)
		m.memory.setErr, m.memory.afterSet = nil, nil
		m.seen["failed write"]++
		if after != nil && !applied {
			applied = true
			stored()
		}
		if m.chance(40) {
			m.seen["killed after a failed write"]++
			return errRestart
		}
	}
	require.NoError(m.tb, store())
	if !applied {
		stored()
	}
	return nil
}

// restart loads the state again, with another overlap now and then. The overlap
// is not made so small that it leaves out a late file that no pass has tried.
func (m *model) restart(overlaps []time.Duration) {
	keep := overlaps[m.rng.IntN(len(overlaps))]
	for _, file := range m.files {
		_, open := m.state.Open[file.id]
		_, aside := m.state.Quarantine[file.id]
		if file.finished == 0 && !open && !aside && file.end.Before(cursor(m.Stream)) && !file.end.After(cursor(m.Stream).Add(-keep)) {
			keep = m.keep
		}
	}
	switch {
	case keep > m.keep:
		m.seen["larger overlap"]++
	case keep < m.keep:
		m.seen["smaller overlap"]++
	}
	m.reload(keep)
}

// check holds after every step.
func (m *model) check() {
	require.False(m.tb, cursor(m.Stream).Before(m.cursor), "the cursor moved back")
	m.cursor = cursor(m.Stream)
	for _, file := range m.files {
		require.LessOrEqual(m.tb, file.finished, 1, "%s delivered twice", file.id)
		for line, times := range file.delivered {
			require.LessOrEqual(m.tb, times, 1, "line %d of %s delivered twice", line+1, file.id)
		}
	}
}

// finish mends everything and passes until nothing is left to do.
func (m *model) finish() {
	for _, file := range m.files {
		file.broken = false
	}
	for m.pass() != nil {
		m.reload(m.keep)
		m.check()
	}
	m.check()
	for _, file := range m.files {
		require.Equal(m.tb, 1, file.finished, "%s, which ended at %v, was not delivered; %v", file.id, file.end, m)
		for line, times := range file.delivered {
			require.Equal(m.tb, 1, times, "line %d of %s", line+1, file.id)
		}
	}
	require.Empty(m.tb, m.state.Open)
	require.Empty(m.tb, m.state.Quarantine)
}

// Whatever fails and whenever the process is killed, every file is delivered
// exactly once.
func TestModel(t *testing.T) {
	for name, overlaps := range map[string][]time.Duration{
		"with an overlap":    {time.Minute, 10 * time.Minute, time.Hour, 5 * time.Hour},
		"without an overlap": {0},
		"mixed":              {0, time.Microsecond, time.Minute, time.Hour},
	} {
		t.Run(name, func(t *testing.T) {
			seen := map[string]int{}
			for seed := range *modelSeeds {
				runModel(t, seed, overlaps, seen)
				if t.Failed() {
					return
				}
			}
			t.Log(seen)
			wanted := []string{"tie", "quarantine", "failed write", "killed between files", "killed inside a file", "killed after a failed write"}
			if len(overlaps) > 1 {
				wanted = append(wanted, "late", "larger overlap", "smaller overlap")
			}
			for _, state := range wanted {
				require.GreaterOrEqual(t, seen[state], 50, state)
			}
		})
	}
}

func runModel(t *testing.T, seed uint64, overlaps []time.Duration, seen map[string]int) {
	t.Helper()
	m := newModel(t, seed, overlaps[0], seen)
	defer func() {
		if t.Failed() {
			t.Logf("seed %d, overlap %v, %v", seed, m.keep, m)
		}
	}()
	for range 60 {
		m.publish()
		for _, file := range m.files {
			file.broken = file.broken && m.chance(80)
		}
		if m.pass() != nil || m.chance(20) {
			m.restart(overlaps)
		}
		m.check()
	}
	m.finish()
}
