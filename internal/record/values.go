// Copyright The OpenTelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package record

import (
	"math/bits"

	"go.opentelemetry.io/collector/pdata/pcommon"
)

// attributeValue is the value of one slot.
type attributeValue struct {
	rank int
	kind kind
	text string
	num  int64 // an integer, a time in nanoseconds since 1970, or 1 for true
}

// attributeValues are the values of one record, by slot: what its line holds, and what
// the record says about itself.
type attributeValues struct {
	attrs  []string // the attribute of each slot
	values []attributeValue
	set    uint64 // which of the values are there, a bit for each
}

// maxSlots is how many bits set has.
const maxSlots = 64

// newAttributeValues panics when the tables have grown beyond what fits; a test makes the
// mapper of every type.
func newAttributeValues(attrs []string) attributeValues {
	if len(attrs) > maxSlots {
		panic("record: more attributes than attributeValues has bits")
	}
	return attributeValues{attrs: attrs, values: make([]attributeValue, len(attrs))}
}

func (v *attributeValues) has(slot int) bool { return v.set&(1<<slot) != 0 }

func (v *attributeValues) put(slot int, value attributeValue) {
	v.values[slot] = value
	v.set |= 1 << slot
}

// reset removes all values.
func (v *attributeValues) reset() {
	clear(v.values)
	v.set = 0
}

func (v *attributeValues) putText(slot int, text string) { v.put(slot, attributeValue{text: text}) }

func (v *attributeValues) putTrue(slot int) { v.put(slot, attributeValue{kind: kindBool, num: 1}) }

// text in a slot, "" where there is none, and for a slot below 0, which the type
// does not have.
func (v *attributeValues) text(slot int) string {
	if slot < 0 || !v.has(slot) {
		return ""
	}
	return v.values[slot].text
}

// setAttributes sets the attributes, except that of one slot.
func (v *attributeValues) setAttributes(attrs pcommon.Map, except int) {
	left := v.set &^ (1 << except)
	attrs.EnsureCapacity(bits.OnesCount64(left))
	for ; left != 0; left &= left - 1 {
		slot := bits.TrailingZeros64(left)
		switch value := &v.values[slot]; value.kind {
		case kindInt:
			attrs.PutInt(v.attrs[slot], value.num)
		case kindBool:
			attrs.PutBool(v.attrs[slot], value.num != 0)
		case kindString, kindTime:
			attrs.PutStr(v.attrs[slot], value.text)
		}
	}
}
