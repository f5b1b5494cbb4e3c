// Copyright The OpenTelemetry Authors
// SPDX-License-Identifier: Apache-2.0

// Package printable keeps a terminal from obeying, and a reader from being misled by,
// what others wrote: control characters, and those that reorder or hide text.
package printable

import (
	"bytes"
	"fmt"
	"io"
	"strings"
	"unicode"
	"unicode/utf16"
	"unicode/utf8"
)

// misleads reports whether a character is not to be printed as it is.
func misleads(r rune) bool {
	switch {
	case unicode.IsControl(r), unicode.Is(unicode.Bidi_Control, r), unicode.In(r, unicode.Zl, unicode.Zp):
		return true
	case r == '\ufeff', r >= '\ufff9' && r <= '\ufffb', r >= 0xe0000 && r <= 0xe007f: // shown as nothing
		return true
	}
	return false
}

// Text makes a text of others one line that is what it looks like: U+FFFD stands in
// the place of a character that is not to be printed.
func Text(text string) string { return strings.Map(replaced, text) }

// Bytes is Text for the bytes of a line, which keeps its tabs.
func Bytes(line []byte) []byte { return bytes.Map(replacedInLines, line) }

func replaced(r rune) rune {
	if misleads(r) {
		return unicode.ReplacementChar
	}
	return r
}

func replacedInLines(r rune) rune {
	if r == '\n' || r == '\t' {
		return r
	}
	return replaced(r)
}

// JSON escapes what is not to be printed: the document stays what it was.
func JSON(document []byte) []byte {
	out := make([]byte, 0, len(document))
	for len(document) > 0 {
		r, size := utf8.DecodeRune(document)
		switch {
		case !misleads(r) || r == '\n' || r == '\t' || r == '\r':
			out = append(out, document[:size]...)
		case r > 0xffff:
			high, low := utf16.EncodeRune(r)
			out = fmt.Appendf(out, `\u%04x\u%04x`, high, low)
		default:
			out = fmt.Appendf(out, `\u%04x`, r)
		}
		document = document[size:]
	}
	return out
}

// Writer passes lines on as Bytes does, however they are cut into writes.
type Writer struct {
	Out  io.Writer
	rest []byte // the beginning of a character
}

// Write implements io.Writer.
func (w *Writer) Write(p []byte) (int, error) {
	text := append(w.rest, p...) //nolint:gocritic // rest is taken
	whole := len(text)
	for i := 1; i < utf8.UTFMax && i <= len(text); i++ {
		if begin := text[len(text)-i]; utf8.RuneStart(begin) {
			if !utf8.FullRune(text[len(text)-i:]) {
				whole -= i
			}
			break
		}
	}
	w.rest = bytes.Clone(text[whole:])
	if whole == 0 {
		return len(p), nil
	}
	if _, err := w.Out.Write(Bytes(text[:whole])); err != nil {
		return 0, err
	}
	return len(p), nil
}
