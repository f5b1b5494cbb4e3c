// Copyright The OpenTelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package fakeapi

import (
	"bytes"
	"encoding/json"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// exported is what a schedule has made by noon, from six hours before on.
func exported(t *testing.T, opts Options, plan Schedule) []*File {
	t.Helper()
	if plan.Since.IsZero() {
		plan.Since = noon.Add(-6 * time.Hour)
	}
	opts.Live, opts.Now = &plan, func() time.Time { return noon }
	return New(opts).Files("")
}

// envelope holds the fields that every record has.
type envelope struct {
	EventID   string `json:"event_id"`
	Type      string `json:"type"`
	Timestamp string `json:"timestamp"`
	Principal struct {
		ID   string `json:"id"`
		Type string `json:"type"`
	} `json:"principal"`
	Actor map[string]any `json:"actor"`
}

type record struct {
	envelope
	at   time.Time
	text string
	file *File
}

// records reads every line of the files and holds it against its file.
func records(t *testing.T, files []*File) (all []record) {
	t.Helper()
	for _, file := range files {
		var ids []string
		for text := range bytes.Lines(file.Content) {
			require.True(t, bytes.HasSuffix(text, []byte("}\n")))
			r := record{text: string(text), file: file}
			require.NoError(t, json.Unmarshal(text, &r.envelope), "%s", text)
			at, err := time.Parse(time.RFC3339, r.Timestamp)
			require.NoError(t, err)
			r.at = at
			ids = append(ids, r.EventID)
			all = append(all, r)
		}
		assert.Equal(t, ids, file.EventIDs)
	}
	return all
}

// One file for each window that has ended, named and ordered by its end; none
// behind Stop.
func TestSchedule(t *testing.T) {
	t.Parallel()
	api, at := start(t, Options{Live: &Schedule{
		Types: []string{"AUTH_LOG"}, Since: noon.Add(-time.Hour), Records: 3, Stop: noon.Add(20 * time.Minute),
	}})
	files := api.Files("AUTH_LOG")
	require.Len(t, files, 6)
	for i, file := range files {
		window := noon.Add(-time.Hour).Add(time.Duration(i+1) * 10 * time.Minute)
		assert.WithinRange(t, file.EndTime, window.Add(-time.Second), window)
	}
	assert.Equal(t, ids(files...), list(t, api).ids())
	at.advance(10*time.Minute - time.Second)
	assert.Len(t, list(t, api).Data, 6, "a window that has not ended has no file")
	at.advance(time.Second)
	assert.Len(t, list(t, api).Data, 7)
	at.advance(time.Hour)
	assert.Len(t, list(t, api).Data, 8, "the schedule has stopped")
}

// One seed gives the same ids and bytes, however often the API is asked in
// between; another seed gives others.
func TestScheduleIsDeterministic(t *testing.T) {
	t.Parallel()
	plan := Schedule{Types: []string{"AUTH_LOG", "CODEX_LOG"}, Since: noon.Add(-6 * time.Hour), Records: 5, Duplicates: 0.2, Late: 0.2}
	same := exported(t, Options{Seed: 7}, plan)
	require.Len(t, same, 72)

	at := &clock{at: plan.Since}
	asked := New(Options{Seed: 7, Live: &plan, Now: at.now})
	for at.now().Before(noon) {
		at.advance(7 * time.Minute)
		asked.Files("")
	}
	files := slices.DeleteFunc(asked.Files(""), func(f *File) bool { return f.EndTime.After(noon) })
	assert.Equal(t, same, files)

	other := exported(t, Options{Seed: 8}, plan)
	require.Len(t, other, len(same))
	for i := range same {
		assert.NotEqual(t, same[i].ID, other[i].ID)
		assert.NotEqual(t, same[i].SHA256, other[i].SHA256)
	}
}

// Every line of every known type is a JSON object with the envelope, and names
// the principal that is configured and no other.
func TestRecords(t *testing.T) {
	t.Parallel()
	const workspace, organization = "11111111-1111-4111-a111-111111111111", "org-abcdefghijklmnopqrstuvwx"
	for _, eventType := range append(EventTypes(false), "COSTS") {
		t.Run(eventType, func(t *testing.T) {
			t.Parallel()
			opts := Options{WorkspaceID: workspace, OrganizationID: organization}
			plan := Schedule{Types: []string{eventType}, Since: noon.Add(-2 * time.Hour), Records: 10}
			all := records(t, exported(t, opts, plan))
			require.Len(t, all, 12*10)
			for _, r := range all {
				assert.Regexp(t, `^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-a[0-9a-f]{3}-[0-9a-f]{12}$`, r.EventID)
				assert.Equal(t, eventType, r.Type)
				assert.NotEmpty(t, r.Actor["type"])
				want := []string{workspace, "CHATGPT_WORKSPACE"}
				if eventType == "COSTS" {
					want = []string{organization, "API_PLATFORM_ORG"}
				}
				assert.Equal(t, want, []string{r.Principal.ID, r.Principal.Type})
				require.NotContains(t, r.text, DefaultWorkspace)
				require.NotContains(t, r.text, DefaultOrganization)
			}
		})
	}
}

// A file holds records up to its write time and never beyond; late or not.
func TestRecordsAreNotYoungerThanTheirFile(t *testing.T) {
	t.Parallel()
	for _, eventType := range append(EventTypes(false), "COSTS") {
		plan := Schedule{Types: []string{eventType}, Since: noon.Add(-2 * time.Hour), Records: 5, Late: 0.1}
		for _, r := range records(t, exported(t, Options{}, plan)) {
			require.False(t, r.at.After(r.file.EndTime), "%s of %s in a file written %s", eventType, r.at, r.file.EndTime)
		}
	}
}

// EventTypes are those of the scope, each once.
func TestEventTypes(t *testing.T) {
	t.Parallel()
	assert.ElementsMatch(t, []string{"APP_AUTH_LOG", "APP_LOG", "COSTS"}, EventTypes(true))
	workspace := EventTypes(false)
	assert.Len(t, workspace, 14)
	assert.NotContains(t, workspace, "COSTS")
	assert.Len(t, slices.Compact(slices.Sorted(slices.Values(workspace))), 14)
}

// Duplicates are whole lines that come again, unchanged, in a later file; without
// being asked for there are none.
func TestDuplicates(t *testing.T) {
	t.Parallel()
	count := func(share float64) (unique, repeated int) {
		first := map[string]record{}
		for _, r := range records(t, exported(t, Options{}, Schedule{Types: []string{"AUDIT_LOG"}, Records: 20, Duplicates: share})) {
			before, again := first[r.EventID]
			if !again {
				first[r.EventID] = r
				continue
			}
			repeated++
			assert.Equal(t, before.text, r.text)
			assert.True(t, r.file.EndTime.After(before.file.EndTime))
		}
		return len(first), repeated
	}
	unique, repeated := count(0)
	assert.Equal(t, 36*20, unique)
	assert.Zero(t, repeated)
	unique, repeated = count(0.1)
	assert.Equal(t, 36*20, unique, "duplicates come on top")
	assert.InDelta(t, 0.1, float64(repeated)/float64(unique), 0.05)
}

// Late records are hours older than their file; without being asked for, records
// are of their file's window.
func TestLateRecords(t *testing.T) {
	t.Parallel()
	late := func(share float64) (late int) {
		for _, r := range records(t, exported(t, Options{}, Schedule{Types: []string{"AUDIT_LOG"}, Records: 20, Late: share})) {
			age := r.file.EndTime.Sub(r.at)
			assert.Less(t, age, 13*time.Hour)
			if age > 10*time.Minute {
				late++
				assert.GreaterOrEqual(t, age, time.Hour)
			}
		}
		return late
	}
	assert.Zero(t, late(0))
	assert.Equal(t, 36*20, late(1))
	assert.InDelta(t, 0.1, float64(late(0.1))/(36*20), 0.05)
}

// What does not fit into a file of 15 MB goes into the next, with an end_time of
// its own: a file is filled to the last byte, a larger line stands alone, and no
// line is lost between them.
func TestSizeCap(t *testing.T) {
	t.Parallel()
	const million = 1_000_000
	var lines []line
	add := func(id string, n, size int) {
		for range n {
			lines = append(lines, line{id, bytes.Repeat([]byte{id[0]}, size-1)}) // a newline follows
		}
	}
	add("a", 15, million)
	add("b", 14, million)
	add("c", 1, million+1)
	add("d", 1, MaxFileSize+million)
	add("e", 1, million)
	api := New(Options{Now: func() time.Time { return noon }, Live: &Schedule{Types: []string{"AUTH_LOG"}, Since: noon.Add(-time.Hour)}})
	api.generated["AUTH_LOG"] = &generator{rng: rand.New(rand.NewPCG(1, 1)), next: noon, repeat: lines}

	var got [][]string
	files := api.Files("AUTH_LOG")
	for i, file := range files {
		got = append(got, slices.Compact(slices.Clone(file.EventIDs)))
		assert.Len(t, file.Content, int(file.Size))
		assert.Equal(t, len(file.EventIDs), bytes.Count(file.Content, []byte{'\n'}))
		if i > 0 {
			assert.True(t, file.EndTime.After(files[i-1].EndTime))
		}
	}
	assert.Equal(t, [][]string{{"a"}, {"b"}, {"c"}, {"d"}, {"e"}}, got)
	assert.EqualValues(t, MaxFileSize, files[0].Size)
}
