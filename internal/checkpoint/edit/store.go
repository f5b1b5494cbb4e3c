// Copyright The OpenTelemetry Authors
// SPDX-License-Identifier: Apache-2.0

// Package edit changes what is stored of streams while no receiver runs. The
// running receiver must not import it: there only a Receipt moves a position.
package edit

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"

	"go.opentelemetry.io/collector/extension/xextension/storage"

	"github.com/openaicompliance/openaicompliancereceiver/internal/checkpoint"
	"github.com/openaicompliance/openaicompliancereceiver/internal/checkpoint/internal/permit"
)

// Store is the storage of one receiver that does not run.
type Store struct {
	client storage.Client
	// keys of each stream, its mark's and its blocks', by the mark's.
	keys    map[string][]string
	foreign []string
}

// Open lists what the client holds.
func Open(ctx context.Context, client storage.Client) (*Store, error) {
	walker, ok := client.(storage.Walker)
	if !ok {
		return nil, errors.New("the storage cannot list its keys")
	}
	s := &Store{client: client, keys: map[string][]string{}}
	err := walker.Walk(ctx, func(key string, _ []byte) ([]*storage.Operation, error) {
		if k, ok := checkpoint.ParseKey(key); ok {
			s.keys[k.Stream] = append(s.keys[k.Stream], key)
		} else {
			s.foreign = append(s.foreign, key)
		}
		return nil, nil
	})
	if err != nil {
		return nil, fmt.Errorf("list keys: %w", err)
	}
	return s, nil
}

// Streams are the keys of the streams of which anything is stored, in order.
func (s *Store) Streams() []string { return slices.Sorted(maps.Keys(s.keys)) }

// Foreign are the keys that are none of this receiver's.
func (s *Store) Foreign() []string { return s.foreign }

// errNoMark is what a stream is without the value that names its blocks.
var errNoMark = fmt.Errorf("%w: blocks without the value that names them", checkpoint.ErrDamaged)

// Read returns a stream's state, whole and checked.
func (s *Store) Read(ctx context.Context, key string) (*checkpoint.Snapshot, error) {
	snap, err := checkpoint.ReadSnapshot(ctx, s.client, key)
	if err == nil && snap == nil && s.keys[key] != nil {
		return nil, fmt.Errorf("read state %q: %w", key, errNoMark)
	}
	return snap, err
}

// Replace stores snapshots in place of what is there, all or none where the
// storage knows transactions, and reads them back.
func (s *Store) Replace(ctx context.Context, snaps ...*checkpoint.Snapshot) error {
	var ops []*storage.Operation
	for _, snap := range snaps {
		more, err := snap.Operations(permit.Edit{}, s.keys[snap.Key])
		if err != nil {
			return err
		}
		ops = append(ops, more...)
	}
	if err := s.client.Batch(ctx, ops...); err != nil {
		return fmt.Errorf("store: %w", err)
	}
	for _, snap := range snaps {
		stored, err := checkpoint.ReadSnapshot(ctx, s.client, snap.Key)
		if err != nil {
			return fmt.Errorf("read back: %w", err)
		}
		if !same(stored, snap) {
			return fmt.Errorf("read back %q: it is not what was stored", snap.Key)
		}
	}
	return nil
}

func same(a, b *checkpoint.Snapshot) bool {
	one, errOne := encode([]*checkpoint.Snapshot{a})
	other, errOther := encode([]*checkpoint.Snapshot{b})
	return errOne == nil && errOther == nil && bytes.Equal(one, other)
}

// Delete removes everything of the streams, damaged or not.
func (s *Store) Delete(ctx context.Context, streams ...string) error {
	var ops []*storage.Operation
	for _, stream := range streams {
		keys := slices.Clone(s.keys[stream])
		slices.Sort(keys) // the mark before the blocks it names
		for _, key := range keys {
			ops = append(ops, storage.DeleteOperation(key))
		}
	}
	if err := s.client.Batch(ctx, ops...); err != nil {
		return fmt.Errorf("delete: %w", err)
	}
	return nil
}
