// Copyright The OpenTelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package status

import (
	"errors"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"go.uber.org/zap/zaptest/observer"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componentstatus"
)

// fakeHost keeps the status events.
type fakeHost struct {
	mu     sync.Mutex // guards what follows
	events []*componentstatus.Event
}

func (*fakeHost) GetExtensions() map[component.ID]component.Component { return nil }

func (h *fakeHost) Report(e *componentstatus.Event) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.events = append(h.events, e)
}

// world is a tracker with what it reports, in a bubble of its own time.
type world struct {
	*Tracker
	t    *testing.T
	host *fakeHost
	logs *observer.ObservedLogs
}

func run(t *testing.T, streams int, types []string, test func(w *world)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		core, logs := observer.New(zapcore.DebugLevel)
		host := &fakeHost{}
		w := &world{t: t, host: host, logs: logs, Tracker: NewTracker(host, zap.New(core), types, streams)}
		defer w.Close()
		test(w)
	})
}

// wait lets time pass, and everything that is due then happen.
func (w *world) wait(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}

// events are those reported so far.
func (w *world) events() []*componentstatus.Event {
	w.host.mu.Lock()
	defer w.host.mu.Unlock()
	return slices.Clone(w.host.events)
}

// last is the latest event; the status is OK before the first.
func (w *world) last() *componentstatus.Event {
	events := w.events()
	if len(events) == 0 {
		return componentstatus.NewEvent(componentstatus.StatusOK)
	}
	return events[len(events)-1]
}

func (w *world) assertOK() {
	w.t.Helper()
	assert.Equal(w.t, componentstatus.StatusOK, w.last().Status(), "%v", w.last().Err())
}

func (w *world) assertDegraded(causes ...error) {
	w.t.Helper()
	require.Equal(w.t, componentstatus.StatusRecoverableError, w.last().Status())
	for _, cause := range causes {
		assert.ErrorIs(w.t, w.last().Err(), cause)
	}
}

// entries returns the log lines with a message.
func (w *world) entries(message string) []map[string]any {
	var found []map[string]any
	for _, e := range w.logs.FilterMessage(message).All() {
		found = append(found, e.ContextMap())
	}
	return found
}

var (
	errHeld    = errors.New("held")
	errStorage = errors.New("disk is full")
	errPoll    = errors.New("list: 401")
)

var two = []string{"AUTH_LOG", "CODEX_LOG"}

// One type's poll trouble is not the component's; that of all is.
func TestPollTroubleOfAllTypesDegrades(t *testing.T) {
	run(t, 3, two, func(w *world) {
		w.Set("AUTH_LOG", KindPoll, ScopeType, Condition{Label: "forbidden", Err: errPoll})
		w.Set("replay/a/AUTH_LOG", KindPoll, ScopeType, Condition{Label: "forbidden", Err: errPoll})
		assert.Empty(t, w.events())
		w.Set("CODEX_LOG", KindPoll, ScopeType, Condition{Label: "forbidden", Err: errPoll})
		w.assertDegraded(errPoll)
		w.Set("CODEX_LOG", KindPoll, ScopeType, Condition{})
		w.assertOK()
		assert.Len(t, w.events(), 2)
	})
}

// Each other kind degrades by itself.
func TestOneConditionDegrades(t *testing.T) {
	for _, kind := range []Kind{KindConsumer, KindStorage, KindQueueFull, KindClock, KindHost, KindGapSuspected} {
		run(t, 2, two, func(w *world) {
			w.Set("AUTH_LOG", kind, ScopeType, Condition{Label: "held", Err: errHeld})
			w.assertDegraded(errHeld)
			w.Set("AUTH_LOG", kind, ScopeType, Condition{})
			w.assertOK()
		})
	}
}

// All causes are in the status, and one that ends leaves the others there. A type
// that cannot poll since its storage fails counts as one in trouble.
func TestCausesDoNotHideEachOther(t *testing.T) {
	run(t, 2, two, func(w *world) {
		w.Set("AUTH_LOG", KindConsumer, ScopeType, Condition{Label: "held", Err: errHeld})
		w.Set("AUTH_LOG", KindStorage, ScopeType, Condition{Label: "storage", Err: errStorage})
		w.Set("CODEX_LOG", KindPoll, ScopeKey, Condition{Label: "unauthorized", Err: errPoll, Hint: "check the key"})
		w.assertDegraded(errHeld, errStorage, errPoll)
		require.ErrorContains(t, w.last().Err(), "check the key")
		w.Set("AUTH_LOG", KindConsumer, ScopeType, Condition{})
		w.assertDegraded(errStorage, errPoll)
		require.NotErrorIs(t, w.last().Err(), errHeld)
		w.Set("AUTH_LOG", KindStorage, ScopeType, Condition{})
		w.assertOK()
	})
}

// A status is reported when the set of causes changes: not for a new text, and
// once for what concerns the whole receiver.
func TestStatusIsReportedOnChange(t *testing.T) {
	run(t, 2, two, func(w *world) {
		w.Set("AUTH_LOG", KindHost, ScopeKey, Condition{Label: "unauthorized", Err: errPoll})
		w.Set("AUTH_LOG", KindHost, ScopeKey, Condition{Label: "unauthorized", Err: errors.New("another request id")})
		w.Set("CODEX_LOG", KindHost, ScopeKey, Condition{Label: "unauthorized", Err: errPoll})
		w.Set("AUTH_LOG", KindPoll, ScopeType, Condition{})
		assert.Len(t, w.events(), 1)
		assert.NotContains(t, w.last().Err().Error(), "AUTH_LOG")
		w.Set("AUTH_LOG", KindHost, ScopeKey, Condition{})
		assert.Len(t, w.events(), 1, "the other stream still has it")
		w.Set("CODEX_LOG", KindHost, ScopeKey, Condition{})
		w.assertOK()
		assert.Len(t, w.events(), 2)
	})
}

// A condition that comes and goes is shown until it was good for ten minutes.
func TestFlappingIsDamped(t *testing.T) {
	run(t, 2, two, func(w *world) {
		for range 20 {
			w.Set("AUTH_LOG", KindConsumer, ScopeType, Condition{Label: "held", Err: errHeld})
			w.wait(time.Second)
			w.Set("AUTH_LOG", KindConsumer, ScopeType, Condition{})
			w.wait(time.Second)
		}
		w.assertDegraded(errHeld)
		assert.Len(t, w.events(), 3)

		w.Set("CODEX_LOG", KindStorage, ScopeType, Condition{Label: "storage", Err: errStorage})
		w.assertDegraded(errHeld, errStorage)
		w.Set("CODEX_LOG", KindStorage, ScopeType, Condition{})
		w.assertDegraded(errHeld)

		w.wait(9 * time.Minute)
		w.assertDegraded(errHeld)
		w.wait(time.Minute)
		w.assertOK()
		assert.Len(t, w.events(), 6)

		w.Set("AUTH_LOG", KindConsumer, ScopeType, Condition{Label: "held", Err: errHeld})
		w.wait(time.Second)
		w.Set("AUTH_LOG", KindConsumer, ScopeType, Condition{})
		w.assertOK()
	})
}

// A slow alternation is no flapping.
func TestSlowChangesAreReported(t *testing.T) {
	run(t, 2, two, func(w *world) {
		for range 5 {
			w.Set("AUTH_LOG", KindConsumer, ScopeType, Condition{Label: "held", Err: errHeld})
			w.wait(6 * time.Minute)
			w.Set("AUTH_LOG", KindConsumer, ScopeType, Condition{})
			w.assertOK()
			w.wait(6 * time.Minute)
		}
		assert.Len(t, w.events(), 10)
	})
}

// A type that has ended counts for nothing: the trouble of the only other one is
// that of all.
func TestEndedTypesDoNotCount(t *testing.T) {
	run(t, 2, two, func(w *world) {
		w.Set("AUTH_LOG", KindStorage, ScopeType, Condition{Label: "storage", Err: errStorage})
		w.Set("CODEX_LOG", KindPoll, ScopeKey, Condition{Label: "unauthorized", Err: errPoll})
		w.End("AUTH_LOG")
		w.assertDegraded(errPoll)
		require.NotErrorIs(t, w.last().Err(), errStorage)
		w.Set("AUTH_LOG", KindStorage, ScopeType, Condition{Label: "storage", Err: errStorage})
		require.NotErrorIs(t, w.last().Err(), errStorage)
	})
}

// With every type ended, the trouble of all replays that are left is the component's.
func TestReplaysCountWhenTypesHaveEnded(t *testing.T) {
	run(t, 4, two, func(w *world) {
		w.End("AUTH_LOG")
		w.End("CODEX_LOG")
		w.Set("replay/a", KindPoll, ScopeType, Condition{Label: "failed", Err: errPoll})
		w.assertOK()
		w.Set("replay/b", KindPoll, ScopeType, Condition{Label: "failed", Err: errPoll})
		w.assertDegraded(errPoll)
	})
}

// When all streams have ended the status says so, once, and so does the log.
func TestAllEnded(t *testing.T) {
	run(t, 2, two, func(w *world) {
		w.Set("AUTH_LOG", KindConsumer, ScopeType, Condition{Label: "held", Err: errHeld})
		w.RequestFailed("AUTH_LOG", ScopeNetwork, Condition{Label: "no_answer", Err: errPoll})
		w.End("CODEX_LOG")
		w.assertDegraded(errHeld)
		w.End("AUTH_LOG")
		w.End("AUTH_LOG")
		w.assertOK()
		ended, ok := w.last().Attributes().Get(EndedAttribute)
		require.True(t, ok)
		assert.True(t, ended.Bool())
		events := len(w.events())
		w.Set("", KindClock, ScopeNetwork, Condition{Label: "clock", Err: errPoll})
		w.wait(time.Hour)
		assert.Len(t, w.events(), events)
		assert.Equal(t, 1, w.logs.Len())
	})
}

// A standby collects nothing and is healthy; the next term begins anew.
func TestReset(t *testing.T) {
	run(t, 2, two, func(w *world) {
		w.Set("AUTH_LOG", KindStorage, ScopeType, Condition{Label: "storage", Err: errStorage})
		w.RequestFailed("CODEX_LOG", ScopeNetwork, Condition{Label: "no_answer", Err: errPoll})
		w.End("CODEX_LOG")
		w.Reset()
		w.assertOK()
		w.wait(time.Hour)
		assert.Zero(t, w.logs.Len())
		w.Set("CODEX_LOG", KindStorage, ScopeType, Condition{Label: "storage", Err: errStorage})
		w.assertDegraded(errStorage)
	})
}

// After Close nothing is reported any more.
func TestClose(t *testing.T) {
	run(t, 2, two, func(w *world) {
		w.RequestFailed("AUTH_LOG", ScopeNetwork, Condition{Label: "no_answer", Err: errPoll})
		w.Close()
		w.Set("AUTH_LOG", KindStorage, ScopeType, Condition{Label: "storage", Err: errStorage})
		w.End("AUTH_LOG")
		w.Reset()
		w.FirstPoll("AUTH_LOG", FirstPoll{State: StateOK})
		w.wait(time.Hour)
		assert.Empty(t, w.events())
		assert.Zero(t, w.logs.Len())
	})
}

// All methods may be called at once.
func TestConcurrentUse(t *testing.T) {
	run(t, 3, two, func(w *world) {
		var wg sync.WaitGroup
		for _, name := range append(slices.Clone(two), "replay") {
			wg.Go(func() {
				for i := range 200 {
					w.RequestSent(name)
					w.RequestFailed(name, ScopeNetwork, Condition{Label: "no_answer", Err: errPoll})
					w.NextTry(name, time.Now())
					w.Set(name, KindConsumer, ScopeType, Condition{Label: "held", Err: errHeld})
					time.Sleep(time.Duration(i) * time.Second)
					w.RequestSucceeded(name)
					w.Set(name, KindConsumer, ScopeType, Condition{})
					w.FirstPoll(name, FirstPoll{State: StateOK})
				}
				w.End(name)
			})
		}
		wg.Wait()
		w.assertOK()
		_, ended := w.last().Attributes().Get(EndedAttribute)
		assert.True(t, ended)
	})
}
