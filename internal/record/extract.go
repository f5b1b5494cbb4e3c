// Copyright The OpenTelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package record

import (
	"bytes"
	"slices"
	"strings"

	"github.com/openaicompliance/openaicompliancereceiver/internal/jsonscan"
)

const utf8BOM = "\xef\xbb\xbf"

// extract reads a line once and finds the values of its attributes, which are parts of
// copied, the copy of the line. It reports whether the line is one whole JSON object in
// valid UTF-8; if not, what was found does not count.
func extract(root *node, line []byte, copied string, out *attributeValues) bool {
	out.begin()
	scan := jsonscan.NewWithCopy(bytes.TrimPrefix(line, []byte(utf8BOM)), strings.TrimPrefix(copied, utf8BOM))
	extractObject(&scan, root, out)
	return scan.Done()
}

func extractObject(scan *jsonscan.Scanner, at *node, out *attributeValues) {
	for more := scan.BeginObject(); more; more = scan.NextMember() {
		child := at.child(scan.Key())
		switch {
		case child == nil:
			out.unknownMember = out.unknownMember || !at.open
			scan.Skip()
		case child.walk:
			extractValue(scan, child, out)
		default:
			scan.Skip()
		}
	}
}

func extractValue(scan *jsonscan.Scanner, at *node, out *attributeValues) {
	switch first := scan.Peek(); {
	case first == '"' && at.scalar: // as most are
		at.store(scan.ShortText(at.form.longest()), first, out)
	case first == 'n':
		at.storeNull(out)
		scan.Literal()
	case first == '{' && at.isObject():
		extractObject(scan, at, out)
	case first == '[' && at.element != nil:
		extractList(scan, at.element, out)
	case at.element != nil:
		extractValue(scan, at.element, out)
	case len(at.rules) == 0:
		scan.Skip()
	case at.form == formTokens:
		extractTokens(scan, at, out)
	case first == '{', first == '[':
		scan.Skip()
	default:
		at.store(scalarText(scan), first, out)
	}
}

func extractList(scan *jsonscan.Scanner, element *node, out *attributeValues) {
	before := out.element
	out.element = 0
	for more := scan.BeginArray(); more; more = scan.NextElement() {
		extractValue(scan, element, out)
		out.element++
	}
	out.element = before
}

// extractTokens stores each text of a value that is all tokens, in alphabetic order: keys
// have none.
func extractTokens(scan *jsonscan.Scanner, at *node, out *attributeValues) {
	raw := scan.Raw()
	if !tokensOnly(raw) {
		return
	}
	var texts []string
	values := jsonscan.New(raw)
	eachValue(&values, func(text string) { texts = append(texts, text) })
	slices.Sort(texts)
	for _, text := range texts {
		at.storeRules(text, out)
	}
}

// storeNull stores that the value is null.
func (n *node) storeNull(out *attributeValues) {
	if n.null >= 0 {
		out.putTrue(n.null)
	}
}

// store stores a scalar of the place's form; "" is nothing. first is the byte that the
// value was written with.
func (n *node) store(text string, first byte, out *attributeValues) {
	if text == "" || n.tested && !fitsScalar(n.form, text, first) {
		return
	}
	if n.reduce != nil {
		text = n.reduce(text)
	}
	n.storeRules(text, out)
}

// storeRules stores a text that is of its form; "" is nothing.
func (n *node) storeRules(text string, out *attributeValues) {
	if text == "" {
		return
	}
	for i := range n.rules {
		rule := &n.rules[i]
		if rule.plain && !out.set.has(rule.slot) { // as most are
			out.put(rule.slot, attributeValue{text: text, rank: rule.rank})
			continue
		}
		rule.store(text, out)
	}
}
