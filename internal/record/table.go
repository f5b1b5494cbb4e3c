// Copyright The OpenTelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package record

import (
	"slices"
	"strings"
)

// field is one line of the table: a member of a record, what it looks like, whether it
// stays where content is withheld, and the attributes that it sets.
type field struct {
	path string // dotted; [] stands for each element of a list; keys hold no dot
	form form
	to   []target
	null string // the attribute that null makes true, "" for none
}

// target is an attribute that a field sets. Of several fields that set one, the first in
// the table wins, whatever the order of keys in the line; a list takes all.
type target struct {
	attr string
	read *reading // nil for the text as it is
}

// Fields by their form; attrs are set to the text as it is.

func text(path string, attrs ...string) field        { return newField(path, formText, attrs) }
func token(path string, attrs ...string) field       { return newField(path, formToken, attrs) }
func timeField(path string, attrs ...string) field   { return newField(path, formTime, attrs) }
func integer(path string, attrs ...string) field     { return newField(path, formInteger, attrs) }
func decimal(path string, attrs ...string) field     { return newField(path, formDecimal, attrs) }
func boolean(path string, attrs ...string) field     { return newField(path, formBoolean, attrs) }
func coordinates(path string, attrs ...string) field { return newField(path, formCoordinate, attrs) }
func tokens(path string, attrs ...string) field      { return newField(path, formTokens, attrs) }
func content(path string) field                      { return newField(path, formContent, nil) }
func open(path string) field                         { return newField(path, formOpen, nil) }

// url also sets an attribute to the URL without its query.
func url(path, attr string) field { return newField(path, formURL, nil).as(attr, withoutQuery) }

func newField(path string, form form, attrs []string) field {
	f := field{path: path, form: form}
	for _, attr := range attrs {
		f.to = append(f.to, target{attr: attr})
	}
	return f
}

// as also sets an attribute to what a reading makes of the text.
func (f field) as(attr string, read *reading) field {
	f.to = append(slices.Clone(f.to), target{attr: attr, read: read})
	return f
}

// onNull makes an attribute true where the value is null.
func (f field) onNull(attr string) field {
	f.null = attr
	return f
}

// texts are fields of one form without attributes.
func texts(paths string) []field     { return fieldsOf(paths, formText) }
func tokenList(paths string) []field { return fieldsOf(paths, formToken) }
func contents(paths string) []field  { return fieldsOf(paths, formContent) }
func integers(paths string) []field  { return fieldsOf(paths, formInteger) }
func booleans(paths string) []field  { return fieldsOf(paths, formBoolean) }

func fieldsOf(paths string, form form) (out []field) {
	for path := range strings.FieldsSeq(paths) {
		out = append(out, newField(path, form, nil))
	}
	return out
}

// below puts a path before those of fields.
func below(path string, fields ...[]field) (out []field) {
	for _, f := range slices.Concat(fields...) {
		f.path = path + "." + f.path
		out = append(out, f)
	}
	return out
}

// tableOf is the whole record of a type, the type's own lines before those of every type.
// What it does not list is of a form that no published description has: text in a parsed
// body, withheld where content is.
func tableOf(eventType string) []field { return slices.Concat(types[eventType].table, envelope) }

// eventType is what the project knows of an event type.
type eventType struct {
	table []field
	// subTypes are the known values of the sub-type or the action, in alphabetic order; nil
	// where the type has none.
	subTypes []string
	// hasOutcome says that each record of the type tells how it ended, but for values that
	// are known to say nothing.
	hasOutcome bool
}

// Internal attributes, of which others are made (derivations).
const (
	attrTimestamp      = ""
	internalRecordType = ".type"
	internalPrincipal  = ".principal"
	internalRegion     = ".region_code"
	internalDelegator  = ".delegator.id"
	internalDelegatorM = ".delegator.email"
	internalGrantee    = ".grantee"
	internalObjectID   = ".object"
	internalCall       = ".call"
	internalDay        = ".day"
	internalHour       = ".hour"
	internalCosts      = ".costs"
	internalUnits      = ".units"
	internalEstimates  = ".estimates"
)

// internalKinds are their types, where they are no text.
var internalKinds = map[string]kind{
	attrTimestamp: kindTime, internalHour: kindInt,
	internalCosts: kindStrings, internalUnits: kindStrings, internalEstimates: kindStrings,
}

func isInternal(attr string) bool { return attr == attrTimestamp || attr[0] == '.' }

// envelope holds for every type, types never seen before included.
var envelope = slices.Concat([]field{
	text("event_id", AttrRecordUID),
	token("type", internalRecordType),
	timeField("timestamp", attrTimestamp),
	text("principal.id", internalPrincipal),
	token("principal.type"),
	token("actor.type", AttrActorType),
	text("actor.redacted_id", AttrActorID),
	text("actor.id", AttrActorID),
	text("actor.provider_user_id", AttrActorID),
	text("actor.name", AttrActorName),
	text("actor.provider", AttrActorProvider),
	text("actor.credential_id", AttrActorCredentialID),
	text("actor.user_id", AttrUserID),
	text("actor.user_email", AttrUserEmail),
	text("actor.agent_runtime.delegator.user_id", internalDelegator),
	text("actor.agent_runtime.delegator.user_email", internalDelegatorM),
	text("request_metadata.client_ip", AttrClientAddress),
	text("request_metadata.client_user_agent", AttrUserAgent),
	text("request_metadata.client_ja3", AttrClientJA3),
	text("request_metadata.client_ja4", AttrClientJA4),
	text("request_metadata.destination_hostname", AttrServerAddress),
	token("request_metadata.client_ip_details.asn").as(AttrClientASN, asnNumber),
	text("request_metadata.client_ip_details.country", AttrGeoCountryCode),
	text("request_metadata.client_ip_details.region"),
	text("request_metadata.client_ip_details.region_code", internalRegion),
	text("request_metadata.client_ip_details.city", AttrGeoLocality),
	coordinates("request_metadata.client_ip_details.latitude", AttrGeoLat),
	coordinates("request_metadata.client_ip_details.longitude", AttrGeoLon),
}, tokenList("actor.product_type actor.agent_runtime.delegator.type"),
	texts("actor.product_id actor.agent_runtime.id actor.agent_task.id"))
