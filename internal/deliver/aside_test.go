// Copyright The OpenTelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package deliver

import (
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
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
