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
// here.
type node struct {
	next  map[string]*node
	rules []compiled
}

// compiled is a rule with its precedence and the slot of its attribute.
type compiled struct {
	rule
	slot, rank int
}

// compile builds the tree that one walk over a line follows, and the attribute
// of each slot.
func compile(rules []rule) (root *node, attrs []string) {
	root = &node{}
	slots := map[string]int{}
	for rank, r := range rules {
		slot, ok := slots[r.attr]
		if !ok {
			slot = len(attrs)
			slots[r.attr] = slot
			attrs = append(attrs, r.attr)
		}
		at := root
		for key := range strings.SplitSeq(r.path, ".") {
			at = at.child(key)
		}
		at.rules = append(at.rules, compiled{rule: r, slot: slot, rank: rank})
	}
	return root, attrs
}

func (n *node) child(key string) *node {
	if n.next == nil {
		n.next = map[string]*node{}
	}
	if n.next[key] == nil {
		n.next[key] = &node{}
	}
	return n.next[key]
}
