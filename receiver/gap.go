// Copyright The OpenTelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package receiver

import (
	"context"
	"fmt"
	"time"

	"go.uber.org/zap"

	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/openaicompliance/openaicompliancereceiver/internal/checkpoint"
	"github.com/openaicompliance/openaicompliancereceiver/internal/deliver"
	"github.com/openaicompliance/openaicompliancereceiver/internal/record"
)

// expiryMargin: a quarantined file that is no longer listed counts as expired
// when it is older than retention less this.
const expiryMargin = 24 * time.Hour

// gapMargin is how much the clocks may differ that `beginning` and the age of the
// oldest file are measured by.
const gapMargin = time.Minute

// checkGap reports the stretch of a segment's time that the API forgot before it
// was listed. What was listed decides, not the last file's time: a quiet type has
// no files. covered is what the pages of this pass have covered, zero at its begin;
// serverTime is zero when the server sent no Date: no age is known then.
func (s *stream) checkGap(ctx context.Context, part checkpoint.Part, serverTime, covered time.Time) error {
	if serverTime.IsZero() {
		return nil
	}
	segment, _ := s.progress.Segment(part)
	through, margin := segment.Known(), time.Duration(0)
	if floor, _ := s.progress.Floor(); through.Equal(floor) {
		margin = gapMargin
	}
	if covered.After(through) {
		through, margin = covered, 0
	}
	forgotten := serverTime.Add(-retention)
	if !forgotten.Add(-margin).After(through) {
		return nil
	}
	if !segment.To.IsZero() && forgotten.After(segment.To) {
		forgotten = segment.To
	}
	if !forgotten.After(through) {
		return nil
	}
	if !through.Equal(segment.From) && !through.Equal(segment.ListedThrough) {
		through = through.Add(-time.Microsecond) // another file may share this one's end_time
	}
	if err := s.deliverGap(ctx, record.Gap{From: through, To: forgotten, Reason: record.GapRetention}); err != nil {
		return err
	}
	s.logger.Error("Gap: the API no longer serves what it exported in this time, and no complete pass has listed it. Its records may be lost.",
		zap.Time("from", through), zap.Time("to", forgotten))
	return s.store(ctx, func(ctx context.Context) error { return s.progress.SetListedThrough(ctx, part, forgotten) })
}

// reportAllExpired reports the unfinished files of a part that a complete pass no
// longer found, and that are old enough to have expired. What lies before the
// begin of the pass it has not looked for: history may have ended meanwhile.
func (s *stream) reportAllExpired(ctx context.Context, part checkpoint.Part, p *pass) error {
	for id, entry := range s.progress.Expired(part, p.listed, p.began.Add(expiryMargin-retention)) {
		if !entry.EndTime.After(p.from) {
			continue
		}
		if err := s.reportExpired(ctx, id, entry); err != nil {
			return err
		}
	}
	return nil
}

func (s *stream) reportExpired(ctx context.Context, id string, entry checkpoint.Quarantined) error {
	if err := s.deliverGap(ctx, record.Gap{
		From: entry.EndTime.Add(-time.Microsecond), To: entry.EndTime, Reason: record.GapFileExpired,
		File: record.File{ID: id, Name: entry.Name, SHA256: entry.SHA256},
	}); err != nil {
		return err
	}
	s.telemetry.file(ctx, s.eventType, fileExpired)
	s.logger.Error("File lost: the API stopped serving it before it could be read.",
		zap.String("file_id", id), zap.Time("end_time", entry.EndTime), zap.Int64("file_size", entry.Size),
		zap.String("file_sha256", entry.SHA256), zap.Time("since", entry.Since), zap.String("reason", entry.Reason))
	return s.store(ctx, func(ctx context.Context) error {
		return s.progress.Release(ctx, map[string]checkpoint.Quarantined{id: entry})
	})
}

// deliverGap puts a gap in sight of whoever reads the records. It is told again
// after a crash before it was stored, with the same uid.
func (s *stream) deliverGap(ctx context.Context, gap record.Gap) error {
	s.dropAhead() // the next consumer may not answer, and holds its own type up only
	observed := time.Now()
	receipt, err := s.again.Deliver(s.calls, ctx, deliver.Batch{
		Records: 1,
		Build:   func() plog.Logs { return s.mapper.Gap(gap, observed) },
	})
	if err != nil {
		return fmt.Errorf("tell of a gap: %w", err)
	}
	s.telemetry.gap(ctx, s.eventType)
	s.health.accepted(s.name)
	if receipt.Outcome() == deliver.Dropped {
		s.logger.Error("The next consumer refused the record that tells of a gap; the log and the metric are all that does.")
	}
	return nil
}
