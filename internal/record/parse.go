// Copyright The OpenTelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package record

import (
	"encoding/json"
	"strconv"
	"strings"

	"go.opentelemetry.io/collector/pdata/pcommon"

	"github.com/openaicompliance/openaicompliancereceiver/internal/jsonscan"
)

// mismatchSuffix names the place of a value that is not of its field's form: a path
// has one type in all records, so the text goes beside it.
const mismatchSuffix = "_mismatch"

// mismatchKey is the one member of a list's element that is not of its form.
const mismatchKey = "mismatch"

// otherKey holds the members without a place of their own as one JSON object, each
// under its exact key.
const otherKey = "_other"

// maxUnknown members of an object that the table does not know have a place of
// their own. The others are under otherKey: a map takes the longer for a member the
// more it has.
const maxUnknown = 256

// maxRoom is for how many members a map has room from the start, if the field table knows
// as many. Maps that only grow take 21 % more time for the mix of parsed bodies (medians of
// ten rounds in turns). The room is 2 lines, and an object with fewer members wastes it.
const maxRoom = 8

// parseObject fills a map with the members of an object, and finds what attributes are
// made of. null is left out, and of a key that comes twice the last
// value counts.
func (w *bodyWriter) parseObject(scan *jsonscan.Scanner, at *node, body pcommon.Map, out *attributeValues) {
	body.EnsureCapacity(min(len(at.children), maxRoom))
	unknown, rest := 0, []byte(nil)
	w.eachMember(scan, at, func(key string, child *node) {
		if child != nil && child.field != nil {
			w.parseMember(scan, child, key, body, out)
			return
		}
		w.extractAhead(scan, child, out)
		unknown++
		switch {
		case w.redactor != nil:
			w.redactor.applied = true
			scan.Skip()
		case unknown > maxUnknown || !hasOwnPlace(key):
			appendMember(scan, key, &rest)
		default:
			w.parseMember(scan, unknownField, key, body, out)
		}
	})
	if w.redactor != nil && unknown > 0 {
		body.PutInt(withheldKey, int64(unknown))
	}
	if rest != nil {
		body.PutStr(otherKey, string(append(rest, '}')))
	}
}

// unknownField is the place of a member that the table does not know.
var unknownField = &node{field: text}

// extractAhead finds what attributes are made of in a value that is read in another way
// next: scan stays in its place.
func (w *bodyWriter) extractAhead(scan *jsonscan.Scanner, at *node, out *attributeValues) {
	if at != nil && !scan.Failed() {
		ahead := *scan
		extractValue(&ahead, at, out)
	}
}

// appendMember writes a member as JSON to an object that is not closed.
func appendMember(scan *jsonscan.Scanner, key string, object *[]byte) {
	raw := scan.Raw()
	name, _ := json.Marshal(key) // a string never fails
	separator := byte(',')
	if *object == nil {
		separator = '{'
	}
	*object = append(*object, separator)
	*object = append(*object, name...)
	*object = append(append(*object, ':'), raw...)
}

// hasOwnPlace says whether a key that the table does not know names a member of a
// parsed body. Backends nest by dots and know no empty name, and two keys never share
// a place.
func hasOwnPlace(key string) bool {
	return key != "" && key != otherKey && !strings.ContainsRune(key, '.') && !strings.HasSuffix(key, mismatchSuffix)
}

func (w *bodyWriter) parseMember(scan *jsonscan.Scanner, at *node, key string, body pcommon.Map, out *attributeValues) {
	f, first := at.field, scan.Peek()
	switch {
	case first == 'n':
		scan.Literal()
		return
	case f.kind == fieldObject && first == '{':
		w.parseObject(scan, at, body.PutEmptyMap(key), out)
		return
	case f.kind == fieldList:
		w.parseList(scan, at, body.PutEmptySlice(key), out)
		return
	case first == '{':
		w.extractAhead(scan, at, out)
	}
	value, fits := w.parseText(scan, at, out)
	switch {
	case f.kind == fieldInteger && fits:
		n, _ := strconv.ParseInt(value, 10, 64) // fits has tried
		body.PutInt(key, n)
	case f.kind == fieldBoolean && fits:
		body.PutBool(key, value == "true")
	case f.kind == fieldInteger, f.kind == fieldBoolean, f.kind == fieldObject:
		body.PutStr(key+mismatchSuffix, value)
	default:
		body.PutStr(key, value)
	}
}

// parseText returns the text of a value, or what stands in its place, and
// whether the value is of the field's form.
func (w *bodyWriter) parseText(scan *jsonscan.Scanner, at *node, out *attributeValues) (text string, fits bool) {
	raw := scan.Raw()
	fits = at.field.fits(raw)
	if !fits && w.redactor != nil {
		return w.redactor.replacement(raw), false
	}
	text = jsonscan.Unquote(raw)
	if fits { // attributes come only from texts and integers
		out.storeText(at.rules, text)
	}
	return text, fits
}

func (w *bodyWriter) parseList(scan *jsonscan.Scanner, at *node, body pcommon.Slice, out *attributeValues) {
	if scan.Peek() != '[' {
		w.extractAhead(scan, at, out)
		w.parseElement(scan, at.element, body.AppendEmpty(), out)
		return
	}
	for more := scan.BeginArray(); more; more = scan.NextElement() {
		w.parseElement(scan, at.element, body.AppendEmpty(), out)
	}
}

// parseElement keeps the place of every element: what is not of its form is the
// member mismatch of a map, or its JSON text among texts.
func (w *bodyWriter) parseElement(scan *jsonscan.Scanner, element *node, body pcommon.Value, out *attributeValues) {
	first := scan.Peek()
	if element.field.kind == fieldObject && first == '{' {
		w.parseObject(scan, element, body.SetEmptyMap(), out)
		return
	}
	if element.field.kind == fieldObject && first == 'n' {
		body.SetEmptyMap()
		scan.Literal()
		return
	}
	value, _ := w.parseText(scan, element, out)
	if element.field.kind == fieldObject {
		body.SetEmptyMap().PutStr(mismatchKey, value)
		return
	}
	body.SetStr(value)
}
