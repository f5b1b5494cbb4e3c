// Copyright The OpenTelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package record

import (
	"encoding/json"
	"strconv"
	"strings"

	"go.opentelemetry.io/collector/pdata/pcommon"
)

// unfitSuffix names the place of a value that is not of its field's form: a path
// has one type in all records, so the text goes beside it.
const unfitSuffix = "_unfit"

// maxUnknown members of an object that the table does not know have a place of
// their own. The rest is one text, as a JSON object under unfitSuffix: a map takes
// the longer for a member the more it has.
const maxUnknown = 256

// maxRoom is for how many members a map has room from the start, at the most: the next
// object at a place need not have as many as the last.
const maxRoom = 16

// parseObject fills a map with the members of an object, and finds on the way what
// attributes are made of. null is left out, and of a key that comes twice the last
// value counts.
func (w *bodyWriter) parseObject(scan *scanner, at *node, body pcommon.Map, out *findings) {
	body.EnsureCapacity(at.size)
	size, unknown, rest := 0, 0, []byte(nil)
	w.members(scan, at, func(key string, child *node) {
		size++
		if child != nil && child.field != nil {
			w.parseMember(scan, child, key, body, out)
			return
		}
		w.findIn(scan, child, out)
		unknown++
		switch {
		case w.hold != nil:
			w.hold.any = true
			scan.skip()
		case unknown > maxUnknown:
			appendMember(scan, key, &rest)
		default:
			w.parseMember(scan, unknownText, undotted(key, at.field), body, out)
		}
	})
	at.size = min(size, maxRoom)
	if w.hold != nil && unknown > 0 {
		body.PutInt(withheldKey, int64(unknown))
	}
	if rest != nil {
		body.PutStr(unfitSuffix, string(append(rest, '}')))
	}
}

// unknownText is the place of a member that the table does not know.
var unknownText = &node{field: text}

// findIn finds what attributes are made of in a value that is read in another way,
// and does not move behind it.
func (w *bodyWriter) findIn(scan *scanner, at *node, out *findings) {
	if at != nil && !scan.bad {
		ahead := *scan
		ahead.keep = &w.texts
		walkValue(&ahead, at, out)
	}
}

// appendMember writes a member as JSON to an object that is not closed.
func appendMember(scan *scanner, key string, object *[]byte) {
	raw := scan.written()
	name, err := json.Marshal(key)
	scan.bad = scan.bad || err != nil
	separator := byte(',')
	if *object == nil {
		separator = '{'
	}
	*object = append(*object, separator)
	*object = append(*object, name...)
	*object = append(append(*object, ':'), raw...)
}

// undotted makes a key that the table does not know safe for backends that nest
// by dots, or know no empty name. It never gives the name of a known field.
func undotted(key string, at *field) string {
	if key == "" {
		return "_"
	}
	name := strings.ReplaceAll(key, ".", "_")
	if at.fields[name] != nil {
		return name + unfitSuffix
	}
	return name
}

func (w *bodyWriter) parseMember(scan *scanner, at *node, key string, body pcommon.Map, out *findings) {
	f, first := at.field, scan.peek()
	switch {
	case first == 'n':
		scan.literal()
		return
	case f.kind == fieldObject && first == '{':
		w.parseObject(scan, at, body.PutEmptyMap(key), out)
		return
	case f.kind == fieldList:
		w.parseList(scan, at, body.PutEmptySlice(key), out)
		return
	case first == '{':
		w.findIn(scan, at, out)
	}
	value, fits := w.parseText(scan, at, out)
	switch {
	case f.kind == fieldInteger && fits:
		n, _ := strconv.ParseInt(value, 10, 64) // fits has tried
		body.PutInt(key, n)
	case f.kind == fieldBoolean && fits:
		body.PutBool(key, value == "true")
	case f.kind == fieldInteger, f.kind == fieldBoolean, f.kind == fieldObject:
		body.PutStr(key+unfitSuffix, value)
	default:
		body.PutStr(key, value)
	}
}

// parseText returns the text of a value, or what stands in its place, and
// whether the value is of the field's form.
func (w *bodyWriter) parseText(scan *scanner, at *node, out *findings) (text string, fits bool) {
	first, keep := scan.peek(), scan.keep
	if w.hold != nil && at.field.kind == fieldContent && len(at.rules) == 0 {
		scan.keep = nil // no part of it stays
	}
	text, _ = scan.value()
	scan.keep = keep
	if first != '{' && first != '[' && !scan.bad {
		out.store(at.rules, text)
	}
	fits = at.field.fits(first, text)
	if !fits && w.hold != nil {
		return w.hold.replace(text), false
	}
	return text, fits
}

func (w *bodyWriter) parseList(scan *scanner, at *node, body pcommon.Slice, out *findings) {
	if scan.peek() != '[' {
		w.findIn(scan, at, out)
		w.parseElement(scan, at.of, body.AppendEmpty(), out)
		return
	}
	for in := scan.enter(']'); in; in = scan.next(']') {
		w.parseElement(scan, at.of, body.AppendEmpty(), out)
	}
}

// parseElement keeps the place of every element: what is not of its form is the
// member unfit of a map, or its JSON text among texts.
func (w *bodyWriter) parseElement(scan *scanner, of *node, body pcommon.Value, out *findings) {
	first := scan.peek()
	if of.field.kind == fieldObject && first == '{' {
		w.parseObject(scan, of, body.SetEmptyMap(), out)
		return
	}
	if of.field.kind == fieldObject && first == 'n' {
		body.SetEmptyMap()
		scan.literal()
		return
	}
	value, _ := w.parseText(scan, of, out)
	if of.field.kind == fieldObject {
		body.SetEmptyMap().PutStr("unfit", value)
		return
	}
	body.SetStr(value)
}
