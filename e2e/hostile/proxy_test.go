// Copyright The OpenTelemetry Authors
// SPDX-License-Identifier: Apache-2.0

//go:build e2e && linux

package hostile

import (
	"bufio"
	"crypto/tls"
	"net"
	"net/http"
	"net/http/httputil"
	"sync"
)

// proxy is an HTTP proxy that connects to nobody: it opens every tunnel to this
// network's own hosts, and notes where the tunnel was to lead.
type proxy struct {
	world *world
	// opened has the tunnels, which a TLS server accepts.
	opened chan net.Conn
	closed chan struct{}
	once   sync.Once
	// connect answers CONNECT for a host in the proxy's place.
	connect map[string]http.HandlerFunc
}

// useProxy lets the world's collector go through a proxy that asks for a password.
func (w *world) useProxy() *proxy {
	w.t.Helper()
	p := &proxy{world: w, opened: make(chan net.Conn), closed: make(chan struct{}), connect: map[string]http.HandlerFunc{}}
	w.http = "proxy_url: http://" + proxyUser + ":" + proxyPassword + "@" + at(proxyName, proxyPort)
	serve(w.t, listen(w.t, at("", proxyPort), w.contacts), p)
	serve(w.t, tls.NewListener(p, w.tls), http.HandlerFunc(w.answer))
	return p
}

// ServeHTTP implements http.Handler.
func (p *proxy) ServeHTTP(rw http.ResponseWriter, r *http.Request) {
	said, _ := httputil.DumpRequest(r, true)
	p.world.contacts.hear(at(proxyAddress, proxyPort), said)
	switch user, password, _ := parseProxyUser(r); {
	case r.Method != http.MethodConnect || user != proxyUser || password != proxyPassword:
		rw.Header().Set("Proxy-Authenticate", "Basic")
		rw.WriteHeader(http.StatusProxyAuthRequired)
	case p.connect[r.Host] != nil:
		p.connect[r.Host](rw, r)
	default:
		p.world.contacts.connected(r.Host)
		p.open(rw, r.Host)
	}
}

func parseProxyUser(r *http.Request) (user, password string, ok bool) {
	request := http.Request{Header: http.Header{"Authorization": r.Header["Proxy-Authorization"]}}
	return request.BasicAuth()
}

func (p *proxy) open(rw http.ResponseWriter, target string) {
	conn, buffered, err := rw.(http.Hijacker).Hijack()
	if err != nil {
		return
	}
	_, _ = conn.Write([]byte("HTTP/1.1 200 OK\r\n\r\n"))
	select {
	case p.opened <- &tunnel{Conn: conn, reader: buffered.Reader, target: target}:
	case <-p.closed:
		_ = conn.Close()
	}
}

// Accept implements net.Listener.
func (p *proxy) Accept() (net.Conn, error) {
	select {
	case conn := <-p.opened:
		return conn, nil
	case <-p.closed:
		return nil, net.ErrClosed
	}
}

// Close implements net.Listener.
func (p *proxy) Close() error {
	p.once.Do(func() { close(p.closed) })
	return nil
}

// Addr implements net.Listener.
func (p *proxy) Addr() net.Addr { return target("proxy") }

// tunnel is a connection whose own address is what the proxy was asked for.
type tunnel struct {
	net.Conn
	reader *bufio.Reader
	target string
}

func (t *tunnel) Read(p []byte) (int, error) { return t.reader.Read(p) }
func (t *tunnel) LocalAddr() net.Addr        { return target(t.target) }

// target is a host:port as an address.
type target string

// Network implements net.Addr.
func (t target) Network() string { return "tcp" }
func (t target) String() string  { return string(t) }
