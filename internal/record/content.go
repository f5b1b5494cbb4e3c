// Copyright The OpenTelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package record

import (
	"bufio"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"hash"

	"github.com/openaicompliance/openaicompliancereceiver/internal/jsonscan"
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

// redactor makes what stands in the place of content.
type redactor struct {
	mode ContentMode
	mac  hash.Hash     // nil without a key
	text *bufio.Writer // to mac; it spares the copy of a long text
	// applied says that something of the current line was withheld.
	applied bool
}

func newRedactor(c Content) *redactor {
	r := &redactor{mode: c.Mode}
	if len(c.Key) > 0 {
		r.mac = hmac.New(sha256.New, c.Key)
		r.text = bufio.NewWriter(r.mac)
	}
	return r
}

// replacement returns what stands for a value, which is as written.
func (r *redactor) replacement(raw []byte) string {
	r.applied = true
	if r.mode == ContentHMAC {
		return r.digest(jsonscan.Unquote(raw))
	}
	return dropped
}

func (r *redactor) digest(text string) string {
	r.mac.Reset()
	_, _ = r.text.WriteString(text) // a hash never fails
	_ = r.text.Flush()
	return HMACPrefix + hex.EncodeToString(r.mac.Sum(nil))
}

// reduceURL leaves scheme and host of a URL: its path names what somebody works on.
func (r *redactor) reduceURL(text string) string {
	origin, rest, _ := cutURL(text)
	switch {
	case rest == "", rest == "/":
		return text
	case r.mode == ContentHMAC:
		return origin + "/" + r.digest(text)
	default:
		return origin + "/" + dropped
	}
}
