// Copyright The OpenTelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package receiver

// scopes tells which kind of principal an event type exists for.
type scopes struct{ workspace, organization bool }

// eventTypes are the types known so far, from OpenAI's published OpenAPI
// description and from what other clients of the API report. The API's list is
// open: a name that is missing here is collected too.
var eventTypes = map[string]scopes{
	"APP_AUTH_LOG":               {workspace: true, organization: true},
	"APP_LOG":                    {workspace: true, organization: true},
	"AUDIT_LOG":                  {workspace: true},
	"AUTH_LOG":                   {workspace: true},
	"CHATGPT_GPT_ANALYTICS":      {workspace: true},
	"CHATGPT_PLUGIN_SPREADSHEET": {workspace: true},
	"CHATGPT_PROJECT_ANALYTICS":  {workspace: true},
	"CHATGPT_SURVEY_ANALYTICS":   {workspace: true},
	"CHATGPT_USER_ANALYTICS":     {workspace: true},
	"CODEX_LOG":                  {workspace: true},
	"CODEX_SECURITY_LOG":         {workspace: true},
	"CODEX_TURN":                 {workspace: true},
	"CONVERSATION_MESSAGE":       {workspace: true},
	"COSTS":                      {organization: true},
	"CUSTOM_AGENTS_LOG":          {workspace: true},
}
