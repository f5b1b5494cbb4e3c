// Copyright The OpenTelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package sim

import (
	"flag"
	"maps"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
)

const defaultDays = 60

var (
	days = flag.Int("sim-days", defaultDays, "how many worlds to simulate, of one day each")
	one  = flag.Int64("sim-seed", -1, "the one seed to simulate, with its log")
	from = flag.Int64("sim-from", 1, "the first seed")
)

// Whatever befalls API, network, storage, consumer and process in a day, every
// record of every file above the floor reaches the next consumer, in order, once -
// but for the one batch per stream that a crash leaves between acceptance and
// commit.
func TestSimulation(t *testing.T) {
	t.Parallel()
	if *one >= 0 {
		w := simulate(t, uint64(*one))
		t.Log(strings.Join(w.log, "\n"))
		report(t, w)
		return
	}
	var mu sync.Mutex
	reached := map[string]int{}
	var total sums
	t.Run("seeds", func(t *testing.T) {
		for seed := *from; seed < *from+int64(*days); seed++ {
			t.Run(strconv.FormatInt(seed, 10), func(t *testing.T) {
				t.Parallel()
				w := simulate(t, uint64(seed))
				report(t, w)
				mu.Lock()
				defer mu.Unlock()
				total.add(w.sums)
				for what, n := range w.all() {
					reached[what] += n
				}
			})
		}
	})
	for _, what := range slices.Sorted(maps.Keys(reached)) {
		t.Logf("%8d %s", reached[what], what)
	}
	t.Logf("%d days simulated; %s", *days, total)
	if *days < defaultDays {
		return
	}
	for _, what := range slices.Concat(mustReach, oddNames()) {
		assert.Positive(t, reached[what], "no seed has reached: %s", what)
	}
}

// report fails the test when the model found a violation.
func report(t *testing.T, w *world) {
	t.Helper()
	if len(w.model.violations) == 0 {
		return
	}
	shown := w.model.violations[:min(5, len(w.model.violations))]
	t.Errorf("seed %d: %d violations. Again: go test ./internal/sim -run TestSimulation -sim-seed %d\n%s",
		w.plan.seed, len(w.model.violations), w.plan.seed, strings.Join(shown, "\n"))
}

// mustReach are the states that a default run has to come to, or it proves
// nothing.
var mustReach = []string{
	"call to the consumer canceled", "conflict delivered", consumerBlocks, consumerSlow, consumerRefuses, consumerDrops,
	"crash at any time", "crash at " + atConsume, "crash at " + atAccepted, "crash at " + atRequest, "crash at " + atSet, "crash at " + atStored,
	"crash between accept and commit", "duplicate left out", "empty file", "end inside a file", "event type added", "expired file told",
	"bounded stream through", "bounded stream through, of a replay", "history through", "live split", "outage of days",
	"outage while history is under way", "poll cut", "poll cut, of a replay", "start with history under way",
	"file that only the daily deep listing found", "further page", "gap told", "late file", networkDown, "no gap told",
	"off for longer than files live", "poll ended early", "checkpoint not stored", "quarantine", "record dropped by choice",
	"record proven by a digest", "record repeated after a crash", "record set aside and delivered", "record without id", "restart", "settings changed", "start refused",
	"status 401 from api", "status 403 from storage", "status 404 from api", "status 429 from api",
	redirectRefused, fileUnreadable, typeUnreadable, consumerLimits, consumerPoison, "hundreds of files queued",
	moreDenied, moreAbsent, moreText, moreClaimed, "ties told",
	dateWrong, dateJumps, dateCached, dateStale, dateAbsent, ownAhead, ownBehind, restored,
	storageFails, storageSlow, "tie on a page edge", "unverified record delivered",
}
