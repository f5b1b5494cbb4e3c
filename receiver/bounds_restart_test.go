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
// does not keep a later run from its start: the first one decides, whether its bounds
// are fixed already or it only stored their text and its clock. A first run with such
// bounds is refused.
func TestBoundsPassedByTheClock(t *testing.T) {
	until := recent(50 * time.Hour).UTC().Truncate(time.Second)
	fixed := until.Format(time.RFC3339)
	bounded := func(cfg *Config) {
		cfg.StartFrom, cfg.Until = "-24h", fixed
		cfg.Replay = []ReplayConfig{{Name: "again", From: "-24h", To: fixed}}
	}
	t.Run("first run", func(t *testing.T) {
		w := newWorld(t, fakeapi.Options{}, bounded)
		require.NoError(t, w.cfg.Validate())
		err := w.tryStart()
		w.stop()
		require.ErrorContains(t, err, "not later than start_from")
		assert.Empty(t, w.api.Requests())
	})
	for name, fix := range map[string]bool{"bounds fixed": true, "first run stored": false} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, fakeapi.Options{}, bounded)
			first := checkpoint.FirstRun{StartFrom: "-24h", Until: fixed, Clock: recent(46 * time.Hour)}
			client := openClient(t, w, "before")
			for _, key := range []string{streamKey, checkpoint.ReplayKey("again", fakeapi.DefaultWorkspace, "AUTH_LOG")} {
				stream, err := checkpoint.Create(t.Context(), client, key, first, checkpoint.Settings{})
				require.NoError(t, err)
				if fix {
					require.NoError(t, stream.FixBounds(t.Context(), checkpoint.Bounds{Floor: recent(70 * time.Hour), Until: until}))
				}
				stream.Close()
			}
			w.api.Add("AUTH_LOG", recent(71*time.Hour), authLine("before the floor"))
			w.api.Add("AUTH_LOG", until, authLine("a"))
			w.start()
			w.awaitLog(allEnded)
			assert.Equal(t, map[string]int{"a": 2}, w.counts())
			assert.Zero(t, w.logs.FilterMessage(startFromChanged).Len())
		})
	}
}
