// Copyright The OpenTelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package checkpoint

import (
	"encoding/base64"
	"fmt"
	"hash/crc32"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const testTerm = "00112233445566778899aabbccddeeff"

// filled is a storage with something in every field, and the checkpoint in it.
func filled(tb testing.TB) (*memory, []byte) {
	tb.Helper()
	f := newFixture(tb, Bounds{Floor: floor, LiveFrom: at(time.Hour), Until: at(90 * time.Hour)}, daySettings)
	f.done("file-done", at(2*time.Hour))
	f.begin("file-open", at(2*time.Hour+time.Minute), 1001)
	f.enqueue(whole("file-bad", at(2*time.Hour+2*time.Minute)))
	f.commitPart(accepted(tb, eventPart(partOf("odd", time.Time{}, 0), 1)))
	require.NoError(tb, f.PollComplete(tb.Context(), Live, at(3*time.Hour), at(2*time.Hour), clocks))
	require.NoError(tb, f.SetSuspected(tb.Context(), Live, &SuspectedGap{From: floor, To: at(time.Hour), Checked: clocks, Since: clocks}))
	return f.memory, f.memory.data[testKey+"/"+f.term.ID]
}

// load loads a checkpoint together with the blocks of the storage.
func load(tb testing.TB, m *memory, value []byte) (*Stream, error) {
	tb.Helper()
	m = m.clone()
	m.data[termKey(testKey)] = fmt.Appendf(nil, `{"number":1,"id":%q}`, testTerm)
	m.data[testKey+"/"+testTerm] = value
	return Load(tb.Context(), m, testKey, daySettings)
}

// sealed gives a document its header, written here a second time so that the format
// cannot change unnoticed.
func sealed(doc string) []byte {
	sum := crc32.Checksum([]byte("openai-compliance-checkpoint 1 "+doc), crc32.MakeTable(crc32.Castagnoli))
	return fmt.Appendf(nil, "openai-compliance-checkpoint 1 %08x\n%s", sum, doc)
}

// checkCorrupt checks that a value is refused, with its key.
func checkCorrupt(tb testing.TB, m *memory, value []byte, what ...any) {
	tb.Helper()
	s, err := load(tb, m, value)
	require.ErrorIs(tb, err, ErrCorrupt, what...)
	require.ErrorContains(tb, err, testKey+"/"+testTerm)
	require.Nil(tb, s)
}

// What is stored is the documented format.
func TestStoredFormat(t *testing.T) {
	m, value := filled(t)
	_, doc, ok := strings.Cut(string(value), "\n")
	require.True(t, ok)
	assert.Equal(t, string(sealed(doc)), string(value))
	s, err := load(t, m, value)
	require.NoError(t, err)
	now := s.current()
	key, _ := now.HashKey.MarshalText()
	assert.JSONEq(t, fmt.Sprintf(`{
		"first_run": {"start_from": "now-1h", "clock": "2026-08-02T00:00:00Z"},
		"bounds": {"floor": "2026-08-02T00:00:00Z", "until": "2026-08-05T18:00:00Z", "live_from": "2026-08-02T01:00:00Z"},
		"segments": [
			{"from": "2026-08-02T00:00:00Z", "cursor": "2026-08-02T00:00:00Z", "list_base": "2026-08-02T00:00:00Z"},
			{"from": "2026-08-02T01:00:00Z", "cursor": "2026-08-02T02:02:00Z", "listed_through": "2026-08-02T03:00:00Z", "list_base": "2026-08-02T02:00:00Z",
				"checked": {"server": "2026-08-04T02:00:00Z", "local": "2026-08-04T03:00:00Z"},
				"suspected": [{"from": "2026-08-02T00:00:00Z", "to": "2026-08-02T01:00:00Z",
					"checked": {"server": "2026-08-04T02:00:00Z", "local": "2026-08-04T03:00:00Z"},
					"since": {"server": "2026-08-04T02:00:00Z", "local": "2026-08-04T03:00:00Z"}}]}
		],
		"hash_key": %q,
		"open": [{"id": "file-open", "name": "file-open.jsonl", "size": 10, "end_time": "2026-08-02T02:01:00Z", "listed_sha256": "listed-file-open",
			"next_line": 1001, "sha256": "sha-file-open", "since": "2026-08-02T01:00:00Z"}],
		"implausible": ["odd"],
		"completed_files": {"blocks": null, "tail": %q, "tail_times": {"since": %[5]d, "until": %[3]d}},
		"seen_events": {"blocks": null, "tail": %q, "tail_times": {"since": %[5]d, "until": %[5]d}},
		"queue": [{"name": %[6]q}],
		"next_block": 1,
		"unused": null
	}`, key, base64.StdEncoding.EncodeToString(now.Completed.Tail), at(2*time.Hour).UnixMicro(),
		base64.StdEncoding.EncodeToString(now.Events.Tail), at(time.Hour).UnixMicro(), now.Queue[0].Name), doc)
	assert.Equal(t, []completedFile{
		{now.HashKey.file("file-done"), at(2 * time.Hour).UnixMicro()}, {now.HashKey.file("odd"), at(time.Hour).UnixMicro()},
	}, parseCompleted(now.Completed.Tail))
	assert.Regexp(t, `^[0-9a-f]{32}/queue/0-[0-9a-f]{16}$`, now.Queue[0].Name)
	assert.JSONEq(t, `[{"id": "file-bad", "name": "file-bad.jsonl", "size": 10, "end_time": "2026-08-02T02:02:00Z", "listed_sha256": "listed-file-bad",
		"next_line": 1, "reason": "no route", "cause": "connection", "since": "2026-08-02T02:02:00Z"}]`, string(m.data[testKey+"/"+now.Queue[0].Name]))
}

// Every single bit of a checkpoint that flips is noticed, and every cut.
func TestEveryBitAndByte(t *testing.T) {
	m, value := filled(t)
	for i := range value {
		for bit := range 8 {
			value[i] ^= 1 << bit
			_, err := decodeState(value)
			require.Error(t, err, "byte %d, bit %d", i, bit)
			value[i] ^= 1 << bit
		}
		_, err := decodeState(value[:i:i])
		require.Error(t, err, "cut at %d", i)
	}
	checkCorrupt(t, m, append(slices.Clip(value), 0), "a byte too many")
	checkCorrupt(t, m, append(slices.Clip(value), value...), "twice")
	checkCorrupt(t, m, []byte{}, "empty")
}

// Another version is refused, with both named.
func TestOtherVersions(t *testing.T) {
	m, value := filled(t)
	for _, version := range []int{0, 2, 17} {
		other := []byte(strings.Replace(string(value), "checkpoint 1 ", fmt.Sprintf("checkpoint %d ", version), 1))
		checkCorrupt(t, m, other, version)
		_, err := load(t, m, other)
		require.ErrorContains(t, err, fmt.Sprintf("version is %d", version))
		require.ErrorContains(t, err, "reads version 1")
	}
}

// What no stream could have stored is refused, whatever its checksum.
func TestForeignValues(t *testing.T) {
	m, value := filled(t)
	_, good, _ := strings.Cut(string(value), "\n")
	_, err := load(t, m, sealed(good))
	require.NoError(t, err)
	replaced := func(old, now string) []byte {
		require.Contains(t, good, old)
		return sealed(strings.Replace(good, old, now, 1))
	}
	for name, value := range map[string][]byte{
		"JSON":              []byte(`{"cursor":"2026-08-02T00:00:00Z"}`),
		"zeroes":            make([]byte, 512),
		"line feed":         []byte("\n"),
		"old header":        []byte("openai-compliance-state 3 00000000\n"),
		"capitals":          []byte(strings.ToUpper(string(value))),
		"blank in header":   []byte(strings.Replace(string(value), "\n", " \n", 1)),
		"no document":       sealed(""),
		"array":             sealed("[]"),
		"empty":             sealed("{}"),
		"two documents":     sealed(good + "{}"),
		"bad time":          replaced(`"from":"2026-08-02T00:00:00Z"`, `"from":"yesterday"`),
		"unknown member":    replaced(`"segments"`, `"later":1,"segments"`),
		"no bounds":         replaced(`"bounds":{`, `"bounds":null,"first_run":{`),
		"no hash key":       replaced(`"hash_key"`, `"ended":false,"unused"`),
		"short hash key":    replaced(`"hash_key":"`, `"hash_key":"00`),
		"cursor too early":  replaced(`"cursor":"2026-08-02T02:02:00Z"`, `"cursor":"2026-08-01T02:02:00Z"`),
		"floor is not from": replaced(`"floor":"2026-08-02`, `"floor":"2026-08-01`),
		"open without line": replaced(`"next_line":1001`, `"next_line":-1`),
		"block unnamed":     replaced(`"queue":[{"name":"`, `"queue":[{"name":""},{"name":"`),
	} {
		t.Run(name, func(t *testing.T) { checkCorrupt(t, m, value) })
	}
}

// A term without its checkpoint, or a term that is none, is no first run.
func TestBadTerm(t *testing.T) {
	f := live(t)
	delete(f.memory.data, testKey+"/"+f.term.ID)
	_, err := Load(t.Context(), f.memory, testKey, daySettings)
	require.ErrorIs(t, err, ErrCorrupt)
	require.ErrorContains(t, err, f.term.ID)
	for _, value := range []string{"", "{}", `{"number":0,"id":"` + testTerm + `"}`, `{"number":1,"id":"x"}`, `{"number":1,"id":"` + testTerm + `"}x`, `{"number":1,"id":"` + testTerm + `","x":1}`} {
		f.memory.data[termKey(testKey)] = []byte(value)
		_, err := Load(t.Context(), f.memory, testKey, daySettings)
		require.ErrorIs(t, err, ErrCorrupt, value)
		require.ErrorContains(t, err, termKey(testKey))
		_, err = Create(t.Context(), f.memory, testKey, firstRun, daySettings)
		require.ErrorIs(t, err, ErrCorrupt, value)
	}
}

// State of an older build is refused, for a first run too.
func TestOldFormat(t *testing.T) {
	m := newMemory()
	m.data[testKey] = []byte("openai-compliance-state 3 00000000\n{}")
	_, err := Load(t.Context(), m, testKey, daySettings)
	require.ErrorIs(t, err, ErrOldFormat)
	require.ErrorContains(t, err, testKey)
	_, err = Create(t.Context(), m, testKey, firstRun, daySettings)
	require.ErrorIs(t, err, ErrOldFormat)
	assert.Len(t, m.data, 1)
	m.data[testKey] = []byte("something else")
	_, err = Load(t.Context(), m, testKey, daySettings)
	require.ErrorIs(t, err, ErrCorrupt)
}

// A storage that fails says nothing about the checkpoint: another try may succeed.
func TestStorageErrorIsNotCorruption(t *testing.T) {
	m, _ := filled(t)
	m.err = errDisk
	for calls := range 8 {
		broken := m.clone()
		broken.failAfter = calls + 1
		s, err := Load(t.Context(), broken, testKey, daySettings)
		if err == nil {
			require.True(t, s.IsCompleted("file-done"), "only a deletion failed")
			continue
		}
		require.ErrorIs(t, err, errKilled)
		require.NotErrorIs(t, err, ErrCorrupt)
		require.ErrorContains(t, err, testKey)
	}
}

// No value makes decodeState panic, and what it accepts it writes and reads again
// unchanged.
func FuzzDecode(f *testing.F) {
	_, value := filled(f)
	_, doc, _ := strings.Cut(string(value), "\n")
	for _, seed := range []string{"", "\n", string(value), string(value[:40]), "openai-compliance-checkpoint 1 00000000\n{}"} {
		f.Add([]byte(seed), false)
	}
	for _, seed := range []string{doc, "", "{}", "null", "[]", `{"implausible":["\ud800"]}`} {
		f.Add([]byte(seed), true)
	}
	f.Fuzz(func(t *testing.T, value []byte, seal bool) {
		if seal {
			value = sealed(string(value))
		}
		s, err := decodeState(value)
		if err != nil {
			require.Nil(t, s)
			return
		}
		first, err := s.encode()
		require.NoError(t, err)
		again, err := decodeState(first)
		require.NoError(t, err)
		second, err := again.encode()
		require.NoError(t, err)
		require.Equal(t, string(first), string(second))
	})
}
