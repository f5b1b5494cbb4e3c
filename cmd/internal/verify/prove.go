// Copyright The OpenTelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package verify

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/openaicompliance/openaicompliancereceiver/internal/record"
)

// result is what is known of a delivered record.
type result string

const (
	// proven: it is, whole, what its line gives.
	proven result = "proven"
	// notProven: it is not.
	notProven result = "not_proven"
	// notProvable: what it would be compared with is not at hand.
	notProvable result = "not_provable"
	// reportsGap: it is no line, and says that records are missing.
	reportsGap result = "gap"
	// isDigest: it is no line; the check of chains reads it.
	isDigest result = "digest"
)

// verdict on one delivered record.
type verdict struct {
	UID     string `json:"uid"`
	FileID  string `json:"file_id"`
	Line    int64  `json:"line"`
	Result  result `json:"result"`
	Problem string `json:"problem,omitempty"`

	// unproven are the attributes of a proven record that its file does not give.
	unproven []string
}

var (
	errNoFile = errors.New("its file is not at hand")
	errNoKey  = errors.New("its content is withheld by digests: set OPENAI_COMPLIANCE_HMAC_KEY")
)

// prover compares delivered records with the lines that they name.
type prover struct {
	files *fileSet
	// principal overrules what manifests say, and is known of files without one.
	principal principal
	key       string // of digests in the place of content
	// ignored attributes may be anything: something downstream sets them.
	ignored map[string]bool
	mappers map[mapping]*record.Mapper
}

// principal is whose records they are: the name of an attribute and its value.
type principal struct{ attr, id string }

// mapping is what a mapper depends on.
type mapping struct {
	eventType string
	principal principal
	version   string
	replay    string
	parsed    bool
	mode      record.ContentMode
	self      bool
}

// delivered is a log record with what stands around it.
type delivered struct {
	resource plog.ResourceLogs
	scope    plog.ScopeLogs
	record   plog.LogRecord
}

func (d delivered) attr(name string) string { return textOf(d.record.Attributes(), name) }

func (d delivered) line() int64 {
	number, _ := d.record.Attributes().Get(record.AttrFileLine)
	return number.Int()
}

// prove judges one record.
func (p *prover) prove(d delivered) verdict {
	v := verdict{UID: d.attr(record.AttrRecordUID), FileID: d.attr(record.AttrFileID), Line: d.line(), Result: proven}
	if d.record.EventName() == record.GapEventName {
		v.Result, v.Problem = reportsGap, "it reports records that may be missing: "+d.attr(record.AttrGapReason)
		return v
	}
	if _, ofLine := d.record.Attributes().Get(record.AttrFileSHA256); d.record.EventName() == record.DigestEventName && !ofLine {
		v.Result = isDigest
		return v
	}
	unproven, err := p.compare(d)
	switch {
	case errors.Is(err, errNoFile), errors.Is(err, errNoKey):
		v.Result, v.Problem = notProvable, err.Error()
	case err != nil:
		v.Result, v.Problem = notProven, err.Error()
	default:
		v.unproven = unproven
	}
	return v
}

// compare makes the record of its line again and compares all of it. What neither the
// line nor the file's entry gives is taken from the record itself and named in unproven.
func (p *prover) compare(d delivered) (unproven []string, err error) {
	file, line, err := p.lineOf(d)
	if err != nil {
		return nil, err
	}
	m, from, unproven := p.claims(d, file)
	if m.mode == record.ContentHMAC && p.key == "" {
		return nil, errNoKey
	}
	logs, _ := p.mapper(m).Map(from, []record.Line{{Number: int(d.line()), Text: line}}, time.Time{})
	resource := logs.ResourceLogs().At(0)
	made := delivered{resource, resource.ScopeLogs().At(0), resource.ScopeLogs().At(0).LogRecords().At(0)}
	for name := range p.ignored {
		for _, attrs := range []pcommon.Map{d.record.Attributes(), d.resource.Resource().Attributes(), made.record.Attributes(), made.resource.Resource().Attributes()} {
			if attrs.Remove(name) {
				unproven = append(unproven, name)
			}
		}
	}
	return unproven, differences(made, d)
}

// lineOf returns the line that a record names, and its file. Without any file it is the
// raw body, whose place the digests prove.
func (p *prover) lineOf(d delivered) (exported, []byte, error) {
	if p.files.empty() {
		line, ok := rawLine(d)
		if !ok {
			return exported{}, nil, errNoFile
		}
		return exported{}, line, nil
	}
	sum := d.attr(record.AttrFileSHA256)
	file, ok := p.files.find(sum, d.attr(record.AttrFileID))
	if !ok {
		return exported{}, nil, errNoFile
	}
	lines, err := p.files.linesOf(sum)
	if err != nil {
		return exported{}, nil, err
	}
	line, ok := lines[d.line()]
	if !ok {
		return exported{}, nil, fmt.Errorf("the file has no line %d", d.line())
	}
	return file, line, nil
}

// rawLine is the line of a record whose body is exactly that.
func rawLine(d delivered) ([]byte, bool) {
	switch body := d.record.Body(); {
	case d.attr(record.AttrContent) != "":
		return nil, false
	case body.Type() == pcommon.ValueTypeStr:
		return []byte(body.Str()), true
	case body.Type() == pcommon.ValueTypeBytes:
		return body.Bytes().AsRaw(), true
	}
	return nil, false
}

// claims puts together what a record is made with: of the file's entry what that gives,
// of the record itself the rest.
func (p *prover) claims(d delivered, file exported) (m mapping, from record.File, unproven []string) {
	_, unverified := d.record.Attributes().Get(record.AttrUnverified)
	_, self := d.record.Attributes().Get(record.AttrSelf)
	m = mapping{
		eventType: file.listed.EventType, version: d.scope.Scope().Version(), replay: d.attr(record.AttrReplay),
		parsed: d.record.Body().Type() == pcommon.ValueTypeMap, mode: record.ContentMode(d.attr(record.AttrContent)), self: self,
	}
	from = record.File{ID: file.listed.FileID, Name: file.listed.FileName, SHA256: d.attr(record.AttrFileSHA256), Unverified: file.listed.Unverified}
	unproven = []string{"ObservedTimestamp"}
	if m.eventType == "" {
		m.eventType = textOf(d.resource.Resource().Attributes(), record.AttrEventType)
		unproven = append(unproven, record.AttrEventType)
	}
	if !file.hasEntry {
		from.ID, from.Name, from.Unverified = d.attr(record.AttrFileID), d.attr(record.AttrFileName), unverified
		unproven = append(unproven, record.AttrFileID, record.AttrFileName, record.AttrUnverified)
	}
	if m.principal = p.principalOf(file); m.principal.id == "" {
		m.principal = claimedPrincipal(d)
		unproven = append(unproven, m.principal.attr)
	}
	for name, claimed := range map[string]bool{"scope version": m.version != "", record.AttrReplay: m.replay != "", record.AttrSelf: self, record.AttrContent: m.mode != ""} {
		if claimed {
			unproven = append(unproven, name)
		}
	}
	return m, from, unproven
}

func (p *prover) principalOf(file exported) principal {
	switch {
	case p.principal.id != "":
		return p.principal
	case file.listed.OrganizationID != "":
		return principal{record.AttrOrganizationID, file.listed.OrganizationID}
	}
	return principal{record.AttrWorkspaceID, file.listed.WorkspaceID}
}

func claimedPrincipal(d delivered) principal {
	attrs := d.resource.Resource().Attributes()
	if id := textOf(attrs, record.AttrOrganizationID); id != "" {
		return principal{record.AttrOrganizationID, id}
	}
	return principal{record.AttrWorkspaceID, textOf(attrs, record.AttrWorkspaceID)}
}

// maxMappers bounds what is kept: records may claim anything.
const maxMappers = 100

func (p *prover) mapper(m mapping) *record.Mapper {
	if mapper, ok := p.mappers[m]; ok {
		return mapper
	}
	if p.mappers == nil || len(p.mappers) >= maxMappers {
		p.mappers = map[mapping]*record.Mapper{}
	}
	source := record.Source{
		EventType: m.eventType, PrincipalAttr: m.principal.attr, PrincipalID: m.principal.id, ScopeVersion: m.version,
		Replay: m.replay, Parsed: m.parsed, Content: record.Content{Mode: m.mode, Key: []byte(p.key)},
	}
	if m.self {
		source.Self = func(string) bool { return true }
	}
	p.mappers[m] = record.NewMapper(source)
	return p.mappers[m]
}

// differences returns the first thing in which a delivered record is not the made one.
func differences(made, got delivered) error {
	if err := attributeDifference("attribute", made.record.Attributes(), got.record.Attributes()); err != nil {
		return err
	}
	if err := attributeDifference("resource attribute", made.resource.Resource().Attributes(), got.resource.Resource().Attributes()); err != nil {
		return err
	}
	if err := attributeDifference("scope attribute", made.scope.Scope().Attributes(), got.scope.Scope().Attributes()); err != nil {
		return err
	}
	a, b := made.record, got.record
	for _, part := range []struct {
		name string
		same bool
	}{
		{"Body", a.Body().Equal(b.Body())},
		{"Timestamp", a.Timestamp() == b.Timestamp()},
		{"SeverityNumber", a.SeverityNumber() == b.SeverityNumber()},
		{"SeverityText", a.SeverityText() == b.SeverityText()},
		{"EventName", a.EventName() == b.EventName()},
		{"TraceId", a.TraceID() == b.TraceID()},
		{"SpanId", a.SpanID() == b.SpanID()},
		{"Flags", a.Flags() == b.Flags()},
		{"DroppedAttributesCount", a.DroppedAttributesCount() == b.DroppedAttributesCount()},
		{"scope name", made.scope.Scope().Name() == got.scope.Scope().Name()},
		{"scope's schema URL", made.scope.SchemaUrl() == got.scope.SchemaUrl()},
		{"resource's schema URL", made.resource.SchemaUrl() == got.resource.SchemaUrl()},
	} {
		if !part.same {
			return fmt.Errorf("the %s is not what the line gives", part.name)
		}
	}
	return nil
}

// attributeDifference names the first attribute, in the order of names, that differs.
func attributeDifference(kind string, made, got pcommon.Map) error {
	names := map[string]bool{}
	for name := range got.All() {
		names[name] = true
	}
	if got.Len() > len(names) {
		return fmt.Errorf("one %s is there twice", kind)
	}
	for name := range made.All() {
		names[name] = true
	}
	for _, name := range slices.Sorted(maps.Keys(names)) {
		want, expected := made.Get(name)
		have, there := got.Get(name)
		switch {
		case !expected:
			return fmt.Errorf("the %s %q is not of the line", kind, name)
		case !there:
			return fmt.Errorf("the %s %q is missing", kind, name)
		case !want.Equal(have):
			return fmt.Errorf("the %s %q is not what the line gives", kind, name)
		}
	}
	return nil
}

func textOf(attrs pcommon.Map, name string) string {
	value, ok := attrs.Get(name)
	if !ok {
		return ""
	}
	return value.AsString()
}
