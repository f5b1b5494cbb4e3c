// Copyright The OpenTelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package collect

import (
	"maps"
	"sync"

	"github.com/openaicompliance/openaicompliancereceiver/internal/deliver"
)

// claims say which worker is at a file that several may come to: a quarantined one,
// which the retry queue and the segments that hold try, and one with an implausible
// time, which does not say what segment it is of. Two at once would deliver it twice.
// Workers are told apart by their turn. It is safe for concurrent use.
type claims struct {
	mu sync.Mutex
	by map[string]deliver.Turn // by file id
}

func newClaims() *claims { return &claims{by: map[string]deliver.Turn{}} }

// take gives a file to a worker, and reports whether it has it: no other one has.
func (c *claims) take(fileID string, by deliver.Turn) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if other, taken := c.by[fileID]; taken {
		return other == by
	}
	c.by[fileID] = by
	return true
}

// release ends the caller's claim to a file.
func (c *claims) release(fileID string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.by, fileID)
}

// releaseAll ends all claims of a worker.
func (c *claims) releaseAll(by deliver.Turn) {
	c.mu.Lock()
	defer c.mu.Unlock()
	maps.DeleteFunc(c.by, func(_ string, other deliver.Turn) bool { return other == by })
}
