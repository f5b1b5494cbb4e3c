// Copyright The OpenTelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package receiver

import (
	"net/url"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/openaicompliance/openaicompliancereceiver/internal/fakeapi"
)

// The API is asked for the configured event types and no others, each by itself.
func TestOnlyConfiguredTypesAreAskedFor(t *testing.T) {
	w := newWorld(t, fakeapi.Options{}, func(cfg *Config) { cfg.EventTypes = []string{"AUTH_LOG", "AUDIT_LOG"} })
	w.api.Add("CONVERSATION_MESSAGE", recent(time.Hour), authLine("private"))
	wanted := w.api.Add("AUTH_LOG", recent(time.Hour), authLine("a"))
	w.start()
	w.awaitExact(wanted)
	asked := map[string]bool{}
	for _, request := range w.api.Requests() {
		if request.Host == "api" && request.Query != "" {
			query, err := url.ParseQuery(request.Query)
			require.NoError(t, err)
			require.Len(t, query["event_type"], 1)
			asked[query.Get("event_type")] = true
		}
	}
	assert.Equal(t, map[string]bool{"AUTH_LOG": true, "AUDIT_LOG": true}, asked)
}
