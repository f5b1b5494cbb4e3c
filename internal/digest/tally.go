// Copyright The OpenTelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package digest

import (
	"crypto/sha256"
	"encoding"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"slices"
)

// LineSum is the SHA-256 of a line, without its line break.
type LineSum [sha256.Size]byte

// SumLine digests a line.
func SumLine(line []byte) LineSum { return sha256.Sum256(line) }

// LinesDigest digests delivered lines, which are added in ascending order: it is the
// SHA-256 over a line of text for each, its number, a blank, its SHA-256 in lower-case
// hex and a line feed.
type LinesDigest struct {
	hash hash.Hash
	text []byte
}

// NewLinesDigest returns the digest of no lines.
func NewLinesDigest() *LinesDigest { return &LinesDigest{hash: sha256.New()} }

// Add digests one more line.
func (d *LinesDigest) Add(number int, sum LineSum) {
	d.text = fmt.Appendf(d.text[:0], "%d %x\n", number, sum)
	d.hash.Write(d.text)
}

// Sum is the digest of the lines so far, lower-case hex.
func (d *LinesDigest) Sum() string { return hex.EncodeToString(d.hash.Sum(nil)) }

// Tally is what has become of the lines of a file so far: those before Next are
// digested, and a few after it may be counted already.
type Tally struct {
	Counts    Counts
	FirstLine int
	Next      int // the first line that is not digested
	lines     *LinesDigest
}

// NewTally returns the tally of a file of which delivery begins at a line.
func NewTally(firstLine int) *Tally {
	return &Tally{FirstLine: firstLine, Next: firstLine, lines: NewLinesDigest()}
}

// Pass digests a delivered line; lines that were not delivered are passed over.
func (t *Tally) Pass(number int, sum LineSum) { t.lines.Add(number, sum) }

// LinesSHA256 is the digest of the delivered lines so far.
func (t *Tally) LinesSHA256() string { return t.lines.Sum() }

// storedTally is the JSON of a Tally.
type storedTally struct {
	Counts
	FirstLine int    `json:"first_line"`
	Next      int    `json:"next"`
	Hash      []byte `json:"hash"`
}

// Clone shares nothing with the original.
func (t *Tally) Clone() (*Tally, error) {
	data, err := t.MarshalBinary()
	if err != nil {
		return nil, err
	}
	return ParseTally(data)
}

var _ encoding.BinaryMarshaler = (*Tally)(nil)

// MarshalBinary returns what ParseTally reads.
func (t *Tally) MarshalBinary() ([]byte, error) {
	state, err := t.lines.hash.(encoding.BinaryMarshaler).MarshalBinary()
	if err != nil {
		return nil, fmt.Errorf("store tally: %w", err)
	}
	return json.Marshal(storedTally{t.Counts, t.FirstLine, t.Next, state})
}

var errTally = errors.New("read tally: its lines are out of bounds")

// ParseTally reads a stored tally.
func ParseTally(data []byte) (*Tally, error) {
	var stored storedTally
	if err := decodeStrict(data, &stored); err != nil {
		return nil, fmt.Errorf("read tally: %w", err)
	}
	if stored.FirstLine < 1 || stored.Next < stored.FirstLine {
		return nil, errTally
	}
	t := NewTally(stored.FirstLine)
	t.Counts, t.Next = stored.Counts, stored.Next
	if err := t.lines.hash.(encoding.BinaryUnmarshaler).UnmarshalBinary(slices.Clone(stored.Hash)); err != nil {
		return nil, fmt.Errorf("read tally: %w", err)
	}
	return t, nil
}
