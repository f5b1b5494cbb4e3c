// Copyright The OpenTelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package checkpoint

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"go.opentelemetry.io/collector/extension/xextension/storage"
)

// Bounds of the retry queue of a stream: whole files, and ranges of lines.
const (
	MaxQueuedFiles  = 1000
	MaxQueuedRanges = 10000
)

// ErrQueueFull is a change that the retry queue has no room for. Nothing was stored.
var ErrQueueFull = errors.New("the retry queue is full")

// queue is the retry queue in blocks, so that a commit that does not change it costs the
// same however long it is. A queue and its blocks are never changed: a change makes a
// copy of the list and of one block or two.
type queue []queueBlock

// queueBlock is some files of the queue. Its JSON is what the checkpoint has of it.
type queueBlock struct {
	// Name is empty until the block is written.
	Name string `json:"name"`

	files  []QueuedFile
	byID   map[string]int // index in files
	whole  int            // files that are queued whole
	lines  int            // in ranges
	ranges int
	oldest time.Time // end_time of those queued whole, zero without one
}

// maxBlockWeight bounds files and ranges together in a block of more than one file.
const maxBlockWeight = 512

func newQueueBlock(files []QueuedFile) queueBlock {
	b := queueBlock{files: files, byID: make(map[string]int, len(files))}
	for i, f := range files {
		b.byID[f.File.ID] = i
		if f.NextLine > 0 {
			b.whole++
			b.oldest = earliestSet(b.oldest, f.File.EndTime)
		}
		b.lines += countLines(f.Lines)
		b.ranges += len(f.Lines)
	}
	return b
}

// earliestSet is the earlier of two times, of which a zero one does not count.
func earliestSet(a, b time.Time) time.Time {
	if a.IsZero() || !b.IsZero() && b.Before(a) {
		return b
	}
	return a
}

func (b *queueBlock) weight() int { return len(b.files) + b.ranges }

// find returns the indexes of the block and of the file in it.
func (q queue) find(id string) (block, file int, ok bool) {
	for i := range q {
		if at, ok := q[i].byID[id]; ok {
			return i, at, true
		}
	}
	return 0, 0, false
}

func (q queue) get(id string) (f QueuedFile, ok bool) {
	block, file, ok := q.find(id)
	if !ok {
		return QueuedFile{}, false
	}
	return q[block].files[file], true
}

// with is the queue with a file added or replaced.
func (q queue) with(f QueuedFile) queue {
	if block, file, ok := q.find(f.File.ID); ok {
		old := &q[block]
		if len(old.files) == 1 || old.weight()-len(old.files[file].Lines)+len(f.Lines) <= maxBlockWeight {
			files := slices.Clone(old.files)
			files[file] = f
			return q.replaced(block, newQueueBlock(files))
		}
		q = q.without(f.File.ID)
	}
	for i := range q {
		if q[i].weight()+1+len(f.Lines) <= maxBlockWeight {
			return q.replaced(i, newQueueBlock(append(slices.Clip(q[i].files), f)))
		}
	}
	return append(slices.Clip(q), newQueueBlock([]QueuedFile{f}))
}

// without is the queue without a file that may be in it.
func (q queue) without(id string) queue {
	block, file, ok := q.find(id)
	switch {
	case !ok:
		return q
	case len(q[block].files) == 1:
		return slices.Delete(slices.Clone(q), block, block+1)
	}
	return q.replaced(block, newQueueBlock(slices.Delete(slices.Clone(q[block].files), file, file+1)))
}

func (q queue) replaced(i int, block queueBlock) queue {
	next := slices.Clone(q)
	next[i] = block
	return next
}

// counts returns the files that are queued whole, and the lines.
func (q queue) counts() (files, lines int) {
	for i := range q {
		files += q[i].whole
		lines += q[i].lines
	}
	return files, lines
}

func (q queue) ranges() (n int) {
	for i := range q {
		n += q[i].ranges
	}
	return n
}

func (q queue) names(name string) bool {
	return slices.ContainsFunc(q, func(b queueBlock) bool { return b.Name == name })
}

// all files, copied, oldest end_time first.
func (q queue) all() []QueuedFile {
	files := []QueuedFile{}
	for i := range q {
		for _, f := range q[i].files {
			files = append(files, f.clone())
		}
	}
	sortQueue(files)
	return files
}

func sortQueue(files []QueuedFile) {
	slices.SortFunc(files, func(a, b QueuedFile) int {
		return cmp.Or(a.File.EndTime.Compare(b.File.EndTime), cmp.Compare(a.File.ID, b.File.ID))
	})
}

// read fills the blocks that a checkpoint names.
func (q queue) read(ctx context.Context, client storage.Client, key string) (queue, error) {
	filled := make(queue, 0, len(q))
	for _, block := range q {
		data, err := readBlock(ctx, client, key, block.Name)
		if err != nil {
			return nil, err
		}
		var files []QueuedFile
		if err := decodeStrict(data, &files); err != nil {
			return nil, corrupt(key+"/"+block.Name, err.Error())
		}
		for _, f := range files {
			if err := f.check(); err != nil {
				return nil, corrupt(key+"/"+block.Name, err.Error())
			}
		}
		full := newQueueBlock(files)
		full.Name = block.Name
		filled = append(filled, full)
	}
	return filled, nil
}

// writeQueue plans to write the blocks of the queue that are new.
func (d *draft) writeQueue() error {
	written := slices.Clone(d.Queue)
	for i := range written {
		if written[i].Name != "" {
			continue
		}
		data, err := json.Marshal(written[i].files)
		if err != nil {
			return fmt.Errorf("encode retry queue: %w", err)
		}
		written[i].Name = d.writeBlock(queueKind, data)
	}
	d.Queue = written
	return nil
}

func checkGrowth(before, after, bound int) error {
	if after > before && after > bound {
		return ErrQueueFull
	}
	return nil
}

// Queue returns a copy of the retry queue, oldest end_time first.
func (s *Stream) Queue() []QueuedFile { return s.current().Queue.all() }

// Queued returns a copy of the file's entry in the retry queue. An entry with NextLine 0
// holds lines only: the file itself is open or completed.
func (s *Stream) Queued(fileID string) (f QueuedFile, ok bool) {
	f, ok = s.current().Queue.get(fileID)
	return f.clone(), ok
}

// QueueCounts returns the number of files that are queued whole, and of queued records.
func (s *Stream) QueueCounts() (files, records int) { return s.current().Queue.counts() }

// OldestQueued returns the earliest end_time of the files that are queued whole; zero
// without one.
func (s *Stream) OldestQueued() (oldest time.Time) {
	for _, block := range s.current().Queue {
		oldest = earliestSet(oldest, block.oldest)
	}
	return oldest
}

// Enqueue adds a file or lines to the retry queue. A file that is open is taken over with
// its next line. An entry that is there keeps its time, progress and lines. No cursor
// moves.
func (s *Stream) Enqueue(ctx context.Context, f QueuedFile) error {
	return s.commit(ctx, func(d *draft) error { return s.enqueue(d, f.stored()) })
}

// EnqueueAndPass is Enqueue, and the cursor moves over the file in the same commit unless
// its end_time is implausible.
func (s *Stream) EnqueueAndPass(ctx context.Context, f QueuedFile) error {
	return s.commit(ctx, func(d *draft) error {
		f := f.stored()
		if err := s.enqueue(d, f); err != nil {
			return err
		}
		if !f.Implausible && !f.File.EndTime.IsZero() {
			d.advanceCursor(f.File.EndTime)
		}
		return nil
	})
}

var errCompleted = errors.New("the file is completed")

func (s *Stream) enqueue(d *draft, f QueuedFile) error {
	wholeBefore, _ := d.Queue.counts()
	rangesBefore := d.Queue.ranges()
	switch {
	case d.Bounds == nil:
		return fmt.Errorf("enqueue in %q: %w", s.key, errBoundsNotSet)
	case f.NextLine > 0 && s.IsCompleted(f.File.ID):
		return fmt.Errorf("enqueue in %q: %w", s.key, errCompleted)
	}
	if open, ok := d.openFile(f.File.ID); ok && f.NextLine > 0 {
		f.NextLine, f.SHA256, f.Ahead, f.Tally = open.NextLine, open.SHA256, open.Ahead, open.Tally
		d.removeOpen(f.File.ID)
	}
	if old, ok := d.Queue.get(f.File.ID); ok {
		f.Since = old.Since
		f.Lines = unitedRanges(old.Lines, f.Lines)
		if old.NextLine > 0 {
			f.NextLine, f.SHA256, f.Ahead, f.Tally = old.NextLine, old.SHA256, old.Ahead, old.Tally
		}
		if f.SHA256 == "" {
			f.SHA256 = old.SHA256
		}
	}
	if err := f.check(); err != nil {
		return fmt.Errorf("enqueue in %q: %w", s.key, err)
	}
	d.Queue = d.Queue.with(f)
	whole, _ := d.Queue.counts()
	return errors.Join(checkGrowth(wholeBefore, whole, MaxQueuedFiles), checkGrowth(rangesBefore, d.Queue.ranges(), MaxQueuedRanges))
}

// UpdateQueued stores the reason, the cause, and what a listing says of a queued file.
// Its progress, lines and time stay. A file that is not queued is left alone.
func (s *Stream) UpdateQueued(ctx context.Context, f QueuedFile) error {
	return s.commit(ctx, func(d *draft) error {
		entry, ok := d.Queue.get(f.File.ID)
		if !ok {
			return errNoChange
		}
		f := f.stored()
		if entry.File == f.File && entry.Reason == f.Reason && entry.Cause == f.Cause && entry.Implausible == f.Implausible {
			return errNoChange
		}
		entry.File, entry.Reason, entry.Cause, entry.Implausible = f.File, f.Reason, f.Cause, f.Implausible
		d.Queue = d.Queue.with(entry)
		return nil
	})
}

// RemoveQueued removes files from the retry queue that have expired or that the operator
// gives up. They do not become completed.
func (s *Stream) RemoveQueued(ctx context.Context, fileIDs ...string) error {
	return s.commit(ctx, func(d *draft) error {
		changed := false
		for _, id := range fileIDs {
			if _, _, ok := d.Queue.find(id); ok {
				d.Queue, changed = d.Queue.without(id), true
			}
		}
		if !changed {
			return errNoChange
		}
		return nil
	})
}
