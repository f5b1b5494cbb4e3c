// Copyright The OpenTelemetry Authors
// SPDX-License-Identifier: Apache-2.0

//go:build e2e && linux

package hostile

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// line is one line of the collector's log.
type line struct {
	text   string
	fields map[string]any
}

func (w *world) lines() (lines []line) {
	for text := range strings.Lines(w.log()) {
		l := line{text: text}
		_ = json.Unmarshal([]byte(text), &l.fields)
		lines = append(lines, l)
	}
	return lines
}

// run lets the collector meet the rows, holds each one to what it states, and searches
// for what was planted.
func (w *world) run(rows []row) {
	w.t.Helper()
	w.meet(rows)
	w.assertNoSecret()
}

// meet lets the collector meet the rows, and holds each one to what becomes of it and
// whom it connects to.
func (w *world) meet(rows []row) {
	w.t.Helper()
	w.add(rows)
	w.start()
	w.assertLimited()
	w.await("the rows", func() bool { return len(w.pending()) == 0 || time.Since(w.began) > 50*time.Second })
	w.measure()
	require.NoError(w.t, w.collector.Stop())
	for _, pending := range w.pending() {
		assert.Fail(w.t, pending)
	}
	w.assertDelivered()
	w.assertContacts()
	w.report()
}

// pending says what has not happened yet of what the rows state.
func (w *world) pending() (pending []string) {
	counts, lines := w.sink.Counts(), w.lines()
	for n := range w.rows {
		r := &w.rows[n]
		for _, f := range w.ofType[w.eventType(n)] {
			switch {
			case f.good && counts[f.uid] == 0:
				pending = append(pending, r.name+": the good file is not delivered")
			case !f.good && r.want == delivered && counts[f.uid] == 0:
				pending = append(pending, r.name+": the file is not delivered")
			case !f.good && r.want != delivered && r.want != nothing && !slices.ContainsFunc(lines, f.isQuarantined):
				pending = append(pending, r.name+": no line of the log quarantines the file with the cause "+r.want)
			}
		}
		saidOf := func(l line) bool { return l.fields["event_type"] == w.eventType(n) && strings.Contains(l.text, r.says) }
		if r.says != "" && !slices.ContainsFunc(lines, saidOf) {
			pending = append(pending, r.name+": the log does not say "+r.says)
		}
	}
	return pending
}

func (f *file) isQuarantined(l line) bool {
	return l.fields["msg"] == "file quarantined" && l.fields["file_id"] == f.id && l.fields["cause"] == f.row.want
}

// assertDelivered holds that each good file was delivered once, and nothing of a file
// that is not to be delivered.
func (w *world) assertDelivered() {
	counts := w.sink.Counts()
	for _, f := range w.files {
		want := 0
		if f.good || f.row.want == delivered {
			want = 1
		}
		assert.Equal(w.t, want, counts[f.uid], "%s: deliveries of %s", f.row.name, f.uid)
	}
}

// assertContacts holds that the collector connected to the hosts that the rows name,
// and to no others.
func (w *world) assertContacts() {
	made, _ := w.contacts.all()
	allowed := map[string]bool{}
	for _, to := range w.always() {
		allowed[to] = true
		assert.NotZero(w.t, made[to], "no connection to %s", to)
	}
	for _, r := range w.rows {
		for _, to := range r.dial {
			allowed[to] = true
			assert.NotZero(w.t, made[to], "%s: no connection to %s", r.name, to)
		}
	}
	for to := range made {
		assert.True(w.t, allowed[to], "a connection to %s, which no row allows", to)
	}
}

// always are the hosts that every world's collector connects to, the API first.
func (w *world) always() []string {
	if strings.Contains(w.http, "proxy_url") {
		return []string{at(apiName, httpsPort), at(storageName, httpsPort), at(proxyAddress, proxyPort)}
	}
	api := strings.Replace(strings.TrimPrefix(w.endpoint, "https://"), apiName, apiAddress, 1)
	return []string{at(api, httpsPort), at(storageAddress, httpsPort)}
}

// secrets are what must not be in the log, in the spans and in the state.
var secrets = []string{key, signature, content, proxyPassword, proxyCredentials}

// proxyCredentials are user and password as they are sent.
var proxyCredentials = base64.StdEncoding.EncodeToString([]byte(proxyUser + ":" + proxyPassword))

// assertNoSecret searches for what was planted: the key where another than the API
// may see it, and everything in what the collector keeps and tells of itself.
func (w *world) assertNoSecret() {
	_, said := w.contacts.all()
	for _, to := range w.always()[1:] {
		require.Contains(w.t, said[to], "User-Agent: ", "%s has heard nothing", to)
	}
	for host, text := range said {
		assert.NotContains(w.t, text, key, "the key came to "+host)
		if host != at(proxyAddress, proxyPort) {
			assert.NotContains(w.t, text, proxyCredentials, "the proxy's password came to "+host)
		}
	}
	for _, name := range w.names.names() {
		assert.NotContains(w.t, name, "canary", "a secret came to the name server")
	}
	places := map[string]string{"log": w.log(), "spans": w.spans.text()}
	for name, text := range w.state() {
		places["state file "+name] = text
	}
	require.Contains(w.t, places["spans"], "openai_compliance.poll")
	for place, text := range places {
		for _, secret := range secrets {
			w.assertAbsent(place, text, secret)
		}
	}
}

// assertAbsent searches a text, and shows no more of it than what is about a secret.
func (w *world) assertAbsent(place, text, secret string) {
	w.t.Helper()
	if i := strings.Index(text, secret); i >= 0 {
		assert.Fail(w.t, "a secret is in the "+place, "%q: %q", secret, text[max(0, i-200):min(len(text), i+len(secret)+100)])
	}
}

// state returns what the storage has on disk.
func (w *world) state() map[string]string {
	entries, err := os.ReadDir(w.stateDir())
	require.NoError(w.t, err)
	require.NotEmpty(w.t, entries)
	files := map[string]string{}
	for _, entry := range entries {
		data, err := os.ReadFile(filepath.Join(w.stateDir(), entry.Name()))
		require.NoError(w.t, err)
		files[entry.Name()] = string(data)
	}
	return files
}

// process reads one of the kernel's files of the collector.
func (w *world) process(name string) string {
	data, err := os.ReadFile(fmt.Sprintf("/proc/%d/%s", w.collector.Pid(), name))
	require.NoError(w.t, err)
	return string(data)
}

// assertLimited holds that the collector has its limit, and is not root where the
// test could see to that.
func (w *world) assertLimited() {
	w.await("the collector to be run", func() bool {
		return strings.Contains(w.process("cmdline"), "--config") && !strings.Contains(w.process("cmdline"), "ulimit")
	})
	assert.Regexp(w.t, fmt.Sprintf(`Max data size +%d +%d `, maxData, maxData), w.process("limits"))
	if os.Getuid() == 0 && os.Getenv(inside) == asRoot {
		assert.Regexp(w.t, fmt.Sprintf(`Uid:\t%d\t%d\t%d\t%d\n`, nobody, nobody, nobody, nobody), w.process("status"))
	}
}

// measure reads the most memory that the collector has had.
func (w *world) measure() {
	for l := range strings.Lines(w.process("status")) {
		if text, ok := strings.CutPrefix(l, "VmHWM:"); ok {
			kib, err := strconv.Atoi(strings.Fields(text)[0])
			require.NoError(w.t, err)
			w.peak = kib << 10
		}
	}
	require.NotZero(w.t, w.peak)
}

// Bounds of what a world's collector logs, and of its memory, in bytes.
const (
	maxLog  = 1 << 20
	maxPeak = 256 << 20
)

func (w *world) report() {
	made, _ := w.contacts.all()
	assert.Less(w.t, len(w.log()), maxLog)
	assert.Less(w.t, w.peak, maxPeak)
	deliveredFiles := 0
	for _, r := range w.rows {
		if r.want == delivered {
			deliveredFiles++
		}
	}
	fmt.Printf("%s: %d rows (%d delivered), %d hosts reached, log %d KiB, spans %d KiB, peak RSS %d MiB with RLIMIT_DATA %d MiB, %.1f s\n",
		w.t.Name(), len(w.rows), deliveredFiles, len(made), len(w.log())>>10, len(w.spans.text())>>10, w.peak>>20, maxData>>20, time.Since(w.began).Seconds())
}
