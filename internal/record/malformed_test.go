// Copyright The OpenTelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package record

import (
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"
)

// head is a record's beginning whose fields must not come out of a broken line.
const head = `{"event_id":"e-1","timestamp":"2026-08-02T09:14:55Z","actor":{"type":"SYSTEM","id":"x"},"action_data":{"action":"login_success"}`

// nested is a record whose deepest value lies depth levels down.
func nested(depth int) string {
	return head + `,"deep":` + strings.Repeat("[", depth-1) + strings.Repeat("]", depth-1) + `}`
}

// checkRaw checks that a line came through as it is, marked, with nothing taken
// from it.
func checkRaw(t *testing.T, line string, record plog.LogRecord) {
	t.Helper()
	assert.Equal(t, "openai.compliance.auth_log", record.EventName())
	assert.Equal(t, plog.SeverityNumberWarn, record.SeverityNumber())
	assert.Empty(t, record.SeverityText())
	assert.Zero(t, record.Timestamp())
	assert.Equal(t, observed, record.ObservedTimestamp().AsTime())
	assert.Equal(t, map[string]any{
		"openai.compliance.event.type": "AUTH_LOG", "openai.compliance.file.id": "file-01", "openai.compliance.file.line": int64(1),
		"openai.compliance.file.sha256": "9f86d081884c7d65", "log.file.name": "auth.jsonl", "log.record.uid": "file-01:1",
		"openai.compliance.malformed": true,
	}, record.Attributes().AsRaw())
	checkBody(t, line, record.Body())
}

// checkBody checks that a body is the exact line: a string where that is one,
// else bytes.
func checkBody(t *testing.T, line string, body pcommon.Value) {
	t.Helper()
	if utf8.ValidString(line) {
		require.Equal(t, pcommon.ValueTypeStr, body.Type())
		assert.True(t, line == body.Str(), "body differs from the line") //nolint:testifylint // a diff of 10,000 brackets helps nobody
		return
	}
	require.Equal(t, pcommon.ValueTypeBytes, body.Type())
	assert.Equal(t, []byte(line), body.Bytes().AsRaw())
}

// A line that is not one whole JSON object in UTF-8 is delivered raw and marked.
func TestMalformedLines(t *testing.T) {
	tests := []struct{ name, line string }{
		{"cut in the middle", head},
		{"cut in a string", `{"event_id":"e-1","timestamp":"2026`},
		{"bare brace", `{`},
		{"empty", ``},
		{"blank", ` `},
		{"words", `Internal Server Error`},
		{"HTML", `<html></html>`},
		{"array", `[` + head + `}]`},
		{"number", `17`},
		{"string", `"event_id"`},
		{"null", `null`},
		{"true", `true`},
		{"two documents", head + `}` + head + `}`},
		{"two documents with a space", head + `} ` + head + `}`},
		{"trailing comma", head + `},`},
		{"trailing brace", head + `}}`},
		{"trailing letter", head + `} x`},
		{"trailing NUL", head + "}\x00"},
		{"trailing quote", head + `}"`},
		{"missing key", `{:1,` + head[1:] + `}`},
		{"missing key at the end", head + `,:1}`},
		{"missing key one level down", head + `,"a":{:1}}`},
		{"key without quotes", head + `,a:1}`},
		{"key in single quotes", head + `,'a':1}`},
		{"key that is a number", head + `,1:1}`},
		{"comma before the closing brace", head + `,}`},
		{"missing colon", head + `,"a" 1}`},
		{"missing value", head + `,"a":}`},
		{"missing comma", head + ` "a":1}`},
		{"missing value in a field we read", head + `,"actor":{"type":}}`},
		{"leading zero", head + `,"a":01}`},
		{"leading plus", head + `,"a":+1}`},
		{"bare minus", head + `,"a":-}`},
		{"dot at the end", head + `,"a":1.}`},
		{"bare exponent", head + `,"a":1e}`},
		{"NaN", head + `,"a":NaN}`},
		{"bad number in a field we read", head + `,"actor":{"type":1.2.3}}`},
		{"bad word", head + `,"a":nul}`},
		{"line feed in a string", head + ",\"a\":\"x\ny\"}"},
		{"NUL in a string", head + ",\"a\":\"x\x00y\"}"},
		{"bad escape", head + `,"a":"\x41"}`},
		{"short escape", head + `,"a":"\u12"}`},
		{"bad escape in a field we read", head + `,"actor":{"type":"\x41"}}`},
		{"bad escape in a key", head + `,"\x41":1}`},
		{"depth 10001 in arrays", nested(10001)},
		{"depth 10001 in objects", strings.Repeat(`{"a":`, 10001) + `1` + strings.Repeat(`}`, 10001)},
		{"depth 1000000", nested(1_000_000)},
		{"Latin-1", head + ",\"a\":\"Z\xfcrich\"}"},
		{"invalid UTF-8 in a field we read", head + ",\"actor\":{\"type\":\"\xff\"}}"},
		{"invalid UTF-8 in a key", head + ",\"\xff\":1}"},
		{"invalid UTF-8 after the object", head + "}\xff"},
		{"overlong UTF-8", head + ",\"a\":\"\xc0\xaf\"}"},
		{"a surrogate in UTF-8", head + ",\"a\":\"\xed\xa0\x80\"}"},
		{"UTF-16", "\xff\xfe{\x00}\x00"},
		{"BOM before an array", "\xef\xbb\xbf[]"},
		{"BOM alone", "\xef\xbb\xbf"},
		{"two BOMs", "\xef\xbb\xbf\xef\xbb\xbf" + head + "}"},
		{"BOM behind the object", head + "}\xef\xbb\xbf"},
		{"no-break space before the object", "\u00a0" + head + "}"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			logs, malformed := mapLines(NewMapper(sourceOf("AUTH_LOG")), []byte(test.line))
			assert.Equal(t, 1, malformed)
			checkRaw(t, test.line, recordsOf(logs).At(0))
		})
	}
}

// A record cut at any byte is malformed, never half read.
func TestCutAtEveryByte(t *testing.T) {
	mapper := NewMapper(sourceOf("AUTH_LOG"))
	for _, line := range samples(t)["AUTH_LOG"] {
		for end := range line {
			logs, malformed := mapLines(mapper, line[:end])
			require.Equal(t, 1, malformed, "%s", line[:end])
			checkRaw(t, string(line[:end]), recordsOf(logs).At(0))
		}
	}
}

// Unusual lines that are JSON objects all the same are read in full, and their
// bodies stay exact.
func TestUnusualLines(t *testing.T) {
	tests := []struct{ name, line string }{
		{"BOM before the object", "\xef\xbb\xbf" + head + "}"},
		{"white space around", " \t\r\n" + head + "} \t\r\n"},
		{"white space inside", strings.NewReplacer(`":`, "\" :\t", `,"`, " ,\r\n \"").Replace(head) + "\t}"},
		{"depth 10000", nested(10000)},
		{"empty key", `{"":{"":1},` + head[1:] + `}`},
		{"escaped keys", strings.Replace(head, "event_id", `\u0065vent\u005fid`, 1) + `}`},
		{"lone high surrogate", head + `,"a":"\ud800"}`},
		{"lone low surrogate", head + `,"a":"\udc00x"}`},
		{"surrogates in a key", head + `,"\ud800\ud800":1}`},
		{"escaped NUL", head + `,"a":"\u0000"}`},
		{"NUL-like names", head + `,"actor.type":"no","event_details.model":1}`},
		{"large value", head + `,"a":"` + strings.Repeat("ä", 1<<20) + `"}`},
		{"huge number", head + `,"a":` + strings.Repeat("9", 5000) + `e99999}`},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			logs, malformed := mapLines(NewMapper(sourceOf("AUTH_LOG")), []byte(test.line))
			assert.Zero(t, malformed)
			record := recordsOf(logs).At(0)
			assert.Equal(t, "e-1", uidOf(record))
			assert.Equal(t, pcommon.Timestamp(1785662095_000000000), record.Timestamp())
			assert.Equal(t, map[string]any{
				AttrActorType: "SYSTEM", AttrActorID: "x", AttrAction: "login_success", AttrOutcome: "success",
			}, fromLine(record))
			checkBody(t, test.line, record.Body())
		})
	}
}

// Half a surrogate pair in a field we read becomes U+FFFD: attributes are valid
// UTF-8 always.
func TestLoneSurrogatesInAttributes(t *testing.T) {
	for _, escape := range []string{`\ud800`, `\udc00`, `\ud800\ud800`, `\udc00\ud800`, `\ud800A`, `\ud800\n`} {
		record := mapOne("AUTH_LOG", `{"event_id":"`+escape+`","action_data":{"auth_provider_name":"x`+escape+`"}}`)
		action := record.Attributes().AsRaw()[AttrAuthProvider].(string)
		assert.True(t, utf8.ValidString(action), escape)
		assert.True(t, strings.HasPrefix(action, "x\ufffd"), escape)
		assert.True(t, utf8.ValidString(uidOf(record)), escape)
	}
}

// A key that comes twice gives one value, and the line is whole.
func TestDuplicateKeys(t *testing.T) {
	record := mapOne("AUTH_LOG", `{"event_id":"first","event_id":"last","actor":{"type":"A"},"actor":{"type":"B"}}`)
	assert.Equal(t, "last", uidOf(record))
	assert.Equal(t, map[string]any{AttrActorType: "B"}, fromLine(record))
}

// Depth makes no difference to what a line is, in any kind of body: 10,000
// levels are read, one more is malformed, and none exhausts the stack.
func TestDepthInEveryBody(t *testing.T) {
	for name := range variants {
		for _, path := range []string{"deep", "event_details.prompt_text", "event_details.token_usage.input_tokens", "actor"} {
			for depth, want := range map[int]int{9990: 0, 10001: 1, 1_000_000: 1} {
				value := strings.Repeat("[", depth) + strings.Repeat("]", depth)
				_, malformed := mapLines(NewMapper(variant(name, "CODEX_LOG")), []byte(at(strings.Split(path, "."), value)))
				assert.Equal(t, want, malformed, "%s: %s, %d levels", name, path, depth)
			}
		}
	}
}
