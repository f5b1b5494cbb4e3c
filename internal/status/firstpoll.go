// Copyright The OpenTelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package status

import (
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
)

// State is how the first poll of an event type went.
type State string

// The states. The first three are no fault.
const (
	StateOK           State = "ok"      // files are delivered
	StateNoData       State = "no_data" // nothing is listed: the type is unused or not enabled
	StatePartial      State = "partial" // the poll ended before the listing did
	StateUnauthorized State = "unauthorized"
	StateForbidden    State = "forbidden"
	StateNotFound     State = "not_found"
	StateFailed       State = "failed"
)

// FirstPoll is the result of an event type's first poll. Files counts those
// delivered.
type FirstPoll struct {
	State State
	Files int
	// Newest is when the newest record is from that the API holds, zero for none; nil
	// when that is not known.
	Newest *time.Time
	Hint   string
	Err    error
}

func (p FirstPoll) level() zapcore.Level {
	switch p.State {
	case StateOK, StateNoData, StatePartial:
		if p.Err == nil {
			return zapcore.InfoLevel
		}
	}
	return zapcore.WarnLevel
}

func (p FirstPoll) fields(eventType string) []zap.Field {
	fields := []zap.Field{zap.String("event_type", eventType), zap.String("state", string(p.State)), zap.Int("files", p.Files)}
	switch {
	case p.Newest == nil:
	case p.Newest.IsZero():
		fields = append(fields, zap.String("newest_record", "none"))
	default:
		fields = append(fields, zap.Time("newest_record", *p.Newest))
	}
	if p.Err != nil {
		fields = append(fields, zap.Error(p.Err))
	}
	if p.Hint != "" {
		fields = append(fields, zap.String("hint", p.Hint))
	}
	return fields
}

// firstPolls are the states of the types that have reported.
type firstPolls map[string]State

// nothingReadable is the hint when the key may read no event type at all.
const nothingReadable = "check that the key was made in this workspace or organization, and its IP allow-list"

// FirstPoll takes the result of a poll of an event type. The first one of each
// type is logged, as one line; later ones are ignored.
func (t *Tracker) FirstPoll(eventType string, r FirstPoll) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if _, ok := t.polls[eventType]; ok || t.closed {
		return
	}
	t.polls[eventType] = r.State
	t.logger.Log(r.level(), "first poll ended", r.fields(eventType)...)
	if r.State == StateForbidden && t.nothingReadableLocked() {
		t.logger.Warn("key reads no event type", zap.Strings("event_types", t.types), zap.String("hint", nothingReadable))
	}
}

// nothingReadableLocked reports whether several types have reported, all of them,
// and all as forbidden. Ended types do not count.
func (t *Tracker) nothingReadableLocked() bool {
	forbidden := 0
	for _, eventType := range t.types {
		if t.ended[eventType] {
			continue
		}
		if t.polls[eventType] != StateForbidden {
			return false
		}
		forbidden++
	}
	return forbidden > 1
}
