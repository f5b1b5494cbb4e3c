// Copyright The OpenTelemetry Authors
// SPDX-License-Identifier: Apache-2.0

//go:build e2e

package e2e

import (
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/openaicompliance/openaicompliancereceiver/internal/fakeapi"
	"github.com/openaicompliance/openaicompliancereceiver/internal/testbed"
)

// killRig is a rig whose API, sink and storage can kill the collector.
type killRig struct {
	*rig
	point killPoint
	plan  string

	mu    sync.Mutex // guards everything below
	armed bool
	skip  int // requests that pass before the kill
}

func newKillRig(t *testing.T, point killPoint) *killRig {
	t.Helper()
	api := fakeapi.New(fakeapi.Options{Seed: 3, Live: &fakeapi.Schedule{
		Types: []string{"AUTH_LOG", "CODEX_LOG"}, Since: time.Now().Add(-5 * time.Second), Every: 100 * time.Millisecond, Records: fileSize,
	}})
	if point.receiver == "" {
		point.receiver = "deduplication: {window: 0}" // it would hide what comes again
	}
	if point.history {
		point.receiver += "\nstart_from: -72h"
		addHistory(api)
	}
	api.Script(point.faults...)
	k := &killRig{point: point}
	k.rig = newRigWith(t, api, &testbed.Sink{Meet: k.atSink}, fmt.Sprintf("%s\nbatch: {max_records: %d}\n%s", twoTypes, batchSize, point.receiver))
	k.binary = os.Getenv("OTELCOL_E2E")
	require.NotEmpty(t, k.binary, "OTELCOL_E2E names no collector; run make test-e2e")
	k.plan = filepath.Join(filepath.Dir(k.config), "plan")
	k.env = append(k.env, "KILL_PLAN="+k.plan)
	apiServer := httptest.NewServer(k.atAPI(api.Handler()))
	storageServer := httptest.NewServer(k.atAPI(api.StorageHandler()))
	t.Cleanup(apiServer.Close)
	t.Cleanup(storageServer.Close)
	api.SetStorageURL(storageServer.URL)
	k.replace(api.URL, apiServer.URL+"/v1/compliance", "file_storage", "kill_storage")
	return k
}

// addHistory exports files that are older than a day.
func addHistory(api *fakeapi.API) {
	for n := range 20 {
		for _, eventType := range []string{"AUTH_LOG", "CODEX_LOG"} {
			var lines []string
			for i := range fileSize {
				lines = append(lines, fmt.Sprintf(`{"event_id":"%s-%d-%d"}`, eventType, n, i))
			}
			api.Add(eventType, time.Now().Add(-60*time.Hour+time.Duration(n)*time.Hour), lines...)
		}
	}
}

// run kills the collector so many times at its point, lets the last one finish
// the work and returns a line of figures.
func (k *killRig) run(kills int) string {
	k.t.Helper()
	if k.point.once {
		kills = 1
	}
	if k.point.restart {
		k.runOnce()
	}
	for n := range kills {
		k.killOnce(n)
	}
	k.disarm()
	k.api.Freeze()
	k.start()
	want := fakeapi.Expected(k.api.Files(""))
	k.awaitEnd(len(want))
	k.collector.Kill()
	result := testbed.Compare(want, k.sink.Counts())
	assert.Empty(k.t, result.Lost)
	assert.Empty(k.t, result.Alien)
	k.checkRepeated(kills)
	return fmt.Sprintf("%-48s %5d %8d %6d %5d", k.point.name, kills, result.Expected, result.Delivered-result.Expected, len(result.Lost))
}

// runOnce lets the collector deliver something and meet the faults, and end.
func (k *killRig) runOnce() {
	k.t.Helper()
	k.start()
	k.await("records", func() bool { return k.sink.Unique() > 0 })
	if len(k.point.faults) > 0 {
		k.await("a quarantined file", func() bool { return strings.Contains(k.output(), "file quarantined") })
	}
	k.stop()
}

// killOnce starts the collector and returns when it has died at the point.
func (k *killRig) killOnce(n int) {
	k.t.Helper()
	if k.point.fresh {
		states, err := filepath.Glob(filepath.Join(filepath.Dir(k.config), "receiver_*"))
		require.NoError(k.t, err)
		for _, state := range states {
			require.NoError(k.t, os.Remove(state))
		}
	}
	if k.point.storage != nil && k.point.sink == nil {
		k.writePlan(*k.point.storage)
	}
	k.start()
	k.arm(n % 4)
	if k.point.stop && k.point.sink == nil {
		require.NoError(k.t, k.collector.Signal(syscall.SIGTERM))
	}
	require.ErrorContains(k.t, k.collector.Wait(30*time.Second), "signal: killed", "the point was not reached")
}

func (k *killRig) writePlan(p storagePoint) {
	assert.NoError(k.t, os.WriteFile(k.plan, p.json(), 0o600))
}

func (k *killRig) arm(skip int) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.armed, k.skip = true, skip
}

func (k *killRig) disarm() {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.armed = false
	_ = os.Remove(k.plan)
}

// due reports whether a request that could be the point is the one to kill at.
func (k *killRig) due() bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	if !k.armed {
		return false
	}
	if k.skip > 0 {
		k.skip--
		return false
	}
	k.armed = false
	return true
}

// atSink is called at every moment of a request to the sink.
func (k *killRig) atSink(at testbed.Moment, batch []testbed.Delivery) bool {
	if k.point.sink == nil || !k.point.sink(at, batch) || !k.due() {
		return true
	}
	if k.point.storage != nil { // it kills at what follows
		p := *k.point.storage
		p.Key = fmt.Sprintf("/%s/[0-9a-f]{32}$", batch[0].Attributes["openai.compliance.event.type"])
		k.writePlan(p)
		return true
	}
	if k.point.stop {
		if err := k.collector.Signal(syscall.SIGTERM); err != nil {
			k.t.Error(err)
		}
		time.Sleep(200 * time.Millisecond)
	}
	k.collector.Kill()
	return false
}

// atAPI stands before a host of the API.
func (k *killRig) atAPI(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if k.point.api == nil || operation(r) != k.point.api.op || !k.due() {
			next.ServeHTTP(w, r)
			return
		}
		if k.point.api.share > 0 {
			answer := httptest.NewRecorder()
			next.ServeHTTP(answer, r)
			maps.Copy(w.Header(), answer.Header())
			w.WriteHeader(answer.Code)
			body := answer.Body.Bytes()
			_, _ = w.Write(body[:len(body)*k.point.api.share/100])
			_ = http.NewResponseController(w).Flush()
		}
		k.collector.Kill()
	})
}

// operation names a request as a fault script does.
func operation(r *http.Request) string {
	switch {
	case strings.HasPrefix(r.URL.Path, "/blob/"):
		return "fetch"
	case strings.HasSuffix(r.URL.Path, "/logs"):
		return "list"
	case strings.HasSuffix(r.URL.Path, "/max_event_time"):
		return "freshness"
	}
	return "download"
}

// checkRepeated holds what came again against the promise.
func (k *killRig) checkRepeated(kills int) {
	k.t.Helper()
	bodies, again := map[string]string{}, map[string]int{}
	for _, d := range k.sink.Deliveries() {
		body, known := bodies[d.UID]
		if known {
			again[d.EventName]++
			assert.Equal(k.t, body, d.Body, "%s came again with another body", d.UID)
		}
		bodies[d.UID] = d.Body
	}
	for eventType, n := range again {
		assert.LessOrEqual(k.t, n, kills*batchSize, "records of %s that came again", eventType)
	}
}
