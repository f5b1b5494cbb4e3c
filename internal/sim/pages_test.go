// Copyright The OpenTelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package sim

import (
	"encoding/json"
	"time"
)

// drawTies lets more files share one end_time than a page lists.
func (p *plan) drawTies() {
	if p.api.PageLimit > 20 || !p.chance(0.15) {
		return
	}
	for _, eventType := range p.types {
		if eventType == p.quiet || p.chance(0.3) {
			continue
		}
		w := &writer{plan: p, eventType: eventType}
		end := p.between(-p.span, day)
		for i := range p.api.PageLimit + p.rng.IntN(4) {
			w.count = 100_000 + i // ids of no other file
			p.files = append(p.files, plannedFile{eventType: eventType, end: end, seen: end, content: w.file(end)})
		}
	}
}

// tied reports whether so many files may have shared an end_time that no request lists
// all of them, as far as the receiver can know.
func (m *model) tied(eventType string, end time.Time) bool {
	n := 0
	for _, f := range m.files {
		if f.EventType == eventType && f.EndTime.Equal(end) {
			n++
		}
	}
	return n >= m.pageLimit || n >= 2 && m.shortPages[eventType]
}

// toldTied reports whether it was told that files of this one's end_time are missing.
func (m *model) toldTied(f *file) bool {
	for _, g := range m.gaps {
		if g.reason == "ties" && g.eventType == f.EventType && g.to.Equal(f.EndTime) && m.tied(g.eventType, g.to) {
			return true
		}
	}
	return false
}

// Kinds of windows in which has_more lies, where the receiver can tell: on a full page,
// or on the last one.
const (
	moreDenied  = "has_more is false on a full page"
	moreAbsent  = "has_more is absent"
	moreText    = "has_more is text"
	moreClaimed = "has_more is true on the last page"
)

var moreKinds = []string{moreDenied, moreAbsent, moreText, moreClaimed}

// shortenPages takes note of types whose pages may say that there are more.
func (w *world) shortenPages(m *model) {
	for _, open := range w.plan.windows {
		for _, eventType := range w.plan.types {
			m.shortPages[eventType] = m.shortPages[eventType] || open.kind == moreClaimed
		}
	}
}

// fullPage is what a page of the API holds at most: one that does is asked on from.
const fullPage = 100

// drawMore lets has_more lie for a while, or all day.
func (p *plan) drawMore() {
	if p.crowd != "" { // pages are full while history is on its way
		p.windows = append(p.windows, window{kind: pick(p, moreDenied, moreAbsent), until: pick(p, time.Hour, p.length())})
	}
	for range pick(p, 0, 0, 0, 1, 2) {
		from := pick(p, 0, p.moment())
		p.windows = append(p.windows, window{kind: pick(p, moreKinds...), from: from, until: pick(p, from+p.between(time.Minute, 2*time.Hour), p.length())})
	}
}

// bendMore makes a page lie about more.
func (w *world) bendMore(body []byte) []byte {
	open := w.trouble("", moreKinds...)
	var page map[string]any
	if open.kind == "" || json.Unmarshal(body, &page) != nil {
		return body
	}
	data, _ := page["data"].([]any)
	more, _ := page["has_more"].(bool)
	whole := !more || len(data) >= fullPage
	switch open.kind {
	case moreDenied:
		if len(data) < fullPage {
			return body
		}
		page["has_more"] = false
	case moreAbsent:
		if !whole {
			return body
		}
		delete(page, "has_more")
	case moreText:
		page["has_more"] = map[bool]string{true: "true", false: "false"}[more]
	case moreClaimed:
		page["has_more"] = true
	}
	w.reach(open.kind)
	bent, _ := json.Marshal(page)
	return bent
}

// drawCrowd lets one type have hundreds of files, more than a page holds.
func (p *plan) drawCrowd() {
	if p.old || p.sleeps || !p.chance(0.1) {
		return
	}
	p.crowd = p.types[0]
	p.api.PageLimit = fullPage
}
