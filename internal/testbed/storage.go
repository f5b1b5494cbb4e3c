// Copyright The OpenTelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package testbed

import (
	"bytes"
	"context"
	"errors"
	"maps"
	"sync"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/extension/xextension/storage"
)

// Storage is a storage extension in memory, with one knob per verb. One client
// exists at a time for each component, as with a file that is locked.
type Storage struct {
	component.StartFunc
	component.ShutdownFunc

	mu     sync.Mutex // guards everything below
	values map[string][]byte
	open   map[component.ID]bool
	// Errors to answer with, nil for none.
	getErr, setErr error
	sets           int
}

// ErrLocked is what a second client of the same component gets.
var ErrLocked = errors.New("storage: locked by another client")

// NewStorage returns an empty storage.
func NewStorage() *Storage {
	return &Storage{values: map[string][]byte{}, open: map[component.ID]bool{}}
}

// GetClient implements storage.Extension.
func (s *Storage) GetClient(_ context.Context, _ component.Kind, id component.ID, _ string) (storage.Client, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.open[id] {
		return nil, ErrLocked
	}
	s.open[id] = true
	return &storageClient{s: s, id: id}, nil
}

// FailGet and FailSet make reads or writes fail, until called with nil.
func (s *Storage) FailGet(err error) { s.mu.Lock(); s.getErr = err; s.mu.Unlock() }

// FailSet is documented with FailGet.
func (s *Storage) FailSet(err error) { s.mu.Lock(); s.setErr = err; s.mu.Unlock() }

// Value returns what is stored under a key.
func (s *Storage) Value(key string) []byte {
	s.mu.Lock()
	defer s.mu.Unlock()
	return bytes.Clone(s.values[key])
}

// All returns everything that is stored, by key.
func (s *Storage) All() map[string][]byte {
	s.mu.Lock()
	defer s.mu.Unlock()
	return maps.Clone(s.values) // values are never changed, only replaced
}

// SetValue stores behind the back of every client.
func (s *Storage) SetValue(key string, value []byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.values[key] = bytes.Clone(value)
}

// Sets counts the successful writes.
func (s *Storage) Sets() int { s.mu.Lock(); defer s.mu.Unlock(); return s.sets }

// OpenClients counts the clients that were not closed.
func (s *Storage) OpenClients() int { s.mu.Lock(); defer s.mu.Unlock(); return len(s.open) }

type storageClient struct {
	s  *Storage
	id component.ID
}

func (c *storageClient) Get(_ context.Context, key string) ([]byte, error) {
	c.s.mu.Lock()
	defer c.s.mu.Unlock()
	return bytes.Clone(c.s.values[key]), c.s.getErr
}

// Walk implements storage.Walker; the operations that fn returns are applied at the end.
func (c *storageClient) Walk(ctx context.Context, fn storage.WalkFunc) error {
	var ops []*storage.Operation
	for key, value := range c.s.All() {
		more, err := fn(key, value)
		if err != nil && !errors.Is(err, storage.SkipAll) {
			return err
		}
		ops = append(ops, more...)
		if err != nil {
			break
		}
	}
	return c.Batch(ctx, ops...)
}

func (c *storageClient) Set(ctx context.Context, key string, value []byte) error {
	return c.Batch(ctx, storage.SetOperation(key, value))
}

func (c *storageClient) Delete(ctx context.Context, key string) error {
	return c.Batch(ctx, storage.DeleteOperation(key))
}

func (c *storageClient) Batch(_ context.Context, ops ...*storage.Operation) error {
	c.s.mu.Lock()
	defer c.s.mu.Unlock()
	for _, op := range ops {
		switch op.Type {
		case storage.Get:
			op.Value = bytes.Clone(c.s.values[op.Key])
		case storage.Set:
			if c.s.setErr != nil {
				return c.s.setErr
			}
			c.s.sets++
			c.s.values[op.Key] = bytes.Clone(op.Value)
		case storage.Delete:
			delete(c.s.values, op.Key)
		}
	}
	return nil
}

func (c *storageClient) Close(context.Context) error {
	c.s.mu.Lock()
	defer c.s.mu.Unlock()
	delete(c.s.open, c.id)
	return nil
}
