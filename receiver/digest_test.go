// Copyright The OpenTelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package receiver

import (
	"crypto/ed25519"
	"crypto/x509"
	"encoding/pem"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/openaicompliance/openaicompliancereceiver/internal/fakeapi"
)

// A wrong digest setting is refused by its key, at validation or at Start, and no error
// quotes what a key file holds; a right one gives the key.
func TestDigestSettings(t *testing.T) {
	for want, cfg := range map[string]DigestConfig{
		"":                             {Interval: time.Hour},
		"digest::interval: 500ms":      {Interval: 500 * time.Millisecond},
		"digest::interval: 25h0m0s":    {Interval: 25 * time.Hour},
		"digest::interval: -1s":        {Interval: -time.Second},
		"there are no digests to sign": {SigningKeyFile: "/key"},
	} {
		err := cfg.validate()
		if want == "" {
			require.NoError(t, err)
			continue
		}
		require.ErrorContains(t, err, want)
	}
	dir := t.TempDir()
	write := func(name, text string) string {
		path := filepath.Join(dir, name)
		require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
		return path
	}
	public, private, err := ed25519.GenerateKey(nil)
	require.NoError(t, err)
	pkcs8, err := x509.MarshalPKCS8PrivateKey(private)
	require.NoError(t, err)
	good := write("good", string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: pkcs8})))
	set, err := (&DigestConfig{Interval: time.Hour, SigningKeyFile: good}).settings()
	require.NoError(t, err)
	assert.Equal(t, public, set.Key.Public())

	w := newWorld(t, fakeapi.Options{})
	for name, path := range map[string]string{
		"missing": filepath.Join(dir, "none"), "a directory": dir, "no PEM": write("text", "CANARY"),
		"another key": write("rsa", string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: []byte("CANARY")}))),
	} {
		w.cfg.Digest = DigestConfig{Interval: time.Hour, SigningKeyFile: path}
		err := w.tryStart()
		require.ErrorContains(t, err, "digest::signing_key_file", name)
		assert.NotContains(t, err.Error(), "CANARY")
		w.running = nil
	}
}
