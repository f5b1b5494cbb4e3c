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

// BenchmarkAdvance stores the position behind a batch of 1,000 events, with few
// and with many files and events remembered. Storage is a map, so what is
// measured is the work and the bytes, not a disk.
func BenchmarkAdvance(b *testing.B) {
	for _, size := range []struct{ files, events int }{{10, 1_000}, {10_000, 1_000}, {10, 1_000_000}, {10_000, 1_000_000}} {
		b.Run(fmt.Sprintf("files=%d/events=%d", size.files, size.events), func(b *testing.B) {
			m := newMemory()
			s, err := Create(b.Context(), m, testKey, Beginning{Floor: floor, StartFrom: startFrom}, Settings{Overlap: time.Hour, Window: 24 * time.Hour, MaxEvents: 1_000_000})
			require.NoError(b, err)
			for i := range size.files {
				// Three files a minute: within 31 days, none is forgotten.
				require.NoError(b, s.Advance(b.Context(), accepted(b, whole(fmt.Sprintf("file-%d", i), at(time.Duration(i)*20*time.Second)))))
			}
			end := at(time.Duration(size.files) * 20 * time.Second)
			for i := range size.events / 1000 {
				require.NoError(b, s.Advance(b.Context(), accepted(b, withEvents(span("open", end, i+2), i))))
			}
			next := size.events
			b.ReportAllocs()
			for b.Loop() {
				next++
				require.NoError(b, s.Advance(b.Context(), accepted(b, withEvents(span("open", end, next), next))))
			}
			b.ReportMetric(float64(len(m.data[testKey])), "B/mark")
		})
	}
}

// withEvents gives a span 1,000 events of its own.
func withEvents(s deliver.Span, n int) deliver.Span {
	for i := range 1000 {
		s.Events = append(s.Events, deliver.Event{ID: uint64(n*1000 + i), Content: uint32(i)})
	}
	return s
}
