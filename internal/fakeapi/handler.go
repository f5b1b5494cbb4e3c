// Copyright The OpenTelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package fakeapi

import (
	"encoding/json"
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// workspaceOnly and organizationOnly types answer 400 on the other route.
var (
	workspaceOnly = []string{
		"AUDIT_LOG", "AUTH_LOG", "CHATGPT_PLUGIN_SPREADSHEET", "CODEX_LOG",
		"CODEX_SECURITY_LOG", "CODEX_TURN", "CONVERSATION_MESSAGE", "CUSTOM_AGENTS_LOG",
		"CHATGPT_USER_ANALYTICS", "CHATGPT_PROJECT_ANALYTICS", "CHATGPT_GPT_ANALYTICS", "CHATGPT_SURVEY_ANALYTICS",
	}
	organizationOnly = []string{"COSTS"}
	bothScopes       = []string{"APP_AUTH_LOG", "APP_LOG"}
)

// EventTypes returns the types a principal of the given kind has.
func EventTypes(organization bool) []string {
	if organization {
		return slices.Concat(bothScopes, organizationOnly)
	}
	return slices.Concat(bothScopes, workspaceOnly)
}

// Handler is the API host.
func (a *API) Handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /v1/compliance/{scope}/{principal}/logs", a.serveList)
	mux.HandleFunc("GET /v1/compliance/{scope}/{principal}/logs/max_event_time", a.serveFreshness)
	mux.HandleFunc("GET /v1/compliance/{scope}/{principal}/logs/{file}", a.serveDownload)
	return mux
}

// problem is an error answer: its status, the JSON body's detail and headers.
type problem struct {
	status int
	detail any
	header map[string]string
}

func (p *problem) write(w http.ResponseWriter) {
	for name, value := range p.header {
		w.Header().Set(name, value)
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(p.status)
	_ = json.NewEncoder(w).Encode(map[string]any{"detail": p.detail})
}

func refuse(status int, format string, args ...any) *problem {
	return &problem{status: status, detail: fmt.Sprintf(format, args...)}
}

// admitLocked checks what both routes ask first: key, principal, rate.
func (a *API) admitLocked(r *http.Request, op string, limit int) *problem {
	if r.Header.Get("Authorization") != "Bearer "+a.opts.Key {
		return refuse(http.StatusUnauthorized, "Invalid authentication credentials")
	}
	known := map[string]string{"workspaces": a.opts.WorkspaceID, "organizations": a.opts.OrganizationID}
	if r.PathValue("principal") != known[r.PathValue("scope")] {
		return refuse(http.StatusNotFound, "Not found")
	}
	return a.limitLocked(op, limit)
}

// listQuery is what a list request asks for.
type listQuery struct {
	types         []string
	after, before time.Time
	limit         int
}

func parseList(r *http.Request) (q listQuery, p *problem) {
	values := r.URL.Query()
	for _, v := range values["event_type"] {
		q.types = append(q.types, strings.Split(v, ",")...)
	}
	missing := func(name string) *problem {
		return &problem{status: http.StatusUnprocessableEntity, detail: []any{map[string]any{
			"type": "missing", "loc": []string{"query", name}, "msg": "Field required",
		}}}
	}
	if len(q.types) == 0 {
		return q, missing("event_type")
	}
	if !values.Has("after") {
		return q, missing("after")
	}
	if q.after, p = parseTime("after", values.Get("after")); p != nil {
		return q, p
	}
	if values.Has("before") {
		if q.before, p = parseTime("before", values.Get("before")); p != nil {
			return q, p
		}
	}
	q.limit = 100
	if text := values.Get("limit"); text != "" {
		n, err := strconv.Atoi(text)
		if err != nil || n < 1 || n > 100 {
			return q, &problem{status: http.StatusUnprocessableEntity, detail: []any{map[string]any{
				"type": "less_than_equal", "loc": []string{"query", "limit"}, "msg": "Input should be between 1 and 100",
			}}}
		}
		q.limit = n
	}
	return q, nil
}

func parseTime(name, text string) (time.Time, *problem) {
	at, err := time.Parse(time.RFC3339Nano, text)
	if err != nil {
		return at, refuse(http.StatusBadRequest, "Invalid %s: expected an ISO 8601 date-time with a zone", name)
	}
	return at, nil
}

var typePattern = regexp.MustCompile(`^[A-Z][A-Z0-9_]*$`)

// checkTypes applies the scope rules.
func (a *API) checkTypes(types []string, scope string) *problem {
	for _, t := range types {
		switch {
		case slices.Contains(a.opts.Forbidden, t):
			return refuse(http.StatusForbidden, "Missing scope for event_type %s", t)
		case scope == "organizations" && slices.Contains(workspaceOnly, t):
			return refuse(http.StatusBadRequest, "Invalid event_type %s: workspace-scoped, use /compliance/workspaces/{workspace_id}/logs", t)
		case scope == "workspaces" && slices.Contains(organizationOnly, t):
			return refuse(http.StatusBadRequest, "Invalid event_type %s: organization-scoped, use /compliance/organizations/{organization_id}/logs", t)
		case !typePattern.MatchString(t), !slices.Contains(slices.Concat(workspaceOnly, organizationOnly, bothScopes, a.opts.MoreTypes), t):
			return refuse(http.StatusBadRequest, "Invalid event_type")
		}
	}
	return nil
}

func (a *API) serveList(w http.ResponseWriter, r *http.Request) {
	a.mu.Lock()
	a.recordLocked("api", r)
	fault := a.faultLocked("list", r.URL.Query().Get("event_type"), "")
	body, p := a.listLocked(r)
	a.mu.Unlock()
	w.Header().Set("Date", a.opts.Now().UTC().Format(http.TimeFormat))
	if fault != nil && fault.apply(w, r, body) {
		return
	}
	if p != nil {
		p.write(w)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	_, _ = w.Write(body)
}

// serveFreshness answers with the newest end_time of the files that are listed.
func (a *API) serveFreshness(w http.ResponseWriter, r *http.Request) {
	types := r.URL.Query()["event_type"]
	a.mu.Lock()
	a.recordLocked("api", r)
	fault := a.faultLocked("freshness", r.URL.Query().Get("event_type"), "")
	p := a.admitLocked(r, "freshness", 0)
	if p == nil {
		p = a.checkTypes(types, r.PathValue("scope"))
	}
	newest := map[string]any{}
	for _, eventType := range types {
		newest[eventType] = nil
		if files := a.selectLocked(listQuery{types: []string{eventType}}); len(files) > 0 {
			newest[eventType] = files[len(files)-1].EndTime.Format(time.RFC3339Nano)
		}
	}
	a.mu.Unlock()
	body, _ := json.Marshal(map[string]any{"max_event_time": newest})
	if fault != nil && fault.apply(w, r, body) {
		return
	}
	if p != nil {
		p.write(w)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	_, _ = w.Write(body)
}

func (a *API) listLocked(r *http.Request) ([]byte, *problem) {
	if p := a.admitLocked(r, "list", a.opts.ListsPerMinute); p != nil {
		return nil, p
	}
	q, p := parseList(r)
	if p != nil {
		return nil, p
	}
	if p := a.checkTypes(q.types, r.PathValue("scope")); p != nil {
		return nil, p
	}
	a.advanceLocked()
	files := a.selectLocked(q)
	limit := min(q.limit, a.opts.PageLimit)
	more := len(files) > limit
	if more {
		files = files[:limit]
	}
	data := []map[string]any{}
	var last any
	for _, f := range files {
		end := f.EndTime.Format("2006-01-02T15:04:05.000000Z")
		last = end
		data = append(data, map[string]any{
			"id": f.ID, "event_type": f.EventType, "end_time": end,
			"file_name": f.Name, "file_size": f.Size, "file_sha256": f.SHA256,
		})
	}
	body, _ := json.Marshal(map[string]any{"data": data, "has_more": more, "last_end_time": last})
	return body, nil
}

// selectLocked returns the files in range, in the API's order.
func (a *API) selectLocked(q listQuery) []*File {
	now := a.opts.Now()
	var files []*File
	for _, t := range q.types {
		for _, f := range a.files[t] {
			inRange := f.EndTime.After(q.after) || (a.opts.Inclusive && f.EndTime.Equal(q.after))
			if inRange && (q.before.IsZero() || f.EndTime.Before(q.before)) && f.servedAt(now) {
				files = append(files, f)
			}
		}
	}
	slices.SortStableFunc(files, func(x, y *File) int { return x.EndTime.Compare(y.EndTime) })
	return files
}

func (f *File) servedAt(now time.Time) bool {
	return !f.EndTime.After(now) && !now.Before(f.VisibleFrom) && now.Sub(f.EndTime) < Retention
}

// window counts requests in fixed minutes.
type window struct {
	start time.Time
	count int
}

func (a *API) limitLocked(op string, limit int) *problem {
	if limit == 0 {
		return nil
	}
	now := a.opts.Now()
	w := a.windows[op]
	if w == nil || now.Sub(w.start) >= time.Minute {
		w = &window{start: now}
		a.windows[op] = w
	}
	w.count++
	if w.count <= limit {
		return nil
	}
	left := time.Minute - now.Sub(w.start)
	return &problem{
		status: http.StatusTooManyRequests, detail: "Rate limit exceeded",
		header: map[string]string{"Retry-After": strconv.Itoa(int(left/time.Second) + 1)},
	}
}
