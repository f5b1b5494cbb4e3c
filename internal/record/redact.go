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

// redactLine writes the line to w.out with replacements in the place of content.
func (w *bodyWriter) redactLine(scan *jsonscan.Scanner) {
	w.out = w.out[:0]
	w.redactObject(scan, w.root)
}

func (w *bodyWriter) redactObject(scan *jsonscan.Scanner, at *node) {
	w.out = append(w.out, '{')
	start, unknown := len(w.out), 0
	w.eachMember(scan, at, func(key string, child *node) {
		if child == nil || child.field == nil {
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
	f, first := at.field, scan.Peek()
	switch {
	case f.kind == fieldObject && first == '{':
		w.redactObject(scan, at)
		return
	case f.kind == fieldList && first == '[':
		w.redactList(scan, at.element)
		return
	case f.kind == fieldList:
		w.redactValue(scan, at.element)
		return
	}
	raw := scan.Raw()
	if first == 'n' || f.fits(raw) {
		w.out = append(w.out, raw...)
		return
	}
	w.out = append(w.out, '"')
	w.out = append(w.out, w.redactor.replacement(raw)...)
	w.out = append(w.out, '"')
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
