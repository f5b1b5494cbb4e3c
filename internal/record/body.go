// Copyright The OpenTelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package record

import (
	"bytes"
	"errors"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/go-faster/jx"

	"go.opentelemetry.io/collector/pdata/pcommon"
)

// setBody sets the body, and reports whether the line could be read and whether
// something of it was withheld.
func (m *Mapper) setBody(body pcommon.Value, line string, ok bool) (read, withheld bool) {
	switch {
	case ok && m.body != nil:
		return m.body.write(m.dec, body, line)
	case ok:
		body.SetStr(line) // an object is valid UTF-8
	case m.body != nil:
		return m.body.writeUnread(body, line)
	default:
		setExact(body, line)
	}
	return ok, false
}

// setExact keeps the line exact: as a string where it is one, else as bytes.
func setExact(body pcommon.Value, line string) {
	if utf8.ValidString(line) {
		body.SetStr(line)
		return
	}
	body.SetEmptyBytes().FromRaw([]byte(line))
}

// bodyWriter makes the bodies that are not the exact line.
type bodyWriter struct {
	root   *field
	parsed bool
	hold   *withholder // nil where content is kept
	out    []byte      // the line written anew, for bodies that are not parsed
	seen   [][]byte    // the keys so far of the objects that are being read
}

func newBodyWriter(root *field, source Source) *bodyWriter {
	w := &bodyWriter{root: root, parsed: source.Parsed}
	if source.Content.withholds() {
		w.hold = newWithholder(source.Content)
	}
	return w
}

// write makes the body of a line that is one JSON object. A key that comes twice
// makes it unreadable where content is withheld: no two readers agree on which
// of the values counts.
func (w *bodyWriter) write(dec *jx.Decoder, body pcommon.Value, line string) (read, withheld bool) {
	dec.ResetBytes(asBytes(strings.TrimPrefix(line, utf8BOM)))
	if w.hold != nil {
		w.hold.any = false
	}
	w.seen = w.seen[:0]
	var err error
	if w.parsed {
		err = w.parseObject(dec, w.root, body.SetEmptyMap())
	} else {
		err = w.redactLine(dec, body, line)
	}
	if err != nil {
		return w.writeUnread(body, line)
	}
	return true, w.hold != nil && w.hold.any
}

// writeUnread makes the body of a line of which nothing is known: the line
// itself, or where content is withheld its length and, with a key, its digest.
func (w *bodyWriter) writeUnread(body pcommon.Value, line string) (read, withheld bool) {
	if w.hold == nil {
		setExact(body, line)
		return false, false
	}
	digest := ""
	if w.hold.mac != nil {
		digest = w.hold.digest([]byte(line))
	}
	if w.parsed {
		out := body.SetEmptyMap()
		out.PutInt("length", int64(len(line)))
		if digest != "" {
			out.PutStr("hmac", digest)
		}
		return false, true
	}
	text := `{"length":` + strconv.Itoa(len(line))
	if digest != "" {
		text += `,"hmac":"` + digest + `"`
	}
	body.SetStr(text + "}")
	return false, true
}

var errDuplicateKey = errors.New("a key comes twice")

// members calls fn for each member of an object with the field that the table
// has for it, nil for none. Where content is withheld a repeated key is an error.
func (w *bodyWriter) members(dec *jx.Decoder, at *field, fn func(key []byte, f *field) error) error {
	begin := len(w.seen)
	var many map[string]struct{}
	err := dec.ObjBytes(func(_ *jx.Decoder, key []byte) error {
		if w.hold != nil {
			if many == nil && len(w.seen)-begin == fewKeys {
				many = map[string]struct{}{}
			}
			if w.isRepeated(begin, many, key) {
				return errDuplicateKey
			}
		}
		return fn(key, at.fields[string(key)])
	})
	w.seen = w.seen[:begin]
	return err
}

// fewKeys are compared one by one, more are looked up.
const fewKeys = 32

func (w *bodyWriter) isRepeated(begin int, many map[string]struct{}, key []byte) bool {
	same := func(seen []byte) bool { return bytes.Equal(seen, key) }
	if slices.ContainsFunc(w.seen[begin:], same) {
		return true
	}
	if many == nil {
		w.seen = append(w.seen, key)
		return false
	}
	_, repeated := many[string(key)]
	many[string(key)] = struct{}{}
	return repeated
}

// fits says whether a scalar of a JSON type and text is of the field's form, and
// so stays where content is withheld. Content never does, unless it is empty.
func (f *field) fits(is jx.Type, text []byte) bool {
	scalar := is == jx.String || is == jx.Number || is == jx.Bool
	switch f.kind {
	case fieldText:
		return scalar || is == jx.Null
	case fieldSetting:
		return is == jx.Number || is == jx.Bool || len(text) == 0
	case fieldBoolean:
		return is == jx.Bool
	case fieldInteger:
		_, err := strconv.ParseInt(string(text), 10, 64)
		return err == nil && scalar
	case fieldContent:
		return len(text) == 0
	case fieldObject, fieldList:
	}
	return false
}
