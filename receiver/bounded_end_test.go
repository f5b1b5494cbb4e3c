// Copyright The OpenTelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package receiver

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"go.opentelemetry.io/collector/consumer/consumererror"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/openaicompliance/openaicompliancereceiver/internal/fakeapi"
)

// A stream with an upper bound does not end while a file or a record of it is
// quarantined: it is retried until it is delivered, or reported lost.
func TestBoundedStreamWaitsForQuarantine(t *testing.T) {
	until := recent(50 * time.Hour).UTC().Truncate(time.Microsecond)
	bounded := func(cfg *Config) { cfg.StartFrom, cfg.Until = "-20d", until.Format(time.RFC3339Nano) }
	t.Run("file", func(t *testing.T) {
		w := newWorld(t, fakeapi.Options{}, bounded)
		w.api.Add("AUTH_LOG", until.Add(-2*time.Hour), authLine("a"))
		bad := w.api.Add("AUTH_LOG", until.Add(-time.Hour), authLine("b"))
		w.api.Script(fakeapi.Fault{Op: "fetch", FileID: bad.ID, Status: 404})
		w.start()
		w.awaitLog(quarantinedFile)
		w.awaitPasses(4)
		require.Zero(t, w.logs.FilterMessage(allEnded).Len())
		w.api.ClearScript()
		w.awaitLog(allEnded)
		require.Equal(t, fakeapi.Expected(w.api.Files("")), w.counts())
	})
	t.Run("file that expires", func(t *testing.T) {
		start := time.Now().UTC().Truncate(time.Second)
		now, setNow := serverClock(start)
		w := newWorld(t, fakeapi.Options{Now: now}, bounded)
		bad := w.api.Add("AUTH_LOG", until.Add(-time.Hour), authLine("b"))
		w.api.Script(fakeapi.Fault{Op: "fetch", FileID: bad.ID, Status: 404})
		w.start()
		w.awaitLog(quarantinedFile)
		w.awaitPasses(4)
		setNow(start.Add(29 * 24 * time.Hour))
		w.awaitLog(allEnded)
		gaps := w.records("openai.compliance.gap")
		require.Len(t, gaps, 1)
		require.Equal(t, "file_expired", gaps[0]["openai.compliance.gap.reason"])
		require.Equal(t, bad.ID, gaps[0]["openai.compliance.file.id"])
	})
	t.Run("record", func(t *testing.T) {
		w := newWorld(t, fakeapi.Options{}, bounded)
		reject := true
		w.next = consumeFunc(func(ctx context.Context, logs plog.Logs) error {
			if reject {
				return consumererror.NewPermanent(errors.New("no"))
			}
			return w.sink.ConsumeLogs(ctx, logs)
		})
		w.api.Add("AUTH_LOG", until.Add(-time.Hour), authLine("a"))
		w.start()
		w.awaitLog(rejectedRecord)
		w.awaitPasses(4)
		require.Zero(t, w.logs.FilterMessage(allEnded).Len())
		w.stop()
		reject = false
		w.start()
		w.awaitLog(allEnded)
		require.Equal(t, fakeapi.Expected(w.api.Files("")), w.counts())
	})
}

// A stream with an upper bound does not end while history is under way, nor while a
// file of it is quarantined, however long ago live reached the bound.
func TestBoundedStreamWaitsForHistory(t *testing.T) {
	setUp := func(t *testing.T) (w *world, setNow func(time.Time), start time.Time, old *fakeapi.File) {
		t.Helper()
		start = time.Now().UTC().Truncate(time.Second)
		now, setNow := serverClock(start)
		w = newWorld(t, fakeapi.Options{Now: now}, func(cfg *Config) {
			cfg.StartFrom, cfg.Until = "-20d", start.Add(time.Hour).Format(time.RFC3339)
			cfg.APIRetry.BackOff.MaxElapsedTime = 0
		})
		return w, setNow, start, w.api.Add("AUTH_LOG", start.Add(-10*24*time.Hour), authLine("old"))
	}
	t.Run("in delivery", func(t *testing.T) {
		w, setNow, start, _ := setUp(t)
		var accept atomic.Bool
		w.next = consumeFunc(func(ctx context.Context, logs plog.Logs) error {
			if !accept.Load() {
				return errors.New("not yet")
			}
			return w.sink.ConsumeLogs(ctx, logs)
		})
		w.start()
		w.awaitLog(batchRetried)
		setNow(start.Add(3 * time.Hour))
		w.awaitPasses(10)
		require.Zero(t, w.logs.FilterMessage(allEnded).Len())
		require.Zero(t, w.logs.FilterMessage(collected).Len())
		accept.Store(true)
		w.awaitLog(allEnded)
		require.Equal(t, fakeapi.Expected(w.api.Files("")), w.counts())
	})
	t.Run("quarantined", func(t *testing.T) {
		w, setNow, start, old := setUp(t)
		w.api.Script(fakeapi.Fault{Op: "fetch", FileID: old.ID, Status: 503})
		w.start()
		w.awaitLog(quarantinedFile)
		w.awaitPasses(4)
		setNow(start.Add(3 * time.Hour))
		w.awaitPasses(10)
		require.Zero(t, w.logs.FilterMessage(allEnded).Len())
		w.api.ClearScript()
		w.awaitLog(allEnded)
		require.Equal(t, fakeapi.Expected(w.api.Files("")), w.counts())
	})
}
