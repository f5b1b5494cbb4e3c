// Copyright The OpenTelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package record

import (
	"maps"
)

// field says what a field holds in every record of a type: the one type it has
// in a parsed body, and whether it stays when content is withheld.
type field struct {
	kind   fieldKind
	fields fields // of an object
	of     *field // each element of a list
}

type fields map[string]*field

type fieldKind uint8

const (
	fieldText    fieldKind = iota // a scalar as its text: ids, names of things, enumerations, amounts
	fieldInteger                  // an integer, also one written as a string
	fieldBoolean                  // true or false
	fieldSetting                  // text; kept only where it is a number or a boolean
	fieldContent                  // text that people or models wrote, of any shape: withheld
	fieldObject
	fieldList // one value alone is a list of one
)

var (
	text    = &field{kind: fieldText}
	integer = &field{kind: fieldInteger}
	boolean = &field{kind: fieldBoolean}
	setting = &field{kind: fieldSetting}
	content = &field{kind: fieldContent}
	texts   = list(text)
)

func object(fs fields) *field { return &field{kind: fieldObject, fields: fs} }
func list(of *field) *field   { return &field{kind: fieldList, of: of} }

// join returns the fields of all the given ones; later ones win.
func join(all ...fields) fields {
	out := fields{}
	for _, fs := range all {
		maps.Copy(out, fs)
	}
	return out
}

// fieldsOf is the whole record of a type. What it does not list is of a form
// that no published description has: text in a parsed body, withheld where
// content is.
func fieldsOf(eventType string) *field {
	return object(join(commonFields, typeFields[eventType]))
}

var commonFields = fields{
	"event_id": text, "type": text, "timestamp": text,
	"principal": object(fields{"id": text, "type": text}),
	"actor": object(fields{
		"type": text, "user_id": text, "user_email": text, "credential_id": text, "redacted_id": text,
		"id": text, "name": text, "product_type": text, "product_id": text,
		"provider": text, "provider_user_id": text,
		"agent_runtime": object(fields{
			"id":        text,
			"delegator": object(fields{"type": text, "user_id": text, "user_email": text}),
		}),
		"agent_task": object(fields{"id": text}),
	}),
	"request_metadata": object(fields{
		"client_ip": text, "client_user_agent": text, "client_ja3": text, "client_ja4": text, "destination_hostname": text,
		"client_ip_details": object(fields{
			"country": text, "city": text, "region": text, "region_code": text, "asn": text, "latitude": text, "longitude": text,
		}),
	}),
}

// typeFields are the fields of each type beyond the envelope, of the OpenAPI
// description 2.5.3 and of what other clients report of later ones.
var typeFields = map[string]fields{
	"APP_AUTH_LOG": {"app_id": text, "link_id": text, "action": text},
	"APP_LOG": {
		"app_id": text, "app_name": text, "app_type": text, "conversation_id": text, "log_type": text,
		"input": content, "output": content,
	},
	"AUDIT_LOG":                  auditFields,
	"AUTH_LOG":                   {"action_data": object(authData)},
	"CHATGPT_PLUGIN_SPREADSHEET": eventFields(promptDetails),
	"CODEX_LOG": join(eventFields(promptDetails, codexDetails), fields{
		"agent": object(fields{"type": text, "id": text, "name": text}),
	}),
	"CODEX_SECURITY_LOG":   eventFields(securityDetails),
	"CODEX_TURN":           {"payload": object(turnPayload)},
	"CONVERSATION_MESSAGE": conversationFields,
	"COSTS":                {"payload": object(costsPayload)},
	"CUSTOM_AGENTS_LOG":    eventFields(promptDetails, agentDetails),
}

// eventFields is the shape that the CODEX and agent types share.
func eventFields(details ...fields) fields {
	return fields{
		"event_type": text, "client_id": text, "workspace_id": text,
		"event_details": object(join(append([]fields{{"detail_type": text}}, details...)...)),
	}
}

var authData = fields{
	"action": text, "auth_provider_name": text, "role": text, "application_name": text, "granted_scopes": texts,
}

var conversationFields = fields{
	"previous_message_id": text,
	"message": object(fields{
		"id": text, "created_at": text,
		"author": object(fields{"type": text, "client_type": text, "model": text, "tools_used": texts, "skills_used": texts}),
		"content": object(fields{
			"type": text, "file_id": text,
			"value": content, "annotations": content, "file_name": content, "quote": content,
		}),
		"files": list(object(fields{"id": text, "name": content})),
	}),
	"conversation": object(fields{
		"id": text, "gpt_id": text, "gpt_name": text, "project_id": text, "created_at": text, "mode": text,
		"is_pinned": boolean, "is_temporary_chat": boolean,
		"title": content, "project_name": content,
	}),
}
