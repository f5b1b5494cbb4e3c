// Copyright The OpenTelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package record

import "strconv"

// withheldKey counts, in each object, the members that the table does not know.
// Their keys are withheld with them.
const withheldKey = "withheld"

// maxKeptBuffer is how much of memory, in bytes, waits for the next line.
const maxKeptBuffer = 1 << 20

// redactLine writes the line anew with replacements in the place of content.
func (w *bodyWriter) redactLine(scan *scanner) {
	if cap(w.out) > maxKeptBuffer {
		w.out = nil
	}
	w.out = w.out[:0]
	w.redactObject(scan, w.root)
}

// redacted is what redactLine wrote; a line that has no content stays exact.
func (w *bodyWriter) redacted(line []byte) string {
	if w.hold.any {
		return string(w.out)
	}
	return string(line)
}

func (w *bodyWriter) redactObject(scan *scanner, at *node) {
	w.out = append(w.out, '{')
	begin, unknown := len(w.out), 0
	w.members(scan, at, func(key string, child *node) {
		if child == nil || child.field == nil {
			unknown++
			w.hold.any = true
			scan.skip()
			return
		}
		w.out = append(w.out, '"')
		w.out = append(w.out, key...) // keys of the table need no escapes
		w.out = append(w.out, '"', ':')
		w.redactValue(scan, child)
		w.out = append(w.out, ',')
	})
	if unknown > 0 {
		w.out = append(w.out, `"`+withheldKey+`":`...)
		w.out = append(strconv.AppendInt(w.out, int64(unknown), 10), ',')
	}
	w.close(begin, '}')
}

// close ends an object or array, in the place of the last comma.
func (w *bodyWriter) close(begin int, with byte) {
	if len(w.out) > begin {
		w.out[len(w.out)-1] = with
		return
	}
	w.out = append(w.out, with)
}

func (w *bodyWriter) redactValue(scan *scanner, at *node) {
	f, first := at.field, scan.peek()
	switch {
	case f.kind == fieldObject && first == '{':
		w.redactObject(scan, at)
		return
	case f.kind == fieldList && first == '[':
		w.redactList(scan, at.of)
		return
	case f.kind == fieldList:
		w.redactValue(scan, at.of)
		return
	}
	text, raw := scan.value()
	if first == 'n' || f.fits(first, text) {
		w.out = append(w.out, raw...)
		return
	}
	w.out = append(w.out, '"')
	w.out = append(w.out, w.hold.replace(text)...)
	w.out = append(w.out, '"')
}

func (w *bodyWriter) redactList(scan *scanner, of *node) {
	w.out = append(w.out, '[')
	begin := len(w.out)
	for in := scan.enter(']'); in; in = scan.next(']') {
		w.redactValue(scan, of)
		w.out = append(w.out, ',')
	}
	w.close(begin, ']')
}
