// Copyright The OpenTelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package checkpoint

import (
	"context"
	"slices"
	"time"

	"github.com/cespare/xxhash/v2"

	"go.opentelemetry.io/collector/extension/xextension/storage"

	"github.com/openaicompliance/openaicompliancereceiver/internal/deliver"
)

// windowBlock is how many events make a block, at the most: events leave the
// window a block at a time, so a small window has small ones.
const windowBlock = 2048

// window remembers delivered events, to tell repetitions from news.
type window struct {
	prefix   string
	span     time.Duration
	max      int
	block    int
	contents table[uint32] // half of the line's hash, by hash of the event id
	evicted  int           // events that left before their time
}

func newWindow(key string, set Settings) *window {
	return &window{
		prefix: key + "/events", span: set.Window, max: set.MaxEvents,
		block: min(windowBlock, set.MaxEvents/8),
	}
}

// NewEvent names an event by its id and its line. Two of a million ids have one
// hash with a chance of one in thirty million; then both are delivered, unless
// their lines agree as well. Of the line's hash half is kept: another line under an id
// that was delivered is taken for a repetition once in four billion times.
// It is called for every record, and XXH64 is six times as fast as SHA-256: the API
// makes the ids, so nobody can look for hashes that agree.
func NewEvent(id string, line []byte) deliver.Event {
	return deliver.Event{ID: xxhash.Sum64String(id), Content: uint32(xxhash.Sum64(line))} //nolint:gosec // see above
}

func (w *window) has(event deliver.Event) (known, same bool) {
	content, ok := w.contents.get(event.ID)
	return ok, ok && content == event.Content
}

func (w *window) load(ctx context.Context, client storage.Client, events entries) error {
	return recall(ctx, client, &events, w.prefix, contentForm, &w.contents)
}

// add appends the events of a batch, and seals the tail when it is full or would
// reach over more file time than the window: history and live files take turns,
// and each block is to age with its own.
func (w *window) add(ctx context.Context, client storage.Client, log *entries, events []deliver.Event, end time.Time) error {
	if w.span == 0 || len(events) == 0 {
		return nil
	}
	if at, span := end.UnixMicro(), w.span.Microseconds(); at > log.Since+span || at < log.Until-span {
		if err := log.seal(ctx, client, w.prefix, contentForm, 1); err != nil {
			return err
		}
	}
	log.reserve(contentForm, len(events))
	for _, event := range events {
		log.append(contentForm, end, entry{event.ID, uint64(event.Content)})
	}
	return log.seal(ctx, client, w.prefix, contentForm, w.block)
}

func (w *window) added(events []deliver.Event) {
	if w.span == 0 {
		return
	}
	for _, event := range events {
		w.contents.put(event.ID, event.Content)
	}
}

// age takes out the blocks that lie further than the window from every file still
// to come, and the oldest ones while there are more events in blocks than allowed.
func (w *window) age(log *entries, next *state) (aged, crowded []blockRef) {
	segments := next.segments()
	aged = log.drop(func(ref blockRef) bool {
		return !slices.ContainsFunc(segments, func(seg Segment) bool { return w.reaches(seg, ref) })
	})
	count := 0
	for _, ref := range log.Blocks {
		count += ref.Count
	}
	n := 0
	for ; n < len(log.Blocks) && count > w.max; n++ {
		count -= log.Blocks[n].Count
	}
	crowded, log.Blocks = log.Blocks[:n], log.Blocks[n:]
	return aged, crowded
}

// reaches reports whether the window of a file that a segment still delivers may
// hold events of the block.
func (w *window) reaches(seg Segment, ref blockRef) bool {
	span := w.span.Microseconds()
	return seg.Cursor.UnixMicro() <= ref.Until+span && (seg.To.IsZero() || seg.To.UnixMicro() >= ref.Since-span)
}

func (w *window) forget(ctx context.Context, client storage.Client, aged []blockRef) {
	forget(ctx, client, w.prefix, aged, &w.contents)
}
