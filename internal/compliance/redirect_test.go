// Copyright The OpenTelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package compliance

import (
	"errors"
	"fmt"
	"net/http"
	"net/http/cookiejar"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const publicEndpoint = "https://api.chatgpt.com/v1/compliance"

// No hop but the API's own route sees the key, a cookie of any host or a
// Referer: not another port, not another host name, not the API host when a
// redirect leads back to it.
func TestRedirectsCarryNoCredentials(t *testing.T) {
	t.Parallel()
	last := newHost(t, answering(200, string(content)))
	byName := strings.Replace(last.URL, "127.0.0.1", "localhost", 1)
	otherPort := newHost(t, func(w http.ResponseWriter, _ *http.Request) {
		http.SetCookie(w, &http.Cookie{Name: "storage", Value: "1"})
		w.Header().Set("Location", byName+"/last?sig="+signature)
		w.WriteHeader(http.StatusTemporaryRedirect)
	})
	api := newHost(t, func(w http.ResponseWriter, r *http.Request) {
		http.SetCookie(w, &http.Cookie{Name: "session", Value: "1", Path: "/"})
		to := otherPort.URL + "/first?sig=" + signature
		if strings.HasPrefix(r.URL.Path, "/workspaces") {
			to = "/back?sig=" + signature
		}
		w.Header().Set("Location", to)
		w.WriteHeader(http.StatusTemporaryRedirect)
	})
	jar, err := cookiejar.New(nil)
	require.NoError(t, err)
	c := newClient(t, api.URL, func(s *Settings) { s.API.Jar = jar })
	for range 2 { // the second time there are cookies to send
		got, err := c.Download(t.Context(), fileOf(content))
		require.NoError(t, err)
		assert.Equal(t, content, got.Bytes)
	}

	asked := api.seen()
	require.Len(t, asked, 4)
	assert.Equal(t, "Bearer "+testKey, asked[2].Header.Get("Authorization"))
	assert.NotEmpty(t, asked[2].Cookies(), "the API itself gets its cookie, or the test proves nothing")
	hops := append([]*http.Request{asked[1], asked[3]}, otherPort.seen()...)
	hops = append(hops, last.seen()...)
	require.Len(t, hops, 6)
	for _, r := range hops {
		for _, name := range []string{"Authorization", "Cookie", "Referer", "Proxy-Authorization"} {
			assert.Empty(t, r.Header.Get(name), "%s of %s%s", name, r.Host, r.URL.Path)
		}
		assert.NotContains(t, fmt.Sprint(r.Header), testKey)
		assert.Contains(t, r.URL.RawQuery, "sig="+signature, "the signed URL is used as it is")
	}
}

// privateHosts and loopbackHosts may be opened, neverHosts not by any configuration.
var (
	loopbackHosts = []string{
		"localhost", "LocalHost", "localhost.", "storage.localhost", "127.0.0.1", "127.8.9.10", "[::1]", "[0:0:0:0:0:0:0:1]", "[::ffff:127.0.0.1]",
	}
	privateHosts = []string{
		"10.1.2.3", "172.16.0.1", "172.31.255.255", "192.168.1.1", "[fd00::1]", "[fc00::1]", "100.64.0.1", "100.127.255.254",
		"[::ffff:100.64.0.1]", "[::ffff:10.0.0.1]", "[64:ff9b:1::10.0.0.1]", "[64:ff9b:1::8.8.8.8]",
	}
	neverHosts = []string{
		"0.0.0.0", "0.1.2.3", "[::]", "169.254.169.254", "169.254.0.1", "[fe80::1]", "[fe80::1%25eth0]", "[fec0::1]", "[feff::1]",
		"168.63.129.16", "100.100.100.200", "192.0.0.192", "169.254.170.2", "[fd00:ec2::254]", "[fd20:ce::254]", "[fd00:42::42]",
		"224.0.0.1", "239.255.255.255", "[ff02::1]", "[ff0e::1]", "240.0.0.1", "255.255.255.255", "198.18.0.1", "198.19.255.255", "[2001:2::1]",
		"192.0.0.1", "192.0.0.9", "192.0.2.1", "198.51.100.1", "203.0.113.1", "[2001:db8::1]", "[3fff::1]", "[3fff:fff::1]", "192.88.99.1", "192.31.196.1", "192.52.193.1",
		"[2001::1]", "[2001:0:7f00:1::1]", "[2001:10::1]", "[2001:20::1]", "[2001:1ff::1]", "[2002:7f00:1::]", "[2002:808:808::]", "[2002:7f00:1::%25eth0]",
		"[::7f00:1]", "[::8.8.8.8]", "[::ffff:0:7f00:1]", "[::ffff:0:808:808]", "[::ffff:169.254.169.254]", "[::ffff:0.0.0.0]",
		"[64:ff9b::a9fe:a9fe]", "[64:ff9b::7f00:1]", "[64:ff9b::10.0.0.1]", "[64:ff9b:1::a9fe:a9fe]", "[64:ff9b:1::1]",
		"[100::1]", "[100:0:0:1::1]", "[5f00::1]", "[4000::1]", "[200::1]", "[1::1]", "[fe00::1]",
	}
)

// publicHosts may be reached, though some look like the ones above.
var publicHosts = []string{
	"blob.example.com", "blob.example.com.", "localhost.example.com", "notlocalhost", "8.8.8.8", "172.32.0.1", "172.15.255.255", "100.128.0.1", "11.0.0.1", "1.0.0.0",
	"126.255.255.255", "128.0.0.1", "168.63.129.17", "169.253.255.255", "198.17.255.255", "198.20.0.0", "223.255.255.255",
	"[2600:1f18::1]", "[::ffff:8.8.8.8]", "[64:ff9b::8.8.8.8]", "[2001:200::1]", "[2003::1]", "[3ffe::1]",
	"a_b.example.com", "xn--bcher-kva.example", "1.example", "0x7f.example", "0xg", "10.1.2.3.example.com", "1e100.net", "a-.example.com",
}

// numericHosts are addresses to some parser, resolver or proxy, in another form than
// the usual one, or no host at all.
var numericHosts = []string{
	"2130706433", "0x7f000001", "0x7f.0.0.1", "0x7f.1", "0X7F.1", "0177.0.0.1", "127.1", "127.0.1", "1", "0", "0x", "127.0.0.1.", "127.1.", "127.0.0.01", "127.0.0.0x1",
	"256.1.1.1", "1.2.3.4.5", "blob.example.0x7f", "blob.example.1", "127.0.0.1.0", "2852039166", "0b1", "0o177.0b1", "1_0", "0251.0376.0251.0376", "0xa9fea9fe",
	"１２７.０.０.１", "１２７.１", "127。0。0。1", "①②⑦.⓪.⓪.①", "127.0.0.𝟏", "٠١٢", "ⓛocalhost", "localhost\u00ad", "127.0.0.1\u200b", "bücher.example", "\u212aernel.example", "b\u0130g.example", "%EF%BC%91.1",
	".", "..", "a..b", ".example.com", "a b", "a,b", "a~b", "!",
}

func networks(t *testing.T, texts ...string) (all []netip.Prefix) {
	t.Helper()
	for _, text := range texts {
		network, err := ParseNetwork(text)
		require.NoError(t, err, text)
		all = append(all, network)
	}
	return all
}

func TestPolicyOnHosts(t *testing.T) {
	t.Parallel()
	allowing := func(hosts ...string) RedirectPolicy { return PolicyFor(publicEndpoint, hosts) }
	opening := PolicyFor(publicEndpoint, nil)
	opening.AllowedNetworks = networks(t, "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "fc00::/7", "64:ff9b:1::/48")
	opening10 := PolicyFor("https://10.0.0.5/v1", nil)
	opening10.AllowedNetworks = networks(t, "10.1.0.0/16")
	both := allowing("*.example.com", "10.1.2.3")
	both.AllowedNetworks = networks(t, "10.1.0.0/16")
	openingLoopback := PolicyFor(publicEndpoint, nil)
	openingLoopback.AllowedNetworks = networks(t, "127.0.0.0/8", "::1/128")
	inside := slices.Concat(loopbackHosts, privateHosts, neverHosts, numericHosts)
	tests := map[string]struct {
		policy           RedirectPolicy
		allowed, refused []string
	}{
		"public endpoint":      {PolicyFor(publicEndpoint, nil), publicHosts, inside},
		"a loopback endpoint":  {PolicyFor("http://127.0.0.1:8080/v1", nil), slices.Concat(publicHosts, loopbackHosts), slices.Concat(privateHosts, neverHosts, numericHosts)},
		"a loopback endpoint6": {PolicyFor("http://[::1]:8080/v1", nil), loopbackHosts, privateHosts},
		"endpoint localhost":   {PolicyFor("https://localhost:8080/v1", nil), slices.Concat(publicHosts, loopbackHosts), slices.Concat(privateHosts, neverHosts, numericHosts)},
		"a private endpoint":   {PolicyFor("https://10.0.0.5/v1", nil), publicHosts, append(inside, "10.0.0.5")},
		"a link-local one":     {PolicyFor("https://169.254.169.254/v1", nil), publicHosts, inside},
		"no endpoint":          {RedirectPolicy{}, publicHosts, inside},
		"all private networks": {opening, slices.Concat(publicHosts, privateHosts), slices.Concat(loopbackHosts, neverHosts, numericHosts)},
		"one private network": {
			opening10,
			[]string{"10.1.0.0", "10.1.255.255", "[::ffff:10.1.2.3]", "8.8.8.8"},
			[]string{"10.0.0.5", "10.2.0.0", "[64:ff9b::10.1.2.3]", "127.0.0.1", "[fd00::1]", "169.254.169.254"},
		},
		"loopback as a network": {openingLoopback, slices.Concat(publicHosts, loopbackHosts), slices.Concat(privateHosts, neverHosts)},
		"allowed hosts": {
			allowing("blob.example.com", "8.8.8.8"),
			[]string{"blob.example.com", "BLOB.example.com", "blob.example.com.", "8.8.8.8"},
			[]string{"8.8.4.4", "example.com", "a.blob.example.com", "localhost"},
		},
		"allowed host in capitals": {allowing("Blob.Example.com"), []string{"blob.example.com"}, []string{"8.8.8.8"}},
		"a wildcard": {
			allowing("*.example.com"),
			[]string{"blob.example.com", "a.b.example.com"},
			[]string{"example.com", "evilexample.com", "example.com.evil.net", "10.1.2.3"},
		},
		"an allowed host is not opened": {allowing(inside...), nil, inside},
		"allowed hosts and networks":    {both, []string{"blob.example.com", "10.1.2.3"}, []string{"10.1.2.4", "8.8.8.8", "169.254.169.254"}},
		"allowed hosts with a local endpoint": {
			PolicyFor("http://127.0.0.1:8080", []string{"blob.example.com"}), []string{"blob.example.com"}, []string{"127.0.0.1", "8.8.8.8"},
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for host, allowed := range verdicts(tt.allowed, tt.refused) {
				target, err := url.Parse("https://" + host + ":443/blob?sig=" + signature)
				if err != nil {
					assert.False(t, allowed, host) // it ends as "the Location is not a URL"
					continue
				}
				err = tt.policy.check(target)
				if allowed {
					require.NoError(t, err, host)
					continue
				}
				require.Error(t, err, host)
				refused := requireErrorAs[*RedirectError](t, err)
				assert.Equal(t, shownHost(target.Hostname()), refused.Host)
			}
		})
	}
}

func verdicts(allowed, refused []string) map[string]bool {
	all := map[string]bool{}
	for _, host := range allowed {
		all[host] = true
	}
	for _, host := range refused {
		all[host] = false
	}
	return all
}

func TestPolicyOnURLs(t *testing.T) {
	t.Parallel()
	tests := map[string]struct{ endpoint, target, want string }{
		"https":                           {publicEndpoint, "https://blob.example.com/x", ""},
		"http":                            {publicEndpoint, "http://blob.example.com/x", "not https"},
		"http from a local https API":     {"https://127.0.0.1", "http://127.0.0.1/x", "not https"},
		"http from a local http API":      {"http://127.0.0.1", "http://127.0.0.1/x", ""},
		"http to a public host":           {"http://127.0.0.1", "http://blob.example.com/x", "not https"},
		"http to a public address":        {"http://localhost:8080", "http://8.8.8.8/x", "not https"},
		"http to a private address":       {"http://localhost:8080", "http://10.0.0.1/x", "not https"},
		"http to localhost":               {"http://[::1]:8080", "http://LOCALHOST:9/x", ""},
		"user information":                {publicEndpoint, "https://user:" + canary + "@blob.example.com/x", "user information"},
		"user information, local":         {"http://127.0.0.1", "http://user@127.0.0.1/x", "user information"},
		"a file":                          {publicEndpoint, "file:///etc/" + canary, "no host"},
		"a file, local":                   {"http://127.0.0.1", "file:///etc/" + canary, "no host"},
		"a file of a host, local":         {"http://127.0.0.1", "file://127.0.0.1/etc/" + canary, "neither https nor http"},
		"another scheme":                  {publicEndpoint, "ftp://blob.example.com/" + canary, "not https"},
		"no scheme, so no host":           {publicEndpoint, "https:" + canary, "no host"},
		"a host that hides in user names": {publicEndpoint, "https://blob.example.com@127.0.0.1/", "user information"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			target, err := url.Parse(tt.target)
			require.NoError(t, err)
			err = PolicyFor(tt.endpoint, nil).check(target)
			if tt.want == "" {
				require.NoError(t, err)
				return
			}
			requireKind[*RedirectError](t, err)
			require.ErrorContains(t, err, tt.want)
		})
	}
}

// A redirect that the policy refuses is not followed.
func TestRedirectRefused(t *testing.T) {
	t.Parallel()
	storage := newHost(t, answering(200, string(content)))
	tests := map[string]struct {
		policy RedirectPolicy
		want   string
	}{
		"plain http":          {RedirectPolicy{Loopback: true}, "not https"},
		"a loopback address":  {RedirectPolicy{PlainHTTP: true}, "download::allowed_networks"},
		"not an allowed host": {RedirectPolicy{Loopback: true, PlainHTTP: true, AllowedHosts: []string{"a.example"}}, "download::allowed_hosts"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			api := newRedirector(t, http.StatusTemporaryRedirect, storage.URL+"/blob?sig="+signature)
			c := newClient(t, api.URL, func(s *Settings) { s.Policy = tt.policy })
			got, err := c.Download(t.Context(), fileOf(content))
			requireKind[*RedirectError](t, err)
			require.ErrorContains(t, err, tt.want)
			assert.Empty(t, got)
			assert.Empty(t, storage.seen())
		})
	}
}

// A Location that is no URL is refused like one that the policy forbids, on each
// hop, and nothing of it is told: any part of it may be the signature.
func TestRedirectWithoutUsableLocation(t *testing.T) {
	t.Parallel()
	tests := map[string]string{
		"no Location":              "",
		"an open bracket":          "https://[::1/" + canary + "?sig=" + signature,
		"a bad escape in the host": "https://a%zz/" + canary + "?sig=" + signature,
		"a bad escape in the path": "https://blob.example.com/%zz/" + canary + "?sig=" + signature,
		"a bad port":               "https://a:b/" + canary + "?sig=" + signature,
		"no scheme":                ":" + canary + "?sig=" + signature,
	}
	for name, location := range tests {
		for hop, to := range []string{location, newRedirector(t, http.StatusFound, location).URL} {
			t.Run(fmt.Sprintf("%s, hop %d", name, hop+1), func(t *testing.T) {
				t.Parallel()
				c := newClient(t, newRedirector(t, http.StatusTemporaryRedirect, to).URL)
				got, err := c.Download(t.Context(), fileOf(content))
				requireKind[*RedirectError](t, err)
				assert.Empty(t, got)
			})
		}
	}
}

// Three redirects are followed, a fourth is not.
func TestRedirectChainIsBounded(t *testing.T) {
	t.Parallel()
	for redirects, works := range map[int]bool{2: true, 3: true, 4: false, 1000: false} {
		var served atomic.Int64
		api := newHost(t, func(w http.ResponseWriter, r *http.Request) {
			if int(served.Add(1)) > redirects {
				answering(200, string(content))(w, r)
				return
			}
			w.Header().Set("Location", "/again?sig="+signature)
			w.WriteHeader(http.StatusFound)
		})
		got, err := newClient(t, api.URL).Download(t.Context(), fileOf(content))
		if works {
			require.NoError(t, err)
			assert.Equal(t, content, got.Bytes)
			continue
		}
		requireKind[*RedirectError](t, err)
		require.ErrorContains(t, err, "more than 3 redirects")
		assert.Len(t, api.seen(), 4)
	}
}

// Before each request to a signed host, on each hop and in each download, AllowFetch is
// asked. What it answers is returned as it is, and nothing is sent.
func TestAllowFetchIsAsked(t *testing.T) {
	t.Parallel()
	last := newHost(t, answering(503, "", "Retry-After", "7"))
	first := newRedirector(t, http.StatusFound, last.URL+"/last?sig="+signature)
	api := newRedirector(t, http.StatusTemporaryRedirect, strings.Replace(first.URL, "127.0.0.1", "LocalHost", 1)+"/first?sig="+signature)
	var asked []string
	paused := fmt.Errorf("the host is paused: %w", http.ErrNotSupported)
	c := newClient(t, api.URL, func(s *Settings) {
		s.AllowFetch = func(host string) error {
			asked = append(asked, host)
			if len(asked) == 4 {
				return paused
			}
			return nil
		}
	})
	_, err := c.Download(t.Context(), fileOf(content))
	refused := requireErrorAs[*StatusError](t, err)
	assert.Equal(t, StatusError{Op: OperationFetch, Status: 503, Host: "127.0.0.1", RetryAfter: 7 * time.Second}, *refused)
	assert.Contains(t, err.Error(), "127.0.0.1")
	assert.Equal(t, []string{"localhost", "127.0.0.1"}, asked)

	_, err = c.Download(t.Context(), fileOf(content))
	assert.Equal(t, paused, err)
	assert.Equal(t, []string{"localhost", "127.0.0.1", "localhost", "127.0.0.1"}, asked)
	assert.Len(t, first.seen(), 2)
	assert.Len(t, last.seen(), 1)
}

// AllowFetch is not asked about a host that the policy refuses, nor about the API.
func TestAllowFetchIsNotAskedInVain(t *testing.T) {
	t.Parallel()
	never := func(s *Settings) {
		s.AllowFetch = func(string) error { return errors.New("asked") }
	}
	got, err := newClient(t, newHost(t, answering(200, string(content))).URL, never).Download(t.Context(), fileOf(content))
	require.NoError(t, err)
	assert.True(t, got.Verified)
	_, err = newClient(t, newRedirector(t, 307, "http://user@127.0.0.1/").URL, never).Download(t.Context(), fileOf(content))
	requireKind[*RedirectError](t, err)
}

// What no URL may hold is encoded, and nothing else of a signed URL is changed.
func TestLocationIsEncoded(t *testing.T) {
	t.Parallel()
	storage := newHost(t, answering(200, string(content)))
	for location, want := range map[string]string{
		"/a b%2Fc?x=d e&sig=f%20g+h":      "/a%20b%2Fc?x=d%20e&sig=f%20g+h",
		"/blob?name=AUTH LOG.jsonl&sig=1": "/blob?name=AUTH%20LOG.jsonl&sig=1",
		`/a^b%2F{c}|d?x="<y>"\z`:          "/a%5Eb%2F%7Bc%7D%7Cd?x=%22%3Cy%3E%22%5Cz",
		"/plain%2Fpath?sig=a%2Bb%3D":      "/plain%2Fpath?sig=a%2Bb%3D",
		"/trailing?sig=1  ":               "/trailing?sig=1",
	} {
		c := newClient(t, newRedirector(t, http.StatusTemporaryRedirect, storage.URL+location).URL)
		_, err := c.Download(t.Context(), fileOf(content))
		require.NoError(t, err, location)
		requests := storage.seen()
		assert.Equal(t, want, requests[len(requests)-1].RequestURI)
	}
	for _, location := range []string{"https://blob.exa mple.com/", "https://us er@blob.example.com/", "ht tps://blob.example.com/", "/a\tb"} {
		_, err := newClient(t, newRedirector(t, http.StatusTemporaryRedirect, location).URL).Download(t.Context(), fileOf(content))
		requireKind[*RedirectError](t, err)
	}
}

// An IPv6 address is the same host in any spelling, and no other host.
func TestAllowedHostsKnowIPv6(t *testing.T) {
	t.Parallel()
	spellings := []string{"2600:1f18::1", "[2600:1F18::1]", "2600:1f18:0:0:0:0:0:1", "[2600:1f18:0000:0000:0000:0000:0000:0001]", "2600:1f18::0.0.0.1"}
	for _, entry := range spellings {
		policy := PolicyFor(publicEndpoint, []string{entry})
		for _, host := range spellings {
			target, err := url.Parse("https://[" + strings.Trim(host, "[]") + "]:443/blob")
			require.NoError(t, err)
			require.NoError(t, policy.check(target), "%s as %s", entry, host)
		}
		target, err := url.Parse("https://[2600:1f18::2]/blob")
		require.NoError(t, err)
		requireKind[*RedirectError](t, policy.check(target))
	}
}
