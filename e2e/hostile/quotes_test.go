// Copyright The OpenTelemetry Authors
// SPDX-License-Identifier: Apache-2.0

//go:build e2e && linux

package hostile

import (
	"fmt"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"
)

// rejecting stands before the sink. It rejects the first requests with a text that
// quotes them.
func (w *world) rejecting(times int32) {
	w.t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(w.t, err)
	to, err := url.Parse(w.sink.Endpoint)
	require.NoError(w.t, err)
	forward := httputil.NewSingleHostReverseProxy(to)
	var rejected atomic.Int32
	serve(w.t, listener, http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		if rejected.Add(1) > times {
			forward.ServeHTTP(rw, r)
			return
		}
		message := "cannot index " + canary + " " + content
		rw.Header().Set("Content-Type", "application/x-protobuf")
		rw.WriteHeader(http.StatusServiceUnavailable)
		_, _ = fmt.Fprintf(rw, "\x12%c%s", len(message), message) // google.rpc.Status.message
	}))
	w.exportTo = "http://" + listener.Addr().String()
}

// A backend that quotes the records that it rejects is quoted by its exporter, whose
// log and spans are not the receiver's. Those of the receiver quote nothing.
func TestBackendThatQuotes(t *testing.T) {
	rows := recordRows(t)
	w := newWorld(t)
	w.rejecting(5)
	w.receiver = "content: {mode: drop}\nretry_on_failure: {initial_interval: 100ms, max_interval: 200ms}"
	w.meet(rows)
	require.Contains(t, w.log(), canary)
	var log strings.Builder
	for _, l := range w.lines() {
		if l.fields["otelcol.component.id"] == "openai_compliance" {
			log.WriteString(l.text)
		}
	}
	require.Contains(t, log.String(), "next consumer returned an error, retrying batch")
	w.assertNowhere(log.String(), w.spans.of(t, "github.com/openaicompliance/"))
}
