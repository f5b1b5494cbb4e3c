// Copyright The OpenTelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package checkpoint

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// sweepSteps are some changes of every kind of storage call, one after the other.
func sweepSteps(t *testing.T) []func(s *Stream) error {
	t.Helper()
	commit := func(s *Stream, id string, hour, next int, events ...int) error {
		part := eventPart(partOf(id, at(time.Duration(hour)*time.Hour), next), events...)
		return s.Commit(t.Context(), accepted(t, part), CommitTime{Now: floor})
	}
	steps := []func(s *Stream) error{
		func(s *Stream) error { return s.FixBounds(t.Context(), Bounds{Floor: floor}) },
		func(s *Stream) error { return commit(s, "open", 1, 5, numbers(0, 90)...) },
		func(s *Stream) error { return s.EnqueueAndPass(t.Context(), whole("open", at(time.Hour))) },
		func(s *Stream) error { return s.EnqueueAndPass(t.Context(), whole("bad", at(2*time.Hour))) },
	}
	for hour := 2; hour < 80; hour += 6 { // blocks are written and age
		steps = append(steps, func(s *Stream) error {
			return commit(s, fmt.Sprint("file-", hour), hour, 0, numbers(10*hour, 10*hour+60)...)
		})
	}
	return append(steps,
		func(s *Stream) error { return commit(s, "open", 1, 0) },
		func(s *Stream) error { return s.RemoveQueued(t.Context(), "bad") },
		func(s *Stream) error {
			return s.PollComplete(t.Context(), Live, at(81*time.Hour), at(80*time.Hour), Reading{})
		},
	)
}

// The process stops at every storage call of its life, from Create on, in turn. What is
// stored then loads, and is what showed before the change under way or after it.
func TestStopAtEveryCall(t *testing.T) {
	steps := sweepSteps(t)
	for stop := 1; ; stop++ {
		m := newMemory()
		m.failAfter, m.killed = stop, true
		before, after, finished := runSteps(t, m, steps)
		m.failAfter = 0
		s, err := Load(t.Context(), m, testKey, daySettings)
		require.NoError(t, err, "stopped at call %d", stop)
		if s == nil {
			require.Empty(t, before, "call %d: a stream is gone", stop)
			continue
		}
		require.Contains(t, []string{before, after}, shown(s), "stopped at call %d", stop)
		// The rest can still be done.
		if _, ok := s.Bounds(); ok {
			require.NoError(t, s.MarkCompleted(t.Context(), "last", at(90*time.Hour)))
		}
		if finished {
			require.Greater(t, stop, 60)
			return
		}
	}
}

// runSteps creates a stream, makes all changes and restarts after each, until storage
// stops. It returns what showed before the call that failed, and what that call would
// have made of it.
func runSteps(t *testing.T, m *memory, steps []func(*Stream) error) (before, after string, finished bool) {
	t.Helper()
	s, err := Create(t.Context(), m, testKey, firstRun, daySettings)
	if err != nil {
		return "", fresh(m), false
	}
	for _, step := range steps {
		// before and after of a step without faults, on a copy.
		before = shown(s)
		healthy := &Stream{
			writing: make(chan struct{}, 1),
			client:  m.clone(), key: s.key, set: s.set, term: s.term, state: s.current(),
			completed: completedFiles{}, events: seenEvents{},
		}
		require.NoError(t, healthy.readIndexes(t.Context(), s.current()))
		require.NoError(t, step(healthy))
		after = shown(healthy)
		if err := step(s); err != nil {
			return before, after, false
		}
		if s, err = Load(t.Context(), m, testKey, daySettings); err != nil {
			return after, after, false
		}
	}
	return shown(s), shown(s), m.calls < m.failAfter
}

// fresh is what the checkpoint of a new stream shows, whose hash key is random; empty
// when there is none.
func fresh(m *memory) string {
	c := m.clone()
	s, err := Load(context.Background(), c, testKey, daySettings)
	if err != nil || s == nil {
		return ""
	}
	return shown(s)
}

// One storage call fails, at every place in turn. The caller tries again: the result is
// that of a run without faults, and nothing is left over.
func TestFailAtEveryCall(t *testing.T) {
	steps := sweepSteps(t)
	for fail := 1; ; fail++ {
		m := newMemory()
		m.failAfter = fail
		var s *Stream
		again := func(what string, do func() error) {
			if err := do(); err != nil {
				require.ErrorIs(t, err, errKilled, "%s, call %d", what, fail)
				require.NoError(t, do(), "%s after call %d", what, fail)
			}
		}
		again("create", func() (err error) { s, err = Create(t.Context(), m, testKey, firstRun, daySettings); return err })
		for i, step := range steps {
			again(fmt.Sprint("step ", i), func() error { return step(s) })
		}
		calls := m.calls
		again("load", func() (err error) { s, err = Load(t.Context(), m, testKey, daySettings); return err })
		require.True(t, s.IsCompleted("open"))
		require.True(t, s.IsCompleted("file-74"))
		require.Empty(t, s.Queue())
		again("mark", func() error { return s.MarkCompleted(t.Context(), "last", at(90*time.Hour)) })
		again("mark", func() error { return s.MarkCompleted(t.Context(), "very last", at(90*time.Hour)) })
		named := blocksNamed(s)
		for key := range m.data {
			// A Load or Create that fails between its two writes leaves one checkpoint.
			assert.True(t, named[key] || len(key) == len(testKey)+1+32, "call %d left %s", fail, key)
		}
		assert.LessOrEqual(t, len(m.data), len(named)+1)
		if fail > calls+30 {
			return
		}
	}
}
