// Copyright The OpenTelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package receiver

import (
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"go.opentelemetry.io/collector/confmap"
	"go.opentelemetry.io/collector/confmap/confmaptest"
	"go.opentelemetry.io/collector/confmap/provider/envprovider"
	"go.opentelemetry.io/collector/confmap/provider/yamlprovider"

	"github.com/openaicompliance/openaicompliancereceiver/internal/compliance"
)

// nested writes a key of any depth as YAML.
func nested(key, value string) string {
	parts := strings.Split(key, "::")
	return strings.Join(parts, ": {") + ": " + value + strings.Repeat("}", len(parts)-1)
}

// A duration without a unit, or one that only a missing unit explains, is refused
// at every depth, with what to write instead.
func TestDurationsNeedUnits(t *testing.T) {
	for _, key := range []string{
		"poll_interval", "initial_delay", "poll_timeout", "overlap", "deduplication::window",
		"api_retry::initial_interval", "api_retry::max_interval", "api_retry::max_elapsed_time", "api_retry::max_retry_after",
		"retry_on_failure::initial_interval", "retry_on_failure::max_interval", "retry_on_failure::max_elapsed_time",
		"download::timeout", "download::stall_timeout",
		"http::timeout", "http::idle_conn_timeout", "http::http2_read_idle_timeout", "http::http2_ping_timeout",
		"http::keepalive::idle_conn_timeout", "http::tls::reload_interval",
	} {
		for value, want := range map[string]string{
			"300":     ": 300ns is 300 nanoseconds; write 300s",
			"1":       ": 1ns is 1 nanoseconds; write 1s",
			"300.0":   ": 300ns is 300 nanoseconds; write 300s",
			"86400":   ": 86.4µs is 86400 nanoseconds; write 86400s",
			"2592000": ": 2.592ms is 2592000 nanoseconds; write 2592000s", // 30 days in seconds
			"0.5":     ": 0.5 has no unit; write 0.5s",
			"300ns":   ": 300ns is 300 nanoseconds; write 300s",
		} {
			_, err := load(t, validYAML+nested(key, value))
			require.ErrorContains(t, err, key+want, value)
			assert.Equal(t, 1, strings.Count(err.Error(), key+":"), "%s, %s: one error in:\n%s", key, value, err)
		}
		_, err := load(t, validYAML+nested(key, "soon"))
		require.ErrorContains(t, err, key+": not a duration; write a number and a unit")
	}
}

// What has a unit, needs none or is long enough to be meant passes.
func TestDurationForms(t *testing.T) {
	for text, want := range map[string]time.Duration{
		"1d": 24 * time.Hour, "1w": 168 * time.Hour, "1w2d": 216 * time.Hour, "1d12h30m": 36*time.Hour + 30*time.Minute,
		"1.5d": 36 * time.Hour, ".5d": 12 * time.Hour, "36h": 36 * time.Hour, "1ms": time.Millisecond, "0": 0, `"0"`: 0, "0s": 0,
	} {
		for key, field := range map[string]func(*Config) time.Duration{
			"deduplication::window":   func(c *Config) time.Duration { return c.Deduplication.Window },
			"initial_delay":           func(c *Config) time.Duration { return c.InitialDelay },
			"api_retry::max_interval": func(c *Config) time.Duration { return c.APIRetry.BackOff.MaxInterval },
			"overlap":                 func(c *Config) time.Duration { return c.Overlap },
			"poll_timeout":            func(c *Config) time.Duration { return c.PollTimeout },
			"retry_on_failure::max_elapsed_time": func(c *Config) time.Duration {
				return c.RetryOnFailure.MaxElapsedTime
			},
		} {
			yaml := nested(key, text)
			switch key {
			case "api_retry::max_interval":
				yaml = "api_retry: {max_elapsed_time: 0, max_interval: " + text + "}"
			case "retry_on_failure::max_elapsed_time":
				yaml = "retry_on_failure: {initial_interval: 0, max_interval: 0, max_elapsed_time: " + text + "}"
			}
			cfg, err := load(t, validYAML+yaml)
			require.NoError(t, err, yaml)
			assert.Equal(t, want, field(cfg), yaml)
		}
	}
	cfg, err := load(t, validYAML+"poll_interval: 600000000000")
	require.NoError(t, err)
	assert.Equal(t, 10*time.Minute, cfg.PollInterval)
	cfg, err = load(t, validYAML+"http: {timeout: 1m30s}")
	require.NoError(t, err)
	assert.Equal(t, 90*time.Second, cfg.HTTP.Timeout)
	for _, text := range []string{"1d", "1 d", "1mon", "99999999999999w", "d", "1dd"} {
		_, err = load(t, validYAML+"http: {timeout: "+text+"}")
		require.ErrorContains(t, err, "http::timeout: not a duration", text)
	}
}

// null is the default of every key and of every section.
func TestNullIsDefault(t *testing.T) {
	schema, err := confmaptest.LoadConf("../config.schema.yaml")
	require.NoError(t, err)
	keys := append(schemaKeys("", schema.ToStringMap()),
		"http::endpoint", "http::timeout", "http::tls", "http::tls::reload_interval", "http::tls::min_version", "http::headers", "http::idle_conn_timeout",
		"http::max_idle_conns", "http::force_attempt_http2", "http::compression", "http::keepalive", "http::keepalive::idle_conn_timeout", "http::cookies", "http::auth")
	assert.Greater(t, len(keys), 60)
	for _, key := range keys {
		top, _, _ := strings.Cut(key, "::")
		want, wantErr := load(t, replace(top, ""))
		got, err := load(t, replace(top, nested(key, "null")))
		if key == "http::keepalive::idle_conn_timeout" {
			want, wantErr = load(t, validYAML+"http: {keepalive: {}}")
		}
		if wantErr != nil { // a required key
			require.EqualError(t, err, wantErr.Error(), key)
			continue
		}
		require.NoError(t, err, key)
		assert.Equal(t, want, got, key)
	}
	cfg, err := load(t, validYAML+"replay: [{name: a, from: -7d, to: now, event_types: null}]")
	require.NoError(t, err)
	assert.Empty(t, cfg.Replay[0].EventTypes)
	_, err = load(t, validYAML+"replay: [{name: a, from: null, to: now}]")
	require.ErrorContains(t, err, "replay::0: from: missing")
	_, err = load(t, validYAML+"evnt_types: null")
	require.ErrorContains(t, err, "evnt_types", "an unknown key is one, null or not")
	_, err = load(t, validYAML+"poll_interval: null\nschedule: '*/10 * * * *'")
	require.NoError(t, err, "a null interval is not a written one")
}

func schemaKeys(path string, schema map[string]any) (keys []string) {
	properties, _ := schema["properties"].(map[string]any)
	for key, property := range properties {
		at := strings.TrimPrefix(path+"::"+key, "::")
		keys = append(keys, at)
		if section, ok := property.(map[string]any); ok {
			keys = append(keys, schemaKeys(at, section)...)
		}
	}
	return keys
}

// loadSection reads a whole collector configuration as the collector does.
func loadSection(t *testing.T, section string) (*Config, error) {
	t.Helper()
	resolver, err := confmap.NewResolver(confmap.ResolverSettings{
		URIs:              []string{"yaml:" + section},
		ProviderFactories: []confmap.ProviderFactory{envprovider.NewFactory(), yamlprovider.NewFactory()},
		DefaultScheme:     "env",
	})
	require.NoError(t, err)
	conf, err := resolver.Resolve(t.Context())
	require.NoError(t, err)
	cfg := NewDefaultConfig()
	if err := conf.Unmarshal(cfg); err != nil {
		return nil, err
	}
	return cfg, confmap.Validate(cfg)
}

// An unset variable is null, but for a text: there it is empty, so that content is
// not kept because a name was mistyped.
func TestUnsetVariables(t *testing.T) {
	t.Setenv("TEST_UNSET", "")
	cfg, err := loadSection(t, validYAML+"poll_interval: ${env:TEST_UNSET}\nbatch: ${env:TEST_UNSET}\nuntil: ${env:TEST_UNSET}")
	require.NoError(t, err)
	assert.Equal(t, 5*time.Minute, cfg.PollInterval)
	assert.Equal(t, 1000, cfg.Batch.MaxRecords)
	for _, key := range []string{"content::mode", "start_from", "on_missing_state", "http::endpoint"} {
		_, err = loadSection(t, validYAML+nested(key, "'${env:TEST_UNSET}'"))
		require.ErrorContains(t, err, key+": ")
	}
}

// A section from a variable is read like one that is written out, and a number in
// a variable stays the text that it was where a text is wanted.
func TestSectionsFromVariables(t *testing.T) {
	t.Setenv("TEST_DOWNLOAD", "{timeout: 300, concurrency: null, stall_timeout: 1m}")
	t.Setenv("TEST_WINDOW", "2d")
	t.Setenv("TEST_NAME", "007")
	_, err := loadSection(t, validYAML+"download: ${env:TEST_DOWNLOAD}")
	require.ErrorContains(t, err, "download::timeout: 300ns is 300 nanoseconds; write 300s")
	t.Setenv("TEST_DOWNLOAD", "{concurrency: null, stall_timeout: 1m}")
	cfg, err := loadSection(t, validYAML+`download: ${env:TEST_DOWNLOAD}
deduplication: {window: "${env:TEST_WINDOW}"}
replay: [{name: "${env:TEST_NAME}", from: -7d, to: now}]`)
	require.NoError(t, err)
	assert.Equal(t, 4, cfg.Download.Concurrency)
	assert.Equal(t, time.Minute, cfg.Download.StallTimeout)
	assert.Equal(t, 48*time.Hour, cfg.Deduplication.Window)
	assert.Equal(t, "007", cfg.Replay[0].Name)
}

// White space and one pair of quotes around a key or an id are left out, and the
// keys that had them are known to Start.
func TestTextIsTrimmed(t *testing.T) {
	t.Setenv("TEST_KEY", "sk-admin-test\n")
	cfg, err := loadSection(t, replace("api_key", "api_key: ${env:TEST_KEY}"))
	require.NoError(t, err)
	assert.Equal(t, "sk-admin-test", string(cfg.APIKey))
	assert.Equal(t, []string{"api_key"}, cfg.trimmed)

	const id = "0f8fad5b-d9cb-469f-a165-70867728950e"
	for _, text := range []string{`" ` + id + `"`, `"` + id + `\r\n"`, `'"` + id + `"'`, `"'` + id + `'"`, `"\"` + id + `\"\n"`, `' "` + id + ` " '`} {
		cfg, err = load(t, replace("workspace_id", "workspace_id: "+text))
		require.NoError(t, err, text)
		assert.Equal(t, id, cfg.WorkspaceID)
		assert.Equal(t, []string{"workspace_id"}, cfg.trimmed)
	}
	cfg, err = load(t, "api_key_file: ' \"/run/key\"\n  '\norganization_id: '\"org-abc\"'\nevent_types: [COSTS]\nstorage: file_storage")
	require.NoError(t, err)
	assert.Equal(t, "/run/key", cfg.APIKeyFile)
	assert.Equal(t, "org-abc", cfg.OrganizationID)
	assert.Equal(t, []string{"api_key_file", "organization_id"}, cfg.trimmed)

	cfg, err = load(t, validYAML)
	require.NoError(t, err)
	assert.Empty(t, cfg.trimmed)
	for _, text := range []string{`"\n"`, `'" "'`, `"sk-\nsecret"`, `'"sk secret"'`} {
		_, err = load(t, replace("api_key", "api_key: "+text))
		require.ErrorContains(t, err, "api_key: ", text)
		assert.NotContains(t, err.Error(), "secret")
	}
}

// Each size and count has an upper bound that its error states.
func TestUpperBounds(t *testing.T) {
	for key, tt := range map[string]struct{ most, above, want string }{
		"max_pages":                          {"1000000", "1000001", "1000001 is more than 1000000"},
		"deduplication::max_events":          {"20000000", "20000001", "20000001 is more than 20000000"},
		"rate_limit::downloads_per_minute":   {"100000", "100001", "100001 is more than 100000"},
		"rate_limit::lists_per_minute":       {"100000", "100001", "100001 is more than 100000"},
		"batch::max_records":                 {"100000", "100001", "100001 is more than 100000"},
		"batch::max_bytes":                   {"67108864", "67108865", "67108865 is more than 67108864 (64 MiB)"},
		"download::max_file_size":            {"1073741824", "9223372036854775807", "9223372036854775807 is more than 1073741824 (1 GiB)"},
		"download::memory_limit":             {"17179869184", "17179869185", "17179869185 is more than 17179869184 (16 GiB)"},
		"download::concurrency":              {"64", "65", "65 is more than 64"},
		"api_retry::multiplier":              {"100", "101", "101 is not from 1 to 100"},
		"retry_on_failure::multiplier":       {"1", "0.9", "0.9 is not from 1 to 100"},
		"http::read_buffer_size":             {"16777216", "16777217", "16777217 is more than 16777216 (16 MiB)"},
		"http::write_buffer_size":            {"16777216", "16777217", "16777217 is more than 16777216 (16 MiB)"},
		"http::max_idle_conns":               {"100000", "100001", "100001 is more than 100000"},
		"http::max_idle_conns_per_host":      {"100000", "100001", "100001 is more than 100000"},
		"http::max_conns_per_host":           {"100000", "100001", "100001 is more than 100000"},
		"poll_interval":                      {"28d", "673h", "673h0m0s is longer than 672h0m0s"},
		"initial_delay":                      {"28d", "673h", "673h0m0s is longer than 672h0m0s"},
		"poll_timeout":                       {"28d", "673h", "673h0m0s is longer than 672h0m0s"},
		"overlap":                            {"30d", "721h", "721h0m0s must be between 0 and 720h0m0s"},
		"deduplication::window":              {"30d", "721h", "721h0m0s must be between 0 (off) and 720h0m0s"},
		"api_retry::max_elapsed_time":        {"28d", "673h", "673h0m0s is longer than 672h0m0s"},
		"api_retry::max_retry_after":         {"28d", "673h", "673h0m0s is longer than 672h0m0s"},
		"retry_on_failure::initial_interval": {"28d", "673h", "673h0m0s is longer than 672h0m0s"},
		"retry_on_failure::max_interval":     {"28d", "673h", "673h0m0s is longer than 672h0m0s"},
		"retry_on_failure::max_elapsed_time": {"28d", "673h", "673h0m0s is longer than 672h0m0s"},
		"download::timeout":                  {"28d", "673h", "673h0m0s is longer than 672h0m0s"},
		"download::stall_timeout":            {"28d", "673h", "673h0m0s is longer than 672h0m0s"},
		"http::timeout":                      {"672h", "673h", "673h0m0s is longer than 672h0m0s"},
		"http::idle_conn_timeout":            {"672h", "673h", "673h0m0s is longer than 672h0m0s"},
		"http::http2_read_idle_timeout":      {"672h", "673h", "673h0m0s is longer than 672h0m0s"},
		"http::http2_ping_timeout":           {"672h", "673h", "673h0m0s is longer than 672h0m0s"},
		"http::tls::reload_interval":         {"672h", "673h", "673h0m0s is longer than 672h0m0s"},
	} {
		_, err := load(t, validYAML+nested(key, tt.most))
		require.NoError(t, err, key)
		_, err = load(t, validYAML+nested(key, tt.above))
		if strings.Contains(key, "idle_conn") { // an older key of http::keepalive
			key = strings.Replace(key, "http::", "http::keepalive::", 1)
		}
		require.ErrorContains(t, err, key+": "+tt.want, key)
	}
	types := "[" + strings.Repeat("NEW_THING, ", 101) + "]"
	_, err := load(t, replace("event_types", "event_types: "+types))
	require.ErrorContains(t, err, "event_types: 101 are more than 100")
	_, err = load(t, validYAML+"replay: ["+strings.Repeat("{name: a, from: -7d, to: now}, ", 101)+"]")
	require.ErrorContains(t, err, "replay: 101 are more than 100")
	_, err = load(t, validYAML+"retry_on_failure: {multiplier: .nan}\napi_retry: {randomization_factor: .nan}")
	require.ErrorContains(t, err, "retry_on_failure::multiplier: NaN")
	require.ErrorContains(t, err, "api_retry::randomization_factor: NaN")
}

// A fraction, or a number too large for its field, is not cut to one that fits.
func TestWholeNumbers(t *testing.T) {
	for _, key := range []string{"max_pages", "batch::max_records", "batch::max_bytes", "download::max_file_size", "download::concurrency", "http::max_idle_conns", "http::keepalive::max_idle_conns"} {
		for value, want := range map[string]string{
			"12.5":                 ": 12.5 is not a whole number",
			"1e30":                 ": 1e+30 is too large",
			"18446744073709551615": ": 18446744073709551615 is too large",
			".nan":                 ": NaN is not a whole number",
		} {
			_, err := load(t, validYAML+nested(key, value))
			require.ErrorContains(t, err, key+want)
			assert.Equal(t, 1, strings.Count(err.Error(), key+":"), "%s, %s: one error in:\n%s", key, value, err)
		}
	}
	_, err := load(t, validYAML+"api_retry: {status_codes: [429, 503.5]}")
	require.ErrorContains(t, err, "api_retry::status_codes: 503.5 is not a whole number")
	cfg, err := load(t, validYAML+"batch: {max_records: 1e3}")
	require.NoError(t, err)
	assert.Equal(t, 1000, cfg.Batch.MaxRecords)
}

// Headers and settings that break the transfer are refused with the reason.
func TestHTTPFaults(t *testing.T) {
	for header, want := range map[string]string{
		"accept-encoding":     "Accept-Encoding would change the bytes",
		"Authorization":       "Authorization is set by the receiver from api_key or api_key_file",
		"HOST":                "Host would send the request elsewhere",
		"content-length":      "Content-Length belongs to a body, and these requests have none",
		"Transfer-Encoding":   "Transfer-Encoding belongs to a body",
		"content-encoding":    "Content-Encoding belongs to a body",
		"Expect":              "Expect belongs to a body",
		"Connection":          "Connection is the connection's own",
		"Proxy-Authorization": "Proxy-Authorization would show the proxy's password to the API",
		"keep-alive":          "Keep-Alive is the connection's own",
		"TE":                  "Te is the connection's own",
		"trailer":             "Trailer is the connection's own",
		"upgrade":             "Upgrade is the connection's own",
		"range":               "Range would fetch a part",
		"If-None-Match":       "If-None-Match would be answered without a body",
		"accept":              "Accept is set by the receiver",
		"bad name":            "a name is not one that HTTP has",
	} {
		_, err := load(t, validYAML+"http: {headers: {'"+header+"': secret}}")
		require.ErrorContains(t, err, "http::headers: "+want)
		assert.NotContains(t, err.Error(), "secret")
		_, err = load(t, validYAML+"http: {headers: [{name: '"+header+"', value: secret}]}")
		require.ErrorContains(t, err, "http::headers: "+want)
	}
	_, err := load(t, validYAML+`http: {headers: {X-Route: "secret\r\nX-Other: b"}}`)
	require.ErrorContains(t, err, "http::headers: the value of X-Route has a control character")
	assert.NotContains(t, err.Error(), "secret")
	_, err = load(t, validYAML+"http: {headers: {X-Route: a, Cookie: b, User-Agent: mine}}")
	require.NoError(t, err)

	for _, kind := range []string{"gzip", "zstd", "snappy", "deflate"} {
		_, err = load(t, validYAML+"http: {compression: "+kind+"}")
		require.ErrorContains(t, err, "http::compression: compresses bodies of requests, and these requests have none")
	}
	for _, kind := range []string{"none", `""`} {
		_, err = load(t, validYAML+"http: {compression: "+kind+"}")
		require.NoError(t, err)
	}
}

var (
	oddProxies = []string{
		"proxy.example.com", "10.0.0.1:3128", "//proxy.example.com:3128", "/", " ", "http://", "http:///", "http://:3128", "http://%zz", "http://h%zz:3128",
		"http://u:PASS#x@h:3128", "http://u:PASS/x@h:3128", "http://u:PASS?x@h:3128", "http://u:PA SS@h:3128", "http://u:PASS%zz@h:3128", "http://u:PASS@", "http://u:PASS@:3128",
		"http://h:PASS", "http://h:99999", "http://h:0", "http://h:3128/PASS", "http://h:3128?PASS", "http://h:3128#PASS", "http://http://h:3128", "ftp://h:3128", "http:h:3128",
		"http://h:3128\n", "'http://h:3128'", "http://[::1", "http://::1:3128",
	}
	goodProxies = []string{
		"http://proxy.example.com:3128", "http://proxy.example.com", "https://10.0.0.1:3128/", "http://[2001:db8::1]:3128", "http://u:p%20w@h:3128", "socks5://h:1080", "socks5h://h:1080", "HTTP://h:3128",
	}
)

// An odd proxy_url is refused by validation, and none of it is quoted.
func TestProxyURLForms(t *testing.T) {
	for _, proxy := range append([]string{"proxy.example.com:3128", "u:PASS@h:3128"}, oddProxies...) {
		cfg, err := load(t, validYAML)
		require.NoError(t, err)
		cfg.HTTP.ProxyURL = proxy
		err = confmap.Validate(cfg)
		require.ErrorContains(t, err, "http::proxy_url: not an absolute URL such as http://proxy.example.com:3128", "%q", proxy)
		assert.NotContains(t, err.Error(), "PASS", "%q", proxy)
		assert.Equal(t, 1, strings.Count(err.Error(), "proxy_url"), "%q", proxy)
	}
	for _, proxy := range goodProxies {
		_, err := load(t, validYAML+"http: {proxy_url: '"+proxy+"'}")
		require.NoError(t, err, proxy)
	}
}

// A broken proxy variable stops Start, since Go would ignore it and connect
// directly; none of it is quoted.
func TestProxyVariables(t *testing.T) {
	for _, name := range []string{"HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy"} {
		t.Setenv(name, "")
	}
	cfg, err := load(t, validYAML)
	require.NoError(t, err)
	for _, name := range []string{"HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy"} {
		for _, proxy := range oddProxies {
			if proxy == "proxy.example.com" || proxy == "10.0.0.1:3128" {
				continue // these need no scheme here
			}
			t.Setenv(name, proxy)
			_, _, err := Connect(t.Context(), cfg, "test")
			require.ErrorContains(t, err, name+": not a proxy's address such as http://proxy.example.com:3128", "%q", proxy)
			assert.NotContains(t, err.Error(), "PASS")
		}
		for _, proxy := range append([]string{"proxy.example.com:3128", "u:p@h:3128", "proxy.example.com"}, goodProxies...) {
			t.Setenv(name, proxy)
			_, closeClient, err := Connect(t.Context(), cfg, "test")
			require.NoError(t, err, proxy)
			closeClient()
		}
		t.Setenv(name, "http://%zz")
		cfg.HTTP.ProxyURL = "http://proxy.example.com:3128"
		_, closeClient, err := Connect(t.Context(), cfg, "test")
		require.NoError(t, err, "the variables do not count beside proxy_url")
		closeClient()
		cfg.HTTP.ProxyURL = ""
		t.Setenv(name, "")
	}
}

// An IPv6 address in download::allowed_hosts matches itself, in the form in which
// it is written and in the usual one.
func TestAllowedIPv6Hosts(t *testing.T) {
	listener, err := net.Listen("tcp", "[::1]:0")
	if err != nil {
		t.Skip("no IPv6 on this machine: ", err)
	}
	storage := &httptest.Server{Listener: listener, Config: &http.Server{
		Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("{}\n")) }),
	}}
	storage.Start()
	defer storage.Close()
	_, port, err := net.SplitHostPort(listener.Addr().String())
	require.NoError(t, err)
	for _, tt := range []struct{ allowed, host string }{
		{"::1", "[::1]"},
		{"[::1]", "[::1]"},
		{"0:0:0:0:0:0:0:1", "[::1]"},
		{"[0:0:0:0:0:0:0:1]", "[::1]"},
		{"0:0:0:0:0:0:0:1", "[0:0:0:0:0:0:0:1]"},
		{"[0:0:0:0:0:0:0:1]", "[0:0:0:0:0:0:0:1]"},
		{"0::0001", "[0::0001]"},
		{"::0.0.0.1", "[::1]"},
	} {
		api := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Location", "http://"+tt.host+":"+port+"/file")
			w.WriteHeader(http.StatusFound)
		}))
		cfg, err := load(t, validYAML+"http: {endpoint: '"+api.URL+"'}\ndownload: {allowed_hosts: ['"+tt.allowed+"']}")
		require.NoError(t, err, tt.allowed)
		client, closeClient, err := Connect(t.Context(), cfg, "test")
		require.NoError(t, err)
		_, err = client.Download(t.Context(), compliance.File{ID: "file-1", Size: 3, SHA256: "ca3d163bab055381827226140568f3bef7eaac187cebd76878e0b63e9e442356"})
		require.NoError(t, err, tt)
		closeClient()
		api.Close()
	}
	for _, host := range []string{"[10.1.2.3]", "[::1", "::1]", "[]", "[a.example]", "[::1]:443"} {
		_, err := load(t, validYAML+"download: {allowed_hosts: ['"+host+"']}")
		require.ErrorContains(t, err, "download::allowed_hosts: ", host)
	}
}
