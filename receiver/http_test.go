// Copyright The OpenTelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package receiver

import (
	"context"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/otel/codes"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/config/confighttp"
	"go.opentelemetry.io/collector/config/configmiddleware"
	"go.opentelemetry.io/collector/config/configopaque"
	"go.opentelemetry.io/collector/config/configoptional"

	"github.com/openaicompliance/openaicompliancereceiver/internal/compliance"
	"github.com/openaicompliance/openaicompliancereceiver/internal/fakeapi"
)

// watcher is a client middleware extension that remembers what it is shown, and adds
// a header.
type watcher struct {
	component.StartFunc
	component.ShutdownFunc
	name string

	mu    sync.Mutex
	paths []string
}

func (w *watcher) GetHTTPRoundTripper(context.Context) (func(context.Context, http.RoundTripper) (http.RoundTripper, error), error) {
	return func(_ context.Context, next http.RoundTripper) (http.RoundTripper, error) {
		return roundTripper(func(req *http.Request) (*http.Response, error) {
			w.mu.Lock()
			w.paths = append(w.paths, req.URL.Path)
			w.mu.Unlock()
			req.Header.Set("X-Order", req.Header.Get("X-Order")+w.name)
			return next.RoundTrip(req)
		}), nil
	}, nil
}

type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(req *http.Request) (*http.Response, error) { return f(req) }

// Headers, cookies and middlewares are the API's alone: the client for signed URLs is
// another one, and the host's extensions stay as they are.
func TestSignedURLsHaveAClientOfTheirOwn(t *testing.T) {
	var signed, asked http.Header
	storage := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		signed = r.Header.Clone()
		_, _ = w.Write([]byte("{}\n"))
	}))
	defer storage.Close()
	api := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked = r.Header.Clone()
		http.SetCookie(w, &http.Cookie{Name: "session", Value: "1", Path: "/"})
		w.Header().Set("Location", storage.URL+"/signed")
		w.WriteHeader(http.StatusFound)
	}))
	defer api.Close()

	first, second := &watcher{name: "1"}, &watcher{name: "2"}
	all := extensions{component.MustNewID("first"): first, component.MustNewID("second"): second}
	before := maps.Clone(all)
	cfg := testConfig(api.URL)
	cfg.HTTP.Headers.Set("X-Gateway", "token")
	cfg.HTTP.Cookies = configoptional.Some(confighttp.CookiesConfig{})
	cfg.HTTP.Middlewares = []configmiddleware.Config{{ID: component.MustNewID("first")}, {ID: component.MustNewID("second")}}
	clients, err := newTransports(t.Context(), cfg, all, componenttest.NewNopTelemetrySettings(), func(*http.Transport) {})
	require.NoError(t, err)
	defer clients.close()
	client := newAPI(cfg, cfg.newKeySource(), clients, apiHooks{}, "test")
	for range 2 { // the second time there is a cookie
		_, err = client.Download(t.Context(), compliance.File{ID: "file-1", Size: 3, SHA256: "ca3d163bab055381827226140568f3bef7eaac187cebd76878e0b63e9e442356"})
		require.NoError(t, err)
	}

	assert.Equal(t, before, all)
	assert.Equal(t, "12", asked.Get("X-Order"), "the first middleware is the outermost one")
	assert.Equal(t, "token", asked.Get("X-Gateway"))
	assert.Equal(t, "session=1", asked.Get("Cookie"))
	assert.Equal(t, "Bearer "+fakeapi.DefaultKey, asked.Get("Authorization"))
	for _, name := range []string{"X-Order", "X-Gateway", "Cookie", "Authorization", "Referer", "Traceparent"} {
		assert.Empty(t, signed.Get(name), name)
	}
	for _, w := range []*watcher{first, second} {
		assert.Len(t, w.paths, 2)
		assert.NotContains(t, w.paths, "/signed")
	}

	cfg.HTTP.Middlewares = append(cfg.HTTP.Middlewares, configmiddleware.Config{ID: component.MustNewID("missing")})
	_, err = newTransports(t.Context(), cfg, all, componenttest.NewNopTelemetrySettings(), func(*http.Transport) {})
	require.ErrorContains(t, err, "missing")
}

// The client certificate and the server name of the settings are the endpoint's; the
// authorities, the proxy and the bounds of connections hold for both clients.
func TestSettingsOfSignedURLs(t *testing.T) {
	cfg := NewDefaultConfig().HTTP
	cfg.TLS.CertPem, cfg.TLS.KeyPem, cfg.TLS.CertFile, cfg.TLS.KeyFile = configopaque.String("a"), configopaque.String("b"), "c", "d"
	cfg.TLS.ServerName, cfg.TLS.InsecureSkipVerify = "gateway", true
	cfg.ProxyURL = "http://proxy.example.com:3128"
	cfg.ReadBufferSize, cfg.MaxConnsPerHost = 1234, 7
	cfg.Headers.Set("X-Gateway", "token")
	bare := withoutIdentity(cfg)
	assert.Equal(t, "gateway", cfg.TLS.ServerName, "the API's own settings stay")
	transport, _, err := plainTransport(t.Context(), bare, nil)
	require.NoError(t, err)
	assert.Equal(t, 1234, transport.ReadBufferSize)
	assert.Equal(t, 7, transport.MaxConnsPerHost)
	assert.True(t, transport.TLSClientConfig.InsecureSkipVerify)
	assert.Empty(t, transport.TLSClientConfig.ServerName)
	assert.Nil(t, transport.TLSClientConfig.GetClientCertificate)
	proxy, err := transport.Proxy(httptest.NewRequest(http.MethodGet, "https://blob.example.com/", http.NoBody))
	require.NoError(t, err)
	assert.Equal(t, "proxy.example.com:3128", proxy.Host)
}

// failing is a transport that fails as a hostile host makes it fail.
type failing struct{ text string }

func (f failing) Error() string { return f.text }

// Spans of both clients name the kind of an error and nothing of its text, and the
// host and nothing else of the URL.
func TestSpansHoldNoTextOfOthers(t *testing.T) {
	tel, tt := newTestTelemetry(t)
	const canary = "malformed MIME header line: Location: https://x/?sig=CANARY"
	broken := roundTripper(func(*http.Request) (*http.Response, error) { return nil, failing{canary} })
	refusing := roundTripper(func(req *http.Request) (*http.Response, error) {
		return &http.Response{StatusCode: http.StatusServiceUnavailable, Header: http.Header{}, Body: brokenBody{}, Request: req}, nil
	})
	for _, next := range []http.RoundTripper{broken, refusing} {
		api, err := apiTransport(t.Context(), NewDefaultConfig().HTTP, nil, extensions(nil), tt.NewTelemetrySettings())
		require.NoError(t, err)
		outer := api.(*tracingTransport)
		outer.next = next
		target := &url.URL{Scheme: "https", Host: "blob.example.com:444", Path: "/CANARY", RawQuery: "sig=CANARY"}
		for _, transport := range []http.RoundTripper{outer, &tracingTransport{next: next, tracer: tel.tracer, name: "openai_compliance.fetch"}} {
			resp, err := transport.RoundTrip((&http.Request{Method: http.MethodGet, URL: target, Header: http.Header{}}).WithContext(t.Context()))
			if err == nil {
				_, _ = resp.Body.Read(make([]byte, 1))
				_ = resp.Body.Close()
			}
		}
	}
	spans := tt.SpanRecorder.Ended()
	require.Len(t, spans, 4)
	for _, span := range spans {
		assert.NotContains(t, spanText(span), "CANARY")
		assert.Equal(t, sdktrace.Status{Code: codes.Error}, span.Status())
		assert.NotEmpty(t, spanAttr(span, "error.type").AsString())
		assert.Equal(t, "blob.example.com", spanAttr(span, "server.address").AsString())
		assert.Empty(t, span.Events())
	}
}

type brokenBody struct{}

func (brokenBody) Read([]byte) (int, error) { return 0, failing{"CANARY"} }
func (brokenBody) Close() error             { return nil }

// The real way: an answer of the API that net/http cannot read, and that echoes the
// key and a signed URL, is in no span, log, status or stored state.
func TestMalformedAnswersStayOutOfSight(t *testing.T) {
	const sig = "CANARYSIGNATURE"
	w := newWorld(t, fakeapi.Options{})
	w.api.Add("AUTH_LOG", recent(time.Hour), authLine("a"))
	echo := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		conn, _, err := http.NewResponseController(rw).Hijack()
		if err != nil {
			return
		}
		defer func() { _ = conn.Close() }()
		_, _ = conn.Write([]byte("HTTP/1.1 307 Temporary Redirect\r\nX-Request-Id: " + strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ") +
			"\r\nLocation: https://x.example/?sig=" + sig + "\x01" + r.Header.Get("Authorization") + "\r\n\r\n"))
	}))
	defer echo.Close()
	w.cfg.HTTP.Endpoint = echo.URL
	w.start()
	require.Eventually(t, func() bool { return len(w.tel.SpanRecorder.Ended()) > 5 }, 20*time.Second, 5*time.Millisecond)
	w.stop()
	for _, span := range w.tel.SpanRecorder.Ended() {
		assertHidden(t, spanText(span), sig)
	}
	for _, entry := range w.logs.All() {
		assertHidden(t, fmt.Sprint(entry.Message, entry.ContextMap()), sig)
	}
	for _, event := range w.status.events.all() {
		if event.Err() != nil {
			assertHidden(t, event.Err().Error(), sig)
		}
	}
}

func assertHidden(t *testing.T, text string, secrets ...string) {
	t.Helper()
	for _, secret := range append(secrets, fakeapi.DefaultKey, "sig=", "Bearer") {
		assert.NotContains(t, text, secret)
	}
}
