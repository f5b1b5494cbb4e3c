// Copyright The OpenTelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package compliance

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const (
	goodSHA   = "ababababababababababababababababababababababababababababababab01"
	goodEntry = `{"id":"eclf_1","event_type":"AUTH_LOG","end_time":"2026-08-01T12:30:07.481516Z",` +
		`"file_name":"AUTH_LOG_1.jsonl","file_size":18342,"file_sha256":"` + goodSHA + `"}`
	goodAnswer = `{"data":[` + goodEntry + `],"has_more":true,"last_end_time":"2026-08-01T12:30:07.481516Z"}`
)

// replaced is a good text with one part exchanged, which must be there.
func replaced(t *testing.T, text, old, with string) string {
	t.Helper()
	require.Contains(t, text, old)
	return strings.Replace(text, old, with, 1)
}

// The request is the one the API documents: route, query and headers, and
// nothing beside them. Times are in whole microseconds.
func TestListRequest(t *testing.T) {
	t.Parallel()
	zurich := time.FixedZone("", 2*60*60)
	tests := map[string]struct {
		principal        Principal
		after            time.Time
		wantPath, wantAt string
	}{
		"a workspace, nanoseconds in another zone": {
			Principal{ID: workspace},
			time.Date(2026, 8, 1, 14, 30, 7, 123456789, zurich),
			"/v1/compliance/workspaces/" + workspace + "/logs", "2026-08-01T12:30:07.123456Z",
		},
		"an organization, microseconds": {
			Principal{ID: "org-1", Organization: true},
			time.Date(2026, 8, 1, 12, 30, 7, 500_000, time.UTC),
			"/v1/compliance/organizations/org-1/logs", "2026-08-01T12:30:07.0005Z",
		},
		"an id that needs escaping, whole seconds": {
			Principal{ID: "a/b?c"},
			noon,
			"/v1/compliance/workspaces/a%2Fb%3Fc/logs", "2026-08-01T12:00:00Z",
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			api := newHost(t, answering(200, goodAnswer))
			c := newClient(t, api.URL+"/v1/compliance/", func(s *Settings) { s.Principal = tt.principal })
			_, err := c.Pages("AUTH_LOG", tt.after, time.Time{}, nil).Next(t.Context())
			require.NoError(t, err)

			require.Len(t, api.seen(), 1)
			r := api.seen()[0]
			assert.Equal(t, http.MethodGet, r.Method)
			assert.Equal(t, tt.wantPath, r.URL.EscapedPath())
			assert.Equal(t, url.Values{"event_type": {"AUTH_LOG"}, "after": {tt.wantAt}, "limit": {"100"}}, r.URL.Query())
			assert.Equal(t, []string{"Bearer " + testKey}, r.Header.Values("Authorization"))
			assert.Equal(t, "test-agent", r.Header.Get("User-Agent"))
			assert.Equal(t, "application/json", r.Header.Get("Accept"))
		})
	}
}

func TestListReadsPage(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 8, 1, 12, 30, 7, 481_516_000, time.UTC)
	file := File{ID: "eclf_1", EndTime: at, Name: "AUTH_LOG_1.jsonl", Size: 18342, SHA256: goodSHA}
	full := Page{Entries: []Entry{{File: file}}, Listed: 1, HasMore: true, LastEndTime: "2026-08-01T12:30:07.481516Z"}
	change := func(f func(*Page)) Page {
		page := full
		page.Entries = append([]Entry(nil), full.Entries...)
		f(&page)
		return page
	}
	more := func(hasMore bool) Page { return change(func(p *Page) { p.HasMore = hasMore }) }
	noLast := change(func(p *Page) { p.LastEndTime = "" })
	const last = `"last_end_time":"2026-08-01T12:30:07.481516Z"`
	tests := map[string]struct {
		body string
		want Page
	}{
		"as documented":          {goodAnswer, full},
		"null last_end_time":     {replaced(t, goodAnswer, last, `"last_end_time":null`), noLast},
		"no last_end_time":       {replaced(t, goodAnswer, ","+last, ``), noLast},
		"last_end_time a number": {replaced(t, goodAnswer, last, `"last_end_time":17`), noLast},
		"a long last_end_time":   {replaced(t, goodAnswer, `"last_end_time":"`, `"last_end_time":"`+strings.Repeat("x", 64)), noLast},
		"no files":               {`{"data":[],"has_more":false,"last_end_time":null}`, Page{}},
		"unknown fields":         {replaced(t, replaced(t, goodAnswer, `{"data"`, `{"x":[1,{"y":null}],"data"`), `"id"`, `"z":{},"id"`), full},
		"no file name":           {replaced(t, goodAnswer, `"file_name":"AUTH_LOG_1.jsonl",`, ``), change(func(p *Page) { p.Entries[0].Name = "" })},
		"empty file":             {replaced(t, goodAnswer, `18342`, `0`), change(func(p *Page) { p.Entries[0].Size = 0 })},
		"type in lower case":     {replaced(t, goodAnswer, `AUTH_LOG"`, `auth_log"`), full},
		"time with an offset":    {replaced(t, goodAnswer, `12:30:07.481516Z`, `14:30:07.481516+02:00`), full},
		"time of whole seconds": {
			replaced(t, goodAnswer, `07.481516Z","file`, `07Z","file`),
			change(func(p *Page) { p.Entries[0].EndTime = at.Truncate(time.Second) }),
		},
		"the server's text of last_end_time is kept": {
			replaced(t, goodAnswer, last, `"last_end_time":"2026-08-01T12:30:07.481516+00:00"`),
			change(func(p *Page) { p.LastEndTime = "2026-08-01T12:30:07.481516+00:00" }),
		},
		"blanks after the document":          {goodAnswer + " \r\n\t", full},
		"a second document after the first":  {goodAnswer + "\n" + `{"data":1}` + "\n", change(func(p *Page) { p.Trailing = 10 })},
		"garbage after the document":         {goodAnswer + "garbage", change(func(p *Page) { p.Trailing = 7 })},
		"a byte order mark":                  {"\ufeff" + goodAnswer, full},
		"a byte order mark, trailing bytes":  {"\ufeff" + goodAnswer + "garbage", change(func(p *Page) { p.Trailing = 7 })},
		"no has_more":                        {replaced(t, goodAnswer, `"has_more":true,`, ``), more(false)},
		"null has_more":                      {replaced(t, goodAnswer, `"has_more":true`, `"has_more":null`), more(false)},
		"has_more as the text true":          {replaced(t, goodAnswer, `"has_more":true`, `"has_more":" True"`), more(true)},
		"has_more as the text false":         {replaced(t, goodAnswer, `"has_more":true`, `"has_more":"false"`), more(false)},
		"has_more as other text":             {replaced(t, goodAnswer, `"has_more":true`, `"has_more":"`+canary+`"`), more(false)},
		"has_more as a number":               {replaced(t, goodAnswer, `"has_more":true`, `"has_more":1`), more(false)},
		"has_more as an object":              {replaced(t, goodAnswer, `"has_more":true`, `"has_more":{"true":true}`), more(false)},
		"an entry that repeats, both listed": {replaced(t, goodAnswer, goodEntry, goodEntry+","+goodEntry), change(func(p *Page) { p.Listed = 2 })},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			api := newHost(t, answering(200, tt.body, "Date", "Sat, 01 Aug 2026 12:31:00 GMT"))
			page, err := newClient(t, api.URL).Pages("AUTH_LOG", noon, time.Time{}, nil).Next(t.Context())
			require.NoError(t, err)
			tt.want.Date = time.Date(2026, 8, 1, 12, 31, 0, 0, time.UTC)
			assert.Equal(t, tt.want, page)
		})
	}
}

// An entry that names the key, escaped or not, has no usable id and no name: what a
// listing names comes into logs, records and the state. The entries beside it stay.
func TestListDropsKey(t *testing.T) {
	t.Parallel()
	escaped := `\u0073` + testKey[1:]
	entries := []string{
		replaced(t, goodEntry, "eclf_1", "x"+escaped), replaced(t, goodEntry, "AUTH_LOG_1.jsonl", escaped), replaced(t, goodEntry, "eclf_1", "eclf_2"),
	}
	answer := `{"data":[` + strings.Join(entries, ",") + `],"has_more":false}`
	page, err := newClient(t, newHost(t, answering(200, answer)).URL).Pages("AUTH_LOG", noon, time.Time{}, nil).Next(t.Context())
	require.NoError(t, err)
	require.Len(t, page.Entries, 3)
	assert.Empty(t, page.Entries[0].ID)
	assert.Len(t, page.Entries[0].Digest, 64)
	assert.Equal(t, []string{"eclf_1", ""}, []string{page.Entries[1].ID, page.Entries[1].Name})
	assert.Equal(t, []string{"eclf_2", "AUTH_LOG_1.jsonl"}, []string{page.Entries[2].ID, page.Entries[2].Name})
	assert.NotContains(t, fmt.Sprint(page), testKey)
}

// Any success will do: what the answer holds decides.
func TestListReadsEverySuccess(t *testing.T) {
	t.Parallel()
	for _, status := range []int{200, 201, 203, 206, 299} {
		page, err := newClient(t, newHost(t, answering(status, goodAnswer)).URL).Pages("AUTH_LOG", noon, time.Time{}, nil).Next(t.Context())
		require.NoError(t, err, status)
		assert.Len(t, page.Entries, 1, status)
	}
	_, err := newClient(t, newHost(t, answering(204, "")).URL).Pages("AUTH_LOG", noon, time.Time{}, nil).Next(t.Context())
	requireKind[*AnswerError](t, err)
}

// The server's clock is its Date and how long a cache has kept the answer.
func TestListTellsServerTime(t *testing.T) {
	t.Parallel()
	const date = "Sat, 01 Aug 2026 12:00:00 GMT"
	for name, tt := range map[string]struct {
		date, age string
		want      time.Time
	}{
		"Date alone":            {date, "", noon},
		"Date and Age":          {date, "90", noon.Add(90 * time.Second)},
		"blanks around Age":     {date, " 7 ", noon.Add(7 * time.Second)},
		"an Age of 30 days":     {date, "2592000", noon.Add(30 * 24 * time.Hour)},
		"an Age of more":        {date, "2592001", time.Time{}},
		"an absurd Age":         {date, strings.Repeat("9", 40), time.Time{}},
		"a negative Age":        {date, "-5", noon},
		"an Age that is a word": {date, "old", noon},
		"a Date that is a word": {"today", "5", time.Time{}},
		"an empty Date":         {"", "5", time.Time{}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			api := newHost(t, answering(200, goodAnswer, "Date", tt.date, "Age", tt.age))
			page, err := newClient(t, api.URL).Pages("AUTH_LOG", noon, time.Time{}, nil).Next(t.Context())
			require.NoError(t, err)
			assert.Equal(t, tt.want, page.Date)
		})
	}
}

// Files come in ascending end_time, compared as times: as text, 18.5Z would sort
// before 18Z. Files of one time keep the server's order.
func TestListSortsByTime(t *testing.T) {
	t.Parallel()
	var entries []string
	for i, end := range []string{"12:00:18.5Z", "12:00:19Z", "12:00:18Z", "11:00:00Z", "13:00:18+01:00"} {
		entries = append(entries, fmt.Sprintf(`{"id":"%d","event_type":"AUTH_LOG","end_time":"2026-08-01T%s","file_size":1,"file_sha256":"%s"}`, i, end, goodSHA))
	}
	api := newHost(t, answering(200, `{"has_more":false,"data":[`+strings.Join(entries, ",")+`]}`))
	page, err := newClient(t, api.URL).Pages("AUTH_LOG", noon, time.Time{}, nil).Next(t.Context())
	require.NoError(t, err)
	var ids []string
	for _, f := range page.Entries {
		ids = append(ids, f.ID)
	}
	assert.Equal(t, []string{"3", "2", "4", "0", "1"}, ids)
}

// An answer without an array of entries is an error. It names the field and quotes
// nothing: CANARY and the long number are content.
func TestListRefusesBrokenAnswers(t *testing.T) {
	t.Parallel()
	const number = "98765432109876543210"
	tests := map[string]struct{ body, field string }{
		"HTML with 200":      {"<html>" + canary + "</html>", ""},
		"empty body":         {"", ""},
		"cut in an entry":    {goodAnswer[:100], ""},
		"cut before the end": {goodAnswer[:len(goodAnswer)-1], ""},
		"bare array":         {"[" + goodEntry + "]", ""},
		"a JSON text":        {`"` + canary + `"`, ""},
		"a JSON number":      {number, ""},
		"JSON null":          {"null", "data"},
		"no data":            {`{"has_more":false}`, "data"},
		"null data":          {`{"data":null,"has_more":false}`, "data"},
		"data as an object":  {`{"data":{"` + canary + `":1},"has_more":false}`, "data"},
		"data as a text":     {`{"data":"` + canary + `","has_more":false}`, "data"},
		"data as a number":   {`{"data":` + number + `,"has_more":false}`, "data"},
		"too many entries":   {`{"data":[` + strings.Repeat("0,", maxEntries) + `0]}`, "data"},
		"two marks":          {"\ufeff\ufeff" + goodAnswer, ""},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			api := newHost(t, answering(200, tt.body))
			page, err := newClient(t, api.URL).Pages("AUTH_LOG", noon, time.Time{}, nil).Next(t.Context())
			bad := requireErrorAs[*AnswerError](t, err, "9876543210")
			assert.Empty(t, page)
			assert.Equal(t, tt.field, bad.Field)
			assert.Contains(t, err.Error(), tt.field)
		})
	}
}

// A list answer is held in memory: 8 MiB are enough, a byte more is refused.
func TestListBoundsTheAnswer(t *testing.T) {
	t.Parallel()
	fits := goodAnswer + strings.Repeat(" ", maxAnswer-len(goodAnswer))
	_, err := newClient(t, newHost(t, answering(200, fits)).URL).Pages("AUTH_LOG", noon, time.Time{}, nil).Next(t.Context())
	require.NoError(t, err)

	_, err = newClient(t, newHost(t, answering(200, fits+" ")).URL).Pages("AUTH_LOG", noon, time.Time{}, nil).Next(t.Context())
	bad := requireErrorAs[*AnswerError](t, err)
	assert.Contains(t, bad.Problem, "longer than 8388608 bytes")

	var left atomic.Bool
	_, err = newClient(t, newHost(t, endless(goodAnswer, &left)).URL).Pages("AUTH_LOG", noon, time.Time{}, nil).Next(t.Context())
	requireKind[*AnswerError](t, err)
	require.Eventually(t, left.Load, time.Minute, time.Millisecond, "the rest is not read")
}

// The key must not follow a redirect, so a list follows none, not even within
// the same host.
func TestListFollowsNoRedirect(t *testing.T) {
	t.Parallel()
	elsewhere := newHost(t, answering(200, goodAnswer))
	for _, status := range []int{301, 302, 303, 307, 308} {
		for _, location := range []string{elsewhere.URL + "/?sig=" + signature, "/other", "https://not:aurl/" + canary} {
			api := newRedirector(t, status, location)
			_, err := newClient(t, api.URL).Pages("AUTH_LOG", noon, time.Time{}, nil).Next(t.Context())
			refused := requireErrorAs[*StatusError](t, err)
			assert.Equal(t, status, refused.Status)
			assert.Len(t, api.seen(), 1)
		}
	}
	assert.Empty(t, elsewhere.seen())
}

// HeaderTimeout ends a list whether the header or the rest of the body does not
// come, to the second.
func TestListTimesOut(t *testing.T) {
	t.Parallel()
	half := func(w http.ResponseWriter, r *http.Request) {
		_, _ = w.Write([]byte(goodAnswer[:50]))
		w.(http.Flusher).Flush()
		<-r.Context().Done()
	}
	for name, handler := range map[string]http.HandlerFunc{"no header": hanging, "half a body": half} {
		inBubble(t, handler, hanging, func(t *testing.T, set Settings) {
			t.Helper()
			set.HeaderTimeout = 7 * time.Second
			start := time.Now()
			_, err := NewClient(set).Pages("AUTH_LOG", noon, time.Time{}, nil).Next(t.Context())
			failed := requireErrorAs[*RequestError](t, err)
			assert.Equal(t, OperationList, failed.Op, name)
			require.ErrorIs(t, err, errTimeout, name)
			assert.Equal(t, 7*time.Second, time.Since(start), name)
		})
	}
}

// A list without a usable answer says why, and how it was canceled.
func TestListWithoutAnswer(t *testing.T) {
	t.Parallel()
	cut := newHost(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", "1000")
		_, _ = w.Write([]byte(goodAnswer))
	})
	_, err := newClient(t, cut.URL).Pages("AUTH_LOG", noon, time.Time{}, nil).Next(t.Context())
	requireKind[*RequestError](t, err)
	require.ErrorIs(t, err, io.ErrUnexpectedEOF, "a body that breaks off is not an answer, though its JSON is whole")

	_, err = newClient(t, nowhere).Pages("AUTH_LOG", noon, time.Time{}, nil).Next(t.Context())
	requireKind[*RequestError](t, err)
	require.ErrorContains(t, err, "connection refused")

	ctx, cancel := context.WithCancel(t.Context())
	leaving := newHost(t, func(_ http.ResponseWriter, r *http.Request) {
		cancel()
		<-r.Context().Done()
	})
	_, err = newClient(t, leaving.URL).Pages("AUTH_LOG", noon, time.Time{}, nil).Next(ctx)
	requireKind[*RequestError](t, err)
	require.ErrorIs(t, err, context.Canceled)
}

// A client without a transport of its own has the default one, as everywhere.
func TestListWithDefaultTransport(t *testing.T) {
	t.Parallel()
	api := newHost(t, answering(200, goodAnswer))
	set := settings(t, api.URL)
	set.API = &http.Client{}
	page, err := NewClient(set).Pages("AUTH_LOG", noon, time.Time{}, nil).Next(t.Context())
	require.NoError(t, err)
	assert.Len(t, page.Entries, 1)
}

// Observe is told of each list once, of answers that cannot be used too.
func TestListIsObserved(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		url  string
		want observation
	}{
		"good answer":   {newHost(t, answering(200, goodAnswer)).URL, observation{OperationList, 200, false}},
		"broken answer": {newHost(t, answering(200, "")).URL, observation{OperationList, 200, true}},
		"refused":       {newHost(t, answering(429, "")).URL, observation{OperationList, 429, true}},
		"no connection": {nowhere, observation{OperationList, 0, true}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			var seen []observation
			_, _ = newClient(t, tt.url, observeInto(&seen)).Pages("AUTH_LOG", noon, time.Time{}, nil).Next(t.Context())
			assert.Equal(t, []observation{tt.want}, seen)
		})
	}
}
