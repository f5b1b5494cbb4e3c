// Copyright The OpenTelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package receiver

import (
	"context"
	"errors"
	"sync"

	"go.uber.org/zap"

	"github.com/openaicompliance/openaicompliancereceiver/internal/compliance"
	"github.com/openaicompliance/openaicompliancereceiver/internal/pace"
)

// body of a file, whose memory is leased by its size, and the digest of these very
// bytes.
type body struct {
	content []byte
	sha256  string
}

// fetching is one file on its way, in a goroutine of its own.
type fetching struct {
	file compliance.File
	// patient tries again as often as api_retry says; the others try once.
	patient bool
	// place is where its first try stands in the queue, nil for a further one.
	place *pace.Ask

	cancel context.CancelFunc
	finish func(error)   // ends the file's span
	done   chan struct{} // closed once what follows is set
	got    body
	memory *pace.Lease // held from before each try; nil on error
	err    error
}

// fetch begins to download a file. failed is the error of a first try, if one has
// been made, before the download of the file ahead of it in its lane.
func (s *stream) fetch(ctx context.Context, file compliance.File, rank pace.Rank, pass int, patient bool, failed error, before *fetching) *fetching {
	ctx, cancel := context.WithCancel(ctx)
	ctx, finish := s.telemetry.fileSpan(ctx, s.eventType, file)
	f := &fetching{file: file, patient: patient, cancel: cancel, finish: finish, done: make(chan struct{})}
	wants := pace.Ask{Rank: s.rankOf(rank, file), End: file.EndTime, Size: s.cfg.memoryOf(file)}
	if before != nil {
		wants.After = before.place
	}
	var place *pace.Ask
	if failed == nil { // before the goroutine runs, so that files keep their order
		place = s.scheduler.Enqueue(wants)
		f.place = place
	}
	try := func() error {
		if place == nil {
			place = s.scheduler.Enqueue(wants)
		}
		err := s.attempt(ctx, f, place, pass)
		place = nil
		return err
	}
	go func() {
		defer close(f.done)
		switch {
		case !patient:
			if f.err = try(); f.err != nil {
				s.download.heed(f.err)
			}
		case failed != nil:
			f.err = s.download.goOn(ctx, failed, try)
		default:
			f.err = s.download.do(ctx, try)
		}
	}()
	return f
}

// ended reports whether the download has ended; it may be nil.
func (f *fetching) ended() bool {
	select {
	case <-f.doneChan():
		return true
	default:
		return false
	}
}

// doneChan is closed at the end of the download; nil, which blocks, without one.
func (f *fetching) doneChan() <-chan struct{} {
	if f == nil {
		return nil
	}
	return f.done
}

// await returns what came; the caller releases the memory that comes with it.
func (f *fetching) await() (body, *pace.Lease, error) {
	<-f.done
	f.cancel()
	return f.got, f.memory, f.err
}

// abandon ends a fetch and gives back what it holds.
func (f *fetching) abandon() {
	f.cancel()
	<-f.done
	f.finish(context.Canceled)
	f.got = body{}
	if f.memory != nil {
		f.memory.Release()
	}
}

// attempt downloads a file once, in its turn.
func (s *stream) attempt(ctx context.Context, f *fetching, place *pace.Ask, pass int) error {
	held, err := s.scheduler.Wait(ctx, place)
	if err != nil {
		return err
	}
	content, err := s.api.Download(ctx, f.file)
	held.Downloaded()
	f.got = body{content.Bytes, f.file.SHA256} // every file has a digest here, and so is verified
	if err != nil {
		f.got, err = s.verifier.judge(f.file, err, pass)
	}
	if err != nil {
		if mismatch, ok := errors.AsType[*compliance.IntegrityError](err); ok {
			mismatch.Content = nil // its memory is given back
		}
		held.Release()
		return err
	}
	f.memory = held
	return nil
}

// verifier decides on bodies that are not the listed file. With lenient
// verification the same bytes in two passes, as many as listed, are taken for the
// file: then it is the digest in the listing that is wrong. An error page or a cut
// body has another size.
type verifier struct {
	strict bool
	logger *zap.Logger

	mu   sync.Mutex // guards seen
	seen map[string]mismatch
}

// mismatch is a complete body of the listed size with another digest, and the
// pass that it came in.
type mismatch struct {
	sha256 string
	pass   int
}

func newVerifier(mode string, logger *zap.Logger) *verifier {
	return &verifier{strict: mode == verifyStrict, logger: logger, seen: map[string]mismatch{}}
}

// judge returns the body that is to be taken for the file all the same, or the
// error as it is.
func (v *verifier) judge(file compliance.File, err error, pass int) (body, error) {
	found, ok := errors.AsType[*compliance.IntegrityError](err)
	if !ok || found.Content == nil || found.GotSize != found.WantSize {
		return body{}, err
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	before, known := v.seen[file.ID]
	if !known || before.sha256 != found.GotSHA256 {
		v.seen[file.ID] = mismatch{found.GotSHA256, pass}
		return body{}, err
	}
	if before.pass == pass || v.strict {
		return body{}, err
	}
	v.logger.Warn("The file's bytes came the same in two passes and are not those of the listing; it is delivered and marked as unverified.",
		zap.String("file_id", file.ID), zap.Error(err))
	return body{found.Content, found.GotSHA256}, nil
}

// forget drops what is kept of a file that is done.
func (v *verifier) forget(fileID string) {
	v.mu.Lock()
	defer v.mu.Unlock()
	delete(v.seen, fileID)
}
