// Copyright The OpenTelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package checkpoint

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"go.opentelemetry.io/collector/extension/xextension/storage"

	"github.com/openaicompliance/openaicompliancereceiver/internal/checkpoint/internal/permit"
)

// Snapshot is all that is stored of one stream, its blocks included, without a term. Its
// JSON is documented in docs/state.md. No slice is nil.
type Snapshot struct {
	Key string `json:"key"`
	Content
	Queue     []QueuedFile    `json:"queue"`
	Completed []CompletedFile `json:"completed_files"`
	// Events are the seen events, oldest block first.
	Events []EventBlock `json:"seen_events"`
	// DigestEntries are what the next digests list, oldest first; nil without.
	DigestEntries []json.RawMessage `json:"digest_entries,omitempty"`
}

// CompletedFile is the keyed hash of a file id and the end_time of the file.
type CompletedFile struct {
	Hash    FileHash  `json:"hash"`
	EndTime time.Time `json:"end_time"`
}

// EventBlock is some seen events that are forgotten together.
type EventBlock struct {
	// Since and Until bound the times of their files.
	Since time.Time `json:"since"`
	Until time.Time `json:"until"`
	// Entries are pairs of little-endian 64-bit hashes: of the id, and of id and line.
	Entries []byte `json:"entries"`
}

// Len is the number of events.
func (b EventBlock) Len() int { return len(b.Entries) / eventEntry }

// ReadSnapshot reads and checks everything that is stored of a stream, as Load does, but
// begins no term. It returns nil and no error when nothing is stored.
func ReadSnapshot(ctx context.Context, client storage.Client, key string) (*Snapshot, error) {
	_, stored, err := readCheckpoint(ctx, client, key)
	if err != nil || stored == nil {
		return nil, err
	}
	snap := &Snapshot{Key: key, Content: stored.Content, Queue: stored.Queue.all(), Completed: []CompletedFile{}, Events: []EventBlock{}}
	snap.Segments = append([]StoredSegment{}, snap.Segments...)
	snap.Open = append([]QueuedFile{}, snap.Open...)
	snap.Implausible = append([]string{}, snap.Implausible...)
	err = stored.Completed.read(ctx, client, key, completedEntry, func(_ timeRange, data []byte) {
		for _, file := range parseCompleted(data) {
			snap.Completed = append(snap.Completed, CompletedFile{file.hash, time.UnixMicro(file.end).UTC()})
		}
	})
	if err != nil {
		return nil, err
	}
	err = stored.Events.read(ctx, client, key, eventEntry, func(times timeRange, data []byte) {
		snap.Events = append(snap.Events, EventBlock{time.UnixMicro(times.Since).UTC(), time.UnixMicro(times.Until).UTC(), data})
	})
	if err != nil {
		return nil, err
	}
	if snap.DigestEntries, err = stored.DigestEntries.all(ctx, client, key); err != nil {
		return nil, err
	}
	return snap, nil
}

// Operations store the snapshot in place of what the stream's keys hold; old is all of
// these. The snapshot is stored as a new term, blocks first and the term last, and only
// then the old keys are deleted. So wherever a storage may stop, the old or the new state
// is whole. The client is asked for the number of the current term.
func (s *Snapshot) Operations(ctx context.Context, _ permit.Edit, client storage.Client, old []string) ([]*storage.Operation, error) {
	if err := s.Check(); err != nil {
		return nil, err
	}
	// A term or an old state that cannot be read is replaced like any other.
	current, _, err := readTerm(ctx, client, s.Key)
	if err != nil && !errors.Is(err, ErrCorrupt) && !errors.Is(err, ErrOldFormat) {
		return nil, err
	}
	next := newTerm(current.Number + 1)
	d := &draft{state: &state{Content: s.Content}, termID: next.ID}
	for _, file := range s.Completed {
		d.appendCompleted(completedFile{file.Hash, file.EndTime.UnixMicro()})
	}
	for i, block := range s.Events {
		if i > 0 {
			d.sealEvents()
		}
		d.Events = blockLog{d.Events.Blocks, block.Entries, timeRange{block.Since.UnixMicro(), block.Until.UnixMicro()}}
	}
	sortQueue(s.Queue) // as it is read back
	for _, file := range s.Queue {
		d.Queue = d.Queue.with(file)
	}
	for _, entry := range s.DigestEntries {
		d.appendDigestEntry(entry)
	}
	if err := d.writeQueue(); err != nil {
		return nil, err
	}
	value, err := d.encode()
	if err != nil {
		return nil, err
	}
	ops := append(d.blocksBelow(s.Key), storage.SetOperation(s.Key+"/"+next.ID, value), storage.SetOperation(termKey(s.Key), next.encode()))
	for _, key := range old {
		if key != termKey(s.Key) {
			ops = append(ops, storage.DeleteOperation(key))
		}
	}
	return ops, nil
}

// Check returns what makes a snapshot none that this package could have stored.
func (s *Snapshot) Check() error {
	fault := func(text string) error { return fmt.Errorf("check state %q: %s", s.Key, text) }
	if k, ok := ParseKey(s.Key); !ok || k.Below {
		return fault("the key is of no stream")
	}
	if s.Segments == nil || s.Open == nil || s.Implausible == nil || s.Queue == nil || s.Completed == nil || s.Events == nil {
		return fault("segments, open, implausible, queue, completed_files or seen_events is missing")
	}
	if err := s.checkContent(); err != nil {
		return fault(err.Error())
	}
	ids := map[string]bool{}
	for _, f := range s.Queue {
		if err := f.check(); err != nil || ids[f.File.ID] {
			return fault("a queued file is there twice, or has no id, nothing to deliver or bad lines")
		}
		ids[f.File.ID] = true
	}
	for _, block := range s.Events {
		if len(block.Entries) == 0 || len(block.Entries)%eventEntry != 0 || block.Until.Before(block.Since) {
			return fault("a block of seen events is cut")
		}
	}
	return nil
}

// MarkCompleted completes a file.
func (s *Snapshot) MarkCompleted(fileID string, end time.Time) {
	s.Completed = append(s.Completed, CompletedFile{s.HashKey.file(fileID), wholeMicros(end)})
}

// IsCompleted reports whether a file is completed.
func (s *Snapshot) IsCompleted(fileID string) bool {
	hash := s.HashKey.file(fileID)
	return slices.Contains(s.Implausible, fileID) || slices.ContainsFunc(s.Completed, func(f CompletedFile) bool { return f.Hash == hash })
}

// ForgetCompleted forgets the completed files that ended after a time, and the blocks
// that hold events of such files. It returns how many of each.
func (s *Snapshot) ForgetCompleted(after time.Time) (files, events int) {
	s.Completed = slices.DeleteFunc(slices.Clone(s.Completed), func(f CompletedFile) bool {
		if !f.EndTime.After(after) {
			return false
		}
		files++
		return true
	})
	s.Events = slices.DeleteFunc(slices.Clone(s.Events), func(block EventBlock) bool {
		if !block.Until.After(after) {
			return false
		}
		events += block.Len()
		return true
	})
	return files, events
}

// StoredKey says what a storage key is of.
type StoredKey struct {
	// Stream is the key of the stream. Below is set for the keys that this build stores
	// below it: term, checkpoints, blocks, and for those of an older build. The key of the
	// stream itself holds nothing but the state of an older build.
	Stream string
	Below  bool
	// Replay is empty for collection.
	Replay, PrincipalID, EventType string
}

// ParseKey reads a storage key; ok is false for one that no stream has.
func ParseKey(key string) (k StoredKey, ok bool) {
	parts := strings.Split(key, "/")
	head := 3
	switch {
	case parts[0] == "stream" && len(parts) >= head:
		k.PrincipalID, k.EventType = parts[1], parts[2]
	case parts[0] == "replay" && len(parts) > head:
		head = 4
		k.Replay, k.PrincipalID, k.EventType = parts[1], parts[2], parts[3]
	default:
		return k, false
	}
	k.Stream, k.Below = strings.Join(parts[:head], "/"), len(parts) > head
	return k, !k.Below || isBelow(parts[head:])
}

// isBelow reports whether a stream stores something under these parts after its key.
func isBelow(parts []string) bool {
	switch len(parts) {
	case 1:
		return parts[0] == "term" || isTermID(parts[0])
	case 2:
		return parts[0] == completedKind || parts[0] == eventsKind // an older build's
	case 3:
		return isTermID(parts[0])
	}
	return false
}
