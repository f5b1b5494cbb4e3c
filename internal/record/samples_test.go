// Copyright The OpenTelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package record

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/open-telemetry/opentelemetry-collector-contrib/pkg/pdatatest/plogtest"

	"go.opentelemetry.io/collector/pdata/plog"
)

// The first sample lines of each type give the attributes that their entries in
// wants, written by hand, describe. The goldens hold every line's whole record.
func TestSamples(t *testing.T) {
	all := samples(t)
	for eventType, lines := range all {
		t.Run(eventType, func(t *testing.T) {
			require.NotEmpty(t, wants[eventType])
			require.GreaterOrEqual(t, len(lines), len(wants[eventType]))
			logs, malformed := mapLines(NewMapper(sourceOf(eventType)), lines...)
			assert.Zero(t, malformed)
			checkCommon(t, eventType, logs)
			for i, want := range wants[eventType] {
				checkSample(t, want, string(lines[i]), recordsOf(logs).At(i))
			}
		})
	}
	require.Len(t, wants, len(all))
}

// checkCommon checks what all records of a type carry.
func checkCommon(t *testing.T, eventType string, logs plog.Logs) {
	t.Helper()
	require.Equal(t, 1, logs.ResourceLogs().Len())
	principal := map[string]any{"openai.compliance.event.type": eventType, "openai.workspace.id": workspaceID}
	if eventType == "COSTS" {
		principal = map[string]any{"openai.compliance.event.type": eventType, "openai.organization.id": organizationID}
	}
	resource := logs.ResourceLogs().At(0)
	assert.Equal(t, principal, resource.Resource().Attributes().AsRaw())
	assert.Equal(t, "https://opentelemetry.io/schemas/1.41.0", resource.SchemaUrl())
	require.Equal(t, 1, resource.ScopeLogs().Len())
	scope := resource.ScopeLogs().At(0)
	assert.Equal(t, "https://opentelemetry.io/schemas/1.41.0", scope.SchemaUrl())
	assert.Equal(t, "github.com/openaicompliance/openaicompliancereceiver", scope.Scope().Name())
	assert.Equal(t, "1.2.3", scope.Scope().Version())
	for i, record := range scope.LogRecords().All() {
		assert.Equal(t, "openai.compliance."+strings.ToLower(eventType), record.EventName())
		assert.Equal(t, observed, record.ObservedTimestamp().AsTime())
		assert.Empty(t, record.SeverityText())
		ours := with(map[string]any{
			"openai.compliance.event.type": eventType, "openai.compliance.file.id": "file-01", "openai.compliance.file.line": int64(i + 1),
			"openai.compliance.file.sha256": "9f86d081884c7d65", "log.file.name": "auth.jsonl", "log.record.uid": uidOf(record),
		}, fromLine(record))
		assert.Equal(t, ours, record.Attributes().AsRaw())
	}
}

func checkSample(t *testing.T, want want, line string, record plog.LogRecord) {
	t.Helper()
	assert.Equal(t, want.uid, uidOf(record))
	assert.Equal(t, want.at, record.Timestamp().AsTime().Format(time.RFC3339Nano), want.uid)
	severity := plog.SeverityNumberInfo
	if want.warn {
		severity = plog.SeverityNumberWarn
	}
	assert.Equal(t, severity, record.SeverityNumber(), want.uid)
	assert.Equal(t, line, record.Body().Str(), want.uid)
	attrs := fromLine(record)
	for name, value := range want.attrs {
		assert.Equal(t, value, attrs[name], "%s of %s", name, want.uid)
	}
}

// The samples leave no field unproven: each attribute that a type's own lines and
// derivations name is set by a sample of the type, or of another one that has it.
func TestSamplesProveEveryAttribute(t *testing.T) {
	named, set := map[string]bool{}, map[string]bool{}
	for eventType, lines := range samples(t) {
		logs, _ := mapLines(NewMapper(sourceOf(eventType)), lines...)
		for _, record := range recordsOf(logs).All() {
			for name := range record.Attributes().All() {
				set[name] = true
			}
		}
		for _, f := range tableOf(eventType) {
			for _, to := range f.to {
				named[to.attr] = named[to.attr] || !isInternal(to.attr)
			}
			named[f.null] = named[f.null] || f.null != ""
		}
	}
	for name, is := range named {
		assert.True(t, !is || set[name], name)
	}
}

// Message content is in the body alone. In the samples all of it holds CANARY.
func TestContentStaysOutOfAttributes(t *testing.T) {
	var bodies strings.Builder
	for eventType, lines := range samples(t) {
		logs, _ := mapLines(NewMapper(sourceOf(eventType)), lines...)
		for _, record := range recordsOf(logs).All() {
			bodies.WriteString(record.Body().AsString())
			for name, value := range record.Attributes().All() {
				if urlAttributes()[name] { // whose paths only go where content is withheld
					continue
				}
				assert.NotContains(t, value.AsString(), "CANARY", "%s: %s of %s", eventType, name, uidOf(record))
			}
		}
	}
	for _, field := range []string{
		`"prompt_text":"CANARY`, `"response_text":"CANARY`, `"value":"CANARY`, `"title":"CANARY`, `"tool_input":"CANARY`, `"prompt":"CANARY`,
		`"input":{"query":"CANARY`, `"text":"CANARY`, `"user_message_text":"CANARY`, `"system_instruction":"CANARY`, `"error_message":"CANARY`,
	} {
		assert.Contains(t, bodies.String(), field, "the samples do not prove this field")
	}
}

// reducedAttributes are those of fields of which a part stays where content is withheld.
func reducedAttributes(forms ...form) map[string]bool {
	out := map[string]bool{}
	for _, eventType := range typeNames() {
		for _, f := range tableOf(eventType) {
			for _, to := range f.to {
				out[to.attr] = out[to.attr] || slices.Contains(forms, f.form)
			}
		}
	}
	return out
}

func urlAttributes() map[string]bool { return reducedAttributes(formURL) }

// Content stays out of attributes wherever in a record it may come.
func TestContentFieldsNeverMapped(t *testing.T) {
	const content = `"prompt_text":"CANARY","response_text":"CANARY","tool_input":"CANARY","text":"CANARY","title":"CANARY","value":"a CANARY",` +
		`"prompt":"CANARY","content":{"type":"text","value":"CANARY"},"input":{"q":"CANARY"},"output":[{"text":"CANARY"}],"arguments":{"q":"CANARY"}`
	line := fmt.Sprintf(`{"event_id":"1",%[1]s,"event_details":{%[1]s},"message":{%[1]s},"conversation":{%[1]s},"payload":{%[1]s},"action_data":{%[1]s},"actor":{%[1]s}}`, content)
	for eventType := range wants {
		record := mapOne(eventType, line)
		require.Equal(t, "1", uidOf(record), eventType)
		assert.Empty(t, fromLine(record), eventType)
	}
}

// The order of keys makes no difference, at any depth, to attributes and to
// parsed bodies.
func TestKeyOrderDoesNotMatter(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	for eventType, lines := range samples(t) {
		source := sourceOf(eventType)
		source.Parsed = true
		mapper := NewMapper(source)
		for _, line := range lines {
			want, _ := mapLines(mapper, line)
			for range 5 {
				shuffled := shuffle(t, rng, line)
				logs, malformed := mapLines(mapper, shuffled)
				require.Zero(t, malformed, "%s", shuffled)
				body := opened(recordsOf(logs).At(0).Body().AsRaw())
				require.Equal(t, opened(recordsOf(want).At(0).Body().AsRaw()), body, "%s", shuffled)
				recordsOf(want).At(0).Body().CopyTo(recordsOf(logs).At(0).Body())
				require.NoError(t, plogtest.CompareLogs(want, logs), "%s", shuffled)
			}
		}
	}
}

// opened reads the texts of a parsed body that are JSON objects or arrays.
func opened(value any) any {
	switch value := value.(type) {
	case map[string]any:
		for key := range value {
			value[key] = opened(value[key])
		}
	case []any:
		for i := range value {
			value[i] = opened(value[i])
		}
	case string:
		var inner any
		dec := json.NewDecoder(strings.NewReader(value))
		dec.UseNumber()
		if strings.IndexAny(value, "{[") == 0 && dec.Decode(&inner) == nil {
			return inner
		}
	}
	return value
}

// shuffle writes a JSON document again with its keys in random order.
func shuffle(t *testing.T, rng *rand.Rand, line []byte) []byte {
	t.Helper()
	value := decodeLine(t, line)
	var out bytes.Buffer
	writeShuffled(t, rng, &out, value)
	return out.Bytes()
}

// decodeLine reads a JSON document with its numbers as they are written.
func decodeLine(t *testing.T, line []byte) (value any) {
	t.Helper()
	dec := json.NewDecoder(bytes.NewReader(line))
	dec.UseNumber()
	require.NoError(t, dec.Decode(&value))
	return value
}

func writeShuffled(t *testing.T, rng *rand.Rand, out *bytes.Buffer, value any) {
	t.Helper()
	object, ok := value.(map[string]any)
	if !ok {
		text, err := json.Marshal(value)
		require.NoError(t, err)
		out.Write(text)
		return
	}
	keys := slices.Sorted(maps.Keys(object))
	rng.Shuffle(len(keys), func(i, j int) { keys[i], keys[j] = keys[j], keys[i] })
	out.WriteByte('{')
	for i, key := range keys {
		if i > 0 {
			out.WriteByte(',')
		}
		fmt.Fprintf(out, "%q:", key)
		writeShuffled(t, rng, out, object[key])
	}
	out.WriteByte('}')
}
