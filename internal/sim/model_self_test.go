// Copyright The OpenTelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package sim

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/openaicompliance/openaicompliancereceiver/internal/fakeapi"
)

var noon = time.Date(2026, 8, 2, 12, 0, 0, 0, time.UTC)

// modelOf knows one file of four lines, the second without an id, and another of
// a duplicate; its floor lies before both.
func modelOf(t *testing.T) (m *model, first, second *fakeapi.File) {
	t.Helper()
	api := fakeapi.New(fakeapi.Options{})
	m = newModel(func() time.Time { return noon.Add(time.Hour) })
	m.floors["AUTH_LOG"] = noon.Add(-time.Hour)
	first = api.Add("AUTH_LOG", noon, `{"event_id":"a"}`, `{"no":"id"}`, `{"event_id":"c"}`, `{"event_id":"d"}`)
	second = api.Add("AUTH_LOG", noon.Add(time.Minute), `{"event_id":"a"}`)
	m.add(first)
	m.add(second)
	return m, first, second
}

// come hands lines of a file to the model as one batch.
func come(m *model, f *fakeapi.File, numbers ...int) {
	var batch []delivery
	for _, n := range numbers {
		l := m.files[f.ID].variants[f.SHA256].lines[n]
		uid := l.id
		if uid == "" {
			uid = f.ID + ":2"
		}
		batch = append(batch, delivery{uid: uid, body: l.text, fileID: f.ID, sha256: f.SHA256, line: n})
	}
	m.accept(1, "AUTH_LOG", batch, false)
}

// The model is content with a run as it should be: in order, once, a duplicate
// left out, and the batch of a crash again.
func TestModelAcceptsWhatIsRight(t *testing.T) {
	t.Parallel()
	m, first, _ := modelOf(t)
	m.dedup, m.window = true, time.Hour
	come(m, first, 1, 2)
	m.stored("AUTH_LOG")
	come(m, first, 3)
	between, inside := m.ended(true)
	assert.Equal(t, []int{1, 1}, []int{between, inside})
	come(m, first, 3, 4)
	m.stored("AUTH_LOG")
	m.ended(false)
	m.final()
	assert.Empty(t, m.violations)
}

// The model notices each kind of wrong.
func TestModelNoticesWhatIsWrong(t *testing.T) {
	t.Parallel()
	for want, act := range map[string]func(m *model, first, second *fakeapi.File){
		"lost: lines [2 3]": func(m *model, first, _ *fakeapi.File) {
			m.dedup = true
			come(m, first, 1)
			come(m, first, 4)
		},
		"lost: lines [1]": func(m *model, first, _ *fakeapi.File) { // the duplicate, where none may be left out
			come(m, first, 1, 2, 3, 4)
		},
		"doubled: line 1": func(m *model, first, second *fakeapi.File) {
			come(m, first, 1, 2, 3, 4)
			m.stored("AUTH_LOG")
			m.ended(true)
			come(m, second, 1)
			come(m, first, 1)
		},
		"doubled: line 4": func(m *model, first, second *fakeapi.File) { // once more than the crash explains
			come(m, second, 1)
			come(m, first, 1, 2, 3, 4)
			m.ended(true)
			come(m, first, 1, 2, 3, 4)
			m.stored("AUTH_LOG")
			come(m, first, 4)
		},
		"out of order: line 2 after 3": func(m *model, first, second *fakeapi.File) {
			come(m, second, 1)
			come(m, first, 1, 3)
			come(m, first, 2, 4)
		},
		"duplicate within the window: line 1": func(m *model, first, second *fakeapi.File) {
			m.window = time.Hour
			come(m, first, 1, 2, 3, 4)
			m.stored("AUTH_LOG")
			come(m, second, 1)
		},
		"shutdown: 4 lines of AUTH_LOG were accepted and not committed": func(m *model, first, second *fakeapi.File) {
			come(m, second, 1)
			m.stored("AUTH_LOG")
			come(m, first, 1, 2, 3, 4)
			m.ended(false)
		},
		"alien: record": func(m *model, first, second *fakeapi.File) {
			come(m, first, 1, 2, 3, 4)
			come(m, second, 1)
			m.accept(1, "AUTH_LOG", []delivery{{uid: "x", fileID: "other", line: 1}}, false)
		},
		"alien: line 9": func(m *model, first, second *fakeapi.File) {
			come(m, first, 1, 2, 3, 4)
			come(m, second, 1)
			m.accept(1, "AUTH_LOG", []delivery{{uid: "x", fileID: first.ID, sha256: first.SHA256, line: 9}}, false)
		},
		"alien: line 1 is \"other\"": func(m *model, first, second *fakeapi.File) {
			come(m, second, 1)
			m.accept(1, "AUTH_LOG", []delivery{{uid: "a", fileID: first.ID, sha256: first.SHA256, line: 1, body: "other"}}, false)
			come(m, first, 2, 3, 4)
		},
		"line 1 lies below the floor": func(m *model, first, second *fakeapi.File) {
			come(m, first, 1, 2, 3, 4)
			m.floors["AUTH_LOG"] = second.EndTime
			come(m, second, 1)
		},
	} {
		t.Run(want, func(t *testing.T) {
			t.Parallel()
			m, first, second := modelOf(t)
			act(m, first, second)
			m.final()
			require.NotEmpty(t, m.violations)
			assert.Contains(t, m.violations[0], want)
			assert.Len(t, m.violations, 1)
		})
	}
}

// Other bytes of a file count as the file when all of them came, and only when
// they were marked.
func TestModelKnowsVariants(t *testing.T) {
	t.Parallel()
	m, first, second := modelOf(t)
	come(m, second, 1)
	come(m, first, 1, 2)
	m.files[first.ID].expect([]byte("x\n"))
	var digest string
	for sum := range m.files[first.ID].variants {
		if sum != first.SHA256 {
			digest = sum
		}
	}
	d := delivery{uid: first.ID + ":1", body: "x", fileID: first.ID, sha256: digest, line: 1, isUnverified: true}
	m.accept(1, "AUTH_LOG", []delivery{d}, false)
	m.final()
	assert.Empty(t, m.violations)
	assert.Len(t, m.files[first.ID].history, 2)

	d.isUnverified = false
	m.ended(true)
	m.accept(2, "AUTH_LOG", []delivery{d}, false)
	require.Len(t, m.violations, 1)
	assert.Contains(t, m.violations[0], "unverified is false")
}
