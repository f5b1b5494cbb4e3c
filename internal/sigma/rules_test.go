// Copyright The OpenTelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package sigma

import (
	"bytes"
	"flag"
	"fmt"
	"maps"
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
	"go.yaml.in/yaml/v3"

	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/openaicompliance/openaicompliancereceiver/internal/record"
)

const rulesDir = "../../deploy/sigma"

// observed is when the records are received.
var observed = time.Date(2026, 8, 6, 18, 0, 0, 0, time.UTC)

var update = flag.Bool("update", false, "write what is generated of the rules")

// ownKey is the redacted id of the key that the samples are collected with.
const ownKey = "sk-...RxIA"

// loadRules returns the rules of deploy/sigma by the name of their file, and an evaluator
// that knows them.
func loadRules(tb testing.TB) (map[string]*rule, *evaluator) {
	tb.Helper()
	paths, err := filepath.Glob(rulesDir + "/*.yml")
	require.NoError(tb, err)
	rules, ev := map[string]*rule{}, &evaluator{rules: map[string]*rule{}, forced: map[*fieldTest]bool{}}
	for _, path := range paths {
		text, err := os.ReadFile(path)
		require.NoError(tb, err)
		r, err := parseRule(text)
		require.NoError(tb, err, path)
		rules[strings.TrimSuffix(filepath.Base(path), ".yml")] = r
		if r.Name != "" {
			ev.rules[r.Name] = r
		}
	}
	for file, r := range rules {
		if r.correlation != nil {
			require.Contains(tb, ev.rules, r.correlation.Rules[0], file)
		}
	}
	return rules, ev
}

// loadEvents maps every record of testdata/records and deploy/sigma/testdata as the
// receiver does.
func loadEvents(tb testing.TB, content record.Content) (out []event) {
	tb.Helper()
	eachFile(tb, func(eventType string, text []byte) {
		out = append(out, eventsOf(tb, eventType, text, content)...)
	})
	return out
}

func eachFile(tb testing.TB, visit func(eventType string, text []byte)) {
	tb.Helper()
	for _, dir := range []string{"../../testdata/records", rulesDir + "/testdata"} {
		paths, err := filepath.Glob(dir + "/*.jsonl")
		require.NoError(tb, err)
		require.NotEmpty(tb, paths)
		for _, path := range paths {
			text, err := os.ReadFile(path)
			require.NoError(tb, err)
			visit(strings.ToUpper(strings.TrimSuffix(filepath.Base(path), ".jsonl")), text)
		}
	}
}

func eventsOf(tb testing.TB, eventType string, text []byte, content record.Content) (out []event) {
	tb.Helper()
	records := mapped(tb, eventType, text, content).ResourceLogs().At(0).ScopeLogs().At(0).LogRecords()
	for i := range records.Len() {
		out = append(out, eventOf(records.At(i)))
	}
	return out
}

// mapped are the records that the receiver makes of a file.
func mapped(tb testing.TB, eventType string, text []byte, content record.Content) plog.Logs {
	tb.Helper()
	var lines []record.Line
	for i, line := range bytes.Split(bytes.TrimSuffix(text, []byte("\n")), []byte("\n")) {
		lines = append(lines, record.Line{Number: i + 1, Text: line})
	}
	mapper := record.NewMapper(record.Source{
		EventType: eventType, PrincipalAttr: record.AttrWorkspaceID, PrincipalID: "0f1e2d3c-4b5a-4697-8877-665544332211",
		Content: content, Self: func(redactedID string) bool { return redactedID == ownKey },
	})
	logs, malformed := mapper.Map(record.File{ID: "eclf_01"}, lines, observed)
	require.Zero(tb, malformed)
	return logs
}

func eventOf(r plog.LogRecord) event {
	e := event{attrs: r.Attributes().AsRaw()}
	e.uid, _ = e.attrs[record.AttrRecordUID].(string)
	if r.Timestamp() != 0 {
		e.at = r.Timestamp().AsTime()
	}
	return e
}

// expectation is what a rule does on all records: it fires on some, and stays silent on
// the rest, of which some are near misses.
type expectation struct {
	Fires  []string          `yaml:"fires"`
	Misses map[string]string `yaml:"misses"` // why
}

func loadExpectations(tb testing.TB) map[string]expectation {
	tb.Helper()
	text, err := os.ReadFile(rulesDir + "/testdata/expected.yaml")
	require.NoError(tb, err)
	var out map[string]expectation
	require.NoError(tb, yaml.Unmarshal(text, &out))
	for file, want := range out {
		short := want
		want = expectation{Misses: map[string]string{}}
		for _, ids := range short.Fires {
			want.Fires = append(want.Fires, uidsOf(tb, ids)...)
		}
		for ids, why := range short.Misses {
			want.Misses[uidsOf(tb, ids)[0]] = why
		}
		out[file] = want
	}
	return out
}

var shortIDs = regexp.MustCompile(`^([0-9a-f]{2})/(\d+)(?:-(\d+))?$`)

// uidsOf are the ids of a0/14 or 5a/1-5.
func uidsOf(tb testing.TB, short string) (out []string) {
	tb.Helper()
	parts := shortIDs.FindStringSubmatch(short)
	require.NotNil(tb, parts, short)
	first, _ := strconv.Atoi(parts[2])
	last, err := strconv.Atoi(parts[3])
	if err != nil {
		last = first
	}
	for n := first; n <= last; n++ {
		out = append(out, fmt.Sprintf("%s000000-0000-4000-8000-%012d", parts[1], n))
	}
	return out
}

// Each rule fires on exactly the records that testdata/expected.yaml lists, whether content
// is kept or withheld.
func TestRulesFire(t *testing.T) {
	rules, ev := loadRules(t)
	want := loadExpectations(t)
	assert.Equal(t, slices.Sorted(maps.Keys(rules)), slices.Sorted(maps.Keys(want)))
	for name, content := range map[string]record.Content{
		"keep": {}, "drop": {Mode: record.ContentDrop}, "hmac": {Mode: record.ContentHMAC, Key: []byte("a key for tests that has 32 bytes")},
	} {
		events := loadEvents(t, content)
		for file, r := range rules {
			t.Run(name+"/"+file, func(t *testing.T) {
				fired := ev.fire(r, events)
				assert.NotEmpty(t, fired)
				assert.Equal(t, slices.Sorted(slices.Values(want[file].Fires)), fired)
			})
		}
	}
}

// Each rule has a near miss: a record on which it is silent, and would not be if one of its
// tests gave another answer; of a correlation, if it counted fewer or over a longer time.
func TestNearMisses(t *testing.T) {
	rules, ev := loadRules(t)
	events := loadEvents(t, record.Content{})
	known := map[string]bool{}
	for _, e := range events {
		assert.False(t, known[e.uid], "%s comes twice", e.uid)
		known[e.uid] = true
	}
	for file, want := range loadExpectations(t) {
		assert.NotEmpty(t, want.Misses, file)
		near := map[string]bool{}
		for _, fired := range variationsOf(ev, rules[file], events) {
			for _, uid := range fired {
				near[uid] = true
			}
		}
		for uid, why := range want.Misses {
			assert.NotEmpty(t, why)
			assert.True(t, known[uid], "%s: no record %s", file, uid)
			assert.NotContains(t, want.Fires, uid, file)
			assert.True(t, near[uid], "%s: no single change makes the rule fire on %s", file, uid)
		}
	}
}

// Nothing of a rule is idle: with a test that always passes or never does, without one of
// its values, or with another bound, it fires on other records.
func TestEveryTestCounts(t *testing.T) {
	rules, ev := loadRules(t)
	events := loadEvents(t, record.Content{})
	for file, r := range rules {
		whole := ev.fire(r, events)
		for change, fired := range variationsOf(ev, r, events) {
			assert.NotEqual(t, whole, fired, "%s: %s changes nothing", file, change)
		}
	}
}

// variationsOf are what a rule fires on with one change, by the change.
func variationsOf(ev *evaluator, r *rule, events []event) map[string][]string {
	out := map[string][]string{}
	if c := r.correlation; c != nil {
		whole := *c
		for change, vary := range map[string]func(){
			"one more":        func() { c.Condition.GTE++ },
			"one less":        func() { c.Condition.GTE-- },
			"half the time":   func() { c.span /= 2 },
			"double the time": func() { c.span *= 2 },
			"other groups":    func() { c.GroupBy = []string{record.AttrEventType} },
			"another count":   func() { c.Condition.Field = map[string]string{"": record.AttrAction}[c.Condition.Field] },
		} {
			vary()
			out[change] = ev.fire(r, events)
			*c = whole
		}
		return out
	}
	for _, test := range r.condition.tests() {
		name := test.field + "|" + test.modifier
		for _, forced := range []bool{true, false} {
			ev.forced[test] = forced
			out[fmt.Sprintf("%s always %t", name, forced)] = ev.fire(r, events)
			delete(ev.forced, test)
		}
		for i, text := range test.texts {
			all := test.texts
			test.texts = slices.Delete(slices.Clone(all), i, i+1)
			out[name+" without "+text] = ev.fire(r, events)
			test.texts = all
		}
	}
	return out
}

var (
	uuid4   = regexp.MustCompile(`^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$`)
	tag     = regexp.MustCompile(`^attack\.(t\d{4}(\.\d{3})?|[a-z]+(-[a-z]+)*)$`)
	rulFile = regexp.MustCompile(`^openai_[a-z0-9_]{3,62}$`)
)

// Each file has the keys that the specification asks for, with values that it knows; ids
// and titles are unique; each field is one that the receiver sets; and a rule fires on
// records of its log source alone.
func TestRuleFiles(t *testing.T) {
	rules, ev := loadRules(t)
	require.GreaterOrEqual(t, len(rules), 10)
	fields, events := emittedFields(t), loadEvents(t, record.Content{})
	ids, titles := map[string]bool{}, map[string]bool{}
	for file, r := range rules {
		t.Run(file, func(t *testing.T) {
			assert.Regexp(t, rulFile, file)
			assert.Regexp(t, uuid4, r.ID)
			assert.False(t, ids[r.ID] || titles[r.Title], "id or title comes twice")
			ids[r.ID], titles[r.Title] = true, true
			assert.True(t, r.Title != "" && len(r.Title) <= 256)
			assert.Contains(t, []string{"stable", "test", "experimental"}, r.Status)
			assert.Contains(t, []string{"informational", "low", "medium", "high", "critical"}, r.Level)
			assert.True(t, strings.HasPrefix(r.Description, "Detects "))
			assert.Regexp(t, `^\d{4}-\d\d-\d\d$`, r.Date.Value)
			assert.NotEmpty(t, r.FalsePositives)
			assert.NotEmpty(t, r.Tags)
			for _, text := range r.Tags {
				assert.Regexp(t, tag, text)
			}
			for _, field := range fieldsOf(r) {
				assert.Contains(t, fields, field)
			}
			if r.correlation != nil {
				assert.Equal(t, source{}, r.LogSource)
				return
			}
			assert.Equal(t, "openai", r.LogSource.Product)
			for _, e := range ev.matching(r, events) {
				if r.LogSource.Service != "" {
					assert.Equal(t, r.LogSource.Service, strings.ToLower(textOf(e.attrs[record.AttrEventType])), e.uid)
				}
			}
		})
	}
}

func fieldsOf(r *rule) (out []string) {
	out = slices.Clone(r.Fields)
	if r.correlation != nil {
		out = append(out, r.correlation.GroupBy...)
		if r.correlation.Condition.Field != "" {
			out = append(out, r.correlation.Condition.Field)
		}
		return out
	}
	for _, test := range r.condition.tests() {
		out = append(out, test.field)
	}
	return out
}

var attributeRow = regexp.MustCompile("(?m)^\\| `([a-z0-9_.]+)` \\| (text|list of texts|integer|double|boolean) \\|")

// emittedFields are the attributes of docs/mapping.md, which is generated of the code, with
// their types.
func emittedFields(tb testing.TB) map[string]string {
	tb.Helper()
	text, err := os.ReadFile("../../docs/mapping.md")
	require.NoError(tb, err)
	out := map[string]string{}
	for _, row := range attributeRow.FindAllStringSubmatch(string(text), -1) {
		out[row[1]] = row[2]
	}
	require.NotEmpty(tb, out)
	return out
}
