// Copyright The OpenTelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package compliance

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"time"
	"unicode"

	"github.com/openaicompliance/openaicompliancereceiver/internal/secret"
)

var (
	// ErrNotAdvancing is a listing that promises more and brings nothing new: it is
	// not complete.
	ErrNotAdvancing = errors.New("list: the page promises more but has no new entry; the listing does not advance")
	// ErrTooLarge is a file above MaxFileSize.
	ErrTooLarge = errors.New("file is larger than download::max_file_size")

	// ErrUnreadable is a whole body that cannot be decoded, or not within the listed
	// size.
	ErrUnreadable = errors.New("the body cannot be read")

	errBadURL = errors.New("the request's URL cannot be used")
)

// StatusError is an answer with another status than the one asked for.
type StatusError struct {
	Op     Operation
	Status int
	// Host that a fetch asked, in lower case, without a port; empty for the API.
	Host string
	// RequestID as the server named it, if it is of a form that request ids have and
	// holds nothing of the request; else empty.
	RequestID string
	// Message is what an API error body says, scrubbed and cut; empty for
	// answers of signed hosts.
	Message string
	// RetryAfter is how long the server asked to wait; 0 when it did not. It counts
	// with 429 and 503 alone.
	RetryAfter time.Duration
	// Key is the kind of key that was sent, and Organization says whose logs
	// were asked for. Neither is set for answers of signed hosts.
	Key          KeyKind
	Organization bool
}

func (e *StatusError) Error() string {
	text := fmt.Sprintf("%s: %d %s", e.Op, e.Status, http.StatusText(e.Status))
	if e.Message != "" {
		text += ": " + e.Message
	}
	if e.Host != "" {
		text += " (host " + e.Host + ")"
	}
	if e.RequestID != "" {
		text += " (request " + e.RequestID + ")"
	}
	return text
}

// RequestError is a request without a usable answer: no connection, a timeout,
// a body that broke off.
type RequestError struct {
	Op Operation
	// Host that was asked, in lower case, without a port; empty when none was.
	Host  string
	Cause error
}

func (e *RequestError) Error() string {
	text := fmt.Sprintf("%s: %v", e.Op, e.Cause)
	if e.Host != "" {
		text += " (host " + e.Host + ")"
	}
	return text
}

func (e *RequestError) Unwrap() error { return e.Cause }

// AnswerError is a list answer that cannot be understood; Field says where.
type AnswerError struct{ Field, Problem string }

func (e *AnswerError) Error() string {
	if e.Field == "" {
		return "list: the answer " + e.Problem
	}
	return "list: " + e.Field + " " + e.Problem
}

// RedirectError is a redirect that the policy refuses. It names the host, never
// the path or the query.
type RedirectError struct{ Host, Reason string }

func (e *RedirectError) Error() string {
	if e.Host == "" {
		return "download: redirect refused: " + e.Reason
	}
	return fmt.Sprintf("download: redirect to host %q refused: %s", e.Host, e.Reason)
}

// IntegrityError is a body that is not the listed file.
type IntegrityError struct {
	// GotSize is the size of the body, inflated; one more than the listed one for any
	// longer body. WantSize is -1 where the listing has none.
	GotSize, WantSize int64
	// GotSHA256 is of the body, inflated, and SentSHA256 of the body as it was sent,
	// both only as far as it was read.
	GotSHA256, SentSHA256, WantSHA256 string
	// Complete is set for a body that is known to be whole.
	Complete bool
	// Content is the body, inflated; nil unless it has the listed size and is complete. The error's text never shows it.
	Content []byte
}

// OtherDigest reports whether the body is whole and has the listed size, so that its
// digest alone differs.
func (e *IntegrityError) OtherDigest() bool { return e.Complete && e.GotSize == e.WantSize }

func (e *IntegrityError) Error() string {
	switch {
	case e.WantSize >= 0 && e.GotSize > e.WantSize:
		return fmt.Sprintf("verify: body has more bytes than the %d of the listing", e.WantSize)
	case e.WantSize >= 0 && e.GotSize != e.WantSize:
		return fmt.Sprintf("verify: body has %d bytes, the listing says %d", e.GotSize, e.WantSize)
	}
	if e.SentSHA256 != e.GotSHA256 {
		return fmt.Sprintf("verify: body has SHA-256 %s inflated and %s as sent, the listing says %s", e.GotSHA256, e.SentSHA256, e.WantSHA256)
	}
	return fmt.Sprintf("verify: body has SHA-256 %s, the listing says %s", e.GotSHA256, e.WantSHA256)
}

// maxText bounds each text of others in errors, in characters.
const maxText = 200

// statusError reads what may be told of an API error answer. The caller still
// owns the body.
func statusError(op Operation, resp *http.Response, message string) *StatusError {
	status := &StatusError{
		Op:        op,
		Status:    resp.StatusCode,
		RequestID: requestID(resp),
		Message:   message,
	}
	if resp.StatusCode == http.StatusTooManyRequests || resp.StatusCode == http.StatusServiceUnavailable {
		status.RetryAfter = retryAfter(resp.Header)
	}
	return status
}

// requestIDForm are the forms that request ids have: 36 characters at most, which is
// less than a signature or a key takes.
var requestIDForm = regexp.MustCompile(`^(req[_-][A-Za-z0-9]{1,36}|[0-9a-f]{32}|[0-9a-f]{8}-([0-9a-f]{4}-){3}[0-9a-f]{12})$`)

// requestID is the id that the server gave to a request. Everything else that may be
// in this place is dropped: it is kept in logs and in the stored state.
func requestID(resp *http.Response) string {
	id := resp.Header.Get("X-Request-Id")
	if !requestIDForm.MatchString(id) || sharesPart(id, resp.Request.Header.Get("Authorization")) || sharesPart(id, resp.Request.URL.String()) {
		return ""
	}
	return id
}

// sharesPart reports whether eight characters in a row of one text are in the other.
func sharesPart(text, other string) bool {
	const length = 8
	text, other = strings.ToLower(text), strings.ToLower(other)
	for at := 0; at+length <= len(text); at++ {
		if strings.Contains(other, text[at:at+length]) {
			return true
		}
	}
	return false
}

// retryAfter reads the header's two forms, seconds and an HTTP date; the date is
// measured against the answer's own Date, so a wrong local clock cannot stretch
// it. Anything else, and anything in the past, counts as absent.
func retryAfter(h http.Header) time.Duration {
	text := strings.TrimSpace(h.Get("Retry-After"))
	if text == "" {
		return 0
	}
	if digits := strings.TrimLeft(text, "0123456789"); digits == "" {
		return parseSeconds(text)
	}
	at, err := http.ParseTime(text)
	if err != nil {
		return 0
	}
	now, err := http.ParseTime(h.Get("Date"))
	if err != nil {
		now = time.Now()
	}
	return max(0, at.Sub(now))
}

// parseSeconds reads decimal digits; values beyond a century saturate there.
func parseSeconds(digits string) time.Duration {
	const century = 100 * 365 * 24 * time.Hour
	d, err := time.ParseDuration(digits + "s")
	if err != nil || d > century {
		return century
	}
	return d
}

// apiMessage finds the readable part of an API error body, in the three places
// where it has been seen, and scrubs it.
func apiMessage(body []byte, key string) string {
	var answer struct {
		Error   json.RawMessage `json:"error"`
		Detail  json.RawMessage `json:"detail"`
		Message json.RawMessage `json:"message"`
	}
	if json.Unmarshal(body, &answer) != nil {
		return ""
	}
	var nested struct {
		Message string `json:"message"`
	}
	if json.Unmarshal(answer.Error, &nested) == nil && nested.Message != "" {
		return scrub(nested.Message, key)
	}
	for _, raw := range []json.RawMessage{answer.Detail, answer.Message, answer.Error} {
		var text string
		if json.Unmarshal(raw, &text) == nil && text != "" {
			return scrub(text, key)
		}
	}
	var list []struct {
		Loc []any  `json:"loc"`
		Msg string `json:"msg"`
	}
	if json.Unmarshal(answer.Detail, &list) == nil && len(list) > 0 {
		return scrub(fmt.Sprintf("%v: %s", list[0].Loc, list[0].Msg), key)
	}
	return ""
}

// scrub makes a message of the API safe to log: no key, nothing that may be a secret,
// no control characters, at most maxText characters.
func scrub(text, key string) string {
	if key != "" {
		text = strings.ReplaceAll(text, key, "[key]")
	}
	return printable(secret.Conceal(text))
}

// printable replaces what does not print and cuts the text at maxText.
func printable(text string) string {
	out := make([]rune, 0, min(len(text), maxText))
	for _, r := range text {
		if len(out) == maxText {
			return string(out) + "…"
		}
		if !unicode.IsPrint(r) {
			r = ' '
		}
		out = append(out, r)
	}
	return string(out)
}

// KeyError is a key that cannot be read.
type KeyError struct{ Cause error }

func (e *KeyError) Error() string { return e.Cause.Error() }
func (e *KeyError) Unwrap() error { return e.Cause }
