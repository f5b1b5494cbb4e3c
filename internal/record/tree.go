// Copyright The OpenTelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package record

import (
	"slices"
	"strings"

	"github.com/openaicompliance/openaicompliancereceiver/internal/jsonscan"
)

// node is a place in a record: the rules that end there, what the field table says about
// it, and the places below it.
type node struct {
	key      string
	children []*node
	rules    []compiledRule
	field    *field // nil where the table does not know it, or nobody asks
	element  *node  // of a list
}

// compileRules builds the tree that one walk over a line follows, and appends to attrs
// the attribute of each slot.
func compileRules(rules []rule, attrs []string) (*node, []string) {
	root := &node{}
	for rank, r := range rules {
		slot := slices.Index(attrs, r.attr)
		if slot < 0 {
			slot = len(attrs)
			attrs = append(attrs, r.attr)
		}
		at := root
		for key := range strings.SplitSeq(r.path, ".") {
			at = at.ensureChild(key)
		}
		at.rules = append(at.rules, compiledRule{rule: r, slot: slot, rank: rank})
	}
	return root, attrs
}

// addFields adds what the field table says.
func (n *node) addFields(f *field) {
	n.field = f
	for key, below := range f.fields {
		n.ensureChild(key).addFields(below)
	}
	if f.of != nil {
		n.element = &node{}
		n.element.addFields(f.of)
	}
}

// child returns the place of a member, nil if there is none.
func (n *node) child(key []byte) *node {
	for _, child := range n.children {
		if child.key == string(key) {
			return child
		}
	}
	return nil
}

// member reads the key of a member and returns it with its place, nil if there is none.
func (n *node) member(scan *jsonscan.Scanner) (key string, child *node) {
	written := scan.Key()
	if child = n.child(written); child != nil {
		return child.key, child
	}
	return string(written), nil
}

// ensureChild returns the place of a member, which it adds if there is none.
func (n *node) ensureChild(key string) *node {
	if child := n.child([]byte(key)); child != nil {
		return child
	}
	child := &node{key: key}
	n.children = append(n.children, child)
	return child
}
