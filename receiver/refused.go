// Copyright The OpenTelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package receiver

import (
	"context"
	"fmt"
	"slices"
	"time"

	"go.uber.org/zap"

	"github.com/openaicompliance/openaicompliancereceiver/internal/checkpoint"
	"github.com/openaicompliance/openaicompliancereceiver/internal/compliance"
	"github.com/openaicompliance/openaicompliancereceiver/internal/deliver"
	"github.com/openaicompliance/openaicompliancereceiver/internal/jsonl"
	"github.com/openaicompliance/openaicompliancereceiver/internal/record"
)

// refusedRetryInterval is the wait between two tries of the records that the next
// consumer refused for good. The first pass of a run tries them too.
const refusedRetryInterval = time.Hour

// retryRefused hands the records that were set aside over again, one by one. What
// the API has stopped serving meanwhile is reported lost.
func (s *stream) retryRefused(ctx context.Context, serverTime time.Time) error {
	runs := s.progress.Refused()
	if len(runs) == 0 || (!s.refusedTried.IsZero() && time.Since(s.refusedTried) < s.refusedInterval) {
		return nil
	}
	s.refusedTried = time.Now()
	var left []checkpoint.Refused
	for i, run := range runs {
		rest, accepted, err := s.retryRun(ctx, run, serverTime)
		if err != nil {
			return fmt.Errorf("lines set aside of file %q: %w", run.FileID, err)
		}
		left = append(left, rest...)
		kept := slices.Concat(left, runs[i+1:])
		if err := s.store(ctx, func(ctx context.Context) error { return s.progress.SetRefused(ctx, kept, accepted) }); err != nil {
			return err
		}
	}
	return nil
}

// retryRun tries one run. It returns what is left of it, as runs of single lines,
// and the events that were accepted.
func (s *stream) retryRun(ctx context.Context, run checkpoint.Refused, serverTime time.Time) ([]checkpoint.Refused, []deliver.Event, error) {
	if run.EndTime.Before(serverTime.Add(-retention)) {
		return nil, nil, s.reportRefusedLost(ctx, run)
	}
	file := compliance.File{ID: run.FileID, Name: run.FileName, EndTime: run.EndTime, Size: run.FileSize, SHA256: run.SHA256}
	memory, err := s.budget.hold(ctx, file.Size)
	if err != nil {
		return nil, nil, err
	}
	defer memory.release()
	body, err := s.fetch(ctx, file)
	switch {
	case fileFault(err), err == nil && body.sha256 != run.SHA256:
		run.Tries++
		return []checkpoint.Refused{run}, nil, nil // not to be had at present
	case err != nil:
		return nil, nil, err
	}
	return s.retryLines(ctx, run, body)
}

// retryLines hands over each line of a run by itself, but for those that have
// been delivered since.
func (s *stream) retryLines(ctx context.Context, run checkpoint.Refused, body body) (left []checkpoint.Refused, accepted []deliver.Event, err error) {
	from := record.File{ID: run.FileID, Name: run.FileName, SHA256: run.SHA256}
	observed := time.Now()
	for lines := jsonl.NewReader(body.content); lines.Next() && (run.To == 0 || lines.Number() < run.To); {
		if lines.Number() < run.From {
			continue
		}
		b := s.prepare(from, []record.Line{{Number: lines.Number(), Text: lines.Line()}}, observed)
		receipt, err := s.again.Deliver(s.calls, ctx, deliver.Batch{Records: len(b.lines), Build: b.build})
		if err != nil {
			return nil, nil, err
		}
		if receipt.Outcome() == deliver.Accepted {
			s.telemetry.delivered(ctx, s.eventType, b.counts, deliver.Accepted)
			accepted = append(accepted, b.events...)
			continue
		}
		rest := run
		rest.From, rest.To, rest.Tries = lines.Number(), lines.Number()+1, run.Tries+1
		left = append(left, rest)
	}
	return left, accepted, nil
}

func (s *stream) reportRefusedLost(ctx context.Context, run checkpoint.Refused) error {
	s.logger.Error("Records lost: the next consumer refused them until the API stopped serving their file.",
		zap.String("file_id", run.FileID), zap.Time("end_time", run.EndTime), zap.String("file_sha256", run.SHA256),
		zap.Int("from_line", run.From), zap.Int("to_line", run.To), zap.Int("tries", run.Tries))
	return s.deliverGap(ctx, record.Gap{
		From: run.EndTime.Add(-time.Microsecond), To: run.EndTime, Reason: record.GapRefused,
		File: record.File{ID: run.FileID, Name: run.FileName, SHA256: run.SHA256}, FirstLine: run.From,
	})
}

// onRefusedAgain tells of a record that is still refused for good; it stays set
// aside. Other refusals are told as usual.
func (s *stream) onRefusedAgain(r deliver.Refusal) {
	if r.Outcome != deliver.Dropped {
		s.onRefused(r)
		return
	}
	s.logger.Debug("A record that was set aside is refused again.", zap.String("error", shorten(r.Err)))
}
