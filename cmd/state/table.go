// Copyright The OpenTelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"
	"unicode"
)

// retention is how long the API serves a file.
const retention = 30 * 24 * time.Hour

// print writes the picture for people.
func (p *picture) print(out io.Writer) error {
	fmt.Fprintf(out, "%s of %s, %s\n\n", p.Receiver, p.PrincipalID, p.Storage)
	var table strings.Builder
	columns := tabwriter.NewWriter(&table, 0, 0, 2, ' ', 0)
	row(columns, "TYPE", "PART", "FROM", "CURSOR", "LISTED THROUGH", "LAG", "LEDGER", "EVENTS", "OPEN", "QUARANTINE", "REFUSED")
	for _, s := range p.Streams {
		s.rows(columns)
	}
	_ = columns.Flush() // a strings.Builder takes everything
	for line := range strings.Lines(table.String()) {
		fmt.Fprintln(out, strings.TrimRight(line, " \n"))
	}
	if len(p.Streams) == 0 {
		fmt.Fprintln(out, "no event types")
	}
	for _, s := range p.Streams {
		if s.Damage != "" {
			fmt.Fprintf(out, "\n%s cannot be used: %s\n", s.Name, printable(s.Damage))
		}
	}
	for _, key := range p.ForeignKeys {
		fmt.Fprintf(out, "\nforeign key %q\n", key)
	}
	return p.printFiles(out)
}

// unknown figures keep the columns in line.
var unknown = make([]string, 5)

// rows of one stream, one for each segment.
func (s stream) rows(columns io.Writer) {
	name := s.Name
	if !s.Configured {
		name += " (not configured)"
	}
	switch {
	case s.Damage != "":
		row(columns, append([]string{name, "DAMAGED", "", "", "", ""}, unknown...)...)
	case !s.Stored:
		row(columns, append([]string{name, "no state", "", "", "", ""}, unknown...)...)
	case s.Ended:
		last := s.Segments[len(s.Segments)-1]
		row(columns, append([]string{name, "ended", moment(last.From), moment(last.Cursor), moment(last.ListedThrough), "-"}, s.figures()...)...)
	default:
		for i, g := range s.Segments {
			cells := []string{name, g.Part, moment(g.From), moment(g.Cursor), moment(g.ListedThrough), lag(g.Lag)}
			figures := unknown
			if i == len(s.Segments)-1 {
				figures = s.figures()
			}
			row(columns, append(cells, figures...)...)
		}
	}
}

// figures of the whole stream.
func (s stream) figures() []string {
	refused := 0
	for _, run := range s.Refused {
		refused += run.To - run.From
	}
	var cells []string
	for _, n := range []int{s.Files, s.Events, len(s.Open), len(s.Quarantine), refused} {
		cells = append(cells, strconv.Itoa(n))
	}
	return cells
}

// printFiles writes what is unfinished, by file.
func (p *picture) printFiles(out io.Writer) error {
	columns := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	title := func(cells ...string) func() {
		told := false
		return func() {
			if !told {
				fmt.Fprintln(columns)
				row(columns, cells...)
			}
			told = true
		}
	}
	quarantine := title("IN QUARANTINE", "FILE", "WRITTEN", "EXPIRES", "TRIES", "SINCE", "REASON")
	refused := title("REFUSED LINES", "FILE", "WRITTEN", "EXPIRES", "TRIES", "SINCE", "LINES")
	open := title("DELIVERED IN PART", "FILE", "WRITTEN", "EXPIRES", "NEXT LINE")
	for _, s := range p.withProgress() {
		for _, id := range slices.Sorted(maps.Keys(s.Quarantine)) {
			quarantine()
			q := s.Quarantine[id]
			row(columns, s.Name, id, moment(q.EndTime), moment(q.EndTime.Add(retention)), strconv.Itoa(q.Tries), moment(q.Since), q.Reason)
		}
	}
	for _, s := range p.withProgress() {
		for _, r := range s.Refused {
			refused()
			row(columns, s.Name, r.FileID, moment(r.EndTime), moment(r.EndTime.Add(retention)), strconv.Itoa(r.Tries), moment(r.Since), lines(r.From, r.To))
		}
	}
	for _, s := range p.withProgress() {
		for _, id := range slices.Sorted(maps.Keys(s.Open)) {
			open()
			f := s.Open[id]
			row(columns, s.Name, id, moment(f.EndTime), moment(f.EndTime.Add(retention)), strconv.Itoa(f.NextLine))
		}
	}
	return columns.Flush()
}

func (p *picture) withProgress() (streams []stream) {
	for _, s := range p.Streams {
		if s.Progress != nil {
			streams = append(streams, s)
		}
	}
	return streams
}

func row(columns io.Writer, cells ...string) {
	for i := range cells {
		cells[i] = printable(cells[i])
	}
	fmt.Fprintln(columns, strings.Join(cells, "\t"))
}

// lines from the first up to the one before to.
func lines(from, to int) string {
	if to == from+1 {
		return strconv.Itoa(from)
	}
	return fmt.Sprintf("%d-%d", from, to-1)
}

func moment(at time.Time) string {
	if at.IsZero() {
		return "-"
	}
	return at.UTC().Format("2006-01-02T15:04:05.999999Z07:00")
}

func lag(seconds float64) string {
	return (time.Duration(seconds) * time.Second).String()
}

// printable replaces what a terminal would obey.
func printable(text string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return unicode.ReplacementChar
		}
		return r
	}, text)
}
