// Copyright The OpenTelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package compliance

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/openaicompliance/openaicompliancereceiver/internal/fakeapi"
)

// content is about 2 KiB of JSON Lines that no error may quote.
var content = func() []byte {
	var out bytes.Buffer
	for i := range 40 {
		fmt.Fprintf(&out, `{"event_id":"%d","type":"AUTH_LOG","text":"%s"}`+"\n", i, canary)
	}
	return out.Bytes()
}()

// The usual way: the API answers 307, a second host serves the file. Every call
// asks the API for a URL of its own.
func TestDownload(t *testing.T) {
	t.Parallel()
	api := newFakeAPI(t, fakeapi.Options{})
	file := api.AddContent("AUTH_LOG", morning, content, nil)
	var seen []observation
	c := newClient(t, api.URL, observeInto(&seen))
	page, err := c.Pages("AUTH_LOG", morning.Add(-1), time.Time{}, nil).Next(t.Context())
	require.NoError(t, err)
	require.Len(t, page.Entries, 1)
	seen = nil

	for range 2 {
		got, err := c.Download(t.Context(), page.Entries[0].File)
		require.NoError(t, err)
		assert.Equal(t, content, got.Bytes)
	}
	way := []observation{{OperationDownload, 307, false}, {OperationFetch, 200, false}}
	assert.Equal(t, append(way, way...), seen)
	requests := api.Requests()[1:]
	require.Len(t, requests, 4)
	assert.Equal(t, "/v1/compliance/workspaces/"+workspace+"/logs/"+file.ID, requests[0].Path)
	assert.Equal(t, "Bearer "+testKey, requests[0].Header.Get("Authorization"))
	assert.Equal(t, "storage", requests[1].Host)
	assert.Equal(t, "identity", requests[1].Header.Get("Accept-Encoding"), "the digest is of the bytes as they are")
}

// Answers that lead to the file by other ways than a 307.
func TestDownloadOtherWays(t *testing.T) {
	t.Parallel()
	storage := newHost(t, answering(200, string(content)))
	t.Run("200 with the file", func(t *testing.T) {
		t.Parallel()
		api := newHost(t, answering(200, string(content)))
		var seen []observation
		got, err := newClient(t, api.URL, observeInto(&seen)).Download(t.Context(), fileOf(content))
		require.NoError(t, err)
		assert.Equal(t, content, got.Bytes)
		assert.Equal(t, []observation{{OperationDownload, 200, false}}, seen)
	})
	for _, status := range []int{302, 303, 307, 308} {
		t.Run(strconv.Itoa(status), func(t *testing.T) {
			t.Parallel()
			c := newClient(t, newRedirector(t, status, storage.URL+"/blob").URL)
			got, err := c.Download(t.Context(), fileOf(content))
			require.NoError(t, err)
			assert.Equal(t, content, got.Bytes)
		})
	}
	t.Run("an empty file", func(t *testing.T) {
		t.Parallel()
		c, _ := newStorage(t, answering(200, ""))
		got, err := c.Download(t.Context(), fileOf(nil))
		require.NoError(t, err)
		assert.Empty(t, got.Bytes)
		assert.True(t, got.Verified)
	})
	t.Run("an id that needs escaping", func(t *testing.T) {
		t.Parallel()
		api := newHost(t, answering(200, string(content)))
		file := fileOf(content)
		file.ID = "../x?y#z"
		_, err := newClient(t, api.URL).Download(t.Context(), file)
		require.NoError(t, err)
		assert.Equal(t, "/workspaces/"+workspace+"/logs/..%2Fx%3Fy%23z", api.seen()[0].URL.EscapedPath())
	})
}

// A refusal keeps its status. What a signed host says is not repeated, because
// it may quote the signed URL; what the API says is.
func TestDownloadRefused(t *testing.T) {
	t.Parallel()
	for _, status := range []int{400, 403, 404, 410, 429, 500, 503} {
		c, _ := newStorage(t, answering(status, `{"message":"sig=`+signature+`"}`, "Retry-After", "7"))
		var seen []observation
		observeInto(&seen)(&c.Settings)
		got, err := c.Download(t.Context(), fileOf(content))
		refused := requireErrorAs[*StatusError](t, err)
		want := StatusError{Op: OperationFetch, Status: status, Host: "127.0.0.1"}
		if status == 429 || status == 503 {
			want.RetryAfter = 7 * time.Second
		}
		assert.Equal(t, want, *refused)
		assert.Empty(t, got)
		assert.Equal(t, []observation{{OperationDownload, 307, false}, {OperationFetch, status, true}}, seen)
	}
	api := newHost(t, answering(404, `{"detail":"Log file not found"}`))
	_, err := newClient(t, api.URL).Download(t.Context(), fileOf(content))
	refused := requireErrorAs[*StatusError](t, err)
	assert.Equal(t, StatusError{Op: OperationDownload, Status: 404, Message: "Log file not found", Key: KeyAdmin}, *refused)
}

// An expired signed URL is not asked for again: the next try begins at the API.
func TestDownloadStartsAgainAtTheAPI(t *testing.T) {
	t.Parallel()
	api := newFakeAPI(t, fakeapi.Options{})
	api.AddContent("AUTH_LOG", morning, content, nil)
	api.Script(fakeapi.Fault{Op: "fetch", Times: 1, Status: 403, Body: "sig=" + signature})
	file := fileOf(content)
	file.ID = api.Files("AUTH_LOG")[0].ID
	c := newClient(t, api.URL)
	_, err := c.Download(t.Context(), file)
	requireKind[*StatusError](t, err)
	got, err := c.Download(t.Context(), file)
	require.NoError(t, err)
	assert.Equal(t, content, got.Bytes)
	assert.Len(t, api.Requests(), 4)
}

// The limit is checked against the listing before anything is asked.
func TestDownloadTooLarge(t *testing.T) {
	t.Parallel()
	c, storage := newStorage(t, answering(200, string(content)), func(s *Settings) { s.MaxFileSize = int64(len(content)) })
	_, err := c.Download(t.Context(), fileOf(content))
	require.NoError(t, err, "the limit itself is allowed")

	file := fileOf(content)
	file.Size++
	var seen []observation
	observeInto(&seen)(&c.Settings)
	_, err = c.Download(t.Context(), file)
	requireSafe(t, err)
	require.ErrorIs(t, err, ErrTooLarge)
	assert.Empty(t, seen)
	assert.Len(t, storage.seen(), 1)
}

// Waits of a download, in virtual time and to the second.
func TestDownloadTimesOut(t *testing.T) {
	t.Parallel()
	drip := func(every time.Duration) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Length", strconv.Itoa(len(content)))
			for i := range content {
				_, _ = w.Write(content[i : i+1])
				w.(http.Flusher).Flush()
				select {
				case <-time.After(every):
				case <-r.Context().Done():
					return
				}
			}
		}
	}
	half := func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Length", strconv.Itoa(len(content)))
		_, _ = w.Write(content[:len(content)/2])
		w.(http.Flusher).Flush()
		<-r.Context().Done()
	}
	after := func(wait time.Duration, then http.HandlerFunc) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			time.Sleep(wait)
			then(w, r)
		}
	}
	const second = time.Second
	tests := map[string]struct {
		api, storage           http.HandlerFunc
		header, stall, timeout time.Duration
		wantAfter              time.Duration
		wantOp                 Operation // empty: the file arrives
		wantErr                error
	}{
		"half a body and then nothing":          {redirecting, half, 60 * second, 30 * second, time.Hour, 30 * second, OperationFetch, errStalled},
		"the API does not answer":               {hanging, half, 0, 30 * second, time.Hour, 30 * second, OperationDownload, errStalled},
		"the storage does not answer":           {redirecting, hanging, 0, 30 * second, time.Hour, 30 * second, OperationFetch, errStalled},
		"a header may take longer than a stall": {redirecting, hanging, 60 * second, 30 * second, time.Hour, 30 * second, OperationFetch, errStalled},
		"no header of the API in time":          {hanging, half, 5 * second, 30 * second, time.Hour, 5 * second, OperationDownload, errTimeout},
		"no header of the storage in time":      {redirecting, hanging, 5 * second, 30 * second, time.Hour, 5 * second, OperationFetch, errTimeout},
		"each header in time":                   {after(4*second, redirecting), after(4*second, answering(200, string(content))), 5 * second, 30 * second, time.Hour, 8 * second, "", nil},
		"a body slower than a header may be":    {redirecting, drip(6 * second), 5 * second, 30 * second, 100 * time.Hour, time.Duration(len(content)-1) * 6 * second, "", nil},
		"slow, but never stalled":               {redirecting, drip(29 * second), 60 * second, 30 * second, 100 * time.Hour, time.Duration(len(content)-1) * 29 * second, "", nil},
		"slower than StallTimeout allows":       {redirecting, drip(31 * second), 60 * second, 30 * second, 100 * time.Hour, 30 * second, OperationFetch, errStalled},
		"a byte a second, for too long":         {redirecting, drip(second), 60 * second, 30 * second, 5 * time.Minute, 5 * time.Minute, OperationFetch, errTimeout},
		"a header that DownloadTimeout beats":   {redirecting, hanging, 60 * second, 90 * second, 10 * second, 10 * second, OperationFetch, errTimeout},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			inBubble(t, tt.api, tt.storage, func(t *testing.T, set Settings) {
				t.Helper()
				set.HeaderTimeout, set.StallTimeout, set.DownloadTimeout = tt.header, tt.stall, tt.timeout
				start := time.Now()
				got, err := NewClient(set).Download(t.Context(), fileOf(content))
				assert.Equal(t, tt.wantAfter, time.Since(start))
				if tt.wantErr == nil {
					require.NoError(t, err)
					assert.Equal(t, content, got.Bytes)
					return
				}
				failed := requireErrorAs[*RequestError](t, err)
				assert.Equal(t, tt.wantOp, failed.Op)
				require.ErrorIs(t, err, tt.wantErr)
				assert.Empty(t, got)
			})
		})
	}
}

// A file without an id would ask for the list.
func TestDownloadWithoutID(t *testing.T) {
	t.Parallel()
	api := newHost(t, answering(200, string(content)))
	file := fileOf(content)
	file.ID = ""
	_, err := newClient(t, api.URL).Download(t.Context(), file)
	requireKind[*RequestError](t, err)
	assert.Empty(t, api.seen())
}

// An error page that does not end is a refusal all the same: its status and its
// Retry-After count, of the API and of the storage.
func TestDownloadRefusedByAPageThatHangs(t *testing.T) {
	t.Parallel()
	busy := func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Retry-After", "7")
		w.WriteHeader(http.StatusTooManyRequests)
		_, _ = io.WriteString(w, canary)
		w.(http.Flusher).Flush()
		<-r.Context().Done()
	}
	for op, api := range map[Operation]http.HandlerFunc{OperationDownload: busy, OperationFetch: redirecting} {
		inBubble(t, api, busy, func(t *testing.T, set Settings) {
			t.Helper()
			set.DownloadTimeout = time.Hour
			_, err := NewClient(set).Download(t.Context(), fileOf(content))
			refused := requireErrorAs[*StatusError](t, err)
			want := StatusError{Op: op, Status: 429, RetryAfter: 7 * time.Second}
			if op == OperationDownload {
				want.Key = KeyAdmin
			} else {
				want.Host = "127.0.0.1"
			}
			assert.Equal(t, want, *refused)
		})
	}
}

// A canceled download ends at once and says that it was canceled, not that it
// stalled.
func TestDownloadCancelled(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	c, _ := newStorage(t, func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.WriteString(w, canary)
		w.(http.Flusher).Flush()
		cancel()
		<-r.Context().Done()
	})
	got, err := c.Download(ctx, fileOf(content))
	requireKind[*RequestError](t, err)
	require.ErrorIs(t, err, context.Canceled)
	assert.Empty(t, got)
}
