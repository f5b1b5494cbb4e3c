// Copyright The OpenTelemetry Authors
// SPDX-License-Identifier: Apache-2.0

// Package status keeps what a receiver reports of itself beside its records: the
// component status with all its causes, outages, the first poll of each event
// type, and how far delivery lags. It holds plain state and is safe for
// concurrent use.
package status

import "fmt"

// Condition is one cause of trouble; the zero value is none. Label is a short
// constant such as "unauthorized", "held" or "storage". Err and Hint hold no
// record content, key or URL.
type Condition struct {
	Label string
	Err   error
	Hint  string
}

// IsZero reports whether there is no trouble.
func (c Condition) IsZero() bool { return c.Label == "" && c.Err == nil }

// asError returns the condition as "label: error (hint)".
func (c Condition) asError() error {
	err := c.Err
	switch {
	case err == nil:
		err = labelError(c.Label)
	case c.Label != "":
		err = fmt.Errorf("%s: %w", c.Label, err)
	}
	if c.Hint != "" {
		err = fmt.Errorf("%w (%s)", err, c.Hint)
	}
	return err
}

// labelError is a condition without an error of its own.
type labelError string

func (e labelError) Error() string { return string(e) }

// Kind says what a condition is about. A stream has one condition of each kind.
type Kind int

// The kinds. KindPoll counts for the component only while every event type has
// trouble; each other kind counts by itself.
const (
	KindPoll          Kind = iota // the poll or its requests fail
	KindConsumer                  // the next consumer holds the delivery
	KindStorage                   // the checkpoint cannot be stored or loaded
	KindQueueFull                 // the retry queue is at a bound
	KindClock                     // the local clock and the API's differ
	KindHost                      // a fault of host, key or API holds the stream
	KindGapSuspected              // one clock alone says that records have expired
	KindBounds                    // start_from or until cannot be resolved
	KindDigests                   // no file has its listed digest
	KindDigestOverdue             // the next consumer rejects a digest
)

// stopsStream reports whether a stream with a condition of this kind makes no
// progress.
func (k Kind) stopsStream() bool {
	return k != KindClock && k != KindGapSuspected && k != KindDigestOverdue
}

// Scope says how far a fault reaches.
type Scope string

// The scopes, from the narrowest.
const (
	ScopeRecord  Scope = "record"
	ScopeEntry   Scope = "entry"
	ScopeFile    Scope = "file"
	ScopeType    Scope = "type"
	ScopeKey     Scope = "key"
	ScopeNetwork Scope = "network"
)

// wholeReceiver reports whether a condition of this scope is reported once per
// receiver, not once per stream.
func (s Scope) wholeReceiver() bool { return s == ScopeKey || s == ScopeNetwork }

// wholeStream reports whether a fault of this scope concerns more than one file.
func (s Scope) wholeStream() bool { return s == ScopeType || s.wholeReceiver() }
