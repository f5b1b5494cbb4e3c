// Copyright The OpenTelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package jsonscan

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// readTree reads a value part by part, as json.Decoder with UseNumber returns it.
func readTree(s *Scanner) any {
	switch s.Peek() {
	case '{':
		object := map[string]any{}
		for more := s.BeginObject(); more; more = s.NextMember() {
			key := string(s.Key())
			object[key] = readTree(s)
		}
		return object
	case '[':
		array := []any{}
		for more := s.BeginArray(); more; more = s.NextElement() {
			array = append(array, readTree(s))
		}
		return array
	case '"':
		return s.Text()
	case 't', 'f':
		return s.Literal() == "true"
	case 'n':
		s.Literal()
		return nil
	}
	return json.Number(s.Number())
}

func TestReadParts(t *testing.T) {
	s := New([]byte(` {"t\u0065xt" : "a\n\"b\" \ud83d\ude42" , "n":-1.50e+7,"yes":true,"no":false,"nothing":null,` +
		`"empty":{},"none":[ ],"list":[1,[2],{"x":"é"}],"" : "" } `))
	got := readTree(&s)
	assert.True(t, s.Done())
	assert.False(t, s.Failed())
	assert.Equal(t, map[string]any{
		"text": "a\n\"b\" 🙂", "n": json.Number("-1.50e+7"), "yes": true, "no": false, "nothing": nil,
		"empty": map[string]any{}, "none": []any{}, "list": []any{json.Number("1"), []any{json.Number("2")}, map[string]any{"x": "é"}}, "": "",
	}, got)
}

// Raw returns a value of any type as written, Unquote the text of a string.
func TestRawAndUnquote(t *testing.T) {
	for raw, text := range map[string]string{
		`"g\u0070t"`: "gpt", `"gpt"`: "gpt", `""`: "", `12.50`: "12.50", `true`: "true", `null`: "null", `{ "a" : ["\n"] }`: `{ "a" : ["\n"] }`, `[]`: "[]",
	} {
		s := New([]byte(" " + raw + " "))
		got := s.Raw()
		assert.Equal(t, raw, string(got))
		assert.True(t, s.Done(), raw)
		assert.Equal(t, text, Unquote(got))
	}
	assert.Empty(t, Unquote(nil))
}

// A copy of a Scanner reads ahead and leaves the original in its place.
func TestCopyReadsAhead(t *testing.T) {
	s := New([]byte(`[1,2]`))
	require.True(t, s.BeginArray())
	ahead := s
	ahead.Skip()
	require.True(t, ahead.NextElement())
	assert.Equal(t, "2", ahead.Number())
	assert.Equal(t, "1", s.Number())
}

// After a fault nothing is read any more, whatever the caller asks for.
func TestNothingAfterAFault(t *testing.T) {
	for name, fail := range map[string]func(s *Scanner){
		"of the caller":       (*Scanner).Fail,
		"no object":           func(s *Scanner) { s.BeginObject() },
		"no array":            func(s *Scanner) { s.BeginArray() },
		"no number":           func(s *Scanner) { s.Number() },
		"no literal":          func(s *Scanner) { s.Literal() },
		"no key":              func(s *Scanner) { s.Key() },
		"not closed":          func(s *Scanner) { s.NextElement() },
		"not closed, members": func(s *Scanner) { s.NextMember() },
	} {
		t.Run(name, func(t *testing.T) {
			s := New([]byte(`"text" `))
			fail(&s)
			assert.True(t, s.Failed())
			assert.False(t, s.BeginObject())
			assert.False(t, s.NextMember())
			assert.False(t, s.BeginArray())
			assert.False(t, s.NextElement())
			assert.Empty(t, s.Key())
			assert.Empty(t, s.Text())
			assert.Empty(t, s.Number())
			assert.Empty(t, s.Literal())
			assert.Empty(t, s.Raw())
			s.Skip()
			assert.False(t, s.Done())
			assert.True(t, s.Failed())
		})
	}
}

// Nothing is Done as long as something of the document is not read.
func TestDoneOnlyAtTheEnd(t *testing.T) {
	s := New([]byte(`{"a":1} 2`))
	assert.False(t, s.Done())
	s.Skip()
	assert.False(t, s.Done())
	assert.False(t, s.Failed())
	s.Skip()
	assert.True(t, s.Done())
	empty := New(nil)
	empty.Skip()
	assert.False(t, empty.Done())
}

// Documents are read down to MaxDepth levels, as encoding/json does, and no deeper.
func TestDepth(t *testing.T) {
	for depth, want := range map[int]bool{MaxDepth: true, MaxDepth + 1: false, 1_000_000: false} {
		for _, pair := range [][2]string{{"[", "]"}, {`{"a":`, "}"}} {
			document := strings.Repeat(pair[0], depth) + strings.Repeat(pair[1], depth)
			if pair[0] != "[" {
				document = strings.Repeat(pair[0], depth) + "1" + strings.Repeat(pair[1], depth)
			}
			s := New([]byte(document))
			s.Skip()
			assert.Equal(t, want, s.Done(), "%s %d", pair[0], depth)
			if depth <= MaxDepth+1 {
				assert.Equal(t, json.Valid([]byte(document)), s.Done())
			}
		}
	}
	// depth is what is open at a time, not what was read
	s := New([]byte("[" + strings.Repeat("[],{},", MaxDepth) + "1]"))
	s.Skip()
	assert.True(t, s.Done())
}

// Every text that is returned is a copy, or a part of the caller's copy; those of Key and
// Raw are not.
func TestTextsAreCopies(t *testing.T) {
	const document = `["text","a\tb",12.5,"value",17,"",-1]`
	given := []byte(document)
	for name, s := range map[string]Scanner{"New": New(given), "NewWithCopy": NewWithCopy(given, document)} {
		copy(given, document)
		var got []string
		for more := s.BeginArray(); more; more = s.NextElement() {
			switch {
			case len(got) == 3:
				got = append(got, Unquote(s.Raw()))
			case s.Peek() == '"':
				got = append(got, s.Text())
			default:
				got = append(got, s.Number())
			}
		}
		require.True(t, s.Done())
		clear(given)
		assert.Equal(t, []string{"text", "a\tb", "12.5", "value", "17", "", "-1"}, got, name)
	}
}

// Each special byte is found at each place of a word and of the rest.
func TestSkipPlain(t *testing.T) {
	for size := range 20 {
		for at := range size {
			for c := range 256 {
				text := bytes.Repeat([]byte{'x'}, size)
				text[at] = byte(c)
				want := size
				if c < 0x20 || c >= utf8.RuneSelf || c == '"' || c == '\\' {
					want = at
				}
				require.Equal(t, want, skipPlain(text, 0), "%q", text)
				require.Equal(t, want, skipPlain(text, min(at, 3)), "%q", text)
			}
		}
	}
}

// FuzzScanner: the scanner accepts what encoding/json accepts and is valid UTF-8, and
// nothing else, and reads the same out of it.
func FuzzScanner(f *testing.F) {
	for _, text := range []string{
		`{"a":[1,-0.5e+7,true,false,null,"x"],"b":{}}`, `[]`, `[1,]`, `{"a":1,}`, `{,}`, `01`, `-`, `1.`, `1e`, `.5`, `+1`, `tru`, `"\u00e9\n"`,
		`"\ud83d\ude42"`, `"\ud83d"`, `"\ud83dx"`, `"\ude42\ud83d"`, `"\ud83d\u0041"`, `"\u12g4"`, `"\x"`, `"cut`, `"12345678\`, "\"12345678\x1f\"", "\"1234567\x7f\x80\"",
		" \t\r\n1 ", "1 1", "{}\x00", "\x00", `"0123456789abcde\"0123456789"`, `{"\u0061":1}`, `{"a" :1 , "b": 2}`, `{"a"}`, `{1:2}`, "\v1", `[[]`, `]`,
		`"é日🙂 0123456789é"`, "\"\xed\xa0\x80\"", "\"\xc0\x80\"", "\"12345678\xe6\x97", "\"\xf4\x90\x80\x80\"", "\"\ufffd\"", "\u00a01", `{"a":1,"a":{"b":[]}}`, `{"\ud800\u0062\\":"\/\b\f"}`,
	} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, document []byte) {
		given := bytes.Clone(document)
		valid := json.Valid(document) && utf8.Valid(document)
		whole, parts, shared := New(document), New(document), NewWithCopy(document, string(document))
		raw := whole.Raw()
		assert.Equal(t, valid, whole.Done(), "%q", document)
		tree := readTree(&parts)
		assert.Equal(t, valid, parts.Done(), "%q", document)
		assert.Equal(t, tree, readTree(&shared), "%q", document)
		assert.Equal(t, valid, shared.Done(), "%q", document)
		assert.Equal(t, given, document, "the document was written to")
		if !valid {
			return
		}
		var want any
		decoder := json.NewDecoder(bytes.NewReader(document))
		decoder.UseNumber()
		require.NoError(t, decoder.Decode(&want))
		assert.Equal(t, want, tree)
		assert.Equal(t, bytes.TrimSpace(document), raw)
		if wantText, isText := want.(string); isText {
			assert.Equal(t, wantText, Unquote(raw))
		} else {
			assert.Equal(t, string(raw), Unquote(raw))
		}
	})
}

// A text that is too long as written is read and gives nothing; the next value is read as
// it is.
func TestShortText(t *testing.T) {
	for document, want := range map[string]string{
		`["abc","x"]`: "abc", `["abcd","x"]`: "", `["\n","x"]`: "\n", `["\u0041","x"]`: "", `["\n\n","x"]`: "", `["","x"]`: "", `["ä","x"]`: "ä", `["äö","x"]`: "",
	} {
		scan := New([]byte(document))
		require.True(t, scan.BeginArray())
		assert.Equal(t, want, scan.ShortText(3), document)
		require.True(t, scan.NextElement())
		assert.Equal(t, "x", scan.Text())
		require.False(t, scan.NextElement())
		assert.True(t, scan.Done(), document)
	}
}
