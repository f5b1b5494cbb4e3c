// Copyright The OpenTelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package checkpoint

import (
	"context"
	"time"

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
	contents map[uint64]uint64 // hash of the line, by hash of the event id
	evicted  int               // events that left before their time
}

func newWindow(key string, set Settings) *window {
	return &window{
		prefix: key + "/events", span: set.Window, max: set.MaxEvents,
		block:    min(windowBlock, set.MaxEvents/8),
		contents: map[uint64]uint64{},
	}
}

// NewEvent names an event by its id and its line.
func NewEvent(id string, line []byte) deliver.Event {
	return deliver.Event{ID: hash64(id), Content: hash64(line)}
}

func (w *window) has(event deliver.Event) (known, same bool) {
	content, ok := w.contents[event.ID]
	return ok, ok && content == event.Content
}

func (w *window) load(ctx context.Context, client storage.Client, events entries) error {
	return events.load(ctx, client, w.prefix, w.contents)
}

// add appends the events of a batch, and seals the tail when it is full.
func (w *window) add(ctx context.Context, client storage.Client, log *entries, events []deliver.Event, end time.Time) error {
	if w.span == 0 {
		return nil
	}
	for _, event := range events {
		log.append(entry{event.ID, event.Content})
	}
	// The file that fills a block may be an old one that came late.
	log.Youngest = max(log.Youngest, end.UnixMicro())
	return log.seal(ctx, client, w.prefix, w.block, end.UnixMicro())
}

func (w *window) added(events []deliver.Event) {
	if w.span == 0 {
		return
	}
	for _, event := range events {
		w.contents[event.ID] = event.Content
	}
}

// age takes out the blocks that lie before the window, and the oldest ones while
// there are more events in blocks than allowed.
func (w *window) age(log *entries, end time.Time) (aged, crowded []blockRef) {
	aged = log.dropBefore(end.Add(-w.span).UnixMicro())
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

func (w *window) forget(ctx context.Context, client storage.Client, aged []blockRef) {
	forget(ctx, client, w.prefix, aged, w.contents)
}
