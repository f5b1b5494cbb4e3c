// Copyright The OpenTelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package compliance

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// The newest time of the type that was asked for is read, null is no record, and
// everything else is an error that quotes nothing of the answer.
func TestParseFreshness(t *testing.T) {
	at := time.Date(2026, 9, 1, 10, 0, 0, 100_000_000, time.UTC)
	for body, want := range map[string]time.Time{
		`{"max_event_time": {"AUTH_LOG": "2026-09-01T10:00:00.1Z", "CODEX_TURN": null}}`:   at,
		"\xef\xbb\xbf" + `{"max_event_time": {"AUTH_LOG": "2026-09-01T12:00:00.1+02:00"}}`: at,
		`{"max_event_time": "2026-09-01T10:00:00.1Z"}`:                                     at,
		`{"max_event_time": {"AUTH_LOG": null}}`:                                           {},
		`{"max_event_time": {"CODEX_TURN": "2026-09-01T10:00:00Z"}}`:                       {},
		`{"max_event_time": null}`:                                                         {},
	} {
		got, err := parseFreshness([]byte(body), "AUTH_LOG")
		require.NoError(t, err, body)
		assert.True(t, got.Equal(want), "%s: %s", body, got)
	}
	for _, body := range []string{
		``, `[]`, `"CANARY"`, `{}`, `{"max_event_time": {"AUTH_LOG": "CANARY"}}`, `{"max_event_time": {"AUTH_LOG": 12}}`,
		`{"max_event_time": 12}`, `{"max_event_time": {`,
	} {
		_, err := parseFreshness([]byte(body), "AUTH_LOG")
		require.Error(t, err, body)
		assert.NotContains(t, err.Error(), "CANARY")
	}
}
