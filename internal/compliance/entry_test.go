// Copyright The OpenTelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package compliance

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// goodEntries are ten that nothing is wrong with, and what they read as.
func goodEntries() (texts []string, files []File) {
	for i := range 10 {
		sum := sha256.Sum256(fmt.Append(nil, i))
		file := File{
			ID: fmt.Sprintf("good_%d", i), EndTime: noon.Add(time.Duration(i) * time.Minute), Name: fmt.Sprintf("AUTH_LOG_%d.jsonl", i),
			Size: int64(i), SHA256: hex.EncodeToString(sum[:]),
		}
		texts = append(texts, fmt.Sprintf(`{"id":%q,"event_type":"AUTH_LOG","end_time":%q,"file_name":%q,"file_size":%d,"file_sha256":%q}`,
			file.ID, file.EndTime.Format(time.RFC3339Nano), file.Name, file.Size, file.SHA256))
		files = append(files, file)
	}
	return texts, files
}

// amongGood lists an odd entry in the midst of good ones. It demands that these come
// out as if they were alone, and returns what became of the odd one.
func amongGood(t *testing.T, odd string) Entry {
	t.Helper()
	texts, files := goodEntries()
	api := newHost(t, answering(200, `{"has_more":false,"data":[`+strings.Join(slices.Insert(texts, 5, odd), ",")+`]}`))
	page, err := newClient(t, api.URL).Pages("AUTH_LOG", noon, time.Time{}, nil).Next(t.Context())
	require.NoError(t, err)
	assert.Equal(t, 11, page.Listed)
	var good []File
	var others []Entry
	for _, entry := range page.Entries {
		if strings.HasPrefix(entry.ID, "good_") {
			assert.Equal(t, Entry{File: entry.File}, entry)
			good = append(good, entry.File)
			continue
		}
		others = append(others, entry)
	}
	assert.Equal(t, files, good)
	require.Len(t, others, 1)
	return others[0]
}

// Whatever is odd about an entry, the page's others are as they were, and the entry
// itself keeps all that can be read.
func TestOddEntries(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 8, 1, 12, 30, 7, 481_516_000, time.UTC)
	second := at.Truncate(time.Second)
	whole := Entry{File: File{ID: "eclf_1", EndTime: at, Name: "AUTH_LOG_1.jsonl", Size: 18342, SHA256: goodSHA}}
	with := func(change func(*Entry)) Entry {
		entry := whole
		change(&entry)
		return entry
	}
	sized := func(size int64) Entry { return with(func(e *Entry) { e.Size = size }) }
	unsized := func(fault string) Entry { return with(func(e *Entry) { e.Size, e.Fault = -1, fault }) }
	ended := func(at time.Time) Entry { return with(func(e *Entry) { e.EndTime = at }) }
	id := func(id string) Entry { return with(func(e *Entry) { e.ID = id }) }
	named := func(name string) Entry { return with(func(e *Entry) { e.Name = name }) }
	noDigest := with(func(e *Entry) { e.SHA256 = "" })
	otherType := with(func(e *Entry) { e.OtherType = true })
	sum, err := hex.DecodeString(goodSHA)
	require.NoError(t, err)
	for field, tests := range map[string]map[string]Entry{
		`"file_sha256":"` + goodSHA + `"`: {
			`"file_sha256":"sha256:` + goodSHA + `"`:                                 whole,
			`"file_sha256":"SHA256:` + strings.ToUpper(goodSHA) + `"`:                whole,
			`"file_sha256":"sha-256=` + base64.StdEncoding.EncodeToString(sum) + `"`: whole,
			`"file_sha256":"sha256-` + base64.StdEncoding.EncodeToString(sum) + `"`:  whole,
			`"file_sha256":"` + strings.ToUpper(goodSHA) + `"`:                       whole,
			`"file_sha256":" ` + goodSHA + ` "`:                                      whole,
			`"file_sha256":"` + base64.StdEncoding.EncodeToString(sum) + `"`:         whole,
			`"file_sha256":"` + base64.RawStdEncoding.EncodeToString(sum) + `"`:      whole,
			`"file_sha256":"` + base64.URLEncoding.EncodeToString(sum) + `"`:         whole,
			`"file_sha256":"` + base64.StdEncoding.EncodeToString(sum[1:]) + `"`:     noDigest,
			`"file_sha256":"md5:` + goodSHA + `"`:                                    noDigest,
			`"file_sha256":"` + goodSHA[2:] + `"`:                                    noDigest,
			`"file_sha256":"x` + goodSHA[1:] + `"`:                                   noDigest,
			`"file_sha256":"sha256"`:                                                 noDigest,
			`"file_sha256":""`:                                                       noDigest,
			`"file_sha256":null`:                                                     noDigest,
			`"file_sha256":7`:                                                        noDigest,
			`"file_sha256":["` + goodSHA + `"]`:                                      noDigest,
			`"x":1`:                                                                  noDigest,
		},
		`"file_size":18342`: {
			`"file_size":12.0`:                   sized(12),
			`"file_size":"12"`:                   sized(12),
			`"file_size":" 12.0 "`:               sized(12),
			`"file_size":1.2e3`:                  sized(1200),
			`"file_size":-0`:                     sized(0),
			`"file_size":9223372036854775807`:    sized(1<<63 - 1),
			`"file_size":9223372036854775808`:    unsized("file_size is not a number of bytes"),
			`"file_size":98765432109876543210.0`: unsized("file_size is not a number of bytes"),
			`"file_size":1e999`:                  unsized("file_size is not a number of bytes"),
			`"file_size":12.5`:                   unsized("file_size is not a number of bytes"),
			`"file_size":"0x12"`:                 unsized("file_size is not a number of bytes"),
			`"file_size":"Inf"`:                  unsized("file_size is not a number of bytes"),
			`"file_size":"1_2"`:                  unsized("file_size is not a number of bytes"),
			`"file_size":""`:                     unsized("file_size is not a number of bytes"),
			`"file_size":true`:                   unsized("file_size is not a number of bytes"),
			`"file_size":{"bytes":12}`:           unsized("file_size is not a number of bytes"),
			`"file_size":"` + canary + `"`:       unsized("file_size is not a number of bytes"),
			`"file_size":-12`:                    unsized("file_size is negative"),
			`"file_size":"-12.5"`:                unsized("file_size is negative"),
			`"file_size":null`:                   unsized("file_size is missing"),
			`"x":1`:                              unsized("file_size is missing"),
		},
		`"end_time":"2026-08-01T12:30:07.481516Z"`: {
			`"end_time":"2026-08-01T12:30:07.481516+0000"`:          whole,
			`"end_time":"2026-08-01T14:30:07.481516+0200"`:          whole,
			`"end_time":"2026-08-01T14:30:07.481516+02"`:            whole,
			`"end_time":"2026-08-01 12:30:07.481516Z"`:              whole,
			`"end_time":"2026-08-01 12:30:07.481516+00:00"`:         whole,
			`"end_time":"2026-08-01T12:30:07.481516 +00:00"`:        whole,
			`"end_time":"2026-08-01t12:30:07.481516z"`:              whole,
			`"end_time":" 2026-08-01T12:30:07.481516Z "`:            whole,
			`"end_time":"2026-08-01T12:30:07,481516Z"`:              whole,
			`"end_time":"2026-08-01T12:30:07.481516999999Z"`:        whole,
			`"end_time":"2026-08-01T12:29:60Z"`:                     ended(noon.Add(30 * time.Minute)),
			`"end_time":"2026-07-31t23:59:60.5z"`:                   ended(noon.Add(-12*time.Hour + 500*time.Millisecond)),
			`"end_time":"2026-08-01T12:30:07Z"`:                     ended(second),
			`"end_time":"9999-12-31T23:59:59.999999Z"`:              ended(time.Date(9999, 12, 31, 23, 59, 59, 999_999_000, time.UTC)),
			`"end_time":"9999-12-31T23:59:59.999999-23:59"`:         ended(time.Time{}),
			`"end_time":"9999-12-31T23:59:60Z"`:                     ended(time.Time{}),
			`"end_time":"0000-01-01T00:00:00+00:01"`:                ended(time.Time{}),
			`"end_time":"0001-01-01T00:00:00Z"`:                     ended(time.Time{}),
			`"end_time":"2026-08-01T12:30:07.481516"`:               ended(time.Time{}),
			`"end_time":"2026-08-01"`:                               ended(time.Time{}),
			`"end_time":"2026-02-30T12:30:07Z"`:                     ended(time.Time{}),
			`"end_time":"2026-08-01T12:30:61Z"`:                     ended(time.Time{}),
			`"end_time":"1785587407"`:                               ended(time.Time{}),
			`"end_time":"` + strings.Repeat("ı", 25) + `"`:          ended(time.Time{}),
			`"end_time":"` + strings.Repeat(" ", 70) + canary + `"`: ended(time.Time{}),
			`"end_time":1785587407`:                                 ended(time.Time{}),
			`"end_time":["2026-08-01T12:30:07.481516Z"]`:            ended(time.Time{}),
			`"end_time":""`:   ended(time.Time{}),
			`"end_time":null`: ended(time.Time{}),
			`"x":1`:           ended(time.Time{}),
		},
		`"event_type":"AUTH_LOG"`: {
			`"event_type":null`:         whole,
			`"x":1`:                     whole,
			`"event_type":""`:           whole,
			`"event_type":" Auth_Log "`: whole,
			`"event_type":"AUDIT_LOG"`:  otherType,
			`"event_type":7`:            otherType,
			`"event_type":["AUTH_LOG"]`: otherType,
		},
		`"id":"eclf_1"`: {
			`"id":98765432109876543210`: id("98765432109876543210"),
			`"id":17`:                   id("17"),
			`"id":-1.50e3`:              id("-1.50e3"),
			`"id":" "`:                  id(" "),
			`"id":"` + strings.Repeat("é", 256) + `"`: id(strings.Repeat("é", 256)),
			`"id":"\u00e9\n"`:                         id("é\n"),
		},
		`"file_name":"AUTH_LOG_1.jsonl"`: {
			`"file_name":"` + strings.Repeat("n", 512) + `"`:       named(strings.Repeat("n", 512)),
			`"file_name":"` + strings.Repeat("n", 3_500_000) + `"`: named(strings.Repeat("n", 512)),
			`"file_name":"n` + strings.Repeat("é", 300) + `"`:      named("n" + strings.Repeat("é", 255)),
			`"file_name":null`: named(""),
			`"file_name":7`:    named(""),
		},
	} {
		for text, want := range tests {
			t.Run(text[:min(len(text), 80)], func(t *testing.T) {
				t.Parallel()
				assert.Equal(t, want, amongGood(t, replaced(t, goodEntry, field, text)))
			})
		}
	}
}

// An entry without a usable id is identified by its canonical JSON.
func TestEntriesWithoutUsableID(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 8, 1, 12, 30, 7, 481_516_000, time.UTC)
	read := File{EndTime: at, Name: "AUTH_LOG_1.jsonl", Size: 18342, SHA256: goodSHA}
	digestOf := func(canonical string) string {
		sum := sha256.Sum256([]byte(canonical))
		return hex.EncodeToString(sum[:])
	}
	canonical := func(id string) string {
		return `{"end_time":"2026-08-01T12:30:07.481516Z","event_type":"AUTH_LOG","file_name":"AUTH_LOG_1.jsonl",` +
			`"file_sha256":"` + goodSHA + `","file_size":18342` + id + `}`
	}
	odd := func(id string) string { return replaced(t, goodEntry, `"id":"eclf_1",`, id) }
	tests := map[string]struct {
		text, canonical, fault string
		file                   File
	}{
		"no id":                     {odd(``), canonical(``), "id is missing", read},
		"null":                      {odd(`"id":null,`), canonical(`,"id":null`), "id is missing", read},
		"empty":                     {odd(`"id" : "",`), canonical(`,"id":""`), "id is empty", read},
		"an object":                 {odd(`"id":{"b":1.0,"a":[]},`), canonical(`,"id":{"a":[],"b":1}`), "id is neither text nor a number", read},
		"a boolean":                 {odd(`"id":true,`), canonical(`,"id":true`), "id is neither text nor a number", read},
		"too long":                  {odd(`"id":"` + strings.Repeat("i", 513) + `",`), canonical(`,"id":"` + strings.Repeat("i", 513) + `"`), "id is longer than 512 bytes", read},
		"half a rune":               {odd(`"id":"\ud800",`), odd(`"id":"\ud800",`), "id is not valid Unicode", read},
		"invalid UTF8":              {odd("\"id\":\"\xff\","), odd("\"id\":\"\xff\","), "id is not valid Unicode", read},
		"two faults":                {replaced(t, odd(``), `18342`, `-1.0`), replaced(t, canonical(``), `18342`, `-1`), "id is missing", File{EndTime: at, Name: read.Name, Size: -1, SHA256: goodSHA}},
		"entry null":                {`null`, `null`, "entry is not an object", File{Size: -1}},
		"entry a text":              {`"\u0043ANARY"`, `"CANARY"`, "entry is not an object", File{Size: -1}},
		"entry a list":              {`[ 1e0 ]`, `[1]`, "entry is not an object", File{Size: -1}},
		"entry a number, a boolean": {`false`, `false`, "entry is not an object", File{Size: -1}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			assert.Equal(t, Entry{File: tt.file, Fault: tt.fault, Digest: digestOf(tt.canonical)}, amongGood(t, tt.text))
		})
	}
}
