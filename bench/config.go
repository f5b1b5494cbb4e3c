// Copyright The OpenTelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"strings"

	"github.com/openaicompliance/openaicompliancereceiver/internal/fakeapi"
)

// pipeline is a configuration around one receiver.
func pipeline(receiver string) string {
	name, _, _ := strings.Cut(receiver, ":")
	return fmt.Sprintf(`receivers:
  %s
exporters: {nop: {}}
extensions:
  file_storage: {directory: $DIR/state, fsync: true}
  pprof: {endpoint: $PPROF}
service:
  extensions: [file_storage, pprof]
  telemetry:
    logs: {level: error}
    metrics:
      readers: [{pull: {exporter: {prometheus: {host: 127.0.0.1, port: $METRICS_PORT}}}}]
  pipelines:
    logs: {receivers: [%s], exporters: [nop]}
`, strings.ReplaceAll(strings.TrimSpace(receiver), "\n", "\n  "), name)
}

const nopReceiver = "nop: {}"

// ours collects the given types from s. more are lines of the receiver's
// configuration.
func ours(s *source, types []string, more ...string) string {
	return "openai_compliance:" + strings.Join(append([]string{
		"",
		"api_key: " + fakeapi.DefaultKey,
		"workspace_id: " + fakeapi.DefaultWorkspace,
		"event_types: [" + strings.Join(types, ", ") + "]",
		"storage: file_storage",
		"initial_delay: 0s",
		"http: {endpoint: " + s.api.URL + "}",
	}, more...), "\n  ")
}

// unlimited takes away the pace that the API sets and the simulated one does not.
const unlimited = "rate_limit: {downloads_per_minute: 0, lists_per_minute: 0}"

// fileLog reads the same lines from a folder.
func fileLog(dir string, operators ...string) string {
	return "file_log:\n  start_at: beginning\n  include: [" + dir + "/*.jsonl]\n  operators: [" + strings.Join(operators, ", ") + "]"
}

const jsonParser = "{type: json_parser, timestamp: {parse_from: attributes.timestamp, layout_type: gotime, layout: '2006-01-02T15:04:05Z'}}"
