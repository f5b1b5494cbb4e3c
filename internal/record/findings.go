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
}

// maxSlots is how many bits set has.
const maxSlots = 64

// newFindings panics when the tables have grown beyond what fits; a test makes the
// mapper of every type.
func newFindings(attrs []string) findings {
	if len(attrs) > maxSlots {
		panic("record: more attributes than findings has bits")
	}
	return findings{attrs: attrs, values: make([]found, len(attrs))}
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

// fill sets the attributes, but for the slot of the time.
func (f *findings) fill(attrs pcommon.Map, except int) {
	left := f.set &^ (1 << except)
	attrs.EnsureCapacity(bits.OnesCount64(left))
	for ; left != 0; left &= left - 1 {
		slot := bits.TrailingZeros64(left)
		switch found := &f.values[slot]; found.kind {
		case kindInt:
			attrs.PutInt(f.attrs[slot], found.num)
		case kindBool:
			attrs.PutBool(f.attrs[slot], found.num != 0)
		case kindString, kindTime:
			attrs.PutStr(f.attrs[slot], found.text)
		}
	}
}
