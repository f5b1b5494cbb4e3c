// Copyright The OpenTelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package checkpoint

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/openaicompliance/openaicompliancereceiver/internal/deliver"
)

// BenchmarkCommit stores the progress after a batch of 1,000 events, with few and with
// many completed files, seen events and queued ranges. Storage is a map, so what is
// measured is the work and the bytes, not a disk.
func BenchmarkCommit(b *testing.B) {
	for _, size := range []struct{ files, events, ranges int }{
		{10, 1_000, 0},
		{10_000, 1_000, 0},
		{10, 1_000_000, 0},
		{10_000, 1_000_000, 0},
		{10, 1_000, 10_000},
		{10_000, 1_000_000, 10_000},
	} {
		b.Run(fmt.Sprintf("files=%d/events=%d/ranges=%d", size.files, size.events, size.ranges), func(b *testing.B) {
			f := newFixture(b, Bounds{Floor: floor}, Settings{Window: 24 * time.Hour, MaxEvents: 1_000_000})
			for i := range size.files {
				// Three files a minute: within 31 days, none is forgotten.
				f.done(fmt.Sprintf("file-%d", i), at(time.Duration(i)*20*time.Second))
			}
			end := at(time.Duration(size.files) * 20 * time.Second)
			for i := range size.ranges / 20 {
				f.enqueue(QueuedFile{File: ref(fmt.Sprintf("lines-%d", i), end), Lines: manyRanges(20)})
			}
			for i := range size.events / 1000 {
				f.commitPart(accepted(b, thousandEvents(partOf("open", end, i+2), i)))
			}
			next := size.events
			b.ReportAllocs()
			for b.Loop() {
				next++
				b.StopTimer()
				receipt := accepted(b, thousandEvents(partOf("open", end, next), next))
				b.StartTimer()
				require.NoError(b, f.Commit(b.Context(), receipt, CommitTime{}))
			}
			b.ReportMetric(float64(len(f.memory.data[testKey+"/"+f.term.ID])), "B/checkpoint")
		})
	}
}

// thousandEvents gives a part events of its own.
func thousandEvents(part deliver.Part, n int) deliver.Part {
	for i := range 1000 {
		part.Events = append(part.Events, deliver.Event{ID: uint64(n*1000+i) * 0x9e3779b97f4a7c15, Content: uint64(i)})
	}
	return part
}

// BenchmarkQuarantineLine adds a rejected line to a full queue and takes it out again.
func BenchmarkQuarantineLine(b *testing.B) {
	f := newFixture(b, Bounds{Floor: floor}, Settings{})
	for i := range 499 {
		f.enqueue(QueuedFile{File: ref(fmt.Sprintf("lines-%d", i), at(time.Hour)), Lines: manyRanges(20)})
	}
	reject, accept := quarantined(b, partOf("lines-250", at(time.Hour), 0, 99)), accepted(b, partOf("lines-250", at(time.Hour), 0, 99))
	b.ReportAllocs()
	for b.Loop() {
		f.commitPart(reject)
		f.commitPart(accept)
	}
}

// BenchmarkNewEvent hashes an id and a line of 1 KB.
func BenchmarkNewEvent(b *testing.B) {
	f := newFixture(b, Bounds{Floor: floor}, Settings{})
	line := make([]byte, 1024)
	b.ReportAllocs()
	for b.Loop() {
		f.NewEvent("6f1c0f3e-5b1a-4b7e-9d0e-6a4c2f2f2f2f", line)
	}
}

// BenchmarkSeenEvents adds and finds a million events.
func BenchmarkSeenEvents(b *testing.B) {
	events := make([]deliver.Event, 1_000_000)
	for i := range events {
		events[i] = deliver.Event{ID: uint64(i+1) * 0x9e3779b97f4a7c15, Content: uint64(i)}
	}
	b.ReportAllocs()
	for b.Loop() {
		var table seenEvents
		table.add(events)
		for _, e := range events {
			if known, _ := table.find(e); !known {
				b.Fatal("not found")
			}
		}
	}
}
