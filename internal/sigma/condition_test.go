// Copyright The OpenTelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package sigma

import (
	"errors"
	"fmt"
	"strings"
)

// expr is a condition: a test of a field, or "not", "and" or "or" of others. What "and" and
// "or" join is never of their own kind.
type expr struct {
	op   string // "" for a test
	test *fieldTest
	of   []expr
}

// parseCondition reads a condition over selections, each of which it must use.
func parseCondition(text string, selections []selection) (expr, error) {
	spaced := strings.NewReplacer("(", " ( ", ")", " ) ").Replace(text)
	p := conditionParser{tokens: strings.Fields(spaced), selections: selections, used: map[int]bool{}}
	out, err := p.binary("or", func() (expr, error) { return p.binary("and", p.unary) })
	switch {
	case err != nil:
		return expr{}, err
	case len(p.tokens) > 0:
		return expr{}, fmt.Errorf("condition: unexpected %q", p.tokens[0])
	case len(p.used) != len(selections):
		return expr{}, errors.New("condition: a selection is not used")
	}
	return out, nil
}

type conditionParser struct {
	tokens     []string
	selections []selection
	used       map[int]bool
}

func (p *conditionParser) next() string {
	if len(p.tokens) == 0 {
		return ""
	}
	token := p.tokens[0]
	p.tokens = p.tokens[1:]
	return token
}

func (p *conditionParser) accept(token string) bool {
	if len(p.tokens) > 0 && p.tokens[0] == token {
		p.next()
		return true
	}
	return false
}

func (p *conditionParser) binary(op string, operand func() (expr, error)) (expr, error) {
	var of []expr
	for {
		e, err := operand()
		if err != nil {
			return expr{}, err
		}
		of = append(of, e)
		if !p.accept(op) {
			return joined(op, of), nil
		}
	}
}

// joined joins with "and" or "or".
func joined(op string, of []expr) expr {
	var flat []expr
	for _, e := range of {
		if e.op == op {
			flat = append(flat, e.of...)
		} else {
			flat = append(flat, e)
		}
	}
	if len(flat) == 1 {
		return flat[0]
	}
	return expr{op: op, of: flat}
}

// tests are all of a condition.
func (e expr) tests() (out []*fieldTest) {
	if e.op == "" {
		return []*fieldTest{e.test}
	}
	for _, of := range e.of {
		out = append(out, of.tests()...)
	}
	return out
}

func (p *conditionParser) unary() (expr, error) {
	switch token := p.next(); token {
	case "not":
		e, err := p.unary()
		return expr{op: "not", of: []expr{e}}, err
	case "(":
		e, err := p.binary("or", func() (expr, error) { return p.binary("and", p.unary) })
		if err == nil && !p.accept(")") {
			err = errors.New("condition: missing )")
		}
		return e, err
	case "1", "all":
		if !p.accept("of") {
			return expr{}, fmt.Errorf("condition: no of after %s", token)
		}
		return p.quantified(token, p.next())
	default:
		return p.named(token)
	}
}

func (p *conditionParser) named(name string) (expr, error) {
	for i, s := range p.selections {
		if s.name == name {
			p.used[i] = true
			return s.is, nil
		}
	}
	return expr{}, fmt.Errorf("condition: no selection %q", name)
}

// quantified is 1 of, or all of, the selections whose names begin with a prefix.
func (p *conditionParser) quantified(quantifier, pattern string) (expr, error) {
	prefix, ok := strings.CutSuffix(pattern, "*")
	var of []expr
	for i, s := range p.selections {
		if ok && prefix != "" && strings.HasPrefix(s.name, prefix) {
			p.used[i] = true
			of = append(of, s.is)
		}
	}
	if len(of) < 2 {
		return expr{}, fmt.Errorf("condition: fewer than two selections are of %q", pattern)
	}
	return joined(map[string]string{"1": "or", "all": "and"}[quantifier], of), nil
}
