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
	// Youngest is the greatest file time of all entries so far, as Until below.
	Youngest int64 `json:"youngest"`
}

// blockRef names a block and says what it must be.
type blockRef struct {
	Number uint64 `json:"n"`
	Count  int    `json:"count"`
	CRC    uint32 `json:"crc"`
	// Until is the greatest file time of its entries, in microseconds since 1970.
	Until int64 `json:"until"`
}

// entry is a hash and what belongs to it: a file's time, or a hash of content.
type entry struct{ hash, value uint64 }

const entrySize = 16

func (e *entries) append(items ...entry) {
	for _, item := range items {
		e.Tail = binary.LittleEndian.AppendUint64(e.Tail, item.hash)
		e.Tail = binary.LittleEndian.AppendUint64(e.Tail, item.value)
	}
}

// clone shares the blocks and copies what append changes.
func (e entries) clone() entries {
	e.Blocks = slices.Clip(e.Blocks)
	e.Tail = slices.Clone(e.Tail)
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

// seal moves a full tail into a block of its own, stored under prefix. The mark
// that names it has not been written when seal returns.
func (e *entries) seal(ctx context.Context, client storage.Client, prefix string, size int, until int64) error {
	if len(e.Tail) == 0 || len(e.Tail) < size*entrySize {
		return nil
	}
	if err := client.Set(ctx, blockKey(prefix, e.Next), e.Tail); err != nil {
		return fmt.Errorf("store block %q: %w", blockKey(prefix, e.Next), err)
	}
	e.Youngest = max(e.Youngest, until)
	e.Blocks = append(e.Blocks, blockRef{Number: e.Next, Count: len(e.Tail) / entrySize, CRC: crc32.Checksum(e.Tail, castagnoli), Until: e.Youngest})
	e.Next++
	e.Tail = nil
	return nil
}

// load puts all entries into a map, the younger over the older.
func (e *entries) load(ctx context.Context, client storage.Client, prefix string, into map[uint64]uint64) error {
	put := func(items []entry) {
		for _, item := range items {
			into[item.hash] = item.value
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

// forget removes aged blocks from storage, and their entries from the map unless
// a younger one has replaced them. A block whose deletion fails stays behind
// unknown, as it does after a crash just before: it takes up room and nothing
// else.
func forget(ctx context.Context, client storage.Client, prefix string, aged []blockRef, from map[uint64]uint64) {
	for _, ref := range aged {
		items, _ := readBlock(ctx, client, prefix, ref)
		for _, item := range items {
			if from[item.hash] == item.value {
				delete(from, item.hash)
			}
		}
		_ = client.Delete(ctx, blockKey(prefix, ref.Number))
	}
}

func readBlock(ctx context.Context, client storage.Client, prefix string, ref blockRef) ([]entry, error) {
	key := blockKey(prefix, ref.Number)
	data, err := client.Get(ctx, key)
	if err != nil {
		return nil, fmt.Errorf("read block %q: %w", key, err)
	}
	if crc32.Checksum(data, castagnoli) != ref.CRC {
		return nil, fmt.Errorf("%w: block %q is missing or damaged", ErrDamaged, key)
	}
	return parseEntries(data), nil
}

// dropBefore takes out the blocks whose entries all lie before a time, and
// returns them: their values may be deleted once the mark is stored.
func (e *entries) dropBefore(time int64) []blockRef {
	n := 0
	for n < len(e.Blocks) && e.Blocks[n].Until < time {
		n++
	}
	dropped := e.Blocks[:n]
	e.Blocks = e.Blocks[n:]
	return dropped
}
