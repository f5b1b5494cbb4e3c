// Copyright The OpenTelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package receiver

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"go.uber.org/zap"

	"github.com/openaicompliance/openaicompliancereceiver/internal/checkpoint"
	"github.com/openaicompliance/openaicompliancereceiver/internal/compliance"
	"github.com/openaicompliance/openaicompliancereceiver/internal/deliver"
	"github.com/openaicompliance/openaicompliancereceiver/internal/record"
	"github.com/openaicompliance/openaicompliancereceiver/internal/wait"
)

// refusedInterval is the shortest wait between passes while the key is refused.
const refusedInterval = 5 * time.Minute

// stream collects one event type. Its fields are its own but for api, the
// requesters, the budget and the health, which all streams share.
type stream struct {
	eventType string
	cfg       *Config
	logger    *zap.Logger
	telemetry *telemetry
	health    *health

	api      *compliance.Client
	list     *requester
	download *requester
	budget   *budget

	// deepListed is when the last complete deep pass began, deepPass when this
	// one did if it is deep. Both measure waiting only.
	deepListed, deepPass time.Time

	// refusedTried is when the records set aside were last tried.
	refusedTried    time.Time
	refusedInterval time.Duration

	// onHeld is called when the batch in delivery has been refused for heldLong.
	onHeld   func()
	heldLong time.Duration

	mapper   *record.Mapper
	deliver  *deliver.Deliverer
	again    *deliver.Deliverer // of records that were set aside
	progress *checkpoint.Stream

	// calls bounds the calls to the next consumer and to storage: it outlives
	// the context of run for as long as Shutdown gives them.
	calls context.Context
}

// run passes over the listing until ctx ends.
func (s *stream) run(ctx context.Context) {
	if wait.Sleep(ctx, s.cfg.InitialDelay) != nil {
		return
	}
	for {
		started := time.Now()
		err := s.pass(ctx)
		if ctx.Err() != nil {
			return
		}
		s.report(err)
		if s.idle(ctx, time.Since(started), err) != nil {
			return
		}
	}
}

// report logs the outcome of a pass, once.
func (s *stream) report(err error) {
	s.health.passEnded(s.eventType, err)
	if err == nil {
		s.logger.Debug("Pass complete.", zap.Stringer("position", s.progress))
		return
	}
	s.logger.Warn("Pass ended early; the next one goes on from the stored position.",
		zap.Error(err), zap.String("advice", advice(err, s.eventType)))
}

// idle waits for the next pass: poll_interval after the last one began. While
// the key is refused that is at least five minutes, unless the key changes.
func (s *stream) idle(ctx context.Context, spent time.Duration, err error) error {
	if !keyRefused(err) {
		return wait.Sleep(ctx, s.cfg.PollInterval-spent)
	}
	const look = 10 * time.Second
	refused, _ := s.api.Key.Key()
	for left := max(s.cfg.PollInterval, refusedInterval); left > 0; left -= look {
		if err := wait.Sleep(ctx, min(look, left)); err != nil {
			return err
		}
		if key, err := s.api.Key.Key(); err == nil && key != refused {
			return nil
		}
	}
	return nil
}

// pass lists everything since the position, less the overlap, and delivers what
// is not delivered yet, oldest file first.
func (s *stream) pass(ctx context.Context) error {
	from, usual := s.listFrom()
	pager := s.api.Pages(s.eventType, from)
	listed := map[string]bool{}
	var began time.Time // the server's clock at the first page
	for {
		page, err := s.nextPage(ctx, pager)
		if errors.Is(err, io.EOF) {
			return s.complete(ctx, listed, began)
		}
		if err != nil {
			return fmt.Errorf("list files: %w", err)
		}
		if began.IsZero() {
			began = page.Date
			if err := s.checkGap(ctx, began); err != nil {
				return err
			}
		}
		for _, file := range page.Files {
			listed[file.ID] = true
			if !file.EndTime.After(from) || s.progress.Done(file.ID) {
				continue
			}
			if err := s.file(ctx, file, !file.EndTime.After(usual)); err != nil {
				return fmt.Errorf("file %q: %w", file.ID, err)
			}
		}
	}
}

// deepInterval is how often deepList is listed again, for files that appear later
// than the overlap foresees. The first pass of a run does so too.
const (
	deepInterval = 24 * time.Hour
	deepList     = 72 * time.Hour
)

// listFrom is the time after which this pass lists, and the one after which a
// usual pass would: a file that lies between the two appeared late.
func (s *stream) listFrom() (from, usual time.Time) {
	usual = s.progress.ListFrom(0)
	if s.deepListed.IsZero() || time.Since(s.deepListed) >= deepInterval {
		s.deepPass = time.Now()
		return s.progress.ListFrom(deepList), usual
	}
	s.deepPass = time.Time{}
	return usual, usual
}

func (s *stream) nextPage(ctx context.Context, pager *compliance.Pager) (page compliance.Page, err error) {
	err = s.list.do(ctx, func() error {
		page, err = pager.Next(ctx)
		return err
	})
	if page.Trailing > 0 {
		s.logger.Warn("The list answer carries bytes behind its JSON document; they are ignored.", zap.Int("bytes", page.Trailing))
	}
	return page, err
}

// file delivers one file. Its memory is given back while the next consumer
// refuses for long; the file is then fetched again and resumed.
func (s *stream) file(ctx context.Context, file compliance.File, late bool) error {
	for {
		err := s.fileOnce(ctx, file, late)
		if !errors.Is(err, errResume) {
			return err
		}
	}
}

// fileOnce downloads, verifies and delivers one file, and holds its memory for
// as long as that takes.
func (s *stream) fileOnce(ctx context.Context, file compliance.File, late bool) error {
	memory, err := s.budget.hold(ctx, file.Size)
	if err != nil {
		return err
	}
	defer memory.release()
	body, err := s.fetch(ctx, file)
	if fileFault(err) {
		return s.quarantine(ctx, file, err)
	}
	if err != nil {
		return err
	}
	s.telemetry.fileBytes(ctx, s.eventType, len(body.content))
	if err := s.deliverFile(ctx, file, body, memory); err != nil {
		return err
	}
	s.telemetry.file(ctx, s.eventType, outcomeOf(body.sha256 != file.SHA256, late))
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

// body of a file, and the digest of these very bytes.
type body struct {
	content []byte
	sha256  string
}

// fetch downloads a file until its bytes are those of the listing, or - unless
// verification is strict - until two complete downloads have brought the same
// other bytes: then it is the listing that is wrong.
func (s *stream) fetch(ctx context.Context, file compliance.File) (got body, err error) {
	var before string // digest of the last complete download that did not match
	attempt := func() error {
		content, err := s.api.Download(ctx, file)
		mismatch, ok := errors.AsType[*compliance.IntegrityError](err)
		if !ok {
			got = body{content, file.SHA256}
			return err
		}
		same := mismatch.Content != nil && mismatch.GotSHA256 == before
		before = mismatch.GotSHA256
		if !same || s.cfg.Download.Verify == verifyStrict {
			return err
		}
		s.logger.Warn("The file's bytes came the same twice and are not those of the listing; it is delivered and marked as unverified.",
			zap.String("file_id", file.ID), zap.Error(err))
		got = body{mismatch.Content, mismatch.GotSHA256}
		return nil
	}
	err = s.budget.download(ctx, func() error { return s.download.do(ctx, attempt) })
	return got, err
}

// quarantine sets a file aside that cannot be read, so that the others need not
// wait for it. It stays listed, so every pass tries it again.
func (s *stream) quarantine(ctx context.Context, file compliance.File, cause error) error {
	s.telemetry.file(ctx, s.eventType, fileQuarantined)
	s.logger.Warn("File set aside: it cannot be read. The others go on, every pass tries it again until the API stops serving it.",
		zap.String("file_id", file.ID), zap.Time("end_time", file.EndTime), zap.Int64("file_size", file.Size),
		zap.Error(cause), zap.String("advice", advice(cause, s.eventType)))
	return s.store(ctx, func(ctx context.Context) error {
		return s.progress.Quarantine(ctx, file.ID, checkpoint.Quarantined{
			EndTime: file.EndTime, Name: file.Name, Size: file.Size, SHA256: file.SHA256,
			Reason: cause.Error(), Since: time.Now().UTC(),
		})
	})
}
