// Copyright The OpenTelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package collect

import (
	"context"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/openaicompliance/openaicompliancereceiver/internal/checkpoint"
	"github.com/openaicompliance/openaicompliancereceiver/internal/compliance"
	"github.com/openaicompliance/openaicompliancereceiver/internal/fakeapi"
)

// pages of the stream's type, from a day ago on.
func (s *Stream) testPages() *compliance.Pager {
	return s.deps.API.Pages(s.id.EventType, time.Now().Add(-24*time.Hour), time.Time{}, nil)
}

// requestsOf counts the requests of an operation.
func requestsOf(api *fakeapi.API, host string, list bool) (n int) {
	for _, request := range api.Requests() {
		if request.Host == host && (request.Query != "") == (list || host == "storage") {
			n++
		}
	}
	return n
}

// A server's Retry-After holds back every stream at that endpoint, a shorter one
// later does not cut it short, and it is bounded by max_retry_after.
func TestRetryAfterPausesAllStreams(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		api := newTestAPI()
		deps, set := newTestDeps(t, api), testSettings()
		asking, other := newTestStream(t, deps, set), newTestStream(t, deps, set)
		retryAfter := func(text string) fakeapi.Fault {
			return fakeapi.Fault{Op: "list", Times: 1, Status: 429, Header: map[string]string{"Retry-After": text}}
		}
		api.Script(retryAfter("40"))
		began := time.Now()
		waited := make(chan time.Duration, 1)
		go func() { // another stream, after the first answer
			time.Sleep(time.Second)
			if _, err := other.requestPage(t.Context(), other.testPages()); err == nil {
				waited <- time.Since(began)
			}
		}()
		_, err := asking.requestPage(t.Context(), asking.testPages())
		require.NoError(t, err)
		assert.GreaterOrEqual(t, time.Since(began), 40*time.Second)
		assert.GreaterOrEqual(t, <-waited, 40*time.Second)

		deps.Lists.Pause(time.Minute)
		asking.pauseRequests(Fault{Pause: Pause{For: time.Second, Op: compliance.OperationList}}, 0)
		assert.Equal(t, time.Minute, deps.Lists.PausedFor())
		time.Sleep(time.Minute)

		api.ClearScript()
		api.Script(retryAfter("999999999999999"))
		began = time.Now()
		_, err = asking.requestPage(t.Context(), asking.testPages())
		require.NoError(t, err)
		assert.Equal(t, set.Fetch.MaxRetryAfter, time.Since(began))
	})
}

// A 429 of the download route keeps every stream's downloads back and no listing; one
// of a storage host keeps that host back and nothing else.
func TestRetryAfterPausesOneRoute(t *testing.T) {
	for op, wantHost := range map[string]string{"download": "", "fetch": "127.0.0.1"} {
		t.Run(op, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				api := newTestAPI()
				deps := newTestDeps(t, api)
				s := newTestStream(t, deps, testSettings())
				file := api.Add(testType, time.Now().Add(-time.Hour), `{"event_id":"a"}`)
				api.Script(fakeapi.Fault{Op: op, Times: 1, Status: 429, Header: map[string]string{"Retry-After": "40"}})
				began := time.Now()
				body, err := s.fetchInPoll(t, file)
				require.NoError(t, err)
				body.release()
				assert.GreaterOrEqual(t, time.Since(began), 40*time.Second)
				assert.Zero(t, deps.Lists.PausedFor())

				s.pauseRequests(Fault{Pause: Pause{For: time.Minute, Op: compliance.Operation(op), Host: wantHost}}, 0)
				if wantHost == "" {
					require.NoError(t, deps.Hosts.Check("127.0.0.1"))
				} else {
					require.Error(t, deps.Hosts.Check("127.0.0.1"))
				}
				require.NoError(t, deps.Hosts.Check("storage.example"))
			})
		})
	}
}

// What a storage host asks for keeps no download of another host waiting, and no
// listing: a file there comes at once.
func TestHostPauseIsForOneHost(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		api := newTestAPI()
		s := newTestStream(t, newTestDeps(t, api), testSettings())
		file := api.Add(testType, time.Now().Add(-time.Hour), `{"event_id":"a"}`)
		for _, limited := range []bool{false, true} {
			s.pauseRequests(Fault{Pause: Pause{For: time.Minute, Op: compliance.OperationFetch, Host: "storage.example", Limited: limited}}, time.Minute)
			require.Error(t, s.deps.Hosts.Check("storage.example"))
			ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
			defer cancel()
			began := time.Now()
			body, err := s.fetchWith(ctx, s.newPrefetcher(checkpoint.Live), file)
			require.NoError(t, err)
			body.release()
			assert.Zero(t, time.Since(began))
			assert.Zero(t, s.deps.Lists.PausedFor())
		}
	})
}

// A 429 pauses also where api_retry allows no further try in the poll: the route is
// left alone for max_interval.
func TestRateLimitAlwaysPauses(t *testing.T) {
	for name, change := range map[string]func(*Settings){
		"disabled":         func(set *Settings) { set.Fetch.Retry.Enabled = false },
		"max_elapsed_time": func(set *Settings) { set.Fetch.Retry.MaxElapsedTime = time.Nanosecond },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				api, set := newTestAPI(), testSettings()
				change(&set)
				s := newTestStream(t, newTestDeps(t, api), set)
				file := api.Add(testType, time.Now().Add(-time.Hour), `{"event_id":"a"}`)
				api.Script(fakeapi.Fault{Op: "list", Status: 429, Times: 1}, fakeapi.Fault{Op: "download", Status: 429, Times: 3})
				_, err := s.requestPage(t.Context(), s.testPages())
				require.Error(t, err)
				assert.Equal(t, set.Fetch.Retry.MaxInterval, s.deps.Lists.PausedFor())

				began := time.Now()
				body, err := s.fetchInPoll(t, file)
				require.NoError(t, err)
				body.release()
				assert.GreaterOrEqual(t, time.Since(began), 3*set.Fetch.Retry.MaxInterval)
			})
		})
	}
}

// fetchInPoll fetches a listed file as a poll does, with its tries.
func (s *Stream) fetchInPoll(t *testing.T, file *fakeapi.File) (*body, error) {
	t.Helper()
	return s.fetchWith(t.Context(), s.newPrefetcher(checkpoint.Live), file)
}

func (*Stream) fetchWith(ctx context.Context, p *prefetcher, file *fakeapi.File) (*body, error) {
	defer p.cancelAll()
	p.load([]listedFile{{File: listedAs(file)}})
	return p.next(ctx)
}

// listedAs is a file as the API lists it.
func listedAs(file *fakeapi.File) compliance.File {
	return compliance.File{ID: file.ID, Name: file.Name, Size: file.Size, SHA256: file.SHA256, EndTime: file.EndTime}
}

// What is tried again within a poll, and what waits for the next one or for the retry
// queue.
func TestRequesterDecides(t *testing.T) {
	cut := 3
	for name, tt := range map[string]struct {
		fault fakeapi.Fault
		tries int
	}{
		"429":             {fakeapi.Fault{Op: "list", Status: 429}, 20},
		"503":             {fakeapi.Fault{Op: "list", Status: 503}, 20},
		"network":         {fakeapi.Fault{Op: "list", Reset: true}, 20},
		"401":             {fakeapi.Fault{Op: "list", Status: 401}, 1},
		"403":             {fakeapi.Fault{Op: "list", Status: 403}, 1},
		"400":             {fakeapi.Fault{Op: "list", Status: 400}, 1},
		"404":             {fakeapi.Fault{Op: "list", Status: 404}, 1},
		"a broken answer": {fakeapi.Fault{Op: "list", Status: 200, Body: "<html>"}, 1},

		"429 of a download":       {fakeapi.Fault{Op: "download", Status: 429}, 20},
		"503 of a download":       {fakeapi.Fault{Op: "download", Status: 503}, 3},
		"network of a download":   {fakeapi.Fault{Op: "download", Reset: true}, 3},
		"401 of a download":       {fakeapi.Fault{Op: "download", Status: 401}, 1},
		"403 of a download":       {fakeapi.Fault{Op: "download", Status: 403}, 1},
		"404 of a file":           {fakeapi.Fault{Op: "download", Status: 404}, 1},
		"a refused redirect":      {fakeapi.Fault{Op: "download", Status: 307, Header: map[string]string{"Location": "ftp://127.0.0.1/"}}, 1},
		"403 of the signed host":  {fakeapi.Fault{Op: "fetch", Status: 403}, 3},
		"500 of the signed host":  {fakeapi.Fault{Op: "fetch", Status: 500}, 3},
		"404 of the signed host":  {fakeapi.Fault{Op: "fetch", Status: 404}, 1},
		"bytes that do not match": {fakeapi.Fault{Op: "fetch", Corrupt: true}, 1},
		"bytes that are too many": {fakeapi.Fault{Op: "fetch", Extra: "x"}, 1},
		"a body that is cut":      {fakeapi.Fault{Op: "fetch", Truncate: &cut}, 3},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				api, set := newTestAPI(), testSettings()
				set.Fetch.Retry.MaxElapsedTime = 0
				s := newTestStream(t, newTestDeps(t, api), set)
				file := api.Add(testType, time.Now().Add(-time.Hour), `{"event_id":"a"}`)
				tt.fault.Times = 19
				api.Script(tt.fault)
				var err error
				got := 0
				if tt.fault.Op == "list" {
					_, err = s.requestPage(t.Context(), s.testPages())
					got = requestsOf(api, "api", true)
				} else {
					var fetched *body
					if fetched, err = s.fetchInPoll(t, file); err == nil {
						fetched.release()
					}
					got = requestsOf(api, "api", false)
				}
				assert.Equal(t, tt.tries, got)
				assert.Equal(t, tt.tries < 20, err != nil, fmt.Sprint(err))
				assert.Len(t, s.deps.Observer.(*testObserver).faults, min(got, 19), "each failure is reported")
			})
		})
	}
}

// The tries end when max_elapsed_time is over, when retries are disabled and when
// the context ends, which cuts a long wait short.
func TestRequesterEnds(t *testing.T) {
	run := func(t *testing.T, test func(t *testing.T, api *fakeapi.API, s *Stream), change func(*Settings)) {
		t.Helper()
		synctest.Test(t, func(t *testing.T) {
			api, set := newTestAPI(), testSettings()
			change(&set)
			api.Script(fakeapi.Fault{Op: "list", Reset: true}, fakeapi.Fault{Op: "download", Status: 429})
			test(t, api, newTestStream(t, newTestDeps(t, api), set))
		})
	}
	t.Run("max_elapsed_time", func(t *testing.T) {
		run(t, func(t *testing.T, _ *fakeapi.API, s *Stream) {
			t.Helper()
			began := time.Now()
			_, err := s.requestPage(t.Context(), s.testPages())
			require.Error(t, err)
			assert.LessOrEqual(t, time.Since(began), 5*time.Minute)
			assert.Greater(t, time.Since(began), 4*time.Minute)
		}, func(set *Settings) { set.Fetch.Retry.MaxElapsedTime = 5 * time.Minute })
	})
	t.Run("disabled", func(t *testing.T) {
		run(t, func(t *testing.T, api *fakeapi.API, s *Stream) {
			t.Helper()
			_, err := s.requestPage(t.Context(), s.testPages())
			require.Error(t, err)
			assert.Equal(t, 1, requestsOf(api, "api", true))
		}, func(set *Settings) { set.Fetch.Retry.Enabled = false })
	})
	t.Run("context", func(t *testing.T) {
		run(t, func(t *testing.T, _ *fakeapi.API, s *Stream) {
			t.Helper()
			s.deps.Lists.Pause(time.Hour)
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			defer cancel()
			_, err := s.requestPage(ctx, s.testPages())
			require.ErrorIs(t, err, context.DeadlineExceeded)
		}, func(*Settings) {})
	})
	t.Run("context of a download", func(t *testing.T) {
		run(t, func(t *testing.T, api *fakeapi.API, s *Stream) {
			t.Helper()
			file := api.Add(testType, time.Now().Add(-time.Hour), `{"event_id":"a"}`)
			ctx, cancel := context.WithTimeout(t.Context(), 20*time.Minute)
			defer cancel()
			_, err := s.fetchWith(ctx, s.newPrefetcher(checkpoint.Live), file)
			require.ErrorIs(t, err, context.DeadlineExceeded)
		}, func(*Settings) {})
	})
}
