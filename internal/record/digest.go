// Copyright The OpenTelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package record

import (
	"fmt"
	"time"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"
)

// DigestEventName is the EventName of records that prove what was delivered.
const DigestEventName = EventNamePrefix + "digest"

// Attributes of a digest.
const (
	AttrDigestChain     = "openai.compliance.digest.chain"
	AttrDigestNumber    = "openai.compliance.digest.number"
	AttrDigestSHA256    = "openai.compliance.digest.sha256"
	AttrDigestSignature = "openai.compliance.digest.signature"
)

// Digest is a finished digest.
type Digest struct {
	Document string // canonical JSON
	SHA256   string // of Document, lower-case hex
	// Signature is Ed25519 over Document, in base64; empty without a key.
	Signature string
	Chain     string
	Number    int64
	Term      int64
}

// Digest builds the record of a digest. Its body is the document as it is, whatever the
// form of other bodies.
func (m *Mapper) Digest(d Digest, observed time.Time) plog.Logs {
	logs, records := m.newLogs()
	record := records.AppendEmpty()
	record.SetEventName(DigestEventName)
	record.SetObservedTimestamp(pcommon.NewTimestampFromTime(observed))
	record.SetTimestamp(pcommon.NewTimestampFromTime(observed))
	record.SetSeverityNumber(plog.SeverityNumberInfo)
	record.Body().SetStr(d.Document)
	attrs := record.Attributes()
	attrs.PutStr(AttrEventType, m.source.EventType)
	attrs.PutStr(AttrRecordUID, fmt.Sprintf("digest:%s:%d:%d", d.Chain, d.Number, d.Term))
	attrs.PutStr(AttrDigestChain, d.Chain)
	attrs.PutInt(AttrDigestNumber, d.Number)
	attrs.PutStr(AttrDigestSHA256, d.SHA256)
	if d.Signature != "" {
		attrs.PutStr(AttrDigestSignature, d.Signature)
	}
	if m.source.Replay != "" {
		attrs.PutStr(AttrReplay, m.source.Replay)
	}
	return logs
}
