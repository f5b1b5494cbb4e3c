// Copyright The OpenTelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package receiver

import (
	"encoding"
	"errors"
	"fmt"
	"reflect"
	"strings"

	"go.opentelemetry.io/collector/config/configopaque"
	"go.opentelemetry.io/collector/confmap"

	"github.com/openaicompliance/openaicompliancereceiver/internal/secret"
)

// minKey is the least length, in bytes, of a key that is looked for in other values.
const minKey = 12

// eachText visits the texts of a configuration at every depth, each with its key.
// Opaque ones are left out: a secret is where it belongs there.
func eachText(key string, value reflect.Value, visit func(key string, text reflect.Value)) {
	if value.Type() == reflect.TypeFor[configopaque.String]() {
		return
	}
	if value.CanAddr() {
		if get := value.Addr().MethodByName("Get"); get.IsValid() && get.Type().NumIn() == 0 && get.Type().NumOut() == 1 { // configoptional
			value = get.Call(nil)[0]
		}
	}
	if marshaler, ok := reflect.TypeAssert[encoding.TextMarshaler](value); ok && !isNil(value) { // an id of a component
		text, _ := marshaler.MarshalText()
		visit(key, reflect.ValueOf(string(text)))
		return
	}
	switch value.Kind() {
	case reflect.String:
		visit(key, value)
	case reflect.Pointer:
		if !value.IsNil() {
			eachText(key, value.Elem(), visit)
		}
	case reflect.Slice:
		for i := range value.Len() {
			eachText(fmt.Sprintf("%s%s%d", key, confmap.KeyDelimiter, i), value.Index(i), visit)
		}
	case reflect.Struct:
		for i := range value.NumField() {
			field := value.Type().Field(i)
			name, _, _ := strings.Cut(field.Tag.Get("mapstructure"), ",")
			if field.IsExported() {
				eachText(strings.Trim(key+confmap.KeyDelimiter+name, ":"), value.Field(i), visit)
			}
		}
	}
}

func isNil(value reflect.Value) bool { return value.Kind() == reflect.Pointer && value.IsNil() }

// isKey reports whether a text holds the configured key, or what looks like one.
func (c *Config) isKey(text string) bool {
	return secret.LooksLikeKey(text) || len(c.APIKey) >= minKey && strings.Contains(text, string(c.APIKey))
}

// conceal takes out of an error what may be a secret, and those that are configured.
func (c *Config) conceal(err error) error {
	return secret.ConcealError(err, string(c.APIKey), string(c.Content.HMACKey))
}

const misplacedKey = "holds an API key, or what looks like one; it belongs under api_key alone, or into the file that api_key_file names"

// validateMisplacedKeys refuses a key in any other place than its own: what is
// accepted there is logged, stored or sent.
func (c *Config) validateMisplacedKeys() error {
	var errs []error
	eachText("", reflect.ValueOf(c).Elem(), func(key string, text reflect.Value) {
		if c.isKey(text.String()) && key != "http::proxy_url" { // which may hold a password, and is never quoted
			errs = append(errs, fmt.Errorf("%s: %s", key, misplacedKey))
		}
	})
	return errors.Join(errs...)
}

// clearMisplacedKeys takes out of the HTTP settings what their own validation, which
// the Collector calls, would quote.
func (c *Config) clearMisplacedKeys() {
	eachText("http", reflect.ValueOf(&c.HTTP).Elem(), func(key string, text reflect.Value) {
		if text.CanSet() && (c.isKey(text.String()) || strings.HasSuffix(key, "_version") && secret.Looks(text.String())) && key != "http::proxy_url" {
			c.faults = append(c.faults, fmt.Errorf("%s: %s", key, misplacedKey))
			text.SetString("")
		}
	})
}
