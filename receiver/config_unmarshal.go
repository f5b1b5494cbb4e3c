// Copyright The OpenTelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package receiver

import (
	"fmt"
	"math"
	"strconv"
	"time"

	"go.opentelemetry.io/collector/config/confighttp"
	"go.opentelemetry.io/collector/confmap"

	"github.com/openaicompliance/openaicompliancereceiver/internal/timespec"
)

var _ confmap.Unmarshaler = (*Config)(nil)

// httpKeys is confighttp.ClientConfig without its methods. The original's
// Unmarshal ignores keys it does not know, so that a mistyped tls option would
// pass unnoticed; decoding into this type reports them at every depth.
type httpKeys confighttp.ClientConfig

// Unmarshal decodes the section and refuses unknown keys at every depth.
func (c *Config) Unmarshal(conf *confmap.Conf) error {
	if err := stringifyTime(conf, "start_from"); err != nil {
		return err
	}
	if err := conf.Unmarshal(c); err != nil {
		return err
	}
	c.pollIntervalWritten = conf.IsSet("poll_interval")
	http, err := conf.Sub("http")
	if err != nil {
		return fmt.Errorf("http: expected a map of HTTP client settings: %w", err)
	}
	if err := http.Unmarshal(&httpKeys{}); err != nil {
		return fmt.Errorf("http: %w", err)
	}
	return nil
}

// stringifyTime turns what YAML made of an unquoted timestamp or number back
// into the text that the time parser reads.
func stringifyTime(conf *confmap.Conf, key string) error {
	if !conf.IsSet(key) {
		return nil
	}
	var text string
	switch v := conf.Get(key).(type) {
	case string:
		return nil
	case time.Time:
		text = v.Format(time.RFC3339Nano)
	case int:
		text = strconv.Itoa(v)
	case int64:
		text = strconv.FormatInt(v, 10)
	case float64:
		if v != math.Trunc(v) {
			return fmt.Errorf("%s: %v is not a whole number of seconds", key, v)
		}
		text = strconv.FormatFloat(v, 'f', -1, 64)
	default:
		return fmt.Errorf("%s: expected %s, found %T", key, timespec.Forms, v)
	}
	return conf.Merge(confmap.NewFromStringMap(map[string]any{key: text}))
}
