// Copyright The OpenTelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package compliance

import (
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func keyFile(t *testing.T, content string) *KeyFile {
	t.Helper()
	path := filepath.Join(t.TempDir(), "key")
	require.NoError(t, os.WriteFile(path, []byte(content), 0o600))
	return NewKeyFile(path)
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
			require.ErrorContains(t, err, "api_key_file "+file.path)
			require.ErrorContains(t, err, tt.want)
			assert.Empty(t, key)
		})
	}
	missing := NewKeyFile(filepath.Join(t.TempDir(), "missing"))
	_, err := missing.Key()
	requireSafe(t, err)
	require.ErrorIs(t, err, fs.ErrNotExist)
	assert.Equal(t, 1, strings.Count(err.Error(), missing.path), "the path is told once")
}

// What is no regular file is refused at once, and not read: a directory, a device, a
// FIFO that nobody writes to, through a symbolic link too.
func TestKeyFileMustBeRegular(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	link := filepath.Join(dir, "link")
	require.NoError(t, os.Symlink(os.DevNull, link))
	paths := append([]string{dir, os.DevNull, link}, fifos(t, dir)...)
	for _, path := range paths {
		done := make(chan error, 1)
		go func() {
			_, err := NewKeyFile(path).Key()
			done <- err
		}()
		select {
		case err := <-done:
			requireSafe(t, err)
			require.ErrorContains(t, err, "is not a regular file", path)
		case <-time.After(10 * time.Second):
			require.Fail(t, "reading hangs", path)
		}
	}
}

// Others than the owner may neither read nor write the key.
func TestKeyFileOpenToOthers(t *testing.T) {
	t.Parallel()
	if runtime.GOOS == "windows" {
		t.Skip("Windows has no such bits")
	}
	file := keyFile(t, testKey)
	for mode, open := range map[fs.FileMode]bool{0o600: false, 0o400: false, 0o700: false, 0o640: true, 0o604: true, 0o620: true, 0o602: true, 0o444: true, 0o666: true} {
		require.NoError(t, os.Chmod(file.path, mode))
		assert.Equal(t, open, file.OpenToOthers(), mode)
	}
	assert.False(t, NewKeyFile(file.path+"x").OpenToOthers())
}

// The key is read once, and again with each Refresh, through a swapped symbolic link
// too, as mounted secrets are rotated; a request that has no key is not sent.
func TestKeyFileIsReadForEveryPoll(t *testing.T) {
	t.Parallel()
	link := filepath.Join(t.TempDir(), "key")
	swap := func(to *KeyFile) {
		require.NoError(t, os.Symlink(to.path, link+".new"))
		require.NoError(t, os.Rename(link+".new", link))
	}
	swap(keyFile(t, testKey+"-1"))
	api := newHost(t, answering(200, goodAnswer))
	source := NewKeyFile(link)
	c := newClient(t, api.URL, func(s *Settings) { s.Key = source })
	list := func() error {
		_, err := c.Pages("AUTH_LOG", noon, time.Time{}, nil).Next(t.Context())
		return err
	}
	require.NoError(t, list())
	second := keyFile(t, testKey+"-2")
	swap(second)
	require.NoError(t, list())
	source.Refresh()
	require.NoError(t, list())
	require.NoError(t, os.WriteFile(second.path, []byte(testKey+"-3\n"), 0o600))
	source.Refresh()
	require.NoError(t, list())

	require.NoError(t, os.Remove(link))
	require.NoError(t, list())
	source.Refresh()
	err := list()
	requireKind[*RequestError](t, err)
	require.ErrorIs(t, err, fs.ErrNotExist)
	_, err = c.Download(t.Context(), fileOf(content))
	requireKind[*RequestError](t, err)
	swap(keyFile(t, testKey+"-4"))
	require.NoError(t, list(), "a file that is back is read at once")

	var sent []string
	for _, r := range api.seen() {
		sent = append(sent, strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer "+testKey))
	}
	assert.Equal(t, []string{"-1", "-1", "-2", "-3", "-3", "-4"}, sent)
}

func TestStaticKey(t *testing.T) {
	t.Parallel()
	key, err := StaticKey(testKey).Key()
	require.NoError(t, err)
	assert.Equal(t, testKey, key)
}
