// Copyright The OpenTelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package fakeapi

import (
	"net/http"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// The refusals of the list route, by condition, with what their body must say.
func TestListRefusals(t *testing.T) {
	t.Parallel()
	api, _ := start(t, Options{Forbidden: []string{"CODEX_LOG"}})
	const after = "&after=2026-08-01T00:00:00Z"
	const good = workspaceLogs + "?event_type=AUTH_LOG" + after
	tests := map[string]struct {
		target string
		status int
		says   string
	}{
		"good":                                {good, 200, `"data":[]`},
		"good, for an organization":           {organizationLogs + "?event_type=COSTS" + after, 200, `"data":[]`},
		"good, a type of both scopes":         {organizationLogs + "?event_type=APP_LOG" + after, 200, `"data":[]`},
		"unknown type":                        {workspaceLogs + "?event_type=NO_SUCH_LOG" + after, 400, "Invalid event_type"},
		"type in lower case":                  {workspaceLogs + "?event_type=auth_log" + after, 400, "Invalid event_type"},
		"empty type":                          {workspaceLogs + "?event_type=" + after, 400, "Invalid event_type"},
		"one bad type of two":                 {good + "&event_type=NO_SUCH_LOG", 400, "Invalid event_type"},
		"organization's type at a workspace":  {workspaceLogs + "?event_type=COSTS" + after, 400, "/compliance/organizations/"},
		"workspace's type at an organization": {organizationLogs + "?event_type=AUTH_LOG" + after, 400, "/compliance/workspaces/"},
		"after is no time":                    {workspaceLogs + "?event_type=AUTH_LOG&after=yesterday", 400, "Invalid after"},
		"after has no zone":                   {workspaceLogs + "?event_type=AUTH_LOG&after=2026-08-01T00:00:00", 400, "Invalid after"},
		"a plus that is not escaped":          {workspaceLogs + "?event_type=AUTH_LOG&after=2026-08-01T00:00:00+00:00", 400, "Invalid after"},
		"an escaped plus":                     {workspaceLogs + "?event_type=AUTH_LOG&after=2026-08-01T00:00:00%2B00:00", 200, ""},
		"before is no time":                   {good + "&before=tomorrow", 400, "Invalid before"},
		"forbidden type":                      {workspaceLogs + "?event_type=CODEX_LOG" + after, 403, "CODEX_LOG"},
		"one forbidden type of two":           {workspaceLogs + "?event_type=AUTH_LOG,CODEX_LOG" + after, 403, "CODEX_LOG"},
		"another workspace":                   {"/workspaces/11111111-1111-1111-1111-111111111111/logs?event_type=AUTH_LOG" + after, 404, ""},
		"another organization":                {"/organizations/org-other/logs?event_type=COSTS" + after, 404, ""},
		"an organization's id as a workspace": {"/workspaces/" + DefaultOrganization + "/logs?event_type=AUTH_LOG" + after, 404, ""},
		"another scope":                       {"/projects/" + DefaultWorkspace + "/logs?event_type=AUTH_LOG" + after, 404, ""},
		"no after":                            {workspaceLogs + "?event_type=AUTH_LOG", 422, `"loc":["query","after"]`},
		"no event_type":                       {workspaceLogs + "?after=2026-08-01T00:00:00Z", 422, `"loc":["query","event_type"]`},
		"limit 101":                           {good + "&limit=101", 422, `"loc":["query","limit"]`},
		"limit 100":                           {good + "&limit=100", 200, ""},
		"limit 0":                             {good + "&limit=0", 422, `"loc":["query","limit"]`},
		"limit that is no number":             {good + "&limit=ten", 422, `"loc":["query","limit"]`},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := withKey(t, api.URL+tt.target)
			require.NoError(t, got.err)
			assert.Equal(t, tt.status, got.status, "%s", got.body)
			assert.Contains(t, string(got.body), tt.says)
		})
	}
	for name, header := range map[string][]string{
		"no key": nil, "wrong key": {"Authorization", "Bearer sk-wrong"},
		"no Bearer": {"Authorization", DefaultKey}, "a key and more": {"Authorization", "Bearer " + DefaultKey + "x"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			assert.Equal(t, http.StatusUnauthorized, ask(t, api.URL+good, header...).status)
			assert.Equal(t, http.StatusUnauthorized, ask(t, api.URL+workspaceLogs+"/eclf_1", header...).status)
		})
	}
}

// A page has the fields of the API, files in ascending end_time whatever order
// they were made in, and times to the microsecond.
func TestListPage(t *testing.T) {
	t.Parallel()
	api, _ := start(t, Options{Seed: 1})
	third := api.Add("AUTH_LOG", noon.Add(-time.Minute), `{"event_id":"3"}`)
	first := api.Add("AUTH_LOG", noon.Add(-3*time.Minute-time.Nanosecond), `{"event_id":"1"}`)
	second := api.Add("AUTH_LOG", noon.Add(-2*time.Minute), `{"event_id":"2"}`, `{"event_id":"2b"}`)
	other := api.Add("AUDIT_LOG", noon.Add(-90*time.Second))

	got := list(t, api)
	require.Equal(t, ids(first, second, third), got.ids())
	assert.Equal(t, ids(first, second, third), ids(api.Files("AUTH_LOG")...))
	assert.Equal(t, ids(other, first, second, third), ids(api.Files("")...))
	assert.Equal(t, ids(second, third), list(t, api, "after", got.Data[0].EndTime).ids(), "the listed time is the whole time")
	assert.False(t, got.HasMore)
	require.NotNil(t, got.LastEndTime)
	assert.Equal(t, "2026-08-01T11:59:00.000000Z", *got.LastEndTime)
	assert.Equal(t, "2026-08-01T11:56:59.999999Z", got.Data[0].EndTime)
	assert.Equal(t, "AUTH_LOG_2026-08-01T11:56:59.999999+00:00.jsonl", got.Data[0].FileName)
	assert.Equal(t, "AUTH_LOG", got.Data[0].EventType)
	assert.EqualValues(t, len(second.Content), got.Data[1].FileSize)
	assert.Equal(t, second.SHA256, got.Data[1].SHA256)

	for _, query := range []string{"event_type=AUTH_LOG,AUDIT_LOG", "event_type=AUDIT_LOG&event_type=AUTH_LOG"} {
		two := withKey(t, api.URL+workspaceLogs+"?after=2026-01-01T00:00:00Z&"+query)
		assert.Regexp(t, first.ID+".*"+second.ID+".*"+other.ID+".*"+third.ID, string(two.body), "types mix by time")
	}
	empty := list(t, api, "after", "2026-08-01T12:00:00Z")
	assert.NotNil(t, empty.Data)
	assert.Empty(t, empty.Data)
	assert.Nil(t, empty.LastEndTime)
}

// after and before are about end_time: before is strict, after is strict or not
// as the options say.
func TestListRange(t *testing.T) {
	t.Parallel()
	for _, inclusive := range []bool{false, true} {
		api, _ := start(t, Options{Inclusive: inclusive})
		var files []*File
		for i := range 4 {
			files = append(files, api.Add("AUTH_LOG", noon.Add(-time.Hour).Add(time.Duration(i)*time.Microsecond)))
		}
		from := 2
		if inclusive {
			from = 1
		}
		assert.Equal(t, ids(files[from:]...), list(t, api, "after", "2026-08-01T11:00:00.000001Z").ids())
		assert.Equal(t, ids(files[2:]...), list(t, api, "after", "2026-08-01T11:00:00.0000015Z").ids())
		assert.Equal(t, ids(files[from:]...), list(t, api, "after", "2026-08-01T13:00:00.000001+02:00").ids())
		assert.Equal(t, ids(files[:3]...), list(t, api, "before", "2026-08-01T11:00:00.000003Z").ids())
	}
}

// The page limit is the smaller of the request's and the options'; paging by
// last_end_time leads through all files.
func TestListPages(t *testing.T) {
	t.Parallel()
	api, _ := start(t, Options{PageLimit: 4})
	var files []*File
	for i := range 11 {
		files = append(files, api.Add("AUTH_LOG", noon.Add(-time.Hour).Add(time.Duration(i)*time.Second)))
	}
	var got []string
	after := "2026-01-01T00:00:00Z"
	for more := true; more; {
		p := list(t, api, "after", after)
		assert.LessOrEqual(t, len(p.Data), 4)
		got = append(got, p.ids()...)
		after, more = *p.LastEndTime, p.HasMore
	}
	assert.Equal(t, ids(files...), got)
	assert.Equal(t, ids(files[:2]...), list(t, api, "limit", "2").ids())
	assert.Equal(t, ids(files[:4]...), list(t, api, "limit", "50").ids())
	exact := list(t, api, "after", files[6].EndTime.Format(time.RFC3339Nano))
	assert.Len(t, exact.Data, 4)
	assert.False(t, exact.HasMore, "a page that is just full is the last")

	largest, _ := start(t, Options{})
	for i := range 101 {
		largest.Add("AUTH_LOG", noon.Add(-time.Hour).Add(time.Duration(i)*time.Second))
	}
	full := list(t, largest)
	assert.Len(t, full.Data, 100)
	assert.True(t, full.HasMore)
}

// A file is listed and served from its end_time, or from VisibleFrom, until it is
// 30 days old.
func TestRetention(t *testing.T) {
	t.Parallel()
	var gone, oldest, late, future *File
	api, at := start(t, Options{}, func(api *API) {
		gone = api.Add("AUTH_LOG", noon.Add(-Retention))
		oldest = api.Add("AUTH_LOG", noon.Add(-Retention+time.Microsecond))
		late = api.Add("AUTH_LOG", noon.Add(-time.Hour))
		late.VisibleFrom = noon.Add(time.Minute)
		future = api.Add("AUTH_LOG", noon.Add(2*time.Minute))
	})
	served := func(file *File) bool {
		return withKey(t, api.URL+workspaceLogs+"/"+file.ID).status == http.StatusTemporaryRedirect
	}
	states := func() (listed []string, download []bool) {
		for _, file := range []*File{gone, oldest, late, future} {
			download = append(download, served(file))
		}
		return list(t, api).ids(), download
	}
	listed, download := states()
	assert.Equal(t, ids(oldest), listed)
	assert.Equal(t, []bool{false, true, false, false}, download)

	at.advance(time.Minute)
	listed, download = states()
	assert.Equal(t, ids(late), listed)
	assert.Equal(t, []bool{false, false, true, false}, download)

	at.advance(time.Minute)
	listed, _ = states()
	assert.Equal(t, ids(late, future), listed)
}

// A request above the rate is answered 429 and told how long to wait; after that
// wait it is admitted, and each route has a budget of its own.
func TestRateLimit(t *testing.T) {
	t.Parallel()
	api, at := start(t, Options{ListsPerMinute: 2, DownloadsPerMinute: 1})
	file := api.Add("AUTH_LOG", noon)
	lists := api.URL + workspaceLogs + "?event_type=AUTH_LOG&after=2026-01-01T00:00:00Z"
	downloads := api.URL + workspaceLogs + "/" + file.ID
	assert.Equal(t, 401, ask(t, lists).status, "a refused key uses nothing up")
	assert.Equal(t, 200, withKey(t, lists).status)
	at.advance(20 * time.Second)
	assert.Equal(t, 200, withKey(t, lists).status)
	refused := withKey(t, lists)
	assert.Equal(t, 429, refused.status)
	assert.Equal(t, 307, withKey(t, downloads).status)
	assert.Equal(t, 429, withKey(t, downloads).status)

	wait, err := strconv.Atoi(refused.header.Get("Retry-After"))
	require.NoError(t, err)
	assert.InDelta(t, 40, wait, 1)
	at.advance(time.Duration(wait) * time.Second)
	assert.Equal(t, 200, withKey(t, lists).status)
}

// The Date of a list answer is the API's clock, not the machine's.
func TestListDate(t *testing.T) {
	t.Parallel()
	api, at := start(t, Options{})
	at.advance(-1000 * time.Hour)
	got := withKey(t, api.URL+workspaceLogs+"?event_type=AUTH_LOG&after=2026-01-01T00:00:00Z")
	assert.Equal(t, at.now().Format(http.TimeFormat), got.header.Get("Date"))
}
