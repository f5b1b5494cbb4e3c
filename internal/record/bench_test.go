// Copyright The OpenTelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package record

import (
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/openaicompliance/openaicompliancereceiver/internal/benchdata"
)

// benchTypes are a small, a middling and a large kind of record.
var benchTypes = []string{"AUTH_LOG", "CODEX_LOG", "CONVERSATION_MESSAGE"}

// benchLines runs fn over invented lines of a type; one op is all of them.
func benchLines(b *testing.B, eventType string, fn func(lines []Line)) {
	b.Helper()
	t, err := benchdata.Load("../../testdata/records", eventType)
	require.NoError(b, err)
	rng := rand.New(rand.NewPCG(1, 1))
	lines, size := make([]Line, 200), 0
	for i := range lines {
		lines[i] = Line{Number: i + 1, Text: t.Line(rng)}
		size += len(lines[i].Text)
	}
	b.SetBytes(int64(size))
	b.ReportAllocs()
	for b.Loop() {
		fn(lines)
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*len(lines)), "ns/record")
}

// BenchmarkMap maps under each of the variants: raw, parsed, raw with digests in
// the place of content, parsed with content dropped.
func BenchmarkMap(b *testing.B) {
	for _, name := range []string{"raw", "parsed", "hmac", "drop"} {
		for _, eventType := range benchTypes {
			b.Run(name+"/"+eventType, func(b *testing.B) {
				mapper := NewMapper(variant(name, eventType))
				benchLines(b, eventType, func(lines []Line) { mapper.Map(testFile, lines, observed) })
			})
		}
	}
}

// BenchmarkExtract copies the line and reads the fields of the mapping, and no more.
func BenchmarkExtract(b *testing.B) {
	for _, eventType := range benchTypes {
		b.Run(eventType, func(b *testing.B) {
			mapper := NewMapper(sourceOf(eventType))
			benchLines(b, eventType, func(lines []Line) {
				for _, line := range lines {
					if !extract(mapper.root, line.Text, string(line.Text), &mapper.values) {
						b.Fatal("malformed")
					}
				}
			})
		})
	}
}
