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
// `after`; it is fixed by the first answer and stays when the setting changes.
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
		w.awaitLog("changed start_from or until is ignored")
		w.awaitExact(after)
	})
}

// The log says since when a first run collects files, and how far start_from reaches by
// default; a replay, which has bounds of its own, has no such hint.
func TestFirstRunSaysSinceWhen(t *testing.T) {
	w := newWorld(t, fakeapi.Options{}, func(cfg *Config) {
		cfg.Replay = []ReplayConfig{{Name: "again", From: "-48h", To: "-47h"}}
	})
	w.start()
	const message = "first run, collecting files from here"
	require.Eventually(t, func() bool { return w.logs.FilterMessage(message).Len() == 2 }, 20*time.Second, 5*time.Millisecond)
	for _, entry := range w.logs.FilterMessage(message).All() {
		fields := entry.ContextMap()
		floor, ok := fields["floor"].(time.Time)
		require.True(t, ok, fields)
		if fields["replay"] == "again" {
			assert.WithinDuration(t, recent(48*time.Hour), floor, time.Minute)
			assert.NotContains(t, fields, "hint")
			continue
		}
		assert.WithinDuration(t, recent(24*time.Hour), floor, time.Minute)
		assert.Equal(t, "-24h", fields["start_from"])
		assert.Contains(t, fields["hint"], "24h")
	}
}

// Start stores the text of start_from and its clock before any request: a first run
// that never reached the API does not move its beginning when it is started again
// later. The first answer fixes the floor.
func TestStreamStoresFirstRunBeforeFirstRequest(t *testing.T) {
	begin := time.Now().UTC().Truncate(time.Second)
	now, setNow := serverClock(begin)
	w := newWorld(t, fakeapi.Options{Now: now}, func(cfg *Config) {
		cfg.InitialDelay, cfg.StartFrom = time.Hour, "-1h"
	})
	w.start()
	stored := w.snapshot(streamKey)
	assert.Equal(t, "-1h", stored.FirstRun.StartFrom)
	assert.True(t, begin.Equal(stored.FirstRun.Clock), stored.FirstRun.Clock)
	assert.Nil(t, stored.Bounds)
	assert.Empty(t, w.api.Requests())
	w.stop()

	setNow(begin.Add(5 * time.Hour))
	w.api.Add("AUTH_LOG", begin.Add(-61*time.Minute), authLine("before"))
	seen := w.api.Add("AUTH_LOG", begin.Add(-30*time.Minute), authLine("after"))
	w.cfg.InitialDelay = 0
	w.start()
	w.awaitExact(seen)
	stored = w.snapshot(streamKey)
	require.NotNil(t, stored.Bounds)
	assert.True(t, begin.Add(-time.Hour).Equal(stored.Bounds.Floor), stored.Bounds.Floor)
}

// A batch that is rejected is rebuilt and retried until it is accepted, even when the
// consumer has emptied the rejected one; nothing is lost or doubled.
func TestStreamRetriesRejectedBatches(t *testing.T) {
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

// A stop in the middle of a file resumes at the line after the last accepted
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
	w.awaitLog(batchRetried)
	w.stop()
	require.Len(t, w.counts(), 2)

	w.next = w.sink
	w.start()
	w.awaitExact()
}

// on_permanent_error: block retries the record and shows the rejections in the
// component's status; drop gives the batch up, counted and logged, and continues.
func TestStreamPermanentRejection(t *testing.T) {
	rejectFirst := func(w *world, rejections int64) {
		var calls atomic.Int64
		w.next = consumeFunc(func(ctx context.Context, logs plog.Logs) error {
			if calls.Add(1) <= rejections {
				return consumererror.NewPermanent(errors.New("cannot take this"))
			}
			return w.sink.ConsumeLogs(ctx, logs)
		})
	}
	t.Run("block", func(t *testing.T) {
		w := newWorld(t, fakeapi.Options{}, func(cfg *Config) { cfg.OnPermanentError = permanentBlock })
		rejectFirst(w, 5)
		w.api.Add("AUTH_LOG", recent(time.Hour), authLine("a"))
		w.start()
		w.awaitExact()
		assert.Equal(t, []componentstatus.Status{componentstatus.StatusRecoverableError, componentstatus.StatusOK}, w.status.kinds())
	})
	t.Run("drop", func(t *testing.T) {
		w := newWorld(t, fakeapi.Options{}, func(cfg *Config) { cfg.OnPermanentError = permanentDrop })
		rejectFirst(w, 1)
		w.api.Add("AUTH_LOG", recent(2*time.Hour), authLine("dropped"))
		kept := w.api.Add("AUTH_LOG", recent(time.Hour), authLine("kept"))
		w.start()
		w.awaitExact(kept)
		entry := w.awaitLog("permanent error from next consumer, batch dropped")
		assert.EqualValues(t, 1, entry.ContextMap()["records"])
		assert.Equal(t, true, entry.ContextMap()["permanent"])
		w.assertRecords(map[string]int64{"dropped": 1, "delivered": 1})
	})
}

// A file whose bytes come the same in two fetches some time apart and do not match its
// listing is delivered whole and marked; it holds nothing else up meanwhile.
func TestStreamVerifyLenient(t *testing.T) {
	w := newWorld(t, fakeapi.Options{}, func(cfg *Config) { cfg.Download.Verify = verifyLenient })
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
	assert.Equal(t, map[string]int64{"delivered": 1, "unverified": 1, "quarantined": 1}, w.outcomes(metricPrefix+"files"))
}

// By default a file that does not match its listing is quarantined, never
// delivered, and holds nothing else up; once it can be read, it is.
func TestStreamQuarantinesBadFile(t *testing.T) {
	w := newWorld(t, fakeapi.Options{})
	bad := w.api.Add("AUTH_LOG", recent(2*time.Hour), authLine("bad"))
	good := w.api.Add("AUTH_LOG", recent(time.Hour), authLine("good"))
	w.api.Script(fakeapi.Fault{Op: "fetch", FileID: bad.ID, Corrupt: true})
	w.start()
	w.awaitExact(good)
	entry := w.awaitLog(quarantinedFile)
	assert.Equal(t, bad.ID, entry.ContextMap()["file_id"])
	assert.Equal(t, "digest", entry.ContextMap()["cause"])
	assert.NotEmpty(t, entry.ContextMap()["hint"])

	// Many fetches of the same bytes change nothing.
	require.Eventually(t, func() bool { return w.downloads(bad) >= 5 }, 20*time.Second, 5*time.Millisecond)
	assert.Zero(t, w.counts()[bad.EventIDs[0]])

	// A restart keeps it in mind, and ends well once the file is whole.
	w.stop()
	w.api.ClearScript()
	w.start()
	w.awaitExact()
}

// awaitRequests waits until the API has seen n requests of a kind.
func (w *world) awaitRequests(kind func(fakeapi.Request) bool, n int) {
	w.t.Helper()
	require.Eventually(w.t, func() bool {
		seen := 0
		for _, r := range w.api.Requests() {
			if kind(r) {
				seen++
			}
		}
		return seen >= n
	}, 20*time.Second, 5*time.Millisecond)
}

// A file that is listed as larger than any memory is quarantined without asking for
// that memory; the others do not wait.
func TestStreamQuarantinesHugeFile(t *testing.T) {
	w := newWorld(t, fakeapi.Options{})
	for _, size := range []int64{1 << 50, math.MaxInt64} {
		w.api.Add("AUTH_LOG", recent(2*time.Hour), authLine(fmt.Sprint("huge", size))).Size = size
	}
	good := w.api.Add("AUTH_LOG", recent(time.Hour), authLine("good"))
	w.start()
	w.awaitExact(good)
	require.Eventually(t, func() bool {
		return w.logs.FilterMessage(quarantinedFile).Len() == 2
	}, 20*time.Second, time.Millisecond)
}

// A quarantined file that the API stops serving is reported as a data gap, once.
func TestStreamReportsExpiredFile(t *testing.T) {
	start := time.Now()
	now, setNow := serverClock(start)
	w := newWorld(t, fakeapi.Options{Now: now})
	bad := w.api.Add("AUTH_LOG", start.Add(-time.Hour), authLine("bad"))
	w.api.Script(fakeapi.Fault{Op: "download", FileID: bad.ID, Status: http.StatusNotFound})
	w.start()
	w.awaitLog(quarantinedFile)
	for day := range 32 { // the polls go on, so there is no gap but this file
		setNow(start.Add(time.Duration(day) * 24 * time.Hour))
		w.awaitPasses(2)
	}
	const expired = "file expired before it could be delivered"
	entry := w.awaitLog(expired)
	assert.Equal(t, bad.ID, entry.ContextMap()["file_id"])
	w.awaitPasses(3)
	assert.Equal(t, 1, w.logs.FilterMessage(expired).Len())
	records := w.records("openai.compliance.gap")
	require.Len(t, records, 1)
	assert.Equal(t, bad.ID, records[0]["openai.compliance.file.id"])
	assert.Equal(t, "file_expired", records[0]["openai.compliance.gap.reason"])
	assert.Equal(t, map[string]int64{"quarantined": 1, "expired": 1}, w.outcomes(metricPrefix+"files"))
	assert.Equal(t, map[string]float64{"AUTH_LOG": 0}, points(t, w.tel, "quarantined_files"))
}

// heldAfterFirst accepts the records of one batch, and none after it until the
// returned function is called.
func (w *world) heldAfterFirst() (release func()) {
	var held, released atomic.Bool
	w.next = consumeFunc(func(ctx context.Context, logs plog.Logs) error {
		if held.Swap(true) && !released.Load() {
			return errors.New("busy")
		}
		return w.sink.ConsumeLogs(ctx, logs)
	})
	return func() { released.Store(true) }
}

// A file that was delivered in part and that the API stops serving while the receiver
// is down is reported as a data gap, once, and holds nothing up.
func TestOpenFileExpires(t *testing.T) {
	start := time.Now().UTC().Truncate(time.Second)
	now, setNow := serverClock(start)
	w := newWorld(t, fakeapi.Options{Now: now}, func(cfg *Config) { cfg.Batch.MaxRecords = 1 })
	release := w.heldAfterFirst()
	open := w.api.Add("AUTH_LOG", start.Add(-time.Hour), authLine("a"), authLine("b"), authLine("c"))
	w.start()
	w.awaitLog(batchRetried)
	w.stop()
	stored := w.snapshot(streamKey)
	require.Len(t, stored.Open, 1)
	require.Equal(t, open.ID, stored.Open[0].File.ID)

	release()
	back := start.Add(45 * 24 * time.Hour)
	setNow(back)
	w.api.Add("AUTH_LOG", back.Add(-time.Hour), authLine("new"))
	for range 2 {
		w.start()
		require.Eventually(t, func() bool {
			return w.counts()["new"] == 1 && points(t, w.tel, "files")["AUTH_LOG expired"] == 1
		}, 20*time.Second, 5*time.Millisecond)
		w.awaitPasses(3)
		w.stop()
	}
	expired := 0
	for _, gap := range w.records("openai.compliance.gap") {
		if gap["openai.compliance.file.id"] == open.ID {
			assert.Equal(t, "file_expired", gap["openai.compliance.gap.reason"])
			expired++
		}
	}
	assert.Equal(t, 1, expired)
	stored = w.snapshot(streamKey)
	assert.Empty(t, stored.Open)
	assert.Empty(t, stored.Queue)
	assert.Equal(t, 1, w.counts()["a"])
	assert.Zero(t, w.counts()["b"])
}

// A file whose bytes change while it is delivered in part is delivered again from its
// first line; events that are known are left out.
func TestFileChangesDuringDelivery(t *testing.T) {
	w := newWorld(t, fakeapi.Options{}, func(cfg *Config) { cfg.Batch.MaxRecords = 1 })
	release := w.heldAfterFirst()
	at := recent(time.Hour)
	file := w.api.Add("AUTH_LOG", at, authLine("a"), authLine("b"))
	w.start()
	w.awaitLog(batchRetried)
	w.stop()

	changed := fakeapi.New(fakeapi.Options{}).Add("AUTH_LOG", at, authLine("first"), authLine("a"), authLine("b"))
	file.Content, file.Size, file.SHA256, file.EventIDs = changed.Content, changed.Size, changed.SHA256, changed.EventIDs
	release()
	w.start()
	entry := w.awaitLog("file changed during delivery, restarting it")
	assert.Equal(t, file.ID, entry.ContextMap()["file_id"])
	w.awaitExact()
}

// An outage longer than the API remembers is reported once, with its bounds, by a
// log line, the metric and a record among the records; a quiet type whose polls
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
	gaps := 0
	for range 2 {
		w.start()
		require.Eventually(t, func() bool { return w.counts()["new"] == 1 }, 20*time.Second, time.Millisecond)
		w.awaitPasses(3)
		w.stop()
		gaps += w.logs.FilterMessage("data gap: files expired before they were listed").Len()
	}
	assert.Equal(t, 1, gaps)
	records := w.records("openai.compliance.gap")
	require.Len(t, records, 1)
	assert.Equal(t, last.Format(time.RFC3339), records[0]["openai.compliance.gap.from"])
	assert.Equal(t, back.Add(-30*24*time.Hour).Format(time.RFC3339), records[0]["openai.compliance.gap.to"])
	assert.Equal(t, "retention", records[0]["openai.compliance.gap.reason"])
	assert.Equal(t, 1, w.counts()[seen.EventIDs[0]])
	assert.Equal(t, map[string]float64{"AUTH_LOG": 1}, points(t, w.tel, "data_gaps"))
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
			want := fakeapi.Expected(w.api.Files(""))
			require.Eventually(t, func() bool { return len(w.counts()) >= len(want) }, 20*time.Second, 5*time.Millisecond)
			w.stop()
			w.start() // a limit that a 429 has taught ends with the process
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
	denied := w.awaitFirstPolls(2)["AUDIT_LOG"].ContextMap()
	assert.Equal(t, "forbidden", denied["state"])
	assert.Contains(t, denied["hint"], "chatgpt.enterprise.compliance_logs_platform.audit_log.read")
	assert.Empty(t, w.status.kinds())
}

// The API is asked once with a key that it denies, by one type for all at a first run and
// by each that already asks otherwise; that degrades the component, and a new key in the
// file ends the wait at once, however long poll_interval is.
func TestStreamDeniedKeyAndRotation(t *testing.T) {
	keyFile := filepath.Join(t.TempDir(), "key")
	write := func(key string) { require.NoError(t, os.WriteFile(keyFile, []byte(key+"\n"), 0o600)) }
	w := newWorld(t, fakeapi.Options{}, func(cfg *Config) {
		cfg.APIKey, cfg.APIKeyFile = "", keyFile
		cfg.EventTypes = []string{"AUTH_LOG", "AUDIT_LOG"}
		cfg.PollInterval = time.Hour
	})
	for i, name := range []string{"first run", "later"} {
		mayAsk := []int{1, len(w.cfg.EventTypes)}[i]
		for _, eventType := range w.cfg.EventTypes {
			w.api.Add(eventType, recent(time.Duration(2-i)*time.Hour), authLine(eventType+name))
		}
		write("sk-admin-old")
		asked, statuses := w.listRequests(), len(w.status.kinds())
		w.start()
		for eventType, line := range w.awaitFirstPolls(2) {
			assert.Equal(t, "unauthorized", line.ContextMap()["state"], eventType)
			assert.Contains(t, line.ContextMap()["hint"], "the API denies the key", eventType)
		}
		assert.LessOrEqual(t, w.listRequests(), asked+mayAsk, name)
		require.Eventually(t, func() bool { return len(w.status.kinds()) > statuses }, 20*time.Second, 5*time.Millisecond)
		assert.Equal(t, []componentstatus.Status{componentstatus.StatusRecoverableError}, w.status.kinds()[statuses:])

		write(fakeapi.DefaultKey)
		want := fakeapi.Expected(w.api.Files(""))
		require.Eventually(t, func() bool { return len(w.counts()) == len(want) }, 20*time.Second, 5*time.Millisecond)
		assert.Equal(t, want, w.counts())
		w.stop()
	}
}

// However often a type is due, the API is not asked again with a key that it denies.
func TestStreamDeniedKeyIsAskedOnce(t *testing.T) {
	w := newWorld(t, fakeapi.Options{}, func(cfg *Config) {
		cfg.APIKey = "sk-admin-other"
		cfg.EventTypes = []string{"AUTH_LOG", "AUDIT_LOG"}
	})
	w.start()
	require.Eventually(t, func() bool {
		polls := points(t, w.tel, "polls")
		return polls["AUTH_LOG unauthorized"] > 5 && polls["AUDIT_LOG unauthorized"] > 5
	}, 20*time.Second, 5*time.Millisecond)
	assert.Equal(t, 1, w.listRequests())
}

// While the checkpoint cannot be stored, the stream waits and the component is
// degraded; nothing is delivered twice when storage is back.
func TestStreamWaitsForStorage(t *testing.T) {
	w := newWorld(t, fakeapi.Options{})
	w.start()
	w.awaitPasses(1)
	memory(w).FailSet(errors.New("no space left on device"))
	w.api.Add("AUTH_LOG", recent(time.Hour), authLine("a"))
	w.api.Add("AUTH_LOG", recent(time.Minute), authLine("b"))
	w.awaitLog("failed to save checkpoint, retrying")
	assert.LessOrEqual(t, len(w.counts()), 1)
	assert.Equal(t, []componentstatus.Status{componentstatus.StatusRecoverableError}, w.status.kinds())
	memory(w).FailSet(nil)
	w.awaitExact()
	assert.Equal(t, []componentstatus.Status{componentstatus.StatusRecoverableError, componentstatus.StatusOK}, w.status.kinds())
}

// A consumer that blocks holds one batch of its stream; no further file is
// fetched meanwhile.
func TestStreamBlockedConsumer(t *testing.T) {
	w := newWorld(t, fakeapi.Options{}, func(cfg *Config) { cfg.EventTypes = []string{"AUTH_LOG", "AUDIT_LOG"} })
	release := make(chan struct{})
	entered := make(chan struct{}, 10)
	w.next = consumeFunc(func(ctx context.Context, logs plog.Logs) error {
		entered <- struct{}{}
		<-release
		return w.sink.ConsumeLogs(ctx, logs)
	})
	for i := range 5 {
		w.api.Add("AUTH_LOG", recent(time.Duration(6-i)*time.Hour), authLine(strconv.Itoa(i)))
	}
	w.start()
	<-entered
	w.awaitPasses(10) // of the other type
	assert.Equal(t, 1, w.fetches())
	assert.Empty(t, entered)
	close(release)
	w.awaitExact()
}

// A backend that rejects one type for long does not keep the others from memory:
// the held file gives its share back, and is fetched again and resumed at the
// line after its held batch once the backend recovers.
func TestStreamHeldBatchGivesMemoryBack(t *testing.T) {
	w := newWorld(t, fakeapi.Options{}, func(cfg *Config) {
		cfg.EventTypes = []string{"AUDIT_LOG", "AUTH_LOG"}
		cfg.Batch.MaxRecords = 2
		cfg.Download.MemoryLimit = 1 // one file at a time
	})
	w.times.EvictAfter = 30 * time.Millisecond
	var dead atomic.Bool
	dead.Store(true)
	w.next = consumeFunc(func(ctx context.Context, logs plog.Logs) error {
		eventType, _ := logs.ResourceLogs().At(0).Resource().Attributes().Get("openai.compliance.event.type")
		if dead.Load() && eventType.Str() == "AUDIT_LOG" {
			return errors.New("backend is down")
		}
		return w.sink.ConsumeLogs(ctx, logs)
	})
	held := w.api.Add("AUDIT_LOG", recent(time.Hour), authLine("a"), authLine("b"), authLine("c"), authLine("d"), authLine("e"))
	w.start()
	w.awaitLog(batchRetried)
	auth := w.api.Add("AUTH_LOG", recent(time.Minute), authLine("other"))
	require.Eventually(t, func() bool { return w.counts()["other"] == 1 }, 20*time.Second, 5*time.Millisecond)
	assert.Equal(t, fakeapi.Expected([]*fakeapi.File{auth}), w.counts())
	dead.Store(false)
	w.awaitExact()
	assert.Equal(t, 2, w.downloads(held), "fetched again, since its memory was taken")
}
