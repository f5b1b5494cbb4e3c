// Copyright The OpenTelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package collect

// EventType is what is known of an event type.
type EventType struct {
	// Workspace and Organization tell which kind of principal it exists for.
	Workspace, Organization bool
	// Important files are downloaded before those of other types.
	Important bool
}

// EventTypes are the types known so far, from OpenAI's published OpenAPI
// description and from what other clients of the API report. The API's list is
// open: a name that is missing here is collected too.
var EventTypes = map[string]EventType{
	"APP_AUTH_LOG":               {Workspace: true, Organization: true},
	"APP_LOG":                    {Workspace: true, Organization: true},
	"AUDIT_LOG":                  {Workspace: true, Important: true},
	"AUTH_LOG":                   {Workspace: true, Important: true},
	"CHATGPT_GPT_ANALYTICS":      {Workspace: true},
	"CHATGPT_PLUGIN_SPREADSHEET": {Workspace: true},
	"CHATGPT_PROJECT_ANALYTICS":  {Workspace: true},
	"CHATGPT_SURVEY_ANALYTICS":   {Workspace: true},
	"CHATGPT_USER_ANALYTICS":     {Workspace: true},
	"CODEX_LOG":                  {Workspace: true},
	"CODEX_SECURITY_LOG":         {Workspace: true},
	"CODEX_TURN":                 {Workspace: true},
	"CONVERSATION_MESSAGE":       {Workspace: true},
	"COSTS":                      {Organization: true},
	"CUSTOM_AGENTS_LOG":          {Workspace: true},
}
