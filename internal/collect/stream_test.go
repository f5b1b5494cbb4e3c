// Copyright The OpenTelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package collect

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/openaicompliance/openaicompliancereceiver/internal/checkpoint"
	"github.com/openaicompliance/openaicompliancereceiver/internal/deliver"
	"github.com/openaicompliance/openaicompliancereceiver/internal/fakeapi"
	"github.com/openaicompliance/openaicompliancereceiver/internal/limit"
)

// testConsumer counts the records of each call.
type testConsumer struct {
	mu    sync.Mutex // guards what follows
	calls []int
	gaps  []string // reasons of gap records
}

func (*testConsumer) Capabilities() consumer.Capabilities { return consumer.Capabilities{} }

func (c *testConsumer) ConsumeLogs(_ context.Context, logs plog.Logs) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	first := logs.ResourceLogs().At(0).ScopeLogs().At(0).LogRecords().At(0)
	if reason, ok := first.Attributes().Get("openai.compliance.gap.reason"); ok {
		c.gaps = append(c.gaps, reason.Str())
		return nil
	}
	c.calls = append(c.calls, logs.LogRecordCount())
	return nil
}

// withConsumer lets a stream deliver to a consumer that counts.
func withConsumer(s *Stream) *testConsumer {
	c := &testConsumer{}
	s.consumer = deliver.NewConsumer(deliver.Settings{Next: c, Obs: noObs{}})
	return c
}

// TestStoreIsRetried proves that a failed write of the checkpoint is tried again, later
// each time, until it succeeds: going on without it would deliver twice.
func TestStoreIsRetried(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newTestStream(t, newTestDeps(t, newTestAPI()), testSettings())
		var at []time.Time
		err := s.store(t.Context(), func(context.Context) error {
			if at = append(at, time.Now()); len(at) < 5 {
				return errors.New("no space left on device")
			}
			return nil
		})
		require.NoError(t, err)
		require.Len(t, at, 5)
		assert.Greater(t, at[1].Sub(at[0]), 400*time.Millisecond)
		assert.Greater(t, at[4].Sub(at[3]), 3*time.Second)
	})
}

// TestStoreEndsWithTheReceiver proves that a write is still tried once when the receiver
// stops, and then no more.
func TestStoreEndsWithTheReceiver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newTestStream(t, newTestDeps(t, newTestAPI()), testSettings())
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		failed, tries := errors.New("no space left on device"), 0
		err := s.store(ctx, func(context.Context) error { tries++; return failed })
		require.ErrorIs(t, err, failed)
		assert.Equal(t, 1, tries)
	})
}

// fetched is a file of an API on its way to delivery.
func fetched(t *testing.T, s *Stream, file *fakeapi.File) transferJob {
	t.Helper()
	listed := listedFile{File: listedAs(file)}
	d := s.startDownload(t.Context(), listed, limit.Request{Size: file.Size})
	require.NoError(t, d.await(t.Context()))
	t.Cleanup(func() { d.end(nil) })
	return transferJob{file: listed, body: d.body}
}

// TestTransferInBatches proves that the lines of a file go in as few calls as
// batch::max_records allows.
func TestTransferInBatches(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		api := newTestAPI()
		s := newTestStream(t, newTestDeps(t, api), testSettings())
		next := withConsumer(s)
		file := api.AddContent(testType, time.Now().Add(-time.Hour), []byte(strings.Repeat("{\"a\":1}\n", 250)), nil)
		job := fetched(t, s, file)
		require.NoError(t, s.newWorker(deliver.TurnLive).transfer(t.Context(), job))
		assert.Equal(t, []int{100, 100, 50}, next.calls)
		assert.True(t, s.checkpoint.IsCompleted(file.ID))
	})
}

// TestRepetitionWithinABatch proves that an event which a batch holds twice is delivered
// once, and a line without an event id each time.
func TestRepetitionWithinABatch(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		api := newTestAPI()
		s := newTestStream(t, newTestDeps(t, api), testSettings())
		next := withConsumer(s)
		file := api.Add(testType, time.Now().Add(-time.Hour),
			`{"event_id":"a"}`, `{"event_id":"b"}`, `{"event_id":"a"}`, `{"n":1}`, `{"n":1}`, `{"event_id":"a","v":2}`)
		job := fetched(t, s, file)
		require.NoError(t, s.newWorker(deliver.TurnLive).transfer(t.Context(), job))
		assert.Equal(t, []int{5}, next.calls, "one of three lines of a is a repetition, one has other content")
	})
}

// TestRetryOfLinesInBatches proves that rejected lines which are accepted again go in
// few calls: 1, 4, 16, 64 and so on.
func TestRetryOfLinesInBatches(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		api := newTestAPI()
		s := newTestStream(t, newTestDeps(t, api), testSettings())
		next := withConsumer(s)
		file := api.AddContent(testType, time.Now().Add(-time.Hour), []byte(strings.Repeat("{\"a\":1}\n", 200)), nil)
		require.NoError(t, s.queue.deliverLines(t.Context(), fetched(t, s, file), []checkpoint.LineRange{{From: 1, To: 201}}))
		assert.Equal(t, []int{1, 4, 16, 64, 100, 15}, next.calls)
	})
}

// TestExpiryNeedsAListing proves that a queued file whose time is over by our clock is
// given up only when the API does not list it any more.
func TestExpiryNeedsAListing(t *testing.T) {
	for name, tt := range map[string]struct {
		behind time.Duration // of the API's clock: it still lists the file
		gaps   []string
		calls  []int
	}{
		"still listed":       {48 * time.Hour, nil, []int{1}},
		"not listed anymore": {0, []string{"file_expired"}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				api := fakeapi.New(fakeapi.Options{StorageURL: testStorage, Now: func() time.Time { return time.Now().Add(-tt.behind) }})
				s := newTestStream(t, newTestDeps(t, api), testSettings())
				next := withConsumer(s)
				file := api.Add(testType, time.Now().Add(-retention-time.Hour), `{"event_id":"a"}`)
				entry := checkpoint.QueuedFile{File: refOf(listedAs(file)), NextLine: 1, Reason: "404", Cause: "404"}
				require.NoError(t, s.checkpoint.EnqueueAndPass(t.Context(), entry))
				s.queue.try(t.Context(), entry)
				assert.Equal(t, tt.gaps, next.gaps)
				assert.Equal(t, tt.calls, next.calls)
				assert.Empty(t, s.checkpoint.Queue())
			})
		})
	}
}

// TestClaims proves that a file belongs to one worker at a time, until it is released.
func TestClaims(t *testing.T) {
	c := newClaims()
	assert.True(t, c.take("a", deliver.TurnLive))
	assert.True(t, c.take("a", deliver.TurnLive), "its own")
	assert.False(t, c.take("a", deliver.TurnHistory))
	assert.True(t, c.take("b", deliver.TurnHistory))
	c.releaseAll(deliver.TurnLive)
	assert.True(t, c.take("a", deliver.TurnRetry))
	assert.False(t, c.take("b", deliver.TurnRetry))
	c.release("b")
	assert.True(t, c.take("b", deliver.TurnLive))
}
