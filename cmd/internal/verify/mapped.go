// Copyright The OpenTelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package verify

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"strconv"
	"strings"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/openaicompliance/openaicompliancereceiver/cmd/internal/command"
	"github.com/openaicompliance/openaicompliancereceiver/internal/record"
)

// fieldMap says where a store's export has the parts of a record. A path is the names of
// nested members with dots between them; a member whose name has the dots comes first.
type fieldMap struct {
	// Root is the object of the record; "" for the line itself.
	Root string `json:"root"`
	Body string `json:"body"`
	// Attributes and Resource are objects, or texts that hold one; "" for Root itself.
	Attributes string `json:"attributes"`
	Resource   string `json:"resource"`
}

// presets are the maps of what stores export.
var presets = map[string]fieldMap{
	"splunk":        {Root: "result", Body: "_raw"},                                                                  // search -output json, of what splunk_hec wrote
	"elasticsearch": {Root: "_source", Body: "body.text", Attributes: "attributes", Resource: "resource.attributes"}, // hits, mapping mode otel
	"sentinel":      {Body: "Message", Attributes: "Properties", Resource: "Properties"},                             // AppTraces, of azure_monitor
}

// readMap reads a preset or a file.
func readMap(name string) (*fieldMap, error) {
	if name == "" {
		return nil, nil
	}
	if preset, ok := presets[name]; ok {
		return &preset, nil
	}
	text, err := os.ReadFile(name) //nolint:gosec // the path is the user's own
	if errors.Is(err, os.ErrNotExist) {
		return nil, command.Misusef("--map: %q is neither a file nor one of %s", name, strings.Join(slices.Sorted(maps.Keys(presets)), ", "))
	}
	if err != nil {
		return nil, command.Misuse(fmt.Errorf("read --map: %w", err))
	}
	var m fieldMap
	decoder := json.NewDecoder(strings.NewReader(string(text)))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&m); err != nil || m.Body == "" {
		return nil, command.Misusef(`--map: %s is not an object such as {"root": "_source", "body": "body.text", "attributes": "attributes", "resource": "resource.attributes"}`, name)
	}
	return &m, nil
}

// eachMapped calls do for every line of NDJSON that is a record of the receiver.
func (m *fieldMap) eachMapped(in io.Reader, do func(delivered)) error {
	lines := bufio.NewScanner(in)
	lines.Buffer(nil, maxMessage)
	for number := 1; lines.Scan(); number++ {
		if strings.TrimSpace(lines.Text()) == "" {
			continue
		}
		var object map[string]any
		decoder := json.NewDecoder(strings.NewReader(lines.Text()))
		decoder.UseNumber()
		if err := decoder.Decode(&object); err != nil {
			return fmt.Errorf("line %d is not a JSON object; write one a line, as jq -c does", number)
		}
		if d, ok := m.record(object); ok {
			do(d)
		}
	}
	if errors.Is(lines.Err(), bufio.ErrTooLong) {
		return fmt.Errorf("a line is longer than %d bytes", maxMessage)
	}
	return lines.Err()
}

// record puts the parts together; ok is false for what is no record of the receiver.
func (m *fieldMap) record(object map[string]any) (d delivered, ok bool) {
	root, _ := lookUp(object, m.Root).(map[string]any)
	logs := plog.NewLogs()
	d.resource = logs.ResourceLogs().AppendEmpty()
	d.scope = d.resource.ScopeLogs().AppendEmpty()
	d.record = d.scope.LogRecords().AppendEmpty()
	putAll(d.record.Attributes(), lookUp(root, m.Attributes))
	putAll(d.resource.Resource().Attributes(), lookUp(root, m.Resource))
	if body, isText := lookUp(root, m.Body).(string); isText {
		d.record.Body().SetStr(body)
	} else {
		d.record.Body().SetEmptyMap() // whatever it is, it is not the line
	}
	switch {
	case d.attr(record.AttrDigestSHA256) != "":
		d.record.SetEventName(record.DigestEventName)
	case d.attr(record.AttrGapReason) != "":
		d.record.SetEventName(record.GapEventName)
	case d.attr(record.AttrFileSHA256) == "":
		return d, false
	}
	return d, true
}

// lookUp follows a path.
func lookUp(in any, path string) any {
	if path == "" {
		return in
	}
	object, ok := in.(map[string]any)
	if text, isText := in.(string); isText {
		ok = json.Unmarshal([]byte(text), &object) == nil
	}
	if !ok {
		return nil
	}
	if value, ok := object[path]; ok {
		return value
	}
	for at := strings.LastIndexByte(path, '.'); at > 0; at = strings.LastIndexByte(path[:at], '.') {
		if inner, ok := object[path[:at]]; ok {
			return lookUp(inner, path[at+1:])
		}
	}
	return nil
}

// putAll puts the members of an object, or of a text that holds one, under their whole
// names. Stores write numbers as texts.
func putAll(attrs pcommon.Map, from any) {
	if text, ok := from.(string); ok {
		var object map[string]any
		if json.Unmarshal([]byte(text), &object) != nil {
			return
		}
		from = object
	}
	object, _ := from.(map[string]any)
	putMembers(attrs, "", object)
}

func putMembers(attrs pcommon.Map, prefix string, object map[string]any) {
	for name, value := range object {
		switch name := prefix + name; value := value.(type) {
		case map[string]any:
			putMembers(attrs, name+".", value)
		case string:
			if n, err := strconv.ParseInt(value, 10, 64); err == nil && name == record.AttrFileLine {
				attrs.PutInt(name, n)
				continue
			}
			attrs.PutStr(name, value)
		case json.Number:
			if n, err := value.Int64(); err == nil {
				attrs.PutInt(name, n)
				continue
			}
			attrs.PutStr(name, value.String())
		case float64: // of a text that holds an object
			attrs.PutInt(name, int64(value))
		case bool:
			attrs.PutBool(name, value)
		}
	}
}
