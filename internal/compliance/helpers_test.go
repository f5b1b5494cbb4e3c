// Copyright The OpenTelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package compliance

import (
	"bytes"
	"context"
	"crypto/sha256"
	"crypto/tls"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/openaicompliance/openaicompliancereceiver/internal/fakeapi"
)

// Canaries: no text of any error may hold one.
const (
	testKey   = "sk-admin-canaryKeyDoNotPrint"
	signature = "canarySignature"
	canary    = "CANARY"
)

const workspace = fakeapi.DefaultWorkspace

var noon = time.Date(2026, 8, 1, 12, 0, 0, 0, time.UTC)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// requireSafe demands an error, and that nothing in its chain tells a secret:
// the key, a signed URL, a query string or anything else given.
func requireSafe(t *testing.T, err error, secrets ...string) {
	t.Helper()
	require.Error(t, err)
	secrets = append(secrets, testKey, signature, canary, "sig=", "event_type=", "after=", "limit=")
	for at := err; at != nil; at = errors.Unwrap(at) {
		text := fmt.Sprintf("%v\n%+v\n%#v", at, at, at)
		for _, secret := range secrets {
			if strings.Contains(text, secret) {
				require.Fail(t, "an error tells a secret", "%q is in: %s", secret, text)
			}
		}
	}
}

// requireKind is requireSafe for an error of one type.
func requireKind[E error](t *testing.T, err error, secrets ...string) {
	t.Helper()
	_ = requireErrorAs[E](t, err, secrets...)
}

// requireErrorAs is requireKind that returns the error.
func requireErrorAs[E error](t *testing.T, err error, secrets ...string) E {
	t.Helper()
	requireSafe(t, err, secrets...)
	var want E
	require.ErrorAs(t, err, &want)
	return want
}

// host is a server that remembers what it was asked.
type host struct {
	URL string

	mu       sync.Mutex
	requests []*http.Request
}

func newHost(t *testing.T, handler http.HandlerFunc) *host {
	t.Helper()
	h := &host{}
	server := httptest.NewServer(h.remember(handler))
	t.Cleanup(server.Close)
	h.URL = server.URL
	return h
}

// newTLSServer asks for client certificates and keeps failed handshakes quiet.
func newTLSServer(t *testing.T, http2 bool, handler http.HandlerFunc) *httptest.Server {
	t.Helper()
	server := httptest.NewUnstartedServer(handler)
	server.TLS = &tls.Config{ClientAuth: tls.RequestClientCert}
	server.EnableHTTP2 = http2
	server.Config.ErrorLog = log.New(io.Discard, "", 0)
	server.StartTLS()
	t.Cleanup(server.Close)
	return server
}

func (h *host) remember(handler http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		h.mu.Lock()
		h.requests = append(h.requests, r)
		h.mu.Unlock()
		handler(w, r)
	}
}

func (h *host) seen() []*http.Request {
	h.mu.Lock()
	defer h.mu.Unlock()
	return append([]*http.Request(nil), h.requests...)
}

// answering is a handler that says the same to everyone.
func answering(status int, body string, header ...string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		for i := 0; i+1 < len(header); i += 2 {
			w.Header().Set(header[i], header[i+1])
		}
		w.WriteHeader(status)
		_, _ = w.Write([]byte(body))
	}
}

// endless is a handler whose body has 64 MiB, unless the client leaves before;
// left says that one did.
func endless(begin string, left *atomic.Bool) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, begin)
		block := bytes.Repeat([]byte(" "), 1<<20)
		for range 64 {
			if _, err := w.Write(block); err != nil {
				left.Store(true)
				return
			}
		}
	}
}

// settings that suit a test server at endpoint, with connections of their own.
func settings(t *testing.T, endpoint string) Settings {
	t.Helper()
	transport := &http.Transport{}
	t.Cleanup(transport.CloseIdleConnections)
	return Settings{
		Endpoint: endpoint, Principal: Principal{ID: workspace}, Key: StaticKey(testKey),
		API: &http.Client{Transport: transport}, Policy: PolicyFor(endpoint, nil), UserAgent: "test-agent",
		HeaderTimeout: time.Minute, DownloadTimeout: time.Minute, StallTimeout: time.Minute, MaxFileSize: 1 << 20,
	}
}

// newClient has settings changed by configure; signed URLs are fetched as in
// production unless configure says otherwise.
func newClient(t *testing.T, endpoint string, configure ...func(*Settings)) *Client {
	t.Helper()
	set := settings(t, endpoint)
	for _, change := range configure {
		change(&set)
	}
	if set.Signed == nil {
		signed := NewSignedTransport(set.API.Transport.(*http.Transport), set.Policy)
		t.Cleanup(signed.(*signedTransport).CloseIdleConnections)
		set.Signed = signed
	}
	return NewClient(set)
}

// newRedirector is an API host that answers everything with a redirect.
func newRedirector(t *testing.T, status int, location string) *host {
	t.Helper()
	return newHost(t, func(w http.ResponseWriter, _ *http.Request) {
		if location != "" {
			w.Header().Set("Location", location)
		}
		w.WriteHeader(status)
	})
}

// nowhere is the URL of a port that no test can be given, so that nobody listens.
const nowhere = "http://127.0.0.1:1"

// newStorage is a client whose API host redirects to a storage host.
func newStorage(t *testing.T, handler http.HandlerFunc, configure ...func(*Settings)) (*Client, *host) {
	t.Helper()
	storage := newHost(t, handler)
	api := newRedirector(t, http.StatusTemporaryRedirect, storage.URL+"/blob?se=1&sig="+signature)
	return newClient(t, api.URL, configure...), storage
}

// fileOf is the listing of a file with the given content.
func fileOf(content []byte) File {
	sum := sha256.Sum256(content)
	return File{ID: "eclf_1", EndTime: noon, Name: "n.jsonl", Size: int64(len(content)), SHA256: hex.EncodeToString(sum[:])}
}

// newFakeAPI runs fakeapi at noon with the key of the tests.
func newFakeAPI(t *testing.T, opts fakeapi.Options) *fakeapi.API {
	t.Helper()
	opts.Key = testKey
	opts.Now = func() time.Time { return noon }
	api := fakeapi.New(opts)
	require.NoError(t, api.Start("", ""))
	t.Cleanup(api.Close)
	return api
}

// observation is one call of Settings.Observe.
type observation struct {
	Op     Operation
	Status int
	Failed bool
}

func observeInto(list *[]observation) func(*Settings) {
	return func(set *Settings) {
		set.Observe = func(_ context.Context, o Observation) {
			*list = append(*list, observation{o.Op, o.Status, o.Err != nil})
		}
	}
}

// inBubble runs a check in virtual time against a server in memory: the API is
// served by api, the storage it redirects to by storage.
func inBubble(t *testing.T, api, storage http.HandlerFunc, check func(t *testing.T, set Settings)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		network := &memoryNetwork{conns: make(chan net.Conn), closed: make(chan struct{})}
		mux := http.NewServeMux()
		mux.HandleFunc("/v1/", api)
		mux.HandleFunc("/blob", storage)
		server := &http.Server{Handler: mux}
		go func() { _ = server.Serve(network) }()
		transport := &http.Transport{DialContext: network.dial}
		set := settings(t, "http://127.0.0.1/v1")
		set.API = &http.Client{Transport: transport}
		set.Signed = transport
		t.Cleanup(func() {
			transport.CloseIdleConnections()
			_ = server.Close()
		})
		check(t, set)
	})
}

// redirecting is the usual answer of the download route.
func redirecting(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Location", "/blob?sig="+signature)
	w.WriteHeader(http.StatusTemporaryRedirect)
}

// hanging never answers.
func hanging(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }

// memoryNetwork is a listener and the only way to reach it.
type memoryNetwork struct {
	conns  chan net.Conn
	closed chan struct{}
	once   sync.Once
}

func (m *memoryNetwork) dial(ctx context.Context, _, _ string) (net.Conn, error) {
	client, server := net.Pipe()
	select {
	case m.conns <- server:
		return client, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	case <-m.closed:
		return nil, net.ErrClosed
	}
}

func (m *memoryNetwork) Accept() (net.Conn, error) {
	select {
	case conn := <-m.conns:
		return conn, nil
	case <-m.closed:
		return nil, net.ErrClosed
	}
}

func (m *memoryNetwork) Close() error {
	m.once.Do(func() { close(m.closed) })
	return nil
}

func (*memoryNetwork) Addr() net.Addr { return &net.IPAddr{IP: net.IPv4(127, 0, 0, 1)} }
