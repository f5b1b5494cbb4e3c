// Copyright The OpenTelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package collect

import (
	"context"
	"fmt"
	"slices"

	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/openaicompliance/openaicompliancereceiver/internal/deliver"
	"github.com/openaicompliance/openaicompliancereceiver/internal/record"
	"github.com/openaicompliance/openaicompliancereceiver/internal/wait"
)

// worker delivers files, one at a time. It owns the batch. Each segment has one, and
// the retry queue.
type worker struct {
	stream *Stream
	turn   deliver.Turn
	batch  batch
	tally  *fileTally // of the file in delivery; nil without digests
}

func (s *Stream) newWorker(turn deliver.Turn) *worker {
	return &worker{stream: s, turn: turn, batch: batch{mapper: record.NewMapper(s.set.Source)}}
}

// transferJob is a verified file to deliver.
type transferJob struct {
	file listedFile
	body *body
	// cut is closed when delivery is to end after the batch under way; nil never.
	cut <-chan struct{}
	// accepted is called after each batch that the next consumer accepted.
	accepted func()
	// ahead are lines that probes of an earlier delivery have delivered, ascending.
	ahead []int
}

// recordFile names the file in its records.
func (j *transferJob) recordFile() record.File {
	return record.File{ID: j.file.ID, Name: j.file.Name, SHA256: j.body.sha256, Unverified: !j.body.verified}
}

// transfer delivers the lines of a file in batches, from where its delivery stopped,
// and commits each part that is settled.
func (w *worker) transfer(ctx context.Context, job transferJob) error {
	s := w.stream
	first, ahead, changed := s.checkpoint.ResumeLine(job.file.ID, job.body.sha256)
	job.ahead = ahead
	if changed {
		s.note(NoteWarn, "file changed during delivery, restarting it", Field{"file_id", job.file.ID})
	}
	defer w.batch.reset()
	w.tally = s.beginTally(job.file, job.body.sha256, first)
	lines := w.open(job, first)
	for {
		nextLine, ok := w.nextBatch(job, &lines)
		if !ok {
			return errEvicted
		}
		if err := w.deliverBatch(ctx, job, nextLine); err != nil {
			return err
		}
		if nextLine == 0 {
			return nil
		}
		if job.cut != nil && isClosed(job.cut) {
			return errCut
		}
	}
}

// open starts to read a file's lines. When the limiter takes the file away, the
// lines of the batch under way are copied, and nothing else is kept.
func (w *worker) open(job transferJob, first int) *lineBatcher {
	job.body.mu.Lock()
	defer job.body.mu.Unlock()
	if job.body.gone {
		return nil
	}
	job.body.detach = w.batch.copyLines
	return newLineBatcher(job.body.bytes, job.recordFile(), first, job.ahead)
}

// nextBatch fills the batch with the next lines, and returns the number of the line
// after it, 0 for none. ok is false when the file's memory is gone.
func (w *worker) nextBatch(job transferJob, lines **lineBatcher) (nextLine int, ok bool) {
	s := w.stream
	job.body.mu.Lock()
	defer job.body.mu.Unlock()
	if job.body.gone || *lines == nil {
		*lines = nil
		return 0, false
	}
	maxBytes := s.set.Batch.MaxBytes
	if learned := s.consumer.MaxBytes(); learned > 0 {
		maxBytes = min(maxBytes, learned)
	}
	batch, nextLine := (*lines).next(s.set.Batch.MaxRecords, maxBytes)
	w.batch.fill(s.checkpoint, job.recordFile(), batch, s.set.Batch.Deduplicate)
	w.tally.read(batch, w.batch.leftOut, (*lines).takeSkipped())
	return nextLine, true
}

// deliverBatch offers the batch, whole or in parts, until every record of it is
// settled.
func (w *worker) deliverBatch(ctx context.Context, job transferJob, nextLine int) error {
	s := w.stream
	counts := w.batch.counts
	s.deps.Observer.BatchDone(ctx, s.id, BatchCounts{Duplicates: counts.Duplicates}, deliver.Accepted)
	sizes := w.batch.sizes()
	if len(sizes) == 0 {
		return w.settleEmpty(ctx, job, nextLine)
	}
	delivery := s.consumer.NewDelivery(sizes)
	delivery.SetStoredAhead(len(linesFrom(job.ahead, w.batch.number(0))))
	for {
		step, more := delivery.Next()
		if !more {
			return nil
		}
		if err := wait.Sleep(ctx, step.Wait); err != nil {
			return fmt.Errorf("deliver batch: %w", err)
		}
		if err := w.attempt(ctx, job, attempt{delivery, step, nextLine}); err != nil {
			return err
		}
	}
}

// settleEmpty commits lines of which nothing is to be delivered.
func (w *worker) settleEmpty(ctx context.Context, job transferJob, nextLine int) error {
	if err := w.stream.lock.Acquire(ctx, w.turn); err != nil {
		return fmt.Errorf("deliver batch: %w", err)
	}
	defer w.stream.lock.Release()
	part := job.part(nil, nextLine, linesFrom(job.ahead, nextLine))
	receipt, err := w.stream.consumer.OfferOnce(ctx, deliver.Call{Part: part})
	if err != nil {
		return err
	}
	return w.settle(ctx, job, receipt, settled{nextLine: nextLine})
}

// linesFrom are the lines from a number on; none when nothing of the file is left.
func linesFrom(lines []int, nextLine int) []int {
	if nextLine == 0 {
		return nil
	}
	for len(lines) > 0 && lines[0] < nextLine {
		lines = lines[1:]
	}
	return lines
}

// part names some lines of the file.
func (j *transferJob) part(lines []int, nextLine int, ahead []int) deliver.Part {
	return deliver.Part{
		File: refOf(j.file.File), SHA256: j.body.sha256, Lines: lines, NextLine: nextLine, Ahead: ahead,
	}
}

// attempt is one step of a delivery.
type attempt struct {
	delivery *deliver.Delivery
	step     deliver.Step
	nextLine int // after the batch
}

// attempt makes one call under the delivery lock: deduplicate, offer, commit on
// success.
func (w *worker) attempt(ctx context.Context, job transferJob, a attempt) error {
	s := w.stream
	if err := s.lock.Acquire(ctx, w.turn); err != nil {
		return fmt.Errorf("deliver batch: %w", err)
	}
	defer s.lock.Release()
	offer := w.batch.offerOf(s.checkpoint, a.step.Records)
	part := job.part(offer.numbers, a.nextLine, nil)
	if first, ahead := a.delivery.Left(a.step); first < w.batch.len() {
		part.NextLine = w.batch.number(first)
		for _, i := range ahead {
			part.Ahead = append(part.Ahead, w.batch.number(i))
		}
	}
	part.Ahead = append(part.Ahead, linesFrom(job.ahead, part.NextLine)...)
	slices.Sort(part.Ahead)
	part.Events = offer.events
	calls, done := s.deps.Detach(ctx)
	defer done()
	malformed := 0
	receipt, err := a.delivery.Offer(calls, a.step, deliver.Call{
		Part: part, Records: len(offer.fresh), Build: func() (logs plog.Logs) {
			logs, malformed = w.batch.build(offer.fresh)
			return logs
		},
	})
	if err != nil || receipt.Outcome() == deliver.Open {
		return err
	}
	offer.counts.Malformed = malformed
	s.deps.Observer.BatchDone(ctx, s.id, offer.counts, receipt.Outcome())
	if receipt.Outcome() == deliver.Accepted && len(offer.fresh) > 0 && job.accepted != nil {
		job.body.grant.Progress()
		job.accepted()
	}
	return w.settle(ctx, job, receipt, settled{
		numbers: offer.numbers, fresh: offer.sent, outcome: receipt.Outcome(), malformed: malformed, nextLine: part.NextLine,
	})
}

// settle commits a receipt with the tally of the lines that it settles.
func (w *worker) settle(ctx context.Context, job transferJob, receipt deliver.Receipt, call settled) error {
	next, err := w.tally.settle(call)
	if err != nil {
		return err
	}
	evidence, err := next.evidence(&job, call.nextLine)
	if err != nil {
		return err
	}
	if err := w.commit(ctx, job, receipt.With(evidence)); err != nil {
		return err
	}
	w.tally = next
	return nil
}

// commit stores a receipt. When the retry queue has no room for a rejected record,
// the stream holds until it has; nothing was delivered then, so the lock is free
// meanwhile.
func (w *worker) commit(ctx context.Context, job transferJob, receipt deliver.Receipt) error {
	s := w.stream
	evicted := s.checkpoint.Evicted()
	write := func(ctx context.Context) error { return s.checkpoint.Commit(ctx, receipt, job.file.at) }
	err := s.store(ctx, write)
	for held := false; err != nil && s.classifier.Classify(err).Label == labelQueueFull; held = true {
		if !held {
			s.holdQueueFull(err)
			defer s.releaseQueueFull()
		}
		s.lock.Release()
		waited := wait.Sleep(ctx, s.set.Times.HoldMost/10)
		// Nothing was delivered, so nothing is at stake when the receiver ends here.
		if lockErr := s.lock.Acquire(context.WithoutCancel(ctx), w.turn); lockErr != nil || waited != nil {
			return fmt.Errorf("store checkpoint: %w", err)
		}
		err = s.store(ctx, write)
	}
	s.deps.Observer.EventsEvicted(ctx, s.id, s.checkpoint.Evicted()-evicted)
	if err == nil && receipt.Outcome() == deliver.Quarantined {
		s.queue.wakeUp()
	}
	return err
}

func (s *Stream) holdQueueFull(err error) {
	s.deps.Observer.HeldBy(s.id, HoldQueueFull, Hold{Err: err, Fault: s.classifier.Classify(err)})
}

func (s *Stream) releaseQueueFull() { s.deps.Observer.HeldBy(s.id, HoldQueueFull, Hold{}) }
