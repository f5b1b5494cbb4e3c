// Copyright The OpenTelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package compliance

import (
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// A name is judged again by the address it resolves to, when the connection is
// made: nothing is sent to an address inside.
func TestDialGuard(t *testing.T) {
	t.Parallel()
	inside := newHost(t, answering(200, string(content)))
	address := strings.TrimPrefix(inside.URL, "http://")
	_, port, err := net.SplitHostPort(address)
	require.NoError(t, err)
	byName := net.JoinHostPort("localhost", port)
	loopback := networks(t, "127.0.0.0/8", "::1/128")
	tests := map[string]struct {
		policy  RedirectPolicy
		address string
		works   bool
	}{
		"an address":                {RedirectPolicy{}, address, false},
		"a name of it":              {RedirectPolicy{}, byName, false},
		"another host is allowed":   {RedirectPolicy{AllowedHosts: []string{"blob.example.com"}}, byName, false},
		"the name is allowed":       {RedirectPolicy{AllowedHosts: []string{"LOCALHOST"}}, byName, false},
		"the address is allowed":    {RedirectPolicy{AllowedHosts: []string{"127.0.0.1"}}, address, false},
		"the network is allowed":    {RedirectPolicy{AllowedNetworks: loopback}, byName, true},
		"the endpoint is loopback":  {RedirectPolicy{Loopback: true}, byName, true},
		"an address without port":   {RedirectPolicy{}, "127.0.0.1", false},
		"plain http changes naught": {RedirectPolicy{PlainHTTP: true}, address, false},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			conn, err := tt.policy.dialContext(&net.Dialer{})(t.Context(), "tcp", tt.address)
			if tt.works {
				require.NoError(t, err)
				require.NoError(t, conn.Close())
				return
			}
			requireSafe(t, err)
			if _, _, splitErr := net.SplitHostPort(tt.address); splitErr == nil {
				requireKind[*RedirectError](t, err)
			}
		})
	}
}

// The whole way of a name that turns out to lead inside: the download ends with
// the policy's own error, and the host has seen no request. A connection that
// the API client holds to that host is not borrowed either, in HTTP/2 too.
func TestSignedTransportGuardsAndSharesNothing(t *testing.T) {
	t.Parallel()
	for _, http2 := range []bool{false, true} {
		var asked atomic.Int64
		server := newTLSServer(t, http2, func(http.ResponseWriter, *http.Request) { asked.Add(1) })
		transport := server.Client().Transport.(*http.Transport)
		resp, err := (&http.Client{Transport: transport}).Get(server.URL)
		require.NoError(t, err)
		require.NoError(t, resp.Body.Close())
		require.Equal(t, http2, resp.ProtoMajor == 2)

		set := settings(t, server.URL)
		set.Signed = NewSignedTransport(transport, RedirectPolicy{})
		target, err := url.Parse(server.URL + "?sig=" + signature)
		require.NoError(t, err)
		_, err = NewClient(set).fetch(t.Context(), target)
		requireKind[*RedirectError](t, err)
		assert.EqualValues(t, 1, asked.Load())
	}
}

// get asks once through a transport of its own.
func get(transport http.RoundTripper, target string) error {
	resp, err := (&http.Client{Transport: transport}).Get(target)
	if err == nil {
		_, err = io.Copy(io.Discard, resp.Body)
		resp.Body.Close()
	}
	transport.(interface{ CloseIdleConnections() }).CloseIdleConnections()
	return err
}

// Signed hosts see neither the client certificate nor the server name that are
// meant for the API, but are trusted by the same authorities.
func TestSignedTransportTLS(t *testing.T) {
	t.Parallel()
	var certificates []int
	server := newTLSServer(t, false, func(_ http.ResponseWriter, r *http.Request) {
		certificates = append(certificates, len(r.TLS.PeerCertificates))
	})
	signed := func(api *http.Transport) http.RoundTripper {
		return NewSignedTransport(api, RedirectPolicy{Loopback: true})
	}
	api := server.Client().Transport.(*http.Transport).Clone()
	api.TLSClientConfig.Certificates = server.TLS.Certificates
	require.NoError(t, get(api, server.URL))
	require.NoError(t, get(signed(api), server.URL))

	api.TLSClientConfig.Certificates = nil
	api.TLSClientConfig.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) {
		return &server.TLS.Certificates[0], nil
	}
	require.NoError(t, get(api.Clone(), server.URL))
	require.NoError(t, get(signed(api), server.URL))
	assert.Equal(t, []int{1, 0, 1, 0}, certificates, "of the API's client, of the signed one")

	api.TLSClientConfig.ServerName = "wrong.invalid"
	require.ErrorContains(t, get(api.Clone(), server.URL), "wrong.invalid", "the name matters, or the test proves nothing")
	require.NoError(t, get(signed(api), server.URL))
	assert.Equal(t, "wrong.invalid", api.TLSClientConfig.ServerName, "the API's own transport stays as it is")
	assert.NotNil(t, api.TLSClientConfig.GetClientCertificate)

	api.TLSClientConfig.RootCAs = nil
	require.ErrorContains(t, get(signed(api), server.URL), "unknown authority")
}

// However the API's transport came by HTTP/2, the signed one speaks it with
// connections of its own.
func TestSignedTransportHTTP2(t *testing.T) {
	t.Parallel()
	borrowed := map[string]func(string, *tls.Conn) http.RoundTripper{
		"h2": func(string, *tls.Conn) http.RoundTripper {
			return saying{errors.New("the pool of the API's transport")}
		},
	}
	tests := map[string]func(*http.Transport){
		"by itself":                      func(*http.Transport) {},
		"configured by hand":             func(api *http.Transport) { api.TLSNextProto = borrowed },
		"configured by hand, not forced": func(api *http.Transport) { api.TLSNextProto, api.ForceAttemptHTTP2 = borrowed, false },
	}
	for name, configure := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			asked := false
			server := newTLSServer(t, true, func(http.ResponseWriter, *http.Request) { asked = true })
			api := http.DefaultTransport.(*http.Transport).Clone()
			api.TLSClientConfig = server.Client().Transport.(*http.Transport).TLSClientConfig.Clone()
			api.TLSClientConfig.NextProtos = []string{"h2", "http/1.1"}
			configure(api)
			require.NoError(t, get(NewSignedTransport(api, RedirectPolicy{Loopback: true}), server.URL))
			assert.True(t, asked)
		})
	}
}

// The API's connection is kept where it speaks HTTP/2, and used once where it does not.
func TestConnectionsToTheAPI(t *testing.T) {
	t.Parallel()
	for _, http2 := range []bool{false, true} {
		var mu sync.Mutex
		remotes := map[string]bool{}
		server := newTLSServer(t, http2, func(w http.ResponseWriter, r *http.Request) {
			mu.Lock()
			defer mu.Unlock()
			remotes[r.RemoteAddr] = true
			_, _ = w.Write([]byte(goodAnswer))
		})
		c := newClient(t, server.URL, func(s *Settings) { s.API = server.Client() })
		for range 5 {
			_, err := c.Pages("AUTH_LOG", noon, time.Time{}, nil).Next(t.Context())
			require.NoError(t, err)
		}
		want := 5
		if http2 {
			want = 2 // the first one, until the protocol is known
		}
		assert.Len(t, remotes, want, "HTTP/2: %v", http2)
	}
}

// A proxy is reached wherever it is, and then decides about egress itself; where
// the proxy function names none, the dialer's guard holds.
func TestSignedTransportUsesTheProxy(t *testing.T) {
	t.Parallel()
	proxy := newHost(t, answering(200, string(content)))
	via, err := url.Parse(proxy.URL)
	require.NoError(t, err)
	api := newRedirector(t, http.StatusTemporaryRedirect, "http://blob.localhost/blob?sig="+signature)
	policy := RedirectPolicy{PlainHTTP: true, Loopback: true}
	download := func(choose func(*http.Request) (*url.URL, error)) (Content, error) {
		transport := &http.Transport{Proxy: choose}
		signed := NewSignedTransport(transport, policy)
		t.Cleanup(signed.(*signedTransport).CloseIdleConnections)
		c := newClient(t, api.URL, func(s *Settings) { s.Policy, s.Signed = policy, signed })
		return c.Download(t.Context(), fileOf(content))
	}

	got, err := download(http.ProxyURL(via))
	require.NoError(t, err)
	assert.Equal(t, content, got.Bytes)
	require.Len(t, proxy.seen(), 1)
	r := proxy.seen()[0]
	assert.Equal(t, "http://blob.localhost/blob?sig="+signature, r.URL.String(), "a proxy gets the whole URL")
	assert.Empty(t, r.Header.Get("Authorization"))

	_, err = download(func(*http.Request) (*url.URL, error) { return nil, errors.New("proxy " + canary) })
	requireKind[*RequestError](t, err)

	set := settings(t, api.URL)
	set.Policy = RedirectPolicy{PlainHTTP: true}
	set.Signed = NewSignedTransport(&http.Transport{Proxy: func(*http.Request) (*url.URL, error) { return nil, nil }}, set.Policy)
	target, err := url.Parse(strings.Replace(proxy.URL, "127.0.0.1", "localhost", 1))
	require.NoError(t, err)
	_, err = NewClient(set).fetch(t.Context(), target)
	requireKind[*RedirectError](t, err)
	assert.Len(t, proxy.seen(), 1)
}
