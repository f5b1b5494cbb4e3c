// Copyright The OpenTelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package record

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"
)

const canary = "CANARY"

// canaries are values of every JSON form that hold the canary.
var canaries = []string{
	`"CANARY"`, `"a CANARY in a text"`, `"\u0043ANARY"`, `"C\u0041NARY\n\"\\"`, `"\ud800CANARY"`, `["CANARY"]`, `[["x",{"CANARY":1}]]`,
	`{"CANARY":null}`, `{"a":{"b":"CANARY"}}`, `{"type":"text","value":"CANARY","id":"CANARY"}`, `[{"id":"CANARY","name":"CANARY"}]`,
}

// redactors are mappers of a type for every way of withholding content.
func redactors(eventType string) map[string]*Mapper {
	out := map[string]*Mapper{}
	for _, parsed := range []bool{false, true} {
		for name, content := range map[string]Content{
			"hmac":         {Mode: ContentHMAC, Key: []byte(testKey)},
			"drop":         {Mode: ContentDrop},
			"drop and key": {Mode: ContentDrop, Key: []byte(testKey)},
		} {
			source := sourceOf(eventType)
			source.Parsed, source.Content = parsed, content
			out[fmt.Sprintf("%s/parsed=%v", name, parsed)] = NewMapper(source)
		}
	}
	return out
}

// typeNames are all types that the tables know and two that they do not.
func typeNames() []string {
	out := []string{"CHATGPT_USER_ANALYTICS", "A_TYPE_NEVER_SEEN"}
	for eventType := range types {
		out = append(out, eventType)
	}
	slices.Sort(out)
	return out
}

// rootOf is the tree of a type.
func rootOf(eventType string) *node { return newTree(tableOf(eventType), nil).root }

// pathsOf returns the path of every place that a condition holds for, each element of a
// list written as [].
func pathsOf(n *node, at []string, is func(*node) bool) (paths [][]string) {
	if is(n) {
		paths = append(paths, slices.Clone(at))
	}
	for _, child := range n.children {
		paths = append(paths, pathsOf(child, append(at, child.key), is)...)
	}
	if n.element != nil {
		paths = append(paths, pathsOf(n.element, append(at, "[]"), is)...)
	}
	return paths
}

func contentPaths(n *node) [][]string {
	return pathsOf(n, nil, func(n *node) bool { return n.leaf && (n.form == formContent || n.form == formOpen) })
}

func objectPaths(n *node) [][]string {
	return pathsOf(n, nil, func(n *node) bool { return n.isObject() })
}

// at writes a JSON value at a path.
func at(path []string, value string) string {
	for _, key := range slices.Backward(path) {
		if key == "[]" {
			value = "[" + value + "]"
			continue
		}
		value = `{"event_id":"e-1","` + key + `":` + value + `}`
	}
	return value
}

// withoutCanary maps a line in every way of withholding, and checks that the
// canary is in no part of the record, that the record says so, and that a body
// that is text is JSON.
func withoutCanary(t *testing.T, redactors map[string]*Mapper, line string, wantMalformed int) {
	t.Helper()
	for name, mapper := range redactors {
		logs, malformed := mapLines(mapper, []byte(line))
		record := recordsOf(logs).At(0)
		require.Equal(t, wantMalformed, malformed, "%s: %s", name, line)
		require.NotContains(t, marshal(t, logs), canary, "%s: %s", name, line)
		require.NotContains(t, record.Body().AsString(), canary, "%s: %s", name, line)
		marked, _ := record.Attributes().Get(AttrContent)
		require.Equal(t, name[:4], marked.AsString(), "%s: %s", name, line)
		checkForm(t, record, name)
	}
}

func checkForm(t *testing.T, record plog.LogRecord, name string) {
	t.Helper()
	if strings.Contains(name, "parsed=true") {
		require.Equal(t, pcommon.ValueTypeMap, record.Body().Type())
		return
	}
	require.Equal(t, pcommon.ValueTypeStr, record.Body().Type())
	require.True(t, json.Valid([]byte(record.Body().Str())), "%s", record.Body().Str())
}

// No content of any type leaves, whatever its form.
func TestContentPathsAreWithheld(t *testing.T) {
	count := 0
	for _, eventType := range typeNames() {
		mappers := redactors(eventType)
		for _, path := range contentPaths(rootOf(eventType)) {
			count++
			for _, value := range canaries {
				withoutCanary(t, mappers, at(path, value), 0)
			}
		}
	}
	assert.Greater(t, count, 60)
}

// Keys that no table knows, and values that are not of their field's form, are
// withheld at any depth of any type.
func TestUnknownIsWithheld(t *testing.T) {
	for _, eventType := range typeNames() {
		mappers := redactors(eventType)
		for _, path := range objectPaths(rootOf(eventType)) {
			for _, member := range []string{
				`{"CANARY":1}`, `{"C\u0041NARY":null}`, `{"a.CANARY":{"x":[]}}`, `{"never_seen":"CANARY"}`, `{"never_seen":{"CANARY":{}}}`,
			} {
				withoutCanary(t, mappers, at(path, member), 0)
			}
			if len(path) > 0 {
				withoutCanary(t, mappers, at(path, `"CANARY"`), 0)
			}
		}
	}
}

// Where a table says integer, true or false, setting or text, no other form of
// value stays.
func TestUnfitIsWithheld(t *testing.T) {
	for _, test := range []struct{ eventType, line string }{
		{"CODEX_LOG", `{"event_details":{"token_usage":{"input_tokens":"CANARY"}}}`},
		{"CODEX_LOG", `{"event_details":{"model":["CANARY"]}}`},
		{"CODEX_LOG", `{"event_details":{"session_id":{"a":"CANARY"}}}`},
		{"CONVERSATION_MESSAGE", `{"conversation":{"is_pinned":"CANARY"}}`},
		{"CONVERSATION_MESSAGE", `{"message":{"files":["CANARY"]}}`},
		{"CONVERSATION_MESSAGE", `{"message":{"author":{"tools_used":[["CANARY"]]}}}`},
		{"AUDIT_LOG", `{"action_data":{"value":"a CANARY"}}`},
		{"AUDIT_LOG", `{"action_data":{"value":["CANARY"]}}`},
		{"AUDIT_LOG", `{"action":"a CANARY","action_data":{"changed_fields":["a CANARY"]}}`},
		{"AUDIT_LOG", `{"action_data":{"action_policy":{"a CANARY":1}}}`},
		{"AUDIT_LOG", `{"action_data":{"action_policy":["` + strings.Repeat(`a","`, maxTokens/4) + `CANARY"]}}`},
		{"AUDIT_LOG", `{"action":"` + strings.Repeat("a", maxToken) + `CANARY"}`},
		{"CODEX_LOG", `{"event_details":{"site_url":"https://example.com/` + strings.Repeat("a", maxURL) + `CANARY"}}`},
		{"AUDIT_LOG", `{"action_data":{"since_timestamp":"CANARY!"}}`},
		{"AUTH_LOG", `{"timestamp":"CANARY"}`},
		{"AUTH_LOG", `{"timestamp":"2026-08-02 CANARY"}`},
		{"AUTH_LOG", `{"request_metadata":{"client_ip_details":{"latitude":"CANARY","longitude":"1 CANARY"}}}`},
		{"COSTS", `{"payload":{"day":"CANARY","measures":{"billing":[{"cost":{"value":"CANARY","unit":"a CANARY"}}]}}}`},
		{"CODEX_LOG", `{"event_details":{"status":"a CANARY","expires_at":"CANARY","site_url":"https://example.com/CANARY"}}`},
		{"CODEX_LOG", `{"event_details":{"site_url":"https://CANARY@example.com/"}}`},
		{"CODEX_SECURITY_LOG", `{"event_details":{"pr_url":"git@example.com:CANARY","scan_configuration_fields":{"repo_url":"https://example.com?CANARY"}}}`},
		{"AUDIT_LOG", `{"action_data":{"domains":[{"a":"CANARY"}]}}`},
	} {
		withoutCanary(t, redactors(test.eventType), test.line, 0)
	}
}

// A line with a repeated key, at any depth of what is read, gives its length and
// digest alone: a reader behind us might take the other value.
func TestDuplicateKeysAreWithheld(t *testing.T) {
	members := make([]string, 100)
	for i := range members {
		members[i] = fmt.Sprintf(`"k%d":{"k1":0}`, i)
	}
	many := strings.Join(members, ",")
	for _, eventType := range typeNames() {
		mappers := redactors(eventType)
		for _, path := range objectPaths(rootOf(eventType)) {
			for _, member := range []string{
				`{"id":"x","id":"CANARY"}`, `{"id":"CANARY","id":"x"}`, `{"id":"x","\u0069d":"CANARY"}`, `{"type":"CANARY","x":1,"type":{"type":1}}`,
				`{"CANARY":1,"CANARY":2}`, `{"CANARY":1,` + many + `,"CANARY":2}`, `{"x":"CANARY",` + many + `,"k99":2}`,
			} {
				withoutCanary(t, mappers, at(path, member), 1)
			}
		}
	}
}

// A line that cannot be read gives its length and digest alone: every sample cut
// at many bytes, and other ways to be broken.
func TestBrokenLinesAreWithheld(t *testing.T) {
	for eventType, lines := range samples(t) {
		mappers := redactors(eventType)
		for _, line := range lines {
			for end := 1; end < len(line); end += 53 {
				withoutCanary(t, mappers, string(line[:end]), 1)
			}
			withoutCanary(t, mappers, string(line)+"\xff", 1)
			withoutCanary(t, mappers, string(line)+string(line), 1)
			withoutCanary(t, mappers, "["+string(line)+"]", 1)
		}
		for _, line := range []string{canary, `"CANARY"`, `{"CANARY`, "\x00CANARY", "C\x00A\x00N\x00A\x00R\x00Y\x00", `{"a":"CANARY",}`} {
			withoutCanary(t, mappers, line, 1)
		}
	}
}

// The samples hold the canary in all their content, and keep the rest.
func TestSamplesAreWithheld(t *testing.T) {
	for eventType, lines := range samples(t) {
		for name, mapper := range redactors(eventType) {
			for _, line := range lines {
				logs, malformed := mapLines(mapper, line)
				require.Zero(t, malformed)
				require.NotContains(t, marshal(t, logs), canary, "%s: %s", name, line)
				_, marked := recordsOf(logs).At(0).Attributes().Get(AttrContent)
				if strings.Contains(string(line), canary) {
					assert.True(t, marked, "%s: %s", name, line)
				}
				if !marked && strings.Contains(name, "parsed=false") {
					assert.Equal(t, string(line), recordsOf(logs).At(0).Body().Str())
				}
			}
		}
	}
}

// Attributes come only from fields that stay when content is withheld, and of their form,
// so that they need no rule of their own. No path has two forms.
func TestAttributesComeFromKeptFields(t *testing.T) {
	for _, eventType := range typeNames() {
		forms := map[string]form{}
		for _, f := range tableOf(eventType) {
			known, seen := forms[f.path]
			assert.True(t, !seen || known == f.form, "%s: %s has two forms", eventType, f.path)
			forms[f.path] = f.form
			if len(f.to) > 0 {
				assert.NotContains(t, []form{formContent, formOpen}, f.form, "%s: %s", eventType, f.path)
			}
			for _, to := range f.to {
				_, described := attributes[to.attr]
				assert.True(t, described || isInternal(to.attr), "%s: %s is not in the catalog", f.path, to.attr)
			}
		}
	}
}

// Equal texts have equal digests, whatever their escapes and wherever they are;
// another key gives others; the digest is plain HMAC-SHA-256.
func TestDigestsCorrelate(t *testing.T) {
	digest := func(eventType, line, key string) string {
		source := sourceOf(eventType)
		source.Parsed, source.Content = true, Content{Mode: ContentHMAC, Key: []byte(key)}
		logs, _ := mapLines(NewMapper(source), []byte(line))
		body := marshal(t, logs)
		_, after, found := strings.Cut(body, HMACPrefix)
		require.True(t, found, body)
		return after[:64]
	}
	prompt := digest("CODEX_LOG", `{"event_details":{"prompt_text":"what do ya want for nothing?"}}`, testKey)
	assert.Equal(t, prompt, digest("CONVERSATION_MESSAGE", `{"message":{"content":{"value":"what do \u0079a want for nothing\u003f"}}}`, testKey))
	assert.NotEqual(t, prompt, digest("CODEX_LOG", `{"event_details":{"prompt_text":"what do ya want for nothing?"}}`, testKey+"2"))
	// RFC 4231, test case 2
	assert.Equal(t, "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843",
		digest("CODEX_LOG", `{"event_details":{"prompt_text":"what do ya want for nothing?"}}`, "Jefe"))
}

// What a withheld record looks like: the form of the line with replacements, the
// number of unknown members, and nothing changed where nothing is withheld.
func TestWithheldForm(t *testing.T) {
	const line = `{"event_id":"1", "never": {"x":1}, "event_details":{"prompt_text":"secret","response_text":"","model":"gpt-5","token_usage":{"input_tokens":"12","output_tokens":1.5},"tool_input":null}}`
	mapper := redactors("CODEX_LOG")["drop/parsed=false"]
	logs, _ := mapLines(mapper, []byte(line))
	const want = `{"event_id":"1","event_details":{"prompt_text":"withheld","response_text":"","model":"gpt-5","token_usage":{"input_tokens":"12","output_tokens":"withheld"},"tool_input":null},"withheld":1}`
	assert.True(t, want == recordsOf(logs).At(0).Body().Str(), recordsOf(logs).At(0).Body().Str()) //nolint:testifylint // the bytes, not their meaning
	parsed, _ := mapLines(redactors("CODEX_LOG")["drop/parsed=true"], []byte(line))
	assert.Equal(t, map[string]any{
		"event_id": "1", "withheld": int64(1), "event_details": map[string]any{
			"prompt_text": "withheld", "response_text": "", "model": "gpt-5",
			"token_usage": map[string]any{"input_tokens": int64(12), "output_tokens_mismatch": "withheld"},
		},
	}, recordsOf(parsed).At(0).Body().Map().AsRaw())

	clean := []byte(` {"event_details" : {"model":"gpt\u002d5"}} `)
	logs, _ = mapLines(mapper, clean)
	assert.Equal(t, string(clean), recordsOf(logs).At(0).Body().Str())
	assert.NotContains(t, recordsOf(logs).At(0).Attributes().AsRaw(), AttrContent)
}

// What cannot be read carries its length, and its digest with a key.
func TestUnreadForm(t *testing.T) {
	mappers := redactors("AUTH_LOG")
	body := func(name string) any {
		logs, malformed := mapLines(mappers[name], []byte("what do ya want for nothing?"))
		require.Equal(t, 1, malformed)
		record := recordsOf(logs).At(0)
		assert.Equal(t, true, record.Attributes().AsRaw()[AttrMalformed])
		assert.Equal(t, "file-01:1", uidOf(record))
		return record.Body().AsRaw()
	}
	assert.Equal(t, `{"length":28}`, body("drop/parsed=false"))
	assert.Equal(t, map[string]any{"length": int64(28)}, body("drop/parsed=true"))
	withKey := body("drop and key/parsed=true").(map[string]any)
	assert.Equal(t, int64(28), withKey["length"])
	assert.Regexp(t, "^hmac-sha256:[0-9a-f]{64}$", withKey["hmac"])
	assert.JSONEq(t, fmt.Sprintf(`{"length":28,"hmac":%q}`, withKey["hmac"]), body("hmac/parsed=false").(string))
}
