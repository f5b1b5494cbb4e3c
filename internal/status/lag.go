// Copyright The OpenTelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package status

import (
	"sync"
	"time"
)

// retention is how long the API serves a file after its end time.
const retention = 30 * 24 * time.Hour

// SegmentKey names a segment of an event type. Replay is empty but for those of
// replays; Part is the segment's number within its stream.
type SegmentKey struct {
	Replay string
	Part   int
}

// Lag is what the gauges of one event type show: how far its delivery has come and
// what is held up. Each setter replaces what it was given before. Ages grow by
// themselves, so a stream that hangs shows as one that lags. It is safe for
// concurrent use.
type Lag struct {
	mu          sync.Mutex // guards everything below
	through     time.Time
	ended       bool
	newest      time.Time        // record that the API holds
	digests     map[string]int64 // number of the last one, by replay
	pending     map[SegmentKey]pendingFiles
	quarantined map[string]quarantined // by replay
}

type pendingFiles struct {
	files  int
	oldest time.Time
}

type quarantined struct{ files, records int }

// NewLag returns the gauges of one event type.
func NewLag() *Lag {
	return &Lag{pending: map[SegmentKey]pendingFiles{}, quarantined: map[string]quarantined{}, digests: map[string]int64{}}
}

// SetDelivered says that every file of the live segment that ended by then is
// delivered; delivery_lag is the age of this time.
func (l *Lag) SetDelivered(through time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.through = through
}

// SetNewest says when the newest record is from that the API holds; zero when that is
// not known.
func (l *Lag) SetNewest(at time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.newest = at
}

// SetDigest says which digest of a stream was delivered last. Replay is empty but for a
// replay's stream.
func (l *Lag) SetDigest(replay string, number int64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.digests[replay] = number
}

// SetPending says how many files a segment has listed and not delivered,
// quarantined ones included, and the end time of the oldest, zero when unknown.
// No files forgets the segment.
func (l *Lag) SetPending(segment SegmentKey, files int, oldest time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if files == 0 {
		delete(l.pending, segment)
		return
	}
	l.pending[segment] = pendingFiles{files, oldest}
}

// SetQuarantined says how many files and records of a stream are in quarantine
// now. Replay is empty but for a replay's stream.
func (l *Lag) SetQuarantined(replay string, files, records int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.quarantined[replay] = quarantined{files, records}
}

// End says that the stream has reached until: it lags no more.
func (l *Lag) End() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.ended = true
}

// Reading is what the gauges show at one time; nil is no value.
type Reading struct {
	DeliveryLag         *float64 // seconds
	OldestPendingExpiry *float64 // seconds; negative when past
	NewestEventAge      *float64 // seconds
	BacklogFiles        int64
	QuarantinedFiles    int64
	QuarantinedRecords  int64
	DigestNumber        *int64 // of collection; nil without digests
}

// Read computes the gauges at a time.
func (l *Lag) Read(now time.Time) Reading {
	l.mu.Lock()
	defer l.mu.Unlock()
	var r Reading
	if !l.through.IsZero() && !l.ended {
		r.DeliveryLag = new(max(0, now.Sub(l.through).Seconds()))
	}
	if !l.newest.IsZero() && !l.ended {
		r.NewestEventAge = new(max(0, now.Sub(l.newest).Seconds()))
	}
	if number, ok := l.digests[""]; ok {
		r.DigestNumber = &number
	}
	for _, q := range l.quarantined {
		r.QuarantinedFiles += int64(q.files)
		r.QuarantinedRecords += int64(q.records)
	}
	var oldest time.Time
	for _, p := range l.pending {
		r.BacklogFiles += int64(p.files)
		oldest = earlier(oldest, p.oldest)
	}
	if !oldest.IsZero() {
		r.OldestPendingExpiry = new(oldest.Add(retention).Sub(now).Seconds())
	}
	return r
}
