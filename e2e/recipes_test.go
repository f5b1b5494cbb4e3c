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

// newRecipe points an example's receivers to the simulated API and each of its
// exporters to a sink of its own.
func newRecipe(t *testing.T, example string, api *fakeapi.API, overrides ...map[string]any) *recipe {
	t.Helper()
	require.NoError(t, api.Start("", ""))
	t.Cleanup(func() { api.Close() })
	conf, err := confmaptest.LoadConf(filepath.Join("../examples", example))
	require.NoError(t, err)
	dir := t.TempDir()
	r := &recipe{sinks: map[string]*testbed.Sink{}}
	change := map[string]any{
		"extensions": map[string]any{"file_storage": map[string]any{"directory": dir}},
		"service":    map[string]any{"telemetry": map[string]any{"metrics": map[string]any{"level": "none"}}},
	}
	receivers := map[string]any{}
	for name := range section(t, conf, "receivers") {
		receivers[name] = map[string]any{
			"poll_interval": "100ms", "initial_delay": "0s", "http": map[string]any{"endpoint": api.URL},
		}
	}
	exporters := map[string]any{}
	for name := range section(t, conf, "exporters") {
		sink := &testbed.Sink{}
		require.NoError(t, sink.Start())
		t.Cleanup(sink.Close)
		r.sinks[name] = sink
		exporters[name] = map[string]any{"endpoint": sink.Endpoint}
	}
	change["receivers"], change["exporters"] = receivers, exporters
	for _, override := range append([]map[string]any{change}, overrides...) {
		require.NoError(t, conf.Merge(confmap.NewFromStringMap(override)))
	}
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
	r.await("all records", func() bool { return sink.Unique() >= n })
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

const (
	failedSignIn = "a0000000-0000-4000-8000-000000000002"
	blockedSign  = "a0000000-0000-4000-8000-000000000003"
	roleChange   = "b0000000-0000-4000-8000-000000000001"
	ownList      = "b0000000-0000-4000-8000-000000000002"
	appRequest   = "c0000000-0000-4000-8000-000000000001"
)

// examples/ecs.yaml gives the names of the Elastic Common Schema.
func TestRecipeECS(t *testing.T) {
	r := newRecipe(t, "ecs.yaml", samplesOf(t, "AUTH_LOG", "AUDIT_LOG", "APP_LOG", "APP_AUTH_LOG"))
	got := r.run(r.sink, countOf(t, "AUTH_LOG", "AUDIT_LOG", "APP_LOG", "APP_AUTH_LOG"))
	subset(t, map[string]any{
		"event.kind": "event", "event.category": []any{"authentication"}, "event.type": []any{"start"}, "event.outcome": "failure",
		"event.action": "password_login_invalid_password", "event.id": failedSignIn, "event.dataset": "openai.compliance.auth_log",
		"event.original": got[failedSignIn].Body, "source.ip": "203.0.113.8", "user.email": "grace@example.com",
		"organization.id": fakeapi.DefaultWorkspace,
	}, got[failedSignIn].Attributes)
	subset(t, map[string]any{"event.outcome": "failure", "source.geo.country_iso_code": "US"}, got[blockedSign].Attributes)
	subset(t, map[string]any{
		"event.category": []any{"iam"}, "event.type": []any{"change"}, "event.outcome": "success", "event.action": "USER_ROLE_UPDATED",
		"user.target.id": []any{"user-Grace00000000000000002"}, "user.target.roles": []any{"account-admin"},
	}, got[roleChange].Attributes)
	subset(t, map[string]any{"event.category": []any{"api"}, "event.action": "request", "event.outcome": "unknown"}, got[appRequest].Attributes)
}

// examples/ocsf.yaml makes each body an OCSF event.
func TestRecipeOCSF(t *testing.T) {
	r := newRecipe(t, "ocsf.yaml", samplesOf(t, "AUTH_LOG", "AUDIT_LOG", "APP_AUTH_LOG"))
	got := r.run(r.sink, countOf(t, "AUTH_LOG", "AUDIT_LOG", "APP_AUTH_LOG"))
	event := func(uid string) (out map[string]any) {
		require.NoError(t, json.Unmarshal([]byte(got[uid].Body), &out))
		return out
	}
	signIn := event(failedSignIn)
	subset(t, map[string]any{
		"class_uid": 3002.0, "category_uid": 3.0, "activity_id": 1.0, "type_uid": 300201.0, "status_id": 2.0, "severity_id": 3.0,
		"time": 1785662102000.0, "user": map[string]any{"uid": "user-Grace00000000000000002", "email_addr": "grace@example.com"},
	}, signIn)
	assert.Equal(t, failedSignIn, signIn["metadata"].(map[string]any)["uid"])
	assert.Contains(t, signIn["raw_data"], `"event_id":"`+failedSignIn)
	assert.Equal(t, "203.0.113.8", signIn["src_endpoint"].(map[string]any)["ip"])
	change := event(roleChange)
	subset(t, map[string]any{
		"class_uid": 6003.0, "category_uid": 6.0, "activity_id": 3.0, "type_uid": 600303.0, "status_id": 1.0, "severity_id": 1.0,
		"api": map[string]any{"operation": "USER_ROLE_UPDATED"},
	}, change)
	assert.Equal(t, "ada@example.com", change["actor"].(map[string]any)["user"].(map[string]any)["email_addr"])
	subset(t, map[string]any{"activity_id": 2.0, "type_uid": 600302.0}, event(ownList))
	assert.Equal(t, "sk-...RxIA", event(ownList)["actor"].(map[string]any)["user"].(map[string]any)["credential_uid"])
}

// examples/redaction.yaml lets no content, address or e-mail through.
func TestRecipeRedaction(t *testing.T) {
	r := newRecipe(t, "redaction.yaml", samplesOf(t, "AUTH_LOG", "AUDIT_LOG", "CODEX_LOG"))
	for uid, record := range r.run(r.sink, countOf(t, "AUTH_LOG", "AUDIT_LOG", "CODEX_LOG")) {
		text := record.Body + fmt.Sprint(record.Attributes)
		for _, personal := range []string{"CANARY", "ada@", "grace@", "203.0.113."} {
			assert.NotContains(t, text, personal, uid)
		}
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
