// Copyright The OpenTelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package receiver

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/openaicompliance/openaicompliancereceiver/internal/fakeapi"
)

// crowded leaves room for one file at a time, over all types.
func crowded(cfg *Config) {
	cfg.EventTypes = []string{"AUTH_LOG", "CODEX_LOG"}
	cfg.Download.MemoryLimit = 1
	cfg.PollInterval = 50 * time.Millisecond
}

// A consumer that does not answer the report of a gap holds up its own type only: no
// file keeps memory meanwhile.
func TestGapHoldsNoMemory(t *testing.T) {
	start := time.Now().UTC().Truncate(time.Second)
	now, setNow := serverClock(start)
	w := newWorld(t, fakeapi.Options{Now: now}, crowded)
	entered, release := make(chan struct{}, 1), make(chan struct{})
	w.next = consumeFunc(func(ctx context.Context, logs plog.Logs) error {
		resource := logs.ResourceLogs().At(0)
		eventType, _ := resource.Resource().Attributes().Get("openai.compliance.event.type")
		if eventType.Str() == "AUTH_LOG" && resource.ScopeLogs().At(0).LogRecords().At(0).EventName() == "openai.compliance.gap" {
			entered <- struct{}{}
			<-release
		}
		return w.sink.ConsumeLogs(ctx, logs)
	})
	w.api.Add("AUTH_LOG", start.Add(-time.Hour), authLine("before"))
	w.start()
	w.awaitExact()
	w.stop()
	back := start.Add(33 * 24 * time.Hour)
	setNow(back)
	w.api.Add("AUTH_LOG", back.Add(-time.Hour), authLine("live"))
	w.start()
	defer close(release)
	<-entered
	other := w.api.Add("CODEX_LOG", back.Add(-time.Minute), authLine("other"))
	require.Eventually(t, func() bool { return w.counts()[other.EventIDs[0]] == 1 }, 20*time.Second, time.Millisecond)
}
