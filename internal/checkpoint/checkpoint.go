// Copyright The OpenTelemetry Authors
// SPDX-License-Identifier: Apache-2.0

// Package checkpoint stores what has been delivered of each stream in a storage
// extension. Only a deliver.Receipt moves the offset of a file or completes it; package
// edit changes what is stored while no receiver runs.
//
// Below the key K of a stream are stored:
//
//	K/term                                  number and id of the current term (term.go)
//	K/<term id>                             the checkpoint (state.go)
//	K/<term id>/<kind>/<number>-<hash>      blocks that the checkpoint names (block.go)
//
// A block is written before the checkpoint that names it and deleted after the first one
// that does not. So a crash between any two writes leaves a checkpoint that can be loaded.
package checkpoint

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"go.opentelemetry.io/collector/extension/xextension/storage"

	"github.com/openaicompliance/openaicompliancereceiver/internal/deliver"
)

// Key is the prefix of all storage keys of a stream.
func Key(principalID, eventType string) string {
	return "stream/" + principalID + "/" + eventType
}

// ReplayKey is the prefix of all storage keys of one event type of a replay.
func ReplayKey(name, principalID, eventType string) string {
	return "replay/" + name + "/" + principalID + "/" + eventType
}

// Reasons why what is stored cannot be used. Neither is ever a first run.
var (
	// ErrCorrupt is stored state that is damaged or of another version.
	ErrCorrupt = errors.New("stored checkpoint is corrupt")
	// ErrOldFormat is state of an older build.
	ErrOldFormat = errors.New("stored state is of an older, unreleased build and this build does not read it; delete it or use another storage")
)

// corrupt is an ErrCorrupt with its key and reason.
func corrupt(key, reason string) error {
	return fmt.Errorf("load checkpoint %q: %w: %s", key, ErrCorrupt, reason)
}

// Settings of a stream. They may change between runs.
type Settings struct {
	// Window is how far back in file time seen events are remembered, 0 for not at all.
	Window time.Duration
	// MaxEvents bounds the number of seen events.
	MaxEvents int
}

// FirstRun is what Start stores before any request.
type FirstRun struct {
	// StartFrom and Until are the texts of the configuration.
	StartFrom string `json:"start_from"`
	Until     string `json:"until,omitzero"`
	// Clock is the wall clock at Start.
	Clock time.Time `json:"clock"`
}

// Bounds of a stream in file time. They are fixed once, by the first answer, before
// anything is delivered.
type Bounds struct {
	// Floor is the time at or before which nothing is collected.
	Floor time.Time `json:"floor"`
	// Until is the last time that is collected, zero for no bound.
	Until time.Time `json:"until,omitzero"`
	// LiveFrom after Floor: what is between is history.
	LiveFrom time.Time `json:"live_from,omitzero"`
}

// Stream is the checkpoint of one stream. It is safe for concurrent use: writers wait
// for each other, readers never wait for storage. Every change is stored before it
// shows; when storing fails, nothing has changed.
type Stream struct {
	client storage.Client
	key    string
	set    Settings
	term   term

	writing chan struct{} // holds a token while a writer reads the state and until the next one shows
	// abandoned are blocks of commits that failed; the next commit deletes them.
	// Guarded by writing.
	abandoned []string

	showing   sync.RWMutex // guards all below; never held during a storage call
	state     *state       // replaced as a whole
	completed completedFiles
	events    seenEvents
	evicted   int
}

// Load reads the checkpoint of a stream and begins a new term: it stores the checkpoint
// under a new id, sets the term, and deletes what earlier terms have left. It returns
// nil and no error when nothing is stored.
func Load(ctx context.Context, client storage.Client, key string, set Settings) (*Stream, error) {
	earlier, stored, err := readCheckpoint(ctx, client, key)
	if err != nil || stored == nil {
		return nil, err
	}
	s := &Stream{writing: make(chan struct{}, 1), client: client, key: key, set: set, completed: completedFiles{}}
	if err := s.readIndexes(ctx, stored); err != nil {
		return nil, err
	}
	next := *stored
	next.Unused = append(next.Unused, earlier.ID)
	if err := s.beginTerm(ctx, newTerm(earlier.Number+1), &next); err != nil {
		return nil, err
	}
	s.deleteUnused(ctx)
	return s, nil
}

// errExists is a first run where there is a checkpoint already.
var errExists = errors.New("there is a checkpoint already")

// Create stores the checkpoint of a first run.
func Create(ctx context.Context, client storage.Client, key string, first FirstRun, set Settings) (*Stream, error) {
	switch _, ok, err := readTerm(ctx, client, key); {
	case err != nil:
		return nil, err
	case ok:
		return nil, fmt.Errorf("create checkpoint %q: %w", key, errExists)
	}
	first.Clock = wholeMicros(first.Clock)
	s := &Stream{writing: make(chan struct{}, 1), client: client, key: key, set: set, completed: completedFiles{}}
	if err := s.beginTerm(ctx, newTerm(1), &state{Content: Content{FirstRun: first, HashKey: newHashKey()}}); err != nil {
		return nil, err
	}
	return s, nil
}

// readCheckpoint returns the current term and its checkpoint with the retry queue; the
// state is nil when nothing is stored.
func readCheckpoint(ctx context.Context, client storage.Client, key string) (term, *state, error) {
	current, ok, err := readTerm(ctx, client, key)
	if err != nil || !ok {
		return term{}, nil, err
	}
	at := key + "/" + current.ID
	value, err := client.Get(ctx, at)
	if err != nil {
		return term{}, nil, fmt.Errorf("load checkpoint %q: %w", at, err)
	}
	if value == nil {
		return term{}, nil, corrupt(at, "the current term has no checkpoint")
	}
	stored, err := decodeState(value)
	if err != nil {
		return term{}, nil, corrupt(at, err.Error())
	}
	if stored.Queue, err = stored.Queue.read(ctx, client, key); err != nil {
		return term{}, nil, err
	}
	return current, stored, nil
}

// readIndexes fills the memory of completed files and seen events.
func (s *Stream) readIndexes(ctx context.Context, stored *state) error {
	if err := stored.Completed.read(ctx, s.client, s.key, completedEntry, func(_ timeRange, data []byte) {
		s.completed.add(parseCompleted(data))
	}); err != nil {
		return err
	}
	return stored.Events.read(ctx, s.client, s.key, eventEntry, func(_ timeRange, data []byte) {
		s.events.add(parseEvents(data))
	})
}

// beginTerm stores a checkpoint under the id of a new term and then makes the term the
// current one.
func (s *Stream) beginTerm(ctx context.Context, t term, next *state) error {
	value, err := next.encode()
	if err != nil {
		return err
	}
	if err := s.client.Batch(ctx,
		storage.SetOperation(s.key+"/"+t.ID, value),
		storage.SetOperation(termKey(s.key), t.encode()),
	); err != nil {
		return fmt.Errorf("store checkpoint %q: %w", s.key, err)
	}
	s.term, s.state = t, next
	return nil
}

// current is the state that shows. It is never changed.
func (s *Stream) current() *state {
	s.showing.RLock()
	defer s.showing.RUnlock()
	return s.state
}

// Close lets go of the memory; nil has none. The stream is not used after it.
func (s *Stream) Close() {
	if s == nil {
		return
	}
	s.showing.Lock()
	defer s.showing.Unlock()
	s.completed, s.events = nil, seenEvents{}
}

// FirstRun returns what Start stored before the first request.
func (s *Stream) FirstRun() FirstRun { return s.current().FirstRun }

// Bounds returns the bounds; ok is false until FixBounds.
func (s *Stream) Bounds() (b Bounds, ok bool) {
	if fixed := s.current().Bounds; fixed != nil {
		return *fixed, true
	}
	return Bounds{}, false
}

// Reasons why bounds are not fixed.
var (
	errBoundsInUse  = errors.New("files are completed or under way")
	errUntilTooLow  = errors.New("until is not later than the floor")
	errBoundsNotSet = errors.New("the bounds are not fixed yet")
)

// FixBounds stores the bounds, in whole microseconds. It may be called again, to correct
// a floor that is later than now, while nothing is completed.
func (s *Stream) FixBounds(ctx context.Context, b Bounds) error {
	b = Bounds{wholeMicros(b.Floor), wholeMicros(b.Until), wholeMicros(b.LiveFrom)}
	return s.commit(ctx, func(d *draft) error {
		switch {
		case d.Bounds != nil && *d.Bounds == b:
			return errNoChange
		case d.Bounds != nil && d.begun():
			return fmt.Errorf("fix bounds of %q: %w", s.key, errBoundsInUse)
		case !b.Until.IsZero() && !b.Until.After(b.Floor):
			return fmt.Errorf("fix bounds of %q: %w", s.key, errUntilTooLow)
		}
		d.Bounds, d.Segments = &b, firstSegments(b)
		return nil
	})
}

// begun reports whether anything was delivered, completed or queued.
func (s *state) begun() bool {
	return !s.Completed.empty() || !s.Events.empty() || len(s.Open)+len(s.Queue)+len(s.Implausible) > 0
}

// IsCompleted reports whether the file is completed.
func (s *Stream) IsCompleted(fileID string) bool {
	now := s.current()
	hash := now.HashKey.file(fileID)
	s.showing.RLock()
	defer s.showing.RUnlock()
	return s.completed[hash] > 0 || slices.Contains(now.Implausible, fileID)
}

// HasCompletedFiles reports whether any completed file is remembered.
func (s *Stream) HasCompletedFiles() bool { return !s.current().Completed.empty() }

// SeenEvent reports whether an event with this id was delivered within the window, and
// whether one with this id and line was.
func (s *Stream) SeenEvent(e deliver.Event) (known, same bool) {
	s.showing.RLock()
	defer s.showing.RUnlock()
	return s.events.find(e)
}

// NewEvent hashes an event with the key of the stream.
func (s *Stream) NewEvent(id string, line []byte) deliver.Event {
	return s.current().HashKey.event(id, line)
}

// Evicted counts the seen events that MaxEvents has forgotten before their time since
// Load.
func (s *Stream) Evicted() int {
	s.showing.RLock()
	defer s.showing.RUnlock()
	return s.evicted
}

// String names cursors and counts for logs.
func (s *Stream) String() string {
	now := s.current()
	cursors := make([]string, 0, len(now.Segments))
	for _, seg := range now.Segments {
		cursors = append(cursors, fmt.Sprintf("%s from %s", seg.Cursor.Format(time.RFC3339Nano), seg.From.Format(time.RFC3339Nano)))
	}
	files, records := now.Queue.counts()
	return fmt.Sprintf("cursor %s; %d open files; queued: %d files, %d records",
		strings.Join(cursors, " and "), len(now.Open), files, records)
}

// wholeMicros is a time as it is stored: UTC, whole microseconds, no monotonic clock.
func wholeMicros(at time.Time) time.Time { return at.Truncate(time.Microsecond).UTC() }
