// Copyright The OpenTelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package record

var (
	session = map[string]any{"session.id": "e1111111-1111-4111-8111-111111111111"}
	codex   = with(session, map[string]any{"gen_ai.request.model": "gpt-5-codex"})
	agent   = map[string]any{"gen_ai.agent.id": "agt_0123456789ab"}
	named   = with(agent, map[string]any{"gen_ai.agent.name": "Release notes"})
	success = map[string]any{"openai.compliance.outcome": "success"}
	failure = map[string]any{"openai.compliance.outcome": "failure"}
)

func tool(name string) map[string]any { return map[string]any{"gen_ai.tool.name": name} }

// codexWants are for codex_log.jsonl.
var codexWants = []want{
	{uid: "e0000000-0000-4000-8000-000000000001", at: "2026-08-02T12:00:01.00001Z", attrs: with(ada, codex, subtype("PROMPT_SENT"))},
	{uid: "e0000000-0000-4000-8000-000000000002", at: "2026-08-02T12:00:02.00002Z", attrs: with(ada, codex, success, subtype("PROMPT_RESPONSE_RECEIVED"), map[string]any{
		"gen_ai.usage.input_tokens": int64(18234), "gen_ai.usage.output_tokens": int64(912),
		"client.address": "203.0.113.9", "user_agent.original": "codex-cli/0.42.0",
	})},
	{uid: "e0000000-0000-4000-8000-000000000003", at: "2026-08-02T12:00:03.00003Z", warn: true, attrs: with(ada, codex, failure, subtype("PROMPT_RESPONSE_RECEIVED"))},
	{uid: "e0000000-0000-4000-8000-000000000004", at: "2026-08-02T12:00:04.00004Z", attrs: with(ada, session, tool("shell"), subtype("TOOL_CALL_SUGGESTED"))},
	{uid: "e0000000-0000-4000-8000-000000000005", at: "2026-08-02T12:00:05.00005Z", attrs: with(ada, session, tool("shell"), success, subtype("TOOL_CALL_COMPLETED"))},
	{uid: "e0000000-0000-4000-8000-000000000006", at: "2026-08-02T12:00:06.00006Z", warn: true, attrs: with(ada, session, tool("apply_patch"), failure, subtype("TOOL_CALL_FAILED"))},
	{uid: "e0000000-0000-4000-8000-000000000007", at: "2026-08-02T12:00:07.00007Z", warn: true, attrs: with(ada, session, tool("shell"), failure, subtype("TOOL_CALL_FAILED"))},
	{uid: "e0000000-0000-4000-8000-000000000008", at: "2026-08-02T12:00:08.00008Z", warn: true, attrs: with(ada, session, tool("shell"), map[string]any{"openai.compliance.outcome": "blocked"}, subtype("TOOL_DECISION"))},
	{uid: "e0000000-0000-4000-8000-000000000009", at: "2026-08-02T12:00:09.00009Z", attrs: with(ada, session, subtype("APP_MCP_CALL"))},
	{uid: "e0000000-0000-4000-8000-000000000010", at: "2026-08-02T12:00:10.0001Z", warn: true, attrs: with(ada, session, failure, subtype("APP_MCP_RESULT"))},
	{uid: "e0000000-0000-4000-8000-000000000011", at: "2026-08-02T12:00:11.00011Z", attrs: with(ada, subtype("APP_MCP_ELICITATION"))},
	{uid: "e0000000-0000-4000-8000-000000000012", at: "2026-08-02T12:00:12.00012Z", attrs: with(grace, subtype("ENVIRONMENT_CREATED"))},
	{uid: "e0000000-0000-4000-8000-000000000013", at: "2026-08-02T12:00:13.00013Z", attrs: with(grace, subtype("WORKSPACE_UPDATED"))},
	{uid: "e0000000-0000-4000-8000-000000000014", at: "2026-08-02T12:00:14.00014Z", attrs: with(ada, subtype("ACCESS_TOKEN_CREATED"))},
	{uid: "e0000000-0000-4000-8000-000000000015", at: "2026-08-02T12:00:15.00015Z", attrs: with(ada, subtype("PLUGIN_INSTALLED"))},
	{uid: "e0000000-0000-4000-8000-000000000016", at: "2026-08-02T12:00:16.00016Z", warn: true, attrs: with(ada, failure, subtype("SITE_DEPLOYMENT_COMPLETED"))},
	{uid: "e0000000-0000-4000-8000-000000000017", at: "2026-08-02T12:00:17.00017Z", attrs: with(ada, subtype("SITE_VERSION_CREATED"))},
}

// agentWants are for custom_agents_log.jsonl.
var agentWants = []want{
	{uid: "f1000000-0000-4000-8000-000000000001", at: "2026-08-02T13:00:01Z", attrs: with(ada, named, subtype("AGENT_CREATED"), map[string]any{"gen_ai.request.model": "gpt-5"})},
	{uid: "f1000000-0000-4000-8000-000000000002", at: "2026-08-02T13:00:02Z", attrs: with(ada, named, subtype("AGENT_UPDATED"))},
	{uid: "f1000000-0000-4000-8000-000000000003", at: "2026-08-02T13:00:03Z", attrs: with(ada, named, subtype("AGENT_PUBLISHED"), map[string]any{"gen_ai.request.model": "gpt-5-mini"})},
	{uid: "f1000000-0000-4000-8000-000000000004", at: "2026-08-02T13:00:04Z", attrs: with(ada, agent, subtype("AGENT_DELETED"))},
	{uid: "f1000000-0000-4000-8000-000000000005", at: "2026-08-02T13:00:05Z", attrs: with(ada, agent, subtype("AGENT_RUN_CREATED"), map[string]any{
		"user.id": "user-Ada0000000000000000001__" + workspaceID, "gen_ai.conversation.id": "d1111111-1111-4111-8111-111111111111",
	})},
	{uid: "f1000000-0000-4000-8000-000000000006", at: "2026-08-02T13:00:06Z", attrs: with(ada, agent, subtype("AGENT_RUN_MESSAGE"))},
	{uid: "f1000000-0000-4000-8000-000000000007", at: "2026-08-02T13:00:07Z", attrs: with(ada, agent, success, subtype("AGENT_RUN_COMPLETED"))},
	{uid: "f1000000-0000-4000-8000-000000000008", at: "2026-08-02T13:00:08Z", warn: true, attrs: with(ada, agent, failure, subtype("AGENT_RUN_FAILED"))},
	{uid: "f1000000-0000-4000-8000-000000000009", at: "2026-08-02T13:00:09Z", attrs: with(ada, agent, subtype("MEMORY_WRITE"), map[string]any{
		"openai.compliance.actor.type": "AGENT", "openai.compliance.actor.id": "agt_0123456789ab", "openai.compliance.actor.delegated": true,
	})},
	{uid: "f1000000-0000-4000-8000-000000000010", at: "2026-08-02T13:00:10Z", attrs: with(ada, agent, subtype("SKILL_USED"))},
	{uid: "f1000000-0000-4000-8000-000000000011", at: "2026-08-02T13:00:11Z", attrs: with(ada, agent, subtype("CONNECTOR_CALL_REQUESTED"))},
	{uid: "f1000000-0000-4000-8000-000000000012", at: "2026-08-02T13:00:12Z", attrs: with(ada, agent, success, subtype("CONNECTOR_CALL_COMPLETED"))},
	{uid: "f1000000-0000-4000-8000-000000000013", at: "2026-08-02T13:00:13Z", warn: true, attrs: with(ada, agent, failure, subtype("CONNECTOR_OAUTH_RESOLVED"), map[string]any{
		"gen_ai.conversation.id": "d1111111-1111-4111-8111-111111111111",
	})},
	{uid: "f1000000-0000-4000-8000-000000000014", at: "2026-08-02T13:00:14Z", attrs: with(ada, agent, subtype("TRIGGER_CREATED"))},
}
