// Copyright The OpenTelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/openaicompliance/openaicompliancereceiver/cmd/internal/plainflag"
)

// call runs the program; its servers end with it.
func call(t *testing.T, args ...string) (out, notes string, status int) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	var stdout, stderr bytes.Buffer
	status = plainflag.End("fakeapi", run(ctx, args, &stdout), &stderr)
	return stdout.String(), stderr.String(), status
}

var ports = []string{"-addr", "127.0.0.1:0", "-storage-addr", "127.0.0.1:0"}

// A call that is wrong ends with status 2 and one sentence, before anything is served.
func TestMisuse(t *testing.T) {
	script := filepath.Join(t.TempDir(), "faults.json")
	for want, line := range map[string]string{
		"-every: -1m0s must be above 0":                     "-every -1m",
		"-every: 0s must be above 0":                        "-every 0",
		"-every: 1ns makes more than 100000 files":          "-every 1ns",
		"-history: -1h0m0s must be at least 0":              "-history -1h",
		"-records: -1 must be from 0":                       "-records -1",
		"-records: 1000001 must be from 0":                  "-records 1000001",
		"-duplicates: 2 must be from 0 to 1":                "-duplicates 2",
		"-late: NaN must be from 0 to 1":                    "-late NaN",
		"-lists-per-minute: -1 must be at least 0":          "-lists-per-minute -1",
		"-downloads-per-minute: -5 must be at least 0":      "-downloads-per-minute -5",
		`-types: "NO_LOG" is not an event type`:             "-types AUTH_LOG,NO_LOG",
		`-types: "" is not an event type`:                   "-types AUTH_LOG,",
		`-forbidden: "x" is not an event type`:              "-forbidden x",
		`"AUTH_LOG" is not a flag; see -help`:               "-records 3 AUTH_LOG",
		"flag provided but not defined: -evry; see -help":   "-evry 1m",
		`invalid value "x" for flag -seed`:                  "-seed x",
		"-addr: address x: missing port in address":         "-addr x",
		"-faults: open /no/such/file":                       "-faults /no/such/file",
		`unknown field "stats"`:                             `[{"op":"list","stats":503}]`,
		"fault 2: op: \"lists\" is not list, download":      `[{"op":"list"},{"op":"lists"}]`,
		"event_type: \"NO_LOG\" is not an event type":       `[{"op":"list","event_type":"NO_LOG"}]`,
		"skip: -1 must be at least 0":                       `[{"op":"list","skip":-1}]`,
		"times: -1 must be at least 0":                      `[{"op":"list","times":-1}]`,
		"delay: -1s must be at least 0":                     `[{"op":"list","delay":"-1s"}]`,
		"status: 99 must be from 200 to 599":                `[{"op":"list","status":99}]`,
		"truncate: -1 must be at least 0":                   `[{"op":"fetch","truncate":-1}]`,
		"expected a JSON array of faults: json: cannot unm": `{"op":"list"}`,
		"something follows the array":                       `[] []`,
	} {
		args := strings.Fields(line)
		if strings.ContainsAny(line, "{[") {
			require.NoError(t, os.WriteFile(script, []byte(line), 0o600))
			args = []string{"-faults", script}
		}
		out, notes, status := call(t, args...)
		assert.Equal(t, 2, status, line)
		assert.Contains(t, notes, want)
		assert.Equal(t, 1, strings.Count(notes, "\n"), notes)
		assert.Empty(t, out)
	}
}

// A call that is right says how to configure a receiver, and -help what there is.
func TestServes(t *testing.T) {
	script := filepath.Join(t.TempDir(), "faults.json")
	require.NoError(t, os.WriteFile(script, []byte(`[{"op":"list","times":2,"status":503,"header":{"Retry-After":"2"}},{"op":"fetch","truncate":0,"delay":"1ms"}]`), 0o600))
	out, notes, status := call(t, append([]string{"-types", "AUTH_LOG,COSTS", "-faults", script}, ports...)...)
	require.Zero(t, status, notes)
	assert.Contains(t, out, "endpoint      http://127.0.0.1:")
	out, notes, status = call(t, "-help")
	require.Zero(t, status)
	assert.Contains(t, out, "-downloads-per-minute")
	assert.Empty(t, notes)
	_, notes, status = call(t, "-addr", "192.0.2.1:1", "-storage-addr", "127.0.0.1:0")
	assert.Equal(t, 1, status, notes)
}
