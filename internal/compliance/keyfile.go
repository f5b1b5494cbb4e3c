// Copyright The OpenTelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package compliance

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"runtime"
	"sync"

	"github.com/openaicompliance/openaicompliancereceiver/internal/secret"
)

// KeyFile is a file that holds the key and nothing else but blanks around it. It is
// read when its key is first asked for and with each Refresh, so that a rotated key is
// used from the next poll on, mounted secrets that are swapped as a symbolic link
// included. It is safe for concurrent use.
type KeyFile struct {
	path string

	mu  sync.Mutex // guards key
	key string     // empty until the file was read with success
}

// NewKeyFile returns the key file at a path.
func NewKeyFile(path string) *KeyFile { return &KeyFile{path: path} }

// maxKeyFile is far above any key; a larger file is some other file.
const maxKeyFile = 16 << 10

// Key implements KeySource. As long as the file cannot be read, each call tries again.
func (f *KeyFile) Key() (string, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.key != "" {
		return f.key, nil
	}
	return f.readLocked()
}

// Refresh implements KeySource.
func (f *KeyFile) Refresh() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.key = ""
	_, _ = f.readLocked() // a failure is what Key returns
}

func (f *KeyFile) readLocked() (string, error) {
	data, err := readRegular(f.path)
	if pathErr, ok := errors.AsType[*fs.PathError](err); ok {
		err = pathErr.Err
	}
	if err == nil && len(data) > maxKeyFile {
		err = fmt.Errorf("more than %d bytes are too many for a key", maxKeyFile)
	}
	key := string(bytes.TrimSpace(data))
	if err == nil {
		err = CheckKey(key)
	}
	if err != nil {
		return "", fmt.Errorf("read api_key_file %s: %w", secret.Conceal(f.path), err)
	}
	f.key = key
	return key, nil
}

var errNotRegular = errors.New("is not a regular file")

// readRegular returns the content of a file, or a little more than maxKeyFile of it.
// What is no regular file is not opened: a FIFO would block, and a device may do
// anything. The open is not blocking either, if the file is another one by then.
func readRegular(path string) ([]byte, error) {
	info, err := os.Stat(path)
	if err == nil && !info.Mode().IsRegular() {
		err = errNotRegular
	}
	if err != nil {
		return nil, err
	}
	file, err := os.OpenFile(path, os.O_RDONLY|openNonBlocking, 0) //nolint:gosec // the path is the configured one
	if err != nil {
		return nil, err
	}
	defer file.Close()
	if info, err = file.Stat(); err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, errNotRegular
	}
	return io.ReadAll(io.LimitReader(file, maxKeyFile+1))
}

// OpenToOthers reports whether others than the file's owner may read or write it.
// Windows has no such bits.
func (f *KeyFile) OpenToOthers() bool {
	info, err := os.Stat(f.path)
	return err == nil && runtime.GOOS != "windows" && info.Mode().Perm()&0o077 != 0
}
