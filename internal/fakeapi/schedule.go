// Copyright The OpenTelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package fakeapi

import (
	"bytes"
	"encoding/json"
	"hash/fnv"
	"math/rand/v2"
	"time"
)

// Schedule makes files of some types at a steady pace, as the real exporter
// does: about one file per type every ten minutes.
type Schedule struct {
	Types []string
	// Since is the begin of the first window; files exist for every window that
	// has ended by now.
	Since time.Time
	// Every is the length of a window; default ten minutes.
	Every time.Duration
	// Records in each file, before duplicates.
	Records int
	// Duplicates is the share of records that come again, byte for byte, in a
	// later file; Late is the share whose time lies hours before their file.
	Duplicates, Late float64
	// Stop ends the schedule; zero means never.
	Stop time.Time
}

// Freeze ends the schedule now: no file follows those that exist.
func (a *API) Freeze() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.advanceLocked()
	if a.opts.Live != nil {
		frozen := *a.opts.Live
		frozen.Stop = a.opts.Now()
		a.opts.Live = &frozen
	}
}

// generator makes the files of one type in order.
type generator struct {
	rng  *rand.Rand
	next time.Time // end of the next window
	// repeat holds records that a later file will bring again.
	repeat []line
}

type line struct {
	id   string
	text []byte
}

// advanceLocked makes the files whose window has ended.
func (a *API) advanceLocked() {
	plan := a.opts.Live
	if plan == nil {
		return
	}
	every := plan.Every
	if every == 0 {
		every = 10 * time.Minute
	}
	for _, eventType := range plan.Types {
		g := a.generated[eventType]
		if g == nil {
			hash := fnv.New64a()
			_, _ = hash.Write([]byte(eventType))
			g = &generator{rng: rand.New(rand.NewPCG(a.opts.Seed, hash.Sum64())), next: plan.Since.Add(every)}
			a.generated[eventType] = g
		}
		for ; !g.next.After(a.opts.Now()) && (plan.Stop.IsZero() || !g.next.After(plan.Stop)); g.next = g.next.Add(every) {
			a.exportLocked(eventType, g, plan, every)
		}
	}
}

// exportLocked writes the files of one window: one, or more where a file would
// pass the size cap.
func (a *API) exportLocked(eventType string, g *generator, plan *Schedule, every time.Duration) {
	// Files are written a moment after their window, not on the second.
	end := g.next.Add(-time.Duration(g.rng.IntN(900_000)) * time.Microsecond)
	var content bytes.Buffer
	var ids []string
	flush := func() {
		a.addLocked(eventType, end, bytes.Clone(content.Bytes()), ids)
		content.Reset()
		ids = nil
		end = end.Add(time.Microsecond)
	}
	for _, l := range g.lines(a.principalOf(eventType), eventType, end, plan, every) {
		if content.Len() > 0 && content.Len()+len(l.text)+1 > MaxFileSize {
			flush()
		}
		content.Write(l.text)
		content.WriteByte('\n')
		ids = append(ids, l.id)
	}
	flush()
}

func (g *generator) lines(p principal, eventType string, end time.Time, plan *Schedule, every time.Duration) []line {
	lines := g.repeat
	g.repeat = nil
	for range plan.Records {
		at := end.Add(-time.Duration(g.rng.Int64N(int64(every))))
		if g.rng.Float64() < plan.Late {
			at = at.Add(-time.Duration(1+g.rng.IntN(12)) * time.Hour)
		}
		l := makeRecord(g.rng, p, eventType, at)
		lines = append(lines, l)
		if g.rng.Float64() < plan.Duplicates {
			g.repeat = append(g.repeat, l)
		}
	}
	return lines
}

// eventIDs reads the ids of the records of a file, empty where a line has none.
func eventIDs(content []byte) []string {
	var ids []string
	for text := range bytes.Lines(content) {
		if len(bytes.Trim(text, blank)) == 0 {
			continue
		}
		var envelope struct {
			EventID string `json:"event_id"`
		}
		_ = json.Unmarshal(text, &envelope)
		ids = append(ids, envelope.EventID)
	}
	return ids
}
