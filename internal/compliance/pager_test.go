// Copyright The OpenTelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package compliance

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
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
		for _, file := range page.Entries {
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
				got, err := drain(t, newClient(t, api.URL).Pages("AUTH_LOG", morning.Add(-time.Second), time.Time{}, nil))
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
		got, err := drain(t, newClient(t, api.URL).Pages("AUTH_LOG", morning.Add(-time.Second), time.Time{}, nil))
		require.NoError(t, err, "seed %d", seed)
		require.Equal(t, want, got, "seed %d", seed)
	}
}

// Once a listing has ended it stays ended, and nothing more is asked.
func TestPagerStaysAtTheEnd(t *testing.T) {
	t.Parallel()
	api := newFakeAPI(t, fakeapi.Options{})
	pager := newClient(t, api.URL).Pages("AUTH_LOG", morning, time.Time{}, nil)
	_, err := drain(t, pager)
	require.NoError(t, err)
	_, err = pager.Next(t.Context())
	require.ErrorIs(t, err, io.EOF)
	assert.Len(t, api.Requests(), 1)
}

// simulated is a server in memory, and the ways in which it may lie.
type simulated struct {
	entries   []Entry // in ascending EndTime
	inclusive bool
	limit     int
	// hasMore and lastEndTime, if set, change what the n-th answer says (from 1).
	hasMore     func(n int, honest bool) bool
	lastEndTime func(n int, page []Entry, honest string) string

	asked []string // the texts of after
}

func (s *simulated) list(_ context.Context, r listRange) (Page, error) {
	s.asked = append(s.asked, r.after)
	after, ok := parseTime(r.after)
	if !ok {
		return Page{}, errors.New("after is no time")
	}
	before, bounded := parseTime(r.before)
	var page []Entry
	more := false
	for _, entry := range s.entries {
		in := entry.EndTime.After(after) || (s.inclusive && entry.EndTime.Equal(after))
		if !in || (bounded && !entry.EndTime.Before(before)) {
			continue
		}
		if len(page) == s.limit {
			more = true
			break
		}
		page = append(page, entry)
	}
	n, last := len(s.asked), ""
	if len(page) > 0 {
		last = timeText(page[len(page)-1].EndTime)
	}
	if s.hasMore != nil {
		more = s.hasMore(n, more)
	}
	if s.lastEndTime != nil {
		last = s.lastEndTime(n, page, last)
	}
	return Page{Entries: slices.Clone(page), Listed: len(page), HasMore: more, LastEndTime: last}, nil
}

// pager lists the server from before its first entry.
func (s *simulated) pager(sound func(time.Time) bool) *Pager {
	pager := (&Client{}).Pages("AUTH_LOG", morning.Add(-time.Second), time.Time{}, sound)
	pager.list = s.list
	return pager
}

func entriesAt(times []time.Time) (entries []Entry, ids []string) {
	for i, at := range times {
		id := fmt.Sprintf("f%d", i)
		entries = append(entries, Entry{File: File{ID: id, EndTime: at}})
		ids = append(ids, id)
	}
	return entries, ids
}

// both runs a test against servers that count after in and such that do not.
func both(t *testing.T, test func(t *testing.T, inclusive bool)) {
	t.Helper()
	for _, inclusive := range []bool{false, true} {
		t.Run(fmt.Sprintf("inclusive=%v", inclusive), func(t *testing.T) {
			t.Parallel()
			test(t, inclusive)
		})
	}
}

// walk pages to the end or the first error, and returns ids, ties and pages.
func walk(t *testing.T, pager *Pager) (ids []string, ties []time.Time, err error) {
	t.Helper()
	for range 2000 {
		page, err := pager.Next(t.Context())
		if errors.Is(err, io.EOF) {
			return ids, ties, nil
		}
		if err != nil {
			assert.Empty(t, page)
			return ids, ties, err
		}
		for _, entry := range page.Entries {
			ids = append(ids, entry.ID)
		}
		if !page.Ties.IsZero() {
			ties = append(ties, page.Ties)
		}
	}
	require.Fail(t, "the listing does not end")
	return nil, nil, nil
}

// More files of one end_time than a page holds cannot all be listed. The pager says
// so once, lists what can be listed of them, and everything before and after.
func TestPagerNeverSkipsTies(t *testing.T) {
	t.Parallel()
	at := noon.Add(-time.Hour)
	tests := map[string]struct {
		limit, ties int
		before      []time.Time
		after       []time.Time
	}{
		"exactly a page":                 {PageLimit, 100, nil, spread(noon, 5)},
		"exactly a page, at the end":     {PageLimit, 100, spread(morning, 70), nil},
		"250 among others":               {PageLimit, 250, spread(morning, 70), spread(noon, 150)},
		"250 alone":                      {PageLimit, 250, nil, nil},
		"with a file a tick before":      {PageLimit, 250, ties(at.Add(-tick), 1), spread(noon, 5)},
		"with a page a tick before":      {PageLimit, 105, ties(at.Add(-tick), 99), spread(noon, 5)},
		"with files a tick after":        {PageLimit, 105, nil, ties(at.Add(tick), 30)},
		"with files two ticks after":     {PageLimit, 105, nil, slices.Concat(ties(at.Add(2*tick), 99), spread(noon, 120))},
		"a server with shorter pages":    {10, 15, spread(morning, 3), spread(noon, 5)},
		"shorter pages, ties at the end": {10, 15, ties(at.Add(-tick), 1), nil},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			both(t, func(t *testing.T, inclusive bool) {
				t.Helper()
				entries, all := entriesAt(slices.Concat(tt.before, ties(at, tt.ties), tt.after))
				server := &simulated{entries: entries, limit: tt.limit, inclusive: inclusive}
				ids, told, err := walk(t, server.pager(nil))
				require.NoError(t, err)
				assert.Equal(t, []time.Time{at}, told)
				want := slices.Concat(all[:len(tt.before)+tt.limit], all[len(tt.before)+tt.ties:])
				assert.Equal(t, want, ids)
				assert.Less(t, len(server.asked), 12)
			})
		})
	}
}

// Two end_times with too many files are two.
func TestPagerTellsEachTies(t *testing.T) {
	t.Parallel()
	both(t, func(t *testing.T, inclusive bool) {
		t.Helper()
		first, second := noon.Add(-time.Hour), noon.Add(-time.Hour+tick)
		entries, _ := entriesAt(slices.Concat(ties(first, 120), ties(second, 250), spread(noon, 3)))
		server := &simulated{entries: entries, limit: PageLimit, inclusive: inclusive}
		ids, told, err := walk(t, server.pager(nil))
		require.NoError(t, err)
		assert.Equal(t, []time.Time{first, second}, told)
		assert.Len(t, ids, 203)
	})
}

// Less than a page of one end_time is nothing to tell of.
func TestPagerTellsNoTiesOfLess(t *testing.T) {
	t.Parallel()
	both(t, func(t *testing.T, inclusive bool) {
		t.Helper()
		entries, all := entriesAt(slices.Concat(spread(morning, 60), ties(noon.Add(-time.Hour), 99), spread(noon, 60)))
		ids, told, err := walk(t, (&simulated{entries: entries, limit: PageLimit, inclusive: inclusive}).pager(nil))
		require.NoError(t, err)
		assert.Empty(t, told)
		assert.Equal(t, all, ids)
	})
}

// has_more is not trusted: a full page without it is not the end, and where it
// promises more than there is the listing ends or says that it does not advance.
func TestPagerWithLiesAboutMore(t *testing.T) {
	t.Parallel()
	never := func(int, bool) bool { return false }
	always := func(int, bool) bool { return true }
	once := func(n int, honest bool) bool { return honest || n == 3 }
	tests := map[string]struct {
		hasMore func(int, bool) bool
		files   int
		err     error
	}{
		"never, 250 files":        {never, 250, nil},
		"never, a page":           {never, 100, nil},
		"never, two pages":        {never, 199, nil},
		"never, three pages":      {never, 298, nil},
		"never, a file":           {never, 1, nil},
		"never, none":             {never, 0, nil},
		"always, 250 files":       {always, 250, ErrNotAdvancing},
		"always, a page":          {always, 100, ErrNotAdvancing},
		"always, a file":          {always, 1, ErrNotAdvancing},
		"always, none":            {always, 0, ErrNotAdvancing},
		"once on the last page":   {once, 250, nil},
		"once on the empty page":  {once, 100, nil},
		"once on a page in order": {once, 500, nil},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			both(t, func(t *testing.T, inclusive bool) {
				t.Helper()
				entries, all := entriesAt(spread(morning, tt.files))
				server := &simulated{entries: entries, limit: PageLimit, inclusive: inclusive, hasMore: tt.hasMore}
				ids, told, err := walk(t, server.pager(nil))
				require.ErrorIs(t, err, tt.err)
				assert.Equal(t, all, ids)
				assert.Empty(t, told)
				assert.LessOrEqual(t, len(server.asked), tt.files/99+4)
			})
		})
	}
}

// last_end_time is not trusted either: whatever it says, every file is listed.
func TestPagerWithLiesAboutTheEnd(t *testing.T) {
	t.Parallel()
	says := func(text string) func(int, []Entry, string) string {
		return func(int, []Entry, string) string { return text }
	}
	moved := func(by time.Duration) func(int, []Entry, string) string {
		return func(_ int, page []Entry, honest string) string {
			if len(page) == 0 {
				return honest
			}
			return timeText(page[len(page)-1].EndTime.Add(by))
		}
	}
	for name, lie := range map[string]func(int, []Entry, string) string{
		"always empty":           says(""),
		"always garbage":         says(canary),
		"always long ago":        says("1970-01-01T00:00:00Z"),
		"always in year 9999":    says("9999-12-31T23:59:59Z"),
		"always year 10000":      says("9999-12-31T23:59:59-23:59"),
		"always the first file":  says(timeText(morning)),
		"always the 50th file":   says(timeText(morning.Add(50 * time.Second))),
		"an hour late":           moved(time.Hour),
		"an hour early":          moved(-time.Hour),
		"30 seconds early":       moved(-30 * time.Second),
		"a microsecond early":    moved(-tick),
		"the page's first":       func(_ int, page []Entry, _ string) string { return timeText(page[0].EndTime) },
		"what was asked, echoed": func(_ int, page []Entry, _ string) string { return timeText(page[0].EndTime.Add(-time.Second)) },
		"backwards once": func(n int, _ []Entry, honest string) string {
			if n == 2 {
				return timeText(morning.Add(-time.Hour))
			}
			return honest
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			both(t, func(t *testing.T, inclusive bool) {
				t.Helper()
				for _, more := range []func(int, bool) bool{nil, func(int, bool) bool { return false }} {
					entries, all := entriesAt(spread(morning, 550))
					server := &simulated{entries: entries, limit: PageLimit, inclusive: inclusive, lastEndTime: lie, hasMore: more}
					ids, told, err := walk(t, server.pager(nil))
					require.NoError(t, err)
					assert.Equal(t, all, ids)
					assert.Empty(t, told)
					assert.Less(t, len(server.asked), 30)
				}
			})
		})
	}
}

// No page begins at an implausible end_time, of a file or of the page, unless most of
// a page are implausible: then it is the clock that tells so that is wrong.
func TestPagerAndImplausibleTimes(t *testing.T) {
	t.Parallel()
	limit := noon.Add(time.Hour)
	sound := func(at time.Time) bool { return at.Before(limit) }
	far := time.Date(9999, 12, 31, 0, 0, 0, 0, time.UTC)
	tests := map[string][]time.Time{
		"one on the last page":      append(spread(morning, 220), far),
		"one on a full page":        append(spread(morning, 99), far),
		"49 on a page":              slices.Concat(spread(morning, 51), spread(limit, 49), spread(far, 7)),
		"more than half of a page":  slices.Concat(spread(morning, 30), spread(limit, 300)),
		"all of them":               spread(limit, 250),
		"three and no more":         spread(limit, 3),
		"two and no more":           spread(limit, 2),
		"without a readable time":   append(spread(morning, 220), time.Time{}),
		"more than a page of these": slices.Concat(spread(morning, 150), spread(limit, 130), spread(far, 90)),
	}
	for name, times := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			both(t, func(t *testing.T, inclusive bool) {
				t.Helper()
				entries, all := entriesAt(times)
				for _, more := range []func(int, bool) bool{nil, func(int, bool) bool { return false }} {
					server := &simulated{entries: entries, limit: PageLimit, inclusive: inclusive, hasMore: more}
					for i := range entries {
						if entries[i].EndTime.IsZero() { // a time that only the server can read
							server.entries = slices.Clone(entries)
							server.entries[i].EndTime = noon
						}
					}
					pager := server.pager(sound)
					list := pager.list
					pager.list = func(ctx context.Context, r listRange) (Page, error) {
						page, err := list(ctx, r)
						for i, entry := range page.Entries {
							if entry.EndTime.Equal(noon) {
								page.Entries[i].EndTime = time.Time{}
							}
						}
						return page, err
					}
					ids, told, err := walk(t, pager)
					require.NoError(t, err)
					assert.ElementsMatch(t, all, ids)
					assert.Empty(t, told)
				}
			})
		})
	}
}

// A page full of entries without any readable time leads nowhere, and is no end.
func TestPagerWithoutAnyTime(t *testing.T) {
	t.Parallel()
	entries := make([]Entry, PageLimit)
	for i := range entries {
		entries[i].Digest = strconv.Itoa(i)
	}
	pager := (&simulated{}).pager(nil)
	pager.list = func(context.Context, listRange) (Page, error) {
		return Page{Entries: slices.Clone(entries), Listed: len(entries)}, nil
	}
	page, err := pager.Next(t.Context())
	require.NoError(t, err)
	assert.Equal(t, entries, page.Entries)
	for range 2 {
		_, err = pager.Next(t.Context())
		require.ErrorIs(t, err, ErrNotAdvancing)
	}
}

// Random servers, files and lies: whatever comes of it, no file is returned twice, and
// without an error or Ties every file is returned.
func TestPagerAgainstRandomServers(t *testing.T) {
	t.Parallel()
	for seed := range uint64(1000) {
		rng := rand.New(rand.NewPCG(seed, 2))
		var times []time.Time
		for at := morning; len(times) < 400; at = at.Add(time.Duration(1+rng.IntN(3)) * tick) {
			times = append(times, ties(at, 1+rng.IntN(1+rng.IntN(1+rng.IntN(130))))...)
		}
		entries, all := entriesAt(times)
		server := &simulated{entries: entries, limit: PageLimit, inclusive: seed%2 == 0}
		if seed%4 > 1 {
			server.hasMore = func(_ int, honest bool) bool { return honest != (rng.IntN(4) == 0) }
		}
		if seed%8 > 3 {
			server.lastEndTime = func(_ int, _ []Entry, honest string) string {
				if rng.IntN(2) == 0 {
					return timeText(times[rng.IntN(len(times))])
				}
				return honest
			}
		}
		ids, told, err := walk(t, server.pager(nil))
		slices.Sort(ids)
		require.Len(t, slices.Compact(slices.Clone(ids)), len(ids), "seed %d", seed)
		if err == nil && len(told) == 0 {
			slices.Sort(all)
			require.Equal(t, all, ids, "seed %d", seed)
		}
		if seed%4 < 2 {
			require.NoError(t, err, "seed %d", seed)
		}
	}
}

// What the page holds more than once counts once, as the one that can be collected.
func TestPagerPrefersTheBetterOfTwo(t *testing.T) {
	t.Parallel()
	good := Entry{File: File{ID: "a", EndTime: noon, Size: 1, SHA256: goodSHA}}
	for name, change := range map[string]func(*Entry){
		"a fault":       func(e *Entry) { e.Fault, e.Size = "file_size is missing", -1 },
		"no time":       func(e *Entry) { e.EndTime = time.Time{} },
		"no digest":     func(e *Entry) { e.SHA256 = "" },
		"another type":  func(e *Entry) { e.OtherType = true },
		"a later time":  func(e *Entry) { e.EndTime = noon.Add(time.Hour) },
		"nothing wrong": func(*Entry) {},
	} {
		odd := good
		change(&odd)
		pages := [][]Entry{{good, odd}, {odd, good}}
		if odd.oddity() == good.oddity() {
			pages = pages[:1]
		}
		for _, entries := range pages {
			pager := (&simulated{}).pager(nil)
			pager.list = func(context.Context, listRange) (Page, error) {
				return Page{Entries: slices.Clone(entries), Listed: 2}, nil
			}
			page, err := pager.Next(t.Context())
			require.NoError(t, err)
			assert.Equal(t, []Entry{good}, page.Entries, name)
		}
	}
}

// Bounds are sent in whole microseconds, the upper one so that it is counted in.
func TestPagerBounds(t *testing.T) {
	t.Parallel()
	var asked listRange
	pager := (&Client{}).Pages("AUTH_LOG", noon.Add(1999), noon.Add(time.Hour+3999), nil)
	pager.list = func(_ context.Context, r listRange) (Page, error) {
		asked = r
		return Page{}, nil
	}
	_, err := pager.Next(t.Context())
	require.NoError(t, err)
	assert.Equal(t, listRange{"AUTH_LOG", "2026-08-01T12:00:00.000001Z", "2026-08-01T13:00:00.000004Z"}, asked)
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
	got, err := drain(t, c.Pages("AUTH_LOG", morning, time.Time{}, nil))
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
	got, err := drain(t, c.Pages("AUTH_LOG", morning, time.Time{}, nil))
	require.NoError(t, err)
	assert.Equal(t, []string{"a", "b", "c"}, got)
	assert.Len(t, afters(), 3)
}

// Other servers that say has_more and lead nowhere: an error in few requests,
// and every file that was listed is returned first.
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
		"an old page comes again": {
			[]string{pageOf(true, `"2026-08-01T12:00:01Z"`, "a 12:00:00", "b 12:00:01"), pageOf(true, `"2026-08-01T12:00:03Z"`, "c 12:00:02", "d 12:00:03"), pageOf(true, `"2026-08-01T12:00:01Z"`, "a 12:00:00", "b 12:00:01")},
			[]string{"a", "b", "c", "d"},
			ErrNotAdvancing,
		},
		"an empty page that promises more twice": {
			[]string{pageOf(true, `"2026-08-01T12:00:02Z"`, "a 12:00:02"), pageOf(true, `"2026-08-01T12:00:03Z"`)},
			[]string{"a"},
			ErrNotAdvancing,
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c, afters := pageServer(t, func(n int, _ string) string { return tt.pages[min(n, len(tt.pages))-1] })
			got, err := drain(t, c.Pages("AUTH_LOG", morning, time.Time{}, nil))
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
		pager := newClient(t, api.URL).Pages("AUTH_LOG", morning.Add(-time.Second), time.Time{}, nil)
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
	t.Run("a listing that did not advance", func(t *testing.T) {
		t.Parallel()
		first := pageOf(true, `"2026-08-01T12:00:01Z"`, "a 12:00:01")
		c, afters := pageServer(t, func(n int, _ string) string {
			if n <= 3 {
				return first
			}
			return pageOf(false, "null", "b 12:00:02", "c 12:00:03")
		})
		pager := c.Pages("AUTH_LOG", morning, time.Time{}, nil)
		got, err := drain(t, pager)
		require.ErrorIs(t, err, ErrNotAdvancing)
		rest, err := drain(t, pager)
		require.NoError(t, err)
		assert.Equal(t, []string{"a", "b", "c"}, append(got, rest...))
		const exact = "2026-08-01T12:00:01Z"
		assert.Equal(t, []string{"2026-08-01T02:00:00Z", "2026-08-01T12:00:00.999999Z", exact, exact}, afters())
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
		got, err := drain(t, newClient(t, server.URL+"/v1/compliance").Pages("AUTH_LOG", morning.Add(-time.Second), time.Time{}, nil))
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
	got, err := drain(t, c.Pages("AUTH_LOG", morning, time.Time{}, nil))
	require.NoError(t, err)
	assert.Equal(t, []string{"a", "b"}, got)
}
