// Copyright The OpenTelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package compliance

import (
	"context"
	"encoding/binary"
	"io"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// nameServer answers a resolver within the process: lookup n of a name gets the
// addresses at place n, the last ones from then on.
type nameServer struct {
	alias   bool // answer with a CNAME and the addresses of its target
	answers [][]string

	mu      sync.Mutex
	lookups map[string]int // by type of the record
}

func (n *nameServer) resolver() *net.Resolver {
	return &net.Resolver{PreferGo: true, Dial: func(context.Context, string, string) (net.Conn, error) {
		client, server := net.Pipe()
		go n.serve(server)
		return client, nil
	}}
}

// serve speaks DNS as over TCP, each message after its length.
func (n *nameServer) serve(conn net.Conn) {
	defer func() { _ = conn.Close() }()
	for {
		var size [2]byte
		if _, err := io.ReadFull(conn, size[:]); err != nil {
			return
		}
		query := make([]byte, binary.BigEndian.Uint16(size[:]))
		if _, err := io.ReadFull(conn, query); err != nil {
			return
		}
		answer := n.answer(query)
		if _, err := conn.Write(append(binary.BigEndian.AppendUint16(nil, uint16(len(answer))), answer...)); err != nil {
			return
		}
	}
}

const (
	typeA     = 1
	typeCNAME = 5
	typeAAAA  = 28
)

func (n *nameServer) answer(query []byte) []byte {
	name := query[12 : 12+strings.IndexByte(string(query[12:]), 0)+1]
	kind := binary.BigEndian.Uint16(query[12+len(name):])
	question := query[12 : 12+len(name)+4]
	owner := []byte{0xc0, 12} // the name in the question
	var records [][]byte
	if n.alias {
		target := []byte("\x06target\x07example\x00")
		records = append(records, record(owner, typeCNAME, target))
		owner = target
	}
	for _, text := range n.next(kind) {
		addr := netip.MustParseAddr(text)
		if bytes := addr.AsSlice(); addr.Is4() == (kind == typeA) {
			records = append(records, record(owner, kind, bytes))
		}
	}
	flags := uint16(0x8180)
	if len(records) == 0 && len(n.answers) == 0 {
		flags |= 3 // no such name
	}
	out := append([]byte(nil), query[:2]...)
	for _, field := range []uint16{flags, 1, uint16(len(records)), 0, 0} {
		out = binary.BigEndian.AppendUint16(out, field)
	}
	out = append(out, question...)
	for _, r := range records {
		out = append(out, r...)
	}
	return out
}

func record(owner []byte, kind uint16, data []byte) []byte {
	out := append([]byte(nil), owner...)
	out = binary.BigEndian.AppendUint16(out, kind)
	out = append(out, 0, 1, 0, 0, 0, 0) // class IN, valid for no second
	out = binary.BigEndian.AppendUint16(out, uint16(len(data)))
	return append(out, data...)
}

func (n *nameServer) next(kind uint16) []string {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.lookups == nil {
		n.lookups = map[string]int{}
	}
	key := map[uint16]string{typeA: "A", typeAAAA: "AAAA"}[kind]
	n.lookups[key]++
	if len(n.answers) == 0 {
		return nil
	}
	return n.answers[min(n.lookups[key], len(n.answers))-1]
}

// Whatever a name resolves to, and however that changes, the only address that is
// ever connected to is one that the policy permits: here 127.0.0.1, with a trap on
// the address beside it.
func TestNameResolution(t *testing.T) {
	t.Parallel()
	var served, trapped atomic.Int64
	server := newTLSServer(t, false, func(w http.ResponseWriter, _ *http.Request) {
		served.Add(1)
		_, _ = w.Write(content)
	})
	_, port, err := net.SplitHostPort(server.Listener.Addr().String())
	require.NoError(t, err)
	if trap, err := net.Listen("tcp", "127.0.0.2:"+port); err == nil { // where the system has such an address
		t.Cleanup(func() { _ = trap.Close() })
		go func() {
			for {
				conn, err := trap.Accept()
				if err != nil {
					return
				}
				trapped.Add(1)
				_ = conn.Close()
			}
		}()
	}
	const good, bad = "127.0.0.1", "127.0.0.2"
	const reached, refused = "", "download::allowed_networks"
	const never, anyReason = "never dialed", "refused: "
	const noName = "no such host"
	tests := map[string]struct {
		names *nameServer
		hosts []string
		want  []string // of one download after the other
	}{
		"a permitted address":                 {names: &nameServer{answers: [][]string{{good}}}, want: []string{reached, reached}},
		"a private address":                   {names: &nameServer{answers: [][]string{{bad}}}, want: []string{refused}},
		"an alias of a private address":       {names: &nameServer{alias: true, answers: [][]string{{bad}}}, want: []string{refused}},
		"an alias of a permitted one":         {names: &nameServer{alias: true, answers: [][]string{{good}}}, want: []string{reached}},
		"an allowed host":                     {names: &nameServer{answers: [][]string{{bad}}}, hosts: []string{"example.com"}, want: []string{refused}},
		"cloud metadata":                      {names: &nameServer{answers: [][]string{{"169.254.169.254"}}}, want: []string{never}},
		"cloud metadata of an allowed host":   {names: &nameServer{answers: [][]string{{"fd00:ec2::254"}}}, hosts: []string{"example.com"}, want: []string{never}},
		"cloud metadata, mapped":              {names: &nameServer{answers: [][]string{{"::ffff:169.254.169.254"}}}, want: []string{never}},
		"cloud metadata, NAT64":               {names: &nameServer{answers: [][]string{{"64:ff9b::a9fe:a9fe"}}}, want: []string{never}},
		"a private address, mapped":           {names: &nameServer{answers: [][]string{{"::ffff:127.0.0.2"}}}, want: []string{refused}},
		"a permitted address, mapped":         {names: &nameServer{answers: [][]string{{"::ffff:127.0.0.1"}}}, want: []string{reached}},
		"the unspecified addresses":           {names: &nameServer{answers: [][]string{{"0.0.0.0", "::"}}}, want: []string{never}},
		"the other loopback address":          {names: &nameServer{answers: [][]string{{"::1"}}}, want: []string{refused}},
		"good and bad":                        {names: &nameServer{answers: [][]string{{good, bad, "169.254.169.254"}}}, want: []string{reached}},
		"bad and good":                        {names: &nameServer{answers: [][]string{{bad, "169.254.169.254", "fe80::1", "::1", good}}}, want: []string{reached}},
		"bad ones of all kinds":               {names: &nameServer{answers: [][]string{{bad, "169.254.169.254", "::1", "2002:7f00:1::"}}}, want: []string{anyReason}},
		"good, and bad from the next lookup":  {names: &nameServer{answers: [][]string{{good}, {bad}}}, want: []string{reached, refused, refused}},
		"bad, and good from the next lookup":  {names: &nameServer{answers: [][]string{{bad}, {good}}}, want: []string{refused, reached}},
		"good, and metadata from the next on": {names: &nameServer{answers: [][]string{{good}, {"169.254.169.254"}}}, want: []string{reached, never}},
		"no such name":                        {names: &nameServer{}, want: []string{noName}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			api := newRedirector(t, http.StatusFound, "https://example.com:"+port+"/blob?sig="+signature)
			policy := RedirectPolicy{AllowedHosts: tt.hosts, AllowedNetworks: networks(t, good+"/32")}
			signed := NewSignedTransport(server.Client().Transport.(*http.Transport), policy).(*signedTransport)
			signed.direct.DialContext = policy.dialContext(&net.Dialer{Resolver: tt.names.resolver()})
			signed.direct.DisableKeepAlives = true // each download resolves the name
			c := newClient(t, api.URL, func(s *Settings) { s.Policy, s.Signed = policy, signed })
			for i, want := range tt.want {
				before := served.Load()
				got, err := c.Download(t.Context(), fileOf(content))
				assert.Equal(t, i+1, tt.names.lookups["A"], "lookups for one connection")
				if want == reached {
					require.NoError(t, err)
					assert.Equal(t, content, got.Bytes)
					continue
				}
				requireSafe(t, err)
				assert.Equal(t, before, served.Load())
				if want != noName {
					assert.Equal(t, "example.com", requireErrorAs[*RedirectError](t, err).Host)
				}
				require.ErrorContains(t, err, want)
			}
			assert.Zero(t, trapped.Load(), "connections to the address that is not permitted")
		})
	}
}

// A host of which one address may be dialed and does not answer is a host without an
// answer, and not a redirect that is refused for good.
func TestNameResolutionWithoutAnswer(t *testing.T) {
	t.Parallel()
	policy := RedirectPolicy{AllowedNetworks: networks(t, "127.0.0.1/32")}
	for _, addresses := range [][]string{{"127.0.0.1"}, {"127.0.0.2", "127.0.0.1"}, {"127.0.0.1", "169.254.169.254"}, {"::1", "127.0.0.1"}} {
		names := &nameServer{answers: [][]string{addresses}}
		_, err := policy.dialContext(&net.Dialer{Resolver: names.resolver()})(t.Context(), "tcp", "example.com:1")
		var refused *RedirectError
		require.NotErrorAs(t, err, &refused, "%v", addresses)
		assert.Equal(t, FailureConnect, requireErrorAs[*TransportError](t, transportCause(err)).Kind)
	}
}
