// Copyright The OpenTelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package state

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

	"github.com/open-telemetry/opentelemetry-collector-contrib/extension/storage/filestorage"
)

// fileSite is a file of file_storage.
type fileSite struct {
	cfg *filestorage.Config
	// path of the file that the extension keeps for the receiver.
	path string
}

// locateFile asks the extension itself for the file's name, in an empty directory.
func locateFile(ctx context.Context, s *site, cfg *filestorage.Config) (*fileSite, error) {
	f := &fileSite{cfg: cfg}
	dir, err := os.MkdirTemp("", "openai-compliance-checkpoints")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	client, err := f.openIn(ctx, s, dir, false)
	if err != nil {
		return nil, err
	}
	if err := client.close(ctx); err != nil {
		return nil, err
	}
	entries, err := os.ReadDir(dir)
	if err != nil || len(entries) != 1 {
		return nil, errors.Join(errors.New("the storage extension names no file"), err)
	}
	f.path = filepath.Join(cfg.Directory, entries[0].Name())
	return f, nil
}

// lockWait is how long to wait for the lock of the file.
const lockWait = time.Second

// openIn opens the receiver's file in a directory. Of the configuration only the place
// of the file counts: nothing is compacted or recreated here.
func (f *fileSite) openIn(ctx context.Context, s *site, dir string, create bool) (*opened, error) {
	cfg := s.factory.CreateDefaultConfig().(*filestorage.Config)
	cfg.Directory, cfg.Timeout, cfg.FSync = dir, lockWait, true
	cfg.CreateDirectory, cfg.DirectoryPermissions = create && f.cfg.CreateDirectory, f.cfg.DirectoryPermissions
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	return s.openWith(ctx, cfg)
}

// open opens the file; create permits to make one. Without a file it returns nil.
func (f *fileSite) open(ctx context.Context, s *site, create bool) (*opened, error) {
	if _, err := os.Stat(f.path); err != nil && (!errors.Is(err, fs.ErrNotExist) || !create) {
		if errors.Is(err, fs.ErrNotExist) {
			return nil, nil //nolint:nilnil // absent is an answer, not an error
		}
		return nil, err
	}
	client, err := f.openIn(ctx, s, f.cfg.Directory, create)
	if err != nil {
		return nil, fmt.Errorf("open %s: %w", f.path, lockedOr(err))
	}
	return client, nil
}

func (f *fileSite) exists() bool {
	_, err := os.Stat(f.path)
	return err == nil
}

// lockedOr says what the lock of a file means to the operator.
func lockedOr(err error) error {
	if errors.Is(err, bbolterrors.ErrTimeout) {
		return errors.New("another collector holds the storage: stop it first (it writes checkpoints and would not see a change)")
	}
	return err
}

// backup copies the file beside itself. The lock of the file is held: nobody writes to it.
func (f *fileSite) backup(now time.Time) (path string, err error) {
	from, err := os.Open(f.path)
	if err != nil {
		return "", fmt.Errorf("back up: %w", err)
	}
	defer from.Close()
	path = f.path + "." + backupTime(now) + ".backup"
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

func backupTime(now time.Time) string { return now.UTC().Format("20060102T150405.000000Z") }
