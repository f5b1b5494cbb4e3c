// Copyright The OpenTelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package record

import (
	"math"
	"strconv"
	"strings"
	"time"
	"unsafe"
)

// found is what a walk found for one attribute.
type found struct {
	set  bool
	rank int
	kind kind
	text string
	num  int64 // an integer, or a time in nanoseconds since 1970
}

// A Timestamp counts nanoseconds since 1970 and holds no other time.
var (
	earliest = time.Unix(0, 0)
	latest   = time.Unix(0, math.MaxInt64)
)

const utf8BOM = "\xef\xbb\xbf"

// walk reads a line once and fills slots, whose texts are parts of the line. It
// reports whether the line is one whole JSON object in valid UTF-8; when it is
// not, slots hold nothing.
func walk(root *node, line string, slots []found) bool {
	clear(slots)
	scan := scanner{text: strings.TrimPrefix(line, utf8BOM)}
	if scan.peek() == '{' {
		walkObject(&scan, root, slots)
		if scan.peek() == 0 && scan.at == len(scan.text) && !scan.bad {
			return true
		}
		clear(slots)
	}
	return false
}

func walkObject(scan *scanner, at *node, slots []found) {
	for in := scan.enter('}'); in; in = scan.next('}') {
		child := at.child(scan.key())
		switch {
		case child == nil:
			scan.skip()
		case len(child.next) > 0 && scan.peek() == '{':
			walkObject(scan, child, slots)
		case len(child.rules) > 0:
			readScalar(scan, child.rules, slots)
		default:
			scan.skip()
		}
	}
}

// readScalar reads a string, a number or a boolean as text; null, "" and
// everything else leave the attribute unset.
func readScalar(scan *scanner, rules []compiled, slots []found) {
	var text string
	switch scan.peek() {
	case '"':
		text = scan.str()
	case 't', 'f':
		text = scan.literal()
	case 'n', '{', '[':
		scan.skip()
	default:
		text = scan.number()
	}
	if text != "" && !scan.bad {
		for i := range rules {
			rules[i].store(text, &slots[rules[i].slot])
		}
	}
}

// asBytes spares a copy, for a digest, which only reads.
func asBytes(s string) []byte {
	return unsafe.Slice(unsafe.StringData(s), len(s)) //nolint:gosec // only read
}

// store keeps the text in the slot's type, unless a rule that comes earlier in
// the table has filled it or the text does not fit.
func (r *compiled) store(text string, slot *found) {
	if slot.set && slot.rank < r.rank {
		return
	}
	value := found{set: true, rank: r.rank, kind: r.kind, text: text}
	switch {
	case r.values != nil:
		translated, ok := r.values[text]
		if !ok {
			return
		}
		value.text = translated
	case r.kind == kindInt:
		n, err := strconv.ParseInt(text, 10, 64)
		if err != nil {
			return
		}
		value.num = n
	case r.kind == kindTime:
		at, err := time.Parse(time.RFC3339Nano, text)
		if err != nil || at.Before(earliest) || at.After(latest) {
			return
		}
		value.num = at.UnixNano()
	}
	*slot = value
}
