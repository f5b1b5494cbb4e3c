// Copyright The OpenTelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package compliance

import (
	"bytes"
	"encoding/json"
	"fmt"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// answerField is all that an error about an answer names: our own field names,
// never what the answer holds.
var answerField = regexp.MustCompile(`^(data)?$`)

// faults are all that an entry may have: constant texts.
var faults = []string{
	"", "entry is not an object", "id is missing", "id is empty", "id is neither text nor a number", "id is longer than 512 bytes", "id is not valid Unicode",
	"file_size is missing", "file_size is negative", "file_size is not a number of bytes",
}

// checkEntry demands what every entry has, whatever it was read from.
func checkEntry(t *testing.T, entry Entry) {
	t.Helper()
	assert.Contains(t, faults, entry.Fault)
	assert.NotEqual(t, entry.ID == "", entry.Digest == "", "an entry has an id or a digest")
	if entry.Digest != "" {
		assert.Regexp(t, `^[0-9a-f]{64}$`, entry.Digest)
		assert.NotEmpty(t, entry.Fault)
	}
	assert.LessOrEqual(t, len(entry.ID), 512)
	assert.LessOrEqual(t, len(entry.Name), 512)
	assert.GreaterOrEqual(t, entry.Size, int64(-1))
	assert.False(t, entry.Size < 0 && entry.Fault == "")
	assert.Regexp(t, `^([0-9a-f]{64})?$`, entry.SHA256)
	assert.Equal(t, time.UTC, entry.EndTime.Location())
	assert.Equal(t, entry.EndTime, entry.EndTime.Truncate(time.Microsecond))
	_, err := entry.EndTime.MarshalJSON()
	assert.NoError(t, err)
}

// FuzzList: no answer makes the reader of lists panic. It gives a page with an entry
// for each element, in order, or an error that quotes nothing of the answer. What is
// JSON by itself spoils no other entry of a page that it is an entry of.
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
		file, `{"id":"\ud800","file_size":"1e9","end_time":"2026-12-31 23:59:60.9+0000","file_sha256":"sha256:"}`, `{"id":[{"a":-0.0}],"event_type":{}}`,
	} {
		f.Add([]byte(answer))
	}
	texts, files := goodEntries()
	good := strings.Join(texts, ",")
	f.Fuzz(func(t *testing.T, answer []byte) {
		checkAnswer(t, answer)
		if json.Valid(answer) {
			page, err := parsePage(fmt.Appendf(nil, `{"data":[%s,%s]}`, answer, good), "AUTH_LOG")
			require.NoError(t, err)
			require.Equal(t, 11, page.Listed)
			for _, file := range files {
				assert.Contains(t, page.Entries, Entry{File: file})
			}
		}
	})
}

func checkAnswer(t *testing.T, answer []byte) {
	t.Helper()
	page, err := parsePage(answer, "AUTH_LOG")
	if err != nil {
		bad, ok := err.(*AnswerError) //nolint:errorlint // no other error, wrapped or not
		require.True(t, ok, "%T", err)
		assert.Regexp(t, answerField, bad.Field)
		assert.Less(t, len(bad.Error()), 200)
		assert.Empty(t, page)
		return
	}
	answer = bytes.TrimPrefix(answer, byteOrderMark)
	var document struct {
		Data []json.RawMessage `json:"data"`
	}
	require.NoError(t, json.Unmarshal(answer[:len(answer)-trailing(answer)], &document))
	require.Len(t, page.Entries, len(document.Data), "an entry was left out")
	assert.Equal(t, len(document.Data), page.Listed)
	for i, entry := range page.Entries {
		checkEntry(t, entry)
		assert.False(t, i > 0 && entry.EndTime.IsZero() && !page.Entries[i-1].EndTime.IsZero())
		assert.False(t, i > 0 && !page.Entries[i-1].EndTime.IsZero() && entry.EndTime.Before(page.Entries[i-1].EndTime))
	}
}

// trailing counts the bytes after the first JSON document.
func trailing(answer []byte) int {
	dec := json.NewDecoder(bytes.NewReader(answer))
	var raw json.RawMessage
	if dec.Decode(&raw) != nil {
		return 0
	}
	return len(answer) - int(dec.InputOffset())
}
