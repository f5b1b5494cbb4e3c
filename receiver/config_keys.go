// Copyright The OpenTelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package receiver

import (
	"errors"
	"fmt"
	"math"
	"reflect"
	"regexp"
	"strconv"
	"strings"
	"time"

	"go.opentelemetry.io/collector/confmap"
)

// prepareKeys makes of a section what the decoder reads as it is meant: null is
// left out, so that the default remains, and days and weeks become hours. It returns
// the values that the decoder would read as something else, and leaves them out.
// target is the type that the section is decoded into.
func prepareKeys(conf *confmap.Conf, target reflect.Type) (faults []error, err error) {
	if err = mergeVariables(conf); err != nil {
		return nil, err
	}
	set := map[string]any{}
	eachKey("", target, func(key string, typ reflect.Type) {
		value := conf.Get(key)
		switch {
		case !conf.IsSet(key):
		case value == nil && !isEmptyText(conf, key, typ):
			conf.Delete(key)
		default:
			read, fault := readValue(key, typ, value)
			if fault != nil {
				conf.Delete(key)
				faults = append(faults, fmt.Errorf("%s: %w", key, fault))
			} else if read != nil {
				set[key] = read
			}
		}
	})
	return faults, conf.Merge(confmap.NewFromStringMap(set))
}

// mergeVariables replaces a section that one variable holds by its keys, which
// cannot be reached otherwise.
func mergeVariables(conf *confmap.Conf) error {
	for _, key := range conf.AllKeys() {
		if section, ok := conf.Get(key).(map[string]any); ok && len(section) > 0 {
			conf.Delete(key)
			if err := conf.Merge(confmap.NewFromStringMap(map[string]any{key: section})); err != nil {
				return fmt.Errorf("%s: %w", key, err)
			}
		}
	}
	return nil
}

// eachKey visits the keys of a configuration type at every depth, a section before
// its keys. Lists and maps are visited as a whole.
func eachKey(path string, section reflect.Type, visit func(key string, typ reflect.Type)) {
	for field := range section.Fields() {
		name, options, _ := strings.Cut(field.Tag.Get("mapstructure"), ",")
		typ := optionalType(field.Type)
		switch {
		case options == "squash":
			eachKey(path, typ, visit)
			continue
		case name == "":
			continue
		case path != "":
			name = path + confmap.KeyDelimiter + name
		}
		visit(name, typ)
		if typ.Kind() == reflect.Struct {
			eachKey(name, typ, visit)
		}
	}
}

// optionalType is the T of a configoptional.Optional[T], or the type itself.
func optionalType(typ reflect.Type) reflect.Type {
	if get, ok := reflect.PointerTo(typ).MethodByName("Get"); ok && typ.Kind() == reflect.Struct && get.Type.NumOut() == 1 {
		return get.Type.Out(0).Elem()
	}
	return typ
}

// decodedText tells a text that a variable left empty from null: the decoder gives
// it the text, and for null its own zero value.
type decodedText string

// UnmarshalScalar implements confmap.ScalarUnmarshaler.
func (d *decodedText) UnmarshalScalar(value confmap.ScalarValue) error {
	if _, ok := value.GetRaw().(string); ok {
		*d = "decoded"
	}
	return nil
}

// isEmptyText tells the text of an unset variable from null. Where a text is wanted
// it is an empty one, which is refused, instead of a default that nobody chose.
func isEmptyText(conf *confmap.Conf, key string, typ reflect.Type) bool {
	if typ.Kind() != reflect.String {
		return false
	}
	section, name := conf, key
	if at := strings.LastIndex(key, confmap.KeyDelimiter); at >= 0 {
		var err error
		if section, err = conf.Sub(key[:at]); err != nil {
			return false
		}
		name = key[at+len(confmap.KeyDelimiter):]
	}
	probe := reflect.New(reflect.StructOf([]reflect.StructField{{
		Name: "Text", Type: reflect.TypeFor[decodedText](), Tag: reflect.StructTag(`mapstructure:"` + name + `"`),
	}}))
	err := section.Unmarshal(probe.Interface(), confmap.WithIgnoreUnused())
	return err == nil && probe.Elem().Field(0).String() != ""
}

// readValue checks a value that the decoder would turn into another one. The
// result is what is to be decoded instead, or nil.
func readValue(key string, typ reflect.Type, value any) (read any, fault error) {
	switch {
	case typ == reflect.TypeFor[time.Duration]():
		return readDuration(value, !strings.HasPrefix(key, "http"+confmap.KeyDelimiter))
	case typ.Kind() == reflect.Int, typ.Kind() == reflect.Int64:
		return nil, checkWhole(value)
	case typ == reflect.TypeFor[[]int]():
		list, _ := value.([]any)
		var faults []error
		for _, entry := range list {
			faults = append(faults, checkWhole(entry))
		}
		return nil, errors.Join(faults...)
	}
	return nil, nil
}

// checkWhole refuses a number that the decoder would cut to a whole one.
func checkWhole(value any) error {
	switch v := value.(type) {
	case float64:
		switch {
		case math.IsNaN(v), math.Abs(v) < 1<<63 && v != math.Trunc(v):
			return fmt.Errorf("%v is not a whole number", v)
		case math.Abs(v) >= 1<<63:
			return fmt.Errorf("%v is too large", v)
		}
	case uint64:
		if v > math.MaxInt64 {
			return fmt.Errorf("%d is too large", v)
		}
	}
	return nil
}

// dayUnits are the parts of a duration that Go does not read.
var dayUnits = regexp.MustCompile(`([0-9]*\.?[0-9]+)([dw])`)

// readDuration checks a duration. days permits the units d and w.
func readDuration(value any, days bool) (read any, fault error) {
	text, ok := value.(string)
	if !ok {
		return nil, checkBareDuration(value)
	}
	units := "300s, 5m or 1h30m"
	if days {
		units = "300s, 5m, 1h30m, 2d or 1w"
		text = dayUnits.ReplaceAllStringFunc(text, inHours)
	}
	duration, err := time.ParseDuration(text)
	switch {
	case err != nil:
		return nil, errors.New("not a duration; write a number and a unit, such as " + units)
	case duration > 0 && duration < time.Millisecond:
		return nil, inNanoseconds(duration)
	}
	return duration.String(), nil
}

// inHours writes a number of days or weeks as hours.
func inHours(part string) string {
	hours := 24.0
	if strings.HasSuffix(part, "w") {
		hours *= 7
	}
	n, err := strconv.ParseFloat(part[:len(part)-1], 64)
	if err != nil {
		return part
	}
	return strconv.FormatFloat(n*hours, 'f', -1, 64) + "h"
}

// checkBareDuration refuses a number without a unit, which the decoder reads as
// nanoseconds. From one second on it may be meant so.
func checkBareDuration(value any) error {
	var nanoseconds float64
	switch v := value.(type) {
	case int:
		nanoseconds = float64(v)
	case int64:
		nanoseconds = float64(v)
	case float64:
		if math.IsNaN(v) || v != math.Trunc(v) {
			return fmt.Errorf("%v has no unit; write %vs", v, v)
		}
		nanoseconds = v
	}
	if err := checkWhole(value); err != nil {
		return err
	}
	if nanoseconds > 0 && nanoseconds < float64(time.Second) {
		return inNanoseconds(time.Duration(nanoseconds))
	}
	return nil
}

func inNanoseconds(duration time.Duration) error {
	return fmt.Errorf("%v is %d nanoseconds; write %ds", duration, duration.Nanoseconds(), duration.Nanoseconds())
}

// trimText takes white space and one pair of quotes off a value, as a variable or a
// file often has them, and reports whether there were any.
func trimText(text string) (string, bool) {
	trimmed := strings.TrimSpace(text)
	if n := len(trimmed); n >= 2 && trimmed[0] == trimmed[n-1] && (trimmed[0] == '"' || trimmed[0] == '\'') {
		trimmed = strings.TrimSpace(trimmed[1 : n-1])
	}
	return trimmed, trimmed != text
}
