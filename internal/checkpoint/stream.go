// Copyright The OpenTelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package checkpoint

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"go.opentelemetry.io/collector/extension/xextension/storage"

	"github.com/openaicompliance/openaicompliancereceiver/internal/deliver"
)

// Key is the storage key of one stream's mark value; its blocks have keys below it.
func Key(principalID, eventType string) string {
	return "stream/" + principalID + "/" + eventType
}

// ReplayKey is the storage key of one event type of a replay.
func ReplayKey(name, principalID, eventType string) string {
	return "replay/" + name + "/" + principalID + "/" + eventType
}

// ErrDamaged is stored state that cannot be read. It is never taken for a first
// run: that would deliver everything again, or leave a gap.
var ErrDamaged = errors.New("stored state cannot be used")

var errNotMinted = errors.New("checkpoint: a receipt that no delivery has made")

// Settings of a stream, from the configuration. They may change between runs.
type Settings struct {
	// Overlap is how far behind its position the stream is listed again.
	Overlap time.Duration
	// Window is how far back in file time delivered events are remembered, 0
	// for not at all; MaxEvents bounds their number.
	Window    time.Duration
	MaxEvents int
}

// Stream is the progress of one stream. It is for one goroutine, and the only
// writer of its keys.
//
// Every change is stored before it shows: when a write fails, the stream stands
// where it stood.
type Stream struct {
	client storage.Client
	key    string
	set    Settings
	state  *state
	ledger *ledger
	window *window
}

// Load reads a stream's state; it returns nil without an error when there is
// none.
func Load(ctx context.Context, client storage.Client, key string, set Settings) (*Stream, error) {
	value, err := client.Get(ctx, key)
	if err != nil {
		return nil, fmt.Errorf("read state %q: %w", key, err)
	}
	if value == nil {
		return nil, nil //nolint:nilnil // absent is an answer of its own
	}
	decoded, err := decode(value)
	if err != nil {
		return nil, fmt.Errorf("read state %q: %w: %w", key, ErrDamaged, err)
	}
	s := newStream(client, key, set, decoded)
	err = s.ledger.load(ctx, client, decoded.Files)
	if err == nil {
		err = s.window.load(ctx, client, decoded.Events)
	}
	if err != nil {
		s.Close()
		return nil, err
	}
	return s, nil
}

// Create stores the state of a first run. It is called before the first request,
// so that the floor is fixed once and for all.
func Create(ctx context.Context, client storage.Client, key string, begin Beginning, set Settings) (*Stream, error) {
	s := newStream(client, key, set, nil)
	if err := s.store(ctx, newState(begin)); err != nil {
		return nil, err
	}
	return s, nil
}

func newStream(client storage.Client, key string, set Settings, st *state) *Stream {
	return &Stream{client: client, key: key, set: set, state: st, ledger: newLedger(key), window: newWindow(key, set)}
}

// store writes next and makes it the stream's state.
func (s *Stream) store(ctx context.Context, next *state) error {
	value, err := next.encode()
	if err != nil {
		return err
	}
	if err := s.client.Set(ctx, s.key, value); err != nil {
		return fmt.Errorf("store state %q: %w", s.key, err)
	}
	s.state = next
	return nil
}

// Close gives back the memory of what is remembered; nil has none. The stream is not
// used after it.
func (s *Stream) Close() {
	if s == nil {
		return
	}
	s.ledger.ends.release()
	s.window.contents.release()
}

// Floor is where the first run began, and the text it was made of.
func (s *Stream) Floor() (time.Time, string) { return s.state.Floor, s.state.StartFrom }

// Done reports whether the file is finished.
func (s *Stream) Done(fileID string) bool { return s.ledger.has(fileID) }

// NextLine is the first line (from 1) of the file that still needs delivery.
// changed is set when a position was stored for other bytes under this id, and
// the file begins again.
func (s *Stream) NextLine(fileID, sha256 string) (line int, changed bool) {
	open, ok := s.state.Open[fileID]
	switch {
	case !ok:
		return 1, false
	case open.SHA256 != sha256:
		return 1, open.NextLine > 1
	}
	return open.NextLine, false
}

// Advance stores that a span is delivered, together with the ids of its events,
// or that it is set aside.
// The cursor moves over finished files; one in quarantine is listed again wherever
// the cursor stands.
func (s *Stream) Advance(ctx context.Context, receipt deliver.Receipt) error {
	span, ok := receipt.Span()
	if !ok {
		return errNotMinted
	}
	next := s.state.clone()
	if span.Last {
		delete(next.Open, span.FileID)
		delete(next.Quarantine, span.FileID)
		next.Files.append(endForm, span.EndTime, fileEntry(span.FileID, span.EndTime))
		next.advanceCursor(span.EndTime.UTC())
	} else {
		next.Open[span.FileID] = position{SHA256: span.SHA256, EndTime: span.EndTime.UTC(), NextLine: span.NextLine}
	}
	var events []deliver.Event
	switch receipt.Outcome() {
	case deliver.Accepted:
		events = span.Events
	case deliver.Aside:
		next.Refused = append(next.Refused, refusedRuns(span)...)
	}
	return s.commit(ctx, next, span, events)
}

// refusedRuns names the lines of a span in as few runs as they make.
func refusedRuns(span deliver.Span) (runs []Refused) {
	for _, line := range span.Lines {
		if n := len(runs); n > 0 && runs[n-1].To == line {
			runs[n-1].To++
			continue
		}
		runs = append(runs, Refused{
			FileID: span.FileID, FileName: span.FileName, FileSize: span.FileSize, EndTime: span.EndTime.UTC(),
			SHA256: span.ListedSHA256, From: line, To: line + 1, Tries: 1, Since: time.Now().UTC(),
		})
	}
	return runs
}

// Refused returns the runs of lines that the next consumer refused for good.
func (s *Stream) Refused() []Refused { return slices.Clone(s.state.Refused) }

// SetRefused stores which runs are left after those of a file that ended at end
// were tried again, and the events that were accepted now. It moves no position.
func (s *Stream) SetRefused(ctx context.Context, left []Refused, accepted []deliver.Event, end time.Time) error {
	next := s.state.clone()
	next.Refused = left
	return s.commit(ctx, next, deliver.Span{EndTime: end}, accepted)
}

// commit seals what is full, writes the mark, and then forgets what has aged.
func (s *Stream) commit(ctx context.Context, next *state, span deliver.Span, events []deliver.Event) error {
	if err := s.window.add(ctx, s.client, &next.Events, events, span.EndTime); err != nil {
		return err
	}
	var aged []blockRef
	if span.Last {
		if err := s.ledger.seal(ctx, s.client, &next.Files); err != nil {
			return err
		}
		aged = s.ledger.age(&next.Files, next)
	}
	old, crowded := s.window.age(&next.Events, next)
	if err := s.store(ctx, next); err != nil {
		return err
	}
	if span.Last {
		s.ledger.added(span.FileID, span.EndTime)
	}
	s.window.added(events)
	s.ledger.forget(ctx, s.client, aged)
	s.window.forget(ctx, s.client, old)
	s.window.forget(ctx, s.client, crowded)
	for _, ref := range crowded {
		s.window.evicted += ref.Count
	}
	return nil
}

// Delivered tells whether an event was delivered within the window, and whether
// with this very content.
func (s *Stream) Delivered(event deliver.Event) (known, same bool) { return s.window.has(event) }

// Evicted counts the events that had to leave the window before their time.
func (s *Stream) Evicted() int { return s.window.evicted }

// QuarantinedIn counts the files of a segment that are in quarantine, and returns
// the end_time of the oldest.
func (s *Stream) QuarantinedIn(segment Segment) (n int, oldest time.Time) {
	for _, entry := range s.state.Quarantine {
		if !segment.Holds(entry.EndTime) {
			continue
		}
		if n++; n == 1 || entry.EndTime.Before(oldest) {
			oldest = entry.EndTime
		}
	}
	return n, oldest
}

// Aside counts what is set aside: files that cannot be read, and records that the
// next consumer refused.
func (s *Stream) Aside() (files, records int) {
	for _, run := range s.state.Refused {
		records += run.To - run.From
	}
	return len(s.state.Quarantine), records
}

// Quarantined reports whether the file is in quarantine.
func (s *Stream) Quarantined(fileID string) bool {
	_, ok := s.state.Quarantine[fileID]
	return ok
}

// Quarantine stores that a listed file could not be read. It moves no position.
func (s *Stream) Quarantine(ctx context.Context, fileID string, entry Quarantined) error {
	next := s.state.clone()
	if old, ok := next.Quarantine[fileID]; ok {
		entry.Since, entry.Tries = old.Since, old.Tries+1
	} else {
		entry.Tries = 1
	}
	next.Quarantine[fileID] = entry
	return s.store(ctx, next)
}

// Expired returns the unfinished files of a part that a complete listing of it no
// longer has and that were written before the given time. The caller reports them,
// then calls Release.
func (s *Stream) Expired(part Part, listed map[string]bool, before time.Time) map[string]Quarantined {
	seg, _ := s.Segment(part)
	gone := map[string]Quarantined{}
	for id, open := range s.state.Open {
		if !listed[id] && seg.Holds(open.EndTime) && open.EndTime.Before(before) {
			gone[id] = Quarantined{EndTime: open.EndTime, SHA256: open.SHA256, Reason: open.reason()}
		}
	}
	for id, entry := range s.state.Quarantine {
		if !listed[id] && seg.Holds(entry.EndTime) && entry.EndTime.Before(before) {
			gone[id] = entry
		}
	}
	return gone
}

// Release takes files out of the state that the API no longer serves.
func (s *Stream) Release(ctx context.Context, gone map[string]Quarantined) error {
	next := s.state.clone()
	for id := range gone {
		delete(next.Quarantine, id)
		delete(next.Open, id)
	}
	return s.store(ctx, next)
}

// String names the position for logs.
func (s *Stream) String() string {
	var positions []string
	for _, seg := range s.state.Segments {
		positions = append(positions, fmt.Sprintf("%s from %s on", seg.Cursor.Format(time.RFC3339Nano), seg.From.Format(time.RFC3339Nano)))
	}
	ids := slices.Sorted(maps.Keys(s.state.Quarantine))
	return fmt.Sprintf("cursor %s, %d files in the ledger, quarantine [%s], %d runs of refused lines",
		strings.Join(positions, " and "), s.ledger.ends.n, strings.Join(ids, " "), len(s.state.Refused))
}
