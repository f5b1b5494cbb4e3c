// Copyright The OpenTelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package checkpoint

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"go.opentelemetry.io/collector/extension/xextension/storage"
)

// DigestChain is the head of a stream's chain of digests.
type DigestChain struct {
	// ID is random, 32 hex digits.
	ID string `json:"id"`
	// Number and SHA256 of the last digest that was delivered; 0 and "" before.
	Number int64  `json:"number"`
	SHA256 string `json:"sha256"`
	// Cut is when the last digest was cut, by the wall clock, or the chain began.
	Cut time.Time `json:"cut"`
	// Through is the latest cursor that a digest has named; zero before.
	Through time.Time `json:"through,omitzero"`
	// Pending is a digest that is cut and not delivered yet.
	Pending string `json:"pending,omitzero"`
}

// digestEntries are what the next digests list, oldest first. Full blocks are stored by
// themselves, so that a commit writes little however many there are; each is one digest.
type digestEntries struct {
	Blocks []string          `json:"blocks,omitempty"`
	Tail   []json.RawMessage `json:"tail,omitempty"`
}

// MaxDigestEntries bounds the entries of one digest, in bytes.
const MaxDigestEntries = 6 << 10

func sizeOf(entries []json.RawMessage) (size int) {
	for _, entry := range entries {
		size += len(entry) + 1
	}
	return size
}

// appendDigestEntry adds what the next digest lists. Without a chain nothing is kept.
func (d *draft) appendDigestEntry(entry []byte) {
	if d.Digest == nil {
		return
	}
	if len(d.DigestEntries.Tail) > 0 && sizeOf(d.DigestEntries.Tail)+len(entry)+1 > MaxDigestEntries {
		data, _ := json.Marshal(d.DigestEntries.Tail) // valid JSON it is
		d.DigestEntries = digestEntries{Blocks: append(slices.Clip(d.DigestEntries.Blocks), d.writeBlock(digestKind, data))}
	}
	d.DigestEntries.Tail = append(slices.Clip(d.DigestEntries.Tail), entry)
}

// AppendDigestEntry adds what the next digest lists.
func (s *Stream) AppendDigestEntry(ctx context.Context, entry []byte) error {
	return s.commit(ctx, func(d *draft) error {
		if d.Digest == nil {
			return errNoChange
		}
		d.appendDigestEntry(entry)
		return nil
	})
}

// BeginDigests begins a chain where there is none. EndDigests ends one: entries that were
// not kept meanwhile would be missing from it.
func (s *Stream) BeginDigests(ctx context.Context, now time.Time) error {
	return s.commit(ctx, func(d *draft) error {
		if d.Digest != nil {
			return errNoChange
		}
		d.Digest = &DigestChain{ID: newTerm(1).ID, Cut: wholeMicros(now)}
		return nil
	})
}

// EndDigests forgets the chain and what waits for it.
func (s *Stream) EndDigests(ctx context.Context) error {
	return s.commit(ctx, func(d *draft) error {
		if d.Digest == nil {
			return errNoChange
		}
		d.Digest, d.DigestEntries = nil, digestEntries{}
		return nil
	})
}

// DigestState is where the chain of a stream is.
type DigestState struct {
	DigestChain
	// Full is how many digests are full and not cut, Waiting whether anything else is.
	Full    int
	Waiting bool
}

// Digests returns where the chain is; ok is false without one.
func (s *Stream) Digests() (at DigestState, ok bool) {
	now := s.current()
	if now.Digest == nil {
		return at, false
	}
	return DigestState{*now.Digest, len(now.DigestEntries.Blocks), len(now.DigestEntries.Tail) > 0}, true
}

// HasDigestsLeft reports whether the chain lacks anything of what was delivered.
func (s *Stream) HasDigestsLeft() bool {
	at, ok := s.Digests()
	return ok && (at.Pending != "" || at.Full > 0 || at.Waiting)
}

// DigestInput is what a digest is made of.
type DigestInput struct {
	DigestChain // Number and SHA256 of the digest before
	Term        int64
	Segments    []StoredSegment
	Entries     []json.RawMessage
}

var errDigestPending = errors.New("the last digest is not delivered")

// CutDigest stores the next digest, whose bytes build returns, and takes its entries out.
// At most MaxDigestEntries bytes of them are in one.
func (s *Stream) CutDigest(ctx context.Context, now time.Time, build func(DigestInput) ([]byte, error)) error {
	return s.commit(ctx, func(d *draft) error {
		if d.Digest == nil || d.Digest.Pending != "" {
			return fmt.Errorf("cut digest of %q: %w", s.key, errDigestPending)
		}
		entries, left, err := d.DigestEntries.first(ctx, s.client, s.key)
		if err != nil {
			return err
		}
		doc, err := build(DigestInput{*d.Digest, s.term.Number, slices.Clone(d.Segments), entries})
		if err != nil {
			return fmt.Errorf("cut digest of %q: %w", s.key, err)
		}
		next := *d.Digest
		next.Pending, next.Cut = string(doc), wholeMicros(now)
		if n := len(d.Segments); n > 0 && d.Segments[n-1].Cursor.After(next.Through) {
			next.Through = d.Segments[n-1].Cursor
		}
		d.Digest, d.DigestEntries = &next, left
		return nil
	})
}

// first returns the entries of the next digest, and what is left.
func (e digestEntries) first(ctx context.Context, client storage.Client, key string) (entries []json.RawMessage, left digestEntries, err error) {
	if len(e.Blocks) == 0 {
		return e.Tail, digestEntries{}, nil
	}
	entries, err = readDigestBlock(ctx, client, key, e.Blocks[0])
	return entries, digestEntries{slices.Clone(e.Blocks[1:]), e.Tail}, err
}

func readDigestBlock(ctx context.Context, client storage.Client, key, name string) (entries []json.RawMessage, err error) {
	data, err := readBlock(ctx, client, key, name)
	if err != nil {
		return nil, err
	}
	if err := json.Unmarshal(data, &entries); err != nil {
		return nil, corrupt(key+"/"+name, err.Error())
	}
	return entries, nil
}

// all entries, oldest first.
func (e digestEntries) all(ctx context.Context, client storage.Client, key string) (entries []json.RawMessage, err error) {
	for _, name := range e.Blocks {
		block, err := readDigestBlock(ctx, client, key, name)
		if err != nil {
			return nil, err
		}
		entries = append(entries, block...)
	}
	return append(entries, e.Tail...), nil
}

// DigestDelivered makes the pending digest the head of the chain.
func (s *Stream) DigestDelivered(ctx context.Context) error {
	return s.commit(ctx, func(d *draft) error {
		if d.Digest == nil || d.Digest.Pending == "" {
			return errNoChange
		}
		next := *d.Digest
		sum := sha256.Sum256([]byte(next.Pending))
		next.Number, next.SHA256, next.Pending = next.Number+1, hex.EncodeToString(sum[:]), ""
		d.Digest = &next
		return nil
	})
}
