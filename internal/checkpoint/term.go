// Copyright The OpenTelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package checkpoint

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"fmt"

	"go.opentelemetry.io/collector/extension/xextension/storage"
)

// term is the time of one writer.
type term struct {
	// Number is the earlier term's plus one, from 1.
	Number int64 `json:"number"`
	// ID is random: 32 hex digits.
	ID string `json:"id"`
}

func termKey(key string) string { return key + "/term" }

const termIDBytes = 16

func newTerm(number int64) term {
	id := make([]byte, termIDBytes)
	_, _ = rand.Read(id) // never fails
	return term{number, hex.EncodeToString(id)}
}

func (t term) encode() []byte {
	return fmt.Appendf(nil, `{"number":%d,"id":%q}`, t.Number, t.ID)
}

func isTermID(text string) bool {
	raw, err := hex.DecodeString(text)
	return err == nil && len(raw) == termIDBytes
}

// oldHeader is what the state of an older build begins with.
const oldHeader = "openai-compliance-state"

// readTerm returns the current term of a stream; ok is false when nothing is stored.
func readTerm(ctx context.Context, client storage.Client, key string) (t term, ok bool, err error) {
	value, err := client.Get(ctx, termKey(key))
	if err != nil {
		return t, false, fmt.Errorf("load checkpoint %q: %w", termKey(key), err)
	}
	if value == nil {
		return t, false, checkNoOldState(ctx, client, key)
	}
	if err := decodeStrict(value, &t); err != nil || t.Number < 1 || !isTermID(t.ID) {
		return term{}, false, corrupt(termKey(key), "it holds no term")
	}
	return t, true, nil
}

// checkNoOldState returns an error when the key itself holds a value. This build stores
// nothing there.
func checkNoOldState(ctx context.Context, client storage.Client, key string) error {
	switch value, err := client.Get(ctx, key); {
	case err != nil:
		return fmt.Errorf("load checkpoint %q: %w", key, err)
	case bytes.HasPrefix(value, []byte(oldHeader)):
		return fmt.Errorf("load checkpoint %q: %w", key, ErrOldFormat)
	case value != nil:
		return corrupt(key, "it holds an unknown value")
	}
	return nil
}

// decodeStrict refuses unknown members and anything after the document.
func decodeStrict(doc []byte, into any) error {
	dec := json.NewDecoder(bytes.NewReader(doc))
	dec.DisallowUnknownFields()
	if err := dec.Decode(into); err != nil {
		return err
	}
	if dec.InputOffset() != int64(len(doc)) {
		return errTrailing
	}
	return nil
}
