// Copyright The OpenTelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package compliance

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"
)

var errStalled = errors.New("stalled: no byte arrived for download::stall_timeout")

// Download fetches one file whole. A signed URL is used at once and forgotten;
// every call asks the API for a new one. What the bytes are decides, whatever the
// labels of the answer say.
//
// The content has the listed size, or, where the listing has none, at most
// MaxFileSize bytes. Content.Verified is false only for a file that is listed
// without a digest. Errors: ErrTooLarge, *StatusError, *RedirectError,
// *IntegrityError, what AllowFetch returns, and *RequestError, which is ErrUnreadable
// when the fault is the file's.
func (c *Client) Download(ctx context.Context, file File) (Content, error) {
	if file.ID == "" {
		return Content{}, &RequestError{Op: OperationDownload, Cause: errBadURL} // it would be a list
	}
	limit := file.Size
	if limit < 0 {
		limit = c.MaxFileSize
	}
	if limit > c.MaxFileSize {
		return Content{}, fmt.Errorf("download: %w (%d bytes listed, %d allowed)", ErrTooLarge, file.Size, c.MaxFileSize)
	}
	ctx, cancel := context.WithTimeout(ctx, c.DownloadTimeout)
	defer cancel()
	ctx, stall := withStall(ctx, c.StallTimeout)
	defer stall.stop()

	resp, op, err := c.open(ctx, file, stall)
	if err != nil {
		return Content{}, stall.reason(op, err)
	}
	defer resp.Body.Close()
	got, err := readBody(stall.watch(resp.Body), limit, file.Size >= 0)
	if err != nil {
		return Content{}, stall.reason(op, &RequestError{Op: op, Host: fetchHost(resp.Request.URL), Cause: err})
	}
	got.complete = !got.more && endIsMarked(resp)
	return got.verify(file, op)
}

// open asks the API and follows its redirects by hand, up to the answer that
// carries the file.
func (c *Client) open(ctx context.Context, file File, stall *stallGuard) (*http.Response, Operation, error) {
	target := c.base + "/" + url.PathEscape(file.ID)
	stall.awaitHeader(c.HeaderTimeout)
	began := time.Now()
	resp, err := c.apiRequest(ctx, OperationDownload, target)
	if err != nil {
		c.Observe(ctx, Observation{OperationDownload, 0, err, time.Since(began)})
		return nil, OperationDownload, err
	}
	at, err := url.Parse(target)
	if err != nil {
		return nil, OperationDownload, &RequestError{Op: OperationDownload, Cause: errBadURL}
	}
	op := OperationDownload
	for hop := 0; ; hop++ {
		took := time.Since(began)
		location, err := redirect(resp, op)
		c.Observe(ctx, Observation{op, resp.StatusCode, err, took})
		if err != nil || location == "" {
			stall.awaitBody()
			return resp, op, err
		}
		if hop == maxHops {
			return nil, op, &RedirectError{Reason: fmt.Sprintf("more than %d redirects", maxHops)}
		}
		if at, err = c.follow(at, location); err != nil {
			return nil, op, err
		}
		op = OperationFetch
		if err = c.allowFetch(at); err != nil {
			return nil, op, err
		}
		stall.awaitHeader(c.HeaderTimeout)
		began = time.Now()
		if resp, err = c.fetch(ctx, at); err != nil {
			c.Observe(ctx, Observation{op, 0, err, time.Since(began)})
			return nil, op, err
		}
	}
}

// redirect returns where the answer points to, or "" when it carries the file
// itself. It closes the body in every other case.
func redirect(resp *http.Response, op Operation) (string, error) {
	if isSuccess(resp.StatusCode) {
		return "", nil
	}
	switch resp.StatusCode {
	case http.StatusFound, http.StatusSeeOther, http.StatusTemporaryRedirect, http.StatusPermanentRedirect:
		discard(resp.Body)
		if location := resp.Header.Get("Location"); location != "" {
			return location, nil
		}
		return "", &RedirectError{Reason: "the answer holds no Location"}
	}
	body, _ := io.ReadAll(io.LimitReader(resp.Body, 16<<10))
	resp.Body.Close()
	if op == OperationFetch {
		err := statusError(op, resp, "") // a storage host's text may quote the signed URL
		err.Host = fetchHost(resp.Request.URL)
		return "", err
	}
	return "", refused(op, resp, body)
}

// discard reads the little that a redirect may carry, so that the connection can
// be used again.
func discard(body io.ReadCloser) {
	_, _ = io.Copy(io.Discard, io.LimitReader(body, 16<<10))
	body.Close()
}

// notInURL is what no URL may hold and some servers leave in a Location.
var notInURL = strings.NewReplacer(
	" ", "%20", `"`, "%22", "<", "%3C", ">", "%3E", `\`, "%5C", "^", "%5E", "`", "%60", "{", "%7B", "|", "%7C", "}", "%7D",
)

// follow resolves a Location and holds it against the policy. Parse errors quote
// their input and are replaced.
func (c *Client) follow(at *url.URL, location string) (*url.URL, error) {
	next, err := at.Parse(notInURL.Replace(strings.TrimSpace(location)))
	if err != nil {
		return nil, &RedirectError{Reason: "the Location is not a URL"}
	}
	return next, c.Policy.check(next)
}

// fetchHost is the name of a signed host, for AllowFetch and for errors.
func fetchHost(target *url.URL) string { return shownHost(target.Hostname()) }

func (c *Client) allowFetch(target *url.URL) error {
	if c.AllowFetch == nil {
		return nil
	}
	return c.AllowFetch(fetchHost(target))
}

// fetch asks a signed host, with no credentials of any kind.
func (c *Client) fetch(ctx context.Context, target *url.URL) (*http.Response, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, target.String(), http.NoBody)
	if err != nil {
		return nil, &RequestError{Op: OperationFetch, Cause: errBadURL}
	}
	req.Close = true // net/http logs what an HTTP/1 server sends on an idle connection, such as the rest of a body
	req.Header.Set("Accept-Encoding", "identity")
	req.Header.Set("User-Agent", c.UserAgent)
	resp, err := c.Signed.RoundTrip(req)
	if err != nil {
		cause := transportCause(err)
		if refused, ok := errors.AsType[*RedirectError](cause); ok {
			return nil, refused
		}
		return nil, &RequestError{Op: OperationFetch, Host: fetchHost(target), Cause: cause}
	}
	resp.Request = req
	return resp, nil
}

// stallGuard ends a download when nothing arrives for a while: no header within
// the header timeout, no byte of the body within the stall timeout.
type stallGuard struct {
	ctx    context.Context
	cancel context.CancelCauseFunc
	timer  *time.Timer
	wait   time.Duration
}

func withStall(ctx context.Context, wait time.Duration) (context.Context, *stallGuard) {
	ctx, cancel := context.WithCancelCause(ctx)
	s := &stallGuard{ctx: ctx, cancel: cancel, wait: wait}
	s.arm(wait, errStalled)
	return ctx, s
}

func (s *stallGuard) arm(after time.Duration, cause error) {
	if s.timer != nil {
		s.timer.Stop()
	}
	s.timer = time.AfterFunc(after, func() { s.cancel(cause) })
}

// awaitHeader bounds the wait for the next answer's header; 0 is no bound of its
// own.
func (s *stallGuard) awaitHeader(limit time.Duration) {
	if limit > 0 && limit < s.wait {
		s.arm(limit, errTimeout)
		return
	}
	s.arm(s.wait, errStalled)
}

func (s *stallGuard) awaitBody() { s.arm(s.wait, errStalled) }

func (s *stallGuard) stop() {
	s.timer.Stop()
	s.cancel(nil)
}

// reason puts what this guard found in place of the cancellation it shows itself
// as. A refusal whose text did not end is still a refusal.
func (s *stallGuard) reason(op Operation, err error) error {
	cause := context.Cause(s.ctx)
	request, ok := errors.AsType[*RequestError](err)
	if !ok {
		return err
	}
	if errors.Is(cause, errStalled) || errors.Is(cause, errTimeout) {
		return &RequestError{Op: op, Host: request.Host, Cause: cause}
	}
	return err
}

func (s *stallGuard) watch(r io.Reader) io.Reader { return &watchedReader{r, s} }

type watchedReader struct {
	r io.Reader
	s *stallGuard
}

func (w *watchedReader) Read(p []byte) (int, error) {
	n, err := w.r.Read(p)
	if n > 0 {
		w.s.timer.Reset(w.s.wait)
	}
	return n, err
}
