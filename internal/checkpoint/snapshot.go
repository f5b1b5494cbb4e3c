// Copyright The OpenTelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package checkpoint

import (
	"context"
	"fmt"
	"hash/crc32"
	"slices"
	"strconv"
	"strings"
	"time"

	"go.opentelemetry.io/collector/extension/xextension/storage"

	"github.com/openaicompliance/openaicompliancereceiver/internal/checkpoint/internal/permit"
)

// Snapshot is all that is stored of one stream, its blocks included. Its JSON is
// documented in docs/state.md.
type Snapshot struct {
	Key       string    `json:"key"`
	Floor     time.Time `json:"floor"`
	StartFrom string    `json:"start_from"`
	Until     time.Time `json:"until,omitzero"`
	UntilText string    `json:"until_text,omitzero"`
	Ended     bool      `json:"ended,omitzero"`
	// Segments, oldest first, at least one.
	Segments   []StoredSegment        `json:"segments"`
	Open       map[string]OpenFile    `json:"open"`
	Quarantine map[string]Quarantined `json:"quarantine"`
	Refused    []Refused              `json:"refused"`
	// Files is the ledger, Events the window, both oldest part first.
	Files  []Block `json:"files"`
	Events []Block `json:"events"`
}

// StoredSegment is a segment as it is stored: it ends where the next one begins.
type StoredSegment = segment

// OpenFile is the position inside a file that is delivered in part.
type OpenFile = position

// Block is a part of the ledger or of the window.
type Block struct {
	// Since and Until bound the file times of its entries.
	Since time.Time `json:"since"`
	Until time.Time `json:"until"`
	// Entries are pairs of little-endian 64-bit numbers: the hash of a file's id
	// and its end_time in microseconds, or the hash of an event's id and the lower
	// half of that of its line.
	Entries []byte `json:"entries"`
}

// Len is the number of entries.
func (b Block) Len() int { return len(b.Entries) / endForm.size() }

// ReadSnapshot reads everything that is stored of a stream and checks it as Load
// does; it returns nil without an error when there is nothing.
func ReadSnapshot(ctx context.Context, client storage.Client, key string) (*Snapshot, error) {
	value, err := client.Get(ctx, key)
	if err != nil {
		return nil, fmt.Errorf("read state %q: %w", key, err)
	}
	if value == nil {
		return nil, nil //nolint:nilnil // absent is an answer of its own
	}
	s, err := decode(value)
	if err != nil {
		return nil, fmt.Errorf("read state %q: %w: %w", key, ErrDamaged, err)
	}
	snap := &Snapshot{
		Key: key, Floor: s.Floor, StartFrom: s.StartFrom, Until: s.Until, UntilText: s.UntilText, Ended: s.Ended,
		Segments: s.Segments, Open: s.Open, Quarantine: s.Quarantine, Refused: s.Refused,
	}
	if snap.Refused == nil {
		snap.Refused = []Refused{}
	}
	if snap.Files, err = s.Files.export(ctx, client, newLedger(key).prefix, endForm); err != nil {
		return nil, err
	}
	if snap.Events, err = s.Events.export(ctx, client, newWindow(key, Settings{}).prefix, contentForm); err != nil {
		return nil, err
	}
	return snap, nil
}

// export returns the blocks and behind them the tail, of a log of the given form, as
// Block has them.
func (e *entries) export(ctx context.Context, client storage.Client, prefix string, f form) ([]Block, error) {
	blocks := []Block{}
	put := func(since, until int64, written form, data []byte) {
		if len(data) > 0 {
			blocks = append(blocks, Block{time.UnixMicro(since).UTC(), time.UnixMicro(until).UTC(), f.exported(data, written)})
		}
	}
	for _, ref := range e.Blocks {
		data, written, err := readBlockData(ctx, client, prefix, ref)
		if err != nil {
			return nil, err
		}
		put(ref.Since, ref.Until, written, data)
	}
	if err := e.checkTail(prefix, f); err != nil {
		return nil, err
	}
	put(e.Since, e.Until, f, e.Tail)
	return blocks, nil
}

// Operations store the snapshot in place of what the stream's keys hold, old being
// all of them: the blocks under new numbers, then the mark, and only then the old
// blocks go. So wherever a storage may stop on the way, the old state or the new
// one is whole.
func (s *Snapshot) Operations(_ permit.Edit, old []string) ([]*storage.Operation, error) {
	if err := s.Check(); err != nil {
		return nil, err
	}
	next := &state{
		Floor: s.Floor, StartFrom: s.StartFrom, Until: s.Until, UntilText: s.UntilText, Ended: s.Ended,
		Segments: s.Segments, Open: s.Open, Quarantine: s.Quarantine, Refused: s.Refused,
	}
	ops := next.Files.replace(newLedger(s.Key).prefix, endForm, s.Files, old)
	ops = append(ops, next.Events.replace(newWindow(s.Key, Settings{}).prefix, contentForm, s.Events, old)...)
	value, err := next.encode()
	if err != nil {
		return nil, err
	}
	ops = append(ops, storage.SetOperation(s.Key, value))
	for _, key := range old {
		if key != s.Key {
			ops = append(ops, storage.DeleteOperation(key))
		}
	}
	return ops, nil
}

// replace fills the log with blocks and returns what stores them: the last one
// becomes the tail, the others get numbers behind all that are in use.
func (e *entries) replace(prefix string, f form, blocks []Block, old []string) (ops []*storage.Operation) {
	for _, key := range old {
		if n, err := strconv.ParseUint(strings.TrimPrefix(key, prefix+"/"), 10, 64); err == nil {
			e.Next = max(e.Next, n+1)
		}
	}
	for i, block := range blocks {
		since, until, data := block.Since.UnixMicro(), block.Until.UnixMicro(), f.rewritten(block.Entries, endForm)
		if i == len(blocks)-1 {
			e.Tail, e.Since, e.Until = data, since, until
			break
		}
		ops = append(ops, storage.SetOperation(blockKey(prefix, e.Next), data))
		e.Blocks = append(e.Blocks, blockRef{
			Number: e.Next, Count: block.Len(), CRC: crc32.Checksum(data, castagnoli), Since: since, Until: until,
		})
		e.Next++
	}
	return ops
}

// Narrow leaves of the events what is kept of them: an export of version 1 may have all
// of a line's hash.
func (s *Snapshot) Narrow() {
	for i := range s.Events {
		block := &s.Events[i]
		block.Entries = contentForm.exported(block.Entries, endForm)
	}
}

// Check returns what makes a snapshot none that this package could have stored.
func (s *Snapshot) Check() error {
	fault := func(text string) error { return fmt.Errorf("state %q: %s", s.Key, text) }
	if _, ok := ParseKey(s.Key); !ok {
		return fault("the key is none of this receiver")
	}
	if len(s.Segments) == 0 || s.Open == nil || s.Quarantine == nil || s.Refused == nil || s.Files == nil || s.Events == nil {
		return fault("segments, open, quarantine, refused, files or events is missing")
	}
	if s.Segments[0].From.Before(s.Floor) {
		return fault("it begins below its floor")
	}
	for i, seg := range s.Segments {
		if seg.Cursor.Before(seg.From) || (i > 0 && !seg.From.After(s.Segments[i-1].From)) {
			return fault("the segments do not adjoin, or a cursor lies outside")
		}
	}
	for id, open := range s.Open {
		if id == "" || open.NextLine < 1 {
			return fault("an open file has no id or line")
		}
	}
	for _, run := range s.Refused {
		if run.FileID == "" || run.From < 1 || run.To <= run.From {
			return fault("a run of refused lines has no file or no lines")
		}
	}
	for _, block := range slices.Concat(s.Files, s.Events) {
		if len(block.Entries) == 0 || len(block.Entries)%endForm.size() != 0 || block.Until.Before(block.Since) {
			return fault("a part of files or events is cut")
		}
	}
	return nil
}

// MarkDone enters a file in the ledger.
func (s *Snapshot) MarkDone(fileID string, end time.Time) {
	log := entries{}
	log.append(endForm, end, fileEntry(fileID, end))
	at := time.UnixMicro(end.UnixMicro()).UTC()
	s.Files = append(s.Files, Block{at, at, log.Tail})
}

// ForgetDone takes the files that ended after a time out of the ledger, and the
// parts of the window that hold events of such files. It returns how many of each.
func (s *Snapshot) ForgetDone(after time.Time) (files, events int) {
	kept := []Block{}
	for _, block := range s.Files {
		log := entries{}
		for _, item := range endForm.parse(block.Entries) {
			if end := time.UnixMicro(int64(item.value)); end.After(after) { //nolint:gosec // the value was an int64
				files++
			} else {
				log.append(endForm, end, item)
			}
		}
		if len(log.Tail) > 0 {
			kept = append(kept, Block{time.UnixMicro(log.Since).UTC(), time.UnixMicro(log.Until).UTC(), log.Tail})
		}
	}
	s.Files = kept
	s.Events = slices.DeleteFunc(slices.Clone(s.Events), func(block Block) bool {
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
	// Stream is the key of the stream's mark value, Block whether the key is one
	// of its blocks.
	Stream string
	Block  bool
	// Replay is empty for collection.
	Replay, PrincipalID, EventType string
}

// ParseKey reads a storage key; ok is false for one that this receiver does not
// write.
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
	k.Stream, k.Block = strings.Join(parts[:head], "/"), len(parts) == head+2
	return k, len(parts) == head || k.Block
}
