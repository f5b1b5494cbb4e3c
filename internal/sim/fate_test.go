// Copyright The OpenTelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package sim

import (
	"errors"
	"maps"
	"sync"
)

// Points at which a receiver touches the world. A crash can be set to happen at
// any of them, and the sweep makes calls fail there.
const (
	atOpen     = "storage open"
	atGet      = "storage get"
	atSet      = "storage set"
	atStored   = "storage set, written"
	atDelete   = "storage delete"
	atClose    = "storage close"
	atConsume  = "consume"
	atAccepted = "consume, accepted"
	atRequest  = "http request"
	anyStorage = "storage call"
)

var (
	errDead   = errors.New("sim: this receiver was killed")
	errFailed = errors.New("sim: this call was told to fail")
)

// fate knows which receiver is alive and what is to become of calls. Its lock
// guards the whole state of a world, so that a crash falls between two events.
type fate struct {
	mu    sync.Mutex
	alive int            // the number of the receiver that lives, 0 for none
	lives int            // how many have been started
	calls map[string]int // so far, by point
	crash map[string]int // kill at this call of a point
	died  chan struct{}  // receives when crash has struck
	// fails decides whether a call is to fail, nil for never.
	fails func(point string, call int) bool
	// reached counts the states of interest.
	reached map[string]int
}

func newFate() *fate {
	return &fate{
		calls: map[string]int{}, crash: map[string]int{}, reached: map[string]int{},
		died: make(chan struct{}, 1),
	}
}

// born makes a new receiver the living one.
func (f *fate) born() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.lives++
	f.alive = f.lives
	return f.alive
}

// buried ends the living receiver without a crash.
func (f *fate) buried() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.alive = 0
}

// arm kills the receiver at the n-th call of a point from now, n > 0.
func (f *fate) arm(point string, n int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.crash[point] = f.calls[point] + n
}

// callLocked counts a call and says what becomes of it: nil, errDead, errFailed.
func (f *fate) callLocked(life int, point string) error {
	if life != f.alive {
		return errDead
	}
	f.calls[point]++
	if f.crash[point] > 0 && f.calls[point] >= f.crash[point] {
		f.killLocked()
		f.reached["crash at "+point]++
		return errDead
	}
	if f.fails != nil && f.fails(point, f.calls[point]) {
		return errFailed
	}
	return nil
}

// killLocked is a crash: from here on the receiver changes nothing.
func (f *fate) killLocked() {
	f.alive = 0
	clear(f.crash)
	select {
	case f.died <- struct{}{}:
	default:
	}
}

func (f *fate) reach(what string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.reached[what]++
}

func (f *fate) all() map[string]int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return maps.Clone(f.reached)
}
