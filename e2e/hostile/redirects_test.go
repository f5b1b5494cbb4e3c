// Copyright The OpenTelemetry Authors
// SPDX-License-Identifier: Apache-2.0

//go:build e2e && linux

package hostile

import (
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// status answers with a status and a Location.
func (f row) status(code int) row {
	location := f.location
	f.download = func(rw http.ResponseWriter, r *http.Request) {
		rw.Header().Set("Location", strings.Replace(location, "{path}", "/blob"+strings.TrimPrefix(r.URL.Path, "/v1/compliance/workspaces/"+workspace+"/logs")+"?sig="+signature, 1))
		rw.WriteHeader(code)
	}
	return f
}

const (
	storageURL = "https://" + storageName + "{path}"
	evil       = "https://evil.hostile.test"
)

// redirects are answers of the download route. The evil host resolves, answers and
// serves the file: a redirect that is followed there would deliver it.
func redirects() []row {
	storage := []string{at(storageAddress, httpsPort)}
	return []row{
		{name: "signed URL", location: storageURL, want: delivered, dial: storage},
		{name: "path alone", location: "{path}", want: delivered},
		{name: "host alone", location: "//" + storageName + "{path}", want: delivered},
		{name: "upper case", location: "HTTPS://STORAGE.HOSTILE.TEST{path}", want: delivered},
		{name: "another port", location: "https://" + storageName + ":8443{path}", want: delivered, dial: []string{at(storageAddress, otherPort)}},
		{name: "blanks around, braces inside", location: "  " + storageURL + "&x={a|b}^c  ", want: delivered},
		{name: "fragment with a host", location: storageURL + "#@evil.hostile.test/", want: delivered},
		{name: "host in the query", location: storageURL + "&next=https://evil.hostile.test/", want: delivered},
		{name: "60 kB", location: storageURL + "&pad=" + strings.Repeat("x", 60<<10), want: delivered},
		{name: "root label", location: "https://" + storageName + ".{path}", want: delivered},
		row{name: "302", location: storageURL, want: delivered}.status(http.StatusFound),
		row{name: "303", location: storageURL, want: delivered}.status(http.StatusSeeOther),
		row{name: "308", location: storageURL, want: delivered}.status(http.StatusPermanentRedirect),
		row{name: "300", location: evil + "{path}", want: "300"}.status(http.StatusMultipleChoices),
		row{name: "301", location: evil + "{path}", want: "301"}.status(http.StatusMovedPermanently),
		row{name: "304", location: evil + "{path}", want: "304"}.status(http.StatusNotModified),
		row{name: "201", location: evil + "{path}", want: "integrity"}.status(http.StatusCreated),
		{name: "three hops", location: "https://" + storageName + "{hop1}", hops: []string{"https://" + storageName + "{hop2}", storageURL}, want: delivered},
		{name: "four hops", location: "https://" + storageName + "{hop1}", hops: []string{"{hop2}", "{hop3}", storageURL}, want: "redirect"},
		{name: "loop", location: "https://" + storageName + "{hop1}", hops: []string{"{hop1}"}, want: "redirect"},
		{name: "second hop to plain http", location: "https://" + storageName + "{hop1}", hops: []string{"http://" + storageName + "{path}"}, want: "redirect"},
		{name: "second hop to loopback", location: "https://" + storageName + "{hop1}", hops: []string{"https://127.0.0.21{path}"}, want: "redirect"},
		{name: "second hop to the API", location: "https://" + storageName + "{hop1}", hops: []string{"https://" + apiName + "/v1/compliance/workspaces/" + workspace + "/logs/eclf"}, want: "401"},
		{name: "plain http", location: "http://" + storageName + "{path}", want: "redirect"},
		{name: "plain http on the https port", location: "http://" + storageName + ":443{path}", want: "redirect"},
		{name: "user information", location: "https://user:secret@evil.hostile.test{path}", want: "redirect"},
		{name: "API as user information", location: "https://" + apiName + "@evil.hostile.test{path}", want: "redirect"},
		{name: "storage as user information", location: "https://" + storageName + ":443@evil.hostile.test{path}", want: "redirect"},
		{name: "no Location", download: func(rw http.ResponseWriter, _ *http.Request) { rw.WriteHeader(http.StatusTemporaryRedirect) }, want: "redirect"},
		{name: "blank Location", location: "   ", want: "redirect"},
		{name: "no host", location: "https://{path}", want: "redirect"},
		{name: "file", location: "file://{path}", want: "redirect"},
		{name: "ftp", location: "ftp://evil.hostile.test{path}", want: "redirect"},
		{name: "data", location: "data:application/json,%7B%22event_id%22:%22x%22%7D", want: "redirect"},
		{name: "backslashes", location: `https:\\evil.hostile.test\{path}`, want: "redirect"},
		{name: "port 0", location: "https://" + storageName + ":0{path}", want: "no_answer"},
		{name: "encoded dot", location: "https://evil%2ehostile.test{path}", want: "redirect"},
		{name: "localhost", location: "https://localhost:8443{path}", want: "redirect"},
		{name: "below localhost", location: "https://storage.localhost.:8443{path}", want: "redirect"},
		{name: "the file with the redirect", download: func(rw http.ResponseWriter, _ *http.Request) {
			rw.WriteHeader(http.StatusTemporaryRedirect)
			_, _ = rw.Write([]byte(`{"event_id":"x","text":"` + content + `"}`))
		}, want: "redirect"},
	}
}

// Redirects of 40 shapes: what the policy allows is delivered, what it does not is
// never connected to, and neither stops the next file.
func TestHostileRedirects(t *testing.T) {
	rows := redirects()
	require.Len(t, rows, 40)
	w := newWorld(t)
	for _, name := range []string{"evil.hostile.test", "localhost", "storage.localhost"} {
		w.names.set(name, "34.0.0.99")
	}
	w.run(rows)
}
