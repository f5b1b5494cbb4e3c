// Copyright The OpenTelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package collect

import (
	"context"
	"errors"
	"fmt"
	"time"

	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/openaicompliance/openaicompliancereceiver/internal/checkpoint"
	"github.com/openaicompliance/openaicompliancereceiver/internal/compliance"
	"github.com/openaicompliance/openaicompliancereceiver/internal/deliver"
	"github.com/openaicompliance/openaicompliancereceiver/internal/record"
	"github.com/openaicompliance/openaicompliancereceiver/internal/wait"
)

// suspicionLasts is how long a gap stays suspected before it is reported as such.
const suspicionLasts = 24 * time.Hour

var (
	errSuspected   = errors.New("check for data gaps: one clock says that files have expired, the other does not")
	faultSuspected = Fault{
		Scope: ScopeType, Label: "gap_suspected",
		Hint: "correct the collector's clock; until the clocks agree a data gap is neither confirmed nor excluded",
	}
)

// checkGap reports the file time that the API forgot before it was listed: what
// follows the stored listed_through, or the pages of this listing with the end_time of
// the last one, which files of the next page may share. Both clocks must agree on
// that; while one alone says so, the gap is suspected, stored and shown.
func (l *lister) checkGap(ctx context.Context) error {
	if gap, ok := l.suspectedGap(); ok {
		return l.decideSuspected(ctx, gap)
	}
	s := l.stream
	seg, ok := s.checkpoint.Segment(l.part)
	if !ok || seg.Checked.Local.IsZero() {
		return nil
	}
	known, slack := notBefore(seg.ListedThrough, seg.From), time.Duration(0)
	if known.Equal(seg.From) {
		slack = firstSlack
	}
	from := notBefore(l.reached.Add(-tick), known)
	listed := shifted(seg.Checked, from.Sub(known))
	switch agreeOn(retention+slack, listed, l.clocks) {
	case verdictYes:
		return l.passGap(ctx, from, forgotten(earlierOf(l.clocks), seg), record.GapRetention)
	case verdictSuspected:
		gap := &checkpoint.SuspectedGap{
			Part: l.part, From: from, To: forgotten(laterOf(l.clocks), seg), Checked: listed, Since: l.clocks,
		}
		if !gap.To.After(gap.From) {
			return nil
		}
		s.deps.Observer.HeldBy(s.id, HoldSuspected, Hold{Err: errSuspected, Fault: faultSuspected})
		return s.store(ctx, func(ctx context.Context) error { return s.checkpoint.SetSuspected(ctx, l.part, gap) })
	}
	return nil
}

// firstSlack is how much of the time after the floor may expire before the first
// page is listed: a first run from the oldest file would else always report a gap.
const firstSlack = time.Minute

// shifted is a reading some time later.
func shifted(r checkpoint.Reading, by time.Duration) checkpoint.Reading {
	r.Local = r.Local.Add(by)
	if !r.Server.IsZero() {
		r.Server = r.Server.Add(by)
	}
	return r
}

// readingAt is the reading that belongs to a file time: the clocks as they were when
// it was now.
func readingAt(at time.Time, clocks checkpoint.Reading) checkpoint.Reading {
	return shifted(clocks, at.Sub(earlierOf(clocks)))
}

// forgotten is the end_time up to which the API serves nothing of a segment any
// more at now.
func forgotten(now time.Time, seg checkpoint.Segment) time.Time {
	to := now.Add(-retention).Truncate(tick)
	if !seg.To.IsZero() && to.After(seg.To) {
		return seg.To
	}
	return to
}

// decideSuspected confirms or drops a suspected gap once the clocks agree, and
// reports it as suspected when they have not for a day. What is confirmed ends where
// the clocks now say: more may have expired since, and the clock that suspected it may
// have been far ahead.
func (l *lister) decideSuspected(ctx context.Context, gap checkpoint.SuspectedGap) error {
	s := l.stream
	verdict := agreeOn(retention, gap.Checked, l.clocks)
	if verdict == verdictSuspected && advanced(gap.Since, l.clocks) < suspicionLasts {
		s.deps.Observer.HeldBy(s.id, HoldSuspected, Hold{Err: errSuspected, Fault: faultSuspected})
		return nil
	}
	s.deps.Observer.HeldBy(s.id, HoldSuspected, Hold{})
	if verdict == verdictSuspected {
		if err := l.passGap(ctx, gap.From, gap.To, record.GapSuspected); err != nil {
			return err
		}
		return s.store(ctx, func(ctx context.Context) error { return s.checkpoint.SetSuspected(ctx, l.part, nil) })
	}
	if err := s.store(ctx, func(ctx context.Context) error { return s.checkpoint.WithdrawSuspected(ctx, l.part) }); err != nil {
		return err
	}
	if verdict == verdictNo {
		return nil
	}
	seg, _ := s.checkpoint.Segment(l.part)
	return l.passGap(ctx, gap.From, forgotten(earlierOf(l.clocks), seg), record.GapRetention)
}

// advanced is how far both clocks have gone on.
func advanced(since, now checkpoint.Reading) time.Duration {
	local := now.Local.Sub(since.Local)
	if since.Server.IsZero() || now.Server.IsZero() {
		return local
	}
	return min(local, now.Server.Sub(since.Server))
}

// passGap reports a gap and lets the checkpoint pass it. The clocks stored with it
// are those of the time that it ends at.
func (l *lister) passGap(ctx context.Context, from, to time.Time, reason string) error {
	s := l.stream
	if !to.After(from) {
		return nil
	}
	if err := s.reportGap(ctx, record.Gap{From: from, To: to, Reason: reason}, compliance.File{}); err != nil {
		return err
	}
	aged := readingAt(to, l.clocks)
	if seg, _ := s.checkpoint.Segment(l.part); !to.After(seg.ListedThrough) {
		return nil
	}
	return s.store(ctx, func(ctx context.Context) error { return s.checkpoint.PassGap(ctx, l.part, to, aged) })
}

func (l *lister) suspectedGap() (checkpoint.SuspectedGap, bool) {
	for _, gap := range l.stream.checkpoint.Suspected() {
		if gap.Part == l.part {
			return gap, true
		}
	}
	return checkpoint.SuspectedGap{}, false
}

// reportGap delivers the record that puts a gap in sight, and counts it. After a
// crash before the gap is stored it is reported again, with the same uid.
func (s *Stream) reportGap(ctx context.Context, gap record.Gap, file compliance.File) error {
	report := GapReport{
		Reason: gap.Reason, From: gap.From, To: gap.To, File: file, FromLine: gap.FirstLine, ToLine: gap.LastLine,
	}
	observed := time.Now()
	call := deliver.Call{Records: 1, Build: func() plog.Logs { return record.NewMapper(s.set.Source).Gap(gap, observed) }}
	backOff := wait.NewBackOff(storeRetry)
	for {
		err := s.offerGap(ctx, call)
		if err == nil {
			break
		}
		if deliver.IsPermanent(err) {
			report.Rejected = true
			break
		}
		pause, _ := backOff.Next(0)
		if err := wait.Sleep(ctx, pause); err != nil {
			return fmt.Errorf("report data gap: %w", err)
		}
	}
	s.deps.Observer.GapReported(ctx, s.id, report)
	return s.noteGap(ctx, gap)
}

// offerGap makes one call, under the delivery lock.
func (s *Stream) offerGap(ctx context.Context, call deliver.Call) error {
	if err := s.lock.Acquire(ctx, deliver.TurnLive); err != nil {
		return fmt.Errorf("report data gap: %w", err)
	}
	defer s.lock.Release()
	calls, done := s.deps.Detach(ctx)
	defer done()
	_, err := s.consumer.OfferOnce(calls, call)
	return err
}
