// Copyright The OpenTelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package record

import (
	"strings"
	"unsafe"
)

// textRoom keeps what is read out of a line that is not copied as a whole. The short
// texts of one record share a piece of memory, as they would share the line; a long
// one has its own.
type textRoom struct {
	room []byte // nil at the start of a record; never written to again where a text lies
	used int    // bytes of short texts of this record
	most int    // bytes that the short texts of a record come to, about
	size int    // of the room of this record, if it needs no more
}

const (
	// longText has memory of its own, in bytes.
	longText = 512
	// leastRoom is what a record that needs more than its line made expect takes at once.
	leastRoom = 128
)

// begin starts a record, whose line has so many bytes.
func (t *textRoom) begin(line int) {
	t.most = max(t.used, t.most-t.most/128)
	t.used, t.size = 0, min(t.most, line)
}

// add keeps a text, which is written with escapes or exactly as it is.
func (t *textRoom) add(raw string, escaped bool) string {
	switch {
	case len(raw) >= longText && escaped:
		return unescaped(raw)
	case len(raw) >= longText:
		return strings.Clone(raw)
	}
	if cap(t.room)-len(t.room) < len(raw) {
		t.room = make([]byte, 0, max(t.size-t.used, len(raw), leastRoom))
	}
	begin := len(t.room)
	if escaped {
		t.room = appendUnescaped(t.room, raw)
	} else {
		t.room = append(t.room, raw...)
	}
	text := t.room[begin:]
	t.used += len(text)
	return asString(text)
}

// asString spares a copy of what nobody writes to while the string is in use.
func asString(b []byte) string { return unsafe.String(unsafe.SliceData(b), len(b)) } //nolint:gosec // see above

// asBytes spares a copy for who only reads.
func asBytes(s string) []byte {
	return unsafe.Slice(unsafe.StringData(s), len(s)) //nolint:gosec // only read
}
