// Copyright The OpenTelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package compliance

import (
	"context"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// Each request is observed with the time it took by itself: a list with its
// page, a download and a fetch up to the header. It is virtual time.
func TestObservedDurations(t *testing.T) {
	t.Parallel()
	content := []byte("{}\n")
	slowly := func(w http.ResponseWriter, body []byte) {
		time.Sleep(2 * time.Second)
		w.WriteHeader(http.StatusOK)
		w.(http.Flusher).Flush()
		time.Sleep(3 * time.Second)
		_, _ = w.Write(body)
	}
	api := func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Query().Has("event_type") {
			slowly(w, []byte(goodAnswer))
			return
		}
		time.Sleep(time.Second)
		redirecting(w, r)
	}
	storage := func(w http.ResponseWriter, _ *http.Request) { slowly(w, content) }
	inBubble(t, api, storage, func(t *testing.T, set Settings) {
		t.Helper()
		took := map[Operation]time.Duration{}
		set.Observe = func(_ context.Context, o Observation) { took[o.Op] = o.Duration }
		client := NewClient(set)
		_, err := client.Pages("AUTH_LOG", noon, time.Time{}, nil).Next(t.Context())
		require.NoError(t, err)
		_, err = client.Download(t.Context(), fileOf(content))
		require.NoError(t, err)
		assert.Equal(t, map[Operation]time.Duration{
			OperationList: 5 * time.Second, OperationDownload: time.Second, OperationFetch: 2 * time.Second,
		}, took)
	})
}
