// Copyright The OpenTelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package receiver

import (
	"context"
	"errors"
	"runtime"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"
	"unsafe"
	"weak"

	"github.com/stretchr/testify/require"

	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/openaicompliance/openaicompliancereceiver/internal/fakeapi"
)

// A receiver at rest holds no memory of the records that it has delivered, nor of
// those of an attempt that was rejected.
func TestStreamAtRestHoldsNoRecords(t *testing.T) {
	for name, tt := range map[string]struct {
		body     string
		attempts int // at the only batch
	}{
		"raw": {bodyRaw, 1}, "parsed": {bodyParsed, 1}, "raw, rejected once": {bodyRaw, 2}, "parsed, rejected once": {bodyParsed, 2},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, fakeapi.Options{}, func(cfg *Config) { cfg.Body = tt.body })
			var texts []weak.Pointer[byte]
			var calls atomic.Int64
			w.next = consumeFunc(func(_ context.Context, logs plog.Logs) error {
				for _, record := range logs.ResourceLogs().At(0).ScopeLogs().At(0).LogRecords().All() {
					id, _ := record.Attributes().Get("log.record.uid")
					texts = append(texts, weak.Make(unsafe.StringData(id.Str())))
				}
				if calls.Add(1) < int64(tt.attempts) {
					return errors.New("not now")
				}
				return nil
			})
			w.api.Add("AUTH_LOG", recent(time.Hour), authLine(strings.Repeat("a", 40)), authLine(strings.Repeat("b", 40)))
			w.start()
			require.Eventually(t, func() bool { return calls.Load() == int64(tt.attempts) }, 20*time.Second, time.Millisecond)
			w.awaitPasses(2)
			require.Len(t, texts, 2*tt.attempts)
			require.Eventually(t, func() bool {
				runtime.GC()
				return !slices.ContainsFunc(texts, func(p weak.Pointer[byte]) bool { return p.Value() != nil })
			}, 20*time.Second, time.Millisecond)
		})
	}
}
