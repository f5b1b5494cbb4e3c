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
	values    attributeValues
	derive    []func(*attributeValues)
	drift     driftWatch
	ids       []string    // of the lines of the last Map
	drifts    []Drift     // of the same lines
	body      *bodyWriter // nil for bodies that are the exact line
	genAI     slotSet     // the attributes that begin with gen_ai.

	timeSlot, uidSlot, outcomeSlot, actionSlot, actorIDSlot int
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
	slotNoTimestamp
)

var ownAttrs = []string{
	slotEventType: AttrEventType, slotFileID: AttrFileID, slotFileLine: AttrFileLine, slotFileSHA256: AttrFileSHA256, slotFileName: AttrFileName,
	slotProvider: AttrProviderName, slotReplay: AttrReplay, slotMalformed: AttrMalformed, slotUnverified: AttrUnverified,
	slotContent: AttrContent, slotSelf: AttrSelf, slotNoTimestamp: AttrNoTimestamp,
}

// NewMapper compiles the mapping of the source's event type.
func NewMapper(source Source) *Mapper {
	m := &Mapper{
		source:    source,
		eventName: EventNamePrefix + strings.ToLower(source.EventType),
	}
	t := newTree(tableOf(source.EventType), slices.Clone(ownAttrs))
	m.root = t.root
	for _, d := range slices.Concat(derivations[source.EventType], everyDerivation) {
		m.derive = append(m.derive, d.build(t.slotOf))
	}
	m.drift = newDriftWatch(source.EventType, t.slotOf)
	m.timeSlot, m.uidSlot, m.outcomeSlot = t.slotOf(attrTimestamp), t.slotOf(AttrRecordUID), t.slotOf(AttrOutcome)
	m.actionSlot, m.actorIDSlot = t.slotOf(AttrAction), t.slotOf(AttrActorID)
	m.values = newAttributeValues(t.attrs)
	for slot, attr := range t.attrs {
		if strings.HasPrefix(attr, "gen_ai.") && slot != slotProvider {
			m.genAI.add(slot)
		}
	}
	if source.Parsed || source.Content.withholds() {
		m.body = newBodyWriter(m.root, source)
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
	m.ids, m.drifts = make([]string, 0, len(lines)), m.drifts[:0]
	at := pcommon.NewTimestampFromTime(observed)
	m.putFileAttributes(file)
	for _, line := range lines {
		record := records.AppendEmpty()
		record.SetObservedTimestamp(at)
		id, drift, ok := m.fillRecord(record, file, line)
		if !ok {
			malformed++
		}
		m.ids, m.drifts = append(m.ids, id), append(m.drifts, drift)
	}
	m.forgetLine()
	return logs, malformed
}

// forgetLine keeps no memory of the last line until the next Map.
func (m *Mapper) forgetLine() {
	m.values.reset()
	if m.body != nil {
		m.body.out = nil
	}
}

// IDs are the event ids of the lines of the last Map, "" for a line that has none
// or cannot be read.
func (m *Mapper) IDs() []string { return m.ids }

// Drifts are what the tables do not know of the lines of the last Map, nothing of a line
// that cannot be read. The next Map writes over them.
func (m *Mapper) Drifts() []Drift { return m.drifts }

// LetGo forgets the ids of the last Map: an id may be a part of a copy of its line.
func (m *Mapper) LetGo() { m.ids = nil }

// fillRecord sets everything except the receipt time. It returns the line's event id, what
// of it the tables do not know, and whether it could be read.
func (m *Mapper) fillRecord(record plog.LogRecord, file File, line Line) (id string, drift Drift, ok bool) {
	ok, withheld := m.setBody(record.Body(), line.Text)
	if ok {
		for _, derive := range m.derive {
			derive(&m.values)
		}
		drift = m.drift.check(&m.values, &m.source)
		m.settleOutcome()
	} else {
		m.values.begin()
	}
	id = m.values.text(m.uidSlot)
	record.SetEventName(m.eventName)
	record.SetSeverityNumber(m.severity(ok))
	if m.values.has(m.timeSlot) {
		record.SetTimestamp(pcommon.Timestamp(m.values.values[m.timeSlot].num)) //nolint:gosec // not negative: parseTime saw to that
	}
	m.values.putInt(slotFileLine, int64(line.Number))
	if id == "" {
		m.values.putText(m.uidSlot, file.ID+":"+strconv.Itoa(line.Number))
	}
	m.putFlags(!ok, withheld)
	m.values.setAttributes(record.Attributes())
	return id, drift, ok
}

// settleOutcome leaves no success beside a result that nobody knows.
func (m *Mapper) settleOutcome() {
	if m.values.unknownOutcome && m.values.text(m.outcomeSlot) == OutcomeSuccess {
		m.values.remove(m.outcomeSlot)
	}
}

// putFileAttributes says where the records come from.
func (m *Mapper) putFileAttributes(file File) {
	m.values.reset()
	m.values.putText(slotEventType, m.source.EventType)
	m.values.putText(slotFileID, file.ID)
	m.values.putText(slotFileSHA256, file.SHA256)
	if file.Name != "" {
		m.values.putText(slotFileName, file.Name)
	}
	if m.source.Replay != "" {
		m.values.putText(slotReplay, m.source.Replay)
	}
	if file.Unverified {
		m.values.putTrue(slotUnverified)
	}
	m.values.constant = m.values.set
}

// putFlags sets what a record says about itself.
func (m *Mapper) putFlags(malformed, withheld bool) {
	if m.values.set.intersects(&m.genAI) {
		m.values.putText(slotProvider, ProviderOpenAI)
	}
	if !m.values.has(m.timeSlot) && !malformed {
		m.values.putTrue(slotNoTimestamp)
	}
	if malformed {
		m.values.putTrue(slotMalformed)
	}
	if withheld {
		m.values.putText(slotContent, string(m.source.Content.Mode))
	}
	if m.source.Self != nil && ownActions[m.values.text(m.actionSlot)] && m.source.Self(m.values.text(m.actorIDSlot)) {
		m.values.putTrue(slotSelf)
	}
}

// severity is a number alone, as the conventions ask of events: WARN for what failed, was
// blocked, ended in a way that nobody knows, or cannot be read, INFO for the rest.
func (m *Mapper) severity(ok bool) plog.SeverityNumber {
	if !ok {
		return plog.SeverityNumberWarn
	}
	switch outcome := m.values.text(m.outcomeSlot); {
	case outcome == OutcomeFailure, outcome == OutcomeBlocked:
		return plog.SeverityNumberWarn
	case m.values.unknownOutcome:
		return plog.SeverityNumberWarn
	}
	return plog.SeverityNumberInfo
}
