// Copyright The OpenTelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package record

import (
	"errors"
	"io"
	"math"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
	"unsafe"

	"github.com/go-faster/jx"
)

// found is what a walk found for one attribute.
type found struct {
	set  bool
	rank int
	kind kind
	text string
	num  int64 // an integer, or a time in nanoseconds since 1970
}

// A Timestamp counts nanoseconds since 1970 and holds no other time.
var (
	earliest = time.Unix(0, 0)
	latest   = time.Unix(0, math.MaxInt64)
)

var errNotObject = errors.New("not a JSON object")

const utf8BOM = "\xef\xbb\xbf"

// walk reads a line once and fills slots, whose texts are parts of the line. It
// reports whether the line is one whole JSON object in valid UTF-8; when it is
// not, slots hold nothing.
func walk(dec *jx.Decoder, root *node, line string, slots []found) bool {
	clear(slots)
	line = strings.TrimPrefix(line, utf8BOM)
	if line == "" || !utf8.ValidString(line) {
		return false
	}
	dec.ResetBytes(asBytes(line))
	if err := walkDocument(dec, root, slots); err != nil {
		clear(slots)
		return false
	}
	return true
}

func walkDocument(dec *jx.Decoder, root *node, slots []found) error {
	if dec.Next() != jx.Object {
		return errNotObject
	}
	if err := walkObject(dec, root, slots); err != nil {
		return err
	}
	if err := dec.Skip(); !errors.Is(err, io.EOF) {
		return errNotObject // something follows the object
	}
	return nil
}

func walkObject(dec *jx.Decoder, at *node, slots []found) error {
	return dec.ObjBytes(func(dec *jx.Decoder, key []byte) error {
		child := at.next[string(key)]
		switch {
		case child == nil:
			return dec.Skip()
		case len(child.next) > 0 && dec.Next() == jx.Object:
			return walkObject(dec, child, slots)
		case len(child.rules) > 0:
			return readScalar(dec, child.rules, slots)
		}
		return dec.Skip()
	})
}

// readScalar reads a string or a number as text; null, "" and everything else
// leave the attribute unset.
func readScalar(dec *jx.Decoder, rules []compiled, slots []found) error {
	var text string
	switch dec.Next() {
	case jx.String:
		s, err := dec.StrBytes()
		if err != nil {
			return err
		}
		text = asString(s)
	case jx.Number:
		n, err := dec.Raw()
		if err != nil {
			return err
		}
		text = asString(n)
	case jx.Bool:
		b, err := dec.Bool()
		if err != nil {
			return err
		}
		text = strconv.FormatBool(b)
	default:
		return dec.Skip()
	}
	if text != "" {
		for i := range rules {
			rules[i].store(text, &slots[rules[i].slot])
		}
	}
	return nil
}

// asBytes spares a copy, for the decoder, which only reads.
func asBytes(s string) []byte {
	return unsafe.Slice(unsafe.StringData(s), len(s)) //nolint:gosec // only read
}

// asString spares a copy. The bytes are a part of the line, or what the decoder
// made of a text with escapes and forgot; nobody writes to either again.
func asString(b []byte) string {
	return unsafe.String(unsafe.SliceData(b), len(b)) //nolint:gosec // never written again
}

// store keeps the text in the slot's type, unless a rule that comes earlier in
// the table has filled it or the text does not fit.
func (r *compiled) store(text string, slot *found) {
	if slot.set && slot.rank < r.rank {
		return
	}
	value := found{set: true, rank: r.rank, kind: r.kind, text: text}
	switch {
	case r.values != nil:
		translated, ok := r.values[text]
		if !ok {
			return
		}
		value.text = translated
	case r.kind == kindInt:
		n, err := strconv.ParseInt(text, 10, 64)
		if err != nil {
			return
		}
		value.num = n
	case r.kind == kindTime:
		at, err := time.Parse(time.RFC3339Nano, text)
		if err != nil || at.Before(earliest) || at.After(latest) {
			return
		}
		value.num = at.UnixNano()
	}
	*slot = value
}
