// Copyright The OpenTelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package state

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"go.uber.org/zap/zaptest/observer"

	"github.com/open-telemetry/opentelemetry-collector-contrib/extension/storage/filestorage"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/consumer/consumertest"
	"go.opentelemetry.io/collector/extension"
	"go.opentelemetry.io/collector/extension/xextension/storage"
	corereceiver "go.opentelemetry.io/collector/receiver"
	"go.opentelemetry.io/collector/receiver/receivertest"

	"github.com/openaicompliance/openaicompliancereceiver/cmd/internal/command"
	"github.com/openaicompliance/openaicompliancereceiver/internal/checkpoint"
	"github.com/openaicompliance/openaicompliancereceiver/internal/checkpoint/edit"
	"github.com/openaicompliance/openaicompliancereceiver/internal/fakeapi"
	"github.com/openaicompliance/openaicompliancereceiver/internal/metadata"
	"github.com/openaicompliance/openaicompliancereceiver/internal/testbed"
	"github.com/openaicompliance/openaicompliancereceiver/receiver"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const collector = `
receivers:
  openai_compliance:
    api_key: %s
    workspace_id: %s
    event_types: [AUTH_LOG]
    storage: file_storage
    start_from: -20d
    overlap: 1s
    initial_delay: 0s
    poll_interval: 10ms
    api_retry: {initial_interval: 1ms, max_interval: 5ms}
    rate_limit: {downloads_per_minute: 0, lists_per_minute: 0}
    download: {verify: strict}
    http: {endpoint: "%s"}
extensions:
  file_storage: {directory: "%s"}
`

// machine is where a collector runs, with the real file_storage.
type machine struct {
	t       *testing.T
	api     *fakeapi.API
	sink    *consumertest.LogsSink
	dir     string
	config  string
	running corereceiver.Logs
	logs    *observer.ObservedLogs
}

// newMachine has its own storage and sink; the API may be another machine's too.
func newMachine(t *testing.T, api *fakeapi.API) *machine {
	t.Helper()
	dir := t.TempDir()
	m := &machine{t: t, api: api, sink: &consumertest.LogsSink{}, dir: dir, config: filepath.Join(t.TempDir(), "collector.yaml")}
	m.configure(fmt.Sprintf(collector, fakeapi.DefaultKey, fakeapi.DefaultWorkspace, api.URL, dir))
	t.Cleanup(m.stop)
	return m
}

func (m *machine) configure(text string) {
	require.NoError(m.t, os.WriteFile(m.config, []byte(text), 0o600))
}

// set changes the configuration.
func (m *machine) set(pairs ...string) {
	data, err := os.ReadFile(m.config)
	require.NoError(m.t, err)
	m.configure(strings.NewReplacer(pairs...).Replace(string(data)))
}

func newAPI(t *testing.T) *fakeapi.API {
	t.Helper()
	api := fakeapi.New(fakeapi.Options{})
	require.NoError(t, api.Start("", ""))
	t.Cleanup(api.Close)
	return api
}

func ago(d time.Duration) time.Time { return time.Now().Add(-d) }

func line(id string) string { return `{"event_id":"` + id + `","type":"AUTH_LOG"}` }

// file_storage as the collector makes it.
func (m *machine) extension() extension.Extension {
	factory := filestorage.NewFactory()
	cfg := factory.CreateDefaultConfig().(*filestorage.Config)
	cfg.Directory = m.dir
	ext, err := factory.Create(m.t.Context(), extension.Settings{
		ID: component.NewID(factory.Type()), TelemetrySettings: component.TelemetrySettings{Logger: zap.NewNop()},
	}, cfg)
	require.NoError(m.t, err)
	return ext
}

type host struct{ ext extension.Extension }

func (h host) GetExtensions() map[component.ID]component.Component {
	return map[component.ID]component.Component{component.MustNewID("file_storage"): h.ext}
}

// start runs the real receiver of the configuration.
func (m *machine) start() {
	m.t.Helper()
	location, err := locateStorage(m.t.Context(), newEnv(nil, nil, nil), &options{Source: command.Source{Configs: []string{m.config}}})
	require.NoError(m.t, err)
	set := receivertest.NewNopSettings(metadata.Type)
	set.TelemetrySettings = componenttest.NewNopTelemetrySettings()
	core, logs := observer.New(zapcore.InfoLevel)
	set.Logger, set.ID, m.logs = zap.New(core), location.owner, logs
	m.running, err = receiver.New(set, location.cfg, m.sink)
	require.NoError(m.t, err)
	require.NoError(m.t, m.running.Start(m.t.Context(), host{m.extension()}))
}

func (m *machine) stop() {
	if m.running != nil {
		require.NoError(m.t, m.running.Shutdown(context.WithoutCancel(m.t.Context())))
		m.running = nil
	}
}

// counts how often each record was delivered here.
func (m *machine) counts() map[string]int {
	counts := map[string]int{}
	for _, logs := range m.sink.AllLogs() {
		for _, resource := range logs.ResourceLogs().All() {
			for _, record := range resource.ScopeLogs().At(0).LogRecords().All() {
				uid, _ := record.Attributes().Get("log.record.uid")
				counts[uid.Str()]++
			}
		}
	}
	return counts
}

// collect runs the receiver until so many records were delivered, and some polls more.
func (m *machine) collect(want map[string]int) {
	m.t.Helper()
	m.start()
	require.Eventually(m.t, func() bool { return testbed.Compare(want, m.counts()).Lost == nil }, 20*time.Second, 5*time.Millisecond,
		"want %v", want)
	m.awaitPolls(4)
	m.stop()
	require.Equal(m.t, want, m.counts())
}

// collectBut is collect where one file is quarantined meanwhile: its body is corrupt.
func (m *machine) collectBut(bad *fakeapi.File, want map[string]int) {
	m.t.Helper()
	m.api.Script(fakeapi.Fault{Op: "fetch", FileID: bad.ID, Corrupt: true})
	m.start()
	require.Eventually(m.t, func() bool {
		return len(m.counts()) == len(want) && m.logs.FilterMessage("file quarantined").Len() == 1 && m.logs.FilterMessage("first poll ended").Len() == 1
	}, 20*time.Second, 5*time.Millisecond)
	m.stop()
	require.Equal(m.t, want, m.counts())
}

// awaitPolls waits until so many more lists were requested.
func (m *machine) awaitPolls(n int) {
	m.t.Helper()
	lists := func() (n int) {
		for _, request := range m.api.Requests() {
			if request.Host == "api" && request.Query != "" {
				n++
			}
		}
		return n
	}
	before := lists()
	require.Eventually(m.t, func() bool { return lists() >= before+n }, 20*time.Second, 5*time.Millisecond)
}

// state runs the tool.
func (m *machine) state(args ...string) (out, notes string, err error) {
	m.t.Helper()
	return m.stateWith("", args...)
}

func (m *machine) stateWith(in string, args ...string) (out, notes string, err error) {
	m.t.Helper()
	var stdout, stderr bytes.Buffer
	env := newEnv(strings.NewReader(in), &stdout, &stderr)
	notes, err = m.run(env, &stderr, append([]string{"state", "--config", m.config}, args...))
	assert.NotContains(m.t, stdout.String()+stderr.String(), fakeapi.DefaultKey)
	return stdout.String(), notes, err
}

func newEnv(in io.Reader, out, notes io.Writer) *command.Env {
	return command.NewEnv(in, out, notes, filestorage.NewFactory())
}

// failure is how a call ended: its exit status, and the one sentence that it printed.
type failure struct {
	status   int
	sentence string
}

func (f *failure) Error() string { return f.sentence }

func exitStatus(err error) int {
	if f, ok := errors.AsType[*failure](err); ok {
		return f.status
	}
	return 0
}

// run runs the program and parts the sentence about an error from the other notes.
func (m *machine) run(env *command.Env, printed *bytes.Buffer, args []string) (notes string, err error) {
	m.t.Helper()
	root := command.NewRoot(env)
	root.AddCommand(New(env))
	status := command.Run(m.t.Context(), root, env, args)
	if status == 0 {
		return printed.String(), nil
	}
	notes, sentence, found := strings.Cut(printed.String(), command.Name+": ")
	require.True(m.t, found, printed.String())
	require.Equal(m.t, 1, strings.Count(sentence, "\n"), sentence)
	return notes, &failure{status, strings.TrimSuffix(sentence, "\n")}
}

// must is state for commands that work.
func (m *machine) must(args ...string) string {
	m.t.Helper()
	out, notes, err := m.state(args...)
	require.NoError(m.t, err, notes)
	return out + notes
}

// client opens the storage.
func (m *machine) client() storage.Client {
	m.t.Helper()
	client, err := m.extension().(storage.Extension).GetClient(m.t.Context(), component.KindReceiver, component.MustNewID("openai_compliance"), "")
	require.NoError(m.t, err)
	return client
}

// newSnapshot is a checkpoint without files.
func newSnapshot(eventType string, bounds *checkpoint.Bounds, segments ...checkpoint.StoredSegment) *checkpoint.Snapshot {
	return &checkpoint.Snapshot{
		Key: checkpoint.Key(fakeapi.DefaultWorkspace, eventType),
		Content: checkpoint.Content{
			Bounds: bounds, Segments: append([]checkpoint.StoredSegment{}, segments...),
			HashKey: checkpoint.HashKey{0: 1, 31: 32}, Open: []checkpoint.QueuedFile{}, Implausible: []string{},
		},
		Queue: []checkpoint.QueuedFile{}, Completed: []checkpoint.CompletedFile{}, Events: []checkpoint.EventBlock{},
	}
}

// store puts checkpoints into the storage.
func (m *machine) store(snaps ...*checkpoint.Snapshot) {
	m.t.Helper()
	client := m.client()
	store, err := edit.Open(m.t.Context(), client)
	require.NoError(m.t, err)
	require.NoError(m.t, store.Replace(m.t.Context(), snaps...))
	require.NoError(m.t, client.Close(m.t.Context()))
}

// file of the storage.
func (m *machine) file() string { return filepath.Join(m.dir, "receiver_openai_compliance_") }

// backups beside the file.
func (m *machine) backups() []string {
	found, err := filepath.Glob(m.file() + ".*.backup")
	require.NoError(m.t, err)
	return found
}
