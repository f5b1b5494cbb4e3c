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

	"go.opentelemetry.io/collector/pdata/plog"
)

// Every sample line gives exactly the record that its entry in wants describes,
// no attribute more.
func TestSamples(t *testing.T) {
	all := samples(t)
	require.ElementsMatch(t, slices.Collect(maps.Keys(wants)), slices.Collect(maps.Keys(all)))
	for eventType, lines := range all {
		t.Run(eventType, func(t *testing.T) {
			require.Len(t, lines, len(wants[eventType]))
			logs, malformed := mapLines(NewMapper(sourceOf(eventType)), lines...)
			assert.Zero(t, malformed)
			checkCommon(t, eventType, logs)
			for i, want := range wants[eventType] {
				checkSample(t, want, string(lines[i]), recordsOf(logs).At(i))
			}
		})
	}
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
	assert.Equal(t, want.attrs, fromLine(record), want.uid)
}

// The samples leave no rule unproven: for each rule, one sample of a type that
// has it sets its attribute.
func TestSamplesProveEveryRule(t *testing.T) {
	proven := map[string]bool{}
	for eventType, lines := range samples(t) {
		set := map[string]bool{attrTimestamp: true}
		logs, _ := mapLines(NewMapper(sourceOf(eventType)), lines...)
		for _, record := range recordsOf(logs).All() {
			for name := range record.Attributes().All() {
				set[name] = true
			}
		}
		for _, rule := range rulesOf(eventType) {
			name := rule.path + " -> " + rule.attr
			proven[name] = proven[name] || set[rule.attr]
		}
	}
	for name, ok := range proven {
		assert.True(t, ok, name)
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

// Content stays out of attributes wherever in a record it may come.
func TestContentFieldsNeverMapped(t *testing.T) {
	const content = `"prompt_text":"CANARY","response_text":"CANARY","tool_input":"CANARY","text":"CANARY","title":"CANARY","value":"CANARY",` +
		`"prompt":"CANARY","content":{"type":"text","value":"CANARY"},"input":{"q":"CANARY"},"output":[{"text":"CANARY"}],"arguments":{"q":"CANARY"}`
	line := fmt.Sprintf(`{"event_id":"1",%[1]s,"event_details":{%[1]s},"message":{%[1]s},"conversation":{%[1]s},"payload":{%[1]s},"action_data":{%[1]s},"actor":{%[1]s}}`, content)
	for eventType := range wants {
		record := mapOne(eventType, line)
		require.Equal(t, "1", uidOf(record), eventType)
		assert.Empty(t, fromLine(record), eventType)
	}
}

// The order of keys makes no difference, at any depth.
func TestKeyOrderDoesNotMatter(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	for eventType, lines := range samples(t) {
		mapper := NewMapper(sourceOf(eventType))
		for i, line := range lines {
			for range 20 {
				shuffled := shuffle(t, rng, line)
				logs, malformed := mapLines(mapper, shuffled)
				require.Zero(t, malformed, "%s", shuffled)
				checkSample(t, wants[eventType][i], string(shuffled), recordsOf(logs).At(0))
			}
		}
	}
}

// shuffle writes a JSON document again with its keys in random order.
func shuffle(t *testing.T, rng *rand.Rand, line []byte) []byte {
	t.Helper()
	dec := json.NewDecoder(bytes.NewReader(line))
	dec.UseNumber()
	var value any
	require.NoError(t, dec.Decode(&value))
	var out bytes.Buffer
	writeShuffled(t, rng, &out, value)
	return out.Bytes()
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
