// Copyright The OpenTelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package receiver

import (
	"context"
	"errors"
	"fmt"
	"math"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"go.opentelemetry.io/collector/component/componentstatus"
	"go.opentelemetry.io/collector/consumer/consumererror"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	"go.opentelemetry.io/otel/sdk/metric/metricdata/metricdatatest"

	"github.com/openaicompliance/openaicompliancereceiver/internal/checkpoint"
	"github.com/openaicompliance/openaicompliancereceiver/internal/fakeapi"
	"github.com/openaicompliance/openaicompliancereceiver/internal/metadatatest"
)

func bothMeanings(t *testing.T, test func(t *testing.T, inclusive bool)) {
	t.Helper()
	for _, inclusive := range []bool{false, true} {
		t.Run(fmt.Sprintf("inclusive=%v", inclusive), func(t *testing.T) { test(t, inclusive) })
	}
}

// A backlog of many pages with files that share an end_time across the page edge
// arrives once; restarts add nothing; a file that is new afterwards arrives.
func TestStreamDeliversOnceAcrossRestarts(t *testing.T) {
	bothMeanings(t, func(t *testing.T, inclusive bool) {
		t.Helper()
		w := newWorld(t, fakeapi.Options{Inclusive: inclusive, PageLimit: 5})
		begin := recent(20 * time.Hour)
		for i := range 60 {
			// Three files in a row share an end_time; pages end inside such a run.
			w.api.Add("AUTH_LOG", begin.Add(time.Duration(i/3)*10*time.Minute), authLine(fmt.Sprintf("e-%d", i)))
		}
		w.start()
		w.awaitExact()
		for range 2 {
			w.stop()
			w.start()
			w.awaitPasses(3)
		}
		w.api.Add("AUTH_LOG", recent(time.Second), authLine("new"))
		w.awaitExact()
	})
}

// A file that the listing shows late, within the overlap, is delivered.
func TestStreamDeliversFilesThatAppearLate(t *testing.T) {
	w := newWorld(t, fakeapi.Options{})
	w.api.Add("AUTH_LOG", recent(time.Minute), authLine("first"))
	w.start()
	w.awaitExact()
	w.api.Add("AUTH_LOG", recent(50*time.Minute), authLine("late"))
	w.awaitExact()
}

// The first run begins at start_from, to the microsecond, under both meanings of
// `after`; it is fixed before the first request and stays when the setting changes.
func TestStreamFloor(t *testing.T) {
	bothMeanings(t, func(t *testing.T, inclusive bool) {
		t.Helper()
		floor := recent(2 * time.Hour).UTC().Truncate(time.Microsecond)
		w := newWorld(t, fakeapi.Options{Inclusive: inclusive}, func(cfg *Config) {
			cfg.StartFrom = floor.Format(time.RFC3339Nano)
		})
		w.api.Add("AUTH_LOG", floor.Add(-time.Microsecond), authLine("before"))
		w.api.Add("AUTH_LOG", floor, authLine("at"))
		after := w.api.Add("AUTH_LOG", floor.Add(time.Microsecond), authLine("after"))
		w.start()
		w.awaitExact(after)
		w.stop()

		w.cfg.StartFrom = "beginning"
		w.start()
		w.awaitLog(startFromChanged)
		w.awaitExact(after)
	})
}

// The floor is stored before any request: a first run that never reached the API
// does not move its beginning when it is started again later.
func TestStreamStoresFloorBeforeFirstRequest(t *testing.T) {
	w := newWorld(t, fakeapi.Options{}, func(cfg *Config) { cfg.InitialDelay = time.Hour })
	w.start()
	progress, err := checkpoint.Load(t.Context(), openClient(t, w, "other"), checkpoint.Key(fakeapi.DefaultWorkspace, "AUTH_LOG"), checkpoint.Settings{})
	require.NoError(t, err)
	require.NotNil(t, progress)
	floor, text := progress.Floor()
	assert.Equal(t, "-24h", text)
	assert.WithinDuration(t, recent(24*time.Hour), floor, time.Minute)
	assert.Empty(t, w.api.Requests())
}

// A batch that is refused is rebuilt and handed over again until it is accepted,
// even when the consumer has emptied the refused one; nothing is lost or doubled.
func TestStreamRetriesRefusedBatches(t *testing.T) {
	w := newWorld(t, fakeapi.Options{}, func(cfg *Config) { cfg.Batch.MaxRecords = 2 })
	var calls atomic.Int64
	w.next = consumeFunc(func(ctx context.Context, logs plog.Logs) error {
		if calls.Add(1)%3 != 0 {
			logs.ResourceLogs().RemoveIf(func(plog.ResourceLogs) bool { return true })
			return errors.New("busy")
		}
		return w.sink.ConsumeLogs(ctx, logs)
	})
	w.api.Add("AUTH_LOG", recent(time.Hour), authLine("a"), authLine("b"), authLine("c"), authLine("d"), authLine("e"))
	w.start()
	w.awaitExact()
	metadatatest.AssertEqualReceiverOpenaiComplianceBatchRetries(t, w.tel, []metricdata.DataPoint[int64]{
		{Attributes: attrs("event_type", "AUTH_LOG"), Value: 6},
	}, metricdatatest.IgnoreTimestamp())
}

// A stop in the middle of a file goes on at the line after the last accepted
// batch.
func TestStreamResumesInsideFile(t *testing.T) {
	w := newWorld(t, fakeapi.Options{}, func(cfg *Config) { cfg.Batch.MaxRecords = 2 })
	var accept atomic.Bool
	accept.Store(true)
	w.next = consumeFunc(func(ctx context.Context, logs plog.Logs) error {
		if !accept.Load() {
			return errors.New("busy")
		}
		accept.Store(len(w.counts()) > 0)
		return w.sink.ConsumeLogs(ctx, logs)
	})
	w.api.Add("AUTH_LOG", recent(time.Hour), authLine("a"), "", authLine("b"), authLine("c"), authLine("d"), authLine("e"))
	w.start()
	w.awaitLog("The next consumer refused the batch; it is kept and handed over again.")
	w.stop()
	require.Len(t, w.counts(), 2)

	w.next = w.sink
	w.start()
	w.awaitExact()
}

// on_permanent_error: block keeps the batch and counts the refusals into the
// component's status; drop gives it up, counted and logged, and goes on.
func TestStreamPermanentRefusal(t *testing.T) {
	refuseFirst := func(w *world, refusals int64) {
		var calls atomic.Int64
		w.next = consumeFunc(func(ctx context.Context, logs plog.Logs) error {
			if calls.Add(1) <= refusals {
				return consumererror.NewPermanent(errors.New("cannot take this"))
			}
			return w.sink.ConsumeLogs(ctx, logs)
		})
	}
	t.Run("block", func(t *testing.T) {
		w := newWorld(t, fakeapi.Options{}, func(cfg *Config) { cfg.OnPermanentError = permanentBlock })
		refuseFirst(w, 5)
		w.api.Add("AUTH_LOG", recent(time.Hour), authLine("a"))
		w.start()
		w.awaitExact()
		assert.Equal(t, []componentstatus.Status{componentstatus.StatusRecoverableError, componentstatus.StatusOK}, w.status.kinds())
	})
	t.Run("drop", func(t *testing.T) {
		w := newWorld(t, fakeapi.Options{}, func(cfg *Config) { cfg.OnPermanentError = permanentDrop })
		refuseFirst(w, 1)
		w.api.Add("AUTH_LOG", recent(2*time.Hour), authLine("dropped"))
		kept := w.api.Add("AUTH_LOG", recent(time.Hour), authLine("kept"))
		w.start()
		w.awaitExact(kept)
		entry := w.awaitLog("The next consumer refused the batch for good; its records are dropped (on_permanent_error: drop).")
		assert.EqualValues(t, 1, entry.ContextMap()["records"])
		w.assertRecords(map[string]int64{"dropped": 1, "delivered": 1})
	})
}

// A file whose bytes come the same twice and do not match its listing is
// delivered whole and marked; with other bytes each time it is not.
func TestStreamVerifyLenient(t *testing.T) {
	w := newWorld(t, fakeapi.Options{})
	bad := w.api.Add("AUTH_LOG", recent(2*time.Hour), authLine("a"), authLine("b"))
	w.api.Script(fakeapi.Fault{Op: "fetch", FileID: bad.ID, Corrupt: true})
	good := w.api.Add("AUTH_LOG", recent(time.Hour), authLine("good"))
	w.start()
	require.Eventually(t, func() bool { return len(w.records("")) == 3 }, 20*time.Second, time.Millisecond)
	w.awaitPasses(3)
	for _, record := range w.records("") {
		marked, _ := record["openai.compliance.unverified"].(bool)
		assert.Equal(t, record["openai.compliance.file.id"] == bad.ID, marked)
		if marked {
			assert.NotEqual(t, bad.SHA256, record["openai.compliance.file.sha256"])
		}
	}
	assert.Len(t, w.records(""), 3)
	assert.Equal(t, 1, w.counts()[good.EventIDs[0]])
}

// With verify: strict a file that does not match its listing is never delivered
// and holds nothing else up; once it can be read, it is.
func TestStreamSetsBadFileAside(t *testing.T) {
	w := newWorld(t, fakeapi.Options{}, func(cfg *Config) { cfg.Download.Verify = verifyStrict })
	bad := w.api.Add("AUTH_LOG", recent(2*time.Hour), authLine("bad"))
	good := w.api.Add("AUTH_LOG", recent(time.Hour), authLine("good"))
	w.api.Script(fakeapi.Fault{Op: "fetch", FileID: bad.ID, Corrupt: true})
	w.start()
	w.awaitExact(good)
	entry := w.awaitLog("File set aside: it cannot be read. The others go on, every pass tries it again until the API stops serving it.")
	assert.Equal(t, bad.ID, entry.ContextMap()["file_id"])

	// A restart keeps it in mind, and ends well once the file is whole.
	w.stop()
	w.api.ClearScript()
	w.start()
	w.awaitExact()
}

// A file that is listed as larger than any memory is set aside without asking for
// that memory; the others go on.
func TestStreamSetsHugeFileAside(t *testing.T) {
	w := newWorld(t, fakeapi.Options{})
	for _, size := range []int64{1 << 50, math.MaxInt64} {
		w.api.Add("AUTH_LOG", recent(2*time.Hour), authLine(fmt.Sprint("huge", size))).Size = size
	}
	good := w.api.Add("AUTH_LOG", recent(time.Hour), authLine("good"))
	w.start()
	w.awaitExact(good)
	require.Eventually(t, func() bool {
		return w.logs.FilterMessageSnippet("File set aside: it cannot be read.").Len() == 2
	}, 20*time.Second, time.Millisecond)
}

// A file in quarantine that the API stops serving is reported lost, once.
func TestStreamReportsExpiredFile(t *testing.T) {
	start := time.Now()
	now, setNow := serverClock(start)
	w := newWorld(t, fakeapi.Options{Now: now})
	bad := w.api.Add("AUTH_LOG", start.Add(-time.Hour), authLine("bad"))
	w.api.Script(fakeapi.Fault{Op: "download", FileID: bad.ID, Status: http.StatusNotFound})
	w.start()
	w.awaitLog("File set aside: it cannot be read. The others go on, every pass tries it again until the API stops serving it.")
	for day := range 32 { // the passes go on, so there is no gap but this file
		setNow(start.Add(time.Duration(day) * 24 * time.Hour))
		w.awaitPasses(2)
	}
	const lost = "File lost: the API stopped serving it before it could be read."
	entry := w.awaitLog(lost)
	assert.Equal(t, bad.ID, entry.ContextMap()["file_id"])
	w.awaitPasses(3)
	assert.Equal(t, 1, w.logs.FilterMessage(lost).Len())
	records := w.records("openai.compliance.gap")
	require.Len(t, records, 1)
	assert.Equal(t, bad.ID, records[0]["openai.compliance.file.id"])
	assert.Equal(t, "file_expired", records[0]["openai.compliance.gap.reason"])
}

// An outage longer than the API remembers is told once, with its bounds, by a
// log line, the metric and a record among the records; a quiet type whose passes
// went on has no gap.
func TestStreamReportsGap(t *testing.T) {
	start := time.Now().UTC().Truncate(time.Second)
	now, setNow := serverClock(start)
	w := newWorld(t, fakeapi.Options{Now: now})
	w.api.Add("AUTH_LOG", start.Add(-time.Hour), authLine("old"))
	w.start()
	w.awaitExact()
	for day := range 40 { // quiet, but listed
		setNow(start.Add(time.Duration(day) * 24 * time.Hour))
		w.awaitPasses(2)
	}
	w.stop()
	last := start.Add(39 * 24 * time.Hour)
	require.Empty(t, w.records("openai.compliance.gap"))

	back := last.Add(45 * 24 * time.Hour)
	setNow(back)
	seen := w.api.Add("AUTH_LOG", back.Add(-time.Hour), authLine("new"))
	for range 2 {
		w.start()
		require.Eventually(t, func() bool { return w.counts()["new"] == 1 }, 20*time.Second, time.Millisecond)
		w.awaitPasses(3)
		w.stop()
	}
	records := w.records("openai.compliance.gap")
	require.Len(t, records, 1)
	assert.Equal(t, last.Format(time.RFC3339), records[0]["openai.compliance.gap.from"])
	assert.Equal(t, back.Add(-30*24*time.Hour).Format(time.RFC3339), records[0]["openai.compliance.gap.to"])
	assert.Equal(t, "retention", records[0]["openai.compliance.gap.reason"])
	assert.Equal(t, 1, w.counts()[seen.EventIDs[0]])
	metadatatest.AssertEqualReceiverOpenaiComplianceDataGaps(t, w.tel, []metricdata.DataPoint[int64]{
		{Attributes: attrs("event_type", "AUTH_LOG"), Value: 1},
	}, metricdatatest.IgnoreTimestamp())
}

// serverClock is a clock for the simulated API that a test moves.
func serverClock(start time.Time) (now func() time.Time, set func(time.Time)) {
	var at atomic.Pointer[time.Time]
	at.Store(&start)
	return func() time.Time { return *at.Load() }, func(to time.Time) { at.Store(&to) }
}

// Trouble of the API - errors, broken answers, cut connections, stalls, late
// signed URLs - delays records and neither loses nor doubles one.
func TestStreamSurvivesAPITrouble(t *testing.T) {
	cut := 10
	for name, faults := range map[string][]fakeapi.Fault{
		"server errors":       {{Op: "list", Times: 3, Status: 503}, {Op: "download", Times: 3, Status: 500}, {Op: "fetch", Times: 3, Status: 502}},
		"rate limit":          {{Op: "list", Times: 1, Status: 429, Header: map[string]string{"Retry-After": "0"}}, {Op: "download", Skip: 1, Times: 2, Status: 429}},
		"absurd Retry-After":  {{Op: "download", Times: 1, Status: 429, Header: map[string]string{"Retry-After": "999999999999999"}}},
		"HTML in place of":    {{Op: "list", Times: 2, Status: 200, Body: "<html>maintenance</html>"}},
		"connection reset":    {{Op: "list", Times: 2, Reset: true}, {Op: "download", Times: 2, Reset: true}, {Op: "fetch", Times: 2, Reset: true}},
		"body cut":            {{Op: "fetch", Times: 3, Truncate: &cut}},
		"list cut":            {{Op: "list", Times: 3, Truncate: &cut}},
		"body stalls":         {{Op: "fetch", Times: 1, Stall: true}},
		"signed URL too late": {{Op: "fetch", Times: 2, Status: 403, Body: "sig=expired"}},
		"extra bytes":         {{Op: "fetch", Times: 1, Extra: "x"}},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, fakeapi.Options{}, func(cfg *Config) {
				cfg.APIRetry.MaxRetryAfter = 20 * time.Millisecond
				cfg.Download.StallTimeout = 200 * time.Millisecond
			})
			w.api.Script(faults...)
			for i := range 4 {
				w.api.Add("AUTH_LOG", recent(time.Duration(5-i)*time.Hour), authLine(fmt.Sprintf("a-%d", i)), authLine(fmt.Sprintf("b-%d", i)))
			}
			w.start()
			w.awaitExact()
		})
	}
}

// One type that the key may not read leaves the others alone: they are complete,
// and the component is not degraded for it.
func TestStreamsAreIndependent(t *testing.T) {
	w := newWorld(t, fakeapi.Options{Forbidden: []string{"AUDIT_LOG"}}, func(cfg *Config) {
		cfg.EventTypes = []string{"AUDIT_LOG", "AUTH_LOG"}
	})
	w.api.Add("AUDIT_LOG", recent(time.Hour), authLine("hidden"))
	seen := w.api.Add("AUTH_LOG", recent(time.Hour), authLine("seen"))
	w.start()
	w.awaitExact(seen)
	entry := w.awaitLog("Pass ended early; the next one goes on from the stored position.")
	assert.Contains(t, entry.ContextMap()["advice"], "chatgpt.enterprise.compliance_logs_platform.audit_log.read")
	assert.Empty(t, w.status.kinds())
}

// A refused key is not asked about again and again, degrades the component, and
// a new key in the file ends the wait.
func TestStreamRefusedKeyAndRotation(t *testing.T) {
	keyFile := filepath.Join(t.TempDir(), "key")
	require.NoError(t, os.WriteFile(keyFile, []byte("sk-admin-old\n"), 0o600))
	w := newWorld(t, fakeapi.Options{}, func(cfg *Config) {
		cfg.APIKey, cfg.APIKeyFile = "", keyFile
	})
	w.api.Add("AUTH_LOG", recent(time.Hour), authLine("a"))
	w.start()
	entry := w.awaitLog("Pass ended early; the next one goes on from the stored position.")
	assert.Contains(t, entry.ContextMap()["advice"], "the API refuses the key")
	assert.Equal(t, 1, w.listRequests())
	assert.Equal(t, []componentstatus.Status{componentstatus.StatusRecoverableError}, w.status.kinds())

	// The wait is looked into every ten seconds; a restart shows the same sooner.
	require.NoError(t, os.WriteFile(keyFile, []byte(fakeapi.DefaultKey+"\n"), 0o600))
	w.stop()
	w.start()
	w.awaitExact()
}

// While the position cannot be stored, the stream waits and the component is
// degraded; nothing is delivered twice when storage is back.
func TestStreamWaitsForStorage(t *testing.T) {
	w := newWorld(t, fakeapi.Options{})
	w.start()
	w.awaitPasses(1)
	memory(w).FailSet(errors.New("no space left on device"))
	w.api.Add("AUTH_LOG", recent(time.Hour), authLine("a"))
	w.api.Add("AUTH_LOG", recent(time.Minute), authLine("b"))
	w.awaitLog("The position cannot be stored; the stream waits.")
	assert.LessOrEqual(t, len(w.counts()), 1)
	assert.Equal(t, []componentstatus.Status{componentstatus.StatusRecoverableError}, w.status.kinds())
	memory(w).FailSet(nil)
	w.awaitExact()
	assert.Equal(t, []componentstatus.Status{componentstatus.StatusRecoverableError, componentstatus.StatusOK}, w.status.kinds())
}

// A consumer that blocks holds one batch of its stream; no further file is
// fetched meanwhile.
func TestStreamBlockedConsumer(t *testing.T) {
	w := newWorld(t, fakeapi.Options{})
	release := make(chan struct{})
	w.next = consumeFunc(func(ctx context.Context, logs plog.Logs) error {
		<-release
		return w.sink.ConsumeLogs(ctx, logs)
	})
	for i := range 5 {
		w.api.Add("AUTH_LOG", recent(time.Duration(6-i)*time.Hour), authLine(strconv.Itoa(i)))
	}
	w.start()
	fetched := func() (n int) {
		for _, r := range w.api.Requests() {
			if r.Host == "storage" {
				n++
			}
		}
		return n
	}
	require.Eventually(t, func() bool { return fetched() == 1 }, 20*time.Second, time.Millisecond)
	time.Sleep(100 * time.Millisecond)
	assert.Equal(t, 1, fetched())
	close(release)
	w.awaitExact()
}

// A backend that refuses one type for long does not keep the others from memory:
// the held file gives its share back, and is fetched again and resumed at the
// line after its held batch once the backend recovers.
func TestStreamHeldBatchGivesMemoryBack(t *testing.T) {
	w := newWorld(t, fakeapi.Options{}, func(cfg *Config) {
		cfg.EventTypes = []string{"AUDIT_LOG", "AUTH_LOG"}
		cfg.Batch.MaxRecords = 2
		cfg.Download.MemoryLimit = 1 // one file at a time
	})
	w.heldLong = 30 * time.Millisecond
	var dead atomic.Bool
	dead.Store(true)
	w.next = consumeFunc(func(ctx context.Context, logs plog.Logs) error {
		eventType, _ := logs.ResourceLogs().At(0).Resource().Attributes().Get("openai.compliance.event.type")
		if dead.Load() && eventType.Str() == "AUDIT_LOG" {
			return errors.New("backend is down")
		}
		return w.sink.ConsumeLogs(ctx, logs)
	})
	w.api.Add("AUDIT_LOG", recent(time.Hour), authLine("a"), authLine("b"), authLine("c"), authLine("d"), authLine("e"))
	w.start()
	w.awaitLog("The next consumer refused the batch; it is kept and handed over again.")
	auth := w.api.Add("AUTH_LOG", recent(time.Minute), authLine("other"))
	require.Eventually(t, func() bool { return w.counts()["other"] == 1 }, 20*time.Second, 5*time.Millisecond)
	assert.Equal(t, fakeapi.Expected([]*fakeapi.File{auth}), w.counts())
	dead.Store(false)
	w.awaitExact()
}
