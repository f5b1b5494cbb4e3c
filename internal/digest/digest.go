// Copyright The OpenTelemetry Authors
// SPDX-License-Identifier: Apache-2.0

// Package digest has the documents that prove what a stream has delivered: a chain of
// them names every file that was collected, and digests its delivered lines. It is pure:
// the engine cuts the documents, and whoever has the log records checks them.
package digest

import (
	"bytes"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/openaicompliance/openaicompliancereceiver/internal/canonical"
)

// MaxSize bounds a document, in bytes.
const MaxSize = 8 << 10

// Version of the documents.
const Version = 1

// Document is one digest of a chain. Its JSON is canonical (RFC 8785); times have
// RFC 3339 form with up to nine fractional digits.
type Document struct {
	Version int `json:"version"`
	// Chain is the random id of the chain, 32 hex digits. A stream begins a new one when
	// nothing of it is stored.
	Chain string `json:"chain"`
	// Number counts the chain's digests from 1.
	Number int64 `json:"number"`
	// Term counts the writers of the stream, from 1. At equal numbers the digest of the
	// higher term counts.
	Term int64 `json:"term"`
	// Previous is the SHA-256 of the digest before it, "" for the first.
	Previous string `json:"previous_sha256"`
	// Cut is when the digest was made, by the collector's clock.
	Cut time.Time `json:"cut"`

	PrincipalID string `json:"principal_id"`
	EventType   string `json:"event_type"`
	Replay      string `json:"replay,omitempty"`

	Segments []Segment `json:"segments"`
	// Files are those completed since the digest before, in the order of completion.
	Files []File `json:"files"`
	// Amended are lines of files of this or an earlier digest that were quarantined and
	// have been delivered since.
	Amended []Amendment `json:"amended"`
	Gaps    []Gap       `json:"gaps"`
}

// Segment is a stretch of file time as it stood when the digest was cut.
type Segment struct {
	Part string `json:"part"` // live or history
	// From is excluded; To is zero for a segment without an end.
	From time.Time `json:"from"`
	To   time.Time `json:"to,omitzero"`
	// Cursor is up to where files are completed.
	Cursor time.Time `json:"cursor"`
	// ListedThrough is the start of the last complete poll, by the earlier of two clocks.
	ListedThrough time.Time `json:"listed_through,omitzero"`
}

// File is a completed file.
type File struct {
	ID      string    `json:"id"`
	Name    string    `json:"name,omitempty"`
	SHA256  string    `json:"sha256"` // of its bytes, inflated
	Size    int64     `json:"size"`   // bytes
	EndTime time.Time `json:"end_time,omitzero"`
	Counts
	// FirstLine is above 1 when earlier lines were delivered before the chain began.
	FirstLine int `json:"first_line"`
	// LinesSHA256 is over the delivered lines, see LinesDigest.
	LinesSHA256 string `json:"lines_sha256"`
	// Late is set for a file that ended before the cursor of an earlier digest.
	Late bool `json:"late,omitempty"`
	// Unverified is set when the bytes do not have the listed digest.
	Unverified bool `json:"unverified,omitempty"`
}

// Counts of a file's lines by what became of them.
type Counts struct {
	Records     int `json:"records"`    // delivered, malformed ones included
	Duplicates  int `json:"duplicates"` // left out, since they were delivered before
	Malformed   int `json:"malformed"`
	Quarantined int `json:"quarantined"`
	Dropped     int `json:"dropped,omitempty"`
}

// Amendment is some lines of a file, delivered after its completion.
type Amendment struct {
	FileID string `json:"file_id"`
	SHA256 string `json:"sha256"` // of the file
	// Lines that were delivered: first and last line of each run of them.
	Lines [][2]int `json:"lines"`
	Counts
	LinesSHA256 string `json:"lines_sha256"`
}

// Gap is a reported data gap.
type Gap struct {
	Reason string    `json:"reason"`
	From   time.Time `json:"from"`
	To     time.Time `json:"to"`
	FileID string    `json:"file_id,omitempty"`
	// FirstLine and LastLine bound lost records; 0 for a whole file or range.
	FirstLine int `json:"first_line,omitempty"`
	LastLine  int `json:"last_line,omitempty"`
}

// Entry is one thing that a digest lists. Exactly one member is set.
type Entry struct {
	File    *File      `json:"file,omitempty"`
	Amended *Amendment `json:"amended,omitempty"`
	Gap     *Gap       `json:"gap,omitempty"`
}

// maxEntry bounds an entry, in bytes: a digest has room for one, whatever it holds. A
// file's name gives way first.
const maxEntry = 5 << 10

// MaxEntries bounds the entries of one digest together, in bytes, commas included.
const MaxEntries = MaxSize - 2<<10

// Encode returns an entry's canonical JSON, of at most MaxEntries bytes.
func (e Entry) Encode() ([]byte, error) {
	data, err := encode(e)
	if err == nil && len(data) > maxEntry && e.File != nil {
		file := *e.File
		file.Name = ""
		return encode(Entry{File: &file})
	}
	return data, err
}

// Add puts an encoded entry into the document.
func (d *Document) Add(encoded []byte) error {
	var e Entry
	if err := decodeStrict(encoded, &e); err != nil {
		return fmt.Errorf("read digest entry: %w", err)
	}
	switch {
	case e.File != nil:
		d.Files = append(d.Files, *e.File)
	case e.Amended != nil:
		d.Amended = append(d.Amended, *e.Amended)
	case e.Gap != nil:
		d.Gaps = append(d.Gaps, *e.Gap)
	}
	return nil
}

// Encode returns the canonical JSON.
func (d Document) Encode() ([]byte, error) {
	d.Version = Version
	d.Segments = append([]Segment{}, d.Segments...)
	d.Files, d.Amended, d.Gaps = append([]File{}, d.Files...), append([]Amendment{}, d.Amended...), append([]Gap{}, d.Gaps...)
	return encode(d)
}

var errNotCanonical = errors.New("it is not in canonical form")

// Decode reads a document. Another form of the same JSON is an error: the bytes are what
// is digested.
func Decode(data []byte) (Document, error) {
	var d Document
	if err := decodeStrict(data, &d); err != nil {
		return Document{}, fmt.Errorf("read digest: %w", err)
	}
	if d.Version != Version {
		return Document{}, fmt.Errorf("read digest: its version is %d, this build reads %d", d.Version, Version)
	}
	if again, err := d.Encode(); err != nil || !bytes.Equal(again, data) {
		return Document{}, fmt.Errorf("read digest: %w", errNotCanonical)
	}
	return d, nil
}

// Sum is the SHA-256 of a document, lower-case hex.
func Sum(document []byte) string {
	sum := sha256.Sum256(document)
	return hex.EncodeToString(sum[:])
}

// Sign returns the Ed25519 signature of a document, in standard base64.
func Sign(key ed25519.PrivateKey, document []byte) string {
	return base64.StdEncoding.EncodeToString(ed25519.Sign(key, document))
}

// Verify reports whether a signature is that of the document.
func Verify(key ed25519.PublicKey, document []byte, signature string) bool {
	raw, err := base64.StdEncoding.DecodeString(signature)
	return err == nil && ed25519.Verify(key, document, raw)
}

func encode(value any) ([]byte, error) {
	data, err := json.Marshal(value)
	if err != nil {
		return nil, fmt.Errorf("encode digest: %w", err)
	}
	return canonical.JSON(data), nil
}

func decodeStrict(data []byte, into any) error {
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(into); err != nil {
		return err
	}
	if decoder.InputOffset() != int64(len(data)) {
		return errors.New("something follows the document")
	}
	return nil
}
