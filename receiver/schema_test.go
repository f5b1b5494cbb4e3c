// Copyright The OpenTelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package receiver

import (
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"go.opentelemetry.io/collector/confmap/confmaptest"
)

// config.schema.yaml has every key of the configuration and no other, with its
// type, its default and its bounds.
func TestSchemaIsInStep(t *testing.T) {
	conf, err := confmaptest.LoadConf("../config.schema.yaml")
	require.NoError(t, err)
	compareSchema(t, "", conf.ToStringMap(), reflect.ValueOf(*NewDefaultConfig()))
	for _, b := range NewDefaultConfig().numberBounds() {
		path := "properties::" + strings.ReplaceAll(b.key, "::", "::properties::")
		if strings.HasPrefix(b.key, "http::") {
			continue // confighttp's own schema
		}
		assert.EqualValues(t, b.least, conf.Get(path+"::minimum"), "the minimum of %s", b.key)
		assert.EqualValues(t, b.most, conf.Get(path+"::maximum"), "the maximum of %s", b.key)
	}
}

func compareSchema(t *testing.T, path string, schema map[string]any, config reflect.Value) {
	t.Helper()
	properties, _ := schema["properties"].(map[string]any)
	assert.Equal(t, false, schema["additionalProperties"], "%s: unknown keys are refused", path)
	seen := map[string]bool{}
	for _, field := range fieldsOf(config) {
		seen[field.key] = true
		at := strings.TrimPrefix(path+"::"+field.key, "::")
		property, ok := properties[field.key].(map[string]any)
		if !assert.True(t, ok, "%s is missing in config.schema.yaml", at) {
			continue
		}
		switch {
		case property["$ref"] != nil:
			assert.Contains(t, property["$ref"], "confighttp", at)
		case field.value.Kind() == reflect.Struct:
			compareSchema(t, at, property, field.value)
		default:
			compareProperty(t, at, property, field.value)
		}
	}
	for key := range properties {
		assert.True(t, seen[key], "%s::%s is in config.schema.yaml but not in the configuration", path, key)
	}
}

type configField struct {
	key   string
	value reflect.Value
}

// fieldsOf lists the keys of a struct, squashed ones included.
func fieldsOf(config reflect.Value) (fields []configField) {
	for i := range config.NumField() {
		tag := config.Type().Field(i).Tag.Get("mapstructure")
		switch {
		case tag == ",squash":
			fields = append(fields, fieldsOf(config.Field(i))...)
		case tag != "":
			fields = append(fields, configField{tag, config.Field(i)})
		}
	}
	return fields
}

func compareProperty(t *testing.T, path string, property map[string]any, value reflect.Value) {
	t.Helper()
	wantType := map[reflect.Kind]string{
		reflect.String: "string", reflect.Bool: "boolean", reflect.Int: "integer", reflect.Int64: "integer",
		reflect.Float64: "number", reflect.Slice: "array", reflect.Pointer: "string",
	}[value.Kind()]
	if value.Type() == reflect.TypeFor[time.Duration]() {
		wantType = "string"
	}
	assert.Contains(t, fmt.Sprint(property["type"]), wantType, path)
	want := property["default"]
	if want == nil {
		assert.True(t, value.IsZero(), "%s: config.schema.yaml lacks the default %v", path, value)
		return
	}
	got := value.Interface()
	if d, ok := got.(time.Duration); ok {
		parsed, err := time.ParseDuration(fmt.Sprint(want))
		require.NoError(t, err, path)
		want = parsed
		got = d
	}
	if value.Kind() == reflect.Slice && value.IsNil() {
		got = []any{}
	}
	assert.Equal(t, fmt.Sprint(want), fmt.Sprint(got), path)
}
