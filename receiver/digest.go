// Copyright The OpenTelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package receiver

import (
	"crypto/ed25519"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/openaicompliance/openaicompliancereceiver/internal/collect"
)

// DigestConfig is about the records that prove what was delivered.
type DigestConfig struct {
	// Interval between two digests of a stream; 0 is none at all.
	Interval time.Duration `mapstructure:"interval"`
	// SigningKeyFile holds an Ed25519 private key (PKCS #8, PEM) that signs them; empty
	// does not sign.
	SigningKeyFile string `mapstructure:"signing_key_file"`
	// prevent unkeyed literal initialization
	_ struct{}
}

// Bounds of digest::interval.
const (
	shortestDigest = time.Second
	longestDigest  = 24 * time.Hour
)

func (d *DigestConfig) validate() error {
	switch {
	case d.Interval == 0 && d.SigningKeyFile != "":
		return errors.New("digest::signing_key_file: there are no digests to sign; set digest::interval, for example 1h")
	case d.Interval != 0 && (d.Interval < shortestDigest || d.Interval > longestDigest):
		return fmt.Errorf("digest::interval: %v must be 0 (off) or between %v and %v", d.Interval, shortestDigest, longestDigest)
	}
	return nil
}

// maxKeyPEM bounds a signing key file, in bytes.
const maxKeyPEM = 64 << 10

var errSigningKey = errors.New("it holds no Ed25519 private key (PKCS #8, PEM); `openssl genpkey -algorithm ed25519` makes one")

// settings read the signing key. No error quotes the file.
func (d *DigestConfig) settings() (set collect.DigestSettings, err error) {
	set.Interval = d.Interval
	if d.SigningKeyFile == "" {
		return set, nil
	}
	info, err := os.Stat(d.SigningKeyFile)
	if err == nil && !info.Mode().IsRegular() {
		err = errors.New("it is no regular file")
	}
	if err != nil {
		return set, fmt.Errorf("digest::signing_key_file: %w", err)
	}
	file, err := os.Open(d.SigningKeyFile)
	if err != nil {
		return set, fmt.Errorf("digest::signing_key_file: %w", err)
	}
	defer file.Close()
	text, err := io.ReadAll(io.LimitReader(file, maxKeyPEM))
	if err != nil {
		return set, fmt.Errorf("digest::signing_key_file: %w", err)
	}
	block, _ := pem.Decode(text)
	if block == nil || block.Type != "PRIVATE KEY" {
		return set, fmt.Errorf("digest::signing_key_file: %w", errSigningKey)
	}
	parsed, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	key, ok := parsed.(ed25519.PrivateKey)
	if err != nil || !ok {
		return set, fmt.Errorf("digest::signing_key_file: %w", errSigningKey)
	}
	set.Key = key
	return set, nil
}
