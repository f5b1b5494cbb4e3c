// Copyright The OpenTelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package record

import (
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// unescaped is the text of a JSON string that the scanner has read. Half of a
// surrogate pair becomes U+FFFD, as encoding/json has it.
func unescaped(raw string) string { return asString(appendUnescaped(make([]byte, 0, len(raw)), raw)) }

// appendUnescaped appends at most as many bytes as raw has.
func appendUnescaped(out []byte, raw string) []byte {
	for {
		plain, escape, ok := strings.Cut(raw, `\`)
		out = append(out, plain...)
		switch {
		case !ok:
			return out
		case escape[0] == 'u':
			var r rune
			r, raw = unescapedRune(escape)
			out = utf8.AppendRune(out, r)
		default:
			out = append(out, unescapedByte(escape[0]))
			raw = escape[1:]
		}
	}
}

func unescapedByte(c byte) byte {
	switch c {
	case 'b':
		return '\b'
	case 'f':
		return '\f'
	case 'n':
		return '\n'
	case 'r':
		return '\r'
	case 't':
		return '\t'
	}
	return c
}

// unescapedRune reads uXXXX, and the other half of a pair if that follows.
func unescapedRune(escape string) (r rune, rest string) {
	r, rest = codeUnit(escape), escape[5:]
	if !utf16.IsSurrogate(r) {
		return r, rest
	}
	if strings.HasPrefix(rest, `\u`) {
		if pair := utf16.DecodeRune(r, codeUnit(rest[1:])); pair != utf8.RuneError {
			return pair, rest[6:]
		}
	}
	return utf8.RuneError, rest
}

func codeUnit(escape string) rune {
	n, _ := strconv.ParseUint(escape[1:5], 16, 16) // the scanner has seen four digits
	return rune(n)
}
