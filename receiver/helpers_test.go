// Copyright The OpenTelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package receiver

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"go.uber.org/zap/zaptest/observer"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componentstatus"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/config/configopaque"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/consumer/consumertest"
	corereceiver "go.opentelemetry.io/collector/receiver"
	"go.opentelemetry.io/collector/receiver/receivertest"

	"github.com/openaicompliance/openaicompliancereceiver/internal/collect"
	"github.com/openaicompliance/openaicompliancereceiver/internal/fakeapi"
	"github.com/openaicompliance/openaicompliancereceiver/internal/metadata"
	"github.com/openaicompliance/openaicompliancereceiver/internal/testbed"
)

var storageID = component.MustNewID("file_storage")

// world is one simulated API, one storage and one receiver after the other.
type world struct {
	t       *testing.T
	api     *fakeapi.API
	storage component.Component
	sink    *consumertest.LogsSink
	next    consumer.Logs
	cfg     *Config
	logs    *observer.ObservedLogs
	status  *statuses
	tel     *componenttest.Telemetry

	running   corereceiver.Logs
	times     collect.Times
	wallClock func() time.Time // the collector's own clock
}

// quickTimes are the waits of the engine in these tests.
func quickTimes() collect.Times {
	return collect.Times{
		QueueFirst: 10 * time.Millisecond, QueueMost: 40 * time.Millisecond, Unverified: 20 * time.Millisecond,
		HoldMost: 600 * time.Millisecond, KeyCheck: 10 * time.Millisecond, Denied: 5 * time.Minute, EvictAfter: 30 * time.Second,
	}
}

// newWorld serves an API with the given options; configure changes the
// receiver's configuration.
func newWorld(t *testing.T, opts fakeapi.Options, configure ...func(*Config)) *world {
	t.Helper()
	api := fakeapi.New(opts)
	require.NoError(t, api.Start("", ""))
	w := &world{
		t: t, api: api, storage: testbed.NewStorage(), sink: &consumertest.LogsSink{},
		cfg: testConfig(api.URL), status: &statuses{}, tel: componenttest.NewTelemetry(), times: quickTimes(), wallClock: time.Now,
	}
	if opts.Now != nil { // both clocks agree, unless a test says otherwise
		w.wallClock = opts.Now
	}
	w.next = w.sink
	for _, change := range configure {
		change(w.cfg)
	}
	t.Cleanup(func() {
		w.stop()
		api.Close()
		assert.NoError(t, w.tel.Shutdown(context.Background()))
	})
	return w
}

// testConfig polls every few milliseconds and keeps its position in storage.
func testConfig(endpoint string) *Config {
	cfg := NewDefaultConfig()
	cfg.APIKey = configopaque.String(fakeapi.DefaultKey)
	cfg.WorkspaceID = fakeapi.DefaultWorkspace
	cfg.EventTypes = []string{"AUTH_LOG"}
	cfg.StorageID = &storageID
	cfg.InitialDelay = 0
	cfg.PollInterval = 10 * time.Millisecond
	cfg.RateLimit = RateLimitConfig{}
	cfg.APIRetry.BackOff.InitialInterval = time.Millisecond
	cfg.APIRetry.BackOff.MaxInterval = 10 * time.Millisecond
	cfg.RetryOnFailure.InitialInterval = time.Millisecond
	cfg.RetryOnFailure.MaxInterval = 10 * time.Millisecond
	cfg.HTTP.Endpoint = endpoint
	return cfg
}

func (w *world) start() {
	w.t.Helper()
	require.NoError(w.t, w.tryStart())
}

func (w *world) tryStart() error {
	w.t.Helper()
	core, logs := observer.New(zapcore.DebugLevel)
	w.logs = logs
	set := receivertest.NewNopSettings(metadata.Type)
	set.TelemetrySettings = w.tel.NewTelemetrySettings()
	set.Logger = zap.New(core)
	set.ID = component.MustNewID("openai_compliance")
	require.NoError(w.t, w.cfg.Validate())
	r, err := New(set, w.cfg, w.next, WithTimes(w.times), WithWallClock(w.wallClock))
	require.NoError(w.t, err)
	w.running = r
	return r.Start(w.t.Context(), &host{w.storage, w.status})
}

func (w *world) stop() {
	w.t.Helper()
	if w.running != nil {
		require.NoError(w.t, w.running.Shutdown(context.WithoutCancel(w.t.Context())))
		w.running = nil
	}
}

// counts returns how often each uid was accepted.
func (w *world) counts() map[string]int {
	counts := map[string]int{}
	for _, record := range w.records("") {
		uid, _ := record["log.record.uid"].(string)
		counts[uid]++
	}
	return counts
}

// records returns the attributes of the accepted records with this EventName, or
// of all.
func (w *world) records(eventName string) (records []map[string]any) {
	for _, logs := range w.sink.AllLogs() {
		for _, resource := range logs.ResourceLogs().All() {
			for _, scope := range resource.ScopeLogs().All() {
				for _, record := range scope.LogRecords().All() {
					if eventName == "" || record.EventName() == eventName {
						records = append(records, record.Attributes().AsRaw())
					}
				}
			}
		}
	}
	return records
}

// awaitExact waits until every record of the files has come, lets more passes go
// by and requires that each came exactly once.
func (w *world) awaitExact(files ...*fakeapi.File) {
	w.t.Helper()
	if files == nil {
		files = w.api.Files("")
	}
	want := fakeapi.Expected(files)
	require.Eventually(w.t, func() bool { return len(w.counts()) >= len(want) }, 20*time.Second, 5*time.Millisecond)
	w.awaitPasses(3)
	result := testbed.Compare(want, w.counts())
	require.True(w.t, result.OK(), "%+v", result)
}

// awaitPasses waits until n more list requests have been made.
func (w *world) awaitPasses(n int) {
	w.t.Helper()
	before := w.listRequests()
	require.Eventually(w.t, func() bool { return w.listRequests() >= before+n }, 20*time.Second, 5*time.Millisecond)
}

func (w *world) listRequests() int {
	n := 0
	for _, r := range w.api.Requests() {
		if r.Host == "api" && r.Query != "" {
			n++
		}
	}
	return n
}

// awaitLog waits for a log entry with this message.
func (w *world) awaitLog(message string) observer.LoggedEntry {
	w.t.Helper()
	require.Eventually(w.t, func() bool { return w.logs.FilterMessage(message).Len() > 0 }, 20*time.Second, 5*time.Millisecond,
		"no log entry %q", message)
	return w.logs.FilterMessage(message).All()[0]
}

// host offers one storage extension and collects status events.
type host struct {
	storage component.Component
	*statuses
}

func (h *host) GetExtensions() map[component.ID]component.Component {
	if h.storage == nil {
		return nil
	}
	return map[component.ID]component.Component{storageID: h.storage}
}

type statuses struct {
	events syncSlice[*componentstatus.Event]
}

// Report implements componentstatus.Reporter.
func (s *statuses) Report(ev *componentstatus.Event) { s.events.add(ev) }

// kinds returns the reported statuses in order.
func (s *statuses) kinds() []componentstatus.Status {
	var kinds []componentstatus.Status
	for _, ev := range s.events.all() {
		kinds = append(kinds, ev.Status())
	}
	return kinds
}

// authLine is a small AUTH_LOG record.
func authLine(id string) string {
	return `{"event_id":"` + id + `","type":"AUTH_LOG","timestamp":"2026-08-02T09:14:55Z","actor":{"type":"ACCOUNT_USER","user_id":"user-1"},"action_data":{"action":"login_success"}}`
}

// recent is a file time within the default start_from.
func recent(ago time.Duration) time.Time { return time.Now().Add(-ago) }
