// Copyright The OpenTelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package receiver

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"go.uber.org/zap/zaptest/observer"

	"github.com/openaicompliance/openaicompliancereceiver/internal/checkpoint"
	"github.com/openaicompliance/openaicompliancereceiver/internal/compliance"
	"github.com/openaicompliance/openaicompliancereceiver/internal/fakeapi"
)

func apiRefusal(status int) error {
	return fmt.Errorf("list files: %w", &compliance.StatusError{Op: compliance.OperationList, Status: status, Key: compliance.KeyAdmin})
}

// The table comes once, when the last type has reported, with a line for each
// type in the order of the configuration.
func TestFirstPassTable(t *testing.T) {
	core, logs := observer.New(zapcore.DebugLevel)
	f := newFirstPass(zap.New(core), []string{"AUTH_LOG", "AUDIT_LOG", "CODEX_LOG", "APP_LOG", "AUDITLOG", "CODEX_TURN", "NEW_LOG"})
	f.ended("APP_LOG", nil, 1)
	f.ended("AUDITLOG", apiRefusal(400), 0)
	f.ended("AUDIT_LOG", nil, 0)
	f.ended("CODEX_LOG", apiRefusal(403), 0)
	f.ended("CODEX_TURN", errors.Join(errors.New("list files: list: timed out"), errors.New("none of 3 files could be read")), 0)
	f.ended("NEW_LOG", apiRefusal(401), 0)
	f.ended("NEW_LOG", nil, 5) // a later pass does not count
	require.Zero(t, logs.Len())
	f.ended("AUTH_LOG", nil, 12)
	f.ended("AUTH_LOG", nil, 12)
	require.Equal(t, 1, logs.Len())

	entry := logs.All()[0]
	assert.Equal(t, zapcore.WarnLevel, entry.Level)
	assert.Equal(t, strings.TrimPrefix(`
The first pass over every event type has ended:
  AUTH_LOG     ok              12 files delivered
  AUDIT_LOG    no data yet     no new file is listed; a type that is not used or not enabled stays so
  CODEX_LOG    no permission   scope to ask for: chatgpt.enterprise.compliance_logs_platform.codex_log.read
  APP_LOG      ok              1 file delivered
  AUDITLOG     unknown type    the API does not know this event type; did you mean AUDIT_LOG? Names are written as README lists them
  CODEX_TURN   failed          list files: list: timed out; none of 3 files could be read
  NEW_LOG      key refused     the API refuses the key: it was revoked, or belongs to another workspace or organisation; create one in the admin console under Credentials > Admin keys
`, "\n"), entry.Message)
	assert.Equal(t, map[string]any{"event_types": map[string]string{
		"AUTH_LOG": "ok", "AUDIT_LOG": "no data yet", "CODEX_LOG": "no permission", "APP_LOG": "ok",
		"AUDITLOG": "unknown type", "CODEX_TURN": "failed", "NEW_LOG": "key refused",
	}}, entry.ContextMap())
}

// A long first pass of one type does not keep the rest from the operator: a table
// without it comes first, once, and the whole one when it has ended.
func TestFirstPassWithABacklog(t *testing.T) {
	core, logs := observer.New(zapcore.DebugLevel)
	f := newFirstPass(zap.New(core), []string{"AUTH_LOG", "CODEX_LOG"})
	for range impatientAfter - 1 {
		f.ended("AUTH_LOG", nil, 1)
	}
	require.Zero(t, logs.Len())
	for range 5 {
		f.ended("AUTH_LOG", nil, 0)
	}
	require.Equal(t, 1, logs.Len())
	assert.Equal(t, zapcore.InfoLevel, logs.All()[0].Level)
	assert.Contains(t, logs.All()[0].Message, "CODEX_LOG   under way")
	f.ended("CODEX_LOG", nil, 4000)
	require.Equal(t, 2, logs.Len())
	assert.Equal(t, zapcore.InfoLevel, logs.All()[1].Level)
	assert.Contains(t, logs.All()[1].Message, "CODEX_LOG   ok   4000 files delivered")
	assert.Contains(t, logs.All()[1].Message, "AUTH_LOG    ok   1 file delivered")
}

// When every type is forbidden, a scope is hardly what is missing.
func TestFirstPassAllForbidden(t *testing.T) {
	core, logs := observer.New(zapcore.DebugLevel)
	f := newFirstPass(zap.New(core), []string{"AUTH_LOG", "CODEX_LOG"})
	f.ended("AUTH_LOG", apiRefusal(403), 0)
	f.ended("CODEX_LOG", apiRefusal(403), 0)
	assert.Contains(t, logs.All()[0].Message, "No type may be read at all: check that the key was made in this workspace")
}

// A receiver tells the states it meets at the API, and a type whose stored state
// is damaged, in one entry.
func TestFirstPassIsLogged(t *testing.T) {
	w := newWorld(t, fakeapi.Options{Forbidden: []string{"CODEX_LOG"}}, func(cfg *Config) {
		cfg.EventTypes = []string{"AUTH_LOG", "AUDIT_LOG", "CODEX_LOG", "AUDITLOG", "APP_LOG"}
	})
	memory(w).SetValue(checkpoint.Key(fakeapi.DefaultWorkspace, "APP_LOG"), []byte("garbage"))
	w.api.Add("AUTH_LOG", recent(time.Hour), authLine("a"))
	w.start()
	w.awaitExact()
	tables := func() []observer.LoggedEntry {
		return w.logs.Filter(func(e observer.LoggedEntry) bool { return strings.HasPrefix(e.Message, "The first pass over every") }).All()
	}
	require.Eventually(t, func() bool { return len(tables()) == 1 }, 20*time.Second, 5*time.Millisecond)
	w.awaitPasses(5)
	require.Len(t, tables(), 1)
	for _, want := range []string{
		"AUTH_LOG    ok              1 file delivered", "AUDIT_LOG   no data yet", "AUDITLOG    unknown type",
		"CODEX_LOG   no permission   scope to ask for: chatgpt.enterprise.compliance_logs_platform.codex_log.read", "APP_LOG     failed",
	} {
		assert.Contains(t, tables()[0].Message, want)
	}
}

// Streams report at the same time.
func TestFirstPassConcurrently(t *testing.T) {
	core, logs := observer.New(zapcore.DebugLevel)
	var types []string
	for i := range 20 {
		types = append(types, fmt.Sprintf("TYPE_%d", i))
	}
	f := newFirstPass(zap.New(core), types)
	var wg sync.WaitGroup
	for _, eventType := range types {
		wg.Go(func() { f.ended(eventType, nil, 1) })
	}
	wg.Wait()
	assert.Equal(t, 1, logs.Len())
}
