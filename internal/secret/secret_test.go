// Copyright The OpenTelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package secret

import (
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// What is a secret is not shown, wherever in a text it is; what an operator needs to
// see of a typing error is.
func TestConceal(t *testing.T) {
	t.Parallel()
	for _, text := range []string{
		"sk-admin-canaryKeyDoNotPrint", "SK-PROJ-abcdef", "(sk-abcdef)", "x=sk-1234567", "/run/sk-admin-abcdefgh", "file_storage/sk-admin-abcdefgh",
		"_sk-abcdef", "Bearer abc", "bearer  canary", "http://u:PASS#x@h:3128", "http://u:PA/SS@h", "http://u:PA SS@h", "http://u:PA@SS@h", "http://u:p@h", "socks5://u@h", "https://h/x?sig=a", "?a=b",
		"0123456789abcdef0123", "000102030405060708090a0b0c0d0e0f", "AKIAIOSFODNN7EXAMPLE0", "eyJhbGciOiJIUzI1NiJ9.e30.x", "Q2FuYXJ5S2V5RG9Ob3Q=", "aB3-dE5fG7hI9jK1lM3nO5p", "TESTSECRET0a1b2c3d4e",
		"prefix 0123456789abcdef0123 suffix", `"0123456789abcdef0123"`, "0f8fad5b-d9cb-469f-a165-70867728950e0",
	} {
		assert.True(t, Looks(text), text)
		assert.NotContains(t, Quote(text), text)
	}
	for _, text := range []string{
		"", "no", "task-runner", "desk-lamps", "/run/secrets/openai-compliance/api-key", "/var/lib/otelcol/key1", "0f8fad5b-d9cb-469f-a165-70867728950e", "org-p13k3klgno5cqxbf0q8hpgrk",
		"AUTH_LOG", "CHATGPT_CONVERSATION_LOG", "2026-08-01T12:30:07.481516Z", "-7d@d", "*.blob.core.windows.net", "10.20.0.0/16", "2600:1f18::1", "1.2.3.4.5",
		"set api_key (for example ${env:OPENAI_COMPLIANCE_API_KEY}; an unset variable counts as empty)", "https://api.chatgpt.com/v1/compliance",
		"0 */2 * * *", "100000000000000000000000000", "-99999999999999999999s", "http2_read_idle_timeout", "my-storage-account-eu-west-1", "/tmp/TestKeyFileRefused1755561211/001/key",
		"/run/secrets/openai-compliance-prod-2026/key", "CHATGPT_CONVERSATION_LOG_V2", "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256",
	} {
		assert.False(t, Looks(text), text)
		assert.Equal(t, text, Conceal(text))
	}
	assert.Equal(t, `read [not shown]: no such file`, Conceal(`read sk-admin-0123456789: no such file`))
	assert.Equal(t, `"a\n"`, Quote("a\n"))
	assert.Len(t, Quote(strings.Repeat("a ", 100)), maxQuoted+len(`"…"`))
}

// An error without a secret stays what it is; one with a secret keeps nothing of it
// in its chain either.
func TestConcealError(t *testing.T) {
	t.Parallel()
	require.NoError(t, ConcealError(nil))
	assert.Equal(t, io.EOF, ConcealError(io.EOF))
	err := ConcealError(errors.Join(errors.New("sk-admin-canary"), io.EOF))
	assert.NotContains(t, err.Error(), "canary")
	assert.Contains(t, err.Error(), "EOF")
	require.NoError(t, errors.Unwrap(err))
	require.EqualError(t, ConcealError(errors.New("a hunter22 b"), "hunter22"), "a [not shown] b")
	require.EqualError(t, ConcealError(errors.New("a no b"), "no", ""), "a no b")
}
