// Copyright The OpenTelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package receiver

import (
	"context"
	"encoding/pem"
	"net/http/httptest"
	"slices"
	"sync"

	"go.uber.org/zap"

	"go.opentelemetry.io/collector/config/configopaque"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/pdata/plog"
)

type syncSlice[T any] struct {
	mu    sync.Mutex
	items []T
}

func (s *syncSlice[T]) add(item T) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.items = append(s.items, item)
}

func (s *syncSlice[T]) all() []T {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.items)
}

// consumeFunc is a consumer made of a function.
type consumeFunc func(ctx context.Context, logs plog.Logs) error

func (f consumeFunc) ConsumeLogs(ctx context.Context, logs plog.Logs) error { return f(ctx, logs) }

func (consumeFunc) Capabilities() consumer.Capabilities {
	return consumer.Capabilities{MutatesData: true}
}

func zapString(key, value string) zap.Field { return zap.String(key, value) }

func pemOf(server *httptest.Server) configopaque.String {
	return configopaque.String(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw}))
}
