// Copyright The OpenTelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package sim

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/consumer/consumertest"
	"go.opentelemetry.io/collector/receiver/receivertest"

	openaicompliancereceiver "github.com/openaicompliance/openaicompliancereceiver"
	"github.com/openaicompliance/openaicompliancereceiver/internal/fakeapi"
	"github.com/openaicompliance/openaicompliancereceiver/internal/testbed"
	"github.com/openaicompliance/openaicompliancereceiver/receiver"
)

// A backlog and the limit that it is fetched under.
const (
	drainFiles  = 1020 // the last window of either limit is about half full
	drainWindow = time.Minute
	drainHop    = 200 * time.Millisecond // a request and its answer, on average
	// drainLearning is the time in which a limit is learned.
	drainLearning = 4 * time.Minute
	// drainLearned bounds what is refused in drainLearning: a limit of 100 is lowered
	// when 80 downloads have begun in a minute, of which a server that allows 50
	// refuses 30, and then with the four in flight in each of three more minutes.
	drainLearned = 30 + 3*4
)

// drainIdeal is the shortest time that a limit allows: all windows but the last one
// in full, and the list, the download and the signed fetch of the last file.
func drainIdeal(limit int) time.Duration {
	windows := (drainFiles + limit - 1) / limit
	return time.Duration(windows-1)*drainWindow + 3*drainHop
}

// With the default settings a backlog comes in 1.05 times the ideal, and no more
// than 2 % of the downloads are refused beside those that taught the limit, whether the server allows what it publishes or half of that, whichever
// way it counts, and whether answers take as long as each other or not. A sequential
// downloader that waits a minute when it is refused takes longer.
func TestDrain(t *testing.T) {
	for _, limit := range []int{100, 50} {
		for _, types := range []int{1, 9} {
			for name, limiter := range limiters {
				for _, jitter := range []time.Duration{0, 150 * time.Millisecond} {
					t.Run(fmt.Sprintf("limit=%d/%s/types=%d/jitter=%s", limit, name, types, jitter), func(t *testing.T) {
						synctest.Test(t, func(t *testing.T) {
							d := newDrain(t, types, limiter(limit), jitter)
							took := d.collect(t)
							refused := float64(d.refused-d.learned) / float64(d.asked)
							t.Logf("%.1f s, %.3f of the ideal %.1f s, %d of %d downloads refused, %d of them before the limit was learned",
								took.Seconds(), took.Seconds()/drainIdeal(limit).Seconds(), drainIdeal(limit).Seconds(), d.refused, d.asked, d.learned)
							assert.LessOrEqual(t, took, drainIdeal(limit)*105/100)
							assert.LessOrEqual(t, refused, 0.02)
							assert.LessOrEqual(t, d.learned, drainLearned)
						})
						synctest.Test(t, func(t *testing.T) {
							d := newDrain(t, types, limiter(limit), jitter)
							took := d.oneByOne(t)
							t.Logf("sequential: %.1f s, %.3f of the ideal, %d of %d downloads refused",
								took.Seconds(), took.Seconds()/drainIdeal(limit).Seconds(), d.refused, d.asked)
							if name == "sliding window" { // its minutes cannot fall together with the server's
								assert.Greater(t, took, drainIdeal(limit)*105/100)
							}
						})
					})
				}
			}
		}
	}
}

// drain is an API with a limit and a backlog.
type drain struct {
	api    *fakeapi.API
	net    *network
	types  []string
	allow  func(now time.Time) (wait time.Duration)
	jitter time.Duration
	began  time.Time

	mu                      sync.Mutex // guards everything below
	rng                     *rand.Rand
	asked, refused, learned int // learned: refused within drainLearning
}

func newDrain(t *testing.T, types int, allow func(time.Time) time.Duration, jitter time.Duration) *drain {
	t.Helper()
	time.Sleep(time.Until(simulatedStart))
	d := &drain{
		api: fakeapi.New(fakeapi.Options{StorageURL: "http://" + storageHost}), net: newNetwork(), types: fakeapi.EventTypes(false)[:types],
		allow: allow, jitter: jitter, began: time.Now(), rng: rand.New(rand.NewPCG(1, 1)),
	}
	for i := range drainFiles {
		d.api.Add(d.types[i%types], time.Now().Add(-10*time.Hour+time.Duration(i)*30*time.Second), fmt.Sprintf(`{"event_id":"%d"}`, i))
	}
	d.net.serve(apiHost, d.limited(d.api.Handler()))
	d.net.serve(proxyHost, d.slow(d.api.StorageHandler()))
	t.Cleanup(func() {
		d.net.close()
		time.Sleep(time.Second) // for the handlers that are still at it
	})
	return d
}

// way is how long a request or an answer takes.
func (d *drain) way() time.Duration {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.jitter == 0 {
		return drainHop / 2
	}
	return drainHop/2 + time.Duration(d.rng.Int64N(int64(d.jitter))) - d.jitter/2
}

func (d *drain) slow(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		time.Sleep(d.way())
		defer func() { time.Sleep(d.way()) }() // nothing is flushed before
		next.ServeHTTP(w, r)
	})
}

// limited counts downloads when they arrive.
func (d *drain) limited(next http.Handler) http.Handler {
	return d.slow(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !strings.HasSuffix(r.URL.Path, "/logs") && !strings.HasSuffix(r.URL.Path, "/max_event_time") {
			if pause := d.admit(); pause > 0 {
				w.Header().Set("Retry-After", strconv.Itoa(int((pause+time.Second-1)/time.Second)))
				w.WriteHeader(http.StatusTooManyRequests)
				return
			}
		}
		next.ServeHTTP(w, r)
	}))
}

// admit returns how long to wait, 0 for a request that is served.
func (d *drain) admit() time.Duration {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.asked++
	pause := d.allow(time.Now())
	if pause > 0 {
		d.refused++
		if time.Since(d.began) < drainLearning {
			d.learned++
		}
	}
	return pause
}

// collect runs the receiver until every record has come.
func (d *drain) collect(t *testing.T) time.Duration {
	t.Helper()
	cfg := baseConfig()
	cfg.EventTypes, cfg.InitialDelay = d.types, 0
	require.NoError(t, cfg.Validate())
	set := receivertest.NewNopSettings(openaicompliancereceiver.NewFactory().Type())
	next := new(consumertest.LogsSink)
	r, err := receiver.New(set, cfg, next, receiver.WithTransport(d.net.configure))
	require.NoError(t, err)
	began := time.Now()
	require.NoError(t, r.Start(context.Background(), drainHost{storageID: testbed.NewStorage()}))
	for next.LogRecordCount() < drainFiles && time.Since(began) < time.Hour {
		time.Sleep(10 * time.Millisecond)
	}
	took := time.Since(began)
	assert.Equal(t, drainFiles, next.LogRecordCount())
	require.NoError(t, r.Shutdown(context.Background()))
	return took
}

// oneByOne downloads one file after the other, as the quickstart script does. The
// script ends when it is refused; this waits for a minute and goes on.
func (d *drain) oneByOne(t *testing.T) time.Duration {
	t.Helper()
	client := &http.Client{
		Transport: &http.Transport{DialContext: d.net.dial},
		CheckRedirect: func(r *http.Request, _ []*http.Request) error {
			r.Header.Del("Authorization")
			return nil
		},
	}
	defer client.CloseIdleConnections()
	get := func(url string) *http.Response {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, http.NoBody)
		require.NoError(t, err)
		req.Header.Set("Authorization", "Bearer "+fakeapi.DefaultKey)
		resp, err := client.Do(req)
		require.NoError(t, err)
		return resp
	}
	d.net.serve(storageHost, d.slow(d.api.StorageHandler()))
	base := "http://" + apiHost + "/v1/compliance/workspaces/" + fakeapi.DefaultWorkspace + "/logs"
	began := time.Now()
	for _, eventType := range d.types {
		for after, more := began.Add(-24*time.Hour).UTC().Format(time.RFC3339Nano), true; more; {
			var page struct {
				Data []struct {
					ID string `json:"id"`
				} `json:"data"`
				HasMore bool   `json:"has_more"`
				Last    string `json:"last_end_time"`
			}
			resp := get(base + "?event_type=" + eventType + "&after=" + after)
			require.NoError(t, json.NewDecoder(resp.Body).Decode(&page))
			resp.Body.Close()
			for _, file := range page.Data {
				for {
					resp := get(base + "/" + file.ID)
					resp.Body.Close()
					if resp.StatusCode == http.StatusOK {
						break
					}
					require.Equal(t, http.StatusTooManyRequests, resp.StatusCode)
					time.Sleep(drainWindow)
				}
			}
			after, more = page.Last, page.HasMore
		}
	}
	return time.Since(began)
}

type drainHost map[component.ID]component.Component

// GetExtensions implements component.Host.
func (h drainHost) GetExtensions() map[component.ID]component.Component { return h }

// limiters are three ways to allow some requests in drainWindow. Each says how long
// to wait, 0 for a request that it allows.
var limiters = map[string]func(limit int) func(time.Time) time.Duration{
	"fixed window": func(limit int) func(time.Time) time.Duration {
		var window time.Time
		count := 0
		return func(now time.Time) time.Duration {
			if start := now.Truncate(drainWindow); !start.Equal(window) {
				window, count = start, 0
			}
			if count++; count <= limit {
				return 0
			}
			return window.Add(drainWindow).Sub(now)
		}
	},
	"sliding window": func(limit int) func(time.Time) time.Duration {
		var taken []time.Time
		return func(now time.Time) time.Duration {
			for len(taken) > 0 && now.Sub(taken[0]) >= drainWindow {
				taken = taken[1:]
			}
			if len(taken) >= limit {
				return drainWindow - now.Sub(taken[0])
			}
			taken = append(taken, now)
			return 0
		}
	},
	"token bucket": func(limit int) func(time.Time) time.Duration {
		tokens, last := float64(limit), time.Time{}
		return func(now time.Time) time.Duration {
			perSecond := float64(limit) / drainWindow.Seconds()
			if !last.IsZero() {
				tokens = min(float64(limit), tokens+perSecond*now.Sub(last).Seconds())
			}
			last = now
			if tokens < 1 {
				return time.Duration((1 - tokens) / perSecond * float64(time.Second))
			}
			tokens--
			return 0
		}
	},
}
