// Copyright The OpenTelemetry Authors
// SPDX-License-Identifier: Apache-2.0

//go:build e2e

package e2e

import (
	_ "embed"
	"encoding/json"
	"fmt"
	"math"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

//go:embed ocsf-1.4.0.json
var ocsfText []byte

// ocsfSchema is the part of the schema of OCSF that the recipe uses.
type ocsfSchema struct {
	Classes map[string]ocsfObject
	Objects map[string]ocsfObject
}

// ocsfObject is a class or an object.
type ocsfObject struct {
	Category   int
	AtLeastOne []string `json:"at_least_one"`
	Members    map[string]ocsfMember
}

type ocsfMember struct {
	Type           string
	List, Required bool
	Enum           []float64
}

func readOCSF(t *testing.T) (schema ocsfSchema) {
	t.Helper()
	require.NoError(t, json.Unmarshal(ocsfText, &schema))
	require.Contains(t, schema.Classes, "3005")
	require.Contains(t, schema.Objects, "user")
	return schema
}

// check returns what is wrong with an event.
func (s ocsfSchema) check(event map[string]any) (faults []string) {
	uid, _ := event["class_uid"].(float64)
	activity, _ := event["activity_id"].(float64)
	class, known := s.Classes[strconv.Itoa(int(uid))]
	if !known {
		return []string{fmt.Sprintf("class_uid: %v is not in the table", event["class_uid"])}
	}
	if event["category_uid"] != float64(class.Category) {
		faults = append(faults, fmt.Sprintf("category_uid: %v of class %v", event["category_uid"], uid))
	}
	if event["type_uid"] != uid*100+activity {
		faults = append(faults, fmt.Sprintf("type_uid: %v", event["type_uid"]))
	}
	if activity == 99 && event["activity_name"] == nil {
		faults = append(faults, "activity_name: missing beside activity_id 99")
	}
	return append(faults, s.checkObject("", class, event)...)
}

func (s ocsfSchema) checkObject(path string, object ocsfObject, value map[string]any) (faults []string) {
	for name, member := range value {
		at := strings.TrimPrefix(path+"."+name, ".")
		if of, known := object.Members[name]; known {
			faults = append(faults, s.checkMember(at, of, member)...)
		} else {
			faults = append(faults, at+": unknown")
		}
	}
	for name, member := range object.Members {
		if _, has := value[name]; member.Required && !has {
			faults = append(faults, strings.TrimPrefix(path+"."+name, ".")+": required")
		}
	}
	if len(object.AtLeastOne) > 0 && !slices.ContainsFunc(object.AtLeastOne, func(name string) bool { return value[name] != nil }) {
		faults = append(faults, fmt.Sprintf("%s: none of %v", path, object.AtLeastOne))
	}
	return faults
}

func (s ocsfSchema) checkMember(path string, member ocsfMember, value any) (faults []string) {
	if !member.List {
		return s.checkValue(path, member, value)
	}
	list, ok := value.([]any)
	if !ok {
		return []string{path + ": no list"}
	}
	for i, element := range list {
		faults = append(faults, s.checkValue(fmt.Sprintf("%s[%d]", path, i), member, element)...)
	}
	return faults
}

func (s ocsfSchema) checkValue(path string, member ocsfMember, value any) []string {
	if object, known := s.Objects[member.Type]; known {
		members, ok := value.(map[string]any)
		if !ok {
			return []string{path + ": no object"}
		}
		return s.checkObject(path, object, members)
	}
	text, isText := value.(string)
	number, isNumber := value.(float64)
	fits := false
	switch member.Type {
	case "string_t", "username_t", "hostname_t":
		fits = isText
	case "email_t":
		fits = isText && strings.Contains(text, "@")
	case "ip_t":
		_, err := netip.ParseAddr(text)
		fits = err == nil
	case "integer_t", "long_t", "timestamp_t":
		fits = isNumber && number == math.Trunc(number)
	case "float_t":
		fits = isNumber
	case "boolean_t":
		_, fits = value.(bool)
	case "object":
		_, fits = value.(map[string]any)
	}
	if !fits {
		return []string{fmt.Sprintf("%s: %v is no %s", path, value, member.Type)}
	}
	if len(member.Enum) > 0 && !slices.Contains(member.Enum, number) {
		return []string{fmt.Sprintf("%s: %v is none of %v", path, value, member.Enum)}
	}
	return nil
}

// The check of OCSF events finds what it is there for.
func TestOCSFCheck(t *testing.T) {
	schema := readOCSF(t)
	valid := `{"class_uid":3005,"category_uid":3,"activity_id":1,"type_uid":300501,"severity_id":1,"time":1785662102000,
		"metadata":{"version":"1.4.0","product":{"name":"x","vendor_name":"y"}},"privileges":["admin"],"user":{"uid":"u","type_id":1},
		"src_endpoint":{"ip":"2001:db8::7"},"unmapped":{"any":1}}`
	for name, tt := range map[string]struct{ from, to, want string }{
		"valid":                 {},
		"unknown class":         {`"class_uid":3005`, `"class_uid":9999`, "class_uid"},
		"other category":        {`"category_uid":3`, `"category_uid":6`, "category_uid"},
		"other type":            {`300501`, `300502`, "type_uid"},
		"other without name":    {`"activity_id":1,"type_uid":300501`, `"activity_id":99,"type_uid":300599`, "activity_name"},
		"activity of no class":  {`"activity_id":1,"type_uid":300501`, `"activity_id":6,"type_uid":300506`, "activity_id: 6 is none of"},
		"required":              {`"privileges":["admin"],`, ``, "privileges: required"},
		"required deep":         {`"version":"1.4.0",`, ``, "metadata.version: required"},
		"unknown member":        {`"user":{`, `"user":{"id":1,`, "user.id: unknown"},
		"at least one":          {`"uid":"u",`, ``, "user: none of"},
		"null":                  {`"uid":"u"`, `"uid":null`, "user.uid"},
		"number for a text":     {`"uid":"u"`, `"uid":1`, "user.uid: 1 is no string_t"},
		"text for a list":       {`["admin"]`, `"admin"`, "privileges: no list"},
		"address that is none":  {`2001:db8::7`, `somewhere`, "src_endpoint.ip"},
		"time with a fraction":  {`1785662102000`, `1785662102000.5`, "time"},
		"member of other class": {`"unmapped"`, `"api":{"operation":"x"},"unmapped"`, "api: unknown"},
	} {
		t.Run(name, func(t *testing.T) {
			var event map[string]any
			require.NoError(t, json.Unmarshal([]byte(strings.Replace(valid, tt.from, tt.to, 1)), &event))
			faults := strings.Join(schema.check(event), "\n")
			if tt.want == "" {
				assert.Empty(t, faults)
			} else {
				assert.Contains(t, faults, tt.want)
			}
		})
	}
}
