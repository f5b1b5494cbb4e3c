// Copyright The OpenTelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package collect

import (
	"sync"

	"github.com/openaicompliance/openaicompliancereceiver/internal/checkpoint"
)

const (
	// contactFiles is how many files may differ from their listed digests, while no
	// file ever had its own, before it is the meaning of the digest that is unknown.
	contactFiles = 8
	// contactTries is how often a hold for that fetches one file.
	contactTries = 3
)

// Contact is whether any file of a receiver ever had its listed digest. It is safe
// for concurrent use.
//
// Digests that no file has are one fault of the receiver and not one of each file:
// all streams hold until a file matches.
type Contact struct {
	mu      sync.Mutex // guards what follows
	matched bool
	files   map[string]bool // of the listed size with another digest
	tries   map[string]int  // of the hold, by file id
	held    *fileHold
	onEnd   []func()
}

// NewContact returns a Contact that has seen no file.
func NewContact() *Contact { return &Contact{files: map[string]bool{}, tries: map[string]int{}} }

// join adds a stream with what it has stored. onEnd is called when a hold ends.
func (c *Contact) join(state *checkpoint.Stream, onEnd func()) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.onEnd = append(c.onEnd, onEnd)
	c.matched = c.matched || state.HasCompletedFiles()
	for _, entry := range state.Queue() {
		if entry.Cause == labelDigest {
			c.files[entry.File.ID] = true
		}
	}
}

// match takes note of a file with its listed digest. It returns true when that ends a
// hold.
func (c *Contact) match() (ended bool) {
	c.mu.Lock()
	ended, c.matched, c.held = c.held != nil, true, nil
	onEnd := c.onEnd
	c.mu.Unlock()
	if ended {
		for _, call := range onEnd {
			call()
		}
	}
	return ended
}

// mismatch takes note of a file of the listed size with another digest. It returns true when the hold begins with it.
func (c *Contact) mismatch(fileID string, fault Fault) (begins bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.matched || c.held != nil {
		return false
	}
	if c.files[fileID] = true; len(c.files) < contactFiles {
		return false
	}
	c.held = &fileHold{fault: fault, holds: c.holds, mayTry: c.mayTry}
	return true
}

// hold returns what all streams hold for; ok is false when they do not.
func (c *Contact) hold() (hold fileHold, ok bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.held == nil {
		return fileHold{}, false
	}
	return *c.held, true
}

func (c *Contact) holds() bool {
	_, ok := c.hold()
	return ok
}

// mayTry counts a fetch of a file by the hold, and reports whether it may take place.
func (c *Contact) mayTry(fileID string) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.tries[fileID] >= contactTries {
		return false
	}
	c.tries[fileID]++
	return true
}
