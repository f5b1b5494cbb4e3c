// Copyright The OpenTelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package receiver

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"go.opentelemetry.io/collector/consumer/consumererror"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/openaicompliance/openaicompliancereceiver/internal/fakeapi"
)

const asideFile = "File set aside: it cannot be read. The others go on, every pass tries it again until the API stops serving it."

// A stream with an upper bound does not end while a file or a record of it is set
// aside: it is tried again until it is delivered, or told lost.
func TestBoundedStreamWaitsForWhatIsSetAside(t *testing.T) {
	until := recent(50 * time.Hour).UTC().Truncate(time.Microsecond)
	bounded := func(cfg *Config) { cfg.StartFrom, cfg.Until = "-20d", until.Format(time.RFC3339Nano) }
	t.Run("file", func(t *testing.T) {
		w := newWorld(t, fakeapi.Options{}, bounded)
		w.api.Add("AUTH_LOG", until.Add(-2*time.Hour), authLine("a"))
		bad := w.api.Add("AUTH_LOG", until.Add(-time.Hour), authLine("b"))
		w.api.Script(fakeapi.Fault{Op: "fetch", FileID: bad.ID, Status: 404})
		w.start()
		w.awaitLog(asideFile)
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
		w.awaitLog(asideFile)
		w.awaitPasses(4)
		setNow(start.Add(29 * 24 * time.Hour))
		w.awaitLog(allEnded)
		require.Len(t, w.records("openai.compliance.gap"), 1)
	})
	t.Run("record", func(t *testing.T) {
		w := newWorld(t, fakeapi.Options{}, bounded)
		refuse := true
		w.next = consumeFunc(func(ctx context.Context, logs plog.Logs) error {
			if refuse {
				return consumererror.NewPermanent(errors.New("no"))
			}
			return w.sink.ConsumeLogs(ctx, logs)
		})
		w.api.Add("AUTH_LOG", until.Add(-time.Hour), authLine("a"))
		w.start()
		w.awaitPasses(4)
		w.stop()
		refuse = false
		w.start()
		w.awaitLog(allEnded)
		require.Equal(t, fakeapi.Expected(w.api.Files("")), w.counts())
	})
}

// A stream with an upper bound does not end while history is under way, however
// long live has been through.
func TestBoundedStreamWaitsForHistory(t *testing.T) {
	start := time.Now().UTC().Truncate(time.Second)
	now, setNow := serverClock(start)
	w := newWorld(t, fakeapi.Options{Now: now}, func(cfg *Config) {
		cfg.StartFrom, cfg.Until = "-20d", start.Add(time.Hour).Format(time.RFC3339)
		cfg.APIRetry.BackOff.MaxElapsedTime = 0
	})
	old := w.api.Add("AUTH_LOG", start.Add(-10*24*time.Hour), authLine("old"))
	w.api.Script(fakeapi.Fault{Op: "fetch", FileID: old.ID, Status: 503})
	w.start()
	w.awaitPasses(4)
	setNow(start.Add(3 * time.Hour))
	w.awaitPasses(10)
	require.Zero(t, w.logs.FilterMessage(allEnded).Len())
	w.api.ClearScript()
	w.awaitLog(allEnded)
	require.Equal(t, fakeapi.Expected(w.api.Files("")), w.counts())
}
