// Copyright The OpenTelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package record

import (
	"fmt"
	"go/ast"
	"go/parser"
	gotoken "go/token"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"go.opentelemetry.io/collector/pdata/plog"
)

// How a record ended is read from its words, and the status outranks the sub-type. A
// result that nobody knows is no success. What failed, was blocked or ended in an unknown
// way is WARN.
func TestOutcome(t *testing.T) {
	audit := func(result string) string { return fmt.Sprintf(`{"action":"X","action_result":%s}`, result) }
	auth := func(action string) string { return fmt.Sprintf(`{"action_data":{"action":%q}}`, action) }
	event := func(sub string) string { return fmt.Sprintf(`{"event_type":%q,"event_details":{}}`, sub) }
	detail := func(sub string) string { return fmt.Sprintf(`{"event_details":{"detail_type":%q}}`, sub) }
	status := func(s string) string { return fmt.Sprintf(`{"event_type":"X","event_details":{"status":%q}}`, s) }
	statusOf := func(sub, s string) string {
		return fmt.Sprintf(`{"event_details":{"status":%q},"event_type":%q}`, s, sub)
	}
	decision := func(s string) string {
		return fmt.Sprintf(`{"event_type":"TOOL_DECISION","event_details":{"decision":%q}}`, s)
	}
	const unknown = "unknown" // no outcome, and WARN
	tests := []struct{ eventType, line, want string }{
		{"AUDIT_LOG", audit(`"SUCCESS"`), "success"},
		{"AUDIT_LOG", audit(`"BLOCKED"`), "blocked"},
		{"AUDIT_LOG", audit(`"ERROR"`), "failure"},
		{"AUDIT_LOG", audit(`"PENDING"`), unknown},
		{"AUDIT_LOG", audit(`"error"`), "failure"},
		{"AUDIT_LOG", audit(`"DENIED"`), "blocked"},
		{"AUDIT_LOG", audit(`"FAILED"`), "failure"},
		{"AUDIT_LOG", audit(`"PARTIAL_FAILURE"`), "failure"},
		{"AUDIT_LOG", audit(`"no word at all"`), ""},
		{"AUDIT_LOG", audit(`""`), ""},
		{"AUDIT_LOG", audit(`null`), ""},
		{"AUDIT_LOG", audit(`false`), unknown},
		{"AUTH_LOG", auth("signup_success"), "success"},
		{"AUTH_LOG", auth("login_success"), "success"},
		{"AUTH_LOG", auth("native_login_success"), "success"},
		{"AUTH_LOG", auth("logout_success"), "success"},
		{"AUTH_LOG", auth("password_reset_success"), "success"},
		{"AUTH_LOG", auth("password_reset_error"), "failure"},
		{"AUTH_LOG", auth("password_login_invalid_password"), "failure"},
		{"AUTH_LOG", auth("login_failed"), "failure"},
		{"AUTH_LOG", auth("password_login_sentinel_blocked"), "blocked"},
		{"AUTH_LOG", auth("token_issued"), "success"},
		{"AUTH_LOG", auth("token_revoked"), "success"},
		{"AUTH_LOG", auth("password_reset_initiated"), "success"},
		{"AUTH_LOG", auth("password_reset_admin"), "success"},
		{"AUTH_LOG", auth("password_login_sentinel_challenge"), ""},
		{"AUTH_LOG", auth("an_action_never_seen_failed"), "failure"},
		{"AUTH_LOG", auth("mfa_failed"), "failure"},
		{"AUTH_LOG", auth("passkey_login_failed"), "failure"},
		{"AUTH_LOG", auth("login_failure"), "failure"},
		{"AUTH_LOG", auth("sso_login_error"), "failure"},
		{"AUTH_LOG", auth("login_blocked"), "blocked"},
		{"AUTH_LOG", auth("account_locked"), "blocked"},
		{"AUTH_LOG", auth("login_denied"), "blocked"},
		{"AUTH_LOG", auth("mfa_invalid_code"), "failure"},
		{"AUTH_LOG", auth("passkey_login_success"), "success"},
		{"AUTH_LOG", auth("login_error_cleared_success"), "success"},
		{"AUTH_LOG", auth("account_unlocked"), ""},
		{"AUTH_LOG", auth("passkey_registered"), ""},
		{"CODEX_LOG", event("TOOL_CALL_COMPLETED"), "success"},
		{"CODEX_LOG", event("TOOL_CALL_FAILED"), "failure"},
		{"CODEX_LOG", event("TOOL_CALL_SUGGESTED"), ""},
		{"CODEX_LOG", detail("TOOL_CALL_COMPLETED"), "success"},
		{"CODEX_LOG", detail("TOOL_CALL_FAILED"), "failure"},
		{"CODEX_LOG", status("success"), "success"},
		{"CODEX_LOG", status("completed"), "success"},
		{"CODEX_LOG", status("error"), "failure"},
		{"CODEX_LOG", status("failed"), "failure"},
		{"CODEX_LOG", status("interrupted"), "failure"},
		{"CODEX_LOG", status("failure"), "failure"},
		{"CODEX_LOG", status("timeout"), "failure"},
		{"CODEX_LOG", status("half_done"), unknown},
		{"CODEX_LOG", status("FAILED"), "failure"},
		{"CODEX_LOG", statusOf("TOOL_CALL_COMPLETED", "error"), "failure"},
		{"CODEX_LOG", statusOf("TOOL_CALL_COMPLETED", "failed"), "failure"},
		{"CODEX_LOG", statusOf("TOOL_CALL_COMPLETED", "half_done"), unknown},
		{"CODEX_LOG", statusOf("TOOL_CALL_FAILED", "half_done"), "failure"},
		{"CODEX_LOG", `{"event_type":"TOOL_CALL_COMPLETED","event_details":{"error_code":"x"}}`, "failure"},
		{"CODEX_LOG", `{"event_type":"APP_MCP_RESULT","event_details":{"error_code":"x"}}`, "failure"},
		{"CODEX_LOG", `{"event_type":"APP_MCP_RESULT","event_details":{"error_code":"x","status":"success"}}`, "success"},
		{"CODEX_LOG", event("SITE_DEPLOYMENT_COMPLETED"), "success"},
		{"CODEX_LOG", decision("approved"), "success"},
		{"CODEX_LOG", decision("approved_for_session"), "success"},
		{"CODEX_LOG", decision("denied"), "blocked"},
		{"CODEX_LOG", decision("denied_with_network_policy_deny"), "blocked"},
		{"CODEX_LOG", decision("timed_out"), "failure"},
		{"CODEX_LOG", decision("abort"), "failure"},
		{"CODEX_LOG", decision("decline"), "blocked"},
		{"CODEX_LOG", decision("accept"), "success"},
		{"CODEX_LOG", decision("later"), unknown},
		{"APP_LOG", `{"output":[{"response":{"result":{"isError":true}}}]}`, "failure"},
		{"APP_LOG", `{"output":[{"response":{"result":{"isError":true}}},{"response":{"result":{"isError":false}}}]}`, "failure"},
		{"APP_LOG", `{"output":[{"response":{"result":{"isError":false}}}]}`, "success"},
		{"APP_LOG", `{"log_type":"request","input":{"isError":true}}`, ""},
		{"CUSTOM_AGENTS_LOG", event("AGENT_RUN_COMPLETED"), "success"},
		{"CUSTOM_AGENTS_LOG", event("AGENT_RUN_FAILED"), "failure"},
		{"CUSTOM_AGENTS_LOG", detail("AGENT_RUN_COMPLETED"), "success"},
		{"CUSTOM_AGENTS_LOG", detail("AGENT_RUN_FAILED"), "failure"},
		{"CUSTOM_AGENTS_LOG", event("AGENT_RUN_CREATED"), ""},
		{"CUSTOM_AGENTS_LOG", status("failed"), "failure"},
		{"CHATGPT_PLUGIN_SPREADSHEET", status("error"), "failure"},
		{"CODEX_SECURITY_LOG", `{"event_type":"SCAN_FINDING_UPDATED","event_details":{"updated_fields":{"status":"failed"}}}`, ""},
		{"APP_AUTH_LOG", `{"action":"unlink","action_result":"ERROR"}`, ""},
		{"A_TYPE_NEVER_SEEN", `{"action_result":"ERROR","event_details":{"status":"failed"}}`, ""},
	}
	for _, test := range tests {
		t.Run(test.eventType+test.line, func(t *testing.T) {
			record := mapOne(test.eventType, test.line)
			var want any // none, rather than an empty one
			if test.want != "" && test.want != unknown {
				want = test.want
			}
			assert.Equal(t, want, record.Attributes().AsRaw()["openai.compliance.outcome"])
			severity := plog.SeverityNumberInfo
			if slices.Contains([]string{"failure", "blocked", unknown}, test.want) {
				severity = plog.SeverityNumberWarn
			}
			assert.Equal(t, severity, record.SeverityNumber())
			assert.Empty(t, record.SeverityText())
		})
	}
}

// Of two fields for one attribute the same one wins in either order of keys, and
// a field that holds nothing gives way.
func TestPrecedence(t *testing.T) {
	tests := []struct{ name, eventType, first, second, attr, want string }{
		{"event_type over detail_type", "CODEX_LOG", `"event_type":"OUTER"`, `"event_details":{"detail_type":"INNER"}`, AttrEventSubtype, "OUTER"},
		{"detail_type for an empty event_type", "CODEX_LOG", `"event_type":""`, `"event_details":{"detail_type":"INNER"}`, AttrEventSubtype, "INNER"},
		{"detail_type for a null event_type", "CODEX_LOG", `"event_type":null`, `"event_details":{"detail_type":"INNER"}`, AttrEventSubtype, "INNER"},
		{"detail_type for an event_type that is no scalar", "CODEX_LOG", `"event_type":{"a":1}`, `"event_details":{"detail_type":"INNER"}`, AttrEventSubtype, "INNER"},
		{"detail_type without event_type", "CODEX_LOG", `"a":1`, `"event_details":{"detail_type":"INNER"}`, AttrEventSubtype, "INNER"},
		{"event_type without detail_type", "CODEX_LOG", `"event_type":"OUTER"`, `"event_details":null`, AttrEventSubtype, "OUTER"},
		{"status over sub-type", "CODEX_LOG", `"event_type":"TOOL_CALL_COMPLETED"`, `"event_details":{"status":"error"}`, AttrOutcome, OutcomeFailure},
		{"status where the sub-type says nothing", "CODEX_LOG", `"event_type":"PROMPT_SENT"`, `"event_details":{"status":"error"}`, AttrOutcome, OutcomeFailure},
		{"identity over actor", "COSTS", `"actor":{"user_id":"a"}`, `"payload":{"identity":{"user_id":"p"}}`, AttrUserID, "p"},
		{"actor without identity", "COSTS", `"actor":{"user_id":"a"}`, `"payload":{}`, AttrUserID, "a"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			for _, line := range []string{"{" + test.first + "," + test.second + "}", "{" + test.second + "," + test.first + "}"} {
				assert.Equal(t, test.want, mapOne(test.eventType, line).Attributes().AsRaw()[test.attr], line)
			}
		})
	}
}

// A model is named in three places of an agent's record.
func TestAgentModelPrecedence(t *testing.T) {
	tests := []struct{ fields, want string }{
		{`"model":"m","agent_fields":{"model":"a","model_spec":{"name":"s"}}`, "a"},
		{`"agent_fields":{"model_spec":{"name":"s"},"model":"a"},"model":"m"`, "a"},
		{`"model":"m","agent_fields":{"model":null,"model_spec":{"name":"s"}}`, "s"},
		{`"agent_fields":{"model_spec":{"name":"s"}},"model":"m"`, "s"},
		{`"model":"m","agent_fields":{"model":"","model_spec":null}`, "m"},
	}
	for _, test := range tests {
		record := mapOne("CUSTOM_AGENTS_LOG", `{"event_details":{`+test.fields+`}}`)
		assert.Equal(t, test.want, record.Attributes().AsRaw()[AttrRequestModel], test.fields)
	}
}

// An actor's id comes from the field that its type has.
func TestActor(t *testing.T) {
	tests := []struct {
		name, actor string
		want        map[string]any
	}{
		{"account user", `{"type":"ACCOUNT_USER","user_id":"user-1","user_email":"a@example.com"}`, map[string]any{AttrActorType: "ACCOUNT_USER", AttrUserID: "user-1", AttrUserEmail: "a@example.com"}},
		{"account user without email", `{"type":"ACCOUNT_USER","user_id":"user-1","user_email":null}`, map[string]any{AttrActorType: "ACCOUNT_USER", AttrUserID: "user-1"}},
		{"API key", `{"redacted_id":"sk-...RxIA","type":"API_KEY"}`, map[string]any{AttrActorType: "API_KEY", AttrActorID: "sk-...RxIA"}},
		{"agent, for its delegator", `{"type":"AGENT","id":"agt","name":"n","agent_runtime":{"delegator":{"user_id":"u","user_email":"u@example.com"}}}`, map[string]any{
			AttrActorType: "AGENT", AttrActorID: "agt", AttrActorName: "n", AttrUserID: "u", AttrUserEmail: "u@example.com", AttrActorDelegated: true,
		}},
		{"agent with a user of its own", `{"type":"AGENT","id":"agt","user_id":"own","agent_runtime":{"delegator":{"user_id":"u"}}}`, map[string]any{AttrActorType: "AGENT", AttrActorID: "agt", AttrUserID: "own"}},
		{"system", `{"type":"SYSTEM","id":"costs_compliance"}`, map[string]any{AttrActorType: "SYSTEM", AttrActorID: "costs_compliance"}},
		{"external user", `{"type":"EXTERNAL_COLLABORATION_USER","provider":"slack","provider_user_id":"U1"}`, map[string]any{AttrActorType: "EXTERNAL_COLLABORATION_USER", AttrActorID: "U1", AttrActorProvider: "slack"}},
		{"type never seen", `{"type":"ROBOT","serial":"9"}`, map[string]any{AttrActorType: "ROBOT"}},
		{"empty", `{}`, map[string]any{}},
		{"null", `null`, map[string]any{}},
		{"no object", `"SYSTEM"`, map[string]any{}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			for _, eventType := range []string{"AUTH_LOG", "CODEX_LOG", "A_TYPE_NEVER_SEEN"} {
				assert.Equal(t, test.want, fromLine(mapOne(eventType, `{"actor":`+test.actor+`}`)))
			}
		})
	}
}

// No attribute name is a dotted prefix of another: backends that nest by dots
// could not hold both.
func TestNoNameIsPrefixOfAnother(t *testing.T) {
	names := attributeNames(t)
	for name := range names {
		for other := range names {
			assert.False(t, strings.HasPrefix(other, name+"."), "%s is a prefix of %s", name, other)
		}
	}
	for name := range attributes {
		assert.True(t, names[name], "%s has no constant", name)
	}
	for name := range names {
		assert.Contains(t, attributes, name, "the catalog does not describe it")
	}
}

// attributeNames are the values of the constants Attr… in the source.
func attributeNames(t *testing.T) map[string]bool {
	t.Helper()
	file, err := parser.ParseFile(gotoken.NewFileSet(), "attributes.go", nil, 0)
	require.NoError(t, err)
	names := map[string]bool{}
	ast.Inspect(file, func(n ast.Node) bool {
		spec, ok := n.(*ast.ValueSpec)
		if !ok || !strings.HasPrefix(spec.Names[0].Name, "Attr") {
			return true
		}
		name, err := strconv.Unquote(spec.Values[0].(*ast.BasicLit).Value)
		require.NoError(t, err)
		names[name] = true
		return true
	})
	require.Greater(t, len(names), 25)
	return names
}

// TestSlotsFit: the attributes of every type fit into what a mapper keeps of a record.
func TestSlotsFit(t *testing.T) {
	for eventType := range types {
		assert.NotPanics(t, func() { NewMapper(sourceOf(eventType)) }, eventType)
	}
	assert.Panics(t, func() { newAttributeValues(make([]string, maxSlots+1)) })
}
