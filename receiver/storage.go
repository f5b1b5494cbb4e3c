// Copyright The OpenTelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package receiver

import (
	"context"
	"fmt"
	"time"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/extension/xextension/storage"
)

// storageTimeout bounds what Start waits for a silent storage extension.
const storageTimeout = 30 * time.Second

// openStorage returns the client that keeps the positions.
func openStorage(ctx context.Context, host component.Host, storageID *component.ID, owner component.ID) (storage.Client, error) {
	if storageID == nil {
		return storage.NewNopClient(), nil
	}
	ext, ok := host.GetExtensions()[*storageID]
	if !ok {
		return nil, fmt.Errorf("storage: extension %q is not running; define it under extensions and list it under service::extensions", storageID)
	}
	provider, ok := ext.(storage.Extension)
	if !ok {
		return nil, fmt.Errorf("storage: extension %q does not keep state; name a storage extension such as file_storage", storageID)
	}
	client, err := provider.GetClient(ctx, component.KindReceiver, owner, "")
	if err != nil {
		return nil, fmt.Errorf("storage: open %q: %w", storageID, err)
	}
	return client, nil
}
