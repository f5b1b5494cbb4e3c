// Copyright The OpenTelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package record

import (
	"slices"
	"strconv"
	"unicode/utf8"

	"go.opentelemetry.io/collector/pdata/pcommon"
)

// read reads a line once: it sets the body and finds what attributes are made of. It
// reports whether the line could be read and whether something of it was withheld.
func (m *Mapper) read(body pcommon.Value, line []byte) (ok, withheld bool) {
	if m.body != nil {
		return m.body.write(body, line, &m.found)
	}
	text := string(line) // the one copy: attributes are parts of it
	if walk(m.root, text, &m.found) {
		body.SetStr(text) // an object is valid UTF-8
		return true, false
	}
	setExact(body, text)
	return false, false
}

// setExact keeps the line exact: as a string where it is one, else as bytes.
func setExact(body pcommon.Value, line string) {
	if utf8.ValidString(line) {
		body.SetStr(line)
		return
	}
	body.SetEmptyBytes().FromRaw(asBytes(line)) // which copies them
}

// bodyWriter makes the bodies that are not the exact line. It reads the line where it
// lies, and between two calls holds no part of it.
type bodyWriter struct {
	root   *node
	parsed bool
	hold   *withholder // nil where content is kept
	scan   scanner     // of the line that is being read
	texts  textRoom    // of it that stay
	out    []byte      // the line written anew, for bodies that are not parsed
	seen   []string    // the keys so far of the objects that are being read
}

func newBodyWriter(root *node, source Source) *bodyWriter {
	w := &bodyWriter{root: root, parsed: source.Parsed}
	if source.Content.withholds() {
		w.hold = newWithholder(source.Content)
	}
	return w
}

// write makes the body of a line. A key that comes twice makes it unreadable where
// content is withheld: no two readers agree on which of the values counts.
func (w *bodyWriter) write(body pcommon.Value, line []byte, out *findings) (read, withheld bool) {
	if w.hold != nil {
		w.hold.any = false
	}
	out.set = 0
	w.texts.begin(len(line))
	w.scan = newScanner(asString(line))
	scan := &w.scan
	defer w.letGo()
	switch {
	case scan.peek() != '{':
		return w.writeUnread(body, line)
	case w.parsed:
		scan.keep = &w.texts
		w.parseObject(scan, w.root, body.SetEmptyMap(), out)
	default:
		w.findIn(scan, w.root, out)
		w.redactLine(scan)
	}
	if !scan.ended() {
		return w.writeUnread(body, line)
	}
	if !w.parsed {
		body.SetStr(w.redacted(line))
	}
	return true, w.hold != nil && w.hold.any
}

// letGo forgets the line and its texts.
func (w *bodyWriter) letGo() {
	w.scan, w.texts.room = scanner{}, nil
	clear(w.seen[:cap(w.seen)])
	w.seen = w.seen[:0]
}

// writeUnread makes the body of a line of which nothing is known: the line
// itself, or where content is withheld its length and, with a key, its digest.
func (w *bodyWriter) writeUnread(body pcommon.Value, line []byte) (read, withheld bool) {
	if w.hold == nil {
		setExact(body, string(line))
		return false, false
	}
	digest := ""
	if w.hold.mac != nil {
		digest = w.hold.digest(asString(line))
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

// members calls fn for each member of an object with its place in the tree, nil for
// none. Where content is withheld a repeated key is a fault.
func (w *bodyWriter) members(scan *scanner, at *node, fn func(key string, child *node)) {
	begin, step := len(w.seen), 0
	var many map[string]struct{}
	for in := scan.enter('}'); in; in = scan.next('}') {
		key, child := at.member(scan, &step)
		if w.hold != nil {
			if many == nil && len(w.seen)-begin == fewKeys {
				many = map[string]struct{}{}
			}
			scan.bad = scan.bad || w.isRepeated(begin, many, key)
		}
		fn(key, child)
	}
	w.seen = w.seen[:begin]
}

// fewKeys are compared one by one, more are looked up.
const fewKeys = 32

func (w *bodyWriter) isRepeated(begin int, many map[string]struct{}, key string) bool {
	if slices.Contains(w.seen[begin:], key) {
		return true
	}
	if many == nil {
		w.seen = append(w.seen, key)
		return false
	}
	_, repeated := many[key]
	many[key] = struct{}{}
	return repeated
}

// fits says whether a value with this first byte and text is of the field's form,
// and so stays where content is withheld. Content never does, unless it is empty.
func (f *field) fits(first byte, text string) bool {
	boolean := first == 't' || first == 'f'
	object := first == '{' || first == '['
	switch f.kind {
	case fieldText:
		return !object
	case fieldSetting:
		return first != '"' && first != 'n' && !object || text == ""
	case fieldBoolean:
		return boolean
	case fieldInteger:
		_, err := strconv.ParseInt(text, 10, 64)
		return err == nil && !object
	case fieldContent:
		return text == ""
	case fieldObject, fieldList:
	}
	return false
}
