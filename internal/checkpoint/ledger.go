// Copyright The OpenTelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package checkpoint

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"time"

	"go.opentelemetry.io/collector/extension/xextension/storage"
)

// ledgerKeep is how far behind the cursor finished files are remembered: longer
// than the API lists any file.
const ledgerKeep = 31 * 24 * time.Hour

// ledgerBlock is how many files make a block.
const ledgerBlock = 256

// ledger knows which files are finished.
type ledger struct {
	prefix string
	ends   table[uint64] // end_time in microseconds, by hash of the id
}

func newLedger(key string) *ledger {
	return &ledger{prefix: key + "/files"}
}

// hash64 is the first eight bytes of a SHA-256: two of a million ids collide with
// a chance of one in thirty million.
func hash64[T string | []byte](text T) uint64 {
	sum := sha256.Sum256([]byte(text))
	return binary.LittleEndian.Uint64(sum[:])
}

func fileEntry(id string, end time.Time) entry {
	return entry{hash64(id), uint64(end.UnixMicro())}
}

func (l *ledger) has(id string) bool {
	_, ok := l.ends.get(hash64(id))
	return ok
}

func (l *ledger) added(id string, end time.Time) {
	item := fileEntry(id, end)
	l.ends.put(item.hash, item.value)
}

func (l *ledger) load(ctx context.Context, client storage.Client, files entries) error {
	return recall(ctx, client, &files, l.prefix, endForm, &l.ends)
}

// seal closes a full tail.
func (l *ledger) seal(ctx context.Context, client storage.Client, files *entries) error {
	return files.seal(ctx, client, l.prefix, endForm, ledgerBlock)
}

// age takes out the blocks that no listing can reach any more.
func (l *ledger) age(files *entries, next *state) []blockRef {
	oldest := next.lowestListed(ledgerKeep).UnixMicro()
	return files.drop(func(ref blockRef) bool { return ref.Until < oldest })
}

func (l *ledger) forget(ctx context.Context, client storage.Client, aged []blockRef) {
	forget(ctx, client, l.prefix, aged, &l.ends)
}
