// Copyright The OpenTelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"bytes"
	"context"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/extension"

	"github.com/openaicompliance/openaicompliancereceiver/cmd/internal/command"
	"github.com/openaicompliance/openaicompliancereceiver/internal/testbed"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func run(t *testing.T, c *CLI, args ...string) (out, notes string, status int) {
	t.Helper()
	var stdout, stderr bytes.Buffer
	status = c.Run(t.Context(), args, strings.NewReader(""), &stdout, &stderr)
	return stdout.String(), stderr.String(), status
}

// Every call that is wrong ends with status 2 and one sentence, which says where to read
// on if it is the call itself.
func TestMisuse(t *testing.T) {
	for want, call := range map[string]string{
		"openai-compliance takes a command":                           "",
		`"remove" is not a command of openai-compliance`:              "remove",
		`"-2h" is not a command`:                                      "-2h",
		"unknown flag: --config; see openai-compliance --help":        "--config x.yaml",
		"unknown shorthand flag: 's' in -since":                       "preview -since 2d",
		`--since: "2d" is in the future; did you mean -2d?`:           "preview --since 2d",
		`"xml" for "-o, --output" flag: write table or json`:          "verify -o xml",
		"flag needs an argument: --since":                             "preview --since",
		`preview takes no argument "AUTH_LOG"`:                        "preview AUTH_LOG",
		"fetch takes no argument":                                     "fetch --dir x y",
		"state takes a command":                                       "state",
		"state quarantine takes a command":                            "state quarantine",
		"state set-cursor takes a STREAM and a TIME":                  "state set-cursor AUTH_LOG",
		"--config is missing":                                         "state show",
		"inspect takes exported files":                                "inspect",
		`--content: "dorp" is not keep, hmac or drop`:                 "inspect --content dorp x_sample.jsonl",
		"--line: -3 must be at least 1":                               "inspect --line -3 auth_log.jsonl",
		"x_sample.jsonl does not begin with an event type":            "inspect x_sample.jsonl",
		"verify takes files of delivered records":                     "verify",
		"read records: open records.json":                             "verify records.json",
		`"no such" is not a command; see openai-compliance --help`:    "help no such",
		`"csh" is not a command of openai-compliance completion`:      "completion csh",
		`"state shwo" is not a command; see openai-compliance --help`: "help state shwo",
	} {
		out, notes, status := run(t, New(), strings.Fields(call)...)
		assert.Equal(t, 2, status, call)
		assert.Contains(t, notes, want, call)
		assert.True(t, strings.HasPrefix(notes, "openai-compliance: "), notes)
		assert.Equal(t, 1, strings.Count(notes, "\n"), notes)
		assert.Empty(t, out, call)
	}
}

// Help says what a command does, and what the shells complete is what a shell can read.
func TestHelpAndCompletion(t *testing.T) {
	for _, call := range []string{"--help", "help", "help state quarantine", "preview -h", "state --help", "completion --help"} {
		out, notes, status := run(t, New(), strings.Fields(call)...)
		assert.Zero(t, status, call)
		assert.Contains(t, out, "Usage:", call)
		assert.Empty(t, notes, call)
	}
	for _, shell := range []string{"bash", "zsh", "fish", "powershell"} {
		out, _, status := run(t, New(), "completion", shell)
		require.Zero(t, status)
		assert.Contains(t, out, "openai-compliance")
		assert.NotContains(t, out, "\ufffd")
		if path, err := exec.LookPath(shell); err == nil && shell == "bash" {
			script := filepath.Join(t.TempDir(), "script")
			require.NoError(t, os.WriteFile(script, []byte(out), 0o600))
			said, err := exec.CommandContext(t.Context(), path, "-n", script).CombinedOutput()
			require.NoError(t, err, string(said))
		}
	}
	out, _, status := run(t, New(), "__complete", "preview", "--types", "AU")
	require.Zero(t, status)
	assert.Contains(t, out, "AUDIT_LOG\nAUTH_LOG\n")
	out, _, _ = run(t, New(), "__complete", "state", "show", "-o", "")
	assert.Contains(t, out, "table\njson\n")
}

var (
	// A call in a code block, or in a sentence.
	calledAlone  = regexp.MustCompile(`(?m)^(?:\$ )?openai-compliance ([^\n]+)$`)
	calledInline = regexp.MustCompile("`openai-compliance ([^`…]+)`")
	relativeTime = regexp.MustCompile(` -[0-9]\S*`)
	// What the make targets are called with.
	calledByMake = regexp.MustCompile(`make (state|preview) ARGS="([^"]+)"`)
)

// Every call in the documents is one that the command takes.
func TestDocumentedCalls(t *testing.T) {
	paths, err := filepath.Glob("../../docs/*.md")
	require.NoError(t, err)
	calls := 0
	for _, path := range append(paths, "../../README.md") {
		text, err := os.ReadFile(path)
		require.NoError(t, err)
		lines := []string{}
		for _, found := range slices.Concat(calledAlone.FindAllStringSubmatch(string(text), -1), calledInline.FindAllStringSubmatch(string(text), -1)) {
			call, _, _ := strings.Cut(found[1], " > ")
			call, _, _ = strings.Cut(call, " < ")
			lines = append(lines, call)
		}
		for _, found := range calledByMake.FindAllStringSubmatch(string(text), -1) {
			lines = append(lines, found[1]+" "+found[2])
		}
		for _, line := range lines {
			if strings.HasPrefix(line, "of ") || strings.HasPrefix(line, "version ") {
				continue // output
			}
			calls++
			root := newRoot(command.NewEnv(nil, io.Discard, io.Discard))
			root.InitDefaultHelpFlag()
			cmd, args, err := root.Find(strings.Fields(relativeTime.ReplaceAllString(line, " now"))) // or it would be a flag
			require.NoError(t, err, line)
			require.NotEqual(t, root, cmd, "%s: %s", path, line)
			require.NoError(t, cmd.ParseFlags(args), "%s: %s", path, line)
			for _, word := range cmd.Flags().Args() {
				assert.False(t, cmd.HasSubCommands(), "%s: %s is no command in %q", path, word, line)
			}
		}
	}
	assert.Greater(t, calls, 15)
}

// A program that brings the factory of a storage opens that storage.
func TestBringsAStorage(t *testing.T) {
	config := filepath.Join(t.TempDir(), "collector.yaml")
	require.NoError(t, os.WriteFile(config, []byte(`
receivers:
  openai_compliance:
    workspace_id: 0f8fad5b-d9cb-469f-a165-70867728950e
    event_types: [AUTH_LOG]
    storage: memory_storage
extensions:
  memory_storage:
`), 0o600))
	factory := extension.NewFactory(component.MustNewType("memory_storage"),
		func() component.Config { return &struct{}{} },
		func(context.Context, extension.Settings, component.Config) (extension.Extension, error) {
			return testbed.NewStorage(), nil
		}, component.StabilityLevelAlpha)
	out, notes, status := run(t, New(factory), "state", "--config", config, "show")
	require.Zero(t, status, notes)
	assert.Regexp(t, `AUTH_LOG +no checkpoint\n`, out)
	_, notes, status = run(t, New(), "state", "--config", config, "show")
	assert.Equal(t, 2, status)
	assert.Contains(t, notes, "storage is memory_storage, and this build of openai-compliance opens no storage")
}
