// Copyright The OpenTelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package fakeapi

import (
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// signedURL asks the API where a file is.
func signedURL(t *testing.T, api *API, file *File) string {
	t.Helper()
	return withKey(t, api.URL+workspaceLogs+"/"+file.ID).location(t)
}

// A download is a redirect without a body to another host, which serves exactly
// what was listed to whoever has the URL.
func TestDownload(t *testing.T) {
	t.Parallel()
	api, _ := start(t, Options{})
	file := api.Add("AUTH_LOG", noon, `{"event_id":"1"}`, `{"event_id":"2"}`)
	redirect := withKey(t, api.URL+workspaceLogs+"/"+file.ID)
	assert.Empty(t, redirect.body)
	location := redirect.location(t)
	assert.False(t, strings.HasPrefix(location, strings.TrimSuffix(api.URL, "/v1/compliance")), "another host")
	assert.Contains(t, location, "sig=")

	got := ask(t, location)
	require.NoError(t, got.err)
	assert.Equal(t, http.StatusOK, got.status)
	assert.Equal(t, []string{`{"event_id":"1"}`, `{"event_id":"2"}`, ""}, strings.Split(string(got.body), "\n"))
	sum := sha256.Sum256(got.body)
	assert.Equal(t, file.SHA256, hex.EncodeToString(sum[:]))
	assert.Len(t, got.body, int(file.Size))
	assert.Equal(t, []string{"1", "2"}, file.EventIDs)
}

// A signed URL works for its life and for its own file, and only without a
// second kind of credentials.
func TestSignedURL(t *testing.T) {
	t.Parallel()
	api, at := start(t, Options{URLLife: 30 * time.Second})
	file := api.Add("AUTH_LOG", noon, "{}")
	other := api.Add("AUTH_LOG", noon, "{}")
	location := signedURL(t, api, file)
	change := func(old, with string) string {
		require.Contains(t, location, old)
		return strings.Replace(location, old, with, 1)
	}
	at.advance(30*time.Second - time.Millisecond)
	assert.Equal(t, 200, ask(t, location).status)
	assert.Equal(t, 400, ask(t, location, "Authorization", "Bearer "+DefaultKey).status)
	assert.Equal(t, 400, ask(t, location, "Cookie", "a=b").status)
	assert.Equal(t, 403, ask(t, change(file.ID, other.ID)).status)
	assert.Equal(t, 403, ask(t, change("sig=", "sig=0")).status)
	assert.Equal(t, 403, ask(t, change("se=", "se=9")).status)
	bare, _, _ := strings.Cut(location, "?")
	assert.Equal(t, 403, ask(t, bare).status)

	at.advance(time.Millisecond)
	late := ask(t, location)
	assert.Equal(t, 403, late.status)
	assert.Contains(t, string(late.body), "sig=", "a careless host, so that a client that repeats it is found out")
	assert.Equal(t, 200, ask(t, signedURL(t, api, file)).status, "a new one works")
}

// The download route refuses what the list route refuses, and files it does not
// know.
func TestDownloadRefusals(t *testing.T) {
	t.Parallel()
	api, _ := start(t, Options{Forbidden: []string{"CODEX_LOG"}})
	auth, codex, costs := api.Add("AUTH_LOG", noon, "{}"), api.Add("CODEX_LOG", noon, "{}"), api.Add("COSTS", noon, "{}")
	for name, tt := range map[string]struct {
		target string
		status int
	}{
		"good":                       {workspaceLogs + "/" + auth.ID, 307},
		"good, for an organization":  {organizationLogs + "/" + costs.ID, 307},
		"unknown file":               {workspaceLogs + "/eclf_unknown", 404},
		"forbidden type of the file": {workspaceLogs + "/" + codex.ID, 403},
		"by the other scope":         {organizationLogs + "/" + auth.ID, 400},
		"costs by a workspace":       {workspaceLogs + "/" + costs.ID, 400},
		"another workspace":          {"/workspaces/other/logs/" + auth.ID, 404},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			assert.Equal(t, tt.status, withKey(t, api.URL+tt.target).status)
		})
	}
}

// Direct serves the file on the API's own route; SetStorageURL moves signed URLs
// to a host of the test's.
func TestOtherWays(t *testing.T) {
	t.Parallel()
	direct, _ := start(t, Options{Direct: true})
	file := direct.Add("AUTH_LOG", noon, "{}")
	got := withKey(t, direct.URL+workspaceLogs+"/"+file.ID)
	assert.Equal(t, 200, got.status)
	assert.Equal(t, file.Content, got.body)

	api, _ := start(t, Options{})
	file = api.Add("AUTH_LOG", noon, "{}")
	api.SetStorageURL("https://blob.example.com")
	assert.True(t, strings.HasPrefix(signedURL(t, api, file), "https://blob.example.com/blob/"+file.ID+"?"))
}

// Requests keeps what both hosts were asked, headers included.
func TestRequests(t *testing.T) {
	t.Parallel()
	api, at := start(t, Options{})
	file := api.Add("AUTH_LOG", noon, "{}")
	list(t, api)
	at.advance(time.Second)
	location := signedURL(t, api, file)
	ask(t, location, "X-Test", "1")

	seen := api.Requests()
	require.Len(t, seen, 3)
	assert.Equal(t, []string{"api", "api", "storage"}, []string{seen[0].Host, seen[1].Host, seen[2].Host})
	assert.Equal(t, "/v1/compliance"+workspaceLogs, seen[0].Path)
	assert.Contains(t, seen[0].Query, "event_type=AUTH_LOG")
	assert.Equal(t, "Bearer "+DefaultKey, seen[1].Header.Get("Authorization"))
	assert.Equal(t, noon.Add(time.Second), seen[1].At)
	assert.True(t, strings.HasSuffix(location, seen[2].Query))
	assert.Equal(t, "1", seen[2].Header.Get("X-Test"))
}

// Expected counts each record by the uid a receiver must give it: its event id,
// else its file and the number of its line, blank lines counted.
func TestExpected(t *testing.T) {
	t.Parallel()
	api := New(Options{})
	first := api.Add("AUTH_LOG", noon, `{"event_id":"a"}`, `not JSON`, `{"event_id":7}`, `{"event_id":"a"}`, `[]`)
	second := api.Add("AUTH_LOG", noon, `{"event_id":"a"}`, ``, ` `, `{}`)
	assert.Equal(t, map[string]int{
		"a": 3, first.ID + ":2": 1, first.ID + ":3": 1, first.ID + ":5": 1, second.ID + ":4": 1,
	}, Expected([]*File{first, second}))
}

// Content whose ids were not given counts by its lines; only JSON's own blanks
// make a line blank.
func TestExpectedWithoutIDs(t *testing.T) {
	t.Parallel()
	api := New(Options{})
	file := api.AddContent("AUTH_LOG", noon, []byte("{}\n \t\r\n\f\n{}"), nil)
	require.NotPanics(t, func() {
		assert.Equal(t, map[string]int{file.ID + ":1": 1, file.ID + ":3": 1, file.ID + ":4": 1}, Expected([]*File{file}))
	})
}
