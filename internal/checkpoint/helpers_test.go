// Copyright The OpenTelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package checkpoint

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
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

const testKey = "stream/ws-1/AUTH_LOG"

var (
	floor = time.Date(2026, 8, 2, 0, 0, 0, 0, time.UTC)

	errDisk   = errors.New("disk full")
	errKilled = errors.New("killed")

	firstRun = FirstRun{StartFrom: "now-1h", Clock: floor}

	// daySettings remember events of a day, up to 800 in blocks of 100.
	daySettings = Settings{Window: 24 * time.Hour, MaxEvents: 800}
)

// at is a time after the floor.
func at(d time.Duration) time.Time { return floor.Add(d) }

// memory is a storage.Client in memory. Batch is not atomic: each of its operations is a
// call of its own, in order.
type memory struct {
	data map[string][]byte

	// err fails every call; setErr and deleteErr those calls. afterSet fails a Set that has
	// taken effect anyway.
	err, setErr, deleteErr, afterSet error
	// calls counts the operations. After failAfter of them, when above 0, one fails, or
	// all following ones when killed is set.
	calls, failAfter int
	killed           bool
	sets             int
	// wait, when set, is called before each Set.
	wait func()
}

var _ storage.Client = (*memory)(nil)

func newMemory() *memory { return &memory{data: map[string][]byte{}} }

// clone has the same data and no faults.
func (m *memory) clone() *memory {
	c := newMemory()
	for key, value := range m.data {
		c.data[key] = bytes.Clone(value)
	}
	return c
}

func (m *memory) call() error {
	m.calls++
	if m.failAfter > 0 && (m.calls == m.failAfter || m.killed && m.calls > m.failAfter) {
		return errKilled
	}
	return m.err
}

func (m *memory) Get(_ context.Context, key string) ([]byte, error) {
	if err := m.call(); err != nil {
		return nil, err
	}
	return bytes.Clone(m.data[key]), nil
}

func (m *memory) Set(_ context.Context, key string, value []byte) error {
	if m.wait != nil {
		m.wait()
	}
	if err := m.call(); err != nil {
		return err
	}
	m.sets++
	if m.setErr != nil {
		return m.setErr
	}
	m.data[key] = bytes.Clone(value)
	return m.afterSet
}

func (m *memory) Delete(_ context.Context, key string) error {
	if err := m.call(); err != nil {
		return err
	}
	if m.deleteErr != nil {
		return m.deleteErr
	}
	delete(m.data, key)
	return nil
}

func (m *memory) Batch(ctx context.Context, ops ...*storage.Operation) (err error) {
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

// deliverPart delivers a part, the only way to a Receipt.
func deliverPart(tb testing.TB, next consumer.Logs, policy deliver.Policy, part deliver.Part) deliver.Receipt {
	tb.Helper()
	d := deliver.NewConsumer(deliver.Settings{
		Next: next, Obs: nopObs{}, Retry: configretry.NewDefaultBackOffConfig(),
		OnPermanent: policy, OnRejected: func(deliver.Rejection) {},
	}).NewDelivery([]int{1})
	step, ok := d.Next()
	require.True(tb, ok)
	receipt, err := d.Offer(tb.Context(), step, deliver.Call{Part: part, Records: 1, Build: plog.NewLogs})
	require.NoError(tb, err)
	return receipt
}

func accepted(tb testing.TB, part deliver.Part) deliver.Receipt {
	tb.Helper()
	return deliverPart(tb, consumertest.NewNop(), deliver.Block, part)
}

var errRejected = consumererror.NewPermanent(errors.New("bad"))

func dropped(tb testing.TB, part deliver.Part) deliver.Receipt {
	tb.Helper()
	r := deliverPart(tb, consumertest.NewErr(errRejected), deliver.Drop, part)
	require.Equal(tb, deliver.Dropped, r.Outcome())
	return r
}

func quarantined(tb testing.TB, part deliver.Part) deliver.Receipt {
	tb.Helper()
	r := deliverPart(tb, consumertest.NewErr(errRejected), deliver.Quarantine, part)
	require.Equal(tb, deliver.Quarantined, r.Outcome())
	return r
}

// ref names a file by its end_time.
func ref(id string, end time.Time) deliver.FileRef {
	return deliver.FileRef{ID: id, Name: id + ".jsonl", Size: 10, EndTime: end, SHA256: "listed-" + id}
}

// partOf is some lines of a file, delivered up to next; 0 completes the file.
func partOf(id string, end time.Time, next int, lines ...int) deliver.Part {
	return deliver.Part{File: ref(id, end), SHA256: "sha-" + id, NextLine: next, Lines: lines}
}

// whole is a file to be queued whole.
func whole(id string, end time.Time) QueuedFile {
	return QueuedFile{File: ref(id, end), NextLine: 1, Reason: "no route", Cause: "connection", Since: end}
}

// fixture is a stream and its storage.
type fixture struct {
	*Stream
	tb     testing.TB
	memory *memory
}

// newFixture is a stream with bounds.
func newFixture(tb testing.TB, b Bounds, set Settings) *fixture {
	tb.Helper()
	m := newMemory()
	s, err := Create(tb.Context(), m, testKey, firstRun, set)
	require.NoError(tb, err)
	require.NoError(tb, s.FixBounds(tb.Context(), b))
	return &fixture{s, tb, m}
}

// live is a stream with one segment.
func live(tb testing.TB) *fixture {
	tb.Helper()
	return newFixture(tb, Bounds{Floor: floor}, daySettings)
}

// reload begins a new term on the same storage.
func (f *fixture) reload() {
	f.tb.Helper()
	f.loadWith(daySettings)
}

func (f *fixture) loadWith(set Settings) {
	f.tb.Helper()
	s, err := Load(f.tb.Context(), f.memory, testKey, set)
	require.NoError(f.tb, err)
	require.NotNil(f.tb, s)
	f.Stream = s
}

func (f *fixture) commitPart(r deliver.Receipt) {
	f.tb.Helper()
	require.NoError(f.tb, f.Commit(f.tb.Context(), r, CommitTime{Now: at(time.Hour)}))
}

// done completes a file.
func (f *fixture) done(id string, end time.Time) {
	f.tb.Helper()
	f.commitPart(accepted(f.tb, partOf(id, end, 0)))
}

// begin delivers a file in part.
func (f *fixture) begin(id string, end time.Time, next int) {
	f.tb.Helper()
	f.commitPart(accepted(f.tb, partOf(id, end, next)))
}

func (f *fixture) enqueue(file QueuedFile) {
	f.tb.Helper()
	require.NoError(f.tb, f.EnqueueAndPass(f.tb.Context(), file))
}

// cursor of the live segment.
func (f *fixture) cursor() time.Time {
	seg, _ := f.Segment(Live)
	return seg.Cursor
}

// shown is what shows of a stream, to compare.
func shown(s *Stream) string {
	now := *s.current()
	now.Unused, now.NextBlock = nil, 0
	now.Queue = nil
	value, _ := now.encode()
	return fmt.Sprintf("%s\n%+v\n%d %d", value, s.Queue(), len(s.completed), s.events.used)
}

// blocksNamed returns the keys that the stored checkpoint of a stream needs.
func blocksNamed(s *Stream) map[string]bool {
	now := s.current()
	named := map[string]bool{termKey(s.key): true, s.key + "/" + s.term.ID: true}
	for _, ref := range append(append([]blockRef{}, now.Completed.Blocks...), now.Events.Blocks...) {
		named[s.key+"/"+ref.Name] = true
	}
	for _, block := range now.Queue {
		named[s.key+"/"+block.Name] = true
	}
	return named
}

// requireNoLeftovers requires that storage holds what the stream names and nothing else.
func (f *fixture) requireNoLeftovers() {
	f.tb.Helper()
	stored := map[string]bool{}
	for key := range maps.Keys(f.memory.data) {
		stored[key] = true
	}
	require.Equal(f.tb, blocksNamed(f.Stream), stored)
}
