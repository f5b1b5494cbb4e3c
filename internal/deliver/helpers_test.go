// Copyright The OpenTelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package deliver

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"go.opentelemetry.io/collector/config/configretry"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/consumer/consumererror"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/openaicompliance/openaicompliancereceiver/internal/wait"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var (
	errBusy = errors.New("busy")
	errBad  = consumererror.NewPermanent(errors.New("bad data"))
)

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

// offered is one call of the next consumer.
type offered struct {
	records []int
	at      time.Duration // since the bench was made
	err     error
}

// bench is a Consumer with a scripted next consumer and everything recorded.
type bench struct {
	t *testing.T
	Settings
	obs        observer
	rejections []Rejection
	calls      []offered
	started    time.Time
}

// newBench has a next consumer that answers the records of a call with script,
// and no randomness in its waits: 1 s, 2 s, 4 s and so on up to 30 s.
func newBench(t *testing.T, script func(records []int) error) *bench {
	t.Helper()
	b := &bench{t: t, started: time.Now()}
	next, err := consumer.NewLogs(func(_ context.Context, logs plog.Logs) error {
		records := indexesOf(logs)
		err := script(records)
		b.calls = append(b.calls, offered{records, time.Since(b.started), err})
		return err
	})
	require.NoError(t, err)
	b.Settings = Settings{
		Next:        next,
		Obs:         &b.obs,
		Retry:       configretry.BackOffConfig{Enabled: true, InitialInterval: time.Second, MaxInterval: 30 * time.Second, Multiplier: 2},
		OnPermanent: Quarantine,
		OnRejected:  func(r Rejection) { b.rejections = append(b.rejections, r) },
	}
	return b
}

// build makes log records that carry their indexes.
func build(indexes []int) plog.Logs {
	logs := plog.NewLogs()
	records := logs.ResourceLogs().AppendEmpty().ScopeLogs().AppendEmpty().LogRecords()
	for _, i := range indexes {
		records.AppendEmpty().Body().SetInt(int64(i))
	}
	return logs
}

func indexesOf(logs plog.Logs) []int {
	var indexes []int
	for _, record := range logs.ResourceLogs().At(0).ScopeLogs().At(0).LogRecords().All() {
		indexes = append(indexes, int(record.Body().Int()))
	}
	return indexes
}

// call is what the engine makes of a step: lines are indexes plus one.
func call(d *Delivery, step Step, n int) Call {
	first, ahead := d.Left(step)
	part := Part{File: FileRef{ID: "file-01"}, SHA256: "9f86d081", NextLine: first + 1}
	if first == n {
		part.NextLine = 0
	}
	for _, i := range ahead {
		part.Ahead = append(part.Ahead, i+1)
	}
	for _, i := range step.Records {
		part.Lines = append(part.Lines, i+1)
	}
	return Call{Part: part, Records: len(step.Records), Build: func() plog.Logs { return build(step.Records) }}
}

// sizesOf is n records of the same size.
func sizesOf(n, bytes int) []int { return slices.Repeat([]int{bytes}, n) }

// ledger checks the receipts of one delivery as a checkpoint would.
type ledger struct {
	t        *testing.T
	outcomes []Outcome
	nextLine int
	maxAhead int
}

func newLedger(t *testing.T, n int) *ledger {
	t.Helper()
	return &ledger{t: t, outcomes: make([]Outcome, n), nextLine: 1}
}

// add takes a receipt: each record is settled once, and the next line and the
// lines ahead are exactly those that are settled.
func (l *ledger) add(step Step, receipt Receipt) {
	l.t.Helper()
	part, ok := receipt.Part()
	if !ok {
		assert.Equal(l.t, Open, receipt.Outcome())
		return
	}
	if !step.Probe {
		assert.GreaterOrEqual(l.t, part.Lines[0], l.nextLine, "parts go left to right")
	}
	for _, line := range part.Lines {
		require.Equal(l.t, Open, l.outcomes[line-1], "line %d is settled twice", line)
		l.outcomes[line-1] = receipt.Outcome()
	}
	first := slices.Index(l.outcomes, Open)
	next := first + 1 // 0 for none
	require.Equal(l.t, next, part.NextLine)
	var ahead []int
	for i := first + 1; first >= 0 && i < len(l.outcomes); i++ {
		if l.outcomes[i] != Open {
			ahead = append(ahead, i+1)
		}
	}
	require.Equal(l.t, ahead, part.Ahead)
	require.LessOrEqual(l.t, len(ahead), MaxAhead)
	l.maxAhead = max(l.maxAhead, len(ahead))
	if next > 0 {
		l.nextLine = next
	}
}

// with are the indexes of one outcome.
func (l *ledger) with(outcome Outcome) []int {
	var indexes []int
	for i, o := range l.outcomes {
		if o == outcome {
			indexes = append(indexes, i)
		}
	}
	return indexes
}

// errStopped ends a delivery that the test has seen enough of.
var errStopped = errors.New("stopped")

// deliver runs one delivery as the engine does, for at most limit steps.
func (b *bench) deliver(c *Consumer, sizes []int, limit int) (*ledger, *Delivery, error) {
	b.t.Helper()
	d, l := c.NewDelivery(sizes), newLedger(b.t, len(sizes))
	for step, ok := d.Next(); ok; step, ok = d.Next() {
		if limit--; limit < 0 {
			return l, d, errStopped
		}
		if err := wait.Sleep(b.t.Context(), step.Wait); err != nil {
			return l, d, err
		}
		receipt, err := d.Offer(b.t.Context(), step, call(d, step, len(sizes)))
		if err != nil {
			return l, d, err
		}
		l.add(step, receipt)
	}
	return l, d, nil
}

// lengths is how many records each call had.
func (b *bench) lengths() []int {
	lengths := make([]int, len(b.calls))
	for i, c := range b.calls {
		lengths[i] = len(c.records)
	}
	return lengths
}

// rejecting answers err where a call has one of the records.
func rejecting(err error, bad ...int) func([]int) error {
	return func(records []int) error {
		if slices.ContainsFunc(records, func(i int) bool { return slices.Contains(bad, i) }) {
			return err
		}
		return nil
	}
}

// answers gives one answer to each call.
func answers(errs ...error) func([]int) error {
	n := 0
	return func([]int) error { n++; return errs[n-1] }
}

// always gives one answer to every call.
func always(err error) func([]int) error { return func([]int) error { return err } }
