// Copyright The OpenTelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package checkpoint

import (
	"crypto/rand"
	"encoding/binary"
	"encoding/hex"
	"errors"

	"github.com/minio/highwayhash"

	"github.com/openaicompliance/openaicompliancereceiver/internal/deliver"
)

// HashKey is the random key of a stream's hashes. Without it nobody can construct two
// ids or lines with one hash. It is stored with the stream, as hex.
type HashKey [highwayhash.Size]byte

func newHashKey() (k HashKey) {
	_, _ = rand.Read(k[:]) // never fails
	return k
}

// MarshalText returns the key as hex.
func (k HashKey) MarshalText() ([]byte, error) { return hex.AppendEncode(nil, k[:]), nil }

var errHashKey = errors.New("the hash key is not 64 hex digits")

// UnmarshalText reads a key as hex.
func (k *HashKey) UnmarshalText(text []byte) error {
	raw, err := hex.DecodeString(string(text))
	if err != nil || len(raw) != len(k) {
		return errHashKey
	}
	copy(k[:], raw)
	return nil
}

func (k *HashKey) file(id string) FileHash { return highwayhash.Sum128([]byte(id), k[:]) }

// event hashes the id, and the id and line together. The length of the id comes first,
// so that no two pairs are one text.
func (k *HashKey) event(id string, line []byte) deliver.Event {
	both, _ := highwayhash.NewDigest64(k[:]) // fails for a key of another length only
	text := make([]byte, 0, 8+len(id))
	text = binary.LittleEndian.AppendUint64(text, uint64(len(id)))
	text = append(text, id...)
	_, _ = both.Write(text)
	_, _ = both.Write(line)
	return deliver.Event{ID: highwayhash.Sum64(text[8:], k[:]), Content: both.Sum64()}
}

// FileHash is the keyed hash of a file id. Its text is hex.
type FileHash [highwayhash.Size128]byte

// MarshalText returns hex.
func (h FileHash) MarshalText() ([]byte, error) { return hex.AppendEncode(nil, h[:]), nil }

var errFileHash = errors.New("a hash of a file id is not 32 hex digits")

// UnmarshalText reads hex.
func (h *FileHash) UnmarshalText(text []byte) error {
	raw, err := hex.DecodeString(string(text))
	if err != nil || len(raw) != len(h) {
		return errFileHash
	}
	copy(h[:], raw)
	return nil
}
