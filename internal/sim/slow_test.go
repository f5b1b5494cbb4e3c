// Copyright The OpenTelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package sim

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
)

// Storage that takes five seconds for every call slows the receiver down and does
// nothing else: every record comes once, and a shutdown at any moment waits for
// the call under way and stores what was accepted.
func TestSlowStorage(t *testing.T) {
	t.Parallel()
	const pause, grace = 5 * time.Second, 10 * time.Second
	var longest time.Duration
	runs, step := 0, time.Second
	if *days < defaultDays { // a short run, as with the race detector
		step = 11 * time.Second
	}
	for at := 21 * time.Second; at < 4*time.Minute; at += step {
		synctest.Test(t, func(*testing.T) {
			plan := smallPlan()
			plan.cfg.Deduplication.MaxEvents = 1_000_000 // no block, so that Start has few values to read
			plan.windows = []window{{kind: storageSlow, until: time.Hour, pause: pause}}
			w := newWorld(plan)
			w.start()
			w.sleepUntil(at)
			began := w.since()
			w.stop()
			longest = max(longest, w.since()-began)
			w.start()
			w.sleepUntil(2 * time.Hour)
			w.end()
			synctest.Wait()
			runs++
			assert.Empty(t, w.model.violations, "shutdown after %v:\n%s", at, strings.Join(w.log, "\n"))
			assert.Equal(t, 2, w.all()["first run"], "each type begins once")
		})
	}
	assert.GreaterOrEqual(t, longest, pause-step, "no shutdown has met a call under way")
	assert.LessOrEqual(t, longest, grace)
	t.Logf("%d shutdowns, the longest took %v", runs, longest)
}
