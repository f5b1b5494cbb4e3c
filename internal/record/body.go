// Copyright The OpenTelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package record

import (
	"bytes"
	"strconv"
	"unicode/utf8"

	"go.opentelemetry.io/collector/pdata/pcommon"

	"github.com/openaicompliance/openaicompliancereceiver/internal/jsonscan"
)

// setBody reads a line once: it sets the body and finds the values of attributes. It
// reports whether the line could be read and whether something of it was withheld.
func (m *Mapper) setBody(body pcommon.Value, line []byte) (ok, withheld bool) {
	if m.body != nil {
		return m.body.write(body, line, &m.values)
	}
	text := string(line)
	if !extract(m.root, line, text, &m.values) {
		setExactBody(body, line)
		return false, false
	}
	body.SetStr(text) // what can be read is valid UTF-8
	return true, false
}

// setExactBody keeps the line exact: as a string where it is one, else as bytes.
func setExactBody(body pcommon.Value, line []byte) {
	if utf8.Valid(line) {
		body.SetStr(string(line))
		return
	}
	body.SetEmptyBytes().FromRaw(line) // which copies them
}

// bodyWriter makes the bodies that are not the exact line.
type bodyWriter struct {
	root     *node
	parsed   bool
	redactor *redactor // nil where content is kept
	out      []byte    // what of a line, or of open content, is written anew
	visit    uint64    // of an object; counts up
}

func newBodyWriter(root *node, source Source) *bodyWriter {
	w := &bodyWriter{root: root, parsed: source.Parsed}
	if source.Content.withholds() {
		w.redactor = newRedactor(source.Content)
		root.reduceBy(formCoordinate, roundCoordinate)
		root.reduceBy(formURL, w.redactor.reduceURL)
	}
	return w
}

// write makes the body of a line. A key that comes twice makes it unreadable where
// content is withheld: no two readers agree on which of the values counts.
func (w *bodyWriter) write(body pcommon.Value, line []byte, out *attributeValues) (ok, withheld bool) {
	if w.redactor != nil {
		w.redactor.applied = false
	}
	out.begin()
	scan := jsonscan.New(bytes.TrimPrefix(line, []byte(utf8BOM)))
	if w.parsed {
		w.parseObject(&scan, w.root, body.SetEmptyMap(), out)
	} else {
		w.redactLine(&scan, out)
	}
	switch {
	case !scan.Done():
		return w.writeMalformed(body, line)
	case w.parsed:
	case w.redactor.applied:
		body.SetStr(string(w.out))
	default:
		body.SetStr(string(line))
	}
	return true, w.redactor != nil && w.redactor.applied
}

// writeMalformed makes the body of a line that cannot be read: the line itself, or
// where content is withheld its length and, with a key, its digest.
func (w *bodyWriter) writeMalformed(body pcommon.Value, line []byte) (ok, withheld bool) {
	if w.redactor == nil {
		setExactBody(body, line)
		return false, false
	}
	digest := ""
	if w.redactor.mac != nil {
		digest = w.redactor.digest(string(line))
	}
	if w.parsed {
		out := body.SetEmptyMap()
		out.PutInt("length", int64(len(line)))
		if digest != "" {
			out.PutStr("hmac", digest)
		}
		return false, true
	}
	text := `{"length":` + strconv.Itoa(len(line))
	if digest != "" {
		text += `,"hmac":"` + digest + `"`
	}
	body.SetStr(text + "}")
	return false, true
}

// eachMember calls fn for each member of an object with its place in the tree, nil for
// none. Where content is withheld a repeated key is a fault.
func (w *bodyWriter) eachMember(scan *jsonscan.Scanner, at *node, fn func(key string, child *node)) {
	w.visit++
	visit, unknown := w.visit, map[string]bool(nil)
	for more := scan.BeginObject(); more; more = scan.NextMember() {
		key, child := at.member(scan)
		if w.redactor != nil && isRepeated(child, key, visit, &unknown) {
			scan.Fail()
			return
		}
		fn(key, child)
	}
}

// isRepeated says whether an object has had a member before, and remembers it: a known one
// by the number of the visit, the others by their keys.
func isRepeated(child *node, key string, visit uint64, unknown *map[string]bool) bool {
	if child != nil {
		before := child.visit
		child.visit = visit
		return before == visit
	}
	if *unknown == nil {
		*unknown = map[string]bool{}
	}
	before := (*unknown)[key]
	(*unknown)[key] = true
	return before
}
