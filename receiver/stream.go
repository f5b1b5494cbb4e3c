// Copyright The OpenTelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package receiver

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync/atomic"
	"time"

	"go.uber.org/zap"

	"github.com/openaicompliance/openaicompliancereceiver/internal/checkpoint"
	"github.com/openaicompliance/openaicompliancereceiver/internal/compliance"
	"github.com/openaicompliance/openaicompliancereceiver/internal/deliver"
	"github.com/openaicompliance/openaicompliancereceiver/internal/record"
	"github.com/openaicompliance/openaicompliancereceiver/internal/wait"
)

// keyRefusedInterval is the shortest wait between passes while the key is refused.
const keyRefusedInterval = 5 * time.Minute

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

	// keyUsed is the key when the pass began.
	keyUsed string

	// passes counts this run's; tally is of the one under way. stuck counts the
	// passes that ended at the file stuckOn.
	passes  int
	tally   tally
	stuckOn string
	stuck   int
	// mismatched holds what came in place of files, by id.
	mismatched map[string]mismatch
	// abandoned is set when Shutdown had to leave this stream behind.
	abandoned *atomic.Bool

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
		s.keyUsed, _ = s.api.Key.Key()
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
	for left := max(s.cfg.PollInterval, keyRefusedInterval); left > 0; left -= look {
		if err := wait.Sleep(ctx, min(look, left)); err != nil {
			return err
		}
		if key, err := s.api.Key.Key(); err == nil && key != s.keyUsed {
			return nil
		}
	}
	return nil
}

// pass lists everything since the position, less the overlap, and delivers what
// is not delivered yet, oldest file first.
func (s *stream) pass(ctx context.Context) error {
	s.passes++
	s.tally = tally{}
	from, usual := s.listFrom()
	pager := s.api.Pages(s.eventType, from)
	listed := map[string]bool{}
	var began, covered time.Time // the server's clock at the first page; the last page's end
	for {
		page, err := s.nextPage(ctx, pager)
		if errors.Is(err, io.EOF) {
			return errors.Join(s.complete(ctx, listed, began), s.tally.verdict())
		}
		if err != nil {
			return fmt.Errorf("list files: %w", err)
		}
		if began.IsZero() {
			began = page.Date
		}
		if err := s.checkGap(ctx, page.Date, covered); err != nil {
			return err
		}
		for _, file := range page.Files {
			covered = file.EndTime
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
		if err := s.list.gate.enter(ctx); err != nil {
			return err
		}
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
	got, memory, err := s.fetch(ctx, file)
	if s.hopeless(ctx, file, err) {
		return s.quarantine(ctx, file, err)
	}
	if err != nil {
		return err
	}
	defer memory.release()
	s.telemetry.fileBytes(ctx, s.eventType, len(got.content))
	// Computed first, so that the content is not kept alive by got while
	// deliverFile has given its memory back.
	outcome := outcomeOf(got.sha256 != file.SHA256, late)
	if err := s.deliverFile(ctx, file, got, memory); err != nil {
		return err
	}
	s.tally.delivered++
	delete(s.mismatched, file.ID)
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

// body of a file, and the digest of these very bytes.
type body struct {
	content []byte
	sha256  string
}

// fetch downloads a file. A file in quarantine is asked for once, any other as
// often as api_retry says. Memory is held from before each attempt, and returned
// with the body.
func (s *stream) fetch(ctx context.Context, file compliance.File) (got body, memory *lease, err error) {
	attempt := func() error {
		held, err := s.budget.hold(ctx, file.Size)
		if err != nil {
			return err
		}
		if got, err = s.attempt(ctx, file); err != nil {
			held.release()
			return err
		}
		memory = held
		return nil
	}
	if s.progress.Quarantined(file.ID) {
		err = attempt()
	} else {
		err = s.download.do(ctx, attempt)
	}
	return got, memory, err
}

// attempt downloads a file once, in one of the slots and within the rate.
func (s *stream) attempt(ctx context.Context, file compliance.File) (got body, err error) {
	err = s.budget.download(ctx, func() error {
		if err := s.download.gate.enter(ctx); err != nil {
			return err
		}
		content, err := s.api.Download(ctx, file)
		got = body{content, file.SHA256}
		if mismatch, ok := errors.AsType[*compliance.IntegrityError](err); ok {
			got, err = s.judge(file, mismatch)
		}
		return err
	})
	return got, err
}

// mismatch is a complete body of the listed size with another digest, and the
// pass that it came in.
type mismatch struct {
	sha256 string
	pass   int
}

// judge decides on a body that is not the listed one. With lenient verification
// the same bytes in two passes, as many as listed, are taken for the file: then
// it is the digest in the listing that is wrong. An error page or a cut body has
// another size.
func (s *stream) judge(file compliance.File, found *compliance.IntegrityError) (body, error) {
	if found.Content == nil || found.GotSize != found.WantSize {
		return body{}, found
	}
	before, known := s.mismatched[file.ID]
	if !known || before.sha256 != found.GotSHA256 {
		s.mismatched[file.ID] = mismatch{found.GotSHA256, s.passes}
		return body{}, found
	}
	if before.pass == s.passes || s.cfg.Download.Verify == verifyStrict {
		return body{}, found
	}
	s.logger.Warn("The file's bytes came the same in two passes and are not those of the listing; it is delivered and marked as unverified.",
		zap.String("file_id", file.ID), zap.Error(found))
	return body{found.Content, found.GotSHA256}, nil
}

// stuckPasses is how many passes may end at one file that cannot be downloaded
// before it is set aside.
const stuckPasses = 3

// hopeless reports whether the others should go on without this file: the
// trouble is its own, or it has ended several passes.
func (s *stream) hopeless(ctx context.Context, file compliance.File, err error) bool {
	switch {
	case err == nil || ctx.Err() != nil:
		return false
	case fileFault(err):
		return true
	case !downloadFailed(err):
		return false
	case s.progress.Quarantined(file.ID):
		return true
	}
	if s.stuckOn != file.ID {
		s.stuckOn, s.stuck = file.ID, 0
	}
	s.stuck++
	return s.stuck >= stuckPasses
}

// quarantine sets a file aside that cannot be read, so that the others need not
// wait for it. It stays listed, so every pass tries it again.
func (s *stream) quarantine(ctx context.Context, file compliance.File, cause error) error {
	s.tally.aside++
	s.tally.cause = cause
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
