// Copyright The OpenTelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package sim

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"go.uber.org/zap/zapcore"

	"github.com/openaicompliance/openaicompliancereceiver/internal/fakeapi"
)

// watch stands before both hosts: it counts what they answer and lets the sweep
// and the crashes meet requests.
func (w *world) watch(host string, next http.Handler) http.Handler {
	return http.HandlerFunc(func(out http.ResponseWriter, r *http.Request) {
		w.mu.Lock()
		err := w.callLocked(w.alive, atRequest)
		if id, ok := strings.CutPrefix(r.URL.Path, "/blob/"); ok {
			for _, m := range w.models() {
				m.fetched(id)
			}
		}
		w.mu.Unlock()
		if errors.Is(err, errFailed) {
			if w.cutFailed {
				w.disturb()
				panic(http.ErrAbortHandler)
			}
			out.WriteHeader(http.StatusServiceUnavailable)
			return
		}
		if w.block(out, host, r) {
			return
		}
		// A handler that stalls may outlast its connection's end unnoticed.
		ctx, cancel := context.WithCancel(r.Context())
		defer cancel()
		w.untilClosed(cancel)
		r = r.WithContext(ctx)
		defer func() {
			if broken := recover(); broken != nil {
				w.disturb()
				panic(broken)
			}
		}()
		seen := &answer{ResponseWriter: out, status: http.StatusOK, keep: r.URL.Query().Has("after")}
		next.ServeHTTP(seen, r)
		w.saw(host, r, seen)
		if seen.keep {
			w.bendDate(seen.Header())
			if seen.status == http.StatusOK {
				seen.bent = w.bendMore(w.bendEntries(seen.body.Bytes()))
			}
		}
		seen.release()
	})
}

// untilClosed calls a function at the end of the world.
func (w *world) untilClosed(cancel context.CancelFunc) { context.AfterFunc(w.closing, cancel) }

func (w *world) saw(host string, r *http.Request, seen *answer) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if seen.status >= 400 {
		w.reached[fmt.Sprintf("status %d from %s", seen.status, host)]++
	}
	if !seen.keep || seen.status != http.StatusOK {
		return
	}
	var page struct {
		Data []struct {
			ID      string    `json:"id"`
			EndTime time.Time `json:"end_time"`
		} `json:"data"`
		HasMore bool `json:"has_more"`
	}
	if json.Unmarshal(seen.body.Bytes(), &page) != nil || !page.HasMore || len(page.Data) == 0 {
		return
	}
	w.reached["further page"]++
	last, eventType := page.Data[len(page.Data)-1], r.URL.Query().Get("event_type")
	for _, f := range w.model.files {
		tied := f.EventType == eventType && f.EndTime.Equal(last.EndTime) && !f.VisibleFrom.After(time.Now())
		onPage := slices.ContainsFunc(page.Data, func(entry struct {
			ID      string    `json:"id"`
			EndTime time.Time `json:"end_time"`
		},
		) bool {
			return entry.ID == f.ID
		})
		if tied && !onPage {
			w.reached["tie on a page edge"]++
			return
		}
	}
}

// answer keeps the status, and holds the body of a list back until it is released.
type answer struct {
	http.ResponseWriter
	status   int
	keep     bool
	body     bytes.Buffer
	bent     []byte // what is sent in place of the body, nil for the body itself
	released bool
}

// WriteHeader implements http.ResponseWriter.
func (a *answer) WriteHeader(status int) {
	a.status = status
	if !a.keep {
		a.ResponseWriter.WriteHeader(status)
	}
}

// Write implements http.ResponseWriter.
func (a *answer) Write(p []byte) (int, error) {
	if a.keep && !a.released {
		return a.body.Write(p)
	}
	return a.ResponseWriter.Write(p)
}

// release sends what was held back.
func (a *answer) release() {
	if a.keep && !a.released {
		a.released = true
		if a.bent == nil {
			a.bent = a.body.Bytes()
		}
		a.ResponseWriter.WriteHeader(a.status)
		_, _ = a.ResponseWriter.Write(a.bent)
	}
}

// Flush implements http.Flusher: what is flushed is a part of an answer, and stays as it is.
func (a *answer) Flush() {
	a.release()
	a.ResponseWriter.(http.Flusher).Flush()
}

// checkRequests holds everything the hosts were asked against the floors and the
// secrets.
func (w *world) checkRequests() {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, r := range w.api.Requests() {
		for name, values := range r.Header {
			if r.Host == "storage" && (name == "Authorization" || name == "Cookie" || strings.Contains(strings.Join(values, " "), fakeapi.DefaultKey)) {
				w.model.violate(nil, "the storage host was sent %s at %s", name, r.At)
			}
		}
		w.checkFloor(r)
	}
	w.checkRate()
}

// checkRate holds the requests of each receiver against its rate limit: a minute
// never sees more. What net/http sends again by itself after a connection broke
// is not the receiver's.
func (w *world) checkRate() {
	limit := w.plan.cfg.RateLimit.ListsPerMinute
	if limit == 0 {
		return
	}
	starts := map[string][]time.Time{}
	for _, r := range w.api.Requests() {
		op := "download"
		if parseQuery(r.Query).Has("after") {
			op = "list"
		}
		if r.Host == "api" && !strings.HasSuffix(r.Path, "/max_event_time") {
			starts[op] = append(starts[op], r.At)
		}
	}
	for op, at := range starts {
		for i := limit; i < len(at); i++ {
			from, to := at[i-limit], at[i]
			disturbed := func(e time.Time) bool { return !e.Before(from.Add(-time.Minute)) && !e.After(to) }
			if to.Sub(from) < time.Minute && !slices.ContainsFunc(w.disturbances, disturbed) {
				w.model.violate(nil, "%d %s requests between %s and %s, the limit is %d a minute", limit+1, op, from, to, limit)
				return
			}
		}
	}
}

func (w *world) checkFloor(r fakeapi.Request) {
	query := parseQuery(r.Query)
	if r.Host != "api" || !query.Has("after") {
		return
	}
	after, err := time.Parse(time.RFC3339Nano, query.Get("after"))
	floor, ok := w.model.floors[query.Get("event_type")]
	if asked, known := w.model.asked[query.Get("event_type")]; !ok && known { // no answer has fixed it
		floor, ok = asked.Add(w.plan.behindMost(asked.Sub(w.begin), r.At.Sub(w.begin))-w.plan.span), true
	}
	if by := w.plan.behindMost(0, r.At.Sub(w.begin)); by < 0 {
		floor = floor.Add(by - w.plan.span) // without a Date yet, the own clock says what is asked for
	}
	for _, m := range w.replays {
		if at := m.floors[query.Get("event_type")]; at.Before(floor) {
			floor = at
		}
	}
	if err != nil || !ok || after.Before(floor.Add(-time.Microsecond)) {
		w.model.violate(nil, "a list request at %s after %s, the floor of %s is %s", r.At, query.Get("after"), query.Get("event_type"), floor)
	}
}

func parseQuery(text string) url.Values {
	values, _ := url.ParseQuery(text)
	return values
}

// journal is the receiver's log: it counts messages, keeps the last ones and looks
// for secrets.
type journal struct {
	zapcore.LevelEnabler
	w      *world
	fields []zapcore.Field
}

// With implements zapcore.Core.
func (j *journal) With(fields []zapcore.Field) zapcore.Core {
	return &journal{LevelEnabler: j.LevelEnabler, w: j.w, fields: slices.Concat(j.fields, fields)}
}

// Check implements zapcore.Core.
func (j *journal) Check(entry zapcore.Entry, checked *zapcore.CheckedEntry) *zapcore.CheckedEntry {
	if j.Enabled(entry.Level) {
		return checked.AddCore(entry, j)
	}
	return checked
}

// Write implements zapcore.Core.
func (j *journal) Write(entry zapcore.Entry, fields []zapcore.Field) error {
	encoder := zapcore.NewMapObjectEncoder()
	for _, field := range slices.Concat(j.fields, fields) {
		field.AddTo(encoder)
	}
	text := fmt.Sprintf("%s %s %v", entry.Time.UTC().Format("02 15:04:05.000"), entry.Message, encoder.Fields)
	j.w.mu.Lock()
	defer j.w.mu.Unlock()
	if strings.Contains(text, fakeapi.DefaultKey) || strings.Contains(text, "sig=") {
		j.w.model.violate(nil, "a secret in the log: %s", text)
	}
	if what, ok := messages[entry.Message]; ok {
		j.w.reached[what]++
		if encoder.Fields["replay"] != nil {
			j.w.reached[what+", of a replay"]++
		}
	}
	j.w.log = append(j.w.log, text)
	return nil
}

// Sync implements zapcore.Core.
func (*journal) Sync() error { return nil }

// messages of the receiver that tell of states of interest.
var messages = map[string]string{
	"file quarantined":                                       "quarantine",
	"failed to save checkpoint, retrying":                    "checkpoint not stored",
	"file changed during delivery, restarting it":            "file changed",
	"poll failed, will resume from checkpoint":               "poll ended early",
	"poll failed, will resume":                               "poll ended early",
	"requests failing":                                       "poll ended early",
	"backlog detected, collecting new files first":           "live split",
	"segment complete":                                       "history through",
	"reached until, collection finished":                     "bounded stream through",
	"poll stopped by poll_timeout or max_pages, will resume": "poll cut",
	"first run, no stored state":                             "first run",
}
