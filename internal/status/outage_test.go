// Copyright The OpenTelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package status

import (
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const (
	failed    = "requests fail"
	succeeded = "requests succeed again"
)

var noAnswer = Condition{Label: "no_answer", Err: errPoll, Hint: "check the network"}

// times are the lengths at which the lines with a message were logged.
func (w *world) times(message string) []time.Duration {
	var all []time.Duration
	for _, fields := range w.entries(message) {
		all = append(all, fields["duration"].(time.Duration).Round(time.Second))
	}
	return all
}

func TestNextReportAt(t *testing.T) {
	var all []time.Duration
	for at := time.Duration(-1); len(all) < 9; all = append(all, at) {
		at = nextReportAt(at)
	}
	assert.Equal(t, []time.Duration{
		10 * time.Second, time.Minute, 2 * time.Minute, 5 * time.Minute, 10 * time.Minute, 30 * time.Minute,
		time.Hour, 2 * time.Hour, 3 * time.Hour,
	}, all)
}

// An outage of the network is reported within 30 seconds and ever more rarely,
// once for all types, and so is its end.
func TestOutageIsReportedOnce(t *testing.T) {
	types := make([]string, 14)
	for i := range types {
		types[i] = fmt.Sprintf("TYPE_%02d", i)
	}
	run(t, len(types), types, func(w *world) {
		start := time.Now()
		for time.Since(start) < 150*time.Minute {
			for _, name := range types {
				w.RequestFailed(name, ScopeNetwork, noAnswer)
				w.NextTry(name, time.Now().Add(7*time.Second))
			}
			w.wait(5 * time.Second)
		}
		assert.Equal(t, []time.Duration{
			10 * time.Second, time.Minute, 2 * time.Minute, 5 * time.Minute, 10 * time.Minute, 30 * time.Minute, time.Hour, 2 * time.Hour,
		}, w.times(failed))
		line := w.entries(failed)[0]
		assert.Len(t, line["event_types"], 14)
		assert.Equal(t, errPoll.Error(), line["error"])
		assert.Equal(t, "check the network", line["hint"])
		assert.Equal(t, "no_answer", line["cause"])
		assert.True(t, start.Equal(line["since"].(time.Time)))
		assert.Contains(t, line, "next_try")

		assert.Len(t, w.events(), 1, "one cause, one status")
		for _, name := range types {
			assert.Empty(t, w.entries(succeeded))
			w.RequestSucceeded(name)
		}
		assert.Equal(t, []time.Duration{150 * time.Minute}, w.times(succeeded))
		w.assertOK()
	})
}

// The status shows an outage after 30 seconds, also when no further request is
// made until then.
func TestOutageDegradesTheStatus(t *testing.T) {
	run(t, 2, two, func(w *world) {
		w.RequestFailed("AUTH_LOG", ScopeNetwork, noAnswer)
		w.RequestFailed("CODEX_LOG", ScopeNetwork, noAnswer)
		w.wait(29 * time.Second)
		assert.Empty(t, w.events())
		assert.Len(t, w.entries(failed), 1)
		w.wait(time.Second)
		w.assertDegraded(errPoll)
		w.RequestSucceeded("AUTH_LOG")
		w.assertOK()
	})
}

// Types that wait for their next poll need not fail by themselves when network or
// key fail; one that has had an answer since shows that the component works.
func TestOutageConcernsIdleTypes(t *testing.T) {
	run(t, 2, two, func(w *world) {
		w.RequestSucceeded("CODEX_LOG")
		w.wait(2 * time.Minute)
		w.RequestFailed("AUTH_LOG", ScopeKey, Condition{Label: "unauthorized", Err: errPoll})
		w.wait(30 * time.Second)
		w.assertDegraded(errPoll)
		w.RequestSucceeded("CODEX_LOG")
		w.assertOK()
		w.wait(5 * time.Minute)
		w.assertOK()
	})
	run(t, 2, two, func(w *world) { // a type's own trouble is its own
		w.RequestFailed("AUTH_LOG", ScopeType, Condition{Label: "forbidden", Err: errPoll})
		w.wait(time.Hour)
		assert.Empty(t, w.events())
		assert.Equal(t, []any{"AUTH_LOG"}, w.entries(failed)[0]["event_types"])
	})
	run(t, 2, two, func(w *world) { // polls of one moment, one of which fails
		w.RequestSucceeded("CODEX_LOG")
		w.RequestFailed("AUTH_LOG", ScopeKey, Condition{Label: "unauthorized", Err: errPoll})
		w.wait(time.Hour)
		assert.Empty(t, w.events())
	})
}

// A request without an answer counts before it times out.
func TestSilenceIsAnOutage(t *testing.T) {
	run(t, 1, two[:1], func(w *world) {
		w.RequestSent("AUTH_LOG")
		w.wait(25 * time.Second)
		require.Len(t, w.entries(failed), 1)
		assert.Equal(t, "no_answer", w.entries(failed)[0]["cause"])
		w.wait(5 * time.Second)
		w.assertDegraded()
		w.RequestFailed("AUTH_LOG", ScopeNetwork, noAnswer)
		assert.Len(t, w.entries(failed), 1)
		w.RequestSent("AUTH_LOG")
		w.RequestSucceeded("AUTH_LOG")
		w.assertOK()
		w.wait(time.Hour)
		assert.Len(t, w.entries(failed), 1)
		assert.Len(t, w.entries(succeeded), 1)
	})
}

// A hiccup is not worth a line, nor is what concerns one file.
func TestShortFailuresAreNotReported(t *testing.T) {
	run(t, 2, two, func(w *world) {
		w.RequestFailed("AUTH_LOG", ScopeNetwork, noAnswer)
		w.wait(5 * time.Second)
		w.RequestSucceeded("AUTH_LOG")
		for _, scope := range []Scope{ScopeRecord, ScopeEntry, ScopeFile} {
			w.RequestFailed("CODEX_LOG", scope, noAnswer)
		}
		w.wait(time.Hour)
		assert.Zero(t, w.logs.Len())
		assert.Empty(t, w.events())
	})
}

// Without a new failure there is nothing new to report: a poll every five minutes
// is one line for each, until the schedule is rarer.
func TestReportNeedsAFailure(t *testing.T) {
	run(t, 1, two[:1], func(w *world) {
		for range 11 {
			w.RequestFailed("AUTH_LOG", ScopeNetwork, noAnswer)
			w.wait(5 * time.Minute)
		}
		assert.Equal(t, []time.Duration{10 * time.Second, 5 * time.Minute, 10 * time.Minute, 30 * time.Minute}, w.times(failed))
	})
}

// A success now and then does not make the reports more frequent, and whatever was
// said to work again is not left standing.
func TestOutageWithSuccessesBetween(t *testing.T) {
	run(t, 1, two[:1], func(w *world) {
		start := time.Now()
		for time.Since(start) < 2*time.Hour {
			for range 4 {
				w.RequestFailed("AUTH_LOG", ScopeNetwork, noAnswer)
				w.wait(5 * time.Second)
			}
			w.RequestSucceeded("AUTH_LOG")
		}
		n := len(w.entries(failed))
		assert.Greater(t, n, 6)
		assert.Less(t, n, 15)
		assert.Len(t, w.entries(succeeded), n)
	})
	run(t, 1, two[:1], func(w *world) { // another outage, much later, is a new one
		for range 2 {
			w.RequestFailed("AUTH_LOG", ScopeNetwork, noAnswer)
			w.wait(time.Hour)
			w.RequestSucceeded("AUTH_LOG")
			w.wait(11 * time.Minute)
		}
		assert.Equal(t, []time.Duration{10 * time.Second, 10 * time.Second}, w.times(failed))
	})
	run(t, 1, two[:1], func(w *world) { // so is one soon after, as long as there are few
		for range 2 {
			for range 60 {
				w.RequestFailed("AUTH_LOG", ScopeNetwork, noAnswer)
				w.wait(time.Minute)
			}
			w.RequestSucceeded("AUTH_LOG")
			w.wait(time.Minute)
		}
		assert.Equal(t, 10*time.Second, w.times(failed)[len(w.times(failed))/2])
		assert.Len(t, w.times(succeeded), 2)
	})
}

// A new scope is a new outage, that lasts since the first failure; the old one has
// no end to report.
func TestOutageChangesItsScope(t *testing.T) {
	run(t, 1, two[:1], func(w *world) {
		w.RequestFailed("AUTH_LOG", ScopeNetwork, noAnswer)
		w.wait(2 * time.Minute)
		w.RequestFailed("AUTH_LOG", ScopeKey, Condition{Label: "unauthorized", Err: errPoll})
		assert.Equal(t, []time.Duration{10 * time.Second, 2 * time.Minute}, w.times(failed))
		assert.Equal(t, "unauthorized", w.entries(failed)[1]["cause"])
		w.RequestSucceeded("AUTH_LOG")
		assert.Equal(t, []time.Duration{2 * time.Minute}, w.times(succeeded))
	})
}

// One line for each type, at the level of its state; no matter how many polls.
func TestFirstPoll(t *testing.T) {
	run(t, 3, append(slices.Clone(two), "COSTS"), func(w *world) {
		w.FirstPoll("AUTH_LOG", FirstPoll{State: StateOK, Files: 3})
		w.FirstPoll("AUTH_LOG", FirstPoll{State: StateFailed, Err: errPoll})
		w.FirstPoll("CODEX_LOG", FirstPoll{State: StateForbidden, Hint: "grant the scope", Err: errPoll})
		w.FirstPoll("COSTS", FirstPoll{State: StatePartial, Err: errors.New("not advancing")})
		all := w.logs.All()
		require.Len(t, all, 3)
		assert.Equal(t, "info", all[0].Level.String())
		assert.Equal(t, map[string]any{"event_type": "AUTH_LOG", "state": "ok", "files": int64(3)}, all[0].ContextMap())
		assert.Equal(t, "warn", all[1].Level.String())
		assert.Equal(t, "grant the scope", all[1].ContextMap()["hint"])
		assert.Equal(t, "warn", all[2].Level.String())
	})
}

// A key that reads none of several types is worth a line of its own; a type that
// has ended is none of them.
func TestFirstPollOfAKeyThatReadsNothing(t *testing.T) {
	run(t, 3, append(slices.Clone(two), "COSTS"), func(w *world) {
		w.End("COSTS")
		for _, name := range two {
			assert.Empty(t, w.entries("key reads no event type"))
			w.FirstPoll(name, FirstPoll{State: StateForbidden, Err: errPoll})
		}
		assert.Len(t, w.entries("key reads no event type"), 1)
	})
}
