// Copyright The OpenTelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package state

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"go.uber.org/zap"

	metricnoop "go.opentelemetry.io/otel/metric/noop"
	tracenoop "go.opentelemetry.io/otel/trace/noop"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/confmap"
	"go.opentelemetry.io/collector/extension"
	"go.opentelemetry.io/collector/extension/xextension/storage"

	"github.com/open-telemetry/opentelemetry-collector-contrib/extension/storage/filestorage"

	"github.com/openaicompliance/openaicompliancereceiver/cmd/internal/collectorconf"
	"github.com/openaicompliance/openaicompliancereceiver/cmd/internal/command"
	"github.com/openaicompliance/openaicompliancereceiver/internal/secret"
	"github.com/openaicompliance/openaicompliancereceiver/receiver"
)

// site is where a receiver stores its checkpoints.
type site struct {
	owner component.ID // the receiver
	cfg   *receiver.Config

	factory extension.Factory
	storage component.Config
	// file is set for file_storage.
	file *fileSite
}

// name of the storage, for people.
func (s *site) name() string {
	if s.file != nil {
		return s.file.path
	}
	return s.cfg.StorageID.String()
}

// locateStorage reads the collector's configuration. Every error is a misuse.
func locateStorage(ctx context.Context, env *command.Env, o *options) (*site, error) {
	s, err := readSite(ctx, env, o)
	return s, command.Misuse(secret.ConcealError(err))
}

func readSite(ctx context.Context, env *command.Env, o *options) (s *site, err error) {
	s = &site{cfg: receiver.NewDefaultConfig()}
	var conf *confmap.Conf
	if s.owner, conf, err = o.Load(ctx, s.cfg); err != nil {
		return nil, err
	}
	if err := s.chooseFactory(env.Storages); err != nil {
		return nil, fmt.Errorf("receivers::%s: %w", s.owner, err)
	}
	if err := validateStreams(s.cfg); err != nil {
		return nil, fmt.Errorf("receivers::%s: %w", s.owner, err)
	}
	name, keys, err := collectorconf.Component(conf, "extensions", s.factory.Type().String(), s.cfg.StorageID.String())
	if err != nil {
		return nil, err
	}
	s.storage = s.factory.CreateDefaultConfig()
	if err := keys.Unmarshal(s.storage); err != nil {
		return nil, fmt.Errorf("extensions::%s: %w", name, err)
	}
	if cfg, ok := s.storage.(*filestorage.Config); ok {
		s.file, err = locateFile(ctx, s, cfg)
		return s, err
	}
	if err := confmap.Validate(s.storage); err != nil {
		return nil, fmt.Errorf("extensions::%s: %w", name, err)
	}
	return s, nil
}

// chooseFactory finds what makes the configured storage.
func (s *site) chooseFactory(factories []extension.Factory) error {
	if s.cfg.StorageID == nil {
		return errors.New("no storage is configured, so nothing is stored")
	}
	var known []string
	for _, factory := range factories {
		if factory.Type() == s.cfg.StorageID.Type() {
			s.factory = factory
			return nil
		}
		known = append(known, factory.Type().String())
	}
	slices.Sort(known)
	opens := "no storage"
	if len(known) > 0 {
		opens = strings.Join(known, ", ") + " only"
	}
	return fmt.Errorf("storage is %s, and this build of %s opens %s: docs/state.md says how to build one that opens it",
		s.cfg.StorageID, command.Name, opens)
}

// validateStreams checks what storage keys are made of: principal and event types. The
// rest of the configuration, the API key above all, need not be at hand.
func validateStreams(cfg *receiver.Config) error {
	streams := receiver.NewDefaultConfig()
	streams.APIKeyFile, streams.AllowEphemeralCursor = "unused", true
	streams.WorkspaceID, streams.OrganizationID, streams.EventTypes = cfg.WorkspaceID, cfg.OrganizationID, cfg.EventTypes
	return streams.Validate()
}

// opened is a storage that is open.
type opened struct {
	storage.Client
	ext extension.Extension
}

func (o *opened) close(ctx context.Context) error {
	ctx = context.WithoutCancel(ctx)
	return errors.Join(o.Close(ctx), o.ext.Shutdown(ctx))
}

// open opens the storage; create permits to make one where there is none, and without
// that nil is returned.
func (s *site) open(ctx context.Context, create bool) (*opened, error) {
	if s.file != nil {
		return s.file.open(ctx, s, create)
	}
	client, err := s.openWith(ctx, s.storage)
	if err != nil {
		return nil, fmt.Errorf("open storage %q: %w", s.cfg.StorageID, lockedOr(err))
	}
	return client, nil
}

// openWith opens the receiver's part of a storage of this configuration.
func (s *site) openWith(ctx context.Context, cfg component.Config) (client *opened, err error) {
	set := extension.Settings{ID: *s.cfg.StorageID, TelemetrySettings: component.TelemetrySettings{
		Logger: zap.NewNop(), MeterProvider: metricnoop.NewMeterProvider(), TracerProvider: tracenoop.NewTracerProvider(),
	}}
	ext, err := s.factory.Create(ctx, set, cfg)
	if err != nil {
		return nil, err
	}
	provider, ok := ext.(storage.Extension)
	if !ok {
		return nil, errors.New("it is not a storage extension")
	}
	if err := ext.Start(ctx, noExtensions{}); err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, ext.Shutdown(context.WithoutCancel(ctx)))
		}
	}()
	defer func() {
		if r := recover(); r != nil { // as bbolt reports corrupt pages
			err = fmt.Errorf("what is stored is corrupt: %v", r)
		}
	}()
	opens, err := provider.GetClient(ctx, component.KindReceiver, s.owner, "")
	if err != nil {
		return nil, err
	}
	return &opened{opens, ext}, nil
}

// noExtensions is a host without extensions.
type noExtensions struct{}

func (noExtensions) GetExtensions() map[component.ID]component.Component { return nil }
