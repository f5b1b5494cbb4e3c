// Copyright The OpenTelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package record

import (
	"cmp"
	"slices"
	"strings"

	"github.com/openaicompliance/openaicompliancereceiver/internal/jsonscan"
)

// node is a place in a record: what the table says about it, and the places below it.
type node struct {
	key      string
	children []*node
	index    keyIndex // of the children, in their order
	element  *node    // of a list

	leaf bool // the table names it: it has a form
	form form
	// scalar says that a text sets attributes as it is.
	scalar bool
	// visit is that of the object which last had this member.
	visit uint64
	// tested says that a value can be of another form than what the rules read.
	tested bool
	// rules are the attributes that the value sets.
	rules []compiledRule
	// null is the slot that null makes true, -1 for none.
	null int
	// reduce makes what stays of a value of its form where content is withheld; nil where
	// all of it does.
	reduce func(text string) string

	// open says that unknown members are expected here: they are content.
	open bool
	// outermost marks the object whose digest stands for what is withheld of it.
	outermost bool
	// walk says that something below sets an attribute, or can be unknown.
	walk bool
}

// compiledRule is an attribute that a field sets, with its precedence and its slot.
type compiledRule struct {
	read       func(text string) string // nil for the text as it is
	known      map[string]string        // what read has made of short texts
	kind       kind
	slot, rank int
	outcome    bool
	plain      bool // the attribute is the text as it is
}

// tree is a table made for reading: one walk over a line follows it.
type tree struct {
	root  *node
	attrs []string // the attribute of each slot
}

// newTree compiles a table. Its slots follow those of attrs.
func newTree(table []field, attrs []string) *tree {
	t := &tree{root: newNode(""), attrs: attrs}
	rank := 0
	for _, f := range table {
		at := t.root
		for key := range strings.SplitSeq(f.path, ".") {
			name, isList := strings.CutSuffix(key, "[]")
			at = at.ensureChild(name)
			if isList {
				at = at.ensureElement()
			}
		}
		at.leaf, at.form = true, f.form
		for _, to := range f.to {
			at.rules = append(at.rules, t.compile(to, rank))
			rank++
		}
		if f.null != "" {
			t.placeOf(f.path).null = t.slotOf(f.null)
		}
	}
	t.root.finish(false)
	return t
}

func newNode(key string) *node { return &node{key: key, null: -1} }

// placeOf is the node of a path, of a list the list itself.
func (t *tree) placeOf(path string) *node {
	at := t.root
	for key := range strings.SplitSeq(strings.TrimSuffix(path, "[]"), ".") {
		name, isList := strings.CutSuffix(key, "[]")
		at = at.ensureChild(name)
		if isList {
			at = at.ensureElement()
		}
	}
	return at
}

func (t *tree) compile(to target, rank int) compiledRule {
	rule := compiledRule{kind: kindOf(to.attr), slot: t.slotOf(to.attr), rank: rank, outcome: to.attr == AttrOutcome}
	if to.read != nil {
		rule.read, rule.known = to.read.text, map[string]string{}
	}
	rule.plain = rule.kind == kindString && to.read == nil
	return rule
}

// slotOf returns the slot of an attribute, which it adds if there is none.
func (t *tree) slotOf(attr string) int {
	slot := slices.Index(t.attrs, attr)
	if slot < 0 {
		slot = len(t.attrs)
		t.attrs = append(t.attrs, attr)
	}
	return slot
}

// finish says of each place whether it is of interest.
func (n *node) finish(open bool) {
	isOpen := n.leaf && n.form == formOpen
	n.open = open || isOpen
	n.walk = len(n.rules) > 0 || n.null >= 0 || n.isObject() && !n.open
	for _, child := range n.children {
		child.finish(n.open)
		n.walk = n.walk || child.walk
	}
	if n.element != nil {
		n.element.finish(n.open)
		n.walk = n.walk || n.element.walk
		n.element.outermost = isOpen
	}
	n.outermost = isOpen
	n.tested = !n.readsItself()
	n.scalar = len(n.rules) > 0 && n.form != formTokens && n.element == nil
	slices.SortStableFunc(n.children, func(a, b *node) int { return cmp.Compare(len(a.key), len(b.key)) })
	keys := make([]string, len(n.children))
	for i, child := range n.children {
		keys[i] = child.key
	}
	n.index = newKeyIndex(keys)
}

// readsItself says that what the rules cannot read is all that is not of the form.
func (n *node) readsItself() bool {
	own := map[form]kind{formText: kindString, formInteger: kindInt, formTime: kindTime}
	kind, ok := own[n.form]
	for _, rule := range n.rules {
		ok = ok && (n.form == formText || rule.kind == kind && rule.read == nil)
	}
	return ok
}

// reduceBy sets what stays of values of a form at every place.
func (n *node) reduceBy(form form, reduce func(text string) string) {
	if n.leaf && n.form == form {
		n.reduce = reduce
	}
	for _, child := range n.children {
		child.reduceBy(form, reduce)
	}
	if n.element != nil {
		n.element.reduceBy(form, reduce)
	}
}

// isObject says that the value is an object with members that the table knows.
func (n *node) isObject() bool { return len(n.children) > 0 }

// isList says that the value is a list, and one value alone a list of one.
func (n *node) isList() bool { return n.element != nil && !n.leaf }

// child returns the place of a member, nil if there is none.
func (n *node) child(key []byte) *node {
	if i := indexOf(&n.index, key); i >= 0 {
		return n.children[i]
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
	for _, child := range n.children {
		if child.key == key {
			return child
		}
	}
	child := newNode(key)
	n.children = append(n.children, child)
	return child
}

func (n *node) ensureElement() *node {
	if n.element == nil {
		n.element = newNode("")
	}
	return n.element
}

// keyIndex finds keys by their length, which tells most apart.
type keyIndex struct {
	keys  []string // by length
	first []uint16 // of those of a length; one more at the end
}

// newKeyIndex takes keys that are sorted by their length.
func newKeyIndex(keys []string) keyIndex {
	index := keyIndex{keys: keys}
	for i, key := range keys {
		for len(index.first) <= len(key) {
			index.first = append(index.first, uint16(i))
		}
	}
	index.first = append(index.first, uint16(len(keys))) //nolint:gosec // tables are short
	return index
}

// indexOf returns the place of a key, -1 if there is none.
func indexOf[T chars](index *keyIndex, key T) int {
	if len(key)+1 >= len(index.first) {
		return -1
	}
	for i := int(index.first[len(key)]); i < int(index.first[len(key)+1]); i++ {
		if index.keys[i] == string(key) {
			return i
		}
	}
	return -1
}
