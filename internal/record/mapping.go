// Copyright The OpenTelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package record

import (
	"slices"
	"strings"
)

// kind is the one type an attribute has in every record.
type kind uint8

const (
	kindString kind = iota // any scalar, as its text
	kindInt                // an integer, also one written as a string
	kindTime               // not an attribute: the record's Timestamp
	kindBool               // of marks only
)

// rule maps one field of a record to one attribute. Of several rules for an
// attribute the first in the table wins, whatever the order of keys in the line.
type rule struct {
	path string // dotted; keys themselves hold no dot
	attr string
	kind kind
	// values, when set, translates the field; a value it lacks sets nothing.
	values map[string]string
}

// attrTimestamp is the pseudo-attribute of the record's Timestamp.
const attrTimestamp = ""

// rulesOf returns the rules of a type in order of precedence.
func rulesOf(eventType string) []rule {
	return slices.Concat(mappings[eventType], envelope)
}

// node is one step into a record: the keys that lead on, and the rules that end
// here. The keys are few, so looking through them is faster than a map.
type node struct {
	key   string
	next  []*node
	rules []compiled
}

// compiled is a rule with its precedence and the slot of its attribute.
type compiled struct {
	rule
	slot, rank int
}

// compile builds the tree that one walk over a line follows, and appends to attrs
// the attribute of each slot.
func compile(rules []rule, attrs []string) (*node, []string) {
	root := &node{}
	for rank, r := range rules {
		slot := slices.Index(attrs, r.attr)
		if slot < 0 {
			slot = len(attrs)
			attrs = append(attrs, r.attr)
		}
		at := root
		for key := range strings.SplitSeq(r.path, ".") {
			at = at.grow(key)
		}
		at.rules = append(at.rules, compiled{rule: r, slot: slot, rank: rank})
	}
	return root, attrs
}

// child is the step that a key leads to, nil for none.
func (n *node) child(key string) *node {
	for _, next := range n.next {
		if next.key == key {
			return next
		}
	}
	return nil
}

// grow returns the step that a key leads to, made where there is none.
func (n *node) grow(key string) *node {
	if next := n.child(key); next != nil {
		return next
	}
	next := &node{key: key}
	n.next = append(n.next, next)
	return next
}
