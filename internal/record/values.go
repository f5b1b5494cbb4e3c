// Copyright The OpenTelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package record

import (
	"cmp"
	"math"
	"math/bits"
	"slices"
	"strconv"
	"strings"

	"go.opentelemetry.io/collector/pdata/pcommon"
)

// attributeValue is the value of one slot.
type attributeValue struct {
	text string
	num  int64 // an integer, a time in nanoseconds since 1970, the bits of a double, or 1 for true
	rank int   // in the table, of what the line holds
}

// listItem is an element of a list, in the order of the table and then of the line.
type listItem struct {
	rank    int
	element int // the place in the list of the line that it comes from
	text    string
}

// attributeValues are the values of one record, by slot: what its line holds, and what
// the record says about itself.
type attributeValues struct {
	attrs    []string // the attribute of each slot
	kinds    []kind   // their types
	internal slotSet  // those that are no attributes of the record
	values   []attributeValue
	lists    [][]listItem // in the place of a value, of the slots that are lists
	set      slotSet      // which of the values are there
	constant slotSet      // those of every record of a file

	element int // the place in the list that is being read
	// unknownMember is set when the line has a member that the table does not know,
	// unknownOutcome when a result has a value that nobody knows, saysNothing when the
	// outcome's field has a value that is known to say nothing.
	unknownMember, unknownOutcome, saysNothing bool
}

// slotSet has a bit for each slot.
type slotSet [2]uint64

// maxSlots is how many bits a slotSet has.
const maxSlots = 128

func (s *slotSet) has(slot int) bool { return s[slot>>6]&(1<<(slot&63)) != 0 }
func (s *slotSet) add(slot int)      { s[slot>>6] |= 1 << (slot & 63) }
func (s *slotSet) remove(slot int)   { s[slot>>6] &^= 1 << (slot & 63) }

func (s *slotSet) intersects(other *slotSet) bool { return s[0]&other[0]|s[1]&other[1] != 0 }

// newAttributeValues panics when the tables have grown beyond what fits; a test makes the
// mapper of every type.
func newAttributeValues(attrs []string) attributeValues {
	if len(attrs) > maxSlots {
		panic("record: more attributes than attributeValues has bits")
	}
	v := attributeValues{attrs: attrs, kinds: make([]kind, len(attrs))}
	v.values, v.lists = make([]attributeValue, len(attrs)), make([][]listItem, len(attrs))
	for slot, attr := range attrs {
		v.kinds[slot] = kindOf(attr)
		if isInternal(attr) {
			v.internal.add(slot)
		}
	}
	return v
}

// begin forgets the record before.
func (v *attributeValues) begin() {
	v.set = v.constant
	v.unknownMember, v.unknownOutcome, v.saysNothing = false, false, false
}

// reset removes all values.
func (v *attributeValues) reset() {
	clear(v.values)
	clear(v.lists)
	v.constant = slotSet{}
	v.begin()
}

func (v *attributeValues) has(slot int) bool { return slot >= 0 && v.set.has(slot) }

func (v *attributeValues) put(slot int, value attributeValue) {
	v.values[slot] = value
	v.set.add(slot)
}

func (v *attributeValues) putText(slot int, text string) { v.put(slot, attributeValue{text: text}) }

func (v *attributeValues) putInt(slot int, n int64) { v.put(slot, attributeValue{num: n}) }

func (v *attributeValues) putDouble(slot int, n float64) {
	v.put(slot, attributeValue{num: int64(math.Float64bits(n))}) //nolint:gosec // bits, no number
}

func (v *attributeValues) putTrue(slot int) { v.put(slot, attributeValue{num: 1}) }

func (v *attributeValues) remove(slot int) { v.set.remove(slot) }

// add puts an element into a list.
func (v *attributeValues) add(slot int, item listItem) {
	if !v.set.has(slot) {
		v.lists[slot] = v.lists[slot][:0]
		v.set.add(slot)
	}
	v.lists[slot] = append(v.lists[slot], item)
}

// text in a slot, "" where there is none, and for a slot below 0, which the type
// does not have.
func (v *attributeValues) text(slot int) string {
	if !v.has(slot) {
		return ""
	}
	return v.values[slot].text
}

// list in a slot, in order.
func (v *attributeValues) list(slot int) []listItem {
	if !v.has(slot) {
		return nil
	}
	list := v.lists[slot]
	if len(list) > 1 {
		slices.SortStableFunc(list, func(a, b listItem) int { return cmp.Compare(a.rank, b.rank) })
	}
	return list
}

// store stores the text of a field by a rule, in the attribute's type, unless a rule that
// comes earlier in the table has set it or the text does not fit.
func (r *compiledRule) store(text string, out *attributeValues) {
	if r.read != nil {
		if text = r.reading(text); text == "" {
			return
		}
	}
	if r.outcome {
		r.storeOutcome(text, out)
		return
	}
	if r.kind == kindStrings {
		out.add(r.slot, listItem{rank: r.rank, element: out.element, text: text})
		return
	}
	if out.has(r.slot) && out.values[r.slot].rank < r.rank {
		return
	}
	n, ok := int64(0), true
	if r.kind != kindString {
		n, ok = numberOf(text, r.kind)
	}
	if ok {
		out.put(r.slot, attributeValue{text: text, num: n, rank: r.rank})
	}
}

// What a rule remembers of its readings: few texts, and short ones.
const (
	maxKnown     = 512
	maxKnownText = 64
)

// reading is read with a memory: enumerations have few values.
func (r *compiledRule) reading(text string) string {
	if made, ok := r.known[text]; ok {
		return made
	}
	made := r.read(text)
	if len(text) <= maxKnownText && len(r.known) < maxKnown {
		r.known[strings.Clone(text)] = strings.Clone(made) // no part of a line
	}
	return made
}

// storeOutcome: of several results of one field the worst counts.
func (r *compiledRule) storeOutcome(outcome string, out *attributeValues) {
	switch before := &out.values[r.slot]; {
	case outcome == outcomeUnknown:
		out.unknownOutcome = true
	case outcome == outcomeNone:
		out.saysNothing = true
	case !out.has(r.slot), before.rank > r.rank, before.rank == r.rank && before.text == OutcomeSuccess:
		out.put(r.slot, attributeValue{rank: r.rank, text: outcome})
	}
}

// numberOf reads a text as a type that is no text.
func numberOf(text string, kind kind) (n int64, ok bool) {
	switch kind {
	case kindInt:
		n, err := strconv.ParseInt(text, 10, 64)
		return n, err == nil
	case kindBool:
		if text == "true" {
			return 1, true
		}
		return 0, text == "false"
	case kindDouble:
		n, err := strconv.ParseFloat(text, 64)
		return int64(math.Float64bits(n)), err == nil //nolint:gosec // bits, no number
	case kindTime:
		at, ok := parseTime(text)
		return at.UnixNano(), ok
	case kindString, kindStrings:
	}
	return 0, false
}

// setAttributes sets the attributes of the record.
func (v *attributeValues) setAttributes(attrs pcommon.Map) {
	left := slotSet{v.set[0] &^ v.internal[0], v.set[1] &^ v.internal[1]}
	attrs.EnsureCapacity(bits.OnesCount64(left[0]) + bits.OnesCount64(left[1]))
	for word := range left {
		for ; left[word] != 0; left[word] &= left[word] - 1 {
			slot := word<<6 + bits.TrailingZeros64(left[word])
			if v.kinds[slot] == kindString { // as most are
				attrs.PutStr(v.attrs[slot], v.values[slot].text)
				continue
			}
			v.setAttribute(attrs, slot)
		}
	}
}

func (v *attributeValues) setAttribute(attrs pcommon.Map, slot int) {
	name, value := v.attrs[slot], &v.values[slot]
	switch v.kinds[slot] {
	case kindInt:
		attrs.PutInt(name, value.num)
	case kindBool:
		attrs.PutBool(name, value.num != 0)
	case kindDouble:
		attrs.PutDouble(name, math.Float64frombits(uint64(value.num))) //nolint:gosec // bits, no number
	case kindStrings:
		items, list := v.list(slot), attrs.PutEmptySlice(name)
		list.EnsureCapacity(len(items))
		for _, item := range items {
			list.AppendEmpty().SetStr(item.text)
		}
	case kindString, kindTime:
	}
}
