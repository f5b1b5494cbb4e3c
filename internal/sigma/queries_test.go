// Copyright The OpenTelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package sigma

import (
	"fmt"
	"net/netip"
	"regexp"
	"strings"
)

// dialect writes rules as queries of one language.
type dialect struct {
	name          string
	and, or       string
	test          func(t *fieldTest, isList bool) string
	not           func(query string) string
	exists        func(field string) string
	search        func(query string) string
	count, values func(c *correlation, query string) string
}

var dialects = []dialect{spl, esql, kql, logsQL}

// query writes a rule; lists are the fields that are lists of texts.
func (d *dialect) query(ev *evaluator, r *rule, lists map[string]bool) string {
	if r.correlation == nil {
		return d.search(d.write(r.condition, lists, "and"))
	}
	c := r.correlation
	query := d.write(ev.rules[c.Rules[0]].condition, lists, "and") + d.and + d.exists(c.GroupBy[0])
	if c.Type == "value_count" {
		return d.values(c, query)
	}
	return d.count(c, query)
}

// write writes a condition that stands within another.
func (d *dialect) write(condition expr, lists map[string]bool, within string) string {
	switch condition.op {
	case "":
		return d.test(condition.test, lists[condition.test.field])
	case "not":
		return d.not(d.write(condition.of[0], lists, "not"))
	}
	var parts []string
	for _, of := range condition.of {
		parts = append(parts, d.write(of, lists, condition.op))
	}
	text := strings.Join(parts, map[string]string{"and": d.and, "or": d.or}[condition.op])
	if within == "and" && condition.op == "or" || within == "or" {
		return "(" + text + ")"
	}
	return text
}

// quoted are the texts, each within quotes and with something around it.
func quoted(texts []string, before, after string) (out []string) {
	for _, text := range texts {
		out = append(out, `"`+before+text+after+`"`)
	}
	return out
}

// anyOf writes one comparison for each text.
func anyOf(texts []string, or string, compare func(text string) string) string {
	var out []string
	for _, text := range texts {
		out = append(out, compare(text))
	}
	if len(out) > 1 {
		return "(" + strings.Join(out, or) + ")"
	}
	return out[0]
}

// spl is of Splunk, where attributes are fields of the events, lists have several values,
// and texts compare without regard to case.
var spl = dialect{
	name: "SPL", and: " ", or: " OR ",
	test: func(t *fieldTest, _ bool) string {
		before, after := "", ""
		switch {
		case t.modifier == "exists":
			return t.field + "=*"
		case t.isFlag:
			return fmt.Sprintf("%s=%t", t.field, t.flag)
		case t.modifier == "contains":
			before, after = "*", "*"
		case t.modifier == "endswith":
			before = "*"
		case t.modifier == "cidr":
			return anyOf(t.texts, " OR ", func(text string) string { return fmt.Sprintf("%s=%q", t.field, text) })
		}
		if len(t.texts) == 1 {
			return t.field + "=" + quoted(t.texts, before, after)[0]
		}
		return t.field + " IN (" + strings.Join(quoted(t.texts, before, after), ", ") + ")"
	},
	not:    func(query string) string { return "NOT (" + query + ")" },
	exists: func(field string) string { return field + "=*" },
	search: func(query string) string { return "index=openai " + query },
	count: func(c *correlation, query string) string {
		return fmt.Sprintf("index=openai %s\n| bin _time span=%s\n| stats count AS events BY _time %s\n| where events >= %d", query, c.TimeSpan, c.GroupBy[0], c.Condition.GTE)
	},
	values: func(c *correlation, query string) string {
		return fmt.Sprintf("index=openai %s\n| bin _time span=%s\n| stats dc(%s) AS different BY _time %s\n| where different >= %d", query, c.TimeSpan, c.Condition.Field, c.GroupBy[0], c.Condition.GTE)
	},
}

// esql is of Elasticsearch with OTel mapping. A comparison of a field that is not there is
// null, and so is its negation: not of it takes COALESCE. A comparison of a list is null.
var esql = dialect{
	name: "ES|QL", and: " AND ", or: " OR ",
	test: func(t *fieldTest, isList bool) string {
		field := "TO_LOWER(" + t.field + ")"
		like := func(before, after string) string {
			return anyOf(t.texts, " OR ", func(text string) string {
				return fmt.Sprintf("%s LIKE %q", field, before+strings.ToLower(text)+after)
			})
		}
		if isList {
			field = `CONCAT(",", MV_CONCAT(` + field + `, ","), ",")`
		}
		switch {
		case t.modifier == "exists":
			return t.field + " IS NOT NULL"
		case t.isFlag:
			return fmt.Sprintf("%s == %t", t.field, t.flag)
		case t.modifier == "cidr":
			return "CIDR_MATCH(TO_IP(" + t.field + "), " + strings.Join(quoted(t.texts, "", ""), ", ") + ")"
		case t.modifier == "contains":
			return like("*", "*")
		case t.modifier == "endswith" && !isList:
			return like("*", "")
		case isList:
			return like("*,", ",*")
		case len(t.texts) == 1:
			return field + " == " + strings.ToLower(quoted(t.texts, "", "")[0])
		}
		return field + " IN (" + strings.ToLower(strings.Join(quoted(t.texts, "", ""), ", ")) + ")"
	},
	not:    func(query string) string { return "NOT COALESCE(" + query + ", false)" },
	exists: func(field string) string { return field + " IS NOT NULL" },
	search: func(query string) string { return "FROM logs-*\n| WHERE " + query },
	count: func(c *correlation, query string) string {
		return esqlStats(c, query, "events = COUNT(*)", "events")
	},
	values: func(c *correlation, query string) string {
		return esqlStats(c, query, "different = COUNT_DISTINCT("+c.Condition.Field+")", "different")
	},
}

func esqlStats(c *correlation, query, stats, name string) string {
	return fmt.Sprintf("FROM logs-*\n| WHERE %s\n| STATS %s BY bucket = DATE_TRUNC(%g minutes, @timestamp), %s\n| WHERE %s >= %d",
		query, stats, c.span.Minutes(), c.GroupBy[0], name, c.Condition.GTE)
}

// kql is of Azure Data Explorer, with attributes in one dynamic column.
var kql = dialect{
	name: "KQL", and: " and ", or: " or ",
	test: func(t *fieldTest, isList bool) string {
		each := func(operator, before, after string) string {
			return anyOf(t.texts, " or ", func(text string) string {
				return kqlField(t.field) + " " + operator + " " + before + text + after
			})
		}
		switch {
		case t.modifier == "exists":
			return kqlExists(t.field)
		case t.isFlag:
			return fmt.Sprintf("tobool(LogsAttributes[%q]) == %t", t.field, t.flag)
		case t.modifier == "cidr":
			return anyOf(t.texts, " or ", func(text string) string {
				family := "ipv6"
				if netip.MustParsePrefix(text).Addr().Is4() {
					family = "ipv4"
				}
				return fmt.Sprintf("coalesce(%s_is_in_range(%s, %q), false)", family, kqlField(t.field), text)
			})
		case t.modifier == "contains" || t.modifier == "endswith" && !isList:
			return each(t.modifier, `"`, `"`)
		case isList: // its text is JSON
			return each("contains", `'"`, `"'`)
		case len(t.texts) == 1:
			return kqlField(t.field) + " =~ " + quoted(t.texts, "", "")[0]
		}
		return kqlField(t.field) + " in~ (" + strings.Join(quoted(t.texts, "", ""), ", ") + ")"
	},
	not:    func(query string) string { return "not(" + query + ")" },
	exists: kqlExists,
	search: func(query string) string { return "OTELLogs\n| where " + query },
	count: func(c *correlation, query string) string {
		return kqlStats(c, query, "events = count()", "events")
	},
	values: func(c *correlation, query string) string {
		return kqlStats(c, query, "different = dcount("+kqlField(c.Condition.Field)+")", "different")
	},
}

func kqlField(field string) string  { return fmt.Sprintf("tostring(LogsAttributes[%q])", field) }
func kqlExists(field string) string { return "isnotempty(" + kqlField(field) + ")" }

func kqlStats(c *correlation, query, stats, name string) string {
	return fmt.Sprintf("OTELLogs\n| where %s\n| summarize %s by bin(Timestamp, %s), %s\n| where %s >= %d",
		query, stats, c.TimeSpan, kqlField(c.GroupBy[0]), name, c.Condition.GTE)
}

// logsQL is of VictoriaLogs, which stores a list as its JSON text. It compares with regard
// to case, and knows no range of IPv6 addresses: their first groups stand for one.
var logsQL = dialect{
	name: "LogsQL", and: " ", or: " or ",
	test: func(t *fieldTest, isList bool) string {
		match := func(before, after string) string {
			var texts []string
			for _, text := range t.texts {
				texts = append(texts, regexp.QuoteMeta(text))
			}
			return t.field + ":~`" + before + "(" + strings.Join(texts, "|") + ")" + after + "`"
		}
		switch {
		case t.modifier == "exists":
			return t.field + ":*"
		case t.isFlag:
			return fmt.Sprintf("%s:=%t", t.field, t.flag)
		case t.modifier == "cidr":
			return anyOf(t.texts, " or ", func(text string) string {
				prefix := netip.MustParsePrefix(text)
				if prefix.Addr().Is4() {
					return fmt.Sprintf("%s:ipv4_range(%q)", t.field, text)
				}
				return fmt.Sprintf("%s:~`^%s`", t.field, strings.TrimSuffix(prefix.Masked().Addr().String(), ":"))
			})
		case t.modifier == "contains":
			return match("", "")
		case t.modifier == "endswith" && !isList:
			return match("", "$")
		case isList:
			return match(`"`, `"`)
		case len(t.texts) == 1:
			return t.field + ":=" + quoted(t.texts, "", "")[0]
		}
		return t.field + ":in(" + strings.Join(quoted(t.texts, "", ""), ", ") + ")"
	},
	not:    func(query string) string { return "!(" + query + ")" },
	exists: func(field string) string { return field + ":*" },
	search: func(query string) string { return query },
	count: func(c *correlation, query string) string {
		return fmt.Sprintf("%s | stats by (_time:%s, %s) count() events | filter events:>=%d", query, c.TimeSpan, c.GroupBy[0], c.Condition.GTE)
	},
	values: func(c *correlation, query string) string {
		return fmt.Sprintf("%s | stats by (_time:%s, %s) count_uniq(%s) different | filter different:>=%d", query, c.TimeSpan, c.GroupBy[0], c.Condition.Field, c.Condition.GTE)
	},
}
