// Copyright The OpenTelemetry Authors
// SPDX-License-Identifier: Apache-2.0

//go:build e2e

package e2e

import (
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

// The health check extension shows the receiver's status, with its feature gate
// on: one type's refusal is none of it, delivery that is held is, and it passes.
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
	r.await("a refusal", func() bool { return strings.Contains(r.output(), "list: 403 Forbidden") })

	r.sink.Refuse(http.StatusServiceUnavailable)
	api.Add("AUTH_LOG", time.Now().Add(-time.Second), `{"event_id":"a","type":"AUTH_LOG"}`)
	held := awaitStatus("StatusRecoverableError", http.StatusInternalServerError)
	assert.Equal(t, "AUTH_LOG: the next consumer refuses the records", held.Error)

	r.sink.Refuse(0)
	awaitStatus("StatusOK", http.StatusOK)
	assert.Equal(t, 1, r.sink.Unique())
	r.stop()
}
