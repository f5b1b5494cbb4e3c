// Copyright The OpenTelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package receiver

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/openaicompliance/openaicompliancereceiver/internal/fakeapi"
)

// A gap after the last listed file includes its end_time: a file that shares it, on
// the next page, has expired too.
func TestGapTakesInTies(t *testing.T) {
	start := time.Now().UTC().Truncate(time.Second)
	now, setNow := serverClock(start)
	w := newWorld(t, fakeapi.Options{Now: now, PageLimit: 2}, func(cfg *Config) { cfg.StartFrom = "beginning" })
	at := start.Add(-20 * 24 * time.Hour)
	for _, id := range []string{"a", "b", "c"} {
		w.api.Add("AUTH_LOG", at, authLine(id))
	}
	w.next = consumeFunc(func(ctx context.Context, logs plog.Logs) error {
		err := w.sink.ConsumeLogs(ctx, logs)
		if len(w.counts()) == 2 {
			setNow(start.Add(11 * 24 * time.Hour)) // the third expires before it is listed
		}
		return err
	})
	w.start()
	w.awaitLog(collected)
	var from, to time.Time
	for _, gap := range w.records("openai.compliance.gap") {
		var err error
		from, err = time.Parse(time.RFC3339Nano, gap["openai.compliance.gap.from"].(string))
		require.NoError(t, err)
		to, err = time.Parse(time.RFC3339Nano, gap["openai.compliance.gap.to"].(string))
		require.NoError(t, err)
	}
	assert.Len(t, w.counts(), 3, "two records and a gap")
	end := w.api.Files("AUTH_LOG")[0].EndTime
	assert.True(t, end.After(from) && !end.After(to), "%s is not in (%s, %s]", end, from, to)
}
