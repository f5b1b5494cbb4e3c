// Copyright The OpenTelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package record

import (
	"cmp"
	"slices"
)

// Drift is what of a record the tables do not know, as a set of reasons.
type Drift uint8

// Reasons, as the metric records_unmapped names them.
const (
	// DriftSubType: the sub-type or action is none that the type is known to have.
	DriftSubType Drift = 1 << iota
	// DriftMember: a member that the table does not have.
	DriftMember
	// DriftOutcome: a result that nobody knows, or none where the type has one.
	DriftOutcome
	// DriftType: the line's own type is not that of its file.
	DriftType
	// DriftPrincipal: the line's principal is not the one that is collected.
	DriftPrincipal
)

// DriftReasons are the reasons with their names.
var DriftReasons = []struct {
	Drift Drift
	Name  string
}{
	{DriftSubType, "sub_type"}, {DriftMember, "member"}, {DriftOutcome, "outcome"}, {DriftType, "type"}, {DriftPrincipal, "principal"},
}

// driftWatch finds the drift of a line.
type driftWatch struct {
	known      *keyIndex // sub-types; nil where the type has none
	hasOutcome bool
	subType    int // slots
	outcome    int
	ownType    int
	principal  int
	// where a differing type and principal are shown
	showType, showPrincipal int
}

func newDriftWatch(name string, slot func(attr string) int) driftWatch {
	of := types[name]
	w := driftWatch{
		hasOutcome: of.hasOutcome, subType: -1, outcome: slot(AttrOutcome),
		ownType: slot(internalRecordType), principal: slot(internalPrincipal),
		showType: slot(AttrRecordType), showPrincipal: slot(AttrRecordPrincipal),
	}
	if of.subTypes == nil {
		return w
	}
	known := newKeyIndex(slices.SortedStableFunc(slices.Values(of.subTypes), func(a, b string) int { return cmp.Compare(len(a), len(b)) }))
	w.known = &known
	w.subType = slot(subTypeAttr(of.table))
	return w
}

// subTypeAttr is the attribute that holds the sub-type.
func subTypeAttr(table []field) string {
	for _, f := range table {
		for _, to := range f.to {
			if to.attr == AttrAction || to.attr == AttrEventSubtype {
				return to.attr
			}
		}
	}
	return AttrAction
}

// check returns the drift of a line, and shows its own type and principal where they
// differ from the source's. A source without a principal is a tool's.
func (w *driftWatch) check(v *attributeValues, source *Source) (drift Drift) {
	if w.known != nil && indexOf(w.known, v.text(w.subType)) < 0 {
		drift |= DriftSubType
	}
	if v.unknownMember {
		drift |= DriftMember
	}
	if v.unknownOutcome || w.hasOutcome && !v.saysNothing && !v.has(w.outcome) {
		drift |= DriftOutcome
	}
	if own := v.text(w.ownType); own != "" && own != source.EventType {
		drift |= DriftType
		v.putText(w.showType, own)
	}
	if own := v.text(w.principal); own != "" && source.PrincipalID != "" && own != source.PrincipalID {
		drift |= DriftPrincipal
		v.putText(w.showPrincipal, own)
	}
	return drift
}
