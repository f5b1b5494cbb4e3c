// Copyright The OpenTelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package sim

import (
	"context"
	"fmt"
	"maps"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"go.uber.org/zap/zaptest/observer"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componentstatus"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/pdata/plog"
	corereceiver "go.opentelemetry.io/collector/receiver"
	"go.opentelemetry.io/collector/receiver/receivertest"

	openaicompliancereceiver "github.com/openaicompliance/openaicompliancereceiver"
	"github.com/openaicompliance/openaicompliancereceiver/internal/checkpoint"
	"github.com/openaicompliance/openaicompliancereceiver/internal/collect"
	"github.com/openaicompliance/openaicompliancereceiver/internal/fakeapi"
	"github.com/openaicompliance/openaicompliancereceiver/internal/testbed"
	"github.com/openaicompliance/openaicompliancereceiver/receiver"
)

// scene is one receiver with its default settings, a simulated API behind pipes, a
// storage and a consumer, on simulated time: what takes hours takes moments.
type scene struct {
	t       *testing.T
	api     *fakeapi.API
	net     *network
	storage *testbed.Storage
	cfg     *receiver.Config
	running corereceiver.Logs
	logs    *observer.ObservedLogs

	mu       sync.Mutex // guards everything below
	offset   time.Duration
	consume  func(logs plog.Logs) error
	counts   map[string]int
	records  []map[string]any
	statuses []componentstatus.Status
	begun    time.Time
}

// play runs a test on simulated time.
func play(t *testing.T, opts fakeapi.Options, test func(s *scene)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		time.Sleep(time.Until(simulatedStart))
		opts.StorageURL = "http://" + storageHost
		s := &scene{
			t: t, api: fakeapi.New(opts), net: newNetwork(), storage: testbed.NewStorage(), cfg: baseConfig(),
			counts: map[string]int{}, begun: time.Now(),
		}
		s.cfg.EventTypes = []string{"AUTH_LOG"}
		s.net.serve(apiHost, s.api.Handler())
		s.net.serve(proxyHost, s.api.StorageHandler())
		defer func() {
			s.stop()
			s.net.close()
			time.Sleep(time.Hour) // for handlers that are still at work
		}()
		test(s)
	})
}

// GetExtensions implements component.Host.
func (s *scene) GetExtensions() map[component.ID]component.Component {
	return map[component.ID]component.Component{storageID: s.storage}
}

// Report implements componentstatus.Reporter.
func (s *scene) Report(event *componentstatus.Event) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.statuses = append(s.statuses, event.Status())
}

// Capabilities implements consumer.Logs.
func (*scene) Capabilities() consumer.Capabilities { return consumer.Capabilities{} }

// ConsumeLogs implements consumer.Logs.
func (s *scene) ConsumeLogs(_ context.Context, logs plog.Logs) error {
	s.mu.Lock()
	consume := s.consume
	s.mu.Unlock()
	if consume != nil {
		if err := consume(logs); err != nil {
			return err
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, record := range logs.ResourceLogs().At(0).ScopeLogs().At(0).LogRecords().All() {
		attrs := record.Attributes().AsRaw()
		if record.EventName() == "openai.compliance.gap" {
			s.records = append(s.records, attrs)
			continue
		}
		uid, _ := attrs["log.record.uid"].(string)
		s.counts[uid]++
	}
	return nil
}

// now is the collector's own clock.
func (s *scene) now() time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	return time.Now().Add(s.offset)
}

// setOffset makes the collector's own clock wrong.
func (s *scene) setOffset(offset time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.offset = offset
}

func (s *scene) setConsume(consume func(logs plog.Logs) error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.consume = consume
}

func (s *scene) start() {
	s.t.Helper()
	core, logs := observer.New(zapcore.DebugLevel)
	s.logs = logs
	set := receivertest.NewNopSettings(openaicompliancereceiver.NewFactory().Type())
	set.ID = component.MustNewID("openai_compliance")
	set.Logger = zap.New(core)
	require.NoError(s.t, s.cfg.Validate())
	r, err := receiver.New(set, s.cfg, s, receiver.WithTimes(collect.DefaultTimes()), receiver.WithWallClock(s.now), receiver.WithTransport(s.net.configure))
	require.NoError(s.t, err)
	require.NoError(s.t, r.Start(context.Background(), s))
	s.running = r
}

func (s *scene) stop() {
	if s.running != nil {
		assert.NoError(s.t, s.running.Shutdown(context.Background()))
		s.running = nil
	}
}

// add exports a file of one record that ended some time before now.
func (s *scene) add(before time.Duration, id string) *fakeapi.File {
	return s.api.Add("AUTH_LOG", time.Now().Add(-before), eventLine(id))
}

// eventLine is a small record.
func eventLine(id string) string { return fmt.Sprintf(`{"event_id":%q,"type":"AUTH_LOG"}`, id) }

// requireOnce requires that each of the ids was delivered exactly once within a
// time, and that nothing else was.
func (s *scene) requireOnce(within time.Duration, ids ...string) {
	s.t.Helper()
	want := map[string]int{}
	for _, id := range ids {
		want[id] = 1
	}
	for began := time.Now(); time.Since(began) < within && len(s.delivered()) < len(want); {
		time.Sleep(time.Second)
	}
	require.Equal(s.t, want, s.delivered(), "%s", s.logText())
}

// delivered counts the records so far, by event id.
func (s *scene) delivered() map[string]int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return maps.Clone(s.counts)
}

// gaps are the gap records so far, by reason.
func (s *scene) gaps() map[string]int {
	s.mu.Lock()
	defer s.mu.Unlock()
	reasons := map[string]int{}
	for _, attrs := range s.records {
		reasons[attrs["openai.compliance.gap.reason"].(string)]++
	}
	return reasons
}

func (s *scene) lastStatus() componentstatus.Status {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.statuses) == 0 {
		return componentstatus.StatusOK
	}
	return s.statuses[len(s.statuses)-1]
}

// logText is the end of the log, for failures.
func (s *scene) logText() string {
	var lines []string
	for _, entry := range s.logs.All() {
		if entry.Level > zapcore.DebugLevel {
			lines = append(lines, fmt.Sprintf("%s %s %v", entry.Time.UTC().Format("02 15:04:05"), entry.Message, entry.ContextMap()))
		}
	}
	return strings.Join(lines[max(0, len(lines)-12):], "\n")
}

// stored is what is stored of the stream.
func (s *scene) stored() *checkpoint.Snapshot {
	s.t.Helper()
	client, err := s.storage.GetClient(context.Background(), component.KindReceiver, component.MustNewID("look"), "")
	require.NoError(s.t, err)
	defer func() { _ = client.Close(context.Background()) }()
	snapshot, err := checkpoint.ReadSnapshot(context.Background(), client, checkpoint.Key(fakeapi.DefaultWorkspace, "AUTH_LOG"))
	require.NoError(s.t, err)
	require.NotNil(s.t, snapshot)
	return snapshot
}

// numbered are ids with a prefix.
func numbered(prefix string, n int) []string {
	ids := make([]string, n)
	for i := range ids {
		ids[i] = fmt.Sprintf("%s-%d", prefix, i)
	}
	return ids
}

// holdsText reports whether the body of a record holds a text.
func holdsText(logs plog.Logs, text string) bool {
	for _, record := range logs.ResourceLogs().At(0).ScopeLogs().At(0).LogRecords().All() {
		if strings.Contains(record.Body().AsString(), text) {
			return true
		}
	}
	return false
}
