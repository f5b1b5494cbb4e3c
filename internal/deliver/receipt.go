// Copyright The OpenTelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package deliver

import "time"

// Span is a run of lines of one file, from where the last run ended up to but
// not including NextLine.
type Span struct {
	FileID string
	// SHA256 of the file, so that a position is only ever used for the same bytes.
	SHA256 string
	// EndTime of the file, from the listing.
	EndTime time.Time
	// NextLine is the first line (from 1) that the span leaves out.
	NextLine int
	// Events of the span that have an id, to be remembered once it is accepted.
	Events []Event
	// Last is set when nothing follows the span in its file.
	Last bool
}

// Event is a delivered event, by hashes of its id and of its line.
type Event struct{ ID, Content uint64 }

// Receipt proves that a span needs no further delivery: the next consumer
// accepted it, it was dropped by choice, or it held no record. Only this package
// can make one, which makes storing a position before delivery impossible to
// write.
type Receipt struct {
	span    Span
	minted  bool
	dropped bool
}

// Dropped reports whether the span was refused for good and given up by choice.
func (r Receipt) Dropped() bool { return r.dropped }

// Span returns what the receipt is for; ok is false for a Receipt that no
// delivery has made.
func (r Receipt) Span() (span Span, ok bool) { return r.span, r.minted }
