// Copyright The OpenTelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package receiver

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/extension/xextension/storage"

	"github.com/openaicompliance/openaicompliancereceiver/internal/secret"
)

// storageTimeout bounds what Start waits for a silent storage extension.
const storageTimeout = 30 * time.Second

// openStorage returns the client that keeps the positions.
func openStorage(ctx context.Context, host component.Host, storageID *component.ID, owner component.ID) (storage.Client, error) {
	if storageID == nil {
		return &ephemeral{}, nil
	}
	ext, ok := host.GetExtensions()[*storageID]
	if !ok {
		return nil, fmt.Errorf("storage: extension %s is not running; define it under extensions and list it under service::extensions", quoteID(storageID))
	}
	provider, ok := ext.(storage.Extension)
	if !ok {
		return nil, fmt.Errorf("storage: extension %s does not keep state; name a storage extension such as file_storage", quoteID(storageID))
	}
	client, err := provider.GetClient(ctx, component.KindReceiver, owner, "")
	switch {
	case isLockTimeout(err):
		return nil, fmt.Errorf("storage: open %s: another collector holds the storage: %w", quoteID(storageID), err)
	case err != nil:
		return nil, fmt.Errorf("storage: open %s: %w", quoteID(storageID), err)
	}
	return client, nil
}

func quoteID(id *component.ID) string { return secret.Quote(id.String()) }

// isLockTimeout recognizes what file_storage returns after it waited for the lock of
// a file: bbolt's error, of which the text is all that is known here.
func isLockTimeout(err error) bool {
	for ; err != nil; err = errors.Unwrap(err) {
		if err.Error() == "timeout" {
			return true
		}
	}
	return false
}

// ephemeral keeps the positions for as long as the receiver runs, for
// allow_ephemeral_cursor. What is written is read back, unlike with
// storage.NewNopClient: the ledger and the window count on that to forget.
type ephemeral struct{ values sync.Map }

// Get returns a copy of the value.
func (e *ephemeral) Get(_ context.Context, key string) ([]byte, error) {
	value, _ := e.values.Load(key)
	data, _ := value.([]byte)
	return bytes.Clone(data), nil
}

// Set keeps a copy of the value: the caller may use its memory again.
func (e *ephemeral) Set(_ context.Context, key string, value []byte) error {
	e.values.Store(key, bytes.Clone(value))
	return nil
}

func (e *ephemeral) Delete(_ context.Context, key string) error {
	e.values.Delete(key)
	return nil
}

func (e *ephemeral) Batch(ctx context.Context, ops ...*storage.Operation) (err error) {
	for _, op := range ops {
		switch op.Type {
		case storage.Get:
			op.Value, err = e.Get(ctx, op.Key)
		case storage.Set:
			err = e.Set(ctx, op.Key, op.Value)
		case storage.Delete:
			err = e.Delete(ctx, op.Key)
		}
	}
	return err
}

func (*ephemeral) Close(context.Context) error { return nil }
