// Copyright The OpenTelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package receiver

import (
	"errors"
	"fmt"
	"net/http"
	"net/netip"
	"net/url"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/openaicompliance/openaicompliancereceiver/internal/compliance"
	"github.com/openaicompliance/openaicompliancereceiver/internal/secret"
)

func (c *Config) validateHTTP() error {
	var errs []error
	if c.HTTP.Auth.HasValue() {
		errs = append(errs, errors.New("http::auth: not supported; the receiver sends api_key or api_key_file itself, to the endpoint only"))
	}
	if c.HTTP.Compression.IsCompressed() {
		errs = append(errs, errors.New("http::compression: compresses bodies of requests, and these requests have none; remove it"))
	}
	for name, value := range c.HTTP.Headers.Iter {
		if err := checkHeader(name, string(value)); err != nil {
			errs = append(errs, fmt.Errorf("http::headers: %w", err))
		}
	}
	switch {
	case c.HTTP.ProxyURL == "":
	case !isProxyURL(c.HTTP.ProxyURL):
		errs = append(errs, errors.New("http::proxy_url: not an absolute URL such as "+proxyExample))
	case isPlainHTTP(c.HTTP.Endpoint):
		errs = append(errs, errors.New("http::proxy_url: would be sent the key unprotected, since http::endpoint is plain http; use https or no proxy"))
	}
	return errors.Join(append(errs, validateEndpoint(c.HTTP.Endpoint))...)
}

// Reasons not to set a header.
const (
	ownHeader        = "is set by the receiver; remove it here"
	bodyHeader       = "belongs to a body, and these requests have none; remove it"
	connectionHeader = "is the connection's own; remove it"
	conditionHeader  = "would be answered without a body; remove it"
)

// refusedHeaders are those that break the transfer. They are sent with each request
// to the API, whatever the receiver sets.
var refusedHeaders = map[string]string{
	"Accept":              ownHeader,
	"Accept-Encoding":     "would change the bytes that the receiver verifies; remove it",
	"Authorization":       "is set by the receiver from api_key or api_key_file; remove it here",
	"Host":                "would send the request elsewhere than http::endpoint says; write the host there",
	"Content-Encoding":    bodyHeader,
	"Content-Length":      bodyHeader,
	"Expect":              bodyHeader,
	"Transfer-Encoding":   bodyHeader,
	"Connection":          connectionHeader,
	"Keep-Alive":          connectionHeader,
	"Proxy-Connection":    connectionHeader,
	"Te":                  connectionHeader,
	"Trailer":             connectionHeader,
	"Upgrade":             connectionHeader,
	"Proxy-Authorization": "would show the proxy's password to the API; write it into http::proxy_url",
	"Range":               "would fetch a part of a file; remove it",
	"If-Match":            conditionHeader,
	"If-Modified-Since":   conditionHeader,
	"If-None-Match":       conditionHeader,
	"If-Range":            conditionHeader,
	"If-Unmodified-Since": conditionHeader,
}

var headerPattern = regexp.MustCompile("^[A-Za-z0-9!#$%&'*+.^_`|~-]+$")

// checkHeader never shows the value.
func checkHeader(name, value string) error {
	canonical := http.CanonicalHeaderKey(name)
	reason, refused := refusedHeaders[canonical]
	switch {
	case refused:
		return fmt.Errorf("%s %s", canonical, reason)
	case !headerPattern.MatchString(name):
		return errors.New("a name is not one that HTTP has; use letters, digits and hyphens")
	case strings.ContainsFunc(value, func(r rune) bool { return r < ' ' && r != '\t' || r == 0x7f }):
		return fmt.Errorf("the value of %s has a control character, such as a line break", secret.Conceal(canonical))
	}
	return nil
}

const proxyExample = "http://proxy.example.com:3128"

var proxySchemes = []string{"http", "https", "socks5", "socks5h"}

// isProxyURL accepts a scheme, a host, and at most user information and a port. A
// password with an unescaped character ends the host early, which shows as another
// part.
func isProxyURL(address string) bool {
	u, err := url.Parse(address)
	if err != nil || !slices.Contains(proxySchemes, u.Scheme) || u.Hostname() == "" {
		return false
	}
	if strings.ContainsAny(address, "?#") || (u.Path != "" && u.Path != "/") {
		return false
	}
	if _, err := url.ParseRequestURI(address); err != nil { // how the client reads it
		return false
	}
	port, err := strconv.Atoi(u.Port())
	return u.Port() == "" || (err == nil && port > 0 && port < 1<<16)
}

// checkProxyVariables refuses a broken proxy variable: Go ignores it and connects
// directly. The variables count where proxy_url is not set; they need no scheme.
func checkProxyVariables() error {
	var errs []error
	for _, names := range [][]string{{"HTTPS_PROXY", "https_proxy"}, {"HTTP_PROXY", "http_proxy"}} {
		for _, name := range names {
			address := os.Getenv(name)
			if address == "" {
				continue
			}
			if !strings.Contains(address, "://") {
				address = "http://" + address
			}
			if !isProxyURL(address) {
				errs = append(errs, errors.New(name+": not a proxy's address such as "+proxyExample))
			}
			break // the first one that is set counts
		}
	}
	return errors.Join(errs...)
}

// validateEgress checks what a signed URL may reach.
func (c *Config) validateEgress() error {
	var errs []error
	for _, text := range c.Download.AllowedNetworks {
		if _, err := compliance.ParseNetwork(text); err != nil {
			errs = append(errs, fmt.Errorf("download::allowed_networks: %s %w", secret.Quote(text), err))
		}
	}
	policy := c.redirectPolicy()
	for _, host := range c.Download.AllowedHosts {
		if err := checkAllowedHost(policy, host); err != nil {
			errs = append(errs, fmt.Errorf("download::allowed_hosts: %s %w", secret.Quote(host), err))
		}
	}
	return errors.Join(errs...)
}

// checkAllowedHost refuses an entry that matches no host, or one that is not reached
// all the same.
func checkAllowedHost(policy compliance.RedirectPolicy, host string) error {
	addr, ok := ipLiteral(host)
	switch {
	case ok:
		if err := policy.CheckAddress(addr); err != nil {
			return fmt.Errorf("is refused: %w", err)
		}
		return nil
	case !hostPattern.MatchString(host):
		return errors.New("is not a host name, an IP address or *.domain; leave out scheme, port and path")
	}
	return compliance.CheckHostName(strings.TrimPrefix(host, "*."))
}

// ipLiteral reads an IP address; an IPv6 one may have the brackets that it has in a
// URL.
func ipLiteral(host string) (netip.Addr, bool) {
	bare, opened := strings.CutPrefix(host, "[")
	bare, closed := strings.CutSuffix(bare, "]")
	addr, err := netip.ParseAddr(bare)
	return addr, err == nil && opened == closed && (!opened || addr.Is6())
}

// redirectPolicy is what a signed URL may reach. Networks that validation refuses
// are left out.
func (c *Config) redirectPolicy() compliance.RedirectPolicy {
	policy := compliance.PolicyFor(c.HTTP.Endpoint, c.Download.AllowedHosts)
	for _, text := range c.Download.AllowedNetworks {
		if network, err := compliance.ParseNetwork(text); err == nil {
			policy.AllowedNetworks = append(policy.AllowedNetworks, network)
		}
	}
	return policy
}

func isPlainHTTP(endpoint string) bool {
	return strings.HasPrefix(strings.ToLower(endpoint), "http://")
}

// validateEndpoint refuses an address to which the key could not go safely.
func validateEndpoint(endpoint string) error {
	u, err := url.Parse(endpoint)
	switch {
	case err != nil || u.Host == "" || (u.Scheme != "https" && u.Scheme != "http"):
		return errors.New("http::endpoint: not an absolute URL such as " + DefaultEndpoint)
	case u.User != nil:
		return errors.New("http::endpoint: must not hold user information; the key goes under api_key")
	case u.RawQuery != "" || u.Fragment != "":
		return errors.New("http::endpoint: must not hold a query or a fragment; give the base URL such as " + DefaultEndpoint)
	case u.Scheme == "http" && !isLoopback(u.Hostname()):
		return errors.New("http::endpoint: plain http would send the key unprotected; use https (http is accepted for a loopback address only)")
	}
	return nil
}

func isLoopback(host string) bool {
	if strings.EqualFold(host, "localhost") {
		return true
	}
	addr, err := netip.ParseAddr(host)
	return err == nil && addr.Unmap().IsLoopback()
}
