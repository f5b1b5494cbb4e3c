// Copyright The OpenTelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package record

import (
	"math"
	"strconv"
	"time"
)

// A Timestamp counts nanoseconds since 1970 and holds no other time.
var (
	earliest = time.Unix(0, 0)
	latest   = time.Unix(0, math.MaxInt64)
)

const utf8BOM = "\xef\xbb\xbf"

// walk reads a line once and finds the values of its slots, whose texts are parts of
// the string that it is given. It reports whether the line is one whole JSON object in
// valid UTF-8; when it is not, what was found does not count.
func walk(root *node, line string, out *findings) bool {
	out.set = 0
	scan := newScanner(line)
	if scan.peek() != '{' {
		return false
	}
	walkObject(&scan, root, out)
	return scan.ended()
}

func walkObject(scan *scanner, at *node, out *findings) {
	step := 0
	for in := scan.enter('}'); in; in = scan.next('}') {
		if _, child := at.member(scan, &step); child != nil {
			walkValue(scan, child, out)
		} else {
			scan.skip()
		}
	}
}

func walkValue(scan *scanner, at *node, out *findings) {
	switch {
	case len(at.next) > 0 && scan.peek() == '{':
		walkObject(scan, at, out)
	case len(at.rules) > 0:
		readScalar(scan, at.rules, out)
	default:
		scan.skip()
	}
}

// readScalar reads a string, a number or a boolean as text; null, "" and
// everything else leave the attribute unset.
func readScalar(scan *scanner, rules []compiled, out *findings) {
	var text string
	switch scan.peek() {
	case '"':
		text = scan.str()
	case 't', 'f':
		text = scan.literal()
	case 'n', '{', '[':
		scan.skip()
	default:
		text = scan.kept(scan.number(), false)
	}
	if !scan.bad {
		out.store(rules, text)
	}
}

// store keeps a text by the rules that its field has; "" is nothing.
func (f *findings) store(rules []compiled, text string) {
	if text == "" {
		return
	}
	for i := range rules {
		rules[i].store(text, f)
	}
}

// store keeps the text in the slot's type, unless a rule that comes earlier in
// the table has filled it or the text does not fit.
func (r *compiled) store(text string, out *findings) {
	if out.has(r.slot) && out.values[r.slot].rank < r.rank {
		return
	}
	value := found{rank: r.rank, kind: r.kind, text: text}
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
	out.put(r.slot, value)
}
