// Copyright The OpenTelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package collect

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/openaicompliance/openaicompliancereceiver/internal/checkpoint"
	"github.com/openaicompliance/openaicompliancereceiver/internal/deliver"
	"github.com/openaicompliance/openaicompliancereceiver/internal/wait"
)

// clockCheck is how often a wait for a time of day looks at the clock, which may be
// set, or stand still while a machine sleeps.
const clockCheck = time.Minute

// segment polls one segment of a stream. Its goroutine owns it.
type segment struct {
	stream *Stream
	part   checkpoint.Part
	worker *worker
	// prev is how the last poll ended; nil before the first of a run.
	prev  *PollResult
	fresh freshness
	// denied is set while the API denies the key to this stream.
	denied denial
}

// denial is a key that the API denied with 401 or 403, and until when this segment
// asks nothing with it.
type denial struct {
	key   string
	until time.Time
}

func (s *Stream) newSegment(part checkpoint.Part) *segment {
	return &segment{stream: s, part: part, worker: s.newWorker(turnOf(part))}
}

// turnOf is the turn of a segment's worker.
func turnOf(part checkpoint.Part) deliver.Turn {
	if part == checkpoint.History {
		return deliver.TurnHistory
	}
	return deliver.TurnLive
}

// run polls until ctx ends or the stream has reached its upper bound. History waits
// where there is none.
func (g *segment) run(ctx context.Context) {
	s := g.stream
	for ctx.Err() == nil && !s.checkpoint.Ended() {
		changed := s.changed.wait()
		seg, ok := g.state()
		if !ok {
			g.prev = nil
			select {
			case <-changed:
			case <-ctx.Done():
			}
			continue
		}
		poll := PlanPoll(g.prev, seg, s.deps.Clocks.Read(), g.plan())
		if !g.awaitPoll(ctx, poll.At) {
			continue
		}
		result := g.poll(ctx, poll.begin(time.Now()))
		if ctx.Err() != nil {
			return
		}
		g.closeIfDone(ctx, &result)
		g.prev = &result
	}
}

// state of the segment; ok is false where the stream has none.
func (g *segment) state() (state SegmentState, ok bool) {
	s := g.stream
	seg, ok := s.checkpoint.Segment(g.part)
	if !ok {
		return state, false
	}
	state = SegmentState{Segment: seg, Pending: s.checkpoint.HasPendingWork(), Now: time.Now()}
	for _, open := range s.checkpoint.OpenFiles() {
		end := open.File.EndTime
		if !open.Implausible && seg.Contains(end) && (state.OldestOpen.IsZero() || end.Before(state.OldestOpen)) {
			state.OldestOpen = end
		}
	}
	return state, true
}

func (g *segment) plan() PlanSettings {
	s := g.stream
	return PlanSettings{Overlap: s.set.Polls.Overlap, Next: s.set.Polls.Next, Part: g.part, Replay: s.id.Replay != ""}
}

// awaitPoll returns true once the poll is due, and false when the plan may have
// changed.
func (g *segment) awaitPoll(ctx context.Context, at time.Time) bool {
	s := g.stream
	if denied := g.denied.until; denied.After(at) {
		at = denied
	}
	remaining := time.Until(at)
	if remaining <= 0 {
		err := s.deps.Keys.mayAsk(s.deps.API.Key)
		if err == nil {
			return true
		}
		g.reportDenied(ctx, err)
		remaining = s.set.Times.KeyCheck
	}
	remaining = min(remaining, clockCheck)
	if g.denied.key != "" {
		remaining = min(remaining, s.set.Times.KeyCheck)
		s.deps.API.Key.Refresh()
		if key, err := s.deps.API.Key.Key(); err == nil && key != g.denied.key {
			g.denied, g.prev = denial{}, restarted(g.prev)
			return false
		}
	}
	_ = wait.Sleep(ctx, remaining)
	return false
}

// restarted lets the next poll begin at once.
func restarted(prev *PollResult) *PollResult {
	if prev == nil {
		return nil
	}
	next := *prev
	next.Poll.At, next.Ended = time.Time{}, time.Time{}
	return &next
}

// reportDenied reports a first poll that does not take place, since another stream
// has been denied with the same key.
func (g *segment) reportDenied(ctx context.Context, err error) {
	s := g.stream
	if g.prev == nil && g.part == checkpoint.Live && g.denied.key == "" {
		s.reportPoll(ctx, PollReport{Part: g.part, Err: err, Fault: s.classifier.Classify(err)})
	}
	g.denied.key, _ = s.deps.API.Key.Key()
}

// reportPoll reports a poll without a request.
func (s *Stream) reportPoll(ctx context.Context, report PollReport) {
	_, end := s.deps.Observer.StartPoll(ctx, s.id)
	end(report)
}

// poll carries out one listing cycle.
func (g *segment) poll(ctx context.Context, poll Poll) PollResult {
	s := g.stream
	cut := func() {}
	requests := ctx
	if s.set.Polls.Timeout > 0 {
		requests, cut = context.WithTimeout(ctx, s.set.Polls.Timeout)
	}
	defer cut()
	requests, end := s.deps.Observer.StartPoll(requests, s.id)
	run := &pollRun{segment: g, poll: &poll, lister: s.newLister(g.part, &poll), cut: requests.Done()}
	run.prefetch = s.newPrefetcher(g.part)
	defer run.prefetch.cancelAll()
	defer s.claims.releaseAll(g.worker.turn)

	err := run.listAll(ctx, requests)
	if err != nil && ctx.Err() == nil && requests.Err() != nil {
		err = g.cutOrFailed(run, err)
	}
	var split bool
	if errors.Is(err, errSplit) {
		split, err = true, nil
	}
	result := PollResult{Poll: poll, Ended: time.Now(), Again: split, LastDeep: g.lastDeep()}
	result.Stuck = run.stuck
	if err == nil && !split {
		err = g.complete(ctx, run, &result)
	}
	if answered := !poll.Began.Local.IsZero(); err != nil && answered {
		result.Resume = run.lister.resumePoint(run.rest)
	}
	result.Poll = poll
	var newest *time.Time
	if err == nil && !split && g.part == checkpoint.Live && s.id.Replay == "" {
		newest = g.checkFreshness(requests, run.delivered > 0)
	}
	fault := s.classifier.Classify(err)
	if fault.Scope == ScopeKey && fault.Retry == RetryNextPoll {
		g.denied.key, _ = s.deps.API.Key.Key()
		g.denied.until = time.Now().Add(s.set.Times.Denied)
	} else {
		g.denied = denial{}
	}
	run.showProgress()
	end(PollReport{
		Part: g.part, Err: err, Fault: fault, Files: run.delivered, Canceled: ctx.Err() != nil, Checkpoint: s.checkpoint.String(), Newest: newest,
	})
	return result
}

// cutOrFailed is what a poll ends with that poll_timeout has ended: a cut, or, where
// no page was answered, the fault that is retried within a poll.
func (g *segment) cutOrFailed(run *pollRun, err error) error {
	s := g.stream
	fault := s.classifier.Classify(err)
	if run.lister.answered || fault.Retry != RetryNow {
		return errCut
	}
	s.deps.Observer.RequestFailed(s.id, fault, err)
	return err
}

func (g *segment) stuckAt() StuckFile {
	if g.prev == nil {
		return StuckFile{}
	}
	return g.prev.Stuck
}

func (g *segment) lastDeep() time.Time {
	if g.prev == nil {
		return time.Time{}
	}
	return g.prev.LastDeep
}

// complete stores that everything was listed to its end.
func (g *segment) complete(ctx context.Context, run *pollRun, result *PollResult) error {
	s, poll := g.stream, run.poll
	if poll.Kind == PollDeep {
		result.LastDeep = poll.Since
	}
	through := earlierOf(poll.Began).Truncate(tick)
	if err := s.store(ctx, func(ctx context.Context) error {
		return s.checkpoint.PollComplete(ctx, g.part, through, poll.Base, poll.Began)
	}); err != nil {
		return err
	}
	result.Complete = true
	return g.tidy(ctx, run)
}

// tidy forgets implausible files that are no longer listed, and sends files to the
// retry queue that were delivered in part and are no longer listed: it finds out
// whether they have expired.
func (g *segment) tidy(ctx context.Context, run *pollRun) error {
	s := g.stream
	if g.part != checkpoint.Live {
		return nil
	}
	listed := func(id string) bool { return run.lister.listed[id] }
	if err := s.store(ctx, func(ctx context.Context) error { return s.checkpoint.ForgetImplausible(ctx, listed) }); err != nil {
		return err
	}
	for _, open := range s.checkpoint.OpenFiles() {
		if listed(open.File.ID) || !expiredAt(open, s.deps.Clocks.Read()) {
			continue
		}
		open.Reason, open.Cause, open.Since = "no longer listed", "expired", s.deps.Clocks.Read().Local
		if err := s.enqueue(ctx, open); err != nil {
			return err
		}
	}
	return nil
}

// closeIfDone ends a segment with an upper bound once a full poll has found nothing
// new.
func (g *segment) closeIfDone(ctx context.Context, result *PollResult) {
	s := g.stream
	state, ok := g.state()
	if !ok || !segmentIsDone(*result, state, g.plan()) {
		return
	}
	if err := s.store(ctx, func(ctx context.Context) error { return s.checkpoint.End(ctx, g.part) }); err != nil {
		return
	}
	s.note(NoteInfo, "segment complete", Field{"from", state.From}, Field{"to", state.To})
	s.deps.Observer.Progress(s.id, Progress{Part: g.part})
	s.changed.broadcast()
}

// pollRun is one poll under way.
type pollRun struct {
	segment   *segment
	poll      *Poll
	lister    *lister
	prefetch  *prefetcher
	cut       <-chan struct{} // closed when poll_timeout is over
	rest      []listedFile    // of the current page, not settled
	delivered int
	stuck     StuckFile // set when the first file ends the poll
}

// errSplit ends a poll whose segment was split.
var errSplit = errors.New("the segment was split")

// listAll settles every file of every page. requests bounds the requests, ctx
// everything else.
func (r *pollRun) listAll(ctx, requests context.Context) error {
	s := r.segment.stream
	for first := true; ; first = false {
		if limit := s.set.Polls.MaxPages; limit > 0 && r.lister.pages >= limit {
			return errCut
		}
		files, err := r.lister.nextPage(requests)
		if isEnd(err) {
			return nil
		}
		if err != nil {
			return err
		}
		if first {
			if err := r.correct(ctx); err != nil {
				return err
			}
			if err := r.splitBacklog(ctx); err != nil {
				return err
			}
		}
		if err := r.settlePage(ctx, requests, files); err != nil {
			return err
		}
	}
}

// correct sets stored times back that are later than both clocks, now that an answer
// has told the server's: before the first one of a run ours alone may be behind.
// Completed files are known by id, so nothing repeats.
func (r *pollRun) correct(ctx context.Context) error {
	s := r.segment.stream
	if !r.poll.Correct {
		return nil
	}
	seg, _ := s.checkpoint.Segment(r.segment.part)
	if !tooLate(seg, r.lister.clocks) {
		r.poll.Base = seg.Cursor
		return nil
	}
	r.poll.Base = correctedBase(seg, r.lister.clocks)
	s.note(NoteError, "stored cursor is later than both clocks", Field{"corrected_to", r.poll.Base})
	return s.store(ctx, func(ctx context.Context) error {
		return s.checkpoint.Correct(ctx, r.segment.part, r.poll.Base, r.poll.Base)
	})
}

// splitBacklog makes history of what live has not reached for long, after an
// outage: new files need not wait for old ones.
func (r *pollRun) splitBacklog(ctx context.Context) error {
	s := r.segment.stream
	seg, _ := s.checkpoint.Segment(r.segment.part)
	at := splitAt(seg, earlierOf(r.poll.Began), r.segment.plan())
	if at.IsZero() {
		return nil
	}
	s.note(NoteInfo, "backlog detected, collecting new files first", Field{"cursor", seg.Cursor}, Field{"live_from", at})
	if err := s.store(ctx, func(ctx context.Context) error { return s.checkpoint.Split(ctx, at) }); err != nil {
		return fmt.Errorf("split segment: %w", err)
	}
	s.markBeginning(ctx, checkpoint.Live, r.poll.Began)
	s.changed.broadcast()
	return errSplit
}

// settlePage delivers the files of a page in order, or sends them to the retry
// queue.
func (r *pollRun) settlePage(ctx, requests context.Context, files []listedFile) error {
	r.rest = files
	r.prefetch.load(files)
	for len(r.rest) > 0 {
		r.showProgress()
		file := r.rest[0]
		if !r.segment.stream.checkpoint.IsCompleted(file.ID) {
			if err := r.settleFile(ctx, requests, file); err != nil {
				return fmt.Errorf("file %q: %w", file.ID, err)
			}
		}
		r.rest = r.rest[1:]
		r.prefetch.settled()
		if isClosed(r.cut) && ctx.Err() == nil {
			return errCut
		}
	}
	return nil
}

// settleFile brings one file to its end: delivered, or in the retry queue.
func (r *pollRun) settleFile(ctx, requests context.Context, file listedFile) error {
	s := r.segment.stream
	for {
		if hold, ok := s.deps.Contact.hold(); ok {
			if done, err := r.holdBefore(ctx, requests, file, hold); done || err != nil {
				return err
			}
		}
		body, err := r.prefetch.next(requests)
		if err == nil {
			err = r.deliver(ctx, file, body)
			body.release()
			if errors.Is(err, errEvicted) {
				r.prefetch.restart()
				continue
			}
			return err
		}
		fault := s.classifier.Classify(err)
		switch {
		case ctx.Err() != nil:
			return err
		case requests.Err() != nil && r.isStuck(file):
			err, fault = errSlow, s.classifier.Classify(errSlow)
		case requests.Err() != nil:
			return err
		case !queues(fault) && (fault.Scope != ScopeNetwork || !r.isStuck(file)):
			return err
		}
		if fault.OtherDigest && s.set.Fetch.Strict && s.otherDigest(file, err, fault) {
			continue
		}
		if !s.faults.add(file.ID, fault.Label) {
			r.prefetch.dropFirst()
			return s.queue.add(ctx, file, err, fault.Label)
		}
		s.deps.Observer.HeldBy(s.id, HoldFiles, Hold{Err: err, Fault: fault})
		if done, err := r.holdBefore(ctx, requests, file, s.faults.hold(fault)); done || err != nil {
			return err
		}
	}
}

// holdBefore holds the stream before a file. It returns true when the file was
// delivered meanwhile.
func (r *pollRun) holdBefore(ctx, requests context.Context, file listedFile, hold fileHold) (done bool, err error) {
	if err := r.holdForFiles(ctx, requests, hold); err != nil {
		return false, err
	}
	if r.segment.stream.checkpoint.IsCompleted(file.ID) {
		return true, nil
	}
	r.prefetch.restart()
	return false, nil
}

// otherDigest takes note of a file that has another digest than listed, and reports
// whether all streams hold for it.
func (s *Stream) otherDigest(file listedFile, err error, fault Fault) bool {
	fault.Scope, fault.Hint = ScopeNetwork, hintDigests
	if s.deps.Contact.mismatch(file.ID, fault) {
		s.deps.Observer.HeldBy(StreamID{}, HoldDigests, Hold{Err: err, Fault: fault})
	}
	return s.deps.Contact.holds()
}

// queues reports whether a file that failed so waits in the retry queue, while the
// files after it go on.
func queues(fault Fault) bool { return fault.Scope == ScopeFile || fault.Scope == ScopeHost }

// isStuck takes note of a file that ends the poll: poll_timeout ended its download, or
// the API's download route or the proxy gave no answer for it. It reports whether the
// polls, which list, do not come past it.
func (r *pollRun) isStuck(file listedFile) bool {
	if r.delivered > 0 || !r.prefetch.tried() {
		return false
	}
	r.stuck = r.segment.stuckAt().again(file.ID)
	return r.stuck.Polls >= fetchTries
}

func (r *pollRun) deliver(ctx context.Context, file listedFile, body *body) error {
	s := r.segment.stream
	s.fileVerified()
	err := r.segment.worker.transfer(ctx, transferJob{
		file: file, body: body, cut: r.cut, accepted: r.prefetch.accepted,
	})
	if err != nil {
		return err
	}
	r.delivered++
	r.poll.Delivered = true
	s.fileDelivered(ctx, file, body)
	return nil
}

// fileDelivered takes note of a file that was delivered whole.
func (s *Stream) fileDelivered(ctx context.Context, file listedFile, body *body) {
	s.verifier.forget(file.ID)
	outcome := fileOutcome(file, body)
	if outcome == FileUnverified {
		s.note(NoteWarn, "file delivered unverified", Field{"file_id", file.ID}, Field{"listed_sha256", file.SHA256}, Field{"sha256", body.sha256})
	}
	s.deps.Observer.FileDone(ctx, s.id, outcome)
}

func fileOutcome(file listedFile, body *body) string {
	switch {
	case !body.verified:
		return FileUnverified
	case file.late:
		return FileLate
	}
	return FileDelivered
}

// showProgress brings the gauges up to date.
func (r *pollRun) showProgress() {
	s := r.segment.stream
	progress := Progress{Part: r.segment.part, PendingFiles: len(r.rest)}
	if len(r.rest) > 0 {
		progress.OldestEnd = r.rest[0].EndTime
	}
	if seg, ok := s.checkpoint.Segment(checkpoint.Live); ok && !seg.ListBase.IsZero() && seg.ListedThrough.After(seg.From) {
		progress.DeliveredThrough = notBefore(seg.Cursor, seg.ListedThrough)
	}
	progress.QuarantinedFiles, progress.QuarantinedRecords = s.checkpoint.QueueCounts()
	if oldest := s.checkpoint.OldestQueued(); progress.OldestEnd.IsZero() || !oldest.IsZero() && oldest.Before(progress.OldestEnd) {
		progress.OldestEnd = oldest
	}
	s.deps.Observer.Progress(s.id, progress)
}

func isClosed(ch <-chan struct{}) bool {
	select {
	case <-ch:
		return true
	default:
		return false
	}
}
