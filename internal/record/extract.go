// Copyright The OpenTelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package record

import (
	"bytes"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/openaicompliance/openaicompliancereceiver/internal/jsonscan"
)

// A Timestamp counts nanoseconds since 1970 and holds no other time.
var (
	earliest = time.Unix(0, 0)
	latest   = time.Unix(0, math.MaxInt64)
)

const utf8BOM = "\xef\xbb\xbf"

// extract reads a line once and finds the values of its attributes, which are parts of
// copied, the copy of the line. It reports whether the line is one whole JSON object in
// valid UTF-8; if not, what was found does not count.
func extract(root *node, line []byte, copied string, out *attributeValues) bool {
	out.set = 0
	scan := jsonscan.NewWithCopy(bytes.TrimPrefix(line, []byte(utf8BOM)), strings.TrimPrefix(copied, utf8BOM))
	extractObject(&scan, root, out)
	return scan.Done()
}

func extractObject(scan *jsonscan.Scanner, at *node, out *attributeValues) {
	for more := scan.BeginObject(); more; more = scan.NextMember() {
		if child := at.child(scan.Key()); child != nil {
			extractValue(scan, child, out)
		} else {
			scan.Skip()
		}
	}
}

func extractValue(scan *jsonscan.Scanner, at *node, out *attributeValues) {
	switch {
	case len(at.children) > 0 && scan.Peek() == '{':
		extractObject(scan, at, out)
	case len(at.rules) > 0:
		extractScalar(scan, at.rules, out)
	default:
		scan.Skip()
	}
}

// extractScalar reads a string, a number or a boolean as text; null, "" and
// everything else leave the attribute unset.
func extractScalar(scan *jsonscan.Scanner, rules []compiledRule, out *attributeValues) {
	var text string
	switch scan.Peek() {
	case '"':
		text = scan.Text()
	case 't', 'f':
		text = scan.Literal()
	case 'n', '{', '[':
		scan.Skip()
	default:
		text = scan.Number()
	}
	out.storeText(rules, text)
}

// storeText stores the text of a field by the rules of the field; "" is nothing.
func (v *attributeValues) storeText(rules []compiledRule, text string) {
	if text == "" {
		return
	}
	for i := range rules {
		rules[i].storeText(text, v)
	}
}

// storeText stores the text in the slot's type, unless a rule that comes earlier in
// the table has set it or the text does not fit.
func (r *compiledRule) storeText(text string, out *attributeValues) {
	if out.has(r.slot) && out.values[r.slot].rank < r.rank {
		return
	}
	value := attributeValue{rank: r.rank, kind: r.kind, text: text}
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
