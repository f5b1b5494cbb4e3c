// Copyright The OpenTelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package record

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"go.opentelemetry.io/collector/pdata/pcommon"
)

// parsedBody maps one line with a parsed body.
func parsedBody(t *testing.T, eventType, line string) map[string]any {
	t.Helper()
	source := sourceOf(eventType)
	source.Parsed = true
	logs, malformed := mapLines(NewMapper(source), []byte(line))
	require.Zero(t, malformed, line)
	return recordsOf(logs).At(0).Body().Map().AsRaw()
}

// Integers and amounts are exact; what is not of its field's form lies beside it;
// null is left out; fields that no table knows are text.
func TestParsedValues(t *testing.T) {
	event := func(details string) string { return `{"event_details":{` + details + `}}` }
	amount := func(value string) string {
		return `{"payload":{"measures":{"billing":[{"cost":{"value":` + value + `}}]}}}`
	}
	tokens := func(key string, value any) map[string]any {
		return map[string]any{"event_details": map[string]any{"token_usage": map[string]any{key: value}}}
	}
	cost := func(value string) map[string]any {
		return map[string]any{"payload": map[string]any{"measures": map[string]any{"billing": []any{map[string]any{"cost": map[string]any{"value": value}}}}}}
	}
	data := func(key string, value any) map[string]any {
		return map[string]any{"action_data": map[string]any{key: value}}
	}
	tests := []struct {
		eventType, line string
		want            map[string]any
	}{
		{"CODEX_LOG", event(`"token_usage":{"input_tokens":9007199254740993}`), tokens("input_tokens", int64(9007199254740993))},
		{"CODEX_LOG", event(`"token_usage":{"input_tokens":"9007199254740993"}`), tokens("input_tokens", int64(9007199254740993))},
		{"CODEX_LOG", event(`"token_usage":{"input_tokens":9223372036854775808}`), tokens("input_tokens_mismatch", "9223372036854775808")},
		{"CODEX_LOG", event(`"token_usage":{"input_tokens":1.5}`), tokens("input_tokens_mismatch", "1.5")},
		{"CODEX_LOG", event(`"token_usage":{"input_tokens":1e3}`), tokens("input_tokens_mismatch", "1e3")},
		{"CODEX_LOG", event(`"token_usage":{"input_tokens":{"n":1}}`), tokens("input_tokens_mismatch", `{"n":1}`)},
		{"CODEX_LOG", event(`"token_usage":{"input_tokens":null}`), map[string]any{"event_details": map[string]any{"token_usage": map[string]any{}}}},
		{"CODEX_LOG", event(`"token_usage":17`), map[string]any{"event_details": map[string]any{"token_usage_mismatch": "17"}}},
		{"CODEX_LOG", `{"a.b":1,"":2,"event.type":3,"never":{"seen":[1, 2]},"n":9007199254740993.10}`, map[string]any{
			"_other": `{"a.b":1,"":2,"event.type":3}`, "never": `{"seen":[1, 2]}`, "n": "9007199254740993.10",
		}},
		{"CODEX_LOG", event(`"session_id":17,"model":"gpt-5"`), map[string]any{"event_details": map[string]any{"session_id": "17", "model": "gpt-5"}}},
		{"COSTS", amount(`0.10000000000000000001`), cost("0.10000000000000000001")},
		{"COSTS", amount(`12.50`), cost("12.50")},
		{"COSTS", amount(`12`), cost("12")},
		{"COSTS", amount(`"12.5"`), cost("12.5")},
		{"COSTS", `{"payload":{"measures":{"billing":["x",null,{}]}}}`, map[string]any{"payload": map[string]any{"measures": map[string]any{"billing": []any{
			map[string]any{"mismatch": "x"}, map[string]any{}, map[string]any{},
		}}}}},
		{"AUDIT_LOG", `{"action_data":{"value":true}}`, data("value", "true")},
		{"AUDIT_LOG", `{"action_data":{"value":"on"}}`, data("value", "on")},
		{"AUDIT_LOG", `{"action_data":{"overage_limit_credits":500}}`, data("overage_limit_credits", "500")},
		{"AUDIT_LOG", `{"action_data":{"overage_limit_credits":"unlimited"}}`, data("overage_limit_credits", "unlimited")},
		{"AUDIT_LOG", `{"action_data":{"event_type":"AUDIT_LOG"}}`, data("event_type", []any{"AUDIT_LOG"})},
		{"AUDIT_LOG", `{"action_data":{"event_type":["AUDIT_LOG","AUTH_LOG",null]}}`, data("event_type", []any{"AUDIT_LOG", "AUTH_LOG", "null"})},
		{"AUDIT_LOG", `{"action_data":{"domains":null}}`, map[string]any{"action_data": map[string]any{}}},
		{"AUDIT_LOG", `{"action_data":{"expires_at":1785666000}}`, data("expires_at", int64(1785666000))},
		{"AUDIT_LOG", `{"action_data":{"expires_at":"2026-08-02"}}`, data("expires_at_mismatch", "2026-08-02")},
		{"AUDIT_LOG", `{"action_data":{"changed_fields_by_connector":{"connector_1":["enabled"]}}}`, data("changed_fields_by_connector", `{"connector_1":["enabled"]}`)},
		{"APP_LOG", `{"input":{"query":"x","n":1}}`, map[string]any{"input": `{"query":"x","n":1}`}},
		{"CONVERSATION_MESSAGE", `{"message":{"content":{"value":"a\u00e4\ud83d\ude42\ud800"}}}`, map[string]any{"message": map[string]any{"content": map[string]any{"value": "aä🙂\ufffd"}}}},
		{"CONVERSATION_MESSAGE", `{"conversation":{"is_pinned":"yes","is_temporary_chat":true}}`, map[string]any{"conversation": map[string]any{"is_pinned_mismatch": "yes", "is_temporary_chat": true}}},
		{"A_TYPE_NEVER_SEEN", `{"event_id":"1","actor":{"type":"X"},"payload":{"n":1}}`, map[string]any{"event_id": "1", "actor": map[string]any{"type": "X"}, "payload": `{"n":1}`}},
		{"AUTH_LOG", `{"event_id":"first","event_id":"last"}`, map[string]any{"event_id": "last"}},
	}
	for _, test := range tests {
		t.Run(test.eventType+test.line, func(t *testing.T) {
			assert.Equal(t, test.want, parsedBody(t, test.eventType, test.line))
		})
	}
}

// Keys that look alike in a backend are all kept, whatever their order: what needs
// another name than its own stands under its exact key in one JSON text.
func TestParsedKeysShareNoPlace(t *testing.T) {
	for line, want := range map[string]map[string]any{
		`{"a.b":1,"a_b":2}`:                           {"_other": `{"a.b":1}`, "a_b": "2"},
		`{"a_b":2,"a.b":1}`:                           {"_other": `{"a.b":1}`, "a_b": "2"},
		`{"":1,"_":2}`:                                {"_other": `{"":1}`, "_": "2"},
		`{"event.id":1,"event_id":"e"}`:               {"_other": `{"event.id":1}`, "event_id": "e"},
		`{"event.id":1,"event_id_mismatch":2}`:        {"_other": `{"event.id":1,"event_id_mismatch":2}`},
		`{"_other":"x","a.b":1,"_mismatch":3}`:        {"_other": `{"_other":"x","a.b":1,"_mismatch":3}`},
		`{"principal":1,"principal_mismatch":"mine"}`: {"_other": `{"principal_mismatch":"mine"}`, "principal_mismatch": "1"},
	} {
		assert.Equal(t, want, parsedBody(t, "AUTH_LOG", line), line)
	}
}

// Nothing of a sample is lost in a parsed body but null.
func TestParsedBodyIsComplete(t *testing.T) {
	for eventType, lines := range samples(t) {
		for _, line := range lines {
			body := parsedBody(t, eventType, string(line))
			text := fmt.Sprint(body)
			text += fmt.Sprint(opened(body))
			for _, word := range leaves(t, line) {
				assert.Contains(t, text, word, "%s: %s", eventType, line)
			}
		}
	}
}

// One path of a body has one type, whatever values come: over the samples, with
// each value swapped for every other form, and with keys from other places.
func TestParsedTypesByPath(t *testing.T) {
	forms := []string{`"text"`, `""`, `"17"`, `17`, `1.5`, `1e400`, `true`, `null`, `[]`, `["a",1,null,{}]`, `{}`, `{"a":{"b":[1]}}`, `[{"id":1}]`}
	rng := rand.New(rand.NewPCG(3, 4))
	for _, eventType := range typeNames() {
		source := sourceOf(eventType)
		source.Parsed = true
		mapper, types, count := NewMapper(source), map[string]pcommon.ValueType{}, 0
		for _, path := range everyPath(rootOf(eventType)) {
			for _, form := range forms {
				names := []string{"input_tokens", "type", "event.type", "hour_mismatch", "", "withheld", "_other"}
				stray := fmt.Sprintf(`{%q:%s}`, names[rng.IntN(len(names))], forms[rng.IntN(len(forms))])
				for _, line := range []string{at(path, form), at(path, stray)} {
					if !strings.HasPrefix(line, "{") {
						continue
					}
					logs, malformed := mapLines(mapper, []byte(line))
					require.Zero(t, malformed, line)
					checkTypes(t, types, "", recordsOf(logs).At(0).Body(), line)
					count++
				}
			}
		}
		assert.Greater(t, count, 500, eventType)
	}
}

// everyPath returns the paths of all fields.
func everyPath(n *node) [][]string { return pathsOf(n, nil, func(*node) bool { return true }) }

func checkTypes(t *testing.T, types map[string]pcommon.ValueType, path string, value pcommon.Value, line string) {
	t.Helper()
	if known, seen := types[path]; seen {
		require.Equal(t, known, value.Type(), "%s in %s", path, line)
	}
	types[path] = value.Type()
	switch value.Type() {
	case pcommon.ValueTypeMap:
		for key, member := range value.Map().All() {
			require.NotEmpty(t, key)
			require.NotContains(t, key, ".")
			checkTypes(t, types, path+"."+key, member, line)
		}
	case pcommon.ValueTypeSlice:
		for _, element := range value.Slice().All() {
			checkTypes(t, types, path+".[]", element, line)
		}
	case pcommon.ValueTypeStr, pcommon.ValueTypeInt, pcommon.ValueTypeBool:
	default:
		require.Fail(t, "a value has the type "+value.Type().String(), line)
	}
}

// leaves returns the texts of all strings and numbers in a line.
func leaves(t *testing.T, line []byte) (texts []string) {
	t.Helper()
	var walk func(value any)
	walk = func(value any) {
		switch value := value.(type) {
		case map[string]any:
			for _, member := range value {
				walk(member)
			}
		case []any:
			for _, element := range value {
				walk(element)
			}
		case string:
			texts = append(texts, value)
		case json.Number:
			texts = append(texts, value.String())
		}
	}
	walk(decodeLine(t, line))
	return texts
}

// However many members nobody knows, none is lost, and the body stays small in
// number: the first 256 have places of their own, the rest is one text.
func TestParsedManyUnknownMembers(t *testing.T) {
	members := make([]string, 50_000)
	for i := range members {
		members[i] = fmt.Sprintf(`"k\u002d%d":{"n":%d}`, i, i)
	}
	body := parsedBody(t, "AUTH_LOG", `{"action_data":{`+strings.Join(members, ",")+`,"action":"login_success"}}`)
	data := body["action_data"].(map[string]any)
	assert.Equal(t, "login_success", data["action"])
	assert.Len(t, data, 256+2)
	assert.Equal(t, `{"n":255}`, data["k-255"])
	var rest map[string]map[string]int
	require.NoError(t, json.Unmarshal([]byte(data["_other"].(string)), &rest))
	assert.Len(t, rest, 50_000-256)
	assert.Equal(t, 49_999, rest["k-49999"]["n"])
}

// A line that cannot be read is exact in the body of a parsing receiver too.
func TestParsedMalformed(t *testing.T) {
	source := sourceOf("AUTH_LOG")
	source.Parsed = true
	for _, line := range []string{head, "[1]", "\xff", `{"a":1}x`} {
		logs, malformed := mapLines(NewMapper(source), []byte(line))
		assert.Equal(t, 1, malformed)
		checkRaw(t, line, recordsOf(logs).At(0))
	}
}
