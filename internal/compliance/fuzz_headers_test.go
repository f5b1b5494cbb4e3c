// Copyright The OpenTelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package compliance

import (
	"bytes"
	"io"
	"math"
	"net/http"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// numericAddress reads a host as the C library's inet_aton does, in one to four
// numbers, decimal, octal or hexadecimal.
func numericAddress(host string) (netip.Addr, bool) {
	parts := strings.Split(strings.TrimSuffix(host, "."), ".")
	if len(parts) > 4 {
		return netip.Addr{}, false
	}
	var value uint64
	for i, part := range parts {
		n, err := strconv.ParseUint(part, 0, 32)
		if err != nil || part == "" {
			return netip.Addr{}, false
		}
		if last := i == len(parts)-1; last {
			value += n
		} else {
			value += n << (8 * (3 - i))
		}
	}
	return netip.AddrFrom4([4]byte{byte(value >> 24), byte(value >> 16), byte(value >> 8), byte(value)}), true
}

// leadsInside judges an address by what net/netip knows of it, and not by the table.
func leadsInside(addr netip.Addr) bool {
	addr = addr.Unmap()
	return addr.IsLoopback() || addr.IsPrivate() || addr.IsLinkLocalUnicast() || addr.IsMulticast() || addr.IsUnspecified() ||
		addr.Is6() && !netip.MustParsePrefix("2000::/3").Contains(addr.WithZone("")) && !netip.MustParsePrefix("64:ff9b::/96").Contains(addr.WithZone(""))
}

// FuzzLocation: a Location is refused, with an error that holds nothing of its path or
// query, or leads to an https URL whose host is the same to every reader, is no
// address inside however it is read, and carries no user information.
func FuzzLocation(f *testing.F) {
	for _, location := range []string{
		"", "/", "//x", "https://blob.example.com/x", "http://blob.example.com/", "https://user@blob.example.com/", "https://127.1/", "https://0x7f.1/", "https://[::1]/",
		"https://[::ffff:169.254.169.254]/", "https://１２７.0.0.1/", "https://2130706433/", "https://blob.example.com:80:80/", "https://a%2eb/", "https:/\\127.0.0.1/", "https://blob.example.com\\@127.0.0.1/",
		"https://[fe80::1%25eth0]/", "https://a..b/", "https:blob.example.com", "\x00", "https://x/\x7f", " https://x/ ", "https://x#@127.0.0.1/", "https://x?@127.0.0.1/", "HTTPS://LOCALHOST./",
	} {
		f.Add(location)
	}
	api, err := url.Parse(publicEndpoint + "/workspaces/w/logs/f")
	require.NoError(f, err)
	c := NewClient(Settings{Endpoint: publicEndpoint, Policy: PolicyFor(publicEndpoint, nil)})
	f.Fuzz(func(t *testing.T, location string) {
		next, err := c.follow(api, location+"/"+canary+"?sig="+signature)
		if err != nil {
			refused, ok := err.(*RedirectError) //nolint:errorlint // no other error, wrapped or not
			require.True(t, ok, "%T", err)
			if !strings.Contains(strings.ToLower(refused.Host), strings.ToLower(canary)) { // a host that holds what was appended
				requireSafe(t, err)
			}
			return
		}
		host := next.Hostname()
		assert.Equal(t, "https", next.Scheme)
		assert.Nil(t, next.User)
		assert.Equal(t, shownHost(host), strings.ToLower(host), "the host can be named")
		again, err := url.Parse(next.String())
		require.NoError(t, err)
		assert.Equal(t, next.Host, again.Host)
		if addr, err := netip.ParseAddr(host); err == nil {
			assert.False(t, leadsInside(addr), host)
			return
		}
		_, numeric := numericAddress(host)
		assert.False(t, numeric, "%q is an address to inet_aton", host)
		assert.NotEqual(t, "localhost", strings.ToLower(strings.TrimSuffix(host, ".")))
		assert.Equal(t, -1, strings.IndexFunc(host, func(r rune) bool { return r > '~' || r <= ' ' }))
	})
}

// FuzzDate: the server's clock is unknown, or a time that can be stored, at most 30 days
// later than the Date.
func FuzzDate(f *testing.F) {
	for _, date := range []string{"", "Sat, 01 Aug 2026 12:00:00 GMT", "Saturday, 01-Aug-26 12:01:30 GMT", "Sat Aug  1 12:00:00 2026", "Fri, 31 Dec 9999 23:59:59 GMT", "Mon, 01 Jan 0001 00:00:00 GMT", "2026-08-01T12:00:00Z"} {
		for _, age := range []string{"", "0", " 7 ", "-1", "86400", "99999999999999999999", "1.5", "x"} {
			f.Add(date, age)
		}
	}
	f.Fuzz(func(t *testing.T, date, age string) {
		got := serverTime(http.Header{"Date": {date}, "Age": {age}})
		if got.IsZero() {
			return
		}
		_, err := got.MarshalJSON()
		require.NoError(t, err, "it is stored")
		sent, err := http.ParseTime(date)
		require.NoError(t, err)
		assert.False(t, got.Before(sent))
		assert.LessOrEqual(t, got.Sub(sent), 30*24*time.Hour)
	})
}

// FuzzRetryAfter: the wait is never negative, is what the digits or the date say, and 0
// for anything else.
func FuzzRetryAfter(f *testing.F) {
	for _, text := range []string{"", "0", "120", " 7 ", "-5", "+5", "1e3", "5, 6", "999999999999999999999", "Sat, 01 Aug 2026 12:01:30 GMT", "Fri, 31 Dec 9999 23:59:59 GMT", "٣"} {
		f.Add(text, "Sat, 01 Aug 2026 12:00:00 GMT")
		f.Add(text, "")
	}
	f.Fuzz(func(t *testing.T, text, date string) {
		got := retryAfter(http.Header{"Retry-After": {text}, "Date": {date}})
		assert.GreaterOrEqual(t, got, time.Duration(0))
		text = strings.TrimSpace(text)
		at, notADate := http.ParseTime(text)
		digits := text != "" && strings.Trim(text, "0123456789") == ""
		now, noClock := http.ParseTime(date)
		switch seconds, err := strconv.ParseUint(text, 10, 32); {
		case digits && err == nil && seconds < 3_000_000_000:
			assert.Equal(t, time.Duration(seconds)*time.Second, got)
		case digits:
			assert.Greater(t, got, 90*365*24*time.Hour)
		case notADate != nil:
			assert.Zero(t, got)
		case noClock == nil && at.After(now) && at.Sub(now) < math.MaxInt64:
			assert.Equal(t, at.Sub(now), got)
		}
	})
}

// answers is a transport with one answer.
type answers struct {
	status int
	header http.Header
	body   []byte
}

func (a answers) RoundTrip(*http.Request) (*http.Response, error) {
	return &http.Response{
		StatusCode: a.status, ProtoMajor: 1, ProtoMinor: 1, Header: a.header, Body: io.NopCloser(bytes.NewReader(a.body)), ContentLength: int64(len(a.body)),
	}, nil
}

// FuzzContentEncoding: the bytes decide, whatever the label says. The listed bytes are
// the file, and so are the bytes that inflate to them; any other bytes never are.
func FuzzContentEncoding(f *testing.F) {
	for _, encoding := range []string{"", "gzip", "identity", "aws-chunked", "deflate", "br", "gzip, gzip", "identity,aws-chunked", "UTF-8", "null", "\x00"} {
		f.Add(encoding, []byte("{}\n"), []byte("{}\n"))
		f.Add(encoding, []byte("{}\n"), []byte("\x1f\x8b\x08\x00\x00\x00\x00\x00"))
		f.Add(encoding, []byte("\x1f\x8b"), []byte{})
	}
	redirect := answers{status: http.StatusFound, header: http.Header{"Location": {"https://blob.example.com/x?sig=" + signature}}}
	f.Fuzz(func(t *testing.T, encoding string, content, other []byte) {
		download := func(body []byte) ([]byte, error) {
			set := Settings{
				Endpoint: publicEndpoint, Key: StaticKey(testKey), API: &http.Client{Transport: redirect}, Policy: PolicyFor(publicEndpoint, nil),
				Signed:          answers{status: http.StatusOK, header: http.Header{"Content-Encoding": {encoding}}, body: body},
				DownloadTimeout: time.Minute, StallTimeout: time.Minute, MaxFileSize: 1 << 20,
			}
			got, err := NewClient(set).Download(t.Context(), fileOf(content))
			return got.Bytes, err
		}
		if bytes.HasPrefix(content, gzipMagic) {
			return // JSON Lines never begin so
		}
		got, err := download(content)
		require.NoError(t, err, "the listed bytes")
		assert.Equal(t, string(content), string(got))
		got, err = download(gzipped(t, content))
		require.NoError(t, err, "bytes that inflate to the listed ones")
		assert.Equal(t, string(content), string(got))
		got, err = download(other)
		if err == nil {
			assert.Equal(t, string(content), string(got))
		}
		if err != nil {
			requireSafe(t, err)
		}
	})
}
