// Copyright The OpenTelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package receiver

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/openaicompliance/openaicompliancereceiver/internal/checkpoint"
	"github.com/openaicompliance/openaicompliancereceiver/internal/fakeapi"
)

// A fixed upper bound that start_from, or a replay's from, has passed with the clock
// does not keep a later run from its start: the bounds were fixed at the first one.
// A first run with such bounds is refused.
func TestBoundsPassedByTheClock(t *testing.T) {
	until := recent(50 * time.Hour).UTC().Truncate(time.Second)
	fixed := until.Format(time.RFC3339)
	w := newWorld(t, fakeapi.Options{}, func(cfg *Config) {
		cfg.StartFrom, cfg.Until = "-24h", fixed
		cfg.Replay = []ReplayConfig{{Name: "again", From: "-24h", To: fixed}}
	})
	require.NoError(t, w.cfg.Validate())
	err := w.tryStart()
	w.stop()
	require.ErrorContains(t, err, "not later than start_from")

	begin := checkpoint.Beginning{Floor: recent(70 * time.Hour), StartFrom: "-24h", Until: until, UntilText: fixed}
	client := openClient(t, w, "before")
	for _, key := range []string{
		checkpoint.Key(fakeapi.DefaultWorkspace, "AUTH_LOG"), checkpoint.ReplayKey("again", fakeapi.DefaultWorkspace, "AUTH_LOG"),
	} {
		_, err := checkpoint.Create(t.Context(), client, key, begin, checkpoint.Settings{})
		require.NoError(t, err)
	}
	w.api.Add("AUTH_LOG", until, authLine("a"))
	w.start()
	w.awaitLog(allEnded)
	require.Eventually(t, func() bool { return w.counts()["a"] == 2 }, 20*time.Second, time.Millisecond)
	assert.Zero(t, w.logs.FilterMessage(startFromChanged).Len())
}
