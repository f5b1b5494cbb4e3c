// Copyright The OpenTelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package fetch

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/openaicompliance/openaicompliancereceiver/cmd/internal/archive"
	"github.com/openaicompliance/openaicompliancereceiver/cmd/internal/command"
	"github.com/openaicompliance/openaicompliancereceiver/internal/fakeapi"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// bench is an API with files and a directory to fetch to.
type bench struct {
	t     *testing.T
	api   *fakeapi.API
	dir   string
	files map[string]*fakeapi.File
}

// newBench has five files of AUTH_LOG, an hour apart, and one of AUDIT_LOG.
func newBench(t *testing.T) *bench {
	t.Helper()
	b := &bench{t: t, api: fakeapi.New(fakeapi.Options{PageLimit: 2}), dir: filepath.Join(t.TempDir(), "files"), files: map[string]*fakeapi.File{}}
	require.NoError(t, b.api.Start("", ""))
	t.Cleanup(b.api.Close)
	for i := range 5 {
		b.files[strconv.Itoa(i)] = b.api.Add("AUTH_LOG", time.Now().Add(time.Duration(i-6)*time.Hour), fmt.Sprintf(`{"event_id":"%d"}`, i))
	}
	b.files["audit"] = b.api.Add("AUDIT_LOG", time.Now().Add(-time.Hour), `{"event_id":"audit"}`, "cut")
	t.Setenv("OPENAI_COMPLIANCE_API_KEY", fakeapi.DefaultKey)
	t.Setenv("OPENAI_WORKSPACE_ID", fakeapi.DefaultWorkspace)
	t.Setenv("OPENAI_ORGANIZATION_ID", "")
	return b
}

// fetch runs the command and returns the results of the types, the notes and the status.
func (b *bench) fetch(ctx context.Context, args ...string) (results map[string]result, notes string, status int) {
	b.t.Helper()
	var stdout, stderr bytes.Buffer
	env := command.NewEnv(nil, &stdout, &stderr)
	root := command.NewRoot(env)
	root.AddCommand(New(env)) //nolint:contextcheck // cobra passes the context on
	status = command.Run(ctx, root, env, append([]string{"fetch", "--endpoint", b.api.URL, "--dir", b.dir, "-o", "json"}, args...))
	results = map[string]result{}
	for line := range bytes.Lines(stdout.Bytes()) {
		var r result
		require.NoError(b.t, json.Unmarshal(line, &r))
		results[r.EventType] = r
	}
	assert.NotContains(b.t, stderr.String(), fakeapi.DefaultKey)
	assert.NotContains(b.t, stderr.String(), "\r", "progress is for terminals")
	return results, stderr.String(), status
}

// downloads counts the requests to the storage host.
func (b *bench) downloads() (n int) {
	for _, request := range b.api.Requests() {
		if request.Host == "storage" {
			n++
		}
	}
	return n
}

// assertComplete compares every file on disk with the API's.
func (b *bench) assertComplete(names ...string) {
	b.t.Helper()
	entries, err := archive.Read(b.dir)
	require.NoError(b.t, err)
	found := map[string]archive.Entry{}
	for _, e := range entries {
		found[e.FileID] = e
	}
	for _, name := range names {
		file := b.files[name]
		e, ok := found[file.ID]
		require.True(b.t, ok, name)
		content, err := os.ReadFile(filepath.Join(b.dir, e.Path))
		require.NoError(b.t, err)
		assert.Equal(b.t, file.Content, content)
		assert.Equal(b.t, []any{file.EventType, file.Name, file.SHA256, file.Size, fakeapi.DefaultWorkspace},
			[]any{e.EventType, e.FileName, e.SHA256, e.Size, e.WorkspaceID})
		assert.True(b.t, file.EndTime.Equal(e.EndTime))
	}
	assert.Len(b.t, found, len(names))
}

// Files of the range come whole and once: a second run fetches nothing, and what was
// changed or lost on disk again.
func TestFetch(t *testing.T) {
	b := newBench(t)
	results, notes, status := b.fetch(t.Context(), "--since", "-330m", "--until", "-150m")
	require.Zero(t, status, notes)
	assert.Equal(t, map[string]result{"AUTH_LOG": {"AUTH_LOG", 3, 0, 0, 51, true}, "AUDIT_LOG": {"AUDIT_LOG", 0, 0, 0, 0, true}}, results)
	b.assertComplete("1", "2", "3")
	_, notes, status = b.fetch(t.Context())
	require.Zero(t, status, notes)
	b.assertComplete("0", "1", "2", "3", "4", "audit")

	before := b.downloads()
	results, _, status = b.fetch(t.Context())
	require.Zero(t, status)
	assert.Equal(t, 5, results["AUTH_LOG"].Present)
	assert.Equal(t, before, b.downloads())

	paths, err := filepath.Glob(filepath.Join(b.dir, "AUTH_LOG", "*.jsonl"))
	require.NoError(t, err)
	require.Len(t, paths, 5)
	require.NoError(t, os.WriteFile(paths[0], []byte(`{"event_id":"X"}`+"\n"), 0o600))
	require.NoError(t, os.Remove(paths[1]))
	results, _, status = b.fetch(t.Context())
	require.Zero(t, status)
	assert.Equal(t, []int{2, 3}, []int{results["AUTH_LOG"].Fetched, results["AUTH_LOG"].Present})
	b.assertComplete("0", "1", "2", "3", "4", "audit")
}

// A file that is not what the listing says is not written; the others are, the status
// says so, and the same command fetches it later. So it is with a type that fails.
func TestFetchWhatFails(t *testing.T) {
	b := newBench(t)
	b.api.Script(fakeapi.Fault{Op: "fetch", FileID: b.files["2"].ID, Corrupt: true}, fakeapi.Fault{Op: "list", EventType: "AUDIT_LOG", Status: 403})
	results, notes, status := b.fetch(t.Context())
	assert.Equal(t, command.ExitFinding, status)
	assert.Equal(t, map[string]result{"AUTH_LOG": {"AUTH_LOG", 4, 0, 1, 68, true}, "AUDIT_LOG": {EventType: "AUDIT_LOG"}}, results)
	assert.Contains(t, notes, "AUTH_LOG: file \""+b.files["2"].ID+"\": verify: body has SHA-256 ")
	assert.Contains(t, notes, "AUDIT_LOG: list files: list: 403")
	assert.Contains(t, notes, "  advice: the key may not read this type")
	assert.True(t, strings.HasSuffix(notes, "openai-compliance: files not fetched: 1, incomplete listings: 1; the same command tries them again\n"), notes)
	b.assertComplete("0", "1", "3", "4")
	b.api.ClearScript()
	_, _, status = b.fetch(t.Context())
	require.Zero(t, status)
	b.assertComplete("0", "1", "2", "3", "4", "audit")
}

// While the server asks for a pause no download begins, and each failure that may pass
// is tried again.
func TestFetchPauses(t *testing.T) {
	b := newBench(t)
	b.api.Script(
		fakeapi.Fault{Op: "download", Status: 429, Header: map[string]string{"Retry-After": "2"}, Times: 1},
		fakeapi.Fault{Op: "list", Status: 503, Times: 1},
		fakeapi.Fault{Op: "fetch", Reset: true, Skip: 1, Times: 1},
	)
	began := time.Now()
	_, notes, status := b.fetch(t.Context(), "--types", "AUTH_LOG")
	require.Zero(t, status, notes)
	b.assertComplete("0", "1", "2", "3", "4")
	assert.Greater(t, time.Since(began), 2*time.Second)
}

// At most so many downloads begin in a minute as the flag says.
func TestFetchLimit(t *testing.T) {
	b := newBench(t)
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
	defer cancel()
	_, notes, status := b.fetch(ctx, "--types", "AUTH_LOG", "--downloads-per-minute", "2")
	assert.Equal(t, command.ExitFinding, status)
	assert.Contains(t, notes, "interrupted: the same command resumes\n")
	b.assertComplete("0", "1")
	results, _, status := b.fetch(t.Context(), "--types", "AUTH_LOG", "--downloads-per-minute", "0")
	require.Zero(t, status)
	assert.Equal(t, []int{3, 2}, []int{results["AUTH_LOG"].Fetched, results["AUTH_LOG"].Present})
}

// A directory that cannot be written to ends the command with its reason.
func TestFetchToAFullDirectory(t *testing.T) {
	b := newBench(t)
	require.NoError(t, os.MkdirAll(b.dir, 0o700))
	require.NoError(t, os.WriteFile(filepath.Join(b.dir, "AUTH_LOG"), nil, 0o600)) // in the place of a directory
	_, notes, status := b.fetch(t.Context())
	assert.Equal(t, command.ExitFinding, status)
	assert.Contains(t, notes, "openai-compliance: write file: ")
}

// What is wrong with a call is a misuse with one sentence, before any request.
func TestFetchMisuse(t *testing.T) {
	b := newBench(t)
	file := filepath.Join(t.TempDir(), "file")
	require.NoError(t, os.WriteFile(file, nil, 0o600))
	for want, args := range map[string][]string{
		"--dir is missing":                    {"--dir", ""},
		`--since: "2d" is in the future; did`: {"--since", "2d"},
		`--until: "2999-01-01" is in the f`:   {"--until", "2999-01-01"},
		"is not after --since":                {"--since", "-1h", "--until", "-2h"},
		"must be at least 0":                  {"--downloads-per-minute", "-1"},
		`takes no argument "AUTH_LOG"`:        {"AUTH_LOG"},
		`"auth" does not look like an event`:  {"--types", "auth"},
		"open archive: ":                      {"--dir", file},
		`"x" is not`:                          {"--since", "x"},
	} {
		results, notes, status := b.fetch(t.Context(), args...)
		assert.Equal(t, command.ExitMisuse, status, args)
		assert.Contains(t, notes, want)
		assert.Equal(t, 1, strings.Count(notes, "\n"), notes)
		assert.Empty(t, results)
	}
	assert.Empty(t, b.api.Requests())
	assert.NoDirExists(t, b.dir)
}
