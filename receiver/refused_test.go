// Copyright The OpenTelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package receiver

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"go.opentelemetry.io/collector/component/componentstatus"
	"go.opentelemetry.io/collector/consumer/consumererror"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/openaicompliance/openaicompliancereceiver/internal/checkpoint"
	"github.com/openaicompliance/openaicompliancereceiver/internal/fakeapi"
)

var errPoison = consumererror.NewPermanent(errors.New("cannot take this"))

// holds reports whether any body of the logs holds a text.
func holds(logs plog.Logs, text string) bool {
	for _, record := range logs.ResourceLogs().At(0).ScopeLogs().At(0).LogRecords().All() {
		if strings.Contains(record.Body().AsString(), text) {
			return true
		}
	}
	return false
}

// A batch with a record that the next consumer refuses for good is set aside and
// does not hold up what follows; tried again record by record, everything but
// that record is delivered, once, over restarts; and that record too when the
// consumer changes its mind.
func TestQuarantineOfRecords(t *testing.T) {
	w := newWorld(t, fakeapi.Options{}, func(cfg *Config) { cfg.Batch.MaxRecords = 3 })
	var takesAll atomic.Bool
	w.next = consumeFunc(func(ctx context.Context, logs plog.Logs) error {
		if holds(logs, "poison") && !takesAll.Load() {
			return errPoison
		}
		return w.sink.ConsumeLogs(ctx, logs)
	})
	w.api.Add("AUTH_LOG", recent(2*time.Hour), authLine("a"), authLine("poison"), "", authLine("b"), authLine("c"))
	w.api.Add("AUTH_LOG", recent(time.Hour), authLine("d"), authLine("a"))
	w.start()
	w.awaitCounts(map[string]int{"a": 1, "b": 1, "c": 1, "d": 1})
	w.stop()
	w.start()
	w.awaitPasses(5)
	require.Equal(t, map[string]int{"a": 1, "b": 1, "c": 1, "d": 1}, w.counts())
	assert.Empty(t, w.status.kinds())

	takesAll.Store(true)
	w.awaitCounts(map[string]int{"a": 1, "b": 1, "c": 1, "d": 1, "poison": 1})
}

// Three permanent refusals in a row show a broken pipeline, such as a wrong key
// of the backend: no more is set aside, the batch is held, the component is
// degraded; and all is delivered, once, when it works again.
func TestQuarantineStopsAtBrokenPipeline(t *testing.T) {
	w := newWorld(t, fakeapi.Options{})
	var broken atomic.Bool
	broken.Store(true)
	w.next = consumeFunc(func(ctx context.Context, logs plog.Logs) error {
		if broken.Load() {
			return errPoison
		}
		return w.sink.ConsumeLogs(ctx, logs)
	})
	for i := range 10 {
		w.api.Add("AUTH_LOG", recent(time.Duration(20-i)*time.Hour), authLine(fmt.Sprintf("e-%d", i)))
	}
	w.start()
	w.awaitLog("The next consumer refused the batch; it is kept and handed over again.")
	require.Eventually(t, func() bool { return len(w.status.kinds()) == 1 }, 20*time.Second, time.Millisecond)
	assert.Equal(t, 2, w.logs.FilterMessageSnippet("it is set aside").Len())
	broken.Store(false)
	w.awaitExact()
	assert.Equal(t, []componentstatus.Status{componentstatus.StatusRecoverableError, componentstatus.StatusOK}, w.status.kinds())
}

// Records that are refused until the API forgets their file are reported lost.
func TestQuarantinedRecordsExpire(t *testing.T) {
	start := time.Now()
	now, setNow := serverClock(start)
	w := newWorld(t, fakeapi.Options{Now: now})
	w.next = consumeFunc(func(ctx context.Context, logs plog.Logs) error {
		if holds(logs, "poison") {
			return errPoison
		}
		return w.sink.ConsumeLogs(ctx, logs)
	})
	file := w.api.Add("AUTH_LOG", start.Add(-time.Hour), authLine("poison"))
	w.start()
	w.awaitPasses(5)
	for day := range 32 {
		setNow(start.Add(time.Duration(day) * 24 * time.Hour))
		w.awaitPasses(2)
	}
	entry := w.awaitLog("Records lost: the next consumer refused them until the API stopped serving their file.")
	assert.Equal(t, file.ID, entry.ContextMap()["file_id"])
	w.awaitPasses(3)
	records := w.records("openai.compliance.gap")
	require.Len(t, records, 1)
	assert.Equal(t, "refused", records[0]["openai.compliance.gap.reason"])
	assert.EqualValues(t, 1, records[0]["openai.compliance.file.line"])
}

// A retry that is interrupted keeps what it has achieved: records accepted before
// the interruption do not come again after a clean stop.
func TestQuarantineRetryKeepsProgress(t *testing.T) {
	w := newWorld(t, fakeapi.Options{}, func(cfg *Config) { cfg.RetryOnFailure.Enabled = false })
	var phase atomic.Int64 // 0 refuses the batch, 1 takes three records and is busy, 2 takes all
	var taken atomic.Int64
	w.next = consumeFunc(func(ctx context.Context, logs plog.Logs) error {
		switch {
		case phase.Load() == 0:
			phase.Store(1)
			return errPoison
		case phase.Load() == 1 && taken.Add(1) > 3:
			return errors.New("busy")
		}
		return w.sink.ConsumeLogs(ctx, logs)
	})
	w.api.Add("AUTH_LOG", recent(time.Hour), authLine("a"), authLine("b"), authLine("c"), authLine("d"), authLine("e"))
	w.start()
	require.Eventually(t, func() bool { return taken.Load() > 3 }, 20*time.Second, time.Millisecond)
	w.stop()
	phase.Store(2)
	w.start()
	w.awaitExact()
}

// Many refused lines of one file cost one download for each try, and are stored
// as one run.
func TestQuarantineFetchesEachFileOnce(t *testing.T) {
	w := newWorld(t, fakeapi.Options{})
	w.next = consumeFunc(func(context.Context, plog.Logs) error { return errPoison })
	var lines []string
	for i := range 100 {
		lines = append(lines, authLine(strconv.Itoa(i)))
	}
	w.api.Add("AUTH_LOG", recent(time.Hour), lines...)
	w.start()
	w.awaitLog("The next consumer refused the batch for good; it is set aside and tried again later, record by record (on_permanent_error: quarantine).")
	w.awaitPasses(3)
	w.stop()
	downloads := 0
	for _, r := range w.api.Requests() {
		if r.Host == "storage" {
			downloads++
		}
	}
	assert.LessOrEqual(t, downloads, w.listRequests()+1)
	key := checkpoint.Key(fakeapi.DefaultWorkspace, "AUTH_LOG")
	progress, err := checkpoint.Load(t.Context(), openClient(t, w, "other"), key, checkpoint.Settings{})
	require.NoError(t, err)
	require.Len(t, progress.Refused(), 1)
	assert.Equal(t, 1, progress.Refused()[0].From)
}
