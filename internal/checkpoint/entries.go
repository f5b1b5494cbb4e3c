// Copyright The OpenTelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package checkpoint

import (
	"context"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"slices"
	"strconv"
	"time"

	"go.opentelemetry.io/collector/extension/xextension/storage"
)

// entries is an append-only log of pairs of numbers. Its newest part lies in the
// stream's mark value, so that storing a few more costs one small write whatever
// the log's length. When that part is full it becomes a block, a value of its
// own, which never changes: it is written before the mark that names it, so a
// crash between the two leaves a block that nobody knows, and nothing else.
type entries struct {
	// Blocks, oldest first.
	Blocks []blockRef `json:"blocks"`
	// Tail holds the entries behind the last block, entrySize bytes each.
	Tail []byte `json:"tail"`
	// Next numbers the next block.
	Next uint64 `json:"next"`
	// Since and Until bound the file times of the tail, as those of a block.
	Since int64 `json:"since"`
	Until int64 `json:"until"`
}

// blockRef names a block and says what it must be.
type blockRef struct {
	Number uint64 `json:"n"`
	Count  int    `json:"count"`
	CRC    uint32 `json:"crc"`
	// Since and Until are the smallest and the greatest file time of its entries,
	// in microseconds since 1970.
	Since int64 `json:"since"`
	Until int64 `json:"until"`
}

// entry is a hash and what belongs to it: a file's time, or a hash of content.
type entry struct{ hash, value uint64 }

const entrySize = 16

// reserve makes room for so many entries at once.
func (e *entries) reserve(n int) { e.Tail = slices.Grow(e.Tail, n*entrySize) }

// append adds what belongs to a file that ended at end.
func (e *entries) append(end time.Time, items ...entry) {
	at := end.UnixMicro()
	if len(e.Tail) == 0 {
		e.Since, e.Until = at, at
	}
	e.Since, e.Until = min(e.Since, at), max(e.Until, at)
	for _, item := range items {
		e.Tail = binary.LittleEndian.AppendUint64(e.Tail, item.hash)
		e.Tail = binary.LittleEndian.AppendUint64(e.Tail, item.value)
	}
}

// clone shares the blocks, and the tail too: append writes only behind its end, where
// the original does not look. Of an original and its clones one alone is appended to
// and kept.
func (e entries) clone() entries {
	e.Blocks = slices.Clip(e.Blocks)
	return e
}

func parseEntries(data []byte) []entry {
	items := make([]entry, 0, len(data)/entrySize)
	for ; len(data) >= entrySize; data = data[entrySize:] {
		items = append(items, entry{binary.LittleEndian.Uint64(data), binary.LittleEndian.Uint64(data[8:])})
	}
	return items
}

func blockKey(prefix string, number uint64) string {
	return prefix + "/" + strconv.FormatUint(number, 10)
}

// seal moves a tail of at least size entries into a block of its own, stored under
// prefix. The mark that names it has not been written when seal returns.
func (e *entries) seal(ctx context.Context, client storage.Client, prefix string, size int) error {
	if len(e.Tail) == 0 || len(e.Tail) < size*entrySize {
		return nil
	}
	if err := client.Set(ctx, blockKey(prefix, e.Next), e.Tail); err != nil {
		return fmt.Errorf("store block %q: %w", blockKey(prefix, e.Next), err)
	}
	e.Blocks = append(e.Blocks, blockRef{
		Number: e.Next, Count: len(e.Tail) / entrySize, CRC: crc32.Checksum(e.Tail, castagnoli), Since: e.Since, Until: e.Until,
	})
	e.Next++
	e.Tail = nil
	return nil
}

// load puts all entries into a table, the younger over the older.
func (e *entries) load(ctx context.Context, client storage.Client, prefix string, into *table) error {
	put := func(items []entry) {
		for _, item := range items {
			into.put(item.hash, item.value)
		}
	}
	for _, ref := range e.Blocks {
		block, err := readBlock(ctx, client, prefix, ref)
		if err != nil {
			return err
		}
		put(block)
	}
	if len(e.Tail)%entrySize != 0 {
		return fmt.Errorf("%w: the last part of %q is cut", ErrDamaged, prefix)
	}
	put(parseEntries(e.Tail))
	return nil
}

// forget removes aged blocks from storage, and their entries from the table unless
// a younger one has replaced them. A block whose deletion fails stays behind
// unknown, as it does after a crash just before: it takes up room and nothing
// else.
func forget(ctx context.Context, client storage.Client, prefix string, aged []blockRef, from *table) {
	for _, ref := range aged {
		items, _ := readBlock(ctx, client, prefix, ref)
		for _, item := range items {
			from.remove(item.hash, item.value)
		}
		_ = client.Delete(ctx, blockKey(prefix, ref.Number))
	}
}

func readBlock(ctx context.Context, client storage.Client, prefix string, ref blockRef) ([]entry, error) {
	data, err := readBlockData(ctx, client, prefix, ref)
	if err != nil {
		return nil, err
	}
	return parseEntries(data), nil
}

func readBlockData(ctx context.Context, client storage.Client, prefix string, ref blockRef) ([]byte, error) {
	key := blockKey(prefix, ref.Number)
	data, err := client.Get(ctx, key)
	if err != nil {
		return nil, fmt.Errorf("read block %q: %w", key, err)
	}
	if crc32.Checksum(data, castagnoli) != ref.CRC {
		return nil, fmt.Errorf("%w: block %q is missing or damaged", ErrDamaged, key)
	}
	return data, nil
}

// drop takes out the blocks that a rule names, and returns them: their values may
// be deleted once the mark is stored.
func (e *entries) drop(rule func(blockRef) bool) (dropped []blockRef) {
	kept := make([]blockRef, 0, len(e.Blocks)+1)
	for _, ref := range e.Blocks {
		if rule(ref) {
			dropped = append(dropped, ref)
		} else {
			kept = append(kept, ref)
		}
	}
	if len(dropped) > 0 {
		e.Blocks = kept
	}
	return dropped
}
