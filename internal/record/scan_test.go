// Copyright The OpenTelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package record

import (
	"encoding/json"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
)

// FuzzScanner: the scanner takes what encoding/json takes and is valid UTF-8, and
// nothing else, and reads the same text out of a string.
func FuzzScanner(f *testing.F) {
	for _, text := range []string{
		`{"a":[1,-0.5e+7,true,false,null,"x"],"b":{}}`, `[]`, `[1,]`, `{"a":1,}`, `{,}`, `01`, `-`, `1.`, `1e`, `.5`, `+1`, `tru`, `"\u00e9\n"`,
		`"\ud83d\ude42"`, `"\ud83d"`, `"\ud83dx"`, `"\ude42\ud83d"`, `"\ud83d\u0041"`, `"\u12g4"`, `"\x"`, `"cut`, `"12345678\`, "\"12345678\x1f\"", "\"1234567\x7f\x80\"",
		" \t\r\n1 ", "1 1", "{}\x00", "\x00", `"0123456789abcde\"0123456789"`, `{"\u0061":1}`, `{"a" :1 , "b": 2}`, `{"a"}`, `{1:2}`, "\v1", `[[]`, `]`,
		`"é日🙂 0123456789é"`, "\"\xed\xa0\x80\"", "\"\xc0\x80\"", "\"12345678\xe6\x97", "\"\xf4\x90\x80\x80\"", "\"\ufffd\"", "\u00a01",
	} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		s := &scanner{text: text}
		got, _ := s.value()
		ok := !s.bad && s.peek() == 0 && s.at == len(text)
		assert.Equal(t, json.Valid([]byte(text)) && utf8.ValidString(text), ok, "%q", text)
		var want string
		if ok && json.Unmarshal([]byte(text), &want) == nil && want != "" {
			assert.Equal(t, want, got, "%q", text)
		}
	})
}
