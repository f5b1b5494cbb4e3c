// Copyright The OpenTelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package record

import "slices"

// auditTable is of AUDIT_LOG. Its actions share the members of action_data.
var auditTable = slices.Concat([]field{
	token("action", AttrAction),
	token("action_result").as(AttrOutcome, resultOutcome),
	token("action_privilege", AttrPrivilege),
}, below("action_data", auditUsers, auditThings, auditChanges, auditRequests, auditContent))

// auditUsers say whom an action concerned.
var auditUsers = slices.Concat([]field{
	text("user_id", AttrTargetUserID),
	text("user_ids[]", AttrTargetUserID),
	text("deleted_user_id", AttrTargetUserID),
	text("logged_out_user_id", AttrTargetUserID),
	text("allowed_user_id", AttrTargetUserID),
	text("disallowed_user_id", AttrTargetUserID),
	text("added_user_id", AttrTargetUserID),
	text("added_user_ids[]", AttrTargetUserID),
	text("removed_user_id", AttrTargetUserID),
	text("removed_user_ids[]", AttrTargetUserID),
	text("auth_user_id", AttrTargetUserID),
	text("owner_user_id", AttrTargetUserID),
	text("owner_id", AttrTargetUserID),
	text("new_owner_email", AttrTargetUserEmail),
	text("email_address", AttrTargetUserEmail),
	text("email_addresses[]", AttrTargetUserEmail),
	text("email", AttrTargetUserEmail),
	text("user_email", AttrTargetUserEmail),
	text("group_id", AttrTargetGroupID),
	text("allowed_workspace_group_ids[]", AttrTargetGroupID),
	text("allowed_tenant_group_ids[]", AttrTargetGroupID),
	text("principal_id", internalGrantee),
	token("principal_type", AttrTargetPrincipal),
	text("new_role", AttrTargetRole),
	text("role", AttrTargetRole),
	text("previous_role", AttrTargetRoleBefore),
	text("alert_recipients[].value").as(AttrTargetUserEmail, emailAddress),
	text("alert_recipients[].email", AttrTargetUserEmail),
	token("alert_recipients[].type"),
}, texts("allowed_workspace_group_ids_before[] allowed_tenant_group_ids_before[]"), recipients("shared_to[]"), recipients("requested_access_updates[]"),
	recipients("requested_access_removals[]"))

// recipients are whom something is shared with.
func recipients(path string) []field {
	return below(path, []field{
		token("type", AttrTargetSharing),
		token("recipient_type", AttrTargetSharing),
		text("user_id", AttrTargetUserID),
		text("user_email", AttrTargetUserEmail),
		text("email", AttrTargetUserEmail),
		text("group_id", AttrTargetGroupID),
		text("id"),
		token("capabilities[]"),
	})
}

// auditThings say what an action was about.
var auditThings = slices.Concat([]field{
	text("id", AttrTargetID, internalObjectID),
	text("agent_id", AttrAgentID),
	text("gpt_id", AttrAgentID),
	text("third_party_gizmo_id", AttrAgentID),
	text("app_id", AttrAppID),
	text("app_name", AttrAppName),
	token("knowledge_app_type", AttrAppType),
	text("conversation_id", AttrConversationID),
	text("message_id", AttrMessageID),
	token("rating", AttrMessageRating),
	text("project_id", AttrProjectID),
	text("skill_id", AttrSkillID),
	text("skill_name", AttrSkillName),
	text("plugin_id", AttrPluginID),
	text("context_plugin_id", AttrPluginID),
	text("environment_id", AttrEnvironmentID),
	text("codex_environment_id", AttrEnvironmentID),
	text("client_id", AttrClientID),
	text("domain_id", AttrTargetDomainID),
	text("hostname", AttrTargetDomainName),
	text("domains[]", AttrTargetDomainName),
	text("credential_id", AttrTargetCredentialID),
	text("service_account_id", AttrTargetCredentialID),
	token("credential_type", AttrTargetCredentialType),
	text("scopes[]", AttrTargetScopes),
	integer("expires_at").as(AttrTargetExpires, instant),
	// Things without an attribute of their own; no action names two of them that matter.
	text("file_id", AttrTargetID),
	text("memory_id", AttrTargetID),
	text("automation_id", AttrTargetID),
	text("textdoc_id", AttrTargetID),
	text("task_id", AttrTargetID),
	text("recording_id", AttrTargetID),
	text("room_id", AttrTargetID),
	text("remote_thread_id", AttrTargetID),
	text("scope_id", AttrTargetID),
	text("session_id", AttrTargetID),
	text("log_file_id", AttrTargetID),
	text("shared_conversation_id", AttrTargetID),
}, texts(`memory_context_id created_by_user_id organization_id workspace_id revoked_unified_sessions[] revision`), tokenList("mime_type action"))

// auditChanges say what was changed.
var auditChanges = slices.Concat([]field{
	token("feature", AttrFeature),
	token("value", AttrChangeValue),
	boolean("enabled", AttrChangeValue),
	boolean("previous_enabled", AttrChangeValueBefore),
	boolean("allow_all_in_workspace", AttrChangeValue),
	token("overage_limit_credits", AttrChangeValue),
	token("changed_fields[]", AttrChangeFields),
	token("access_mode", AttrAccessMode),
	token("access_mode_before", AttrAccessModeBefore),
	token("permissions_added[]", AttrPermissionsAdded),
	token("permissions_removed[]", AttrPermissionsRemoved),
	token("enabled_actions[]", AttrActionsEnabled).onNull(AttrActionsUnrestricted),
	token("enabled_actions_added[]", AttrActionsAdded),
	token("enabled_actions_removed[]", AttrActionsRemoved),
	boolean("new_action_clamp_present", AttrActionClamp),
	boolean("previous_action_clamp_present", AttrActionClampBefore),
	tokens("action_policy", AttrActionPolicy),
	tokens("action_policy_before", AttrActionPolicyBefore),
	token("installation_policy", AttrInstallPolicy),
	token("installation_policy_before", AttrInstallPolicyBefore),
	token("workspace_access_state", AttrWorkspaceAccess),
	text("allowed_ips[]", AttrAllowedIPs),
	url("sign_in_endpoint", AttrSignInEndpoint),
	token("triggering_action", AttrChangeTrigger),
	text("affected_connector_ids[]", AttrConnectorIDs),
	integer("alert_thresholds[].credits"),
	token("alert_thresholds[].type"),
}, booleans("already_exists state_changed use_workspace_name_for_discovery"), integers("total_requested"),
	texts("installed_by_default_role_ids[] installed_by_default_role_ids_before[]"), tokenList("source_surface"))

// auditRequests are the parameters of requests, which are strings whatever they mean.
var auditRequests = slices.Concat([]field{token("event_type[]", AttrRequestTypes), boolean("include_summary")},
	tokenList("limit after before cursor order since_timestamp file_format"),
	integers("revoked_at created_at deactivated_at"))

// auditContent are names that people chose, policies, and maps whose keys are ids.
var auditContent = contents(`name new_name old_name previous_name credential_name file_name public_display_name system_instruction
	workspace_policy markdown classification changed_fields_by_connector previous_workspace_permissions_by_connector new_workspace_permissions_by_connector`)
