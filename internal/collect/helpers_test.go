// Copyright The OpenTelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package collect

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/config/configretry"
	"go.opentelemetry.io/collector/consumer/consumertest"

	"github.com/openaicompliance/openaicompliancereceiver/internal/checkpoint"
	"github.com/openaicompliance/openaicompliancereceiver/internal/compliance"
	"github.com/openaicompliance/openaicompliancereceiver/internal/deliver"
	"github.com/openaicompliance/openaicompliancereceiver/internal/fakeapi"
	"github.com/openaicompliance/openaicompliancereceiver/internal/limit"
	"github.com/openaicompliance/openaicompliancereceiver/internal/testbed"
)

const (
	testEndpoint = "http://127.0.0.1:8080/v1/compliance"
	testStorage  = "http://127.0.0.1:8081"
	testType     = "AUTH_LOG"
)

// newTestAPI serves nothing by itself: its handlers are called without a network, so
// that it works on simulated time.
func newTestAPI() *fakeapi.API { return fakeapi.New(fakeapi.Options{StorageURL: testStorage}) }

// handlerTransport calls a handler. What net/http makes of an aborted handler is an
// error of the request.
type handlerTransport struct{ handler http.Handler }

var errReset = errors.New("connection reset by peer")

// RoundTrip implements http.RoundTripper.
func (h handlerTransport) RoundTrip(r *http.Request) (answer *http.Response, err error) {
	if err := r.Context().Err(); err != nil {
		return nil, err
	}
	defer func() {
		if thrown := recover(); thrown != nil {
			answer, err = nil, errReset
		}
	}()
	recorder := httptest.NewRecorder()
	recorder.Header().Set("Date", time.Now().UTC().Format(http.TimeFormat))
	h.handler.ServeHTTP(recorder, r)
	answer = recorder.Result()
	answer.Request = r
	return answer, nil
}

// newTestDeps serves an API to any number of streams.
func newTestDeps(t *testing.T, api *fakeapi.API) *Deps {
	t.Helper()
	deps := &Deps{
		Lists: limit.NewRate(0), Downloads: limit.NewDownloads(limit.Settings{Memory: 1 << 30, Slots: 8}), Hosts: limit.NewHosts(),
		Clocks: NewClocks(nil), Keys: &KeyGate{}, FirstRun: NewFirstRun(), Contact: NewContact(), Observer: &testObserver{},
		Detach:   context.WithCancel,
		Detached: func() bool { return false },
	}
	deps.API = compliance.NewClient(compliance.Settings{
		Endpoint: testEndpoint, Principal: compliance.Principal{ID: fakeapi.DefaultWorkspace}, Key: compliance.StaticKey(fakeapi.DefaultKey),
		API: &http.Client{Transport: handlerTransport{api.Handler()}}, Signed: handlerTransport{api.StorageHandler()},
		Policy: compliance.PolicyFor(testEndpoint, nil), AllowFetch: deps.Hosts.Check, MaxFileSize: 1 << 20,
		HeaderTimeout: time.Minute, DownloadTimeout: time.Minute, StallTimeout: time.Minute,
	})
	t.Cleanup(deps.Downloads.Close)
	return deps
}

// testSettings have the product's waits.
func testSettings() Settings {
	retry := configretry.NewDefaultBackOffConfig()
	return Settings{
		Polls: PollSettings{Overlap: time.Hour, Next: func(began, _ time.Time) time.Time { return began.Add(5 * time.Minute) }},
		Fetch: FetchSettings{
			Retry: retry, StatusCodes: []int{408, 429, 500, 502, 503, 504}, MaxRetryAfter: 5 * time.Minute, Ahead: 4, MaxFileSize: 1 << 20,
		},
		Batch: BatchSettings{MaxRecords: 100, MaxBytes: 1 << 20, Deduplicate: true},
		Bounds: func(_ checkpoint.FirstRun, now time.Time) (checkpoint.Bounds, error) {
			return checkpoint.Bounds{Floor: now.Add(-24 * time.Hour).Truncate(tick)}, nil
		},
		Times: DefaultTimes(),
	}
}

// newTestStream makes a stream without running it.
func newTestStream(t *testing.T, deps *Deps, set Settings) *Stream {
	t.Helper()
	client, err := testbed.NewStorage().GetClient(t.Context(), component.KindReceiver, component.MustNewID("test"), "")
	require.NoError(t, err)
	first := checkpoint.FirstRun{StartFrom: "-24h", Clock: time.Now()}
	state, err := checkpoint.Create(t.Context(), client, "stream/"+t.Name(), first, checkpoint.Settings{Window: time.Hour, MaxEvents: 1000})
	require.NoError(t, err)
	t.Cleanup(state.Close)
	require.NoError(t, state.FixBounds(t.Context(), checkpoint.Bounds{Floor: time.Now().Add(-24 * time.Hour).Truncate(tick)}))
	return NewStream(StreamID{EventType: testType}, deps, set, state, deliver.NewConsumer(deliver.Settings{Next: consumertest.NewNop(), Obs: noObs{}}))
}

// noObs counts nothing.
type noObs struct{}

func (noObs) StartLogsOp(ctx context.Context) context.Context { return ctx }
func (noObs) EndLogsOp(context.Context, string, int, error)   {}

// testObserver remembers the notes and which requests failed how.
type testObserver struct {
	mu     sync.Mutex // guards what follows
	faults []Fault
	notes  []Note
}

var _ Observer = (*testObserver)(nil)

func (*testObserver) StartPoll(ctx context.Context, _ StreamID) (context.Context, func(PollReport)) {
	return ctx, func(PollReport) {}
}

func (*testObserver) StartFile(ctx context.Context, _ StreamID, _ compliance.File) (context.Context, func(error)) {
	return ctx, func(error) {}
}

func (o *testObserver) RequestFailed(_ StreamID, fault Fault, _ error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.faults = append(o.faults, fault)
}

func (o *testObserver) Note(_ StreamID, note Note) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.notes = append(o.notes, note)
}

func (*testObserver) RequestSent(StreamID)                                              {}
func (*testObserver) RequestSucceeded(StreamID)                                         {}
func (*testObserver) ListWaited(context.Context, time.Duration)                         {}
func (*testObserver) FileDone(context.Context, StreamID, string)                        {}
func (*testObserver) FileRead(context.Context, StreamID, int)                           {}
func (*testObserver) BatchDone(context.Context, StreamID, BatchCounts, deliver.Outcome) {}
func (*testObserver) EventsEvicted(context.Context, StreamID, int)                      {}
func (*testObserver) GapReported(context.Context, StreamID, GapReport)                  {}
func (*testObserver) CheckpointStored(context.Context, StreamID, error, time.Duration)  {}
func (*testObserver) Progress(StreamID, Progress)                                       {}
func (*testObserver) NewestEvent(StreamID, time.Time)                                   {}
func (*testObserver) DigestDelivered(StreamID, int64)                                   {}
func (*testObserver) HeldBy(StreamID, HoldKind, Hold)                                   {}
func (*testObserver) ClockSkew(time.Duration, SkewAlarm)                                {}
func (*testObserver) Ended(StreamID)                                                    {}
