// Copyright The OpenTelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package collect

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/openaicompliance/openaicompliancereceiver/internal/compliance"
)

// Each misuse that the API notices is answered with what to do about it, by the name
// of the setting or the scope.
func TestHints(t *testing.T) {
	for name, tt := range map[string]struct {
		eventType string
		status    compliance.StatusError
		want      []string
	}{
		"an inference key": {"AUTH_LOG", compliance.StatusError{Status: 401}, []string{"does not look like one for compliance logs", "sk-admin-", "Admin keys"}},
		"a project's key":  {"AUTH_LOG", compliance.StatusError{Status: 401, Key: compliance.KeyProject}, []string{"only older compliance keys work", "Admin keys"}},
		"a revoked key":    {"AUTH_LOG", compliance.StatusError{Status: 401, Key: compliance.KeyAdmin}, []string{"it was revoked, or belongs to another workspace"}},

		"no scope":                       {"AUTH_LOG", compliance.StatusError{Status: 403, Message: "Missing scope"}, []string{"the key may not read this type: ", "chatgpt.enterprise.compliance_logs_platform.auth_log.read", "chatgpt.enterprise.compliance_logs_platform.read for all types"}},
		"an address":                     {"AUTH_LOG", compliance.StatusError{Status: 403, Message: "Your IP address is not in the allowlist"}, []string{"does not serve this address", "allow-list for the compliance API"}},
		"no message":                     {"CODEX_LOG", compliance.StatusError{Status: 403}, []string{"codex_log.read", "made in this workspace", "IP allow-list"}},
		"no message for an organization": {"COSTS", compliance.StatusError{Status: 403, Organization: true}, []string{"costs.read", "made in this organization"}},

		"another workspace":    {"AUTH_LOG", compliance.StatusError{Status: 404}, []string{"workspace_id", "organization_id"}},
		"another organization": {"COSTS", compliance.StatusError{Status: 404, Organization: true}, []string{"organization_id", "workspace"}},

		"of an organization": {"COSTS", compliance.StatusError{Status: 400}, []string{"does not exist under workspace_id: collect it with a receiver that has organization_id"}},
		"of a workspace":     {"AUTH_LOG", compliance.StatusError{Status: 400, Organization: true}, []string{"does not exist under organization_id: collect it with a receiver that has workspace_id"}},
		"a misspelled type":  {"AUDITLOG", compliance.StatusError{Status: 400}, []string{"did you mean AUDIT_LOG?"}},
		"an unknown type":    {"COFFEE_MACHINE_LOG", compliance.StatusError{Status: 400}, []string{"does not know this event type under workspace_id", "event_types"}},
		"not enabled":        {"AUTH_LOG", compliance.StatusError{Status: 400}, []string{"though it is a published one", "enabled"}},
		"another request":    {"AUTH_LOG", compliance.StatusError{Status: 422}, []string{"a newer version of this receiver"}},
		"the rate limit":     {"AUTH_LOG", compliance.StatusError{Status: 429}, []string{"rate_limit"}},
		"another server":     {"AUTH_LOG", compliance.StatusError{Status: 410}, []string{"http::endpoint"}},
		"a portal":           {"AUTH_LOG", compliance.StatusError{Status: 511}, []string{"login page", "http::proxy_url"}},
		"a proxy's login":    {"AUTH_LOG", compliance.StatusError{Status: 407}, []string{"user name and a password", "http::proxy_url"}},
	} {
		t.Run(name, func(t *testing.T) {
			tt.status.Op = compliance.OperationList
			hint := Classifier{EventType: tt.eventType}.Classify(&tt.status).Hint
			for _, want := range tt.want {
				assert.Contains(t, hint, want)
			}
		})
	}
}

// Only a name that is close to a known one is taken for it.
func TestNearestType(t *testing.T) {
	for name, want := range map[string]string{
		"AUDITLOG": "AUDIT_LOG", "AUTH_LOGS": "AUTH_LOG", "CODEX_TRUN": "CODEX_TURN", "COST": "COSTS",
		"CONVERSATION_MESSAGES": "CONVERSATION_MESSAGE", "APP_AUT_LOG": "APP_AUTH_LOG",
		"LOG": "", "COFFEE_MACHINE_LOG": "", "": "", "CHATGPT_ANALYTICS": "",
	} {
		assert.Equal(t, want, nearestType(name), name)
	}
	assert.Equal(t, 3, editDistance("kitten", "sitting"))
	assert.Equal(t, 4, editDistance("", "four"))
}

// A status that does not come from the compliance API is not blamed on the key or the
// network: the hint names the endpoint, the proxy, or who can help.
func TestHintsOfStatuses(t *testing.T) {
	for status, want := range map[int]string{
		301: "http::endpoint", 302: "http::endpoint", 404: "http::endpoint", 407: "http::proxy_url", 410: "http::endpoint",
		451: "legal reasons", 511: "login page", 526: "gateway", 429: "rate limit", 500: "fault of its own",
	} {
		fault := Classifier{EventType: "AUTH_LOG"}.Classify(&compliance.StatusError{Op: compliance.OperationList, Status: status})
		assert.Contains(t, fault.Hint, want, status)
	}
	missing := Classifier{}.Classify(&compliance.RequestError{Op: compliance.OperationList, Cause: &compliance.KeyError{Cause: assert.AnError}})
	assert.Contains(t, missing.Hint, "api_key_file")
	unreadable := Classifier{}.Classify(&compliance.RequestError{Op: compliance.OperationFetch, Cause: compliance.ErrUnreadable})
	assert.Contains(t, unreadable.Hint, "body")
}
