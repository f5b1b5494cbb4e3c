// Copyright The OpenTelemetry Authors
// SPDX-License-Identifier: Apache-2.0

//go:build e2e && linux

package hostile

import (
	"net/http"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"
)

// toHost is a row whose file is redirected to a host, which serves it.
func toHost(name, host, want string, dial ...string) row {
	return row{name: name, location: "https://" + host + "{path}", want: want, dial: dial}
}

const refused = "redirect"

// addresses are hosts written as addresses, with and without a proxy.
func addresses() []row {
	return []row{
		toHost("public", "34.0.0.50", delivered, at("34.0.0.50", httpsPort)),
		toHost("public, IPv6", "[2600::50]", delivered, at("2600::50", httpsPort)),
		toHost("loopback", "127.0.0.31", refused),
		toHost("loopback, IPv6", "[::1]", refused),
		toHost("unspecified", "0.0.0.0", refused),
		toHost("private", "10.0.0.5", refused),
		toHost("private, another port", "192.168.1.9:8443", refused),
		toHost("private, IPv6, a cloud's metadata", "[fd00:ec2::254]", refused),
		toHost("link-local, a cloud's metadata", "169.254.169.254", refused),
		toHost("a cloud's metadata, public range", "168.63.129.16", refused),
		toHost("a cloud's metadata, shared range", "100.100.100.200", refused),
		toHost("a cloud's metadata, protocol range", "192.0.0.192", refused),
		toHost("benchmark", "198.18.0.1", refused),
		toHost("reserved", "240.0.0.1", refused),
		toHost("site-local", "[fec0::1]", refused),
		toHost("IPv4-compatible", "[::7f00:1]", refused),
		toHost("IPv4-mapped", "[::ffff:10.0.0.6]", refused),
		toHost("translated (SIIT, NAT64)", "[::ffff:0:a00:7]", refused),
		toHost("translated (NAT64)", "[64:ff9b::a9fe:a9fe]", refused),
		toHost("tunneled (Teredo, 6to4)", "[2001::ac15:1]", refused),
	}
}

// numericForms are addresses of 127.0.0.0/8 as some programs read them, and the
// host of an address of the Internet for each: to whoever takes it for a name, the
// name server gives that.
func numericForms() []row {
	rows := []row{
		toHost("decimal", "2130706464", refused),
		toHost("octal", "017700000041", refused),
		toHost("hexadecimal", "0x7f000022", refused),
		toHost("octal parts", "0177.0.0.043", refused),
		toHost("hexadecimal parts", "0x7f.0x0.0x0.0x24", refused),
		toHost("two parts", "127.37", refused),
		toHost("three parts, mixed", "0x7f.0.046", refused),
		toHost("root label", "127.0.0.39.", refused),
		toHost("full-width digits", "１２７.0.0.40", refused),
		toHost("full-width dots", "127。0。0。41", refused),
	}
	return rows
}

var numericNames = []string{
	"2130706464", "017700000041", "0x7f000022", "0177.0.0.043", "0x7f.0x0.0x0.0x24", "127.37", "0x7f.0.046", "127.0.0.39",
}

// Hosts that are written as addresses, in every form: special ones are never
// connected to, whether or not a name server takes them for a name.
func TestHostileAddresses(t *testing.T) {
	require.Len(t, addresses(), 20)
	w := newWorld(t)
	for _, name := range numericNames {
		w.names.set(name, "34.0.0.99")
	}
	w.run(append(addresses(), numericForms()...))
}

// Through a proxy, which would connect to anything, the same is refused before the
// proxy is asked. The proxy gets neither the key nor, for a signed URL, more than
// its host.
func TestHostileAddressesThroughProxy(t *testing.T) {
	w := newWorld(t)
	w.useProxy()
	w.run(append(addresses(), numericForms()...))
}

// Names that lead to special addresses: the address decides, at each connection.
func TestHostileNames(t *testing.T) {
	rows := []row{
		toHost("private", "private.hostile.test", refused),
		toHost("metadata", "metadata.google.internal", refused),
		toHost("shared range", "shared.hostile.test", refused),
		toHost("unspecified", "unspecified.hostile.test", refused),
		toHost("IPv4-mapped", "mapped.hostile.test", refused),
		toHost("6to4", "tunneled.hostile.test", refused),
		toHost("no such name", "none.hostile.test", "no_answer"),
		toHost("public before loopback", "before.hostile.test", delivered, at("34.0.0.51", httpsPort)),
		toHost("loopback before public", "after.hostile.test", delivered, at("34.0.0.52", httpsPort)),
		toHost("rebinding", "rebinding.hostile.test", refused, at("34.0.0.53", httpsPort)),
		toHost("certificate that has expired", expiredName, "no_answer", at("34.0.0.11", httpsPort)),
		toHost("certificate of a stranger", strangerName, "no_answer", at("34.0.0.12", httpsPort)),
		toHost("certificate of another host", otherNamesName, "no_answer", at("34.0.0.13", httpsPort)),
	}
	var fetched atomic.Int32
	rows[9].fetch = func(rw http.ResponseWriter, _ *http.Request) {
		fetched.Add(1)
		rw.Header().Set("Connection", "close") // so that the name is asked for again
		rw.WriteHeader(http.StatusServiceUnavailable)
	}
	w := newWorld(t)
	w.names.set("private.hostile.test", "10.0.0.11")
	w.names.set("metadata.google.internal", "169.254.169.253")
	w.names.set("shared.hostile.test", "100.64.0.1")
	w.names.set("unspecified.hostile.test", "0.0.0.0,::")
	w.names.set("mapped.hostile.test", "::ffff:127.0.0.45")
	w.names.set("tunneled.hostile.test", "2002:7f00:2e::1")
	w.names.set("before.hostile.test", "34.0.0.51,127.0.0.42")
	w.names.set("after.hostile.test", "127.0.0.43,34.0.0.52")
	w.names.set("rebinding.hostile.test", "34.0.0.53", "127.0.0.47")
	w.run(rows)
	require.EqualValues(t, 1, fetched.Load())
}

// Networks and hosts that the configuration allows: a network opens its own addresses
// and no others, and a host's name exempts no address.
func TestAllowedNetworks(t *testing.T) {
	w := newWorld(t)
	w.receiver = "download: {allowed_networks: [10.20.0.0/16, 'fd00:20::/32'], allowed_hosts: ['*.hostile.test', 10.20.0.8, '[FD00:20::0:8]', 34.0.0.55]}"
	w.names.set("inside.hostile.test", "10.20.0.7")
	w.names.set("outside.hostile.test", "10.21.0.7")
	w.names.set("metadata.hostile.test", "169.254.169.254")
	w.names.set("storage.example.test", "34.0.0.99")
	w.run([]row{
		toHost("network, by name", "inside.hostile.test", delivered, at("10.20.0.7", httpsPort)),
		toHost("network, by address", "10.20.0.8", delivered, at("10.20.0.8", httpsPort)),
		toHost("network, IPv6", "[fd00:20::8]", delivered, at("fd00:20::8", httpsPort)),
		toHost("host, public address", "34.0.0.55", delivered, at("34.0.0.55", httpsPort)),
		toHost("host outside of the networks, by name", "outside.hostile.test", refused),
		toHost("host outside of the networks, by address", "10.21.0.8", refused),
		toHost("host with the metadata address", "metadata.hostile.test", refused),
		toHost("another host", "storage.example.test", refused),
		toHost("another host, address of the network", "10.20.0.9", refused),
	})
}

// The API's own address opens nothing for signed URLs: from a private one no other
// private address may be reached.
func TestPrivateEndpoint(t *testing.T) {
	w := newWorld(t)
	w.endpoint = "https://10.30.0.1"
	w.run([]row{
		toHost("public", "34.0.0.54", delivered, at("34.0.0.54", httpsPort)),
		toHost("neighbor", "10.30.0.2", refused),
		toHost("loopback", "127.0.0.51", refused),
		toHost("metadata", "169.254.169.250", refused),
		{name: "plain http", location: "http://10.30.0.1{path}", want: refused},
	})
}

// A loopback endpoint, which is a test server, opens loopback alone.
func TestLoopbackEndpoint(t *testing.T) {
	w := newWorld(t)
	w.endpoint = "https://127.0.0.1"
	w.run([]row{
		toHost("loopback", "127.0.0.61", delivered, at("127.0.0.61", httpsPort)),
		toHost("private", "10.0.0.12", refused),
		toHost("metadata", "169.254.169.249", refused),
		{name: "plain http", location: "http://34.0.0.99{path}", want: refused},
	})
}
