// Copyright The OpenTelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package jsonl_test

import (
	"bytes"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/openaicompliance/openaicompliancereceiver/internal/jsonl"
)

type line struct {
	number int
	text   string
}

func read(body string) (lines []line) {
	for r := jsonl.NewReader([]byte(body)); r.Next(); {
		lines = append(lines, line{r.Number(), string(r.Line())})
	}
	return lines
}

// Lines come exact and with the number an editor shows; only their terminator
// and blank lines are left out.
func TestReader(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		body string
		want []line
	}{
		"empty body":                    {"", nil},
		"LF":                            {"a\nb\n", []line{{1, "a"}, {2, "b"}}},
		"CRLF":                          {"a\r\nb\r\n", []line{{1, "a"}, {2, "b"}}},
		"both":                          {"a\r\nb\nc\r\n", []line{{1, "a"}, {2, "b"}, {3, "c"}}},
		"no last newline":               {"a\nb", []line{{1, "a"}, {2, "b"}}},
		"a CR at the very end":          {"a\nb\r", []line{{1, "a"}, {2, "b"}}},
		"one CR of two belongs to it":   {"a\r\r\nb", []line{{1, "a\r"}, {2, "b"}}},
		"a CR within":                   {"a\rb\n", []line{{1, "a\rb"}}},
		"blank lines are counted":       {"\na\n\n \t\n\r\nb\n\n", []line{{2, "a"}, {6, "b"}}},
		"nothing but blank lines":       {"\n\r\n \n\t", nil},
		"blanks around a line are kept": {"  a \t\n", []line{{1, "  a \t"}}},
		"a form feed is not blank":      {"\f\n\v\n", []line{{1, "\f"}, {2, "\v"}}},
		"a wide blank is not blank":     {"\u00a0\n\u3000\n", []line{{1, "\u00a0"}, {2, "\u3000"}}},
		"NUL":                           {"\x00\na\x00b\n", []line{{1, "\x00"}, {2, "a\x00b"}}},
		"a byte order mark":             {"\ufeff{}\n\ufeff\n", []line{{1, "\ufeff{}"}, {2, "\ufeff"}}},
		"not UTF-8":                     {"\xff\xfe\n\xc3\n", []line{{1, "\xff\xfe"}, {2, "\xc3"}}},
		"line separators of Unicode":    {"a\u2028b\u0085c\n", []line{{1, "a\u2028b\u0085c"}}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			assert.Equal(t, tt.want, read(tt.body))
		})
	}
}

// A reader at its end stays there and holds no line; the number stays the last.
func TestReaderAtTheEnd(t *testing.T) {
	t.Parallel()
	r := jsonl.NewReader([]byte("a\n\n"))
	assert.Zero(t, r.Number())
	assert.Nil(t, r.Line())
	require.True(t, r.Next())
	for range 3 {
		require.False(t, r.Next())
		assert.Nil(t, r.Line())
		assert.Equal(t, 2, r.Number())
	}
}

// Lines are slices of the body: reading allocates nothing, however long a line.
func TestReaderCopiesNothing(t *testing.T) {
	body := bytes.Repeat([]byte(`{"event_id":"1"}`+"\n"), 1000)
	body = append(body, bytes.Repeat([]byte("x"), 1<<20)...)
	assert.Zero(t, testing.AllocsPerRun(10, func() {
		r := jsonl.NewReader(body)
		for r.Next() {
			_ = r.Line()
		}
	}))
}

// FuzzReader puts the body together again from its lines: what lies between them
// may only be terminators and blank lines.
func FuzzReader(f *testing.F) {
	for _, body := range []string{"", "a", "a\nb\n", "a\r\n\r\nb", "\n\n \t\r\n{}\r\r\n", "\ufeff\x00\n\r", "\r", "\n"} {
		f.Add([]byte(body))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		before := bytes.Clone(body)
		r := jsonl.NewReader(body)
		rest, number := body, 0
		for r.Next() {
			line := r.Line()
			require.NotContains(t, string(line), "\n")
			require.NotEmpty(t, bytes.Trim(line, " \t\r"), "a blank line is not a line")
			require.Greater(t, r.Number(), number)
			for number++; number < r.Number(); number++ {
				blank, behind, found := bytes.Cut(rest, []byte{'\n'})
				require.True(t, found)
				require.Empty(t, bytes.Trim(blank, " \t\r"), "only blank lines are left out")
				rest = behind
			}
			require.True(t, bytes.HasPrefix(rest, line))
			require.Same(t, &rest[0], &line[0], "the line is a slice of the body")
			rest = rest[len(line):]
			terminator, behind, _ := bytes.Cut(rest, []byte{'\n'})
			require.Contains(t, []string{"", "\r"}, string(terminator))
			rest = behind
		}
		require.Empty(t, bytes.Trim(rest, " \t\r\n"), "nothing is lost behind the last line")
		require.Equal(t, before, body, "the body is not changed")
	})
}
