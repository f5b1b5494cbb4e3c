// Copyright The OpenTelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package receiver

import (
	"context"
	"errors"
	"testing"
	"time"

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
