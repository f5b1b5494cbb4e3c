// Copyright The OpenTelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package state

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/openaicompliance/openaicompliancereceiver/cmd/internal/command"
	"github.com/openaicompliance/openaicompliancereceiver/internal/checkpoint"
)

// report is what show prints, and the document of show -o json.
type report struct {
	Storage     string         `json:"storage"`
	Receiver    string         `json:"receiver"`
	PrincipalID string         `json:"principal_id"`
	Time        time.Time      `json:"time"`
	Streams     []streamReport `json:"streams"`
	// ForeignKeys are not the receiver's.
	ForeignKeys []string `json:"foreign_keys,omitempty"`
}

// streamReport is of one event type, or of one of a replay.
type streamReport struct {
	Name string `json:"name"`
	Key  string `json:"key"`
	// Configured is set when the receiver would collect it.
	Configured bool   `json:"configured"`
	State      string `json:"state"`
	// Error says why the checkpoint cannot be used.
	Error string `json:"error,omitempty"`
	*Progress
}

// States of a stream.
const (
	stateNone       = "no checkpoint"
	stateCorrupt    = "corrupt"
	stateOldFormat  = "old format"
	stateNotStarted = "not started" // before the first answer
	stateCollecting = "collecting"
	stateEnded      = "ended"
)

// Progress is of a stream whose checkpoint can be used.
type Progress struct {
	FirstRun checkpoint.FirstRun `json:"first_run"`
	Bounds   *checkpoint.Bounds  `json:"bounds"`
	Segments []segmentReport     `json:"segments"`
	// CompletedFiles and SeenEvents are numbers.
	CompletedFiles int                     `json:"completed_files"`
	SeenEvents     int                     `json:"seen_events"`
	OpenFiles      []checkpoint.QueuedFile `json:"open_files"`
	RetryQueue     []checkpoint.QueuedFile `json:"retry_queue"`
	// Digest is the head of the chain of digests; nil without one.
	Digest *digestReport `json:"digest,omitempty"`
}

// digestReport is the head of a chain: number and hash of the last digest that was
// delivered, whether the next one waits for the next consumer, and how many entries are
// in none yet.
type digestReport struct {
	checkpoint.DigestChain
	Waiting int `json:"waiting_entries"`
}

type segmentReport struct {
	Name          string                    `json:"segment"`
	From          time.Time                 `json:"from"`
	To            time.Time                 `json:"to,omitzero"`
	Cursor        time.Time                 `json:"cursor"`
	ListBase      time.Time                 `json:"list_base"`
	ListedThrough time.Time                 `json:"listed_through,omitzero"`
	Checked       checkpoint.Reading        `json:"checked,omitzero"`
	Suspected     []checkpoint.SuspectedGap `json:"suspected_gaps,omitempty"`
	// Lag is file time, in seconds, that is neither listed nor completed.
	Lag float64 `json:"lag_seconds"`
}

func (c *task) show(ctx context.Context) error {
	found, err := c.openStore(ctx, false)
	if err != nil {
		return err
	}
	r := c.newReport(ctx)
	if err := c.printReport(r); err != nil {
		return fmt.Errorf("print: %w", err)
	}
	if found {
		if err := c.checkPrincipal(); err != nil {
			return err
		}
	}
	unusable := 0
	for _, s := range r.Streams {
		if s.Error != "" {
			unusable++
		}
	}
	if unusable > 0 {
		return fmt.Errorf("%d of %d checkpoints cannot be used; delete removes them, import replaces them", unusable, len(r.Streams))
	}
	return nil
}

// queuedReport is a line of quarantine list -o json.
type queuedReport struct {
	Stream  string                `json:"stream"`
	Expires time.Time             `json:"expires"`
	Queued  checkpoint.QueuedFile `json:"queued"`
}

// listQuarantine prints the retry queue of the named streams, or of all.
func (c *task) listQuarantine(ctx context.Context) error {
	if err := c.requireStore(ctx); err != nil {
		return err
	}
	keys, err := c.storedKeys(c.args)
	if err != nil {
		return err
	}
	r := &report{}
	for _, key := range keys {
		s := streamReport{Name: c.streamName(key), Key: key}
		if c.readProgress(ctx, &s); s.Error != "" {
			return fmt.Errorf("%s cannot be used: %s", s.Name, s.Error)
		}
		r.Streams = append(r.Streams, s)
	}
	if c.format == command.Table {
		return c.env.Print(strings.TrimPrefix(r.queueTable().String(), "\n"))
	}
	for _, s := range r.Streams {
		for _, f := range s.RetryQueue {
			if err := c.env.PrintJSON(queuedReport{s.Name, expiry(f), f}, ""); err != nil {
				return err
			}
		}
	}
	return nil
}

func (c *task) printReport(r *report) error {
	if c.format == command.JSON {
		return c.env.PrintJSON(r, "  ")
	}
	return r.print(c.env.Out)
}

func (c *task) newReport(ctx context.Context) *report {
	r := &report{Storage: c.name(), Receiver: c.owner.String(), PrincipalID: c.principalID(), Time: c.now.UTC(), Streams: []streamReport{}}
	var stored []string
	if c.store != nil {
		stored, r.ForeignKeys = c.store.Streams(), c.store.Foreign()
	}
	configured := c.configuredKeys()
	for _, key := range configured {
		s := streamReport{Name: c.streamName(key), Key: key, Configured: true, State: stateNone}
		if slices.Contains(stored, key) {
			c.readProgress(ctx, &s)
		}
		r.Streams = append(r.Streams, s)
	}
	for _, key := range stored {
		if !slices.Contains(configured, key) {
			s := streamReport{Name: c.streamName(key), Key: key}
			c.readProgress(ctx, &s)
			r.Streams = append(r.Streams, s)
		}
	}
	return r
}

// configuredKeys are the keys of the streams that the receiver would collect.
func (c *task) configuredKeys() (keys []string) {
	for _, eventType := range c.cfg.EventTypes {
		keys = append(keys, checkpoint.Key(c.principalID(), eventType))
	}
	for _, replay := range c.cfg.Replay {
		types := replay.EventTypes
		if len(types) == 0 {
			types = c.cfg.EventTypes
		}
		for _, eventType := range types {
			keys = append(keys, checkpoint.ReplayKey(replay.Name, c.principalID(), eventType))
		}
	}
	return keys
}

// readProgress reads the checkpoint of a stream of which something is stored.
func (c *task) readProgress(ctx context.Context, s *streamReport) {
	snap, err := c.store.Read(ctx, s.Key)
	if err != nil {
		s.State, s.Error = stateCorrupt, err.Error()
		if errors.Is(err, checkpoint.ErrOldFormat) {
			s.State = stateOldFormat
		}
		return
	}
	switch {
	case snap.Ended:
		s.State = stateEnded
	case snap.Bounds == nil:
		s.State = stateNotStarted
	default:
		s.State = stateCollecting
	}
	s.Progress = &Progress{
		FirstRun: snap.FirstRun, Bounds: snap.Bounds, Segments: segmentReports(snap, c.now),
		CompletedFiles: len(snap.Completed) + len(snap.Implausible), OpenFiles: snap.Open, RetryQueue: snap.Queue,
	}
	for _, block := range snap.Events {
		s.SeenEvents += block.Len()
	}
	if snap.Digest != nil {
		s.Digest = &digestReport{*snap.Digest, len(snap.DigestEntries)}
	}
}

func segmentReports(snap *checkpoint.Snapshot, now time.Time) []segmentReport {
	segments := make([]segmentReport, len(snap.Segments))
	for i, stored := range snap.Segments {
		name, to := "live", snap.Bounds.Until
		if i+1 < len(snap.Segments) {
			name, to = "history", snap.Segments[i+1].From
		}
		seg := segmentReport{
			Name: name, From: stored.From, To: to, Cursor: stored.Cursor, ListBase: stored.ListBase,
			ListedThrough: stored.ListedThrough, Checked: stored.Checked, Suspected: stored.Suspected,
		}
		end := now
		if !to.IsZero() && to.Before(now) {
			end = to
		}
		if known := later(seg.Cursor, seg.ListedThrough); !snap.Ended && end.After(known) {
			seg.Lag = end.Sub(known).Seconds()
		}
		segments[i] = seg
	}
	return segments
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}
