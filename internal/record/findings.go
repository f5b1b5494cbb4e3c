// Copyright The OpenTelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package record

import (
	"math/bits"

	"go.opentelemetry.io/collector/pdata/pcommon"
)

// found is the value of one slot.
type found struct {
	rank int
	kind kind
	text string
	num  int64 // an integer, a time in nanoseconds since 1970, or 1 for true
}

// findings are the values of one record, by slot: what its line holds, and what it
// says about itself.
type findings struct {
	attrs  []string // the attribute of each slot
	values []found
	set    uint64 // which of the values are there, a bit for each

	// templates are maps with the attributes of those records that hold the same,
	// and no values, by what they hold.
	templates map[uint64]pcommon.Map
}

// maxSlots is how many bits set has.
const maxSlots = 64

// maxTemplates bounds what lines of ever new forms can make us remember.
const maxTemplates = 256

// newFindings panics when the tables have grown beyond what fits; a test makes the
// mapper of every type.
func newFindings(attrs []string) findings {
	if len(attrs) > maxSlots {
		panic("record: more attributes than findings has bits")
	}
	return findings{attrs: attrs, values: make([]found, len(attrs)), templates: map[uint64]pcommon.Map{}}
}

func (f *findings) has(slot int) bool { return f.set&(1<<slot) != 0 }

func (f *findings) put(slot int, value found) {
	f.values[slot] = value
	f.set |= 1 << slot
}

func (f *findings) putText(slot int, text string) { f.put(slot, found{text: text}) }

func (f *findings) putTrue(slot int) { f.put(slot, found{kind: kindBool, num: 1}) }

// text in a slot, "" where there is none, and for a slot below 0, which the type
// does not have.
func (f *findings) text(slot int) string {
	if slot < 0 || !f.has(slot) {
		return ""
	}
	return f.values[slot].text
}

// fill sets the attributes. Setting each by its name would look for it among those
// that are there, which for twenty of them takes longer than all the rest.
func (f *findings) fill(attrs pcommon.Map, except int) {
	left := f.set &^ (1 << except)
	f.template(left).CopyTo(attrs)
	for _, value := range attrs.All() {
		found := &f.values[bits.TrailingZeros64(left)]
		left &= left - 1
		switch found.kind {
		case kindInt:
			value.SetInt(found.num)
		case kindBool:
			value.SetBool(found.num != 0)
		case kindString, kindTime:
			value.SetStr(found.text)
		}
	}
}

// template has the attributes of a set, in the order of their slots.
func (f *findings) template(set uint64) pcommon.Map {
	if template, ok := f.templates[set]; ok {
		return template
	}
	if len(f.templates) >= maxTemplates {
		clear(f.templates)
	}
	template := pcommon.NewMap()
	for left := set; left != 0; left &= left - 1 {
		template.PutEmpty(f.attrs[bits.TrailingZeros64(left)])
	}
	f.templates[set] = template
	return template
}
