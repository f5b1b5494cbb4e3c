// Copyright The OpenTelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package record

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"go.opentelemetry.io/collector/pdata/plog"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const (
	workspaceID    = "0f1e2d3c-4b5a-4697-8877-665544332211"
	organizationID = "org-Invented000000000000001"
)

var (
	testFile = File{ID: "file-01", Name: "auth.jsonl", SHA256: "9f86d081884c7d65"}
	observed = time.Date(2026, 8, 2, 9, 30, 0, 0, time.UTC)
)

func sourceOf(eventType string) Source {
	source := Source{EventType: eventType, PrincipalAttr: AttrWorkspaceID, PrincipalID: workspaceID, ScopeVersion: "1.2.3"}
	if eventType == "COSTS" {
		source.PrincipalAttr, source.PrincipalID = AttrOrganizationID, organizationID
	}
	return source
}

// samples are the lines of testdata/records, by event type.
func samples(tb testing.TB) map[string][][]byte {
	tb.Helper()
	paths, err := filepath.Glob("../../testdata/records/*.jsonl")
	require.NoError(tb, err)
	require.NotEmpty(tb, paths)
	out := map[string][][]byte{}
	for _, path := range paths {
		text, err := os.ReadFile(path)
		require.NoError(tb, err)
		eventType := strings.ToUpper(strings.TrimSuffix(filepath.Base(path), ".jsonl"))
		out[eventType] = bytes.Split(bytes.TrimSuffix(text, []byte("\n")), []byte("\n"))
	}
	return out
}

// mapLines maps texts as the lines of one file, from line 1.
func mapLines(m *Mapper, texts ...[]byte) (logs plog.Logs, malformed int) {
	lines := make([]Line, len(texts))
	for i, text := range texts {
		lines[i] = Line{Number: i + 1, Text: text}
	}
	return m.Map(testFile, lines, observed)
}

func recordsOf(logs plog.Logs) plog.LogRecordSlice {
	return logs.ResourceLogs().At(0).ScopeLogs().At(0).LogRecords()
}

// mapOne maps one line of a new mapper.
func mapOne(eventType, text string) plog.LogRecord {
	logs, _ := mapLines(NewMapper(sourceOf(eventType)), []byte(text))
	return recordsOf(logs).At(0)
}

// fromLine returns the attributes that the line itself gave.
func fromLine(record plog.LogRecord) map[string]any {
	attrs := record.Attributes().AsRaw()
	for _, ours := range []string{AttrEventType, AttrFileID, AttrFileLine, AttrFileSHA256, AttrFileName, AttrRecordUID, AttrNoTimestamp} {
		delete(attrs, ours)
	}
	return attrs
}

func uidOf(record plog.LogRecord) string {
	if uid, ok := record.Attributes().Get(AttrRecordUID); ok {
		return uid.Str()
	}
	return ""
}

// marshal gives logs as bytes, for comparison.
func marshal(tb testing.TB, logs plog.Logs) string {
	tb.Helper()
	out, err := (&plog.JSONMarshaler{}).MarshalLogs(logs)
	require.NoError(tb, err)
	return string(out)
}
