// Copyright The OpenTelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package record

// promptDetails are the event_details of prompts, replies and tool calls.
var promptDetails = fields{
	"session_id": text, "turn_id": text, "call_id": text, "conversation_id": text, "environment_id": text,
	"model": text, "service_tier": text, "reasoning_effort": text, "status": text, "error_code": text,
	"tool_name": text, "tool_type": text, "tool_call_id": text,
	"token_usage": object(fields{
		"input_tokens": integer, "output_tokens": integer, "cached_input_tokens": integer, "reasoning_output_tokens": integer,
	}),
	"prompt_text": content, "response_text": content, "error_message": content, "tool_input": content,
}

var codexDetails = fields{
	"decision": text, "name": text, "elicitation_type": text, "phase": text,
	"arguments": content, "tool_meta": content, "result_preview": content, "url": content,
	"environment_fields": content, "previous_settings": content, "current_settings": content,
	"access_token_id": text, "created_by_user_id": text, "expires_at": text, "access_token_name": content,
	"plugin_id": text, "plugin_release_id": text, "plugin_version": text, "plugin_name": text, "plugin_display_name": text,
	"marketplace_name": text, "plugin_scope": text, "plugin_creator_account_user_id": text,
	"project_id": text, "version_id": text, "version_number": text, "deployment_id": text, "environment_revision": text,
	"slug": content, "site_url": content,
}

var securityDetails = fields{
	"scan_configuration_id": text, "finding_id": text, "pr_url": text,
	"scan_configuration_fields": object(scanFields),
	"updated_fields": object(join(scanFields, fields{
		"project_overview_updated": boolean, "project_overview_length": integer,
		"status": text, "assignee_user_email": text, "criticality": text,
		"resolution_reason_updated": setting, "criticality_reason_updated": setting,
		"resolution_reason": content, "criticality_reason": content,
	})),
}

var scanFields = fields{
	"scan_type": text, "owner_id": text, "workspace_id": text, "repo_id": text, "repo_url": text,
	"environment_id": text, "state": text, "lookback_days": integer,
	"notification_rules_created_count": integer, "notification_rules_updated_count": integer, "notification_rules_deleted_count": integer,
}

var turnPayload = fields{
	"model": text, "product_client_id": text, "session_id": text, "thread_id": text,
	"cost_usd": text, "estimated_cost_usd": text, "credits": text,
	"token_usage": object(fields{"uncached_input_tokens": integer, "cached_input_tokens": integer, "output_tokens": integer}),
}

var costsPayload = fields{
	"day": text, "hour": integer, "organization_id": text,
	"product": text, "surface": text, "client": text, "model": text, "service_tier": text, "reasoning": text,
	"identity": object(fields{
		"user_id": text, "email": text, "name": text,
		"groups": list(object(fields{"id": text, "name": text})),
		"agent":  object(fields{"id": text, "name": text}),
	}),
	"measures": object(fields{
		"usage": object(costsUsage()),
		"billing": list(object(fields{
			"sku": text, "quantity": amount, "cost": amount, "estimated_cost_usd": amount,
		})),
	}),
}

// amount keeps its value as decimal text: nothing is rounded.
var amount = object(fields{"value": text, "unit": text})

func costsUsage() fields {
	out := fields{}
	for _, of := range []string{"input", "cached_input", "output"} {
		for _, name := range []string{"text_" + of, "audio_" + of, "image_" + of, of, of + "_total"} {
			out[name+"_tokens"] = integer
		}
	}
	out["total_tokens"] = integer
	return out
}

var agentDetails = fields{
	"agent_id": text, "version_id": text, "run_id": text, "message_id": text, "phase": text,
	"save_source": text, "publish_type": text, "changes_count": integer, "trigger_count": integer, "had_published_version": boolean,
	"release_name": content, "release_description": content, "delete_reason": content,
	"text": content, "failure_message": content,
	"access_method": text, "memory_path": content,
	"skill_id": text, "skill_name": text, "skill_type": text,
	"connector_id": text, "connector_name": text, "action_name": text, "link_id": text, "interaction_id": text,
	"requires_elicitation": boolean, "elicitation_type": text,
	"trigger_id": text, "trigger_type": text,
	"agent_fields": object(agentFields),
	"invoker": object(fields{
		"type": text, "connector_id": text, "schedule_id": text, "is_shared_invocation": boolean,
		"initiator":         object(fields{"kind": text, "id": text, "auth_user_id": text, "display_name": content}),
		"user_message_text": content, "webhook_name": content, "case_name": content,
	}),
	"trigger_fields": object(fields{
		"connector_id": text, "link_id": text, "required_actions": texts, "param_keys": texts, "enabled": boolean,
		"webhook_name": content, "instructions": content,
	}),
}

var agentFields = fields{
	"name": text, "category": text, "file_tree_id": text, "model": text, "workspace_capability": text, "store_visible": boolean,
	"model_spec": object(fields{"name": text, "reasoning_effort": text}),
	"prompt":     content, "description": content, "tagline": content, "starter_prompts": content,
	"skills": list(object(fields{"id": text, "type": text, "name": text, "source": content})),
	"tools": object(fields{
		"web_search": content, "image_generation": content, "widget_tools": content, "image_generation_enabled": boolean,
		"connectors": list(object(fields{
			"connector_id": text, "auth_variant_type": text, "link_id": text, "allowed_tools": texts, "user_approvals": content,
		})),
	}),
}
