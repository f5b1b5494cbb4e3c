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
	found     findings
	ids       []string    // of the lines of the last Map
	body      *bodyWriter // nil for bodies that are the exact line

	timeSlot, uidSlot int
	// -1 where the type has none
	outcomeSlot, modelSlot, actionSlot, actorIDSlot int
}

// Slots that every record has, before those of the mapping.
const (
	slotEventType = iota
	slotFileID
	slotFileLine
	slotFileSHA256
	slotFileName

	slotProvider
	slotReplay
	slotMalformed
	slotUnverified
	slotContent
	slotSelf
)

var ownAttrs = []string{
	slotEventType: AttrEventType, slotFileID: AttrFileID, slotFileLine: AttrFileLine, slotFileSHA256: AttrFileSHA256, slotFileName: AttrFileName,
	slotProvider: AttrProviderName, slotReplay: AttrReplay, slotMalformed: AttrMalformed, slotUnverified: AttrUnverified,
	slotContent: AttrContent, slotSelf: AttrSelf,
}

// NewMapper compiles the mapping of the source's event type.
func NewMapper(source Source) *Mapper {
	m := &Mapper{
		source:    source,
		eventName: EventNamePrefix + strings.ToLower(source.EventType),
	}
	root, attrs := compile(rulesOf(source.EventType), slices.Clone(ownAttrs))
	m.root, m.found = root, newFindings(attrs)
	if source.Parsed || source.Content.withholds() {
		root.know(fieldsOf(source.EventType))
		m.body = newBodyWriter(root, source)
	}
	m.timeSlot, m.uidSlot = m.slotOf(attrTimestamp), m.slotOf(AttrRecordUID)
	m.outcomeSlot, m.modelSlot = m.slotOf(AttrOutcome), m.slotOf(AttrRequestModel)
	m.actionSlot, m.actorIDSlot = m.slotOf(AttrAction), m.slotOf(AttrActorID)
	return m
}

func (m *Mapper) slotOf(attr string) int { return slices.Index(m.found.attrs, attr) }

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
		id, ok := m.fill(record, file, line)
		if !ok {
			malformed++
		}
		m.ids = append(m.ids, id)
	}
	return logs, malformed
}

// IDs are the event ids of the lines of the last Map, "" for a line that has none
// or cannot be read. They are valid until the next Map or LetGo.
func (m *Mapper) IDs() []string { return m.ids }

// LetGo forgets the last Map, ids included: an id holds the memory of its line, or of
// the texts that were kept of it, so a mapper at rest would hold as much as a batch.
func (m *Mapper) LetGo() {
	clear(m.ids[:cap(m.ids)])
	m.ids = m.ids[:0]
	clear(m.found.values)
	m.found.set = 0
}

// fill sets everything but the receipt time. It returns the line's event id, and
// whether the line could be read.
func (m *Mapper) fill(record plog.LogRecord, file File, line Line) (id string, ok bool) {
	ok, withheld := m.read(record.Body(), line.Text)
	if !ok {
		m.found.set = 0
	}
	id = m.found.text(m.uidSlot)
	record.SetEventName(m.eventName)
	record.SetSeverityNumber(m.severity(ok))
	if m.found.has(m.timeSlot) {
		record.SetTimestamp(pcommon.Timestamp(m.found.values[m.timeSlot].num)) //nolint:gosec // not negative: store saw to that
	}
	m.putOrigin(file, line.Number)
	m.putMarks(marks{malformed: !ok, unverified: file.Unverified, withheld: withheld})
	m.found.fill(record.Attributes(), m.timeSlot)
	return id, ok
}

// putOrigin says where the record comes from.
func (m *Mapper) putOrigin(file File, line int) {
	m.found.putText(slotEventType, m.source.EventType)
	m.found.putText(slotFileID, file.ID)
	m.found.put(slotFileLine, found{kind: kindInt, num: int64(line)})
	m.found.putText(slotFileSHA256, file.SHA256)
	if file.Name != "" {
		m.found.putText(slotFileName, file.Name)
	}
	if !m.found.has(m.uidSlot) {
		m.found.putText(m.uidSlot, file.ID+":"+strconv.Itoa(line))
	}
}

// marks are what a record says about itself.
type marks struct{ malformed, unverified, withheld bool }

func (m *Mapper) putMarks(marks marks) {
	if m.found.text(m.modelSlot) != "" {
		m.found.putText(slotProvider, ProviderOpenAI)
	}
	if m.source.Replay != "" {
		m.found.putText(slotReplay, m.source.Replay)
	}
	if marks.malformed {
		m.found.putTrue(slotMalformed)
	}
	if marks.unverified {
		m.found.putTrue(slotUnverified)
	}
	if marks.withheld {
		m.found.putText(slotContent, string(m.source.Content.Mode))
	}
	if m.source.Self != nil && ownActions[m.found.text(m.actionSlot)] && m.source.Self(m.found.text(m.actorIDSlot)) {
		m.found.putTrue(slotSelf)
	}
}

// severity is a number alone, as the conventions ask of events: WARN for what
// failed, was blocked or cannot be read, INFO for the rest.
func (m *Mapper) severity(ok bool) plog.SeverityNumber {
	if !ok {
		return plog.SeverityNumberWarn
	}
	switch m.found.text(m.outcomeSlot) {
	case OutcomeFailure, OutcomeBlocked:
		return plog.SeverityNumberWarn
	}
	return plog.SeverityNumberInfo
}
