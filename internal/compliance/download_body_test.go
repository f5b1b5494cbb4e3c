// Copyright The OpenTelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package compliance

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httputil"
	"runtime"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"testing/iotest"
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
			download := func(cut int) (Content, error) {
				set.Signed = wire(append([]byte(head), body[:cut]...))
				return NewClient(set).Download(t.Context(), fileOf(content))
			}
			got, err := download(len(body))
			require.NoError(t, err)
			require.Equal(t, content, got.Bytes)
			for cut := range body {
				got, err := download(cut)
				requireSafe(t, err)
				require.Empty(t, got, "cut at %d", cut)
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
		"a byte more":          {append(bytes.Clone(content), '\n'), nil, fmt.Sprintf("body has more bytes than the %d", len(content))},
		"far more bytes":       {bytes.Repeat(content, 500), nil, "body has more bytes than"},
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
			assert.Empty(t, got)
		})
	}
}

// Of a body that is too long only a byte more than the listed size is read.
func TestDownloadBoundsTheBody(t *testing.T) {
	t.Parallel()
	var left atomic.Bool
	c, _ := newStorage(t, endless(string(content), &left))
	_, err := c.Download(t.Context(), fileOf(content))
	mismatch := requireErrorAs[*IntegrityError](t, err)
	assert.Equal(t, int64(len(content))+1, mismatch.GotSize)
	require.Eventually(t, left.Load, time.Minute, time.Millisecond, "the rest is not read")
}

// A body that is not the listed file comes with the error, inflated, if it is
// known to be complete, and as long as listed: not if its end is that of the
// connection, as with a cut.
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
		assert.Empty(t, got, name)
		mismatch := requireErrorAs[*IntegrityError](t, err)
		if complete {
			assert.Equal(t, content, mismatch.Content, name)
		} else {
			assert.Nil(t, mismatch.Content, name)
		}
	}
	for _, length := range []int{0, len(content) - 1, len(content) + 1, 1 << 20} {
		body := bytes.Repeat([]byte("x"), length)
		c, _ := newStorage(t, answering(200, string(body), "Content-Length", strconv.Itoa(length)))
		_, err := c.Download(t.Context(), fileOf(content))
		assert.Nil(t, requireErrorAs[*IntegrityError](t, err).Content, "of another size")
	}
}

// The listed bytes are the file, whatever the answer says that they are.
func TestDownloadLetsBytesDecide(t *testing.T) {
	t.Parallel()
	for _, encoding := range []string{
		"identity", "gzip", "x-gzip", "aws-chunked", "UTF-8", "binary", "none", "null", "deflate", "br", "identity,aws-chunked", "gzip, gzip", canary,
	} {
		for _, status := range []int{200, 201, 203, 206, 226} {
			c, _ := newStorage(t, answering(status, string(content), "Content-Encoding", encoding, "Content-Type", "text/html"))
			got, err := c.Download(t.Context(), fileOf(content))
			require.NoError(t, err, "%s, %d", encoding, status)
			assert.Equal(t, Content{Bytes: content, SHA256: fileOf(content).SHA256, Verified: true}, got)
		}
	}
}

// listed is a file's listing with other sizes and digests.
func listed(size int64, sha256 string) File {
	return File{ID: "eclf_1", EndTime: noon, Size: size, SHA256: sha256}
}

// A body that begins like gzip is inflated, whatever it is labeled. The digest may be
// of the bytes as sent or of what they inflate to; the file is what they inflate to.
func TestDownloadInflates(t *testing.T) {
	t.Parallel()
	packed := gzipped(t, content)
	other := bytes.Replace(content, []byte(`"0"`), []byte(`"9"`), 1)
	random := make([]byte, 2000) // cannot be compressed: longer as gzip
	for i := range random {
		random[i] = byte(rand.Uint32())
	}
	stored := gzipped(t, random)
	size := int64(len(content))
	digest := func(content []byte) string { return fileOf(content).SHA256 }
	tests := map[string]struct {
		body    []byte
		file    File
		want    []byte
		wantErr string
	}{
		"digest of the content":                  {packed, fileOf(content), content, ""},
		"size of the content, digest as sent":    {packed, listed(size, digest(packed)), content, ""},
		"size and digest as sent, larger inside": {packed, fileOf(packed), nil, "larger than"},
		"size and digest as sent, smaller":       {stored, fileOf(stored), random, ""},
		"size as sent, digest of the content":    {stored, listed(int64(len(stored)), digest(random)), nil, "body has 2000 bytes"},
		"two members":                            {append(gzipped(t, content[:99]), gzipped(t, content[99:])...), fileOf(content), content, ""},
		"an empty file":                          {gzipped(t, nil), fileOf(nil), []byte{}, ""},
		"neither digest":                         {gzipped(t, other), fileOf(content), nil, "verify: body has SHA-256 " + digest(other)},
		"a byte longer than listed":              {gzipped(t, append(bytes.Clone(content), '\n')), fileOf(content), nil, "larger than"},
		"a byte shorter than listed":             {gzipped(t, content[1:]), fileOf(content), nil, fmt.Sprintf("body has %d bytes", size-1)},
		"cut":                                    {packed[:len(packed)-1], fileOf(content), nil, "inflate"},
		"cut, listed as sent":                    {packed[:len(packed)-1], fileOf(packed[:len(packed)-1]), nil, ""},
		"damaged":                                {append(bytes.Clone(packed[:len(packed)-8]), "12345678"...), fileOf(content), nil, "inflate"},
		"no more than its magic":                 {gzipMagic, fileOf(content), nil, "inflate"},
		"no more than half of its magic":         {gzipMagic[:2], fileOf(gzipMagic[:2]), gzipMagic[:2], ""},
		"packed twice":                           {gzipped(t, packed), fileOf(content), nil, "body has"},
		"endless, of nothing":                    {bytes.Repeat(gzipped(t, nil), 10_000), fileOf(nil), nil, "far longer"},
	}
	for name, tt := range tests {
		for _, encoding := range []string{"gzip", "", "aws-chunked"} {
			t.Run(name+" "+encoding, func(t *testing.T) {
				t.Parallel()
				c, _ := newStorage(t, answering(200, string(tt.body), "Content-Encoding", encoding))
				got, err := c.Download(t.Context(), tt.file)
				if tt.want != nil {
					require.NoError(t, err)
					assert.Equal(t, Content{Bytes: tt.want, SHA256: fileOf(tt.want).SHA256, Verified: true}, got)
					return
				}
				requireSafe(t, err)
				require.ErrorContains(t, err, tt.wantErr)
				assert.Empty(t, got)
				if mismatch, ok := errors.AsType[*IntegrityError](err); !ok {
					require.ErrorIs(t, err, ErrUnreadable)
				} else {
					assert.Equal(t, digest(tt.body), mismatch.SentSHA256)
				}
			})
		}
	}
}

// A listing may leave out size or digest. What the digest does not vouch for is not
// verified, and must at least end where its framing says.
func TestDownloadOfUnknownSizeOrDigest(t *testing.T) {
	t.Parallel()
	packed := gzipped(t, content)
	size, digest := int64(len(content)), fileOf(content).SHA256
	flipped := bytes.Clone(content)
	flipped[9] ^= 1
	const marked, unmarked = "HTTP/1.1 200 OK\r\nContent-Length: LENGTH\r\n\r\n", "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n"
	tests := map[string]struct {
		head     string
		body     []byte
		file     File
		max      int64
		verified bool
		wantErr  error // nil: content comes
	}{
		"no size":                        {unmarked, content, listed(-1, digest), size, true, nil},
		"no size, gzip":                  {unmarked, packed, listed(-1, digest), size, true, nil},
		"no size, gzip, digest as sent":  {unmarked, packed, listed(-1, fileOf(packed).SHA256), size, true, nil},
		"no size, other bytes":           {marked, flipped, listed(-1, digest), size, false, &IntegrityError{}},
		"no size, cut":                   {unmarked, content[:99], listed(-1, digest), size, false, &IntegrityError{}},
		"no size, too large":             {marked, content, listed(-1, digest), size - 1, false, ErrTooLarge},
		"no size, gzip, too large":       {marked, packed, listed(-1, digest), size - 1, false, ErrUnreadable},
		"no digest":                      {unmarked, content, listed(size, ""), size, false, nil},
		"no digest, gzip":                {unmarked, packed, listed(size, ""), size, false, nil},
		"no digest, shorter":             {marked, content[1:], listed(size, ""), size, false, &IntegrityError{}},
		"no digest, longer":              {marked, append(bytes.Clone(content), 'x'), listed(size, ""), size, false, &IntegrityError{}},
		"neither":                        {marked, content, listed(-1, ""), size, false, nil},
		"neither, gzip":                  {marked, packed, listed(-1, ""), size, false, nil},
		"neither, perhaps cut":           {unmarked, content, listed(-1, ""), size, false, ErrUnreadable},
		"neither, too large":             {marked, content, listed(-1, ""), size - 1, false, ErrTooLarge},
		"neither, no bound of its own":   {marked, content, listed(-1, ""), math.MaxInt64, false, nil},
		"no digest, no bound of its own": {marked, content, listed(size, ""), math.MaxInt64, false, nil},
	}
	api := newRedirector(t, http.StatusTemporaryRedirect, "/blob?sig="+signature)
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			set := settings(t, api.URL)
			set.MaxFileSize = tt.max
			set.Signed = wire(append([]byte(strings.Replace(tt.head, "LENGTH", strconv.Itoa(len(tt.body)), 1)), tt.body...))
			got, err := NewClient(set).Download(t.Context(), tt.file)
			if tt.wantErr == nil {
				require.NoError(t, err)
				assert.Equal(t, Content{Bytes: content, SHA256: digest, Verified: tt.verified}, got)
				return
			}
			assert.Empty(t, got)
			requireSafe(t, err)
			if _, ok := errors.AsType[*IntegrityError](tt.wantErr); !ok {
				require.ErrorIs(t, err, tt.wantErr)
				return
			}
			mismatch := requireErrorAs[*IntegrityError](t, err)
			assert.Equal(t, tt.file.Size, mismatch.WantSize)
			assert.Equal(t, name == "no size, other bytes", mismatch.Content != nil)
		})
	}
}

// A listed size is what somebody says: an absurd one overflows nothing, and takes no
// memory that no bytes come for.
func TestDownloadOfAbsurdSize(t *testing.T) {
	t.Parallel()
	for _, size := range []int64{math.MaxInt64, math.MaxInt64 - 1, math.MaxInt64 - 5000, 1 << 40} {
		for _, body := range [][]byte{content, gzipped(t, content)} {
			c, _ := newStorage(t, answering(200, string(body)), func(s *Settings) { s.MaxFileSize = math.MaxInt64 })
			_, err := c.Download(t.Context(), listed(size, goodSHA))
			mismatch := requireErrorAs[*IntegrityError](t, err)
			assert.Equal(t, int64(len(content)), mismatch.GotSize)
		}
		assert.Greater(t, Room(size), int64(1<<40))
	}
	assert.Equal(t, int64(math.MaxInt64), Room(math.MaxInt64))
	assert.Positive(t, Room(-1))
}

// A body larger than what is taken at first comes whole.
func TestReadBodyGrows(t *testing.T) {
	t.Parallel()
	for _, size := range []int{0, 1, unlistedRoom - 1, unlistedRoom, unlistedRoom + 1, 5 * unlistedRoom} {
		want := bytes.Repeat([]byte("0123456"), size/7+1)[:size]
		for _, limit := range []int64{int64(size), int64(size) + 1, math.MaxInt64} {
			for _, sent := range [][]byte{want, gzipped(t, want)} {
				got, err := readBody(iotest.OneByteReader(bytes.NewReader(sent)), limit, false)
				require.NoError(t, err)
				assert.Equal(t, fileOf(want).SHA256, got.sum.String())
				assert.Equal(t, fileOf(sent).SHA256, got.sentSum.String())
				assert.True(t, bytes.Equal(want, got.bytes))
				assert.False(t, got.more)
				assert.LessOrEqual(t, int64(cap(got.bytes)), limit)
			}
		}
	}
}

// A gigabyte in a megabyte: inflating stops at the listed size, long before memory is
// full. Not parallel, because it measures what is allocated.
func TestDownloadStopsABomb(t *testing.T) {
	bomb := bytes.Repeat(gzipped(t, make([]byte, 1<<20)), 1<<10)
	for name, file := range map[string]File{
		"listed small":               fileOf(content),
		"listed as large as sent":    listed(int64(len(bomb)), goodSHA),
		"listed with the sent bytes": fileOf(bomb),
		"not listed in size":         listed(-1, goodSHA),
	} {
		for _, encoding := range []string{"gzip", ""} {
			t.Run(name+" "+encoding, func(t *testing.T) {
				c, _ := newStorage(t, answering(200, string(bomb), "Content-Encoding", encoding), func(s *Settings) { s.MaxFileSize = 4 << 20 })
				var before, after runtime.MemStats
				runtime.ReadMemStats(&before)
				got, err := c.Download(t.Context(), file)
				runtime.ReadMemStats(&after)
				requireKind[*RequestError](t, err)
				require.ErrorIs(t, err, ErrUnreadable)
				require.ErrorContains(t, err, "larger than")
				assert.Empty(t, got)
				assert.Less(t, after.TotalAlloc-before.TotalAlloc, uint64(16<<20))
			})
		}
	}
}
