// Copyright The OpenTelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package receiver

import (
	"math"
	"sync"
	"time"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/openaicompliance/openaicompliancereceiver/internal/checkpoint"
	"github.com/openaicompliance/openaicompliancereceiver/internal/compliance"
	"github.com/openaicompliance/openaicompliancereceiver/internal/deliver"
	"github.com/openaicompliance/openaicompliancereceiver/internal/record"
)

// batch is some lines of a file on their way to the next consumer, without those
// that were delivered before. A stream has one, which it fills again and again.
type batch struct {
	mapper   *record.Mapper
	from     record.File
	observed time.Time
	events   []deliver.Event // of the lines that have an id
	counts   counts
	here     map[uint64]uint32 // the contents of the events, by id
	all      []pcommon.Timestamp
	numbers  []int

	mu    sync.Mutex // guards everything below once the batch is in delivery
	lines []record.Line
	first plog.Logs // what the first build returns, while fresh is set
	fresh bool
}

// recordsPerLine is about how much memory the records of a batch take beside its
// lines, with bodies that are maps (docs/performance.md).
const recordsPerLine = 4

// memoryOf a file: while it is on its way, and a batch of it is in delivery.
func (c *Config) memoryOf(file compliance.File) int64 {
	room, records := compliance.Room(file.Size), recordsPerLine*min(int64(c.Batch.MaxBytes), file.Size)
	if room > math.MaxInt64-records {
		return math.MaxInt64
	}
	return room + records
}

// counts of the records of a batch.
type counts struct {
	records, malformed, duplicates, conflicts int
	// times of the records, 0 where a record has none.
	times []pcommon.Timestamp
}

// prepare maps the lines once, which tells their ids, and leaves out duplicates. What
// it returns is valid until the next call.
func (s *stream) prepare(from record.File, lines []record.Line, observed time.Time) *batch {
	b := &s.batch
	b.mu.Lock()
	defer b.mu.Unlock()
	b.mapper, b.from, b.observed, b.fresh = s.mapper, from, observed, true
	b.counts = counts{times: b.counts.times[:0]}
	b.events, b.lines, b.numbers = b.events[:0], b.lines[:0], b.numbers[:0]
	b.first, b.counts.malformed = s.mapper.Map(from, lines, observed)
	b.all = appendTimes(b.all[:0], b.first)
	b.dedupLocked(s.progress, lines, s.cfg.Deduplication.Window > 0)
	s.mapper.LetGo()
	b.counts.records = len(b.lines)
	if b.counts.duplicates > 0 {
		b.releaseLocked() // it holds the duplicates too
	}
	return b
}

// dedupLocked keeps the lines that are news: with no id, with an id that was not
// delivered within the window, or with one that was delivered with other bytes.
func (b *batch) dedupLocked(progress *checkpoint.Stream, lines []record.Line, on bool) {
	if b.here == nil {
		b.here = map[uint64]uint32{}
	}
	clear(b.here)
	for i, id := range b.mapper.IDs() {
		if id == "" || !on {
			b.keepLocked(lines[i], b.all[i])
			continue
		}
		event := checkpoint.NewEvent(id, lines[i].Text)
		known, same := progress.Delivered(event)
		if content, ok := b.here[event.ID]; ok {
			known, same = true, content == event.Content
		}
		if same {
			b.counts.duplicates++
			continue
		}
		if known {
			b.counts.conflicts++
		}
		b.here[event.ID] = event.Content
		b.keepLocked(lines[i], b.all[i])
		b.events = append(b.events, event)
	}
}

func (b *batch) keepLocked(line record.Line, at pcommon.Timestamp) {
	b.lines = append(b.lines, line)
	b.numbers = append(b.numbers, line.Number)
	b.counts.times = append(b.counts.times, at)
}

// appendTimes appends the records' own times, in order.
func appendTimes(times []pcommon.Timestamp, logs plog.Logs) []pcommon.Timestamp {
	for _, resource := range logs.ResourceLogs().All() {
		for _, scope := range resource.ScopeLogs().All() {
			for _, record := range scope.LogRecords().All() {
				times = append(times, record.Timestamp())
			}
		}
	}
	return times
}

// build returns the log records, made anew for every call.
func (b *batch) build() plog.Logs {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.fresh {
		defer b.releaseLocked()
		return b.first
	}
	logs, _ := b.mapper.Map(b.from, b.lines, b.observed)
	b.mapper.LetGo()
	return logs
}

// releaseLocked lets go of the logs that prepare made.
func (b *batch) releaseLocked() {
	b.first, b.fresh = plog.Logs{}, false
}

// letGo forgets the lines, so that nothing points into their file any more.
func (b *batch) letGo() {
	b.mu.Lock()
	defer b.mu.Unlock()
	clear(b.lines[:cap(b.lines)])
	b.lines = b.lines[:0]
}

// detach copies the lines, so that the file they are slices of can go.
func (b *batch) detach() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.lines = keepOnly(b.lines)
}
