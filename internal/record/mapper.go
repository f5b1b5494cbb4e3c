// Copyright The OpenTelemetry Authors
// SPDX-License-Identifier: Apache-2.0

// Package record turns one line of a compliance log into one log record.
package record

import (
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/go-faster/jx"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"
)

// Source is what all records of a stream have in common.
type Source struct {
	EventType string
	// PrincipalAttr is AttrWorkspaceID or AttrOrganizationID.
	PrincipalAttr string
	PrincipalID   string
	// ScopeVersion is the version of the build.
	ScopeVersion string
}

// File is where lines come from.
type File struct {
	ID, Name string
	// SHA256 of the bytes that the lines are of.
	SHA256 string
	// Unverified marks bytes that are not those of the listing.
	Unverified bool
}

// Line of a file; the bytes are only read.
type Line struct {
	Number int
	Text   []byte
}

// Mapper maps the lines of one event type. It is for one goroutine.
type Mapper struct {
	source    Source
	eventName string
	root      *node
	attrs     []string
	slots     []found
	ids       []string // of the lines of the last Map
	dec       *jx.Decoder

	timeSlot, outcomeSlot, uidSlot int
}

// NewMapper compiles the mapping of the source's event type.
func NewMapper(source Source) *Mapper {
	m := &Mapper{
		source:      source,
		eventName:   EventNamePrefix + strings.ToLower(source.EventType),
		dec:         jx.DecodeBytes(nil),
		timeSlot:    -1,
		outcomeSlot: -1,
		uidSlot:     -1,
	}
	m.root, m.attrs = compile(rulesOf(source.EventType))
	m.slots = make([]found, len(m.attrs))
	for slot, attr := range m.attrs {
		switch attr {
		case attrTimestamp:
			m.timeSlot = slot
		case AttrOutcome:
			m.outcomeSlot = slot
		case AttrRecordUID:
			m.uidSlot = slot
		}
	}
	return m
}

// newLogs returns logs with the stream's resource and scope, and their records.
func (m *Mapper) newLogs() (plog.Logs, plog.LogRecordSlice) {
	logs := plog.NewLogs()
	resource := logs.ResourceLogs().AppendEmpty()
	resource.SetSchemaUrl(SchemaURL)
	resource.Resource().Attributes().PutStr(AttrEventType, m.source.EventType)
	resource.Resource().Attributes().PutStr(m.source.PrincipalAttr, m.source.PrincipalID)
	scope := resource.ScopeLogs().AppendEmpty()
	scope.SetSchemaUrl(SchemaURL)
	scope.Scope().SetName(ScopeName)
	scope.Scope().SetVersion(m.source.ScopeVersion)
	return logs, scope.LogRecords()
}

// Map builds the log records of some lines of a file, in order, and counts the
// malformed ones among them. The result shares no memory with the lines.
func (m *Mapper) Map(file File, lines []Line, observed time.Time) (logs plog.Logs, malformed int) {
	logs, records := m.newLogs()
	records.EnsureCapacity(len(lines))
	m.ids = m.ids[:0]
	at := pcommon.NewTimestampFromTime(observed)
	for _, line := range lines {
		record := records.AppendEmpty()
		record.SetObservedTimestamp(at)
		if !m.fill(record, file, line) {
			malformed++
		}
		m.ids = append(m.ids, m.slots[m.uidSlot].text)
	}
	return logs, malformed
}

// IDs are the event ids of the lines of the last Map, "" for a line that has none
// or cannot be read. They are valid until the next Map.
func (m *Mapper) IDs() []string { return m.ids }

// fill sets everything but the receipt time, and reports whether the line could
// be read.
func (m *Mapper) fill(record plog.LogRecord, file File, line Line) bool {
	ok := walk(m.dec, m.root, line.Text, m.slots)
	record.SetEventName(m.eventName)
	record.SetSeverityNumber(m.severity(ok))
	if at := m.slots[m.timeSlot]; at.set {
		record.SetTimestamp(pcommon.NewTimestampFromTime(at.at))
	}
	setBody(record.Body(), line.Text)

	attrs := record.Attributes()
	attrs.EnsureCapacity(len(m.attrs) + 6)
	attrs.PutStr(AttrEventType, m.source.EventType)
	attrs.PutStr(AttrFileID, file.ID)
	attrs.PutInt(AttrFileLine, int64(line.Number))
	attrs.PutStr(AttrFileSHA256, file.SHA256)
	if file.Name != "" {
		attrs.PutStr(AttrFileName, file.Name)
	}
	if !m.slots[m.uidSlot].set {
		attrs.PutStr(AttrRecordUID, file.ID+":"+strconv.Itoa(line.Number))
	}
	if !ok {
		attrs.PutBool(AttrMalformed, true)
	}
	if file.Unverified {
		attrs.PutBool(AttrUnverified, true)
	}
	m.putFound(attrs)
	return ok
}

func (m *Mapper) putFound(attrs pcommon.Map) {
	for slot, value := range m.slots {
		switch {
		case !value.set || value.kind == kindTime:
		case value.kind == kindInt:
			attrs.PutInt(m.attrs[slot], value.num)
		default:
			attrs.PutStr(m.attrs[slot], value.text)
		}
	}
}

// severity is a number alone, as the conventions ask of events: WARN for what
// failed, was blocked or cannot be read, INFO for the rest.
func (m *Mapper) severity(ok bool) plog.SeverityNumber {
	if !ok {
		return plog.SeverityNumberWarn
	}
	if m.outcomeSlot >= 0 {
		switch m.slots[m.outcomeSlot].text {
		case OutcomeFailure, OutcomeBlocked:
			return plog.SeverityNumberWarn
		}
	}
	return plog.SeverityNumberInfo
}

// setBody keeps the line exact: as a string where it is one, else as bytes.
func setBody(body pcommon.Value, line []byte) {
	if utf8.Valid(line) {
		body.SetStr(string(line))
		return
	}
	body.SetEmptyBytes().FromRaw(line)
}
