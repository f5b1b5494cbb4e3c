// Copyright The OpenTelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package sim

import (
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"
)

// oddKind is one way in which an entry of the listing is odd.
type oddKind struct {
	name   string
	change func(entry map[string]any) any
	// hides is set when only a later listing with the right entry finds the file.
	hides bool
	// unmarked is set when the digest is not listed, unnamed when the entry has no
	// usable id, and oddEnd when nothing comes from its time.
	unmarked, unnamed, oddEnd bool
}

// oddity is what is odd about the entry of one file until a time.
type oddity struct {
	oddKind
	until time.Duration
}

// drop removes a member.
func drop(key string) func(map[string]any) any {
	return func(e map[string]any) any { delete(e, key); return e }
}

// writtenAs is a change of how a member is written.
func writtenAs(key string, form func(value any) any) func(map[string]any) any {
	return func(e map[string]any) any { e[key] = form(e[key]); return e }
}

var oddKinds = []oddKind{
	{name: "no digest", change: drop("file_sha256"), unmarked: true},
	{name: "null digest", change: set("file_sha256", nil), unmarked: true},
	{name: "prefixed digest", change: writtenAs("file_sha256", func(v any) any { return "sha256:" + v.(string) })},
	{name: "base64 digest", change: writtenAs("file_sha256", func(v any) any {
		sum, _ := hex.DecodeString(v.(string))
		return base64.StdEncoding.EncodeToString(sum)
	})},
	{name: "no size", change: drop("file_size")},
	{name: "null size", change: set("file_size", nil)},
	{name: "size as text", change: writtenAs("file_size", func(v any) any { return fmt.Sprint(v) })},
	{name: "size as fraction", change: writtenAs("file_size", func(v any) any { return fmt.Sprintf("%v.0", v) })},
	{name: "negative size", change: set("file_size", -1)},
	{name: "absurd size", change: set("file_size", int64(1)<<62)},
	{name: "wrong size", change: set("file_size", 7)},
	{name: "time with +0000", change: writtenAs("end_time", func(v any) any { return strings.Replace(v.(string), "Z", "+0000", 1) })},
	{name: "time with a blank", change: writtenAs("end_time", func(v any) any { return strings.Replace(v.(string), "T", " ", 1) })},
	{name: "no time", change: drop("end_time"), oddEnd: true},
	{name: "null time", change: set("end_time", nil), oddEnd: true},
	{name: "time as number", change: set("end_time", 17), oddEnd: true},
	{name: "time in the year 9999", change: set("end_time", "9999-12-31T23:59:59.999999Z"), oddEnd: true},
	{name: "time in the year 1969", change: set("end_time", "1969-12-31T23:59:59Z"), oddEnd: true},
	{name: "no type", change: drop("event_type")},
	{name: "null type", change: set("event_type", nil)},
	{name: "other type", change: set("event_type", "AGENT_LOG"), hides: true},
	{name: "no id", change: drop("id"), hides: true, unnamed: true},
	{name: "empty id", change: set("id", ""), hides: true, unnamed: true},
	{name: "long id", change: set("id", strings.Repeat("x", 4000)), hides: true, unnamed: true},
	{name: "id as number", change: set("id", 4711), hides: true},
	{name: "null entry", change: func(map[string]any) any { return nil }, hides: true, unnamed: true},
	{name: "entry as text", change: func(map[string]any) any { return "?" }, hides: true, unnamed: true},
}

// drawEntries lets the entries of some files be odd: one in a while, or many.
func (p *plan) drawEntries() {
	share := pick(p, 0, 0, 0.02, 0.02, 0.1)
	for i, f := range p.files {
		if !p.chance(share) {
			continue
		}
		odd := oddity{oddKind: oddKinds[p.rng.IntN(len(oddKinds))]}
		odd.until = pick(p, p.between(time.Hour, day), p.length())
		if odd.hides { // found by a deep listing, as a file that appears late
			odd.until = min(f.seen+p.between(0, 20*time.Hour), f.end+20*time.Hour, p.length())
		}
		if odd.until > max(0, f.seen) && f.end < p.length() {
			p.odd[i] = odd
		}
	}
}

// bendEntries makes entries odd.
func (w *world) bendEntries(body []byte) []byte {
	var page map[string]any
	if len(w.odd) == 0 || w.isCalm() || json.Unmarshal(body, &page) != nil {
		return body
	}
	data, _ := page["data"].([]any)
	bent := false
	w.mu.Lock()
	defer w.mu.Unlock()
	for i, entry := range data {
		e, _ := entry.(map[string]any)
		id, _ := e["id"].(string)
		if odd, ok := w.odd[id]; ok && w.since() < odd.until {
			data[i], bent = odd.change(e), true
			w.reached["entry with "+odd.name]++
		}
	}
	if bent {
		body, _ = json.Marshal(page)
	}
	return body
}

// shown is when the listing begins to show what the file is.
func (f *file) shown() time.Time {
	if f.hiddenUntil.After(f.VisibleFrom) {
		return f.hiddenUntil
	}
	return f.VisibleFrom
}

// addOdd tells a model of a file with an oddity.
func (m *model) addOdd(f *file, odd oddity, begin time.Time) {
	f.odd = odd.oddKind
	if odd.hides {
		f.hiddenUntil = begin.Add(odd.until)
	}
	m.unnamed[f.EventType] = m.unnamed[f.EventType] || odd.unnamed
	m.shortPages[f.EventType] = m.shortPages[f.EventType] || odd.unnamed || odd.oddEnd
}

// oddNames are the names of all kinds, for the states that must be reached.
func oddNames() (names []string) {
	for _, kind := range oddKinds {
		names = append(names, "entry with "+kind.name)
	}
	return slices.Clip(names)
}
