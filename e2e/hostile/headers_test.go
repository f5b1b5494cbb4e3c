// Copyright The OpenTelemetry Authors
// SPDX-License-Identifier: Apache-2.0

//go:build e2e && linux

package hostile

import (
	"io"
	"net"
	"net/http"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// withHeaders answers with a status and headers, given as name, value, name, value.
func withHeaders(status int, headers ...string) func(w http.ResponseWriter) {
	return func(w http.ResponseWriter) {
		for i := 0; i < len(headers); i += 2 {
			w.Header().Add(headers[i], headers[i+1])
		}
		w.WriteHeader(status)
	}
}

func answer(write func(w http.ResponseWriter)) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) { write(w) }
}

// onPage adds headers to every list answer.
func onPage(headers ...string) listFunc {
	return func(w http.ResponseWriter, page []byte, _ int) bool {
		withHeaders(http.StatusOK, headers...)(w)
		_, _ = w.Write(page)
		return true
	}
}

// labeled serves the file with headers that lie about it.
func labeled(data []byte, status int, headers ...string) http.HandlerFunc {
	return answer(func(w http.ResponseWriter) {
		withHeaders(status, headers...)(w)
		_, _ = w.Write(data)
	})
}

const signedURL = "https://" + storageName + "/blob/x?sig=" + signature

// headers are what API, storage host and proxy put beside their answers, or in the
// place of them.
func headers() []row {
	one := []byte(`{"event_id":"event-08-odd","text":"` + content + `"}` + "\n")
	return []row{
		{name: "request id that quotes the key", list: first(withHeaders(http.StatusInternalServerError, "X-Request-Id", "for "+key)), says: "500 Internal Server Error"},
		{name: "request id that quotes the signature", fetch: answer(withHeaders(http.StatusNotFound, "X-Request-Id", signedURL)), want: "404"},
		{name: "control character in the Location", download: raw("HTTP/1.1 307 Go\nLocation: " + signedURL + "\x01\n\n"), want: "no_answer"},
		{name: "a header without a colon", download: raw("HTTP/1.1 307 Go\n" + signature + " " + key + "\n\n"), want: "no_answer"},
		{name: "a status line of nothing but secrets", fetch: raw(signature + " " + content + "\n\n"), want: "no_answer"},
		{name: "secrets in the reason", fetch: raw("HTTP/1.1 410 " + signedURL + "\nContent-Length: 0\n\n"), want: "410"},
		{name: "an answer of headers without end", fetch: takeOver(func(conn net.Conn) {
			_, _ = io.WriteString(conn, "HTTP/1.1 200 OK\r\n")
			endless(conn, "X-Header: "+content+"\r\n")
		}), want: "no_answer"},
		{name: "cookies", list: onPage("Set-Cookie", "session="+key+"; Domain=hostile.test; Path=/"), want: delivered},
		{name: "lying labels", content: one, fetch: labeled(one, http.StatusPartialContent, "Content-Encoding", "aws-chunked,UTF-8", "Content-Type", "text/html", "Content-Range", "bytes 0-0/1"), want: delivered},
		{name: "a Date in 9999 and an Age", list: onPage("Date", "Fri, 31 Dec 9999 23:59:59 GMT", "Age", "99999999999999999999"), want: delivered},
		{name: "a day's Retry-After with a 404", fetch: answer(withHeaders(http.StatusNotFound, "Retry-After", "86400")), want: "404"},
		{name: "a century's Retry-After of another host", location: "https://busy.hostile.test{path}", fetch: answer(withHeaders(http.StatusTooManyRequests, "Retry-After", "99999999999999999999")), want: "429", dial: []string{at("busy.hostile.test", httpsPort)}},
		{name: "asks for credentials", fetch: answer(withHeaders(http.StatusUnauthorized, "WWW-Authenticate", `Basic realm="x", Bearer, Negotiate`, "Proxy-Authenticate", "Basic")), want: "401"},
		{name: "another protocol", fetch: raw("HTTP/1.1 101 Switching Protocols\nConnection: Upgrade\nUpgrade: websocket\n\n" + content), want: "101"},
		{name: "a proxy that quotes its password", location: "https://denied.hostile.test{path}", want: "proxy"},
	}
}

// Headers of 15 shapes, through a proxy with a password: nothing that they quote is
// logged, exported or stored, and nothing that they ask for is done but what is
// bounded.
func TestHostileHeaders(t *testing.T) {
	rows := headers()
	require.Len(t, rows, 15)
	w := newWorld(t)
	w.useProxy().connect[at("denied.hostile.test", httpsPort)] = func(rw http.ResponseWriter, r *http.Request) {
		rw.Header().Set("X-Request-Id", r.Header.Get("Proxy-Authorization")+" "+proxyPassword)
		http.Error(rw, "not for "+r.Header.Get("Proxy-Authorization")+" "+proxyPassword, http.StatusForbidden)
	}
	w.run(rows)
	_, said := w.contacts.all()
	for host, text := range said {
		assert.NotContains(t, text, "session=", "a cookie came to "+host)
	}
	w.assertAbsent("log", w.log(), proxyUser+":")
}
