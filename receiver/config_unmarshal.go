// Copyright The OpenTelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package receiver

import (
	"errors"
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
	for _, key := range []string{"start_from", "until"} {
		if err := stringifyTime(conf, key); err != nil {
			return err
		}
	}
	if err := stringifyReplays(conf); err != nil {
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

// stringifyReplays does for the bounds of replays what stringifyTime does for a key.
func stringifyReplays(conf *confmap.Conf) error {
	replays, ok := conf.Get("replay").([]any)
	if !ok {
		return nil
	}
	var errs []error
	for i, entry := range replays {
		replay, ok := entry.(map[string]any)
		if !ok {
			continue // the decoder says what is wrong
		}
		for _, key := range []string{"from", "to"} {
			if value, ok := replay[key]; ok {
				text, err := timeText(value)
				if err != nil {
					errs = append(errs, fmt.Errorf("replay::%d: %s: %w", i, key, err))
				}
				replay[key] = text
			}
		}
	}
	return errors.Join(append(errs, conf.Merge(confmap.NewFromStringMap(map[string]any{"replay": replays})))...)
}

// stringifyTime turns what YAML made of an unquoted timestamp or number back
// into the text that the time parser reads.
func stringifyTime(conf *confmap.Conf, key string) error {
	if !conf.IsSet(key) {
		return nil
	}
	text, err := timeText(conf.Get(key))
	if err != nil {
		return fmt.Errorf("%s: %w", key, err)
	}
	return conf.Merge(confmap.NewFromStringMap(map[string]any{key: text}))
}

func timeText(value any) (string, error) {
	switch v := value.(type) {
	case string:
		return v, nil
	case time.Time:
		return v.Format(time.RFC3339Nano), nil
	case int:
		return strconv.Itoa(v), nil
	case int64:
		return strconv.FormatInt(v, 10), nil
	case float64:
		if v != math.Trunc(v) {
			return "", fmt.Errorf("%v is not a whole number of seconds", v)
		}
		return strconv.FormatFloat(v, 'f', -1, 64), nil
	default:
		return "", fmt.Errorf("expected %s, found %T", timespec.Forms, v)
	}
}
