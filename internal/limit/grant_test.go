// Copyright The OpenTelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package limit

import (
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// Of the grants without progress the farthest from delivery are taken, as many as
// are needed, and none if all of them are not enough.
func TestChooseVictims(t *testing.T) {
	drop := func() {}
	old, older, young := noon.Add(-EvictAfter), noon.Add(-time.Hour), noon.Add(-EvictAfter+time.Second)
	grant := func(memory int64, turn int, progress time.Time) *Grant {
		return &Grant{memory: memory, turn: turn, progress: progress, onEvict: drop}
	}
	tests := []struct {
		name  string
		held  []*Grant
		bytes int64
		want  []int // of held
		again time.Time
	}{
		{"nothing is held", nil, 1, nil, time.Time{}},
		{"farthest first", []*Grant{grant(10, 0, old), grant(10, 2, old), grant(10, 1, old)}, 15, []int{1, 2}, time.Time{}},
		{"longest without progress first", []*Grant{grant(10, 1, old), grant(10, 1, older)}, 10, []int{1}, time.Time{}},
		{"exactly enough", []*Grant{grant(10, 0, old), grant(10, 1, old)}, 20, []int{1, 0}, time.Time{}},
		{"not enough", []*Grant{grant(10, 0, old), grant(10, 1, old)}, 21, nil, time.Time{}},
		{"not yet enough", []*Grant{grant(10, 0, old), grant(10, 1, young)}, 11, nil, noon.Add(time.Second)},
		{"nearer without progress", []*Grant{grant(10, 0, old), grant(10, 1, young)}, 10, []int{0}, time.Time{}},
		{"memory that cannot be taken", []*Grant{{memory: 10, progress: older}}, 1, nil, time.Time{}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			victims, again := chooseVictims(test.held, test.bytes, noon, EvictAfter)
			var got []int
			for _, g := range victims {
				got = append(got, slices.Index(test.held, g))
			}
			assert.Equal(t, test.want, got)
			assert.Equal(t, test.again, again)
		})
	}
}

// evictLog notes the order of evictions.
type evictLog struct {
	mu    sync.Mutex // guards names
	names []string
}

func (l *evictLog) evicts(name string, g *Grant) {
	g.OnEvict(func() {
		l.mu.Lock()
		defer l.mu.Unlock()
		l.names = append(l.names, name)
	})
}

func (l *evictLog) evicted() []string {
	synctest.Wait()
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Clone(l.names)
}

// Memory without progress is taken once a download waits for it, and not before; the
// farthest from its delivery, and never that of a grant with progress.
func TestEviction(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDownloads(t, Settings{Memory: 100, Slots: 10})
		var l evictLog
		delivering, next, later := acquire(t, d, Request{Size: 40}), acquire(t, d, Request{Size: 30}), acquire(t, d, Request{Size: 30})
		delivering.SetTurn(0)
		next.SetTurn(1)
		for name, g := range map[string]*Grant{"delivering": delivering, "next": next, "later": later} {
			l.evicts(name, g)
		}
		time.Sleep(time.Hour)
		assert.Empty(t, l.evicted(), "nothing waits")

		delivering.Progress()
		fits := acquire(t, d, Request{Size: 20})
		assert.Equal(t, []string{"later"}, l.evicted())
		assert.True(t, later.Evicted())
		assert.False(t, next.Evicted())
		assertFree(t, d, 10, 6)
		later.Release()
		later.Release()
		assertFree(t, d, 10, 7)

		began := time.Now()
		waiting := d.Enqueue(Request{Size: 80}) // more than next alone leaves
		assert.False(t, isGranted(waiting))
		assert.Equal(t, []string{"later"}, l.evicted(), "next alone is not enough")
		time.Sleep(20 * time.Second)
		delivering.Progress()
		_, err := d.Acquire(t.Context(), waiting)
		require.NoError(t, err)
		assert.Equal(t, 20*time.Second+EvictAfter, time.Since(began), "woke up when delivering was without progress")
		assert.Equal(t, []string{"delivering", "later", "next"}, slices.Sorted(slices.Values(l.evicted())))
		assert.False(t, fits.Evicted(), "it cannot let go")
	})
}

// Memory counts as free only when its bytes are let go of; a better ticket that came
// meanwhile goes first. No lock is held meanwhile.
func TestEvictionWaitsForDrop(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDownloads(t, Settings{Memory: 100, Slots: 10})
		g := acquire(t, d, Request{Size: 100})
		calls := 0
		g.OnEvict(func() {
			calls++
			assert.True(t, g.Evicted())
			time.Sleep(time.Minute)
			g.Release()
			assertFree(t, d, 0, 10)
			time.Sleep(time.Minute)
		})
		time.Sleep(EvictAfter)
		ticket := d.Enqueue(Request{Size: 50})
		time.Sleep(time.Minute + time.Second)
		better := d.Enqueue(Request{Priority: Expiring - 1, Size: 100})
		assert.False(t, isGranted(better))
		time.Sleep(time.Minute)
		assert.True(t, isGranted(better))
		assert.False(t, isGranted(ticket))
		assert.Equal(t, 1, calls)
	})
}

// A download that waits for the rate, a pause or a slot does not evict: it would not
// begin all the same.
func TestEvictionOnlyForMemory(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDownloads(t, Settings{Memory: 100, Slots: 2, PerMinute: 3})
		var l evictLog
		done, running := acquire(t, d, Request{Size: 90}), acquire(t, d, Request{Size: 1})
		l.evicts("done", done)
		done.Downloaded()
		extra := acquire(t, d, Request{Size: 1})
		d.Pause(5 * time.Minute)
		ticket := d.Enqueue(Request{Size: 50})
		time.Sleep(4 * time.Minute)
		assert.Empty(t, l.evicted(), "no slot")
		running.Downloaded()
		assert.Empty(t, l.evicted(), "a pause")
		time.Sleep(time.Minute)
		assert.True(t, isGranted(ticket))
		assert.Equal(t, []string{"done"}, l.evicted())
		extra.Release()
	})
}

// The end of a download is progress, and so is the grant itself.
func TestEvictionAfterDownload(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDownloads(t, Settings{Memory: 100, Slots: 2})
		var l evictLog
		g := acquire(t, d, Request{Size: 100})
		time.Sleep(time.Hour)
		g.Downloaded()
		l.evicts("slow", g)
		began := time.Now()
		acquire(t, d, Request{Size: 100})
		assert.Equal(t, EvictAfter, time.Since(began))
		assert.Equal(t, []string{"slow"}, l.evicted())
	})
}

// While memory that was taken is not yet free, no more is taken for the same download.
func TestEvictionNotTwice(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDownloads(t, Settings{Memory: 100, Slots: 10})
		near, far := acquire(t, d, Request{Size: 50}), acquire(t, d, Request{Size: 50})
		near.SetTurn(1)
		near.OnEvict(func() {})
		far.OnEvict(func() { time.Sleep(time.Minute) })
		time.Sleep(EvictAfter)
		first := d.Enqueue(Request{Size: 50})
		d.Enqueue(Request{Size: 50, After: first})
		assert.True(t, far.Evicted())
		assert.False(t, near.Evicted())
		assert.False(t, isGranted(first))
		time.Sleep(time.Minute)
		assert.True(t, isGranted(first))
		assert.True(t, near.Evicted(), "the second one lacks memory now")
	})
}

// Close waits for the calls under way, and takes no further memory.
func TestCloseWaitsForDrop(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := NewDownloads(Settings{Memory: 100, Slots: 2})
		g := acquire(t, d, Request{Size: 100})
		dropped := false
		g.OnEvict(func() {
			time.Sleep(time.Minute)
			dropped = true
		})
		time.Sleep(EvictAfter)
		ticket := d.Enqueue(Request{Size: 100})
		d.Close()
		assert.True(t, dropped)
		assert.False(t, isGranted(ticket))
	})
}
