// Copyright The OpenTelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package fakeapi

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"time"
)

// Fault is one entry of the fault script: which requests it meets and what
// happens to them. The first entry that meets a request decides.
type Fault struct {
	// Op is "list", "download" (the API's route), "fetch" (the signed URL) or
	// "freshness" (the newest record).
	Op string `json:"op"`
	// EventType and FileID narrow it down; empty means any.
	EventType string `json:"event_type,omitempty"`
	FileID    string `json:"file_id,omitempty"`
	// Skip lets so many requests through first; Times is how many it then
	// meets, 0 for all.
	Skip  int `json:"skip,omitempty"`
	Times int `json:"times,omitempty"`

	// Delay comes before everything else.
	Delay Duration `json:"delay,omitempty"`
	// Status answers with this status, Header and Body; 0 leaves the answer as
	// it is, but for what follows.
	Status int               `json:"status,omitempty"`
	Header map[string]string `json:"header,omitempty"`
	Body   string            `json:"body,omitempty"`
	// Reset closes the connection without an answer.
	Reset bool `json:"reset,omitempty"`
	// Truncate closes the connection after so many bytes of the body.
	Truncate *int `json:"truncate,omitempty"`
	// Corrupt flips one bit of the body; Extra appends bytes to it.
	Corrupt bool   `json:"corrupt,omitempty"`
	Extra   string `json:"extra,omitempty"`
	// Stall sends half of the body and then nothing until the client leaves.
	Stall bool `json:"stall,omitempty"`
	// DateOffset is added to the answer's Date; NoDate leaves it out.
	DateOffset Duration `json:"date_offset,omitempty"`
	NoDate     bool     `json:"no_date,omitempty"`
	// Rewrite, for tests in the process, changes the page of a list answer.
	Rewrite func(page map[string]any) `json:"-"`

	met int
}

// Duration is a time.Duration that JSON writes as text, such as "200ms".
type Duration time.Duration

// UnmarshalJSON reads the text form.
func (d *Duration) UnmarshalJSON(data []byte) error {
	var text string
	if err := json.Unmarshal(data, &text); err != nil {
		return fmt.Errorf("delay: expected text such as \"200ms\": %w", err)
	}
	parsed, err := time.ParseDuration(text)
	*d = Duration(parsed)
	return err
}

// Script adds faults behind those there are.
func (a *API) Script(faults ...Fault) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, f := range faults {
		a.faults = append(a.faults, &f)
	}
}

// ClearScript removes all faults.
func (a *API) ClearScript() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.faults = nil
}

// faultLocked returns the fault that meets a request, and counts it.
func (a *API) faultLocked(op, eventType, fileID string) *Fault {
	for _, f := range a.faults {
		if f.Op != op || (f.EventType != "" && f.EventType != eventType) || (f.FileID != "" && f.FileID != fileID) {
			continue
		}
		f.met++
		if f.met > f.Skip && (f.Times == 0 || f.met <= f.Skip+f.Times) {
			return f
		}
	}
	return nil
}

// apply answers the request, and reports whether it did: a fault that only
// delays leaves the answer to the caller. It panics with http.ErrAbortHandler to
// cut a connection, as net/http provides for.
func (f *Fault) apply(w http.ResponseWriter, r *http.Request, body []byte) bool {
	if f.Delay > 0 {
		timer := time.NewTimer(time.Duration(f.Delay))
		defer timer.Stop()
		select {
		case <-timer.C:
		case <-r.Context().Done():
		}
	}
	if f.Reset {
		panic(http.ErrAbortHandler)
	}
	f.setDate(w)
	for _, name := range slices.Sorted(maps.Keys(f.Header)) {
		w.Header().Set(name, f.Header[name])
	}
	if f.Status != 0 {
		w.WriteHeader(f.Status)
		_, _ = w.Write([]byte(f.Body))
		return true
	}
	if f.Rewrite != nil {
		var page map[string]any
		if json.Unmarshal(body, &page) == nil {
			f.Rewrite(page)
			_ = json.NewEncoder(w).Encode(page)
			return true
		}
	}
	if f.Truncate == nil && !f.Corrupt && f.Extra == "" && !f.Stall {
		return false
	}
	f.spoil(w, r, body)
	return true
}

// setDate bends the server's clock for one answer.
func (f *Fault) setDate(w http.ResponseWriter) {
	if f.NoDate {
		w.Header()["Date"] = nil
		return
	}
	if at, err := http.ParseTime(w.Header().Get("Date")); err == nil && f.DateOffset != 0 {
		w.Header().Set("Date", at.Add(time.Duration(f.DateOffset)).Format(http.TimeFormat))
	}
}

func (f *Fault) spoil(w http.ResponseWriter, r *http.Request, body []byte) {
	body = append(bytes.Clone(body), f.Extra...)
	if f.Corrupt && len(body) > 0 {
		body[len(body)/2] ^= 1
	}
	w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	switch {
	case f.Truncate != nil:
		_, _ = w.Write(body[:min(*f.Truncate, len(body))])
		flush(w)
		panic(http.ErrAbortHandler)
	case f.Stall:
		_, _ = w.Write(body[:len(body)/2])
		flush(w)
		<-r.Context().Done()
	default:
		_, _ = w.Write(body)
	}
}

func flush(w http.ResponseWriter) {
	if flusher, ok := w.(http.Flusher); ok {
		flusher.Flush()
	}
}
