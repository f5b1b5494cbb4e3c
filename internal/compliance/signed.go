// Copyright The OpenTelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package compliance

import (
	"context"
	"errors"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"sync/atomic"
	"syscall"
	"time"
)

// NewSignedTransport derives the transport for signed URLs from the one that
// reaches the API: the same proxy and certificate authorities, but no client
// certificate, no server name override, no compression behind our back and, on
// direct connections, a dialer that refuses local addresses after the name was
// resolved. Through a proxy the dialer sees the proxy alone, so there the proxy
// enforces egress.
func NewSignedTransport(api *http.Transport, policy RedirectPolicy) http.RoundTripper {
	proxied := bareTransport(api)
	direct := bareTransport(api)
	direct.Proxy = nil
	direct.DialContext = policy.dialContext(&net.Dialer{Timeout: 30 * time.Second, KeepAlive: 30 * time.Second})
	return &signedTransport{proxy: api.Proxy, direct: direct, proxied: proxied}
}

func bareTransport(api *http.Transport) *http.Transport {
	t := api.Clone()
	t.DisableCompression = true
	t.ProxyConnectHeader, t.GetProxyConnectHeader = nil, nil
	t.Dial, t.DialTLS, t.DialTLSContext = nil, nil, nil //nolint:staticcheck // deprecated or not, each would go around the guard
	if t.TLSClientConfig != nil {
		t.TLSClientConfig.Certificates = nil
		t.TLSClientConfig.GetClientCertificate = nil
		t.TLSClientConfig.ServerName = ""
	}
	// A clone shares the HTTP/2 connection pool of a transport that was
	// configured by hand, and with it the unguarded dialer.
	if t.TLSNextProto["h2"] != nil {
		t.ForceAttemptHTTP2 = true
	}
	t.TLSNextProto = nil
	return t
}

// dialContext guards every address a name resolves to at the moment when the
// connection to it is made, so that a name that changes its mind between check and
// connect gains nothing.
func (p RedirectPolicy) dialContext(base *net.Dialer) func(context.Context, string, string) (net.Conn, error) {
	return func(ctx context.Context, network, address string) (net.Conn, error) {
		host, _, err := net.SplitHostPort(address)
		if err != nil {
			return nil, errors.New("dial: the address has no port")
		}
		var tried atomic.Bool // an address that is permitted
		dialer := *base
		dialer.Control = func(_, resolved string, _ syscall.RawConn) error {
			at, _ := netip.ParseAddrPort(resolved) // no address is refused
			if err := p.CheckAddress(at.Addr()); err != nil {
				return &RedirectError{Host: shownHost(host), Reason: err.Error()}
			}
			tried.Store(true)
			return nil
		}
		conn, err := dialer.DialContext(ctx, network, address)
		if refused := (*RedirectError)(nil); errors.As(err, &refused) && tried.Load() {
			// The name leads to other addresses too, and those are why there is no connection.
			err = &net.OpError{Op: "dial", Net: network, Err: errNoAddressAnswers}
		}
		return conn, err
	}
}

// signedTransport sends a request through the proxy or directly, each with a
// dialer of its own.
type signedTransport struct {
	proxy           func(*http.Request) (*url.URL, error)
	direct, proxied *http.Transport
}

func (t *signedTransport) RoundTrip(req *http.Request) (*http.Response, error) {
	if t.proxy != nil {
		via, err := t.proxy(req)
		if err != nil {
			return nil, errors.New("proxy: its address cannot be used")
		}
		if via != nil {
			return t.proxied.RoundTrip(req)
		}
	}
	return t.direct.RoundTrip(req)
}

// CloseIdleConnections implements the optional interface of http.Client.
func (t *signedTransport) CloseIdleConnections() {
	t.direct.CloseIdleConnections()
	t.proxied.CloseIdleConnections()
}
