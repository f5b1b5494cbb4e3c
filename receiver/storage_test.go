// Copyright The OpenTelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package receiver

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/extension/xextension/storage"
)

// failingStorage is a storage extension whose clients cannot be opened.
type failingStorage struct {
	component.StartFunc
	component.ShutdownFunc
	err error
}

func (f failingStorage) GetClient(context.Context, component.Kind, component.ID, string) (storage.Client, error) {
	return nil, f.err
}

type extensions map[component.ID]component.Component

func (e extensions) GetExtensions() map[component.ID]component.Component { return e }

// A lock that another process holds is named, other faults are not taken for it.
func TestStorageLockTimeout(t *testing.T) {
	timeout := errors.New("timeout") // bbolt's
	for _, tt := range []struct {
		err  error
		want string
	}{
		{timeout, `storage: open "file_storage": another collector holds the storage: timeout`},
		{fmt.Errorf("open client: %w", timeout), `storage: open "file_storage": another collector holds the storage: open client: timeout`},
		{errors.New("i/o timeout"), `storage: open "file_storage": i/o timeout`},
		{context.DeadlineExceeded, `storage: open "file_storage": context deadline exceeded`},
	} {
		_, err := openStorage(t.Context(), extensions{storageID: failingStorage{err: tt.err}}, &storageID, component.MustNewID("openai_compliance"))
		require.EqualError(t, err, tt.want)
		require.ErrorIs(t, err, tt.err)
	}
}

// What is stored in memory is neither the caller's slice nor the reader's.
func TestEphemeralCopies(t *testing.T) {
	client := &ephemeral{}
	value := []byte("stored")
	require.NoError(t, client.Batch(t.Context(), storage.SetOperation("a", value)))
	value[0] = 'X'
	get := storage.GetOperation("a")
	require.NoError(t, client.Batch(t.Context(), get))
	assert.Equal(t, "stored", string(get.Value))
	get.Value[0] = 'X'
	read, err := client.Get(t.Context(), "a")
	require.NoError(t, err)
	assert.Equal(t, "stored", string(read))
	read, err = client.Get(t.Context(), "b")
	require.NoError(t, err)
	assert.Nil(t, read)
}
