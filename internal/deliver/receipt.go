// Copyright The OpenTelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package deliver

import "time"

// Span is a run of lines of one file, from where the last run ended up to but
// not including NextLine.
type Span struct {
	FileID string
	// FileName and FileSize, from the listing, to find the file again.
	FileName string
	FileSize int64
	// SHA256 of the bytes that came, so that a position is only ever used for the
	// same ones; ListedSHA256 of the file, from the listing.
	SHA256, ListedSHA256 string
	// EndTime of the file, from the listing.
	EndTime time.Time
	// NextLine is the first line (from 1) that the span leaves out, 0 behind the
	// last. Lines are those that its records are made of, in order.
	NextLine int
	Lines    []int
	// Events of the span that have an id, to be remembered once it is accepted.
	Events []Event
	// Last is set when nothing follows the span in its file.
	Last bool
}

// Event is a delivered event, by a hash of its id and half of one of its line.
type Event struct {
	ID      uint64
	Content uint32
}

// Outcome of a delivery.
type Outcome int

const (
	// Open needs further delivery; no Receipt has it.
	Open Outcome = iota
	// Accepted by the next consumer, or nothing to deliver.
	Accepted
	// Dropped was refused for good and given up by choice.
	Dropped
	// Aside was refused for good and is to be kept for later tries.
	Aside
)

// Receipt proves that the position may move behind a span: the next consumer
// accepted it, it was dropped by choice, it is to be set aside in the very commit
// that moves the position, or it held no record. Only this package can make one,
// which makes storing a position before delivery impossible to write.
type Receipt struct {
	span    Span
	outcome Outcome
}

// Outcome is what became of the span.
func (r Receipt) Outcome() Outcome { return r.outcome }

// Span returns what the receipt is for; ok is false for a Receipt that no
// delivery has made.
func (r Receipt) Span() (span Span, ok bool) { return r.span, r.outcome != Open }
