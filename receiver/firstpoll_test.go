// Copyright The OpenTelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package receiver

import (
	"context"
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
