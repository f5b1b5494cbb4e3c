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
)

// FuzzMap: no line makes Map panic; the body is the line; there is always a uid;
// text is valid UTF-8; and encoding/json agrees about what is malformed.
func FuzzMap(f *testing.F) {
	types := slices.Sorted(maps.Keys(wants))
	for kind, eventType := range types {
		for _, line := range samples(f)[eventType] {
			f.Add(line, uint8(kind))
		}
	}
	for _, line := range []string{"", "[]", "{", "{}{}", "\xef\xbb\xbf{}", `{"event_id":"\ud800"}`, "{\"actor\":{\"type\":\"\xff\"}}", `{"a":[[[1e5]]]}`, `{"":1}`} {
		f.Add([]byte(line), uint8(1))
	}
	mappers := make([]*Mapper, len(types))
	for kind, eventType := range types {
		mappers[kind] = NewMapper(sourceOf(eventType))
	}
	f.Fuzz(func(t *testing.T, line []byte, kind uint8) {
		given := string(line)
		logs, malformed := mapLines(mappers[int(kind)%len(mappers)], line)
		require.Equal(t, 1, recordsOf(logs).Len())
		record := recordsOf(logs).At(0)
		assert.Equal(t, given, string(line), "Map wrote to its input")
		assert.NotEmpty(t, uidOf(record))
		assert.Equal(t, !isObject(line), malformed == 1, "malformed: %d", malformed)
		checkBody(t, given, record.Body())
		for name, value := range record.Attributes().All() {
			require.Contains(t, []pcommon.ValueType{pcommon.ValueTypeStr, pcommon.ValueTypeInt, pcommon.ValueTypeBool}, value.Type(), name)
			assert.True(t, utf8.ValidString(value.AsString()), name)
		}
	})
}

// isObject asks encoding/json whether a line is one JSON object.
func isObject(line []byte) bool {
	text := bytes.TrimPrefix(line, []byte("\xef\xbb\xbf"))
	return utf8.Valid(line) && json.Valid(text) && bytes.HasPrefix(bytes.TrimLeft(text, " \t\r\n"), []byte("{"))
}
