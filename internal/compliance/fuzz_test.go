// Copyright The OpenTelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package compliance

import (
	"bytes"
	"encoding/json"
	"regexp"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// answerField is all that an error about an answer names: our own field names,
// never what the answer holds.
var answerField = regexp.MustCompile(`^((data(\[\d+\]|\.\d+)?(\.)?)?(id|event_type|end_time|file_name|file_size|file_sha256)?|data|has_more|last_end_time)$`)

// FuzzList: no answer makes the reader of lists panic; it gives a page whose
// files are whole and in order, or an error that quotes nothing of the answer.
func FuzzList(f *testing.F) {
	const file = `{"id":"f","event_type":"AUTH_LOG","end_time":"2026-08-01T12:30:07.481516Z","file_name":"n","file_size":1,"file_sha256":"` +
		`9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"}`
	for _, answer := range []string{
		``, `{}`, `[]`, `null`, `{"data":[],"has_more":false}`, `{"data":[],"has_more":false,"last_end_time":null}`,
		`{"data":[` + file + `],"has_more":true,"last_end_time":"2026-08-01T12:30:07.481516Z"}`,
		`{"data":[` + file + `,` + file + `],"has_more":false}` + "\n{}",
		`{"data":[{"id":1}],"has_more":"no"}`, `{"data":[null],"has_more":true}`, `{"DATA":[],"Has_More":true,"has_more":false}`,
		`{"data":[{"id":"a","event_type":"AUTH_LOG","end_time":"0000-01-01T00:00:00Z","file_size":9223372036854775808}],"has_more":true}`,
		"\xef\xbb\xbf{}", `{"data":[],"has_more":true,"last_end_time":"\ud800"}`, `{"data":{"CANARY":1}}`,
	} {
		f.Add([]byte(answer))
	}
	f.Fuzz(func(t *testing.T, answer []byte) {
		page, err := parsePage(answer, "AUTH_LOG")
		if err != nil {
			bad, ok := err.(*AnswerError) //nolint:errorlint // no other error, wrapped or not
			require.True(t, ok, "%T", err)
			assert.Regexp(t, answerField, bad.Field)
			assert.Less(t, len(bad.Error()), 200)
			assert.Empty(t, page)
			return
		}
		var document struct {
			Data []json.RawMessage `json:"data"`
		}
		require.NoError(t, json.Unmarshal(answer[:len(answer)-trailing(answer)], &document))
		require.Len(t, page.Files, len(document.Data), "an entry was left out")
		assert.True(t, slices.IsSortedFunc(page.Files, func(a, b File) int { return a.EndTime.Compare(b.EndTime) }))
		for _, file := range page.Files {
			assert.NotEmpty(t, file.ID)
			assert.GreaterOrEqual(t, file.Size, int64(0))
			assert.Regexp(t, `^[0-9a-f]{64}$`, file.SHA256)
			assert.Equal(t, time.UTC, file.EndTime.Location())
		}
	})
}

// trailing counts the bytes behind the first JSON document.
func trailing(answer []byte) int {
	dec := json.NewDecoder(bytes.NewReader(answer))
	var raw json.RawMessage
	if dec.Decode(&raw) != nil {
		return 0
	}
	return len(answer) - int(dec.InputOffset())
}
