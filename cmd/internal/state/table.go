// Copyright The OpenTelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package state

import (
	"fmt"
	"io"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/openaicompliance/openaicompliancereceiver/internal/checkpoint"
	"github.com/openaicompliance/openaicompliancereceiver/internal/printable"
)

// retention is how long the API serves a file.
const retention = 30 * 24 * time.Hour

// table is some rows under a heading; without rows nothing is printed.
type table struct{ rows [][]string }

func newTable(heading ...string) *table { return &table{rows: [][]string{heading}} }

func (t *table) add(cells ...string) { t.rows = append(t.rows, cells) }

// String returns the table after an empty line.
func (t *table) String() string {
	if len(t.rows) == 1 {
		return ""
	}
	var text strings.Builder
	columns := tabwriter.NewWriter(&text, 0, 0, 2, ' ', 0)
	for _, cells := range t.rows {
		printed := make([]string, len(cells))
		for i, cell := range cells {
			printed[i] = printable.Text(cell)
		}
		fmt.Fprintln(columns, strings.Join(printed, "\t"))
	}
	_ = columns.Flush() // a strings.Builder takes everything
	var out strings.Builder
	out.WriteString("\n")
	for line := range strings.Lines(text.String()) {
		out.WriteString(strings.TrimRight(line, " \n") + "\n")
	}
	return out.String()
}

// print writes the report as tables.
func (r *report) print(out io.Writer) error {
	var text strings.Builder
	fmt.Fprintf(&text, "%s of %s, %s\n", r.Receiver, r.PrincipalID, r.Storage)
	text.WriteString(r.streamTable().String())
	for _, s := range r.Streams {
		if s.Error != "" {
			fmt.Fprintf(&text, "\n%s cannot be used: %s\n", s.Name, printable.Text(s.Error))
		}
	}
	for _, key := range r.ForeignKeys {
		fmt.Fprintf(&text, "\nforeign key %q\n", key)
	}
	for _, t := range []*table{r.segmentTable(), r.queueTable(), r.openTable(), r.gapTable(), r.digestTable()} {
		text.WriteString(t.String())
	}
	_, err := io.WriteString(out, text.String())
	return err
}

func (r *report) streamTable() *table {
	t := newTable("STREAM", "STATE", "START FROM", "FIRST RUN", "FLOOR", "UNTIL", "COMPLETED FILES", "SEEN EVENTS", "OPEN FILES", "QUEUED FILES", "QUEUED LINES")
	for _, s := range r.Streams {
		name := s.Name
		if !s.Configured {
			name += " (not configured)"
		}
		if s.Progress == nil {
			t.add(name, s.State)
			continue
		}
		floor, until := "-", "-"
		if s.Bounds != nil {
			floor, until = formatTime(s.Bounds.Floor), formatTime(s.Bounds.Until)
		}
		files, lines := countQueued(s.RetryQueue)
		t.add(name, s.State, orDash(s.FirstRun.StartFrom), formatTime(s.FirstRun.Clock), floor, until,
			strconv.Itoa(s.CompletedFiles), strconv.Itoa(s.SeenEvents), strconv.Itoa(len(s.OpenFiles)), strconv.Itoa(files), strconv.Itoa(lines))
	}
	return t
}

// countQueued counts the files that are queued whole, and the lines in ranges.
func countQueued(queue []checkpoint.QueuedFile) (files, lines int) {
	for _, f := range queue {
		if f.NextLine > 0 {
			files++
		}
		for _, r := range f.Lines {
			lines += r.To - r.From
		}
	}
	return files, lines
}

func (r *report) segmentTable() *table {
	t := newTable("STREAM", "SEGMENT", "FROM", "CURSOR", "LIST BASE", "LISTED THROUGH", "SERVER CLOCK", "LOCAL CLOCK", "LAG")
	for _, s := range r.withProgress() {
		for _, seg := range s.Segments {
			lag := "-"
			if s.State != stateEnded {
				lag = (time.Duration(seg.Lag) * time.Second).String()
			}
			t.add(s.Name, seg.Name, formatTime(seg.From), formatTime(seg.Cursor), formatTime(seg.ListBase), formatTime(seg.ListedThrough),
				formatTime(seg.Checked.Server), formatTime(seg.Checked.Local), lag)
		}
	}
	return t
}

func (r *report) queueTable() *table {
	t := newTable("RETRY QUEUE", "FILE", "END TIME", "EXPIRES", "SINCE", "LINES", "CAUSE", "REASON")
	for _, s := range r.withProgress() {
		for _, f := range s.RetryQueue {
			t.add(s.Name, f.File.ID, formatTime(f.File.EndTime), formatTime(expiry(f)), formatTime(f.Since), formatLines(f), orDash(f.Cause), orDash(f.Reason))
		}
	}
	return t
}

func (r *report) openTable() *table {
	t := newTable("OPEN FILES", "FILE", "END TIME", "EXPIRES", "SINCE", "LINES")
	for _, s := range r.withProgress() {
		for _, f := range s.OpenFiles {
			t.add(s.Name, f.File.ID, formatTime(f.File.EndTime), formatTime(expiry(f)), formatTime(f.Since), formatLines(f))
		}
	}
	return t
}

func (r *report) gapTable() *table {
	t := newTable("SUSPECTED GAPS", "SEGMENT", "FROM", "TO", "SERVER CLOCK", "LOCAL CLOCK")
	for _, s := range r.withProgress() {
		for _, seg := range s.Segments {
			for _, gap := range seg.Suspected {
				t.add(s.Name, seg.Name, formatTime(gap.From), formatTime(gap.To), formatTime(gap.Since.Server), formatTime(gap.Since.Local))
			}
		}
	}
	return t
}

func (r *report) digestTable() *table {
	t := newTable("DIGESTS", "CHAIN", "NUMBER", "SHA256", "CUT", "PENDING", "ENTRIES WAITING")
	for _, s := range r.withProgress() {
		if d := s.Digest; d != nil {
			pending := "no"
			if d.Pending != "" {
				pending = "yes"
			}
			t.add(s.Name, d.ID, strconv.FormatInt(d.Number, 10), orDash(d.SHA256), formatTime(d.Cut), pending, strconv.Itoa(d.Waiting))
		}
	}
	return t
}

func (r *report) withProgress() (streams []streamReport) {
	for _, s := range r.Streams {
		if s.Progress != nil {
			streams = append(streams, s)
		}
	}
	return streams
}

// expiry is when the API stops serving a file. Without a plausible end_time the time
// since which it is known stands in.
func expiry(f checkpoint.QueuedFile) time.Time {
	if f.Implausible || f.File.EndTime.IsZero() {
		return f.Since.Add(retention)
	}
	return f.File.EndTime.Add(retention)
}

// shownRanges bounds the line ranges in one cell; show -o json has all.
const shownRanges = 8

// formatLines returns the lines that are to be delivered: "12-13, 20, from 31".
func formatLines(f checkpoint.QueuedFile) string {
	var parts []string
	for i, r := range f.Lines {
		if i == shownRanges {
			parts = append(parts, fmt.Sprintf("%d more ranges", len(f.Lines)-i))
			break
		}
		if r.To == r.From+1 {
			parts = append(parts, strconv.Itoa(r.From))
		} else {
			parts = append(parts, fmt.Sprintf("%d-%d", r.From, r.To-1))
		}
	}
	if f.NextLine > 0 {
		parts = append(parts, fmt.Sprintf("from %d", f.NextLine))
	}
	return strings.Join(parts, ", ")
}

func formatTime(at time.Time) string {
	if at.IsZero() {
		return "-"
	}
	return at.UTC().Format("2006-01-02T15:04:05.999999Z07:00")
}

func orDash(text string) string {
	if text == "" {
		return "-"
	}
	return text
}
