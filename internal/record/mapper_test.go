// Copyright The OpenTelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package record

import (
	"bytes"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"
	"weak"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"
)

// Any scalar becomes a string attribute as its text; nothing else does.
func TestStringValues(t *testing.T) {
	tests := []struct {
		name, value string
		want        any
	}{
		{"text", `"gpt-5"`, "gpt-5"},
		{"escapes", `"g\u0070t\t\"5\" \ud83d\ude42"`, "gpt\t\"5\" 🙂"},
		{"number", `12.50`, "12.50"},
		{"number beyond 2^53", `9007199254740993`, "9007199254740993"},
		{"boolean", `true`, "true"},
		{"empty", `""`, nil},
		{"null", `null`, nil},
		{"array", `["gpt-5"]`, nil},
		{"object", `{"name":"gpt-5"}`, nil},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			record := mapOne("CODEX_LOG", `{"event_details":{"model":`+test.value+`}}`)
			assert.Equal(t, test.want, record.Attributes().AsRaw()[AttrRequestModel])
			assert.NotContains(t, record.Attributes().AsRaw(), AttrMalformed)
		})
	}
}

// Tokens are integers, exact up to the largest that an attribute holds; what is
// no integer is left out, never rounded.
func TestTokenValues(t *testing.T) {
	tests := []struct {
		name, value string
		want        any
	}{
		{"integer", `18234`, int64(18234)},
		{"zero", `0`, int64(0)},
		{"integer as a string", `"18234"`, int64(18234)},
		{"2^53 + 1", `9007199254740993`, int64(9007199254740993)},
		{"2^53 + 1 as a string", `"9007199254740993"`, int64(9007199254740993)},
		{"largest", `9223372036854775807`, int64(9223372036854775807)},
		{"larger", `9223372036854775808`, nil},
		{"fraction", `1.5`, nil},
		{"exponent", `1e3`, nil},
		{"text", `"many"`, nil},
		{"empty", `""`, nil},
		{"null", `null`, nil},
		{"boolean", `true`, nil},
		{"array", `[1]`, nil},
		{"object", `{"value":1}`, nil},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			line := fmt.Sprintf(`{"event_details":{"token_usage":{"input_tokens":%[1]s,"output_tokens":%[1]s}}}`, test.value)
			attrs := mapOne("CODEX_LOG", line).Attributes().AsRaw()
			assert.Equal(t, test.want, attrs[AttrInputTokens])
			assert.Equal(t, test.want, attrs[AttrOutputTokens])
			assert.NotContains(t, attrs, AttrMalformed)
		})
	}
}

// Amounts keep the digits that the line has, as text.
func TestAmountsAreExact(t *testing.T) {
	for value, want := range map[string]any{
		`0.10000000000000000001`: "0.10000000000000000001", `12.50`: "12.50", `3`: "3", `1e-7`: "1e-7", `"1.250"`: "1.250",
		`9007199254740993.07`: "9007199254740993.07", `null`: nil, `{"value":1}`: nil,
	} {
		attrs := mapOne("CODEX_TURN", fmt.Sprintf(`{"payload":{"cost_usd":%[1]s,"estimated_cost_usd":%[1]s,"credits":%[1]s}}`, value)).Attributes().AsRaw()
		for _, name := range []string{"openai.compliance.cost.usd", "openai.compliance.cost.estimated_usd", "openai.compliance.cost.credits"} {
			assert.Equal(t, want, attrs[name], value)
		}
	}
}

// A time that cannot be read, or that a Timestamp cannot hold, leaves it 0 and
// the rest of the record complete.
func TestTimestamp(t *testing.T) {
	tests := []struct {
		name, value string
		want        pcommon.Timestamp
	}{
		{"whole seconds", `"2026-08-02T09:14:55Z"`, 1785662095_000000000},
		{"microseconds", `"2026-08-02T09:14:55.018220Z"`, 1785662095_018220000},
		{"nanoseconds", `"2026-08-02T09:14:55.123456789Z"`, 1785662095_123456789},
		{"with an offset", `"2026-08-02T11:14:55+02:00"`, 1785662095_000000000},
		{"offset without colon", `"2026-08-02T11:14:55+0200"`, 1785662095_000000000},
		{"a blank for T and before the offset", `"2026-08-02 09:14:55.5 +00:00"`, 1785662095_500000000},
		{"lower case", `"2026-08-02t09:14:55z"`, 1785662095_000000000},
		{"leap second", `"2026-08-02T09:14:60Z"`, 1785662100_000000000},
		{"white space around", `" 2026-08-02T09:14:55Z "`, 1785662095_000000000},
		{"words", `"yesterday"`, 0},
		{"words as long as a time", `"yesterday evening, or later"`, 0},
		{"no zone", `"2026-08-02T09:14:55"`, 0},
		{"no such month", `"2026-13-02T09:14:55Z"`, 0},
		{"epoch seconds", `1785662095`, 0},
		{"empty", `""`, 0},
		{"null", `null`, 0},
		{"object", `{"t":1}`, 0},
		{"before 1970", `"1969-12-31T23:59:59Z"`, 0},
		{"year 1", `"0001-01-01T00:00:00Z"`, 0},
		{"year 9999", `"9999-12-31T23:59:59Z"`, 0},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			line := `{"event_id":"id-1","timestamp":` + test.value + `,"action_data":{"action":"login_success"},"actor":{"type":"SYSTEM"}}`
			record := mapOne("AUTH_LOG", line)
			assert.Equal(t, test.want, record.Timestamp())
			assert.Equal(t, test.want == 0, record.Attributes().AsRaw()[AttrNoTimestamp] == true)
			assert.Equal(t, observed, record.ObservedTimestamp().AsTime())
			assert.Equal(t, "id-1", uidOf(record))
			assert.Equal(t, map[string]any{AttrAction: "login_success", AttrOutcome: "success", AttrActorType: "SYSTEM"}, fromLine(record))
			assert.Equal(t, plog.SeverityNumberInfo, record.SeverityNumber())
			assert.Equal(t, line, record.Body().Str())
		})
	}
}

// A row of costs without a readable time has the end of its hour.
func TestTimestampOfAnHour(t *testing.T) {
	for hour, want := range map[string]string{`9`: "2026-08-02T09:59:59Z", `"23"`: "2026-08-02T23:59:59Z", `24`: "1970-01-01T00:00:00Z", `-1`: "1970-01-01T00:00:00Z", `null`: "1970-01-01T00:00:00Z"} {
		record := mapOne("COSTS", `{"timestamp":"soon","payload":{"day":"2026-08-02","hour":`+hour+`}}`)
		assert.Equal(t, want, record.Timestamp().AsTime().Format(time.RFC3339), hour)
		assert.Equal(t, record.Timestamp() == 0, record.Attributes().AsRaw()[AttrNoTimestamp] == true, hour)
	}
	record := mapOne("COSTS", `{"timestamp":"2026-08-02T09:14:55Z","payload":{"day":"2026-08-02","hour":12}}`)
	assert.Equal(t, pcommon.Timestamp(1785662095_000000000), record.Timestamp())
}

// A record without an event id is known by its file and line.
func TestUIDFallsBackToFileAndLine(t *testing.T) {
	tests := []struct{ line, want string }{
		{`{"event_id":"e-1"}`, "e-1"},
		{`{"event_id":42}`, "42"},
		{`{}`, "file-01:7"},
		{`{"event_id":""}`, "file-01:7"},
		{`{"event_id":null}`, "file-01:7"},
		{`{"event_id":{"id":"e-1"}}`, "file-01:7"},
		{`{"event":{"event_id":"e-1"}}`, "file-01:7"},
	}
	for _, test := range tests {
		logs, malformed := NewMapper(sourceOf("AUTH_LOG")).Map(testFile, []Line{{Number: 7, Text: []byte(test.line)}}, observed)
		assert.Zero(t, malformed, test.line)
		assert.Equal(t, test.want, uidOf(recordsOf(logs).At(0)), test.line)
		assert.Equal(t, int64(7), recordsOf(logs).At(0).Attributes().AsRaw()[AttrFileLine])
	}
}

// A file without a name gives no log.file.name, rather than an empty one.
func TestFileWithoutName(t *testing.T) {
	logs, _ := NewMapper(sourceOf("AUTH_LOG")).Map(File{ID: "f", SHA256: "00"}, []Line{{Number: 1, Text: []byte(`{}`)}}, observed)
	assert.NotContains(t, recordsOf(logs).At(0).Attributes().AsRaw(), AttrFileName)
}

// A type that no table knows has its envelope.
func TestTypeNeverSeen(t *testing.T) {
	record := mapOne("A_TYPE_NEVER_SEEN", `{"event_id":"e-1","timestamp":"2026-08-02T09:14:55Z","actor":{"type":"SYSTEM","id":"x"},`+
		`"request_metadata":{"client_ip":"203.0.113.7"},"action":"A","event_type":"B","event_details":{"model":"m"}}`)
	assert.Equal(t, "openai.compliance.a_type_never_seen", record.EventName())
	assert.Equal(t, "e-1", uidOf(record))
	assert.Equal(t, pcommon.Timestamp(1785662095_000000000), record.Timestamp())
	assert.Equal(t, map[string]any{AttrActorType: "SYSTEM", AttrActorID: "x", AttrClientAddress: "203.0.113.7"}, fromLine(record))
}

// What one line holds does not leak into the next line's record.
func TestLinesAreIndependent(t *testing.T) {
	full := samples(t)["AUTH_LOG"][0]
	mapper := NewMapper(sourceOf("AUTH_LOG"))
	logs, malformed := mapLines(mapper, full, []byte(`{}`), full[:len(full)-1], []byte(`{}`), full)
	assert.Equal(t, 1, malformed)
	require.Equal(t, 5, recordsOf(logs).Len())
	first, _ := mapLines(NewMapper(sourceOf("AUTH_LOG")), full)
	want := fromLine(recordsOf(first).At(0))
	assert.Equal(t, want, fromLine(recordsOf(logs).At(0)))
	for i, uid := range map[int]string{1: "file-01:2", 3: "file-01:4"} {
		empty := recordsOf(logs).At(i)
		assert.Empty(t, fromLine(empty))
		assert.Zero(t, empty.Timestamp())
		assert.Equal(t, uid, uidOf(empty))
		assert.Equal(t, plog.SeverityNumberInfo, empty.SeverityNumber())
	}
	assert.Equal(t, want, fromLine(recordsOf(logs).At(4)))
}

// bodySources are all kinds of bodies.
func bodySources() map[string]Source {
	digests := Content{Mode: ContentHMAC, Key: []byte(testKey)}
	return map[string]Source{
		"raw": {}, "parsed": {Parsed: true},
		"raw, hmac": {Content: digests}, "raw, drop": {Content: Content{Mode: ContentDrop}},
		"parsed, hmac": {Parsed: true, Content: digests}, "parsed, drop": {Parsed: true, Content: Content{Mode: ContentDrop}},
	}
}

// The result shares no memory with the lines, which their owner may overwrite, whatever
// the bodies are. Neither the records nor the mapper keep the memory of the file.
func TestMapSharesNoMemory(t *testing.T) {
	for kind, source := range bodySources() {
		for eventType, lines := range samples(t) {
			lines = append(lines, []byte("\xff not UTF-8"), []byte("not JSON"),
				[]byte(`{"event_id":"a\u0062c","":"","unknown.é":{"a":[1,2]},"actor":7,"agent":true}`),
				[]byte(`{"message":{"content":{"value":"","quote":[""]},"files":[{"name":"","new":""}]},"input":"","app_id":"","event_details":{"prompt_text":""}}`))
			content := bytes.Join(lines, []byte{'\n'})
			memory := weak.Make(&content[0])
			ours := sourceOf(eventType)
			ours.Parsed, ours.Content = source.Parsed, source.Content
			mapper := NewMapper(ours)
			logs, malformed := mapLines(mapper, bytes.Split(content, []byte{'\n'})...)
			require.Equal(t, 2, malformed)
			ids := slices.Clone(mapper.IDs())
			before := marshal(t, logs)
			for i := range content {
				content[i] = 'x'
			}
			assert.Equal(t, before, marshal(t, logs), "%s %s", kind, eventType)
			assert.Contains(t, ids, "abc", kind)
			assert.Equal(t, ids, mapper.IDs(), "%s %s", kind, eventType)
			content = nil
			runtime.GC()
			assert.Nil(t, memory.Value(), "%s %s: the memory of the file is still in use", kind, eventType)
			mapper.LetGo()
			assert.Empty(t, mapper.IDs())
			runtime.KeepAlive(logs)
			runtime.KeepAlive(mapper)
		}
	}
}

// Mapping the same lines again gives equal data of its own: each attempt to
// deliver needs it whole, whatever became of the last one's.
func TestMapTwice(t *testing.T) {
	for eventType, lines := range samples(t) {
		mapper := NewMapper(sourceOf(eventType))
		first, _ := mapLines(mapper, lines...)
		second, _ := mapLines(mapper, lines...)
		want := marshal(t, second)
		require.Equal(t, want, marshal(t, first), eventType)
		for _, record := range recordsOf(first).All() {
			record.Body().SetStr("gone")
			record.Attributes().Clear()
		}
		first.ResourceLogs().At(0).Resource().Attributes().Clear()
		assert.Equal(t, want, marshal(t, second), eventType)
		third, _ := mapLines(mapper, lines...)
		assert.Equal(t, want, marshal(t, third), eventType)
	}
}

// No lines give no records.
func TestMapNothing(t *testing.T) {
	logs, malformed := mapLines(NewMapper(sourceOf("AUTH_LOG")))
	assert.Zero(t, malformed)
	assert.Zero(t, logs.LogRecordCount())
}

// A mapper remembers no key of the lines it has read: forty lines, each with unknown keys
// of a megabyte at three depths, leave nothing behind in any kind of body.
func TestNoKeyIsRemembered(t *testing.T) {
	for kind := range variants {
		mapper := NewMapper(variant(kind, "AUTH_LOG"))
		before := heapInUse()
		for i := range 40 {
			key := fmt.Sprintf("%06d", i) + strings.Repeat("k", 1<<20)
			line := fmt.Sprintf(`{%[1]q:1,"action_data":{%[1]q:{%[1]q:1}},"actor":{"type":%[1]q}}`, key)
			logs, malformed := mapLines(mapper, []byte(line))
			require.Zero(t, malformed)
			require.Equal(t, 1, logs.LogRecordCount())
		}
		mapper.LetGo()
		assert.Less(t, heapInUse(), before+8<<20, kind)
		runtime.KeepAlive(mapper)
	}
}

// What a rule remembers of its readings is bounded in number and length, and no part of a
// line.
func TestReadingsRememberedAreBounded(t *testing.T) {
	mapper := NewMapper(sourceOf("AUTH_LOG"))
	for i := range 4 * maxKnown {
		for _, action := range []string{fmt.Sprintf("action_%06d_failed", i), fmt.Sprintf("%06d_%s_failed", i, strings.Repeat("x", maxKnownText))} {
			record := func() plog.LogRecord {
				logs, _ := mapLines(mapper, []byte(`{"action_data":{"action":"`+action+`"}}`))
				return recordsOf(logs).At(0)
			}
			require.Equal(t, OutcomeFailure, record().Attributes().AsRaw()[AttrOutcome])
		}
	}
	rules := mapper.root.child([]byte("action_data")).child([]byte("action")).rules
	known := rules[len(rules)-1].known
	assert.Len(t, known, maxKnown)
	for text := range known {
		assert.LessOrEqual(t, len(text), maxKnownText)
	}
}

// heapInUse is what lives after a collection, in bytes.
func heapInUse() uint64 {
	runtime.GC()
	runtime.GC()
	var stats runtime.MemStats
	runtime.ReadMemStats(&stats)
	return stats.HeapAlloc
}
