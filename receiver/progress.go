// Copyright The OpenTelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package receiver

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"go.uber.org/zap"

	"github.com/openaicompliance/openaicompliancereceiver/internal/checkpoint"
)

// order is one stream that the configuration asks for.
type order struct {
	eventType string
	replay    string // its name, empty for collection
	key       string
	begin     checkpoint.Beginning
	// fault is set where it cannot begin, which matters at its first run only.
	fault error
	// progress is nil where the stored state cannot be used.
	progress *checkpoint.Stream
}

// name of the stream among those of the receiver.
func (o *order) name() string {
	if o.replay == "" {
		return o.eventType
	}
	return "replay " + o.replay + " of " + o.eventType
}

// fields name the stream in logs.
func (o *order) fields(more ...zap.Field) []zap.Field {
	fields := []zap.Field{zap.String("event_type", o.eventType), zap.String("key", o.key)}
	if o.replay != "" {
		fields = append(fields, zap.String("replay", o.replay))
	}
	return append(fields, more...)
}

// orders of the configuration, begun at now: each event type, and each type of each
// replay.
func (c *Config) orders(now time.Time) ([]*order, error) {
	begin, err := c.beginning(now)
	if err != nil && !isBounds(err) {
		return nil, err
	}
	var orders []*order
	for _, eventType := range c.EventTypes {
		orders = append(orders, &order{eventType: eventType, key: checkpoint.Key(c.principal().ID, eventType), begin: begin, fault: err})
	}
	for _, replay := range c.Replay {
		begin, err := replay.beginning(now)
		if err != nil {
			err = fmt.Errorf("replay %q: %w", replay.Name, err)
		}
		if err != nil && !isBounds(err) {
			return nil, err
		}
		for _, eventType := range replay.eventTypes(c) {
			orders = append(orders, &order{
				eventType: eventType, replay: replay.Name, begin: begin, fault: err,
				key: checkpoint.ReplayKey(replay.Name, c.principal().ID, eventType),
			})
		}
	}
	return orders, nil
}

// beginning of a first run at now. A boundsError comes with it. What lies further back than liveReach is history.
func (c *Config) beginning(now time.Time) (checkpoint.Beginning, error) {
	floor, err := resolveStartFrom(c.StartFrom, now)
	if err != nil {
		return checkpoint.Beginning{}, fmt.Errorf("start_from: %w", err)
	}
	until, err := resolveUntil(c.Until, floor, now)
	if err != nil {
		err = fmt.Errorf("until: %w", err)
	}
	return checkpoint.Beginning{
		Floor: floor, StartFrom: c.StartFrom, Until: until, UntilText: c.Until, Boundary: now.Add(-liveReach),
	}, err
}

func isBounds(err error) bool {
	_, ok := errors.AsType[boundsError](err)
	return ok
}

// loadProgress reads the state of every stream and stores the beginning of those
// that have none, before any request is made. A stream whose state is damaged does
// not run; the others do.
func (r *logsReceiver) loadProgress(ctx context.Context) error {
	settings := r.progressSettings(len(r.orders))
	var missing []*order
	for _, o := range r.orders {
		var err error
		o.progress, err = checkpoint.Load(ctx, r.storage, o.key, settings)
		switch {
		case errors.Is(err, checkpoint.ErrDamaged):
			r.set.Logger.Error("This event type is not collected: its stored state cannot be used. Restore the storage from a backup (or the version that wrote it), or delete this key to begin again at start_from. The other event types are not affected.",
				o.fields(zap.Error(err))...)
		case err != nil:
			return err
		case o.progress == nil:
			missing = append(missing, o)
		default:
			r.warnOfChange(o)
		}
	}
	if err := r.refuseMissing(missing); err != nil {
		return err
	}
	return r.beginMissing(ctx, missing, settings)
}

// progressSettings are the same for every stream; each gets its share of the
// events to remember.
func (r *logsReceiver) progressSettings(streams int) checkpoint.Settings {
	return checkpoint.Settings{
		Overlap: r.cfg.Overlap, Window: r.cfg.Deduplication.Window,
		MaxEvents: max(1, r.cfg.Deduplication.MaxEvents/streams),
	}
}

// refuseMissing is for on_missing_state: fail. A replay begins without state.
func (r *logsReceiver) refuseMissing(missing []*order) error {
	var keys []string
	for _, o := range missing {
		if o.replay == "" {
			keys = append(keys, o.key)
		}
	}
	if len(keys) == 0 || r.cfg.OnMissingState != missingStateFail {
		return nil
	}
	return fmt.Errorf("on_missing_state is fail and the storage has no state under %s; restore it, or set on_missing_state: start for a first run", strings.Join(keys, ", "))
}

// beginMissing stores where each stream begins that has no state.
func (r *logsReceiver) beginMissing(ctx context.Context, missing []*order, settings checkpoint.Settings) error {
	for _, o := range missing {
		if o.fault != nil {
			return o.fault
		}
		if o.replay == "" {
			r.set.Logger.Warn("First run: the storage holds no state of this event type.", o.fields(zap.Time("start_from", o.begin.Floor))...)
		} else {
			r.set.Logger.Info("The replay begins.", o.fields(zap.Time("from", o.begin.Floor), zap.Time("to", o.begin.Until))...)
		}
		var err error
		if o.progress, err = checkpoint.Create(ctx, r.storage, o.key, o.begin, settings); err != nil {
			return err
		}
	}
	return nil
}

// warnOfChange tells of bounds that were changed after the first run, when they
// were fixed.
func (r *logsReceiver) warnOfChange(o *order) {
	floor, from := o.progress.Floor()
	until, to := o.progress.Until()
	if from == o.begin.StartFrom && to == o.begin.UntilText {
		return
	}
	fields := o.fields(zap.String("start_from", o.begin.StartFrom), zap.String("first_run_start_from", from), zap.Time("first_run_floor", floor),
		zap.String("until", o.begin.UntilText), zap.String("first_run_until", to), zap.Time("first_run_bound", until))
	if o.replay != "" {
		r.set.Logger.Warn("The bounds of a replay were changed after it began and are ignored: a replay runs once for each name.", fields...)
		return
	}
	r.set.Logger.Warn("start_from or until was changed after the first run and is ignored: the stored position counts. To collect a stretch again use replay.", fields...)
}
