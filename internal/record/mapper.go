// Copyright The OpenTelemetry Authors
// SPDX-License-Identifier: Apache-2.0

// Package record turns one line of a compliance log into one log record.
package record

import (
	"slices"
	"strconv"
	"strings"
	"time"

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
	// Replay, where the lines come again on request, is its name; each record
	// carries it.
	Replay string
	// Parsed makes the body a map in place of the exact line.
	Parsed bool
	// Content says whether what people and models wrote stays in the body.
	Content Content
	// Self, where own requests are marked, tells whether a redacted key id is
	// that of the key the logs are collected with.
	Self func(redactedID string) bool
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
	ids       []string    // of the lines of the last Map
	body      *bodyWriter // nil for bodies that are the exact line

	timeSlot, uidSlot int
	// -1 where the type has none
	outcomeSlot, modelSlot, actionSlot, actorIDSlot int
}

// NewMapper compiles the mapping of the source's event type.
func NewMapper(source Source) *Mapper {
	m := &Mapper{
		source:    source,
		eventName: EventNamePrefix + strings.ToLower(source.EventType),
	}
	if source.Parsed || source.Content.withholds() {
		m.body = newBodyWriter(fieldsOf(source.EventType), source)
	}
	m.root, m.attrs = compile(rulesOf(source.EventType))
	m.slots = make([]found, len(m.attrs))
	m.timeSlot, m.uidSlot = m.slotOf(attrTimestamp), m.slotOf(AttrRecordUID)
	m.outcomeSlot, m.modelSlot = m.slotOf(AttrOutcome), m.slotOf(AttrRequestModel)
	m.actionSlot, m.actorIDSlot = m.slotOf(AttrAction), m.slotOf(AttrActorID)
	return m
}

func (m *Mapper) slotOf(attr string) int { return slices.Index(m.attrs, attr) }

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
	text := string(line.Text) // the one copy: attributes are parts of it
	ok := walk(m.root, text, m.slots)
	ok, withheld := m.setBody(record.Body(), text, ok)
	if !ok {
		clear(m.slots)
	}
	record.SetEventName(m.eventName)
	record.SetSeverityNumber(m.severity(ok))
	if at := &m.slots[m.timeSlot]; at.set {
		record.SetTimestamp(pcommon.Timestamp(at.num)) //nolint:gosec // not negative: store saw to that
	}

	attrs := record.Attributes()
	attrs.EnsureCapacity(m.count() + 7) // and what follows, marks aside
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
	m.putFound(attrs)
	m.putMarks(attrs, marks{malformed: !ok, unverified: file.Unverified, withheld: withheld})
	return ok
}

// count of the attributes that the line itself gives.
func (m *Mapper) count() (n int) {
	for slot := range m.slots {
		if m.slots[slot].set {
			n++
		}
	}
	return n
}

func (m *Mapper) putFound(attrs pcommon.Map) {
	for slot := range m.slots {
		value := &m.slots[slot]
		switch {
		case !value.set || value.kind == kindTime:
		case value.kind == kindInt:
			attrs.PutInt(m.attrs[slot], value.num)
		default:
			attrs.PutStr(m.attrs[slot], value.text)
		}
	}
}

// marks are what a record says about itself.
type marks struct{ malformed, unverified, withheld bool }

func (m *Mapper) putMarks(attrs pcommon.Map, marks marks) {
	if m.textIn(m.modelSlot) != "" {
		attrs.PutStr(AttrProviderName, ProviderOpenAI)
	}
	if m.source.Replay != "" {
		attrs.PutStr(AttrReplay, m.source.Replay)
	}
	if marks.malformed {
		attrs.PutBool(AttrMalformed, true)
	}
	if marks.unverified {
		attrs.PutBool(AttrUnverified, true)
	}
	if marks.withheld {
		attrs.PutStr(AttrContent, string(m.source.Content.Mode))
	}
	if m.source.Self != nil && ownActions[m.textIn(m.actionSlot)] && m.source.Self(m.textIn(m.actorIDSlot)) {
		attrs.PutBool(AttrSelf, true)
	}
}

// textIn returns what a slot holds, "" for a slot that the type does not have.
func (m *Mapper) textIn(slot int) string {
	if slot < 0 {
		return ""
	}
	return m.slots[slot].text
}

// severity is a number alone, as the conventions ask of events: WARN for what
// failed, was blocked or cannot be read, INFO for the rest.
func (m *Mapper) severity(ok bool) plog.SeverityNumber {
	if !ok {
		return plog.SeverityNumberWarn
	}
	switch m.textIn(m.outcomeSlot) {
	case OutcomeFailure, OutcomeBlocked:
		return plog.SeverityNumberWarn
	}
	return plog.SeverityNumberInfo
}
