// Copyright The OpenTelemetry Authors
// SPDX-License-Identifier: Apache-2.0

//go:build e2e && linux

package hostile

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"io"
	"log"
	"maps"
	"math/big"
	"net"
	"net/http"
	"net/netip"
	"os"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// Names of the network, and their addresses. They are ones that the Internet has in
// use: addresses for documentation are among those that no signed URL may reach.
const (
	apiName     = "api.hostile.test"
	storageName = "storage.hostile.test"
	proxyName   = "proxy.hostile.test"

	apiAddress     = "34.0.0.1"
	storageAddress = "34.0.0.2"
	proxyAddress   = "34.0.0.3"
)

// ports that answer at every address.
const (
	httpsPort = 443
	httpPort  = 80
	otherPort = 8443 // https
	proxyPort = 3128
)

// at writes an address and a port as a contact has them.
func at(address string, port int) string { return net.JoinHostPort(address, strconv.Itoa(port)) }

// contacts are the connections that were made in a world, and what came over them.
type contacts struct {
	mu   sync.Mutex // guards what follows
	made map[string]int
	said map[string]*bytes.Buffer
}

func newContacts() *contacts {
	return &contacts{made: map[string]int{}, said: map[string]*bytes.Buffer{}}
}

// connected counts a connection to host:port.
func (c *contacts) connected(to string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.made[to]++
}

// maxSaid bounds what is kept of one host, in bytes.
const maxSaid = 4 << 20

// hear keeps what was said to a host.
func (c *contacts) hear(host string, said []byte) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.said[host] == nil {
		c.said[host] = &bytes.Buffer{}
	}
	if c.said[host].Len() < maxSaid {
		c.said[host].Write(said)
	}
}

// all returns the connections by host:port, and what each host has heard.
func (c *contacts) all() (made map[string]int, said map[string]string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	said = map[string]string{}
	for host, text := range c.said {
		said[host] = text.String()
	}
	return maps.Clone(c.made), said
}

// witness is a listener that notes every connection by the address it was made to.
type witness struct {
	net.Listener
	contacts *contacts
}

func (w witness) Accept() (net.Conn, error) {
	conn, err := w.Listener.Accept()
	if err == nil {
		w.contacts.connected(localAddress(conn).String())
	}
	return conn, err
}

func localAddress(conn net.Conn) netip.AddrPort {
	local := conn.LocalAddr().(*net.TCPAddr).AddrPort()
	return netip.AddrPortFrom(local.Addr().Unmap(), local.Port())
}

// listen witnesses a port of every address.
func listen(t *testing.T, address string, contacts *contacts) net.Listener {
	t.Helper()
	listener, err := net.Listen("tcp", address)
	require.NoError(t, err)
	t.Cleanup(func() { _ = listener.Close() })
	return witness{listener, contacts}
}

// serve answers HTTP over connections until the test ends.
func serve(t *testing.T, listener net.Listener, handler http.Handler) {
	t.Helper()
	server := &http.Server{Handler: handler, ReadHeaderTimeout: 10 * time.Second, ErrorLog: log.New(io.Discard, "", 0)}
	go func() { _ = server.Serve(listener) }()
	t.Cleanup(func() { _ = server.Close() })
}

// authority issues a certificate for whatever name or address a client wants.
type authority struct {
	cert *x509.Certificate
	key  *ecdsa.PrivateKey

	mu     sync.Mutex // guards issued
	issued map[string]*tls.Certificate
}

// Names whose certificates are no good.
const (
	expiredName    = "expired.hostile.test"
	strangerName   = "stranger.hostile.test"  // of an authority that nobody knows
	otherNamesName = "othername.hostile.test" // of another name
)

func newAuthority(t *testing.T) *authority {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "hostile network"}, NotAfter: time.Now().Add(time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	require.NoError(t, err)
	cert, err := x509.ParseCertificate(der)
	require.NoError(t, err)
	return &authority{cert: cert, key: key, issued: map[string]*tls.Certificate{}}
}

func (a *authority) write(t *testing.T, path string) {
	t.Helper()
	text := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: a.cert.Raw})
	require.NoError(t, os.WriteFile(path, text, 0o644))
}

func (a *authority) config() *tls.Config {
	return &tls.Config{MinVersion: tls.VersionTLS12, GetCertificate: func(hello *tls.ClientHelloInfo) (*tls.Certificate, error) {
		name := hello.ServerName
		if name == "" {
			host, _, err := net.SplitHostPort(hello.Conn.LocalAddr().String())
			if err != nil {
				return nil, err
			}
			name = host
		}
		return a.certificate(name)
	}}
}

func (a *authority) certificate(name string) (*tls.Certificate, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if issued := a.issued[name]; issued != nil {
		return issued, nil
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(int64(2 + len(a.issued))), NotAfter: time.Now().Add(time.Hour),
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	signer := a.key
	switch address := net.ParseIP(name); {
	case address != nil:
		template.IPAddresses = []net.IP{address}
	case name == otherNamesName:
		template.DNSNames = []string{"another.hostile.test"}
	default:
		template.DNSNames = []string{name}
	}
	if name == expiredName {
		template.NotAfter = time.Now().Add(-time.Minute)
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	if name == strangerName {
		signer = key
	}
	der, err := x509.CreateCertificate(rand.Reader, template, a.cert, &key.PublicKey, signer)
	if err != nil {
		return nil, err
	}
	a.issued[name] = &tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
	return a.issued[name], nil
}
