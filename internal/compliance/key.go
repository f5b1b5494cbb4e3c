// Copyright The OpenTelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package compliance

import (
	"errors"
	"strings"
)

// KeySource yields the key of the requests.
type KeySource interface {
	// Key returns the bearer token. The error must not hold it.
	Key() (string, error)
	// Refresh lets the source look for another key. It is called once for each poll.
	Refresh()
}

// StaticKey is a key that never changes.
type StaticKey string

// Key implements KeySource.
func (k StaticKey) Key() (string, error) { return string(k), nil }

// Refresh implements KeySource.
func (StaticKey) Refresh() {}

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
