// Copyright The OpenTelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package record

import (
	"math/bits"
	"strings"
	"unicode/utf8"
)

// scanner reads JSON out of a string. It takes what encoding/json takes, down to
// maxDepth levels, as long as it is valid UTF-8; the fuzz test holds it to that.
// Most of what a line costs is to find out that it is JSON, so this is written for
// speed: docs/performance.md compares it with libraries.
//
// The first fault sets bad, and loops end. What was read before counts only if
// nothing is bad at the end.
type scanner struct {
	text  string
	at    int
	depth int
	bad   bool
	keep  *textRoom // of what is read; nil where texts may be parts of the input
}

// newScanner begins a line, behind its byte order mark.
func newScanner(line string) scanner {
	return scanner{text: strings.TrimPrefix(line, utf8BOM)}
}

// ended reports whether all was read, and nothing was bad.
func (s *scanner) ended() bool { return s.peek() == 0 && s.at == len(s.text) && !s.bad }

const maxDepth = 10_000

// peek moves to the next byte that is not white space, and returns it; 0 at the
// end.
func (s *scanner) peek() byte {
	for ; s.at < len(s.text); s.at++ {
		switch c := s.text[s.at]; c {
		case ' ', '\t', '\n', '\r':
		default:
			return c
		}
	}
	return 0
}

// enter moves into an object or array that ends with closing, and reports whether
// it holds something.
func (s *scanner) enter(closing byte) bool {
	s.at++
	s.depth++
	switch {
	case s.depth > maxDepth:
		s.bad = true
	case s.peek() == closing:
		s.leave()
	default:
		return true
	}
	return false
}

// next moves to the next member or element, and reports whether there is one.
func (s *scanner) next(closing byte) bool {
	switch c := s.peek(); {
	case s.bad:
	case c == ',':
		s.at++
		return true
	case c == closing:
		s.leave()
	default:
		s.bad = true
	}
	return false
}

func (s *scanner) leave() {
	s.at++
	s.depth--
}

// key moves behind the key of a member and its colon.
func (s *scanner) key() string { return s.kept(s.rawKey()) }

// rawKey is key for who does not ask what is written there.
func (s *scanner) rawKey() (raw string, escaped bool) {
	if s.peek() != '"' {
		s.bad = true
		return "", false
	}
	raw, escaped = s.raw()
	if s.peek() != ':' {
		s.bad = true
		return "", false
	}
	s.at++
	return raw, escaped
}

// skip moves behind a value.
func (s *scanner) skip() {
	switch c := s.peek(); c {
	case '"':
		s.raw()
	case '{':
		for in := s.enter('}'); in; in = s.next('}') {
			s.rawKey()
			s.skip()
		}
	case '[':
		for in := s.enter(']'); in; in = s.next(']') {
			s.skip()
		}
	case 't', 'f', 'n':
		s.literal()
	default:
		s.number()
	}
}

// value moves behind a value and returns it as it is written, which is a part of the
// input, and as text: that of a string is what is between the quotes, without escapes.
func (s *scanner) value() (text, raw string) {
	first, begin := s.peek(), s.at
	if first == '"' {
		text = s.str()
		return text, s.text[begin:s.at]
	}
	raw = s.written()
	return s.kept(raw, false), raw
}

// written moves behind a value and returns it as it is written.
func (s *scanner) written() string {
	s.peek()
	begin := s.at
	s.skip()
	return s.text[begin:s.at]
}

// literal moves behind true, false or null, and returns it.
func (s *scanner) literal() string {
	for _, word := range [...]string{"true", "false", "null"} {
		if strings.HasPrefix(s.text[s.at:], word) {
			s.at += len(word)
			return word
		}
	}
	s.bad = true
	return ""
}

// number moves behind a number, and returns it as it is written, a part of the input.
func (s *scanner) number() string {
	begin := s.at
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
	return s.text[begin:s.at]
}

func (s *scanner) optional(c byte) bool {
	if s.at < len(s.text) && s.text[s.at] == c {
		s.at++
		return true
	}
	return false
}

// digits moves behind at least one.
func (s *scanner) digits() {
	begin := s.at
	for s.at < len(s.text) && s.text[s.at]-'0' <= 9 {
		s.at++
	}
	s.bad = s.bad || s.at == begin
}

// str moves behind a string and returns its text.
func (s *scanner) str() string { return s.kept(s.raw()) }

// kept is the text of what was read. Even an empty part of the input would point there.
func (s *scanner) kept(raw string, escaped bool) string {
	switch {
	case s.bad || raw == "":
		return ""
	case s.keep != nil:
		return s.keep.add(raw, escaped)
	case escaped:
		return unescaped(raw)
	}
	return raw
}

// raw moves behind a string and returns what is between the quotes.
func (s *scanner) raw() (raw string, escaped bool) {
	s.at++
	begin := s.at
	for {
		s.at = plain(s.text, s.at)
		if s.at == len(s.text) {
			s.bad = true
			return "", false
		}
		switch c := s.text[s.at]; {
		case c == '"':
			s.at++
			return s.text[begin : s.at-1], escaped
		case c == '\\':
			escaped = true
			s.escape()
		case c >= utf8.RuneSelf:
			s.runes()
		default: // a control character
			s.bad = true
		}
		if s.bad {
			return "", false
		}
	}
}

// escape moves behind an escape.
func (s *scanner) escape() {
	rest := s.text[s.at+1:]
	switch {
	case rest == "":
		s.bad = true
	case simpleEscape[rest[0]]:
		s.at += 2
	case rest[0] == 'u' && len(rest) >= 5 && isHex(rest[1:5]):
		s.at += 6
	default:
		s.bad = true
	}
}

// simpleEscape holds what may follow a backslash, but for the u.
var simpleEscape = [256]bool{'"': true, '\\': true, '/': true, 'b': true, 'f': true, 'n': true, 'r': true, 't': true}

func isHex(digits string) bool {
	return strings.Trim(digits, "0123456789abcdefABCDEF") == ""
}

// runes moves behind the characters that are not ASCII, as many as follow each
// other.
func (s *scanner) runes() {
	for s.at < len(s.text) && s.text[s.at] >= utf8.RuneSelf {
		r, size := utf8.DecodeRuneInString(s.text[s.at:])
		if r == utf8.RuneError && size == 1 {
			s.bad = true
			return
		}
		s.at += size
	}
}

// plain returns where from at on the next byte is that is not ASCII, a quote, a
// backslash or a control character, or the end. It looks at eight bytes at once.
// One that is no ASCII has its highest bit set. The others set it in a subtraction:
// of a byte less than 0x20, and of one that is 0 once quote or backslash is taken
// out of it. What they borrow can only spoil bytes behind the first hit.
func plain(text string, at int) int {
	const (
		ones = 0x0101010101010101
		high = ones << 7
	)
	for ; at+8 <= len(text); at += 8 {
		eight := word(text[at : at+8])
		quote, escape := eight^ones*'"', eight^ones*'\\'
		hit := (eight | (eight - ones*0x20) | (quote - ones) | (escape - ones)) & high
		if hit != 0 {
			return at + bits.TrailingZeros64(hit)>>3
		}
	}
	for ; at < len(text); at++ {
		if c := text[at]; c < 0x20 || c >= utf8.RuneSelf || c == '"' || c == '\\' {
			return at
		}
	}
	return at
}

// word is the number that eight bytes are, the first the lowest.
func word(b string) uint64 {
	_ = b[7]
	return uint64(b[0]) | uint64(b[1])<<8 | uint64(b[2])<<16 | uint64(b[3])<<24 |
		uint64(b[4])<<32 | uint64(b[5])<<40 | uint64(b[6])<<48 | uint64(b[7])<<56
}
