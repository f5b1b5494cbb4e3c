// Copyright The OpenTelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package record

import "slices"

// types are the event types with members beyond the envelope: those of the OpenAPI
// description 2.5.3 and of what other clients report of later ones.
var types = map[string]eventType{
	"APP_AUTH_LOG": {table: []field{
		token("action", AttrAction),
		text("app_id", AttrAppID),
		text("link_id", AttrAppLinkID),
	}, subTypes: []string{"link", "unlink"}},
	"APP_LOG":                    {table: appTable, subTypes: []string{"request", "response"}},
	"AUDIT_LOG":                  {table: auditTable, subTypes: auditActions, hasOutcome: true},
	"AUTH_LOG":                   {table: authTable, subTypes: authActions, hasOutcome: true},
	"CHATGPT_PLUGIN_SPREADSHEET": {table: slices.Concat(eventHead, below("event_details", promptDetails)), subTypes: spreadsheetEvents},
	"CODEX_LOG":                  {table: codexTable, subTypes: codexEvents},
	"CODEX_SECURITY_LOG":         {table: securityTable, subTypes: securityEvents},
	"CODEX_TURN":                 {table: turnTable},
	"CONVERSATION_MESSAGE":       {table: conversationTable, subTypes: []string{"assistant", "tool", "user"}},
	"COSTS":                      {table: costsTable},
	"CUSTOM_AGENTS_LOG":          {table: agentsTable, subTypes: agentEvents},
}

var appTable = []field{
	token("log_type", AttrEventSubtype),
	text("app_id", AttrAppID),
	text("app_name", AttrAppName),
	token("app_type", AttrAppType),
	text("conversation_id", AttrConversationID),
	open("input"),
	text("input._meta.openai/userAgent", AttrUserAgent),
	text("input._meta.openai/session", AttrSessionID),
	open("output"),
	text("output[].response.action_name", AttrToolName),
	text("output[].response.connector_id", AttrAppID),
	boolean("output[].response.result.isError").as(AttrOutcome, isErrorOutcome),
	boolean("output[].response.isError").as(AttrOutcome, isErrorOutcome),
	boolean("output[].isError").as(AttrOutcome, isErrorOutcome),
	boolean("output[].response.is_sync"),
	integer("output[].response.internal.external_call_time_ms"),
}

var authTable = below("action_data", []field{
	token("action", AttrAction).as(AttrOutcome, authOutcome),
	text("auth_provider_name", AttrAuthProvider),
	text("application_name", AttrAuthApp),
	text("role", AttrUserRoles),
	text("granted_scopes[]", AttrAuthScopes),
})

// eventHead is what the CODEX and agent types share. Their sub-type is written twice, and
// the outer one is left out by some clients. The status outranks the sub-type.
var eventHead = slices.Concat([]field{
	token("event_details.decision", AttrDecision).as(AttrOutcome, resultOutcome),
	token("event_details.status").as(AttrOutcome, resultOutcome),
	token("event_details.error_code", AttrErrorType).as(AttrOutcome, errorOutcome),
	token("event_type", AttrEventSubtype).as(AttrOutcome, nameOutcome),
	token("event_details.detail_type", AttrEventSubtype).as(AttrOutcome, nameOutcome),
	token("client_id", AttrClientID),
}, texts("workspace_id"))

// promptDetails are the event_details of prompts, replies and tool calls.
var promptDetails = slices.Concat([]field{
	text("session_id", AttrSessionID),
	text("turn_id", AttrTurnID),
	text("call_id", internalCall),
	text("conversation_id", AttrConversationID),
	text("environment_id", AttrEnvironmentID),
	text("response_id", AttrResponseID),
	text("model", AttrRequestModel),
	token("service_tier", AttrServiceTier),
	token("reasoning_effort", AttrReasoningEffort),
	text("tool_name", AttrToolName),
	token("tool_type", AttrToolType),
	text("tool_call_id", AttrToolCallID),
	integer("token_usage.input_tokens", AttrInputTokens),
	integer("token_usage.output_tokens", AttrOutputTokens),
	integer("token_usage.cached_input_tokens", AttrCacheReadTokens),
	integer("token_usage.reasoning_output_tokens", AttrReasoningTokens),
}, contents("prompt_text response_text error_message tool_input"))

var codexTable = slices.Concat(eventHead, []field{
	token("agent.type", AttrAgentType),
	text("agent.id", AttrAgentID),
	text("agent.name", AttrAgentName),
	text("conversation.id", AttrConversationID),
	token("conversation.mode", AttrConversationMode),
}, below("event_details", promptDetails, codexDetails))

var codexDetails = slices.Concat([]field{
	text("name", AttrToolName),
	open("tool_meta"),
	text("tool_meta.connector_id", AttrAppID),
	token("elicitation_type", AttrElicitationType),
	token("phase", AttrElicitationPhase),
	url("url", AttrElicitationURL),
	token("current_settings.network_access", AttrNetworkAccess),
	token("environment_fields.permissions.network_access", AttrNetworkAccess),
	token("previous_settings.network_access", AttrNetworkAccessBefore),
	token("environment_fields.env_var_keys[]"),
	text("access_token_id", AttrAccessTokenID),
	text("created_by_user_id", AttrTargetUserID),
	timeField("expires_at").as(AttrAccessTokenExpires, instant),
	text("plugin_id", AttrPluginID),
	text("plugin_name", AttrPluginName),
	token("plugin_scope", AttrPluginScope),
	text("project_id", AttrProjectID),
	text("deployment_id", AttrDeploymentID),
	url("site_url", AttrSiteURL),
	token("conversation.mode", AttrConversationMode),
}, texts("plugin_release_id plugin_version plugin_display_name marketplace_name plugin_creator_account_user_id version_id version_number environment_revision"),
	contents("arguments result_preview access_token_name slug environment_fields.name environment_fields.setup environment_fields.repos"))

var securityTable = slices.Concat([]field{
	token("event_type", AttrEventSubtype),
	token("client_id", AttrClientID),
	text("workspace_id"),
}, below("event_details", slices.Concat([]field{
	token("detail_type", AttrEventSubtype),
	text("scan_configuration_id", AttrScanID),
	text("finding_id", AttrFindingID),
	url("pr_url", AttrPullRequestURL),
	token("updated_fields.status", AttrFindingStatus),
	text("updated_fields.assignee_user_email", AttrFindingAssignee),
	token("updated_fields.criticality", AttrFindingSeverity),
	integer("updated_fields.project_overview_length"),
	token("updated_fields.resolution_reason_updated"),
	token("updated_fields.criticality_reason_updated"),
}, booleans("updated_fields.project_overview_updated"), contents("updated_fields.resolution_reason updated_fields.criticality_reason"),
	below("scan_configuration_fields", scanFields), below("updated_fields", scanFields))))

var scanFields = slices.Concat([]field{
	token("scan_type", AttrScanType),
	token("state", AttrScanState),
	text("owner_id", AttrScanOwner),
	text("repo_id", AttrRepositoryID),
	url("repo_url", AttrRepositoryURL),
	text("environment_id", AttrEnvironmentID),
	text("workspace_id"),
}, integers("lookback_days notification_rules_created_count notification_rules_updated_count notification_rules_deleted_count"))

var turnTable = below("payload", []field{
	text("model", AttrRequestModel),
	token("product_client_id", AttrClientID),
	text("session_id", AttrSessionID),
	text("thread_id"),
	decimal("cost_usd", AttrCostUSD),
	decimal("estimated_cost_usd", AttrCostEstimate),
	decimal("credits", AttrCostCredits),
	integer("token_usage.uncached_input_tokens", AttrUncachedTokens),
	integer("token_usage.cached_input_tokens", AttrCacheReadTokens),
	integer("token_usage.output_tokens", AttrOutputTokens),
})

var conversationTable = slices.Concat([]field{
	token("message.author.type", AttrEventSubtype),
	token("message.author.client_type", AttrClientID),
	text("message.author.model", AttrRequestModel),
	text("message.author.tools_used[]", AttrMessageTools),
	text("message.id", AttrMessageID),
	text("conversation.id", AttrConversationID),
	text("conversation.gpt_id", AttrAgentID),
	text("conversation.gpt_name", AttrAgentName),
	text("conversation.project_id", AttrProjectID),
	token("conversation.mode", AttrConversationMode),
	boolean("conversation.is_temporary_chat", AttrConversationTemporary),
	boolean("conversation.is_pinned"),
	token("message.content.type"),
	timeField("message.created_at"),
	timeField("conversation.created_at"),
}, texts("previous_message_id message.author.skills_used[] message.content.file_id message.files[].id"),
	contents(`message.content.value message.content.annotations message.content.file_name message.content.quote message.files[].name
		conversation.title conversation.project_name`))

var costsTable = below("payload", slices.Concat([]field{
	text("identity.user_id", AttrUserID),
	text("identity.email", AttrUserEmail),
	text("identity.agent.id", AttrAgentID),
	text("identity.agent.name", AttrAgentName),
	text("identity.groups[].id"),
	content("identity.groups[].name"),
	content("identity.name"),
	timeField("day", internalDay),
	integer("hour", internalHour),
	text("organization_id"),
	text("product", AttrProduct),
	text("surface", AttrSurface),
	text("client", AttrClientID),
	text("model", AttrRequestModel),
	token("service_tier", AttrServiceTier),
	token("reasoning", AttrReasoningEffort),
	text("measures.billing[].sku", AttrCostSKUs),
	decimal("measures.billing[].cost.value", internalCosts),
	token("measures.billing[].cost.unit", AttrCostUnits, internalUnits),
	decimal("measures.billing[].estimated_cost_usd.value", internalEstimates),
	token("measures.billing[].estimated_cost_usd.unit"),
	decimal("measures.billing[].quantity.value"),
	token("measures.billing[].quantity.unit"),
}, below("measures.usage", []field{
	integer("text_input_tokens", AttrUsageTextInput),
	integer("text_cached_input_tokens", AttrUsageTextCachedInput),
	integer("text_output_tokens", AttrUsageTextOutput),
	integer("text_total_tokens", AttrUsageTextTotal),
	integer("audio_input_tokens", AttrUsageAudioInput),
	integer("audio_cached_input_tokens", AttrUsageAudioCachedInput),
	integer("audio_output_tokens", AttrUsageAudioOutput),
	integer("audio_total_tokens", AttrUsageAudioTotal),
	integer("image_input_tokens", AttrUsageImageInput),
	integer("image_cached_input_tokens", AttrUsageImageCachedInput),
	integer("image_output_tokens", AttrUsageImageOutput),
	integer("image_total_tokens", AttrUsageImageTotal),
	integer("input_total_tokens", AttrUsageTotalInput),
	integer("cached_input_total_tokens", AttrUsageTotalCachedInput),
	integer("output_total_tokens", AttrUsageTotalOutput),
	integer("total_tokens", AttrUsageTotal),
}, integers("input_tokens cached_input_tokens output_tokens"))))

var agentsTable = slices.Concat(eventHead, below("event_details", agentDetails, promptDetails))

var agentDetails = slices.Concat([]field{
	text("agent_id", AttrAgentID),
	text("version_id", AttrAgentVersion),
	text("run_id", AttrRunID),
	text("message_id", AttrMessageID),
	token("phase", AttrMessagePhase),
	token("delete_reason", AttrReason),
	token("access_method", AttrMemoryAccess),
	text("skill_id", AttrSkillID),
	text("skill_name", AttrSkillName),
	text("connector_id", AttrAppID),
	text("connector_name", AttrAppName),
	text("link_id", AttrAppLinkID),
	text("action_name", AttrToolName),
	token("elicitation_type", AttrElicitationType),
	text("trigger_id", AttrTriggerID),
	token("trigger_type", AttrTriggerType),
	text("trigger_fields.connector_id", AttrAppID),
	text("trigger_fields.link_id", AttrAppLinkID),
	boolean("trigger_fields.enabled", AttrTriggerEnabled),
	token("trigger_fields.required_actions[]"),
	token("trigger_fields.param_keys[]"),
	token("invoker.type", AttrRunInvoker),
	text("invoker.connector_id", AttrAppID),
	text("invoker.schedule_id", AttrTriggerID),
	boolean("invoker.is_shared_invocation", AttrRunShared),
	text("invoker.initiator.id", AttrRunInitiatorID),
	text("invoker.initiator.auth_user_id", AttrRunInitiatorID),
	token("invoker.initiator.kind", AttrRunInitiatorType),
	text("agent_fields.name", AttrAgentName),
	text("agent_fields.model", AttrRequestModel),
	text("agent_fields.model_spec.name", AttrRequestModel),
	token("agent_fields.model_spec.reasoning_effort", AttrReasoningEffort),
	boolean("agent_fields.store_visible", AttrAgentVisible),
	token("agent_fields.workspace_capability"),
	text("agent_fields.file_tree_id"),
	text("agent_fields.skills[].id"),
	token("agent_fields.skills[].type"),
	text("agent_fields.skills[].name"),
	token("agent_fields.skills[].source"),
	tokens("agent_fields.tools.web_search"),
	boolean("agent_fields.tools.image_generation_enabled"),
	text("agent_fields.tools.connectors[].connector_id"),
	token("agent_fields.tools.connectors[].auth_variant_type"),
	text("agent_fields.tools.connectors[].link_id"),
	token("agent_fields.tools.connectors[].allowed_tools[]"),
	tokens("agent_fields.tools.connectors[].user_approvals", AttrAgentApprovals),
}, texts("interaction_id"), tokenList("save_source publish_type skill_type"), integers("changes_count trigger_count"),
	booleans("had_published_version requires_elicitation"),
	contents(`release_name release_description text failure_message memory_path
		invoker.user_message_text invoker.webhook_name invoker.case_name invoker.initiator.display_name
		trigger_fields.webhook_name trigger_fields.instructions
		agent_fields.category agent_fields.prompt agent_fields.description agent_fields.tagline agent_fields.starter_prompts
		agent_fields.tools.image_generation agent_fields.tools.widget_tools`))
