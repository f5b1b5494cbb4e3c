// Copyright The OpenTelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package limit

import (
	"errors"
	"strconv"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// The pause of one host is nobody else's, ends by itself and is not cut short by a
// shorter one.
func TestHostsPause(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := NewHosts()
		h.Pause("a.example", time.Hour)
		h.Pause("a.example", time.Minute)
		h.Pause("b.example", -time.Minute)
		time.Sleep(20 * time.Minute)
		paused, ok := errors.AsType[*PausedError](h.Check("a.example"))
		require.True(t, ok)
		assert.Equal(t, PausedError{Host: "a.example", For: 40 * time.Minute}, *paused)
		require.NoError(t, h.Check("b.example"))
		time.Sleep(40 * time.Minute)
		require.NoError(t, h.Check("a.example"))
		assert.Empty(t, h.until)
	})
}

// At most 1,000 hosts are remembered; the pauses that end first are forgotten.
func TestHostsBound(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := NewHosts()
		h.Pause("longest", 24*time.Hour)
		for i := range 3 * maxHosts {
			h.Pause(strconv.Itoa(i), time.Hour+time.Duration(i)*time.Second)
			require.LessOrEqual(t, len(h.until), maxHosts)
		}
		require.Error(t, h.Check("longest"))
		require.Error(t, h.Check(strconv.Itoa(3*maxHosts-1)))
		require.NoError(t, h.Check("0"))
	})
}
