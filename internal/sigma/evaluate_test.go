// Copyright The OpenTelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package sigma

import (
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"
)

// event is a record as a rule sees it.
type event struct {
	uid   string
	at    time.Time
	attrs map[string]any
}

// evaluator evaluates rules. Where forced has a test, the test gives that for every
// record.
type evaluator struct {
	rules  map[string]*rule // by name, of those that have one
	forced map[*fieldTest]bool
}

// fire returns the ids of the records that a rule fires on, in alphabetic order; those of
// each stretch that a correlation finds.
func (ev *evaluator) fire(r *rule, events []event) (uids []string) {
	for _, e := range ev.matching(r, events) {
		uids = append(uids, e.uid)
	}
	slices.Sort(uids)
	return slices.Compact(uids)
}

func (ev *evaluator) matching(r *rule, events []event) (out []event) {
	if r.correlation != nil {
		return r.correlation.find(ev.matching(ev.rules[r.correlation.Rules[0]], events))
	}
	for _, e := range events {
		if ev.holds(r.condition, e) {
			out = append(out, e)
		}
	}
	return out
}

func (ev *evaluator) holds(condition expr, e event) bool {
	fails := func(of expr) bool { return !ev.holds(of, e) }
	switch condition.op {
	case "not":
		return fails(condition.of[0])
	case "and":
		return !slices.ContainsFunc(condition.of, fails)
	case "or":
		return slices.ContainsFunc(condition.of, func(of expr) bool { return !fails(of) })
	}
	return ev.passes(condition.test, e)
}

func (ev *evaluator) passes(test *fieldTest, e event) bool {
	if forced, ok := ev.forced[test]; ok {
		return forced
	}
	value, ok := e.attrs[test.field]
	switch {
	case test.modifier == "exists":
		return ok == test.flag
	case !ok:
		return false
	case test.isFlag:
		return value == test.flag
	}
	elements, isList := value.([]any)
	if !isList {
		elements = []any{value}
	}
	return slices.ContainsFunc(elements, func(element any) bool {
		return slices.ContainsFunc(test.texts, func(text string) bool { return test.compare(textOf(element), text) })
	})
}

func (t *fieldTest) compare(have, want string) bool {
	if t.modifier == "cidr" {
		addr, err := netip.ParseAddr(have)
		return err == nil && netip.MustParsePrefix(want).Contains(addr)
	}
	have, want = strings.ToLower(have), strings.ToLower(want)
	switch t.modifier {
	case "contains":
		return strings.Contains(have, want)
	case "endswith":
		return strings.HasSuffix(have, want)
	}
	return have == want
}

func textOf(value any) string {
	switch value := value.(type) {
	case string:
		return value
	case bool:
		return strconv.FormatBool(value)
	case int64:
		return strconv.FormatInt(value, 10)
	}
	panic(fmt.Sprintf("a rule compares a %T", value))
}

// find returns the events of every stretch of time, of one group, that has enough. The
// stretch slides: it ends at any of its events. Events without the field to group by, or
// without a time, count nowhere.
func (c *correlation) find(events []event) (out []event) {
	groups := map[string][]event{}
	for _, e := range events {
		if by, ok := e.attrs[c.GroupBy[0]]; ok && !e.at.IsZero() {
			groups[textOf(by)] = append(groups[textOf(by)], e)
		}
	}
	for _, group := range groups {
		slices.SortStableFunc(group, func(a, b event) int { return a.at.Compare(b.at) })
		first := 0
		for last := range group {
			for group[last].at.Sub(group[first].at) >= c.span {
				first++
			}
			if stretch := group[first : last+1]; c.count(stretch) >= c.Condition.GTE {
				out = append(out, stretch...)
			}
		}
	}
	return out
}

func (c *correlation) count(events []event) int {
	if c.Condition.Field == "" {
		return len(events)
	}
	values := map[string]bool{}
	for _, e := range events {
		if value, ok := e.attrs[c.Condition.Field]; ok {
			values[textOf(value)] = true
		}
	}
	return len(values)
}
