// Copyright The OpenTelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package checkpoint

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"go.opentelemetry.io/collector/extension/xextension/storage"
)

// Kinds of blocks.
const (
	completedKind = "files"
	eventsKind    = "events"
	queueKind     = "queue"
	digestKind    = "digest"
)

// blockName is the key of a block below the stream's. It has the term and the content,
// so that no two writers and no two contents share a name.
func blockName(termID, kind string, number uint64, data []byte) string {
	return fmt.Sprintf("%s/%s/%d-%s", termID, kind, number, contentHash(data))
}

func contentHash(data []byte) string {
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:8])
}

var errBlockName = errors.New("a block has no name")

// readBlock returns the content that the name stands for.
func readBlock(ctx context.Context, client storage.Client, key, name string) ([]byte, error) {
	at := key + "/" + name
	data, err := client.Get(ctx, at)
	switch {
	case err != nil:
		return nil, fmt.Errorf("load block %q: %w", at, err)
	case data == nil:
		return nil, corrupt(at, "the block is missing")
	case !strings.HasSuffix(name, "-"+contentHash(data)):
		return nil, corrupt(at, "the block has changed")
	}
	return data, nil
}

// blockLog is an append-only log of entries of one length. The newest ones are in the
// checkpoint, so that a commit writes little however long the log is. Once they are
// enough they become a block, which never changes. A block is forgotten as a whole.
type blockLog struct {
	// Blocks, oldest first.
	Blocks []blockRef `json:"blocks"`
	// Tail are the entries after the last block.
	Tail      []byte    `json:"tail"`
	TailTimes timeRange `json:"tail_times,omitzero"`
}

// blockRef names a block of a log.
type blockRef struct {
	Name  string    `json:"name"`
	Count int       `json:"count"`
	Times timeRange `json:"times"`
}

// timeRange is the smallest and the greatest file time of some entries, in microseconds
// since 1970.
type timeRange struct {
	Since int64 `json:"since"`
	Until int64 `json:"until"`
}

// Entries of the logs: the keyed hash of a file id and its end_time; two hashes of an
// event.
const (
	completedEntry = 24
	eventEntry     = 16
)

func (l *blockLog) empty() bool { return len(l.Blocks) == 0 && len(l.Tail) == 0 }

// appended is the log with more entries of a file that ended at end. The new tail shares
// nothing with the old one.
func (l blockLog) appended(end time.Time, entries []byte) blockLog {
	at := end.UnixMicro()
	if len(l.Tail) == 0 {
		l.TailTimes = timeRange{at, at}
	}
	l.TailTimes = timeRange{min(l.TailTimes.Since, at), max(l.TailTimes.Until, at)}
	l.Tail = slices.Concat(l.Tail, entries)
	return l
}

// sealed is the log with its tail as a block of this name.
func (l blockLog) sealed(name string, entrySize int) blockLog {
	l.Blocks = append(slices.Clip(l.Blocks), blockRef{name, len(l.Tail) / entrySize, l.TailTimes})
	l.Tail, l.TailTimes = nil, timeRange{}
	return l
}

// without is the log without the blocks that a rule names, and those blocks.
func (l blockLog) without(rule func(blockRef) bool) (left blockLog, dropped []blockRef) {
	if !slices.ContainsFunc(l.Blocks, rule) {
		return l, nil
	}
	kept := make([]blockRef, 0, len(l.Blocks))
	for _, ref := range l.Blocks {
		if rule(ref) {
			dropped = append(dropped, ref)
		} else {
			kept = append(kept, ref)
		}
	}
	l.Blocks = kept
	return l, dropped
}

// read calls put with the entries of each block, oldest first, and of the tail.
func (l *blockLog) read(ctx context.Context, client storage.Client, key string, entrySize int, put func(timeRange, []byte)) error {
	for _, ref := range l.Blocks {
		data, err := readBlock(ctx, client, key, ref.Name)
		if err != nil {
			return err
		}
		if len(data) != ref.Count*entrySize {
			return corrupt(key+"/"+ref.Name, "the block has another length")
		}
		put(ref.Times, data)
	}
	if len(l.Tail)%entrySize != 0 {
		return corrupt(key, "the last entries are cut")
	}
	if len(l.Tail) > 0 {
		put(l.TailTimes, l.Tail)
	}
	return nil
}
