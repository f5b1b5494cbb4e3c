// Copyright The OpenTelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package compliance

import (
	"net/http"
	"net/url"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// A proxy that refuses is named as what it is on both hops, so that nobody takes
// its 401 for the API's; neither its words nor the signed URL are told.
func TestProxyRefusalsAreNamed(t *testing.T) {
	t.Parallel()
	for _, status := range []int{401, 403, 407, 502} {
		proxy := newHost(t, answering(status, canary))
		via, err := url.Parse(proxy.URL)
		require.NoError(t, err)
		through := &http.Transport{Proxy: http.ProxyURL(via)}
		NameProxyRefusals(through)
		t.Cleanup(through.CloseIdleConnections)
		requireProxyError := func(err error) {
			t.Helper()
			assert.Equal(t, status, requireErrorAs[*ProxyError](t, err).Status)
			require.ErrorContains(t, err, "the proxy answered")
		}

		_, err = newClient(t, "https://api.example.com", func(s *Settings) { s.API = &http.Client{Transport: through} }).
			Pages("AUTH_LOG", noon, time.Time{}, nil).Next(t.Context())
		requireProxyError(err)

		api := newRedirector(t, 307, "https://blob.example.com/blob?sig="+signature)
		signed := NewSignedTransport(through, RedirectPolicy{})
		t.Cleanup(signed.(*signedTransport).CloseIdleConnections)
		_, err = newClient(t, api.URL, func(s *Settings) { s.Signed = signed }).Download(t.Context(), fileOf(content))
		requireProxyError(err)
		assert.Equal(t, []string{"api.example.com:443", "blob.example.com:443"},
			[]string{proxy.seen()[0].Host, proxy.seen()[1].Host})
	}
}
