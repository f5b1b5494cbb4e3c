// Copyright The OpenTelemetry Authors
// SPDX-License-Identifier: Apache-2.0

// Package jsonscan reads JSON documents that are in memory, without building a tree.
//
// A document is one JSON value in valid UTF-8, at most MaxDepth levels deep. The package
// accepts what encoding/json accepts, except for text that is not UTF-8. A byte order
// mark is not part of a document.
//
// The caller reads what it expects and learns at the end whether the document had it:
//
//	scan := jsonscan.New(document)
//	for more := scan.BeginObject(); more; more = scan.NextMember() {
//		switch string(scan.Key()) {
//		case "name":
//			name = scan.Text()
//		default:
//			scan.Skip()
//		}
//	}
//	if !scan.Done() {
//		return errMalformed
//	}
package jsonscan

import (
	"bytes"
	"math"
)

// MaxDepth is how deep objects and arrays may be nested.
const MaxDepth = 10_000

// Scanner reads one document from start to end. After each Key one call reads the value.
//
// The first fault is kept: Failed is true from then on, loops end and texts are empty.
// What was read earlier counts only if Done is true at the end.
//
// A copy of a Scanner continues independently from the same place.
type Scanner struct {
	document []byte
	copied   string // "" or the document
	pos      int
	depth    int
	failed   bool
}

// New returns a Scanner at the start of a document, which it only reads.
func New(document []byte) Scanner { return Scanner{document: document} }

// NewWithCopy is New for a caller that keeps a copy of the document anyway: texts without
// escapes are parts of it. copied must be string(document).
//
// Without it internal/record takes 14 % more time for the mix of raw bodies (medians of ten
// rounds in turns). It costs 10 lines, and a text keeps the whole copy in memory.
func NewWithCopy(document []byte, copied string) Scanner {
	return Scanner{document: document, copied: copied}
}

// Failed reports whether a fault was found.
func (s *Scanner) Failed() bool { return s.failed }

// Fail makes the document faulty for a reason of the caller.
func (s *Scanner) Fail() { s.failed = true }

// Done reports whether the whole document was read without a fault.
func (s *Scanner) Done() bool { return s.Peek() == 0 && s.pos == len(s.document) && !s.failed }

// Peek returns the first byte of the next token, which tells the type of a value: one of
// {["tfn- and the digits unless the document is faulty. It is 0 at the end.
func (s *Scanner) Peek() byte {
	for ; s.pos < len(s.document); s.pos++ {
		switch c := s.document[s.pos]; c {
		case ' ', '\t', '\n', '\r':
		default:
			return c
		}
	}
	return 0
}

// BeginObject moves into an object and reports whether it has a member.
func (s *Scanner) BeginObject() bool { return s.begin('{', '}') }

// NextMember moves to the next member of an object and reports whether there is one. If
// not, the object is read.
func (s *Scanner) NextMember() bool { return s.next('}') }

// BeginArray moves into an array and reports whether it has an element.
func (s *Scanner) BeginArray() bool { return s.begin('[', ']') }

// NextElement moves to the next element of an array and reports whether there is one. If
// not, the array is read.
func (s *Scanner) NextElement() bool { return s.next(']') }

func (s *Scanner) begin(opening, closing byte) bool {
	if s.Peek() != opening || s.depth == MaxDepth {
		s.failed = true
	}
	if s.failed {
		return false
	}
	s.pos++
	s.depth++
	if s.Peek() == closing {
		s.end()
		return false
	}
	return true
}

func (s *Scanner) next(closing byte) bool {
	switch c := s.Peek(); {
	case s.failed:
	case c == ',':
		s.pos++
		return true
	case c == closing:
		s.end()
	default:
		s.failed = true
	}
	return false
}

func (s *Scanner) end() {
	s.pos++
	s.depth--
}

// Key reads the key of a member, and its colon. What it returns may be a part of the
// document.
func (s *Scanner) Key() []byte {
	before := s.pos
	if raw, ok := s.plainString(); ok && s.optional(':') {
		return raw
	}
	s.pos = before
	raw, escaped := s.rawKey()
	if escaped {
		return []byte(unescape(raw))
	}
	return raw
}

func (s *Scanner) rawKey() (raw []byte, escaped bool) {
	raw, escaped = s.rawString()
	if s.Peek() != ':' {
		s.failed = true
		return nil, false
	}
	s.pos++
	return raw, escaped
}

// Text reads a string and returns a copy of its text, as Unquote does.
func (s *Scanner) Text() string { return s.ShortText(math.MaxInt) }

// ShortText is Text for a string of at most so many bytes as written. Of a longer one it
// returns nothing.
func (s *Scanner) ShortText(most int) string {
	if raw, ok := s.plainString(); ok {
		if len(raw) > most {
			return ""
		}
		return s.copyOf(raw, s.pos-len(`"`))
	}
	raw, escaped := s.rawString()
	switch {
	case len(raw) > most:
		return ""
	case escaped:
		return unescape(raw)
	}
	return s.copyOf(raw, s.pos-len(`"`))
}

// Number reads a number and returns a copy of it as written.
func (s *Scanner) Number() string { return s.copyOf(s.rawNumber(), s.pos) }

// copyOf copies a part of the document that ends at a position.
func (s *Scanner) copyOf(part []byte, end int) string {
	if s.copied == "" || s.failed {
		return string(part)
	}
	return s.copied[end-len(part) : end]
}

func (s *Scanner) rawNumber() []byte {
	s.Peek()
	start := s.pos
	s.optional('-')
	if !s.optional('0') {
		s.digits()
	}
	if s.optional('.') {
		s.digits()
	}
	if s.optional('e') || s.optional('E') {
		if !s.optional('+') {
			s.optional('-')
		}
		s.digits()
	}
	return s.since(start)
}

func (s *Scanner) optional(c byte) bool {
	if s.pos < len(s.document) && s.document[s.pos] == c {
		s.pos++
		return true
	}
	return false
}

// digits reads at least one digit.
func (s *Scanner) digits() {
	start := s.pos
	for s.pos < len(s.document) && s.document[s.pos]-'0' <= 9 {
		s.pos++
	}
	s.failed = s.failed || s.pos == start
}

// Literal reads true, false or null, and returns it.
func (s *Scanner) Literal() string {
	s.Peek()
	for _, word := range [...]string{"true", "false", "null"} {
		if !s.failed && bytes.HasPrefix(s.document[s.pos:], []byte(word)) {
			s.pos += len(word)
			return word
		}
	}
	s.failed = true
	return ""
}

// Raw reads any value and returns it as written, a part of the document.
func (s *Scanner) Raw() []byte {
	s.Peek()
	start := s.pos
	s.Skip()
	return s.since(start)
}

// Skip reads any value.
func (s *Scanner) Skip() {
	switch s.Peek() {
	case '"':
		s.rawString()
	case '{':
		for more := s.BeginObject(); more; more = s.NextMember() {
			s.rawKey()
			s.Skip()
		}
	case '[':
		for more := s.BeginArray(); more; more = s.NextElement() {
			s.Skip()
		}
	case 't', 'f', 'n':
		s.Literal()
	default:
		s.rawNumber()
	}
}

func (s *Scanner) since(start int) []byte {
	if s.failed {
		return nil
	}
	return s.document[start:s.pos]
}
