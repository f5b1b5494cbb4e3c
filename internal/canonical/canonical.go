// Copyright The OpenTelemetry Authors
// SPDX-License-Identifier: Apache-2.0

// Package canonical writes JSON in the form of RFC 8785.
package canonical

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"unicode/utf16"
	"unicode/utf8"
)

// JSON writes a valid JSON value in the form of RFC 8785, so that equal
// values have equal bytes. What that form cannot hold - text that is not Unicode,
// numbers beyond float64 - stays as it is written.
func JSON(raw []byte) []byte {
	decoder := json.NewDecoder(bytes.NewReader(raw))
	decoder.UseNumber()
	var value any
	if decoder.Decode(&value) != nil {
		return raw
	}
	out := appendCanonical(nil, value)
	if bytes.ContainsRune(out, utf8.RuneError) {
		return raw // the decoder puts U+FFFD in place of different things
	}
	return out
}

func appendCanonical(out []byte, value any) []byte {
	switch value := value.(type) {
	case nil:
		return append(out, "null"...)
	case bool:
		return strconv.AppendBool(out, value)
	case json.Number:
		return appendNumber(out, value)
	case string:
		return appendString(out, value)
	case []any:
		out = append(out, '[')
		for i, element := range value {
			if i > 0 {
				out = append(out, ',')
			}
			out = appendCanonical(out, element)
		}
		return append(out, ']')
	case map[string]any:
		out = append(out, '{')
		for i, name := range slices.SortedFunc(maps.Keys(value), compareUTF16) {
			if i > 0 {
				out = append(out, ',')
			}
			out = appendString(out, name)
			out = append(out, ':')
			out = appendCanonical(out, value[name])
		}
		return append(out, '}')
	}
	return out
}

// compareUTF16 orders names by their UTF-16 code units, as RFC 8785 asks.
func compareUTF16(a, b string) int {
	return slices.Compare(utf16.Encode([]rune(a)), utf16.Encode([]rune(b)))
}

// appendNumber writes a number as ECMAScript does, which is how encoding/json
// writes a float64.
func appendNumber(out []byte, number json.Number) []byte {
	f, err := number.Float64()
	if err != nil {
		return append(out, number...)
	}
	if f == 0 {
		return append(out, '0') // there is a negative zero
	}
	text, err := json.Marshal(f)
	if err != nil {
		return append(out, number...)
	}
	return append(out, text...)
}

func appendString(out []byte, text string) []byte {
	const short = "btn\vfr" // of U+0008 to U+000D; U+000B has no short form
	out = append(out, '"')
	for _, r := range text {
		switch {
		case r == '"' || r == '\\':
			out = append(out, '\\', byte(r))
		case r >= '\b' && r <= '\r' && r != '\v':
			out = append(out, '\\', short[r-'\b'])
		case r < ' ':
			out = fmt.Appendf(out, `\u%04x`, r)
		default:
			out = utf8.AppendRune(out, r)
		}
	}
	return append(out, '"')
}
