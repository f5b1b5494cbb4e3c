// Copyright The OpenTelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package receiver

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"go.uber.org/zap"

	"github.com/openaicompliance/openaicompliancereceiver/internal/checkpoint"
	"github.com/openaicompliance/openaicompliancereceiver/internal/compliance"
	"github.com/openaicompliance/openaicompliancereceiver/internal/deliver"
	"github.com/openaicompliance/openaicompliancereceiver/internal/jsonl"
	"github.com/openaicompliance/openaicompliancereceiver/internal/pace"
	"github.com/openaicompliance/openaicompliancereceiver/internal/record"
)

// refusedRetryInterval is the wait between two tries of the records that the next
// consumer refused for good. The first pass of a run tries them too.
const refusedRetryInterval = time.Hour

// retryRefused hands the records that were set aside over again, one by one. What
// the API has stopped serving meanwhile is reported lost. Each file is fetched
// once, and what was accepted of it is stored whatever ended its retry.
func (s *stream) retryRefused(ctx context.Context, p *pass) error {
	runs := s.progress.Refused()
	if len(runs) == 0 || (!s.refusedTried.IsZero() && time.Since(s.refusedTried) < s.refusedInterval) {
		return nil
	}
	s.refusedTried = time.Now()
	s.dropAhead() // a stream that waits for memory holds none
	var left []checkpoint.Refused
	for len(runs) > 0 {
		ofFile, others := partition(runs)
		rest, accepted, err := s.retryFile(ctx, ofFile, p)
		left = append(left, rest...)
		kept := slices.Concat(others, left) // the next retry begins with the others
		storeErr := s.store(ctx, func(ctx context.Context) error { return s.progress.SetRefused(ctx, kept, accepted, ofFile[0].EndTime) })
		if err := errors.Join(err, storeErr); err != nil {
			return fmt.Errorf("lines set aside of file %q: %w", ofFile[0].FileID, err)
		}
		runs = others
	}
	return nil
}

// partition takes out the runs of the first run's file.
func partition(runs []checkpoint.Refused) (ofFile, others []checkpoint.Refused) {
	for _, run := range runs {
		if run.FileID == runs[0].FileID {
			ofFile = append(ofFile, run)
		} else {
			others = append(others, run)
		}
	}
	return ofFile, others
}

// retryFile tries the runs of one file. It returns what is left of them, and the
// events that were accepted, on error too.
func (s *stream) retryFile(ctx context.Context, runs []checkpoint.Refused, p *pass) ([]checkpoint.Refused, []deliver.Event, error) {
	first := runs[0]
	if !p.began.IsZero() && first.EndTime.Before(p.began.Add(-retention)) {
		for i, run := range runs {
			if err := s.reportRefusedLost(ctx, run); err != nil {
				return runs[i:], nil, err
			}
		}
		return nil, nil, nil
	}
	f := s.fetch(ctx, compliance.File{
		ID: first.FileID, Name: first.FileName, EndTime: first.EndTime, Size: first.FileSize, SHA256: first.SHA256,
	}, pace.History, p.number, true, nil, nil)
	got, memory, err := f.await()
	f.finish(err)
	switch {
	case fileFault(err):
		return runs, nil, nil // not to be had at present
	case err != nil:
		return runs, nil, err
	}
	from := record.File{ID: first.FileID, Name: first.FileName, SHA256: got.sha256, Unverified: got.sha256 != first.SHA256}
	lines := linesOf(runs, got.content)
	f.got = body{}
	memory.Release() // the next consumer may be deaf: only the lines are kept for it
	return s.retryLines(ctx, runs, from, lines)
}

// asideLine is a line that was set aside, in one of the runs of its file.
type asideLine struct {
	record.Line
	run int
	// apart is set where a line before it, since the last one, was not set aside.
	apart bool
}

// linesOf copies the lines of the runs.
func linesOf(runs []checkpoint.Refused, content []byte) (found []asideLine) {
	apart := true
	for lines := jsonl.NewReader(content); lines.Next(); {
		at := slices.IndexFunc(runs, func(r checkpoint.Refused) bool { return r.Holds(lines.Number()) })
		if at < 0 {
			apart = true
			continue
		}
		found = append(found, asideLine{record.Line{Number: lines.Number(), Text: bytes.Clone(lines.Line())}, at, apart})
		apart = false
	}
	return found
}

// retryLines hands over each of the lines by itself, but for those that have been
// delivered since. After an error the rest stays as it is.
func (s *stream) retryLines(ctx context.Context, runs []checkpoint.Refused, from record.File, lines []asideLine) (left []checkpoint.Refused, accepted []deliver.Event, err error) {
	observed := time.Now()
	extend := false // the line before was kept
	for _, line := range lines {
		done := false
		if err == nil {
			var events []deliver.Event
			done, events, err = s.retryLine(ctx, from, line.Line, observed)
			accepted = append(accepted, events...)
		}
		switch {
		case done:
		case extend && !line.apart:
			left[len(left)-1].To = line.Number + 1
		default:
			rest := runs[line.run]
			rest.From, rest.To, rest.Tries = line.Number, line.Number+1, rest.Tries+1
			left = append(left, rest)
		}
		extend = !done
	}
	return left, accepted, err
}

// retryLine reports whether the line needs no further try.
func (s *stream) retryLine(ctx context.Context, from record.File, line record.Line, observed time.Time) (done bool, events []deliver.Event, err error) {
	b := s.prepare(from, []record.Line{line}, observed)
	receipt, err := s.again.Deliver(s.calls, ctx, deliver.Batch{Records: len(b.lines), Build: b.build})
	if err != nil || receipt.Outcome() != deliver.Accepted {
		return false, nil, err
	}
	s.health.accepted(s.name)
	s.telemetry.delivered(ctx, s.eventType, b.counts, deliver.Accepted)
	return true, b.events, nil
}

func (s *stream) reportRefusedLost(ctx context.Context, run checkpoint.Refused) error {
	if err := s.deliverGap(ctx, record.Gap{
		From: run.EndTime.Add(-time.Microsecond), To: run.EndTime, Reason: record.GapRefused,
		File: record.File{ID: run.FileID, Name: run.FileName, SHA256: run.SHA256}, FirstLine: run.From,
	}); err != nil {
		return err
	}
	s.logger.Error("Records lost: the next consumer refused them until the API stopped serving their file.",
		zap.String("file_id", run.FileID), zap.Time("end_time", run.EndTime), zap.String("file_sha256", run.SHA256),
		zap.Int("from_line", run.From), zap.Int("to_line", run.To), zap.Int("tries", run.Tries))
	return nil
}

// onRefusedAgain tells of a record that is still refused for good; it stays set
// aside. Other refusals are told as usual.
func (s *stream) onRefusedAgain(r deliver.Refusal) {
	if r.Outcome != deliver.Dropped {
		s.onRefused(r)
		return
	}
	s.logger.Debug("A record that was set aside is refused again.", zap.NamedError("error", r.Err))
}
