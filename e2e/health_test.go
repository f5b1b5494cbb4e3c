// Copyright The OpenTelemetry Authors
// SPDX-License-Identifier: Apache-2.0

//go:build e2e

package e2e

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/openaicompliance/openaicompliancereceiver/internal/fakeapi"
	"github.com/openaicompliance/openaicompliancereceiver/internal/testbed"
)

// statusNode is the answer of the health check extension, and each part of it.
type statusNode struct {
	Status, Error string
	Components    map[string]statusNode
}

// firstPoll is the state of a type's line in the first-poll report, empty before it.
func (r *rig) firstPoll(eventType string) string {
	for line := range strings.Lines(r.output()) {
		var fields struct {
			EventType string `json:"event_type"`
			State     string `json:"state"`
		}
		_, text, found := strings.Cut(line, "first poll ended\t")
		if found && json.Unmarshal([]byte(text), &fields) == nil && fields.EventType == eventType {
			return fields.State
		}
	}
	return ""
}

// The health check extension shows the receiver's status, with its feature gate
// on: one type that the key may not read is none of it, delivery that is held is, and
// it passes.
func TestHealth(t *testing.T) {
	api := fakeapi.New(fakeapi.Options{Forbidden: []string{"CODEX_LOG"}})
	r := newRig(t, api, twoTypes+"\nretry_on_failure: {initial_interval: 10ms, max_interval: 50ms}")
	addr := freeAddr(t)
	r.changeConfig("extensions:\n", "extensions:\n  health_check:\n    http: {endpoint: '"+addr+"', status: {enabled: true, path: /status}}\n"+
		"    component_health: {include_permanent_errors: true, include_recoverable_errors: true, recovery_duration: 1ms}\n")
	r.changeConfig("extensions: [file_storage]", "extensions: [file_storage, health_check]")
	var err error
	r.collector, err = testbed.StartProgram(r.log, r.env, binary(t), "--config", r.config, "--feature-gates=extension.healthcheck.useComponentStatus")
	require.NoError(t, err)

	var last statusNode
	receiver := func() (statusNode, int) {
		resp, err := http.Get("http://" + addr + "/status?verbose")
		if err != nil {
			return statusNode{}, 0 // it does not listen yet
		}
		resp.Body.Close()
		last = statusNode{}
		code := getJSON(t, "http://"+addr+"/status?verbose", &last)
		return last.Components["pipeline:logs"].Components["receiver:openai_compliance"], code
	}
	awaitStatus := func(status string, code int) statusNode {
		t.Helper()
		var node statusNode
		r.await(status, func() bool {
			var got int
			node, got = receiver()
			return node.Status == status && got == code
		})
		return node
	}
	r.await("passes of both types", func() bool { return len(api.Requests()) > 4 })
	awaitStatus("StatusOK", http.StatusOK)
	r.await("the first poll of the forbidden type", func() bool { return r.firstPoll("CODEX_LOG") == "forbidden" })
	assert.Equal(t, "no_data", r.firstPoll("AUTH_LOG"))
	awaitStatus("StatusOK", http.StatusOK)

	r.sink.Refuse(http.StatusServiceUnavailable)
	api.Add("AUTH_LOG", time.Now().Add(-time.Second), `{"event_id":"a","type":"AUTH_LOG"}`)
	held := awaitStatus("StatusRecoverableError", http.StatusInternalServerError)
	assert.Contains(t, held.Error, "AUTH_LOG: rejected: the next consumer rejects the records")

	r.sink.Refuse(0)
	awaitStatus("StatusOK", http.StatusOK)
	assert.Equal(t, 1, r.sink.Unique())
	r.stop()
}
