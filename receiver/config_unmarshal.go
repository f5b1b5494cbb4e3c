// Copyright The OpenTelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package receiver

import (
	"fmt"
	"math"
	"reflect"
	"slices"
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

// Unmarshal decodes the section and refuses unknown keys at every depth. Values that
// would be read as something else are left for Validate to report. The decoder quotes
// what it cannot read, so its errors are concealed.
func (c *Config) Unmarshal(conf *confmap.Conf) error { return c.conceal(c.unmarshal(conf)) }

func (c *Config) unmarshal(conf *confmap.Conf) error {
	faults, err := prepareKeys(conf, reflect.TypeFor[Config]())
	if err != nil {
		return err
	}
	timeFaults, err := stringifyTimes(conf, "start_from", "until")
	if err != nil {
		return err
	}
	if err := conf.Unmarshal(c); err != nil {
		return err
	}
	c.faults = slices.Concat(faults, timeFaults)
	c.pollIntervalWritten = conf.IsSet("poll_interval")
	c.trimIDs()
	c.clearMisplacedKeys()
	http, err := conf.Sub("http")
	if err != nil {
		return fmt.Errorf("http: expected a map of HTTP client settings: %w", err)
	}
	if err := http.Unmarshal(&httpKeys{}); err != nil {
		return fmt.Errorf("http: %w", err)
	}
	return nil
}

// trimIDs trims the key and the ids, and keeps the names of those that needed it.
func (c *Config) trimIDs() {
	c.trimmed = nil
	for _, id := range []struct {
		key  string
		text *string
	}{
		{"api_key", (*string)(&c.APIKey)},
		{"api_key_file", &c.APIKeyFile},
		{"workspace_id", &c.WorkspaceID},
		{"organization_id", &c.OrganizationID},
	} {
		var changed bool
		if *id.text, changed = trimText(*id.text); changed {
			c.trimmed = append(c.trimmed, id.key)
		}
	}
}

var _ confmap.Unmarshaler = (*ReplayConfig)(nil)

// Unmarshal decodes one entry of the list as Config.Unmarshal does the section.
func (r *ReplayConfig) Unmarshal(conf *confmap.Conf) error {
	faults, err := prepareKeys(conf, reflect.TypeFor[ReplayConfig]())
	if err != nil {
		return err
	}
	timeFaults, err := stringifyTimes(conf, "from", "to")
	if err != nil {
		return err
	}
	r.faults = slices.Concat(faults, timeFaults)
	return conf.Unmarshal(r)
}

// stringifyTimes turns what YAML made of an unquoted timestamp or number back
// into the text that the time parser reads. It returns the values that are neither,
// and leaves them out.
func stringifyTimes(conf *confmap.Conf, keys ...string) (faults []error, err error) {
	texts := map[string]any{}
	for _, key := range keys {
		value := conf.Get(key)
		if value == nil { // an unset variable stays an empty text
			continue
		}
		if text, err := timeText(value); err == nil {
			texts[key] = text
		} else {
			conf.Delete(key)
			faults = append(faults, fmt.Errorf("%s: %w", key, err))
		}
	}
	return faults, conf.Merge(confmap.NewFromStringMap(texts))
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
