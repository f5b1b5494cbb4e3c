// Copyright The OpenTelemetry Authors
// SPDX-License-Identifier: Apache-2.0

//go:build e2e

package e2e

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/openaicompliance/openaicompliancereceiver/internal/fakeapi"
)

// state runs `make state` on the rig's configuration, as the documents say. It needs no
// API key.
func (r *rig) state(in, args string) (out string, err error) {
	cmd := exec.Command("make", "--no-print-directory", "-C", "..", "state", "ARGS=--config "+r.config+" "+args)
	cmd.Stdin = strings.NewReader(in)
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err = cmd.Run(); err != nil {
		err = fmt.Errorf("%w: %s", err, stderr.String())
	}
	return stdout.String(), err
}

// While the collector runs its storage cannot be opened, and it is not disturbed. After
// it has stopped, checkpoints are shown, set back, and moved as JSON to an empty storage:
// nothing of that loses or redelivers a record. A deleted stream is redelivered.
func TestState(t *testing.T) {
	r := newRig(t, backlog(fakeapi.Options{}, 20), twoTypes)
	r.start()
	r.awaitExact()
	for _, args := range []string{"show", "export", "set-cursor AUTH_LOG -2h --yes", "delete --all --yes"} {
		_, err := r.state("", args)
		require.ErrorContains(t, err, "another collector holds the storage: stop it first")
	}
	r.api.Add("AUTH_LOG", time.Now().Add(-time.Second), `{"event_id":"undisturbed"}`)
	r.awaitExact()
	r.stop()

	out, err := r.state("", "show")
	require.NoError(t, err)
	assert.Regexp(t, `(?m)^AUTH_LOG +collecting .*\n^CODEX_LOG +collecting `, out)
	assert.Regexp(t, `(?m)^AUTH_LOG +live .*\n^CODEX_LOG +live `, out)
	_, err = r.state("", "set-cursor AUTH_LOG -4h --yes")
	require.NoError(t, err)
	r.start()
	r.awaitExact()
	r.stop()

	exported, err := r.state("", "export")
	require.NoError(t, err)
	assert.NotContains(t, exported, fakeapi.DefaultKey)
	state := strings.TrimSuffix(r.config, "config.yaml") + "receiver_openai_compliance_"
	require.NoError(t, os.Remove(state))
	_, err = r.state(exported, "import --yes")
	require.NoError(t, err)
	r.api.Add("CODEX_LOG", time.Now().Add(-time.Second), `{"event_id":"after the move"}`)
	r.start()
	r.awaitExact()
	r.stop()

	_, err = r.state("", "delete CODEX_LOG --yes")
	require.NoError(t, err)
	r.start()
	want := fakeapi.Expected(r.api.Files("CODEX_LOG"))
	r.await("the deleted stream, redelivered", func() bool {
		counts := r.sink.Counts()
		for uid, n := range want {
			if counts[uid] != 2*n {
				return false
			}
		}
		return true
	})
	r.stop()
	for uid, n := range fakeapi.Expected(r.api.Files("AUTH_LOG")) {
		require.Equal(t, n, r.sink.Counts()[uid], uid)
	}
}
