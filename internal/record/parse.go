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
		if child != nil {
			w.parseMember(scan, child, key, body, out)
			return
		}
		unknown++
		out.unknownMember = out.unknownMember || !at.open
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
var unknownField = &node{leaf: true, form: formText, null: -1}

// extractAhead finds what attributes are made of in a value that is read in another way
// next: scan stays in its place.
func (w *bodyWriter) extractAhead(scan *jsonscan.Scanner, at *node, out *attributeValues) {
	if at.walk && !scan.Failed() {
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
	switch first := scan.Peek(); {
	case first == 'n':
		at.storeNull(out)
		scan.Literal()
		return
	case at.leaf:
	case at.isObject() && first == '{':
		w.parseObject(scan, at, body.PutEmptyMap(key), out)
		return
	case at.isList():
		w.parseList(scan, at, body.PutEmptySlice(key), out)
		return
	}
	value, fits := w.parseText(scan, at, out)
	switch {
	case at.leaf && at.form == formInteger && fits:
		n, _ := strconv.ParseInt(value, 10, 64) // fits has tried
		body.PutInt(key, n)
	case at.leaf && at.form == formBoolean && fits:
		body.PutBool(key, value == "true")
	case !at.leaf, at.form == formInteger, at.form == formBoolean:
		body.PutStr(key+mismatchSuffix, value)
	default:
		body.PutStr(key, value)
	}
}

// parseText returns the text of a value, or what stands in its place, and
// whether the value is of the field's form.
func (w *bodyWriter) parseText(scan *jsonscan.Scanner, at *node, out *attributeValues) (text string, fits bool) {
	first := scan.Peek()
	nested := first == '{' || first == '['
	if nested && w.redactor != nil && at.leaf && at.form == formOpen {
		w.out = w.out[:0]
		w.redactOpen(scan, at, out)
		return string(w.out), false
	}
	if nested {
		w.extractAhead(scan, at, out)
	}
	raw := scan.Raw()
	text, fits = w.stays(raw, at)
	if fits && !nested && first != 'n' {
		at.storeRules(text, out)
	}
	return text, fits
}

// stays returns what stays of a value, as text, and whether the value is of the field's
// form.
func (w *bodyWriter) stays(raw []byte, at *node) (text string, fits bool) {
	fits = at.leaf && at.form.fits(raw)
	if !fits && w.redactor != nil {
		return w.redactor.replacement(raw), false
	}
	text = jsonscan.Unquote(raw)
	if fits && at.reduce != nil && text != "" {
		text = w.reduced(text, at)
	}
	return text, fits
}

// reduced returns what stays of a text of its form.
func (w *bodyWriter) reduced(text string, at *node) string {
	short := at.reduce(text)
	w.redactor.applied = w.redactor.applied || short != text
	return short
}

func (w *bodyWriter) parseList(scan *jsonscan.Scanner, at *node, body pcommon.Slice, out *attributeValues) {
	before := out.element
	out.element = 0
	if scan.Peek() == '[' {
		for more := scan.BeginArray(); more; more = scan.NextElement() {
			w.parseElement(scan, at.element, body.AppendEmpty(), out)
			out.element++
		}
	} else {
		w.parseElement(scan, at.element, body.AppendEmpty(), out)
	}
	out.element = before
}

// parseElement keeps the place of every element: what is not of its form is the
// member mismatch of a map, or its JSON text among texts.
func (w *bodyWriter) parseElement(scan *jsonscan.Scanner, element *node, body pcommon.Value, out *attributeValues) {
	switch first := scan.Peek(); {
	case !element.isObject():
		value, _ := w.parseText(scan, element, out)
		body.SetStr(value)
	case first == '{':
		w.parseObject(scan, element, body.SetEmptyMap(), out)
	case first == 'n':
		body.SetEmptyMap()
		scan.Literal()
	default:
		value, _ := w.parseText(scan, element, out)
		body.SetEmptyMap().PutStr(mismatchKey, value)
	}
}
