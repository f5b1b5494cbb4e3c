// Copyright The OpenTelemetry Authors
// SPDX-License-Identifier: Apache-2.0

//go:build e2e && linux

package hostile

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"crypto/tls"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"go.opentelemetry.io/collector/pdata/ptrace"
	"go.opentelemetry.io/collector/pdata/ptrace/ptraceotlp"

	"github.com/openaicompliance/openaicompliancereceiver/internal/testbed"
)

// What is planted, and must be found nowhere but where it belongs.
const (
	key           = "canary-of-the-key-2f8c41d09b"
	signature     = "canary-of-a-signature"
	content       = "canary-of-the-content"
	proxyUser     = "collector"
	proxyPassword = "canary-of-the-proxy-password"
	workspace     = "0f8fad5b-d9cb-469f-a165-70867728950e"
)

// maxData is the RLIMIT_DATA of every collector here, in bytes.
const maxData = 512 << 20

// nobody is who runs the collector where the test is root.
const nobody = 65534

// row is one hostile act, and what must hold in spite of it. Each has an event type
// of its own with a file that the act is about and, listed after it, a good file.
type row struct {
	name string
	// eventType is one of the row's own where it is empty.
	eventType string
	// location is where the download route redirects to: {path} stands for the path
	// and the query of the file, {hop1} and so on for those that redirect to hops.
	location string
	hops     []string
	// list answers a listing in the API's place; false leaves it to the API. n counts
	// the listings of the row from 1.
	list func(w http.ResponseWriter, page []byte, n int) bool
	// entry changes the file's entry of the listing.
	entry func(entry map[string]any)
	// download and fetch answer in the place of the API's download route and of the
	// storage host.
	download, fetch http.HandlerFunc
	// content of the file, where it is not one record, and the log.record.uid that its
	// record then has, where that is not its event id.
	content []byte
	uid     string

	// dial has the host:port that the collector connects to, beside the API.
	dial []string
	// want is what becomes of the file: delivered, the cause with which it is
	// quarantined, or nothing.
	want string
	// says is what the log says of the row.
	says string
}

// Fates of a file that are no cause.
const (
	delivered = "delivered"
	nothing   = "nothing"
)

// file is one file of the API.
type file struct {
	row     *row
	good    bool // not the one that the row is about
	id, uid string
	endTime time.Time
	content []byte
}

// world is a hostile network with one collector in it.
type world struct {
	t        *testing.T
	dir      string
	contacts *contacts
	names    *nameServer
	tls      *tls.Config
	sink     *testbed.Sink
	spans    *spanSink
	began    time.Time

	// receiver and http are more keys of the receiver.
	receiver, http string
	// endpoint is the API's base, but for the path; exportTo takes the records.
	endpoint, exportTo string

	rows []row

	mu       sync.Mutex // guards what follows
	files    map[string]*file
	ofType   map[string][]*file
	listings map[string]int

	collector *testbed.Collector
	peak      int // bytes, the most memory that the collector had
}

func newWorld(t *testing.T) *world {
	t.Helper()
	ca := newAuthority(t)
	w := &world{
		t: t, dir: t.TempDir(), contacts: newContacts(), names: newNameServer(t), tls: ca.config(), sink: &testbed.Sink{},
		spans: newSpanSink(t), began: time.Now(), endpoint: "https://" + apiName,
		files: map[string]*file{}, ofType: map[string][]*file{}, listings: map[string]int{},
	}
	require.NoError(t, os.Chmod(filepath.Dir(w.dir), 0o755)) // for nobody
	ca.write(t, filepath.Join(w.dir, "ca.pem"))
	require.NoError(t, w.sink.Start())
	w.exportTo = w.sink.Endpoint
	t.Cleanup(w.sink.Close)
	for name, address := range map[string]string{
		apiName: apiAddress, storageName: storageAddress, proxyName: proxyAddress,
		expiredName: "34.0.0.11", strangerName: "34.0.0.12", otherNamesName: "34.0.0.13",
	} {
		w.names.set(name, address)
	}
	for _, port := range []int{httpsPort, otherPort} {
		serve(t, tls.NewListener(listen(t, at("", port), w.contacts), w.tls), http.HandlerFunc(w.answer))
	}
	serve(t, listen(t, at("", httpPort), w.contacts), http.HandlerFunc(w.answer))
	return w
}

// eventType of a row.
func (w *world) eventType(n int) string {
	return cmp.Or(w.rows[n].eventType, fmt.Sprintf("ROW_%02d", n))
}

// add lays out a row's files.
func (w *world) add(rows []row) {
	w.rows = rows
	for n := range rows {
		r := &rows[n]
		if r.want != "" {
			w.addFile(n, &file{row: r, content: r.content, endTime: w.began.Add(-2 * time.Hour)})
		}
		w.addFile(n, &file{row: r, good: true, endTime: w.began.Add(-time.Hour)})
	}
}

func (w *world) addFile(n int, f *file) {
	kind := "odd"
	if f.good {
		kind = "good"
	}
	f.id = fmt.Sprintf("eclf_%02d_%s", n, kind)
	f.uid = fmt.Sprintf("event-%02d-%s", n, kind)
	if !f.good && f.row.uid != "" {
		f.uid = f.row.uid
	}
	if f.content == nil {
		f.content = fmt.Appendf(nil, "{\"event_id\":%q,\"text\":%q}\n", f.uid, content)
	}
	w.files[f.id] = f
	w.ofType[w.eventType(n)] = append(w.ofType[w.eventType(n)], f)
}

// path of the file at a storage host, with its signature.
func (f *file) path() string { return "/blob/" + f.id + "?sig=" + signature }

// expand writes a row's location for a file.
func (f *file) expand(location string) string {
	pairs := []string{"{path}", f.path()}
	for n := range f.row.hops {
		hop := strconv.Itoa(n + 1)
		pairs = append(pairs, "{hop"+hop+"}", "/hop/"+f.id+"/"+hop+"?sig="+signature)
	}
	return strings.NewReplacer(pairs...).Replace(location)
}

// answer serves every host of the network. Only what comes to the API's own address
// or name, over TLS, is the API's.
func (w *world) answer(rw http.ResponseWriter, r *http.Request) {
	to := destination(r)
	isAPI := r.TLS != nil && (to == at(apiAddress, httpsPort) || to == at(strings.TrimPrefix(w.endpoint, "https://"), httpsPort))
	if !isAPI {
		var said bytes.Buffer
		_ = r.Write(&said)
		w.contacts.hear(to, said.Bytes())
	}
	parts := strings.Split(strings.TrimPrefix(r.URL.EscapedPath(), "/"), "/")
	switch {
	case isAPI && len(parts) >= 5 && parts[4] == "logs" && r.Header.Get("Authorization") != "Bearer "+key:
		rw.WriteHeader(http.StatusUnauthorized)
	case isAPI && len(parts) == 5 && parts[4] == "logs":
		w.serveList(rw, r)
	case isAPI && len(parts) == 6 && parts[4] == "logs":
		w.serveDownload(rw, r, parts[5])
	case len(parts) == 3 && parts[0] == "hop":
		w.serveHop(rw, parts[1], parts[2])
	case len(parts) >= 2 && parts[0] == "blob":
		w.serveBlob(rw, r, parts[1])
	default:
		rw.WriteHeader(http.StatusNotFound)
	}
}

// destination is where a request's connection was made to: an address, or what the
// proxy was asked for.
func destination(r *http.Request) string {
	return r.Context().Value(http.LocalAddrContextKey).(net.Addr).String()
}

func (w *world) serveList(rw http.ResponseWriter, r *http.Request) {
	query := r.URL.Query()
	after, _ := time.Parse(time.RFC3339Nano, query.Get("after"))
	w.mu.Lock()
	w.listings[query.Get("event_type")]++
	n := w.listings[query.Get("event_type")]
	files := w.ofType[query.Get("event_type")]
	w.mu.Unlock()
	data := []any{}
	for _, f := range files {
		if f.endTime.After(after) {
			data = append(data, f.entry(query.Get("event_type")))
		}
	}
	page, _ := json.Marshal(map[string]any{"data": data, "has_more": false})
	if len(files) > 0 && files[0].row.list != nil && files[0].row.list(rw, page, n) {
		return
	}
	_, _ = rw.Write(page)
}

// entry of the listing.
func (f *file) entry(eventType string) map[string]any {
	sum := sha256.Sum256(f.content)
	entry := map[string]any{
		"id": f.id, "event_type": eventType, "end_time": f.endTime.UTC().Format("2006-01-02T15:04:05.000000Z"),
		"file_name": f.id + ".jsonl", "file_size": len(f.content), "file_sha256": hex.EncodeToString(sum[:]),
	}
	if !f.good && f.row.entry != nil {
		f.row.entry(entry)
	}
	return entry
}

func (w *world) serveDownload(rw http.ResponseWriter, r *http.Request, id string) {
	f := w.files[id]
	switch {
	case f == nil:
		rw.WriteHeader(http.StatusNotFound)
	case !f.good && f.row.download != nil:
		f.row.download(rw, r)
	case !f.good && f.row.location != "":
		redirect(rw, f.expand(f.row.location))
	default:
		redirect(rw, "https://"+storageName+f.path())
	}
}

func redirect(rw http.ResponseWriter, location string) {
	rw.Header().Set("Location", location)
	rw.WriteHeader(http.StatusTemporaryRedirect)
}

func (w *world) serveHop(rw http.ResponseWriter, id, hop string) {
	f := w.files[id]
	n, err := strconv.Atoi(hop)
	if f == nil || err != nil || n < 1 || n > len(f.row.hops) {
		rw.WriteHeader(http.StatusNotFound)
		return
	}
	redirect(rw, f.expand(f.row.hops[n-1]))
}

// serveBlob serves a file wherever it is asked for, so that a redirect that should
// not be followed would deliver it.
func (w *world) serveBlob(rw http.ResponseWriter, r *http.Request, id string) {
	f := w.files[id]
	switch {
	case f == nil:
		rw.WriteHeader(http.StatusNotFound)
	case r.Header.Get("Authorization") != "" || r.Header.Get("Cookie") != "":
		rw.WriteHeader(http.StatusBadRequest)
	case !f.good && f.row.fetch != nil:
		f.row.fetch(rw, r)
	default:
		_, _ = rw.Write(f.content)
	}
}

// raw answers with exact bytes, and ends the connection.
func raw(answer string) http.HandlerFunc {
	return takeOver(func(conn net.Conn) {
		_, _ = io.WriteString(conn, strings.ReplaceAll(answer, "\n", "\r\n"))
	})
}

// takeOver leaves the connection to a function, and ends it then.
func takeOver(talk func(conn net.Conn)) http.HandlerFunc {
	return func(rw http.ResponseWriter, _ *http.Request) {
		conn, _, err := rw.(http.Hijacker).Hijack()
		if err != nil {
			return
		}
		talk(conn)
		_ = conn.Close()
	}
}

const configTemplate = `
receivers:
  openai_compliance:
    api_key: ${env:KEY}
    workspace_id: %s
    event_types: [%s]
    storage: file_storage
    start_from: -3h
    poll_interval: 1s
    initial_delay: 0s
    rate_limit: {downloads_per_minute: 0, lists_per_minute: 0}
    api_retry: {initial_interval: 20ms, max_interval: 100ms, max_retry_after: 1s}
%s
    http:
      endpoint: %s/v1/compliance
      timeout: 3s
      tls: {ca_file: %s/ca.pem}
%s
exporters:
  otlp_http:
    endpoint: %s
    sending_queue: {enabled: false}
    retry_on_failure: {enabled: false}
extensions:
  file_storage: {directory: "%s", fsync: false}
service:
  telemetry:
    metrics: {level: none}
    logs: {level: debug, encoding: json, sampling: {enabled: false}}
    traces: {processors: [{batch: {schedule_delay: 100, exporter: {otlp: {protocol: http/protobuf, endpoint: "%s"}}}}]}
  extensions: [file_storage]
  pipelines:
    logs: {receivers: [openai_compliance], exporters: [otlp_http]}
`

func indent(text, by string) string {
	return by + strings.ReplaceAll(strings.TrimSpace(text), "\n", "\n"+by)
}

func (w *world) stateDir() string { return filepath.Join(w.dir, "state") }

// start runs the collector, as nobody where this process is root, within its limit
// from its first instruction on.
func (w *world) start() {
	w.t.Helper()
	var types []string
	for n := range w.rows {
		types = append(types, w.eventType(n))
	}
	config := filepath.Join(w.dir, "config.yaml")
	require.NoError(w.t, os.WriteFile(config, fmt.Appendf(nil, configTemplate, workspace, strings.Join(types, ", "), indent(w.receiver, "    "),
		w.endpoint, w.dir, indent(w.http, "      "), w.exportTo, w.stateDir(), w.spans.endpoint), 0o644))
	require.NoError(w.t, os.Mkdir(w.stateDir(), 0o700))
	attributes := &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if os.Getuid() == 0 && os.Chown(w.stateDir(), nobody, nobody) == nil {
		attributes.Credential = &syscall.Credential{Uid: nobody, Gid: nobody}
	}
	cmd := exec.Command("/bin/sh", "-c", `ulimit -d "$1" && exec "$2" --config "$3"`, "sh", strconv.Itoa(maxData>>10), w.binary(), config)
	cmd.Env, cmd.SysProcAttr = []string{"KEY=" + key}, attributes
	collector, err := testbed.StartCommand(w.logFile(), cmd)
	require.NoError(w.t, err)
	w.collector = collector
	w.t.Cleanup(func() {
		w.collector.Kill()
		if w.t.Failed() {
			w.t.Logf("collector's log:\n%s", w.log())
		}
	})
}

// binary is a copy of the collector that everybody may run.
func (w *world) binary() string {
	w.t.Helper()
	path := os.Getenv("OTELCOL")
	require.NotEmpty(w.t, path, "OTELCOL names no collector; run make test-e2e")
	data, err := os.ReadFile(path)
	require.NoError(w.t, err)
	copied := filepath.Join(w.dir, "otelcol")
	require.NoError(w.t, os.WriteFile(copied, data, 0o755))
	return copied
}

func (w *world) logFile() string { return filepath.Join(w.dir, "collector.log") }

func (w *world) log() string {
	data, _ := os.ReadFile(w.logFile())
	return string(data)
}

// await waits until the condition holds while the collector runs.
func (w *world) await(what string, done func() bool) {
	w.t.Helper()
	for end := time.Now().Add(time.Minute); !done(); time.Sleep(50 * time.Millisecond) {
		require.True(w.t, w.collector.Running(), "the collector ended by itself while waiting for %s", what)
		require.True(w.t, time.Now().Before(end), "waited too long for %s", what)
	}
}

// spanSink keeps the spans that the collector exports of itself.
type spanSink struct {
	endpoint string

	mu       sync.Mutex // guards requests
	requests [][]byte
}

func newSpanSink(t *testing.T) *spanSink {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	s := &spanSink{endpoint: "http://" + listener.Addr().String()}
	serve(t, listener, http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		request, _ := io.ReadAll(r.Body)
		s.mu.Lock()
		defer s.mu.Unlock()
		s.requests = append(s.requests, request)
	}))
	return s
}

// text is every span as it was exported.
func (s *spanSink) text() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return string(bytes.Join(s.requests, nil))
}

// of returns the spans of the scopes whose name begins so.
func (s *spanSink) of(t *testing.T, scope string) string {
	t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	var text strings.Builder
	for _, request := range s.requests {
		export := ptraceotlp.NewExportRequest()
		require.NoError(t, export.UnmarshalProto(request))
		for _, resource := range export.Traces().ResourceSpans().All() {
			resource.ScopeSpans().RemoveIf(func(spans ptrace.ScopeSpans) bool {
				return !strings.HasPrefix(spans.Scope().Name(), scope)
			})
		}
		left, err := export.MarshalProto()
		require.NoError(t, err)
		text.Write(left)
	}
	return text.String()
}
