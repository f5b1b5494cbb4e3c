// Copyright The OpenTelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package receiver

import (
	"time"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/config/confighttp"
	"go.opentelemetry.io/collector/config/configopaque"
	"go.opentelemetry.io/collector/config/configretry"

	"github.com/openaicompliance/openaicompliancereceiver/internal/record"
)

// DefaultEndpoint is the base of the log routes, from OpenAI's published
// OpenAPI description.
const DefaultEndpoint = "https://api.chatgpt.com/v1/compliance"

// Config of one receiver: one key, one principal, the event types wanted of it.
// README.md holds the reference table.
type Config struct {
	// APIKey or APIKeyFile, exactly one. The file is read again for every poll, so a
	// rotated key needs no restart.
	APIKey     configopaque.String `mapstructure:"api_key"`
	APIKeyFile string              `mapstructure:"api_key_file"`

	// WorkspaceID (a UUID) or OrganizationID (org-…), exactly one.
	WorkspaceID    string `mapstructure:"workspace_id"`
	OrganizationID string `mapstructure:"organization_id"`

	// EventTypes to collect; each has a stream and a position of its own.
	EventTypes []string `mapstructure:"event_types"`

	// StorageID names the extension that keeps the positions.
	StorageID *component.ID `mapstructure:"storage"`
	// AllowEphemeralCursor permits running without storage: a restart then
	// begins at StartFrom again.
	AllowEphemeralCursor bool `mapstructure:"allow_ephemeral_cursor"`
	// OnMissingState says what a stream without stored state is: "start" for a
	// first run, "fail" for a fault that stops Start.
	OnMissingState string `mapstructure:"on_missing_state"`

	// StartFrom is where a first run begins, in file time: RFC 3339, a span
	// back from now ("-24h", "-7d@d", a number of seconds) or "beginning"; see
	// internal/timespec for all forms.
	StartFrom string `mapstructure:"start_from"`

	// Until is the upper bound in file time, in the same forms; empty for none. A
	// stream ends once everything up to it is collected.
	Until string `mapstructure:"until"`

	// PollInterval is the time from the begin of one pass over a stream's
	// listing to the next.
	PollInterval time.Duration `mapstructure:"poll_interval"`
	// Schedule names the times of the passes instead: a cron schedule, in UTC
	// unless CRON_TZ= stands before it. Only one of the two may be written.
	Schedule string `mapstructure:"schedule"`
	// pollIntervalWritten tells a written interval from the default.
	pollIntervalWritten bool
	// InitialDelay is the wait before the first pass.
	InitialDelay time.Duration `mapstructure:"initial_delay"`
	// PollTimeout is the longest time that one pass may take, MaxPages how many
	// pages with anything new it may list; 0 is no limit. The next pass goes on
	// where one was cut.
	PollTimeout time.Duration `mapstructure:"poll_timeout"`
	MaxPages    int           `mapstructure:"max_pages"`
	// Overlap is how far behind its position every pass lists again, for files
	// that appear late.
	Overlap time.Duration `mapstructure:"overlap"`

	// Deduplication drops events that were delivered before.
	Deduplication DeduplicationConfig `mapstructure:"deduplication"`

	// RateLimit bounds the requests of all streams together.
	RateLimit RateLimitConfig `mapstructure:"rate_limit"`

	// APIRetry rules the requests to the API, RetryOnFailure the next consumer.
	APIRetry       APIRetryConfig            `mapstructure:"api_retry"`
	RetryOnFailure configretry.BackOffConfig `mapstructure:"retry_on_failure"`
	// OnPermanentError is "quarantine" (keep the batch for later tries and go
	// on), "drop" or "block" (hold the stream and try again).
	OnPermanentError string `mapstructure:"on_permanent_error"`

	Batch    BatchConfig    `mapstructure:"batch"`
	Download DownloadConfig `mapstructure:"download"`

	// Body of the log records: "raw", the exact line, or "parsed", a map.
	Body string `mapstructure:"body"`
	// Content says what stands in the place of what people and models wrote.
	Content ContentConfig `mapstructure:"content"`
	// Digest says how often a digest of what was delivered becomes a record of its own.
	Digest DigestConfig `mapstructure:"digest"`
	// OwnRequests is "mark" or "keep", for the AUDIT_LOG records that the
	// receiver's own requests cause.
	OwnRequests string `mapstructure:"own_requests"`

	// Replay collects stretches of time again, beside everything else.
	Replay []ReplayConfig `mapstructure:"replay"`

	// HTTP is a named field on purpose: embedded, its Unmarshal would be
	// promoted and decode nothing but the HTTP keys.
	HTTP confighttp.ClientConfig `mapstructure:"http"`

	// faults are values that could not be decoded as they are meant; trimmed are the
	// keys whose values were trimmed. Unmarshal sets both.
	faults  []error
	trimmed []string

	// prevent unkeyed literal initialization
	_ struct{}
}

// ReplayConfig is one stretch of file time that is collected again, once for each
// name, with a position of its own. Its records carry the name.
type ReplayConfig struct {
	// Name of the replay: letters, digits, dots, underscores, hyphens.
	Name string `mapstructure:"name"`
	// From and To bound it, in the forms of StartFrom; they are fixed when it
	// begins.
	From string `mapstructure:"from"`
	To   string `mapstructure:"to"`
	// EventTypes of it; all that are collected where there are none.
	EventTypes []string `mapstructure:"event_types"`
	// faults are those of Config, of this entry.
	faults []error
	// prevent unkeyed literal initialization
	_ struct{}
}

// DeduplicationConfig bounds what is remembered of delivered events. An event is
// dropped when its id and its very bytes were delivered within the window.
type DeduplicationConfig struct {
	// Window reaches back in file time from the file in delivery; 0 turns
	// deduplication off.
	Window time.Duration `mapstructure:"window"`
	// MaxEvents over the whole receiver, shared out evenly to its event types.
	MaxEvents int `mapstructure:"max_events"`
	// prevent unkeyed literal initialization
	_ struct{}
}

// RateLimitConfig is how many requests may begin in any 60 seconds; 0 is no
// limit. The API's own limit counts per key, so it holds for other clients too.
type RateLimitConfig struct {
	DownloadsPerMinute int `mapstructure:"downloads_per_minute"`
	ListsPerMinute     int `mapstructure:"lists_per_minute"`
	// prevent unkeyed literal initialization
	_ struct{}
}

// APIRetryConfig says which failures of a request are tried again, and when.
type APIRetryConfig struct {
	BackOff BackOff `mapstructure:",squash"`
	// StatusCodes that are tried again. 401 and 403 never are within a pass.
	StatusCodes []int `mapstructure:"status_codes"`
	// HonorRetryAfter waits as long as the server's Retry-After asks, at most
	// MaxRetryAfter.
	HonorRetryAfter bool          `mapstructure:"honor_retry_after"`
	MaxRetryAfter   time.Duration `mapstructure:"max_retry_after"`
	// prevent unkeyed literal initialization
	_ struct{}
}

// BackOff is configretry.BackOffConfig without its methods: the Collector would
// report the faults of the original under the field's name, which is no key.
type BackOff configretry.BackOffConfig

// BatchConfig bounds what one ConsumeLogs call carries. A single line above
// MaxBytes is a batch of its own.
type BatchConfig struct {
	MaxRecords int `mapstructure:"max_records"`
	MaxBytes   int `mapstructure:"max_bytes"`
	// prevent unkeyed literal initialization
	_ struct{}
}

// DownloadConfig bounds the download of files. Sizes are bytes.
type DownloadConfig struct {
	// Timeout of one whole download, StallTimeout of one read within it.
	Timeout      time.Duration `mapstructure:"timeout"`
	StallTimeout time.Duration `mapstructure:"stall_timeout"`
	// MaxFileSize is the largest file accepted; MemoryLimit bounds the files held by
	// all streams together, with the batches made of them. One that takes more is
	// held alone.
	MaxFileSize int64 `mapstructure:"max_file_size"`
	MemoryLimit int64 `mapstructure:"memory_limit"`
	// Concurrency is how many downloads run at once over all streams.
	Concurrency int `mapstructure:"concurrency"`
	// AllowedHosts, when set, are the only hosts a signed URL may point to.
	// "*.example.com" stands for every subdomain.
	AllowedHosts []string `mapstructure:"allowed_hosts"`
	// AllowedNetworks are the private networks, as CIDRs, that a signed URL may
	// reach. Without them it reaches public addresses alone.
	AllowedNetworks []string `mapstructure:"allowed_networks"`
	// Verify says what becomes of a file of the listed size with another digest than
	// listed: "strict" quarantines it, "lenient" delivers it marked when the same
	// bytes came in two fetches at least five minutes apart.
	Verify string `mapstructure:"verify"`
	// prevent unkeyed literal initialization
	_ struct{}
}

// ContentConfig is the treatment of content: prompts, replies, titles, file
// names, tool input and output and all that no table of ours knows.
type ContentConfig struct {
	// Mode is "keep", "hmac" (a keyed digest in the place of content) or "drop".
	Mode string `mapstructure:"mode"`
	// HMACKey is needed for hmac, and allowed with drop, where it makes the
	// digest of lines that cannot be read.
	HMACKey configopaque.String `mapstructure:"hmac_key"`
	// prevent unkeyed literal initialization
	_ struct{}
}

// Values of on_missing_state, on_permanent_error, body and own_requests.
const (
	missingStateStart = "start"
	missingStateFail  = "fail"
	permanentBlock    = "block"
	permanentDrop     = "drop"

	permanentQuarantine = "quarantine"

	bodyRaw       = "raw"
	bodyParsed    = "parsed"
	ownKeep       = "keep"
	ownMark       = "mark"
	verifyLenient = "lenient"
	verifyStrict  = "strict"
)

// NewDefaultConfig returns the configuration before any key is set.
func NewDefaultConfig() *Config {
	http := confighttp.NewDefaultClientConfig()
	http.Endpoint = DefaultEndpoint
	http.Timeout = 30 * time.Second

	apiRetry := configretry.NewDefaultBackOffConfig()
	apiRetry.InitialInterval = time.Second

	consumer := configretry.NewDefaultBackOffConfig()
	consumer.MaxElapsedTime = 0

	return &Config{
		OnMissingState: missingStateStart,
		StartFrom:      "-24h",
		PollInterval:   5 * time.Minute,
		InitialDelay:   time.Second,
		Overlap:        time.Hour,
		Deduplication:  DeduplicationConfig{Window: 24 * time.Hour, MaxEvents: 1_000_000},
		RateLimit:      RateLimitConfig{DownloadsPerMinute: 100, ListsPerMinute: 60},
		APIRetry: APIRetryConfig{
			BackOff:         BackOff(apiRetry),
			StatusCodes:     []int{408, 429, 500, 502, 503, 504},
			HonorRetryAfter: true,
			MaxRetryAfter:   15 * time.Minute,
		},
		RetryOnFailure:   consumer,
		OnPermanentError: permanentQuarantine,
		Batch:            BatchConfig{MaxRecords: 1000, MaxBytes: 1 << 20},
		Download: DownloadConfig{
			Timeout:      5 * time.Minute,
			StallTimeout: 30 * time.Second,
			MaxFileSize:  64 << 20,
			MemoryLimit:  48 << 20,
			Concurrency:  4,
			Verify:       verifyStrict,
		},
		Body:        bodyRaw,
		Content:     ContentConfig{Mode: string(record.ContentKeep)},
		OwnRequests: ownMark,
		HTTP:        http,
	}
}
