// Copyright The OpenTelemetry Authors
// SPDX-License-Identifier: Apache-2.0

//go:build e2e

// Package e2e runs the built collector, as a user would, against the simulated
// API and a sink that keeps records before it answers.
package e2e

import (
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/openaicompliance/openaicompliancereceiver/internal/fakeapi"
	"github.com/openaicompliance/openaicompliancereceiver/internal/testbed"
)

// binary is the collector under test, which make passes on.
func binary(t *testing.T) string {
	t.Helper()
	path := os.Getenv("OTELCOL")
	require.NotEmpty(t, path, "OTELCOL names no collector; run make test-e2e")
	return path
}

// rig is one simulated API, one sink and one collector after the other.
type rig struct {
	t         *testing.T
	api       *fakeapi.API
	sink      *testbed.Sink
	config    string
	log       string
	env       []string
	binary    string
	collector *testbed.Collector
}

// newRig writes the collector's configuration with the given receiver keys.
func newRig(t *testing.T, api *fakeapi.API, receiver string) *rig {
	t.Helper()
	return newRigWith(t, api, &testbed.Sink{}, receiver)
}

func newRigWith(t *testing.T, api *fakeapi.API, sink *testbed.Sink, receiver string) *rig {
	t.Helper()
	require.NoError(t, api.Start("", ""))
	require.NoError(t, sink.Start())
	dir := t.TempDir()
	r := &rig{t: t, api: api, sink: sink, config: filepath.Join(dir, "config.yaml"), log: filepath.Join(dir, "collector.log")}
	r.env, r.binary = []string{"KEY=" + fakeapi.DefaultKey}, binary(t)
	require.NoError(t, os.WriteFile(r.config, []byte(fmt.Sprintf(configTemplate,
		fakeapi.DefaultWorkspace, indent(receiver), api.URL, sink.Endpoint, dir)), 0o600))
	t.Cleanup(func() {
		if r.collector != nil {
			r.collector.Kill()
		}
		sink.Close()
		api.Close()
		if t.Failed() {
			t.Logf("collector's log:\n%s", r.output())
		}
	})
	return r
}

const configTemplate = `
receivers:
  openai_compliance:
    api_key: ${env:KEY}
    workspace_id: %s
    storage: file_storage
    poll_interval: 100ms
    initial_delay: 0s
    rate_limit: {downloads_per_minute: 0, lists_per_minute: 0}
%s
    http: {endpoint: "%s"}
exporters:
  otlp_http:
    endpoint: %s
    sending_queue: {enabled: false}
    retry_on_failure: {enabled: false}
extensions:
  file_storage: {directory: "%s", fsync: true}
service:
  telemetry:
    metrics: {level: none}
    logs: {level: debug}
  extensions: [file_storage]
  pipelines:
    logs: {receivers: [openai_compliance], exporters: [otlp_http]}
`

func indent(text string) string {
	return "    " + strings.ReplaceAll(strings.TrimSpace(text), "\n", "\n    ")
}

// replace changes the configuration's text.
func (r *rig) replace(pairs ...string) {
	r.t.Helper()
	data, err := os.ReadFile(r.config)
	require.NoError(r.t, err)
	text := strings.NewReplacer(pairs...).Replace(string(data))
	require.NotEqual(r.t, string(data), text)
	require.NoError(r.t, os.WriteFile(r.config, []byte(text), 0o600))
}

func (r *rig) start() {
	r.t.Helper()
	var err error
	r.collector, err = testbed.StartCollector(r.binary, r.config, r.log, r.env...)
	require.NoError(r.t, err)
}

func (r *rig) stop() {
	r.t.Helper()
	require.NoError(r.t, r.collector.Stop())
	r.collector = nil
}

func (r *rig) output() string {
	data, _ := os.ReadFile(r.log)
	return string(data)
}

// await waits until the condition holds while the collector runs.
func (r *rig) await(what string, done func() bool) {
	r.t.Helper()
	r.awaitWithin(time.Minute, what, done)
}

func (r *rig) awaitWithin(limit time.Duration, what string, done func() bool) {
	r.t.Helper()
	for end := time.Now().Add(limit); !done(); time.Sleep(20 * time.Millisecond) {
		require.True(r.t, r.collector.Running(), "the collector ended by itself while waiting for %s", what)
		require.True(r.t, time.Now().Before(end), "waited too long for %s", what)
	}
}

// lists counts the list requests so far.
func (r *rig) lists() (lists int) {
	for _, request := range r.api.Requests() {
		if request.Host == "api" && strings.Contains(request.Query, "event_type") {
			lists++
		}
	}
	return lists
}

// awaitPasses waits until n more listings of a type have been asked for.
func (r *rig) awaitPasses(n int) {
	r.t.Helper()
	before := r.lists()
	r.await("more passes", func() bool { return r.lists() >= before+n })
}

// awaitEnd waits until so many records have come, or a hundred listings have
// brought no new one.
func (r *rig) awaitEnd(records int) {
	r.t.Helper()
	seen, since := -1, 0
	r.awaitWithin(5*time.Minute, "the end", func() bool {
		if n := r.sink.Unique(); n != seen {
			seen, since = n, r.lists()
		}
		return seen >= records || r.lists() >= since+100
	})
	r.awaitPasses(4)
}

// awaitExact waits for every exported record, lets more passes go by and
// requires each record exactly once.
func (r *rig) awaitExact() {
	r.t.Helper()
	want := fakeapi.Expected(r.api.Files(""))
	r.await("all records", func() bool { return r.sink.Unique() >= len(want) })
	r.awaitPasses(4)
	result := testbed.Compare(want, r.sink.Counts())
	require.True(r.t, result.OK(), "lost %d, doubled %d, alien %d", len(result.Lost), len(result.Doubled), len(result.Alien))
}

// backlog is an API with a day of files of two types.
func backlog(opts fakeapi.Options, records int) *fakeapi.API {
	opts.Live = &fakeapi.Schedule{
		Types: []string{"AUTH_LOG", "CODEX_LOG"}, Since: time.Now().Add(-5 * time.Hour), Every: 10 * time.Minute,
		Records: records, Late: 0.1, Stop: time.Now(),
	}
	return fakeapi.New(opts)
}

const twoTypes = "event_types: [AUTH_LOG, CODEX_LOG]"

// Restarting adds nothing, under both meanings of `after`, and a file that is new
// is picked up.
func TestResumeAfterRestart(t *testing.T) {
	for _, inclusive := range []bool{false, true} {
		t.Run(fmt.Sprintf("inclusive=%v", inclusive), func(t *testing.T) {
			r := newRig(t, backlog(fakeapi.Options{Inclusive: inclusive, PageLimit: 10}, 20), twoTypes)
			r.start()
			r.awaitExact()
			for range 2 {
				r.stop()
				r.start()
				r.awaitPasses(4)
			}
			r.api.Add("AUTH_LOG", time.Now().Add(-time.Second), `{"event_id":"new","type":"AUTH_LOG"}`)
			r.awaitExact()
			r.stop()
			assert.NotContains(t, r.output(), fakeapi.DefaultKey)
			assert.NotContains(t, r.output(), "sig=")
		})
	}
}

// A stop in the middle of delivery, with the sink refusing, neither loses nor
// doubles a record.
func TestResumeInTheMiddle(t *testing.T) {
	r := newRig(t, backlog(fakeapi.Options{}, 50), twoTypes+"\nbatch: {max_records: 7}\nretry_on_failure: {initial_interval: 10ms, max_interval: 50ms}")
	for range 4 {
		r.start()
		before := len(r.sink.Deliveries())
		r.await("some records", func() bool { return len(r.sink.Deliveries()) > before+200 })
		r.sink.Refuse(503)
		requests := r.sink.Requests()
		r.await("refusals", func() bool { return r.sink.Requests() > requests+2 })
		r.stop()
		r.sink.Refuse(0)
	}
	r.start()
	r.awaitExact()
	r.stop()
}

// count reads how often something is to be done from the environment.
func count(t *testing.T, variable string, otherwise int) int {
	t.Helper()
	text := os.Getenv(variable)
	if text == "" {
		return otherwise
	}
	n, err := strconv.Atoi(text)
	require.NoError(t, err, variable)
	return n
}

// kill -9 at random times, while files keep coming, loses nothing and repeats at
// most one batch of each stream for each kill. KILLS sets the number of cycles.
func TestKill(t *testing.T) {
	const batch, streams = 10, 2
	kills := count(t, "KILLS", 10)
	api := fakeapi.New(fakeapi.Options{Seed: 3, Live: &fakeapi.Schedule{
		Types: []string{"AUTH_LOG", "CODEX_LOG"}, Since: time.Now().Add(-10 * time.Second), Every: 100 * time.Millisecond, Records: 25,
	}})
	r := newRig(t, api, fmt.Sprintf("%s\nbatch: {max_records: %d}\ndeduplication: {window: 0}", twoTypes, batch))
	began := time.Now()
	for range kills {
		r.start()
		time.Sleep(time.Duration(20+rand.IntN(580)) * time.Millisecond)
		r.collector.Kill()
	}
	api.Freeze()
	r.start()
	want := fakeapi.Expected(r.api.Files(""))
	r.awaitEnd(len(want))
	r.stop()
	result := testbed.Compare(want, r.sink.Counts())
	assert.Empty(t, result.Lost)
	assert.Empty(t, result.Alien)
	repeated := result.Delivered - result.Expected
	assert.LessOrEqual(t, repeated, kills*batch*streams)
	fmt.Printf("kill -9: %d cycles in %.0f s, %d records, %d lost, %d delivered again (%.2f of a batch for each kill)\n",
		kills, time.Since(began).Seconds(), result.Expected, len(result.Lost), repeated, float64(repeated)/float64(batch*kills))
}

// A configuration with a fault, a storage that is not there: the collector says
// in one sentence what is wrong and ends.
func TestRefusesToStart(t *testing.T) {
	for name, tt := range map[string]struct{ change, to, want string }{
		"unknown key":         {"poll_interval", "poll_intervall", "poll_intervall"},
		"unknown key in http": {"{endpoint:", "{tiemout: 1s, endpoint:", "tiemout"},
		"unknown event type":  {"CODEX_LOG", "codex_log", `event_types: "codex_log" does not look like an event type`},
		"storage not started": {"extensions: [file_storage]", "extensions: []", `storage: extension "file_storage" is not running`},
		"storage of no kind":  {"storage: file_storage", "storage: zpages", `storage: extension "zpages" does not keep state`},
		"empty key":           {"${env:KEY}", "${env:NO_SUCH_VARIABLE}", "api_key: missing"},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t, fakeapi.New(fakeapi.Options{}), twoTypes)
			data, err := os.ReadFile(r.config)
			require.NoError(t, err)
			text := strings.Replace(string(data), tt.change, tt.to, 1)
			if tt.to == "storage: zpages" {
				text = strings.Replace(text, "extensions:\n", "extensions:\n  zpages: {endpoint: '127.0.0.1:0'}\n", 1)
				text = strings.Replace(text, "extensions: [file_storage]", "extensions: [file_storage, zpages]", 1)
			}
			require.NoError(t, os.WriteFile(r.config, []byte(text), 0o600))
			r.start()
			require.Error(t, r.collector.Wait(30*time.Second))
			assert.Contains(t, r.output(), tt.want)
			assert.Empty(t, r.api.Requests())
		})
	}
}

// --version shows the version and the commit it was built from.
func TestVersion(t *testing.T) {
	out, err := exec.Command(binary(t), "--version").CombinedOutput()
	require.NoError(t, err)
	assert.Regexp(t, `\d+\.\d+\.\d+(-dev)?\+([0-9a-f]{12}|unknown)`, string(out))
}

// make run without the two variables says which are missing.
func TestRunNeedsVariables(t *testing.T) {
	cmd := exec.Command("../scripts/run.sh", "_build/none")
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "OPENAI_WORKSPACE_ID=x"}
	out, err := cmd.CombinedOutput()
	require.Error(t, err)
	assert.Equal(t, 2, cmd.ProcessState.ExitCode())
	assert.Contains(t, string(out), "OPENAI_COMPLIANCE_API_KEY is not set")
	assert.NotContains(t, string(out), "OPENAI_WORKSPACE_ID is not set")
}
