// Copyright The OpenTelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package record

import "maps"

// want is what one sample line gives beyond what all records carry.
type want struct {
	uid   string
	at    string // the record's Timestamp
	warn  bool
	attrs map[string]any
}

var (
	ada    = map[string]any{"openai.compliance.actor.type": "ACCOUNT_USER", "user.id": "user-Ada0000000000000000001", "user.email": "ada@example.com"}
	grace  = map[string]any{"openai.compliance.actor.type": "ACCOUNT_USER", "user.id": "user-Grace00000000000000002", "user.email": "grace@example.com"}
	system = map[string]any{"openai.compliance.actor.type": "SYSTEM", "openai.compliance.actor.id": "costs_compliance"}
	report = map[string]any{"openai.compliance.actor.type": "SYSTEM", "openai.compliance.actor.id": "analytics"}
)

// with joins attributes.
func with(all ...map[string]any) map[string]any {
	out := map[string]any{}
	for _, attrs := range all {
		maps.Copy(out, attrs)
	}
	return out
}

// wants holds one entry for each line of testdata/records, in order.
var wants = map[string][]want{
	"AUTH_LOG": {
		{uid: "a0000000-0000-4000-8000-000000000001", at: "2026-08-02T09:14:55Z", attrs: with(ada, map[string]any{
			"openai.compliance.action": "login_success", "openai.compliance.outcome": "success",
			"client.address":       "203.0.113.7",
			"user_agent.original":  "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.4 Safari/605.1.15",
			"tls.client.ja3":       "e7d705a3286e19ea42f587b344ee6865",
			"geo.country.iso_code": "CH", "geo.locality.name": "Zürich",
		})},
		{uid: "a0000000-0000-4000-8000-000000000002", at: "2026-08-02T09:15:02Z", warn: true, attrs: with(grace, map[string]any{
			"openai.compliance.action": "password_login_invalid_password", "openai.compliance.outcome": "failure",
			"client.address": "203.0.113.8",
		})},
		{uid: "a0000000-0000-4000-8000-000000000003", at: "2026-08-02T09:15:40Z", warn: true, attrs: map[string]any{
			"openai.compliance.action": "password_login_sentinel_blocked", "openai.compliance.outcome": "blocked",
			"openai.compliance.actor.type": "ACCOUNT_USER", "user.id": "user-Edsger0000000000000003",
			"geo.country.iso_code": "US", "geo.locality.name": "Springfield",
		}},
		{uid: "a0000000-0000-4000-8000-000000000004", at: "2026-08-02T09:16:10Z", attrs: with(ada, map[string]any{
			"openai.compliance.action": "token_issued", "client.address": "2001:db8::7", "user_agent.original": "codex-cli/0.42.0",
		})},
	},
	"AUDIT_LOG": {
		{uid: "b0000000-0000-4000-8000-000000000001", at: "2026-08-02T09:20:00.01822Z", attrs: with(ada, map[string]any{
			"openai.compliance.action": "USER_ROLE_UPDATED", "openai.compliance.privilege": "ADMIN", "openai.compliance.outcome": "success",
			"client.address": "203.0.113.7", "user_agent.original": "Mozilla/5.0 (X11; Linux x86_64)",
			"geo.country.iso_code": "CH", "geo.locality.name": "Bern",
		})},
		{uid: "b0000000-0000-4000-8000-000000000002", at: "2026-08-02T09:20:01.0005Z", attrs: map[string]any{
			"openai.compliance.actor.type": "API_KEY", "openai.compliance.actor.id": "sk-...RxIA",
			"openai.compliance.action": "LIST_WORKSPACE_LOG_FILES", "openai.compliance.privilege": "ADMIN", "openai.compliance.outcome": "success",
			"client.address": "203.0.113.20", "user_agent.original": "otelcol/0.161.0",
		}},
		{uid: "b0000000-0000-4000-8000-000000000003", at: "2026-08-02T09:21:30.25Z", warn: true, attrs: with(grace, map[string]any{
			"openai.compliance.action": "CONVERSATION_SHARE", "openai.compliance.privilege": "STANDARD_USER", "openai.compliance.outcome": "blocked",
		})},
		{uid: "b0000000-0000-4000-8000-000000000004", at: "2026-08-02T09:22:00.000001Z", warn: true, attrs: map[string]any{
			"openai.compliance.actor.type": "EXTERNAL_COLLABORATION_USER", "openai.compliance.actor.id": "U0INVENTED1",
			"openai.compliance.action": "FILE_DOWNLOAD", "openai.compliance.privilege": "STANDARD_USER", "openai.compliance.outcome": "failure",
		}},
		{uid: "b0000000-0000-4000-8000-000000000005", at: "2026-08-02T09:23:00.5Z", warn: true, attrs: with(ada, map[string]any{
			"openai.compliance.action": "WORKSPACE_SET_SYSTEM_INSTRUCTION", "openai.compliance.privilege": "ADMIN",
		})},
	},
	"APP_LOG": {
		{uid: "c0000000-0000-4000-8000-000000000001", at: "2026-08-02T10:00:00.123Z", attrs: with(ada, map[string]any{
			"openai.compliance.event.subtype": "request", "gen_ai.conversation.id": "d1111111-1111-4111-8111-111111111111",
		})},
		{uid: "c0000000-0000-4000-8000-000000000002", at: "2026-08-02T10:00:00.662Z", attrs: with(ada, map[string]any{
			"openai.compliance.event.subtype": "response",
		})},
	},
	"APP_AUTH_LOG": {
		{uid: "c1000000-0000-4000-8000-000000000001", at: "2026-08-02T10:05:00.1Z", attrs: with(grace, map[string]any{"openai.compliance.action": "link"})},
		{uid: "c1000000-0000-4000-8000-000000000002", at: "2026-08-02T10:06:00.2Z", attrs: with(grace, map[string]any{"openai.compliance.action": "unlink"})},
	},
	"CONVERSATION_MESSAGE": {
		{uid: "d0000000-0000-4000-8000-000000000001", at: "2026-08-02T11:00:00.0001Z", attrs: with(ada, map[string]any{
			"openai.compliance.event.subtype": "user", "gen_ai.conversation.id": "d1111111-1111-4111-8111-111111111111",
		})},
		{uid: "d0000000-0000-4000-8000-000000000002", at: "2026-08-02T11:00:04.5Z", attrs: with(ada, map[string]any{
			"openai.compliance.event.subtype": "assistant", "gen_ai.request.model": "gpt-5",
			"gen_ai.conversation.id": "d1111111-1111-4111-8111-111111111111",
			"gen_ai.agent.id":        "g-0a1b2c3d", "gen_ai.agent.name": "Finance helper",
		})},
		{uid: "d0000000-0000-4000-8000-000000000003", at: "2026-08-02T11:01:00Z", attrs: with(ada, map[string]any{
			"openai.compliance.event.subtype": "tool", "gen_ai.conversation.id": "d1111111-1111-4111-8111-111111111112",
		})},
	},
	"CHATGPT_PLUGIN_SPREADSHEET": {
		{uid: "e3000000-0000-4000-8000-000000000001", at: "2026-08-02T12:10:00Z", attrs: with(grace, spreadsheet, map[string]any{
			"openai.compliance.event.subtype": "PROMPT_SENT",
		})},
		{uid: "e3000000-0000-4000-8000-000000000002", at: "2026-08-02T12:10:03.25Z", attrs: with(grace, spreadsheet, map[string]any{
			"openai.compliance.event.subtype": "PROMPT_RESPONSE_RECEIVED", "openai.compliance.outcome": "success",
			"gen_ai.usage.input_tokens": int64(1024), "gen_ai.usage.output_tokens": int64(64),
		})},
	},
	"CODEX_SECURITY_LOG": {
		{uid: "e5000000-0000-4000-8000-000000000001", at: "2026-08-02T12:20:01Z", attrs: with(grace, subtype("SCAN_CONFIGURATION_CREATED"))},
		{uid: "e5000000-0000-4000-8000-000000000002", at: "2026-08-02T12:20:02Z", attrs: with(grace, subtype("SCAN_CONFIGURATION_UPDATED"))},
		{uid: "e5000000-0000-4000-8000-000000000003", at: "2026-08-02T12:20:03Z", attrs: with(grace, subtype("SCAN_FINDING_UPDATED"))},
		{uid: "e5000000-0000-4000-8000-000000000004", at: "2026-08-02T12:20:04Z", attrs: with(grace, subtype("PROPOSED_PATCH_PR_CREATED"))},
	},
	"CODEX_TURN": {
		{uid: "e6000000-0000-4000-8000-000000000001", at: "2026-09-16T08:00:00.000001Z", attrs: with(ada, map[string]any{
			"session.id": "e1111111-1111-4111-8111-111111111111", "gen_ai.request.model": "gpt-5-codex", "gen_ai.usage.output_tokens": int64(777),
		})},
		{uid: "e6000000-0000-4000-8000-000000000002", at: "2026-09-16T08:01:00Z", attrs: with(ada, map[string]any{"gen_ai.request.model": "gpt-5-codex"})},
	},
	"COSTS": {
		{uid: "f0000000-0000-4000-8000-000000000001", at: "2026-08-02T09:59:59Z", attrs: with(system, map[string]any{
			"user.id": "user-Ada0000000000000000001", "user.email": "ada@example.com", "gen_ai.request.model": "gpt-5",
		})},
		{uid: "f0000000-0000-4000-8000-000000000002", at: "2026-08-02T10:59:59Z", attrs: system},
	},
	"CHATGPT_USER_ANALYTICS":    {{uid: "f2000000-0000-4000-8000-000000000001", at: "2026-08-02T00:00:00Z", attrs: report}},
	"CHATGPT_PROJECT_ANALYTICS": {{uid: "f2000000-0000-4000-8000-000000000002", at: "2026-08-02T00:00:00Z", attrs: report}},
	"CHATGPT_GPT_ANALYTICS":     {{uid: "f2000000-0000-4000-8000-000000000003", at: "2026-08-02T00:00:00Z", attrs: report}},
	"CHATGPT_SURVEY_ANALYTICS":  {{uid: "f2000000-0000-4000-8000-000000000004", at: "2026-08-02T00:00:00Z", attrs: report}},
	"A_TYPE_NEVER_SEEN": {{uid: "f3000000-0000-4000-8000-000000000001", at: "2026-08-03T09:00:01.0001Z", attrs: with(ada, map[string]any{
		"client.address": "203.0.113.7", "user_agent.original": "Mozilla/5.0",
	})}},
	"CODEX_LOG":         codexWants,
	"CUSTOM_AGENTS_LOG": agentWants,
}

var spreadsheet = map[string]any{"session.id": "e4444444-4444-4444-8444-444444444444", "gen_ai.request.model": "gpt-5"}

func subtype(name string) map[string]any {
	return map[string]any{"openai.compliance.event.subtype": name}
}
