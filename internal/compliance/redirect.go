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
	"slices"
	"strings"
	"syscall"
	"time"
)

// maxHops is how many redirects one download may follow.
const maxHops = 3

// RedirectPolicy decides which hosts a signed URL may point to.
type RedirectPolicy struct {
	// Local is set when the configured endpoint is itself a loopback, private
	// or link-local host: a test server, whose signed URLs may be local too.
	Local bool
	// PlainHTTP is set when the configured endpoint is plain http, which the
	// configuration accepts for loopback hosts only.
	PlainHTTP bool
	// AllowedHosts, when not empty, are the only hosts allowed, whatever their
	// address. An entry "*.example.com" stands for every subdomain, an IPv6 address
	// for itself in any spelling.
	AllowedHosts []string
}

// PolicyFor derives the policy from the configured endpoint.
func PolicyFor(endpoint string, allowedHosts []string) RedirectPolicy {
	policy := RedirectPolicy{AllowedHosts: allowedHosts}
	if u, err := url.Parse(endpoint); err == nil {
		policy.PlainHTTP = u.Scheme == "http"
		policy.Local = isLocalHost(u.Hostname())
	}
	return policy
}

// check refuses a redirect target before anything is sent there.
func (p RedirectPolicy) check(target *url.URL) error {
	host := strings.ToLower(target.Hostname())
	refuse := func(reason string) error { return &RedirectError{Host: printable(host), Reason: reason} }
	switch {
	case host == "":
		return refuse("the Location holds no host")
	case target.User != nil:
		return refuse("the Location holds user information")
	case target.Scheme != "https" && !p.PlainHTTP:
		return refuse("the scheme is not https")
	case target.Scheme != "https" && target.Scheme != "http":
		return refuse("the scheme is neither https nor http")
	case len(p.AllowedHosts) > 0 && !p.allowed(host):
		return refuse("the host is not in download::allowed_hosts")
	case isLocalHost(host) && !p.permitsLocal(host):
		return refuse(reasonLocal)
	}
	return nil
}

const reasonLocal = "a loopback, private or link-local address; add the host to download::allowed_hosts if it is meant"

// permitsLocal says whether the host may have a local address.
func (p RedirectPolicy) permitsLocal(host string) bool { return p.Local || p.allowed(host) }

func (p RedirectPolicy) allowed(host string) bool {
	host = canonicalHost(host)
	return slices.ContainsFunc(p.AllowedHosts, func(entry string) bool {
		entry = canonicalHost(entry)
		if suffix, ok := strings.CutPrefix(entry, "*"); ok {
			return strings.HasSuffix(host, suffix)
		}
		return host == entry
	})
}

// canonicalHost writes a host in the one way in which it is compared: lower case,
// and an address without brackets and in its shortest form.
func canonicalHost(host string) string {
	host = strings.ToLower(host)
	addr, err := netip.ParseAddr(strings.TrimSuffix(strings.TrimPrefix(host, "["), "]"))
	if err != nil {
		return host
	}
	return addr.String()
}

func isLocalHost(host string) bool {
	host = strings.ToLower(strings.TrimSuffix(host, "."))
	if host == "localhost" || strings.HasSuffix(host, ".localhost") {
		return true
	}
	addr, err := netip.ParseAddr(host)
	return err == nil && isLocalAddr(addr)
}

// Ranges that are not loopback, private or link-local by name and yet lead
// inside: carrier-grade NAT, "this network", and IPv4 wrapped in IPv6.
var insideRanges = []netip.Prefix{
	netip.MustParsePrefix("100.64.0.0/10"),
	netip.MustParsePrefix("0.0.0.0/8"),
	netip.MustParsePrefix("64:ff9b::/96"),
	netip.MustParsePrefix("64:ff9b:1::/48"),
	netip.MustParsePrefix("2002::/16"),
}

func isLocalAddr(addr netip.Addr) bool {
	addr = addr.Unmap().WithZone("")
	return addr.IsLoopback() || addr.IsPrivate() || addr.IsUnspecified() || addr.IsMulticast() ||
		addr.IsLinkLocalUnicast() || addr.IsInterfaceLocalMulticast() ||
		slices.ContainsFunc(insideRanges, func(p netip.Prefix) bool { return p.Contains(addr) })
}

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

// dialContext guards every address a name resolves to, so that a name that
// changes its mind between check and connect gains nothing.
func (p RedirectPolicy) dialContext(base *net.Dialer) func(context.Context, string, string) (net.Conn, error) {
	return func(ctx context.Context, network, address string) (net.Conn, error) {
		host, _, err := net.SplitHostPort(address)
		if err != nil {
			return nil, errors.New("dial: the address has no port")
		}
		dialer := *base
		if !p.permitsLocal(strings.ToLower(host)) {
			dialer.Control = func(_, resolved string, _ syscall.RawConn) error {
				at, err := netip.ParseAddrPort(resolved)
				if err != nil || isLocalAddr(at.Addr()) {
					return &RedirectError{Host: printable(host), Reason: reasonLocal}
				}
				return nil
			}
		}
		return dialer.DialContext(ctx, network, address)
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
