// Copyright The OpenTelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package sim

import (
	"context"
	"errors"
	"math/rand/v2"
	"time"

	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/consumer/consumererror"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/openaicompliance/openaicompliancereceiver/internal/wait"
)

var errBusy = errors.New("sim: busy")

// sink is the next consumer of one receiver. It keeps what it takes with the
// model before it answers, and wipes what it was given.
type sink struct {
	*fate
	life  int
	model func(replay string) *model
	// trouble says what a call meets now; rng is drawn from by its event type, so
	// that streams do not disturb each other.
	trouble func(eventType string) window
	// rejecting says what rejects a batch for what it holds, and not by chance.
	rejecting func(eventType string, batch []delivery) window
	rng       map[string]*rand.Rand
	// policy is what the receiver does with what is refused for good.
	policy string
	// kept is what a log store would have of all receivers.
	kept *evidence
	// until returns how long a block lasts.
	until func(window) time.Duration
}

// Capabilities implements consumer.Logs.
func (*sink) Capabilities() consumer.Capabilities { return consumer.Capabilities{MutatesData: true} }

// ConsumeLogs implements consumer.Logs.
func (s *sink) ConsumeLogs(ctx context.Context, logs plog.Logs) error {
	eventType, batch := read(logs)
	offered := plog.NewLogs()
	logs.CopyTo(offered)
	logs.ResourceLogs().RemoveIf(func(plog.ResourceLogs) bool { return true })
	w := s.trouble(eventType)
	switch w.kind {
	case consumerSlow:
		s.reach(w.kind)
		if err := wait.Sleep(ctx, w.pause); err != nil {
			return err
		}
	case consumerBlocks:
		s.reach(w.kind)
		if err := wait.Sleep(ctx, s.until(w)); err != nil {
			s.reach("call to the consumer canceled")
			return err
		}
	}
	rejecting := s.rejecting(eventType, batch)
	s.mu.Lock()
	defer s.mu.Unlock()
	switch err := s.callLocked(s.life, atConsume); {
	case errors.Is(err, errFailed):
		return errBusy
	case err != nil:
		return err
	}
	if rejecting.kind != "" {
		return s.rejectLocked(rejecting, eventType, batch)
	}
	if (w.kind == consumerRefuses || w.kind == consumerDrops) && s.rng[eventType].Float64() < w.share {
		w.plain = w.kind == consumerRefuses
		return s.rejectLocked(w, eventType, batch)
	}
	_ = s.kept.keep(offered) // it rejects nothing
	if batch[0].eventName != digestEvent {
		s.model(batch[0].replay).accept(s.life, eventType, batch, false)
	}
	if errors.Is(s.callLocked(s.life, atAccepted), errDead) {
		return errDead
	}
	return nil
}

// rejectLocked rejects a batch, for good or for now. A record that is rejected alone,
// for now, is quarantined after some tries.
func (s *sink) rejectLocked(w window, eventType string, batch []delivery) error {
	s.reached[w.kind]++
	m := s.model(batch[0].replay)
	isDigest := batch[0].eventName == digestEvent // never given up, and none of the API's
	if w.plain {
		if len(batch) == 1 && !isDigest && batch[0].gapTo.IsZero() && s.policy == "quarantine" {
			m.refuse(s.life, eventType, batch, s.policy)
		}
		return errBusy
	}
	if !isDigest {
		m.refuse(s.life, eventType, batch, s.policy)
	}
	return consumererror.NewPermanent(errBusy)
}

// read takes a batch apart.
func read(logs plog.Logs) (eventType string, batch []delivery) {
	for _, resource := range logs.ResourceLogs().All() {
		value, _ := resource.Resource().Attributes().Get("openai.compliance.event.type")
		eventType = value.Str()
		for _, scope := range resource.ScopeLogs().All() {
			for _, record := range scope.LogRecords().All() {
				batch = append(batch, readOne(record))
			}
		}
	}
	return eventType, batch
}

func readOne(record plog.LogRecord) delivery {
	d := delivery{eventName: record.EventName(), body: record.Body().AsString()}
	for name, value := range record.Attributes().All() {
		switch name {
		case "log.record.uid":
			d.uid = value.Str()
		case "openai.compliance.file.id":
			d.fileID = value.Str()
		case "openai.compliance.file.line":
			d.line = int(value.Int())
		case "openai.compliance.file.sha256":
			d.sha256 = value.Str()
		case "openai.compliance.gap.from":
			d.gapFrom, _ = time.Parse(time.RFC3339Nano, value.Str())
		case "openai.compliance.gap.to":
			d.gapTo, _ = time.Parse(time.RFC3339Nano, value.Str())
		case "openai.compliance.gap.reason":
			d.gapReason = value.Str()
		case "openai.compliance.replay":
			d.replay = value.Str()
		case "openai.compliance.malformed":
			d.malformed = value.Bool()
		case "openai.compliance.unverified":
			d.isUnverified = value.Bool()
		}
	}
	return d
}
