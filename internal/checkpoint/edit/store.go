// Copyright The OpenTelemetry Authors
// SPDX-License-Identifier: Apache-2.0

// Package edit changes what is stored of streams while no receiver runs. The running
// receiver must not import it: there only a Receipt completes a file.
package edit

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"go.opentelemetry.io/collector/extension/xextension/storage"

	"github.com/openaicompliance/openaicompliancereceiver/internal/checkpoint"
	"github.com/openaicompliance/openaicompliancereceiver/internal/checkpoint/internal/permit"
)

// Store is the storage of one receiver that does not run.
type Store struct {
	client storage.Client
	// keys of each stream, by the stream's key.
	keys    map[string][]string
	foreign []string
}

// Open lists what the client holds.
func Open(ctx context.Context, client storage.Client) (*Store, error) {
	walker, ok := client.(storage.Walker)
	if !ok {
		return nil, errors.New("list keys: the storage cannot do it")
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

// Streams returns the keys of the streams of which anything is stored, in order.
func (s *Store) Streams() []string { return slices.Sorted(maps.Keys(s.keys)) }

// Foreign returns the keys that are not the receiver's.
func (s *Store) Foreign() []string { return s.foreign }

// Read returns the state of a stream, whole and checked; nil when nothing is stored.
func (s *Store) Read(ctx context.Context, key string) (*checkpoint.Snapshot, error) {
	snap, err := checkpoint.ReadSnapshot(ctx, s.client, key)
	if err == nil && snap == nil && s.keys[key] != nil {
		return nil, fmt.Errorf("load checkpoint %q: %w: no term names one of its checkpoints", key, checkpoint.ErrCorrupt)
	}
	return snap, err
}

// Replace stores snapshots in place of what is there, all or none where the storage knows
// transactions, and reads them back.
func (s *Store) Replace(ctx context.Context, snaps ...*checkpoint.Snapshot) error {
	var ops []*storage.Operation
	for _, snap := range snaps {
		more, err := snap.Operations(ctx, permit.Edit{}, s.client, s.keys[snap.Key])
		if err != nil {
			return err
		}
		ops = append(ops, more...)
	}
	if err := s.client.Batch(ctx, ops...); err != nil {
		return fmt.Errorf("store: %w", err)
	}
	for _, op := range ops {
		s.note(op)
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

// note keeps the list of keys in step with an operation.
func (s *Store) note(op *storage.Operation) {
	k, _ := checkpoint.ParseKey(op.Key)
	others := slices.DeleteFunc(s.keys[k.Stream], func(key string) bool { return key == op.Key })
	if op.Type == storage.Set {
		others = append(others, op.Key)
	}
	if s.keys[k.Stream] = others; len(others) == 0 {
		delete(s.keys, k.Stream)
	}
}

func same(a, b *checkpoint.Snapshot) bool {
	one, errOne := encode([]*checkpoint.Snapshot{a})
	other, errOther := encode([]*checkpoint.Snapshot{b})
	return errOne == nil && errOther == nil && bytes.Equal(one, other)
}

// Delete removes everything of the streams, corrupt or not.
func (s *Store) Delete(ctx context.Context, streams ...string) error {
	var ops []*storage.Operation
	for _, stream := range streams {
		keys := slices.Clone(s.keys[stream])
		slices.SortFunc(keys, termFirst) // without a term there is no stream: no moment shows a corrupt one
		for _, key := range keys {
			ops = append(ops, storage.DeleteOperation(key))
		}
	}
	if err := s.client.Batch(ctx, ops...); err != nil {
		return fmt.Errorf("delete: %w", err)
	}
	for _, op := range ops {
		s.note(op)
	}
	return nil
}

func termFirst(a, b string) int {
	switch aTerm, bTerm := strings.HasSuffix(a, "/term"), strings.HasSuffix(b, "/term"); {
	case aTerm && !bTerm:
		return -1
	case bTerm && !aTerm:
		return 1
	}
	return strings.Compare(a, b)
}
