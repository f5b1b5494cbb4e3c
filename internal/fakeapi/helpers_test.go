// Copyright The OpenTelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package fakeapi

import (
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

var noon = time.Date(2026, 8, 1, 12, 0, 0, 0, time.UTC)

// clock is the API's, moved by hand.
type clock struct {
	mu sync.Mutex
	at time.Time
}

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.at
}

func (c *clock) advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.at = c.at.Add(d)
}

// start runs an API at noon; prepare, if given, comes before it listens.
func start(t *testing.T, opts Options, prepare ...func(*API)) (*API, *clock) {
	t.Helper()
	at := &clock{at: noon}
	opts.Now = at.now
	api := New(opts)
	for _, f := range prepare {
		f(api)
	}
	require.NoError(t, api.Start("", ""))
	t.Cleanup(api.Close)
	return api, at
}

// answer is what a request brought; err is of the connection or the body.
type answer struct {
	status int
	header http.Header
	body   []byte
	err    error
}

// location of a redirect.
func (a answer) location(t *testing.T) string {
	t.Helper()
	require.Equal(t, http.StatusTemporaryRedirect, a.status, "%s", a.body)
	return a.header.Get("Location")
}

var client = &http.Client{
	Transport:     &http.Transport{DisableKeepAlives: true},
	CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
}

// ask sends a GET with the given header lines, name and value in turn.
func ask(t *testing.T, target string, header ...string) (a answer) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, target, http.NoBody)
	require.NoError(t, err)
	for i := 0; i+1 < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	resp, err := client.Do(req)
	if err != nil {
		return answer{err: err}
	}
	a.status, a.header = resp.StatusCode, resp.Header
	a.body, a.err = io.ReadAll(resp.Body)
	require.NoError(t, resp.Body.Close())
	return a
}

// withKey is ask with the key that is accepted.
func withKey(t *testing.T, target string) answer {
	t.Helper()
	return ask(t, target, "Authorization", "Bearer "+DefaultKey)
}

const (
	workspaceLogs    = "/workspaces/" + DefaultWorkspace + "/logs"
	organizationLogs = "/organizations/" + DefaultOrganization + "/logs"
)

// page is a list answer.
type page struct {
	Data []struct {
		ID        string `json:"id"`
		EventType string `json:"event_type"`
		EndTime   string `json:"end_time"`
		FileName  string `json:"file_name"`
		FileSize  int64  `json:"file_size"`
		SHA256    string `json:"file_sha256"`
	} `json:"data"`
	HasMore     bool    `json:"has_more"`
	LastEndTime *string `json:"last_end_time"`
}

func (p page) ids() (ids []string) {
	for _, f := range p.Data {
		ids = append(ids, f.ID)
	}
	return ids
}

// list asks for a page of the workspace, and adds to the query what is given:
// name and value in turn.
func list(t *testing.T, api *API, query ...string) page {
	t.Helper()
	values := url.Values{"event_type": {"AUTH_LOG"}, "after": {"2026-01-01T00:00:00Z"}}
	for i := 0; i+1 < len(query); i += 2 {
		values.Set(query[i], query[i+1])
	}
	got := withKey(t, api.URL+workspaceLogs+"?"+values.Encode())
	require.NoError(t, got.err)
	require.Equal(t, http.StatusOK, got.status, "%s", got.body)
	var p page
	require.NoError(t, json.Unmarshal(got.body, &p))
	return p
}

func ids(files ...*File) (ids []string) {
	for _, f := range files {
		ids = append(ids, f.ID)
	}
	return ids
}
