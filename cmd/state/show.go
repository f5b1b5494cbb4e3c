// Copyright The OpenTelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/openaicompliance/openaicompliancereceiver/internal/checkpoint"
	"github.com/openaicompliance/openaicompliancereceiver/receiver"
)

// picture is what show shows, and the document of show -json.
type picture struct {
	Storage     string    `json:"storage"`
	Receiver    string    `json:"receiver"`
	PrincipalID string    `json:"principal_id"`
	Time        time.Time `json:"time"`
	Streams     []stream  `json:"streams"`
	// ForeignKeys are none of this receiver's.
	ForeignKeys []string `json:"foreign_keys,omitempty"`
}

// stream is one event type, or one of a replay.
type stream struct {
	Name string `json:"name"`
	Key  string `json:"key"`
	// Configured says that the receiver would go on with it.
	Configured bool `json:"configured"`
	Stored     bool `json:"stored"`
	// Damage says why the state cannot be used, and names the key.
	Damage string `json:"damage,omitempty"`
	*Progress
}

// Progress of a stream whose state is there and whole.
type Progress struct {
	Floor     time.Time `json:"floor"`
	StartFrom string    `json:"start_from"`
	Until     time.Time `json:"until,omitzero"`
	Ended     bool      `json:"ended"`
	Segments  []segment `json:"segments"`
	// Files in the ledger, Events remembered.
	Files      int                               `json:"ledger_files"`
	Events     int                               `json:"remembered_events"`
	Open       map[string]checkpoint.OpenFile    `json:"open"`
	Quarantine map[string]checkpoint.Quarantined `json:"quarantine"`
	Refused    []checkpoint.Refused              `json:"refused"`
}

type segment struct {
	Part          string    `json:"part"`
	From          time.Time `json:"from"`
	To            time.Time `json:"to,omitzero"`
	Cursor        time.Time `json:"cursor"`
	ListedThrough time.Time `json:"listed_through,omitzero"`
	// Lag is the time, in seconds, of which not everything is known to be done.
	Lag float64 `json:"lag_seconds"`
}

func (c *call) show(ctx context.Context) error {
	if err := c.need(0, "no arguments"); err != nil {
		return err
	}
	if _, err := c.load(ctx, false); err != nil {
		return err
	}
	p := c.picture(ctx)
	if c.json {
		enc := json.NewEncoder(c.out)
		enc.SetEscapeHTML(false)
		enc.SetIndent("", "  ")
		if err := enc.Encode(p); err != nil {
			return fmt.Errorf("print: %w", err)
		}
	} else if err := p.print(c.out); err != nil {
		return fmt.Errorf("print: %w", err)
	}
	damaged := 0
	for _, s := range p.Streams {
		if s.Damage != "" {
			damaged++
		}
	}
	if damaged > 0 {
		return fmt.Errorf("the state of %d of %d cannot be used; delete or import can replace it", damaged, len(p.Streams))
	}
	return nil
}

func (c *call) picture(ctx context.Context) *picture {
	p := &picture{Storage: c.path, Receiver: c.owner.String(), PrincipalID: receiver.PrincipalID(c.cfg), Time: c.now.UTC()}
	var stored []string
	if c.store != nil {
		stored, p.ForeignKeys = c.store.Streams(), c.store.Foreign()
	}
	configured := c.configured()
	for _, key := range configured {
		p.Streams = append(p.Streams, c.streamOf(ctx, key, slices.Contains(stored, key), true))
	}
	for _, key := range stored {
		if !slices.Contains(configured, key) {
			p.Streams = append(p.Streams, c.streamOf(ctx, key, true, false))
		}
	}
	return p
}

// configured are the keys of the streams that the receiver would run.
func (c *call) configured() (keys []string) {
	id := receiver.PrincipalID(c.cfg)
	for _, eventType := range c.cfg.EventTypes {
		keys = append(keys, checkpoint.Key(id, eventType))
	}
	for _, replay := range c.cfg.Replay {
		types := replay.EventTypes
		if len(types) == 0 {
			types = c.cfg.EventTypes
		}
		for _, eventType := range types {
			keys = append(keys, checkpoint.ReplayKey(replay.Name, id, eventType))
		}
	}
	return keys
}

func (c *call) streamOf(ctx context.Context, key string, stored, configured bool) stream {
	s := stream{Name: c.nameOf(key), Key: key, Configured: configured, Stored: stored}
	if !stored {
		return s
	}
	snap, err := c.store.Read(ctx, key)
	if err != nil {
		s.Damage = err.Error()
		return s
	}
	s.Progress = &Progress{
		Floor: snap.Floor, StartFrom: snap.StartFrom, Until: snap.Until, Ended: snap.Ended, Segments: segmentsOf(snap, c.now),
		Files: count(snap.Files), Events: count(snap.Events),
		Open: snap.Open, Quarantine: snap.Quarantine, Refused: snap.Refused,
	}
	return s
}

func count(blocks []checkpoint.Block) (n int) {
	for _, block := range blocks {
		n += block.Len()
	}
	return n
}

func segmentsOf(snap *checkpoint.Snapshot, now time.Time) (segments []segment) {
	for i, stored := range snap.Segments {
		g := segment{Part: "live", From: stored.From, To: snap.Until, Cursor: stored.Cursor, ListedThrough: stored.ListedThrough}
		if i+1 < len(snap.Segments) {
			g.Part, g.To = "history", snap.Segments[i+1].From
		}
		end := now
		if !g.To.IsZero() && g.To.Before(now) {
			end = g.To
		}
		known := checkpoint.Segment{From: g.From, Cursor: g.Cursor, ListedThrough: g.ListedThrough}.Known()
		if !snap.Ended && end.After(known) {
			g.Lag = end.Sub(known).Seconds()
		}
		segments = append(segments, g)
	}
	return segments
}
