// Copyright The OpenTelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package verify

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/openaicompliance/openaicompliancereceiver/cmd/internal/archive"
	"github.com/openaicompliance/openaicompliancereceiver/cmd/internal/command"
	"github.com/openaicompliance/openaicompliancereceiver/internal/jsonl"
	"github.com/openaicompliance/openaicompliancereceiver/internal/printable"
	"github.com/openaicompliance/openaicompliancereceiver/internal/record"
)

const (
	key       = "a key for tests that has 32 bytes"
	workspace = "0f8fad5b-d9cb-469f-a165-70867728950e"
)

// content is a file with what a file may hold: blank lines, CRLF, a broken line, bytes
// that are no text, a repeated key, content. Line 1 fails, with an email and a time.
const content = `{"event_id":"1","timestamp":"2026-08-02T09:14:55Z","actor":{"user_email":"ada@example.com"},"action_data":{"action":"login_failed"},"event_details":{"prompt_text":"a text","session_id":"s"}}` + "\r\n\n" +
	`{"event_id":"2","never_seen":17,"event_details":{"token_usage":{"input_tokens":9007199254740993}}}` + "\n" +
	"{broken\n\xff\xfe\n" + `{"event_id":"5","event_id":"6"}` + "\n" + `{"event_id":"7","event_details":{"model":"m"}}`

const lines = 6

// rig is an archive of one file, and the records that the receiver makes of it.
type rig struct {
	t       *testing.T
	dir     string
	entry   archive.Entry
	logs    plog.Logs
	records string
}

func newRig(t *testing.T, source record.Source) *rig {
	t.Helper()
	source.EventType, source.PrincipalAttr, source.PrincipalID, source.ScopeVersion = "AUTH_LOG", record.AttrWorkspaceID, workspace, "0.1.0"
	r := &rig{t: t, dir: t.TempDir(), records: filepath.Join(t.TempDir(), "records.json")}
	files, err := archive.Open(r.dir)
	require.NoError(t, err)
	require.NoError(t, files.Put(archive.Entry{
		EventType: "AUTH_LOG", WorkspaceID: workspace, FileID: "f", FileName: "n.jsonl", EndTime: time.Date(2026, 8, 2, 10, 0, 0, 0, time.UTC),
	}, []byte(content)))
	require.NoError(t, files.Close())
	entries, err := archive.Read(r.dir)
	require.NoError(t, err)
	r.entry = entries[0]
	var all []record.Line
	for l := jsonl.NewReader([]byte(content)); l.Next(); {
		all = append(all, record.Line{Number: l.Number(), Text: l.Line()})
	}
	require.Len(t, all, lines)
	r.logs, _ = record.NewMapper(source).Map(record.File{ID: "f", Name: "n.jsonl", SHA256: r.entry.SHA256}, all, time.Now())
	r.write()
	return r
}

// file is the path of the archive's file.
func (r *rig) file() string { return filepath.Join(r.dir, r.entry.Path) }

func (r *rig) write() {
	text, err := (&plog.JSONMarshaler{}).MarshalLogs(r.logs)
	require.NoError(r.t, err)
	require.NoError(r.t, os.WriteFile(r.records, append(text, '\n'), 0o600))
}

// first is the record of line 1.
func (r *rig) first() plog.LogRecord {
	return r.logs.ResourceLogs().At(0).ScopeLogs().At(0).LogRecords().At(0)
}

func (r *rig) verify(args ...string) (out, notes string, status int) {
	r.t.Helper()
	return r.verifyFrom("", append([]string{"--files", r.dir, r.records}, args...)...)
}

func (r *rig) verifyFrom(in string, args ...string) (out, notes string, status int) {
	r.t.Helper()
	var stdout, stderr bytes.Buffer
	env := command.NewEnv(strings.NewReader(in), &stdout, &stderr)
	root := command.NewRoot(env)
	root.AddCommand(New(env))
	status = command.Run(r.t.Context(), root, env, append([]string{"verify"}, args...))
	return stdout.String(), stderr.String(), status
}

func sources() map[string]record.Source {
	out := map[string]record.Source{}
	for _, mode := range []record.ContentMode{record.ContentKeep, record.ContentHMAC, record.ContentDrop} {
		source := record.Source{Content: record.Content{Mode: mode, Key: []byte(key)}}
		out[string(mode)+" raw"] = source
		source.Parsed, source.Replay = true, "again"
		out[string(mode)+" parsed"] = source
	}
	return out
}

// Every record is proven whole against the files of a fetch, in every form of body, plain
// or gzip, from a file or the standard input.
func TestVerify(t *testing.T) {
	t.Setenv("OPENAI_COMPLIANCE_HMAC_KEY", key)
	for name, source := range sources() {
		t.Run(name, func(t *testing.T) {
			r := newRig(t, source)
			out, notes, status := r.verify()
			require.Zero(t, status, out+notes)
			assert.True(t, strings.HasPrefix(out, "6 records: 6 proven, 0 not proven, 0 not provable, 0 report a gap\nNot proven of the proven ones: ObservedTimestamp,"), out)
			assert.NotContains(t, out, record.AttrWorkspaceID)
			out, _, status = r.verify("--all", "--uid", "7")
			require.Zero(t, status)
			assert.True(t, strings.HasPrefix(out, "proven: record 7, line 7 of file f\n1 records: 1 proven"), out)

			plain, err := os.ReadFile(r.records)
			require.NoError(t, err)
			var packed bytes.Buffer
			w := gzip.NewWriter(&packed)
			_, _ = w.Write(plain)
			require.NoError(t, w.Close())
			out, _, status = r.verifyFrom(packed.String(), "--files", r.dir, "-", "-o", "json")
			require.Zero(t, status)
			var got struct{ Summary summary }
			require.NoError(t, json.Unmarshal([]byte(out), &got))
			assert.Equal(t, lines, got.Summary.Proven)
		})
	}
}

// Whatever of a record is changed, added or removed is a finding that names it, and the
// other records stay proven.
func TestTampered(t *testing.T) {
	for name, tt := range map[string]struct {
		change func(r *rig, one plog.LogRecord, resource pcommon.Map)
		want   string
	}{
		"email": {func(_ *rig, one plog.LogRecord, _ pcommon.Map) {
			one.Attributes().PutStr("user.email", "eve@example.com")
		}, `the attribute "user.email" is not what the line gives`},
		"outcome": {func(_ *rig, one plog.LogRecord, _ pcommon.Map) {
			one.Attributes().PutStr(record.AttrOutcome, "success")
		}, `the attribute "openai.compliance.outcome" is not`},
		"attribute added":   {func(_ *rig, one plog.LogRecord, _ pcommon.Map) { one.Attributes().PutStr("user.name", "eve") }, `the attribute "user.name" is not of the line`},
		"attribute removed": {func(_ *rig, one plog.LogRecord, _ pcommon.Map) { one.Attributes().Remove("user.email") }, `the attribute "user.email" is missing`},
		"another type of value": {func(_ *rig, one plog.LogRecord, _ pcommon.Map) {
			one.Attributes().PutEmptySlice("user.email").AppendEmpty().SetStr("ada@example.com")
		}, `"user.email" is not what`},
		"unverified":    {func(_ *rig, one plog.LogRecord, _ pcommon.Map) { one.Attributes().PutBool(record.AttrUnverified, true) }, `"openai.compliance.unverified" is not of the line`},
		"uid":           {func(_ *rig, one plog.LogRecord, _ pcommon.Map) { one.Attributes().PutStr(record.AttrRecordUID, "8") }, `"log.record.uid" is not what`},
		"file id":       {func(_ *rig, one plog.LogRecord, _ pcommon.Map) { one.Attributes().PutStr(record.AttrFileID, "g") }, `"openai.compliance.file.id" is not what`},
		"another line":  {func(_ *rig, one plog.LogRecord, _ pcommon.Map) { one.Attributes().PutInt(record.AttrFileLine, 7) }, "is not"},
		"no such line":  {func(_ *rig, one plog.LogRecord, _ pcommon.Map) { one.Attributes().PutInt(record.AttrFileLine, 99) }, "the file has no line 99"},
		"timestamp":     {func(_ *rig, one plog.LogRecord, _ pcommon.Map) { one.SetTimestamp(one.Timestamp() + 1) }, "the Timestamp is not what"},
		"severity":      {func(_ *rig, one plog.LogRecord, _ pcommon.Map) { one.SetSeverityNumber(plog.SeverityNumberInfo2) }, "the SeverityNumber is not what"},
		"severity text": {func(_ *rig, one plog.LogRecord, _ pcommon.Map) { one.SetSeverityText("FATAL") }, "the SeverityText is not what"},
		"event name":    {func(_ *rig, one plog.LogRecord, _ pcommon.Map) { one.SetEventName("openai.compliance.audit_log") }, "the EventName is not what"},
		"body": {func(_ *rig, one plog.LogRecord, _ pcommon.Map) {
			one.Body().SetStr(strings.Replace(one.Body().Str(), "a text", "b text", 1))
		}, "the Body is not what"},
		"trace id": {func(_ *rig, one plog.LogRecord, _ pcommon.Map) { one.SetTraceID([16]byte{1}) }, "the TraceId is not what"},
		"scope": {func(r *rig, _ plog.LogRecord, _ pcommon.Map) {
			r.logs.ResourceLogs().At(0).ScopeLogs().At(0).Scope().SetName("x")
		}, "the scope name is not what"},
		"workspace": {func(_ *rig, _ plog.LogRecord, resource pcommon.Map) {
			resource.PutStr(record.AttrWorkspaceID, "00000000-0000-4000-8000-000000000000")
		}, `the resource attribute "openai.workspace.id" is not what`},
		"event type of the resource": {func(_ *rig, _ plog.LogRecord, resource pcommon.Map) {
			resource.PutStr(record.AttrEventType, "AUDIT_LOG")
		}, `the resource attribute "openai.compliance.event.type" is not what`},
		"resource attribute added": {func(_ *rig, _ plog.LogRecord, resource pcommon.Map) { resource.PutStr("host.name", "x") }, `the resource attribute "host.name" is not of the line`},
		"said to be a gap":         {func(_ *rig, one plog.LogRecord, _ pcommon.Map) { one.SetEventName(record.GapEventName) }, "GAP: record 1, line 1 of file f: it reports records that may be missing"},
		"of a file that is not at hand": {func(_ *rig, one plog.LogRecord, _ pcommon.Map) {
			one.Attributes().PutStr(record.AttrFileSHA256, strings.Repeat("0", 64))
		}, "NOT PROVABLE: record 1, line 1 of file f: its file is not at hand"},
		"file changed on disk": {func(r *rig, _ plog.LogRecord, _ pcommon.Map) {
			require.NoError(r.t, os.WriteFile(r.file(), []byte(content+" "), 0o600))
		}, "is not what its manifest says"},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t, record.Source{})
			tt.change(r, r.first(), r.logs.ResourceLogs().At(0).Resource().Attributes())
			r.write()
			out, notes, status := r.verify()
			assert.Equal(t, command.ExitFinding, status)
			assert.Contains(t, out, tt.want)
			assert.Regexp(t, `openai-compliance: [16] of 6 records are not proven(; findings: 1)?\n$`, notes)
			assert.Equal(t, 1, strings.Count(notes, "\n"))
		})
	}
}

// With a key that is another, and without one, digests in the place of content are not
// taken for proven.
func TestVerifyNeedsTheKey(t *testing.T) {
	for set, want := range map[string]string{"": "NOT PROVABLE: record 1, line 1 of file f: its content is withheld by digests: set OPENAI_COMPLIANCE_HMAC_KEY", key + "2": "the Body is not what the line gives"} {
		t.Setenv("OPENAI_COMPLIANCE_HMAC_KEY", set)
		out, _, status := newRig(t, sources()["hmac raw"]).verify()
		assert.Equal(t, command.ExitFinding, status)
		assert.Contains(t, out, want)
	}
}

// Of a file without a manifest, what nothing gives is named as not proven, and a changed
// workspace is found when the call says which it is.
func TestVerifyWithoutManifest(t *testing.T) {
	r := newRig(t, record.Source{})
	loose := filepath.Join(t.TempDir(), "AUTH_LOG_2026-08-02T10:00:00Z.jsonl")
	require.NoError(t, os.WriteFile(loose, []byte(content), 0o600))
	for _, path := range []string{loose, filepath.Dir(loose)} {
		out, _, status := r.verifyFrom("", "--files", path, r.records)
		require.Zero(t, status, out)
		assert.Contains(t, out, "Not proven of the proven ones: ObservedTimestamp, log.file.name, openai.compliance.file.id, openai.compliance.unverified, openai.workspace.id, scope version\n")
		out, _, status = r.verifyFrom("", "--files", path, "--workspace-id", workspace, r.records)
		require.Zero(t, status, out)
		assert.NotContains(t, out, "openai.workspace.id")
		_, _, status = r.verifyFrom("", "--files", path, "--workspace-id", "00000000-0000-4000-8000-000000000000", r.records)
		assert.Equal(t, command.ExitFinding, status)
	}
	unknown := filepath.Join(t.TempDir(), "1.jsonl")
	require.NoError(t, os.WriteFile(unknown, []byte(content), 0o600))
	out, _, status := r.verifyFrom("", "--files", unknown, r.records)
	require.Zero(t, status, out)
	assert.Contains(t, out, "openai.compliance.event.type")
}

// An attribute that the pipeline sets, changes or removes is no finding when the call
// names it; then it is among what is not proven.
func TestVerifyIgnores(t *testing.T) {
	r := newRig(t, record.Source{})
	r.logs.ResourceLogs().At(0).Resource().Attributes().PutStr("service.name", "x")
	r.first().Attributes().PutStr("user.email", "hidden")
	r.write()
	_, _, status := r.verify("--ignore-attribute", "service.name")
	assert.Equal(t, command.ExitFinding, status)
	out, _, status := r.verify("--ignore-attribute", "service.name", "--ignore-attribute", "user.email", "--ignore-attribute", "none")
	require.Zero(t, status, out)
	assert.Contains(t, out, "Not proven of the proven ones: ObservedTimestamp, scope version, service.name, user.email\n")
}

// Two files with one content are told apart by their ids.
func TestVerifyFilesOfOneContent(t *testing.T) {
	r := newRig(t, record.Source{})
	files, err := archive.Open(r.dir)
	require.NoError(t, err)
	twin := r.entry
	twin.FileID = "twin"
	require.NoError(t, files.Put(twin, []byte(content)))
	require.NoError(t, files.Close())
	out, _, status := r.verify()
	require.Zero(t, status, out)
	r.first().Attributes().PutStr(record.AttrFileID, "twin")
	r.write()
	_, _, status = r.verify()
	require.Zero(t, status)
}

// Nothing of a record makes the output say what it does not.
func TestVerifyPrints(t *testing.T) {
	r := newRig(t, record.Source{})
	forged := "x\r\n\x1b[2Kproven: record 1, line 1 of file f\u202e"
	r.first().Attributes().PutStr(record.AttrRecordUID, forged)
	r.first().Attributes().PutStr(forged, forged)
	r.write()
	for _, format := range []string{"table", "json"} {
		out, notes, status := r.verify("-o", format)
		assert.Equal(t, command.ExitFinding, status)
		assert.NotContains(t, out+notes, "\nproven: record 1")
		assert.Equal(t, string(printable.Bytes([]byte(out+notes))), out+notes)
	}
}

// What cannot run is a misuse with one sentence.
func TestVerifyMisuse(t *testing.T) {
	r := newRig(t, record.Source{})
	dir := t.TempDir()
	write := func(name, text string) string {
		path := filepath.Join(dir, name)
		require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
		return path
	}
	one, err := os.ReadFile(r.records)
	require.NoError(t, err)
	var pretty bytes.Buffer
	require.NoError(t, json.Indent(&pretty, one, "", "  "))
	for want, args := range map[string][]string{
		"verify takes files of delivered records":                               {"--files", r.dir},
		"so --files is needed":                                                  {r.records},
		"read files: stat " + dir + "/none":                                     {"--files", dir + "/none", r.records},
		"has neither manifest.jsonl nor a file *.jsonl":                         {"--files", t.TempDir(), r.records},
		"read records: open " + dir + "/none":                                   {"--files", r.dir, dir + "/none"},
		"pretty.json: line 1 is not a whole OTLP message in JSON":               {"--files", r.dir, write("pretty.json", pretty.String())},
		"cut.json: line 1 is not a whole OTLP message in JSON":                  {"--files", r.dir, write("cut.json", string(one[:len(one)/2]))},
		"there is no log record in OTLP in what was read":                       {"--files", r.dir, write("lines.jsonl", `{"event_id":"1"}`+"\n")},
		"none of the 6 records is of a file in " + write("OTHER.jsonl", "{}\n"): {"--files", filepath.Join(dir, "OTHER.jsonl"), r.records},
		`none of the 6 records has the uid "none"`:                              {"--files", r.dir, "--uid", "none", r.records},
		"exclude each other":                                                    {"--files", r.dir, "--workspace-id", "a", "--organization-id", "b", r.records},
	} {
		out, notes, status := r.verifyFrom("", args...)
		assert.Equal(t, command.ExitMisuse, status, want)
		assert.Contains(t, notes, want)
		assert.Equal(t, 1, strings.Count(notes, "\n"), notes)
		if !strings.HasPrefix(want, "none of") {
			assert.Empty(t, out)
		}
	}
}
