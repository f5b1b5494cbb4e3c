// Copyright The OpenTelemetry Authors
// SPDX-License-Identifier: Apache-2.0

// Package receiver is the component: configuration, validation, Start and Shutdown,
// HTTP clients, storage and wiring. The engine is internal/collect.
package receiver

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"go.uber.org/zap"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/extension/xextension/storage"
	corereceiver "go.opentelemetry.io/collector/receiver"

	"github.com/openaicompliance/openaicompliancereceiver/internal/collect"
	"github.com/openaicompliance/openaicompliancereceiver/internal/compliance"
	"github.com/openaicompliance/openaicompliancereceiver/internal/limit"
)

// shutdownTimeout is how long Shutdown lets running calls to the next consumer
// finish before it cancels them. What they would have accepted after that is
// delivered again at the next start.
const shutdownTimeout = 10 * time.Second

// cancelTimeout is how long a canceled call may take to return.
const cancelTimeout = 2 * time.Second

// logsReceiver implements receiver.Logs.
type logsReceiver struct {
	cfg     *Config
	set     corereceiver.Settings
	next    consumer.Logs
	options options

	// What follows is set by Start and released by Shutdown.
	registered *registration
	key        compliance.KeySource
	transports *transports
	storage    storage.Client
	specs      []*streamSpec
	digests    collect.DigestSettings
	downloads  *limit.Downloads
	reporter   *reporter
	running    *running
	detached   atomic.Bool // a stream had to be left to itself
}

// running are the streams under way.
type running struct {
	streams       sync.WaitGroup
	cancelStreams context.CancelFunc
	cancelCalls   context.CancelFunc // to the next consumer and to storage
}

// options are what tests change.
type options struct {
	times     collect.Times
	wallClock func() time.Time
	transport func(*http.Transport)
}

// Option changes what no configuration key changes.
type Option func(*options)

// WithTimes replaces the waits of the engine.
func WithTimes(times collect.Times) Option { return func(o *options) { o.times = times } }

// WithTransport changes each transport, before anything is put around it.
func WithTransport(change func(*http.Transport)) Option {
	return func(o *options) { o.transport = change }
}

// WithWallClock replaces the local time of day.
func WithWallClock(now func() time.Time) Option { return func(o *options) { o.wallClock = now } }

// New creates the receiver; nothing runs before Start.
func New(set corereceiver.Settings, cfg *Config, next consumer.Logs, opts ...Option) (corereceiver.Logs, error) {
	r := &logsReceiver{cfg: cfg, set: set, next: next, options: options{times: collect.DefaultTimes(), wallClock: time.Now, transport: func(*http.Transport) {}}}
	for _, option := range opts {
		option(&r.options)
	}
	return r, nil
}

// Start opens the storage, stores the first run of new streams and starts all
// streams. It does not wait for the network.
func (r *logsReceiver) Start(ctx context.Context, host component.Host) error {
	if err := r.start(ctx, host); err != nil {
		return errors.Join(err, r.release(ctx))
	}
	return nil
}

func (r *logsReceiver) start(ctx context.Context, host component.Host) error {
	r.warnInsecureSettings()
	r.register()
	if err := r.openKey(); err != nil {
		return err
	}
	var err error
	if r.specs, err = r.cfg.streamSpecs(r.options.wallClock()); err != nil {
		return err
	}
	if r.digests, err = r.cfg.Digest.settings(); err != nil {
		return err
	}
	if r.reporter, err = newReporter(host, r.set.TelemetrySettings, r.cfg.EventTypes, len(r.specs)); err != nil {
		return err
	}
	if r.transports, err = newTransports(ctx, r.cfg, host, r.set.TelemetrySettings, r.options.transport); err != nil {
		return err
	}
	if err = r.withinTimeout(ctx, func(ctx context.Context) (err error) {
		r.storage, err = openStorage(ctx, host, r.cfg.StorageID, r.set.ID)
		return err
	}); err != nil {
		return err
	}
	if err := r.loadCheckpoints(ctx); err != nil {
		return err
	}
	return r.run(ctx)
}

// run starts the streams. The context of Start ends with Start; they live until
// Shutdown.
func (r *logsReceiver) run(ctx context.Context) error {
	calls, cancelCalls := context.WithCancel(context.WithoutCancel(ctx))
	streamsCtx, cancelStreams := context.WithCancel(calls)
	r.detached.Store(false)
	r.running = &running{cancelStreams: cancelStreams, cancelCalls: cancelCalls}
	streams, err := r.newStreams(calls)
	if err != nil {
		return err
	}
	for _, s := range streams {
		r.running.streams.Go(func() { s.Run(streamsCtx) })
	}
	return nil
}

// warnInsecureSettings names the settings that an operator should have chosen on
// purpose.
func (r *logsReceiver) warnInsecureSettings() {
	for _, t := range r.cfg.EventTypes {
		if _, known := collect.EventTypes[t]; !known {
			r.set.Logger.Warn("unknown event type, collected with common attributes only", zap.String("event_type", t))
		}
	}
	if r.cfg.StorageID == nil {
		r.set.Logger.Warn("no storage, every restart begins at start_from", zap.String("start_from", r.cfg.StartFrom))
	}
	for _, key := range r.cfg.trimmed {
		r.set.Logger.Warn("white space or quotes around a value ignored", zap.String("key", key))
	}
	if r.cfg.HTTP.TLS.InsecureSkipVerify {
		r.set.Logger.Warn("http::tls::insecure_skip_verify exposes the key to any server")
	}
}

// openKey reads the key for the first time.
func (r *logsReceiver) openKey() error {
	r.key = r.cfg.newKeySource()
	if file, ok := r.key.(*compliance.KeyFile); ok && file.OpenToOthers() {
		r.set.Logger.Warn("api_key_file may be read or written by others",
			zap.String("hint", "let the collector's user alone read it: chmod 0400, or defaultMode: 0400 of a mounted secret"))
	}
	_, err := r.key.Key()
	return err
}

// register makes this receiver known in the process, and names those that collect
// the same beside it.
func (r *logsReceiver) register() {
	r.registered = &registration{id: r.set.ID, principal: r.cfg.principal().ID, eventTypes: r.cfg.EventTypes}
	for _, same := range receivers.add(r.registered) {
		r.set.Logger.Warn("two receivers collect the same event types",
			zap.Stringers("receivers", []component.ID{r.set.ID, same.other}), zap.Strings("event_types", same.eventTypes))
	}
}

// Shutdown stops requests at once, lets running calls to the next consumer finish
// within ctx and the timeout, and releases the storage. It may be called without
// Start and more than once.
func (r *logsReceiver) Shutdown(ctx context.Context) error {
	var err error
	if r.running != nil {
		err = r.stopStreams(ctx)
		r.running = nil
	}
	return errors.Join(err, r.release(context.WithoutCancel(ctx)))
}

// stopStreams ends the streams: requests at once, running calls to the next
// consumer after the timeout. A consumer that does not obey even then is left to
// itself, with an error.
func (r *logsReceiver) stopStreams(ctx context.Context) error {
	running := r.running
	defer running.cancelCalls()
	running.cancelStreams()
	done := make(chan struct{})
	go func() {
		running.streams.Wait()
		close(done)
	}()
	timeout, cancel := context.WithTimeout(ctx, shutdownTimeout)
	defer cancel()
	select {
	case <-done:
		return nil
	case <-timeout.Done():
	}
	running.cancelCalls()
	select {
	case <-done:
		return nil
	case <-time.After(cancelTimeout):
	}
	r.detached.Store(true)
	specs := r.specs // the stream may still read its checkpoint
	r.specs = nil
	go func() {
		<-done
		closeCheckpoints(specs)
	}()
	return errors.New("shutdown: the next consumer still holds a batch and ignores cancellation; the batch is delivered again at the next start")
}

// release gives back what Start took, in reverse order.
func (r *logsReceiver) release(ctx context.Context) error {
	var err error
	if r.running != nil {
		r.running.cancelCalls()
		r.running = nil
	}
	if r.storage != nil {
		if err = r.storage.Close(ctx); err != nil {
			err = fmt.Errorf("storage: close: %w", err)
		}
		r.storage = nil
	}
	if r.downloads != nil {
		r.downloads.Close()
		r.downloads = nil
	}
	r.transports.close()
	r.transports = nil
	receivers.remove(r.registered)
	r.registered = nil
	closeCheckpoints(r.specs)
	r.specs = nil
	if r.reporter != nil {
		r.reporter.close()
		r.reporter = nil
	}
	return err
}
