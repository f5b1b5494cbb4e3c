// Copyright The OpenTelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package record

import (
	"bytes"
	"encoding/json"
	"maps"
	"slices"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"
)

// FuzzMap: no line makes Map panic, in any kind of body and content; there is
// always a uid; text is valid UTF-8; encoding/json agrees about what is malformed;
// the body is what its kind promises; a body that is parsed has no other attributes
// than the line as it is; and nothing of a record lies in the line's memory.
func FuzzMap(f *testing.F) {
	types, kinds := typeNames(), slices.Sorted(maps.Keys(variants))
	for kind, eventType := range types {
		for i, line := range samples(f)[eventType] {
			f.Add(line, uint8(kind), uint8(i))
		}
	}
	for i, line := range []string{
		"", "[]", "{", "{}{}", "\xef\xbb\xbf{}", `{"event_id":"\ud800"}`, "{\"actor\":{\"type\":\"\xff\"}}", `{"a":[[[1e5]]]}`, `{"":1}`,
		`{"a":1,"\u0061":2}`, `{"event_details":{"prompt_text":["CANARY"],"a.b":{}}}`, `{"payload":{"hour":"9","measures":{"billing":[1,null]}}}`,
	} {
		for kind := range types {
			f.Add([]byte(line), uint8(kind), uint8(i))
		}
	}
	mappers := map[string]*Mapper{}
	for _, eventType := range types {
		for _, kind := range kinds {
			mappers[eventType+kind] = NewMapper(variant(kind, eventType))
		}
	}
	f.Fuzz(func(t *testing.T, line []byte, typeIndex, kindIndex uint8) {
		eventType, kind := types[int(typeIndex)%len(types)], kinds[int(kindIndex)%len(kinds)]
		given, line := string(line), bytes.Clone(line)
		logs, malformed := mapLines(mappers[eventType+kind], line)
		require.Equal(t, 1, recordsOf(logs).Len())
		record := recordsOf(logs).At(0)
		assert.Equal(t, given, string(line), "Map wrote to its input")
		assert.NotEmpty(t, uidOf(record))
		for name, value := range record.Attributes().All() {
			require.Contains(t, []pcommon.ValueType{pcommon.ValueTypeStr, pcommon.ValueTypeInt, pcommon.ValueTypeBool, pcommon.ValueTypeDouble, pcommon.ValueTypeSlice}, value.Type(), name)
			assert.True(t, utf8.ValidString(value.AsString()), name)
		}
		if kind == "raw" || kind == "parsed" || !isObject(line) {
			assert.Equal(t, !isObject(line), malformed == 1, "malformed: %d", malformed)
		}
		checkKind(t, kind, given, malformed == 1, record)
		if kind == "parsed" {
			raw, _ := mapLines(mappers[eventType+"raw"], line)
			assert.Equal(t, recordsOf(raw).At(0).Attributes().AsRaw(), record.Attributes().AsRaw())
		}
		before := marshal(t, logs)
		for i := range line {
			line[i] ^= 0x55
		}
		assert.Equal(t, before, marshal(t, logs), "the record shares memory with its line")
	})
}

// checkKind checks the form of a body against its kind.
func checkKind(t *testing.T, kind, given string, malformed bool, record plog.LogRecord) {
	t.Helper()
	marked, isMarked := record.Attributes().Get(AttrContent)
	switch kind {
	case "raw":
		checkBody(t, given, record.Body())
	case "parsed":
		if malformed {
			checkBody(t, given, record.Body())
			return
		}
		checkTypes(t, map[string]pcommon.ValueType{}, "", record.Body(), given)
	case "drop":
		checkTypes(t, map[string]pcommon.ValueType{}, "", record.Body(), given)
		require.True(t, !malformed || marked.Str() == "drop")
	case "hmac":
		require.Equal(t, pcommon.ValueTypeStr, record.Body().Type())
		require.True(t, !malformed || marked.Str() == "hmac")
		require.True(t, isObject([]byte(record.Body().Str())), record.Body().Str())
		if !isMarked {
			checkBody(t, given, record.Body())
		}
	}
}

// isObject asks encoding/json whether a line is one JSON object.
func isObject(line []byte) bool {
	text := bytes.TrimPrefix(line, []byte("\xef\xbb\xbf"))
	return utf8.Valid(line) && json.Valid(text) && bytes.HasPrefix(bytes.TrimLeft(text, " \t\r\n"), []byte("{"))
}
