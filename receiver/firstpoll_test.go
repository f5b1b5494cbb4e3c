// Copyright The OpenTelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package receiver

import (
	"context"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/zap/zapcore"
	"go.uber.org/zap/zaptest/observer"

	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/openaicompliance/openaicompliancereceiver/internal/checkpoint"
	"github.com/openaicompliance/openaicompliancereceiver/internal/fakeapi"
)

const firstPollEnded = "first poll ended"

// firstPolls are the first-poll lines, by event type.
func (w *world) firstPolls() map[string]observer.LoggedEntry {
	w.t.Helper()
	lines := map[string]observer.LoggedEntry{}
	for _, entry := range w.logs.FilterMessage(firstPollEnded).All() {
		eventType, _ := entry.ContextMap()["event_type"].(string)
		require.NotContains(w.t, lines, eventType, "one line for each type")
		lines[eventType] = entry
	}
	return lines
}

func (w *world) awaitFirstPolls(n int) map[string]observer.LoggedEntry {
	w.t.Helper()
	require.Eventually(w.t, func() bool { return w.logs.FilterMessage(firstPollEnded).Len() >= n }, 20*time.Second, 5*time.Millisecond)
	return w.firstPolls()
}

// A receiver logs one line for each type, however it fares at the API, and for a type
// whose stored state is damaged: the state, the files, and what to do. Later polls add
// none.
func TestFirstPollIsLogged(t *testing.T) {
	w := newWorld(t, fakeapi.Options{Forbidden: []string{"CODEX_LOG"}}, func(cfg *Config) {
		cfg.EventTypes = []string{"AUTH_LOG", "AUDIT_LOG", "CODEX_LOG", "AUDITLOG", "APP_LOG", "CODEX_TURN"}
	})
	memory(w).SetValue(checkpoint.Key(fakeapi.DefaultWorkspace, "APP_LOG"), []byte("garbage"))
	w.api.Add("AUTH_LOG", recent(time.Hour), authLine("a"))
	w.api.Script(fakeapi.Fault{Op: "list", EventType: "CODEX_TURN", Status: 200, Body: "<html>"})
	w.start()
	w.awaitExact()
	lines := w.awaitFirstPolls(6)
	w.awaitPasses(20)
	require.Equal(t, lines, w.firstPolls(), "later polls add none")
	for eventType, want := range map[string]struct {
		level zapcore.Level
		state string
		files int64
		hint  string
	}{
		"AUTH_LOG":   {zapcore.InfoLevel, "ok", 1, ""},
		"AUDIT_LOG":  {zapcore.InfoLevel, "no_data", 0, "no new file is listed"},
		"CODEX_LOG":  {zapcore.WarnLevel, "forbidden", 0, "chatgpt.enterprise.compliance_logs_platform.codex_log.read"},
		"AUDITLOG":   {zapcore.WarnLevel, "not_found", 0, "did you mean AUDIT_LOG?"},
		"APP_LOG":    {zapcore.WarnLevel, "failed", 0, ""},
		"CODEX_TURN": {zapcore.WarnLevel, "failed", 0, "http::endpoint"},
	} {
		fields := lines[eventType].ContextMap()
		assert.Equal(t, want.level, lines[eventType].Level, eventType)
		assert.Equal(t, want.state, fields["state"], eventType)
		assert.Equal(t, want.files, fields["files"], eventType)
		assert.Equal(t, want.level == zapcore.WarnLevel, fields["error"] != nil, eventType)
		if want.hint != "" {
			assert.Contains(t, fields["hint"], want.hint, eventType)
		}
	}
}

// A long first poll of one type does not keep the lines of the others from the
// operator; its own comes when it has ended.
func TestFirstPollWithABacklog(t *testing.T) {
	w := newWorld(t, fakeapi.Options{}, func(cfg *Config) { cfg.EventTypes = []string{"AUTH_LOG", "CODEX_LOG"} })
	release := make(chan struct{})
	w.next = consumeFunc(func(ctx context.Context, logs plog.Logs) error {
		if eventType, _ := logs.ResourceLogs().At(0).Resource().Attributes().Get("openai.compliance.event.type"); eventType.Str() == "CODEX_LOG" {
			select {
			case <-release:
			case <-ctx.Done():
			}
		}
		return w.sink.ConsumeLogs(ctx, logs)
	})
	w.api.Add("AUTH_LOG", recent(time.Hour), authLine("a"))
	w.api.Add("CODEX_LOG", recent(time.Hour), authLine("b"))
	w.start()
	require.Contains(t, w.awaitFirstPolls(1), "AUTH_LOG")
	w.awaitPasses(5)
	require.Len(t, w.firstPolls(), 1)
	close(release)
	assert.Equal(t, int64(1), w.awaitFirstPolls(2)["CODEX_LOG"].ContextMap()["files"])
}

// When every type is forbidden, a scope is hardly what is missing.
func TestFirstPollAllForbidden(t *testing.T) {
	types := []string{"AUTH_LOG", "CODEX_LOG"}
	w := newWorld(t, fakeapi.Options{Forbidden: types}, func(cfg *Config) { cfg.EventTypes = types })
	w.start()
	fields := w.awaitLog("key reads no event type").ContextMap()
	assert.Contains(t, fields["hint"], "check that the key was made in this workspace")
	w.awaitFirstPolls(2)
	assert.Equal(t, 1, w.logs.FilterMessage("key reads no event type").Len())
}

// A quiet type is asked for its newest record: the report of its first poll and the
// gauge show it, at once and only once; a path that the API does not know leaves both
// without a value. A type whose files come is not asked for.
func TestNewestRecordOfQuietType(t *testing.T) {
	asked := func(w *world) (n int) {
		for _, r := range w.api.Requests() {
			if strings.HasSuffix(r.Path, "/max_event_time") {
				n++
			}
		}
		return n
	}
	t.Run("known", func(t *testing.T) {
		w := newWorld(t, fakeapi.Options{}, func(cfg *Config) { cfg.EventTypes = []string{"AUTH_LOG", "AUDIT_LOG"} })
		w.api.Add("AUTH_LOG", recent(48*time.Hour), authLine("before the start"))
		w.api.Add("AUDIT_LOG", recent(time.Hour), authLine("new"))
		w.start()
		w.awaitPasses(20)
		for _, entry := range w.logs.FilterMessage(firstPollEnded).All() {
			newest, ok := entry.ContextMap()["newest_record"].(time.Time)
			assert.Equal(t, entry.ContextMap()["event_type"] == "AUTH_LOG", ok)
			if ok {
				assert.WithinDuration(t, recent(48*time.Hour), newest, time.Minute)
			}
		}
		assert.Equal(t, 1, asked(w))
		ages := points(t, w.tel, "api_newest_event_age")
		assert.InDelta(t, (48 * time.Hour).Seconds(), ages["AUTH_LOG"], 60)
		assert.NotContains(t, ages, "AUDIT_LOG")

		w.api.Add("AUTH_LOG", recent(time.Minute), authLine("it is not quiet any more"))
		require.Eventually(t, func() bool { return len(w.counts()) == 2 }, 20*time.Second, 5*time.Millisecond)
		w.awaitPasses(4)
		_, err := w.tel.GetMetric(metricPrefix + "api_newest_event_age")
		assert.Error(t, err, "no value while files come")
	})
	t.Run("no record", func(t *testing.T) {
		w := newWorld(t, fakeapi.Options{})
		w.start()
		assert.Equal(t, "none", w.awaitLog(firstPollEnded).ContextMap()["newest_record"])
	})
	t.Run("unknown route", func(t *testing.T) {
		w := newWorld(t, fakeapi.Options{})
		w.api.Script(fakeapi.Fault{Op: "freshness", Status: http.StatusNotFound})
		w.start()
		w.awaitPasses(20)
		assert.Equal(t, 1, asked(w), "the older path is no route of the simulated API")
		assert.NotContains(t, w.awaitLog(firstPollEnded).ContextMap(), "newest_record")
		assert.Empty(t, w.status.kinds(), "no fault of the type")
	})
}
