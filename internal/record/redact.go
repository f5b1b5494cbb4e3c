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

// redactLine writes the line to w.out with replacements in the place of content.
func (w *bodyWriter) redactLine(scan *jsonscan.Scanner) {
	w.out = w.out[:0]
	w.redactObject(scan, w.root)
}

func (w *bodyWriter) redactObject(scan *jsonscan.Scanner, at *node) {
	ahead := *scan
	w.out = append(w.out, '{')
	start, unknown := len(w.out), 0
	w.eachMember(scan, at, func(key string, child *node) {
		if child == nil {
			unknown++
			w.redactor.applied = true
			scan.Skip()
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

func (w *bodyWriter) redactValue(scan *jsonscan.Scanner, at *node) {
	first := scan.Peek()
	switch {
	case at.leaf && at.form == formOpen && (first == '{' || first == '['):
		w.redactOpen(scan, at)
		return
	case at.leaf:
	case first == '{' && at.isObject():
		w.redactObject(scan, at)
		return
	case first == '[' && at.isList():
		w.redactList(scan, at.element)
		return
	case at.isList():
		w.redactValue(scan, at.element)
		return
	}
	raw := scan.Raw()
	if first == 'n' {
		w.out = append(w.out, raw...)
		return
	}
	if at.leaf && at.reduce == nil && at.form.fits(raw) {
		w.out = append(w.out, raw...)
		return
	}
	text, fits := w.stays(raw, at)
	if fits && first != '"' { // a number stays one
		w.out = append(w.out, text...)
		return
	}
	w.out = append(append(append(w.out, '"'), text...), '"') // needs no escapes
}

// redactOpen writes an object or a list of which some members stay. One of another shape
// than the table's is withheld whole.
func (w *bodyWriter) redactOpen(scan *jsonscan.Scanner, at *node) {
	switch first := scan.Peek(); {
	case first == '{' && at.isObject():
		w.redactObject(scan, at)
	case first == '[' && at.element != nil:
		w.redactList(scan, at.element)
	case at.element != nil && at.element.isObject():
		w.redactObject(scan, at.element)
	default:
		w.out = append(append(append(w.out, '"'), w.redactor.replacement(scan.Raw())...), '"')
	}
}

func (w *bodyWriter) redactList(scan *jsonscan.Scanner, element *node) {
	w.out = append(w.out, '[')
	start := len(w.out)
	for more := scan.BeginArray(); more; more = scan.NextElement() {
		w.redactValue(scan, element)
		w.out = append(w.out, ',')
	}
	w.closeWith(start, ']')
}
