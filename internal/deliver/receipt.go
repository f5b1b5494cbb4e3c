// Copyright The OpenTelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package deliver

import "time"

// FileRef names a file as the listing does.
type FileRef struct {
	ID      string
	Name    string
	Size    int64     // bytes; -1 when unknown
	EndTime time.Time // zero when the listing has no readable time
	SHA256  string    // lower-case hex; "" when unknown
}

// MaxAhead is how many lines after the next line a checkpoint stores as delivered.
const MaxAhead = 8

// Part is some lines of one file.
type Part struct {
	File   FileRef
	SHA256 string // of the bytes that came
	// Lines are the line numbers (from 1) of the records, ascending.
	Lines []int
	// NextLine is the first line that is not settled once the part is; 0 when the
	// file is complete.
	NextLine int
	// Ahead are the lines after NextLine that probes have delivered, at most MaxAhead.
	Ahead []int
	// Events of the part that have an id.
	Events []Event
	Evidence
}

// Evidence is what a checkpoint stores for digests along with a part; it does not look
// into it. Both are nil without digests.
type Evidence struct {
	// Tally of the file after the part, kept while the file is open.
	Tally []byte
	// Entry for the next digest.
	Entry []byte
}

// Event is a delivered event: two keyed 64-bit hashes, of its id, and of its id
// and line.
type Event struct{ ID, Content uint64 }

// Outcome of a part.
type Outcome int

const (
	// Open needs further delivery; no Receipt has it.
	Open Outcome = iota
	// Accepted by the next consumer, or nothing to deliver.
	Accepted
	// Dropped was permanently rejected and given up by choice.
	Dropped
	// Quarantined was rejected and waits in the retry queue.
	Quarantined
)

// Receipt proves that a checkpoint may move past a part: the next consumer
// accepted it, it was dropped by choice, the commit that moves the checkpoint
// quarantines it, or it had no record. Only this package creates one, so nobody
// can store a place before its delivery.
type Receipt struct {
	part    Part
	outcome Outcome
}

// Outcome is what became of the part.
func (r Receipt) Outcome() Outcome { return r.outcome }

// With is the receipt with evidence.
func (r Receipt) With(evidence Evidence) Receipt {
	r.part.Evidence = evidence
	return r
}

// Part returns what the receipt is for; ok is false for a zero Receipt.
func (r Receipt) Part() (part Part, ok bool) { return r.part, r.outcome != Open }
