// Copyright The OpenTelemetry Authors
// SPDX-License-Identifier: Apache-2.0

//go:build e2e && linux

package hostile

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"
)

// canary is in every place of the records in testdata that holds content.
const canary = "CANARY"

// recordRows has the records of testdata, a row for each event type. Each type's
// storage host denies the file once, quoting URL and content.
func recordRows(t *testing.T) (rows []row) {
	t.Helper()
	paths, err := filepath.Glob("../../testdata/records/*.jsonl")
	require.NoError(t, err)
	require.Greater(t, len(paths), 10)
	canaries := 0
	for _, path := range paths {
		if filepath.Base(path) == "costs.jsonl" {
			continue // organizations alone have it
		}
		data, err := os.ReadFile(path)
		require.NoError(t, err)
		canaries += bytes.Count(data, []byte(canary))
		var fetched atomic.Int32
		name := strings.TrimSuffix(filepath.Base(path), ".jsonl")
		r := row{name: name, eventType: strings.ToUpper(name), content: data, want: delivered, fetch: func(w http.ResponseWriter, r *http.Request) {
			if fetched.Add(1) == 1 {
				http.Error(w, r.URL.String()+" "+canary, http.StatusForbidden)
				return
			}
			_, _ = w.Write(data)
		}}
		r.uid = firstUID(data)
		rows = append(rows, r)
	}
	require.Greater(t, canaries, 50)
	return rows
}

// firstUID is the log.record.uid of the first record that has an event id.
func firstUID(data []byte) string {
	for line := range bytes.Lines(data) {
		var event struct {
			ID string `json:"event_id"`
		}
		if json.Unmarshal(line, &event) == nil && event.ID != "" {
			return event.ID
		}
	}
	return ""
}

// A run over every event type with content withheld, through a proxy with a
// password, with signed URLs that are denied once: of key, signatures, passwords and
// content nothing is in the log, the exported spans, the state and the delivered
// records.
func TestPlantedSecrets(t *testing.T) {
	rows := recordRows(t)
	w := newWorld(t)
	w.useProxy()
	w.receiver = "content: {mode: drop}"
	w.run(rows)
	w.assertNowhere(w.log(), w.spans.text())
}

// assertNowhere searches for what was planted, the canary of the records among it.
func (w *world) assertNowhere(log, spans string) {
	w.t.Helper()
	require.Contains(w.t, spans, "openai_compliance.file")
	places := map[string]string{"log": log, "spans": spans, "records": fmt.Sprint(w.sink.Deliveries())}
	for name, text := range w.state() {
		places["state file "+name] = text
	}
	for place, text := range places {
		for _, secret := range append([]string{canary}, secrets...) {
			w.assertAbsent(place, text, secret)
		}
	}
}
