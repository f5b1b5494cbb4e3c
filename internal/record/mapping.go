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

// envelope holds for every type, types never seen before included.
var envelope = []rule{
	{path: "event_id", attr: AttrRecordUID},
	{path: "timestamp", attr: attrTimestamp, kind: kindTime},
	{path: "actor.type", attr: AttrActorType},
	{path: "actor.id", attr: AttrActorID},
	{path: "actor.redacted_id", attr: AttrActorID},
	{path: "actor.provider_user_id", attr: AttrActorID},
	{path: "actor.user_id", attr: AttrUserID},
	{path: "actor.user_email", attr: AttrUserEmail},
	{path: "request_metadata.client_ip", attr: AttrClientAddress},
	{path: "request_metadata.client_user_agent", attr: AttrUserAgent},
	{path: "request_metadata.client_ja3", attr: AttrClientJA3},
	{path: "request_metadata.client_ip_details.country", attr: AttrGeoCountryCode},
	{path: "request_metadata.client_ip_details.city", attr: AttrGeoLocality},
}

// details is the shape that the CODEX and agent types share. Their sub-type is
// written twice, and the outer one is left out by some clients.
var details = []rule{
	{path: "event_type", attr: AttrEventSubtype},
	{path: "event_details.detail_type", attr: AttrEventSubtype},
	{path: "event_type", attr: AttrOutcome, values: subtypeOutcomes},
	{path: "event_details.detail_type", attr: AttrOutcome, values: subtypeOutcomes},
	{path: "event_details.status", attr: AttrOutcome, values: statusOutcomes},
	{path: "event_details.session_id", attr: AttrSessionID},
	{path: "event_details.conversation_id", attr: AttrConversationID},
	{path: "event_details.model", attr: AttrRequestModel},
	{path: "event_details.tool_name", attr: AttrToolName},
	{path: "event_details.token_usage.input_tokens", attr: AttrInputTokens, kind: kindInt},
	{path: "event_details.token_usage.output_tokens", attr: AttrOutputTokens, kind: kindInt},
}

// mappings are the rules of each type beyond the envelope.
var mappings = map[string][]rule{
	"APP_AUTH_LOG": {
		{path: "action", attr: AttrAction},
	},
	"APP_LOG": {
		{path: "log_type", attr: AttrEventSubtype},
		{path: "conversation_id", attr: AttrConversationID},
	},
	"AUDIT_LOG": {
		{path: "action", attr: AttrAction},
		{path: "action_privilege", attr: AttrPrivilege},
		{path: "action_result", attr: AttrOutcome, values: auditOutcomes},
	},
	"AUTH_LOG": {
		{path: "action_data.action", attr: AttrAction},
		{path: "action_data.action", attr: AttrOutcome, values: authOutcomes},
	},
	"CHATGPT_PLUGIN_SPREADSHEET": details,
	"CODEX_LOG":                  details,
	"CODEX_SECURITY_LOG":         details,
	"CODEX_TURN": {
		{path: "payload.session_id", attr: AttrSessionID},
		{path: "payload.model", attr: AttrRequestModel},
		{path: "payload.token_usage.output_tokens", attr: AttrOutputTokens, kind: kindInt},
	},
	"CONVERSATION_MESSAGE": {
		{path: "message.author.type", attr: AttrEventSubtype},
		{path: "message.author.model", attr: AttrRequestModel},
		{path: "conversation.id", attr: AttrConversationID},
		{path: "conversation.gpt_id", attr: AttrAgentID},
		{path: "conversation.gpt_name", attr: AttrAgentName},
	},
	"COSTS": {
		{path: "payload.identity.user_id", attr: AttrUserID},
		{path: "payload.identity.email", attr: AttrUserEmail},
		{path: "payload.model", attr: AttrRequestModel},
	},
	"CUSTOM_AGENTS_LOG": append([]rule{
		{path: "event_details.agent_id", attr: AttrAgentID},
		{path: "event_details.agent_fields.name", attr: AttrAgentName},
		{path: "event_details.agent_fields.model", attr: AttrRequestModel},
		{path: "event_details.agent_fields.model_spec.name", attr: AttrRequestModel},
	}, details...),
}

var (
	// auditOutcomes: action_result, OpenAPI description 2.5.3.
	auditOutcomes = map[string]string{
		"SUCCESS": OutcomeSuccess, "BLOCKED": OutcomeBlocked, "ERROR": OutcomeFailure,
	}
	// authOutcomes: the actions of 2.5.3 that name a result, and login_failed,
	// which another client's samples hold.
	authOutcomes = map[string]string{
		"signup_success": OutcomeSuccess, "login_success": OutcomeSuccess,
		"native_login_success": OutcomeSuccess, "logout_success": OutcomeSuccess,
		"password_reset_success":          OutcomeSuccess,
		"password_reset_error":            OutcomeFailure,
		"password_login_invalid_password": OutcomeFailure,
		"login_failed":                    OutcomeFailure,
		"password_login_sentinel_blocked": OutcomeBlocked,
	}
	subtypeOutcomes = map[string]string{
		"TOOL_CALL_COMPLETED": OutcomeSuccess, "TOOL_CALL_FAILED": OutcomeFailure,
		"AGENT_RUN_COMPLETED": OutcomeSuccess, "AGENT_RUN_FAILED": OutcomeFailure,
	}
	statusOutcomes = map[string]string{
		"success": OutcomeSuccess, "completed": OutcomeSuccess,
		"error": OutcomeFailure, "failed": OutcomeFailure,
	}
)

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
