// Copyright The OpenTelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package compliance

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/openaicompliance/openaicompliancereceiver/internal/fakeapi"
)

// drain pages to the end or the first error, and returns the ids in order.
func drain(t *testing.T, pager *Pager) (ids []string, err error) {
	t.Helper()
	for range 1000 {
		page, err := pager.Next(t.Context())
		if errors.Is(err, io.EOF) {
			return ids, nil
		}
		if err != nil {
			return ids, err
		}
		for _, file := range page.Files {
			ids = append(ids, file.ID)
		}
	}
	require.Fail(t, "the listing does not end")
	return nil, nil
}

// export adds a file for each time and returns the ids of all, in order.
func export(api *fakeapi.API, times []time.Time) (ids []string) {
	for _, at := range times {
		api.AddContent("AUTH_LOG", at, nil, nil)
	}
	for _, file := range api.Files("AUTH_LOG") {
		ids = append(ids, file.ID)
	}
	return ids
}

// spread is n times a second apart; ties is n times the same.
func spread(from time.Time, n int) (times []time.Time) {
	for i := range n {
		times = append(times, from.Add(time.Duration(i)*time.Second))
	}
	return times
}

func ties(at time.Time, n int) []time.Time { return slices.Repeat([]time.Time{at}, n) }

var morning = noon.Add(-10 * time.Hour)

// Whatever `after` means to the server, every file comes exactly once and in
// order.
func TestPagerListsEveryFileOnce(t *testing.T) {
	t.Parallel()
	at := morning.Add(time.Hour).Add(481_516 * time.Microsecond)
	tests := map[string]struct {
		limit int
		times []time.Time
	}{
		"nothing":                                  {10, nil},
		"one file":                                 {10, spread(morning, 1)},
		"exactly one page":                         {10, spread(morning, 10)},
		"one file more than a page":                {10, spread(morning, 11)},
		"a backlog of 15 pages":                    {7, spread(morning, 100)},
		"two pages of the real size":               {100, spread(morning, 150)},
		"ties at the end of a page":                {10, slices.Concat(spread(morning, 5), ties(at, 9), spread(at.Add(time.Second), 8))},
		"ties that begin with the last of a page":  {10, slices.Concat(spread(morning, 9), ties(at, 9), spread(at.Add(time.Second), 8))},
		"a page of ties less one, again and again": {10, slices.Concat(ties(at, 9), ties(at.Add(time.Hour), 9), ties(at.Add(2*time.Hour), 9))},
		"files a microsecond apart, with ties":     {10, slices.Concat(ties(at, 4), ties(at.Add(time.Microsecond), 4), ties(at.Add(2*time.Microsecond), 4), ties(at.Add(3*time.Microsecond), 4))},
		"a page of ties less one of the real size": {100, slices.Concat(spread(morning, 60), ties(at, 99), spread(at.Add(time.Second), 60))},
	}
	for name, tt := range tests {
		for _, inclusive := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s, inclusive=%v", name, inclusive), func(t *testing.T) {
				t.Parallel()
				api := newFakeAPI(t, fakeapi.Options{PageLimit: tt.limit, Inclusive: inclusive})
				want := export(api, tt.times)
				got, err := drain(t, newClient(t, api.URL).Pages("AUTH_LOG", morning.Add(-time.Second), time.Time{}))
				require.NoError(t, err)
				assert.Equal(t, want, got)
			})
		}
	}
}

// Random backlogs whose files often share a time, though fewer than a page.
func TestPagerListsRandomBacklogs(t *testing.T) {
	t.Parallel()
	for seed := range uint64(40) {
		rng := rand.New(rand.NewPCG(seed, 1))
		limit := 3 + rng.IntN(8)
		var times []time.Time
		for at := morning; len(times) < 40; at = at.Add(time.Duration(1+rng.IntN(3)) * time.Microsecond) {
			times = append(times, ties(at, 1+rng.IntN(limit/2))...)
		}
		api := newFakeAPI(t, fakeapi.Options{Seed: seed, PageLimit: limit, Inclusive: seed%2 == 0})
		want := export(api, times)
		got, err := drain(t, newClient(t, api.URL).Pages("AUTH_LOG", morning.Add(-time.Second), time.Time{}))
		require.NoError(t, err, "seed %d", seed)
		require.Equal(t, want, got, "seed %d", seed)
	}
}

// Once a listing has ended it stays ended, and nothing more is asked.
func TestPagerStaysAtTheEnd(t *testing.T) {
	t.Parallel()
	api := newFakeAPI(t, fakeapi.Options{})
	pager := newClient(t, api.URL).Pages("AUTH_LOG", morning, time.Time{})
	_, err := drain(t, pager)
	require.NoError(t, err)
	_, err = pager.Next(t.Context())
	require.ErrorIs(t, err, io.EOF)
	assert.Len(t, api.Requests(), 1)
}

// More files of one end_time than a page holds cannot be paged past by time. The
// pager says so; what it must never do is to end as if it had listed all.
func TestPagerNeverSkipsTies(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		limit int
		times []time.Time
	}{
		"pages of the real size":           {PageLimit, slices.Concat(ties(noon.Add(-time.Hour), 105), spread(noon.Add(-time.Minute), 5))},
		"with a file a microsecond before": {PageLimit, slices.Concat(ties(noon.Add(-time.Hour-time.Microsecond), 1), ties(noon.Add(-time.Hour), 105), spread(noon.Add(-time.Minute), 5))},
		"behind other files":               {PageLimit, slices.Concat(spread(morning, 70), ties(noon.Add(-time.Hour), 130))},
		"a server with shorter pages":      {10, slices.Concat(spread(morning, 3), ties(noon.Add(-time.Hour), 15), spread(noon.Add(-time.Minute), 5))},
	}
	for name, tt := range tests {
		for _, inclusive := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s, inclusive=%v", name, inclusive), func(t *testing.T) {
				t.Parallel()
				api := newFakeAPI(t, fakeapi.Options{PageLimit: tt.limit, Inclusive: inclusive})
				all := export(api, tt.times)
				got, err := drain(t, newClient(t, api.URL).Pages("AUTH_LOG", morning.Add(-time.Second), time.Time{}))
				require.Error(t, err, "%d of %d files were listed, and then the end", len(got), len(all))
				requireSafe(t, err)
				if tt.limit == PageLimit {
					require.ErrorIs(t, err, ErrTiesFillPage)
				}
				assert.Equal(t, all[:len(got)], got, "nothing is skipped up to the error")
			})
		}
	}
}

// pageServer answers lists with what page returns, and keeps the texts of `after`.
func pageServer(t *testing.T, page func(n int, after string) string) (c *Client, afters func() []string) {
	t.Helper()
	n := 0
	api := newHost(t, func(w http.ResponseWriter, r *http.Request) {
		n++
		_, _ = io.WriteString(w, page(n, r.URL.Query().Get("after")))
	})
	return newClient(t, api.URL), func() (texts []string) {
		for _, r := range api.seen() {
			texts = append(texts, r.URL.Query().Get("after"))
		}
		return texts
	}
}

// pageOf is a list answer; each file is "id time-of-day".
func pageOf(more bool, last string, files ...string) string {
	var entries []string
	for _, f := range files {
		id, clock, _ := strings.Cut(f, " ")
		entries = append(entries, fmt.Sprintf(`{"id":%q,"event_type":"AUTH_LOG","end_time":"2026-08-01T%sZ","file_size":1,"file_sha256":%q}`, id, clock, goodSHA))
	}
	return fmt.Sprintf(`{"data":[%s],"has_more":%v,"last_end_time":%s}`, strings.Join(entries, ","), more, last)
}

// A page without anything new is asked for once more, from the server's own
// text, and then the listing is given up: three requests.
func TestPagerDoesNotAdvance(t *testing.T) {
	t.Parallel()
	const last = "2026-08-01T12:30:07.481516+00:00" // Go would write it with Z
	c, afters := pageServer(t, func(int, string) string {
		return pageOf(true, `"`+last+`"`, "a 12:30:06", "b 12:30:07.481516")
	})
	got, err := drain(t, c.Pages("AUTH_LOG", morning, time.Time{}))
	require.ErrorIs(t, err, ErrNotAdvancing)
	requireSafe(t, err)
	assert.Equal(t, []string{"a", "b"}, got)
	assert.Equal(t, []string{"2026-08-01T02:00:00Z", "2026-08-01T12:30:07.481515Z", last}, afters())
}

// The second question may bring the listing forward again.
func TestPagerGoesOnAfterAskingVerbatim(t *testing.T) {
	t.Parallel()
	const last = "2026-08-01T12:30:07.481516+00:00"
	c, afters := pageServer(t, func(_ int, after string) string {
		if after == last {
			return pageOf(false, "null", "b 12:30:07.481516", "c 12:30:08")
		}
		return pageOf(true, `"`+last+`"`, "a 12:30:06", "b 12:30:07.481516")
	})
	got, err := drain(t, c.Pages("AUTH_LOG", morning, time.Time{}))
	require.NoError(t, err)
	assert.Equal(t, []string{"a", "b", "c"}, got)
	assert.Len(t, afters(), 3)
}

// Other servers that say has_more and lead nowhere: an error in few requests,
// and every file that was listed is handed over first.
func TestPagerRefusesPagesThatLeadNowhere(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		pages []string // the last one is repeated
		want  []string
		err   error
	}{
		"empty pages, no last_end_time": {[]string{pageOf(true, "null")}, nil, ErrNotAdvancing},
		"empty pages, always the same last_end_time": {
			[]string{pageOf(true, `"2026-08-01T12:00:00Z"`)}, nil, ErrNotAdvancing,
		},
		"last_end_time goes backwards": {
			[]string{pageOf(true, `"2026-08-01T12:00:02Z"`, "a 12:00:02"), pageOf(true, `"2026-08-01T12:00:01Z"`, "b 12:00:01")},
			[]string{"a"},
			ErrNotAdvancing,
		},
		"an old page comes again": {
			[]string{pageOf(true, `"2026-08-01T12:00:01Z"`, "a 12:00:00", "b 12:00:01"), pageOf(true, `"2026-08-01T12:00:03Z"`, "c 12:00:02", "d 12:00:03"), pageOf(true, `"2026-08-01T12:00:01Z"`, "a 12:00:00", "b 12:00:01")},
			[]string{"a", "b", "c", "d"},
			ErrNotAdvancing,
		},
		"last_end_time is no time": {
			[]string{pageOf(true, `"`+canary+`"`, "a 12:00:00")}, nil, &AnswerError{"last_end_time", "is not an RFC 3339 time"},
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c, afters := pageServer(t, func(n int, _ string) string { return tt.pages[min(n, len(tt.pages))-1] })
			got, err := drain(t, c.Pages("AUTH_LOG", morning, time.Time{}))
			requireSafe(t, err)
			require.EqualError(t, err, tt.err.Error())
			assert.Equal(t, tt.want, got)
			assert.LessOrEqual(t, len(afters()), len(tt.pages)+2)
		})
	}
}

// An error of any kind leaves the pager where it stood: the same page is asked
// for again, and its files count as new.
func TestPagerCanBeRetried(t *testing.T) {
	t.Parallel()
	t.Run("refused request", func(t *testing.T) {
		t.Parallel()
		api := newFakeAPI(t, fakeapi.Options{PageLimit: 5})
		want := export(api, spread(morning, 30))
		for i := range 3 {
			api.Script(fakeapi.Fault{Op: "list", Skip: 2 * i, Times: 1, Status: 503})
		}
		pager := newClient(t, api.URL).Pages("AUTH_LOG", morning.Add(-time.Second), time.Time{})
		var got []string
		failures := 0
		for {
			ids, err := drain(t, pager)
			got = append(got, ids...)
			if err == nil {
				break
			}
			assert.Equal(t, 503, requireErrorAs[*StatusError](t, err).Status)
			failures++
		}
		assert.Equal(t, 3, failures)
		assert.Equal(t, want, got)
	})
	t.Run("refused page", func(t *testing.T) {
		t.Parallel()
		c, afters := pageServer(t, func(n int, _ string) string {
			switch n {
			case 1:
				return pageOf(true, `"2026-08-01T12:00:01Z"`, "a 12:00:01")
			case 2:
				return pageOf(true, `"broken"`, "b 12:00:02")
			case 3:
				return pageOf(true, `"2026-08-01T11:00:00Z"`, "b 12:00:02")
			}
			return pageOf(false, "null", "b 12:00:02", "c 12:00:03")
		})
		pager := c.Pages("AUTH_LOG", morning, time.Time{})
		first, err := drain(t, pager)
		requireKind[*AnswerError](t, err)
		_, err = drain(t, pager)
		require.ErrorIs(t, err, ErrNotAdvancing)
		rest, err := drain(t, pager)
		require.NoError(t, err)
		assert.Equal(t, []string{"a", "b", "c"}, append(first, rest...))
		const again = "2026-08-01T12:00:00.999999Z"
		assert.Equal(t, []string{"2026-08-01T02:00:00Z", again, again, again}, afters())
	})
}

// Where the server leaves last_end_time out, the page ends with its last file.
func TestPagerWithoutLastEndTime(t *testing.T) {
	t.Parallel()
	for _, leaveOut := range []func(map[string]any){
		func(answer map[string]any) { answer["last_end_time"] = nil },
		func(answer map[string]any) { delete(answer, "last_end_time") },
	} {
		fake := newFakeAPI(t, fakeapi.Options{PageLimit: 4})
		want := export(fake, slices.Concat(spread(morning, 6), ties(noon.Add(-time.Hour), 3), spread(noon.Add(-time.Minute), 6)))
		server := newHost(t, func(w http.ResponseWriter, r *http.Request) {
			recorder := httptest.NewRecorder()
			fake.Handler().ServeHTTP(recorder, r)
			var answer map[string]any
			assert.NoError(t, json.Unmarshal(recorder.Body.Bytes(), &answer))
			leaveOut(answer)
			assert.NoError(t, json.NewEncoder(w).Encode(answer))
		})
		got, err := drain(t, newClient(t, server.URL+"/v1/compliance").Pages("AUTH_LOG", morning.Add(-time.Second), time.Time{}))
		require.NoError(t, err)
		assert.Equal(t, want, got)
	}
}

// An id that a page holds twice is one file.
func TestPagerDropsAnIDThatComesTwice(t *testing.T) {
	t.Parallel()
	c, _ := pageServer(t, func(int, string) string {
		return pageOf(false, "null", "a 12:00:00", "b 12:00:01", "a 12:00:00", "a 12:00:02")
	})
	got, err := drain(t, c.Pages("AUTH_LOG", morning, time.Time{}))
	require.NoError(t, err)
	assert.Equal(t, []string{"a", "b"}, got)
}
