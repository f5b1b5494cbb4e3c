// Copyright The OpenTelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package receiver

import (
	"errors"
	"fmt"
	"sync"

	"go.uber.org/zap"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componentstatus"
	"go.opentelemetry.io/collector/pdata/pcommon"

	"github.com/openaicompliance/openaicompliancereceiver/internal/deliver"
)

// heldAfter is how many refusals in a row make a batch count as held.
const heldAfter = 3

// health turns what the streams go through into the component's status, and
// reports it on change only. One type's trouble alone is not the component's:
// it is degraded when all types fail, when delivery is held or when the position
// cannot be stored.
type health struct {
	host   component.Host
	logger *zap.Logger

	types, all int // of the streams that collect, and of replays too

	mu       sync.Mutex // guards everything below
	streams  map[string]*condition
	degraded bool
	done     map[string]bool // streams that have reached their upper bound
}

// condition of one stream; nil errors are good.
type condition struct{ pass, held, storage error }

// newHealth watches the streams of the event types; those of replays are added
// when they first tell something.
func newHealth(host component.Host, logger *zap.Logger, eventTypes []string, all int) *health {
	h := &health{host: host, logger: logger, types: len(eventTypes), all: all, streams: map[string]*condition{}, done: map[string]bool{}}
	for _, t := range eventTypes {
		h.streams[t] = &condition{}
	}
	return h
}

func (h *health) passEnded(eventType string, err error) {
	h.update(eventType, func(c *condition) { c.pass = err })
}

// endedAttribute is set in the status once every event type has reached until.
const endedAttribute = "openai.compliance.ended"

// ended says that a stream has reached its upper bound. With the last one the status
// tells that nothing more will come.
func (h *health) ended(eventType string) {
	h.update(eventType, func(c *condition) { *c = condition{} })
	h.mu.Lock()
	defer h.mu.Unlock()
	h.done[eventType] = true
	if len(h.done) < h.all {
		return
	}
	attrs := pcommon.NewMap()
	attrs.PutBool(endedAttribute, true)
	componentstatus.ReportStatus(h.host, componentstatus.NewEvent(componentstatus.StatusOK, componentstatus.WithAttributes(attrs)))
	h.logger.Info("Every event type is collected up to until. The receiver has nothing left to do; the collector may be stopped.")
}

func (h *health) stored(eventType string, err error) {
	h.update(eventType, func(c *condition) { c.storage = err })
}

func (h *health) accepted(eventType string) {
	h.update(eventType, func(c *condition) { c.held = nil })
}

func (h *health) refused(eventType string, r deliver.Refusal) {
	if r.Outcome == deliver.Open && (r.Attempt >= heldAfter || r.Wait == 0) {
		h.update(eventType, func(c *condition) { c.held = errors.New("the next consumer refuses the records") })
	}
}

func (h *health) update(eventType string, change func(*condition)) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.streams[eventType] == nil {
		h.streams[eventType] = &condition{}
	}
	change(h.streams[eventType])
	err := h.verdictLocked()
	if degraded := err != nil; degraded != h.degraded {
		h.degraded = degraded
		if degraded {
			componentstatus.ReportStatus(h.host, componentstatus.NewRecoverableErrorEvent(err))
		} else {
			componentstatus.ReportStatus(h.host, componentstatus.NewEvent(componentstatus.StatusOK))
		}
	}
}

func (h *health) verdictLocked() error {
	failing := 0
	var last error
	for eventType, c := range h.streams {
		switch {
		case c.storage != nil:
			return fmt.Errorf("%s: %w", eventType, c.storage)
		case c.held != nil:
			return fmt.Errorf("%s: %w", eventType, c.held)
		case c.pass != nil:
			failing++
			last = fmt.Errorf("%s: %w", eventType, c.pass)
		}
	}
	if failing == h.types {
		return last
	}
	return nil
}
