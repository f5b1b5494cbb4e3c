// Copyright The OpenTelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package deliver

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"go.opentelemetry.io/collector/config/configretry"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/pdata/plog"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var testSpan = Span{
	FileID: "file-01", SHA256: "9f86d081", EndTime: time.Date(2026, 8, 2, 9, 10, 0, 0, time.UTC), NextLine: 4,
}

// opKey marks the context that StartLogsOp returned.
type opKey struct{}

// observer is an Obs that keeps what it was told.
type observer struct {
	starts int
	ends   []observed
}

type observed struct {
	inOp    bool
	format  string
	records int
	err     error
}

func (o *observer) StartLogsOp(ctx context.Context) context.Context {
	o.starts++
	return context.WithValue(ctx, opKey{}, true)
}

func (o *observer) EndLogsOp(ctx context.Context, format string, records int, err error) {
	o.ends = append(o.ends, observed{ctx.Value(opKey{}) == true, format, records, err})
}

// bench is a Deliverer with everything around it recorded.
type bench struct {
	Settings
	obs      observer
	refusals []Refusal   // without Since
	since    []time.Time // of each refusal
	calls    []time.Time // of ConsumeLogs
	builds   int
	received []int // records that each call got
}

// newBench has a consumer that answers call n (from 1) with answer(n), and no
// randomness in its waits: 1 s, 2 s, 4 s and so on up to 5 s.
func newBench(t *testing.T, answer func(ctx context.Context, n int) error) *bench {
	t.Helper()
	b := &bench{}
	next, err := consumer.NewLogs(func(ctx context.Context, logs plog.Logs) error {
		b.calls = append(b.calls, time.Now())
		b.received = append(b.received, logs.LogRecordCount())
		return answer(ctx, len(b.calls))
	})
	require.NoError(t, err)
	b.Settings = Settings{
		Next:  next,
		Obs:   &b.obs,
		Retry: configretry.BackOffConfig{Enabled: true, InitialInterval: time.Second, MaxInterval: 5 * time.Second, Multiplier: 2},
		OnRefused: func(r Refusal) {
			require.IsType(t, brief{}, r.Err) //nolint:testifylint // the type itself is what is proven
			r.Err = errors.Unwrap(r.Err)      // its text is cut, see TestRefusalIsBrief
			b.since = append(b.since, r.Since)
			r.Since = time.Time{}
			b.refusals = append(b.refusals, r)
		},
	}
	return b
}

// batch holds n records.
func (b *bench) batch(n int) Batch {
	return Batch{Span: testSpan, Records: n, Build: func() plog.Logs {
		b.builds++
		logs := plog.NewLogs()
		records := logs.ResourceLogs().AppendEmpty().ScopeLogs().AppendEmpty().LogRecords()
		for range n {
			records.AppendEmpty().Body().SetStr("line")
		}
		return logs
	}}
}

// answers gives one answer to each call.
func answers(errs ...error) func(context.Context, int) error {
	return func(_ context.Context, n int) error { return errs[n-1] }
}

// always gives one answer to every call.
func always(err error) func(context.Context, int) error {
	return func(context.Context, int) error { return err }
}
