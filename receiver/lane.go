// Copyright The OpenTelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package receiver

import (
	"context"
	"errors"
	"fmt"
	"time"

	"go.uber.org/zap"

	"github.com/openaicompliance/openaicompliancereceiver/internal/checkpoint"
	"github.com/openaicompliance/openaicompliancereceiver/internal/compliance"
	"github.com/openaicompliance/openaicompliancereceiver/internal/pace"
)

// lane works on one segment of a stream: it passes over its listing, downloads
// ahead and keeps the files in order. It belongs to the stream's goroutine.
type lane struct {
	stream *stream
	part   checkpoint.Part

	// pass is the one under way, nil between two; due is when the next begins.
	pass *pass
	due  time.Time
	// deepListed is when the last complete deep pass began. It measures waiting
	// only.
	deepListed time.Time
	// whole is set when the next pass is to list all of the segment, atOnce when it
	// is to begin without waiting.
	whole, atOnce bool
	// leftOff is the last pass, if it has ended early and is to be gone on with.
	leftOff *pass
	// passBy is set when the next pass leaves out what is set aside, since the last
	// one came to nothing else.
	passBy bool
	// stuck counts the passes that ended at the file stuckOn.
	stuckOn string
	stuck   int
	// failed is the error of the first file's try ahead of its turn: it is tried
	// again by itself.
	failed error

	// ahead holds the downloads of the queue's first files. The stream's mutex
	// guards it.
	ahead []*fetching
}

// exists reports whether the stream has this part, and has not ended.
func (l *lane) exists() bool {
	_, ok := l.stream.progress.Segment(l.part)
	return ok && !l.stream.progress.Ended()
}

// advance begins the pass that is due and brings it to where a file is on its way,
// or to its end.
func (l *lane) advance(ctx context.Context) {
	for ctx.Err() == nil && l.exists() {
		if l.pass == nil {
			if time.Now().Before(latest(l.due, l.stream.refusedUntil)) {
				return
			}
			l.pass = l.newPass(ctx)
		}
		if l.pass.overdue() {
			l.end(ctx, errCut)
			continue
		}
		if len(l.pass.queue) > 0 {
			l.fill()
			return
		}
		switch {
		case l.pass.ended:
			l.end(ctx, errors.Join(l.complete(ctx), l.pass.tally.verdict()))
		case l.stream.cfg.MaxPages > 0 && l.pass.pages >= l.stream.cfg.MaxPages:
			l.end(ctx, errCut)
		default:
			if err := l.nextPage(ctx); err != nil && (!l.pass.overdue() || !l.pass.answered) {
				l.end(ctx, err)
			}
		}
	}
}

// errCut ends a pass by poll_timeout or max_pages. It is no failure, unless the API
// answered no request.
var errCut = errors.New("the pass was cut by poll_timeout or max_pages")

// fill keeps downloads of the queue's first files on their way: one, and several
// while the next consumer accepts and nothing fails. Only the first is tried again
// while others are ahead: none of them may hold memory that it waits for.
func (l *lane) fill() {
	s := l.stream
	s.mu.Lock()
	defer s.mu.Unlock()
	depth := 1
	if s.flowing && l.failed == nil && (len(l.ahead) == 0 || !l.ahead[0].patient) {
		depth = min(s.cfg.Download.Concurrency, len(l.pass.queue))
	}
	for i := len(l.ahead); i < depth; i++ {
		file := l.pass.queue[i]
		patient := depth == 1 && !s.progress.Quarantined(file.ID)
		var before *fetching
		if i > 0 {
			before = l.ahead[i-1]
		}
		l.ahead = append(l.ahead, s.fetch(l.pass.ctx, file, l.rank(), l.pass.number, patient, l.failed, before))
	}
}

// refill begins the downloads again that the other lane had to drop.
func (l *lane) refill() {
	if l.pass != nil && len(l.pass.queue) > 0 {
		l.fill()
	}
}

// rank of the lane's downloads.
func (l *lane) rank() pace.Rank {
	s := l.stream
	segment, _ := s.progress.Segment(l.part)
	old := !segment.To.IsZero() && segment.To.Before(s.serverTime().Add(-liveReach))
	switch {
	case l.part == checkpoint.History || old:
		return pace.History
	case s.eventType == "AUTH_LOG" || s.eventType == "AUDIT_LOG":
		return pace.First
	}
	return pace.Live
}

// expiringWithin is how near its expiry a file outranks all others.
const expiringWithin = 24 * time.Hour

// rankOf ranks a download of a stream. serverTime is zero while the server has not
// told its clock.
func (s *stream) rankOf(part pace.Rank, file compliance.File) pace.Rank {
	now := s.serverTime()
	if s.replay != "" {
		return pace.Replay
	}
	if !now.IsZero() && file.EndTime.Before(now.Add(expiringWithin-retention)) {
		return pace.Expiring
	}
	return part
}

// first is the download that the lane waits for; nil when there is none.
func (l *lane) first() *fetching {
	l.stream.mu.Lock()
	defer l.stream.mu.Unlock()
	if len(l.ahead) == 0 {
		return nil
	}
	return l.ahead[0]
}

// drop abandons the downloads from the n-th on; fill begins them again.
func (l *lane) drop(n int) {
	l.stream.mu.Lock()
	var dropped []*fetching
	if n < len(l.ahead) {
		dropped = l.ahead[n:]
		l.ahead = l.ahead[:n:n]
	}
	l.stream.mu.Unlock()
	for _, f := range dropped {
		f.abandon()
	}
}

// settle brings the first file to its end, now that its download has ended.
func (l *lane) settle(ctx context.Context, f *fetching) {
	s := l.stream
	got, memory, err := f.await()
	if err != nil && !f.patient && !s.progress.Quarantined(f.file.ID) && s.download.again(err, 1) && ctx.Err() == nil {
		l.failed = err
		f.finish(err)
		l.drop(0)
		return
	}
	err = l.file(ctx, f, got, memory, err)
	f.finish(err)
	switch {
	case errors.Is(err, errResume):
		l.drop(0)
	case err != nil && l.pass.overdue():
		l.end(ctx, errCut)
	case err != nil:
		l.end(ctx, fmt.Errorf("file %q: %w", f.file.ID, err))
	default:
		l.pop()
	}
}

// pop takes the first file off the queue.
func (l *lane) pop() {
	l.failed = nil
	l.pass.queue = l.pass.queue[1:]
	l.stream.mu.Lock()
	defer l.stream.mu.Unlock()
	l.ahead = l.ahead[1:]
}

// end closes the pass, for good or for what err says, and plans the next one.
func (l *lane) end(ctx context.Context, err error) {
	s, p := l.stream, l.pass
	l.drop(0)
	l.pass, l.failed, l.passBy = nil, nil, p.spent
	if (p.answered || p.resumed) && !p.through {
		l.leftOff = p
	}
	if errors.Is(err, errCut) {
		s.logger.Info("Pass cut by poll_timeout or max_pages; the next one goes on from the stored position.")
		err = nil
	}
	p.finish(errors.Join(err, ctx.Err()))
	if ctx.Err() != nil {
		return
	}
	defer func() { l.atOnce = false }()
	s.report(l.part, p, err)
	l.due = s.cadence.next(p.started, time.Now())
	switch {
	case keyRefused(err):
		s.refusedKey, s.refusedUntil = p.keyUsed, time.Now().Add(keyRefusedInterval)
	case err == nil && l.atOnce:
		l.due = time.Now()
	}
}

// complete ends a pass that listed everything: it reports the unfinished files
// that the API has stopped serving, stores how far the listing reached, tries what
// was set aside and closes a segment that is done.
func (l *lane) complete(ctx context.Context) error {
	s, p := l.stream, l.pass
	if p.kind == passDeep {
		l.deepListed = p.since
	}
	if !p.began.IsZero() { // without the server's clock no file's age is known
		if err := s.reportAllExpired(ctx, l.part, p); err != nil {
			return err
		}
		if err := s.store(ctx, func(ctx context.Context) error { return s.progress.SetListedThrough(ctx, l.part, p.began) }); err != nil {
			return err
		}
	}
	p.through = true
	if l.part == checkpoint.Live {
		if err := s.retryRefused(ctx, p); err != nil {
			return err
		}
	}
	return l.close(ctx)
}

// close ends a segment that has an upper bound once a pass over all of it, late
// enough, has found nothing new. Live, with which the stream ends, waits for
// history and for what is set aside.
func (l *lane) close(ctx context.Context) error {
	s, p := l.stream, l.pass
	segment, _ := s.progress.Segment(l.part)
	if segment.To.IsZero() || p.began.Before(segment.To.Add(s.cfg.Overlap)) {
		return nil
	}
	clean := p.kind == passWhole && !p.fresh
	l.whole, l.atOnce = !clean, true
	if clean && l.part == checkpoint.Live && s.progress.Unfinished() {
		l.whole, l.atOnce = true, false
		return nil
	}
	if !clean {
		return nil
	}
	if err := s.store(ctx, func(ctx context.Context) error { return s.progress.End(ctx, l.part) }); err != nil {
		return fmt.Errorf("end the segment: %w", err)
	}
	s.logger.Info("Everything up to the boundary is collected.", zap.Time("from", segment.From), zap.Time("to", segment.To))
	return nil
}

func latest(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}
