// Copyright The OpenTelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	bbolterrors "go.etcd.io/bbolt/errors"
	"go.uber.org/zap"

	"github.com/open-telemetry/opentelemetry-collector-contrib/extension/storage/filestorage"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/extension"
	"go.opentelemetry.io/collector/extension/xextension/storage"

	"github.com/openaicompliance/openaicompliancereceiver/cmd/internal/collectorconf"
	"github.com/openaicompliance/openaicompliancereceiver/receiver"
)

// storageLocation is where a receiver stores its checkpoints.
type storageLocation struct {
	owner   component.ID // the receiver
	cfg     *receiver.Config
	storage *filestorage.Config
	// path of the file that file_storage keeps for the receiver.
	path string
}

// locateStorage reads the collector's configuration. Every error is a misuse.
func locateStorage(ctx context.Context, o *options) (*storageLocation, error) {
	l, err := readLocation(ctx, o)
	if err != nil {
		return nil, misuse{err}
	}
	return l, nil
}

func readLocation(ctx context.Context, o *options) (*storageLocation, error) {
	conf, err := collectorconf.Load(ctx, o.configs...)
	if err != nil {
		return nil, err
	}
	id, keys, err := collectorconf.Component(conf, "receivers", "openai_compliance", o.receiver)
	if err != nil {
		return nil, err
	}
	l := &storageLocation{cfg: receiver.NewDefaultConfig()}
	if err := errors.Join(l.owner.UnmarshalText([]byte(id)), keys.Unmarshal(l.cfg)); err != nil {
		return nil, fmt.Errorf("receivers::%s: %w", id, err)
	}
	factory := filestorage.NewFactory()
	switch {
	case l.cfg.StorageID == nil:
		return nil, fmt.Errorf("receivers::%s: no storage is configured, so nothing is stored", id)
	case l.cfg.StorageID.Type() != factory.Type():
		return nil, fmt.Errorf("receivers::%s: storage is %s; this tool reads file_storage only", id, l.cfg.StorageID)
	}
	if err := validateStreams(l.cfg); err != nil {
		return nil, fmt.Errorf("receivers::%s: %w", id, err)
	}
	name, keys, err := collectorconf.Component(conf, "extensions", factory.Type().String(), l.cfg.StorageID.String())
	if err != nil {
		return nil, err
	}
	l.storage = factory.CreateDefaultConfig().(*filestorage.Config)
	if err := keys.Unmarshal(l.storage); err != nil {
		return nil, fmt.Errorf("extensions::%s: %w", name, err)
	}
	l.path, err = l.filePath(ctx)
	return l, err
}

// validateStreams checks what storage keys are made of: principal and event types. The
// rest of the configuration, the API key above all, need not be at hand.
func validateStreams(cfg *receiver.Config) error {
	streams := receiver.NewDefaultConfig()
	streams.APIKeyFile, streams.AllowEphemeralCursor = "unused", true
	streams.WorkspaceID, streams.OrganizationID, streams.EventTypes = cfg.WorkspaceID, cfg.OrganizationID, cfg.EventTypes
	return streams.Validate()
}

// filePath asks the extension itself for the file's name, in an empty directory.
func (l *storageLocation) filePath(ctx context.Context) (string, error) {
	dir, err := os.MkdirTemp("", "openai-compliance-checkpoints")
	if err != nil {
		return "", err
	}
	defer os.RemoveAll(dir)
	client, err := l.client(ctx, dir, false)
	if err != nil {
		return "", err
	}
	if err := client.Close(ctx); err != nil {
		return "", err
	}
	entries, err := os.ReadDir(dir)
	if err != nil || len(entries) != 1 {
		return "", errors.Join(errors.New("the storage extension names no file"), err)
	}
	return filepath.Join(l.storage.Directory, entries[0].Name()), nil
}

// lockWait is how long to wait for the lock of the file.
const lockWait = time.Second

// client opens the receiver's file in a directory. Of the configuration only the place
// of the file counts: nothing is compacted or recreated here.
func (l *storageLocation) client(ctx context.Context, dir string, create bool) (client storage.Client, err error) {
	factory := filestorage.NewFactory()
	cfg := factory.CreateDefaultConfig().(*filestorage.Config)
	cfg.Directory, cfg.Timeout, cfg.FSync = dir, lockWait, true
	cfg.CreateDirectory, cfg.DirectoryPermissions = create && l.storage.CreateDirectory, l.storage.DirectoryPermissions
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	set := extension.Settings{ID: *l.cfg.StorageID, TelemetrySettings: component.TelemetrySettings{Logger: zap.NewNop()}}
	ext, err := factory.Create(ctx, set, cfg)
	if err != nil {
		return nil, err
	}
	defer func() {
		if r := recover(); r != nil { // as bbolt reports corrupt pages
			client, err = nil, fmt.Errorf("the file is corrupt: %v", r)
		}
	}()
	return ext.(storage.Extension).GetClient(ctx, component.KindReceiver, l.owner, "")
}

// open opens the file; create permits to make one. Without a file it returns nil.
func (l *storageLocation) open(ctx context.Context, create bool) (storage.Client, error) {
	if _, err := os.Stat(l.path); err != nil && (!errors.Is(err, fs.ErrNotExist) || !create) {
		if errors.Is(err, fs.ErrNotExist) {
			return nil, nil //nolint:nilnil // absent is an answer, not an error
		}
		return nil, err
	}
	client, err := l.client(ctx, l.storage.Directory, create)
	if errors.Is(err, bbolterrors.ErrTimeout) {
		return nil, fmt.Errorf("%s is in use: stop the collector first (it writes checkpoints and would not see a change)", l.path)
	}
	if err != nil {
		return nil, fmt.Errorf("open %s: %w", l.path, err)
	}
	return client, nil
}

// backup copies the file beside itself. The lock of the file is held: nobody writes to it.
func (l *storageLocation) backup(now time.Time) (path string, err error) {
	from, err := os.Open(l.path)
	if err != nil {
		return "", fmt.Errorf("back up: %w", err)
	}
	defer from.Close()
	path = l.path + "." + now.UTC().Format("20060102T150405.000000Z") + ".backup"
	to, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600) //nolint:gosec // beside the file of the configuration
	if err != nil {
		return "", fmt.Errorf("back up: %w", err)
	}
	_, err = io.Copy(to, from)
	if err = errors.Join(err, to.Sync(), to.Close()); err != nil {
		return "", fmt.Errorf("back up: %w", err)
	}
	return path, nil
}
