// Copyright The OpenTelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package collect

import (
	"bytes"
	"slices"
	"sync"
	"time"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/openaicompliance/openaicompliancereceiver/internal/checkpoint"
	"github.com/openaicompliance/openaicompliancereceiver/internal/deliver"
	"github.com/openaicompliance/openaicompliancereceiver/internal/jsonl"
	"github.com/openaicompliance/openaicompliancereceiver/internal/record"
)

// batch is some lines of a file on their way to the next consumer, without those
// that were delivered before. A worker has one, which it fills again and again.
type batch struct {
	mapper *record.Mapper

	mu       sync.Mutex // guards what follows: the limiter may take the file away
	file     record.File
	observed time.Time
	lines    []record.Line
	events   []eventOfLine // of the line with the same index
	prebuilt plog.Logs     // of all lines, until it is used once
	usable   bool          // whether prebuilt is
	counts   BatchCounts   // of what was left out; malformed ones count in malformed
	leftOut  []int         // numbers of lines that were delivered before
	times    []pcommon.Timestamp
}

// eventOfLine is a line's event; ok is false for a line without an event id.
type eventOfLine struct {
	event    deliver.Event
	ok       bool
	conflict bool // another line was delivered under its id
}

// fill maps the lines once, which shows their ids, and leaves out those that were
// delivered before.
func (b *batch) fill(state *checkpoint.Stream, file record.File, lines []record.Line, deduplicate bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.file, b.observed = file, time.Now()
	b.counts = BatchCounts{}
	b.lines, b.events, b.leftOut, b.times = b.lines[:0], b.events[:0], b.leftOut[:0], b.times[:0]
	logs, malformed := b.mapper.Map(file, lines, b.observed)
	ids, times := b.mapper.IDs(), appendTimes(nil, logs)
	inBatch := map[deliver.Event]bool{}
	for i, line := range lines {
		of := eventOfLine{}
		if deduplicate && ids[i] != "" {
			of.event, of.ok = state.NewEvent(ids[i], line.Text), true
			known, same := state.SeenEvent(of.event)
			if same || inBatch[of.event] {
				b.counts.Duplicates++
				b.leftOut = append(b.leftOut, line.Number)
				continue
			}
			of.conflict = known
			inBatch[of.event] = true
		}
		b.lines, b.events, b.times = append(b.lines, line), append(b.events, of), append(b.times, times[i])
	}
	b.counts.Malformed = malformed
	b.prebuilt, b.usable = logs, b.counts.Duplicates == 0
	if !b.usable {
		b.prebuilt = plog.Logs{}
	}
	b.mapper.LetGo()
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

func (b *batch) len() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return len(b.lines)
}

// number of the line of a record.
func (b *batch) number(record int) int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.lines[record].Number
}

// sizes are the bytes of each record, about as a consumer sees them.
func (b *batch) sizes() []int {
	b.mu.Lock()
	defer b.mu.Unlock()
	sizes := make([]int, len(b.lines))
	for i, line := range b.lines {
		sizes[i] = recordSize(b.file, len(line.Text))
	}
	return sizes
}

// recordOverhead is about what the attributes take that every record has, in bytes.
const recordOverhead = 256

// recordSize is about what a record of a line of so many bytes takes: attributes
// count, too.
func recordSize(file record.File, line int) int {
	return line + len(file.ID) + len(file.Name) + recordOverhead
}

// offer is what of a batch is offered in one call.
type offer struct {
	numbers []int // line numbers of the records, duplicates included
	fresh   []int // indexes of the records that are sent
	sent    []int // their line numbers
	events  []deliver.Event
	counts  BatchCounts
}

// offerOf prepares the records with these indexes. Another segment may have
// delivered some of them meanwhile.
func (b *batch) offerOf(state *checkpoint.Stream, records []int) offer {
	b.mu.Lock()
	defer b.mu.Unlock()
	o := offer{numbers: make([]int, 0, len(records)), fresh: make([]int, 0, len(records))}
	for _, i := range records {
		o.numbers = append(o.numbers, b.lines[i].Number)
		if of := b.events[i]; of.ok {
			if _, same := state.SeenEvent(of.event); same {
				o.counts.Duplicates++
				continue
			}
			o.events = append(o.events, of.event)
			if of.conflict {
				o.counts.Conflicts++
			}
		}
		o.fresh, o.sent = append(o.fresh, i), append(o.sent, b.lines[i].Number)
		o.counts.Times = append(o.counts.Times, b.times[i])
	}
	o.counts.Records = len(o.fresh)
	return o
}

// build returns the records of an offer, made anew for every call.
func (b *batch) build(records []int) (logs plog.Logs, malformed int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.usable && len(records) == len(b.lines) {
		b.usable = false
		logs, b.prebuilt = b.prebuilt, plog.Logs{}
		return logs, b.counts.Malformed
	}
	b.usable, b.prebuilt = false, plog.Logs{}
	lines := b.lines
	if len(records) < len(b.lines) {
		lines = make([]record.Line, len(records))
		for at, i := range records {
			lines[at] = b.lines[i]
		}
	}
	logs, malformed = b.mapper.Map(b.file, lines, b.observed)
	b.mapper.LetGo()
	return logs, malformed
}

// reset forgets the lines, so that nothing points into their file any more.
func (b *batch) reset() {
	b.mu.Lock()
	defer b.mu.Unlock()
	clear(b.lines[:cap(b.lines)])
	b.lines, b.prebuilt, b.usable = b.lines[:0], plog.Logs{}, false
}

// copyLines makes the batch independent of its file.
func (b *batch) copyLines() {
	b.mu.Lock()
	defer b.mu.Unlock()
	lines := make([]record.Line, len(b.lines))
	for i, line := range b.lines {
		lines[i] = record.Line{Number: line.Number, Text: bytes.Clone(line.Text)}
	}
	b.lines = lines
}

// lineBatcher cuts the lines of a file into batches.
type lineBatcher struct {
	lines *jsonl.Reader
	file  record.File
	skip  []int // line numbers that are left out, ascending
	more  bool
	batch []record.Line
	// skipped are the lines left out since the batch before.
	skipped []record.Line
}

// newLineBatcher starts at the first line with at least the given number, and leaves
// out the lines to skip.
func newLineBatcher(content []byte, file record.File, first int, skip []int) *lineBatcher {
	b := &lineBatcher{lines: jsonl.NewReader(content), file: file, skip: skip}
	for b.more = b.lines.Next(); b.more && b.lines.Number() < first; b.more = b.lines.Next() {
	}
	b.skipLines()
	return b
}

func (b *lineBatcher) skipLines() {
	for b.more && slices.Contains(b.skip, b.lines.Number()) {
		b.skipped = append(b.skipped, record.Line{Number: b.lines.Number(), Text: b.lines.Line()})
		b.more = b.lines.Next()
	}
}

// takeSkipped returns the lines that were left out since the last call.
func (b *lineBatcher) takeSkipped() []record.Line {
	skipped := b.skipped
	b.skipped = nil
	return skipped
}

// next returns the lines of the next batch, valid until the next call, and the
// number of the line after it, 0 when the file ends there.
func (b *lineBatcher) next(maxRecords, maxBytes int) (lines []record.Line, nextLine int) {
	b.batch = b.batch[:0]
	for size := 0; b.more && len(b.batch) < maxRecords; b.skipLines() {
		line := b.lines.Line()
		if size += recordSize(b.file, len(line)); size > maxBytes && len(b.batch) > 0 {
			break
		}
		b.batch = append(b.batch, record.Line{Number: b.lines.Number(), Text: line})
		b.more = b.lines.Next()
	}
	if b.more {
		nextLine = b.lines.Number()
	}
	return b.batch, nextLine
}
