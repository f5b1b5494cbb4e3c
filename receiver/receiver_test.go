// Copyright The OpenTelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package receiver

import (
	"context"
	"errors"
	"fmt"
	"net/http/httptest"
	"net/url"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/otel/attribute"
	"go.uber.org/goleak"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componentstatus"
	"go.opentelemetry.io/collector/consumer/consumertest"
	"go.opentelemetry.io/collector/extension/xextension/storage"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/receiver/receivertest"

	"github.com/openaicompliance/openaicompliancereceiver/internal/checkpoint"
	"github.com/openaicompliance/openaicompliancereceiver/internal/fakeapi"
	"github.com/openaicompliance/openaicompliancereceiver/internal/metadata"
	"github.com/openaicompliance/openaicompliancereceiver/internal/testbed"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func attrs(pairs ...string) attribute.Set {
	var kvs []attribute.KeyValue
	for i := 0; i < len(pairs); i += 2 {
		kvs = append(kvs, attribute.String(pairs[i], pairs[i+1]))
	}
	return attribute.NewSet(kvs...)
}

func memory(w *world) *testbed.Storage { return w.storage.(*testbed.Storage) }

func openClient(t *testing.T, w *world, name string) storage.Client {
	t.Helper()
	client, err := memory(w).GetClient(t.Context(), component.KindReceiver, component.MustNewIDWithName("openai_compliance", name), "")
	require.NoError(t, err)
	return client
}

// A storage extension that is missing, of another kind, locked or unreadable
// stops Start with a plain sentence, and Start leaves nothing open behind it.
func TestStartStorageFaults(t *testing.T) {
	for name, tt := range map[string]struct {
		prepare func(*world)
		want    string
	}{
		"missing":       {func(w *world) { w.storage = nil }, `storage: extension "file_storage" is not running; define it under extensions`},
		"not a storage": {func(w *world) { w.storage = struct{ component.Component }{} }, `storage: extension "file_storage" does not keep state`},
		"locked": {func(w *world) {
			_, err := memory(w).GetClient(w.t.Context(), component.KindReceiver, component.MustNewID("openai_compliance"), "")
			require.NoError(w.t, err)
		}, `storage: open "file_storage": storage: locked`},
		"unreadable": {func(w *world) { memory(w).FailGet(errors.New("disk on fire")) }, "disk on fire"},
		"read-only":  {func(w *world) { memory(w).FailSet(errors.New("read-only file system")) }, "read-only file system"},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, fakeapi.Options{})
			tt.prepare(w)
			err := w.tryStart()
			require.ErrorContains(t, err, tt.want)
			if s, ok := w.storage.(*testbed.Storage); ok && name != "locked" {
				assert.Zero(t, s.OpenClients())
			}
		})
	}
}

// on_missing_state: fail names the key that is missing; start says that this is a
// first run.
func TestStartMissingState(t *testing.T) {
	key := checkpoint.Key(fakeapi.DefaultWorkspace, "AUTH_LOG")
	w := newWorld(t, fakeapi.Options{}, func(cfg *Config) { cfg.OnMissingState = missingStateFail })
	err := w.tryStart()
	require.ErrorContains(t, err, "on_missing_state is fail")
	require.ErrorContains(t, err, key)

	w.cfg.OnMissingState = missingStateStart
	w.start()
	entry := w.awaitLog("first run, no stored state")
	assert.Equal(t, key, entry.ContextMap()["key"])
	w.stop()

	w.cfg.OnMissingState = missingStateFail
	w.start()
	assert.Zero(t, w.logs.FilterMessage("first run, no stored state").Len())
}

// Damaged state stops its own stream only, is named with its key, degrades the
// component and is left as it is: it is never taken for a first run.
func TestStartDamagedState(t *testing.T) {
	w := newWorld(t, fakeapi.Options{}, func(cfg *Config) { cfg.EventTypes = []string{"AUDIT_LOG", "AUTH_LOG"} })
	key := checkpoint.Key(fakeapi.DefaultWorkspace, "AUDIT_LOG")
	memory(w).SetValue(key, []byte("garbage"))
	w.api.Add("AUDIT_LOG", recent(time.Hour), authLine("audit"))
	auth := w.api.Add("AUTH_LOG", recent(time.Hour), authLine("auth"))
	w.start()
	w.awaitExact(auth)
	entries := w.logs.FilterField(zapString("key", key)).All()
	require.Len(t, entries, 1)
	assert.Equal(t, "AUDIT_LOG", entries[0].ContextMap()["event_type"])
	assert.Contains(t, entries[0].Message, "checkpoint cannot be used, event type disabled")
	assert.Equal(t, []byte("garbage"), memory(w).Value(key))
	assert.Equal(t, []componentstatus.Status{componentstatus.StatusRecoverableError}, w.status.kinds())
}

// Shutdown is safe without Start, twice, and after a Start that failed.
func TestShutdownAnyTime(t *testing.T) {
	w := newWorld(t, fakeapi.Options{})
	r, err := New(receivertest.NewNopSettings(metadata.Type), w.cfg, consumertest.NewNop())
	require.NoError(t, err)
	require.NoError(t, r.Shutdown(t.Context()))
	require.Error(t, r.Start(t.Context(), &host{nil, w.status}))
	require.NoError(t, r.Shutdown(t.Context()))
	require.NoError(t, r.Start(t.Context(), &host{w.storage, w.status}))
	require.NoError(t, r.Shutdown(t.Context()))
	require.NoError(t, r.Shutdown(t.Context()))
	assert.Zero(t, memory(w).OpenClients())
}

// Shutdown lets a running call to the next consumer finish, and stores what it
// accepted: the restart does not deliver it again.
func TestShutdownFinishesRunningConsume(t *testing.T) {
	w := newWorld(t, fakeapi.Options{})
	entered, release := make(chan struct{}, 1), make(chan struct{})
	w.next = consumeFunc(func(ctx context.Context, logs plog.Logs) error {
		entered <- struct{}{}
		<-release
		if ctx.Err() != nil {
			return ctx.Err()
		}
		return w.sink.ConsumeLogs(ctx, logs)
	})
	w.api.Add("AUTH_LOG", recent(time.Hour), authLine("a"))
	w.start()
	<-entered
	time.AfterFunc(50*time.Millisecond, func() { close(release) })
	w.stop()
	require.Len(t, w.counts(), 1)

	w.next = w.sink
	w.start()
	w.awaitExact()
}

// Shutdown whose context is over cancels the running call, leaves its batch
// uncommitted and releases the storage; the restart delivers the batch.
func TestShutdownWithExpiredContext(t *testing.T) {
	w := newWorld(t, fakeapi.Options{})
	entered := make(chan struct{}, 1)
	w.next = consumeFunc(func(ctx context.Context, _ plog.Logs) error {
		entered <- struct{}{}
		<-ctx.Done()
		return ctx.Err()
	})
	w.api.Add("AUTH_LOG", recent(time.Hour), authLine("a"))
	w.start()
	<-entered
	expired, cancel := context.WithCancel(t.Context())
	cancel()
	require.NoError(t, w.running.Shutdown(expired))
	w.running = nil
	assert.Zero(t, memory(w).OpenClients())

	w.next = w.sink
	w.start()
	w.awaitExact()
}

// Shutdown in the middle of a request or a download ends it at once.
func TestShutdownDuringRequests(t *testing.T) {
	for _, op := range []string{"list", "download", "fetch"} {
		t.Run(op, func(t *testing.T) {
			w := newWorld(t, fakeapi.Options{})
			w.api.Add("AUTH_LOG", recent(time.Hour), authLine("a"))
			w.api.Script(fakeapi.Fault{Op: op, Delay: fakeapi.Duration(time.Hour)})
			w.start()
			w.awaitRequests(func(r fakeapi.Request) bool {
				switch op {
				case "list":
					return r.Host == "api" && r.Query != ""
				case "download":
					return r.Host == "api" && r.Query == ""
				}
				return r.Host == "storage"
			}, 1)
			w.stop()
			assert.Empty(t, w.counts())
		})
	}
}

// The key goes to the API and to no other host - not to the same host on another
// port, not to another name - and neither the key nor a signed query shows in any
// log line at debug level, whatever goes wrong.
func TestSecretsStayHome(t *testing.T) {
	for name, faults := range map[string][]fakeapi.Fault{
		"all well":     nil,
		"signed host":  {{Op: "fetch", Status: 403, Body: "bad sig=abc", Times: 2}},
		"reset":        {{Op: "fetch", Reset: true, Times: 1}, {Op: "list", Reset: true, Times: 1}},
		"echoed key":   {{Op: "list", Status: 400, Times: 1, Body: `{"detail":"key ` + fakeapi.DefaultKey + ` in https://x.example/?sig=abc"}`}},
		"echoed again": {{Op: "list", Skip: 2, Times: 1, Status: 422, Body: `{"error":{"message":"Incorrect API key: ` + fakeapi.DefaultKey + `"}}`}},
		"bad location": {{Op: "download", Times: 1, Status: 307, Header: map[string]string{"Location": "http://%zz/?sig=abc"}}},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, fakeapi.Options{})
			elsewhere(t, w)
			file := w.api.Add("AUTH_LOG", recent(time.Hour), authLine("a"))
			w.api.Script(faults...)
			w.start()
			w.awaitExact(file)
			for _, r := range w.api.Requests() {
				if r.Host == "storage" {
					for _, header := range []string{"Authorization", "Cookie", "Referer", "X-Gateway"} {
						assert.Empty(t, r.Header.Get(header), header)
					}
				}
			}
			assertNoSecrets(t, w)
		})
	}
}

// elsewhere makes signed URLs point to another name of the storage host.
func elsewhere(t *testing.T, w *world) {
	t.Helper()
	storage := httptest.NewServer(w.api.StorageHandler())
	t.Cleanup(storage.Close)
	u, err := url.Parse(storage.URL)
	require.NoError(t, err)
	w.api.SetStorageURL("http://localhost:" + u.Port())
}

func assertNoSecrets(t *testing.T, w *world) {
	t.Helper()
	for _, entry := range w.logs.All() {
		text := fmt.Sprint(entry.Message, entry.ContextMap())
		assert.NotContains(t, text, fakeapi.DefaultKey)
		assert.NotContains(t, text, "sig=")
	}
}

// Headers of the configuration go to the API, for a gateway in front of it, and
// not to the hosts of signed URLs.
func TestConfiguredHeadersGoToTheAPIOnly(t *testing.T) {
	w := newWorld(t, fakeapi.Options{}, func(cfg *Config) { cfg.HTTP.Headers.Set("X-Gateway", "token") })
	w.api.Add("AUTH_LOG", recent(time.Hour), authLine("a"))
	w.start()
	w.awaitExact()
	for _, r := range w.api.Requests() {
		want := ""
		if r.Host == "api" {
			want = "token"
		}
		assert.Equal(t, want, r.Header.Get("X-Gateway"), r.Host)
	}
}

// A redirect from a public endpoint to a private address would be refused; here
// the allow-list alone decides, since the endpoint is local: a host outside it is
// not asked.
func TestAllowedHostsRestrict(t *testing.T) {
	w := newWorld(t, fakeapi.Options{}, func(cfg *Config) { cfg.Download.AllowedHosts = []string{"blob.example.com"} })
	w.api.Add("AUTH_LOG", recent(time.Hour), authLine("a"))
	w.start()
	entry := w.awaitLog(quarantinedFile)
	assert.Contains(t, entry.ContextMap()["error"], "download::allowed_hosts")
	assert.Contains(t, entry.ContextMap()["hint"], "download::allowed_hosts")
	w.awaitRequests(func(r fakeapi.Request) bool { return r.Host == "api" && r.Query == "" }, 2)
	for _, r := range w.api.Requests() {
		assert.Equal(t, "api", r.Host)
	}
}

// An answer that comes from a real TLS server with its own CA is accepted with
// http::tls::ca_file set, on both hops, and refused without.
func TestCustomCA(t *testing.T) {
	w := newWorld(t, fakeapi.Options{})
	apiServer := httptest.NewTLSServer(w.api.Handler())
	defer apiServer.Close()
	storageServer := httptest.NewTLSServer(w.api.StorageHandler())
	defer storageServer.Close()
	w.api.SetStorageURL(storageServer.URL)
	w.cfg.HTTP.Endpoint = apiServer.URL + "/v1/compliance"
	w.api.Add("AUTH_LOG", recent(time.Hour), authLine("a"))

	w.cfg.APIRetry.BackOff.Enabled = false
	w.start()
	entry := w.awaitLog(firstPollEnded)
	assert.Contains(t, entry.ContextMap()["error"], "certificate")
	assert.Contains(t, entry.ContextMap()["hint"], "http::tls")
	w.stop()

	w.cfg.HTTP.TLS.CAPem = pemOf(apiServer)
	w.start()
	w.awaitExact()
}

// A consumer that ignores cancellation cannot hold Shutdown: it returns with an
// error that says so, and the storage is released for the next instance.
func TestShutdownLeavesDeafConsumerBehind(t *testing.T) {
	w := newWorld(t, fakeapi.Options{})
	entered, release := make(chan struct{}, 1), make(chan struct{})
	w.next = consumeFunc(func(context.Context, plog.Logs) error {
		entered <- struct{}{}
		<-release
		return nil
	})
	w.api.Add("AUTH_LOG", recent(time.Hour), authLine("a"))
	w.start()
	<-entered
	expired, cancel := context.WithCancel(t.Context())
	cancel()
	streams := &w.running.(*logsReceiver).running.streams
	require.ErrorContains(t, w.running.Shutdown(expired), "ignores cancellation")
	assert.Zero(t, memory(w).OpenClients())
	written := memory(w).Sets()
	close(release)
	streams.Wait()
	assert.Equal(t, written, memory(w).Sets(), "nothing is stored behind the next instance's back")
	w.running = nil
}
