// Copyright The OpenTelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package record

import "slices"

// envelope holds for every type, types never seen before included.
var envelope = []rule{
	{path: "event_id", attr: AttrRecordUID},
	{path: "timestamp", attr: attrTimestamp, kind: kindTime},
	{path: "actor.type", attr: AttrActorType},
	{path: "actor.redacted_id", attr: AttrActorID},
	{path: "actor.id", attr: AttrActorID},
	{path: "actor.provider_user_id", attr: AttrActorID},
	{path: "actor.name", attr: AttrActorName},
	{path: "actor.provider", attr: AttrActorProvider},
	{path: "actor.credential_id", attr: AttrCredentialID},
	{path: "actor.user_id", attr: AttrUserID},
	{path: "actor.user_email", attr: AttrUserEmail},
	{path: "request_metadata.client_ip", attr: AttrClientAddress},
	{path: "request_metadata.client_user_agent", attr: AttrUserAgent},
	{path: "request_metadata.client_ja3", attr: AttrClientJA3},
	{path: "request_metadata.client_ja4", attr: AttrClientJA4},
	{path: "request_metadata.destination_hostname", attr: AttrServerAddress},
	{path: "request_metadata.client_ip_details.asn", attr: AttrClientASN},
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
	{path: "client_id", attr: AttrClientID},
	{path: "event_details.session_id", attr: AttrSessionID},
	{path: "event_details.conversation_id", attr: AttrConversationID},
	{path: "event_details.model", attr: AttrRequestModel},
	{path: "event_details.tool_name", attr: AttrToolName},
	{path: "event_details.tool_call_id", attr: AttrToolCallID},
	{path: "event_details.error_code", attr: AttrErrorType},
	{path: "event_details.token_usage.input_tokens", attr: AttrInputTokens, kind: kindInt},
	{path: "event_details.token_usage.output_tokens", attr: AttrOutputTokens, kind: kindInt},
	{path: "event_details.token_usage.cached_input_tokens", attr: AttrCacheReadTokens, kind: kindInt},
	{path: "event_details.token_usage.reasoning_output_tokens", attr: AttrReasoningTokens, kind: kindInt},
}

// mappings are the rules of each type beyond the envelope. The fields are those
// of the OpenAPI description 2.5.3 and of what other clients report of later ones.
var mappings = map[string][]rule{
	"APP_AUTH_LOG": {
		{path: "action", attr: AttrAction},
		{path: "app_id", attr: AttrAppID},
		{path: "link_id", attr: AttrAppLinkID},
	},
	"APP_LOG": {
		{path: "log_type", attr: AttrEventSubtype},
		{path: "app_id", attr: AttrAppID},
		{path: "app_name", attr: AttrAppName},
		{path: "app_type", attr: AttrAppType},
		{path: "conversation_id", attr: AttrConversationID},
	},
	"AUDIT_LOG": {
		{path: "action", attr: AttrAction},
		{path: "action_privilege", attr: AttrPrivilege},
		{path: "action_result", attr: AttrOutcome, values: auditOutcomes},
		{path: "action_data.id", attr: AttrTargetID},
		{path: "action_data.user_id", attr: AttrTargetUserID},
		{path: "action_data.new_role", attr: AttrTargetRole},
		{path: "action_data.role", attr: AttrTargetRole},
		{path: "action_data.feature", attr: AttrFeature},
		{path: "action_data.conversation_id", attr: AttrConversationID},
		{path: "action_data.message_id", attr: AttrMessageID},
		{path: "action_data.agent_id", attr: AttrAgentID},
		{path: "action_data.gpt_id", attr: AttrAgentID},
		{path: "action_data.app_id", attr: AttrAppID},
		{path: "action_data.app_name", attr: AttrAppName},
		{path: "action_data.plugin_id", attr: AttrPluginID},
		{path: "action_data.skill_id", attr: AttrSkillID},
		{path: "action_data.skill_name", attr: AttrSkillName},
		{path: "action_data.project_id", attr: AttrProjectID},
		{path: "action_data.environment_id", attr: AttrEnvironmentID},
	},
	"AUTH_LOG": {
		{path: "action_data.action", attr: AttrAction},
		{path: "action_data.action", attr: AttrOutcome, values: authOutcomes},
		{path: "action_data.auth_provider_name", attr: AttrAuthProvider},
		{path: "action_data.application_name", attr: AttrAuthApp},
		{path: "action_data.role", attr: AttrActorRole},
	},
	"CHATGPT_PLUGIN_SPREADSHEET": details,
	"CODEX_LOG": append([]rule{
		{path: "agent.id", attr: AttrAgentID},
		{path: "agent.name", attr: AttrAgentName},
		{path: "event_details.turn_id", attr: AttrTurnID},
		{path: "event_details.tool_name", attr: AttrToolName},
		{path: "event_details.name", attr: AttrToolName},
		{path: "event_details.decision", attr: AttrDecision},
		{path: "event_details.environment_id", attr: AttrEnvironmentID},
		{path: "event_details.access_token_id", attr: AttrAccessTokenID},
		{path: "event_details.plugin_id", attr: AttrPluginID},
		{path: "event_details.plugin_name", attr: AttrPluginName},
		{path: "event_details.project_id", attr: AttrProjectID},
	}, without(details, "event_details.tool_name")...),
	"CODEX_SECURITY_LOG": {
		{path: "event_type", attr: AttrEventSubtype},
		{path: "event_details.detail_type", attr: AttrEventSubtype},
		{path: "client_id", attr: AttrClientID},
		{path: "event_details.scan_configuration_id", attr: AttrScanID},
		{path: "event_details.finding_id", attr: AttrFindingID},
	},
	"CODEX_TURN": {
		{path: "payload.product_client_id", attr: AttrClientID},
		{path: "payload.session_id", attr: AttrSessionID},
		{path: "payload.model", attr: AttrRequestModel},
		{path: "payload.token_usage.uncached_input_tokens", attr: AttrUncachedTokens, kind: kindInt},
		{path: "payload.token_usage.cached_input_tokens", attr: AttrCacheReadTokens, kind: kindInt},
		{path: "payload.token_usage.output_tokens", attr: AttrOutputTokens, kind: kindInt},
		{path: "payload.cost_usd", attr: AttrCostUSD},
		{path: "payload.estimated_cost_usd", attr: AttrCostEstimate},
		{path: "payload.credits", attr: AttrCostCredits},
	},
	"CONVERSATION_MESSAGE": {
		{path: "message.author.type", attr: AttrEventSubtype},
		{path: "message.author.model", attr: AttrRequestModel},
		{path: "message.author.client_type", attr: AttrClientID},
		{path: "message.id", attr: AttrMessageID},
		{path: "conversation.id", attr: AttrConversationID},
		{path: "conversation.gpt_id", attr: AttrAgentID},
		{path: "conversation.gpt_name", attr: AttrAgentName},
		{path: "conversation.project_id", attr: AttrProjectID},
	},
	"COSTS": {
		{path: "payload.identity.user_id", attr: AttrUserID},
		{path: "payload.identity.email", attr: AttrUserEmail},
		{path: "payload.identity.agent.id", attr: AttrAgentID},
		{path: "payload.identity.agent.name", attr: AttrAgentName},
		{path: "payload.product", attr: AttrProduct},
		{path: "payload.client", attr: AttrClientID},
		{path: "payload.model", attr: AttrRequestModel},
		{path: "payload.measures.usage.text_input_tokens", attr: AttrTextInTokens, kind: kindInt},
		{path: "payload.measures.usage.text_cached_input_tokens", attr: AttrTextCacheRead, kind: kindInt},
		{path: "payload.measures.usage.text_output_tokens", attr: AttrTextOutTokens, kind: kindInt},
	},
	"CUSTOM_AGENTS_LOG": append([]rule{
		{path: "event_details.agent_id", attr: AttrAgentID},
		{path: "event_details.agent_fields.name", attr: AttrAgentName},
		{path: "event_details.agent_fields.model", attr: AttrRequestModel},
		{path: "event_details.agent_fields.model_spec.name", attr: AttrRequestModel},
		{path: "event_details.run_id", attr: AttrRunID},
		{path: "event_details.invoker.type", attr: AttrRunInvoker},
		{path: "event_details.message_id", attr: AttrMessageID},
		{path: "event_details.skill_id", attr: AttrSkillID},
		{path: "event_details.skill_name", attr: AttrSkillName},
		{path: "event_details.connector_id", attr: AttrAppID},
		{path: "event_details.connector_name", attr: AttrAppName},
		{path: "event_details.link_id", attr: AttrAppLinkID},
		{path: "event_details.tool_name", attr: AttrToolName},
		{path: "event_details.action_name", attr: AttrToolName},
		{path: "event_details.trigger_id", attr: AttrTriggerID},
	}, without(details, "event_details.tool_name")...),
}

// without leaves one path out of rules that a type lists itself.
func without(rules []rule, path string) []rule {
	return slices.DeleteFunc(slices.Clone(rules), func(r rule) bool { return r.path == path })
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

// ownActions are what the audit log calls the requests of this receiver
// (OpenAPI description 2.5.3).
var ownActions = map[string]bool{
	"LIST_WORKSPACE_LOG_FILES": true, "DOWNLOAD_WORKSPACE_LOG_FILE": true,
	"LIST_ORGANIZATION_LOG_FILES": true, "DOWNLOAD_ORGANIZATION_LOG_FILE": true,
}
