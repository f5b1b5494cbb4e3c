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
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// File is one entry of a listing.
type File struct {
	// ID is opaque.
	ID string
	// EndTime is when the file was written, to the microsecond; it is what the
	// listing is ordered and filtered by.
	EndTime time.Time
	// Name as listed. It is not safe as a name on disk.
	Name string
	// Size in bytes and SHA256 in lower-case hex, of the whole content.
	Size   int64
	SHA256 string
}

// Page is one answer of the list route.
type Page struct {
	// Files in ascending EndTime.
	Files []File
	// HasMore says that another page follows.
	HasMore bool
	// LastEndTime is the server's own text for the end of the page, empty when
	// it was null or absent.
	LastEndTime string
	// Trailing counts bytes behind the JSON document, which are ignored.
	Trailing int
	// Date is the server's clock, from the answer's header; zero when absent.
	Date time.Time
}

// listRange is what one list request asks for; times are sent as they are. Whether
// the server counts a file at the very time of after in is not relied on.
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
	if status != http.StatusOK {
		return Page{}, refused(OperationList, resp, body)
	}
	if err != nil {
		return Page{}, &RequestError{Op: OperationList, Cause: transportCause(err)}
	}
	if len(body) > maxAnswer {
		return Page{}, &AnswerError{Problem: fmt.Sprintf("is longer than %d bytes", maxAnswer)}
	}
	page, err = parsePage(body, asks.eventType)
	if date, dateErr := http.ParseTime(resp.Header.Get("Date")); dateErr == nil {
		page.Date = date
	}
	return page, err
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

// wirePage is the answer as api.md's source, the OpenAPI description 2.5.3,
// defines it. Pointers tell absent from empty.
type wirePage struct {
	Data        *[]wireFile `json:"data"`
	HasMore     *bool       `json:"has_more"`
	LastEndTime *string     `json:"last_end_time"`
}

type wireFile struct {
	ID        string `json:"id"`
	EventType string `json:"event_type"`
	EndTime   string `json:"end_time"`
	FileName  string `json:"file_name"`
	FileSize  *int64 `json:"file_size"`
	SHA256    string `json:"file_sha256"`
}

// parsePage reads a list answer. An entry that cannot be understood refuses the
// whole page: to leave it out would be a silent gap.
func parsePage(body []byte, eventType string) (Page, error) {
	dec := json.NewDecoder(bytes.NewReader(body))
	var wire wirePage
	if err := dec.Decode(&wire); err != nil {
		return Page{}, answerError(err)
	}
	switch {
	case wire.Data == nil:
		return Page{}, &AnswerError{"data", "is missing or null"}
	case wire.HasMore == nil:
		return Page{}, &AnswerError{"has_more", "is missing or null"}
	}
	page := Page{HasMore: *wire.HasMore}
	if wire.LastEndTime != nil {
		page.LastEndTime = *wire.LastEndTime
	}
	for i, entry := range *wire.Data {
		file, err := entry.file(eventType)
		if err != nil {
			return Page{}, &AnswerError{fmt.Sprintf("data[%d].%s", i, err.Field), err.Problem}
		}
		page.Files = append(page.Files, file)
	}
	slices.SortStableFunc(page.Files, func(a, b File) int { return a.EndTime.Compare(b.EndTime) })
	page.Trailing = len(bytes.TrimSpace(body[dec.InputOffset():]))
	return page, nil
}

// answerError says what is wrong with the JSON without quoting any of it.
func answerError(err error) error {
	if wrongType, ok := errors.AsType[*json.UnmarshalTypeError](err); ok {
		kind, _, _ := strings.Cut(wrongType.Value, " ") // "number 12": the value stays out
		if wrongType.Field == "" {
			return &AnswerError{"", "is a JSON " + kind + ", not an object"}
		}
		return &AnswerError{wrongType.Field, "is a JSON " + kind + ", not " + wrongType.Type.String()}
	}
	return &AnswerError{"", "is not a whole JSON document"}
}

var hexDigest = regexp.MustCompile(`^[0-9a-f]{64}$`)

func (w wireFile) file(eventType string) (File, *AnswerError) {
	end, err := time.Parse(time.RFC3339Nano, w.EndTime)
	sha := strings.ToLower(w.SHA256)
	switch {
	case w.ID == "":
		return File{}, &AnswerError{"id", "is missing or empty"}
	case !strings.EqualFold(w.EventType, eventType):
		return File{}, &AnswerError{"event_type", "is not the type that was asked for"}
	case err != nil:
		return File{}, &AnswerError{"end_time", "is not an RFC 3339 time"}
	case w.FileSize == nil || *w.FileSize < 0:
		return File{}, &AnswerError{"file_size", "is missing or negative"}
	case !hexDigest.MatchString(sha):
		return File{}, &AnswerError{"file_sha256", "is not 64 hexadecimal digits"}
	}
	return File{ID: w.ID, EndTime: end.UTC(), Name: w.FileName, Size: *w.FileSize, SHA256: sha}, nil
}
