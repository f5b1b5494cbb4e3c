// Copyright The OpenTelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package pace

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// No window of 60 seconds ever sees more starts than the limit, wherever it
// begins, and the limit is used in full: 5 windows' worth take 4 windows.
func TestGateSlidingWindow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const limit = 50
		g := NewGate(limit)
		began := time.Now()
		var starts []time.Time
		for range 5 * limit {
			require.NoError(t, g.Enter(t.Context()))
			starts = append(starts, time.Now())
			time.Sleep(100 * time.Millisecond)
		}
		for i := limit; i < len(starts); i++ {
			assert.GreaterOrEqual(t, starts[i].Sub(starts[i-limit]), time.Minute)
		}
		assert.Less(t, starts[len(starts)-1].Sub(began), 4*newWindow(limit).length+limit*100*time.Millisecond)
	})
}
