// Copyright The OpenTelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package preview

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/openaicompliance/openaicompliancereceiver/cmd/internal/command"
	"github.com/openaicompliance/openaicompliancereceiver/internal/fakeapi"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// newAPI has three files of AUTH_LOG with two records each, an empty AUDIT_LOG,
// and a type that the key may not read.
func newAPI(t *testing.T) *fakeapi.API {
	t.Helper()
	api := fakeapi.New(fakeapi.Options{Forbidden: []string{"CODEX_LOG"}, PageLimit: 2})
	require.NoError(t, api.Start("", ""))
	t.Cleanup(api.Close)
	for i := range 3 {
		api.Add("AUTH_LOG", time.Now().Add(time.Duration(i-3)*time.Hour), fmt.Sprintf(`{"event_id":"%da"}`, i), fmt.Sprintf(`{"event_id":"%db"}`, i))
	}
	for _, name := range []string{"OPENAI_COMPLIANCE_API_KEY", "OPENAI_WORKSPACE_ID", "OPENAI_ORGANIZATION_ID"} {
		t.Setenv(name, "")
	}
	return api
}

// records are the exact lines of these events.
func records(ids ...string) string {
	return `{"event_id":"` + strings.Join(ids, "\"}\n{\"event_id\":\"") + "\"}\n"
}

func runPreview(t *testing.T, args ...string) (out, notes string, status int) {
	t.Helper()
	var stdout, stderr bytes.Buffer
	env := command.NewEnv(nil, &stdout, &stderr)
	root := command.NewRoot(env)
	root.AddCommand(New(env))
	status = command.Run(t.Context(), root, env, append([]string{"preview"}, args...))
	assert.NotContains(t, stdout.String()+stderr.String(), fakeapi.DefaultKey)
	assert.NotContains(t, stdout.String()+stderr.String(), "sig=")
	return stdout.String(), stderr.String(), status
}

const collector = `
receivers:
  openai_compliance:
    api_key: ${env:PREVIEW_KEY}
    workspace_id: %s
    event_types: [AUTH_LOG, AUDIT_LOG]
    storage: file_storage
    http: {endpoint: "%s"}
extensions:
  file_storage: {directory: "%s", create_directory: true}
`

// With a collector's configuration the newest records are printed, in order and
// across files; the storage that it names is not touched, and nothing but lists
// and downloads is asked for.
func TestPreviewOfAConfiguration(t *testing.T) {
	api := newAPI(t)
	t.Setenv("PREVIEW_KEY", fakeapi.DefaultKey)
	state := filepath.Join(t.TempDir(), "state")
	config := filepath.Join(t.TempDir(), "collector.yaml")
	require.NoError(t, os.WriteFile(config, fmt.Appendf(nil, collector, fakeapi.DefaultWorkspace, api.URL, state), 0o600))

	out, notes, status := runPreview(t, "--config", config, "--records", "3")
	require.Zero(t, status)
	assert.Equal(t, records("1b", "2a", "2b"), out)
	assert.Contains(t, notes, "AUTH_LOG: 3 records of the newest 2 of 3 files since ")
	assert.Contains(t, notes, "AUDIT_LOG: no file since ")
	assert.NoDirExists(t, state)
	downloads := 0
	for _, request := range api.Requests() {
		if request.Host == "storage" {
			downloads++
			assert.Empty(t, request.Header.Get("Authorization"))
		}
	}
	assert.Equal(t, 2, downloads)

	out, _, status = runPreview(t, "--config", config, "--since", "-90m", "--types", "AUTH_LOG")
	require.Zero(t, status)
	assert.Equal(t, records("2a", "2b"), out)
}

// What a collector's configuration withholds, its preview withholds too: what
// people wrote, fields that nobody knows, and lines that cannot be read. It says so.
func TestPreviewWithholdsContent(t *testing.T) {
	api := newAPI(t)
	t.Setenv("PREVIEW_KEY", fakeapi.DefaultKey)
	api.Add("AUTH_LOG", time.Now().Add(-time.Minute), `{"event_id":"known","unknown":"SECRET"}`, `SECRET, cut`)
	api.Add("CONVERSATION_MESSAGE", time.Now().Add(-time.Minute), `{"event_id":"said","message":{"content":{"value":"SECRET"}}}`)
	config := filepath.Join(t.TempDir(), "collector.yaml")
	text := fmt.Sprintf(collector, fakeapi.DefaultWorkspace, api.URL, t.TempDir())
	for mode, shown := range map[string]string{
		"{mode: drop}": `{"event_id":"said","message":{"content":{"value":"withheld"}}}`,
		"{mode: hmac, hmac_key: 0123456789abcdef0123456789abcdef}": `{"event_id":"said","message":{"content":{"value":"hmac-sha256:`,
		"{mode: keep}": `{"event_id":"said","message":{"content":{"value":"SECRET"}}}`,
	} {
		set := strings.Replace(text, "    storage:", "    content: "+mode+"\n    storage:", 1)
		require.NoError(t, os.WriteFile(config, []byte(set), 0o600))
		out, notes, status := runPreview(t, "--config", config, "--types", "AUTH_LOG,CONVERSATION_MESSAGE")
		require.Zero(t, status)
		assert.Contains(t, out, shown)
		if mode == "{mode: keep}" {
			assert.Contains(t, out, "SECRET, cut")
			assert.NotContains(t, notes, "withheld")
			continue
		}
		assert.NotContains(t, out, "SECRET")
		assert.Contains(t, out, `{"event_id":"known","withheld":1}`)
		assert.Contains(t, notes, "content is withheld here as in the collector's records")
	}
}

// Without one, key and id come from the environment or from a file and a flag; a
// type that fails does not keep the others back, and is told with advice.
func TestPreviewWithoutConfiguration(t *testing.T) {
	api := newAPI(t)
	keyFile := filepath.Join(t.TempDir(), "key")
	require.NoError(t, os.WriteFile(keyFile, []byte(fakeapi.DefaultKey+"\n"), 0o600))
	args := []string{"--endpoint", api.URL, "--workspace-id", fakeapi.DefaultWorkspace, "--api-key-file", keyFile}
	out, notes, status := runPreview(t, append(args, "--types", "CODEX_LOG,AUTH_LOG", "--records", "1")...)
	require.Equal(t, command.ExitFinding, status)
	assert.Contains(t, notes, "\nopenai-compliance: 1 of 2 event types failed\n")
	assert.Equal(t, records("2b"), out)
	assert.Contains(t, notes, "CODEX_LOG: list files: list: 403")
	assert.Contains(t, notes, "advice: the key may not read this type: grant the key the scope")

	t.Setenv("OPENAI_COMPLIANCE_API_KEY", fakeapi.DefaultKey)
	t.Setenv("OPENAI_WORKSPACE_ID", fakeapi.DefaultWorkspace)
	out, _, status = runPreview(t, "--endpoint", api.URL)
	require.Zero(t, status)
	assert.Equal(t, 5, strings.Count(out, "\n"))

	// The flag counts, not the environment's other id.
	api.Add("COSTS", time.Now().Add(-time.Minute), `{"event_id":"costs"}`)
	out, _, status = runPreview(t, "--endpoint", api.URL, "--organization-id", fakeapi.DefaultOrganization)
	require.Zero(t, status)
	assert.Equal(t, records("costs"), out)
}

// What is missing or wrong is a misuse, with one sentence, before any request.
func TestPreviewMisuse(t *testing.T) {
	api := newAPI(t)
	id := []string{"--workspace-id", fakeapi.DefaultWorkspace}
	for want, args := range map[string][]string{
		"api_key: missing":                                   id,
		"workspace_id: missing":                              {},
		`"-3min" has the unknown`:                            {"--since", "-3min"},
		`--since: "2d" is in the future; did you mean -2d?`:  {"--since", "2d"},
		"--records: 0 must be at least 1":                    {"--records", "0"},
		`invalid argument "x" for "--records"`:               {"--records", "x"},
		`takes no argument "AUTH_LOG"`:                       {"AUTH_LOG"},
		`"xml" for "-o, --output" flag: write table or json`: {"-o", "xml"},
		`event_types: "auth log" does not look like`:         append([]string{"--types", "auth log"}, id...),
		"no-such-file.yaml":                                  {"--config", "no-such-file.yaml"},
		"the configuration has no openai_c":                  {"--config", "yaml:receivers::nop:"},
		"--config and --endpoint exclude":                    {"--config", "x.yaml", "--endpoint", api.URL},
		"--receiver needs --config":                          {"--receiver", "openai_compliance/b"},
		"exclude each other":                                 {"--workspace-id", "a", "--organization-id", "b"},
	} {
		out, notes, status := runPreview(t, args...)
		assert.Equal(t, command.ExitMisuse, status, args)
		assert.Contains(t, notes, want)
		assert.Equal(t, 1, strings.Count(notes, "\n"), notes)
		assert.Empty(t, out)
	}
	assert.Empty(t, api.Requests())
	out, _, status := runPreview(t, "--help")
	assert.Zero(t, status)
	assert.Contains(t, out, "Prints the newest records of each event type")
}

// As JSON a record keeps what a terminal would obey, escaped, and says where it is from.
func TestPreviewAsJSON(t *testing.T) {
	api := newAPI(t)
	hostile := "{\"event_id\":\"x\u202e\u009b2K\"}"
	file := api.Add("AUTH_LOG", time.Now().Add(-time.Minute), `{"event_id":"w"}`, hostile)
	t.Setenv("OPENAI_COMPLIANCE_API_KEY", fakeapi.DefaultKey)
	args := []string{"--endpoint", api.URL, "--workspace-id", fakeapi.DefaultWorkspace, "--types", "AUTH_LOG", "--records", "1"}
	out, _, status := runPreview(t, append(args, "-o", "json")...)
	require.Zero(t, status)
	assert.NotContains(t, out, "\u202e")
	var shown shownLine
	require.NoError(t, json.Unmarshal([]byte(out), &shown))
	assert.Equal(t, []any{"AUTH_LOG", file.ID, 2, hostile}, []any{shown.EventType, shown.FileID, shown.Line, shown.Record})
	out, _, status = runPreview(t, args...)
	require.Zero(t, status)
	assert.True(t, strings.HasPrefix(out, "{\"event_id\":\"x\ufffd\ufffd2K\"}\n"), out)
}
