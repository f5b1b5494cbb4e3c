// Copyright The OpenTelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package receiver

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"text/tabwriter"

	"go.uber.org/zap"

	"github.com/openaicompliance/openaicompliancereceiver/internal/compliance"
)

// impatientAfter is how many passes a type may end while others are still in
// their first, before the table is logged without those: a long backlog is no
// reason to keep an operator waiting for news of a missing scope.
const impatientAfter = 3

// firstPass tells once how each event type fares, in one table: what an operator
// looks for after the first start.
type firstPass struct {
	logger *zap.Logger
	types  []string

	mu     sync.Mutex // guards everything below
	rows   map[string]passRow
	passes map[string]int
	early  bool // a table without all types was logged
	told   bool
}

// passRow is the outcome of a type's first pass.
type passRow struct{ state, detail string }

// The states a type can be in.
const (
	stateOK         = "ok"
	stateNoData     = "no data yet"
	stateForbidden  = "no permission"
	stateKeyRefused = "key refused"
	stateUnknown    = "unknown type"
	stateFailed     = "failed"
	stateUnderWay   = "under way"
)

func newFirstPass(logger *zap.Logger, eventTypes []string) *firstPass {
	return &firstPass{logger: logger, types: eventTypes, rows: map[string]passRow{}, passes: map[string]int{}}
}

// ended takes the outcome of a pass: its error, and how many files it delivered.
// The first of each type counts. Once every type has reported, the table is logged;
// what comes after that is of no interest here.
func (f *firstPass) ended(eventType string, err error, delivered int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.told {
		return
	}
	if _, ok := f.rows[eventType]; !ok {
		f.rows[eventType] = rowOf(eventType, err, delivered)
	}
	f.passes[eventType]++
	switch {
	case len(f.rows) == len(f.types):
		f.told = true
		f.logLocked("The first pass over every event type has ended:")
	case f.passes[eventType] >= impatientAfter && !f.early:
		f.early = true
		f.logLocked("The first pass over some event types has ended:")
	}
}

func rowOf(eventType string, err error, delivered int) passRow {
	var status *compliance.StatusError
	switch fromAPI := errors.As(err, &status) && status.Op != compliance.OperationFetch; {
	case err == nil && delivered > 0:
		return passRow{stateOK, plural(delivered, "file") + " delivered"}
	case err == nil:
		return passRow{stateNoData, "no new file is listed; a type that is not used or not enabled stays so"}
	case fromAPI && status.Status == http.StatusForbidden:
		return passRow{stateForbidden, "scope to ask for: " + scopeOf(eventType)}
	case fromAPI && status.Status == http.StatusUnauthorized:
		return passRow{stateKeyRefused, advice(err, eventType)}
	case fromAPI && status.Status == http.StatusBadRequest:
		return passRow{stateUnknown, advice(err, eventType)}
	}
	return passRow{stateFailed, strings.ReplaceAll(err.Error(), "\n", "; ")}
}

func plural(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}

// logLocked writes the table, as lines for people and as a field for machines.
func (f *firstPass) logLocked(title string) {
	var table strings.Builder
	columns := tabwriter.NewWriter(&table, 0, 0, 3, ' ', 0)
	states := map[string]string{}
	write, forbidden := f.logger.Info, 0
	for _, eventType := range f.types {
		row, ok := f.rows[eventType]
		if !ok {
			row = passRow{stateUnderWay, "its first pass has not ended yet"}
		}
		switch row.state {
		case stateOK, stateNoData, stateUnderWay:
		case stateForbidden:
			forbidden++
			fallthrough
		default:
			write = f.logger.Warn
		}
		states[eventType] = row.state
		fmt.Fprintf(columns, "\n  %s\t%s\t%s", eventType, row.state, row.detail)
	}
	_ = columns.Flush() // a strings.Builder takes everything
	if forbidden == len(f.types) && forbidden > 1 {
		table.WriteString("\n  No type may be read at all: check that the key was made in this workspace or organisation, and its IP allow-list.")
	}
	table.WriteByte('\n') // so that the fields do not trail the last line
	write(title+table.String(), zap.Any("event_types", states))
}
