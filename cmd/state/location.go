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

	"github.com/openaicompliance/openaicompliancereceiver/internal/collectorconf"
	"github.com/openaicompliance/openaicompliancereceiver/receiver"
)

// location is where a receiver keeps its state.
type location struct {
	owner   component.ID // the receiver
	cfg     *receiver.Config
	storage *filestorage.Config
	// path of the file that file_storage keeps for the receiver.
	path string
}

// locate reads the collector's configuration.
func locate(ctx context.Context, o *options) (*location, error) {
	conf, err := collectorconf.Load(ctx, o.configs...)
	if err != nil {
		return nil, err
	}
	id, keys, err := collectorconf.Component(conf, "receivers", "openai_compliance", o.receiver)
	if err != nil {
		return nil, err
	}
	l := &location{cfg: receiver.NewDefaultConfig()}
	if err := errors.Join(l.owner.UnmarshalText([]byte(id)), keys.Unmarshal(l.cfg)); err != nil {
		return nil, fmt.Errorf("receivers::%s: %w", id, err)
	}
	factory := filestorage.NewFactory()
	switch {
	case l.cfg.StorageID == nil:
		return nil, fmt.Errorf("receivers::%s: no storage is configured, so nothing is stored", id)
	case l.cfg.StorageID.Type() != factory.Type():
		return nil, fmt.Errorf("receivers::%s: storage is %s; this tool knows file_storage alone", id, l.cfg.StorageID)
	case receiver.PrincipalID(l.cfg) == "":
		return nil, fmt.Errorf("receivers::%s: workspace_id or organization_id is empty; set the variable that it is taken from", id)
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

// filePath asks the extension itself for the file's name, in an empty directory.
func (l *location) filePath(ctx context.Context) (string, error) {
	dir, err := os.MkdirTemp("", "openai-compliance-state")
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

// lockWait is how long to wait for whoever holds the file.
const lockWait = time.Second

// client opens the receiver's file in a directory. Only what says where the file
// lies is taken from the configuration: nothing is compacted or begun anew here.
func (l *location) client(ctx context.Context, dir string, create bool) (client storage.Client, err error) {
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
		if r := recover(); r != nil { // bbolt's way to tell of damaged pages
			client, err = nil, fmt.Errorf("the file is damaged: %v", r)
		}
	}()
	return ext.(storage.Extension).GetClient(ctx, component.KindReceiver, l.owner, "")
}

// open the state; create permits to make a file where there is none. Without a
// file it returns nil.
func (l *location) open(ctx context.Context, create bool) (storage.Client, error) {
	if _, err := os.Stat(l.path); err != nil && (!errors.Is(err, fs.ErrNotExist) || !create) {
		if errors.Is(err, fs.ErrNotExist) {
			return nil, nil //nolint:nilnil // absent is an answer of its own
		}
		return nil, err
	}
	client, err := l.client(ctx, l.storage.Directory, create)
	if errors.Is(err, bbolterrors.ErrTimeout) {
		return nil, fmt.Errorf("%s is in use: stop the collector first (it writes the state, and would not see a change)", l.path)
	}
	if err != nil {
		return nil, fmt.Errorf("open %s: %w", l.path, err)
	}
	return client, nil
}

// backUp copies the file beside itself, while it is held and nobody writes to it.
func (l *location) backUp(now time.Time) (path string, err error) {
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
