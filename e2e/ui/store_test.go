// Copyright The OpenTelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package ui

import (
	"bufio"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// The simulated API prints these; they open nothing else.
const (
	key       = "sk-admin-fake-key"
	workspace = "0f8fad5b-d9cb-469f-a165-70867728950e"
)

// exported reads every file of the simulated API as any client would, and returns
// the ids of the records.
func exported(t *testing.T, api string) map[string]bool {
	t.Helper()
	ids := map[string]bool{}
	for _, eventType := range []string{"AUTH_LOG", "AUDIT_LOG", "APP_LOG", "CODEX_LOG", "CODEX_TURN"} {
		for after, more := time.Now().Add(-24*time.Hour), true; more; {
			var page struct {
				Data []struct {
					ID      string    `json:"id"`
					EndTime time.Time `json:"end_time"`
				} `json:"data"`
				HasMore bool `json:"has_more"`
			}
			logs := api + "/workspaces/" + workspace + "/logs"
			list := get(t, logs+"?"+url.Values{"event_type": {eventType}, "after": {after.UTC().Format(time.RFC3339Nano)}, "limit": {"100"}}.Encode())
			require.NoError(t, json.NewDecoder(list.Body).Decode(&page))
			require.NoError(t, list.Body.Close())
			for _, file := range page.Data {
				after = file.EndTime
				readIDs(t, logs+"/"+file.ID, ids)
			}
			more = page.HasMore
		}
	}
	return ids
}

func readIDs(t *testing.T, file string, ids map[string]bool) {
	t.Helper()
	resp := get(t, file)
	defer resp.Body.Close()
	for lines := json.NewDecoder(resp.Body); lines.More(); {
		var record struct {
			EventID string `json:"event_id"`
		}
		require.NoError(t, lines.Decode(&record))
		require.NotEmpty(t, record.EventID)
		ids[record.EventID] = true
	}
}

// client takes the key off before it follows a redirect to a signed URL, whose
// host refuses it.
var client = http.Client{CheckRedirect: func(req *http.Request, _ []*http.Request) error {
	req.Header.Del("Authorization")
	return nil
}}

func get(t *testing.T, target string) *http.Response {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, target, http.NoBody)
	require.NoError(t, err)
	req.Header.Set("Authorization", "Bearer "+key)
	resp, err := client.Do(req)
	require.NoError(t, err)
	require.Equal(t, http.StatusOK, resp.StatusCode)
	return resp
}

// storedUIDs counts each uid in the database.
func storedUIDs(t *testing.T, base string) map[string]int {
	t.Helper()
	counts := map[string]int{}
	for _, row := range query(t, base, "* | fields log.record.uid") {
		counts[fmt.Sprint(row["log.record.uid"])]++
	}
	return counts
}

// query runs a query over all records and returns its rows.
func query(t *testing.T, base, text string) (rows []map[string]any) {
	t.Helper()
	resp, err := http.PostForm(base+"/select/logsql/query", url.Values{"query": {text}})
	require.NoError(t, err)
	defer resp.Body.Close()
	require.Equal(t, http.StatusOK, resp.StatusCode, text)
	lines := bufio.NewScanner(resp.Body)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var row map[string]any
		require.NoError(t, json.Unmarshal(lines.Bytes(), &row))
		rows = append(rows, row)
	}
	require.NoError(t, lines.Err())
	return rows
}

// queryOf is the query that a link of the page runs.
func queryOf(t *testing.T, link string) string {
	t.Helper()
	_, args, ok := strings.Cut(link, "#/?")
	require.True(t, ok)
	values, err := url.ParseQuery(args)
	require.NoError(t, err)
	return values.Get("query")
}
