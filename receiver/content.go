// Copyright The OpenTelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package receiver

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/openaicompliance/openaicompliancereceiver/internal/compliance"
	"github.com/openaicompliance/openaicompliancereceiver/internal/record"
)

// minHMACKey is the least length of a key in bytes: what SHA-256 has of strength.
const minHMACKey = 32

func (c ContentConfig) validate() error {
	mode := record.ContentMode(c.Mode)
	err := oneOf("content::mode", c.Mode, string(record.ContentKeep), string(record.ContentHMAC), string(record.ContentDrop))
	switch {
	case mode == record.ContentHMAC && c.HMACKey == "":
		return errors.Join(err, errors.New("content::hmac_key: missing; mode hmac needs a key, for example ${env:OPENAI_COMPLIANCE_HMAC_KEY} with the output of: openssl rand -hex 32 (an unset variable counts as empty)"))
	case mode == record.ContentKeep && c.HMACKey != "":
		return errors.Join(err, errors.New("content::hmac_key: has no use with mode keep; set content::mode to hmac or drop, or remove it"))
	case c.HMACKey != "" && len(c.HMACKey) < minHMACKey:
		return errors.Join(err, fmt.Errorf("content::hmac_key: %d bytes are too few, it takes %d at least; make one with: openssl rand -hex 32", len(c.HMACKey), minHMACKey))
	}
	return err
}

func (c ContentConfig) forRecords() record.Content {
	return record.Content{Mode: record.ContentMode(c.Mode), Key: []byte(c.HMACKey)}
}

// ownKeys knows the keys that this process has used. One that was rotated stays
// known until the next start: its records come late.
type ownKeys struct {
	source compliance.KeySource

	mu   sync.Mutex // guards everything below
	keys []string
}

func newOwnKeys(source compliance.KeySource) *ownKeys {
	o := &ownKeys{source: source}
	o.learn()
	return o
}

// learn adds the key that is in use now.
func (o *ownKeys) learn() {
	if key, err := o.source.Key(); err == nil && !slices.Contains(o.keys, key) {
		o.keys = append(o.keys, key)
	}
}

// is tells whether a redacted id is that of a key of ours.
func (o *ownKeys) is(redactedID string) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	ours := func(key string) bool { return isRedactedForm(redactedID, key) }
	if slices.ContainsFunc(o.keys, ours) {
		return true
	}
	o.learn()
	return slices.ContainsFunc(o.keys, ours)
}

// isRedactedForm knows a key by its two ends. The API shows three characters and
// four (seen in its audit log); other lengths are taken too, but no shorter tail.
func isRedactedForm(redactedID, key string) bool {
	head, tail, ok := strings.Cut(redactedID, "...")
	return ok && len(tail) >= 4 && len(head)+len(tail) < len(key) && strings.HasPrefix(key, head) && strings.HasSuffix(key, tail)
}
