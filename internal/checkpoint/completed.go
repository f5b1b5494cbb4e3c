// Copyright The OpenTelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package checkpoint

import (
	"context"
	"encoding/binary"
	"slices"
	"time"
)

const (
	// keepCompleted is how long completed files are remembered beyond the lowest time
	// that is listed: longer than the API keeps a file.
	keepCompleted = 31 * 24 * time.Hour
	// completedBlock is how many files make a block.
	completedBlock = 256
	// maxImplausible bounds the ids of completed files with an implausible time that are
	// still listed.
	maxImplausible = 1000
)

// completedFile is an entry of the log of completed files.
type completedFile struct {
	hash FileHash
	end  int64 // microseconds since 1970
}

func (f completedFile) bytes() []byte {
	return binary.LittleEndian.AppendUint64(slices.Clone(f.hash[:]), uint64(f.end)) //nolint:gosec // as int64 below
}

func parseCompleted(data []byte) []completedFile {
	files := make([]completedFile, len(data)/completedEntry)
	for i := range files {
		entry := data[i*completedEntry:]
		copy(files[i].hash[:], entry)
		files[i].end = int64(binary.LittleEndian.Uint64(entry[len(FileHash{}):])) //nolint:gosec // an int64 it was
	}
	return files
}

// completedFiles counts the entries of the log by the hash of the file id. So the end of
// an old entry does not hide a younger one.
type completedFiles map[FileHash]int

func (c completedFiles) add(files []completedFile) {
	for _, file := range files {
		c[file.hash]++
	}
}

func (c completedFiles) remove(files []completedFile) {
	for _, file := range files {
		if c[file.hash]--; c[file.hash] <= 0 {
			delete(c, file.hash)
		}
	}
}

// complete adds a file to the completed ones. at is its end_time, or what stands in for
// it: the file is forgotten by this time.
func (d *draft) complete(fileID string, at time.Time) {
	d.appendCompleted(completedFile{d.HashKey.file(fileID), at.UnixMicro()})
}

func (d *draft) appendCompleted(file completedFile) {
	d.Completed = d.Completed.appended(time.UnixMicro(file.end), file.bytes())
	if len(d.Completed.Tail) >= completedBlock*completedEntry {
		d.Completed = d.Completed.sealed(d.writeBlock(completedKind, d.Completed.Tail), completedEntry)
	}
	d.completed = append(d.completed, file)
}

// completeImplausible completes a file with an implausible time: now stands in for it.
// It may be listed for longer than any other file, so its id is kept besides.
func (d *draft) completeImplausible(fileID string, now time.Time) {
	d.complete(fileID, now)
	if len(d.Implausible) < maxImplausible {
		d.Implausible = append(slices.Clip(d.Implausible), fileID)
	}
}

// ageCompleted forgets the files that no listing can reach any more.
func (d *draft) ageCompleted() {
	if len(d.Segments) == 0 {
		return
	}
	lowest := d.Segments[0].ListBase
	for _, seg := range d.Segments {
		lowest = earlier(lowest, earlier(seg.ListBase, seg.Cursor))
	}
	oldest := lowest.Add(-keepCompleted).UnixMicro()
	d.Completed, d.agedFiles = d.Completed.without(func(ref blockRef) bool { return ref.Times.Until < oldest })
}

// MarkCompleted completes an entry that cannot be read, by its digest, so that it is not
// reported again. end is its end_time or, without a plausible one, the time now. No
// cursor moves.
func (s *Stream) MarkCompleted(ctx context.Context, fileID string, end time.Time) error {
	return s.commit(ctx, func(d *draft) error {
		if s.IsCompleted(fileID) {
			return errNoChange
		}
		if end.IsZero() {
			end = time.Now()
		}
		d.complete(fileID, wholeMicros(end))
		return nil
	})
}

// Implausible returns the ids of the completed files whose end_time is implausible.
func (s *Stream) Implausible() []string { return slices.Clone(s.current().Implausible) }

// ForgetImplausible forgets the files with an implausible time that a complete poll did
// not list. A poll that lists further back may still do so: they stay completed for as
// long as any file. listed must not call the stream.
func (s *Stream) ForgetImplausible(ctx context.Context, listed func(fileID string) bool) error {
	return s.commit(ctx, func(d *draft) error {
		kept := slices.DeleteFunc(slices.Clone(d.Implausible), func(id string) bool { return !listed(id) })
		if len(kept) == len(d.Implausible) {
			return errNoChange
		}
		d.Implausible = kept
		return nil
	})
}
