// Copyright The OpenTelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package edit

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/extension/xextension/storage"

	"github.com/openaicompliance/openaicompliancereceiver/internal/checkpoint"
	"github.com/openaicompliance/openaicompliancereceiver/internal/deliver"
	"github.com/openaicompliance/openaicompliancereceiver/internal/testbed"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const streamKey = "stream/ws/AUTH_LOG"

var now = time.Date(2026, 8, 20, 12, 0, 0, 0, time.UTC)

func ago(hours int) time.Time { return now.Add(-time.Duration(hours) * time.Hour) }

func queued(id string, end time.Time, next int, lines ...checkpoint.LineRange) checkpoint.QueuedFile {
	return checkpoint.QueuedFile{File: deliver.FileRef{ID: id, EndTime: end}, NextLine: next, SHA256: "x", Lines: lines, Since: end}
}

// twoSegments: history from 500 h ago, at 300; live from 24 h ago, at 2.
func twoSegments() *checkpoint.Snapshot {
	s := &checkpoint.Snapshot{
		Key: streamKey,
		Content: checkpoint.Content{
			FirstRun: checkpoint.FirstRun{StartFrom: "now", Clock: ago(500)},
			Bounds:   &checkpoint.Bounds{Floor: ago(500), LiveFrom: ago(24)},
			Segments: []checkpoint.StoredSegment{
				{From: ago(500), Cursor: ago(300), ListBase: ago(310)},
				{From: ago(24), Cursor: ago(2), ListBase: ago(3), ListedThrough: ago(1)},
			},
			HashKey:     checkpoint.HashKey{1},
			Open:        []checkpoint.QueuedFile{queued("open-old", ago(299), 5), queued("open-new", ago(1), 5)},
			Implausible: []string{"odd"},
		},
		Queue: []checkpoint.QueuedFile{
			queued("bad", ago(400), 3, checkpoint.LineRange{From: 1, To: 2}),
			queued("lines-old", ago(350), 0, checkpoint.LineRange{From: 1, To: 3}),
			queued("bad-new", ago(4), 3, checkpoint.LineRange{From: 1, To: 2}),
			queued("lines-new", ago(3), 0, checkpoint.LineRange{From: 1, To: 2}),
		},
		Completed: []checkpoint.CompletedFile{},
		Events:    []checkpoint.EventBlock{{Since: ago(350), Until: ago(350), Entries: make([]byte, 32)}, {Since: ago(5), Until: ago(3), Entries: make([]byte, 16)}},
	}
	s.MarkCompleted("done-old", ago(350))
	s.MarkCompleted("done-new", ago(3))
	return s
}

// ids of some files, in order.
func ids(files []checkpoint.QueuedFile) (ids []string) {
	for _, f := range files {
		ids = append(ids, f.File.ID)
	}
	return ids
}

// Backwards, everything after the time is listed again in every segment; what is
// completed and queued stays.
func TestBack(t *testing.T) {
	s := twoSegments()
	move, err := SetCursor(s, ago(400), Options{Now: now})
	require.NoError(t, err)
	assert.Empty(t, move.Skipped)
	want := twoSegments()
	want.Segments = []checkpoint.StoredSegment{
		{From: ago(500), Cursor: ago(400), ListBase: ago(400)},
		{From: ago(24), Cursor: ago(24), ListBase: ago(24), ListedThrough: ago(1)},
	}
	assert.Equal(t, want, s)
	require.NoError(t, s.Check())
}

// Before the first start the stream begins earlier, and all before is listed.
func TestBackBeforeTheFirstStart(t *testing.T) {
	s := twoSegments()
	_, err := SetCursor(s, ago(600), Options{Now: now})
	require.NoError(t, err)
	assert.Equal(t, ago(600), s.Bounds.Floor)
	assert.Equal(t, ago(24), s.Bounds.LiveFrom)
	assert.Equal(t, []checkpoint.StoredSegment{
		{From: ago(600), Cursor: ago(600), ListBase: ago(600)},
		{From: ago(24), Cursor: ago(24), ListBase: ago(24), ListedThrough: ago(1)},
	}, s.Segments)
	assert.True(t, s.IsCompleted("done-old"))
	require.NoError(t, s.Check())
}

// To deliver again, what is known of the files after the time is forgotten.
func TestBackDeliversAgain(t *testing.T) {
	s := twoSegments()
	move, err := SetCursor(s, ago(320), Options{Now: now, Redeliver: true})
	require.NoError(t, err)
	assert.Equal(t, 1, move.Files)
	assert.Equal(t, 1, move.Events)
	assert.True(t, s.IsCompleted("done-old"))
	assert.False(t, s.IsCompleted("done-new"))
	assert.True(t, s.IsCompleted("odd"))
	assert.Empty(t, s.Open)
	assert.Equal(t, []string{"bad", "lines-old", "bad-new"}, ids(s.Queue))
	assert.Equal(t, twoSegments().Queue[:2], s.Queue[:2])
	again := queued("bad-new", ago(4), 1)
	again.SHA256 = ""
	assert.Equal(t, again, s.Queue[2])
	assert.Zero(t, s.Segments[1].ListedThrough)
	require.NoError(t, s.Check())
}

// Forwards, over unfinished history, each stretch and each open file is named, nothing
// changes without Skip, and with it the stream begins at the time.
func TestForward(t *testing.T) {
	s := twoSegments()
	move, err := SetCursor(s, ago(10), Options{Now: now})
	require.ErrorIs(t, err, ErrSkips)
	assert.Equal(t, twoSegments(), s)
	assert.Equal(t, []Stretch{{ago(300), ago(24)}}, move.Skipped)
	assert.Equal(t, []string{"open-old"}, move.Discarded)

	_, err = SetCursor(s, ago(10), Options{Now: now, Skip: true, Redeliver: true})
	require.ErrorIs(t, err, errRedeliver)
	assert.Equal(t, twoSegments(), s)
	_, err = SetCursor(s, ago(10), Options{Now: now, Skip: true})
	require.NoError(t, err)
	assert.Equal(t, []checkpoint.StoredSegment{{From: ago(10), Cursor: ago(10), ListBase: ago(10), ListedThrough: ago(1)}}, s.Segments)
	assert.Equal(t, ago(10), s.Bounds.Floor)
	assert.Equal(t, twoSegments().Queue, s.Queue, "the queue does not need the listing")
	assert.Equal(t, []string{"open-new"}, ids(s.Open))
	require.NoError(t, s.Check())

	s = twoSegments()
	move, err = SetCursor(s, ago(100), Options{Now: now, Skip: true})
	require.NoError(t, err)
	assert.Equal(t, []Stretch{{ago(300), ago(100)}}, move.Skipped)
	assert.Equal(t, []checkpoint.StoredSegment{
		{From: ago(100), Cursor: ago(100), ListBase: ago(100), ListedThrough: ago(100)},
		{From: ago(24), Cursor: ago(2), ListBase: ago(3), ListedThrough: ago(1)},
	}, s.Segments)
	require.NoError(t, s.Check())
}

// Times that mean nothing are refused and change nothing.
func TestSetCursorRefuses(t *testing.T) {
	for name, tt := range map[string]struct {
		at    time.Time
		spoil func(s *checkpoint.Snapshot)
	}{
		"in the future":    {ago(-1), func(*checkpoint.Snapshot) {}},
		"not before until": {ago(5), func(s *checkpoint.Snapshot) { s.Bounds.Until = ago(6) }},
		"not served":       {ago(31 * 24), func(*checkpoint.Snapshot) {}},
		"not started":      {ago(1), func(s *checkpoint.Snapshot) { s.Bounds, s.Segments = nil, nil }},
	} {
		s, want := twoSegments(), twoSegments()
		tt.spoil(s)
		tt.spoil(want)
		_, err := SetCursor(s, tt.at, Options{Now: now, Skip: true})
		require.Error(t, err, name)
		assert.Equal(t, want, s, name)
	}
}

// A stream that has ended continues when its cursor is set back.
func TestEndedContinues(t *testing.T) {
	s := twoSegments()
	s.Ended, s.Bounds.Until = true, ago(1)
	_, err := SetCursor(s, ago(400), Options{Now: now})
	require.NoError(t, err)
	assert.False(t, s.Ended)
}

// Discarding one file leaves the others. A file that was queued whole is completed then.
func TestDiscard(t *testing.T) {
	s := twoSegments()
	files, lines := Discard(s, "lines-old")
	assert.Empty(t, files)
	assert.Equal(t, 2, lines)
	assert.Len(t, s.Queue, 3)
	odd := queued("odd-queued", time.Time{}, 1)
	s.Queue = append(s.Queue, odd)
	files, lines = Discard(s, All)
	assert.Equal(t, []string{"bad", "bad-new", "odd-queued"}, files)
	assert.Equal(t, 3, lines)
	assert.True(t, s.IsCompleted("bad"))
	assert.False(t, s.IsCompleted("lines-new"))
	assert.Equal(t, []string{"odd", "odd-queued"}, s.Implausible)
	require.NoError(t, s.Check())
}

// An export is read back as it was, whatever its white space, and no byte of it may be
// another.
func TestExportIsVerified(t *testing.T) {
	var out bytes.Buffer
	require.NoError(t, WriteExport(&out, "openai_compliance", now, []*checkpoint.Snapshot{twoSegments()}))
	text := out.String()
	for _, formatted := range []string{text, strings.Join(strings.Fields(text), ""), text + "\n\n"} {
		file, snaps, err := ReadExport(strings.NewReader(formatted))
		require.NoError(t, err)
		assert.Equal(t, []*checkpoint.Snapshot{twoSegments()}, snaps)
		assert.Equal(t, "openai_compliance", file.Receiver)
	}
	for i := strings.Index(text, `"sha256"`); i < len(text); i++ {
		if strings.ContainsRune(" \n", rune(text[i])) {
			continue
		}
		damaged := []byte(text)
		damaged[i] ^= 1
		if _, _, err := ReadExport(bytes.NewReader(damaged)); err == nil {
			require.Fail(t, "a changed byte was not noticed", "%d: %q", i, text[max(0, i-20):i+1])
		}
		if i%7 == 0 {
			_, _, err := ReadExport(strings.NewReader(text[:i]))
			require.Error(t, err)
		}
	}
	_, _, err := ReadExport(strings.NewReader(`{"format":"openai-compliance-state","version":2,"receiver":"x","exported":"2026-08-20T12:00:00Z","sha256":"","streams":[]}`))
	require.ErrorIs(t, err, errOldExport)
	_, _, err = ReadExport(strings.NewReader(strings.Replace(text, `"version": 1`, `"version": 2`, 1)))
	require.ErrorContains(t, err, "version is 2")
}

// What a terminal would obey, or show out of order, is escaped in an export and is the
// same after it.
func TestExportIsPrintable(t *testing.T) {
	s := twoSegments()
	s.Queue[0].File.ID = "a\u202eb\u009b2K\x1b"
	var out bytes.Buffer
	require.NoError(t, WriteExport(&out, "openai_compliance", now, []*checkpoint.Snapshot{s}))
	assert.Contains(t, out.String(), `a\u202eb\u009b2K\u001b`)
	_, snaps, err := ReadExport(&out)
	require.NoError(t, err)
	assert.Equal(t, s, snaps[0])
}

// Replace and Delete leave what is of others; blocks that no term names are damage; and
// state of an older build is named as such and can be deleted.
func TestStore(t *testing.T) {
	client := newClient(t)
	for _, key := range []string{"foreign", "stream/ws/CODEX_LOG/00112233445566778899aabbccddeeff/files/3-00", "stream/ws/OLD_LOG/files/1"} {
		require.NoError(t, client.Set(t.Context(), key, []byte("x")))
	}
	require.NoError(t, client.Set(t.Context(), "stream/ws/OLD_LOG", []byte("openai-compliance-state 3 00000000\n{}")))

	s, err := Open(t.Context(), client)
	require.NoError(t, err)
	assert.Equal(t, []string{"foreign"}, s.Foreign())
	assert.Equal(t, []string{"stream/ws/CODEX_LOG", "stream/ws/OLD_LOG"}, s.Streams())
	_, err = s.Read(t.Context(), "stream/ws/CODEX_LOG")
	require.ErrorIs(t, err, checkpoint.ErrCorrupt)
	_, err = s.Read(t.Context(), "stream/ws/OLD_LOG")
	require.ErrorIs(t, err, checkpoint.ErrOldFormat)
	none, err := s.Read(t.Context(), streamKey)
	require.NoError(t, err)
	assert.Nil(t, none)
	require.NoError(t, s.Replace(t.Context(), twoSegments()))
	require.NoError(t, s.Delete(t.Context(), "stream/ws/CODEX_LOG", "stream/ws/OLD_LOG"))

	for range 2 {
		assert.Equal(t, []string{streamKey}, s.Streams())
		got, err := s.Read(t.Context(), streamKey)
		require.NoError(t, err)
		assert.Equal(t, twoSegments(), got)
		require.NoError(t, s.Replace(t.Context(), got))
		s, err = Open(t.Context(), client)
		require.NoError(t, err)
	}
	assert.Equal(t, []string{"foreign"}, s.Foreign())
	assert.Len(t, s.keys[streamKey], 4, "term, checkpoint, a block of events and one of the queue")

	require.NoError(t, s.Delete(t.Context(), streamKey))
	loaded, err := checkpoint.Load(t.Context(), client, streamKey, checkpoint.Settings{})
	require.NoError(t, err)
	assert.Nil(t, loaded)
}

// What is edited is what a receiver then loads.
func TestLoadAfterReplace(t *testing.T) {
	client := newClient(t)
	s, err := Open(t.Context(), client)
	require.NoError(t, err)
	snap := twoSegments()
	_, err = SetCursor(snap, ago(400), Options{Now: now})
	require.NoError(t, err)
	require.NoError(t, s.Replace(t.Context(), snap))
	stream, err := checkpoint.Load(t.Context(), client, streamKey, checkpoint.Settings{Window: time.Hour, MaxEvents: 1000})
	require.NoError(t, err)
	assert.True(t, stream.IsCompleted("done-old"))
	assert.Len(t, stream.Queue(), 4)
	history, _ := stream.Segment(checkpoint.History)
	assert.Equal(t, ago(400), history.Cursor)
}

// newClient of a storage of its own.
func newClient(t *testing.T) storage.Client {
	t.Helper()
	client, err := testbed.NewStorage().GetClient(t.Context(), component.KindReceiver, component.MustNewID("openai_compliance"), "")
	require.NoError(t, err)
	return client
}
