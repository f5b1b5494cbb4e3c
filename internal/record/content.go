// Copyright The OpenTelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package record

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"hash"
)

// ContentMode says what stands in the place of content.
type ContentMode string

// Values of ContentMode; the empty one is ContentKeep too.
const (
	ContentKeep ContentMode = "keep"
	// ContentHMAC puts a keyed digest there: equal texts have equal digests.
	ContentHMAC ContentMode = "hmac"
	ContentDrop ContentMode = "drop"
)

// Content is the treatment of what people and models wrote.
type Content struct {
	Mode ContentMode
	// Key of the digests: needed for ContentHMAC, and with ContentDrop for the
	// digest of lines that cannot be read.
	Key []byte
}

func (c Content) withholds() bool { return c.Mode == ContentHMAC || c.Mode == ContentDrop }

// HMACPrefix comes before the lower-case hexadecimal digest.
const HMACPrefix = "hmac-sha256:"

// dropped stands where content was, with ContentDrop.
const dropped = "withheld"

// withholder makes what stands in the place of content.
type withholder struct {
	mode ContentMode
	mac  hash.Hash // nil without a key
	sum  []byte
	// any says that something of the current line was withheld.
	any bool
}

func newWithholder(c Content) *withholder {
	w := &withholder{mode: c.Mode}
	if len(c.Key) > 0 {
		w.mac = hmac.New(sha256.New, c.Key)
	}
	return w
}

// replace returns what stands for a text.
func (w *withholder) replace(text string) string {
	w.any = true
	if w.mode == ContentHMAC {
		return w.digest(text)
	}
	return dropped
}

func (w *withholder) digest(text string) string {
	w.mac.Reset()
	w.mac.Write(asBytes(text))
	w.sum = w.mac.Sum(w.sum[:0])
	return HMACPrefix + hex.EncodeToString(w.sum)
}
