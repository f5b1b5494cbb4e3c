// Copyright The OpenTelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package edit

import (
	"bytes"
	"context"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
	"go.uber.org/zap"

	"github.com/open-telemetry/opentelemetry-collector-contrib/extension/storage/filestorage"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/extension"
	"go.opentelemetry.io/collector/extension/xextension/storage"

	"github.com/openaicompliance/openaicompliancereceiver/internal/checkpoint"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var now = time.Date(2026, 8, 20, 12, 0, 0, 0, time.UTC)

func ago(hours int) time.Time { return now.Add(-time.Duration(hours) * time.Hour) }

// twoSegments: history from 500 h ago, at 300; live from 24 h ago, at 2.
func twoSegments() *checkpoint.Snapshot {
	s := &checkpoint.Snapshot{
		Key: "stream/ws/AUTH_LOG", Floor: ago(500),
		Segments: []checkpoint.StoredSegment{
			{From: ago(500), Cursor: ago(300)},
			{From: ago(24), Cursor: ago(2), ListedThrough: ago(1)},
		},
		Open: map[string]checkpoint.OpenFile{
			"open-old": {SHA256: "x", EndTime: ago(299), NextLine: 5}, "open-new": {SHA256: "x", EndTime: ago(1), NextLine: 5},
		},
		Quarantine: map[string]checkpoint.Quarantined{"bad": {EndTime: ago(400), SHA256: "bad-sha"}},
		Refused:    []checkpoint.Refused{{FileID: "r-old", EndTime: ago(350), From: 1, To: 3}, {FileID: "r-new", EndTime: ago(3), From: 1, To: 2}},
		Files:      []checkpoint.Block{}, Events: []checkpoint.Block{},
	}
	s.MarkDone("done-old", ago(350))
	s.MarkDone("done-new", ago(3))
	return s
}

// ledgerOf counts the files in the ledger.
func ledgerOf(s *checkpoint.Snapshot) (n int) {
	for _, block := range s.Files {
		n += block.Len()
	}
	return n
}

// Backwards, everything after the time is listed again in every segment, and the
// ledger stays whole.
func TestBack(t *testing.T) {
	s := twoSegments()
	move, err := SetCursor(s, ago(400), Options{Now: now})
	require.NoError(t, err)
	assert.Empty(t, move.Skipped)
	assert.Equal(t, []checkpoint.StoredSegment{
		{From: ago(500), Cursor: ago(400)},
		{From: ago(24), Cursor: ago(24), ListedThrough: ago(1)},
	}, s.Segments)
	assert.Equal(t, 2, ledgerOf(s))
	assert.Len(t, s.Open, 2)
	assert.Len(t, s.Refused, 2)
	require.NoError(t, s.Check())
}

// To deliver again, what is known of the files after the time is forgotten:
// ledger, open files and refused lines, which come with their files.
func TestBackDeliversAgain(t *testing.T) {
	s := twoSegments()
	move, err := SetCursor(s, ago(320), Options{Now: now, DeliverAgain: true})
	require.NoError(t, err)
	assert.Equal(t, 1, move.Files)
	assert.Equal(t, 1, ledgerOf(s))
	assert.Empty(t, s.Open)
	assert.Equal(t, []checkpoint.Refused{twoSegments().Refused[0]}, s.Refused)
	assert.Zero(t, s.Segments[1].ListedThrough)
	assert.Contains(t, s.Quarantine, "bad")
}

// Forwards, over unfinished history, each stretch and each unfinished file is
// named, nothing changes without Skip, and with it the stream begins at the time.
func TestForward(t *testing.T) {
	s := twoSegments()
	move, err := SetCursor(s, ago(10), Options{Now: now})
	require.ErrorIs(t, err, ErrSkips)
	assert.Equal(t, twoSegments(), s)
	assert.Equal(t, []Stretch{{ago(300), ago(24)}}, move.Skipped)
	assert.Equal(t, []string{"bad", "open-old"}, move.GivenUp)

	_, err = SetCursor(s, ago(10), Options{Now: now, Skip: true, DeliverAgain: true})
	require.ErrorIs(t, err, errAgain)
	_, err = SetCursor(s, ago(10), Options{Now: now, Skip: true})
	require.NoError(t, err)
	assert.Equal(t, []checkpoint.StoredSegment{{From: ago(10), Cursor: ago(10), ListedThrough: ago(1)}}, s.Segments)
	assert.Empty(t, s.Quarantine)
	assert.Len(t, s.Open, 1)
	require.NoError(t, s.Check())

	s = twoSegments()
	move, err = SetCursor(s, ago(100), Options{Now: now, Skip: true})
	require.NoError(t, err)
	assert.Equal(t, []Stretch{{ago(300), ago(100)}}, move.Skipped)
	assert.Equal(t, []checkpoint.StoredSegment{
		{From: ago(100), Cursor: ago(100), ListedThrough: ago(100)},
		{From: ago(24), Cursor: ago(2), ListedThrough: ago(1)},
	}, s.Segments)
}

// Times that mean nothing, or that nobody can answer for, are refused.
func TestSetCursorRefuses(t *testing.T) {
	for want, tt := range map[string]struct {
		at    time.Time
		until time.Time
		floor time.Time
	}{
		"lies in the future":     {at: ago(-1)},
		"collect it with replay": {at: ago(501)},
		"is not below until":     {at: ago(5), until: ago(6)},
		"more than 30 days ago":  {at: ago(31 * 24), floor: ago(40 * 24)},
	} {
		s := twoSegments()
		s.Until = tt.until
		if !tt.floor.IsZero() {
			s.Floor, s.Segments[0].From = tt.floor, tt.floor
		}
		_, err := SetCursor(s, tt.at, Options{Now: now, Skip: true})
		require.ErrorContains(t, err, want)
	}
}

// A stream that has ended goes on when its cursor is set back.
func TestEndedGoesOn(t *testing.T) {
	s := twoSegments()
	s.Segments, s.Ended, s.Until = s.Segments[1:], true, ago(1)
	_, err := SetCursor(s, ago(20), Options{Now: now})
	require.NoError(t, err)
	assert.False(t, s.Ended)
}

// A release keeps the file listed: it is open from its first line, or from where
// its delivery stopped.
func TestReleaseKeepsTheFile(t *testing.T) {
	s := twoSegments()
	s.Quarantine["open-new"] = checkpoint.Quarantined{EndTime: ago(1), SHA256: "x"}
	assert.Equal(t, []string{"bad", "open-new"}, Release(s, All))
	assert.Empty(t, s.Quarantine)
	assert.Equal(t, checkpoint.OpenFile{SHA256: "bad-sha", EndTime: ago(400), NextLine: 1}, s.Open["bad"])
	assert.Equal(t, 5, s.Open["open-new"].NextLine)
	assert.Empty(t, Release(s, "bad"))
}

// Discarding one file leaves the others; it takes refused lines along.
func TestDiscardOne(t *testing.T) {
	s := twoSegments()
	files, lines := Discard(s, "r-old")
	assert.Empty(t, files)
	assert.Equal(t, 2, lines)
	assert.Len(t, s.Quarantine, 1)
	files, lines = Discard(s, All)
	assert.Equal(t, []string{"bad"}, files)
	assert.Equal(t, 1, lines)
	assert.Equal(t, 3, ledgerOf(s))
}

// An export is read back as it was, whatever its white space, and no byte of it
// may be another.
func TestExportIsVerified(t *testing.T) {
	var out bytes.Buffer
	require.NoError(t, WriteExport(&out, "openai_compliance", now, []*checkpoint.Snapshot{twoSegments()}))
	text := out.String()
	for _, laidOut := range []string{text, strings.Join(strings.Fields(text), ""), text + "\n\n"} {
		file, snaps, err := ReadExport(strings.NewReader(laidOut))
		require.NoError(t, err)
		assert.Equal(t, []*checkpoint.Snapshot{twoSegments()}, snaps)
		assert.Equal(t, "openai_compliance", file.Receiver)
	}
	begin := strings.Index(text, `"sha256"`)
	for i := begin; i < len(text); i++ {
		if strings.ContainsRune(" \n", rune(text[i])) {
			continue
		}
		damaged := []byte(text)
		damaged[i] ^= 1
		if _, _, err := ReadExport(bytes.NewReader(damaged)); err == nil {
			require.Fail(t, "a changed byte was not seen", "%d: %q", i, text[max(0, i-20):i+1])
		}
		if i%7 == 0 {
			_, _, err := ReadExport(strings.NewReader(text[:i]))
			require.Error(t, err)
		}
	}
}

// Replace and Delete leave what is of others, and blocks without the value that
// names them are told as damage.
func TestStore(t *testing.T) {
	client := newClient(t)
	require.NoError(t, client.Set(t.Context(), "foreign", []byte("x")))
	require.NoError(t, client.Set(t.Context(), "stream/ws/CODEX_LOG/files/3", []byte("x")))

	s, err := Open(t.Context(), client)
	require.NoError(t, err)
	assert.Equal(t, []string{"foreign"}, s.Foreign())
	_, err = s.Read(t.Context(), "stream/ws/CODEX_LOG")
	require.ErrorIs(t, err, checkpoint.ErrDamaged)
	require.NoError(t, s.Replace(t.Context(), twoSegments()))
	require.NoError(t, s.Delete(t.Context(), "stream/ws/CODEX_LOG"))

	s, err = Open(t.Context(), client)
	require.NoError(t, err)
	assert.Equal(t, []string{"stream/ws/AUTH_LOG"}, s.Streams())
	got, err := s.Read(t.Context(), "stream/ws/AUTH_LOG")
	require.NoError(t, err)
	assert.Equal(t, twoSegments(), got)
	assert.Equal(t, []string{"foreign"}, s.Foreign())
}

// An export of version 1 has all of each line's hash; what is kept of it is stored and
// read back.
func TestImportVersion1(t *testing.T) {
	old := twoSegments()
	wide := checkpoint.Block{Since: ago(3), Until: ago(3), Entries: []byte("event-idAAAABBBBevent-jdCCCCDDDD")}
	old.Events = []checkpoint.Block{wide, wide}
	var out bytes.Buffer
	require.NoError(t, WriteExport(&out, "openai_compliance", now, []*checkpoint.Snapshot{old}))
	_, snaps, err := ReadExport(strings.NewReader(strings.Replace(out.String(), `"version": 2`, `"version": 1`, 1)))
	require.NoError(t, err)
	s, err := Open(t.Context(), newClient(t))
	require.NoError(t, err)
	require.NoError(t, s.Replace(t.Context(), snaps...))
	got, err := s.Read(t.Context(), old.Key)
	require.NoError(t, err)
	require.Len(t, got.Events, 2)
	for _, block := range got.Events {
		assert.Equal(t, "event-idAAAA\x00\x00\x00\x00event-jdCCCC\x00\x00\x00\x00", string(block.Entries))
	}
}

// newClient of a file_storage of its own.
func newClient(t *testing.T) storage.Client {
	t.Helper()
	ext, err := filestorage.NewFactory().Create(t.Context(), extension.Settings{
		ID: component.MustNewID("file_storage"), TelemetrySettings: component.TelemetrySettings{Logger: zap.NewNop()},
	}, config(t.TempDir()))
	require.NoError(t, err)
	client, err := ext.(storage.Extension).GetClient(t.Context(), component.KindReceiver, component.MustNewID("openai_compliance"), "")
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, client.Close(context.Background())) })
	return client
}

func config(dir string) component.Config {
	cfg := filestorage.NewFactory().CreateDefaultConfig().(*filestorage.Config)
	cfg.Directory = dir
	return cfg
}
