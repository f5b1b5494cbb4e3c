// Copyright The OpenTelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/openaicompliance/openaicompliancereceiver/internal/jsonl"
	"github.com/openaicompliance/openaicompliancereceiver/internal/record"
)

const key = "a key for tests that has 32 bytes"

// exported is a file with what a file may hold: blank lines, CRLF, a broken line,
// bytes that are no text, a repeated key, content.
const exported = `{"event_id":"1","event_details":{"prompt_text":"a text","session_id":"s"}}` + "\r\n\n" +
	`{"event_id":"2","never_seen":17,"event_details":{"token_usage":{"input_tokens":9007199254740993}}}` + "\n" +
	"{broken\n\xff\xfe\n" + `{"event_id":"5","event_id":"6"}` + "\n" + `{"event_id":"7","event_details":{"model":"m"}}`

// deliver writes the file and the records that the receiver makes of it.
func deliver(t *testing.T, source record.Source) (records, file string) {
	t.Helper()
	dir := t.TempDir()
	file, records = filepath.Join(dir, "export.jsonl"), filepath.Join(dir, "records.json")
	require.NoError(t, os.WriteFile(file, []byte(exported), 0o600))
	e, err := readExport(file)
	require.NoError(t, err)
	var lines []record.Line
	for r := jsonl.NewReader([]byte(exported)); r.Next(); {
		lines = append(lines, record.Line{Number: r.Number(), Text: r.Line()})
	}
	logs, _ := record.NewMapper(source).Map(record.File{ID: "f", Name: "n", SHA256: e.sha256}, lines, time.Now())
	text, err := (&plog.JSONMarshaler{}).MarshalLogs(logs)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(records, append(text, '\n'), 0o600))
	return records, file
}

func sources() map[string]record.Source {
	out := map[string]record.Source{}
	for _, mode := range []record.ContentMode{record.ContentKeep, record.ContentHMAC, record.ContentDrop} {
		source := record.Source{EventType: "CODEX_LOG", PrincipalAttr: record.AttrWorkspaceID, PrincipalID: "w"}
		source.Content = record.Content{Mode: mode, Key: []byte(key)}
		out[string(mode)+" raw"] = source
		source.Parsed = true
		out[string(mode)+" parsed"] = source
	}
	return out
}

// Every record is proven against its file, in every form of body.
func TestProves(t *testing.T) {
	for name, source := range sources() {
		t.Run(name, func(t *testing.T) {
			records, file := deliver(t, source)
			var out bytes.Buffer
			failed, err := run(records, file, "", key, &out)
			require.NoError(t, err)
			assert.Zero(t, failed, out.String())
			assert.Equal(t, 6, strings.Count(out.String(), ": proven"), out.String())
			out.Reset()
			_, err = run(records, file, "7", key, &out)
			require.NoError(t, err)
			assert.Equal(t, "7 line 7: proven\n", out.String())
		})
	}
}

// A file with one byte changed, a record that names another line, another body,
// another uid or another key is not proven.
func TestDoesNotProve(t *testing.T) {
	for name, change := range map[string]struct{ file, old, new, key, want string }{
		"another file":   {file: "export.jsonl", old: "a text", new: "b text", want: "the file's SHA-256 is"},
		"another line":   {file: "records.json", old: `{"intValue":"7"}`, new: `{"intValue":"1"}`, want: "body is not what the line gives"},
		"no such line":   {file: "records.json", old: `{"intValue":"7"}`, new: `{"intValue":"99"}`, want: "the file has no line 99"},
		"another body":   {file: "records.json", old: `\"session_id\":\"s\"`, new: `\"session_id\":\"t\"`, want: "body is not what the line gives"},
		"another uid":    {file: "records.json", old: `{"key":"log.record.uid","value":{"stringValue":"7"}}`, new: `{"key":"log.record.uid","value":{"stringValue":"8"}}`, want: "log.record.uid is not what the line gives"},
		"another sha256": {file: "records.json", old: `sha256","value":{"stringValue":"`, new: `sha256","value":{"stringValue":"0`, want: "the record names"},
		"another key":    {file: "records.json", key: key + "2", want: "body is not what the line gives"},
		"no key":         {file: "records.json", key: "-", want: "set OPENAI_COMPLIANCE_HMAC_KEY"},
	} {
		t.Run(name, func(t *testing.T) {
			source := sources()["keep raw"]
			use := key
			if change.key != "" {
				source, use = sources()["hmac raw"], strings.Trim(change.key, "-")
			}
			records, file := deliver(t, source)
			path := filepath.Join(filepath.Dir(file), change.file)
			data, err := os.ReadFile(path)
			require.NoError(t, err)
			require.Contains(t, string(data), change.old)
			require.NoError(t, os.WriteFile(path, []byte(strings.Replace(string(data), change.old, change.new, 1)), 0o600))
			var out bytes.Buffer
			failed, err := run(records, file, "", use, &out)
			require.NoError(t, err)
			assert.Positive(t, failed)
			assert.Contains(t, out.String(), change.want)
		})
	}
}

// What cannot run says why.
func TestRefusesToRun(t *testing.T) {
	records, file := deliver(t, sources()["keep raw"])
	for name, args := range map[string][3]string{
		"no file": {records, "", ""}, "no records": {"", file, ""}, "missing file": {records, file + "x", ""},
		"no such record": {records, file, "none"}, "not OTLP": {file, file, ""},
	} {
		_, err := run(args[0], args[1], args[2], "", &bytes.Buffer{})
		assert.Error(t, err, name)
	}
}
