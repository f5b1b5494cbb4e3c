// Copyright The OpenTelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package record

import (
	"bytes"
	"strconv"

	"github.com/go-faster/jx"

	"go.opentelemetry.io/collector/pdata/pcommon"
)

// withheldKey counts, in each object, the members that the table does not know.
// Their keys are withheld with them.
const withheldKey = "withheld"

// maxKeptBuffer is how much of memory, in bytes, waits for the next line.
const maxKeptBuffer = 1 << 20

// redactLine writes the line anew with replacements in the place of content. A
// line that has none stays exact.
func (w *bodyWriter) redactLine(dec *jx.Decoder, body pcommon.Value, line string) error {
	if cap(w.out) > maxKeptBuffer {
		w.out = nil
	}
	w.out = w.out[:0]
	if err := w.redactObject(dec, w.root); err != nil {
		return err
	}
	if w.hold.any {
		line = string(w.out)
	}
	body.SetStr(line)
	return nil
}

func (w *bodyWriter) redactObject(dec *jx.Decoder, at *field) error {
	w.out = append(w.out, '{')
	begin, unknown := len(w.out), 0
	err := w.members(dec, at, func(key []byte, f *field) error {
		if f == nil {
			unknown++
			w.hold.any = true
			return dec.Skip()
		}
		w.out = append(w.out, '"')
		w.out = append(w.out, key...) // keys of the table need no escapes
		w.out = append(w.out, '"', ':')
		err := w.redactValue(dec, f)
		w.out = append(w.out, ',')
		return err
	})
	if unknown > 0 {
		w.out = append(w.out, `"`+withheldKey+`":`...)
		w.out = append(strconv.AppendInt(w.out, int64(unknown), 10), ',')
	}
	w.close(begin, '}')
	return err
}

// close ends an object or array, in the place of the last comma.
func (w *bodyWriter) close(begin int, with byte) {
	if len(w.out) > begin {
		w.out[len(w.out)-1] = with
		return
	}
	w.out = append(w.out, with)
}

func (w *bodyWriter) redactValue(dec *jx.Decoder, f *field) error {
	is := dec.Next()
	switch {
	case f.kind == fieldObject && is == jx.Object:
		return w.redactObject(dec, f)
	case f.kind == fieldList && is == jx.Array:
		return w.redactList(dec, f.of)
	case f.kind == fieldList:
		return w.redactValue(dec, f.of)
	}
	raw, err := dec.Raw()
	if err != nil {
		return err
	}
	if is == jx.Null {
		w.out = append(w.out, raw...)
		return nil
	}
	value, err := decoded(is, raw)
	if err != nil {
		return err
	}
	if f.fits(is, value) {
		w.out = append(w.out, raw...)
		return nil
	}
	w.out = append(w.out, '"')
	w.out = append(w.out, w.hold.replace(value)...)
	w.out = append(w.out, '"')
	return nil
}

func (w *bodyWriter) redactList(dec *jx.Decoder, of *field) error {
	w.out = append(w.out, '[')
	begin := len(w.out)
	err := dec.Arr(func(dec *jx.Decoder) error {
		err := w.redactValue(dec, of)
		w.out = append(w.out, ',')
		return err
	})
	w.close(begin, ']')
	return err
}

// decoded returns the text of a JSON string, and the JSON text of anything else.
func decoded(is jx.Type, raw []byte) ([]byte, error) {
	switch {
	case is != jx.String:
		return raw, nil
	case bytes.IndexByte(raw, '\\') < 0:
		return raw[1 : len(raw)-1], nil
	}
	return jx.DecodeBytes(raw).StrBytes()
}
