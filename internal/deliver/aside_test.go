// Copyright The OpenTelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package deliver

import (
	"errors"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"go.opentelemetry.io/collector/consumer/consumererror"
)

// Two batches in a row that are refused for good are set aside; the third shows a
// broken pipeline and is handed over again until it is accepted, which begins the
// count anew.
func TestSetAside(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, answers(errBad, errBad, errBad, errBad, errBad, nil, errBad, nil))
		b.OnPermanent = SetAside
		d := New(b.Settings)
		for i, want := range []Outcome{Aside, Aside, Accepted, Aside, Accepted} {
			receipt, err := d.Deliver(t.Context(), t.Context(), b.batch(1))
			require.NoError(t, err)
			assert.Equal(t, want, receipt.Outcome(), "batch %d", i)
			_, ok := receipt.Span()
			assert.True(t, ok)
		}
		assert.Len(t, b.calls, 8)
	})
}

// A refusal that is not for good is never a reason to set a batch aside, and does
// not count.
func TestSetAsideNeedsPermanent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, answers(errBusy, errBusy, errBusy, nil, errBad))
		b.OnPermanent = SetAside
		d := New(b.Settings)
		receipt, err := d.Deliver(t.Context(), t.Context(), b.batch(1))
		require.NoError(t, err)
		assert.Equal(t, Accepted, receipt.Outcome())
		receipt, err = d.Deliver(t.Context(), t.Context(), b.batch(1))
		require.NoError(t, err)
		assert.Equal(t, Aside, receipt.Outcome())
	})
}

// Another component's error is told with a text of bounded length, wherever it
// ends up, and keeps its kind.
func TestRefusalIsBrief(t *testing.T) {
	long := consumererror.NewPermanent(errors.New(strings.Repeat("x", 5000)))
	b := newBench(t, always(long))
	b.Retry.Enabled = false
	_, err := New(b.Settings).Deliver(t.Context(), t.Context(), b.batch(1))
	require.ErrorIs(t, err, ErrGivenUp)
	require.ErrorIs(t, err, long)
	assert.Less(t, len(err.Error()), 500)
	assert.True(t, consumererror.IsPermanent(err))
	assert.Less(t, len(b.obs.ends[0].err.Error()), 500)
}
