// Copyright The OpenTelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package checkpoint

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"slices"
)

// Content is what a checkpoint and a Snapshot have in common.
type Content struct {
	FirstRun FirstRun `json:"first_run"`
	// Bounds are nil until the first answer, and so are Segments.
	Bounds *Bounds `json:"bounds"`
	// Ended is set once everything up to Until is collected.
	Ended bool `json:"ended,omitzero"`
	// Segments, oldest first. Each ends where the next one begins.
	Segments []StoredSegment `json:"segments"`
	HashKey  HashKey         `json:"hash_key"`
	// Open are the files that are delivered in part and not queued.
	Open []QueuedFile `json:"open"`
	// Digest is the chain of digests; nil without one.
	Digest *DigestChain `json:"digest,omitzero"`
	// Implausible are the ids of completed files whose end_time is implausible.
	Implausible []string `json:"implausible"`
}

// state is all that is stored of a stream: the checkpoint, whose JSON it is, and what
// its blocks hold of the retry queue. A state that shows is never changed, and neither
// are its slices: a change makes a copy.
type state struct {
	Content
	Completed blockLog `json:"completed_files"`
	Events    blockLog `json:"seen_events"`
	Queue     queue    `json:"queue"`
	// DigestEntries are what the next digests list.
	DigestEntries digestEntries `json:"digest_entries,omitzero"`
	// NextBlock numbers the next block.
	NextBlock uint64 `json:"next_block"`
	// Unused are keys below the stream's that are to be deleted: checkpoints of earlier
	// terms and blocks that no checkpoint names.
	Unused []string `json:"unused"`
}

// A checkpoint is a header line, "openai-compliance-checkpoint <version> <CRC-32C of all
// the rest, hex>", and a JSON document.
const (
	headerWord    = "openai-compliance-checkpoint"
	formatVersion = 1
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

var (
	errHeader   = errors.New("it has no header of a checkpoint")
	errChecksum = errors.New("its checksum does not match")
	errTrailing = errors.New("something follows the document")
)

func (s *state) encode() ([]byte, error) {
	doc, err := json.Marshal(s)
	if err != nil {
		return nil, fmt.Errorf("encode checkpoint: %w", err)
	}
	return withHeader(doc), nil
}

func withHeader(doc []byte) []byte {
	head := fmt.Sprintf("%s %d ", headerWord, formatVersion)
	sum := crc32.Update(crc32.Checksum([]byte(head), castagnoli), castagnoli, doc)
	value := make([]byte, 0, len(head)+9+len(doc))
	value = fmt.Appendf(value, "%s%08x\n", head, sum)
	return append(value, doc...)
}

// decodeState reads a checkpoint, without what its blocks hold.
func decodeState(value []byte) (*state, error) {
	line, doc, ok := bytes.Cut(value, []byte{'\n'})
	if !ok {
		return nil, errHeader
	}
	var (
		word    string
		version int
		sum     uint32
	)
	if n, _ := fmt.Sscanf(string(line), "%s %d %08x", &word, &version, &sum); n != 3 || word != headerWord {
		return nil, errHeader
	}
	if version != formatVersion {
		return nil, fmt.Errorf("its format version is %d, this build reads version %d", version, formatVersion)
	}
	if !bytes.Equal(withHeader(doc), value) {
		return nil, errChecksum
	}
	s := &state{}
	if err := decodeStrict(doc, s); err != nil {
		return nil, err
	}
	if err := s.checkContent(); err != nil {
		return nil, err
	}
	if slices.ContainsFunc(s.Queue, func(b queueBlock) bool { return b.Name == "" }) {
		return nil, errBlockName
	}
	return s, nil
}

// What no stream stores.
var (
	errSegments    = errors.New("segments do not adjoin, or a cursor is outside its segment")
	errHashKeyZero = errors.New("the hash key is missing")
	errOpenFile    = errors.New("an open file has no id or next line")
)

// checkContent returns what no stream could have stored.
func (c *Content) checkContent() error {
	if c.HashKey == (HashKey{}) {
		return errHashKeyZero
	}
	if (c.Bounds == nil) != (len(c.Segments) == 0) {
		return errSegments
	}
	for i, seg := range c.Segments {
		if i == 0 && !seg.From.Equal(c.Bounds.Floor) || i > 0 && !seg.From.After(c.Segments[i-1].From) {
			return errSegments
		}
		if seg.Cursor.Before(seg.From) || seg.ListBase.Before(seg.From) {
			return errSegments
		}
	}
	for _, file := range c.Open {
		if file.File.ID == "" || file.NextLine < 1 {
			return errOpenFile
		}
	}
	return nil
}
