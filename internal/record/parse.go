// Copyright The OpenTelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package record

import (
	"encoding/json"
	"strconv"
	"strings"

	"github.com/go-faster/jx"

	"go.opentelemetry.io/collector/pdata/pcommon"
)

// unfitSuffix names the place of a value that is not of its field's form: a path
// has one type in all records, so the text goes beside it.
const unfitSuffix = "_unfit"

// maxUnknown members of an object that the table does not know have a place of
// their own. The rest is one text, as a JSON object under unfitSuffix: a map takes
// the longer for a member the more it has.
const maxUnknown = 256

// parseObject fills a map with the members of an object. null is left out, and
// of a key that comes twice the last value counts.
func (w *bodyWriter) parseObject(dec *jx.Decoder, at *field, out pcommon.Map) error {
	out.EnsureCapacity(min(len(at.fields), 12))
	unknown, rest := 0, []byte(nil)
	err := w.members(dec, at, func(key []byte, f *field) error {
		if f != nil {
			return w.parseMember(dec, f, asString(key), out)
		}
		unknown++
		switch {
		case w.hold != nil:
			w.hold.any = true
			return dec.Skip()
		case unknown > maxUnknown:
			return appendMember(dec, key, &rest)
		}
		return w.parseMember(dec, text, undotted(key, at), out)
	})
	if w.hold != nil && unknown > 0 {
		out.PutInt(withheldKey, int64(unknown))
	}
	if rest != nil {
		out.PutStr(unfitSuffix, string(append(rest, '}')))
	}
	return err
}

// appendMember writes a member as JSON to an object that is not closed.
func appendMember(dec *jx.Decoder, key []byte, object *[]byte) error {
	value, err := dec.Raw()
	if err != nil {
		return err
	}
	name, err := json.Marshal(asString(key))
	separator := byte(',')
	if *object == nil {
		separator = '{'
	}
	*object = append(*object, separator)
	*object = append(*object, name...)
	*object = append(append(*object, ':'), value...)
	return err
}

// undotted makes a key that the table does not know safe for backends that nest
// by dots, or know no empty name. It never gives the name of a known field.
func undotted(key []byte, at *field) string {
	if len(key) == 0 {
		return "_"
	}
	name := strings.ReplaceAll(string(key), ".", "_")
	if at.fields[name] != nil {
		return name + unfitSuffix
	}
	return name
}

func (w *bodyWriter) parseMember(dec *jx.Decoder, f *field, key string, out pcommon.Map) error {
	is := dec.Next()
	switch {
	case is == jx.Null:
		return dec.Null()
	case f.kind == fieldObject && is == jx.Object:
		return w.parseObject(dec, f, out.PutEmptyMap(key))
	case f.kind == fieldList:
		return w.parseList(dec, f.of, out.PutEmptySlice(key))
	}
	value, fits, err := w.parseText(dec, is, f)
	if err != nil {
		return err
	}
	switch {
	case f.kind == fieldInteger && fits:
		n, _ := strconv.ParseInt(value, 10, 64) // fits has tried
		out.PutInt(key, n)
	case f.kind == fieldBoolean && fits:
		out.PutBool(key, value == "true")
	case f.kind == fieldInteger, f.kind == fieldBoolean, f.kind == fieldObject:
		out.PutStr(key+unfitSuffix, value)
	default:
		out.PutStr(key, value)
	}
	return nil
}

// parseText returns the text of a value, or what stands in its place, and
// whether the value is of the field's form.
func (w *bodyWriter) parseText(dec *jx.Decoder, is jx.Type, f *field) (text string, fits bool, err error) {
	raw, err := dec.Raw()
	if err != nil {
		return "", false, err
	}
	value, err := decoded(is, raw)
	if err != nil {
		return "", false, err
	}
	fits = f.fits(is, value)
	if !fits && w.hold != nil {
		return w.hold.replace(value), false, nil
	}
	return asString(value), fits, nil
}

func (w *bodyWriter) parseList(dec *jx.Decoder, of *field, out pcommon.Slice) error {
	if dec.Next() != jx.Array {
		return w.parseElement(dec, of, out.AppendEmpty())
	}
	return dec.Arr(func(dec *jx.Decoder) error { return w.parseElement(dec, of, out.AppendEmpty()) })
}

// parseElement keeps the place of every element: what is not of its form is the
// member unfit of a map, or its JSON text among texts.
func (w *bodyWriter) parseElement(dec *jx.Decoder, of *field, out pcommon.Value) error {
	is := dec.Next()
	if of.kind == fieldObject && is == jx.Object {
		return w.parseObject(dec, of, out.SetEmptyMap())
	}
	if of.kind == fieldObject && is == jx.Null {
		out.SetEmptyMap()
		return dec.Null()
	}
	value, _, err := w.parseText(dec, is, of)
	if err != nil {
		return err
	}
	if of.kind == fieldObject {
		out.SetEmptyMap().PutStr("unfit", value)
		return nil
	}
	out.SetStr(value)
	return nil
}
