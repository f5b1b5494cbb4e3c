// Copyright The OpenTelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package jsonscan

import (
	"bytes"
	"encoding/binary"
	"math/bits"
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// rawString reads a string and returns what is between the quotes.
func (s *Scanner) rawString() (raw []byte, escaped bool) {
	if s.Peek() != '"' {
		s.failed = true
		return nil, false
	}
	s.pos++
	start := s.pos
	for !s.failed {
		s.pos = skipPlain(s.document, s.pos)
		if s.pos == len(s.document) {
			break
		}
		switch c := s.document[s.pos]; {
		case c == '"':
			s.pos++
			return s.document[start : s.pos-1], escaped
		case c == '\\':
			escaped = true
			if s.pos+1 < len(s.document) && simpleEscapes[s.document[s.pos+1]] != 0 {
				s.pos += 2
				continue
			}
			s.escape()
		case c >= utf8.RuneSelf:
			s.nonASCII()
		default: // a control character
			s.failed = true
		}
	}
	s.failed = true
	return nil, false
}

// plainString reads a string that begins here and is plain to its end, as nearly all keys
// and most short texts are. If there is none it reads nothing.
//
// Without it internal/record takes 5 % more time for raw bodies of small records (least
// of twelve rounds in turns). It costs 20 lines.
func (s *Scanner) plainString() (raw []byte, ok bool) {
	if s.failed || s.pos >= len(s.document) || s.document[s.pos] != '"' {
		return nil, false
	}
	start := s.pos + 1
	end := skipPlain(s.document, start)
	if end == len(s.document) || s.document[end] != '"' {
		return nil, false
	}
	s.pos = end + 1
	return s.document[start:end], true
}

// escape reads one escape.
func (s *Scanner) escape() {
	rest := s.document[s.pos+1:]
	switch {
	case len(rest) == 0:
		s.failed = true
	case simpleEscapes[rest[0]] != 0:
		s.pos += 2
	case rest[0] == 'u' && len(rest) >= 5 && isHex(rest[1:5]):
		s.pos += 6
	default:
		s.failed = true
	}
}

// simpleEscapes maps what may follow a backslash, except the u, to its meaning.
var simpleEscapes = [256]byte{
	'"': '"', '\\': '\\', '/': '/', 'b': '\b', 'f': '\f', 'n': '\n', 'r': '\r', 't': '\t',
}

func isHex(digits []byte) bool {
	return len(bytes.Trim(digits, "0123456789abcdefABCDEF")) == 0
}

// nonASCII reads consecutive characters that are not ASCII.
func (s *Scanner) nonASCII() {
	for s.pos < len(s.document) && s.document[s.pos] >= utf8.RuneSelf {
		size := commonRune(s.document[s.pos:])
		if size == 0 {
			var r rune
			if r, size = utf8.DecodeRune(s.document[s.pos:]); r == utf8.RuneError && size == 1 {
				s.failed = true
				return
			}
		}
		s.pos += size
	}
}

// commonRune returns the size of a character of two bytes, or of three whose first byte
// allows every second one; 0 for others, sound or not.
//
// Without it, and without the step over simple escapes in rawString, internal/record takes
// 18 % more time for raw bodies of long texts (least of fourteen rounds in turns). It costs
// 20 lines; FuzzScanner holds it against encoding/json.
func commonRune(text []byte) int {
	continues := func(i int) bool { return i < len(text) && text[i]&0xC0 == 0x80 }
	switch first := text[0]; {
	case first >= 0xC2 && first <= 0xDF && continues(1):
		return 2
	case first > 0xE0 && first <= 0xEF && first != 0xED && continues(1) && continues(2):
		return 3
	}
	return 0
}

// skipPlain returns the position from pos on of the next byte that is not ASCII, a quote,
// a backslash or a control character, or the end. It looks at eight bytes at a time.
// A byte that is not ASCII has its highest bit set. The others set it in a subtraction:
// of a byte less than 0x20, and of one that is 0 after xor with quote or backslash. A
// borrow can only change bytes after the first hit.
//
// Byte by byte, internal/record takes 16 % more time for the mix of raw bodies and 14 % for
// parsed ones (medians of ten rounds in turns). The loop has 8 lines; TestSkipPlain tries
// every byte at every place.
func skipPlain(text []byte, pos int) int {
	const (
		ones = 0x0101010101010101
		high = ones << 7
	)
	for ; pos+8 <= len(text); pos += 8 {
		eight := binary.LittleEndian.Uint64(text[pos : pos+8])
		quote, escape := eight^ones*'"', eight^ones*'\\'
		hit := (eight | (eight - ones*0x20) | (quote - ones) | (escape - ones)) & high
		if hit != 0 {
			return pos + bits.TrailingZeros64(hit)>>3
		}
	}
	for ; pos < len(text); pos++ {
		if c := text[pos]; c < 0x20 || c >= utf8.RuneSelf || c == '"' || c == '\\' {
			return pos
		}
	}
	return pos
}

// Unquote returns the text of a string that Raw has returned, and every other value as it
// is. Half of a surrogate pair becomes U+FFFD, as in encoding/json.
func Unquote(raw []byte) string {
	if len(raw) == 0 || raw[0] != '"' {
		return string(raw)
	}
	raw = raw[1 : len(raw)-1]
	if bytes.IndexByte(raw, '\\') < 0 {
		return string(raw)
	}
	return unescape(raw)
}

// unescape returns the text of a string that rawString has read.
func unescape(raw []byte) string {
	var out strings.Builder
	out.Grow(len(raw)) // no escape is shorter than its meaning
	for {
		plain, escape, found := bytes.Cut(raw, []byte{'\\'})
		out.Write(plain)
		switch {
		case !found:
			return out.String()
		case escape[0] == 'u':
			var r rune
			r, raw = unescapeRune(escape)
			out.WriteRune(r)
		default:
			out.WriteByte(simpleEscapes[escape[0]])
			raw = escape[1:]
		}
	}
}

// unescapeRune reads uXXXX, and the other half of a surrogate pair if it follows.
func unescapeRune(escape []byte) (r rune, rest []byte) {
	r, rest = codeUnit(escape), escape[5:]
	if !utf16.IsSurrogate(r) {
		return r, rest
	}
	if len(rest) >= 6 && rest[0] == '\\' && rest[1] == 'u' {
		if pair := utf16.DecodeRune(r, codeUnit(rest[1:])); pair != utf8.RuneError {
			return pair, rest[6:]
		}
	}
	return utf8.RuneError, rest
}

func codeUnit(escape []byte) rune {
	n, _ := strconv.ParseUint(string(escape[1:5]), 16, 16) // escape has checked the digits
	return rune(n)
}
