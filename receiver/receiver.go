// Copyright The OpenTelemetry Authors
// SPDX-License-Identifier: Apache-2.0

// Package receiver is the running component: one stream per event type, each of
// which lists, downloads, delivers and stores its position on its own.
package receiver

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"go.uber.org/zap"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/extension/xextension/storage"
	corereceiver "go.opentelemetry.io/collector/receiver"

	"github.com/openaicompliance/openaicompliancereceiver/internal/pace"
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
	registered *registration
	ways       *transports
	storage    storage.Client
	orders     []*order
	scheduler  *pace.Scheduler
	telemetry  *telemetry
	stop       context.CancelFunc // ends the streams
	abort      context.CancelFunc // ends their running calls too
	streams    sync.WaitGroup
	abandoned  *atomic.Bool // set when a stream had to be left behind
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
	r.register()
	if _, err := r.cfg.keySource().Key(); err != nil {
		return err
	}
	var err error
	if r.telemetry, err = newTelemetry(r.set.TelemetrySettings); err != nil {
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
	if r.orders, err = r.cfg.orders(time.Now()); err != nil {
		return err
	}
	if err := r.loadProgress(opening); err != nil {
		return err
	}
	// The context of Start ends with Start; the streams live until Shutdown.
	calls, abort := context.WithCancel(context.WithoutCancel(ctx))
	run, stop := context.WithCancel(calls)
	r.abort, r.stop, r.abandoned = abort, stop, new(atomic.Bool)
	streams, err := r.newStreams(calls, newHealth(host, r.set.Logger, r.cfg.EventTypes, len(r.orders)))
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
	for _, key := range r.cfg.trimmed {
		r.set.Logger.Warn("White space or quotes around a value ignored", zap.String("key", key))
	}
	if r.cfg.HTTP.TLS.InsecureSkipVerify {
		r.set.Logger.Warn("http::tls::insecure_skip_verify is on: whoever answers in the API's place is given the key.")
	}
}

// register makes this receiver known in the process, and names those that collect
// the same beside it.
func (r *logsReceiver) register() {
	r.registered = &registration{id: r.set.ID, principal: r.cfg.principal().ID, eventTypes: r.cfg.EventTypes}
	for _, same := range running.add(r.registered) {
		r.set.Logger.Warn("Two receivers collect the same event types",
			zap.Stringers("receivers", []component.ID{r.set.ID, same.other}), zap.Strings("event_types", same.eventTypes))
	}
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
		left := r.orders // a stream that is left behind may still look at its progress
		r.orders = nil
		go func() {
			<-done
			closeProgress(left)
		}()
		return errors.New("shutdown: the next consumer still holds a batch and does not react to cancellation; the batch is delivered again at the next start")
	}
}

func closeProgress(orders []*order) {
	for _, o := range orders {
		o.progress.Close()
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
		r.scheduler.Close()
		r.scheduler = nil
	}
	r.ways.close()
	r.ways = nil
	running.remove(r.registered)
	r.registered = nil
	closeProgress(r.orders)
	r.orders = nil
	if r.telemetry != nil {
		r.telemetry.shutdown()
		r.telemetry = nil
	}
	return err
}
