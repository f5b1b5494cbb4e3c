// Copyright The OpenTelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package receiver

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"go.opentelemetry.io/collector/confmap"
	"go.opentelemetry.io/collector/confmap/confmaptest"
)

const validYAML = `
api_key: sk-admin-test
workspace_id: 0f8fad5b-d9cb-469f-a165-70867728950e
event_types: [AUTH_LOG]
storage: file_storage
`

// load decodes and validates a section as the service does.
func load(t *testing.T, yaml string) (*Config, error) {
	t.Helper()
	conf, err := confmap.NewRetrievedFromYAML([]byte(yaml))
	require.NoError(t, err)
	section, err := conf.AsConf()
	require.NoError(t, err)
	cfg := NewDefaultConfig()
	if err := section.Unmarshal(cfg); err != nil {
		return nil, err
	}
	return cfg, confmap.Validate(cfg)
}

// replace swaps one line of validYAML, or adds one.
func replace(key, line string) string {
	var out []string
	for old := range strings.SplitSeq(strings.TrimSpace(validYAML), "\n") {
		if !strings.HasPrefix(old, key+":") {
			out = append(out, old)
		}
	}
	return strings.Join(append(out, line), "\n")
}

// Each fault is refused with an error that names its key and says what would be
// right, and never shows the key itself.
func TestConfigFaults(t *testing.T) {
	for name, tt := range map[string]struct {
		yaml string
		want []string
	}{
		"no key":                      {replace("api_key", ""), []string{"api_key: missing", "api_key_file"}},
		"empty key":                   {replace("api_key", `api_key: ""`), []string{"api_key: missing", "unset variable"}},
		"both keys":                   {validYAML + "api_key_file: /key", []string{"api_key, api_key_file: both"}},
		"key with a line break":       {replace("api_key", `api_key: "sk-\nsecret"`), []string{"api_key: holds a blank, a line break"}},
		"key with Bearer":             {replace("api_key", `api_key: Bearer sk-secret`), []string{`api_key: give the key alone`}},
		"no principal":                {replace("workspace_id", ""), []string{"workspace_id: missing", "organization_id"}},
		"both principals":             {validYAML + "organization_id: org-abc", []string{"workspace_id, organization_id: both"}},
		"workspace is no UUID":        {replace("workspace_id", "workspace_id: mine"), []string{`workspace_id: "mine" is not a UUID`}},
		"workspace is an org":         {replace("workspace_id", "workspace_id: org-abc"), []string{"workspace_id: this is an organization's id", "organization_id"}},
		"org is a workspace":          {replace("workspace_id", "organization_id: 0f8fad5b-d9cb-469f-a165-70867728950e"), []string{"organization_id: this is a workspace's id"}},
		"org is nothing like one":     {replace("workspace_id", "organization_id: acme"), []string{`organization_id: "acme" does not look like org-`}},
		"no event types":              {replace("event_types", ""), []string{"event_types: missing", "AUTH_LOG"}},
		"empty event types":           {replace("event_types", "event_types: []"), []string{"event_types: missing"}},
		"lower-case event type":       {replace("event_types", "event_types: [auth_log]"), []string{`event_types: "auth_log"`, "capitals"}},
		"event type twice":            {replace("event_types", "event_types: [AUTH_LOG, AUTH_LOG]"), []string{"event_types: AUTH_LOG is listed twice"}},
		"costs of a workspace":        {replace("event_types", "event_types: [COSTS]"), []string{"event_types: COSTS exists for organizations only"}},
		"auth log of an organization": {replace("workspace_id", "organization_id: org-abc"), []string{"event_types: AUTH_LOG exists for workspaces only"}},
		"no storage":                  {replace("storage", ""), []string{"storage: missing", "allow_ephemeral_cursor"}},
		"bad missing state":           {validYAML + "on_missing_state: ask", []string{`on_missing_state: "ask" is not one of start, fail`}},
		"bad start":                   {validYAML + "start_from: yesterday", []string{`start_from: "yesterday" is not`, "RFC 3339", "beginning"}},
		"start without a zone":        {validYAML + `start_from: "2026-01-31T00:00:00"`, []string{"start_from:", "zone"}},
		"start in the future":         {validYAML + "start_from: 24h", []string{"start_from:", "in the future", `"-24h"`}},
		"rounded start ahead":         {validYAML + `start_from: "+2d@d"`, []string{"start_from:", "in the future", `"-2d@d"`}},
		"start with a wrong unit":     {validYAML + "start_from: -3min", []string{`start_from: "-3min" has the unknown unit "min"; units are s, m, h, d, w, mon, q, y`}},
		"start in a far year":         {validYAML + "start_from: 2999-01-01T00:00:00Z", []string{"start_from:", "is in the future"}},
		"list without a bound":        {validYAML + "http: {timeout: 0s}", []string{"http::timeout: 0s must be greater than 0"}},
		"plain http over a proxy":     {validYAML + "http: {endpoint: 'http://127.0.0.1:1/v1', proxy_url: 'http://proxy.example'}", []string{"http::proxy_url"}},
		"start as a list":             {validYAML + "start_from: [1]", []string{"start_from: expected"}},
		"start with a fraction":       {validYAML + "start_from: -1.5", []string{"start_from:", "whole number"}},
		"poll interval zero":          {validYAML + "poll_interval: 0s", []string{"poll_interval: 0s must be greater"}},
		"until before start":          {validYAML + "until: -48h", []string{"until:", "not later than start_from"}},
		"until of words":              {validYAML + "until: later", []string{"until:", "RFC 3339"}},
		"negative poll_timeout":       {validYAML + "poll_timeout: -1s", []string{"poll_timeout:", "must not be negative"}},
		"negative max_pages":          {validYAML + "max_pages: -1", []string{"max_pages:", "must not be negative"}},
		"replay without name":         {validYAML + "replay: [{from: -7d, to: now}]", []string{"replay::0: name:", "once for each name"}},
		"replay of two names":         {validYAML + "replay: [{name: a, from: -7d, to: now}, {name: a, from: -8d, to: now}]", []string{"replay::1: name:", "used twice"}},
		"replay without bounds":       {validYAML + "replay: [{name: a}]", []string{"replay::0: from: missing", "to: missing"}},
		"replay backwards":            {validYAML + "replay: [{name: a, from: -1d, to: -7d}]", []string{"replay::0: to:", "not later than from"}},
		"replay of the future":        {validYAML + "replay: [{name: a, from: -1d, to: +1d}]", []string{"replay::0: to:", "is in the future"}},
		"replay of a wrong type":      {validYAML + "replay: [{name: a, from: -7d, to: now, event_types: [COSTS]}]", []string{"replay::0: event_types: COSTS exists for organizations only"}},
		"replay with a wrong key":     {validYAML + "replay: [{name: a, from: -7d, until: now}]", []string{"replay", "until"}},
		"interval and schedule":       {validYAML + "poll_interval: 5m\nschedule: '*/10 * * * *'", []string{"poll_interval, schedule: both are set"}},
		"schedule of words":           {validYAML + "schedule: often", []string{`schedule: "often" cannot be read`, `like "*/10 * * * *"`}},
		"schedule with seconds":       {validYAML + "schedule: '0 */10 * * * *'", []string{"schedule:", "expected exactly 5 fields, found 6"}},
		"schedule beyond its bounds":  {validYAML + "schedule: '61 * * * *'", []string{"schedule:", "above maximum (59)"}},
		"schedule of an interval":     {validYAML + "schedule: '@every 5m'", []string{"schedule:", "write it under poll_interval"}},
		"schedule that never comes":   {validYAML + "schedule: 0 0 30 2 *", []string{"schedule:", "never comes"}},
		"schedule once a year":        {validYAML + "schedule: '@yearly'", []string{`schedule: "@yearly" has no time for more than four weeks`, "forgets files after 30 days"}},
		"schedule of one month":       {validYAML + "schedule: '0 * * 1 *'", []string{"schedule:", "no time for more than four weeks"}},
		"schedule once a month":       {validYAML + "schedule: '@monthly'", []string{"schedule:", "no time for more than four weeks"}},
		"poll interval of a month":    {validYAML + "poll_interval: 720h", []string{"poll_interval: 720h0m0s is longer than 672h0m0s"}},
		"schedule of a zone alone":    {validYAML + "schedule: CRON_TZ=UTC", []string{"schedule:", "has no fields"}},
		"schedule of no zone":         {validYAML + "schedule: CRON_TZ= * * * * *", []string{"schedule:", "names no time zone"}},
		"schedule of a wrong zone":    {validYAML + "schedule: CRON_TZ=Europe/Bonn * * * * *", []string{"schedule:", `names "Europe/Bonn", which is not a time zone`}},
		"schedule of two zones":       {validYAML + "schedule: CRON_TZ=UTC TZ=UTC * * * * *", []string{"schedule:", "more than one time zone"}},
		"negative delay":              {validYAML + "initial_delay: -1s", []string{"initial_delay: -1s must not be negative"}},
		"overlap beyond retention":    {validYAML + "overlap: 1000h", []string{"overlap: 1000h0m0s must be between"}},
		"bad permanent choice":        {validYAML + "on_permanent_error: ignore", []string{`on_permanent_error: "ignore" is not one of quarantine, drop, block`}},
		"bad body":                    {validYAML + "body: xml", []string{`body: "xml" is not one of raw, parsed`}},
		"bad content mode":            {validYAML + "content: {mode: mask}", []string{`content::mode: "mask" is not one of keep, hmac, drop`}},
		"hmac without a key":          {validYAML + "content: {mode: hmac}", []string{"content::hmac_key: missing", "openssl rand"}},
		"hmac with an empty key":      {validYAML + `content: {mode: hmac, hmac_key: ""}`, []string{"content::hmac_key: missing", "unset variable"}},
		"hmac with a short key":       {validYAML + "content: {mode: hmac, hmac_key: secret}", []string{"content::hmac_key: 6 bytes are too few", "32"}},
		"drop with a short key":       {validYAML + "content: {mode: drop, hmac_key: secret}", []string{"content::hmac_key: 6 bytes are too few"}},
		"key without withholding":     {validYAML + "content: {hmac_key: secret-000102030405060708090a0b0c0d}", []string{"content::hmac_key: has no use with mode keep"}},
		"unknown key in content":      {validYAML + "content: {paths: []}", []string{"paths"}},
		"bad own requests":            {validYAML + "own_requests: drop", []string{`own_requests: "drop" is not one of keep, mark`}},
		"status that is no error":     {validYAML + "api_retry: {status_codes: [200]}", []string{"api_retry::status_codes: 200"}},
		"status 401":                  {validYAML + "api_retry: {status_codes: [401]}", []string{"api_retry::status_codes: 401 is not tried again"}},
		"retry-after cap zero":        {validYAML + "api_retry: {max_retry_after: 0s}", []string{"api_retry::max_retry_after"}},
		"negative back-off":           {validYAML + "retry_on_failure: {initial_interval: -1s}", []string{"retry_on_failure", "initial_interval"}},
		"negative API back-off":       {validYAML + "api_retry: {initial_interval: -1s}", []string{"api_retry", "initial_interval"}},
		"batch of nothing":            {validYAML + "batch: {max_records: 0}", []string{"batch::max_records: 0 must be greater"}},
		"no file size":                {validYAML + "download: {max_file_size: -1}", []string{"download::max_file_size: -1"}},
		"no memory":                   {validYAML + "download: {memory_limit: 0}", []string{"download::memory_limit: 0"}},
		"no stall timeout":            {validYAML + "download: {stall_timeout: 0s}", []string{"download::stall_timeout"}},
		"host with a scheme":          {validYAML + "download: {allowed_hosts: ['https://a.example']}", []string{"download::allowed_hosts", "leave out scheme"}},
		"numeric host":                {validYAML + "download: {allowed_hosts: ['127.1']}", []string{`download::allowed_hosts: "127.1" is a number or an unusual form of an address`}},
		"host never dialed":           {validYAML + "download: {allowed_hosts: [169.254.169.254]}", []string{`download::allowed_hosts: "169.254.169.254" is refused: cloud metadata address, never dialed`}},
		"private host":                {validYAML + "download: {allowed_hosts: [10.1.2.3]}", []string{`download::allowed_hosts: "10.1.2.3" is refused: private address; add its network to download::allowed_networks`}},
		"network that is none":        {validYAML + "download: {allowed_networks: [10.1.2.3]}", []string{`download::allowed_networks: "10.1.2.3" is not a network such as`}},
		"network never dialed":        {validYAML + "download: {allowed_networks: [10.0.0.0/8, 169.254.0.0/16]}", []string{`download::allowed_networks: "169.254.0.0/16" is link-local (169.254.0.0/16), which is never dialed`}},
		"all networks":                {validYAML + "download: {allowed_networks: ['0.0.0.0/0']}", []string{`download::allowed_networks: "0.0.0.0/0" is not a private network`}},
		"negative window":             {validYAML + "deduplication: {window: -1h}", []string{"deduplication::window: -1h0m0s must be between"}},
		"no events remembered":        {validYAML + "deduplication: {max_events: 0}", []string{"deduplication::max_events: 0 must be greater"}},
		"bad verify":                  {validYAML + "download: {verify: off}", []string{"download::verify"}},
		"negative rate":               {validYAML + "rate_limit: {lists_per_minute: -1}", []string{"rate_limit::lists_per_minute: -1"}},
		"plain http":                  {validYAML + "http: {endpoint: 'http://api.example/v1'}", []string{"http::endpoint: plain http"}},
		"endpoint with a user":        {validYAML + "http: {endpoint: 'https://me:secret@api.example/v1'}", []string{"http::endpoint: must not hold user information"}},
		"endpoint with a query":       {validYAML + "http: {endpoint: 'https://api.example/v1?secret=1'}", []string{"http::endpoint: must not hold a query"}},
		"endpoint that is no URL":     {validYAML + "http: {endpoint: api.example}", []string{"http::endpoint: not an absolute URL"}},
		"http auth":                   {validYAML + "http: {auth: {authenticator: oauth2client}}", []string{"http::auth: not supported"}},
		"authorization header":        {validYAML + "http: {headers: {authorization: Bearer secret}}", []string{"http::headers: Authorization is set by the receiver"}},
		"unknown key":                 {validYAML + "evnt_types: [AUTH_LOG]", []string{"evnt_types"}},
		"unknown key in batch":        {validYAML + "batch: {size: 1}", []string{"size"}},
		"unknown key in api_retry":    {validYAML + "api_retry: {bogus: 1}", []string{"bogus"}},
		"unknown key in http":         {validYAML + "http: {tiemout: 1s}", []string{"http", "tiemout"}},
		"unknown key in http tls":     {validYAML + "http: {tls: {ca_flie: /x}}", []string{"http", "ca_flie"}},
		"unknown key in keepalive":    {validYAML + "http: {keepalive: {bogus: 1}}", []string{"http", "bogus"}},
		"embedded http key":           {validYAML + "endpoint: https://api.example", []string{"endpoint"}},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := load(t, tt.yaml)
			require.Error(t, err)
			for _, want := range tt.want {
				require.ErrorContains(t, err, want)
			}
			assert.NotContains(t, err.Error(), "secret")
			assert.NotContains(t, err.Error(), "sk-admin-test")
		})
	}
}

// One run of validation reports every fault, each once.
func TestConfigReportsAllFaultsAtOnce(t *testing.T) {
	_, err := load(t, `
workspace_id: mine
event_types: [COSTS, auth_log]
start_from: tomorrow
batch: {max_records: 0}
content: {mode: hmac}
own_requests: never
api_retry: {initial_interval: -1s}
http: {endpoint: "http://api.example"}
`)
	require.Error(t, err)
	for _, key := range []string{"api_key: missing", "workspace_id:", `"auth_log"`, "storage: missing", "start_from:", "batch::max_records", "content::hmac_key", "own_requests:", "initial_interval", "http::endpoint"} {
		assert.Equal(t, 1, strings.Count(err.Error(), key), "%s in:\n%s", key, err)
	}
}

// Every documented key reaches its field.
func TestConfigLoadsEveryKey(t *testing.T) {
	conf, err := confmaptest.LoadConf("../testdata/config.yaml")
	require.NoError(t, err)
	section, err := conf.Sub("receivers::openai_compliance/all")
	require.NoError(t, err)
	cfg := NewDefaultConfig()
	require.NoError(t, section.Unmarshal(cfg))
	require.NoError(t, confmap.Validate(cfg))

	assert.Equal(t, "/run/secrets/key", cfg.APIKeyFile)
	assert.Equal(t, "org-p13k3klgno5cqxbf0q8hpgrk", cfg.OrganizationID)
	assert.Equal(t, []string{"COSTS", "APP_LOG"}, cfg.EventTypes)
	assert.Equal(t, "file_storage/compliance", cfg.StorageID.String())
	assert.Equal(t, missingStateFail, cfg.OnMissingState)
	assert.Equal(t, "beginning", cfg.StartFrom)
	assert.Equal(t, 10*time.Minute, cfg.PollInterval)
	assert.Equal(t, 2*time.Second, cfg.InitialDelay)
	assert.Equal(t, 2*time.Hour, cfg.Overlap)
	assert.Equal(t, DeduplicationConfig{Window: 12 * time.Hour, MaxEvents: 5000}, cfg.Deduplication)
	assert.Equal(t, RateLimitConfig{DownloadsPerMinute: 40, ListsPerMinute: 30}, cfg.RateLimit)
	assert.Equal(t, []int{429, 503}, cfg.APIRetry.StatusCodes)
	assert.False(t, cfg.APIRetry.HonorRetryAfter)
	assert.Equal(t, time.Minute, cfg.APIRetry.MaxRetryAfter)
	assert.Equal(t, 3*time.Second, cfg.APIRetry.BackOff.InitialInterval)
	assert.Equal(t, 7*time.Second, cfg.RetryOnFailure.InitialInterval)
	assert.Equal(t, permanentDrop, cfg.OnPermanentError)
	assert.Equal(t, BatchConfig{MaxRecords: 500, MaxBytes: 65536}, cfg.Batch)
	assert.Equal(t, []string{"*.blob.example.com", "10.1.2.3"}, cfg.Download.AllowedHosts)
	assert.Equal(t, []string{"10.1.2.0/24", "fd12:3456::/32"}, cfg.Download.AllowedNetworks)
	assert.Equal(t, int64(1<<20), cfg.Download.MaxFileSize)
	assert.Equal(t, int64(2<<20), cfg.Download.MemoryLimit)
	assert.Equal(t, 2, cfg.Download.Concurrency)
	assert.Equal(t, verifyStrict, cfg.Download.Verify)
	assert.Equal(t, 20*time.Second, cfg.Download.StallTimeout)
	assert.Equal(t, time.Minute, cfg.Download.Timeout)
	assert.Equal(t, bodyParsed, cfg.Body)
	assert.Equal(t, ContentConfig{Mode: "drop", HMACKey: "000102030405060708090a0b0c0d0e0f"}, cfg.Content)
	assert.Equal(t, ownKeep, cfg.OwnRequests)
	assert.Equal(t, 10*time.Second, cfg.HTTP.Timeout)
	assert.Equal(t, "https://gateway.example.com/v1/compliance", cfg.HTTP.Endpoint)
	assert.Equal(t, "http://proxy.example.com:3128", cfg.HTTP.ProxyURL)
}

// Bounds of a replay may be what YAML makes of an unquoted time or number.
func TestReplayBoundsOfYAML(t *testing.T) {
	cfg, err := load(t, validYAML+"replay: [{name: a, from: 2026-01-31T00:00:00Z, to: -3600}]\nuntil: 2099-01-01T00:00:00Z")
	require.NoError(t, err)
	assert.Equal(t, "2026-01-31T00:00:00Z", cfg.Replay[0].From)
	assert.Equal(t, "-3600", cfg.Replay[0].To)
	assert.Equal(t, "2099-01-01T00:00:00Z", cfg.Until)
}

// A schedule loads beside the default of poll_interval, and beside an empty
// schedule a written one.
func TestConfigLoadsSchedule(t *testing.T) {
	cfg, err := load(t, validYAML+`schedule: "*/10 * * * *"`)
	require.NoError(t, err)
	assert.Equal(t, "*/10 * * * *", cfg.Schedule)
	for _, schedule := range []string{"@weekly", "0 0 1,15 * *", "0 0 * * 1", "30 6-20/2 * * MON-FRI", "CRON_TZ=Pacific/Apia @daily"} {
		_, err = load(t, validYAML+`schedule: "`+schedule+`"`)
		require.NoError(t, err, schedule)
	}
	_, err = load(t, validYAML+"poll_interval: 1m\nschedule: \"\"")
	require.NoError(t, err)
}

// A type that this build does not know is accepted, since the API's list is open.
func TestConfigAcceptsUnknownEventTypes(t *testing.T) {
	cfg, err := load(t, replace("event_types", "event_types: [NEW_THING_2]"))
	require.NoError(t, err)
	assert.Equal(t, []string{"NEW_THING_2"}, cfg.EventTypes)
}

// The key shows in no form of the configuration.
func TestConfigHidesTheKey(t *testing.T) {
	cfg, err := load(t, validYAML+"content: {mode: hmac, hmac_key: 000102030405060708090a0b0c0d0e0f}")
	require.NoError(t, err)
	conf := confmap.New()
	require.NoError(t, conf.Marshal(cfg))
	assert.NotContains(t, conf.ToStringMap()["api_key"], "sk-admin-test")
	assert.NotContains(t, fmt.Sprint(conf.ToStringMap()), "000102030405")
	assert.Equal(t, "sk-admin-test", string(cfg.APIKey))
}

func TestStartFromForms(t *testing.T) {
	now := time.Date(2026, 8, 2, 12, 0, 0, 0, time.UTC)
	for yaml, want := range map[string]time.Time{
		"start_from: 2026-08-01T00:00:00Z":        time.Date(2026, 8, 1, 0, 0, 0, 0, time.UTC),
		`start_from: "2026-08-01T02:00:00+02:00"`: time.Date(2026, 8, 1, 0, 0, 0, 0, time.UTC),
		"start_from: 2026-08-01":                  time.Date(2026, 8, 1, 0, 0, 0, 0, time.UTC),
		`start_from: "2026-08-01"`:                time.Date(2026, 8, 1, 0, 0, 0, 0, time.UTC),
		"start_from: 2026-08-01T00:00:00.123456Z": time.Date(2026, 8, 1, 0, 0, 0, 123456000, time.UTC),
		"start_from: -24h":                        now.Add(-24 * time.Hour),
		"start_from: -7d":                         now.Add(-7 * 24 * time.Hour),
		"start_from: -2w":                         now.Add(-14 * 24 * time.Hour),
		"start_from: -1h30m":                      now.Add(-90 * time.Minute),
		"start_from: -3600":                       now.Add(-time.Hour),
		"start_from: 0":                           now,
		`start_from: "-90s"`:                      now.Add(-90 * time.Second),
		`start_from: "@d"`:                        now.Add(-12 * time.Hour),
		"start_from: -1mon@mon":                   time.Date(2026, 7, 1, 0, 0, 0, 0, time.UTC),
		"start_from: now":                         now,
		"start_from: beginning":                   now.Add(-30 * 24 * time.Hour),
	} {
		t.Run(yaml, func(t *testing.T) {
			cfg, err := load(t, validYAML+yaml)
			require.NoError(t, err)
			got, err := resolveStartFrom(cfg.StartFrom, now)
			require.NoError(t, err)
			assert.Equal(t, want, got)
		})
	}
}

// until takes the forms of start_from, may be in the future, and must be later than
// start_from; faults of both are reported at once.
func TestUntilForms(t *testing.T) {
	now := time.Date(2026, 8, 2, 12, 0, 0, 0, time.UTC)
	from := now.Add(-24 * time.Hour)
	for text, want := range map[string]time.Time{
		"":                     {},
		"now":                  now,
		"-1h":                  now.Add(-time.Hour),
		"@d":                   now.Add(-12 * time.Hour),
		"+2d":                  now.Add(48 * time.Hour),
		"2026-08-02T00:00:00Z": now.Add(-12 * time.Hour),
		"2027-01-01":           time.Date(2027, 1, 1, 0, 0, 0, 0, time.UTC),
	} {
		got, err := resolveUntil(text, from, now)
		require.NoError(t, err, text)
		assert.Equal(t, want, got, text)
	}
	for text, want := range map[string]string{
		"-2d":    `"-2d" is 2026-07-31T12:00:00Z, which is not later than start_from, 2026-08-01T12:00:00Z: nothing would be collected`,
		"-24h":   "not later than start_from",
		"friday": `"friday" is not an RFC 3339 time`,
	} {
		_, err := resolveUntil(text, from, now)
		require.ErrorContains(t, err, want, text)
	}
	err := validateTimes("tomorrow", "-40d", now)
	require.ErrorContains(t, err, `start_from: "tomorrow"`)
	require.ErrorContains(t, err, `until: "-40d"`)
	require.NoError(t, validateTimes("-24h", "", now))
}
