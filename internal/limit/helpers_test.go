// Copyright The OpenTelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package limit

import (
	"context"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var noon = time.Date(2026, 8, 2, 12, 0, 0, 0, time.UTC)

// oneSlot lets one download run at a time.
var oneSlot = Settings{Memory: 100, Slots: 1}

// newDownloads returns a Downloads that the end of the test closes.
func newDownloads(t *testing.T, set Settings) *Downloads {
	t.Helper()
	d := NewDownloads(set)
	t.Cleanup(d.Close)
	return d
}

// acquire enqueues a request and waits for its turn.
func acquire(t *testing.T, d *Downloads, r Request) *Grant {
	t.Helper()
	g, err := d.Acquire(t.Context(), d.Enqueue(r))
	require.NoError(t, err)
	return g
}

// isGranted reports whether a ticket has been granted by now.
func isGranted(t *Ticket) bool {
	synctest.Wait()
	select {
	case <-t.granted:
		return true
	default:
		return false
	}
}

// grantLog holds downloads for a time each and notes the order of the grants.
type grantLog struct {
	t *testing.T
	d *Downloads

	mu    sync.Mutex // guards everything below
	names []string
	at    []time.Time
}

// add enqueues a request, and holds the download for a time once it is granted.
func (l *grantLog) add(name string, r Request, hold time.Duration) *Ticket {
	ticket := l.d.Enqueue(r)
	go func() {
		g, err := l.d.Acquire(l.t.Context(), ticket)
		if !assert.NoError(l.t, err) {
			return
		}
		l.mu.Lock()
		l.names, l.at = append(l.names, name), append(l.at, time.Now())
		l.mu.Unlock()
		time.Sleep(hold)
		g.Release()
	}()
	synctest.Wait()
	return ticket
}

// granted returns the names in the order of their grants, and the times of these.
func (l *grantLog) granted() ([]string, []time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Clone(l.names), slices.Clone(l.at)
}

func count(names []string, name string) (n int) {
	for _, other := range names {
		if other == name {
			n++
		}
	}
	return n
}

// assertFree asserts what a Downloads has left.
func assertFree(t *testing.T, d *Downloads, memory int64, slots int) {
	t.Helper()
	d.mu.Lock()
	defer d.mu.Unlock()
	assert.Equal(t, memory, d.memory)
	assert.Equal(t, slots, d.slots)
}

// ended is a context that has ended.
func ended(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	return ctx
}
