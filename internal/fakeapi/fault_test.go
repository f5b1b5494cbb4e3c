// Copyright The OpenTelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package fakeapi

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"math/bits"
	"net/http"
	"net/http/httptest"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const text = `{"event_id":"1","type":"AUTH_LOG"}`

// faulty runs an API with one file and the given script, and returns a way to
// fetch the file from its signed URL.
func faulty(t *testing.T, faults ...Fault) (api *API, file *File, fetch func() answer) {
	t.Helper()
	api, _ = start(t, Options{})
	file = api.Add("AUTH_LOG", noon, text)
	api.Script(faults...)
	return api, file, func() answer { return ask(t, signedURL(t, api, file)) }
}

func status(t *testing.T, api *API, eventType string) int {
	t.Helper()
	return withKey(t, api.URL+workspaceLogs+"?after=2026-01-01T00:00:00Z&event_type="+eventType).status
}

// Skip lets requests through, Times bounds how many a fault meets, 0 means all.
func TestFaultCounts(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		faults []Fault
		want   []int
	}{
		"always":              {[]Fault{{Op: "list", Status: 500}}, []int{500, 500, 500}},
		"once":                {[]Fault{{Op: "list", Status: 500, Times: 1}}, []int{500, 200, 200}},
		"twice after one":     {[]Fault{{Op: "list", Status: 500, Skip: 1, Times: 2}}, []int{200, 500, 500, 200}},
		"all after two":       {[]Fault{{Op: "list", Status: 500, Skip: 2}}, []int{200, 200, 500, 500}},
		"one after the other": {[]Fault{{Op: "list", Status: 500, Times: 1}, {Op: "list", Status: 429, Times: 1}}, []int{500, 429, 200}},
		"the first decides":   {[]Fault{{Op: "list", Status: 500}, {Op: "list", Status: 429}}, []int{500, 500}},
		"another operation":   {[]Fault{{Op: "download", Status: 500}, {Op: "fetch", Status: 500}}, []int{200}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			api, _, _ := faulty(t, tt.faults...)
			var got []int
			for range tt.want {
				got = append(got, status(t, api, "AUTH_LOG"))
			}
			assert.Equal(t, tt.want, got)
			api.ClearScript()
			assert.Equal(t, 200, status(t, api, "AUTH_LOG"))
		})
	}
}

// A fault meets only the type and the file it names.
func TestFaultMeetsWhatItNames(t *testing.T) {
	t.Parallel()
	api, file, fetch := faulty(t, Fault{Op: "list", EventType: "AUDIT_LOG", Status: 500})
	other := api.Add("AUTH_LOG", noon, text)
	api.Script(Fault{Op: "download", FileID: other.ID, Status: 404}, Fault{Op: "fetch", FileID: other.ID, Status: 403})
	assert.Equal(t, 200, status(t, api, "AUTH_LOG"))
	assert.Equal(t, 500, status(t, api, "AUDIT_LOG"))
	assert.Equal(t, 200, fetch().status)
	assert.Equal(t, 404, withKey(t, api.URL+workspaceLogs+"/"+other.ID).status)
	api.ClearScript()
	api.Script(Fault{Op: "fetch", EventType: "AUDIT_LOG", Status: 403}, Fault{Op: "fetch", FileID: file.ID, Status: 500})
	assert.Equal(t, 200, ask(t, signedURL(t, api, other)).status)
	assert.Equal(t, 500, fetch().status)
}

// What a fault does to the answer of the storage host.
func TestFaultsOnTheBody(t *testing.T) {
	t.Parallel()
	whole := []byte(text + "\n")
	cut := func(n int) *int { return &n }
	tests := map[string]struct {
		fault Fault
		check func(t *testing.T, got answer)
	}{
		"status": {Fault{Status: 503, Header: map[string]string{"Retry-After": "7"}, Body: "busy"}, func(t *testing.T, got answer) {
			t.Helper()
			assert.Equal(t, 503, got.status)
			assert.Equal(t, "7", got.header.Get("Retry-After"))
			assert.Equal(t, "busy", string(got.body))
		}},
		"a header alone leaves the answer": {Fault{Header: map[string]string{"Content-Encoding": "br"}}, func(t *testing.T, got answer) {
			t.Helper()
			require.NoError(t, got.err)
			assert.Equal(t, "br", got.header.Get("Content-Encoding"))
			assert.Equal(t, whole, got.body)
		}},
		"truncate": {Fault{Truncate: cut(5)}, func(t *testing.T, got answer) {
			t.Helper()
			require.ErrorIs(t, got.err, io.ErrUnexpectedEOF)
			assert.Equal(t, whole[:5], got.body)
		}},
		"truncate to nothing": {Fault{Truncate: cut(0)}, func(t *testing.T, got answer) {
			t.Helper()
			require.ErrorIs(t, got.err, io.ErrUnexpectedEOF)
			assert.Empty(t, got.body)
		}},
		"truncate beyond the end": {Fault{Truncate: cut(5000)}, func(t *testing.T, got answer) {
			t.Helper()
			assert.Equal(t, whole, got.body)
		}},
		"corrupt": {Fault{Corrupt: true}, func(t *testing.T, got answer) {
			t.Helper()
			require.NoError(t, got.err)
			require.Len(t, got.body, len(whole))
			flipped := 0
			for i := range whole {
				flipped += bits.OnesCount8(whole[i] ^ got.body[i])
			}
			assert.Equal(t, 1, flipped)
		}},
		"extra": {Fault{Extra: "more"}, func(t *testing.T, got answer) {
			t.Helper()
			require.NoError(t, got.err)
			assert.Equal(t, append(bytes.Clone(whole), "more"...), got.body)
		}},
		"reset": {Fault{Reset: true}, func(t *testing.T, got answer) {
			t.Helper()
			require.Error(t, got.err)
			assert.Zero(t, got.status)
		}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			tt.fault.Op, tt.fault.Times = "fetch", 1
			_, file, fetch := faulty(t, tt.fault)
			tt.check(t, fetch())
			again := fetch()
			require.NoError(t, again.err)
			assert.Equal(t, file.Content, again.body, "the file itself is unharmed")
		})
	}
}

// The body that a fault spoils is the file where the API serves it directly, and
// the page where it lists.
func TestFaultsOnOtherBodies(t *testing.T) {
	t.Parallel()
	api, _ := start(t, Options{Direct: true})
	file := api.Add("AUTH_LOG", noon, text)
	cut := 5
	api.Script(Fault{Op: "download", Truncate: &cut}, Fault{Op: "list", Truncate: &cut})
	got := withKey(t, api.URL+workspaceLogs+"/"+file.ID)
	require.ErrorIs(t, got.err, io.ErrUnexpectedEOF)
	assert.Equal(t, file.Content[:cut], got.body)
	got = withKey(t, api.URL+workspaceLogs+"?after=2026-01-01T00:00:00Z&event_type=AUTH_LOG")
	require.ErrorIs(t, got.err, io.ErrUnexpectedEOF)
	assert.Len(t, got.body, cut)
}

// A stall sends half of the body, and ends when the client leaves.
func TestFaultStall(t *testing.T) {
	t.Parallel()
	api, file, _ := faulty(t, Fault{Op: "fetch", Stall: true})
	ctx, cancel := context.WithCancel(t.Context())
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, signedURL(t, api, file), http.NoBody)
	require.NoError(t, err)
	resp, err := client.Do(req)
	require.NoError(t, err)
	assert.Equal(t, file.Size, resp.ContentLength)
	half := make([]byte, file.Size/2)
	_, err = io.ReadFull(resp.Body, half)
	require.NoError(t, err)
	assert.Equal(t, file.Content[:len(half)], half)
	cancel()
	rest, err := io.ReadAll(resp.Body)
	require.ErrorIs(t, err, context.Canceled)
	assert.Empty(t, rest)
	require.NoError(t, resp.Body.Close())
}

// A delay comes before the answer, which may be the usual one; it is measured in
// virtual time.
func TestFaultDelay(t *testing.T) {
	t.Parallel()
	for _, fault := range []Fault{{}, {Status: 500}} {
		synctest.Test(t, func(t *testing.T) {
			api := New(Options{})
			fault.Op, fault.Delay = "list", Duration(3*time.Second)
			api.Script(fault)
			began := time.Now()
			recorder := httptest.NewRecorder()
			r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/v1/compliance"+workspaceLogs+"?event_type=AUTH_LOG&after=2026-01-01T00:00:00Z", http.NoBody)
			r.Header.Set("Authorization", "Bearer "+DefaultKey)
			api.Handler().ServeHTTP(recorder, r)
			assert.Equal(t, 3*time.Second, time.Since(began))
			assert.Equal(t, max(200, fault.Status), recorder.Code)
		})
	}
}

// A script is JSON; a delay is text such as "200ms".
func TestFaultScriptJSON(t *testing.T) {
	t.Parallel()
	var faults []Fault
	require.NoError(t, json.Unmarshal([]byte(`[
		{"op":"fetch","event_type":"AUTH_LOG","file_id":"x","skip":1,"times":2,"delay":"200ms","truncate":0,"corrupt":true,"extra":"e","stall":true,"reset":true},
		{"op":"list","status":429,"header":{"Retry-After":"7"},"body":"b"}]`), &faults))
	zero := 0
	assert.Equal(t, []Fault{
		{Op: "fetch", EventType: "AUTH_LOG", FileID: "x", Skip: 1, Times: 2, Delay: Duration(200 * time.Millisecond), Truncate: &zero, Corrupt: true, Extra: "e", Stall: true, Reset: true},
		{Op: "list", Status: 429, Header: map[string]string{"Retry-After": "7"}, Body: "b"},
	}, faults)
	for _, bad := range []string{`{"delay":200}`, `{"delay":"soon"}`, `{"delay":"5"}`, `{"delay":""}`} {
		require.Error(t, json.Unmarshal([]byte(bad), &Fault{}), bad)
	}
}
