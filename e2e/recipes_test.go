// Copyright The OpenTelemetry Authors
// SPDX-License-Identifier: Apache-2.0

//go:build e2e

package e2e

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"go.opentelemetry.io/collector/confmap"
	"go.opentelemetry.io/collector/confmap/confmaptest"

	"github.com/openaicompliance/openaicompliancereceiver/internal/fakeapi"
	"github.com/openaicompliance/openaicompliancereceiver/internal/testbed"
)

// recipe is an example that runs as it is, but for addresses and pace.
type recipe struct {
	*rig
	sinks map[string]*testbed.Sink // by exporter
}

// newRecipe merges overrides into an example, points its receivers to the simulated
// API and each of its OTLP exporters to a sink of its own.
func newRecipe(t *testing.T, example string, api *fakeapi.API, overrides ...map[string]any) *recipe {
	t.Helper()
	require.NoError(t, api.Start("", ""))
	t.Cleanup(func() { api.Close() })
	conf, err := confmaptest.LoadConf(filepath.Join("../examples", example))
	require.NoError(t, err)
	for _, override := range overrides {
		require.NoError(t, conf.Merge(confmap.NewFromStringMap(override)))
	}
	dir := t.TempDir()
	r := &recipe{sinks: map[string]*testbed.Sink{}}
	receivers := map[string]any{}
	for name := range section(t, conf, "receivers") {
		receivers[name] = map[string]any{
			"poll_interval": "100ms", "initial_delay": "0s", "http": map[string]any{"endpoint": api.URL},
		}
	}
	exporters := map[string]any{}
	for name := range section(t, conf, "exporters") {
		if !strings.HasPrefix(name, "otlp_http") {
			continue
		}
		sink := &testbed.Sink{}
		require.NoError(t, sink.Start())
		t.Cleanup(sink.Close)
		r.sinks[name] = sink
		exporters[name] = map[string]any{"endpoint": sink.Endpoint}
	}
	require.NoError(t, conf.Merge(confmap.NewFromStringMap(map[string]any{
		"receivers": receivers, "exporters": exporters,
		"extensions": map[string]any{"file_storage": map[string]any{"directory": dir}},
		"service":    map[string]any{"telemetry": map[string]any{"metrics": map[string]any{"level": "none"}}},
	})))
	text, err := json.Marshal(conf.ToStringMap()) // JSON is YAML
	require.NoError(t, err)
	r.rig = &rig{
		t: t, api: api, sink: r.sinks["otlp_http"], binary: binary(t), config: filepath.Join(dir, "config.yaml"), log: filepath.Join(dir, "collector.log"),
		env: []string{
			"OPENAI_COMPLIANCE_API_KEY=" + fakeapi.DefaultKey, "OPENAI_WORKSPACE_ID=" + fakeapi.DefaultWorkspace,
			"OPENAI_COMPLIANCE_HMAC_KEY=000102030405060708090a0b0c0d0e0f", "COLLECTOR_ADDRESS=203.0.113.20",
		},
	}
	require.NoError(t, os.WriteFile(r.config, text, 0o600))
	t.Cleanup(func() {
		if r.collector != nil {
			r.collector.Kill()
		}
		if t.Failed() {
			t.Logf("collector's log:\n%s", r.output())
		}
	})
	return r
}

func section(t *testing.T, conf *confmap.Conf, name string) map[string]any {
	t.Helper()
	sub, err := conf.Sub(name)
	require.NoError(t, err)
	return sub.ToStringMap()
}

// samplesOf adds the first lines of the samples of some types to an API.
func samplesOf(t *testing.T, eventTypes ...string) *fakeapi.API {
	t.Helper()
	api := fakeapi.New(fakeapi.Options{})
	for _, eventType := range eventTypes {
		text, err := os.ReadFile("../testdata/records/" + strings.ToLower(eventType) + ".jsonl")
		require.NoError(t, err)
		api.Add(eventType, time.Now().Add(-time.Hour), strings.Split(strings.TrimSuffix(string(text), "\n"), "\n")...)
	}
	return api
}

// countOf counts the samples of some types.
func countOf(t *testing.T, eventTypes ...string) (n int) {
	t.Helper()
	for _, eventType := range eventTypes {
		text, err := os.ReadFile("../testdata/records/" + strings.ToLower(eventType) + ".jsonl")
		require.NoError(t, err)
		n += strings.Count(string(text), "\n")
	}
	return n
}

// run lets the collector deliver n records to a sink, and returns them by uid.
func (r *recipe) run(sink *testbed.Sink, n int) map[string]testbed.Delivery {
	r.t.Helper()
	r.start()
	r.await(fmt.Sprintf("%d records", n), func() bool { return sink.Unique() >= n })
	r.awaitPasses(3)
	r.stop()
	byUID := map[string]testbed.Delivery{}
	for _, d := range sink.Deliveries() {
		byUID[d.UID] = d
	}
	require.Len(r.t, byUID, n)
	assert.NotContains(r.t, r.output(), "failed to execute statement")
	return byUID
}

// subset requires that attributes have these values.
func subset(t *testing.T, want, got map[string]any) {
	t.Helper()
	for name, value := range want {
		assert.Equal(t, value, got[name], name)
	}
}

// examples/content-apart.yaml parts the types by backend.
func TestRecipeContentApart(t *testing.T) {
	types := map[string][]string{
		"otlp_http/security": {"AUTH_LOG", "AUDIT_LOG", "APP_AUTH_LOG"},
		"otlp_http/content":  {"CONVERSATION_MESSAGE", "CODEX_LOG", "APP_LOG", "CUSTOM_AGENTS_LOG"},
	}
	r := newRecipe(t, "content-apart.yaml", samplesOf(t, append(types["otlp_http/security"], types["otlp_http/content"]...)...))
	r.start()
	r.await("all records", func() bool {
		for exporter, of := range types {
			if r.sinks[exporter].Unique() < countOf(t, of...) {
				return false
			}
		}
		return true
	})
	r.stop()
	for exporter, want := range types {
		seen := map[string]bool{}
		for _, d := range r.sinks[exporter].Deliveries() {
			seen[d.Resource["openai.compliance.event.type"].(string)] = true
		}
		assert.Len(t, seen, len(want))
		for _, eventType := range want {
			assert.True(t, seen[eventType], "%s of %s", eventType, exporter)
		}
	}
}

// examples/own-requests.yaml drops the records of our own calls and no others:
// not those that somebody else makes with our key.
func TestRecipeOwnRequests(t *testing.T) {
	api := fakeapi.New(fakeapi.Options{})
	line := func(id, action, key, address string) string {
		return `{"event_id":"` + id + `","action":"` + action + `","actor":{"type":"API_KEY","redacted_id":"` + key +
			`"},"request_metadata":{"client_ip":"` + address + `"}}`
	}
	const here, elsewhere = "203.0.113.20", "198.51.100.9"
	api.Add("AUDIT_LOG", time.Now().Add(-time.Hour),
		line("ours", "LIST_WORKSPACE_LOG_FILES", "sk-...-key", here), line("ours too", "DOWNLOAD_WORKSPACE_LOG_FILE", "sk-...-key", here),
		line("other key", "LIST_WORKSPACE_LOG_FILES", "sk-...RxIA", here), line("other call", "LIST_USERS", "sk-...-key", here),
		line("stolen key", "DOWNLOAD_WORKSPACE_LOG_FILE", "sk-...-key", elsewhere))
	r := newRecipe(t, "own-requests.yaml", api)
	got := r.run(r.sink, 3)
	for _, uid := range []string{"other key", "other call", "stolen key"} {
		assert.Contains(t, got, uid)
	}
	assert.Equal(t, true, got["stolen key"].Attributes["openai.compliance.self"])
}

// examples/document-id.yaml names each document after its record.
func TestRecipeDocumentID(t *testing.T) {
	r := newRecipe(t, "document-id.yaml", samplesOf(t, "AUTH_LOG", "AUDIT_LOG"))
	for uid, record := range r.run(r.sink, countOf(t, "AUTH_LOG", "AUDIT_LOG")) {
		assert.Equal(t, uid, record.Attributes["elasticsearch.document_id"])
	}
}

// Records that the file exporter wrote are proven against the files that the command
// fetches from the API, and not against a file that was changed.
func TestVerifiesWhatTheCollectorDelivered(t *testing.T) {
	api := samplesOf(t, "AUTH_LOG")
	dir := t.TempDir()
	delivered, exported := filepath.Join(dir, "delivered.json"), filepath.Join(dir, "exported")
	r := newRecipe(t, "own-requests.yaml", api, map[string]any{
		"receivers": map[string]any{"openai_compliance": map[string]any{"event_types": []any{"AUTH_LOG"}}},
		"exporters": map[string]any{"file": map[string]any{"path": delivered, "flush_interval": "100ms"}},
		"service": map[string]any{"pipelines": map[string]any{"logs": map[string]any{
			"receivers": []any{"openai_compliance"}, "exporters": []any{"otlp_http", "file"},
		}}},
	})
	n := countOf(t, "AUTH_LOG")
	r.run(r.sink, n)
	tool := filepath.Join(dir, "openai-compliance")
	said, err := exec.Command("go", "build", "-o", tool, "../cmd/openai-compliance").CombinedOutput()
	require.NoError(t, err, string(said))
	fetch := exec.Command(tool, "fetch", "--endpoint", api.URL, "--workspace-id", fakeapi.DefaultWorkspace, "--types", "AUTH_LOG", "--dir", exported)
	fetch.Env = append(os.Environ(), "OPENAI_COMPLIANCE_API_KEY="+fakeapi.DefaultKey)
	said, err = fetch.CombinedOutput()
	require.NoError(t, err, string(said))
	verify := func() (string, error) {
		out, err := exec.Command(tool, "verify", "--files", exported, "--ignore-attribute", "service.name", delivered).CombinedOutput()
		return string(out), err
	}
	out, err := verify()
	require.NoError(t, err, out)
	assert.Contains(t, out, fmt.Sprintf("%d records: %d proven, 0 not proven", n, n))
	files, err := filepath.Glob(filepath.Join(exported, "AUTH_LOG", "*.jsonl"))
	require.NoError(t, err)
	require.Len(t, files, 1)
	require.NoError(t, os.WriteFile(files[0], bytes.Replace(api.Files("AUTH_LOG")[0].Content, []byte("login"), []byte("Login"), 1), 0o600))
	out, err = verify()
	require.Error(t, err)
	assert.Contains(t, out, fmt.Sprintf("%d records: 0 proven, %d not proven", n, n))
}
