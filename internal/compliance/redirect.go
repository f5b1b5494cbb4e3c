// Copyright The OpenTelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package compliance

import (
	"errors"
	"net/netip"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/openaicompliance/openaicompliancereceiver/internal/secret"
)

// maxHops is how many redirects one download may follow.
const maxHops = 3

// RedirectPolicy decides which hosts a signed URL may point to. What it says of an
// address is asked twice: for the host as it is written, whichever way the request
// goes, and on direct connections for the address that is dialed.
type RedirectPolicy struct {
	// Loopback is set when the configured endpoint is itself a loopback host: a test
	// server, whose signed URLs may be on the loopback too, and nowhere else inside.
	Loopback bool
	// PlainHTTP is set when the configured endpoint is plain http, which the
	// configuration accepts for loopback hosts only. Signed URLs may be so then, to
	// loopback hosts only as well.
	PlainHTTP bool
	// AllowedHosts, when not empty, are the only hosts allowed. They permit no address
	// that would not be permitted without them. An entry "*.example.com" stands for
	// every subdomain, an IPv6 address for itself in any spelling.
	AllowedHosts []string
	// AllowedNetworks are the private networks that may be reached, see ParseNetwork.
	AllowedNetworks []netip.Prefix
}

// PolicyFor derives the policy from the configured endpoint.
func PolicyFor(endpoint string, allowedHosts []string) RedirectPolicy {
	policy := RedirectPolicy{AllowedHosts: allowedHosts}
	if u, err := url.Parse(endpoint); err == nil {
		policy.PlainHTTP = u.Scheme == "http"
		policy.Loopback = isLoopbackHost(u.Hostname())
	}
	return policy
}

// check refuses a redirect target before anything is sent there.
func (p RedirectPolicy) check(target *url.URL) error {
	host := target.Hostname() // as it is written: lower case makes ASCII of some other letters
	reason := ""
	switch {
	case host == "":
		reason = "the Location holds no host"
	case target.User != nil:
		reason = "the Location holds user information"
	case target.Scheme != "https" && !p.PlainHTTP:
		reason = "the scheme is not https"
	case target.Scheme != "https" && target.Scheme != "http":
		reason = "the scheme is neither https nor http"
	case target.Scheme == "http" && !isLoopbackHost(host):
		reason = "the scheme is not https"
	default:
		reason = p.refuseHost(host)
	}
	if reason != "" {
		return &RedirectError{Host: shownHost(host), Reason: reason}
	}
	return nil
}

// refuseHost says why a host must not be asked, "" for one that may be.
func (p RedirectPolicy) refuseHost(host string) string {
	addr, isAddress := literalAddress(host)
	if !isAddress {
		if err := CheckHostName(host); err != nil {
			return "the host " + err.Error()
		}
	}
	if len(p.AllowedHosts) > 0 && !p.allowed(host) {
		return "the host is not in download::allowed_hosts"
	}
	if !isAddress && isLoopbackHost(host) {
		addr, isAddress = netip.AddrFrom4([4]byte{127, 0, 0, 1}), true
	}
	if isAddress {
		if err := p.CheckAddress(addr); err != nil {
			return err.Error()
		}
	}
	return ""
}

// CheckAddress says why an address must not be dialed. The error holds no address.
func (p RedirectPolicy) CheckAddress(addr netip.Addr) error {
	found := classify(addr)
	switch {
	case found.reach == reachPublic, found.reach == reachLoopback && p.Loopback:
		return nil
	case found.reach == reachNever:
		return errors.New(found.name + " address, never dialed")
	}
	addr = addr.Unmap().WithZone("")
	if slices.ContainsFunc(p.AllowedNetworks, func(network netip.Prefix) bool { return network.Contains(addr) }) {
		return nil
	}
	return errors.New(found.name + " address; add its network to download::allowed_networks if it is meant")
}

// CheckHostName refuses what is no name: other characters than those of names, which
// a resolver, a proxy or the mapping of international names may read as something
// else, and addresses in another form than the usual one, such as 127.1, 0x7f.1 or
// 2130706433.
func CheckHostName(host string) error {
	host = strings.TrimSuffix(host, ".")
	last := host[strings.LastIndexByte(host, '.')+1:]
	switch {
	case strings.ContainsFunc(host, isNoHostCharacter):
		return errors.New("has other characters than letters, digits, dots, hyphens and underscores")
	case host == "", len(host) > 253, slices.Contains(strings.Split(host, "."), ""):
		return errors.New("is not a name")
	case isNumericLabel(last):
		return errors.New("is a number or an unusual form of an address")
	}
	return nil
}

// shownHost is a host as errors name it, "" for one that may be something else.
func shownHost(host string) string {
	noHost := func(r rune) bool { return isNoHostCharacter(r) && r != ':' && r != '%' }
	if len(host) > 253 || strings.ContainsFunc(host, noHost) || secret.LooksLikeKey(host) {
		return ""
	}
	return strings.ToLower(host)
}

func isNoHostCharacter(r rune) bool {
	return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && r != '.' && r != '-' && r != '_'
}

// isNumericLabel tells what address parsers read as a number: a name whose last label
// is one is an address to them (WHATWG URL, "ends in a number"). Binary and octal
// prefixes are numbers to some.
func isNumericLabel(label string) bool {
	if _, err := strconv.ParseUint(label, 0, 64); err == nil {
		return true
	}
	if hex, ok := strings.CutPrefix(strings.ToLower(label), "0x"); ok {
		return strings.Trim(hex, "0123456789abcdef") == ""
	}
	return strings.Trim(label, "0123456789") == ""
}

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
// without the dot of a complete name, and an address without brackets and in its
// shortest form.
func canonicalHost(host string) string {
	host = strings.ToLower(host)
	if addr, ok := literalAddress(host); ok {
		return addr.String()
	}
	return strings.TrimSuffix(host, ".")
}

// literalAddress reads an address in its usual forms, with brackets or without.
func literalAddress(host string) (netip.Addr, bool) {
	addr, err := netip.ParseAddr(strings.TrimSuffix(strings.TrimPrefix(host, "["), "]"))
	return addr, err == nil
}

// isLoopbackHost knows loopback addresses and the names that always lead to one (RFC
// 6761 6.3).
func isLoopbackHost(host string) bool {
	host = canonicalHost(host)
	if addr, ok := literalAddress(host); ok {
		return classify(addr).reach == reachLoopback
	}
	return host == "localhost" || strings.HasSuffix(host, ".localhost")
}
