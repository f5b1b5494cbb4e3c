// Copyright The OpenTelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package record

import "slices"

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

// compiledRule is a rule with its precedence and the slot of its attribute.
type compiledRule struct {
	rule
	slot, rank int
}
