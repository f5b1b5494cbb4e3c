// Copyright The OpenTelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package sim

import (
	"context"
	"errors"
	"net"
	"net/http"
	"net/url"
	"sync"
)

// The two hosts of the API. The receiver's client for signed URLs dials for
// itself unless it goes through a proxy, so the storage host is reached through
// one that does not exist.
const (
	apiHost     = "127.0.0.1:8080"
	storageHost = "127.0.0.1:8081"
	proxyHost   = "proxy.invalid:3128"
)

var errNetworkDown = errors.New("the network is down")

// network connects clients and servers by pipes.
type network struct {
	mu      sync.Mutex // guards everything below
	hosts   map[string]*listener
	servers []*http.Server
	conns   []net.Conn // of the servers
	down    bool
}

func newNetwork() *network { return &network{hosts: map[string]*listener{}} }

// serve answers requests to an address.
func (n *network) serve(address string, handler http.Handler) {
	l := &listener{conns: make(chan net.Conn), closed: make(chan struct{})}
	server := &http.Server{Handler: handler}
	n.mu.Lock()
	n.hosts[address] = l
	n.servers = append(n.servers, server)
	n.mu.Unlock()
	go func() { _ = server.Serve(l) }()
}

func (n *network) close() {
	for _, server := range n.servers {
		_ = server.Close()
	}
}

// setDown cuts every connection and refuses new ones, or allows them again.
func (n *network) setDown(down bool) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.down = down
	if down {
		for _, conn := range n.conns {
			_ = conn.Close()
		}
		n.conns = nil
	}
}

func (n *network) dial(ctx context.Context, _, address string) (net.Conn, error) {
	n.mu.Lock()
	host, down := n.hosts[address], n.down
	n.mu.Unlock()
	if host == nil || down {
		return nil, &net.OpError{Op: "dial", Net: "tcp", Err: errNetworkDown}
	}
	client, server := net.Pipe()
	select {
	case host.conns <- server:
	case <-host.closed:
		return nil, net.ErrClosed
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	n.conns = append(n.conns, server)
	return client, nil
}

// configure makes a transport of the receiver use the network.
func (n *network) configure(transport *http.Transport) {
	transport.DialContext = n.dial
	transport.Proxy = func(r *http.Request) (*url.URL, error) {
		if r.URL.Host == storageHost {
			return &url.URL{Scheme: "http", Host: proxyHost}, nil
		}
		return nil, nil //nolint:nilnil // no proxy, as net/http defines it
	}
}

// listener is a net.Listener whose connections are pipes.
type listener struct {
	conns  chan net.Conn
	once   sync.Once
	closed chan struct{}
}

func (l *listener) Accept() (net.Conn, error) {
	select {
	case conn := <-l.conns:
		return conn, nil
	case <-l.closed:
		return nil, net.ErrClosed
	}
}

func (l *listener) Close() error {
	l.once.Do(func() { close(l.closed) })
	return nil
}

func (*listener) Addr() net.Addr { return &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1)} }
