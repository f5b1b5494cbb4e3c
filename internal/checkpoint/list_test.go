// Copyright The OpenTelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package checkpoint

import (
	"fmt"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// Files are listed from the position less the overlap, never from below the
// floor.
func TestListFrom(t *testing.T) {
	tests := []struct {
		name       string
		keep, done time.Duration
		want       time.Duration
	}{
		{"nothing is done", time.Hour, 0, 0},
		{"overlap reaches below the floor", time.Hour, 59 * time.Minute, 0},
		{"overlap reaches the floor", time.Hour, time.Hour, 0},
		{"position less the overlap", time.Hour, 90 * time.Minute, 30 * time.Minute},
		{"far behind", time.Minute, 240 * time.Hour, 240*time.Hour - time.Minute},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			f := newFixture(t, test.keep)
			if test.done > 0 {
				f.done("a", at(test.done))
			}
			for range 2 {
				from := f.ListFrom(Live, 0)
				assert.WithinRange(t, from, at(test.want-time.Microsecond), at(test.want))
				assert.False(t, from.Before(floor), "below the floor")
				f.reload(test.keep)
			}
		})
	}
}

// An unfinished file is listed until it is finished, however small the overlap
// has become between two runs.
func TestListFromHeldDownByUnfinished(t *testing.T) {
	tests := map[string]func(*fixture){
		"in quarantine":     func(f *fixture) { f.setAside("late", at(3*time.Hour)) },
		"delivered in part": func(f *fixture) { f.begin("late", at(3*time.Hour), 4) },
	}
	for name, leave := range tests {
		for _, keep := range []time.Duration{0, time.Microsecond, time.Minute} {
			t.Run(fmt.Sprintf("%s, then overlap %v", name, keep), func(t *testing.T) {
				f := newFixture(t, 4*time.Hour)
				f.done("a", at(6*time.Hour))
				leave(f)
				f.reload(keep)
				assert.True(t, f.listed(at(3*time.Hour)))
				f.done("b", at(7*time.Hour))
				f.done("c", at(20*time.Hour))
				f.reload(keep)
				assert.True(t, f.listed(at(3*time.Hour)), "left behind")
				for id, end := range map[string]time.Duration{"a": 6, "b": 7, "c": 20} {
					assert.True(t, f.Done(id) || !f.listed(at(end*time.Hour)), "%s would come again", id)
				}
				f.done("late", at(3*time.Hour))
				f.done("d", at(21*time.Hour))
				assert.WithinDuration(t, at(21*time.Hour-keep), f.ListFrom(Live, 0), time.Millisecond, "still held down")
			})
		}
	}
}

// A larger overlap lists finished files again, and the ledger knows them all: it
// reaches back further than the API lists.
func TestLargerOverlap(t *testing.T) {
	f := newFixture(t, time.Minute)
	for i := range 100 {
		f.pass(strconv.Itoa(i), at(time.Duration(i+1)*10*time.Minute))
	}
	for _, keep := range []time.Duration{time.Hour, 1000 * time.Hour} {
		f.reload(keep)
		for i := range 100 {
			assert.True(t, f.Done(strconv.Itoa(i)), "file %d would come again", i)
		}
	}
	assert.Equal(t, floor, f.ListFrom(Live, 0))
}

// Without an overlap the other files of the same end_time are still listed: the
// run may have ended between two of them.
func TestTiesWithoutOverlap(t *testing.T) {
	f := newFixture(t, 0)
	f.done("first", at(time.Minute))
	f.reload(0)
	assert.True(t, f.listed(at(time.Minute)), "a second file of this end_time would be lost")
	assert.True(t, f.Done("first"))
}

// While one listing is worked off, no finished file of it is forgotten: the end
// of the file that held the listing down would bring the others again.
func TestFinishedFilesOfOneListing(t *testing.T) {
	tests := map[string]func(*fixture){
		"in quarantine":     func(f *fixture) { f.setAside("late", at(3*time.Hour)) },
		"delivered in part": func(f *fixture) { f.begin("late", at(3*time.Hour), 4) },
	}
	for name, leave := range tests {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t, 4*time.Hour)
			f.done("a", at(4*time.Hour))
			f.done("b", at(6*time.Hour))
			leave(f)
			f.reload(time.Hour)

			from := f.ListFrom(Live, 0)
			require.True(t, from.Before(at(3*time.Hour)))
			f.done("late", at(3*time.Hour))
			assert.True(t, f.Done("a"), "listed from %v and delivered again", from)
			assert.True(t, f.Done("b"))
		})
	}
}

// A ledger of many files holds those that the API may still list, and forgets the
// others: the mark stays small and old blocks are deleted.
func TestLedgerIsPruned(t *testing.T) {
	f := newFixture(t, time.Hour)
	const perDay = 144
	most := 0
	for i := range 10_000 {
		end := at(time.Duration(i+1) * 10 * time.Minute)
		f.pass(strconv.Itoa(i), end)
		most = max(most, len(f.memory.data[testKey]))
	}
	for i := range 10_000 {
		if i >= 10_000-30*perDay {
			assert.True(t, f.Done(strconv.Itoa(i)), "file %d is forgotten while the API may list it", i)
		}
	}
	assert.LessOrEqual(t, f.ledger.ends.n, 31*perDay+2*ledgerBlock)
	assert.Less(t, most, 10_000)
	assert.Less(t, len(f.memory.data), 25)
	assert.Equal(t, at(10_000*10*time.Minute), cursor(f.Stream))
	assert.Empty(t, f.state.Open)
	f.reload(time.Hour)
	assert.True(t, f.Done("9999"))
	assert.False(t, f.Done("0"))
}

// A file in quarantine keeps the ledger from forgetting what is listed with it.
func TestLedgerKeptForQuarantine(t *testing.T) {
	f := newFixture(t, time.Hour)
	f.setAside("bad", at(5*time.Minute))
	for i := range 6000 {
		f.pass(strconv.Itoa(i), at(time.Duration(i+1)*10*time.Minute))
	}
	f.reload(time.Hour)
	for i := range 6000 {
		require.True(t, f.Done(strconv.Itoa(i)))
	}
	f.pass("bad", at(5*time.Minute))
	f.pass("6000", at(6001*10*time.Minute))
	assert.False(t, f.Done("0"))
}

// A block that is missing or damaged is refused, not taken for an empty one.
func TestDamagedBlock(t *testing.T) {
	for name, spoil := range map[string]func(*memory, string){
		"missing": func(m *memory, key string) { delete(m.data, key) },
		"changed": func(m *memory, key string) { m.data[key][100] ^= 1 },
		"cut":     func(m *memory, key string) { m.data[key] = m.data[key][:len(m.data[key])-endForm.size()] },
	} {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t, time.Hour)
			for i := range 300 {
				f.pass(strconv.Itoa(i), at(time.Duration(i+1)*time.Minute))
			}
			spoil(f.memory, blockKey(testKey+"/files", 0))
			_, err := Load(t.Context(), f.memory, testKey, Settings{})
			require.ErrorIs(t, err, ErrDamaged)
		})
	}
}

// A crash between writing a block and writing the mark that names it loses
// nothing: the state is the old one, and the next try writes the block again.
func TestCrashBetweenBlockAndMark(t *testing.T) {
	f := newFixture(t, time.Hour)
	for i := range ledgerBlock - 1 {
		f.done(strconv.Itoa(i), at(time.Duration(i+1)*time.Minute))
	}
	before := f.memory.data[testKey]
	receipt := accepted(t, whole("last", at(ledgerBlock*time.Minute)))
	f.memory.failAfter = 1 // the block is written, the mark is not
	require.Error(t, f.Advance(t.Context(), receipt))
	assert.Equal(t, before, f.memory.data[testKey])
	f.memory.failAfter = 0
	f.reload(time.Hour)
	assert.False(t, f.Done("last"))
	require.NoError(t, f.Advance(t.Context(), receipt))
	f.reload(time.Hour)
	assert.True(t, f.Done("last"))
	assert.True(t, f.Done("0"))
}
