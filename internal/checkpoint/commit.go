// Copyright The OpenTelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package checkpoint

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"go.opentelemetry.io/collector/extension/xextension/storage"

	"github.com/openaicompliance/openaicompliancereceiver/internal/deliver"
)

// draft is the next state while a change is made to it, and what its commit does besides.
type draft struct {
	*state // of the draft's own; its slices are shared with the current state and replaced, never written into
	set    Settings
	termID string

	blocks []namedBlock // to write before the checkpoint

	completed  []completedFile // to add to memory
	seen       []deliver.Event // to add to memory
	agedFiles  []blockRef      // no longer named, to take from memory
	agedEvents []blockRef
	evicted    int
}

type namedBlock struct {
	name string
	data []byte
}

// writeBlock plans to write a block and returns its name.
func (d *draft) writeBlock(kind string, data []byte) string {
	name := blockName(d.termID, kind, d.NextBlock, data)
	d.NextBlock++
	d.blocks = append(d.blocks, namedBlock{name, data})
	return name
}

// blocksBelow returns what writes the blocks below the key of a stream.
func (d *draft) blocksBelow(key string) []*storage.Operation {
	ops := make([]*storage.Operation, 0, len(d.blocks)+1)
	for _, block := range d.blocks {
		ops = append(ops, storage.SetOperation(key+"/"+block.name, block.data))
	}
	return ops
}

func (d *draft) writes(name string) bool {
	return slices.ContainsFunc(d.blocks, func(b namedBlock) bool { return b.name == name })
}

// errNoChange ends a change that has nothing to store. No caller sees it.
var errNoChange = errors.New("no change")

// commit makes a change to a copy of the state, stores the blocks and the checkpoint,
// shows the new state, and deletes what is no longer named. When it fails nothing has
// changed but that blocks without a name may be left, which the next commit deletes.
func (s *Stream) commit(ctx context.Context, change func(*draft) error) error {
	select {
	case s.writing <- struct{}{}:
		defer func() { <-s.writing }()
	case <-ctx.Done():
		return ctx.Err()
	}
	now := s.current()
	next := *now
	d := &draft{state: &next, set: s.set, termID: s.term.ID}
	if err := change(d); errors.Is(err, errNoChange) {
		return nil
	} else if err != nil {
		return err
	}
	d.ageCompleted()
	d.ageEvents()
	if err := d.writeQueue(); err != nil {
		return err
	}
	d.Unused = s.unused(now, d)
	value, err := next.encode()
	if err != nil {
		return err
	}
	if err := s.client.Batch(ctx, append(d.blocksBelow(s.key), storage.SetOperation(s.key+"/"+s.term.ID, value))...); err != nil {
		for _, block := range d.blocks {
			s.abandoned = append(s.abandoned, block.name)
		}
		return fmt.Errorf("store checkpoint %q: %w", s.key, err)
	}
	s.abandoned = nil
	s.show(d)
	s.forgetAged(ctx, d)
	s.deleteUnused(ctx)
	return nil
}

// unused returns the keys that no state names once the draft is stored.
func (s *Stream) unused(now *state, d *draft) []string {
	unused := slices.Clone(now.Unused)
	for _, ref := range slices.Concat(d.agedFiles, d.agedEvents) {
		unused = append(unused, ref.Name)
	}
	for _, block := range now.Queue {
		if !d.Queue.names(block.Name) {
			unused = append(unused, block.Name)
		}
	}
	for _, name := range now.DigestEntries.Blocks {
		if !slices.Contains(d.DigestEntries.Blocks, name) {
			unused = append(unused, name)
		}
	}
	for _, name := range s.abandoned {
		// A repeated commit may write the very same block.
		if !d.writes(name) && !slices.Contains(unused, name) {
			unused = append(unused, name)
		}
	}
	return unused
}

// show replaces the state and adds what is new in memory.
func (s *Stream) show(d *draft) {
	s.showing.Lock()
	defer s.showing.Unlock()
	s.state = d.state
	s.completed.add(d.completed)
	s.events.add(d.seen)
	s.evicted += d.evicted
}

// forgetAged takes the entries of aged blocks from memory. Those of a block that cannot
// be read are remembered until the next Load, which does no harm.
func (s *Stream) forgetAged(ctx context.Context, d *draft) {
	for _, ref := range d.agedFiles {
		if data, err := readBlock(ctx, s.client, s.key, ref.Name); err == nil {
			s.showing.Lock()
			s.completed.remove(parseCompleted(data))
			s.showing.Unlock()
		}
	}
	for _, ref := range d.agedEvents {
		if data, err := readBlock(ctx, s.client, s.key, ref.Name); err == nil {
			s.showing.Lock()
			s.events.remove(parseEvents(data))
			s.showing.Unlock()
		}
	}
}

// deleteUnused deletes what is no longer named. When that fails the keys stay in the
// checkpoint and the next commit tries again.
func (s *Stream) deleteUnused(ctx context.Context) {
	now := s.current()
	if len(now.Unused) == 0 {
		return
	}
	ops := make([]*storage.Operation, 0, len(now.Unused))
	for _, name := range now.Unused {
		ops = append(ops, storage.DeleteOperation(s.key+"/"+name))
	}
	if err := s.client.Batch(ctx, ops...); err != nil {
		return
	}
	next := *now
	next.Unused = nil
	s.showing.Lock()
	defer s.showing.Unlock()
	s.state = &next
}

// CommitTime says what the end_time of a file is worth.
type CommitTime struct {
	// Implausible: no cursor comes from the end_time of this file. Now stands in for it.
	// The id stays completed until ForgetImplausible, and as long as any other.
	Implausible bool
	// Now is the wall clock when zero.
	Now time.Time
}

var errNoReceipt = errors.New("commit: no delivery has created the receipt")

// Commit stores what a delivery has settled: progress in an open or queued file, lines
// that leave or enter the retry queue, the seen events, and at the end of a file its
// completion and the cursor. It returns ErrQueueFull, and stores nothing, when the queue
// has no room for quarantined lines.
func (s *Stream) Commit(ctx context.Context, r deliver.Receipt, at CommitTime) error {
	part, ok := r.Part()
	if !ok {
		return errNoReceipt
	}
	part.File.EndTime = wholeMicros(part.File.EndTime)
	if at.Now.IsZero() {
		at.Now = time.Now()
	}
	at.Now = wholeMicros(at.Now)
	at.Implausible = at.Implausible || part.File.EndTime.IsZero()
	return s.commit(ctx, func(d *draft) error {
		if d.Bounds == nil {
			return fmt.Errorf("commit to %q: %w", s.key, errBoundsNotSet)
		}
		if r.Outcome() == deliver.Accepted {
			d.remember(part.Events, at.fileTime(part.File))
		}
		queued, _ := d.Queue.get(part.File.ID)
		switch {
		case queued.NextLine > 0:
			d.advanceQueued(queued, part, at)
		case s.IsCompleted(part.File.ID) || d.retriesLines(queued, part):
			// Only lines of the file were offered.
		default:
			d.advanceOpen(part, at)
		}
		if part.Entry != nil {
			d.appendDigestEntry(part.Entry)
		}
		return d.settleLines(part, r.Outcome(), at)
	})
}

// fileTime is the end_time or what stands in for it.
func (at CommitTime) fileTime(file deliver.FileRef) time.Time {
	if at.Implausible {
		return at.Now
	}
	return file.EndTime
}

// retriesLines reports whether the part is a retry of quarantined lines, as opposed to
// progress in a file of which earlier lines are quarantined.
func (d *draft) retriesLines(queued QueuedFile, part deliver.Part) bool {
	if len(part.Lines) == 0 || !containsLines(queued.Lines, part.Lines) {
		return false
	}
	open, ok := d.openFile(part.File.ID)
	return !ok || open.SHA256 == part.SHA256 && part.Lines[len(part.Lines)-1] < open.NextLine
}

// advanceQueued stores the progress in a file that is queued whole.
func (d *draft) advanceQueued(queued QueuedFile, part deliver.Part, at CommitTime) {
	if queued.SHA256 != "" && queued.SHA256 != part.SHA256 {
		queued.Lines = nil // of other bytes; all lines of these come anew
	}
	queued.NextLine, queued.SHA256, queued.Ahead, queued.Tally = part.NextLine, part.SHA256, slices.Clone(part.Ahead), part.Tally
	if part.NextLine == 0 {
		queued.Ahead, queued.Tally = nil, nil
		at.Implausible = at.Implausible || queued.Implausible
		d.completeFile(part.File, at)
	}
	d.Queue = d.Queue.with(queued)
}

// advanceOpen stores the progress in a file that is not queued whole, and moves the
// cursor over it once it is completed.
func (d *draft) advanceOpen(part deliver.Part, at CommitTime) {
	if queued, ok := d.Queue.get(part.File.ID); ok && queued.SHA256 != "" && queued.SHA256 != part.SHA256 {
		d.Queue = d.Queue.without(part.File.ID) // lines of other bytes; all lines of these come anew
	}
	if part.NextLine > 0 {
		d.setOpen(QueuedFile{
			File: part.File, NextLine: part.NextLine, SHA256: part.SHA256, Ahead: slices.Clone(part.Ahead), Tally: part.Tally,
			Since: at.Now, Implausible: at.Implausible,
		})
		return
	}
	d.removeOpen(part.File.ID)
	d.completeFile(part.File, at)
	if !at.Implausible {
		d.advanceCursor(part.File.EndTime)
	}
}

func (d *draft) completeFile(file deliver.FileRef, at CommitTime) {
	if at.Implausible {
		d.completeImplausible(file.ID, at.Now)
	} else {
		d.complete(file.ID, file.EndTime)
	}
}

// CauseRejected is the cause of quarantined lines.
const CauseRejected = "rejected"

// settleLines adds the lines of a part to the file's entry in the queue when they are
// quarantined, else removes them. An entry without anything to deliver ends.
func (d *draft) settleLines(part deliver.Part, outcome deliver.Outcome, at CommitTime) error {
	entry, ok := d.Queue.get(part.File.ID)
	if outcome == deliver.Quarantined {
		if !ok {
			entry = QueuedFile{File: part.File, SHA256: part.SHA256, Cause: CauseRejected, Since: at.Now, Implausible: at.Implausible}
		}
		entry.Lines = unitedRanges(entry.Lines, rangesOf(part.Lines))
		before := d.Queue.ranges()
		d.Queue = d.Queue.with(entry)
		return checkGrowth(before, d.Queue.ranges(), MaxQueuedRanges)
	}
	if !ok {
		return nil
	}
	if left := rangesWithout(entry.Lines, rangesOf(part.Lines)); !slices.Equal(left, entry.Lines) {
		entry.Lines = left
		d.Queue = d.Queue.with(entry)
	}
	if entry.NextLine == 0 && len(entry.Lines) == 0 {
		d.Queue = d.Queue.without(part.File.ID)
	}
	return nil
}
