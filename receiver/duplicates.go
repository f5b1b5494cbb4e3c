// Copyright The OpenTelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package receiver

import (
	"slices"
	"strings"
	"sync"

	"go.opentelemetry.io/collector/component"
)

// receivers are those of this process, for the warning about two of them
// that collect the same.
var receivers registry

// registry holds one registration for each running receiver.
type registry struct {
	mu      sync.Mutex
	members []*registration
}

// registration is one receiver from its Start to its Shutdown.
type registration struct {
	id         component.ID
	principal  string
	eventTypes []string
}

// overlap is another receiver of the same principal, and the event types that both
// collect, in order.
type overlap struct {
	other      component.ID
	eventTypes []string
}

// add registers a receiver. It returns the overlaps with those that run already,
// ordered by their ids.
func (r *registry) add(member *registration) (overlaps []overlap) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, other := range r.members {
		if other.principal != member.principal {
			continue
		}
		var both []string
		for _, t := range member.eventTypes {
			if slices.Contains(other.eventTypes, t) {
				both = append(both, t)
			}
		}
		if len(both) > 0 {
			slices.Sort(both)
			overlaps = append(overlaps, overlap{other.id, both})
		}
	}
	r.members = append(r.members, member)
	slices.SortFunc(overlaps, func(a, b overlap) int { return strings.Compare(a.other.String(), b.other.String()) })
	return overlaps
}

// remove ends a registration. Further calls do nothing.
func (r *registry) remove(member *registration) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.members = slices.DeleteFunc(r.members, func(m *registration) bool { return m == member })
}
