// Copyright The OpenTelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package receiver

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"go.opentelemetry.io/collector/component/componentstatus"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/openaicompliance/openaicompliancereceiver/internal/fakeapi"
	"github.com/openaicompliance/openaicompliancereceiver/internal/testbed"
)

// What the next consumer accepted is stored even when poll_timeout ends while the
// storage refuses: nothing is delivered twice.
func TestCutPassStoresWhatWasAccepted(t *testing.T) {
	w := newWorld(t, fakeapi.Options{}, func(cfg *Config) { cfg.PollTimeout = 20 * time.Millisecond })
	storage := w.storage.(*testbed.Storage)
	w.next = consumeFunc(func(ctx context.Context, logs plog.Logs) error {
		storage.FailSet(errors.New("no space left on device"))
		return w.sink.ConsumeLogs(ctx, logs)
	})
	w.api.Add("AUTH_LOG", recent(time.Hour), authLine("a"))
	w.start()
	w.awaitLog("The position cannot be stored; the stream waits.")
	time.Sleep(100 * time.Millisecond) // the pass is overdue
	storage.FailSet(nil)
	w.awaitExact()
}

// Files that cannot be read do not use up max_pages: what lies behind them comes.
func TestMaxPagesPassesFilesSetAside(t *testing.T) {
	w := newWorld(t, fakeapi.Options{PageLimit: 2}, func(cfg *Config) { cfg.MaxPages = 1 })
	var good []*fakeapi.File
	for i := range 8 {
		f := w.api.Add("AUTH_LOG", recent(20*time.Hour-time.Duration(i)*time.Hour), authLine(fmt.Sprintf("a-%d", i)))
		if i < 4 {
			w.api.Script(fakeapi.Fault{Op: "fetch", FileID: f.ID, Status: 404})
			continue
		}
		good = append(good, f)
	}
	w.start()
	w.awaitExact(good...)
	w.api.ClearScript()
	w.awaitExact()
}

// A file whose download takes longer than poll_timeout each time is set aside like
// any other that ends three passes, and the others come.
func TestCutPassesSetHopelessFileAside(t *testing.T) {
	for name, fault := range map[string]fakeapi.Fault{"refused": {Status: 503}, "stalled": {Stall: true}} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, fakeapi.Options{PageLimit: 2}, func(cfg *Config) { cfg.PollTimeout = 100 * time.Millisecond })
			bad := w.api.Add("AUTH_LOG", recent(2*time.Hour), authLine("bad"))
			good := w.api.Add("AUTH_LOG", recent(time.Hour), authLine("good"))
			other := w.api.Add("AUTH_LOG", recent(time.Minute), authLine("on the next page"))
			fault.Op, fault.FileID = "fetch", bad.ID
			w.api.Script(fault)
			w.start()
			w.awaitLog(asideFile)
			w.awaitExact(good, other)
			w.api.ClearScript()
			w.awaitExact()
		})
	}
}

// An API that never answers is told even when poll_timeout ends each pass before
// the tries do.
func TestCutPassesTellOfAnAPIThatFails(t *testing.T) {
	w := newWorld(t, fakeapi.Options{}, func(cfg *Config) { cfg.PollTimeout = 50 * time.Millisecond })
	w.api.Script(fakeapi.Fault{Op: "list", Status: 503})
	w.start()
	require.Eventually(t, func() bool { return len(w.status.kinds()) > 0 }, 20*time.Second, time.Millisecond)
	w.api.ClearScript()
	require.Eventually(t, func() bool { return len(w.status.kinds()) > 1 }, 20*time.Second, time.Millisecond)
	assert.Equal(t, []componentstatus.Status{componentstatus.StatusRecoverableError, componentstatus.StatusOK}, w.status.kinds())
}
