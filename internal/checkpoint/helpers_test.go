// Copyright The OpenTelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package checkpoint

import (
	"bytes"
	"context"
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"go.opentelemetry.io/collector/config/configretry"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/consumer/consumererror"
	"go.opentelemetry.io/collector/consumer/consumertest"
	"go.opentelemetry.io/collector/extension/xextension/storage"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/openaicompliance/openaicompliancereceiver/internal/deliver"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const (
	testKey   = "stream/ws-1/AUTH_LOG"
	startFrom = "now-1h"
	overlap   = time.Hour
)

var (
	floor = time.Date(2026, 8, 2, 0, 0, 0, 0, time.UTC)

	errDisk = errors.New("disk full")
)

// at is a time after the floor.
func at(d time.Duration) time.Time { return floor.Add(d) }

// memory is a storage.Client in memory whose verbs fail where told to.
type memory struct {
	data map[string][]byte

	getErr, setErr, deleteErr, batchErr error
	// afterSet fails a Set that has taken effect all the same.
	afterSet error
	sets     int
	// failAfter lets so many Sets pass and fails the next one; 0 fails none.
	failAfter, passed int
}

var _ storage.Client = (*memory)(nil)

func newMemory() *memory { return &memory{data: map[string][]byte{}} }

func (m *memory) Get(_ context.Context, key string) ([]byte, error) {
	if m.getErr != nil {
		return nil, m.getErr
	}
	return bytes.Clone(m.data[key]), nil
}

func (m *memory) Set(_ context.Context, key string, value []byte) error {
	m.sets++
	if m.setErr != nil {
		return m.setErr
	}
	if m.failAfter > 0 {
		if m.passed++; m.passed > m.failAfter {
			m.passed = 0
			return errors.New("killed")
		}
	}
	m.data[key] = bytes.Clone(value)
	return m.afterSet
}

func (m *memory) Delete(_ context.Context, key string) error {
	if m.deleteErr != nil {
		return m.deleteErr
	}
	delete(m.data, key)
	return nil
}

// Batch is not atomic: a verb that fails leaves the ones before it done.
func (m *memory) Batch(ctx context.Context, ops ...*storage.Operation) (err error) {
	if m.batchErr != nil {
		return m.batchErr
	}
	for _, op := range ops {
		switch op.Type {
		case storage.Get:
			op.Value, err = m.Get(ctx, op.Key)
		case storage.Set:
			err = m.Set(ctx, op.Key, op.Value)
		case storage.Delete:
			err = m.Delete(ctx, op.Key)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (*memory) Close(context.Context) error { return nil }

// nopObs is a deliver.Obs.
type nopObs struct{}

func (nopObs) StartLogsOp(ctx context.Context) context.Context { return ctx }

func (nopObs) EndLogsOp(context.Context, string, int, error) {}

// mint delivers a span, the only way to a Receipt.
func mint(tb testing.TB, next consumer.Logs, s deliver.Span) deliver.Receipt {
	tb.Helper()
	d := deliver.New(deliver.Settings{
		Next: next, Obs: nopObs{}, Retry: configretry.NewDefaultBackOffConfig(),
		OnPermanent: deliver.Drop, OnRefused: func(deliver.Refusal) {},
	})
	receipt, err := d.Deliver(tb.Context(), tb.Context(), deliver.Batch{Span: s, Records: 1, Build: plog.NewLogs})
	require.NoError(tb, err)
	return receipt
}

// accepted is the Receipt of a span that a consumer took.
func accepted(tb testing.TB, s deliver.Span) deliver.Receipt {
	tb.Helper()
	return mint(tb, consumertest.NewNop(), s)
}

// dropped is the Receipt of a span that was given up by choice.
func dropped(tb testing.TB, s deliver.Span) deliver.Receipt {
	tb.Helper()
	r := mint(tb, consumertest.NewErr(consumererror.NewPermanent(errors.New("bad"))), s)
	require.Equal(tb, deliver.Dropped, r.Outcome())
	return r
}

// span names a file by its end, delivered up to next.
func span(id string, end time.Time, next int) deliver.Span {
	return deliver.Span{FileID: id, SHA256: "sha-" + id, EndTime: end, NextLine: next}
}

// whole is the last span of a file.
func whole(id string, end time.Time) deliver.Span {
	return deliver.Span{FileID: id, SHA256: "sha-" + id, EndTime: end, Last: true}
}

// fixture is a stream and the storage below it.
type fixture struct {
	*Stream
	tb     testing.TB
	memory *memory
	keep   time.Duration
}

// newFixture is a stream at its first run.
func newFixture(tb testing.TB, keep time.Duration) *fixture {
	tb.Helper()
	m := newMemory()
	s, err := Create(tb.Context(), m, testKey, Beginning{Floor: floor, StartFrom: startFrom}, Settings{Overlap: keep})
	require.NoError(tb, err)
	return &fixture{Stream: s, tb: tb, memory: m, keep: keep}
}

// reload restarts on the same storage, with an overlap.
func (f *fixture) reload(keep time.Duration) {
	f.tb.Helper()
	s, err := Load(f.tb.Context(), f.memory, testKey, Settings{Overlap: keep})
	require.NoError(f.tb, err)
	require.NotNil(f.tb, s)
	f.Stream, f.keep = s, keep
}

// done finishes a file.
func (f *fixture) done(id string, end time.Time) {
	f.tb.Helper()
	require.NoError(f.tb, f.Advance(f.tb.Context(), accepted(f.tb, whole(id, end))))
}

// pass is a pass that brings one file.
func (f *fixture) pass(id string, end time.Time) {
	f.tb.Helper()
	if f.listed(end) && !f.Done(id) {
		f.done(id, end)
	}
}

// begin delivers a file in part.
func (f *fixture) begin(id string, end time.Time, next int) {
	f.tb.Helper()
	require.NoError(f.tb, f.Advance(f.tb.Context(), accepted(f.tb, span(id, end, next))))
}

// setAside quarantines a file.
func (f *fixture) setAside(id string, end time.Time) {
	f.tb.Helper()
	require.NoError(f.tb, f.Quarantine(f.tb.Context(), id, Quarantined{EndTime: end, Name: id, Reason: "sha256", Since: end}))
}

// snapshot is the stream's state as it would be stored.
func (f *fixture) snapshot() string {
	f.tb.Helper()
	value, err := f.state.encode()
	require.NoError(f.tb, err)
	return string(value)
}

// listed reports whether a listing from ListFrom holds a file that ended then.
func (f *fixture) listed(end time.Time) bool { return end.After(f.ListFrom(Live, 0)) }

// cursor of the live segment.
func cursor(s *Stream) time.Time {
	live, _ := s.Segment(Live)
	return live.Cursor
}
