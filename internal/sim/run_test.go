// Copyright The OpenTelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package sim

import (
	"testing"
	"testing/synctest"
	"time"
)

// sleepUntil lets the world run, and looks after crashes.
func (w *world) sleepUntil(at time.Duration) {
	timer := time.NewTimer(at - w.since())
	defer timer.Stop()
	for {
		select {
		case <-timer.C:
			return
		case <-w.died:
			w.died <- struct{}{}
			w.afterCrash()
		}
	}
}

// runDay lets everything happen that the plan holds.
func (w *world) runDay() {
	w.start()
	for _, h := range w.plan.events {
		w.sleepUntil(h.at)
		w.note(h.name)
		h.do(w)
	}
	w.sleepUntil(w.plan.length())
}

func (w *world) note(name string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.log = append(w.log, time.Now().UTC().Format("02 15:04:05.000")+" --- "+name)
}

// settle ends all trouble and waits until everything has come: within hours what
// was visible in time, within a day what a deep listing has to find.
func (w *world) settle(again bool) {
	w.mu.Lock()
	w.calm = true
	clear(w.crash)
	w.mu.Unlock()
	w.api.ClearScript()
	w.net.setDown(false)
	w.sleepUntil(w.since())
	if w.plan.patience() || again {
		w.restart()
	}
	for began := w.since(); ; w.sleepUntil(w.since() + 10*time.Minute) {
		w.mu.Lock()
		all, overdue := w.waiting()
		w.mu.Unlock()
		spent := w.since() - began
		if all == 0 || (overdue > 0 && spent > soon) || spent > day+soon {
			break
		}
		if spent > soon {
			w.reach("file that only the daily deep listing found")
		}
	}
	w.sleepUntil(w.since() + 2*time.Hour)
}

// waiting is that of all models.
func (w *world) waiting() (all, overdue int) {
	for _, m := range w.models() {
		n, late := m.waiting(w.plan.cfg.Overlap)
		all, overdue = all+n, overdue+late
	}
	return all, overdue
}

// sleep turns the receiver off for longer than the API keeps files, and on again:
// what is gone must be told, once, and what is left must come.
func (w *world) sleep() {
	w.stop()
	time.Sleep(asleep)
	w.start()
	w.reach("off for longer than files live")
	w.sleepUntil(w.since() + soon)
	for began := w.since(); w.since() < began+day; w.sleepUntil(w.since() + soon) {
		w.mu.Lock()
		all, _ := w.waiting()
		w.mu.Unlock()
		if all == 0 {
			break
		}
	}
	w.mu.Lock()
	told := len(w.model.gaps)
	w.mu.Unlock()
	w.restart()
	w.sleepUntil(w.since() + time.Hour)
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.model.gaps) != told {
		w.model.violate(nil, "a gap was told again: %v", w.model.gaps)
	}
}

// end stops everything and gives the verdict.
func (w *world) end() {
	w.stop()
	w.inspect(w.plan.cfg)
	w.inspectSuspected()
	w.checkRequests()
	w.mu.Lock()
	for name, m := range w.models() {
		m.final()
		m.tally(w.reached)
		w.sums.add(m.sum())
		if name != "" {
			w.model.take(name, m)
		}
	}
	w.checkDigests()
	w.sums.crashes = w.reached["crash"]
	if len(w.disk.open) > 0 {
		w.model.violate(nil, "%d storage clients were left open", len(w.disk.open))
	}
	w.mu.Unlock()
	w.closed()
	w.net.close()
}

// simulate runs the world of a seed and returns it when it has ended.
func simulate(t *testing.T, seed uint64) (w *world) {
	t.Helper()
	synctest.Test(t, func(*testing.T) {
		p := draw(seed)
		w = newWorld(p)
		w.runDay()
		w.settle(p.chance(0.5))
		if p.sleeps {
			w.sleep()
		}
		w.end()
		synctest.Wait()
	})
	return w
}
