// Copyright The OpenTelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package sigma

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"
)

// rule is a rule of the part of Sigma 2.1 that deploy/sigma uses. It has either a condition
// or a correlation. What it does not know is an error of parseRule: a rule is evaluated
// whole or not at all.
type rule struct {
	document
	condition   expr
	correlation *correlation
}

// document is a rule as its file has it.
type document struct {
	Title          string    `yaml:"title"`
	Name           string    `yaml:"name"`
	ID             string    `yaml:"id"`
	Status         string    `yaml:"status"`
	Description    string    `yaml:"description"`
	License        string    `yaml:"license"`
	Author         string    `yaml:"author"`
	Date           yaml.Node `yaml:"date"`
	Tags           []string  `yaml:"tags"`
	LogSource      source    `yaml:"logsource"`
	Detection      yaml.Node `yaml:"detection"`
	Correlation    yaml.Node `yaml:"correlation"`
	Fields         []string  `yaml:"fields"`
	FalsePositives []string  `yaml:"falsepositives"`
	Level          string    `yaml:"level"`
}

type source struct {
	Product string `yaml:"product"`
	Service string `yaml:"service"`
}

// selection is a search identifier: any of its maps, each with all of its tests.
type selection struct {
	name string
	is   expr
}

// fieldTest compares a field with any of some values, without regard to case.
type fieldTest struct {
	field    string
	modifier string // "" for equality
	texts    []string
	flag     bool // of a boolean and of exists
	isFlag   bool
}

// correlation counts records, or different values of a field, that the named rule fires
// on, in each group and each stretch of time.
type correlation struct {
	Type      string    `yaml:"type"`
	Rules     []string  `yaml:"rules"`
	GroupBy   []string  `yaml:"group-by"`
	TimeSpan  string    `yaml:"timespan"`
	Condition threshold `yaml:"condition"`

	span time.Duration
}

type threshold struct {
	GTE   int    `yaml:"gte"`
	Field string `yaml:"field"`
}

func parseRule(text []byte) (*rule, error) {
	var r rule
	decoder := yaml.NewDecoder(bytes.NewReader(text))
	decoder.KnownFields(true)
	if err := decoder.Decode(&r.document); err != nil {
		return nil, err
	}
	if err := decoder.Decode(&yaml.Node{}); !errors.Is(err, io.EOF) {
		return nil, errors.New("a second document")
	}
	if r.Detection.IsZero() == r.Correlation.IsZero() {
		return nil, errors.New("neither or both of detection and correlation")
	}
	if r.Detection.IsZero() {
		return &r, r.parseCorrelation()
	}
	return &r, r.parseDetection()
}

var minutes = regexp.MustCompile(`^[1-9][0-9]?m$`)

func (r *rule) parseCorrelation() error {
	// A node decodes without KnownFields: encode it and decode it anew.
	text, err := yaml.Marshal(&r.Correlation)
	if err != nil {
		return err
	}
	decoder := yaml.NewDecoder(bytes.NewReader(text))
	decoder.KnownFields(true)
	r.correlation = &correlation{}
	c := r.correlation
	if err := decoder.Decode(c); err != nil {
		return err
	}
	switch {
	case c.Type != "event_count" && c.Type != "value_count":
		return fmt.Errorf("unknown correlation type %q", c.Type)
	case (c.Type == "value_count") != (c.Condition.Field != ""):
		return errors.New("a field belongs to value_count")
	case len(c.Rules) != 1 || len(c.GroupBy) != 1:
		return errors.New("a correlation takes one rule and one field to group by")
	case c.Condition.GTE < 2:
		return errors.New("a correlation takes gte of two or more")
	}
	c.span, err = time.ParseDuration(c.TimeSpan)
	if err != nil || !minutes.MatchString(c.TimeSpan) {
		return fmt.Errorf("timespan %q is not in minutes", c.TimeSpan)
	}
	return nil
}

func (r *rule) parseDetection() error {
	entries, err := entriesOf(&r.Detection)
	if err != nil {
		return err
	}
	condition, selections := "", []selection(nil)
	for _, entry := range entries {
		if entry.key == "condition" {
			condition = entry.value.Value
			continue
		}
		is, err := parseSelection(entry.value)
		if err != nil {
			return fmt.Errorf("%s: %w", entry.key, err)
		}
		selections = append(selections, selection{entry.key, is})
	}
	r.condition, err = parseCondition(condition, selections)
	return err
}

type entry struct {
	key   string
	value *yaml.Node
}

func entriesOf(node *yaml.Node) (out []entry, err error) {
	if node.Kind != yaml.MappingNode || len(node.Content) == 0 {
		return nil, errors.New("not a map")
	}
	seen := map[string]bool{}
	for i := 0; i < len(node.Content); i += 2 {
		key := node.Content[i].Value
		if seen[key] {
			return nil, fmt.Errorf("%s comes twice", key)
		}
		seen[key] = true
		out = append(out, entry{key, node.Content[i+1]})
	}
	return out, nil
}

func parseSelection(node *yaml.Node) (expr, error) {
	var groups []expr
	maps := []*yaml.Node{node}
	if node.Kind == yaml.SequenceNode {
		maps = node.Content
	}
	for _, m := range maps {
		entries, err := entriesOf(m)
		if err != nil {
			return expr{}, err
		}
		var group []expr
		for _, entry := range entries {
			test, err := parseTest(entry)
			if err != nil {
				return expr{}, fmt.Errorf("%s: %w", entry.key, err)
			}
			group = append(group, expr{test: test})
		}
		groups = append(groups, joined("and", group))
	}
	if len(groups) == 0 {
		return expr{}, errors.New("no map")
	}
	return joined("or", groups), nil
}

func parseTest(e entry) (*fieldTest, error) {
	field, modifier, _ := strings.Cut(e.key, "|")
	test := &fieldTest{field: field, modifier: modifier}
	if !slices.Contains([]string{"", "contains", "endswith", "cidr", "exists"}, modifier) {
		return nil, fmt.Errorf("unknown modifier %q", modifier)
	}
	values := []*yaml.Node{e.value}
	if e.value.Kind == yaml.SequenceNode {
		values = e.value.Content
	}
	if len(values) == 0 {
		return nil, errors.New("no value")
	}
	for _, value := range values {
		if err := test.addValue(value, len(values) == 1); err != nil {
			return nil, err
		}
	}
	return test, nil
}

func (t *fieldTest) addValue(value *yaml.Node, alone bool) error {
	switch {
	case value.Kind != yaml.ScalarNode:
		return errors.New("a value that is no scalar")
	case value.Tag == "!!bool" && alone && (t.modifier == "" || t.modifier == "exists"):
		flag, err := strconv.ParseBool(value.Value)
		t.flag, t.isFlag = flag, true
		return err
	case value.Tag != "!!str", value.Value == "", t.modifier == "exists":
		return fmt.Errorf("unknown kind of value %q", value.Value)
	case strings.ContainsAny(value.Value, `*?\"`):
		return fmt.Errorf("wildcard, escape or quote in %q", value.Value)
	}
	if t.modifier == "cidr" {
		if _, err := netip.ParsePrefix(value.Value); err != nil {
			return err
		}
	}
	t.texts = append(t.texts, value.Value)
	return nil
}
