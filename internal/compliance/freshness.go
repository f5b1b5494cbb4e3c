// Copyright The OpenTelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package compliance

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// maxFreshness bounds the answer of the freshness route, in bytes.
const maxFreshness = 64 << 10

// NewestEvent asks for the time of the newest record that the API holds of an event
// type; zero when it holds none. It tells how far the export is, and nothing of what
// is complete: older records may still come. Each call is a record of the customer's
// own audit log.
//
// Descriptions of the API name two paths of this route. Where neither exists the error
// is the *StatusError of the last one.
func (c *Client) NewestEvent(ctx context.Context, eventType string) (time.Time, error) {
	if c.HeaderTimeout > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, c.HeaderTimeout)
		defer cancel()
	}
	at, err := c.newestEvent(ctx, c.base+"/max_event_time", eventType)
	if status, ok := errors.AsType[*StatusError](err); ok && status.Status == http.StatusNotFound {
		return c.newestEvent(ctx, strings.TrimSuffix(c.base, "/logs")+"/max_event_time", eventType)
	}
	return at, err
}

func (c *Client) newestEvent(ctx context.Context, route, eventType string) (at time.Time, err error) {
	status, began := 0, time.Now()
	defer func() { c.Observe(ctx, Observation{OperationFreshness, status, err, time.Since(began)}) }()
	resp, err := c.apiRequest(ctx, OperationFreshness, route+"?"+url.Values{"event_type": {eventType}}.Encode())
	if err != nil {
		return time.Time{}, err
	}
	defer resp.Body.Close()
	status = resp.StatusCode
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxFreshness))
	if !isSuccess(status) {
		return time.Time{}, refused(OperationFreshness, resp, body)
	}
	if err != nil {
		return time.Time{}, &RequestError{Op: OperationFreshness, Cause: transportCause(err)}
	}
	return parseFreshness(body, eventType)
}

// parseFreshness reads the member max_event_time: times by event type, null for a type
// without records, or one time alone.
func parseFreshness(body []byte, eventType string) (time.Time, error) {
	var answer struct {
		Max json.RawMessage `json:"max_event_time"`
	}
	if err := json.Unmarshal(bytes.TrimPrefix(body, byteOrderMark), &answer); err != nil {
		return time.Time{}, answerError(err)
	}
	if len(answer.Max) == 0 {
		return time.Time{}, &AnswerError{"max_event_time", "is missing"}
	}
	raw := answer.Max
	if raw[0] == '{' {
		var byType map[string]json.RawMessage
		if err := json.Unmarshal(raw, &byType); err != nil {
			return time.Time{}, answerError(err)
		}
		raw = byType[eventType]
	}
	if isNull(raw) {
		return time.Time{}, nil
	}
	text, _ := jsonText(raw)
	at, ok := parseTime(text)
	if !ok {
		return time.Time{}, &AnswerError{"max_event_time", "is no time"}
	}
	return at, nil
}
