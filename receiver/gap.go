// Copyright The OpenTelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package receiver

import (
	"context"
	"time"

	"go.uber.org/zap"

	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/openaicompliance/openaicompliancereceiver/internal/deliver"
	"github.com/openaicompliance/openaicompliancereceiver/internal/record"
)

// expiryMargin: a quarantined file that is no longer listed counts as expired
// when it is older than retention less this.
const expiryMargin = 24 * time.Hour

// checkGap reports the stretch of time that the API forgot before any complete
// pass listed it. The time that was listed through decides, not the last file's:
// a quiet type has no files. serverTime is zero when the server sent no Date; no
// age is known then.
func (s *stream) checkGap(ctx context.Context, serverTime time.Time) error {
	through := s.progress.ListedThrough()
	forgotten := serverTime.Add(-retention)
	if serverTime.IsZero() || through.IsZero() || !forgotten.After(through) {
		return nil
	}
	s.logger.Error("Gap: the API no longer serves what it exported in this time, and no complete pass has listed it. Its records may be lost.",
		zap.Time("from", through), zap.Time("to", forgotten))
	if err := s.deliverGap(ctx, record.Gap{From: through, To: forgotten, Reason: record.GapRetention}); err != nil {
		return err
	}
	return s.store(ctx, func(ctx context.Context) error { return s.progress.SetListedThrough(ctx, forgotten) })
}

// complete ends a pass that listed everything: it reports the quarantined files
// that the API has stopped serving, and stores how far the listing reached.
func (s *stream) complete(ctx context.Context, listed map[string]bool, began time.Time) error {
	if !s.deepPass.IsZero() {
		s.deepListed = s.deepPass
	}
	if began.IsZero() {
		return nil // without the server's clock no file's age is known
	}
	gone := s.progress.Expired(listed, began.Add(expiryMargin-retention))
	for id, entry := range gone {
		s.telemetry.file(ctx, s.eventType, fileExpired)
		s.logger.Error("File lost: the API stopped serving it before it could be read.",
			zap.String("file_id", id), zap.Time("end_time", entry.EndTime), zap.Int64("file_size", entry.Size),
			zap.String("file_sha256", entry.SHA256), zap.Int("tries", entry.Tries), zap.String("reason", entry.Reason))
		if err := s.deliverGap(ctx, record.Gap{
			From: entry.EndTime.Add(-time.Microsecond), To: entry.EndTime, Reason: record.GapFileExpired,
			File: record.File{ID: id, Name: entry.Name, SHA256: entry.SHA256},
		}); err != nil {
			return err
		}
	}
	if len(gone) > 0 {
		if err := s.store(ctx, func(ctx context.Context) error { return s.progress.Release(ctx, gone) }); err != nil {
			return err
		}
	}
	if err := s.retryRefused(ctx, began); err != nil {
		return err
	}
	return s.store(ctx, func(ctx context.Context) error { return s.progress.SetListedThrough(ctx, began) })
}

// deliverGap puts a gap in sight of whoever reads the records. It is told again
// after a crash before it was stored, with the same uid.
func (s *stream) deliverGap(ctx context.Context, gap record.Gap) error {
	s.telemetry.gap(ctx, s.eventType)
	observed := time.Now()
	receipt, err := s.again.Deliver(s.calls, ctx, deliver.Batch{
		Records: 1,
		Build:   func() plog.Logs { return s.mapper.Gap(gap, observed) },
	})
	if receipt.Outcome() == deliver.Dropped {
		s.logger.Error("The next consumer refused the record that tells of a gap; this log and the metric are all that does.")
	}
	return err
}
