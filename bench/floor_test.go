// Copyright The OpenTelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// BenchmarkFloor reads a file of each type by HTTP, digests it and reads its
// tokens; one op is one file.
func BenchmarkFloor(b *testing.B) {
	for _, eventType := range mix {
		b.Run(eventType, func(b *testing.B) {
			s, err := newSource("../testdata/records", []string{eventType}, 1, fileSize)
			require.NoError(b, err)
			defer s.close()
			s.keep()
			b.SetBytes(s.bytes)
			b.ReportAllocs()
			for b.Loop() {
				require.NoError(b, floor(b.Context(), s.urls()[0], nil))
			}
		})
	}
}
