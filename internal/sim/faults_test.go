// Copyright The OpenTelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package sim

import (
	"slices"
	"time"

	"github.com/openaicompliance/openaicompliancereceiver/internal/fakeapi"
)

// happening is one thing that befalls the world at a time, measured from its
// begin.
type happening struct {
	at   time.Duration
	name string
	do   func(w *world)
}

func (p *plan) happens(at time.Duration, name string, do func(w *world)) {
	p.events = append(p.events, happening{at, name, do})
}

// moment draws when trouble begins: often while the backlog is on its way.
func (p *plan) moment() time.Duration {
	if p.chance(0.4) {
		return p.between(0, 15*time.Minute)
	}
	return p.between(0, day*9/10)
}

// drawEvents plans the trouble of the day.
func (p *plan) drawEvents() {
	for range p.rng.IntN(25) {
		p.drawFault()
	}
	if p.chance(0.7) {
		for range 1 + p.rng.IntN(8) {
			p.drawBadBytes()
		}
	}
	for range p.rng.IntN(10) {
		p.drawWindow()
	}
	for range p.rng.IntN(8) {
		p.drawEnd()
	}
	if p.chance(0.4) { // some records of the backlog are refused for good
		from := p.between(0, 5*time.Minute)
		p.windows = append(p.windows, window{kind: consumerDrops, from: from, until: from + time.Hour, share: 0.05 + 0.2*p.rng.Float64()})
	}
	if p.old { // the consumer, or the network, is not there while files expire
		p.windows = append(p.windows, window{kind: consumerBlocks, from: p.between(0, 2*time.Minute), until: p.between(time.Hour, 5*time.Hour)})
	}
	if p.added != "" {
		p.happens(p.between(0, day*3/4), "add "+p.added, func(w *world) {
			w.plan.cfg.EventTypes = append(slices.Clone(w.plan.cfg.EventTypes), p.added)
			w.reach("event type added")
			w.restart()
		})
	}
	slices.SortStableFunc(p.events, func(a, b happening) int { return int(a.at - b.at) })
}

// drawFault plans trouble of the API that meets some requests.
func (p *plan) drawFault() {
	cut := p.rng.IntN(200)
	op := pick(p, "list", "download", "fetch")
	kinds := []fakeapi.Fault{
		{Status: pick(p, 500, 502, 503, 504, 408)},
		{Status: 429, Header: map[string]string{"Retry-After": pick(p, "1", "20", "300", "Sat, 01 Jan 2000 01:00:00 GMT", "soon", "999999999999")}},
		{Status: 429},
		{Reset: true},
		{Truncate: &cut},
		{Stall: true},
		{Delay: fakeapi.Duration(p.between(time.Second, 40*time.Second))},
	}
	switch op {
	case "list":
		kinds = append(kinds, fakeapi.Fault{Status: 200, Body: "<html>maintenance</html>"}, fakeapi.Fault{Status: 401, Body: `{"detail":"no"}`},
			fakeapi.Fault{Status: 400})
	case "download":
		kinds = append(kinds, fakeapi.Fault{Status: 404, Body: `{"detail":"Log file not found"}`}, fakeapi.Fault{Status: 307})
	case "fetch":
		kinds = append(kinds, fakeapi.Fault{Status: 403, Body: "sig=late"}, fakeapi.Fault{Extra: "x"})
	}
	fault := kinds[p.rng.IntN(len(kinds))]
	fault.Op, fault.Times, fault.Skip = op, 1+p.rng.IntN(8), p.rng.IntN(5)
	if p.chance(0.3) {
		fault.EventType = pick(p, p.types...)
	}
	p.happens(p.moment(), "fault", func(w *world) { w.api.Script(fault) })
}

// drawBadBytes plans a file that comes with a bit flipped: once, or several times
// with the same bytes, which lenient verification takes for the file.
func (p *plan) drawBadBytes() {
	if len(p.files) == 0 {
		return
	}
	i := p.rng.IntN(len(p.files))
	times := pick(p, 1, 2, 8, 12, 12)
	if p.faulted[i] {
		return
	}
	p.faulted[i] = true
	p.happens(0, "bad bytes", func(w *world) {
		f := w.planted[i]
		w.api.Script(fakeapi.Fault{Op: "fetch", FileID: f.ID, Corrupt: true, Times: times, Skip: pick(p, 0, 0, 1)})
		if body := slices.Clone(f.Content); len(body) > 0 {
			body[len(body)/2] ^= 1
			for _, m := range w.models() {
				m.files[f.ID].expect(body)
			}
		}
	})
}

// drawWindow plans trouble that lasts.
func (p *plan) drawWindow() {
	kind := pick(p, storageFails, storageSlow, consumerRefuses, consumerRefuses, consumerDrops, consumerSlow, consumerBlocks, networkDown)
	from := p.moment()
	length := p.between(time.Minute, 40*time.Minute)
	w := window{kind: kind, share: p.rng.Float64(), pause: p.between(time.Second, 20*time.Second)}
	switch kind {
	case consumerBlocks:
		length, w.share = time.Hour, 0
	case consumerRefuses:
		w.share = pick(p, w.share, 1)
	case consumerDrops:
		w.share /= 2
	case storageSlow:
		w.pause /= 3
	}
	w.from, w.until = from, from+length
	if p.chance(0.5) {
		w.eventType = pick(p, p.types...)
	}
	p.windows = append(p.windows, w)
	if kind == networkDown {
		p.happens(from, kind, func(w *world) { w.disturb(); w.net.setDown(true); w.reach(networkDown) })
		p.happens(w.until, kind+" no more", func(w *world) { w.net.setDown(false) })
	}
}

// drawEnd plans the end of a receiver, and the next one.
func (p *plan) drawEnd() {
	at := p.moment()
	change := p.chance(0.5)
	prepare := func(w *world) {
		if change {
			w.plan.changeSettings()
			w.reach("settings changed")
		}
	}
	if p.chance(0.35) {
		p.happens(at, "restart", func(w *world) { prepare(w); w.restart() })
		return
	}
	point := pick(p, "", atSet, atStored, atConsume, atAccepted, atRequest, atGet)
	calls := 1 + p.rng.IntN(12)
	p.happens(at, "crash "+point, func(w *world) {
		prepare(w)
		if point == "" {
			w.reach("crash at any time")
			w.kill()
			return
		}
		w.arm(point, calls)
	})
}

// trouble returns the window of a kind that is open at a time since the begin,
// zero for none.
func (p *plan) trouble(at time.Duration, eventType string, kinds ...string) window {
	for _, w := range p.windows {
		if slices.Contains(kinds, w.kind) && at >= w.from && at < w.until && (w.eventType == "" || eventType == "" || w.eventType == eventType) {
			return w
		}
	}
	return window{}
}
