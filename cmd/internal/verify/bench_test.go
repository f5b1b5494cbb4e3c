// Copyright The OpenTelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package verify

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"os"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/openaicompliance/openaicompliancereceiver/internal/jsonl"
	"github.com/openaicompliance/openaicompliancereceiver/internal/record"
)

// BenchmarkProve proves an export of AUTH_LOG; its bytes are those of the export.
func BenchmarkProve(b *testing.B) {
	samples, err := os.ReadFile("../../../testdata/records/auth_log.jsonl")
	require.NoError(b, err)
	var file bytes.Buffer
	for i := range 500 {
		file.Write(bytes.ReplaceAll(samples, []byte("a0000000-"), []byte("b"+strconv.Itoa(1000000+i)+"-")))
	}
	path := filepath.Join(b.TempDir(), "AUTH_LOG_2026.jsonl")
	require.NoError(b, os.WriteFile(path, file.Bytes(), 0o600))
	sum := sha256.Sum256(file.Bytes())
	mapper := record.NewMapper(record.Source{EventType: "AUTH_LOG", PrincipalAttr: record.AttrWorkspaceID, PrincipalID: workspace})
	var export bytes.Buffer
	var lines []record.Line
	flush := func() {
		logs, _ := mapper.Map(record.File{ID: "f", SHA256: hex.EncodeToString(sum[:])}, lines, time.Now())
		text, err := (&plog.JSONMarshaler{}).MarshalLogs(logs)
		require.NoError(b, err)
		export.Write(append(text, '\n'))
		lines = lines[:0]
	}
	for l := jsonl.NewReader(file.Bytes()); l.Next(); {
		if lines = append(lines, record.Line{Number: l.Number(), Text: l.Line()}); len(lines) == 1000 {
			flush()
		}
	}
	flush()
	b.SetBytes(int64(export.Len()))
	b.ReportAllocs()
	for b.Loop() {
		files := newFileSet()
		require.NoError(b, files.add(path))
		p := &prover{files: files}
		require.NoError(b, eachRecord(bytes.NewReader(export.Bytes()), nil, func(d delivered) {
			if v := p.prove(d); v.Result != proven {
				b.Fatal(v.Problem)
			}
		}))
	}
}
