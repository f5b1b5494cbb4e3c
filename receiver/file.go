// Copyright The OpenTelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package receiver

import (
	"bytes"
	"context"
	"errors"
	"time"

	"go.uber.org/zap"

	"go.opentelemetry.io/collector/config/configretry"

	"github.com/openaicompliance/openaicompliancereceiver/internal/compliance"
	"github.com/openaicompliance/openaicompliancereceiver/internal/deliver"
	"github.com/openaicompliance/openaicompliancereceiver/internal/jsonl"
	"github.com/openaicompliance/openaicompliancereceiver/internal/pace"
	"github.com/openaicompliance/openaicompliancereceiver/internal/record"
	"github.com/openaicompliance/openaicompliancereceiver/internal/wait"
)

// heldLong is how long a batch may be refused before its file's memory is given
// back, so that a dead backend behind one type never starves another type's.
const heldLong = 30 * time.Second

// errResume says that the file's memory was given back before all of it was
// delivered: it is to be fetched again.
var errResume = errors.New("fetch the file again and resume")

// file brings a file to its end whose download has ended with err: its lines are
// delivered, or it is set aside.
func (l *lane) file(ctx context.Context, f *fetching, got body, memory *pace.Lease, err error) error {
	s := l.stream
	if l.hopeless(ctx, f.file, err) {
		return l.quarantine(ctx, f.file, err)
	}
	if err != nil {
		return err
	}
	f.got = body{} // nothing points into the memory once it is given back
	defer memory.Release()
	s.telemetry.fileBytes(ctx, s.eventType, len(got.content))
	outcome := outcomeOf(got.sha256 != f.file.SHA256, l.pass.late(f.file))
	err = l.deliverFile(l.pass.ctx, f.file, got, memory) //nolint:contextcheck // made of ctx when the pass began
	if err != nil {
		return err
	}
	l.pass.tally.delivered++
	l.pass.fresh = true
	s.verifier.forget(f.file.ID)
	s.telemetry.file(ctx, s.eventType, outcome)
	return nil
}

func outcomeOf(unverified, late bool) string {
	switch {
	case unverified:
		return fileUnverified
	case late:
		return fileLate
	}
	return fileDelivered
}

// deliverFile hands on the lines of a verified file in batches, from where its
// delivery stopped, and stores the position after each accepted one. The content
// lies in memory, and is not looked at once that is released.
func (l *lane) deliverFile(ctx context.Context, file compliance.File, got body, memory *pace.Lease) error {
	s := l.stream
	first, changed := s.progress.NextLine(file.ID, got.sha256)
	if changed {
		s.logger.Warn("The file changed since its delivery began; it is delivered again from its first line.",
			zap.String("file_id", file.ID))
	}
	batches := newBatcher(got.content, s.cfg.Batch, first)
	defer s.batch.letGo()
	from := record.File{ID: file.ID, Name: file.Name, SHA256: got.sha256, Unverified: got.sha256 != file.SHA256}
	observed := time.Now()
	for last := false; !last; {
		if memory.Released() {
			return errResume
		}
		lines, next := batches.next()
		last = next == 0
		b := s.prepare(from, lines, observed)
		giveBack := func() {
			b.detach()
			batches = nil
			memory.Release()
			l.giveBack()
		}
		receipt, err := s.handOver(ctx, deliver.Batch{
			Span: deliver.Span{
				FileID: file.ID, FileName: file.Name, FileSize: file.Size, SHA256: got.sha256, EndTime: file.EndTime,
				ListedSHA256: file.SHA256, Lines: b.numbers, NextLine: next, Last: last, Events: b.events,
			},
			Records: len(b.lines),
			Build:   b.build,
		}, giveBack)
		if err != nil {
			return err
		}
		s.flowing = true
		s.health.accepted(s.name)
		s.telemetry.delivered(ctx, s.eventType, b.counts, receipt.Outcome())
		if err := s.commit(ctx, receipt); err != nil {
			return err
		}
	}
	return nil
}

// handOver delivers a batch. When the next consumer has not taken it for heldLong
// - it refuses, or does not answer - giveBack is called, once and not after
// handOver has returned.
func (s *stream) handOver(ctx context.Context, b deliver.Batch, giveBack func()) (deliver.Receipt, error) {
	given := make(chan struct{})
	timer := time.AfterFunc(s.heldLong, func() {
		defer close(given)
		giveBack()
	})
	receipt, err := s.deliver.Deliver(s.calls, ctx, b)
	if !timer.Stop() {
		<-given
	}
	return receipt, err
}

// giveBack abandons what was fetched ahead, but for the file in delivery.
func (l *lane) giveBack() {
	for _, other := range []*lane{l.stream.live, l.stream.history} {
		if other == l {
			other.drop(1)
		} else {
			other.drop(0)
		}
	}
}

func (s *stream) commit(ctx context.Context, receipt deliver.Receipt) error {
	evicted := s.progress.Evicted()
	err := s.store(ctx, func(ctx context.Context) error { return s.progress.Advance(ctx, receipt) })
	s.telemetry.evicted(ctx, s.eventType, s.progress.Evicted()-evicted)
	return err
}

// errAbandoned keeps a stream that Shutdown had to leave behind from writing over
// what its successor has stored.
var errAbandoned = errors.New("the receiver was shut down meanwhile")

// storeRetry rules writes of the position: they are tried until they succeed or
// the receiver stops, since going on without them would deliver twice.
var storeRetry = configretry.BackOffConfig{
	Enabled: true, InitialInterval: time.Second, MaxInterval: 30 * time.Second,
	Multiplier: 2, RandomizationFactor: 0.5,
}

// store runs a write of the position. It goes on when the pass's time is over, and
// at shutdown it is still tried once: what was accepted should not be delivered
// again.
func (s *stream) store(ctx context.Context, write func(context.Context) error) error {
	retries := wait.NewBackOff(storeRetry)
	for {
		if s.abandoned.Load() {
			return errAbandoned
		}
		err := write(s.calls) //nolint:contextcheck // outlives ctx on purpose, see above
		s.health.stored(s.name, err)
		if err == nil {
			return nil
		}
		s.telemetry.checkpointFailed(ctx, s.eventType)
		pause, _ := retries.Next(0)
		s.logger.Error("The position cannot be stored; the stream waits.", zap.Error(err), zap.Duration("next_try", pause))
		if wait.Sleep(s.running, pause) != nil { //nolint:contextcheck // see above
			return err
		}
	}
}

// onRefused tells of a refusal of the next consumer: at once, then ever more
// rarely.
func (s *stream) onRefused(r deliver.Refusal) {
	s.health.refused(s.name, r)
	s.flowing = false
	if r.Wait > 0 {
		s.telemetry.batchRetried(s.calls, s.eventType)
	}
	fields := []zap.Field{
		zap.NamedError("error", r.Err), zap.Bool("permanent", r.Permanent), zap.Int("attempt", r.Attempt),
		zap.String("file_id", r.Span.FileID), zap.Int("records", r.Records),
	}
	switch {
	case r.Outcome == deliver.Aside:
		s.logger.Error("The next consumer refused the batch for good; it is set aside and tried again later, record by record (on_permanent_error: quarantine).", fields...)
	case r.Outcome == deliver.Dropped:
		s.logger.Error("The next consumer refused the batch for good; its records are dropped (on_permanent_error: drop).", fields...)
	case r.Attempt&(r.Attempt-1) == 0: // 1, 2, 4, 8 …
		s.logger.Warn("The next consumer refused the batch; it is kept and handed over again.",
			append(fields, zap.Duration("next_try", r.Wait))...)
	}
}

// keepOnly copies lines, so that the file they are slices of can go.
func keepOnly(lines []record.Line) []record.Line {
	kept := make([]record.Line, len(lines))
	for i, line := range lines {
		kept[i] = record.Line{Number: line.Number, Text: bytes.Clone(line.Text)}
	}
	return kept
}

// batcher cuts the lines of a file into batches.
type batcher struct {
	lines *jsonl.Reader
	limit BatchConfig
	more  bool
	batch []record.Line
}

// newBatcher starts at the first line with at least the given number.
func newBatcher(content []byte, limit BatchConfig, first int) *batcher {
	b := &batcher{lines: jsonl.NewReader(content), limit: limit}
	for b.more = b.lines.Next(); b.more && b.lines.Number() < first; b.more = b.lines.Next() {
	}
	return b
}

// next returns the lines of the next batch, valid until the next call, and the
// number of the line behind it, 0 when the file ends there.
func (b *batcher) next() (lines []record.Line, next int) {
	b.batch = b.batch[:0]
	for size := 0; b.more && len(b.batch) < b.limit.MaxRecords; b.more = b.lines.Next() {
		line := b.lines.Line()
		if size += len(line); size > b.limit.MaxBytes && len(b.batch) > 0 {
			break
		}
		b.batch = append(b.batch, record.Line{Number: b.lines.Number(), Text: line})
	}
	if b.more {
		next = b.lines.Number()
	}
	return b.batch, next
}
