// Copyright The OpenTelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package compliance

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"math"
	"net/http"
)

// Content is what a file holds.
type Content struct {
	Bytes []byte
	// SHA256 of Bytes, lower-case hex.
	SHA256 string
	// Verified is set when the listed digest is that of Bytes, or of the bytes as
	// they were sent.
	Verified bool
}

// Room is how many bytes of memory a download of a file of the listed size takes at
// most, in bytes.
func Room(size int64) int64 {
	size = max(size, 0)
	extra := size/1000 + 4<<10
	if size > math.MaxInt64-extra {
		return math.MaxInt64
	}
	return size + extra
}

const (
	// readAtOnce is how much of a body is read before it is digested, while the
	// processor has it at hand.
	readAtOnce = 256 << 10
	// A listed size is what somebody says: more memory than listedRoom is taken only
	// as bytes come, and from unlistedRoom on where no size is listed.
	listedRoom   = 32 << 20
	unlistedRoom = 256 << 10
)

type digest [sha256.Size]byte

func (d digest) String() string { return hex.EncodeToString(d[:]) }

// body is the body of an answer that carries a file.
type body struct {
	bytes []byte // inflated if it was sent as gzip
	sum   digest // of bytes
	gzip  bool

	sent    int64 // bytes that came
	sentSum digest

	more     bool // the body has more after bytes; the rest was not read
	complete bool // the body's end was marked
}

// gzipMagic is how gzip begins: its magic number and the only method it has.
var gzipMagic = []byte{0x1f, 0x8b, 8}

// readBody reads at most limit bytes of content, and one to know of more. What
// begins like gzip is inflated while it is read: no JSON begins so. The error is the
// cause for a RequestError.
func readBody(r io.Reader, limit int64, listed bool) (body, error) {
	sent := &sentReader{r: r, hash: sha256.New(), limit: math.MaxInt64}
	buffered := bufio.NewReaderSize(sent, 32<<10)
	head, _ := buffered.Peek(len(gzipMagic)) // the read returns its error too
	first := int64(unlistedRoom)
	if listed {
		first = listedRoom
	}
	room := make([]byte, 0, min(limit, first))
	if bytes.Equal(head, gzipMagic) {
		return inflate(buffered, sent, room, limit)
	}
	content, more, err := readUpTo(buffered, room, limit)
	if err != nil {
		return body{}, transportCause(err)
	}
	return body{bytes: content, sum: sent.sum(), sent: sent.n, sentSum: sent.sum(), more: more}, nil
}

// inflate reads a gzip body to its end, or one byte past the limit, long before a
// decompression bomb has filled memory.
func inflate(buffered io.Reader, sent *sentReader, room []byte, limit int64) (body, error) {
	sent.limit = maxCompressed(limit)
	var content []byte
	var more bool
	r, err := gzip.NewReader(buffered)
	if err == nil {
		content, more, err = readUpTo(r, room, limit)
	}
	switch {
	case sent.err != nil && !errors.Is(sent.err, io.EOF):
		return body{}, transportCause(sent.err)
	case err != nil:
		return body{}, fmt.Errorf("%w: inflate: %w", ErrUnreadable, err)
	case more:
		return body{}, fmt.Errorf("%w: inflate: the content is larger than the %d bytes expected", ErrUnreadable, limit)
	}
	return body{bytes: content, sum: sha256.Sum256(content), gzip: true, sent: sent.n, sentSum: sent.sum()}, nil
}

// maxCompressed bounds a gzip body, which may be longer than what it holds: an
// endless one may inflate to nothing.
func maxCompressed(limit int64) int64 {
	const extra = 64 << 10
	if limit > (math.MaxInt64-extra)/2 {
		return math.MaxInt64
	}
	return 2*limit + extra
}

// readUpTo fills room, and more of it as bytes come, with at most limit bytes. more
// is set when the reader has not ended there.
func readUpTo(r io.Reader, room []byte, limit int64) (content []byte, more bool, err error) {
	content = room[:0]
	for int64(len(content)) < limit {
		if len(content) == cap(content) {
			content = grown(content, limit)
		}
		n, err := r.Read(content[len(content):cap(content)])
		content = content[:len(content)+n]
		if errors.Is(err, io.EOF) {
			return content, false, nil
		}
		if err != nil {
			return nil, false, err
		}
	}
	switch _, err := io.ReadFull(r, make([]byte, 1)); {
	case err == nil:
		return content, true, nil
	case errors.Is(err, io.EOF):
		return content, false, nil
	default:
		return nil, false, err
	}
}

// grown returns the content with twice the room, within the limit.
func grown(content []byte, limit int64) []byte {
	room := limit
	if twice := 2 * int64(cap(content)); twice < limit {
		room = max(twice, 1)
	}
	larger := make([]byte, len(content), room)
	copy(larger, content)
	return larger
}

// sentReader digests and counts a body as it was sent, and keeps its error, which
// those who read from it may wrap or lose.
type sentReader struct {
	r     io.Reader
	hash  hash.Hash
	limit int64
	n     int64
	err   error
}

var errCompressedTooLong = errors.New("the body is far longer than what it holds")

func (s *sentReader) Read(p []byte) (int, error) {
	if s.err != nil {
		return 0, s.err
	}
	if s.n > s.limit {
		return 0, errCompressedTooLong
	}
	n, err := s.r.Read(p[:min(len(p), readAtOnce)])
	s.hash.Write(p[:n])
	s.n += int64(n)
	s.err = err
	return n, err
}

func (s *sentReader) sum() (sum digest) {
	s.hash.Sum(sum[:0])
	return sum
}

// endIsMarked reports whether the end of a body is marked by a length, by chunks or by
// HTTP/2, and not just by the end of the connection, which a cut looks like too.
func endIsMarked(resp *http.Response) bool {
	return resp.ContentLength >= 0 || len(resp.TransferEncoding) > 0 || resp.ProtoMajor >= 2
}

var errEndNotMarked = fmt.Errorf("%w: neither its size nor its end is known", ErrUnreadable)

// verify returns the content if the body is the listed file: it has the listed size,
// and either its digest or that of the bytes as they were sent is the listed one. It
// is not documented which of the two the listing means, so a gzip body that is
// listed as it was sent, in size and digest, is the file too.
func (b body) verify(file File, op Operation) (Content, error) {
	size := int64(len(b.bytes))
	content := Content{Bytes: b.bytes, SHA256: b.sum.String()}
	ofSent := b.gzip && b.sentSum.String() == file.SHA256
	fits := file.Size < 0 || (size == file.Size && !b.more) || (ofSent && b.sent == file.Size)
	content.Verified = file.SHA256 != "" && (content.SHA256 == file.SHA256 || ofSent)
	switch {
	case file.Size < 0 && b.more:
		return Content{}, fmt.Errorf("download: %w (size not listed, more than %d bytes came)", ErrTooLarge, size)
	case fits && content.Verified:
		return content, nil
	case fits && file.SHA256 == "" && file.Size < 0 && !b.complete:
		return Content{}, &RequestError{Op: op, Cause: errEndNotMarked}
	case fits && file.SHA256 == "":
		return content, nil
	}
	mismatch := &IntegrityError{
		GotSize: size, WantSize: file.Size, Complete: b.complete,
		GotSHA256: content.SHA256, SentSHA256: b.sentSum.String(), WantSHA256: file.SHA256,
	}
	if b.more {
		mismatch.GotSize++
	}
	if fits && b.complete {
		mismatch.Content = b.bytes
	}
	return Content{}, mismatch
}
