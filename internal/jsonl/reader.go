// Copyright The OpenTelemetry Authors
// SPDX-License-Identifier: Apache-2.0

// Package jsonl walks the lines of a JSON Lines file that is held in memory.
package jsonl

import "bytes"

// Reader yields the lines of a body that hold something. Lines are slices of
// the body, which the Reader never changes.
type Reader struct {
	rest   []byte
	line   []byte
	number int
}

// NewReader starts before the first line of body.
func NewReader(body []byte) *Reader { return &Reader{rest: body} }

// Next moves to the next line that is not blank and reports whether there is
// one. A line ends with LF or CRLF or with the body; blank lines are counted,
// so that line numbers are those an editor shows.
func (r *Reader) Next() bool {
	for len(r.rest) > 0 {
		line := r.rest
		if end := bytes.IndexByte(r.rest, '\n'); end >= 0 {
			line, r.rest = r.rest[:end], r.rest[end+1:]
		} else {
			r.rest = nil
		}
		r.number++
		line = bytes.TrimSuffix(line, []byte{'\r'})
		if len(bytes.TrimLeft(line, " \t\r")) > 0 {
			r.line = line
			return true
		}
	}
	r.line = nil
	return false
}

// Line is the exact line without its terminator.
func (r *Reader) Line() []byte { return r.line }

// Number of the line, from 1.
func (r *Reader) Number() int { return r.number }
