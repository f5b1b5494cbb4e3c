// Copyright The OpenTelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package collect

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/openaicompliance/openaicompliancereceiver/internal/compliance"
)

// mismatchOf is a fetch whose body has the listed size and another digest.
func mismatchOf(sha256, content string) error {
	return fmt.Errorf("verify file: %w", &compliance.IntegrityError{
		GotSize: int64(len(content)), WantSize: 4, GotSHA256: sha256, Content: []byte(content),
	})
}

// The same bytes in two fetches far enough apart are the file, unverified; other
// bytes, bytes of another size, two fetches at once, and anything with strict
// verification are not.
func TestVerifier(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const apart = 5 * time.Minute
		file := compliance.File{ID: "f", Size: 4}
		lenient, strict := newVerifier(false, apart), newVerifier(true, apart)
		taken := func(v *verifier, id, sha256, content string) bool {
			file.ID = id
			got, err := v.judge(file, compliance.Content{}, mismatchOf(sha256, content))
			if err != nil {
				assert.Empty(t, got.Bytes)
				return false
			}
			assert.Equal(t, content, string(got.Bytes))
			assert.Equal(t, sha256, got.SHA256)
			assert.False(t, got.Verified)
			return true
		}
		assert.False(t, taken(lenient, "f", "aa", "same"), "the first time")
		assert.False(t, taken(lenient, "f", "aa", "same"), "at once")
		assert.False(t, taken(lenient, "g", "aa", "same"), "another file")
		time.Sleep(apart)
		assert.True(t, taken(lenient, "f", "aa", "same"))
		lenient.forget("f")
		assert.False(t, taken(lenient, "f", "aa", "same"), "forgotten")

		assert.False(t, taken(lenient, "h", "aa", "same"))
		time.Sleep(apart)
		assert.False(t, taken(lenient, "h", "bb", "othr"), "other bytes begin anew")
		time.Sleep(apart - time.Second)
		assert.False(t, taken(lenient, "h", "bb", "othr"))
		time.Sleep(time.Second)
		assert.True(t, taken(lenient, "h", "bb", "othr"))

		for range 2 {
			assert.False(t, taken(lenient, "page", "aa", "an error page"), "another size")
			assert.False(t, taken(strict, "f", "aa", "same"), "strict")
			time.Sleep(apart)
		}
	})
}

// A body that cannot be verified, since no digest is listed, is delivered with lenient
// verification and not with strict one.
func TestVerifierWithoutDigest(t *testing.T) {
	content := compliance.Content{Bytes: []byte("x"), SHA256: "aa"}
	got, err := newVerifier(false, time.Minute).judge(compliance.File{ID: "f"}, content, nil)
	require.NoError(t, err)
	assert.Equal(t, content, got)
	_, err = newVerifier(true, time.Minute).judge(compliance.File{ID: "f"}, content, nil)
	require.ErrorIs(t, err, errUnverifiable)
	content.Verified = true
	_, err = newVerifier(true, time.Minute).judge(compliance.File{ID: "f"}, content, nil)
	require.NoError(t, err)
}
