// Copyright The OpenTelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package verify

import (
	"crypto/ed25519"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/openaicompliance/openaicompliancereceiver/cmd/internal/command"
	"github.com/openaicompliance/openaicompliancereceiver/internal/digest"
	"github.com/openaicompliance/openaicompliancereceiver/internal/jsonl"
	"github.com/openaicompliance/openaicompliancereceiver/internal/record"
)

// digested adds a signed digest of the rig's file to its records, and writes the key that
// checks it. The file ended some time ago.
func (r *rig) digested(ended time.Duration) (publicKey string) {
	r.t.Helper()
	public, private, err := ed25519.GenerateKey(nil)
	require.NoError(r.t, err)
	lines := digest.NewLinesDigest()
	n := 0
	for l := jsonl.NewReader([]byte(content)); l.Next(); n++ {
		lines.Add(l.Number(), digest.SumLine(l.Line()))
	}
	doc, err := digest.Document{
		Chain: "c", Number: 1, Term: 1, Cut: time.Date(2026, 8, 2, 11, 0, 0, 0, time.UTC), PrincipalID: workspace, EventType: "AUTH_LOG",
		Files: []digest.File{{
			ID: "f", SHA256: r.entry.SHA256, EndTime: time.Now().Add(-ended).UTC(), FirstLine: 1, Counts: digest.Counts{Records: n}, LinesSHA256: lines.Sum(),
		}},
	}.Encode()
	require.NoError(r.t, err)
	source := record.Source{EventType: "AUTH_LOG", PrincipalAttr: record.AttrWorkspaceID, PrincipalID: workspace}
	record.NewMapper(source).Digest(record.Digest{
		Document: string(doc), SHA256: digest.Sum(doc), Signature: digest.Sign(private, doc), Chain: "c", Number: 1, Term: 1,
	}, time.Now()).ResourceLogs().MoveAndAppendTo(r.logs.ResourceLogs())
	r.write()
	pkix, err := x509.MarshalPKIXPublicKey(public)
	require.NoError(r.t, err)
	publicKey = filepath.Join(r.t.TempDir(), "key.pem")
	require.NoError(r.t, os.WriteFile(publicKey, pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: pkix}), 0o600))
	return publicKey
}

// records are those of the lines.
func (r *rig) lineRecords() plog.LogRecordSlice {
	return r.logs.ResourceLogs().At(0).ScopeLogs().At(0).LogRecords()
}

func (r *rig) drop(number int64) {
	r.lineRecords().RemoveIf(func(one plog.LogRecord) bool { return delivered{record: one}.line() == number })
	r.write()
}

// With digests among the records their completeness is proven without any file; a record
// that is missing is a finding that says whether the API still has the file.
func TestVerifyChain(t *testing.T) {
	r := newRig(t, record.Source{})
	key := r.digested(24 * time.Hour)
	out, notes, status := r.verifyFrom("", "--public-key", key, r.records)
	require.Zero(t, status, out+notes)
	assert.Contains(t, out, workspace+" AUTH_LOG: complete, 1 digests (signatures checked) from 2026-08-02T11:00:00Z to 2026-08-02T11:00:00Z; 1 files with 6 records whole\n6 records, 1 digests; the attributes of 6 records are what their bodies give\n")

	r.drop(3)
	out, notes, status = r.verifyFrom("", r.records)
	assert.Equal(t, command.ExitFinding, status)
	assert.Contains(t, out, "FINDING: file incomplete, "+workspace+" AUTH_LOG, file f: 5 of its 6 records are there; the API has the file until "+
		time.Now().Add(29*24*time.Hour).UTC().Format("2006-01-02"))
	assert.Contains(t, out, workspace+" AUTH_LOG: incomplete, 1 digests (unsigned)")
	assert.Equal(t, "openai-compliance: findings: 1\n", notes)

	old := newRig(t, record.Source{})
	old.digested(31 * 24 * time.Hour)
	old.drop(3)
	out, _, _ = old.verifyFrom("", old.records)
	assert.Contains(t, out, "; the API no longer has the file\n")
}

// A changed body, a copy with another body and a wrong signature are findings; a
// byte-equal repetition is a note, and records after the last digest are not provable.
func TestVerifyChainFindings(t *testing.T) {
	for name, tt := range map[string]struct {
		change func(r *rig)
		want   string
		status int
	}{
		"a changed body": {func(r *rig) { r.first().Body().SetStr("forged") }, "FINDING: records altered", command.ExitFinding},
		"a forged copy": {func(r *rig) {
			r.first().CopyTo(r.lineRecords().AppendEmpty())
			r.lineRecords().At(lines).Body().SetStr("forged")
		}, "FINDING: record contradicted", command.ExitFinding},
		"a changed attribute": {func(r *rig) {
			r.first().Attributes().PutStr("user.email", "mallory@example.com")
		}, `NOT PROVEN: record 1, line 1 of file f: the attribute "user.email" is not what the line gives`, command.ExitFinding},
		"a repetition": {func(r *rig) { r.first().CopyTo(r.lineRecords().AppendEmpty()) }, "note: record repeated", command.ExitOK},
		"a later file": {func(r *rig) {
			r.first().CopyTo(r.lineRecords().AppendEmpty())
			r.lineRecords().At(lines).Attributes().PutStr(record.AttrFileID, "later")
		}, "; 1 records in no digest: not provable\n", command.ExitOK},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t, record.Source{})
			r.digested(time.Hour)
			tt.change(r)
			r.write()
			out, notes, status := r.verifyFrom("", r.records)
			assert.Equal(t, tt.status, status, out+notes)
			assert.Contains(t, out, tt.want)
		})
	}
	r := newRig(t, record.Source{})
	r.digested(time.Hour)
	other := newRig(t, record.Source{})
	out, _, status := r.verifyFrom("", "--public-key", other.digested(time.Hour), r.records)
	assert.Equal(t, command.ExitFinding, status)
	assert.Contains(t, out, "FINDING: signature wrong, "+workspace+" AUTH_LOG, digest 1 of chain c")
}

// Where bodies are not the exact lines, records are counted without their files and
// proven with them.
func TestVerifyChainOfParsedBodies(t *testing.T) {
	r := newRig(t, record.Source{Parsed: true})
	r.digested(time.Hour)
	out, notes, status := r.verifyFrom("", r.records)
	require.Zero(t, status, out+notes)
	assert.Contains(t, out, "0 files with 0 records whole; 6 records as many as there were, their lines not at hand\n")
	out, notes, status = r.verify("-o", "json")
	require.Zero(t, status, out+notes)
	line, _, _ := strings.Cut(out, "\n")
	var shown struct{ Stream chainReport }
	require.NoError(t, json.Unmarshal([]byte(line), &shown), out)
	assert.Equal(t, []any{"complete", 1, 6, 0}, []any{shown.Stream.Verdict, shown.Stream.Files, shown.Stream.Records, shown.Stream.Counted})

	r.drop(3)
	_, _, status = r.verifyFrom("", r.records)
	assert.Equal(t, command.ExitFinding, status, "a missing record shows without the file")
}

// A digest that cannot be read is a finding, and a line that says to be a digest is not
// taken for one.
func TestVerifyUnreadableDigest(t *testing.T) {
	r := newRig(t, record.Source{})
	one := r.lineRecords().AppendEmpty()
	one.SetEventName(record.DigestEventName)
	one.Body().SetStr("{}")
	r.write()
	out, _, status := r.verify()
	assert.Equal(t, command.ExitFinding, status)
	assert.Contains(t, out, "FINDING: digest unreadable")
	assert.Contains(t, out, "incomplete, 6 records and no digest that can be read\n")
	for _, bad := range []string{"none", r.records} {
		_, notes, status := r.verifyFrom("", "--public-key", bad, r.records)
		assert.Equal(t, command.ExitMisuse, status)
		assert.Contains(t, notes, "--public-key")
	}
}
