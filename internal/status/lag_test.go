// Copyright The OpenTelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package status

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// The lag grows while nothing is said, and stops with the stream.
func TestDeliveryLag(t *testing.T) {
	now := time.Date(2026, 11, 25, 12, 0, 0, 0, time.UTC)
	l := NewLag()
	assert.Nil(t, l.Read(now).DeliveryLag, "before anything is known")
	l.SetDelivered(now.Add(-time.Minute))
	assert.Equal(t, new(60.0), l.Read(now).DeliveryLag)
	assert.Equal(t, new(3660.0), l.Read(now.Add(time.Hour)).DeliveryLag)
	assert.Equal(t, new(0.0), l.Read(now.Add(-time.Hour)).DeliveryLag, "never negative")
	l.End()
	l.SetDelivered(now)
	assert.Nil(t, l.Read(now.Add(time.Hour)).DeliveryLag)
}

// Backlog and expiry are of all segments together. With nothing pending there is
// no expiry.
func TestPending(t *testing.T) {
	now := time.Date(2026, 11, 25, 12, 0, 0, 0, time.UTC)
	l := NewLag()
	assert.Equal(t, Reading{}, l.Read(now))
	live, history, replay := SegmentKey{}, SegmentKey{Part: 1}, SegmentKey{Replay: "a"}
	l.SetPending(live, 2, now.Add(-time.Hour))
	l.SetPending(history, 40, now.Add(-29*24*time.Hour))
	l.SetPending(replay, 1, time.Time{}) // its end time is unknown
	r := l.Read(now)
	assert.Equal(t, int64(43), r.BacklogFiles)
	assert.Equal(t, new((24 * time.Hour).Seconds()), r.OldestPendingExpiry)
	assert.Equal(t, new(-time.Hour.Seconds()), l.Read(now.Add(25*time.Hour)).OldestPendingExpiry)

	l.SetPending(history, 0, time.Time{})
	l.SetPending(replay, 0, time.Time{})
	assert.Equal(t, new((30*24*time.Hour - time.Hour).Seconds()), l.Read(now).OldestPendingExpiry)
	l.SetPending(live, 0, time.Time{})
	r = l.Read(now)
	require.Nil(t, r.OldestPendingExpiry)
	assert.Zero(t, r.BacklogFiles)
}

// Quarantine is shown as it is now, of replays too.
func TestQuarantined(t *testing.T) {
	l := NewLag()
	l.SetQuarantined("", 2, 17)
	l.SetQuarantined("a", 1, 0)
	r := l.Read(time.Now())
	assert.Equal(t, int64(3), r.QuarantinedFiles)
	assert.Equal(t, int64(17), r.QuarantinedRecords)
	l.SetQuarantined("", 0, 1)
	r = l.Read(time.Now())
	assert.Equal(t, int64(1), r.QuarantinedFiles)
	assert.Equal(t, int64(1), r.QuarantinedRecords)
}
