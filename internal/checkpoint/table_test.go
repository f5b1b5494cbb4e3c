// Copyright The OpenTelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package checkpoint

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// unspread is the inverse of spread, modulo 2^64.
const unspread = 0xf1de83e19937733d

// TestTable: whatever is put in and taken out, in whatever order, the table holds
// what a map would; hashes that crowd in a few slots, at either end of the table
// included.
func TestTable(t *testing.T) {
	require.Equal(t, uint64(1), slotHash(unspread))
	draws := map[string]func(rng *rand.Rand) uint64{
		"any":              (*rand.Rand).Uint64,
		"small numbers":    func(rng *rand.Rand) uint64 { return rng.Uint64() % 5_000 },
		"few slots":        func(rng *rand.Rand) uint64 { return (1 + rng.Uint64()%300) << 55 * unspread },
		"the lowest slot":  func(rng *rand.Rand) uint64 { return (1 + rng.Uint64()%500) * unspread },
		"the highest slot": func(rng *rand.Rand) uint64 { return (math.MaxUint64 - rng.Uint64()%500) * unspread },
	}
	for name, draw := range draws {
		t.Run(name, func(t *testing.T) {
			rng := rand.New(rand.NewPCG(1, 2))
			var got table[uint32]
			want := map[uint64]uint32{}
			for step := range 20_000 {
				hash, value := draw(rng), rng.Uint32()%4
				switch {
				case rng.IntN(step/5_000+2) == 0:
					got.put(hash, value)
					want[hash] = value
				case rng.IntN(2) == 0:
					got.remove(hash, value)
					if held, ok := want[hash]; ok && held == value {
						delete(want, hash)
					}
				default:
					value, ok := got.get(hash)
					wanted, known := want[hash]
					require.Equal(t, known, ok)
					require.Equal(t, wanted, value)
				}
			}
			require.Equal(t, len(want), got.n)
			checkTable(t, &got, want)
		})
	}
}

func checkTable(t *testing.T, got *table[uint32], want map[uint64]uint32) {
	t.Helper()
	for hash, value := range want {
		found, ok := got.get(hash)
		require.True(t, ok, hash)
		require.Equal(t, value, found)
	}
	held := 0
	for _, hash := range got.hashes {
		if hash != 0 {
			held++
		}
	}
	assert.Equal(t, got.n, held)
}

// TestTableMemory: a million events take 18 MB at the most, wherever between 14 and 17
// the table stands since it grew last.
func TestTableMemory(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 4))
	var got table[uint32]
	most := 0.0 // slots for each entry
	for got.n < 1_000_000 {
		got.put(rng.Uint64(), 1)
		if got.n > 100_000 {
			most = max(most, float64(len(got.hashes))/float64(got.n))
		}
	}
	assert.Less(t, most, 1.5)
}

// TestTableHashZero: the hash that marks a free slot can be stored like any other.
func TestTableHashZero(t *testing.T) {
	var got table[uint64]
	got.put(0, 7)
	value, ok := got.get(0)
	assert.True(t, ok)
	assert.Equal(t, uint64(7), value)
	got.remove(0, 7)
	_, ok = got.get(0)
	assert.False(t, ok)
	assert.Zero(t, got.n)
}

// BenchmarkTable beside Go's map: a look for what is not there and putting it in,
// as for each record, with a million held.
func BenchmarkTable(b *testing.B) {
	const held = 1_000_000
	b.Run("table", func(b *testing.B) {
		var t table[uint32]
		rng := rand.New(rand.NewPCG(5, 6))
		for b.Loop() {
			h := rng.Uint64()
			if _, ok := t.get(h); !ok {
				t.put(h, uint32(h))
			}
			if t.n == held {
				t.release()
			}
		}
	})
	b.Run("map", func(b *testing.B) {
		m := map[uint64]uint32{}
		rng := rand.New(rand.NewPCG(5, 6))
		for b.Loop() {
			h := rng.Uint64()
			if _, ok := m[h]; !ok {
				m[h] = uint32(h)
			}
			if len(m) == held {
				m = map[uint64]uint32{}
			}
		}
	})
}
