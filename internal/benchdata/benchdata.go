// Copyright The OpenTelemetry Authors
// SPDX-License-Identifier: Apache-2.0

// Package benchdata invents files of the size that the API exports, for
// measurements. Their records have the shape of the samples in testdata/records,
// and ids of their own.
package benchdata

import (
	"bytes"
	"cmp"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// sizes of the records of a type, in bytes, evenly between the two: what a sign-in,
// a Codex prompt or tool call, and a message with its text come to.
var sizes = map[string][2]int{
	"AUTH_LOG":             {600, 1_000},
	"CODEX_LOG":            {2_000, 4_000},
	"CONVERSATION_MESSAGE": {4_000, 30_000},
}

var otherSizes = [2]int{600, 2_000}

// placeholder stands in the samples where people's text is.
const placeholder = "CANARY"

var idKey = []byte(`"event_id":"`)

// Type makes the files of one event type.
type Type struct {
	samples [][]byte
	size    [2]int
	filler  string
}

// Load reads the samples of a type from a folder. A sample is used if it holds an
// event id, and those with text to lengthen or long enough as they are before all
// others.
func Load(dir, eventType string) (*Type, error) {
	data, err := os.ReadFile(filepath.Join(dir, strings.ToLower(eventType)+".jsonl"))
	if err != nil {
		return nil, fmt.Errorf("read samples: %w", err)
	}
	t := &Type{size: cmp.Or(sizes[eventType], otherSizes), filler: prose(256 << 10)}
	var short [][]byte
	for line := range bytes.Lines(data) {
		line = bytes.TrimRight(line, "\r\n")
		switch {
		case bytes.Count(line, idKey) != 1:
		case len(line) >= t.size[0] || bytes.Contains(line, []byte(placeholder)):
			t.samples = append(t.samples, line)
		default:
			short = append(short, line)
		}
	}
	if len(t.samples) == 0 {
		t.samples = short
	}
	if len(t.samples) == 0 {
		return nil, fmt.Errorf("read samples: none of %s can be used", eventType)
	}
	return t, nil
}

// Line invents one record.
func (t *Type) Line(rng *rand.Rand) []byte {
	line := bytes.Clone(t.samples[rng.IntN(len(t.samples))])
	putID(line, rng)
	missing := t.size[0] + rng.IntN(t.size[1]-t.size[0]) - len(line)
	if missing <= 0 {
		return line
	}
	before, after, ok := bytes.Cut(line, []byte(placeholder))
	if !ok {
		return line
	}
	// Whole words, so that no escape is cut.
	at := rng.IntN(len(t.filler) - missing - 100)
	at += strings.IndexByte(t.filler[at:], ' ') + 1
	text := t.filler[at : at+missing]
	text = text[:strings.LastIndexByte(text, ' ')+1]
	return slices.Concat(before, []byte(text), after)
}

// Content invents a file of about the given size, which the same seed makes again.
func (t *Type) Content(seed uint64, size int) []byte {
	rng := rand.New(rand.NewPCG(seed, 1))
	content := make([]byte, 0, size)
	for {
		line := t.Line(rng)
		if len(content)+len(line)+1 > size {
			return content
		}
		content = append(append(content, line...), '\n')
	}
}

// Renew gives every record of a content an id of its own.
func Renew(content []byte, seed uint64) {
	rng := rand.New(rand.NewPCG(seed, 2))
	for line := range bytes.Lines(content) {
		putID(line, rng)
	}
}

func putID(line []byte, rng *rand.Rand) {
	at := bytes.Index(line, idKey) + len(idKey)
	h := fmt.Sprintf("%016x%016x", rng.Uint64(), rng.Uint64())
	copy(line[at:], h[:8]+"-"+h[8:12]+"-"+h[12:16]+"-"+h[16:20]+"-"+h[20:])
}

// prose is the inside of a JSON string of about n bytes: words, and now and then
// what has to be escaped or is not ASCII.
func prose(n int) string {
	rng := rand.New(rand.NewPCG(1, 3))
	var out strings.Builder
	for out.Len() < n {
		for range 8 + rng.IntN(12) {
			out.WriteString(words[rng.IntN(len(words))])
			out.WriteByte(' ')
		}
		out.WriteString(breaks[rng.IntN(len(breaks))])
		out.WriteByte(' ')
	}
	return out.String()
}

var (
	words = strings.Fields(`the of and to in is that for it as was with be by on not he this are or his from at which but have an had they you were
		quarterly figures forecast budget review please summarise compare branch function returns an error when the connection closes before
		every record has been read therefore we should retry later because nothing is lost naïve Zürich`)
	breaks = []string{`end.`, `done.\n\n`, `\"quoted\",`, `so:\n-`, `x := f(a)\n\treturn x`, `日本語 🙂.`, `again.`}
)
