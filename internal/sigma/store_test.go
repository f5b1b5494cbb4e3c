// Copyright The OpenTelemetry Authors
// SPDX-License-Identifier: Apache-2.0

//go:build e2e

package sigma

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"net"
	"net/http"
	"net/url"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/openaicompliance/openaicompliancereceiver/internal/record"
	"github.com/openaicompliance/openaicompliancereceiver/internal/testbed"
)

// The LogsQL query of each rule finds in VictoriaLogs the records that the rule fires on,
// and that of a burst the users, keys or addresses.
func TestQueriesFindInVictoriaLogs(t *testing.T) {
	rules, ev := loadRules(t)
	lists := map[string]bool{}
	for field, kind := range emittedFields(t) {
		lists[field] = kind == "list of texts"
	}
	events := loadEvents(t, record.Content{})
	store := startStore(t)
	eachFile(t, func(eventType string, text []byte) {
		store.insert(t, mapped(t, eventType, text, record.Content{}))
	})
	require.Eventually(t, func() bool {
		return len(store.values(t, "*", record.AttrRecordUID)) == len(events)
	}, 30*time.Second, 100*time.Millisecond)
	for file, r := range rules {
		field := record.AttrRecordUID
		if r.correlation != nil {
			field = r.correlation.GroupBy[0]
		}
		want := map[string]bool{}
		for _, e := range ev.matching(r, events) {
			want[textOf(e.attrs[field])] = true
		}
		assert.NotEmpty(t, want, file)
		assert.Equal(t, slices.Sorted(maps.Keys(want)), store.values(t, logsQL.query(ev, r, lists), field), file)
	}
}

type store string

func startStore(t *testing.T) store {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	addr := listener.Addr().String()
	require.NoError(t, listener.Close())
	dir := t.TempDir()
	program, err := testbed.StartProgram(filepath.Join(dir, "log"), nil, "../../.tools/victoria-logs",
		"-storageDataPath="+filepath.Join(dir, "logs"), "-httpListenAddr="+addr, "-retentionPeriod=100y", "-futureRetention=100y")
	require.NoError(t, err, "make test-ui builds it")
	t.Cleanup(func() { _ = program.Stop() })
	s := store("http://" + addr)
	require.Eventually(t, func() bool {
		resp, err := http.Get(string(s) + "/health")
		if err != nil {
			return false
		}
		resp.Body.Close()
		return resp.StatusCode == http.StatusOK
	}, 30*time.Second, 50*time.Millisecond)
	return s
}

func (s store) insert(t *testing.T, logs plog.Logs) {
	t.Helper()
	body, err := (&plog.ProtoMarshaler{}).MarshalLogs(logs)
	require.NoError(t, err)
	resp, err := http.Post(string(s)+"/insert/opentelemetry/v1/logs", "application/x-protobuf", bytes.NewReader(body))
	require.NoError(t, err)
	resp.Body.Close()
	require.Equal(t, http.StatusOK, resp.StatusCode)
}

// values are the different values of a field in what a query finds, in alphabetic order.
func (s store) values(t *testing.T, query, field string) []string {
	t.Helper()
	resp, err := http.PostForm(string(s)+"/select/logsql/query", url.Values{"query": {query + " | fields " + field}})
	require.NoError(t, err)
	defer resp.Body.Close()
	require.Equal(t, http.StatusOK, resp.StatusCode, query)
	found := map[string]bool{}
	for rows := json.NewDecoder(resp.Body); rows.More(); {
		var row map[string]any
		require.NoError(t, rows.Decode(&row))
		found[fmt.Sprint(row[field])] = true
	}
	return slices.Sorted(maps.Keys(found))
}
