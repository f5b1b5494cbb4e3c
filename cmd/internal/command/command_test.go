// Copyright The OpenTelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package command

import (
	"bytes"
	"errors"
	"testing"
	"time"

	"github.com/spf13/cobra"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// call runs a program with one command that ends with an error.
func call(t *testing.T, fails error, args ...string) (got []string, notes string, status int) {
	t.Helper()
	var stdout, stderr bytes.Buffer
	env := NewEnv(nil, &stdout, &stderr)
	root := NewRoot(env)
	at := NewTime("now")
	do := &cobra.Command{Use: "do", Args: TakesArgs(0, 2, "two words"), RunE: func(_ *cobra.Command, args []string) error {
		got = args
		return fails
	}}
	do.Flags().Var(at, "at", "")
	do.Flags().Bool("yes", false, "")
	root.AddCommand(do)
	status = Run(t.Context(), root, env, args)
	return got, stderr.String(), status
}

// The status tells a misuse from what failed; the sentence is one line whatever the
// error is joined of, and obeys no terminal.
func TestExitStatus(t *testing.T) {
	for _, tt := range []struct {
		err    error
		status int
		notes  string
	}{
		{nil, ExitOK, ""},
		{errors.New("it failed"), ExitFinding, "openai-compliance: it failed\n"},
		{errors.Join(errors.New("one:\n\ttwo"), errors.New("three")), ExitFinding, "openai-compliance: one: two; three\n"},
		{Misusef("wrong: %w", errors.New("\x1b[2K\u202ex")), ExitMisuse, "openai-compliance: wrong: \ufffd[2K\ufffdx\n"},
		{errors.Join(Misuse(errors.New("wrong")), nil), ExitMisuse, "openai-compliance: wrong\n"},
	} {
		_, notes, status := call(t, tt.err, "do")
		assert.Equal(t, tt.status, status)
		assert.Equal(t, tt.notes, notes)
	}
	require.NoError(t, Misuse(nil))
}

// A relative time is an argument, or a flag's value, and no flag.
func TestRelativeTimes(t *testing.T) {
	for _, args := range [][]string{{"do", "-2h", "x"}, {"do", "--yes", "-2h", "x"}, {"do", "-2h", "--yes", "x"}, {"do", "--at", "-1d", "-2h", "x"}} {
		got, notes, status := call(t, nil, args...)
		require.Zero(t, status, notes)
		assert.Equal(t, []string{"-2h", "x"}, got)
	}
	_, notes, status := call(t, nil, "do", "-2h", "x", "y")
	assert.Equal(t, ExitMisuse, status)
	assert.Equal(t, "openai-compliance: openai-compliance do takes two words; see openai-compliance do --help\n", notes)
}

// Progress is shown on a terminal alone, and is taken back before anything else is said.
func TestProgress(t *testing.T) {
	for terminal, want := range map[bool]string{
		false: "a note\n",
		true:  "1 of 2 \ufffd[2K\r           \ra note\n",
	} {
		var out bytes.Buffer
		notes := newNotes(&out, terminal)
		notes.Progress("%d of 2 \x1b[2K", 1)
		notes.Progress("too soon")
		_, err := notes.Write([]byte("a note\n"))
		require.NoError(t, err)
		notes.EndProgress()
		assert.Equal(t, want, out.String())
	}
	assert.False(t, isTerminal(&bytes.Buffer{}))
}

// A time in the future is no time to look back to.
func TestPastAt(t *testing.T) {
	now := time.Date(2026, 8, 1, 0, 0, 0, 0, time.UTC)
	at, err := NewTime("-2h").PastAt(now, "since")
	require.NoError(t, err)
	assert.Equal(t, now.Add(-2*time.Hour), at)
	_, err = NewTime("2d").PastAt(now, "since")
	require.EqualError(t, err, `--since: "2d" is in the future; did you mean -2d?`)
	_, err = NewTime("2999-01-01").PastAt(now, "since")
	require.EqualError(t, err, `--since: "2999-01-01" is in the future`)
	assert.Panics(t, func() { NewTime("-3min") })
}
