// Copyright The OpenTelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package compliance

import (
	"net/netip"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// Each block is in the table once and in its shortest form, and the default of each
// family is there, so that every address has a verdict.
func TestAddressRanges(t *testing.T) {
	t.Parallel()
	seen := map[netip.Prefix]bool{}
	for _, r := range addressRanges {
		assert.Equal(t, r.prefix.Masked(), r.prefix, r.name)
		assert.False(t, seen[r.prefix], "%s twice", r.prefix)
		seen[r.prefix] = true
		assert.NotEmpty(t, r.name)
	}
	assert.True(t, seen[netip.MustParsePrefix("0.0.0.0/0")])
	assert.True(t, seen[netip.MustParsePrefix("::/0")])
	assert.True(t, seen[localNAT64])
}

// An address is what its most specific block says, and an embedded one what it embeds.
func TestClassify(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"10.1.2.3":               "private",
		"100.64.0.1":             "carrier-grade NAT",
		"100.100.100.200":        "cloud metadata",
		"169.254.169.254":        "cloud metadata",
		"169.254.1.1":            "link-local",
		"168.63.129.16":          "cloud metadata",
		"192.0.0.192":            "cloud metadata",
		"192.0.0.1":              "IETF protocol",
		"198.18.0.1":             "benchmarking",
		"240.0.0.1":              "reserved",
		"0.0.0.0":                "unspecified",
		"0.0.0.1":                "this-network",
		"fec0::1":                "site-local",
		"::7f00:1":               "IPv4-compatible",
		"::ffff:0:127.0.0.1":     "IPv4-translated (SIIT)",
		"::ffff:169.254.169.254": "cloud metadata",
		"2001:0:4136:e378::":     "Teredo",
		"2001:2::1":              "benchmarking",
		"2002:c0a8:101::":        "6to4",
		"fd00:ec2::254":          "cloud metadata",
		"fd00::1":                "private",
		"fe80::1%eth0":           "link-local",
		"ff02::1":                "multicast",
		"4000::1":                "unassigned",
		"8.8.8.8":                "public",
		"::ffff:8.8.8.8":         "public",
		"2600::1":                "public",
	} {
		assert.Equal(t, want, classify(netip.MustParseAddr(text)).name, text)
	}
	assert.Equal(t, reachNever, classify(netip.Addr{}).reach)
	assert.Equal(t, reachNever, classify(netip.MustParseAddr("64:ff9b::192.168.1.1")).reach)
	assert.Equal(t, reachPublic, classify(netip.MustParseAddr("64:ff9b::8.8.8.8")).reach)
	assert.Equal(t, reachPrivate, classify(netip.MustParseAddr("64:ff9b:1::192.168.1.1")).reach)
	assert.Equal(t, reachNever, classify(netip.MustParseAddr("64:ff9b:1::169.254.169.254")).reach)
}

// A network may be allowed that is private or loopback as a whole. What is never
// dialed is refused by its name.
func TestParseNetwork(t *testing.T) {
	t.Parallel()
	for _, text := range []string{
		"10.0.0.0/8", "10.20.0.0/16", "10.1.2.3/32", "172.16.0.0/12", "192.168.1.0/24", "100.64.0.0/10", "fc00::/7", "fd12:3456::/32",
		"127.0.0.0/8", "::1/128", "64:ff9b:1::/48", "64:ff9b:1:2::/96",
	} {
		network, err := ParseNetwork(text)
		require.NoError(t, err, text)
		assert.Equal(t, text, network.String())
	}
	for text, want := range map[string]string{
		"":                     "is not a network",
		"10.0.0.5":             "is not a network",
		"10.0.0.0/33":          "is not a network",
		"10.0.0.0/08":          "is not a network",
		"private":              "is not a network",
		"10.0.0.5/8":           "has bits set after its first 8; write 10.0.0.0/8",
		"0.0.0.0/0":            "is not a private network",
		"8.8.8.0/24":           "is not a private network",
		"10.0.0.0/7":           "is not a private network",
		"2600::/16":            "is not a private network",
		"64:ff9b::/96":         "is not a private network",
		"169.254.0.0/16":       "is link-local (169.254.0.0/16), which is never dialed",
		"169.254.169.254/32":   "is cloud metadata (169.254.169.254/32), which is never dialed",
		"168.63.129.16/32":     "is cloud metadata (168.63.129.16/32), which is never dialed",
		"100.100.100.200/32":   "is cloud metadata",
		"fd00:ec2::/64":        "is cloud metadata (fd00:ec2::/32), which is never dialed",
		"0.0.0.0/8":            "is this-network (0.0.0.0/8), which is never dialed",
		"224.0.0.0/8":          "is multicast (224.0.0.0/4), which is never dialed",
		"198.18.0.0/16":        "is benchmarking",
		"240.0.0.0/8":          "is reserved",
		"fe80::/64":            "is link-local",
		"fec0::/16":            "is site-local",
		"2001::/48":            "is Teredo",
		"2002:a00::/24":        "is 6to4",
		"::/96":                "is IPv4-compatible",
		"::ffff:10.0.0.0/104":  "is IPv4-mapped",
		"::ffff:0:a00:0/112":   "is IPv4-translated (SIIT)",
		"::/0":                 "is unassigned",
		"fd00::/6":             "has bits set",
		"fe80::1%eth0/128":     "is not a network",
		"\u0661\u0660.0.0.0/8": "is not a network",
	} {
		_, err := ParseNetwork(text)
		require.ErrorContains(t, err, want, text)
	}
}
