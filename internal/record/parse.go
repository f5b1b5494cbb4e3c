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

// parseObject fills a map with the members of an object. null is left out, and
// of a key that comes twice the last value counts.
func (w *bodyWriter) parseObject(scan *scanner, at *field, out pcommon.Map) {
	out.EnsureCapacity(min(len(at.fields), 12))
	unknown, rest := 0, []byte(nil)
	w.members(scan, at, func(key string, f *field) {
		if f != nil {
			w.parseMember(scan, f, key, out)
			return
		}
		unknown++
		switch {
		case w.hold != nil:
			w.hold.any = true
			scan.skip()
		case unknown > maxUnknown:
			appendMember(scan, key, &rest)
		default:
			w.parseMember(scan, text, undotted(key, at), out)
		}
	})
	if w.hold != nil && unknown > 0 {
		out.PutInt(withheldKey, int64(unknown))
	}
	if rest != nil {
		out.PutStr(unfitSuffix, string(append(rest, '}')))
	}
}

// appendMember writes a member as JSON to an object that is not closed.
func appendMember(scan *scanner, key string, object *[]byte) {
	_, raw := scan.value()
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

func (w *bodyWriter) parseMember(scan *scanner, f *field, key string, out pcommon.Map) {
	first := scan.peek()
	switch {
	case first == 'n':
		scan.literal()
		return
	case f.kind == fieldObject && first == '{':
		w.parseObject(scan, f, out.PutEmptyMap(key))
		return
	case f.kind == fieldList:
		w.parseList(scan, f.of, out.PutEmptySlice(key))
		return
	}
	value, fits := w.parseText(scan, f)
	switch {
	case f.kind == fieldInteger && fits:
		n, _ := strconv.ParseInt(value, 10, 64) // fits has tried
		out.PutInt(key, n)
	case f.kind == fieldBoolean && fits:
		out.PutBool(key, value == "true")
	case f.kind == fieldInteger, f.kind == fieldBoolean, f.kind == fieldObject:
		out.PutStr(key+unfitSuffix, value)
	default:
		out.PutStr(key, value)
	}
}

// parseText returns the text of a value, or what stands in its place, and
// whether the value is of the field's form.
func (w *bodyWriter) parseText(scan *scanner, f *field) (text string, fits bool) {
	first := scan.peek()
	text, _ = scan.value()
	fits = f.fits(first, text)
	if !fits && w.hold != nil {
		return w.hold.replace(text), false
	}
	return text, fits
}

func (w *bodyWriter) parseList(scan *scanner, of *field, out pcommon.Slice) {
	if scan.peek() != '[' {
		w.parseElement(scan, of, out.AppendEmpty())
		return
	}
	for in := scan.enter(']'); in; in = scan.next(']') {
		w.parseElement(scan, of, out.AppendEmpty())
	}
}

// parseElement keeps the place of every element: what is not of its form is the
// member unfit of a map, or its JSON text among texts.
func (w *bodyWriter) parseElement(scan *scanner, of *field, out pcommon.Value) {
	first := scan.peek()
	if of.kind == fieldObject && first == '{' {
		w.parseObject(scan, of, out.SetEmptyMap())
		return
	}
	if of.kind == fieldObject && first == 'n' {
		out.SetEmptyMap()
		scan.literal()
		return
	}
	value, _ := w.parseText(scan, of)
	if of.kind == fieldObject {
		out.SetEmptyMap().PutStr("unfit", value)
		return
	}
	out.SetStr(value)
}
