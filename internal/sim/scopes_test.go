// Copyright The OpenTelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package sim

import (
	"hash/fnv"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/openaicompliance/openaicompliancereceiver/internal/checkpoint"
)

// Kinds of windows that meet a share of the files, always the same ones, or a whole
// event type.
const (
	redirectRefused = "redirect that is not followed"
	fileUnreadable  = "file that cannot be had"
	typeUnreadable  = "type that cannot be listed"
	consumerLimits  = "consumer rejects large batches"
	consumerPoison  = "consumer rejects some records"
)

// locations that no download follows, empty for none at all.
var locations = []string{"http://u:p@" + storageHost + "/blob/x", "", "http:///x", "ftp://" + storageHost + "/x"}

// drawScopes plans trouble that meets some files, records or batches, or one type, and
// nothing else.
func (p *plan) drawScopes() {
	add := func(chance float64, kind string, length time.Duration) {
		if !p.chance(chance) {
			return
		}
		from := pick(p, 0, p.moment())
		p.windows = append(p.windows, window{
			kind: kind, from: from, until: from + length, eventType: pick(p, "", pick(p, p.types...)),
			share: pick(p, 0.02, 0.1, 0.4), pause: 40 * time.Second,
			limit: pick(p, 1, 700, 2000, 5000), plain: p.chance(0.3),
		})
	}
	add(0.15, redirectRefused, p.between(10*time.Minute, day))
	add(0.15, fileUnreadable, p.between(10*time.Minute, day))
	add(0.15, consumerLimits, p.between(10*time.Minute, 10*time.Hour))
	add(0.15, consumerPoison, p.between(10*time.Minute, day))
	add(0.1, consumerSlow, p.between(time.Hour, 8*time.Hour))
	if p.crowd != "" && p.chance(0.7) {
		open := window{kind: fileUnreadable, until: p.between(6*time.Hour, day), eventType: p.crowd, share: 0.6}
		p.windows = append(p.windows, open)
		p.happens(open.until-time.Minute, "count queues", (*world).countQueues)
	}
	if p.chance(0.1) {
		p.windows = append(p.windows, window{kind: typeUnreadable, until: p.length(), eventType: pick(p, p.types...)})
	}
}

// meets reports whether a window meets what a text names: always the same share.
func (open window) meets(text string) bool {
	hash := fnv.New32a()
	_, _ = hash.Write([]byte(open.kind + text))
	return open.kind != "" && float64(hash.Sum32()%1000) < 1000*open.share
}

// typeOf is the event type of a file.
func (w *world) typeOf(fileID string) string {
	if f := w.model.files[fileID]; f != nil {
		return f.EventType
	}
	return ""
}

// block answers requests that trouble of a scope meets, and reports whether it did.
func (w *world) block(out http.ResponseWriter, host string, r *http.Request) bool {
	id := r.URL.Path[strings.LastIndex(r.URL.Path, "/")+1:]
	query := r.URL.Query()
	switch {
	case query.Has("after"):
		if open := w.trouble(query.Get("event_type"), typeUnreadable); open.kind != "" {
			w.reach(open.kind)
			_, _ = out.Write([]byte("<html>"))
			return true
		}
	case host == "api":
		if open := w.trouble(w.typeOf(id), redirectRefused); open.meets(id) {
			w.reach(open.kind)
			if to := locations[int(id[len(id)-1])%len(locations)]; to != "" {
				out.Header().Set("Location", to)
			}
			out.WriteHeader(http.StatusFound)
			return true
		}
	default:
		if open := w.trouble(w.typeOf(id), fileUnreadable); open.meets(id) {
			w.reach(open.kind)
			out.WriteHeader(http.StatusNotFound)
			return true
		}
	}
	return false
}

// bodiesOf is the size of a batch as the trouble of a consumer counts it.
func bodiesOf(batch []delivery) (size int) {
	for _, d := range batch {
		size += len(d.body)
	}
	return size
}

// rejects reports whether a window rejects a batch: for its size, or for records in it.
func (open window) rejects(batch []delivery) bool {
	if !batch[0].gapTo.IsZero() {
		return false
	}
	switch open.kind {
	case consumerLimits:
		return bodiesOf(batch) > open.limit
	case consumerPoison:
		return slices.ContainsFunc(batch, func(d delivery) bool { return open.meets(d.body) })
	}
	return false
}

// rejecting is the window that rejects a batch now, zero for none.
func (w *world) rejecting(eventType string, batch []delivery) window {
	for _, kind := range []string{consumerLimits, consumerPoison} {
		if open := w.trouble(eventType, kind); open.rejects(batch) {
			return open
		}
	}
	return window{}
}

// crowded is a long retry queue.
const crowded = 100

// countQueues takes note of a retry queue that has become long.
func (w *world) countQueues() {
	for _, eventType := range w.plan.cfg.EventTypes {
		stored, err := checkpoint.ReadSnapshot(w.closing, peek{disk: w.disk}, checkpoint.Key(w.plan.cfg.WorkspaceID, eventType))
		if err == nil && stored != nil && len(stored.Queue) >= crowded {
			w.reach("hundreds of files queued")
		}
	}
}

// drawLonger lets the trouble of a day last for days.
func (p *plan) drawLonger() {
	if !p.sleeps && !p.old && p.chance(0.05) {
		p.longer = time.Duration(1+p.rng.IntN(3)) * day
	}
}
