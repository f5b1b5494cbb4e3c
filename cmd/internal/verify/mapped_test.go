// Copyright The OpenTelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package verify

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/openaicompliance/openaicompliancereceiver/cmd/internal/command"
	"github.com/openaicompliance/openaicompliancereceiver/internal/record"
)

// export writes the rig's records as a store does; shape makes its line of a record.
func (r *rig) export(shape func(body string, attrs, resource map[string]any) any) string {
	r.t.Helper()
	var out bytes.Buffer
	for _, resource := range r.logs.ResourceLogs().All() {
		for _, one := range resource.ScopeLogs().At(0).LogRecords().All() {
			body := one.Body().AsString()
			if body != one.Body().Str() { // bytes that are no text
				continue
			}
			line, err := json.Marshal(shape(body, one.Attributes().AsRaw(), resource.Resource().Attributes().AsRaw()))
			require.NoError(r.t, err)
			out.Write(append(line, '\n'))
		}
	}
	path := filepath.Join(r.t.TempDir(), "export.ndjson")
	require.NoError(r.t, os.WriteFile(path, append(out.Bytes(), `{"other":"record"}`+"\n"...), 0o600))
	return path
}

func texts(attrs ...map[string]any) map[string]any {
	out := map[string]any{}
	for _, each := range attrs {
		for name, value := range each {
			out[name] = fmt.Sprint(value)
		}
	}
	return out
}

// What the stores export is checked like OTLP, numbers as texts and nested names
// included: complete as it is but for the one line that is no text, which no store keeps,
// and a finding for each record that is missing.
func TestVerifyMapped(t *testing.T) {
	own := filepath.Join(t.TempDir(), "map.json")
	require.NoError(t, os.WriteFile(own, []byte(`{"root":"a.b","body":"line","attributes":"x","resource":"x"}`), 0o600))
	for name, shape := range map[string]func(body string, attrs, resource map[string]any) any{
		"splunk": func(body string, attrs, resource map[string]any) any {
			flat := texts(attrs, resource)
			flat["_raw"] = body
			return map[string]any{"preview": false, "result": flat}
		},
		"elasticsearch": func(body string, attrs, resource map[string]any) any {
			return map[string]any{"_source": map[string]any{
				"body": map[string]any{"text": body}, "attributes": attrs, "resource": map[string]any{"attributes": resource},
			}}
		},
		"sentinel": func(body string, attrs, resource map[string]any) any {
			properties, _ := json.Marshal(texts(attrs, resource))
			return map[string]any{"Message": body, "Properties": string(properties)}
		},
		own: func(body string, attrs, resource map[string]any) any {
			nested := map[string]any{"openai": map[string]any{"workspace": map[string]any{"id": resource["openai.workspace.id"]}}}
			maps.Copy(nested, attrs)
			nested[record.AttrEventType] = resource[record.AttrEventType]
			return map[string]any{"a": map[string]any{"b": map[string]any{"line": body, "x": nested}}}
		},
	} {
		t.Run(filepath.Base(name), func(t *testing.T) {
			r := newRig(t, record.Source{})
			key := r.digested(time.Hour)
			out, _, status := r.verifyFrom("", "--map", name, "--public-key", key, r.export(shape))
			assert.Equal(t, command.ExitFinding, status)
			assert.Contains(t, out, ": 5 of its 6 records are there;")
			assert.Equal(t, 1, strings.Count(out, "FINDING"), out)
			r.drop(3)
			out, _, _ = r.verifyFrom("", "--map", name, r.export(shape))
			assert.Contains(t, out, ": 4 of its 6 records are there;")
		})
	}
}

// A wrong map or a wrong export is one sentence.
func TestVerifyMappedMisuse(t *testing.T) {
	r := newRig(t, record.Source{})
	bad := filepath.Join(t.TempDir(), "bad.json")
	require.NoError(t, os.WriteFile(bad, []byte(`{"bodi":"x"}`), 0o600))
	for want, args := range map[string][]string{
		`"solr" is neither a file nor one of elasticsearch, sentinel, splunk`: {"--map", "solr", r.records},
		"is not an object such as":    {"--map", bad, r.records},
		"line 1 is not a JSON object": {"--map", "splunk", r.file() + "x"},
		"there is no log record":      {"--map", "splunk", r.records},
	} {
		require.NoError(t, os.WriteFile(r.file()+"x", []byte("[1\n"), 0o600))
		_, notes, status := r.verifyFrom("", args...)
		assert.Equal(t, command.ExitMisuse, status, want)
		assert.Contains(t, notes, want)
	}
}
