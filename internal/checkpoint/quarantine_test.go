// Copyright The OpenTelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package checkpoint

import (
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// A file in quarantine is listed until it has left, however far the others have
// come meanwhile.
func TestQuarantineIsListed(t *testing.T) {
	f := newFixture(t, overlap)
	f.done("a", at(1*time.Minute))
	f.setAside("later", at(4*time.Minute))
	f.setAside("first", at(2*time.Minute))
	f.done("b", at(3*time.Minute))
	f.done("c", at(5*time.Hour))
	f.reload(overlap)
	assert.Equal(t, at(5*time.Hour), cursor(f.Stream))
	assert.True(t, f.listed(at(2*time.Minute)))
	assert.False(t, f.Done("first"))
	assert.True(t, f.Quarantined("first"))

	f.done("first", at(2*time.Minute))
	assert.False(t, f.listed(at(3*time.Minute)))
	assert.True(t, f.listed(at(4*time.Minute)))
	f.done("later", at(4*time.Minute))
	assert.False(t, f.listed(at(4*time.Minute)))
	assert.Equal(t, at(5*time.Hour), cursor(f.Stream), "the cursor moved back")
}

// A file in quarantine that is delivered in part stays there until its end.
func TestPartOfQuarantinedFile(t *testing.T) {
	f := newFixture(t, overlap)
	f.setAside("bad", at(2*time.Minute))
	f.begin("bad", at(2*time.Minute), 5)
	f.done("b", at(3*time.Minute))
	assert.True(t, f.listed(at(2*time.Minute)))
	assert.Contains(t, f.state.Quarantine, "bad")
	line, _ := f.NextLine("bad", "sha-bad")
	assert.Equal(t, 5, line)
	f.done("bad", at(2*time.Minute))
	assert.Empty(t, f.state.Quarantine)
	assert.Empty(t, f.state.Open)
}

// Each try in vain is counted; the time of the first is kept, the reason is that
// of the latest.
func TestQuarantineCountsTries(t *testing.T) {
	f := newFixture(t, overlap)
	before := cursor(f.Stream)
	for try := 1; try <= 3; try++ {
		require.NoError(t, f.Quarantine(t.Context(), "bad", Quarantined{
			EndTime: at(2 * time.Minute), Name: "bad.jsonl", Size: 100, SHA256: "sha-bad",
			Reason: []string{"cut", "too long", "wrong sha256"}[try-1], Since: at(time.Duration(try) * time.Hour), Tries: 99,
		}))
		f.reload(overlap)
		assert.Equal(t, map[string]Quarantined{"bad": {
			EndTime: at(2 * time.Minute), Name: "bad.jsonl", Size: 100, SHA256: "sha-bad",
			Reason: []string{"cut", "too long", "wrong sha256"}[try-1], Since: at(time.Hour), Tries: try,
		}}, f.state.Quarantine)
	}
	assert.Equal(t, before, cursor(f.Stream))
}

// Files that a complete listing lacks and that are old enough are expired; they
// are released, and hold nothing down any more.
func TestExpiredAndRelease(t *testing.T) {
	f := newFixture(t, time.Second)
	f.setAside("gone", at(1*time.Minute))
	f.begin("gone", at(1*time.Minute), 3)
	f.setAside("gone too", at(2*time.Minute))
	f.setAside("listed", at(3*time.Minute))
	f.setAside("young", at(10*time.Minute))
	f.done("a", at(3*time.Hour))
	listed := map[string]bool{"listed": true, "a": true}
	before := f.snapshot()
	expired := f.Expired(Live, listed, at(10*time.Minute))
	assert.Equal(t, []string{"gone", "gone too"}, slices.Sorted(maps.Keys(expired)))
	assert.Equal(t, "gone", expired["gone"].Name)
	assert.Equal(t, at(1*time.Minute), expired["gone"].EndTime)
	assert.Equal(t, before, f.snapshot(), "Expired alone changes nothing")

	require.NoError(t, f.Release(t.Context(), expired))
	f.reload(time.Second)
	assert.Equal(t, []string{"listed", "young"}, slices.Sorted(maps.Keys(f.state.Quarantine)))
	assert.Empty(t, f.state.Open)
	assert.Empty(t, f.Expired(Live, listed, at(10*time.Minute)))
	assert.False(t, f.Done("gone"), "a lost file is not a delivered one")
	f.done("b", at(4*time.Hour))
	assert.False(t, f.listed(at(2*time.Minute)), "still held down")
	assert.True(t, f.listed(at(3*time.Minute)))
}

// A file that was delivered in part and that the API no longer serves is lost as
// one in quarantine is: it is named, released, and does not hold the listing and
// the ledger down for ever.
func TestOpenFileExpires(t *testing.T) {
	f := newFixture(t, overlap)
	f.begin("gone", at(1*time.Minute), 3)
	f.done("a", at(40*24*time.Hour))
	require.True(t, f.listed(at(1*time.Minute)))

	expired := f.Expired(Live, map[string]bool{"a": true}, at(10*24*time.Hour))
	assert.Contains(t, expired, "gone")
	require.NoError(t, f.Release(t.Context(), expired))
	f.reload(overlap)
	assert.False(t, f.listed(at(1*time.Minute)))
	f.done("b", at(41*24*time.Hour))
	assert.True(t, f.Done("b"))
}
