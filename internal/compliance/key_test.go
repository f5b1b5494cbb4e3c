// Copyright The OpenTelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package compliance

import (
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func keyFile(t *testing.T, content string) KeyFile {
	t.Helper()
	path := filepath.Join(t.TempDir(), "key")
	require.NoError(t, os.WriteFile(path, []byte(content), 0o600))
	return KeyFile(path)
}

func TestKeyFile(t *testing.T) {
	t.Parallel()
	for name, content := range map[string]string{
		"nothing but the key": testKey,
		"an editor's newline": testKey + "\n",
		"blanks all around":   "\r\n\t " + testKey + " \t\r\n\r\n",
		"padded to the limit": testKey + strings.Repeat("\n", maxKeyFile-len(testKey)),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			key, err := keyFile(t, content).Key()
			require.NoError(t, err)
			assert.Equal(t, testKey, key)
		})
	}
}

// A file that holds no key is named, and nothing of what it holds is told.
func TestKeyFileRefused(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct{ content, want string }{
		"empty":           {"", "holds no key"},
		"blanks":          {" \r\n", "holds no key"},
		"two lines":       {testKey + "\n" + canary, "holds a blank"},
		"a blank inside":  {"Bearer " + testKey, "holds a blank"},
		"not ASCII":       {testKey + "é", "another character"},
		"a NUL":           {testKey + "\x00", "another character"},
		"some other file": {strings.Repeat(canary, maxKeyFile), "too many for a key"},
		"a byte too many": {testKey + strings.Repeat("\n", maxKeyFile), "too many for a key"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			file := keyFile(t, tt.content)
			key, err := file.Key()
			requireSafe(t, err)
			require.ErrorContains(t, err, "api_key_file "+string(file))
			require.ErrorContains(t, err, tt.want)
			assert.Empty(t, key)
		})
	}
	missing := KeyFile(filepath.Join(t.TempDir(), "missing"))
	_, err := missing.Key()
	requireSafe(t, err)
	require.ErrorIs(t, err, fs.ErrNotExist)
	assert.Equal(t, 1, strings.Count(err.Error(), string(missing)), "the path is told once")
	_, err = KeyFile(t.TempDir()).Key()
	requireSafe(t, err)
}

// The key is read anew for each request, through a swapped symbolic link too, as
// mounted secrets are rotated; a request that has no key is not sent.
func TestKeyFileIsReadForEveryRequest(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	first, second := keyFile(t, testKey+"-1"), keyFile(t, testKey+"-2")
	link := filepath.Join(dir, "key")
	swap := func(to KeyFile) {
		require.NoError(t, os.Symlink(string(to), link+".new"))
		require.NoError(t, os.Rename(link+".new", link))
	}
	swap(first)
	api := newHost(t, answering(200, goodAnswer))
	c := newClient(t, api.URL, func(s *Settings) { s.Key = KeyFile(link) })
	list := func() error {
		_, err := c.Pages("AUTH_LOG", noon, time.Time{}, nil).Next(t.Context())
		return err
	}
	require.NoError(t, list())
	swap(second)
	require.NoError(t, list())
	require.NoError(t, os.WriteFile(string(second), []byte(testKey+"-3\n"), 0o600))
	require.NoError(t, list())
	require.NoError(t, os.Remove(link))
	err := list()
	requireKind[*RequestError](t, err)
	require.ErrorIs(t, err, fs.ErrNotExist)
	_, err = c.Download(t.Context(), fileOf(content))
	requireKind[*RequestError](t, err)

	var sent []string
	for _, r := range api.seen() {
		sent = append(sent, strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer "+testKey))
	}
	assert.Equal(t, []string{"-1", "-2", "-3"}, sent)
}

func TestStaticKey(t *testing.T) {
	t.Parallel()
	key, err := StaticKey(testKey).Key()
	require.NoError(t, err)
	assert.Equal(t, testKey, key)
}
