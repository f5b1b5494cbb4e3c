// Copyright The OpenTelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package collect

import (
	"context"
	"sync"
	"time"

	"go.opentelemetry.io/collector/config/configretry"

	"github.com/openaicompliance/openaicompliancereceiver/internal/wait"
)

// holdAfter is how many different files in a row may fail with one cause before it
// is a fault of host, key or API and no longer the files'.
const holdAfter = 8

// fileFaults counts the files of a stream that failed in a row, each fetched for
// the first time. It is safe for concurrent use.
type fileFaults struct {
	mu    sync.Mutex
	cause string
	files map[string]bool
	held  bool // until a file is verified
}

// add counts a failed file, and reports whether the stream must hold.
func (f *fileFaults) add(fileID, cause string) (hold bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.held {
		return true
	}
	if f.cause != cause {
		f.cause, f.files = cause, map[string]bool{}
	}
	f.files[fileID] = true
	f.held = len(f.files) >= holdAfter
	return f.held
}

// succeeded takes note of a verified file. It returns the cause of the hold that ends
// with it, "" without one.
func (f *fileFaults) succeeded() (ended string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.held {
		ended = f.cause
	}
	f.cause, f.files, f.held = "", nil, false
	return ended
}

// fileHold is why no file is quarantined for now.
type fileHold struct {
	fault Fault
	// holds reports whether it still lasts. mayTry counts a fetch of a file, and
	// reports whether it may take place.
	holds  func() bool
	mayTry func(fileID string) bool
}

// holds reports whether the stream still holds.
func (f *fileFaults) holds() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.held
}

// hold is what the stream holds for.
func (f *fileFaults) hold(fault Fault) fileHold {
	return fileHold{fault: fault, holds: f.holds, mayTry: func(string) bool { return true }}
}

// fileVerified takes note of a verified file, wherever it was fetched: it ends a hold,
// and makes all entries of the cause due.
func (s *Stream) fileVerified() {
	if cause := s.faults.succeeded(); cause != "" {
		s.deps.Observer.HeldBy(s.id, HoldFiles, Hold{})
		s.queue.setCauseDue(cause)
		s.changed.broadcast()
	}
}

// holdForFiles holds the stream while no file can be had: nothing more is
// quarantined. It fetches one file at a time with back-off, in turn from those that
// failed and from the files listed after them. The first verified file is delivered
// and ends the hold; so does one of the retry queue or of another segment. With no
// file left that may be tried the hold outlasts the poll: the next one may list new
// files.
func (r *pollRun) holdForFiles(ctx, requests context.Context, hold fileHold) error {
	s, fault := r.segment.stream, hold.fault
	s.queue.suspend(fault.Label)
	defer s.queue.suspend("")
	r.prefetch.cancelAll()
	backOff := wait.NewBackOff(configretry.BackOffConfig{
		Enabled: true, InitialInterval: s.set.Times.HoldMost / 60, MaxInterval: s.set.Times.HoldMost, Multiplier: 2,
	})
	for at := 0; ; {
		changed := s.changed.wait()
		if !hold.holds() {
			return nil
		}
		pause, _ := backOff.Next(min(s.pauseOf(fault), s.set.Times.HoldMost))
		if err := awaitChange(requests, changed, pause); err != nil {
			return err
		}
		file, next, ok := nextCandidate(r.candidates(fault.Label), at, hold.mayTry)
		if !ok {
			return errHeld
		}
		at = next
		if err := r.tryCandidate(ctx, file); err != nil {
			return err
		}
	}
}

// nextCandidate is the first file from an index on, in a circle, that may be tried,
// and the index after it.
func nextCandidate(files []listedFile, from int, mayTry func(fileID string) bool) (file listedFile, next int, ok bool) {
	for i := range files {
		at := (from + i) % len(files)
		if mayTry(files[at].ID) {
			return files[at], at + 1, true
		}
	}
	return listedFile{}, from, false
}

// candidates are the quarantined files of the cause and the undelivered ones of the
// page.
func (r *pollRun) candidates(cause string) []listedFile {
	s := r.segment.stream
	var files []listedFile
	for _, entry := range s.checkpoint.Queue() {
		if entry.Cause == cause && entry.NextLine > 0 && len(files) < holdAfter {
			files = append(files, fileOf(entry))
		}
	}
	for _, file := range r.rest {
		if !s.checkpoint.IsCompleted(file.ID) {
			files = append(files, file)
		}
	}
	if len(files) == 0 {
		files = append(files, r.rest[0])
	}
	return files
}

// tryCandidate fetches a file once and delivers it. Its failure is no error.
func (r *pollRun) tryCandidate(ctx context.Context, file listedFile) error {
	s := r.segment.stream
	if !s.claims.take(file.ID, r.segment.worker.turn) {
		return nil // the retry queue, or the other segment, is at it
	}
	defer s.claims.release(file.ID)
	if s.checkpoint.IsCompleted(file.ID) {
		return nil
	}
	d := s.startDownload(ctx, file, r.prefetch.request(file, nil))
	if err := d.await(ctx); err != nil {
		if ctx.Err() == nil {
			s.pauseRequests(s.classifier.Classify(err), time.Second)
		}
		return ctx.Err()
	}
	err := r.deliver(ctx, file, d.body)
	d.end(err)
	return err
}
