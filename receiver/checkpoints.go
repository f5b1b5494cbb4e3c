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
	"github.com/openaicompliance/openaicompliancereceiver/internal/collect"
	"github.com/openaicompliance/openaicompliancereceiver/internal/secret"
	"github.com/openaicompliance/openaicompliancereceiver/internal/timespec"
)

// streamSpec is one stream that the configuration asks for.
type streamSpec struct {
	id    collect.StreamID
	key   string
	first checkpoint.FirstRun
	// boundsErr is set where the bounds cannot be resolved, which matters at its first
	// run only.
	boundsErr error
	// state is nil where the stored state cannot be used.
	state *checkpoint.Stream
}

// fields name the stream in logs.
func (s *streamSpec) fields(more ...zap.Field) []zap.Field {
	return append(append(idFields(s.id), zap.String("key", s.key)), more...)
}

// idFields name a stream in the log.
func idFields(id collect.StreamID) []zap.Field {
	fields := []zap.Field{zap.String("event_type", id.EventType)}
	if id.Replay != "" {
		fields = append(fields, zap.String("replay", id.Replay))
	}
	return fields
}

// streamSpecs of the configuration at now: each event type, and each type of each
// replay.
func (c *Config) streamSpecs(now time.Time) ([]*streamSpec, error) {
	err := validateBounds(c.StartFrom, c.Until, now)
	if err != nil && !isBoundsError(err) {
		return nil, err
	}
	first := checkpoint.FirstRun{StartFrom: c.StartFrom, Until: c.Until, Clock: now.Round(0).UTC()}
	var specs []*streamSpec
	for _, eventType := range c.EventTypes {
		specs = append(specs, &streamSpec{
			id: collect.StreamID{EventType: eventType}, key: checkpoint.Key(c.principal().ID, eventType), first: first, boundsErr: err,
		})
	}
	for _, replay := range c.Replay {
		err := replay.validateBounds(now)
		if err != nil {
			err = fmt.Errorf("replay %s: %w", secret.Quote(replay.Name), err)
		}
		if err != nil && !isBoundsError(err) {
			return nil, err
		}
		for _, eventType := range replay.eventTypes(c) {
			specs = append(specs, &streamSpec{
				id:        collect.StreamID{EventType: eventType, Replay: replay.Name},
				first:     checkpoint.FirstRun{StartFrom: replay.From, Until: replay.To, Clock: first.Clock},
				boundsErr: err, key: checkpoint.ReplayKey(replay.Name, c.principal().ID, eventType),
			})
		}
	}
	return specs, nil
}

// validateBounds resolves start_from and until at now. A boundsError says that
// nothing would be collected.
func validateBounds(startFrom, until string, now time.Time) error {
	floor, err := resolveStartFrom(startFrom, now)
	if err != nil {
		return fmt.Errorf("start_from: %w", err)
	}
	if _, err := resolveUntil(until, floor, now); err != nil {
		return fmt.Errorf("until: %w", err)
	}
	return nil
}

// resolveBounds fixes the bounds of a first run at now, in whole microseconds.
func resolveBounds(first checkpoint.FirstRun, now time.Time, reach time.Duration) (checkpoint.Bounds, error) {
	from, err := timespec.Parse(first.StartFrom)
	if err != nil {
		return checkpoint.Bounds{}, fmt.Errorf("start_from: %w", err)
	}
	bounds := checkpoint.Bounds{Floor: from.At(now).UTC().Truncate(time.Microsecond)}
	if first.Until != "" {
		until, err := timespec.Parse(first.Until)
		if err != nil {
			return checkpoint.Bounds{}, fmt.Errorf("until: %w", err)
		}
		bounds.Until = until.At(now).UTC().Truncate(time.Microsecond)
		if !bounds.Until.After(bounds.Floor) {
			return checkpoint.Bounds{}, fmt.Errorf("until: %s is %s, which is not later than start_from, %s",
				secret.Quote(first.Until), bounds.Until.Format(time.RFC3339), bounds.Floor.Format(time.RFC3339))
		}
	}
	if reach > 0 {
		live := now.Add(-reach).UTC().Truncate(time.Microsecond)
		if live.After(bounds.Floor) && (bounds.Until.IsZero() || live.Before(bounds.Until)) {
			bounds.LiveFrom = live
		}
	}
	return bounds, nil
}

func isBoundsError(err error) bool {
	_, ok := errors.AsType[boundsError](err)
	return ok
}

// loadCheckpoints reads the state of every stream and stores the beginning of those
// that have none, before any request is made. A stream whose state is corrupt does
// not run; the others do.
func (r *logsReceiver) loadCheckpoints(ctx context.Context) error {
	set := r.checkpointSettings(len(r.specs))
	var missing []*streamSpec
	for _, spec := range r.specs {
		err := r.withinTimeout(ctx, func(ctx context.Context) (err error) {
			spec.state, err = checkpoint.Load(ctx, r.storage, spec.key, set)
			return err
		})
		switch {
		case errors.Is(err, checkpoint.ErrOldFormat), errors.Is(err, checkpoint.ErrCorrupt):
			r.set.Logger.Error("checkpoint cannot be used, event type disabled",
				spec.fields(zap.Error(err), zap.String("hint", "restore the storage from a backup, or delete this key to begin again at start_from"))...)
		case err != nil:
			return err
		case spec.state == nil:
			missing = append(missing, spec)
		default:
			r.warnBoundsChanged(spec)
		}
	}
	if err := r.failOnMissingState(missing); err != nil {
		return err
	}
	return r.createMissing(ctx, missing, set)
}

// withinTimeout bounds what Start waits for one stream's storage calls.
func (*logsReceiver) withinTimeout(ctx context.Context, call func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(ctx, storageTimeout)
	defer cancel()
	return call(ctx)
}

// checkpointSettings are the same for every stream; each gets its share of the
// events to remember.
func (r *logsReceiver) checkpointSettings(streams int) checkpoint.Settings {
	return checkpoint.Settings{
		Window: r.cfg.Deduplication.Window, MaxEvents: max(1, r.cfg.Deduplication.MaxEvents/streams),
	}
}

// failOnMissingState is for on_missing_state: fail. A replay begins without state.
func (r *logsReceiver) failOnMissingState(missing []*streamSpec) error {
	var keys []string
	for _, spec := range missing {
		if spec.id.Replay == "" {
			keys = append(keys, spec.key)
		}
	}
	if len(keys) == 0 || r.cfg.OnMissingState != missingStateFail {
		return nil
	}
	return fmt.Errorf("on_missing_state is fail and the storage has no state under %s; restore it, or set on_missing_state: start for a first run", strings.Join(keys, ", "))
}

// createMissing stores the first run of each stream that has no state.
func (r *logsReceiver) createMissing(ctx context.Context, missing []*streamSpec, set checkpoint.Settings) error {
	for _, spec := range missing {
		if spec.boundsErr != nil {
			return spec.boundsErr
		}
		level := zap.WarnLevel
		if spec.id.Replay != "" {
			level = zap.InfoLevel
		}
		r.set.Logger.Log(level, "first run, no stored state", spec.fields(zap.String("start_from", spec.first.StartFrom), zap.String("until", spec.first.Until))...)
		if err := r.withinTimeout(ctx, func(ctx context.Context) (err error) {
			spec.state, err = checkpoint.Create(ctx, r.storage, spec.key, spec.first, set)
			return err
		}); err != nil {
			return err
		}
	}
	return nil
}

// warnBoundsChanged reports bounds that were changed after the first run, when they
// were fixed.
func (r *logsReceiver) warnBoundsChanged(spec *streamSpec) {
	first := spec.state.FirstRun()
	if first.StartFrom == spec.first.StartFrom && first.Until == spec.first.Until {
		return
	}
	bounds, _ := spec.state.Bounds()
	r.set.Logger.Warn("changed start_from or until is ignored", spec.fields(
		zap.String("start_from", spec.first.StartFrom), zap.String("first_run_start_from", first.StartFrom), zap.Time("first_run_floor", bounds.Floor),
		zap.String("until", spec.first.Until), zap.String("first_run_until", first.Until), zap.Time("first_run_bound", bounds.Until),
		zap.String("hint", "the checkpoint counts; use replay to collect a time range again"))...)
}

func closeCheckpoints(specs []*streamSpec) {
	for _, spec := range specs {
		if spec.state != nil {
			spec.state.Close()
		}
	}
}
