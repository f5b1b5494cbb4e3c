// Copyright The OpenTelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package collect

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/openaicompliance/openaicompliancereceiver/internal/checkpoint"
)

// FirstRun fixes the bounds of all streams that have none yet, once the API has
// answered the first list request of any of them: a wrong clock of ours alone must
// not choose what is collected.
type FirstRun struct {
	turn    chan struct{} // holds a token while no stream asks, or the one that does is slow
	fixing  chan struct{} // holds a token while no stream fixes bounds
	streams []*Stream     // without bounds
}

// firstAskPatience is how long the first request of one type keeps the others waiting.
const firstAskPatience = 5 * time.Second

// NewFirstRun knows no stream yet.
func NewFirstRun() *FirstRun {
	f := &FirstRun{turn: make(chan struct{}, 1), fixing: make(chan struct{}, 1)}
	f.turn <- struct{}{}
	f.fixing <- struct{}{}
	return f
}

// Add names a stream. It is called before any stream runs.
func (f *FirstRun) Add(s *Stream) { f.streams = append(f.streams, s) }

// awaitBounds returns once the stream has its bounds.
func (s *Stream) awaitBounds(ctx context.Context) error {
	for {
		if s.hasBounds() {
			return nil
		}
		began, changed := time.Now(), s.changed.wait()
		key, _ := s.deps.API.Key.Key()
		fixed, err := s.deps.FirstRun.ask(ctx, s)
		if fixed {
			return nil
		}
		fault := s.classifier.Classify(err)
		if err != nil {
			s.reportPoll(ctx, PollReport{Part: checkpoint.Live, Err: err, Fault: fault})
		}
		if fault.Scope != ScopeKey {
			key = ""
		}
		if err := s.awaitNextAsk(ctx, changed, s.set.Polls.Next(began, time.Now()), key); err != nil {
			return err
		}
	}
}

// hasBounds reports whether the bounds are fixed. A floor that is later than both clocks
// was fixed by a wrong one, and is fixed again.
func (s *Stream) hasBounds() bool {
	bounds, ok := s.checkpoint.Bounds()
	return ok && !bounds.Floor.After(laterOf(s.deps.Clocks.Read()))
}

// awaitNextAsk waits for a change of the segments, for a time, or for another key
// than the denied one; an empty key is none.
func (s *Stream) awaitNextAsk(ctx context.Context, changed <-chan struct{}, at time.Time, denied string) error {
	for !isClosed(changed) {
		remaining := time.Until(at)
		if denied != "" {
			s.deps.API.Key.Refresh()
			if key, err := s.deps.API.Key.Key(); err == nil && key != denied {
				return nil
			}
			remaining = min(remaining, s.set.Times.KeyCheck)
		}
		if remaining <= 0 {
			return ctx.Err()
		}
		if err := awaitChange(ctx, changed, remaining); err != nil {
			return err
		}
	}
	return ctx.Err()
}

// awaitChange waits for a change, at most for so long.
func awaitChange(ctx context.Context, changed <-chan struct{}, most time.Duration) error {
	timer := time.NewTimer(most)
	defer timer.Stop()
	select {
	case <-changed:
	case <-timer.C:
	case <-ctx.Done():
	}
	return ctx.Err()
}

// ask makes one list request for a stream without bounds, unless another stream's
// answer has fixed them meanwhile.
func (f *FirstRun) ask(ctx context.Context, s *Stream) (fixed bool, err error) {
	select {
	case <-f.turn:
		release := sync.OnceFunc(func() { f.turn <- struct{}{} })
		defer release()
		defer time.AfterFunc(firstAskPatience, release).Stop()
	case <-ctx.Done():
		return false, ctx.Err()
	}
	if s.hasBounds() {
		return true, nil
	}
	if err := s.deps.Keys.mayAsk(s.deps.API.Key); err != nil {
		return false, err
	}
	first := s.checkpoint.FirstRun()
	bounds, err := s.set.Bounds(first, earlierTime(first.Clock, s.deps.Clocks.Read().Local))
	if err != nil {
		return false, f.refuse(s, err)
	}
	if _, fault, err := s.tryPage(ctx, s.deps.API.Pages(s.id.EventType, bounds.Floor, bounds.Until, nil)); err != nil {
		s.pauseRequests(fault, time.Second)
		return false, err
	}
	select {
	case <-f.fixing:
		f.fix(ctx)
		f.fixing <- struct{}{}
	case <-ctx.Done():
		return false, ctx.Err()
	}
	_, fixed = s.checkpoint.Bounds()
	return fixed, nil
}

// fix resolves the bounds of all streams at the earliest of three clocks: the one
// that Start stored, ours, and the answer's Date.
func (f *FirstRun) fix(ctx context.Context) {
	for _, s := range f.streams {
		if s.hasBounds() {
			continue
		}
		first, clocks := s.checkpoint.FirstRun(), s.deps.Clocks.Read()
		bounds, err := s.set.Bounds(first, earlierTime(first.Clock, earlierOf(clocks)))
		if err != nil {
			_ = f.refuse(s, err)
			continue
		}
		if bounds.Floor.Before(earliestTime) {
			bounds.Floor = earliestTime
		}
		err = s.store(ctx, func(ctx context.Context) error { return s.checkpoint.FixBounds(ctx, bounds) })
		if err != nil {
			continue // the stream asks again
		}
		s.deps.Observer.HeldBy(s.id, HoldBounds, Hold{})
		fields := []Field{{"start_from", first.StartFrom}, {"floor", bounds.Floor}, {"until", bounds.Until}}
		if s.id.Replay == "" {
			fields = append(fields, Field{"hint", hintFirstRun})
		}
		s.note(NoteInfo, "first run, collecting files from here", fields...)
		s.changed.broadcast()
		s.markBeginning(ctx, checkpoint.Live, clocks)
		s.markBeginning(ctx, checkpoint.History, clocks)
	}
}

func earlierTime(a, b time.Time) time.Time {
	if a.Before(b) {
		return a
	}
	return b
}

// markBeginning stores the clocks with the beginning of a segment: what expires from
// now on before it is listed is a gap.
func (s *Stream) markBeginning(ctx context.Context, part checkpoint.Part, clocks checkpoint.Reading) {
	if seg, ok := s.checkpoint.Segment(part); ok {
		_ = s.store(ctx, func(ctx context.Context) error {
			return s.checkpoint.PassGap(ctx, part, seg.From, readingAt(seg.From, clocks))
		})
	}
}

// refuse reports bounds that cannot be resolved.
func (f *FirstRun) refuse(s *Stream, err error) error {
	err = fmt.Errorf("resolve bounds: %w", err)
	s.deps.Observer.HeldBy(s.id, HoldBounds, Hold{Err: err, Fault: Fault{
		Scope: ScopeType, Label: "bounds", Hint: "correct start_from, until or the replay's from and to",
	}})
	return err
}
