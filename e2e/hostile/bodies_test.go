// Copyright The OpenTelemetry Authors
// SPDX-License-Identifier: Apache-2.0

//go:build e2e && linux

package hostile

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// record is a record of an odd file, with a member of so many bytes.
func record(n int, member string) []byte {
	return fmt.Appendf(nil, "{\"event_id\":\"event-%02d-odd\",%s}\n", n, member)
}

func packed(data []byte) []byte {
	var out bytes.Buffer
	w := gzip.NewWriter(&out)
	_, _ = w.Write(data)
	_ = w.Close()
	return out.Bytes()
}

// body answers with exact bytes and their length.
func body(data []byte) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", strconv.Itoa(len(data)))
		_, _ = w.Write(data)
	}
}

const largest = 15_000_000 // bytes, the largest file that the API makes

// bodies are answers of the storage host.
func bodies() []row {
	one := record(4, `"text":"`+content+`"`)
	forged := bytes.Replace(one, []byte("event-04"), []byte("event-99"), 1)
	gib := bomb()
	return []row{
		{name: "a GiB, compressed", fetch: body(gib), want: "unreadable"},
		{name: "a GiB, compressed, again", fetch: body(gib), want: "unreadable"},
		{name: "endless", fetch: func(w http.ResponseWriter, _ *http.Request) { endless(w, content) }, want: "integrity"},
		{name: "endless, compressed to nothing", fetch: func(w http.ResponseWriter, _ *http.Request) { endless(w, string(packed(nil))) }, want: "unreadable"},
		{name: "forged, the same length", content: one, fetch: body(forged), want: nothing, says: "file quarantined"},
		{name: "cut", fetch: raw("HTTP/1.1 200 OK\nContent-Length: 1000\n\n" + content), want: "no_answer"},
		{name: "cut chunks", fetch: raw("HTTP/1.1 200 OK\nTransfer-Encoding: chunked\n\nfff\n" + content), want: "no_answer"},
		{name: "silence", fetch: takeOver(func(conn net.Conn) {
			_, _ = io.WriteString(conn, "HTTP/1.1 200 OK\r\nContent-Length: 59\r\n\r\n")
			_, _ = io.Copy(io.Discard, conn) // until the client leaves
		}), want: "no_answer"},
		{name: "a byte each 100 ms", fetch: func(w http.ResponseWriter, _ *http.Request) {
			for range 100 {
				if _, err := io.WriteString(w, "x"); err != nil {
					return
				}
				_ = http.NewResponseController(w).Flush()
				time.Sleep(100 * time.Millisecond)
			}
		}, want: "no_answer"},
		{name: "an error that quotes the signed URL", fetch: func(w http.ResponseWriter, r *http.Request) {
			http.Error(w, "<Error>AuthenticationFailed "+r.URL.String()+" "+content+"</Error>", http.StatusForbidden)
		}, want: "403"},
		{name: "another compression", content: record(10, `"text":"x"`), fetch: body([]byte("\x28\xb5\x2f\xfd" + content)), want: "integrity"},
		{name: "compressed", content: record(11, `"text":"x"`), fetch: body(packed(record(11, `"text":"x"`))), want: delivered},
		{name: "one line of 15 MB", content: record(12, `"text":"`+strings.Repeat("x", largest-100)+`"`), want: delivered},
		{name: "one unknown key of 14 MB", content: record(13, `"`+strings.Repeat("k", 14_000_000)+`":1`), want: delivered},
		{name: "a million brackets, and no UTF-8", content: record(14, `"text":"\ud800`+"\xff\x00\x1b[2J\u202e"+`","deep":`+strings.Repeat("[", 1<<20)), want: delivered, uid: "eclf_14_odd:1"},
	}
}

// Bodies of 15 shapes, among them two GiB each of nothing but blanks: what is not
// the listed file is never delivered, and what is, is.
func TestHostileBodies(t *testing.T) {
	rows := bodies()
	require.Len(t, rows, 15)
	w := newWorld(t)
	w.receiver = "download: {timeout: 2s, stall_timeout: 1s, concurrency: 16}"
	w.run(rows)
}
