// Copyright The OpenTelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package record

import (
	"strconv"
	"time"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"
)

// GapEventName is the EventName of records that report a data gap.
const GapEventName = EventNamePrefix + "gap"

// Gap is what the API stopped serving, or cannot list, before it could be read.
type Gap struct {
	// From and To bound the file times concerned, From excluded.
	From, To time.Time
	// Reason is one of the Gap constants.
	Reason string
	// File that is lost, for GapFileExpired, or that holds the lost records, for
	// GapRefused.
	File File
	// FirstLine and LastLine of the lost records, for GapRefused.
	FirstLine, LastLine int
}

// Gap builds the one record that reports a gap. Its uid is the same whenever the same
// gap is reported again, though To may be a little later then.
func (m *Mapper) Gap(gap Gap, observed time.Time) plog.Logs {
	logs, records := m.newLogs()
	record := records.AppendEmpty()
	record.SetEventName(GapEventName)
	record.SetObservedTimestamp(pcommon.NewTimestampFromTime(observed))
	record.SetTimestamp(pcommon.NewTimestampFromTime(observed))
	record.SetSeverityNumber(plog.SeverityNumberError)
	from, to := gap.From.UTC().Format(time.RFC3339Nano), gap.To.UTC().Format(time.RFC3339Nano)
	record.Body().SetStr("Records of " + m.source.EventType + " between " + from + " and " + to +
		" may be missing: the API stopped serving them before they could be collected.")
	attrs := record.Attributes()
	attrs.PutStr(AttrEventType, m.source.EventType)
	attrs.PutStr(AttrGapFrom, from)
	attrs.PutStr(AttrGapTo, to)
	attrs.PutStr(AttrGapReason, gap.Reason)
	attrs.PutStr(AttrRecordUID, "gap:"+m.source.PrincipalID+":"+m.source.EventType+":"+from+":"+gap.File.ID+lineSuffix(gap.FirstLine))
	if m.source.Replay != "" {
		attrs.PutStr(AttrReplay, m.source.Replay)
	}
	if gap.File.ID != "" {
		attrs.PutStr(AttrFileID, gap.File.ID)
		attrs.PutStr(AttrFileSHA256, gap.File.SHA256)
		if gap.FirstLine > 0 {
			attrs.PutInt(AttrFileLine, int64(gap.FirstLine))
		}
		if gap.File.Name != "" {
			attrs.PutStr(AttrFileName, gap.File.Name)
		}
	}
	return logs
}

func lineSuffix(line int) string {
	if line == 0 {
		return ""
	}
	return ":" + strconv.Itoa(line)
}
