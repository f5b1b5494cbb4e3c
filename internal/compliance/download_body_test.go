// Copyright The OpenTelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package compliance

import (
	"bytes"
	"compress/gzip"
	"context"
	"fmt"
	"net"
	"net/http"
	"net/http/httputil"
	"runtime"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func gzipped(t *testing.T, content []byte) []byte {
	t.Helper()
	var out bytes.Buffer
	w := gzip.NewWriter(&out)
	_, err := w.Write(content)
	require.NoError(t, err)
	require.NoError(t, w.Close())
	return out.Bytes()
}

// framing writes a whole answer: head, and body as it stands on the wire.
type framing struct {
	head string
	body func(t *testing.T) []byte
}

func plain(*testing.T) []byte { return content }

func chunked(t *testing.T) []byte {
	t.Helper()
	var out bytes.Buffer
	w := httputil.NewChunkedWriter(&out)
	for part := range bytes.Lines(content) {
		_, err := w.Write(part)
		require.NoError(t, err)
	}
	require.NoError(t, w.Close())
	return append(out.Bytes(), "\r\n"...)
}

var framings = map[string]framing{
	"Content-Length":            {"HTTP/1.1 200 OK\r\nContent-Length: LENGTH\r\n\r\n", plain},
	"chunked":                   {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", chunked},
	"HTTP/1.0 without a length": {"HTTP/1.0 200 OK\r\n\r\n", plain},
	"HTTP/1.1 until it closes":  {"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n", plain},
	"gzip with Content-Length":  {"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: LENGTH\r\n\r\n", func(t *testing.T) []byte { t.Helper(); return gzipped(t, content) }},
	"gzip until it closes":      {"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nConnection: close\r\n\r\n", func(t *testing.T) []byte { t.Helper(); return gzipped(t, content) }},
}

// wire is a transport whose every connection gets the same bytes and then ends.
func wire(answer []byte) *http.Transport {
	return &http.Transport{DisableKeepAlives: true, DialContext: func(context.Context, string, string) (net.Conn, error) {
		client, server := net.Pipe()
		go func() {
			defer func() { _ = server.Close() }()
			_, _ = server.Read(make([]byte, 64<<10)) // the request's header comes in one piece
			_, _ = server.Write(answer)
		}()
		return client, nil
	}}
}

// A body that is cut never counts as the file, wherever the cut is and whether
// or not the framing shows it: two of these end in a clean EOF.
func TestDownloadRefusesEveryCut(t *testing.T) {
	t.Parallel()
	api := newRedirector(t, http.StatusTemporaryRedirect, "/blob?sig="+signature)
	for name, f := range framings {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			body := f.body(t)
			head := strings.Replace(f.head, "LENGTH", strconv.Itoa(len(body)), 1)
			set := settings(t, api.URL)
			download := func(cut int) ([]byte, error) {
				set.Signed = wire(append([]byte(head), body[:cut]...))
				return NewClient(set).Download(t.Context(), fileOf(content))
			}
			got, err := download(len(body))
			require.NoError(t, err)
			require.Equal(t, content, got)
			for cut := range body {
				got, err := download(cut)
				requireSafe(t, err)
				require.Nil(t, got, "cut at %d", cut)
			}
		})
	}
}

// A complete body that is not the listed file is an IntegrityError, which says
// what is wrong and quotes nothing.
func TestDownloadVerifies(t *testing.T) {
	t.Parallel()
	file := fileOf(content)
	flipped := bytes.Clone(content)
	flipped[len(flipped)/2] ^= 1
	tests := map[string]struct {
		body []byte
		list func(*File)
		want string
	}{
		"a byte less":          {content[:len(content)-1], nil, fmt.Sprintf("body has %d bytes", len(content)-1)},
		"a byte more":          {append(bytes.Clone(content), '\n'), nil, fmt.Sprintf("body has %d bytes", len(content)+1)},
		"far more bytes":       {bytes.Repeat(content, 500), nil, "bytes, the listing says"},
		"empty":                {nil, nil, "body has 0 bytes"},
		"one bit flipped":      {flipped, nil, "body has SHA-256 " + fileOf(flipped).SHA256},
		"another digest":       {content, func(f *File) { f.SHA256 = goodSHA }, "the listing says " + goodSHA},
		"another size":         {content, func(f *File) { f.Size++ }, fmt.Sprintf("the listing says %d", len(content)+1)},
		"an error page as 200": {[]byte("<Error>sig=" + signature + "</Error>"), nil, "body has"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c, _ := newStorage(t, answering(200, string(tt.body)))
			listed := file
			if tt.list != nil {
				tt.list(&listed)
			}
			got, err := c.Download(t.Context(), listed)
			requireKind[*IntegrityError](t, err)
			require.ErrorContains(t, err, tt.want)
			assert.Nil(t, got)
		})
	}
}

// Of a body that is far too long only a little more than the listed size is read.
func TestDownloadBoundsTheBody(t *testing.T) {
	t.Parallel()
	var left atomic.Bool
	c, _ := newStorage(t, endless(string(content), &left))
	_, err := c.Download(t.Context(), fileOf(content))
	mismatch := requireErrorAs[*IntegrityError](t, err)
	assert.Equal(t, Room(int64(len(content))), mismatch.GotSize)
	require.Eventually(t, left.Load, time.Minute, time.Millisecond, "the rest is not read")
}

// A body that is not the listed file comes with the error, inflated, if it is
// known to be complete: not if its end is that of the connection, as with a cut,
// nor if it is so long that the rest was not read.
func TestIntegrityErrorHoldsCompleteContent(t *testing.T) {
	t.Parallel()
	api := newRedirector(t, http.StatusTemporaryRedirect, "/blob?sig="+signature)
	known := map[string]bool{
		"Content-Length": true, "chunked": true, "gzip with Content-Length": true,
		"HTTP/1.0 without a length": false, "HTTP/1.1 until it closes": false, "gzip until it closes": false,
	}
	require.Len(t, known, len(framings))
	other := fileOf(content)
	other.SHA256 = goodSHA
	for name, complete := range known {
		f := framings[name]
		body := f.body(t)
		set := settings(t, api.URL)
		set.Signed = wire(append([]byte(strings.Replace(f.head, "LENGTH", strconv.Itoa(len(body)), 1)), body...))
		got, err := NewClient(set).Download(t.Context(), other)
		assert.Nil(t, got, name)
		mismatch := requireErrorAs[*IntegrityError](t, err)
		if complete {
			assert.Equal(t, content, mismatch.Content, name)
		} else {
			assert.Nil(t, mismatch.Content, name)
		}
	}
	limit := int(Room(int64(len(content))))
	for length, complete := range map[int]bool{len(content) - 1: true, limit - 1: true, limit: false, 1 << 20: false} {
		body := bytes.Repeat([]byte("x"), length)
		c, _ := newStorage(t, answering(200, string(body), "Content-Length", strconv.Itoa(length)))
		_, err := c.Download(t.Context(), fileOf(content))
		assert.Equal(t, complete, requireErrorAs[*IntegrityError](t, err).Content != nil, length)
	}
}

// The digest may be of the bytes on the wire or of what they inflate to; the
// file is what they inflate to.
func TestDownloadDecodes(t *testing.T) {
	t.Parallel()
	packed := gzipped(t, content)
	other := gzipped(t, bytes.Replace(content, []byte(`"0"`), []byte(`"9"`), 1))
	longer := gzipped(t, append(bytes.Clone(content), '\n'))
	tests := map[string]struct {
		encoding string
		body     []byte
		file     File
		wantErr  string
	}{
		"identity":                          {"identity", content, fileOf(content), ""},
		"gzip, digest of the content":       {"gzip", packed, fileOf(content), ""},
		"gzip, digest of the wire":          {"gzip", packed, fileOf(packed), ""},
		"x-gzip":                            {"x-gzip", packed, fileOf(content), ""},
		"names of codings know no case":     {"GZIP", packed, fileOf(content), ""},
		"gzip, neither digest":              {"gzip", other, fileOf(content), "verify: body has SHA-256"},
		"gzip, longer than listed":          {"gzip", longer, fileOf(content), "larger than"},
		"gzip, cut, with the wire's digest": {"gzip", packed[:len(packed)-1], fileOf(packed[:len(packed)-1]), "inflate"},
		"gzip, though it is none":           {"gzip", []byte(canary), fileOf(content), "inflate"},
		"gzip, damaged":                     {"gzip", append(bytes.Clone(packed[:len(packed)-8]), "12345678"...), fileOf(content), "inflate"},
		"unknown":                           {"br", content, fileOf(content), `content encoding "br" is not supported`},
		"nested":                            {"gzip, gzip", gzipped(t, packed), fileOf(content), "is not supported"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c, _ := newStorage(t, answering(200, string(tt.body), "Content-Encoding", tt.encoding))
			got, err := c.Download(t.Context(), tt.file)
			if tt.wantErr == "" {
				require.NoError(t, err)
				assert.Equal(t, content, got)
				return
			}
			requireSafe(t, err)
			require.ErrorContains(t, err, tt.wantErr)
			assert.Nil(t, got)
		})
	}
}

// A gigabyte in a megabyte: inflating stops at the limit, long before memory is
// full. Not parallel, because it measures what is allocated.
func TestDownloadStopsABomb(t *testing.T) {
	bomb := bytes.Repeat(gzipped(t, make([]byte, 1<<20)), 1<<10)
	small := fileOf(content)
	large := small
	large.Size = int64(len(bomb))
	for name, file := range map[string]File{
		"listed small":                 small,
		"listed as large as the wire":  large,
		"listed with the wire's bytes": fileOf(bomb),
	} {
		t.Run(name, func(t *testing.T) {
			c, _ := newStorage(t, answering(200, string(bomb), "Content-Encoding", "gzip"), func(s *Settings) { s.MaxFileSize = 4 << 20 })
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			got, err := c.Download(t.Context(), file)
			runtime.ReadMemStats(&after)
			requireKind[*RequestError](t, err)
			require.ErrorContains(t, err, "larger than")
			assert.Nil(t, got)
			assert.Less(t, after.TotalAlloc-before.TotalAlloc, uint64(64<<20))
		})
	}
}
