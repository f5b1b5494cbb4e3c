// Copyright The OpenTelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package sigma

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const detectionHead = "title: A\nlogsource:\n    product: openai\ndetection:\n"

// What the evaluator does not know of Sigma is an error, wherever it stands: nothing of a
// rule is left out.
func TestUnknownFeaturesAreErrors(t *testing.T) {
	_, err := parseRule([]byte(detectionHead + "    selection:\n        a: 'b'\n    condition: selection\n"))
	require.NoError(t, err)
	for name, text := range map[string]string{
		"key":              "titel: A\n",
		"log source":       "title: A\nlogsource:\n    category: web\n",
		"second document":  detectionHead + "    selection:\n        a: 'b'\n    condition: selection\n---\ntitle: B\n",
		"no detection":     "title: A\n",
		"modifier":         detectionHead + "    selection:\n        a|base64: 'b'\n    condition: selection\n",
		"two modifiers":    detectionHead + "    selection:\n        a|contains|all:\n            - 'b'\n            - 'c'\n    condition: selection\n",
		"regular expr":     detectionHead + "    selection:\n        a|re: 'b'\n    condition: selection\n",
		"wildcard":         detectionHead + "    selection:\n        a: 'b*'\n    condition: selection\n",
		"escape":           detectionHead + "    selection:\n        a: 'b\\c'\n    condition: selection\n",
		"null":             detectionHead + "    selection:\n        a: null\n    condition: selection\n",
		"empty text":       detectionHead + "    selection:\n        a: ''\n    condition: selection\n",
		"number":           detectionHead + "    selection:\n        a: 1\n    condition: selection\n",
		"boolean in list":  detectionHead + "    selection:\n        a:\n            - true\n            - 'b'\n    condition: selection\n",
		"exists of text":   detectionHead + "    selection:\n        a|exists: 'b'\n    condition: selection\n",
		"no range":         detectionHead + "    selection:\n        a|cidr: 'b'\n    condition: selection\n",
		"keywords":         detectionHead + "    selection:\n        - 'b'\n    condition: selection\n",
		"timeframe":        detectionHead + "    selection:\n        a: 'b'\n    timeframe: 5m\n    condition: selection\n",
		"key twice":        detectionHead + "    selection:\n        a: 'b'\n        a: 'c'\n    condition: selection\n",
		"unused selection": detectionHead + "    selection:\n        a: 'b'\n    filter:\n        a: 'c'\n    condition: selection\n",
		"no condition":     detectionHead + "    selection:\n        a: 'b'\n",
		"conditions":       detectionHead + "    selection:\n        a: 'b'\n    condition:\n        - selection\n",
		"no selection":     detectionHead + "    selection:\n        a: 'b'\n    condition: selection or other\n",
		"of them":          detectionHead + "    selection:\n        a: 'b'\n    condition: 1 of them\n",
		"2 of":             detectionHead + "    selection_a:\n        a: 'b'\n    selection_b:\n        a: 'c'\n    condition: 2 of selection_*\n",
		"aggregation":      detectionHead + "    selection:\n        a: 'b'\n    condition: selection | count() > 5\n",
		"parenthesis":      detectionHead + "    selection:\n        a: 'b'\n    condition: (selection\n",
		"temporal":         correlationText("type: event_count", "type: temporal"),
		"two rules":        correlationText("rules: [r]", "rules: [r, s]"),
		"two groups":       correlationText("group-by: [a]", "group-by: [a, b]"),
		"aliases":          correlationText("type: event_count", "type: event_count\n    aliases: {}"),
		"generate":         correlationText("type: event_count", "type: event_count\n    generate: true"),
		"greater than":     correlationText("gte: 5", "gt: 5"),
		"range":            correlationText("gte: 5", "gte: 5\n        lte: 9"),
		"field":            correlationText("gte: 5", "gte: 5\n        field: a"),
		"no field":         correlationText("event_count", "value_count"),
		"timespan":         correlationText("10m", "1h30m"),
	} {
		t.Run(name, func(t *testing.T) {
			_, err := parseRule([]byte(text))
			require.Error(t, err)
		})
	}
	_, err = parseRule([]byte(correlationText("", "")))
	require.NoError(t, err)
}

func correlationText(old, replacement string) string {
	return strings.Replace("title: A\ncorrelation:\n    type: event_count\n    rules: [r]\n    group-by: [a]\n    timespan: 10m\n    condition:\n        gte: 5\n", old, replacement, 1)
}

// Conditions hold as the specification says: not before and before or, texts without regard
// to case, any element of a list, any map of a list, and a field that is not there fails
// every test but exists: false.
func TestConditionsHold(t *testing.T) {
	e := event{attrs: map[string]any{
		"text": "Some Text", "list": []any{"a", "b"}, "flag": true, "address": "203.0.113.9", "address6": "2001:db8::1",
	}}
	for condition, want := range map[string]bool{
		"yes":                          true,
		"no":                           false,
		"not no":                       true,
		"no or yes and yes":            true,
		"yes or no and no":             true,
		"(yes or no) and no":           false,
		"not no and no":                false,
		"not (no and no)":              true,
		"1 of some_*":                  true,
		"all of some_*":                false,
		"not 1 of filter_*":            true,
		"not all of some_* and no":     false,
		"in_list":                      true,
		"not_in_list":                  false,
		"contains and ends":            true,
		"starts":                       false,
		"flag and not other_flag":      true,
		"exists and absent":            true,
		"network and network6":         true,
		"not other_network":            true,
		"any_map":                      true,
		"both_fields":                  false,
		"not missing_field and absent": true,
	} {
		selections := parsed(t, `
yes: {text: 'some text'}
no: {text: 'some'}
some_yes: {text: ['other', 'SOME TEXT']}
some_no: {text: 'other'}
filter_a: {text: 'a'}
filter_b: {text: 'b'}
in_list: {list: 'B'}
not_in_list: {list: 'c'}
contains: {text|contains: 'E TE'}
ends: {text|endswith: ['x', 'TEXT']}
starts: {text|endswith: 'some'}
flag: {flag: true}
other_flag: {flag: false}
exists: {text|exists: true}
absent: {missing|exists: false}
network: {address|cidr: ['198.51.100.0/24', '203.0.113.0/24']}
network6: {address6|cidr: '2001:db8::/32'}
other_network: {address|cidr: ['198.51.100.0/24', '2001:db8::/32']}
any_map: [{text: 'other'}, {list: 'a', flag: true}]
both_fields: {text: 'some text', list: 'c'}
missing_field: {missing: 'x'}
`)
		// Selections that the condition does not use are used without effect.
		all := []string{"(" + condition + ")"}
		for _, s := range selections {
			all = append(all, "("+s.name+" or not "+s.name+")")
		}
		is, err := parseCondition(strings.Join(all, " and "), selections)
		require.NoError(t, err, condition)
		assert.Equal(t, want, (&evaluator{}).holds(is, e), condition)
	}
}

func parsed(t *testing.T, text string) (out []selection) {
	t.Helper()
	for line := range strings.SplitSeq(strings.TrimSpace(text), "\n") {
		name, _, _ := strings.Cut(line, ":")
		r, err := parseRule([]byte(detectionHead + "    " + line + "\n    condition: " + name + "\n"))
		require.NoError(t, err, line)
		out = append(out, selection{name, r.condition})
	}
	return out
}

// A stretch of time slides, has its begin and not its end, and holds one group; records
// without the field to group by, or without a time, count nowhere.
func TestCorrelationsCount(t *testing.T) {
	at := func(minutes int) time.Time { return observed.Add(time.Duration(minutes) * time.Minute) }
	of := func(user, address string) map[string]any { return map[string]any{"user": user, "address": address} }
	events := []event{
		{"a9", at(9), of("a", "x")},
		{"a0", at(0), of("a", "x")},
		{"a8", at(8), of("a", "y")},
		{"b1", at(1), of("b", "x")},
		{"a10", at(10), of("a", "x")},
		{"no time", time.Time{}, of("a", "x")},
		{"no user", at(9), map[string]any{"address": "x"}},
		{"b11", at(11), of("b", "y")},
	}
	for name, c := range map[string]struct {
		correlation
		fires []string
	}{
		"three in ten minutes":         {correlation{GroupBy: []string{"user"}, span: 10 * time.Minute, Condition: threshold{GTE: 3}}, []string{"a0", "a10", "a8", "a9"}},
		"four in ten minutes":          {correlation{GroupBy: []string{"user"}, span: 10 * time.Minute, Condition: threshold{GTE: 4}}, nil},
		"four in eleven":               {correlation{GroupBy: []string{"user"}, span: 11 * time.Minute, Condition: threshold{GTE: 4}}, []string{"a0", "a10", "a8", "a9"}},
		"two users of an address":      {correlation{GroupBy: []string{"address"}, span: 2 * time.Minute, Condition: threshold{GTE: 2, Field: "user"}}, []string{"a0", "b1"}},
		"three different of one field": {correlation{GroupBy: []string{"user"}, span: time.Hour, Condition: threshold{GTE: 3, Field: "address"}}, nil},
	} {
		var fired []string
		r := &rule{correlation: &c.correlation}
		c.Rules = []string{"all"}
		all := &evaluator{rules: map[string]*rule{"all": {condition: expr{op: "and"}}}}
		fired = all.fire(r, events)
		assert.Equal(t, c.fires, fired, name)
	}
}
