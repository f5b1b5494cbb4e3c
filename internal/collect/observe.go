// Copyright The OpenTelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package collect

import (
	"context"
	"time"

	"go.opentelemetry.io/collector/pdata/pcommon"

	"github.com/openaicompliance/openaicompliancereceiver/internal/checkpoint"
	"github.com/openaicompliance/openaicompliancereceiver/internal/compliance"
	"github.com/openaicompliance/openaicompliancereceiver/internal/deliver"
)

// StreamID names a stream among those of a receiver.
type StreamID struct {
	EventType string
	// Replay is the name of the replay that the stream belongs to, empty for
	// collection.
	Replay string
}

// String is the name in logs and in the component's status.
func (id StreamID) String() string {
	if id.Replay == "" {
		return id.EventType
	}
	return "replay " + id.Replay + " of " + id.EventType
}

// Outcomes of a file, as the metric files names them.
const (
	FileDelivered   = "delivered"
	FileUnverified  = "unverified"
	FileLate        = "late"
	FileQuarantined = "quarantined"
	FileExpired     = "expired"
)

// Observer is what the engine reports to. Metrics, logs, spans and the component's
// status hang on it. It is safe for concurrent use.
type Observer interface {
	// StartPoll begins the span of a poll; the function ends it.
	StartPoll(ctx context.Context, id StreamID) (context.Context, func(PollReport))
	// StartFile begins the span of a file; the function ends it.
	StartFile(ctx context.Context, id StreamID, file compliance.File) (context.Context, func(error))
	// RequestSent reports a request whose answer is to come within seconds,
	// RequestFailed each failed attempt, RequestSucceeded each answer.
	RequestSent(id StreamID)
	RequestFailed(id StreamID, fault Fault, err error)
	RequestSucceeded(id StreamID)
	// ListWaited reports how long a list request waited for the rate limit.
	ListWaited(ctx context.Context, waited time.Duration)

	// FileDone reports what became of a file.
	FileDone(ctx context.Context, id StreamID, outcome string)
	// FileRead reports the bytes of a file that was downloaded and verified.
	FileRead(ctx context.Context, id StreamID, bytes int)
	// BatchDone reports records that are settled, counted for the last time.
	BatchDone(ctx context.Context, id StreamID, counts BatchCounts, outcome deliver.Outcome)
	// EventsEvicted reports seen events that were forgotten before their time.
	EventsEvicted(ctx context.Context, id StreamID, n int)
	// GapReported reports a delivered gap record.
	GapReported(ctx context.Context, id StreamID, gap GapReport)

	// CheckpointStored reports a write of the checkpoint: nil, or why it failed
	// and when it is tried again.
	CheckpointStored(ctx context.Context, id StreamID, err error, next time.Duration)
	// Progress brings the gauges up to date.
	Progress(id StreamID, progress Progress)
	// NewestEvent reports the time of the newest record that the API holds of a type
	// that is quiet; zero when there is none, or nothing is known of it.
	NewestEvent(id StreamID, at time.Time)
	// DigestDelivered reports the number of the last digest that was delivered, 0 for
	// none.
	DigestDelivered(id StreamID, number int64)
	// HeldBy reports what holds a stream, or all of them, with an id without an event
	// type; a Hold without a cause ends it.
	HeldBy(id StreamID, kind HoldKind, hold Hold)
	// Note reports something that is logged and nothing else.
	Note(id StreamID, note Note)
	// ClockSkew reports the difference of the clocks, the server's less ours.
	ClockSkew(difference time.Duration, alarm SkewAlarm)
	// Ended reports that the stream has reached its upper bound.
	Ended(id StreamID)
}

// PollReport is what became of a poll.
type PollReport struct {
	Part  checkpoint.Part
	Err   error // nil for a complete one
	Fault Fault // of Err
	// Files that were delivered.
	Files int
	// Newest is when the newest record is from that the API holds, zero for none; nil
	// when it was not asked, or did not answer.
	Newest *time.Time
	// Canceled is set when the receiver ended it.
	Canceled bool
	// Checkpoint names where the stream is, for logs.
	Checkpoint string
}

// BatchCounts are the records of a batch.
type BatchCounts struct {
	Records, Malformed, Duplicates, Conflicts int
	// Times of the records, 0 where a record has none.
	Times []pcommon.Timestamp
}

// Progress is where a segment is.
type Progress struct {
	Part checkpoint.Part
	// DeliveredThrough is the file time up to which live is delivered; zero before
	// the first complete poll.
	DeliveredThrough time.Time
	// PendingFiles are listed and not delivered, the oldest with this end_time.
	PendingFiles int
	OldestEnd    time.Time
	// QuarantinedFiles and QuarantinedRecords are in the retry queue.
	QuarantinedFiles, QuarantinedRecords int
}

// HoldKind tells the causes apart that can hold a stream.
type HoldKind int

// The kinds.
const (
	HoldFiles     HoldKind = iota // a fault of host, key or API: no file can be had
	HoldQueueFull                 // the retry queue is at its bound
	HoldSuspected                 // a data gap is suspected
	HoldBounds                    // the bounds of the first run cannot be resolved
	HoldDigests                   // no file of the receiver has its listed digest
	HoldDigest                    // a digest is overdue; the stream goes on collecting
)

// Hold is why a stream is held.
type Hold struct {
	Err   error
	Fault Fault
}

// GapReport is a data gap that was put in sight.
type GapReport struct {
	Reason   string
	From, To time.Time
	File     compliance.File
	// FromLine and ToLine bound lost records, 0 for a whole file.
	FromLine, ToLine int
	// Rejected is set when the next consumer rejected the gap record: the log and
	// the metric are all that is left.
	Rejected bool
	Cause    string
}

// Note is a log line: a constant message, and its facts.
type Note struct {
	Level   NoteLevel
	Message string
	Fields  []Field
}

// Field is one fact of a Note: a string, an int, a time.Time, a time.Duration or an
// error.
type Field struct {
	Key   string
	Value any
}

// NoteLevel of a Note.
type NoteLevel int

// The levels.
const (
	NoteDebug NoteLevel = iota
	NoteInfo
	NoteWarn
	NoteError
)
