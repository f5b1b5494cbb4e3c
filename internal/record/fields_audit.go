// Copyright The OpenTelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package record

var auditFields = fields{
	"action": text, "action_result": text, "action_privilege": text,
	"action_data": object(join(auditIDs, auditValues, auditLists, auditTexts)),
}

// auditIDs say what an action was about.
var auditIDs = fields{
	"action": text, "id": text, "user_id": text, "role": text, "new_role": text, "previous_role": text,
	"agent_id": text, "app_id": text, "app_name": text, "auth_user_id": text, "automation_id": text, "client_id": text,
	"codex_environment_id": text, "context_plugin_id": text, "conversation_id": text, "created_by_user_id": text,
	"credential_id": text, "credential_type": text, "domain_id": text, "email_address": text, "environment_id": text,
	"feature": text, "file_id": text, "gpt_id": text, "group_id": text, "hostname": text, "log_file_id": text,
	"memory_context_id": text, "memory_id": text, "message_id": text, "organization_id": text, "owner_id": text,
	"owner_user_id": text, "plugin_id": text, "principal_id": text, "principal_type": text, "project_id": text,
	"recording_id": text, "remote_thread_id": text, "removed_user_id": text, "room_id": text, "scope_id": text,
	"service_account_id": text, "session_id": text, "shared_conversation_id": text, "skill_id": text, "skill_name": text,
	"source_surface": text, "task_id": text, "textdoc_id": text, "third_party_gizmo_id": text, "workspace_id": text,
}

// auditValues are settings, and the parameters of requests, which are strings
// whatever they mean.
var auditValues = fields{
	"limit": text, "after": text, "before": text, "cursor": text, "order": text, "since_timestamp": text, "file_format": text,
	"expires_at": integer, "revoked_at": integer, "created_at": integer, "deactivated_at": integer, "total_requested": integer,
	"allow_all_in_workspace": boolean, "already_exists": boolean, "enabled": boolean, "previous_enabled": boolean,
	"include_summary": boolean, "state_changed": boolean, "use_workspace_name_for_discovery": boolean,
	"value": setting, "overage_limit_credits": text, "rating": text, "knowledge_app_type": text,
	"installation_policy": text, "installation_policy_before": text, "workspace_access_state": text, "sign_in_endpoint": text,
}

var auditLists = fields{
	"event_type": texts, "domains": texts, "affected_connector_ids": texts, "allowed_ips": texts, "changed_fields": texts,
	"email_addresses": texts, "installed_by_default_role_ids": texts, "installed_by_default_role_ids_before": texts,
	"revoked_unified_sessions": texts, "scopes": texts,
	"alert_recipients":          list(object(fields{"email": text, "type": text})),
	"alert_thresholds":          list(object(fields{"credits": integer, "type": text})),
	"requested_access_removals": list(object(fields{"recipient_type": text, "user_id": text})),
	"requested_access_updates":  list(object(fields{"recipient_type": text, "user_id": text, "capabilities": texts})),
	"shared_to":                 list(object(fields{"type": text, "id": text, "recipient_type": text, "group_id": text, "capabilities": texts})),
}

// auditTexts are names that people chose, policies, and maps whose keys are ids.
var auditTexts = fields{
	"name": content, "new_name": content, "old_name": content, "previous_name": content, "credential_name": content,
	"public_display_name": content, "system_instruction": content, "workspace_policy": content, "markdown": content,
	"classification":                              content,
	"changed_fields_by_connector":                 content,
	"previous_workspace_permissions_by_connector": content,
	"new_workspace_permissions_by_connector":      content,
}
