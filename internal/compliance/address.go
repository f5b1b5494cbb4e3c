// Copyright The OpenTelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package compliance

import (
	"errors"
	"fmt"
	"net/netip"
)

// reach is what may be asked at an address.
type reach int

const (
	// reachNever addresses are never dialed, whatever the configuration says.
	reachNever reach = iota
	// reachPublic addresses are open to every signed URL.
	reachPublic
	// reachPrivate addresses are open where download::allowed_networks has them.
	reachPrivate
	// reachLoopback addresses are open to a loopback endpoint, and as private ones are.
	reachLoopback
	// reachTranslated addresses hold an IPv4 address in their last 32 bits, which has to
	// be a public one.
	reachTranslated
)

// addressRange is a block of addresses and what it is.
type addressRange struct {
	prefix netip.Prefix
	reach  reach
	name   string // what comes before "address"
}

// addressRanges says of every address what it is: the longest block that has it
// decides. Sources: the IANA IPv4 and IPv6 Special-Purpose Address Registries
// (iana.org/assignments/iana-ipv4-special-registry and …/iana-ipv6-special-registry,
// as of 2025-10-09), the IANA IPv4 and IPv6 address space registries for multicast,
// reserved and unassigned blocks, RFC 3879 (site-local), RFC 4291 2.5.5.1
// (IPv4-compatible), RFC 2765 2.1 (IPv4-translated), and the clouds' own
// documentation for their metadata services. No storage host has an address in a
// block that a registry reserves for a protocol, so those are never dialed even
// where they are globally reachable.
var addressRanges = parseRanges([]struct {
	reach    reach
	name     string
	prefixes []string
}{
	{reachPublic, "public", []string{"0.0.0.0/0", "2000::/3"}},
	{reachNever, "unassigned", []string{"::/0"}},

	{reachPrivate, "private", []string{"10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "fc00::/7"}},
	{reachPrivate, "carrier-grade NAT", []string{"100.64.0.0/10"}},
	{reachPrivate, "local-use NAT64", []string{"64:ff9b:1::/48"}},
	{reachLoopback, "loopback", []string{"127.0.0.0/8", "::1/128"}},
	{reachTranslated, "NAT64", []string{"64:ff9b::/96"}},

	{reachNever, "unspecified", []string{"0.0.0.0/32", "::/128"}},
	{reachNever, "this-network", []string{"0.0.0.0/8"}},
	{reachNever, "link-local", []string{"169.254.0.0/16", "fe80::/10"}},
	{reachNever, "site-local", []string{"fec0::/10"}},
	{reachNever, "multicast", []string{"224.0.0.0/4", "ff00::/8"}},
	{reachNever, "reserved", []string{"240.0.0.0/4"}},
	{reachNever, "benchmarking", []string{"198.18.0.0/15", "2001:2::/48"}},
	{reachNever, "documentation", []string{"192.0.2.0/24", "198.51.100.0/24", "203.0.113.0/24", "2001:db8::/32", "3fff::/20"}},
	{reachNever, "discard-only", []string{"100::/64", "100:0:0:1::/64"}},
	{reachNever, "segment routing", []string{"5f00::/16"}},
	{reachNever, "IETF protocol", []string{"192.0.0.0/24", "2001::/23"}},
	{reachNever, "AMT", []string{"192.52.193.0/24"}},
	{reachNever, "AS112", []string{"192.31.196.0/24", "192.175.48.0/24", "2620:4f:8000::/48"}},
	{reachNever, "ORCHID", []string{"2001:10::/28", "2001:20::/28"}},
	{reachNever, "Teredo", []string{"2001::/32"}},
	{reachNever, "6to4", []string{"192.88.99.0/24", "2002::/16"}},
	{reachNever, "IPv4-compatible", []string{"::/96"}},
	{reachNever, "IPv4-mapped", []string{"::ffff:0:0/96"}},
	{reachNever, "IPv4-translated (SIIT)", []string{"::ffff:0:0:0/96"}},

	// 169.254.0.0/16 and 192.0.0.0/24 have those of most clouds.
	{reachNever, "cloud metadata", []string{
		"169.254.169.254/32",  // nearly all clouds
		"169.254.170.0/24",    // AWS, tasks and pods
		"168.63.129.16/32",    // Azure
		"100.100.100.200/32",  // Alibaba Cloud
		"192.0.0.192/32",      // Oracle Cloud
		"fd00:ec2::/32",       // AWS
		"fd20:ce::254/128",    // Google Cloud
		"fd00:42::42/128",     // Scaleway
		"fe80::a9fe:a9fe/128", // OpenStack
	}},
})

func parseRanges(rows []struct {
	reach    reach
	name     string
	prefixes []string
},
) (ranges []addressRange) {
	for _, row := range rows {
		for _, text := range row.prefixes {
			ranges = append(ranges, addressRange{netip.MustParsePrefix(text), row.reach, row.name})
		}
	}
	return ranges
}

// rangeOf returns the longest block of the table that has all of prefix.
func rangeOf(prefix netip.Prefix) (longest addressRange) {
	longest.prefix = netip.PrefixFrom(netip.Addr{}, -1)
	for _, r := range addressRanges {
		if r.prefix.Bits() <= prefix.Bits() && r.prefix.Contains(prefix.Addr()) && r.prefix.Bits() > longest.prefix.Bits() {
			longest = r
		}
	}
	return longest
}

// classify says what an address is. An IPv4 address in an IPv6 one is what decides,
// where the operating system or a translator makes it the destination.
func classify(addr netip.Addr) addressRange {
	addr = addr.Unmap().WithZone("")
	found := rangeOf(netip.PrefixFrom(addr, addr.BitLen()))
	switch {
	case !addr.IsValid():
		return addressRange{reach: reachNever, name: "unreadable"}
	case found.reach == reachTranslated && rangeOfLast32(addr).reach != reachPublic: // RFC 6052 3.1
		found.reach = reachNever
	case found.reach == reachTranslated:
		found.reach = reachPublic
	case found.prefix == localNAT64 && rangeOfLast32(addr).reach == reachNever:
		found.reach = reachNever
	}
	return found
}

var localNAT64 = netip.MustParsePrefix("64:ff9b:1::/48")

func rangeOfLast32(addr netip.Addr) addressRange {
	bytes := addr.As16()
	return rangeOf(netip.PrefixFrom(netip.AddrFrom4([4]byte(bytes[12:])), 32))
}

// ParseNetwork reads an entry of download::allowed_networks: a private or loopback
// network. Blocks within it that are never dialed stay closed.
func ParseNetwork(text string) (netip.Prefix, error) {
	network, err := netip.ParsePrefix(text)
	if err != nil {
		return netip.Prefix{}, errors.New("is not a network such as 10.20.0.0/16")
	}
	if network != network.Masked() {
		return netip.Prefix{}, fmt.Errorf("has bits set after its first %d; write %s", network.Bits(), network.Masked())
	}
	switch found := rangeOf(network); found.reach {
	case reachPrivate, reachLoopback:
		return network, nil
	case reachNever:
		return netip.Prefix{}, fmt.Errorf("is %s (%s), which is never dialed", found.name, found.prefix)
	case reachPublic, reachTranslated:
	}
	return netip.Prefix{}, errors.New("is not a private network; public addresses need no entry, and download::allowed_hosts restricts them")
}
