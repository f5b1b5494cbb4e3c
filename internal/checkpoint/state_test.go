// Copyright The OpenTelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package checkpoint

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"hash/crc32"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/openaicompliance/openaicompliancereceiver/internal/checkpoint/internal/permit"
	"github.com/openaicompliance/openaicompliancereceiver/internal/deliver"
)

// filled is a stored value with something in every field.
func filled(tb testing.TB) []byte {
	tb.Helper()
	f := newFixture(tb, overlap)
	f.done("file-done", at(2*time.Hour))
	f.begin("file-open", at(2*time.Hour+time.Minute), 1001)
	f.setAside("file-bad", at(2*time.Hour+2*time.Minute))
	require.NoError(tb, f.SetListedThrough(tb.Context(), Live, at(3*time.Hour)))
	return f.memory.data[testKey]
}

// load reads a stored value.
func load(tb testing.TB, value []byte) (*Stream, error) {
	tb.Helper()
	m := newMemory()
	m.data[testKey] = value
	return Load(tb.Context(), m, testKey, Settings{Overlap: overlap})
}

// sealed gives a document the header it needs, written here a second time so
// that the format cannot change unseen.
func sealed(doc string) []byte {
	sum := crc32.Checksum([]byte("openai-compliance-state 3 "+doc), crc32.MakeTable(crc32.Castagnoli))
	return fmt.Appendf(nil, "openai-compliance-state 3 %08x\n%s", sum, doc)
}

// checkDamaged checks that a value is refused, and refused as damaged.
func checkDamaged(tb testing.TB, value []byte, what string, args ...any) {
	tb.Helper()
	s, err := load(tb, value)
	require.ErrorIs(tb, err, ErrDamaged, append([]any{what}, args...)...)
	require.ErrorContains(tb, err, testKey)
	require.Nil(tb, s)
}

// What is stored is the documented format, and all of it comes back.
func TestStoredFormat(t *testing.T) {
	value := filled(t)
	_, doc, ok := strings.Cut(string(value), "\n")
	require.True(t, ok)
	assert.Equal(t, string(sealed(doc)), string(value))
	s, err := load(t, value)
	require.NoError(t, err)
	assert.JSONEq(t, fmt.Sprintf(`{
		"floor": "2026-08-02T00:00:00Z", "start_from": "now-1h",
		"segments": [{"from": "2026-08-02T00:00:00Z", "cursor": "2026-08-02T02:00:00Z", "listed_through": "2026-08-02T03:00:00Z"}],
		"files": {"blocks": null, "tail": %q, "next": 0, "since": %[2]d, "until": %[2]d},
		"events": {"blocks": null, "tail": null, "next": 0, "since": 0, "until": 0},
		"open": {"file-open": {"sha256": "sha-file-open", "end_time": "2026-08-02T02:01:00Z", "next_line": 1001}},
		"quarantine": {"file-bad": {"end_time": "2026-08-02T02:02:00Z", "name": "file-bad", "size": 0, "sha256": "",
			"reason": "sha256", "tries": 1, "since": "2026-08-02T02:02:00Z"}},
		"refused": null
	}`, base64.StdEncoding.EncodeToString(s.state.Files.Tail), at(2*time.Hour).UnixMicro()), doc)
	assert.Equal(t, []entry{fileEntry("file-done", at(2*time.Hour))}, endForm.parse(s.state.Files.Tail))
	again, err := s.state.encode()
	require.NoError(t, err)
	assert.Equal(t, string(value), string(again))
}

// Every single bit of a stored value that flips is noticed.
func TestEveryBitFlipped(t *testing.T) {
	value := filled(t)
	for i := range value {
		for bit := range 8 {
			value[i] ^= 1 << bit
			checkDamaged(t, value, "byte %d, bit %d", i, bit)
			value[i] ^= 1 << bit
		}
	}
}

// A stored value cut at any byte is noticed, and so is one that went on.
func TestEveryByteCut(t *testing.T) {
	value := filled(t)
	for end := range value {
		checkDamaged(t, value[:end:end], "cut at %d", end)
	}
	checkDamaged(t, append(slices.Clip(value), 0), "a byte too many")
	checkDamaged(t, append(slices.Clip(value), value...), "twice")
}

// An empty value is damage, not a first run: that would deliver everything again.
func TestEmptyValueIsNotFirstRun(t *testing.T) {
	checkDamaged(t, []byte{}, "empty")
}

// Another version of the format is refused with a text that names both.
func TestOtherVersions(t *testing.T) {
	_, doc, _ := strings.Cut(string(filled(t)), "\n")
	for _, version := range []int{0, 4, 17} {
		value := fmt.Appendf(nil, "openai-compliance-state %d %08x\n%s", version, crc32.Checksum([]byte(doc), crc32.MakeTable(crc32.Castagnoli)), doc)
		checkDamaged(t, value, "version %d", version)
		_, err := load(t, value)
		require.ErrorContains(t, err, fmt.Sprintf("version %d", version))
		require.ErrorContains(t, err, "reads 1 to 3")
	}
}

// What was never a state of ours is refused, whatever its checksum.
func TestForeignValues(t *testing.T) {
	for name, value := range map[string][]byte{
		"JSON":                []byte(`{"cursor":"2026-08-02T00:00:00Z"}`),
		"zeroes":              make([]byte, 512),
		"line feed":           []byte("\n"),
		"another header":      []byte("some-other-state 3 00000000\n"),
		"header in capitals":  []byte(strings.ToUpper(string(sealed("{}")))),
		"upper-case checksum": []byte(strings.Replace(string(sealed("{}")), "\n", " \n", 1)),
		"no document":         sealed(""),
		"array":               sealed("[]"),
		"cut document":        sealed(`{"cursor":`),
		"wrong types":         sealed(`{"cursor":17}`),
		"bad time":            sealed(`{"cursor":"yesterday"}`),
		"two documents":       sealed(`{}{}`),
	} {
		t.Run(name, func(t *testing.T) { checkDamaged(t, value, name) })
	}
}

// A document without its maps, as an operator may write by hand, is used or
// refused, but never a reason to panic.
func TestDocumentWithoutMaps(t *testing.T) {
	for name, maps := range map[string]string{
		"absent":      `,"segments":[{"from":"2026-08-02T00:00:00Z","cursor":"2026-08-02T00:00:00Z"}]`,
		"null":        `,"segments":[{}],"open":null,"quarantine":null`,
		"no segments": `,"segments":[],"open":{},"quarantine":{}`,
		"segments":    `,"open":{},"quarantine":{}`,
	} {
		t.Run(name, func(t *testing.T) {
			s, err := load(t, sealed(`{"floor":"2026-08-02T00:00:00Z"`+maps+`}`))
			if err != nil {
				require.ErrorIs(t, err, ErrDamaged)
				return
			}
			assert.NotPanics(t, func() {
				require.NoError(t, s.Advance(t.Context(), accepted(t, span("a", at(time.Minute), 3))))
				require.NoError(t, s.Advance(t.Context(), accepted(t, whole("a", at(time.Minute)))))
				require.NoError(t, s.Quarantine(t.Context(), "b", Quarantined{EndTime: at(time.Hour)}))
			})
		})
	}
}

// A storage that fails says nothing about the state: trying again may do.
func TestStorageErrorIsNotDamage(t *testing.T) {
	m := newMemory()
	m.data[testKey] = filled(t)
	m.getErr = errDisk
	s, err := Load(t.Context(), m, testKey, Settings{Overlap: overlap})
	require.ErrorIs(t, err, errDisk)
	require.NotErrorIs(t, err, ErrDamaged)
	require.ErrorContains(t, err, testKey)
	require.Nil(t, s)
	m.getErr = nil
	s, err = Load(t.Context(), m, testKey, Settings{Overlap: overlap})
	require.NoError(t, err)
	assert.True(t, s.Done("file-done"))
}

// FuzzDecode: no stored value makes decode panic, and what it accepts it writes
// and reads again unchanged. Values come as they are and with a good header.
func FuzzDecode(f *testing.F) {
	value := filled(f)
	_, doc, _ := strings.Cut(string(value), "\n")
	for _, seed := range []string{"", "\n", string(value), string(value[:40]), "openai-compliance-state 3 00000000\n{}"} {
		f.Add([]byte(seed), false)
	}
	for _, seed := range []string{doc, "", "{}", "null", "[]", `{"done":{"a":"2026-08-02T00:00:00+23:59"}}`, `{"done":{"\ud800":"2026-08-02T00:00:00Z"}}`} {
		f.Add([]byte(seed), true)
	}
	f.Fuzz(func(t *testing.T, value []byte, seal bool) {
		if seal {
			value = sealed(string(value))
		}
		s, err := decode(value)
		if err != nil {
			require.Nil(t, s)
			return
		}
		_, doc, _ := strings.Cut(string(value), "\n")
		require.True(t, json.Valid([]byte(doc)))
		first, err := s.encode()
		require.NoError(t, err)
		again, err := decode(first)
		require.NoError(t, err)
		second, err := again.encode()
		require.NoError(t, err)
		require.Equal(t, string(first), string(second))
	})
}

// What version 1 has stored goes on where it stood.
func TestVersion1(t *testing.T) {
	doc := `{"floor":"2026-08-02T00:00:00Z","start_from":"now-1h","cursor":"2026-08-02T02:00:00Z","listed_through":"2026-08-02T03:00:00Z",` +
		`"files":{"blocks":null,"tail":"` + base64.StdEncoding.EncodeToString(tailOf("file-done", at(2*time.Hour))) + `","next":0,"youngest":0},` +
		`"events":{"blocks":null,"tail":null,"next":0,"youngest":1785636000000000},` +
		`"open":{"file-open":{"sha256":"sha-file-open","end_time":"2026-08-02T02:01:00Z","next_line":1001}},"quarantine":{},"refused":null}`
	value := fmt.Appendf(nil, "openai-compliance-state 1 %08x\n%s", crc32.Checksum([]byte(doc), crc32.MakeTable(crc32.Castagnoli)), doc)
	s, err := load(t, value)
	require.NoError(t, err)
	assert.Equal(t, []Segment{{From: floor, Cursor: at(2 * time.Hour), ListedThrough: at(3 * time.Hour)}}, s.Segments())
	assert.True(t, s.Done("file-done"))
	line, _ := s.NextLine("file-open", "sha-file-open")
	assert.Equal(t, 1001, line)
	require.NoError(t, s.Advance(t.Context(), accepted(t, whole("next", at(4*time.Hour)))))
	assert.True(t, s.Done("file-done"))

	value[len(value)-3] ^= 1
	checkDamaged(t, value, "damaged version 1")
}

// What version 2 has stored goes on where it stood: it wrote the events of the window
// as it wrote files, with all of the line's hash.
func TestVersion2(t *testing.T) {
	old, young := event(1), event(2)
	wide := func(e deliver.Event) []byte {
		return endForm.append(nil, entry{e.ID, uint64(e.Content) | 0xabcd<<32})
	}
	table := crc32.MakeTable(crc32.Castagnoli)
	since := at(2 * time.Hour).UnixMicro()
	doc := fmt.Sprintf(`{"floor":"2026-08-02T00:00:00Z","start_from":"now-1h",`+
		`"segments":[{"from":"2026-08-02T00:00:00Z","cursor":"2026-08-02T02:00:00Z","listed_through":"2026-08-02T03:00:00Z"}],`+
		`"files":{"blocks":null,"tail":%q,"next":0,"since":%[2]d,"until":%[2]d},`+
		`"events":{"blocks":[{"n":0,"count":1,"crc":%[3]d,"since":%[2]d,"until":%[2]d}],"tail":%[4]q,"next":1,"since":%[2]d,"until":%[2]d},`+
		`"open":{},"quarantine":{},"refused":null}`,
		base64.StdEncoding.EncodeToString(tailOf("file-done", at(2*time.Hour))), since,
		crc32.Checksum(wide(old), table), base64.StdEncoding.EncodeToString(wide(young)))
	m := newMemory()
	m.data[testKey] = fmt.Appendf(nil, "openai-compliance-state 2 %08x\n%s", crc32.Checksum([]byte(doc), table), doc)
	m.data[testKey+"/events/0"] = wide(old)
	s, err := Load(t.Context(), m, testKey, eventSettings)
	require.NoError(t, err)
	f := &fixture{Stream: s, tb: t, memory: m, keep: eventSettings.Overlap}
	requireSame := func() {
		t.Helper()
		assert.True(t, f.Done("file-done"))
		for _, e := range []deliver.Event{old, young} {
			known, same := f.Delivered(e)
			assert.True(t, known && same)
		}
	}
	requireSame()
	f.send(4, 5)
	f.loadWith(eventSettings)
	requireSame()
	assert.True(t, f.known(41))
	snap, err := ReadSnapshot(t.Context(), m, testKey)
	require.NoError(t, err)
	require.Len(t, snap.Events, 2)
	assert.Equal(t, [2]int{1, 11}, [2]int{snap.Events[0].Len(), snap.Events[1].Len()})
	ops, err := snap.Operations(permit.Edit{}, nil)
	require.NoError(t, err)
	other := newMemory()
	apply(t, other, ops)
	again, err := ReadSnapshot(t.Context(), other, testKey)
	require.NoError(t, err)
	assert.Equal(t, snap, again)

	f.send(100, 101) // a day and more later the block has aged
	assert.False(t, f.known(1))
	assert.NotContains(t, m.data, testKey+"/events/0")
}

// A cut tail of events is told in old state too, whose tail is rewritten.
func TestVersion2Cut(t *testing.T) {
	doc := `{"floor":"2026-08-02T00:00:00Z","start_from":"now-1h","segments":[{"from":"2026-08-02T00:00:00Z","cursor":"2026-08-02T00:00:00Z"}],` +
		`"files":{"blocks":null,"tail":null,"next":0,"since":0,"until":0},` +
		`"events":{"blocks":null,"tail":"AAAAAAAAAAAAAAAA","next":0,"since":0,"until":0},"open":{},"quarantine":{},"refused":null}`
	checkDamaged(t, fmt.Appendf(nil, "openai-compliance-state 2 %08x\n%s", crc32.Checksum([]byte(doc), crc32.MakeTable(crc32.Castagnoli)), doc), "cut")
}

func tailOf(id string, end time.Time) []byte {
	var e entries
	e.append(endForm, end, fileEntry(id, end))
	return e.Tail
}
