// Copyright The OpenTelemetry Authors
// SPDX-License-Identifier: Apache-2.0

//go:build e2e && linux

package hostile

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// listFunc answers a listing in the API's place, or leaves it to the API.
type listFunc = func(w http.ResponseWriter, page []byte, n int) bool

// first gives the first listing of a row an answer of its own; the API answers those
// that follow.
func first(answer func(w http.ResponseWriter)) listFunc {
	return func(w http.ResponseWriter, _ []byte, n int) bool {
		if n == 1 {
			answer(w)
		}
		return n == 1
	}
}

func text(text string) listFunc {
	return first(func(w http.ResponseWriter) { _, _ = io.WriteString(w, text) })
}

// changed replaces parts of every page.
func changed(pairs ...string) listFunc {
	return func(w http.ResponseWriter, page []byte, _ int) bool {
		_, _ = strings.NewReplacer(pairs...).WriteString(w, string(page))
		return true
	}
}

// endless writes a text until the client leaves, a GiB at most.
func endless(w io.Writer, text string) {
	block := bytes.Repeat([]byte(text), 1+(64<<10)/len(text))
	for n := 0; n < 1<<30; n += len(block) {
		if _, err := w.Write(block); err != nil {
			return
		}
	}
}

// bomb is a GiB of blanks, compressed.
func bomb() []byte {
	return bytes.Repeat(packed(bytes.Repeat([]byte(" "), 32<<20)), 32)
}

func set(member string, value any) func(map[string]any) {
	return func(entry map[string]any) { entry[member] = value }
}

// lists are answers of the list route. Where a row has no fate of its own, the good
// file is all that it is about: it is listed beside the odd entry, or by the answer
// after the odd one.
func lists() []row {
	gib := bomb()
	return []row{
		{name: "a page of a gateway", list: text("<html>" + key + content + "</html>"), says: "poll failed, will resume"},
		{name: "nothing", list: text(""), says: "poll failed, will resume"},
		{name: "data is text", list: text(`{"data":"` + key + `","has_more":false}`), says: "poll failed, will resume"},
		{name: "a million brackets", list: text(`{"data":` + strings.Repeat("[", 1<<20)), says: "poll failed, will resume"},
		{name: "endless", list: first(func(w http.ResponseWriter) {
			_, _ = io.WriteString(w, `{"data":["`)
			endless(w, "x")
		}), says: "is longer than"},
		{name: "a GiB, compressed", list: first(func(w http.ResponseWriter) {
			w.Header().Set("Content-Encoding", "gzip")
			_, _ = w.Write(gib)
		}), says: "is longer than"},
		{name: "two million entries", list: text(`{"data":[0` + strings.Repeat(",0", 2<<20) + `]}`), says: "has more than"},
		{name: "a byte each 50 ms", list: first(func(w http.ResponseWriter) {
			for range 200 {
				if _, err := io.WriteString(w, " "); err != nil {
					return
				}
				_ = http.NewResponseController(w).Flush()
				time.Sleep(50 * time.Millisecond)
			}
		}), says: "timed out"},
		{name: "400 that quotes the key", list: first(func(w http.ResponseWriter) {
			w.WriteHeader(http.StatusBadRequest)
			fmt.Fprintf(w, `{"error":{"message":"Incorrect API key %s, see https://storage.hostile.test/x?sig=%s"}}`, key, signature)
		}), says: "400 Bad Request"},
		{name: "500 without end", list: first(func(w http.ResponseWriter) {
			w.WriteHeader(http.StatusInternalServerError)
			endless(w, `{"detail":"x`)
		}), says: "500 Internal Server Error"},
		{name: "redirect to another host", list: first(func(w http.ResponseWriter) {
			redirect(w, "https://evil.hostile.test/v1/compliance?sig="+signature)
		}), says: "307 Temporary Redirect"},
		{name: "more of the same for ever", list: changed(`"has_more":false`, `"has_more":true`), says: "does not advance"},
		{name: "last_end_time in 9999", list: changed(`"has_more":false`, `"has_more":"true","last_end_time":"9999-12-31T23:59:59.999999-23:59"`), says: "does not advance"},
		{name: "BOM before, a MB behind", list: func(w http.ResponseWriter, page []byte, _ int) bool {
			_, _ = fmt.Fprintf(w, "\xef\xbb\xbf%s%s", page, strings.Repeat("}", 1<<20))
			return true
		}, says: "ignoring trailing data after list response"},
		{name: "end_time in 9999", entry: set("end_time", "9999-12-31T23:59:59.999999-23:59"), want: delivered},
		{name: "an id of a MB", entry: set("id", strings.Repeat("x", 1<<20)), want: nothing, says: "id is longer than 512 bytes"},
		{name: "an id that is a path", entry: set("id", "../../../../admin?event_type=x#"), want: nothing, says: `"cause":"404"`},
		{name: "a name of 3.5 MB", entry: set("file_name", strings.Repeat("n", 3500<<10)), want: delivered},
		{name: "8 EiB", entry: set("file_size", int64(1<<63-1)), want: "too_large"},
		{name: "of another type", entry: set("event_type", "CONVERSATION_MESSAGE"), want: nothing, says: "other_type"},
	}
}

// Listings of 20 shapes: the good file is delivered beside an odd entry, and after an
// odd answer by the next poll; no bound of memory or time is passed.
func TestHostileLists(t *testing.T) {
	rows := lists()
	require.Len(t, rows, 20)
	w := newWorld(t)
	w.names.set("evil.hostile.test", "34.0.0.99")
	w.run(rows)
}
