// Copyright The OpenTelemetry Authors
// SPDX-License-Identifier: Apache-2.0

//go:build e2e

package backends

import (
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/openaicompliance/openaicompliancereceiver/internal/fakeapi"
	"github.com/openaicompliance/openaicompliancereceiver/internal/testbed"
)

// The programs that make test-backends builds.
const (
	shipped  = "../../_build/otelcol-openai-compliance"
	exotic   = "../../_build/backends/otelcol-backends"
	database = "../../.tools/victoria-logs"
)

// The collectors accept the blocks that the document calls validated.
func TestBlocksAreValid(t *testing.T) {
	validated := 0
	for _, b := range sections(t) {
		for _, block := range b.blocks {
			_, kind, _ := strings.Cut(block, "exporters:\n  ")
			kind, _, _ = strings.Cut(kind, ":\n")
			collector, ok := map[string]string{
				"otlp_http/datadog": shipped, "otlp_http/loki": shipped, "otlp_http/victorialogs": shipped,
				"clickhouse": exotic, "azure_monitor": exotic,
			}[kind]
			if !ok {
				assert.Contains(t, b.text, "not run here", "%s: %s", b.name, kind)
				continue
			}
			validated++
			assert.Contains(t, b.text, "validated", "%s: %s", b.name, kind)
			receiver := "  nop:\n"
			if collector == shipped {
				receiver = "  openai_compliance: {api_key: sk-admin-example, organization_id: org-p13k3klgno5cqxbf0q8hpgrk, event_types: [COSTS], allow_ephemeral_cursor: true}\n"
			}
			name, _, _ := strings.Cut(strings.TrimSpace(receiver), ":")
			file := filepath.Join(t.TempDir(), "config.yaml")
			require.NoError(t, os.WriteFile(file, []byte("receivers:\n"+receiver+block+"service:\n  pipelines:\n    logs: {receivers: ["+name+"], exporters: ["+kind+"]}\n"), 0o600))
			validate := exec.Command(collector, "validate", "--config", file)
			validate.Env = append(os.Environ(), "DD_API_KEY=example", "CLICKHOUSE_PASSWORD=example",
				"APPLICATIONINSIGHTS_CONNECTION_STRING=InstrumentationKey=00000000-0000-0000-0000-000000000000;IngestionEndpoint=https://ingestion.example.com/")
			out, err := validate.CombinedOutput()
			require.NoError(t, err, "%s: %s", kind, out)
		}
	}
	assert.Equal(t, 5, validated)
}

// world is the simulated API, VictoriaLogs and a collector between them that has the
// document's block, and writes what Kafka would get into a file beside it.
type world struct {
	t        *testing.T
	api      *fakeapi.API
	base     string // of VictoriaLogs
	messages string
}

func freeAddr(t *testing.T) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	require.NoError(t, listener.Close())
	return listener.Addr().String()
}

func newWorld(t *testing.T, api *fakeapi.API) *world {
	t.Helper()
	require.NoError(t, api.Start("", ""))
	t.Cleanup(func() { api.Close() })
	dir, addr := t.TempDir(), freeAddr(t)
	store, err := testbed.StartProgram(filepath.Join(dir, "store.log"), nil, database,
		"-storageDataPath="+filepath.Join(dir, "logs"), "-httpListenAddr="+addr, "-retentionPeriod=100y", "-futureRetention=100y")
	require.NoError(t, err, "make test-backends builds it")
	t.Cleanup(func() { _ = store.Stop() })
	w := &world{t: t, api: api, base: "http://" + addr, messages: filepath.Join(dir, "messages.jsonl")}
	require.Eventually(t, func() bool {
		resp, err := http.Get(w.base + "/health")
		if err != nil {
			return false
		}
		resp.Body.Close()
		return resp.StatusCode == http.StatusOK
	}, 30*time.Second, 50*time.Millisecond)
	return w
}

// deliver lets a collector without state deliver all there is, once. The processors, if
// any, are one entry of that section.
func (w *world) deliver(block, processors string, records int) {
	w.t.Helper()
	dir, used := w.t.TempDir(), ""
	if processors != "" {
		name, _, _ := strings.Cut(strings.TrimSpace(processors), ":\n")
		processors, used = "processors:\n"+processors, "processors: ["+name+"], "
	}
	text := fmt.Sprintf(`
receivers:
  openai_compliance:
    api_key: %s
    workspace_id: %s
    event_types: [AUTH_LOG, AUDIT_LOG, CODEX_TURN, CONVERSATION_MESSAGE]
    storage: file_storage
    poll_interval: 100ms
    initial_delay: 0s
    rate_limit: {downloads_per_minute: 0, lists_per_minute: 0}
    http: {endpoint: %q}
%s  file: {path: %q}
%sextensions:
  file_storage: {directory: %q}
service:
  telemetry: {metrics: {level: none}}
  extensions: [file_storage]
  pipelines:
    logs: {receivers: [openai_compliance], %sexporters: [otlp_http/victorialogs, file]}
`, fakeapi.DefaultKey, fakeapi.DefaultWorkspace, w.api.URL, strings.Replace(block, "https://victorialogs.example.com:9428", w.base, 1), w.messages, processors, dir, used)
	config, log := filepath.Join(dir, "config.yaml"), filepath.Join(dir, "log")
	require.NoError(w.t, os.WriteFile(config, []byte(text), 0o600))
	before := len(w.rows("*"))
	collector, err := testbed.StartCollector(shipped, config, log)
	require.NoError(w.t, err)
	defer func() { _ = collector.Stop() }()
	require.Eventually(w.t, func() bool { return len(w.rows("*")) >= before+records }, time.Minute, 100*time.Millisecond, "records in the database")
}

// rows are what a query finds.
func (w *world) rows(query string) (rows []map[string]any) {
	w.t.Helper()
	resp, err := http.PostForm(w.base+"/select/logsql/query", url.Values{"query": {query}})
	require.NoError(w.t, err)
	defer resp.Body.Close()
	require.Equal(w.t, http.StatusOK, resp.StatusCode, query)
	for found := json.NewDecoder(resp.Body); found.More(); {
		var row map[string]any
		require.NoError(w.t, found.Decode(&row))
		rows = append(rows, row)
	}
	return rows
}

// jq runs a query over the messages.
func (w *world) jq(setup, query string) (rows []map[string]any) {
	w.t.Helper()
	dir := w.t.TempDir()
	require.NoError(w.t, os.WriteFile(filepath.Join(dir, "openai.jq"), []byte(setup), 0o600))
	out, err := exec.Command("jq", "-n", "-c", "-L", dir, `include "openai"; `+query, w.messages).Output()
	require.NoError(w.t, err, query)
	for found := json.NewDecoder(strings.NewReader(string(out))); found.More(); {
		var row map[string]any
		require.NoError(w.t, found.Decode(&row))
		rows = append(rows, row)
	}
	return rows
}

// withoutID takes the id out of the first entry of a list answer.
func withoutID(page map[string]any) {
	if files, ok := page["data"].([]any); ok && len(files) > 0 {
		delete(files[0].(map[string]any), "id")
	}
}

// Delivered twice with the document's block, VictoriaLogs has each record twice, and the
// queries of the document count it once; a line over 2 MiB is not there, as the document
// says. The queries for Kafka find the same in messages of its encoding.
func TestQueries(t *testing.T) {
	api := fakeapi.New(fakeapi.Options{})
	records := 0
	for _, eventType := range []string{"AUTH_LOG", "AUDIT_LOG", "CODEX_TURN"} {
		text, err := os.ReadFile("../../testdata/records/" + strings.ToLower(eventType) + ".jsonl")
		require.NoError(t, err)
		lines := strings.Split(strings.TrimSpace(string(text)), "\n")
		api.Add(eventType, time.Now().Add(-time.Hour), lines...)
		records += len(lines)
	}
	long := strings.Repeat("a long conversation ", 120_000)
	api.Add("CONVERSATION_MESSAGE", time.Now().Add(-time.Hour), `{"event_id":"long","type":"CONVERSATION_MESSAGE","message":{"content":"`+long+`"}}`, `{"event_id":"short","type":"CONVERSATION_MESSAGE"}`)
	api.Add("AUTH_LOG", time.Now().Add(-2*time.Hour), `{"event_id":"listed without id","type":"AUTH_LOG"}`)
	api.Script(fakeapi.Fault{Op: "list", EventType: "AUTH_LOG", Rewrite: withoutID})
	records += 2 // short, and the gap record
	w := newWorld(t, api)

	store, kafka := section(t, "VictoriaLogs"), section(t, "Kafka")
	w.deliver(store.blocks[0], "", records)
	once := make([]int, len(store.queries))
	for i, query := range store.queries {
		once[i] = len(w.rows(query))
		assert.Positive(t, once[i], query)
	}
	w.deliver(store.blocks[0], "", records)
	uids := w.rows("* | stats by (log.record.uid) count() n")
	assert.Len(t, uids, records)
	for _, row := range uids {
		assert.Equal(t, "2", row["n"], row["log.record.uid"])
		assert.NotEqual(t, "long", row["log.record.uid"])
	}
	sent, err := os.ReadFile(w.messages)
	require.NoError(t, err)
	assert.Contains(t, string(sent), `"stringValue":"long"`, "the long line was delivered, and dropped in silence")
	for i, query := range store.queries {
		assert.Len(t, w.rows(query), once[i], query)
	}
	assert.Equal(t, "777", w.rows(store.queries[3])[0]["output"], "tokens of a repetition are counted once")

	for i, query := range kafka.queries {
		assert.Len(t, w.jq(kafka.setup, query), once[i], "%s\nfinds what VictoriaLogs does", query)
	}
	assert.EqualValues(t, 777, w.jq(kafka.setup, kafka.queries[3])[0]["output"])
}

// The processor of the document cuts a body, between two characters, so that VictoriaLogs
// keeps the record with its attributes.
func TestCutBodies(t *testing.T) {
	text, err := os.ReadFile("../../docs/backends.md")
	require.NoError(t, err)
	var cut string
	for _, block := range fence.FindAllStringSubmatch(string(text), -1) {
		if strings.HasPrefix(block[2], "  transform/cut:") {
			cut = block[2]
		}
	}
	require.NotEmpty(t, cut)
	api := fakeapi.New(fakeapi.Options{})
	line := `{"event_id":"long","type":"CONVERSATION_MESSAGE","x":"` + strings.Repeat("\u20ac", 800_000) + `"}`
	api.Add("CONVERSATION_MESSAGE", time.Now().Add(-time.Hour), line)
	w := newWorld(t, api)
	w.deliver(section(t, "VictoriaLogs").blocks[0], cut, 1)
	row := w.rows("*")[0]
	assert.Equal(t, "long", row["log.record.uid"])
	body, ok := row["_msg"].(string)
	require.True(t, ok)
	assert.True(t, strings.HasPrefix(line, body), "cut at the end of a character")
	assert.InDelta(t, 250_000, len(body), 3)
}
