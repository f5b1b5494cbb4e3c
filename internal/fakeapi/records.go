// Copyright The OpenTelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package fakeapi

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"time"
)

// principal as records spell it.
type principal struct{ id, kind string }

func (a *API) principalOf(eventType string) principal {
	if slices.Contains(organizationOnly, eventType) {
		return principal{a.opts.OrganizationID, "API_PLATFORM_ORG"}
	}
	return principal{a.opts.WorkspaceID, "CHATGPT_WORKSPACE"}
}

// object is a JSON object whose keys keep their order: key, value, key, value.
type object []any

// MarshalJSON writes the pairs in order.
func (o object) MarshalJSON() ([]byte, error) {
	var out bytes.Buffer
	out.WriteByte('{')
	for i := 0; i+1 < len(o); i += 2 {
		if i > 0 {
			out.WriteByte(',')
		}
		key, _ := json.Marshal(o[i])
		value, err := json.Marshal(o[i+1])
		if err != nil {
			return nil, err
		}
		out.Write(key)
		out.WriteByte(':')
		out.Write(value)
	}
	out.WriteByte('}')
	return out.Bytes(), nil
}

// number is a decimal that keeps its digits.
type number = json.Number

// makeRecord invents one record of a type.
func makeRecord(rng *rand.Rand, p principal, eventType string, at time.Time) line {
	r := &inventor{rng: rng, at: at, principal: p}
	id := r.uuid()
	record := object{
		"event_id", id, "type", eventType,
		"principal",
		object{"id", p.id, "type", p.kind},
	}
	fields, ok := inventions[eventType]
	if !ok {
		fields = (*inventor).analytics
	}
	record = append(record, fields(r)...)
	record = append(record, "timestamp", r.timestamp(eventType))
	text, err := json.Marshal(record)
	if err != nil {
		panic(fmt.Sprintf("fakeapi: %s: %v", eventType, err)) // a bug in the tables below
	}
	return line{id: id, text: text}
}

// inventions holds the fields of each type beyond the envelope, as public
// descriptions of the API give them.
var inventions = map[string]func(*inventor) object{
	"APP_AUTH_LOG":               (*inventor).appAuth,
	"APP_LOG":                    (*inventor).app,
	"AUDIT_LOG":                  (*inventor).audit,
	"AUTH_LOG":                   (*inventor).auth,
	"CHATGPT_PLUGIN_SPREADSHEET": (*inventor).spreadsheet,
	"CODEX_LOG":                  (*inventor).codex,
	"CODEX_SECURITY_LOG":         (*inventor).codexSecurity,
	"CODEX_TURN":                 (*inventor).codexTurn,
	"CONVERSATION_MESSAGE":       (*inventor).message,
	"COSTS":                      (*inventor).costs,
	"CUSTOM_AGENTS_LOG":          (*inventor).agents,
}

type inventor struct {
	rng       *rand.Rand
	at        time.Time
	principal principal
}

func pick[T any](r *inventor, of ...T) T { return of[r.rng.IntN(len(of))] }

func (r *inventor) hex(n int) string {
	const digits = "0123456789abcdef"
	out := make([]byte, n)
	for i := range out {
		out[i] = digits[r.rng.IntN(16)]
	}
	return string(out)
}

func (r *inventor) uuid() string {
	h := r.hex(32)
	return h[:8] + "-" + h[8:12] + "-4" + h[13:16] + "-a" + h[17:20] + "-" + h[20:]
}

// timestamp has whole seconds in two types, microseconds in the others.
func (r *inventor) timestamp(eventType string) string {
	if eventType == "AUTH_LOG" || eventType == "COSTS" {
		return r.at.UTC().Format("2006-01-02T15:04:05Z")
	}
	return r.at.UTC().Format("2006-01-02T15:04:05.000000Z")
}

var people = []string{"ada", "grace", "edsger", "barbara", "donald", "margaret", "niklaus", "radia"}

func (r *inventor) user() object {
	n := r.rng.IntN(len(people))
	return object{"type", "ACCOUNT_USER", "user_id", fmt.Sprintf("user-%024d", n), "user_email", people[n] + "@example.com"}
}

func (r *inventor) request() object {
	return object{
		"client_ip", fmt.Sprintf("203.0.113.%d", r.rng.IntN(256)),
		"client_user_agent", pick(r, "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7)", "okhttp/4.12.0", "python-requests/2.32"),
		"client_ja3", pick(r, "", r.hex(32)), "client_ja4", "",
		"client_ip_details",
		object{
			"country", pick(r, "CH", "US", "JP", ""), "city", pick(r, "Zürich", "Springfield", ""), "region", "", "region_code", "",
			"asn", pick(r, "29518", "AS29518", ""), "latitude", "47.3769", "longitude", "8.5417",
		},
	}
}

// words invents text of about n words, with characters that need care.
func (r *inventor) words(n int) string {
	vocabulary := []string{"budget", "forecast", "\"quoted\"", "naïve", "日本語", "line\nbreak", "tab\tbed", "emoji 🙂", "table", "draft", "review", "please", "summarise", "the", "quarterly", "figures", "and", "compare", "with", "last", "year"}
	out := make([]string, n)
	for i := range out {
		out[i] = pick(r, vocabulary...)
	}
	return strings.Join(out, " ")
}

func (r *inventor) auth() object {
	return object{
		"actor", r.user(), "request_metadata", r.request(),
		"action_data",
		object{
			"action", pick(r, "login_success", "login_success", "logout_success", "token_issued", "password_login_invalid_password", "password_login_sentinel_blocked"),
			"auth_provider_name", pick(r, "password", "google-oauth2", "samlp"),
		},
	}
}

func (r *inventor) audit() object {
	if r.rng.IntN(3) == 0 { // the poller's own traffic
		return object{
			"actor",
			object{"type", "API_KEY", "redacted_id", "sk-...RxIA"},
			"request_metadata", r.request(),
			"action_privilege", "ADMIN", "action_result", "SUCCESS",
			"action_data",
			object{"limit", "100", "after", r.at.UTC().Format(time.RFC3339), "event_type", "AUDIT_LOG"},
			"action", pick(r, "LIST_WORKSPACE_LOG_FILES", "DOWNLOAD_WORKSPACE_LOG_FILE"),
		}
	}
	return object{
		"actor", r.user(), "request_metadata", r.request(),
		"action_privilege", pick(r, "ADMIN", "STANDARD_USER"),
		"action_result", pick(r, "SUCCESS", "SUCCESS", "BLOCKED", "ERROR"),
		"action_data",
		object{"new_role", "account-owner", "expires_at", r.at.Unix() + 3600, "value", true},
		"action", pick(r, "USER_ROLE_UPDATED", "INVITE_USERS", "WORKSPACE_SET_IP_ALLOWLIST", "CONVERSATION_SHARE"),
	}
}

func (r *inventor) app() object {
	out := object{
		"actor", r.user(), "app_id", "asdk_app_" + r.hex(16), "app_name", pick(r, "Tracker", "Wiki"),
		"app_type", pick(r, "MCP", "SERVICE", "OPEN_API"), "conversation_id", pick[any](r, r.uuid(), nil),
	}
	if r.rng.IntN(2) == 0 {
		return append(out, "log_type", "request", "input", object{
			"query", r.words(12), "limit", 9007199254740993,
			"_meta",
			object{"openai/userAgent", "ChatGPT", "openai/userLocation", object{"latitude", "47.3769"}},
		})
	}
	return append(out, "log_type", "response", "input", nil, "output", []any{object{
		"response", object{"result", object{"content", []any{object{"type", "text", "text", r.words(80)}}, "isError", false}},
	}})
}

func (r *inventor) appAuth() object {
	return object{"actor", r.user(), "app_id", pick[any](r, "connector_"+r.hex(12), nil), "link_id", "link_" + r.hex(12), "action", pick(r, "link", "unlink")}
}

func (r *inventor) message() object {
	author := object{"type", "user", "client_type", pick(r, "desktop_web", "ios_app")}
	if r.rng.IntN(2) == 0 {
		author = object{"type", "assistant", "model", pick(r, "gpt-5", "gpt-5-mini"), "tools_used", []string{"web"}}
	}
	return object{
		"actor", r.user(), "previous_message_id", r.uuid(),
		"message",
		object{
			"id", r.uuid(), "created_at", r.at.UTC().Format(time.RFC3339), "author", author,
			"content",
			object{"type", "text", "value", r.words(20 + r.rng.IntN(400))},
		},
		"conversation",
		object{
			"id", r.uuid(), "title", r.words(4), "gpt_id", "g-" + r.hex(8), "gpt_name", "Finance helper",
			"created_at", nil, "is_pinned", false, "is_temporary_chat", false,
		},
	}
}

func (r *inventor) codex() object {
	subtype := pick(r, "PROMPT_SENT", "PROMPT_RESPONSE_RECEIVED", "TOOL_CALL_COMPLETED", "TOOL_CALL_FAILED")
	details := object{"detail_type", subtype, "session_id", r.uuid(), "turn_id", r.uuid(), "model", "gpt-5-codex"}
	switch subtype {
	case "PROMPT_SENT":
		details = append(details, "prompt_text", r.words(30), "environment_id", nil)
	case "PROMPT_RESPONSE_RECEIVED":
		details = append(details, "response_text", r.words(120), "status", pick(r, "completed", "error"), "token_usage", object{
			"input_tokens", r.rng.IntN(20000), "output_tokens", r.rng.IntN(4000), "cached_input_tokens", 0, "reasoning_output_tokens", 17,
		})
	default:
		details = append(details, "tool_name", "shell", "tool_type", "function", "tool_input", `{"command":["ls","-l"]}`, "tool_call_id", "call_"+r.hex(8))
	}
	return object{
		"event_type", subtype, "actor", r.user(), "client_id", pick(r, "CODEX_CLI", "CODEX_IDE_VSCODE"),
		"workspace_id", r.principal.id, "event_details", details,
	}
}

func (r *inventor) codexTurn() object {
	return object{"actor", r.user(), "payload", object{
		"model", "gpt-5-codex", "product_client_id", "CODEX_CLI", "session_id", r.uuid(), "thread_id", r.uuid(),
		"token_usage",
		object{"uncached_input_tokens", r.rng.IntN(9000), "cached_input_tokens", 512, "output_tokens", r.rng.IntN(2000)},
		"cost_usd", number("0.0123456789012345678"), "credits", number("1.25"),
	}}
}

func (r *inventor) spreadsheet() object {
	subtype := pick(r, "PROMPT_SENT", "PROMPT_RESPONSE_RECEIVED")
	return object{
		"event_type", subtype, "actor", r.user(), "client_id", pick(r, "excel_addin", "sheets_addin"),
		"event_details",
		object{"detail_type", subtype, "session_id", r.uuid(), "prompt_text", r.words(15), "model", "gpt-5"},
	}
}

func (r *inventor) codexSecurity() object {
	return object{
		"event_type", "SCAN_FINDING_UPDATED", "actor", r.user(), "client_id", "CODEX_WEB", "workspace_id", r.principal.id,
		"event_details",
		object{"finding_id", r.uuid(), "updated_fields", object{"status", "resolved", "criticality", "high", "resolution_reason", r.words(6)}},
	}
}

func (r *inventor) agents() object {
	subtype := pick(r, "AGENT_RUN_COMPLETED", "AGENT_RUN_FAILED", "AGENT_UPDATED", "CONNECTOR_CALL_COMPLETED")
	details := object{"detail_type", subtype, "agent_id", "agt_" + r.hex(12), "run_id", r.uuid()}
	switch subtype {
	case "AGENT_UPDATED":
		details = append(details, "agent_fields", object{"name", "Release notes", "prompt", r.words(60), "model_spec", object{"name", "gpt-5", "reasoning_effort", nil}})
	case "CONNECTOR_CALL_COMPLETED":
		details = append(details, "tool_call_id", "call_"+r.hex(8), "connector_name", "Tracker", "action_name", "search", "status", pick(r, "success", "failed"), "conversation_id", r.uuid())
	}
	return object{
		"event_type", subtype, "actor", r.user(), "client_id", "AGENT_BUILDER_WEB", "workspace_id", r.principal.id, "event_details", details,
	}
}

func (r *inventor) costs() object {
	r.at = r.at.Truncate(time.Hour).Add(-time.Second) // the last second of the hour before
	return object{"actor", object{"type", "SYSTEM", "id", "costs_compliance"}, "payload", object{
		"day", r.at.UTC().Format(time.DateOnly), "hour", r.at.UTC().Hour(), "organization_id", r.principal.id,
		"identity",
		object{"user_id", fmt.Sprintf("user-%024d", r.rng.IntN(8)), "email", "ada@example.com", "groups", []any{object{"id", "grp_1", "name", nil}}},
		"product", pick(r, "codex", "ChatGPT"), "surface", "chatgpt", "client", "web", "model", "gpt-5",
		"measures",
		object{
			"usage",
			object{"text_input_tokens", r.rng.IntN(100000), "text_output_tokens", r.rng.IntN(20000)},
			"billing",
			[]any{object{
				"sku", "gpt-5-input", "quantity",
				object{"value", number("0.100000000000000000001"), "unit", "CREDITS"},
				"cost",
				object{"value", number("12345678901234567890.123456789"), "unit", "USD"},
			}},
		},
	}}
}

func (r *inventor) analytics() object {
	return object{"actor", r.user(), "event_date", r.at.UTC().Format(time.DateOnly), "messages", "17", "is_active", true}
}
