// Copyright The OpenTelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package receiver

import (
	"errors"
	"fmt"
	"math"
	"time"

	"go.opentelemetry.io/collector/config/confighttp"
	"go.opentelemetry.io/collector/config/configretry"
)

const (
	mebibyte = 1 << 20
	gibibyte = 1 << 30

	maxRequestsPerMinute = 100_000
	maxConnections       = 100_000
	maxHTTPBuffer        = 16 * mebibyte
	maxEventTypes        = 100
	maxReplays           = 100
	maxMultiplier        = 100
)

// numberBound is the range of a size or a count. most is far above any use: a typing
// error must not exhaust memory or overflow an integer.
type numberBound struct {
	key         string
	value       int64
	least, most int64
	zero        string // what 0 means, where it is no limit
}

// numberBounds are those of all sizes and counts.
func (c *Config) numberBounds() []numberBound {
	const noLimit = " (0 is no limit)"
	idle := c.keepalive()
	return []numberBound{
		{"max_pages", int64(c.MaxPages), 0, 1_000_000, noLimit},
		{"deduplication::max_events", int64(c.Deduplication.MaxEvents), 1, 20_000_000, "; deduplication::window: 0 turns deduplication off"},
		{"rate_limit::downloads_per_minute", int64(c.RateLimit.DownloadsPerMinute), 0, maxRequestsPerMinute, noLimit},
		{"rate_limit::lists_per_minute", int64(c.RateLimit.ListsPerMinute), 0, maxRequestsPerMinute, noLimit},
		{"batch::max_records", int64(c.Batch.MaxRecords), 1, 100_000, ""},
		{"batch::max_bytes", int64(c.Batch.MaxBytes), 1, 64 * mebibyte, ""},
		{"download::max_file_size", c.Download.MaxFileSize, 1, gibibyte, ""},
		{"download::memory_limit", c.Download.MemoryLimit, 1, 16 * gibibyte, ""},
		{"download::concurrency", int64(c.Download.Concurrency), 1, 64, ""},
		{"http::read_buffer_size", int64(c.HTTP.ReadBufferSize), 0, maxHTTPBuffer, ""},
		{"http::write_buffer_size", int64(c.HTTP.WriteBufferSize), 0, maxHTTPBuffer, ""},
		{"http::max_conns_per_host", int64(c.HTTP.MaxConnsPerHost), 0, maxConnections, ""},
		{"http::keepalive::max_idle_conns", int64(idle.MaxIdleConns), 0, maxConnections, ""},
		{"http::keepalive::max_idle_conns_per_host", int64(idle.MaxIdleConnsPerHost), 0, maxConnections, ""},
	}
}

// keepalive is what is in force of http::keepalive, and of the older keys for it.
func (c *Config) keepalive() confighttp.KeepaliveClientConfig {
	if set := c.HTTP.Keepalive.Get(); set != nil {
		return *set
	}
	//nolint:staticcheck // the older keys still count
	return confighttp.KeepaliveClientConfig{
		IdleConnTimeout: c.HTTP.IdleConnTimeout, MaxIdleConns: c.HTTP.MaxIdleConns, MaxIdleConnsPerHost: c.HTTP.MaxIdleConnsPerHost,
	}
}

func (b numberBound) check() error {
	switch {
	case b.value < b.least && b.least > 0:
		return fmt.Errorf("%s: %d must be greater than 0%s", b.key, b.value, b.zero)
	case b.value < b.least:
		return fmt.Errorf("%s: %d must not be negative%s", b.key, b.value, b.zero)
	case b.value > b.most:
		return fmt.Errorf("%s: %d is more than %d%s", b.key, b.value, b.most, inUnits(b.most))
	}
	return nil
}

// inUnits writes a round number of bytes.
func inUnits(bytes int64) string {
	switch {
	case bytes%gibibyte == 0:
		return fmt.Sprintf(" (%d GiB)", bytes/gibibyte)
	case bytes%mebibyte == 0:
		return fmt.Sprintf(" (%d MiB)", bytes/mebibyte)
	}
	return ""
}

// durationBound is a duration that is at most longestPause. The Collector checks that those
// of back-offs and of http are not negative, where they must not be.
type durationBound struct {
	key   string
	value time.Duration
	least leastDuration
}

type leastDuration int

const (
	anyDuration leastDuration = iota
	notNegative
	positive
)

// durationBounds are all durations but those that validatePolling and validateCadence check.
func (c *Config) durationBounds() []durationBound {
	return []durationBound{
		{"initial_delay", c.InitialDelay, notNegative},
		{"poll_timeout", c.PollTimeout, notNegative},
		{"api_retry::initial_interval", c.APIRetry.BackOff.InitialInterval, anyDuration},
		{"api_retry::max_interval", c.APIRetry.BackOff.MaxInterval, anyDuration},
		{"api_retry::max_elapsed_time", c.APIRetry.BackOff.MaxElapsedTime, anyDuration},
		{"api_retry::max_retry_after", c.APIRetry.MaxRetryAfter, positive},
		{"retry_on_failure::initial_interval", c.RetryOnFailure.InitialInterval, anyDuration},
		{"retry_on_failure::max_interval", c.RetryOnFailure.MaxInterval, anyDuration},
		{"retry_on_failure::max_elapsed_time", c.RetryOnFailure.MaxElapsedTime, anyDuration},
		{"download::timeout", c.Download.Timeout, positive},
		{"download::stall_timeout", c.Download.StallTimeout, positive},
		{"http::timeout", c.HTTP.Timeout, positive},
		{"http::keepalive::idle_conn_timeout", c.keepalive().IdleConnTimeout, anyDuration},
		{"http::http2_read_idle_timeout", c.HTTP.HTTP2ReadIdleTimeout, anyDuration},
		{"http::http2_ping_timeout", c.HTTP.HTTP2PingTimeout, anyDuration},
		{"http::tls::reload_interval", c.HTTP.TLS.ReloadInterval, anyDuration},
	}
}

func (d durationBound) check() error {
	switch {
	case d.least == positive && d.value <= 0:
		return fmt.Errorf("%s: %v must be greater than 0", d.key, d.value)
	case d.least == notNegative && d.value < 0:
		return fmt.Errorf("%s: %v must not be negative", d.key, d.value)
	case d.value > longestPause:
		return fmt.Errorf("%s: %v is longer than %v (28 days)", d.key, d.value, longestPause)
	}
	return nil
}

// validateBounds checks sizes, counts and durations.
func (c *Config) validateBounds() error {
	var errs []error
	for _, b := range c.numberBounds() {
		errs = append(errs, b.check())
	}
	for _, d := range c.durationBounds() {
		errs = append(errs, d.check())
	}
	if n := len(c.EventTypes); n > maxEventTypes {
		errs = append(errs, fmt.Errorf("event_types: %d are more than %d", n, maxEventTypes))
	}
	if n := len(c.Replay); n > maxReplays {
		errs = append(errs, fmt.Errorf("replay: %d are more than %d", n, maxReplays))
	}
	return errors.Join(errs...)
}

// validateFactors checks what BackOffConfig leaves open: a multiplier below 1 ends
// in retries without a wait.
func validateFactors(key string, retry configretry.BackOffConfig) error {
	var errs []error
	if m := retry.Multiplier; retry.Enabled && (math.IsNaN(m) || m < 1 || m > maxMultiplier) {
		errs = append(errs, fmt.Errorf("%s::multiplier: %v is not from 1 to %d", key, m, maxMultiplier))
	}
	if math.IsNaN(retry.RandomizationFactor) {
		errs = append(errs, fmt.Errorf("%s::randomization_factor: NaN is not from 0 to 1", key))
	}
	return errors.Join(errs...)
}
