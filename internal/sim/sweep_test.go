// Copyright The OpenTelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package sim

import (
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/openaicompliance/openaicompliancereceiver/internal/fakeapi"
)

// sweepMode is what befalls the n-th call.
type sweepMode struct {
	name string
	// lasts until a restart, else the n-th call alone fails.
	lasts bool
	// crash kills the receiver at the call in place of failing it.
	crash bool
	// cut ends failing requests without an answer, else they are answered 503.
	cut bool
}

// Every call to storage, API and consumer that a small world makes fails in turn,
// once and from there on until a restart, and the receiver is killed at every
// one: nothing is lost, and nothing doubled but the batch of the crash.
func TestEveryCallFails(t *testing.T) {
	t.Parallel()
	calls := sweep(t, "", 0, sweepMode{}).calls
	modes := []sweepMode{{name: "once"}, {name: "until restart", lasts: true}, {name: "crash", crash: true}}
	modesOf := func(point string) []sweepMode {
		if point == atAccepted { // a failure there would be a consumer that lies
			return modes[2:]
		}
		return modes
	}
	runs, step := 0, 1
	if *days < defaultDays { // a short run, as with the race detector
		step = 7
	}
	for _, point := range []string{anyStorage, atStored, atConsume, atAccepted, atRequest} {
		require.Positive(t, calls[point], point)
		for _, mode := range modesOf(point) {
			for n := 1; n <= calls[point]; n += step {
				mode.cut = n%2 == 0
				w := sweep(t, point, n, mode)
				runs++
				if len(w.model.violations) > 0 {
					t.Errorf("%s, call %d of %d, %s:\n%s\n%s", point, n, calls[point], mode.name,
						strings.Join(w.model.violations, "\n"), strings.Join(w.log, "\n"))
				}
			}
		}
		t.Logf("%4d calls: %s", calls[point], point)
	}
	t.Logf("%d runs", runs)
}

// sweep runs the small world with one thing that befalls it.
func sweep(t *testing.T, point string, n int, mode sweepMode) (w *world) {
	t.Helper()
	synctest.Test(t, func(*testing.T) {
		w = newWorld(smallPlan())
		w.cutFailed = mode.cut
		broken := true
		w.fails = func(at string, call int) bool {
			return broken && !mode.crash && at == point && (call == n || (mode.lasts && call > n))
		}
		if mode.crash {
			w.arm(point, n)
		}
		patient := time.AfterFunc(30*time.Minute, func() { // while Start is refused, say
			w.mu.Lock()
			defer w.mu.Unlock()
			broken = false
		})
		defer patient.Stop()
		w.start()
		w.sleepUntil(40 * time.Minute)
		w.restart()
		w.sleepUntil(2 * time.Hour)
		w.mu.Lock()
		clear(w.crash)
		w.mu.Unlock()
		w.end()
		synctest.Wait()
	})
	return w
}

// smallPlan has all that matters in few calls: two types, ties over a page edge,
// files of several batches, a duplicate, a line without id, a broken one, an empty
// file and a late one.
func smallPlan() *plan {
	p := newPlan(1)
	p.types = []string{"AUTH_LOG", "AUDIT_LOG"}
	p.api = fakeapi.Options{PageLimit: 3, StorageURL: "http://" + storageHost}
	p.span = 2 * time.Hour
	cfg := p.cfg
	cfg.EventTypes, cfg.StartFrom = p.types, "-2h"
	cfg.PollInterval, cfg.InitialDelay, cfg.Overlap = 10*time.Minute, time.Second, time.Hour
	cfg.Batch.MaxRecords, cfg.Batch.MaxBytes = 2, 1<<20
	cfg.Download.Verify, cfg.Download.MemoryLimit = "strict", 48<<20
	cfg.Deduplication.Window, cfg.Deduplication.MaxEvents = 24*time.Hour, 16*2 // sealed every second event
	add := func(eventType string, end, seen time.Duration, lines ...string) {
		p.files = append(p.files, plannedFile{eventType, end, seen, strings.Join(lines, "\n")})
	}
	id := func(n int) string { return fmt.Sprintf(`{"event_id":"e-%d"}`, n) }
	const ago = -time.Hour
	add("AUTH_LOG", ago, ago, id(1), id(2), "", id(3), `{"no":"id"}`, id(4))
	add("AUTH_LOG", ago+time.Minute, 0, id(5))
	add("AUTH_LOG", ago+time.Minute, 0, id(6), id(1), `{"event_id":"e-6"`)
	add("AUTH_LOG", ago+2*time.Minute, 0)
	add("AUTH_LOG", ago+3*time.Minute, 15*time.Minute, id(7), id(8), id(9))
	add("AUDIT_LOG", ago, 0, id(1), id(2), id(3))
	add("AUDIT_LOG", 12*time.Minute, 12*time.Minute, id(4), id(3))
	return p
}
