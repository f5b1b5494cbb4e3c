// Copyright The OpenTelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package sim

import (
	"maps"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/openaicompliance/openaicompliancereceiver/internal/checkpoint"
)

// commit is a write of a stream's mark: what the storage held behind it, and the
// lines whose delivery it stored.
type commit struct {
	values map[string][]byte
	lines  []*line
}

// powerLoss makes the disk forget its last commits at one of them, as a storage
// does that answers before its writes are safe, and kills the receiver with it.
type powerLoss struct {
	*world
	commits []commit
	at      int // the commit that it happens at, counted from 1; 0 is never
	forget  int
	lost    int // commits that were forgotten
	created int // commits after which every stream has its first run
}

func newPowerLoss(at, forget int) *powerLoss {
	plan := smallPlan()
	plan.cfg.PollInterval, plan.cfg.Batch.MaxRecords = 4*time.Minute, 1 // for more commits
	p := &powerLoss{world: newWorld(plan), at: at, forget: forget}
	p.disk.stored = p.stored
	return p
}

// stored is called for every commit, with the lock of the world held.
func (p *powerLoss) stored(_, eventType string) {
	lines := slices.Clone(p.model.uncommitted[eventType])
	p.model.stored(eventType)
	p.commits = append(p.commits, commit{maps.Clone(p.disk.values), lines})
	if p.created == 0 && p.allCreated() {
		p.created = len(p.commits)
	}
	if len(p.commits) == p.at {
		p.strike()
	}
}

// allCreated reports whether every stream has a term.
func (p *powerLoss) allCreated() bool {
	for _, eventType := range p.plan.types {
		if p.disk.values[checkpoint.Key(p.plan.cfg.WorkspaceID, eventType)+"/term"] == nil {
			return false
		}
	}
	return true
}

func (p *powerLoss) strike() {
	left := max(len(p.commits)-p.forget, p.created) // the first runs stay, or they are others
	p.lost = len(p.commits) - left
	for _, forgotten := range p.commits[left:] {
		for _, l := range forgotten.lines {
			l.again = true
		}
	}
	clear(p.disk.values)
	maps.Copy(p.disk.values, p.commits[left-1].values)
	p.at = 0
	p.killLocked()
}

// runUntil is sleepUntil for a world whose positions may go back.
func (p *powerLoss) runUntil(at time.Duration) {
	select {
	case <-time.After(at - p.since()):
	case <-p.died:
		p.died <- struct{}{}
		clear(p.cursors)
		p.afterCrash()
		p.sleepUntil(at)
	}
}

// losePower runs the small world and returns it when it has ended.
func losePower(t *testing.T, at, forget int) (p *powerLoss) {
	t.Helper()
	synctest.Test(t, func(*testing.T) {
		p = newPowerLoss(at, forget)
		p.start()
		p.runUntil(40 * time.Minute)
		p.restart()
		p.runUntil(2 * time.Hour)
		p.end()
		synctest.Wait()
	})
	return p
}

// A power loss that takes up to 50 commits with it brings their batches again and
// nothing else, and loses no record, whenever it happens.
func TestPowerLoss(t *testing.T) {
	t.Parallel()
	all := len(losePower(t, 0, 0).commits)
	runs, forgotten, again, step := 0, 0, 0, 1
	if *days <= defaultDays { // make prove runs them all
		step = 5
	}
	for _, forget := range []int{1, 2, 3, 5, 8, 13, 21, 34, 50} {
		require.Greater(t, all, forget+2)
		for at := 3; at <= all; at += step {
			p := losePower(t, at, forget)
			runs++
			forgotten += p.lost
			again += p.all()["record repeated after a crash"]
			if len(p.model.violations) > 0 {
				t.Errorf("power lost at commit %d of %d with the last %d:\n%s\n%s", at, all, forget,
					strings.Join(p.model.violations, "\n"), strings.Join(p.log, "\n"))
			}
		}
	}
	require.Positive(t, again)
	t.Logf("%d power losses, %d commits forgotten, %d records again, none lost", runs, forgotten, again)
}
