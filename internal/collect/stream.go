// Copyright The OpenTelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package collect

import (
	"context"
	"sync"
	"time"

	"go.opentelemetry.io/collector/config/configretry"

	"github.com/openaicompliance/openaicompliancereceiver/internal/checkpoint"
	"github.com/openaicompliance/openaicompliancereceiver/internal/compliance"
	"github.com/openaicompliance/openaicompliancereceiver/internal/deliver"
	"github.com/openaicompliance/openaicompliancereceiver/internal/limit"
	"github.com/openaicompliance/openaicompliancereceiver/internal/record"
	"github.com/openaicompliance/openaicompliancereceiver/internal/wait"
)

// Deps are what all streams of a receiver share.
type Deps struct {
	API       *compliance.Client
	Lists     *limit.Rate
	Downloads *limit.Downloads
	Hosts     *limit.Hosts
	Clocks    *Clocks
	Keys      *KeyGate
	FirstRun  *FirstRun
	Contact   *Contact
	Observer  Observer
	// Detach returns a context for calls to the next consumer and to storage: it
	// outlives ctx for as long as Shutdown gives them.
	Detach func(ctx context.Context) (context.Context, context.CancelFunc)
	// Detached reports whether Shutdown has given the streams up: nothing is stored
	// any more then.
	Detached func() bool
}

// Settings of one stream, from the configuration.
type Settings struct {
	Polls   PollSettings
	Fetch   FetchSettings
	Batch   BatchSettings
	Digests DigestSettings
	Source  record.Source
	// Bounds resolves what the first run fixes, at a time.
	Bounds func(first checkpoint.FirstRun, now time.Time) (checkpoint.Bounds, error)
	Times  Times
}

// PollSettings are about listing.
type PollSettings struct {
	InitialDelay, Overlap time.Duration
	// Timeout of a poll, MaxPages of it with anything new; 0 is no limit.
	Timeout  time.Duration
	MaxPages int
	// Next is when the poll after one that began and ended at these times begins.
	Next func(began, ended time.Time) time.Time
}

// FetchSettings are about requests and downloads.
type FetchSettings struct {
	// Retry rules the tries within a poll; StatusCodes are tried again.
	Retry       configretry.BackOffConfig
	StatusCodes []int
	// MaxRetryAfter caps the pauses that servers ask for; 0 honors none.
	MaxRetryAfter time.Duration
	// Ahead is how many files of a segment are downloaded at once.
	Ahead       int
	MaxFileSize int64
	// Strict quarantines files that cannot be verified.
	Strict bool
	// Important files go before those of other types.
	Important bool
}

// BatchSettings bound what one call of the next consumer carries.
type BatchSettings struct {
	MaxRecords, MaxBytes int
	Deduplicate          bool
}

// Times are the waits that tests shorten.
type Times struct {
	// QueueFirst and QueueMost are the first and the longest wait between two tries
	// of an entry of the retry queue.
	QueueFirst, QueueMost time.Duration
	// Unverified is the least time between two fetches of the same bytes that are
	// delivered unverified.
	Unverified time.Duration
	// HoldMost is the longest wait between two tries while a stream is held.
	HoldMost time.Duration
	// KeyCheck is how often a denied key is compared with the configured one, Denied
	// how long a segment asks nothing with it.
	KeyCheck, Denied time.Duration
	// EvictAfter is how long memory stays with a file that makes no progress.
	EvictAfter time.Duration
}

// DefaultTimes are those of the product.
func DefaultTimes() Times {
	return Times{
		QueueFirst: 5 * time.Minute, QueueMost: 6 * time.Hour, Unverified: 5 * time.Minute,
		HoldMost: 5 * time.Minute, KeyCheck: 10 * time.Second, Denied: deniedInterval,
		EvictAfter: limit.EvictAfter,
	}
}

// storeRetry rules writes of the checkpoint: they are tried until they succeed or
// the receiver stops, since continuing without them would deliver twice.
var storeRetry = configretry.BackOffConfig{
	Enabled: true, InitialInterval: time.Second, MaxInterval: 30 * time.Second,
	Multiplier: 2, RandomizationFactor: 0.5,
}

// Stream is all collection of one event type of one principal, or of one for a
// replay.
type Stream struct {
	id         StreamID
	deps       *Deps
	set        Settings
	classifier Classifier
	checkpoint *checkpoint.Stream
	consumer   *deliver.Consumer
	lock       *deliver.Lock
	queue      *retryQueue
	faults     *fileFaults
	verifier   *verifier
	changed    *signal // of the segments
	odd        *oddEntries
	claims     *claims
}

// NewStream makes a stream; nothing runs before Run.
func NewStream(id StreamID, deps *Deps, set Settings, state *checkpoint.Stream, consumer *deliver.Consumer) *Stream {
	s := &Stream{
		id: id, deps: deps, set: set, checkpoint: state, consumer: consumer,
		classifier: Classifier{EventType: id.EventType, StatusCodes: set.Fetch.StatusCodes},
		lock:       deliver.NewLock(), faults: &fileFaults{}, changed: newSignal(), odd: newOddEntries(), claims: newClaims(),
		verifier: newVerifier(set.Fetch.Strict, set.Times.Unverified),
	}
	s.queue = newRetryQueue(s)
	deps.Contact.join(state, func() {
		s.queue.setCauseDue(labelDigest)
		s.changed.broadcast()
	})
	return s
}

// Checkpoint of the stream.
func (s *Stream) Checkpoint() *checkpoint.Stream { return s.checkpoint }

// Run collects until ctx ends or the stream's upper bound is reached: a goroutine
// for each segment, and one for the retry queue.
func (s *Stream) Run(ctx context.Context) {
	if wait.Sleep(ctx, s.set.Polls.InitialDelay) != nil || s.awaitBounds(ctx) != nil {
		return
	}
	if s.prepareDigests(ctx) != nil {
		return
	}
	collecting, cancel := context.WithCancel(ctx)
	defer cancel()
	digests := &digester{stream: s}
	var running sync.WaitGroup
	running.Go(func() { s.newSegment(checkpoint.History).run(collecting) })
	running.Go(func() { s.queue.run(collecting) })
	running.Go(func() { digests.run(collecting) })
	s.newSegment(checkpoint.Live).run(collecting)
	cancel()
	running.Wait()
	if s.checkpoint.Ended() {
		digests.finish(ctx)
		s.deps.Observer.Ended(s.id)
	}
}

// store runs a write of the checkpoint until it succeeds. At shutdown it is still
// tried once: what was accepted should not be delivered again.
func (s *Stream) store(ctx context.Context, write func(context.Context) error) error {
	retries := wait.NewBackOff(storeRetry)
	for {
		if s.deps.Detached() {
			return errShutdown
		}
		calls, done := s.deps.Detach(ctx)
		err := write(calls)
		done()
		if err == nil || s.classifier.Classify(err).Label == labelQueueFull {
			s.deps.Observer.CheckpointStored(ctx, s.id, nil, 0)
			return err
		}
		pause, _ := retries.Next(0)
		s.deps.Observer.CheckpointStored(ctx, s.id, err, pause)
		if wait.Sleep(ctx, pause) != nil {
			return err
		}
	}
}

func (s *Stream) note(level NoteLevel, message string, fields ...Field) {
	s.deps.Observer.Note(s.id, Note{Level: level, Message: message, Fields: fields})
}

// signal wakes all who wait for a change.
type signal struct {
	mu sync.Mutex
	ch chan struct{}
}

func newSignal() *signal { return &signal{ch: make(chan struct{})} }

func (s *signal) wait() <-chan struct{} {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.ch
}

func (s *signal) broadcast() {
	s.mu.Lock()
	defer s.mu.Unlock()
	close(s.ch)
	s.ch = make(chan struct{})
}

// oddEntries remembers which kinds of odd entries were logged.
type oddEntries struct {
	mu     sync.Mutex
	logged map[string]bool
}

func newOddEntries() *oddEntries { return &oddEntries{logged: map[string]bool{}} }

// noteOddEntry logs the first odd entry of each kind.
func (s *Stream) noteOddEntry(kind string, entry compliance.Entry) {
	s.odd.mu.Lock()
	logged := s.odd.logged[kind]
	s.odd.logged[kind] = true
	s.odd.mu.Unlock()
	level := NoteWarn
	if logged {
		level = NoteDebug
	}
	s.note(level, "odd list entry", Field{"kind", kind}, Field{"file_id", entry.ID}, Field{"fault", entry.Fault}, Field{"entry_sha256", entry.Digest})
}
