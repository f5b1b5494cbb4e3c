// Copyright The OpenTelemetry Authors
// SPDX-License-Identifier: Apache-2.0

//go:build e2e

package e2e

import (
	"crypto/tls"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/openaicompliance/openaicompliancereceiver/internal/fakeapi"
)

// company is a network as companies have them: a gateway in front of the API
// that asks for client certificates, certificates of the company's own
// authority, and a proxy on a private address that asks for a password. API and
// storage go by the machine's own name: a name like any other, which leads to an
// inside address, as split-horizon names do.
type company struct {
	*rig
	api, storage string // host:port
	proxy        string // host:port
	proxyLog     string
	tls          string // the receiver's keys under http
	// certificates counts the client certificates that the storage host was shown.
	certificates atomic.Int64
}

const proxyUser, proxyPassword = "collector", "proxy-password-canary"

func newCompany(t *testing.T) *company {
	t.Helper()
	host, err := os.Hostname()
	require.NoError(t, err)
	_, err = net.LookupHost(host)
	require.NoError(t, err, "the test needs the machine's own name to resolve; add it to /etc/hosts")

	fake := backlog(fakeapi.Options{}, 5)
	c := &company{rig: newRig(t, fake, twoTypes)}
	dir := t.TempDir()
	ca := newAuthority(t)
	c.api = ca.serveTLS(host, tls.RequireAndVerifyClientCert, fake.Handler())
	c.storage = ca.serveTLS(host, tls.RequestClientCert, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c.certificates.Add(int64(len(r.TLS.PeerCertificates)))
		fake.StorageHandler().ServeHTTP(w, r)
	}))
	fake.SetStorageURL("https://" + c.storage)
	certFile, keyFile := ca.client(dir)
	c.tls = fmt.Sprintf("tls: {ca_file: %s, cert_file: %s, key_file: %s}", ca.file(dir), certFile, keyFile)
	c.startProxy(dir)
	return c
}

// startProxy runs tinyproxy on a private address of this machine, or on the
// loopback address if it has none.
func (c *company) startProxy(dir string) {
	c.t.Helper()
	binary, err := exec.LookPath("tinyproxy")
	if err != nil {
		c.t.Skip("tinyproxy is not installed (scripts/ci-packages.sh installs it)")
	}
	listener, err := net.Listen("tcp", net.JoinHostPort(privateAddress(), "0"))
	require.NoError(c.t, err)
	c.proxy = listener.Addr().String()
	require.NoError(c.t, listener.Close())
	address, port, err := net.SplitHostPort(c.proxy)
	require.NoError(c.t, err)
	c.proxyLog = filepath.Join(dir, "tinyproxy.log")
	config := filepath.Join(dir, "tinyproxy.conf")
	require.NoError(c.t, os.WriteFile(config, fmt.Appendf(nil, "Listen %s\nPort %s\nLogLevel Connect\nBasicAuth %s %s\n",
		address, port, proxyUser, proxyPassword), 0o600))
	log, err := os.Create(c.proxyLog)
	require.NoError(c.t, err)
	defer log.Close()
	cmd := exec.Command(binary, "-d", "-c", config) // without LogFile it logs to its output
	cmd.Stdout, cmd.Stderr = log, log
	require.NoError(c.t, cmd.Start())
	c.t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	require.Eventually(c.t, func() bool {
		conn, err := net.DialTimeout("tcp", c.proxy, time.Second)
		if err == nil {
			_ = conn.Close()
		}
		return err == nil
	}, 20*time.Second, 20*time.Millisecond, "tinyproxy does not listen")
}

func privateAddress() string {
	addresses, _ := net.InterfaceAddrs()
	for _, address := range addresses {
		if network, ok := address.(*net.IPNet); ok && network.IP.To4() != nil && network.IP.IsPrivate() {
			return network.IP.String()
		}
	}
	return "127.0.0.1"
}

// startWith runs the collector with more keys under http, and environment.
func (c *company) startWith(keys string, env ...string) {
	c.t.Helper()
	data, err := os.ReadFile(c.config)
	require.NoError(c.t, err)
	head, tail, ok := strings.Cut(string(data), "    http: {")
	require.True(c.t, ok)
	_, tail, _ = strings.Cut(tail, "\n")
	http := fmt.Sprintf("    http:\n      endpoint: https://%s/v1/compliance\n      %s\n      %s\n", c.api, c.tls, keys)
	require.NoError(c.t, os.WriteFile(c.config, []byte(head+http+tail), 0o600))
	// A proxy of the machine that runs the test has no part in it.
	c.env = append(c.env, "HTTP_PROXY=", "http_proxy=", "HTTPS_PROXY=", "https_proxy=", "NO_PROXY=", "no_proxy=")
	c.env = append(c.env, env...)
	c.start()
}

func (c *company) proxyURL() string {
	return "http://" + proxyUser + ":" + proxyPassword + "@" + c.proxy
}

// Lists and downloads both go through the proxy - one from the configuration, one
// from the environment - on a private address, with a password, to hosts whose
// addresses the collector itself must not dial. The gateway is shown the client
// certificate, the storage host is not; the key goes to the gateway alone.
func TestBothHopsThroughProxy(t *testing.T) {
	for name, start := range map[string]func(*company){
		"proxy_url":   func(c *company) { c.startWith("proxy_url: " + c.proxyURL()) },
		"HTTPS_PROXY": func(c *company) { c.startWith("", "HTTPS_PROXY="+c.proxyURL()) },
	} {
		t.Run(name, func(t *testing.T) {
			c := newCompany(t)
			start(c)
			c.awaitExact()
			c.stop()

			log, err := os.ReadFile(c.proxyLog)
			require.NoError(t, err)
			assert.Contains(t, string(log), "CONNECT "+c.api+" HTTP/1.1", "the API's hop")
			assert.Contains(t, string(log), "CONNECT "+c.storage+" HTTP/1.1", "the signed URL's hop")
			showHops(t, string(log))

			hops := map[string]int{}
			for _, request := range c.rig.api.Requests() {
				hops[request.Host]++
				want := ""
				if request.Host == "api" {
					want = "Bearer " + fakeapi.DefaultKey
				}
				assert.Equal(t, want, request.Header.Get("Authorization"), request.Host)
				assert.Empty(t, request.Header.Get("Proxy-Authorization"))
			}
			assert.Positive(t, hops["api"])
			assert.Positive(t, hops["storage"])
			assert.Zero(t, c.certificates.Load(), "client certificates that the storage host was shown")
			for _, secret := range []string{fakeapi.DefaultKey, "sig=", proxyPassword} {
				assert.NotContains(t, c.output(), secret)
				assert.NotContains(t, string(log), secret)
			}
		})
	}
}

// showHops prints the proxy's own record of one request for each hop.
func showHops(t *testing.T, log string) {
	t.Helper()
	seen := map[string]bool{}
	for line := range strings.SplitSeq(log, "\n") {
		if _, hop, ok := strings.Cut(line, "): CONNECT "); ok && !seen[hop] {
			seen[hop] = true
			t.Log(strings.TrimSpace(line))
		}
	}
}

// What goes wrong on such a network is reported with its cause and a hint, without a
// secret: a host inside that a signed URL leads to without a proxy, NO_PROXY
// included; a wrong authority; no client certificate; a wrong proxy password; no
// proxy at all.
func TestNetworkFaultsAreNamed(t *testing.T) {
	for name, tt := range map[string]struct {
		start func(*company)
		want  []string
	}{
		"no proxy": {
			func(c *company) { c.startWith("") },
			[]string{"address; add its network to download::allowed_networks"},
		},
		"NO_PROXY": {
			func(c *company) {
				host, _, _ := net.SplitHostPort(c.api)
				c.startWith("", "HTTPS_PROXY="+c.proxyURL(), "NO_PROXY="+host)
			},
			[]string{"address; add its network to download::allowed_networks"},
		},
		"another authority": {
			func(c *company) {
				c.tls = fmt.Sprintf("tls: {ca_file: %s}", newAuthority(c.t).file(c.t.TempDir()))
				c.startWith("proxy_url: " + c.proxyURL())
			},
			[]string{"certificate signed by unknown authority", "http::tls"},
		},
		"no client certificate": {
			func(c *company) {
				c.tls, _, _ = strings.Cut(c.tls, ", cert_file")
				c.tls += "}"
				c.startWith("proxy_url: " + c.proxyURL())
			},
			[]string{"tls: certificate required", "http::tls"},
		},
		"wrong proxy password": {
			func(c *company) { c.startWith("proxy_url: http://collector:wrong-canary@" + c.proxy) },
			[]string{`"cause": "proxy"`, "list: the proxy answered 401 Unauthorized", "http::proxy_url"},
		},
		"proxy that is not there": {
			func(c *company) { c.startWith("proxy_url: http://collector:wrong-canary@127.0.0.1:1") },
			[]string{"list: proxy: connection refused (host ", "http::proxy_url"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			c := newCompany(t)
			data, err := os.ReadFile(c.config)
			require.NoError(t, err)
			quick := strings.Replace(string(data), "    initial_delay: 0s", "    initial_delay: 0s\n    api_retry: {enabled: false}", 1)
			require.NoError(t, os.WriteFile(c.config, []byte(quick), 0o600))
			tt.start(c)
			for _, want := range tt.want {
				c.await(want, func() bool { return strings.Contains(c.output(), want) })
			}
			c.stop()
			for _, secret := range []string{fakeapi.DefaultKey, "sig=", proxyPassword, "wrong-canary"} {
				assert.NotContains(t, c.output(), secret)
			}
			assert.Zero(t, c.sink.Unique())
		})
	}
}
