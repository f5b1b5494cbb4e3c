// Copyright The OpenTelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package receiver

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"go.uber.org/zap"

	"github.com/openaicompliance/openaicompliancereceiver/internal/checkpoint"
	"github.com/openaicompliance/openaicompliancereceiver/internal/deliver"
	"github.com/openaicompliance/openaicompliancereceiver/internal/record"
	"github.com/openaicompliance/openaicompliancereceiver/internal/wait"
)

// keyRefusedInterval is the shortest wait between passes while the key is refused.
const keyRefusedInterval = 5 * time.Minute

// lookInterval is how often a stream looks whether a refused key has changed.
const lookInterval = 10 * time.Second

// stream collects one event type, or one for a replay. But for what it shares with
// the others, its fields are its own.
type stream struct {
	shared
	eventType string
	// name among the streams of the receiver.
	name string
	// replay names the replay that the stream is for, empty for collection.
	replay   string
	logger   *zap.Logger
	fresh    *freshness
	verifier *verifier

	// live collects new files, history what lies before them while there is such
	// a part. Within a stream one file at a time is in delivery.
	live, history *lane

	cadence cadence

	// refusedKey is the key that the API refused last; before refusedUntil it is
	// asked nothing with it.
	refusedKey   string
	refusedUntil time.Time

	// passes counts this run's.
	passes int
	// flowing is set while the next consumer accepts: files are fetched ahead then.
	flowing bool
	// serverDate is the last answer's Date, and when it came by the local clock.
	serverDate, serverDateAt time.Time
	// abandoned is set when Shutdown had to leave this stream behind.
	abandoned *atomic.Bool

	// refusedTried is when the records set aside were last tried.
	refusedTried    time.Time
	refusedInterval time.Duration
	// heldLong is the constant of this name, but for tests.
	heldLong time.Duration

	mu sync.Mutex // guards the lanes' downloads

	mapper   *record.Mapper
	batch    batch
	deliver  *deliver.Deliverer
	again    *deliver.Deliverer // of records that were set aside
	progress *checkpoint.Stream

	// calls bounds the calls to the next consumer and to storage: it outlives
	// the context of run for as long as Shutdown gives them.
	calls context.Context
	// running is the context of run: writes of the position outlast a pass.
	running context.Context
}

// run collects until ctx ends or the stream's upper bound is reached.
func (s *stream) run(ctx context.Context) {
	s.running = ctx
	s.live = &lane{stream: s, part: checkpoint.Live}
	s.history = &lane{stream: s, part: checkpoint.History}
	defer s.dropAhead()
	if wait.Sleep(ctx, s.cfg.InitialDelay) != nil {
		return
	}
	for ctx.Err() == nil {
		s.live.advance(ctx)
		s.history.advance(ctx)
		s.live.refill()
		s.tellFreshness()
		if s.progress.Ended() {
			break
		}
		if l, f := s.await(ctx); l != nil {
			l.settle(ctx, f)
		}
	}
	if s.progress.Ended() {
		s.logger.Info("Everything up to the upper bound is collected: the stream ends.")
		s.health.ended(s.name)
	}
}

// await waits for the first download of a lane to end, the live one's first, or
// for a pass to be due.
func (s *stream) await(ctx context.Context) (*lane, *fetching) {
	timer := time.NewTimer(s.nextLook())
	defer timer.Stop()
	live, history := s.live.first(), s.history.first()
	if live.ended() {
		return s.live, live
	}
	select {
	case <-live.doneChan():
		return s.live, live
	case <-history.doneChan():
		return s.history, history
	case <-timer.C:
	case <-ctx.Done():
	}
	return nil, nil
}

// nextLook is how long to wait for a pass to be due, or for a look at a refused
// key.
func (s *stream) nextLook() time.Duration {
	next := clockCheck
	if s.refusedKey != "" && time.Now().Before(s.refusedUntil) {
		next = lookInterval
		if key, err := s.api.Key.Key(); err == nil && key != s.refusedKey {
			s.refusedUntil, s.live.due, s.history.due = time.Time{}, time.Now(), time.Now()
		}
	}
	for _, l := range []*lane{s.live, s.history} {
		if l.pass != nil || !l.exists() {
			continue
		}
		next = min(next, time.Until(latest(l.due, s.refusedUntil))) // by the clock that advance goes by
	}
	return next
}

// dropAhead abandons every download under way, so that the stream holds nothing
// that others may wait for.
func (s *stream) dropAhead() {
	s.live.drop(0)
	s.history.drop(0)
}

// setServerTime takes note of an answer's Date.
func (s *stream) setServerTime(date time.Time) {
	s.telemetry.serverTime(date)
	if !date.IsZero() {
		s.serverDate, s.serverDateAt = date, time.Now()
	}
}

// serverTime is the server's clock, zero while it has not been told.
func (s *stream) serverTime() time.Time {
	if s.serverDate.IsZero() {
		return time.Time{}
	}
	return s.serverDate.Add(time.Since(s.serverDateAt))
}

// report logs the outcome of a pass, once.
func (s *stream) report(part checkpoint.Part, p *pass, err error) {
	if part == checkpoint.Live && s.replay == "" {
		s.health.passEnded(s.eventType, err)
		s.first.ended(s.eventType, err, p.tally.delivered)
	}
	if err == nil {
		s.logger.Debug("Pass complete.", zap.Stringer("position", s.progress))
		return
	}
	s.logger.Warn("Pass ended early; the next one goes on from the stored position.",
		zap.Error(err), zap.String("advice", advice(err, s.eventType)))
}
