// Copyright The OpenTelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package sim

import (
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/openaicompliance/openaicompliancereceiver/internal/checkpoint"
	"github.com/openaicompliance/openaicompliancereceiver/receiver"
)

// plannedReplay is a stretch that a restart asks for once more.
type plannedReplay struct {
	name         string
	at, from, to time.Duration
}

// length of the trouble: a day of it, sometimes more, and the outage.
func (p *plan) length() time.Duration { return day + p.longer + p.outage }

// drawBounds draws what bounds a collection: until, behind or ahead, and an outage
// of days, often while history is under way.
func (p *plan) drawBounds() {
	if p.chance(0.25) && !p.sleeps && !p.old {
		p.outage = time.Duration(2+p.rng.IntN(4))*day + p.between(0, 5*time.Hour).Truncate(time.Second)
		p.offAt = pick(p, p.between(0, 3*time.Minute), p.between(0, day*9/10)).Truncate(time.Second)
	}
	if p.chance(0.2) && p.added == "" {
		p.until = pick(p, -p.between(2*time.Hour, p.span*3/4), p.between(time.Hour, 20*time.Hour)).Truncate(time.Second)
	}
	for i := range pick(p, 0, 0, 0, 1, 2) {
		from := -p.between(2*time.Hour, p.backlog)
		p.replays = append(p.replays, plannedReplay{
			name: fmt.Sprintf("again-%d", i), at: p.between(0, day*3/4).Truncate(time.Second),
			from: from.Truncate(time.Second), to: (from/2 - time.Second).Truncate(time.Second),
		})
	}
}

// edges are the ends of segments, as far as they can be foreseen: where live begins
// at the first run and after the outage, the bound, and the bounds of replays.
func (p *plan) edges() (at []time.Duration) {
	at = []time.Duration{-day}
	if p.outage > 0 {
		back := p.offAt + p.outage - day
		at = append(at, back+time.Second, back+time.Minute) // as initial_delay may be
	}
	if p.until != 0 {
		at = append(at, p.until)
	}
	for _, r := range p.replays {
		at = append(at, r.from, r.to)
	}
	return at
}

// addTies plans files right before, at and behind an edge.
func (p *plan) addTies(w *writer, end time.Duration) {
	for _, at := range []time.Duration{end - time.Microsecond, end, end, end + time.Microsecond} {
		if at < p.length() && at > -p.backlog {
			p.files = append(p.files, plannedFile{eventType: w.eventType, end: at, seen: at, content: w.file(at)})
		}
	}
}

// changeCadence draws when passes begin, and what cuts them.
func (p *plan) changeCadence() {
	p.cfg.Schedule = pick(p, "", "", "", "*/10 * * * *", "CRON_TZ=Europe/Berlin 7,37 * * * *")
	p.cfg.PollTimeout = pick(p, 0, 0, 2*time.Minute, 10*time.Minute)
	p.cfg.MaxPages = pick(p, 0, 0, 1, 3)
}

// patience gives passes time again, and reports whether they had too little: with a
// page at a time a backlog takes days.
func (p *plan) patience() (changed bool) {
	before := *p.cfg
	p.cfg.PollTimeout *= 5
	if p.cfg.MaxPages*p.api.PageLimit < 50 {
		p.cfg.MaxPages = 0
	}
	return p.cfg.PollTimeout != before.PollTimeout || p.cfg.MaxPages != before.MaxPages
}

// drawReplay lets restarts ask for replays.
func (p *plan) drawReplay() {
	for _, r := range p.replays {
		p.happens(r.at, "replay "+r.name, func(w *world) {
			replay := receiver.ReplayConfig{Name: r.name, From: w.at(r.from), To: w.at(r.to)}
			w.plan.cfg.Replay = append(slices.Clone(w.plan.cfg.Replay), replay)
			w.mu.Lock()
			w.addReplay(r)
			w.mu.Unlock()
			w.restart()
		})
	}
	slices.SortStableFunc(p.events, func(a, b happening) int { return int(a.at - b.at) })
}

// drawOutage moves what is planned behind the outage to its end.
func (p *plan) drawOutage() {
	if p.outage == 0 {
		return
	}
	for i := range p.events {
		if p.events[i].at >= p.offAt {
			p.events[i].at += p.outage
		}
	}
	for i := range p.windows {
		if p.windows[i].until > p.offAt {
			p.windows[i].from, p.windows[i].until = p.windows[i].from+p.outage, p.windows[i].until+p.outage
		}
	}
	p.happens(p.offAt, "outage", (*world).outage)
	slices.SortStableFunc(p.events, func(a, b happening) int { return int(a.at - b.at) })
}

// outage turns the receiver off for days.
func (w *world) outage() {
	w.afterCrash()
	w.stop()
	w.reach("outage of days")
	for _, eventType := range w.plan.cfg.EventTypes {
		stored, err := checkpoint.ReadSnapshot(w.closing, peek{disk: w.disk}, checkpoint.Key(w.plan.cfg.WorkspaceID, eventType))
		if err == nil && stored != nil && len(stored.Segments) > 1 {
			w.reach("outage while history is under way")
		}
	}
	time.Sleep(w.plan.outage)
	w.start()
}

// at is a time since the begin of the world, as the configuration writes it.
func (w *world) at(since time.Duration) string {
	return w.begin.Add(since).UTC().Format(time.RFC3339Nano)
}

// lateness is the least that a bounded stretch waits for files that appear late.
const lateness = 30 * time.Minute

// closes is when a stretch up to until, begun at a time since the begin of the world,
// may have ended.
func (w *world) closes(until time.Time, begun time.Duration) time.Time {
	at := until.Add(lateness)
	if begin := w.begin.Add(begun); begin.After(at) {
		return begin
	}
	return at
}

// addReplay makes a model of what a replay is to bring.
func (w *world) addReplay(r plannedReplay) {
	m := newModel(time.Now)
	m.dedup, m.window, m.pageLimit = w.model.dedup, w.model.window, w.model.pageLimit
	w.shortenPages(m)
	m.until = w.begin.Add(r.to)
	m.closes = w.closes(m.until, r.at)
	for _, eventType := range w.plan.types {
		m.floors[eventType] = w.begin.Add(r.from)
	}
	for _, f := range w.planted {
		added := w.addFile(m, f)
		for sum := range w.model.files[f.ID].variants {
			if sum != f.SHA256 {
				added.variants[sum] = w.model.files[f.ID].variants[sum].blank()
			}
		}
	}
	w.replays[r.name] = m
}

// models are that of the collection and those of the replays, by name.
func (w *world) models() map[string]*model {
	all := map[string]*model{"": w.model}
	maps.Copy(all, w.replays)
	return all
}

// modelOf is the model of a replay, or that of the collection.
func (w *world) modelOf(replay string) *model {
	if m := w.replays[replay]; m != nil {
		return m
	}
	return w.model
}
