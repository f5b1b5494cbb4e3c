// Copyright The OpenTelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package limit

import (
	"fmt"
	"sync"
	"time"
)

// maxHosts bounds the hosts that a Hosts remembers: signed URLs name them.
const maxHosts = 1000

// PausedError says that a host asked for a pause that has not ended.
type PausedError struct {
	Host string
	For  time.Duration // from now on
}

// Error implements error.
func (e *PausedError) Error() string {
	return fmt.Sprintf("fetch from host %q: it asked for a pause of another %s", e.Host, e.For.Round(time.Second))
}

// Hosts remembers the pauses that storage hosts asked for, each for itself.
type Hosts struct {
	mu    sync.Mutex // guards until
	until map[string]time.Time
}

// NewHosts returns a Hosts without pauses.
func NewHosts() *Hosts { return &Hosts{until: map[string]time.Time{}} }

// Pause makes Check fail for a host, for at least d from now. Beyond 1,000 hosts
// the pause that ends first is forgotten.
func (h *Hosts) Pause(host string, d time.Duration) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if until := time.Now().Add(d); d > 0 && until.After(h.until[host]) {
		h.until[host] = until
	}
	if len(h.until) > maxHosts {
		h.forgetFirstLocked()
	}
}

// forgetFirstLocked forgets the pause that ends, or ended, first.
func (h *Hosts) forgetFirstLocked() {
	var first string
	var firstUntil time.Time
	for host, until := range h.until {
		if firstUntil.IsZero() || until.Before(firstUntil) {
			first, firstUntil = host, until
		}
	}
	delete(h.until, first)
}

// Check returns a *PausedError while the host is paused.
func (h *Hosts) Check(host string) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	until, ok := h.until[host]
	if !ok {
		return nil
	}
	if left := time.Until(until); left > 0 {
		return &PausedError{Host: host, For: left}
	}
	delete(h.until, host)
	return nil
}
