// Copyright The OpenTelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package record

import (
	"strconv"

	"github.com/openaicompliance/openaicompliancereceiver/internal/jsonscan"
)

// withheldKey counts, in each object, the members that the table does not know.
// Their keys are withheld with them.
const withheldKey = "withheld"

// digestKey is the member with the digest of an object of which only some members stay.
const digestKey = "hmac"

// redactLine writes the line to w.out with replacements in the place of content, and finds
// what attributes are made of.
func (w *bodyWriter) redactLine(scan *jsonscan.Scanner, out *attributeValues) {
	w.out = w.out[:0]
	w.redactObject(scan, w.root, out)
}

func (w *bodyWriter) redactObject(scan *jsonscan.Scanner, at *node, out *attributeValues) {
	ahead := *scan
	w.out = append(w.out, '{')
	start, unknown := len(w.out), 0
	w.eachMember(scan, at, func(key string, child *node) {
		if child == nil {
			unknown++
			out.unknownMember = out.unknownMember || !at.open
			w.redactor.applied = true
			scan.Skip()
			return
		}
		w.out = append(w.out, '"')
		w.out = append(w.out, key...) // keys of the table need no escapes
		w.out = append(w.out, '"', ':')
		w.redactValue(scan, child, out)
		w.out = append(w.out, ',')
	})
	if unknown > 0 {
		w.out = append(w.out, `"`+withheldKey+`":`...)
		w.out = append(strconv.AppendInt(w.out, int64(unknown), 10), ',')
		if at.outermost && w.redactor.mode == ContentHMAC && !scan.Failed() {
			w.out = append(w.out, `"`+digestKey+`":"`...)
			w.out = append(append(w.out, w.redactor.digest(string(ahead.Raw()))...), '"', ',')
		}
	}
	w.closeWith(start, '}')
}

// closeWith ends an object or array, in the place of the last comma.
func (w *bodyWriter) closeWith(start int, with byte) {
	if len(w.out) > start {
		w.out[len(w.out)-1] = with
		return
	}
	w.out = append(w.out, with)
}

func (w *bodyWriter) redactValue(scan *jsonscan.Scanner, at *node, out *attributeValues) {
	first := scan.Peek()
	switch {
	case at.leaf && at.form == formOpen && (first == '{' || first == '['):
		w.redactOpen(scan, at, out)
		return
	case at.leaf:
	case first == '{' && at.isObject():
		w.redactObject(scan, at, out)
		return
	case first == '[' && at.isList():
		w.redactList(scan, at.element, out)
		return
	case first != 'n' && at.isList():
		w.redactValue(scan, at.element, out)
		return
	}
	raw := scan.Raw()
	switch {
	case first == 'n':
		at.storeNull(out)
		w.out = append(w.out, raw...)
	case !at.leaf || !at.form.fits(raw):
		w.appendText(w.redactor.replacement(raw))
	default:
		w.redactScalar(raw, at, out)
	}
}

// redactScalar writes what stays of a value of its form.
func (w *bodyWriter) redactScalar(raw []byte, at *node, out *attributeValues) {
	nested := len(raw) > 0 && (raw[0] == '{' || raw[0] == '[')
	if at.reduce == nil && (len(at.rules) == 0 || nested) {
		w.out = append(w.out, raw...)
		if nested && len(at.rules) > 0 {
			ahead := jsonscan.New(raw)
			extractTokens(&ahead, at, out)
		}
		return
	}
	text := jsonscan.Unquote(raw)
	switch {
	case at.reduce == nil || text == "":
		w.out = append(w.out, raw...)
	case raw[0] == '"':
		text = w.reduced(text, at)
		w.appendText(text)
	default: // a number stays one
		text = w.reduced(text, at)
		w.out = append(w.out, text...)
	}
	at.storeRules(text, out)
}

// appendText writes a text that needs no escapes.
func (w *bodyWriter) appendText(text string) {
	w.out = append(append(append(w.out, '"'), text...), '"')
}

// redactOpen writes an object or a list of which some members stay. One of another shape
// than the table's is withheld whole.
func (w *bodyWriter) redactOpen(scan *jsonscan.Scanner, at *node, out *attributeValues) {
	switch first := scan.Peek(); {
	case first == '{' && at.isObject():
		w.redactObject(scan, at, out)
	case first == '[' && at.element != nil:
		w.redactList(scan, at.element, out)
	case first == '{' && at.element != nil && at.element.isObject():
		w.redactObject(scan, at.element, out)
	default:
		w.appendText(w.redactor.replacement(scan.Raw()))
	}
}

func (w *bodyWriter) redactList(scan *jsonscan.Scanner, element *node, out *attributeValues) {
	w.out = append(w.out, '[')
	start, before := len(w.out), out.element
	out.element = 0
	for more := scan.BeginArray(); more; more = scan.NextElement() {
		w.redactValue(scan, element, out)
		w.out = append(w.out, ',')
		out.element++
	}
	out.element = before
	w.closeWith(start, ']')
}
