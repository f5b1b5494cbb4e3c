// Copyright The OpenTelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package record

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
)

// shuffled writes an object anew with its members in another order, some of them left
// out and an unknown one among them, at every level.
func shuffled(t *testing.T, rng *rand.Rand, value []byte) []byte {
	t.Helper()
	if value[0] != '{' {
		return value
	}
	var members map[string]json.RawMessage
	require.NoError(t, json.Unmarshal(value, &members))
	members[fmt.Sprintf("unknown%d", rng.IntN(200))] = json.RawMessage(`{"id":"u","model":"u"}`)
	var all [][]byte
	for key, member := range members {
		if rng.IntN(10) == 0 {
			continue
		}
		name, err := json.Marshal(key)
		require.NoError(t, err)
		if rng.IntN(10) == 0 {
			name = fmt.Appendf(nil, `"\u%04x%s`, name[1], name[2:]) // the same key, written in another way
		}
		all = append(all, slices.Concat(name, []byte(": ")[:1+rng.IntN(2)], shuffled(t, rng, member)))
	}
	slices.SortFunc(all, bytes.Compare)
	rng.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
	return slices.Concat([]byte{'{'}, bytes.Join(all, []byte{','}), []byte{'}'})
}

// TestMembersInAnyOrder: a mapper that has read other lines reads every line as a new one
// does, and the attributes are the same whatever becomes of the body.
func TestMembersInAnyOrder(t *testing.T) {
	for _, kind := range []string{"raw", "parsed", "hmac", "drop"} {
		for eventType, lines := range samples(t) {
			t.Run(kind+"/"+eventType, func(t *testing.T) {
				rng := rand.New(rand.NewPCG(1, 9))
				used := NewMapper(variant(kind, eventType))
				for n := range 100 {
					line := lines[n%len(lines)]
					if !isObject(line) {
						continue
					}
					line = shuffled(t, rng, line)
					got, malformed := mapLines(used, line)
					want, _ := mapLines(NewMapper(variant(kind, eventType)), line)
					require.Zero(t, malformed, "%s", line)
					require.Equal(t, marshal(t, want), marshal(t, got), "%s", line)
					requireSameAttributes(t, eventType, line, recordsOf(got).At(0).Attributes().AsRaw())
				}
			})
		}
	}
}

// requireSameAttributes compares with those of a raw body, but for those of which only a
// part stays where content is withheld.
func requireSameAttributes(t *testing.T, eventType string, line []byte, got map[string]any) {
	t.Helper()
	raw, _ := mapLines(NewMapper(variant("raw", eventType)), line)
	want := recordsOf(raw).At(0).Attributes().AsRaw()
	if _, withheld := got[AttrContent]; withheld {
		for name, is := range reducedAttributes(formURL, formCoordinate) {
			if is && got[name] != nil && want[name] != nil {
				got[name] = want[name]
			}
		}
	}
	delete(got, AttrContent)
	require.Equal(t, want, got, "%s", line)
}
