// Copyright The OpenTelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package compliance

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Page is one answer of the list route.
type Page struct {
	// Entries in ascending EndTime, those without a time first. A Pager leaves out
	// what it has returned before.
	Entries []Entry
	// Listed counts the entries of the answer, repeated ones included.
	Listed int
	// HasMore is set when the server says that another page follows.
	HasMore bool
	// LastEndTime is the server's own text for the end of the page; empty when it
	// is no text of at most 64 bytes.
	LastEndTime string
	// Trailing counts bytes after the JSON document, which are ignored.
	Trailing int
	// Date is the server's clock, from the answer's Date and Age headers; zero when
	// there is no usable one.
	Date time.Time
	// Ties is set once per Pager and end_time, when a page full of files of this one
	// end_time came twice: there may be more of them, which cannot be listed. The
	// listing continues after it.
	Ties time.Time
}

// listRange is what one list request asks for; times are sent as they are. Some
// servers list a file of the very time of after, others do not.
type listRange struct{ eventType, after, before string }

func (r listRange) query() url.Values {
	query := url.Values{
		"event_type": {r.eventType},
		"after":      {r.after},
		"limit":      {strconv.Itoa(PageLimit)},
	}
	if r.before != "" {
		query.Set("before", r.before)
	}
	return query
}

func (c *Client) list(ctx context.Context, asks listRange) (page Page, err error) {
	status, began := 0, time.Now()
	defer func() { c.Observe(ctx, Observation{OperationList, status, err, time.Since(began)}) }()
	if c.HeaderTimeout > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, c.HeaderTimeout)
		defer cancel()
	}
	resp, err := c.apiRequest(ctx, OperationList, c.base+"?"+asks.query().Encode())
	if err != nil {
		return Page{}, err
	}
	defer resp.Body.Close()
	status = resp.StatusCode
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer+1))
	if !isSuccess(status) {
		return Page{}, refused(OperationList, resp, body)
	}
	if err != nil {
		return Page{}, &RequestError{Op: OperationList, Host: fetchHost(resp.Request.URL), Cause: transportCause(err)}
	}
	if len(body) > maxAnswer {
		return Page{}, &AnswerError{Problem: fmt.Sprintf("is longer than %d bytes", maxAnswer)}
	}
	page, err = parsePage(body, asks.eventType)
	page.Date = serverTime(resp.Header)
	return page, err
}

// isSuccess reports whether a status is one of 2xx: the bytes that come with it
// decide what they are.
func isSuccess(status int) bool { return status >= 200 && status <= 299 }

// maxAge bounds the Age of an answer that still tells the time.
const maxAge = 30 * 24 * time.Hour

// serverTime is when an answer came, by the server's clock: a cache repeats Date and
// says in Age for how long. An Age that is no number does not count.
func serverTime(header http.Header) time.Time {
	date, err := http.ParseTime(header.Get("Date"))
	if err != nil {
		return time.Time{}
	}
	text := strings.TrimSpace(header.Get("Age"))
	if text == "" || strings.Trim(text, "0123456789") != "" {
		return date
	}
	age := parseSeconds(text)
	at := date.Add(age)
	if age > maxAge || at.Year() > 9999 { // a later year cannot be stored
		return time.Time{}
	}
	return at
}

// refused is the error for an answer of the API with an unwanted status. The key
// that was sent is what may be echoed; the source may yield another one by now.
func refused(op Operation, resp *http.Response, body []byte) error {
	key := strings.TrimPrefix(resp.Request.Header.Get("Authorization"), "Bearer ")
	err := statusError(op, resp, apiMessage(body, key))
	err.Key = kindOf(key)
	err.Organization = strings.Contains(resp.Request.URL.Path, "/"+Principal{Organization: true}.segment()+"/")
	return err
}

// wirePage is the answer, its members as they came.
type wirePage struct {
	Data        json.RawMessage `json:"data"`
	HasMore     json.RawMessage `json:"has_more"`
	LastEndTime json.RawMessage `json:"last_end_time"`
}

var byteOrderMark = []byte("\xef\xbb\xbf")

// maxEntries bounds the entries of an answer, since the smallest ones take far more
// memory than their text: a hundred times what is asked for.
const maxEntries = 100 * PageLimit

// maxTimeText bounds last_end_time, in bytes.
const maxTimeText = 64

// parsePage reads a list answer. Only an answer without an array of entries is an
// error; an entry that cannot be understood stands among the others with its fault.
func parsePage(body []byte, eventType string) (Page, error) {
	body = bytes.TrimPrefix(body, byteOrderMark)
	decoder := json.NewDecoder(bytes.NewReader(body))
	var wire wirePage
	if err := decoder.Decode(&wire); err != nil {
		return Page{}, answerError(err)
	}
	page := Page{
		HasMore:  saysTrue(wire.HasMore),
		Trailing: len(bytes.TrimSpace(body[decoder.InputOffset():])),
	}
	if text, _ := jsonText(wire.LastEndTime); len(text) <= maxTimeText {
		page.LastEndTime = text
	}
	entries, err := parseEntries(wire.Data, eventType)
	if err != nil {
		return Page{}, err
	}
	page.Entries, page.Listed = entries, len(entries)
	sortEntries(page.Entries)
	return page, nil
}

func parseEntries(data json.RawMessage, eventType string) ([]Entry, error) {
	if isNull(data) {
		return nil, &AnswerError{"data", "is missing or null"}
	}
	if data[0] != '[' {
		return nil, &AnswerError{"data", "is not an array"}
	}
	decoder := json.NewDecoder(bytes.NewReader(data))
	if _, err := decoder.Token(); err != nil {
		return nil, answerError(err)
	}
	var entries []Entry
	for decoder.More() {
		if len(entries) == maxEntries {
			return nil, &AnswerError{"data", fmt.Sprintf("has more than %d entries", maxEntries)}
		}
		var raw json.RawMessage
		if err := decoder.Decode(&raw); err != nil {
			return nil, answerError(err)
		}
		entries = append(entries, parseEntry(raw, eventType))
	}
	return entries, nil
}

// sortEntries puts entries in ascending EndTime, those without a time first. Those
// of one time keep the server's order.
func sortEntries(entries []Entry) {
	slices.SortStableFunc(entries, func(a, b Entry) int {
		if a.EndTime.IsZero() != b.EndTime.IsZero() {
			if a.EndTime.IsZero() {
				return -1
			}
			return 1
		}
		return a.EndTime.Compare(b.EndTime)
	})
}

// saysTrue reads a boolean, or its text. Anything else is false: paging does not
// rely on it alone.
func saysTrue(raw json.RawMessage) bool {
	text, ok := jsonText(raw)
	if !ok {
		text = string(raw)
	}
	return strings.EqualFold(strings.TrimSpace(text), "true")
}

// answerError says what is wrong with the JSON without quoting any of it.
func answerError(err error) error {
	if wrongType, ok := errors.AsType[*json.UnmarshalTypeError](err); ok {
		kind, _, _ := strings.Cut(wrongType.Value, " ") // "number 12": the value stays out
		return &AnswerError{"", "is a JSON " + kind + ", not an object"}
	}
	return &AnswerError{"", "is not a whole JSON document"}
}
