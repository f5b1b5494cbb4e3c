// Copyright The OpenTelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package receiver

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/zap/zaptest/observer"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/config/configopaque"
	"go.opentelemetry.io/collector/consumer/consumererror"
	"go.opentelemetry.io/collector/extension/xextension/storage"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/openaicompliance/openaicompliancereceiver/internal/compliance"
	"github.com/openaicompliance/openaicompliancereceiver/internal/fakeapi"
	"github.com/openaicompliance/openaicompliancereceiver/internal/testbed"
)

const (
	canary  = "CANARY"
	hmacKey = "000102030405060708090a0b0c0d0e0f"
)

// With content withheld none of it is in a record, in a log line of any level, in
// the component's status or in the stored state, whatever happens on the way: a
// broken line, a repeated key, a permanent rejection, records in quarantine, a restart.
func TestContentStaysHome(t *testing.T) {
	for _, body := range []string{bodyRaw, bodyParsed} {
		for _, content := range []ContentConfig{{Mode: "hmac", HMACKey: hmacKey}, {Mode: "drop"}} {
			t.Run(body+"/"+content.Mode, func(t *testing.T) {
				w := newWorld(t, fakeapi.Options{}, func(cfg *Config) {
					cfg.EventTypes, cfg.Body, cfg.Content = []string{"CODEX_LOG"}, body, content
					cfg.Batch.MaxRecords = 2
				})
				var seen syncSlice[string]
				store := &recordingStorage{Storage: testbed.NewStorage()}
				w.storage = store
				var healthy atomic.Bool
				var retryable atomic.Int64
				w.next = consumeFunc(func(ctx context.Context, logs plog.Logs) error {
					text, err := (&plog.JSONMarshaler{}).MarshalLogs(logs)
					seen.add(string(text))
					if !healthy.Load() && strings.Contains(string(text), `{"stringValue":"a"}`) {
						return consumererror.NewPermanent(errors.New("cannot take CANARY"))
					}
					if retryable.Add(1) <= 2 {
						return errors.New("busy with CANARY")
					}
					return errors.Join(err, w.sink.ConsumeLogs(ctx, logs))
				})
				w.api.Add("CODEX_LOG", recent(time.Hour),
					`{"event_id":"a","event_details":{"prompt_text":"CANARY","model":"gpt-5"}}`,
					`{"event_id":"b","CANARY":{"CANARY":1},"event_details":{"never_seen":"CANARY"}}`,
					`{"event_id":"c","event_id":"CANARY"}`, `{"event_id":"d","event_details":{"prompt_text":"CANARY`, "CANARY\xff",
				)
				w.start()
				require.Eventually(t, func() bool {
					return len(w.records("")) == 4 && points(t, w.tel, "quarantined_records")["CODEX_LOG"] == 1
				}, 20*time.Second, 5*time.Millisecond)
				var logged []observer.LoggedEntry
				w.stop()
				logged = append(logged, w.logs.All()...)
				healthy.Store(true)
				w.start()
				require.Eventually(t, func() bool { return len(w.records("")) == 5 }, 20*time.Second, 5*time.Millisecond)
				w.stop()
				for _, text := range seen.all() {
					assert.NotContains(t, text, canary)
				}
				for _, span := range w.tel.SpanRecorder.Ended() {
					assert.NotContains(t, fmt.Sprint(span.Name(), span.Attributes(), span.Events(), span.Status()), canary)
				}
				for _, entry := range append(logged, w.logs.All()...) {
					assert.NotContains(t, fmt.Sprint(entry.Message, entry.ContextMap()), canary)
				}
				for _, event := range w.status.events.all() {
					assert.NotContains(t, fmt.Sprint(event.Err()), canary)
				}
				require.NotEmpty(t, store.written.all())
				for _, value := range store.written.all() {
					assert.NotContains(t, value, canary)
				}
			})
		}
	}
}

// recordingStorage remembers every value that was ever stored.
type recordingStorage struct {
	*testbed.Storage
	written syncSlice[string]
}

// GetClient implements storage.Extension.
func (s *recordingStorage) GetClient(ctx context.Context, kind component.Kind, id component.ID, name string) (storage.Client, error) {
	client, err := s.Storage.GetClient(ctx, kind, id, name)
	return &recordingClient{client, s}, err
}

type recordingClient struct {
	storage.Client
	storage *recordingStorage
}

func (c *recordingClient) Set(ctx context.Context, key string, value []byte) error {
	return c.Batch(ctx, storage.SetOperation(key, value))
}

func (c *recordingClient) Batch(ctx context.Context, ops ...*storage.Operation) error {
	for _, op := range ops {
		if op.Type == storage.Set {
			c.storage.written.add(op.Key + string(op.Value))
		}
	}
	return c.Client.Batch(ctx, ops...)
}

// body: parsed reaches the records.
func TestParsedBodiesAreDelivered(t *testing.T) {
	w := newWorld(t, fakeapi.Options{}, func(cfg *Config) { cfg.Body = bodyParsed })
	w.api.Add("AUTH_LOG", recent(time.Hour), authLine("a"))
	w.start()
	w.awaitExact()
	body := w.sink.AllLogs()[0].ResourceLogs().At(0).ScopeLogs().At(0).LogRecords().At(0).Body()
	assert.Equal(t, map[string]any{"action": "login_success"}, body.Map().AsRaw()["action_data"])
}

func auditLine(id, action, actor string) string {
	return fmt.Sprintf(`{"event_id":%q,"action":%q,"actor":%s}`, id, action, actor)
}

// The records of our own list and download calls are marked, by action and by
// key; those of another key - it may be stolen - and other calls of ours are not.
func TestOwnRequestsAreMarked(t *testing.T) {
	const ours, others = `{"type":"API_KEY","redacted_id":"sk-...-key"}`, `{"type":"API_KEY","redacted_id":"sk-...RxIA"}`
	lines := []string{
		auditLine("list", "LIST_WORKSPACE_LOG_FILES", ours), auditLine("download", "DOWNLOAD_WORKSPACE_LOG_FILE", ours),
		auditLine("list-org", "LIST_ORGANIZATION_LOG_FILES", ours), auditLine("download-org", "DOWNLOAD_ORGANIZATION_LOG_FILE", ours),
		auditLine("other key", "LIST_WORKSPACE_LOG_FILES", others), auditLine("other call", "DELETE_CONVERSATION", ours),
		auditLine("no id", "LIST_WORKSPACE_LOG_FILES", `{"type":"API_KEY"}`), auditLine("a user", "FILE_DOWNLOAD", `{"user_id":"u"}`),
		auditLine("short", "LIST_WORKSPACE_LOG_FILES", `{"type":"API_KEY","redacted_id":"...y"}`),
	}
	for choice, want := range map[string][]string{ownMark: {"list", "download", "list-org", "download-org"}, ownKeep: nil} {
		t.Run(choice, func(t *testing.T) {
			w := newWorld(t, fakeapi.Options{}, func(cfg *Config) {
				cfg.EventTypes, cfg.OwnRequests = []string{"AUDIT_LOG"}, choice
			})
			w.api.Add("AUDIT_LOG", recent(time.Hour), lines...)
			w.start()
			w.awaitExact()
			var marked []string
			for _, record := range w.records("") {
				if record["openai.compliance.self"] == true {
					marked = append(marked, record["log.record.uid"].(string))
				}
			}
			assert.Equal(t, want, marked)
		})
	}
}

// After a rotation the records of the old key, which come late, are still ours.
func TestOwnKeysSurviveRotation(t *testing.T) {
	file := filepath.Join(t.TempDir(), "key")
	write := func(key string) { require.NoError(t, os.WriteFile(file, []byte(key), 0o600)) }
	write("sk-admin-old-0001")
	source := compliance.NewKeyFile(file)
	keys := newOwnKeys(source)
	assert.False(t, keys.is("sk-...0002"))
	write("sk-admin-new-0002")
	assert.False(t, keys.is("sk-...0002"), "the next poll reads it")
	source.Refresh()
	assert.True(t, keys.is("sk-...0002"))
	assert.True(t, keys.is("sk-...0001"))
	assert.False(t, keys.is("sk-...0003"))
	require.NoError(t, os.Remove(file))
	source.Refresh()
	assert.False(t, keys.is("sk-...0003"))
	assert.True(t, keys.is("sk-...0002"))
}

// readings counts how often a key is read anew.
type readings struct {
	compliance.StaticKey
	n atomic.Int64
}

func (r *readings) Refresh() { r.n.Add(1) }

// A thousand records of other people's keys read no key.
func TestRecordsReadNoKey(t *testing.T) {
	source := &readings{StaticKey: "sk-admin-mine-0001"}
	keys := newOwnKeys(source)
	for i := range 1000 {
		assert.False(t, keys.is(fmt.Sprintf("sk-...%04d", i+2)))
	}
	assert.True(t, keys.is("sk-...0001"))
	assert.Zero(t, source.n.Load())
}

// A poll reads the key file once, however many files it downloads: a file that changes
// during a poll counts from the next one on.
func TestKeyFileIsReadOnceAPoll(t *testing.T) {
	keyFile := filepath.Join(t.TempDir(), "key")
	require.NoError(t, os.WriteFile(keyFile, []byte(fakeapi.DefaultKey), 0o600))
	w := newWorld(t, fakeapi.Options{}, func(cfg *Config) {
		cfg.APIKey, cfg.APIKeyFile, cfg.PollInterval = "", keyFile, time.Hour
	})
	for i := range 20 {
		w.api.Add("AUTH_LOG", recent(time.Hour+time.Duration(i)*time.Second), authLine(strconv.Itoa(i)))
	}
	w.next = consumeFunc(func(ctx context.Context, logs plog.Logs) error {
		return errors.Join(os.WriteFile(keyFile, []byte("sk-admin-another-key"), 0o600), w.sink.ConsumeLogs(ctx, logs))
	})
	w.start()
	want := fakeapi.Expected(w.api.Files(""))
	require.Eventually(t, func() bool { return len(w.counts()) == len(want) }, 20*time.Second, 5*time.Millisecond)
	w.stop()
	for _, r := range w.api.Requests() {
		if r.Host == "api" {
			assert.Equal(t, "Bearer "+fakeapi.DefaultKey, r.Header.Get("Authorization"))
		}
	}
}

// The retry queue, whose tries need no poll, uses a rotated key too.
func TestRetryQueueUsesTheRotatedKey(t *testing.T) {
	keyFile := filepath.Join(t.TempDir(), "key")
	require.NoError(t, os.WriteFile(keyFile, []byte(fakeapi.DefaultKey), 0o600))
	w := newWorld(t, fakeapi.Options{}, func(cfg *Config) {
		cfg.APIKey, cfg.APIKeyFile, cfg.PollInterval = "", keyFile, time.Hour
	})
	w.api.Add("AUTH_LOG", recent(time.Hour), authLine("a"))
	w.api.Script(fakeapi.Fault{Op: "download", Times: 1000, Status: 404})
	w.start()
	w.awaitLog(quarantinedFile)
	require.NoError(t, os.WriteFile(keyFile, []byte("sk-admin-rotated"), 0o600))
	require.Eventually(t, func() bool {
		return slices.ContainsFunc(w.api.Requests(), func(r fakeapi.Request) bool { return r.Header.Get("Authorization") == "Bearer sk-admin-rotated" })
	}, 20*time.Second, 5*time.Millisecond)
}

// Start says at once what is wrong with a key file, and warns of one that is open to
// others.
func TestKeyFileAtStart(t *testing.T) {
	keyFile := filepath.Join(t.TempDir(), "key")
	w := newWorld(t, fakeapi.Options{}, func(cfg *Config) { cfg.APIKey, cfg.APIKeyFile = "", keyFile })
	const warning = "api_key_file may be read or written by others"
	for mode, warns := range map[os.FileMode]bool{0o600: false, 0o644: runtime.GOOS != "windows"} {
		require.NoError(t, os.WriteFile(keyFile, []byte(fakeapi.DefaultKey), 0o600))
		require.NoError(t, os.Chmod(keyFile, mode))
		w.start()
		assert.Equal(t, warns, w.logs.FilterMessage(warning).Len() == 1, mode)
		w.stop()
	}
	w.cfg.APIKeyFile = filepath.Dir(keyFile)
	require.ErrorContains(t, w.tryStart(), "is not a regular file")
}

// The HMAC key shows in no error of the validation.
func TestHMACKeyIsNotShown(t *testing.T) {
	err := ContentConfig{Mode: "mask", HMACKey: configopaque.String("canary")}.validate()
	require.Error(t, err)
	assert.NotContains(t, err.Error(), "canary")
}
