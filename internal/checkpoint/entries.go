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
	// Tail holds the entries behind the last block.
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

// entry is a hash and what belongs to it: a file's time, or 32 bits of a hash of content.
type entry struct{ hash, value uint64 }

// form is how entries are written: the hash in eight bytes and the value in so many,
// both little-endian.
type form int

// Forms of the ledger, and of the window.
const (
	endForm     form = 8
	contentForm form = 4
)

// size of an entry in bytes.
func (f form) size() int { return 8 + int(f) }

func (f form) append(data []byte, item entry) []byte {
	data = binary.LittleEndian.AppendUint64(data, item.hash)
	if f == contentForm {
		return binary.LittleEndian.AppendUint32(data, uint32(item.value)) //nolint:gosec // what the form keeps of it
	}
	return binary.LittleEndian.AppendUint64(data, item.value)
}

func (f form) parse(data []byte) []entry {
	items := make([]entry, 0, len(data)/f.size())
	for ; len(data) >= f.size(); data = data[f.size():] {
		item := entry{hash: binary.LittleEndian.Uint64(data)}
		if f == contentForm {
			item.value = uint64(binary.LittleEndian.Uint32(data[8:]))
		} else {
			item.value = binary.LittleEndian.Uint64(data[8:])
		}
		items = append(items, item)
	}
	return items
}

// rewritten is data of another form in this one.
func (f form) rewritten(data []byte, from form) []byte {
	if f == from {
		return data
	}
	out := make([]byte, 0, len(data)/from.size()*f.size())
	for _, item := range from.parse(data) {
		out = f.append(out, item)
	}
	return out
}

// exported is data of another form as a Block of a log of this form has it: in the
// ledger's form, with as much of it as this form keeps.
func (f form) exported(data []byte, from form) []byte {
	return endForm.rewritten(f.rewritten(data, from), f)
}

// form of a block, 0 if its length fits none. Blocks of the window had the ledger's form
// up to version 2.
func (r blockRef) form(data []byte) form {
	for _, f := range []form{contentForm, endForm} {
		if len(data) == r.Count*f.size() {
			return f
		}
	}
	return 0
}

// reserve makes room for so many entries at once.
func (e *entries) reserve(f form, n int) { e.Tail = slices.Grow(e.Tail, n*f.size()) }

// append adds what belongs to a file that ended at end.
func (e *entries) append(f form, end time.Time, items ...entry) {
	at := end.UnixMicro()
	if len(e.Tail) == 0 {
		e.Since, e.Until = at, at
	}
	e.Since, e.Until = min(e.Since, at), max(e.Until, at)
	for _, item := range items {
		e.Tail = f.append(e.Tail, item)
	}
}

// clone shares the blocks, and the tail too: append writes only behind its end, where
// the original does not look. Of an original and its clones one alone is appended to
// and kept.
func (e entries) clone() entries {
	e.Blocks = slices.Clip(e.Blocks)
	return e
}

func blockKey(prefix string, number uint64) string {
	return prefix + "/" + strconv.FormatUint(number, 10)
}

// seal moves a tail of at least size entries into a block of its own, stored under
// prefix. The mark that names it has not been written when seal returns.
func (e *entries) seal(ctx context.Context, client storage.Client, prefix string, f form, size int) error {
	if len(e.Tail) == 0 || len(e.Tail) < size*f.size() {
		return nil
	}
	if err := client.Set(ctx, blockKey(prefix, e.Next), e.Tail); err != nil {
		return fmt.Errorf("store block %q: %w", blockKey(prefix, e.Next), err)
	}
	e.Blocks = append(e.Blocks, blockRef{
		Number: e.Next, Count: len(e.Tail) / f.size(), CRC: crc32.Checksum(e.Tail, castagnoli), Since: e.Since, Until: e.Until,
	})
	e.Next++
	e.Tail = nil
	return nil
}

// recall puts all entries into a table, the younger over the older.
func recall[V value](ctx context.Context, client storage.Client, e *entries, prefix string, f form, into *table[V]) error {
	put := func(items []entry) {
		for _, item := range items {
			into.put(item.hash, V(item.value))
		}
	}
	for _, ref := range e.Blocks {
		block, err := readBlock(ctx, client, prefix, ref)
		if err != nil {
			return err
		}
		put(block)
	}
	if err := e.checkTail(prefix, f); err != nil {
		return err
	}
	put(f.parse(e.Tail))
	return nil
}

func (e *entries) checkTail(prefix string, f form) error {
	if len(e.Tail)%f.size() != 0 {
		return fmt.Errorf("%w: the last part of %q is cut", ErrDamaged, prefix)
	}
	return nil
}

// forget removes aged blocks from storage, and their entries from the table unless
// a younger one has replaced them. A block whose deletion fails stays behind
// unknown, as it does after a crash just before: it takes up room and nothing
// else.
func forget[V value](ctx context.Context, client storage.Client, prefix string, aged []blockRef, from *table[V]) {
	for _, ref := range aged {
		items, _ := readBlock(ctx, client, prefix, ref)
		for _, item := range items {
			from.remove(item.hash, V(item.value))
		}
		_ = client.Delete(ctx, blockKey(prefix, ref.Number))
	}
}

func readBlock(ctx context.Context, client storage.Client, prefix string, ref blockRef) ([]entry, error) {
	data, f, err := readBlockData(ctx, client, prefix, ref)
	if err != nil {
		return nil, err
	}
	return f.parse(data), nil
}

// readBlockData returns a block, and the form that it has.
func readBlockData(ctx context.Context, client storage.Client, prefix string, ref blockRef) ([]byte, form, error) {
	key := blockKey(prefix, ref.Number)
	data, err := client.Get(ctx, key)
	if err != nil {
		return nil, 0, fmt.Errorf("read block %q: %w", key, err)
	}
	f := ref.form(data)
	if crc32.Checksum(data, castagnoli) != ref.CRC || f == 0 {
		return nil, 0, fmt.Errorf("%w: block %q is missing or damaged", ErrDamaged, key)
	}
	return data, f, nil
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
