// Copyright The OpenTelemetry Authors
// SPDX-License-Identifier: Apache-2.0

// Package receiver is the running component: one stream per event type, each of
// which lists, downloads, delivers and stores its position on its own.
package receiver

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"go.uber.org/zap"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/extension/xextension/storage"
	corereceiver "go.opentelemetry.io/collector/receiver"
	"go.opentelemetry.io/collector/receiver/receiverhelper"

	"github.com/openaicompliance/openaicompliancereceiver/internal/checkpoint"
	"github.com/openaicompliance/openaicompliancereceiver/internal/deliver"
	"github.com/openaicompliance/openaicompliancereceiver/internal/metadata"
	"github.com/openaicompliance/openaicompliancereceiver/internal/record"
)

// shutdownGrace is how long Shutdown lets running calls to the next consumer
// finish before it cancels them. What they would have accepted after that is
// delivered again at the next start.
const shutdownGrace = 10 * time.Second

// obeyWithin is how long a canceled call may take to return.
const obeyWithin = 2 * time.Second

// logsReceiver implements receiver.Logs.
type logsReceiver struct {
	cfg  *Config
	set  corereceiver.Settings
	next consumer.Logs
	// heldLong is the constant of this name, but for tests.
	heldLong time.Duration
	// refusedInterval is refusedRetryInterval, but for tests.
	refusedInterval time.Duration

	// What follows is set by Start and released by Shutdown.
	ways      *transports
	storage   storage.Client
	scheduler *scheduler
	telemetry *metadata.TelemetryBuilder
	stop      context.CancelFunc // ends the streams
	abort     context.CancelFunc // ends their running calls too
	streams   sync.WaitGroup
	abandoned *atomic.Bool // set when a stream had to be left behind
}

// New creates the receiver; nothing runs before Start.
func New(set corereceiver.Settings, cfg *Config, next consumer.Logs) (corereceiver.Logs, error) {
	return &logsReceiver{cfg: cfg, set: set, next: next, heldLong: heldLong, refusedInterval: refusedRetryInterval}, nil
}

// Start opens the storage, fixes where each stream begins and starts the
// streams. It does not wait for the network.
func (r *logsReceiver) Start(ctx context.Context, host component.Host) error {
	if err := r.start(ctx, host); err != nil {
		return errors.Join(err, r.release(ctx))
	}
	return nil
}

func (r *logsReceiver) start(ctx context.Context, host component.Host) error {
	r.warnOfRisks()
	if _, err := r.cfg.keySource().Key(); err != nil {
		return err
	}
	var err error
	if r.telemetry, err = metadata.NewTelemetryBuilder(r.set.TelemetrySettings); err != nil {
		return err
	}
	if r.ways, err = newTransports(ctx, r.cfg, host, r.set.TelemetrySettings); err != nil {
		return err
	}
	opening, cancel := context.WithTimeout(ctx, storageTimeout)
	defer cancel()
	if r.storage, err = openStorage(opening, host, r.cfg.StorageID, r.set.ID); err != nil {
		return err
	}
	progress, err := r.loadProgress(opening)
	if err != nil {
		return err
	}
	// The context of Start ends with Start; the streams live until Shutdown.
	calls, abort := context.WithCancel(context.WithoutCancel(ctx))
	run, stop := context.WithCancel(calls)
	r.abort, r.stop, r.abandoned = abort, stop, new(atomic.Bool)
	streams, err := r.newStreams(calls, newHealth(host, r.cfg.EventTypes), progress)
	if err != nil {
		return err
	}
	for _, s := range streams {
		r.streams.Go(func() { s.run(run) })
	}
	return nil
}

// warnOfRisks names the settings that an operator should have chosen on purpose.
func (r *logsReceiver) warnOfRisks() {
	for _, t := range r.cfg.EventTypes {
		if _, known := eventTypes[t]; !known {
			r.set.Logger.Warn("Event type is not known to this build; it is collected with the common fields only.", zap.String("event_type", t))
		}
	}
	if r.cfg.StorageID == nil {
		r.set.Logger.Warn("No storage: every restart begins at start_from again.", zap.String("start_from", r.cfg.StartFrom))
	}
	if r.cfg.HTTP.TLS.InsecureSkipVerify {
		r.set.Logger.Warn("http::tls::insecure_skip_verify is on: whoever answers in the API's place is given the key.")
	}
}

// loadProgress reads the state of every stream and stores the floor of those
// that have none, before any request is made. A stream whose state is damaged is
// left out; the others run.
func (r *logsReceiver) loadProgress(ctx context.Context) (map[string]*checkpoint.Stream, error) {
	now := time.Now()
	floor, err := resolveStartFrom(r.cfg.StartFrom, now)
	if err != nil {
		return nil, fmt.Errorf("start_from: %w", err)
	}
	progress := map[string]*checkpoint.Stream{}
	var missing []string
	for _, eventType := range r.cfg.EventTypes {
		key := checkpoint.Key(r.cfg.principal().ID, eventType)
		stream, err := checkpoint.Load(ctx, r.storage, key, r.progressSettings())
		switch {
		case errors.Is(err, checkpoint.ErrDamaged):
			r.set.Logger.Error("This event type is not collected: its stored state cannot be used. Restore the storage from a backup (or the version that wrote it), or delete this key to begin again at start_from. The other event types are not affected.",
				zap.String("event_type", eventType), zap.String("key", key), zap.Error(err))
			continue
		case err != nil:
			return nil, err
		case stream != nil:
			r.warnOfStartFrom(stream, eventType)
		default:
			missing = append(missing, key)
		}
		progress[eventType] = stream
	}
	if len(missing) > 0 && r.cfg.OnMissingState == missingStateFail {
		return nil, fmt.Errorf("on_missing_state is fail and the storage has no state under %s; restore it, or set on_missing_state: start for a first run", strings.Join(missing, ", "))
	}
	return progress, r.beginMissing(ctx, progress, checkpoint.Beginning{
		Floor: floor, StartFrom: r.cfg.StartFrom, Boundary: now.Add(-liveReach),
	})
}

// progressSettings are the same for every stream; each gets its share of the
// events to remember.
func (r *logsReceiver) progressSettings() checkpoint.Settings {
	return checkpoint.Settings{
		Overlap: r.cfg.Overlap, Window: r.cfg.Deduplication.Window,
		MaxEvents: max(1, r.cfg.Deduplication.MaxEvents/len(r.cfg.EventTypes)),
	}
}

// beginMissing stores where each stream begins that has no state.
func (r *logsReceiver) beginMissing(ctx context.Context, progress map[string]*checkpoint.Stream, begin checkpoint.Beginning) error {
	for eventType, stream := range progress {
		if stream != nil {
			continue
		}
		key := checkpoint.Key(r.cfg.principal().ID, eventType)
		r.set.Logger.Warn("First run: the storage holds no state of this event type.",
			zap.String("event_type", eventType), zap.String("key", key), zap.Time("start_from", begin.Floor))
		created, err := checkpoint.Create(ctx, r.storage, key, begin, r.progressSettings())
		if err != nil {
			return err
		}
		progress[eventType] = created
	}
	return nil
}

func (r *logsReceiver) warnOfStartFrom(stream *checkpoint.Stream, eventType string) {
	if floor, text := stream.Floor(); text != r.cfg.StartFrom {
		r.set.Logger.Warn("start_from was changed after the first run and is ignored: the stored position counts.",
			zap.String("event_type", eventType), zap.String("start_from", r.cfg.StartFrom),
			zap.String("first_run_start_from", text), zap.Time("first_run_floor", floor))
	}
}

func (r *logsReceiver) newStreams(calls context.Context, health *health, progress map[string]*checkpoint.Stream) ([]*stream, error) {
	obs, err := receiverhelper.NewObsReport(receiverhelper.ObsReportSettings{
		ReceiverID: r.set.ID, Transport: "http", ReceiverCreateSettings: r.set,
	})
	if err != nil {
		return nil, err
	}
	counters := &telemetry{builder: r.telemetry}
	api := newAPI(r.cfg, r.ways, r.set, counters.request)
	lists := newGate(r.cfg.RateLimit.ListsPerMinute)
	list := &requester{retry: r.cfg.APIRetry, gate: lists}
	r.scheduler = newScheduler(r.cfg.Download, r.cfg.RateLimit.DownloadsPerMinute)
	download := &requester{retry: r.cfg.APIRetry, gate: r.scheduler}
	first := newFirstPass(r.set.Logger, r.cfg.EventTypes)
	var streams []*stream
	for _, eventType := range r.cfg.EventTypes {
		if progress[eventType] == nil {
			health.stored(eventType, checkpoint.ErrDamaged)
			first.ended(eventType, checkpoint.ErrDamaged, 0)
			continue
		}
		s := &stream{
			eventType: eventType, cfg: r.cfg, calls: calls, heldLong: r.heldLong, refusedInterval: r.refusedInterval,
			logger:    r.set.Logger.With(zap.String("event_type", eventType)),
			telemetry: counters, health: health, first: first,
			api: api, list: list, lists: lists, download: download, scheduler: r.scheduler,
			mapper:    record.NewMapper(r.source(eventType)),
			progress:  progress[eventType],
			cadence:   r.cfg.cadence(),
			abandoned: r.abandoned,
		}
		s.verifier = newVerifier(r.cfg.Download.Verify, s.logger)
		s.deliver = deliver.New(deliver.Settings{
			Next: r.next, Obs: obs, Retry: r.cfg.RetryOnFailure,
			OnPermanent: permanentPolicies[r.cfg.OnPermanentError],
			OnRefused:   s.onRefused,
		})
		patience := r.cfg.RetryOnFailure
		patience.MaxElapsedTime = heldLong // not to hold a file's memory for long
		s.again = deliver.New(deliver.Settings{
			Next: r.next, Obs: obs, Retry: patience, OnPermanent: deliver.Drop, OnRefused: s.onRefusedAgain,
		})
		streams = append(streams, s)
	}
	return streams, nil
}

var permanentPolicies = map[string]deliver.Policy{
	permanentBlock: deliver.Block, permanentDrop: deliver.Drop, permanentQuarantine: deliver.SetAside,
}

func (r *logsReceiver) source(eventType string) record.Source {
	principal := r.cfg.principal()
	source := record.Source{
		EventType: eventType, PrincipalAttr: record.AttrWorkspaceID,
		PrincipalID: principal.ID, ScopeVersion: r.set.BuildInfo.Version,
		Parsed: r.cfg.Body == bodyParsed, Content: r.cfg.Content.forRecords(),
	}
	if r.cfg.OwnRequests == ownMark && eventType == "AUDIT_LOG" {
		source.Self = newOwnKeys(r.cfg.keySource()).is
	}
	if principal.Organization {
		source.PrincipalAttr = record.AttrOrganizationID
	}
	return source
}

// Shutdown stops requests at once, lets running calls to the next consumer
// finish within ctx and the grace period, and releases the storage. It may be
// called without Start and more than once.
func (r *logsReceiver) Shutdown(ctx context.Context) error {
	var err error
	if r.stop != nil {
		err = r.stopStreams(ctx)
		r.stop = nil
	}
	return errors.Join(err, r.release(context.WithoutCancel(ctx)))
}

// stopStreams ends the streams: requests at once, running calls to the next
// consumer after the grace period. A consumer that does not obey even then is
// left behind with an error.
func (r *logsReceiver) stopStreams(ctx context.Context) error {
	defer r.abort()
	r.stop()
	done := make(chan struct{})
	go func() {
		r.streams.Wait()
		close(done)
	}()
	grace, cancel := context.WithTimeout(ctx, shutdownGrace)
	defer cancel()
	select {
	case <-done:
		return nil
	case <-grace.Done():
	}
	r.abort()
	select {
	case <-done:
		return nil
	case <-time.After(obeyWithin):
		r.abandoned.Store(true)
		return errors.New("shutdown: the next consumer still holds a batch and does not react to cancellation; the batch is delivered again at the next start")
	}
}

// release gives back what Start took, in reverse order.
func (r *logsReceiver) release(ctx context.Context) error {
	var err error
	if r.storage != nil {
		if err = r.storage.Close(ctx); err != nil {
			err = fmt.Errorf("storage: close: %w", err)
		}
		r.storage = nil
	}
	if r.scheduler != nil {
		r.scheduler.close()
		r.scheduler = nil
	}
	r.ways.close()
	r.ways = nil
	if r.telemetry != nil {
		r.telemetry.Shutdown()
		r.telemetry = nil
	}
	return err
}
