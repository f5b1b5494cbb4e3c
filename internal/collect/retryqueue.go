// Copyright The OpenTelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package collect

import (
	"bytes"
	"context"
	"slices"
	"sync"
	"time"

	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/openaicompliance/openaicompliancereceiver/internal/checkpoint"
	"github.com/openaicompliance/openaicompliancereceiver/internal/compliance"
	"github.com/openaicompliance/openaicompliancereceiver/internal/deliver"
	"github.com/openaicompliance/openaicompliancereceiver/internal/jsonl"
	"github.com/openaicompliance/openaicompliancereceiver/internal/limit"
	"github.com/openaicompliance/openaicompliancereceiver/internal/record"
	"github.com/openaicompliance/openaicompliancereceiver/internal/wait"
)

// retryQueue tries again what is quarantined: files that cannot be had, and records
// that the next consumer rejected. What waits is in the checkpoint; tries and next
// tries are in memory.
type retryQueue struct {
	stream *Stream
	worker *worker

	mu    sync.Mutex // guards what follows
	tries map[string]retryState
	// suspended is the cause of a hold: the segment that holds tries its files.
	suspended string
	wake      chan struct{}
}

// retryState is what is known of an entry since the start.
type retryState struct {
	tries int
	next  time.Time
}

func newRetryQueue(s *Stream) *retryQueue {
	q := &retryQueue{stream: s, tries: map[string]retryState{}, wake: make(chan struct{}, 1)}
	q.worker = s.newWorker(deliver.TurnRetry)
	now := time.Now()
	queued := s.checkpoint.Queue()
	for i, entry := range queued { // spread, so that a restart is no burst
		next := now.Add(s.set.Times.QueueFirst * time.Duration(i) / time.Duration(len(queued)))
		if entry.Cause == labelDigest && !s.set.Fetch.Strict {
			next = now // the setting may have been changed for them
		}
		q.tries[entry.File.ID] = retryState{next: next}
	}
	return q
}

// add quarantines a file that failed, in one commit with the cursor that passes it.
func (q *retryQueue) add(ctx context.Context, file listedFile, cause error, label string) error {
	s := q.stream
	defer s.claims.release(file.ID)
	s.deps.Observer.FileDone(ctx, s.id, FileQuarantined)
	s.note(NoteWarn, "file quarantined", Field{"file_id", file.ID}, Field{"end_time", file.EndTime},
		Field{"file_size", file.Size}, Field{"cause", label}, Field{"error", cause}, Field{"hint", s.classifier.Classify(cause).Hint})
	return s.enqueue(ctx, checkpoint.QueuedFile{
		File: refOf(file.File), NextLine: 1, Reason: cause.Error(), Cause: label, Since: file.at.Now, Implausible: file.at.Implausible,
	})
}

// refOf is a file as the checkpoint names it; fileOf is the way back.
func refOf(f compliance.File) deliver.FileRef {
	return deliver.FileRef{ID: f.ID, Name: f.Name, Size: f.Size, EndTime: f.EndTime, SHA256: f.SHA256}
}

// enqueue stores an entry, and holds the stream while the queue is full: the API
// keeps the files meanwhile.
func (s *Stream) enqueue(ctx context.Context, entry checkpoint.QueuedFile) error {
	held, enqueue := false, s.checkpoint.EnqueueAndPass
	if entry.Cause == labelEntry { // it comes before its turn: files listed before it are not settled
		enqueue = s.checkpoint.Enqueue
	}
	for {
		err := s.store(ctx, func(ctx context.Context) error { return enqueue(ctx, entry) })
		if err == nil || s.classifier.Classify(err).Label != labelQueueFull {
			if held {
				s.releaseQueueFull()
			}
			s.queue.wakeUp()
			return err
		}
		s.holdQueueFull(err)
		held = true
		if err := wait.Sleep(ctx, s.set.Times.HoldMost/10); err != nil {
			return err
		}
	}
}

// relist takes what a listing says of a queued file. An entry that changed is due.
func (q *retryQueue) relist(ctx context.Context, queued checkpoint.QueuedFile, listed compliance.File) error {
	s := q.stream
	ref := refOf(listed)
	if ref.EndTime.IsZero() {
		ref.EndTime = queued.File.EndTime
	}
	if ref == queued.File {
		return nil
	}
	queued.File = ref
	q.setDue(ref.ID)
	return s.store(ctx, func(ctx context.Context) error { return s.checkpoint.UpdateQueued(ctx, queued) })
}

// schedule plans the next try of an entry after one that failed.
func (q *retryQueue) schedule(fileID string) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.scheduleLocked(fileID)
}

// scheduleLocked plans the next try of an entry: later after each.
func (q *retryQueue) scheduleLocked(fileID string) retryState {
	times := q.stream.set.Times
	state := q.tries[fileID]
	pause := times.QueueMost
	if state.tries < 20 {
		pause = min(times.QueueFirst<<state.tries, times.QueueMost)
	}
	state.tries++
	state.next = time.Now().Add(pause)
	q.tries[fileID] = state
	return state
}

// wakeUp lets the queue look at its entries: it plans the first try of a new one.
func (q *retryQueue) wakeUp() {
	select {
	case q.wake <- struct{}{}:
	default:
	}
}

// setDue lets an entry be tried at once.
func (q *retryQueue) setDue(fileID string) {
	q.mu.Lock()
	defer q.mu.Unlock()
	state := q.tries[fileID]
	state.next = time.Time{}
	q.tries[fileID] = state
	q.wakeUp()
}

// setCauseDue lets all entries of a cause be tried at once.
func (q *retryQueue) setCauseDue(cause string) {
	for _, entry := range q.stream.checkpoint.Queue() {
		if entry.Cause == cause {
			q.setDue(entry.File.ID)
		}
	}
}

// suspend leaves the entries of a cause to the hold that tries them; an empty cause
// ends that.
func (q *retryQueue) suspend(cause string) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.suspended = cause
	q.wakeUp()
}

// run tries the entries that are due, one at a time, until ctx ends. The key is read
// once for what is due at a time.
func (q *retryQueue) run(ctx context.Context) {
	waited := true
	for ctx.Err() == nil {
		entry, due := q.nextEntry()
		if pause := time.Until(due); pause > 0 {
			_ = awaitChange(ctx, q.wake, min(pause, clockCheck))
			waited = true
			continue
		}
		if waited {
			q.stream.deps.API.Key.Refresh()
			waited = false
		}
		q.try(ctx, entry)
		if _, still := q.stream.checkpoint.Queued(entry.File.ID); still {
			q.schedule(entry.File.ID)
		} else {
			q.forget(entry.File.ID)
		}
	}
}

func (q *retryQueue) forget(fileID string) {
	q.mu.Lock()
	defer q.mu.Unlock()
	delete(q.tries, fileID)
}

// nextEntry is the entry that is due first, and when; a minute from now without one.
func (q *retryQueue) nextEntry() (entry checkpoint.QueuedFile, due time.Time) {
	entries, digestsHeld := q.stream.checkpoint.Queue(), q.stream.deps.Contact.holds()
	q.mu.Lock()
	defer q.mu.Unlock()
	due = time.Now().Add(clockCheck)
	for _, e := range entries {
		left := q.suspended != "" && e.Cause == q.suspended || digestsHeld && e.Cause == labelDigest
		if left && e.NextLine > 0 {
			continue
		}
		state, known := q.tries[e.File.ID]
		if !known {
			state = q.scheduleLocked(e.File.ID)
		}
		if state.next.Before(due) {
			entry, due = e, state.next
		}
	}
	return entry, due
}

// try fetches an entry's file once and delivers what waits of it.
func (q *retryQueue) try(ctx context.Context, entry checkpoint.QueuedFile) {
	s := q.stream
	if !s.claims.take(entry.File.ID, q.worker.turn) {
		return // a segment that holds is at it
	}
	defer s.claims.release(entry.File.ID)
	entry, waits := s.checkpoint.Queued(entry.File.ID)
	if !waits {
		return
	}
	if expiredAt(entry, s.deps.Clocks.Read()) && q.isUnlisted(ctx, entry) {
		q.expire(ctx, entry)
		return
	}
	entry = q.relisted(ctx, entry)
	file := fileOf(entry)
	size := s.memoryFor(file.File)
	priority := limit.RetryQueue
	if file.Size < 0 {
		priority = limit.UnknownSize
	}
	d := s.startDownload(ctx, file, limit.Request{Priority: priority, EndTime: file.EndTime, Size: size})
	if err := d.await(ctx); err != nil {
		if ctx.Err() == nil {
			q.failed(ctx, entry, err)
		}
		return
	}
	s.fileVerified()
	err := q.deliver(ctx, entry, file, d.body)
	d.end(err)
	if err == nil {
		s.verifier.forget(file.ID)
	}
}

// fileOf is the file of an entry.
func fileOf(entry checkpoint.QueuedFile) listedFile {
	f := entry.File
	return listedFile{
		File: compliance.File{ID: f.ID, Name: f.Name, Size: f.Size, EndTime: f.EndTime, SHA256: f.SHA256},
		at:   checkpoint.CommitTime{Implausible: entry.Implausible, Now: entry.Since},
	}
}

// expiredAt reports whether the API may have stopped serving an entry's file.
func expiredAt(entry checkpoint.QueuedFile, clocks checkpoint.Reading) bool {
	end := entry.File.EndTime
	if entry.Implausible || end.IsZero() {
		end = entry.Since
	}
	return !earlierOf(clocks).Before(end.Add(retention))
}

// lookUp lists around the entry's end_time, and returns the file as it is listed now; nil
// when a complete listing does not have it. ok is false when that is not known.
func (q *retryQueue) lookUp(ctx context.Context, entry checkpoint.QueuedFile) (listed *compliance.File, ok bool) {
	s := q.stream
	end := entry.File.EndTime
	if entry.Implausible || end.IsZero() {
		return nil, false // no range of file time says where to look: the download route decides
	}
	pager := s.deps.API.Pages(s.id.EventType, end.Add(-2*tick), end.Add(2*tick), nil)
	for {
		page, err := s.requestPage(ctx, pager)
		if err != nil {
			return nil, isEnd(err)
		}
		for _, found := range page.Entries {
			if found.ID == entry.File.ID {
				return &found.File, true
			}
		}
	}
}

// isUnlisted reports whether a complete listing around the entry's end_time does not
// have it.
func (q *retryQueue) isUnlisted(ctx context.Context, entry checkpoint.QueuedFile) bool {
	listed, ok := q.lookUp(ctx, entry)
	return ok && listed == nil
}

// relisted is an entry as the API lists it now, where the listing may be what is wrong:
// no poll may come by its file again.
func (q *retryQueue) relisted(ctx context.Context, entry checkpoint.QueuedFile) checkpoint.QueuedFile {
	if entry.NextLine == 0 || !slices.Contains(listingCauses, entry.Cause) {
		return entry
	}
	if listed, ok := q.lookUp(ctx, entry); ok && listed != nil && q.relist(ctx, entry, *listed) == nil {
		entry, _ = q.stream.checkpoint.Queued(entry.File.ID)
	}
	return entry
}

// failed takes note of a failed try.
func (q *retryQueue) failed(ctx context.Context, entry checkpoint.QueuedFile, err error) {
	s := q.stream
	fault := s.classifier.Classify(err)
	if fault.Gone && expiredAt(entry, s.deps.Clocks.Read()) {
		q.expire(ctx, entry)
		return
	}
	q.mu.Lock()
	tries := q.tries[entry.File.ID].tries
	q.mu.Unlock()
	s.note(NoteDebug, "quarantined file still unavailable", Field{"file_id", entry.File.ID}, Field{"tries", tries}, Field{"error", err})
	if !queues(fault) {
		return
	}
	current, ok := s.checkpoint.Queued(entry.File.ID)
	if !ok {
		return
	}
	current.Reason, current.Cause = err.Error(), fault.Label
	_ = s.store(ctx, func(ctx context.Context) error { return s.checkpoint.UpdateQueued(ctx, current) })
}

// expire reports an entry that the API no longer serves, and ends it.
func (q *retryQueue) expire(ctx context.Context, entry checkpoint.QueuedFile) {
	s := q.stream
	file := fileOf(entry)
	end := entry.File.EndTime
	if end.IsZero() {
		end = entry.Since
	}
	gap := record.Gap{
		From: end.Add(-tick), To: end, Reason: record.GapFileExpired,
		File: record.File{ID: entry.File.ID, Name: entry.File.Name, SHA256: entry.File.SHA256},
	}
	if entry.NextLine > 0 {
		if s.reportGap(ctx, gap, file.File) != nil {
			return
		}
		s.deps.Observer.FileDone(ctx, s.id, FileExpired)
	}
	for _, lines := range entry.Lines {
		gap.Reason, gap.FirstLine, gap.LastLine = record.GapRefused, lines.From, lines.To-1
		if s.reportGap(ctx, gap, file.File) != nil {
			return
		}
	}
	_ = s.store(ctx, func(ctx context.Context) error { return s.checkpoint.RemoveQueued(ctx, entry.File.ID) })
}

// deliver delivers what waits of a file: all of it from a line on, and then the
// lines that were rejected.
func (q *retryQueue) deliver(ctx context.Context, entry checkpoint.QueuedFile, file listedFile, body *body) error {
	s := q.stream
	job := transferJob{file: file, body: body}
	if entry.NextLine > 0 {
		if err := q.worker.transfer(ctx, job); err != nil {
			return err
		}
		s.fileDelivered(ctx, file, body)
		s.queue.setCauseDue(entry.Cause)
		return nil
	}
	return q.deliverLines(ctx, job, entry.Lines)
}

// rejectedInRow is how many single records of an entry may be rejected one after
// another before the rest waits for the next try.
const rejectedInRow = 8

// deliverLines offers rejected lines again, one by one at first, and more at once
// while they are accepted.
func (q *retryQueue) deliverLines(ctx context.Context, job transferJob, ranges []checkpoint.LineRange) error {
	s := q.stream
	lines := linesOf(job.body, ranges)
	defer q.worker.batch.reset()
	for size, failed := 1, 0; len(lines) > 0 && failed < rejectedInRow; {
		n := min(size, len(lines), s.set.Batch.MaxRecords, maxAmended)
		accepted, err := q.offerLines(ctx, job, lines[:n])
		switch {
		case err != nil:
			return err
		case accepted:
			lines, size, failed = lines[n:], 4*n, 0
		case n > 1:
			size = 1
		default:
			lines, failed = lines[1:], failed+1
		}
	}
	return nil
}

// linesOf copies the lines of the ranges: the next consumer may not answer, and the
// file's memory is not kept for it.
func linesOf(b *body, ranges []checkpoint.LineRange) (found []record.Line) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for lines := jsonl.NewReader(b.bytes); lines.Next(); {
		n := lines.Number()
		for len(ranges) > 0 && ranges[0].To <= n {
			ranges = ranges[1:]
		}
		if len(ranges) == 0 {
			break
		}
		if n >= ranges[0].From {
			found = append(found, record.Line{Number: n, Text: bytes.Clone(lines.Line())})
		}
	}
	b.bytes = nil
	b.grant.Release()
	return found
}

// offerLines makes one call with some rejected lines, without a retry.
func (q *retryQueue) offerLines(ctx context.Context, job transferJob, lines []record.Line) (accepted bool, err error) {
	s, w := q.stream, q.worker
	if err := s.lock.Acquire(ctx, w.turn); err != nil {
		return false, err
	}
	defer s.lock.Release()
	w.batch.fill(s.checkpoint, job.recordFile(), lines, s.set.Batch.Deduplicate)
	all := make([]int, len(w.batch.lines))
	for i := range all {
		all[i] = i
	}
	offer := w.batch.offerOf(s.checkpoint, all)
	numbers := make([]int, len(lines)) // repetitions leave the queue too
	for i, line := range lines {
		numbers[i] = line.Number
	}
	part := job.part(numbers, 0, nil)
	part.Events = offer.events
	malformed := 0
	calls, done := s.deps.Detach(ctx)
	defer done()
	receipt, err := s.consumer.OfferOnce(calls, deliver.Call{
		Part: part, Records: len(offer.fresh), Build: func() (logs plog.Logs) {
			logs, malformed = w.batch.build(offer.fresh)
			return logs
		},
	})
	if err != nil {
		return false, ctx.Err() // rejected again: it stays in the queue
	}
	offer.counts.Malformed, offer.counts.Duplicates = malformed, offer.counts.Duplicates+w.batch.counts.Duplicates
	s.deps.Observer.BatchDone(ctx, s.id, offer.counts, deliver.Accepted)
	evidence, err := s.amendment(job, lines, offer)
	if err != nil {
		return true, err
	}
	return true, w.commit(ctx, job, receipt.With(evidence))
}
