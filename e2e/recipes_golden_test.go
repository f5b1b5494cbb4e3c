// Copyright The OpenTelemetry Authors
// SPDX-License-Identifier: Apache-2.0

//go:build e2e

package e2e

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"flag"
	"maps"
	"net/netip"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"go.opentelemetry.io/collector/confmap/confmaptest"

	"github.com/openaicompliance/openaicompliancereceiver/internal/fakeapi"
	"github.com/openaicompliance/openaicompliancereceiver/internal/testbed"
)

var update = flag.Bool("update", false, "write the goldens of the recipes anew")

// Principals of the samples.
const (
	sampleWorkspace    = "0f1e2d3c-4b5a-4697-8877-665544332211"
	sampleOrganization = "org-Invented000000000000001"
)

// change is a record as the receiver emitted it and as a recipe delivered it.
type change struct{ before, after testbed.Delivery }

// of names the sample: its type and line.
func (c change) of() string {
	return c.before.Attributes["openai.compliance.event.type"].(string) + ":" +
		strconv.FormatInt(c.before.Attributes["openai.compliance.file.line"].(int64), 10)
}

// withReference is an override that adds a pipeline without processors, so that each
// record can be compared with what the receivers emitted.
func withReference(receivers ...any) map[string]any {
	return map[string]any{
		"exporters": map[string]any{"otlp_http/reference": map[string]any{
			"sending_queue": map[string]any{"enabled": false}, "retry_on_failure": map[string]any{"enabled": false},
		}},
		"service": map[string]any{"pipelines": map[string]any{"logs/reference": map[string]any{
			"receivers": receivers, "exporters": []any{"otlp_http/reference"},
		}}},
	}
}

// sampleFiles reads the samples by event type.
func sampleFiles(t *testing.T) map[string][]string {
	t.Helper()
	files, err := filepath.Glob("../testdata/records/*.jsonl")
	require.NoError(t, err)
	samples := map[string][]string{}
	for _, file := range files {
		text, err := os.ReadFile(file)
		require.NoError(t, err)
		eventType := strings.ToUpper(strings.TrimSuffix(filepath.Base(file), ".jsonl"))
		samples[eventType] = strings.Split(strings.TrimSuffix(string(text), "\n"), "\n")
	}
	require.GreaterOrEqual(t, len(samples), 16)
	return samples
}

// withUnusual adds lines that lack what a recipe looks for, or cannot be read.
func withUnusual(samples map[string][]string) map[string][]string {
	samples["AUTH_LOG"] = append(samples["AUTH_LOG"], `{"event_id":"cut","type":"AUTH_LOG"`, "\xff\xfe no UTF-8",
		`{"event_id":"no actor","action_data":{"action":"login_success"},"request_metadata":{"client_ip":"no address"}}`)
	samples["AUDIT_LOG"] = append(samples["AUDIT_LOG"], `{"event_id":"nothing"}`, `{"event_id":"no target","action":"USER_DELETE"}`,
		`{"event_id":"no group","action":"GROUP_DELETE","request_metadata":{"client_ip":"::ffff:203.0.113.7"}}`)
	return samples
}

// runSamples sends lines of any types through a recipe, those of the organization by a
// second receiver, and returns all records in the order of their types and lines.
func runSamples(t *testing.T, example string, samples map[string][]string) []change {
	t.Helper()
	api := fakeapi.New(fakeapi.Options{
		WorkspaceID: sampleWorkspace, OrganizationID: sampleOrganization, MoreTypes: []string{"A_TYPE_NEVER_SEEN"},
	})
	total := 0
	var ofWorkspace []any
	for _, eventType := range slices.Sorted(maps.Keys(samples)) {
		api.Add(eventType, time.Now().Add(-time.Hour), samples[eventType]...)
		total += len(samples[eventType])
		if eventType != "COSTS" {
			ofWorkspace = append(ofWorkspace, eventType)
		}
	}
	conf, err := confmaptest.LoadConf(filepath.Join("../examples", example))
	require.NoError(t, err)
	ofOrganization := maps.Clone(section(t, conf, "receivers")["openai_compliance"].(map[string]any))
	delete(ofOrganization, "workspace_id")
	ofOrganization["organization_id"], ofOrganization["event_types"] = sampleOrganization, []any{"COSTS"}
	fast := map[string]any{"downloads_per_minute": 0, "lists_per_minute": 0}
	both := []any{"openai_compliance", "openai_compliance/organization"}
	pipelines := map[string]any{}
	for name := range section(t, conf, "service")["pipelines"].(map[string]any) {
		pipelines[name] = map[string]any{"receivers": both}
	}
	r := newRecipe(t, example, api, withReference(both...), map[string]any{
		"receivers": map[string]any{
			"openai_compliance":              map[string]any{"event_types": ofWorkspace, "rate_limit": fast},
			"openai_compliance/organization": ofOrganization,
		},
		"service": map[string]any{"pipelines": pipelines},
	})
	r.env = append(r.env, "OPENAI_WORKSPACE_ID="+sampleWorkspace)
	after := r.run(r.sink, total)
	changes := make([]change, 0, total)
	for _, before := range r.sinks["otlp_http/reference"].Deliveries() {
		require.Contains(t, after, before.UID)
		changes = append(changes, change{before, after[before.UID]})
	}
	slices.SortFunc(changes, func(a, b change) int {
		if at, bt := a.before.EventName, b.before.EventName; at != bt {
			return strings.Compare(at, bt)
		}
		return int(a.before.Attributes["openai.compliance.file.line"].(int64) - b.before.Attributes["openai.compliance.file.line"].(int64))
	})
	require.Len(t, changes, total)
	for _, c := range changes {
		assert.Equal(t, c.before.EventName, c.after.EventName, c.of())
		assert.Equal(t, c.before.Severity, c.after.Severity, c.of())
		assert.True(t, c.before.Time.Equal(c.after.Time), c.of())
	}
	return changes
}

// golden compares lines with a file of testdata/golden/recipes.
// In e2e, go test -tags e2e -run TestRecipe -update . writes them.
func golden(t *testing.T, name string, lines []any) {
	t.Helper()
	var text bytes.Buffer
	encoder := json.NewEncoder(&text)
	encoder.SetEscapeHTML(false)
	for _, line := range lines {
		require.NoError(t, encoder.Encode(line))
	}
	file := filepath.Join("../testdata/golden/recipes", name)
	if *update {
		require.NoError(t, os.MkdirAll(filepath.Dir(file), 0o755))
		require.NoError(t, os.WriteFile(file, text.Bytes(), 0o600))
		return
	}
	want, err := os.ReadFile(file)
	require.NoError(t, err)
	wantLines, gotLines := strings.Split(string(want), "\n"), strings.Split(text.String(), "\n")
	require.Len(t, gotLines, len(wantLines))
	for i := range wantLines {
		assert.Equal(t, wantLines[i], gotLines[i])
	}
}

// setBy returns the attributes that a recipe set, and fails for one it removed.
func setBy(t *testing.T, c change) map[string]any {
	t.Helper()
	set := map[string]any{}
	for name, value := range c.after.Attributes {
		if before, had := c.before.Attributes[name]; !had || !assert.ObjectsAreEqual(before, value) {
			set[name] = value
		}
	}
	for name := range c.before.Attributes {
		assert.Contains(t, c.after.Attributes, name, c.of())
	}
	return set
}

// requireNothingEmpty fails for a value, at any depth, that is null, "" or holds nothing.
func requireNothingEmpty(t *testing.T, of string, value any) {
	t.Helper()
	switch v := value.(type) {
	case nil:
		assert.Fail(t, "null", of)
	case string:
		assert.NotEmpty(t, v, of)
	case []any:
		assert.NotEmpty(t, v, of)
		for _, member := range v {
			requireNothingEmpty(t, of, member)
		}
	case map[string]any:
		assert.NotEmpty(t, v, of)
		for name, member := range v {
			requireNothingEmpty(t, of+" "+name, member)
		}
	}
}

// ecsTypes are the values of event.type that the Elastic Common Schema expects with
// each event.category that the recipe sets.
var ecsTypes = map[string]string{
	"api":            "access admin allowed change creation deletion denied end info start user",
	"authentication": "end info start",
	"configuration":  "access change creation deletion info",
	"file":           "access change creation deletion info",
	"iam":            "admin change creation deletion group info user",
	"session":        "end info start",
	"vulnerability":  "info",
}

// examples/ecs.yaml gives every sample the names and values of the Elastic Common
// Schema: no empty field, no category with a type that it does not go with, and no
// change where something was only read.
func TestRecipeECS(t *testing.T) {
	var lines []any
	for _, c := range runSamples(t, "ecs.yaml", withUnusual(sampleFiles(t))) {
		set := setBy(t, c)
		assert.Equal(t, c.before.Body, c.after.Body, c.of())
		if original, ok := set["event.original"]; ok || c.before.Attributes["openai.compliance.malformed"] == nil {
			assert.Equal(t, c.before.Body, original, c.of())
		}
		assert.Equal(t, c.before.UID, set["event.id"], c.of())
		requireNothingEmpty(t, c.of(), set)
		if address, ok := set["source.ip"]; ok {
			_, err := netip.ParseAddr(address.(string))
			require.NoError(t, err, c.of())
		}
		categories, _ := set["event.category"].([]any)
		types, _ := set["event.type"].([]any)
		assert.Equal(t, len(categories) > 0, len(types) > 0, c.of())
		var expected []string
		for _, category := range categories {
			require.Contains(t, ecsTypes, category, c.of())
			expected = append(expected, strings.Fields(ecsTypes[category.(string)])...)
		}
		for _, kind := range types {
			assert.Contains(t, expected, kind, c.of())
		}
		if action, ok := set["event.action"].(string); ok {
			assert.Equal(t, strings.ToLower(action), action, c.of())
			if regexp.MustCompile("^(list|get|download|export)_|_view_|_download$").MatchString(action) {
				assert.Equal(t, []any{"access"}, types, c.of())
			}
			if regexp.MustCompile("^(user|group|role)_|_directory_group_user$").MatchString(action) {
				assert.Contains(t, categories, "iam", c.of())
			}
		}
		delete(set, "event.original")
		delete(set, "event.id")
		lines = append(lines, map[string]any{"of": c.of(), "set": set})
	}
	golden(t, "ecs.jsonl", lines)
}

// examples/ocsf.yaml makes every sample an event that the published schema of OCSF
// 1.4.0 allows, with the line as it was exported.
func TestRecipeOCSF(t *testing.T) {
	schema := readOCSF(t)
	var lines []any
	for _, c := range runSamples(t, "ocsf.yaml", withUnusual(sampleFiles(t))) {
		assert.Empty(t, setBy(t, c), c.of())
		var event map[string]any
		require.NoError(t, json.Unmarshal([]byte(c.after.Body), &event))
		for _, fault := range schema.check(event) {
			assert.Fail(t, fault, c.of())
		}
		requireNothingEmpty(t, c.of(), event)
		if line, err := base64.StdEncoding.DecodeString(c.before.Body); err == nil { // it is no UTF-8
			assert.Equal(t, hex.EncodeToString(line), event["raw_data"], c.of())
		} else {
			assert.Equal(t, c.before.Body, event["raw_data"], c.of())
		}
		metadata := event["metadata"].(map[string]any)
		assert.Equal(t, c.before.UID, metadata["uid"], c.of())
		if c.before.Time.UnixNano() > 0 {
			assert.InDelta(t, c.before.Time.UnixMilli(), event["time"], 0, c.of())
		}
		for _, told := range []string{"raw_data", "time"} {
			delete(event, told)
		}
		for _, told := range []string{"uid", "product", "version"} {
			delete(metadata, told)
		}
		lines = append(lines, map[string]any{"of": c.of(), "body": event})
	}
	golden(t, "ocsf.jsonl", lines)
}

// Addresses in every notation that a record can hold, each with what of it must not
// be seen.
var addresses = map[string]string{
	"203.0.113.77": "203.", "198.51.100.9:443": "198.", "203.0.113.0/24": "203.", "_203.0.113.5_": "203.",
	"2001:db8::7": ":db8", "2001:DB8:0:0:8:800:200C:417A": ":db8", "2001:db8:1:2:3:4:5:6/64": ":db8", "2001:db8:1::3:4:5": ":db8",
	"2001:db8::": ":db8", "[2001:db8::1]:8443": ":db8", "fe80::1c2d%eth0": ":1c2d", "::1": "::",
	"::ffff:203.0.113.77": "ffff:", "::ffff:cb00:714d": "ffff:", "64:ff9b::203.0.113.9": ":ff9b", "2001:db8:1:2:3:4:203.0.113.9": ":db8",
}

// examples/redaction.yaml lets no content, address, e-mail or coordinate through, of
// neither family, in no attribute and in no body; all else stays as it was.
func TestRecipeRedaction(t *testing.T) {
	samples := sampleFiles(t)
	notations := slices.Sorted(maps.Keys(addresses))
	for i, address := range notations {
		line, err := json.Marshal(map[string]any{
			"event_id": "address " + strconv.Itoa(i), "type": "AUDIT_LOG", "timestamp": "2026-08-02T12:30:07.481516Z", "action": "WORKSPACE_SET_IP_ALLOWLIST",
			"principal": map[string]any{"id": sampleWorkspace, "type": "CHATGPT_WORKSPACE"},
			"actor":     map[string]any{"type": "ACCOUNT_USER", "user_id": "user-1", "user_email": "o'neil+x@mail.example.co.uk"},
			"request_metadata": map[string]any{
				"client_ip": address, "client_user_agent": "agent (" + address + "; x)", "destination_hostname": address,
				"client_ip_details": map[string]any{"country": "CH", "latitude": 46.948, "longitude": -7.4474},
			},
			"action_data": map[string]any{"allowed_ips": []string{"192.0.2.1", address}, "domains": []string{address}, "hostname": address, "email_addresses": []string{"a.b@example.org", "ü@bücher.example"}},
		})
		require.NoError(t, err)
		samples["AUDIT_LOG"] = append(samples["AUDIT_LOG"], string(line))
	}
	allowed := regexp.MustCompile(`^openai\.compliance\.(change\.allowed_ips|target\.domain\.name|target\.user\.email|finding\.assignee\.email)$|^(client|server)\.address$|^user\.email$|^user_agent\.original$`)
	var lines []any
	for _, c := range runSamples(t, "redaction.yaml", samples) {
		text, err := json.Marshal(c.after.Attributes)
		require.NoError(t, err)
		everything := c.after.Body + string(text)
		for _, personal := range []string{
			"CANARY", "ada@", "grace@", "edsger@", "neil", "a.b@", "example.co.uk", "bücher", "192.0.2", "203.0.113", "198.51.100", "2001:", "geo.location",
		} {
			assert.NotContains(t, everything, personal, c.of())
		}
		assert.NotRegexp(t, `itude"\s*:\s*[^n\s]`, c.after.Body, c.of())
		set := map[string]any{}
		for name, value := range c.before.Attributes {
			after, has := c.after.Attributes[name]
			if strings.HasPrefix(name, "geo.location.") {
				assert.False(t, has, c.of())
				continue
			}
			assert.IsType(t, value, after, "%s of %s", name, c.of())
			if !assert.ObjectsAreEqual(value, after) {
				assert.Regexp(t, allowed, name, c.of())
				set[name] = after
			}
		}
		assert.True(t, json.Valid([]byte(c.after.Body)), c.of())
		if number, ok := strings.CutPrefix(c.before.UID, "address "); ok {
			i, err := strconv.Atoi(number)
			require.NoError(t, err)
			assert.Contains(t, c.before.Body, notations[i])
			assert.NotContains(t, strings.ToLower(everything), strings.ToLower(addresses[notations[i]]), notations[i])
			continue
		}
		lines = append(lines, map[string]any{"of": c.of(), "set": set, "body": changedLeaves(t, c)})
	}
	golden(t, "redaction.jsonl", lines)
}

// changedLeaves returns what differs in two bodies, by path.
func changedLeaves(t *testing.T, c change) map[string]any {
	t.Helper()
	var before, after any
	require.NoError(t, json.Unmarshal([]byte(c.before.Body), &before))
	require.NoError(t, json.Unmarshal([]byte(c.after.Body), &after))
	had, has, changed := map[string]any{}, map[string]any{}, map[string]any{}
	leaves("", before, had)
	leaves("", after, has)
	assert.Equal(t, slices.Sorted(maps.Keys(had)), slices.Sorted(maps.Keys(has)), c.of())
	for path, value := range has {
		if had[path] != value {
			changed[path] = value
		}
	}
	return changed
}

// leaves collects the values of a JSON document that hold no others, by path.
func leaves(path string, value any, into map[string]any) {
	switch v := value.(type) {
	case map[string]any:
		for name, member := range v {
			leaves(path+"."+name, member, into)
		}
	case []any:
		for i, member := range v {
			leaves(path+"["+strconv.Itoa(i)+"]", member, into)
		}
	default:
		into[path] = v
	}
}
