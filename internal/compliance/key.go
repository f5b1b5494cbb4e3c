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
	"strings"

	"github.com/openaicompliance/openaicompliancereceiver/internal/secret"
)

// KeySource yields the key for one request.
type KeySource interface {
	// Key returns the bearer token. The error must not hold it.
	Key() (string, error)
}

// StaticKey is a key that never changes.
type StaticKey string

// Key implements KeySource.
func (k StaticKey) Key() (string, error) { return string(k), nil }

// KeyFile is the path of a file that holds the key and nothing else but blanks
// around it. It is read for every request, so that a rotated key is used at
// once, mounted secrets that are swapped as a symbolic link included.
type KeyFile string

// maxKeyFile is far above any key; a larger file is some other file.
const maxKeyFile = 16 << 10

// Key implements KeySource.
func (f KeyFile) Key() (string, error) {
	data, err := f.read()
	if err != nil {
		if pathErr, ok := errors.AsType[*fs.PathError](err); ok {
			err = pathErr.Err
		}
		return "", fmt.Errorf("read api_key_file %s: %w", secret.Conceal(string(f)), err)
	}
	if len(data) > maxKeyFile {
		return "", fmt.Errorf("read api_key_file %s: more than %d bytes are too many for a key", secret.Conceal(string(f)), maxKeyFile)
	}
	key := string(bytes.TrimSpace(data))
	if err := CheckKey(key); err != nil {
		return "", fmt.Errorf("read api_key_file %s: %w", secret.Conceal(string(f)), err)
	}
	return key, nil
}

// read returns the file's content, or a little more than maxKeyFile of it.
func (f KeyFile) read() ([]byte, error) {
	file, err := os.Open(string(f))
	if err != nil {
		return nil, err
	}
	defer file.Close()
	return io.ReadAll(io.LimitReader(file, maxKeyFile+1))
}

// CheckKey refuses what cannot be a key. The error does not show it.
func CheckKey(key string) error {
	switch {
	case key == "":
		return errors.New("holds no key")
	case strings.ContainsFunc(key, func(r rune) bool { return r <= ' ' || r > '~' }):
		return errors.New("holds a blank, a line break or another character that no key has")
	}
	return nil
}

// KeyKind is what a key's beginning tells about it.
type KeyKind string

// The kinds. The published description has two forms of key for these routes: new
// admin keys, and older compliance keys, whose beginning they share with project
// keys for the models.
const (
	KeyAdmin   KeyKind = "sk-admin-"
	KeyProject KeyKind = "sk-proj-"
	KeyOther   KeyKind = "other"
)

func kindOf(key string) KeyKind {
	for _, kind := range []KeyKind{KeyAdmin, KeyProject} {
		if strings.HasPrefix(key, string(kind)) {
			return kind
		}
	}
	return KeyOther
}
