// Copyright The OpenTelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package record

import (
	"slices"
	"strings"
)

// node is a place in a record: the rules that end here, what the field table says of
// it, and the places below it.
type node struct {
	key   string
	next  []*node
	rules []compiled
	field *field // nil where the table does not know it, or nobody asks
	of    *node  // the elements of a list

	// steps are the members that objects at this place have had, known ones or not, in
	// the order in which they came. size is how many the last one had.
	steps []step
	size  int
}

// step is one member of the objects at a place.
type step struct {
	text string // the key as it is written, up to its colon and with it
	key  string
	node *node // nil for one that the tree does not have
}

// maxSteps bounds what objects with ever new keys can make us remember.
const maxSteps = 64

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

// know tells the tree what the field table says.
func (n *node) know(f *field) {
	n.field = f
	for key, below := range f.fields {
		n.grow(key).know(below)
	}
	if f.of != nil {
		n.of = &node{}
		n.of.know(f.of)
	}
}

// child is the place of a member, nil for none.
func (n *node) child(key string) *node {
	for _, next := range n.next {
		if next.key == key {
			return next
		}
	}
	return nil
}

// grow returns the place of a member, made where there is none.
func (n *node) grow(key string) *node {
	if next := n.child(key); next != nil {
		return next
	}
	next := &node{key: key}
	n.next = append(n.next, next)
	return next
}

// member moves behind the next key of an object and its colon. at is how many of the
// object's steps have been taken, and is moved on: what writes records writes the
// members in one order, so that most keys are known before they are read.
func (n *node) member(scan *scanner, at *int) (key string, child *node) {
	scan.peek()
	if *at < len(n.steps) {
		if next := &n.steps[*at]; strings.HasPrefix(scan.text[scan.at:], next.text) {
			scan.at += len(next.text)
			*at++
			return next.key, next.node
		}
	}
	begin := scan.at
	key = scan.key()
	if i := slices.IndexFunc(n.steps, func(s step) bool { return s.key == key }); i >= 0 {
		*at = i + 1
		return key, n.steps[i].node
	}
	child = n.child(key)
	if !scan.bad && len(n.steps) < maxSteps {
		text := strings.Clone(scan.text[begin:scan.at])
		n.steps = slices.Insert(n.steps, *at, step{text, strings.Clone(key), child})
		*at++
	}
	return key, child
}
