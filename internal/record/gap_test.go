// Copyright The OpenTelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package record

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"go.opentelemetry.io/collector/pdata/plog"
)

var (
	gapFrom = time.Date(2026, 7, 1, 2, 0, 0, 500_000, time.FixedZone("", 2*60*60))
	gapTo   = time.Date(2026, 7, 3, 0, 0, 0, 0, time.UTC)
)

func gapOf(source Source, gap Gap, at time.Time) plog.Logs { return NewMapper(source).Gap(gap, at) }

// A gap is one record that says what may be missing and why, under the resource
// and scope that the type's own records have.
func TestGap(t *testing.T) {
	tests := []struct {
		name string
		gap  Gap
		want map[string]any
	}{
		{"retention", Gap{From: gapFrom, To: gapTo, Reason: GapRetention}, map[string]any{"openai.compliance.gap.reason": "retention"}},
		{"file expired", Gap{From: gapFrom, To: gapTo, Reason: GapFileExpired, File: testFile}, map[string]any{
			"openai.compliance.gap.reason": "file_expired", "openai.compliance.file.id": "file-01",
			"log.file.name": "auth.jsonl", "openai.compliance.file.sha256": "9f86d081884c7d65",
		}},
		{"file without a name", Gap{From: gapFrom, To: gapTo, Reason: GapFileExpired, File: File{ID: "file-01", SHA256: "00"}}, map[string]any{
			"openai.compliance.gap.reason": "file_expired", "openai.compliance.file.id": "file-01", "openai.compliance.file.sha256": "00",
		}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			logs := gapOf(sourceOf("AUTH_LOG"), test.gap, observed)
			require.Equal(t, 1, logs.LogRecordCount())
			record := recordsOf(logs).At(0)
			assert.Equal(t, "openai.compliance.gap", record.EventName())
			assert.Equal(t, plog.SeverityNumberError, record.SeverityNumber())
			assert.Empty(t, record.SeverityText())
			assert.Equal(t, observed, record.Timestamp().AsTime())
			assert.Equal(t, observed, record.ObservedTimestamp().AsTime())
			assert.Contains(t, record.Body().Str(), "AUTH_LOG")
			assert.Contains(t, record.Body().Str(), "2026-07-01T00:00:00.0005Z")
			assert.Contains(t, record.Body().Str(), "2026-07-03T00:00:00Z")
			require.NotEmpty(t, uidOf(record))
			assert.Equal(t, with(test.want, map[string]any{
				"openai.compliance.event.type": "AUTH_LOG", "log.record.uid": uidOf(record),
				"openai.compliance.gap.from": "2026-07-01T00:00:00.0005Z", "openai.compliance.gap.to": "2026-07-03T00:00:00Z",
			}), record.Attributes().AsRaw())

			recordsOf(logs).RemoveIf(func(plog.LogRecord) bool { return true })
			frame, _ := mapLines(NewMapper(sourceOf("AUTH_LOG")))
			assert.Equal(t, marshal(t, frame), marshal(t, logs))
		})
	}
}

// The same gap told again has the same uid; any other gap has another.
func TestGapUID(t *testing.T) {
	gap := Gap{From: gapFrom, To: gapTo, Reason: GapFileExpired, File: testFile}
	uid := func(source Source, gap Gap, at time.Time) string {
		return uidOf(recordsOf(gapOf(source, gap, at)).At(0))
	}
	first := uid(sourceOf("AUTH_LOG"), gap, observed)
	assert.Equal(t, first, uid(sourceOf("AUTH_LOG"), gap, observed.Add(time.Hour)))
	inUTC := gap
	inUTC.From = gap.From.UTC()
	assert.Equal(t, first, uid(sourceOf("AUTH_LOG"), inUTC, observed))

	later, longer, otherFile := gap, gap, gap
	later.From = gap.From.Add(time.Microsecond)
	longer.To = gap.To.Add(time.Microsecond)
	otherFile.File.ID = "file-02"
	assert.Equal(t, first, uid(sourceOf("AUTH_LOG"), longer, observed), "the same gap, told again a little later")
	otherPrincipal := sourceOf("AUTH_LOG")
	otherPrincipal.PrincipalID = "another"
	for name, other := range map[string]string{
		"type":      uid(sourceOf("AUDIT_LOG"), gap, observed),
		"principal": uid(otherPrincipal, gap, observed),
		"from":      uid(sourceOf("AUTH_LOG"), later, observed),
		"file":      uid(sourceOf("AUTH_LOG"), otherFile, observed),
	} {
		assert.NotEqual(t, first, other, name)
	}
}
