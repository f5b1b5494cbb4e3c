// Copyright The OpenTelemetry Authors
// SPDX-License-Identifier: Apache-2.0

// Package compliance speaks the log routes of OpenAI's compliance API: it lists
// files and downloads them. It knows nothing of the Collector.
//
// The key goes to the configured endpoint and nowhere else: the client that
// carries it follows no redirect, and signed URLs are fetched by a second client
// that has no credentials. Errors of this package never hold the key, a signed
// URL or content of a file.
package compliance

import (
	"context"
	"net/http"
	"net/url"
	"strings"
	"sync/atomic"
	"time"
)

// Operation names a kind of request, for telemetry and for pauses.
type Operation string

// The operations. A download is the API's own route, which answers with a
// signed URL; fetch is the request to that URL.
const (
	OperationList     Operation = "list"
	OperationDownload Operation = "download"
	OperationFetch    Operation = "fetch"
	// OperationFreshness asks for the newest record of a type.
	OperationFreshness Operation = "freshness"
)

// PageLimit is the largest page the API serves; more is refused with 422.
const PageLimit = 100

// maxAnswer bounds a list answer, in bytes: 100 files of well under 1 KiB each, and
// room for one odd name among them.
const maxAnswer = 8 << 20

// Principal is whose logs are read.
type Principal struct {
	// Organization is true for org-… ids, false for workspaces.
	Organization bool
	ID           string
}

// segment of the path, as the API's routes spell it.
func (p Principal) segment() string {
	if p.Organization {
		return "organizations"
	}
	return "workspaces"
}

// Settings of a Client.
type Settings struct {
	// Endpoint is the base URL, without a trailing slash.
	Endpoint  string
	Principal Principal
	// Key yields the bearer token of each request. The caller refreshes it.
	Key KeySource
	// API carries the key. Its transport and cookie jar are used, one hop at a
	// time; it follows nothing, and its timeout does not count.
	API *http.Client
	// Signed fetches signed URLs, see NewSignedTransport. It must add no
	// credentials, cookies or spans of its own.
	Signed http.RoundTripper
	// Policy decides which redirect targets may be asked.
	Policy RedirectPolicy
	// AllowFetch, if set, is asked before each request to a signed host, with the
	// host's name in lower case, without a port. Its error ends the download and is
	// returned as it is.
	AllowFetch func(host string) error
	// UserAgent of all requests.
	UserAgent string

	// HeaderTimeout bounds the wait for an answer's header and, for a list,
	// its body too. Zero means no bound.
	HeaderTimeout time.Duration
	// DownloadTimeout bounds a whole download, StallTimeout each read of it.
	DownloadTimeout time.Duration
	StallTimeout    time.Duration
	// MaxFileSize is the largest file accepted, in bytes.
	MaxFileSize int64

	// Observe, if set, is told of every request.
	Observe func(context.Context, Observation)
}

// Observation is what became of one request.
type Observation struct {
	Op Operation
	// Status code of the answer, 0 when there was none.
	Status int
	// Err is nil for the answer that was asked for.
	Err error
	// Duration from before the request was sent until the answer's header had
	// come; for a list until its page had.
	Duration time.Duration
}

// Client of one principal. It is safe for concurrent use.
type Client struct {
	Settings
	base string
	// http2 is set when the API's last answer came over HTTP/2.
	http2 atomic.Bool
}

// NewClient returns a client for the log routes of one principal.
func NewClient(set Settings) *Client {
	if set.Observe == nil {
		set.Observe = func(context.Context, Observation) {}
	}
	return &Client{
		Settings: set,
		base: strings.TrimSuffix(set.Endpoint, "/") + "/" + set.Principal.segment() +
			"/" + url.PathEscape(set.Principal.ID) + "/logs",
	}
}

// apiRequest asks the API itself, with the key.
func (c *Client) apiRequest(ctx context.Context, op Operation, target string) (*http.Response, error) {
	key, err := c.Key.Key()
	if err != nil {
		return nil, &RequestError{Op: op, Cause: &KeyError{Cause: err}}
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, target, http.NoBody)
	if err != nil {
		return nil, &RequestError{Op: op, Cause: errBadURL}
	}
	req.Header.Set("Authorization", "Bearer "+key)
	req.Header.Set("Accept", "application/json")
	req.Header.Set("User-Agent", c.UserAgent)
	resp, err := c.apiRoundTrip(req)
	if err != nil {
		return nil, &RequestError{Op: op, Host: fetchHost(req.URL), Cause: transportCause(err)}
	}
	return resp, nil
}

// apiRoundTrip makes one hop. http.Client.Do would read a redirect's Location
// even where it is told not to follow, and quote it in its error.
func (c *Client) apiRoundTrip(req *http.Request) (*http.Response, error) {
	jar, transport := c.API.Jar, c.API.Transport
	if transport == nil {
		transport = http.DefaultTransport
	}
	if jar != nil {
		for _, cookie := range jar.Cookies(req.URL) {
			req.AddCookie(cookie)
		}
	}
	req.Close = !c.http2.Load() // see fetch
	resp, err := transport.RoundTrip(req)
	if err != nil {
		return nil, err
	}
	c.http2.Store(resp.ProtoMajor == 2)
	resp.Request = req // a middleware that answers by itself may leave it out
	if jar != nil {
		jar.SetCookies(req.URL, resp.Cookies())
	}
	return resp, nil
}
