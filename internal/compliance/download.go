// Copyright The OpenTelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package compliance

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"
)

var errStalled = errors.New("stalled: no byte arrived for download::stall_timeout")

// Download fetches one file whole and returns its content only if size and
// SHA-256 are those of the listing. A signed URL is used at once and forgotten;
// every call asks the API for a new one.
func (c *Client) Download(ctx context.Context, file File) ([]byte, error) {
	return c.DownloadInto(ctx, file, func(size int64) []byte { return make([]byte, size) })
}

// DownloadInto is Download with memory that room gives for the body, once there is
// one. What it returns, the content in an IntegrityError included, is a part of that,
// unless the body came compressed: then it has memory of its own beside it.
func (c *Client) DownloadInto(ctx context.Context, file File, room func(size int64) []byte) ([]byte, error) {
	if file.Size > c.MaxFileSize {
		return nil, fmt.Errorf("download: %w (%d bytes listed, %d allowed)", ErrTooLarge, file.Size, c.MaxFileSize)
	}
	ctx, cancel := context.WithTimeout(ctx, c.DownloadTimeout)
	defer cancel()
	ctx, stall := withStall(ctx, c.StallTimeout)
	defer stall.stop()

	resp, op, err := c.open(ctx, file, stall)
	if err != nil {
		return nil, stall.reason(op, err)
	}
	defer resp.Body.Close()
	wire, sum, err := readBody(stall.watch(resp.Body), room(Room(file.Size)))
	if err != nil {
		return nil, stall.reason(op, &RequestError{Op: op, Cause: transportCause(err)})
	}
	content, err := verify(wire, sum, resp.Header.Get("Content-Encoding"), file, c.MaxFileSize)
	if err == nil {
		return content, nil
	}
	if mismatch, ok := errors.AsType[*IntegrityError](err); ok && complete(resp, wire, file) {
		mismatch.Content = content
	}
	return nil, err
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
	switch resp.StatusCode {
	case http.StatusOK:
		return "", nil
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
		return "", statusError(op, resp, "") // a storage host's text may quote the signed URL
	}
	return "", refused(op, resp, body)
}

// discard reads the little that a redirect may carry, so that the connection can
// be used again.
func discard(body io.ReadCloser) {
	_, _ = io.Copy(io.Discard, io.LimitReader(body, 16<<10))
	body.Close()
}

// follow resolves a Location and holds it against the policy. Parse errors quote
// their input and are replaced.
func (c *Client) follow(at *url.URL, location string) (*url.URL, error) {
	next, err := at.Parse(location)
	if err != nil {
		return nil, &RedirectError{Reason: "the Location is not a URL"}
	}
	return next, c.Policy.check(next)
}

// fetch asks a signed host, with no credentials of any kind.
func (c *Client) fetch(ctx context.Context, target *url.URL) (*http.Response, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, target.String(), http.NoBody)
	if err != nil {
		return nil, &RequestError{Op: OperationFetch, Cause: errBadURL}
	}
	req.Header.Set("Accept-Encoding", "identity")
	req.Header.Set("User-Agent", c.UserAgent)
	resp, err := c.Signed.RoundTrip(req)
	if err != nil {
		cause := transportCause(err)
		if refused, ok := errors.AsType[*RedirectError](cause); ok {
			return nil, refused
		}
		return nil, &RequestError{Op: OperationFetch, Cause: cause}
	}
	return resp, nil
}

// Room is how many bytes are read of a body of the listed size: enough to know that
// it is too long, and for a gzip body of incompressible content, which is a
// little longer.
func Room(size int64) int64 { return size + size/1000 + 4<<10 }

// readAtOnce is how much of a body is read before it is digested, while the
// processor has it at hand.
const readAtOnce = 256 << 10

// readBody fills a room with a body, or with the beginning of a longer one, and digests
// it.
func readBody(body io.Reader, room []byte) (wire []byte, sum digest, err error) {
	hash := sha256.New()
	read := 0
	for err == nil && read < len(room) {
		var n int
		n, err = body.Read(room[read:min(read+readAtOnce, len(room))])
		hash.Write(room[read : read+n])
		read += n
	}
	if errors.Is(err, io.EOF) {
		err = nil
	}
	hash.Sum(sum[:0])
	return room[:read], sum, err
}

type digest [sha256.Size]byte

// complete reports whether the body came whole: its end was marked by a length,
// by chunks or by HTTP/2, and not just by the end of the connection, which a cut
// looks like too.
func complete(resp *http.Response, wire []byte, file File) bool {
	marked := resp.ContentLength >= 0 || len(resp.TransferEncoding) > 0 || resp.ProtoMajor >= 2
	return marked && int64(len(wire)) < Room(file.Size)
}

var gzipMagic = []byte{0x1f, 0x8b}

// verify returns the content, and an error unless the bytes on the wire, or what they inflate to,
// are the listed file. It is not documented which of the two the digest covers.
func verify(wire []byte, sum digest, encoding string, file File, maxSize int64) ([]byte, error) {
	wireErr := matches(wire, sum, file)
	switch strings.ToLower(encoding) {
	case "", "identity":
		return wire, wireErr
	case "gzip", "x-gzip":
	default:
		return nil, &RequestError{Op: OperationFetch, Cause: fmt.Errorf("%w: content encoding %q is not supported", ErrUnreadable, printable(encoding, 40))}
	}
	if wireErr == nil {
		if !bytes.HasPrefix(wire, gzipMagic) {
			return wire, nil // labeled gzip, but the file itself
		}
		return inflate(wire, maxSize)
	}
	content, err := inflate(wire, file.Size)
	if err != nil {
		return nil, err
	}
	return content, matches(content, sha256.Sum256(content), file)
}

// inflate stops one byte past the limit, long before a decompression bomb has
// filled memory.
func inflate(wire []byte, limit int64) ([]byte, error) {
	r, err := gzip.NewReader(bytes.NewReader(wire))
	if err != nil {
		return nil, &RequestError{Op: OperationFetch, Cause: fmt.Errorf("%w: inflate: %w", ErrUnreadable, err)}
	}
	content, err := io.ReadAll(io.LimitReader(r, limit+1))
	if err != nil {
		return nil, &RequestError{Op: OperationFetch, Cause: fmt.Errorf("%w: inflate: %w", ErrUnreadable, err)}
	}
	if int64(len(content)) > limit {
		return nil, &RequestError{Op: OperationFetch, Cause: fmt.Errorf("%w: inflate: the content is larger than the %d bytes expected", ErrUnreadable, limit)}
	}
	return content, nil
}

func matches(content []byte, sum digest, file File) error {
	got := hex.EncodeToString(sum[:])
	if int64(len(content)) == file.Size && got == file.SHA256 {
		return nil
	}
	return &IntegrityError{GotSize: int64(len(content)), WantSize: file.Size, GotSHA256: got, WantSHA256: file.SHA256}
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
	if _, ok := errors.AsType[*RequestError](err); !ok {
		return err
	}
	if errors.Is(cause, errStalled) || errors.Is(cause, errTimeout) {
		return &RequestError{Op: op, Cause: cause}
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
