// Copyright The OpenTelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package receiver

import (
	"context"
	"fmt"
	"time"

	"go.uber.org/zap"

	"github.com/openaicompliance/openaicompliancereceiver/internal/checkpoint"
	"github.com/openaicompliance/openaicompliancereceiver/internal/compliance"
)

// stuckPasses is how many passes may end at one file that cannot be downloaded
// before it is set aside.
const stuckPasses = 3

// hopeless reports whether the others should go on without this file: the
// trouble is its own, or it has ended several passes.
func (l *lane) hopeless(ctx context.Context, file compliance.File, err error) bool {
	switch {
	case err == nil || ctx.Err() != nil:
		return false
	case fileFault(err):
		return true
	case !downloadFailed(err):
		return false
	case l.stream.progress.Quarantined(file.ID):
		return true
	}
	if l.stuckOn != file.ID {
		l.stuckOn, l.stuck = file.ID, 0
	}
	l.stuck++
	return l.stuck >= stuckPasses
}

// quarantine sets a file aside that cannot be read, so that the others need not
// wait for it. It stays listed, so every pass tries it again.
func (l *lane) quarantine(ctx context.Context, file compliance.File, cause error) error {
	s := l.stream
	l.pass.spent = l.pass.overdue()
	l.pass.tally.aside++
	l.pass.tally.cause = cause
	fields := []zap.Field{
		zap.String("file_id", file.ID), zap.Time("end_time", file.EndTime), zap.Int64("file_size", file.Size),
		zap.Error(cause), zap.String("advice", advice(cause, s.eventType)),
	}
	if s.progress.Quarantined(file.ID) {
		s.logger.Debug("The file that was set aside still cannot be read.", fields...)
		return nil
	}
	s.telemetry.file(ctx, s.eventType, fileQuarantined)
	s.logger.Warn("File set aside: it cannot be read. The others go on, every pass tries it again until the API stops serving it.", fields...)
	return s.store(ctx, func(ctx context.Context) error {
		return s.progress.Quarantine(ctx, file.ID, checkpoint.Quarantined{
			EndTime: file.EndTime, Name: file.Name, Size: file.Size, SHA256: file.SHA256,
			Reason: cause.Error(), Since: time.Now().UTC(),
		})
	})
}

// tally of one pass.
type tally struct {
	delivered, aside int
	cause            error // why the last file was set aside
}

// verdict is an error when a pass could read none of several files: then it is
// hardly the files' fault.
func (t tally) verdict() error {
	if t.delivered > 0 || t.aside < stuckPasses {
		return nil
	}
	return fmt.Errorf("none of %d files could be read, the last one: %w", t.aside, t.cause)
}
