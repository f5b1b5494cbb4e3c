// Copyright The OpenTelemetry Authors
// SPDX-License-Identifier: Apache-2.0

//go:build e2e

package e2e

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.etcd.io/bbolt"

	"github.com/openaicompliance/openaicompliancereceiver/internal/fakeapi"
)

// What the log says when a stream's state cannot be used, and when there is none.
const (
	saysDamaged  = "checkpoint cannot be used, event type disabled"
	saysFirstRun = "first run, no stored state"
)

// damages spoil the file of file_storage, whose pages have 4 KiB.
var damages = []struct {
	name  string
	spoil func(rng *rand.Rand, data []byte) []byte
}{
	{"a zeroed page", func(rng *rand.Rand, data []byte) []byte {
		clear(pageOf(rng, data))
		return data
	}},
	{"a page of garbage", func(rng *rand.Rand, data []byte) []byte {
		scribble(rng, pageOf(rng, data))
		return data
	}},
	{"64 bytes of garbage", func(rng *rand.Rand, data []byte) []byte {
		at := rng.IntN(len(data) - 64)
		scribble(rng, data[at:at+64])
		return data
	}},
	{"cut short", func(rng *rand.Rand, data []byte) []byte { return data[:1+rng.IntN(len(data)-1)] }},
}

func pageOf(rng *rand.Rand, data []byte) []byte {
	const size = 4096
	page := rng.IntN(len(data) / size)
	return data[page*size : (page+1)*size]
}

func scribble(rng *rand.Rand, data []byte) {
	for i := range data {
		data[i] = byte(rng.Uint32())
	}
}

// damageRig has a state file of a collector that has delivered everything, and an
// API that has one more file of each type since.
type damageRig struct {
	*rig
	state []byte
	fresh map[string]string // uid of the new file's record, by event type
}

func newDamageRig(t *testing.T) *damageRig {
	t.Helper()
	api := fakeapi.New(fakeapi.Options{})
	for n := range 5 {
		for _, eventType := range []string{"AUTH_LOG", "CODEX_LOG"} {
			api.Add(eventType, time.Now().Add(time.Duration(n-10)*time.Minute), fmt.Sprintf(`{"event_id":"%s-%d"}`, eventType, n))
		}
	}
	d := &damageRig{rig: newRig(t, api, twoTypes), fresh: map[string]string{}}
	d.start()
	d.awaitExact()
	d.stop()
	state, err := os.ReadFile(d.statePath())
	require.NoError(t, err)
	d.state = state
	for _, eventType := range []string{"AUTH_LOG", "CODEX_LOG"} {
		d.fresh[eventType] = "new-" + eventType
		api.Add(eventType, time.Now().Add(-time.Second), fmt.Sprintf(`{"event_id":%q}`, d.fresh[eventType]))
	}
	return d
}

func (d *damageRig) statePath() string {
	return filepath.Join(filepath.Dir(d.config), "receiver_openai_compliance_")
}

// attempt starts the collector with this state file and says what came of it.
// Whatever it was, the collector never passes over the new files.
func (d *damageRig) attempt(state []byte) string {
	d.t.Helper()
	require.NoError(d.t, os.WriteFile(d.statePath(), state, 0o600))
	require.NoError(d.t, os.RemoveAll(d.log))
	from := len(d.sink.Deliveries())
	d.start()
	defer d.collector.Kill()
	for end := time.Now().Add(time.Minute); time.Now().Before(end); time.Sleep(10 * time.Millisecond) {
		ended := !d.collector.Running()
		log := d.output()
		switch {
		case ended && (strings.Contains(log, "panic:") || strings.Contains(log, "fatal error:") || strings.Contains(log, "SIGBUS")):
			return "crashed at the start"
		case ended:
			assert.Contains(d.t, log, `failed to start "openai_compliance" receiver: storage: open "file_storage": `)
			return "refused to start"
		case !d.settled(log, from):
		case strings.Contains(log, saysDamaged):
			return "left the type out"
		case strings.Contains(log, saysFirstRun):
			return "first run, said so"
		default:
			return "went on"
		}
	}
	assert.Fail(d.t, "a wrong cursor: the collector runs, and does not deliver what is new")
	return "wrong"
}

// settled reports whether each event type has delivered its new file, or is named
// as one whose state cannot be used.
func (d *damageRig) settled(log string, from int) bool {
	came := map[string]bool{}
	for _, delivery := range d.sink.Deliveries()[from:] {
		came[delivery.UID] = true
	}
	for eventType, uid := range d.fresh {
		if !came[uid] && !saysOf(log, saysDamaged, eventType) {
			return false
		}
	}
	return true
}

func saysOf(log, what, eventType string) bool {
	for line := range strings.Lines(log) {
		if strings.Contains(line, what) && strings.Contains(line, eventType) {
			return true
		}
	}
	return false
}

// withOnly returns the state file with this one value of a stream in the place of all
// that the stream has.
func (d *damageRig) withOnly(stream string, value []byte) []byte {
	d.t.Helper()
	require.NoError(d.t, os.WriteFile(d.statePath(), d.state, 0o600))
	changeState(d.t, d.statePath(), func(bucket *bbolt.Bucket) error {
		var keys [][]byte
		if err := bucket.ForEach(func(key, _ []byte) error {
			if bytes.Contains(key, []byte(stream+"/")) {
				keys = append(keys, bytes.Clone(key))
			}
			return nil
		}); err != nil {
			return err
		}
		require.NotEmpty(d.t, keys)
		for _, key := range keys {
			if err := bucket.Delete(key); err != nil {
				return err
			}
		}
		key, _, _ := bytes.Cut(keys[0], []byte(stream+"/"))
		return bucket.Put(append(key, stream...), value)
	})
	data, err := os.ReadFile(d.statePath())
	require.NoError(d.t, err)
	return data
}

// changeState changes what file_storage keeps, while no collector runs.
func changeState(t *testing.T, path string, change func(*bbolt.Bucket) error) {
	t.Helper()
	db, err := bbolt.Open(path, 0o600, &bbolt.Options{Timeout: 10 * time.Second})
	require.NoError(t, err)
	require.NoError(t, db.Update(func(tx *bbolt.Tx) error {
		bucket := tx.Bucket([]byte("default"))
		require.NotNil(t, bucket)
		return change(bucket)
	}))
	require.NoError(t, db.Close())
}

// However the storage's own file is damaged, the collector crashes, refuses to
// start, leaves the event type out by name, says that this is a first run, or
// goes on: it never goes on from a wrong position. DAMAGES sets the number of
// tries of each kind.
func TestDamagedFile(t *testing.T) {
	d := newDamageRig(t)
	tries := count(t, "DAMAGES", 5)
	outcomes := []string{"went on", "left the type out", "first run, said so", "refused to start", "crashed at the start"}
	fmt.Printf("%-20s %5s  %s\n", "damaged state file", "tries", strings.Join(outcomes, " | "))
	for kind, damage := range damages {
		counts := map[string]int{}
		for n := range tries {
			rng := rand.New(rand.NewPCG(uint64(kind), uint64(n)))
			counts[d.attempt(damage.spoil(rng, bytes.Clone(d.state)))]++
		}
		var columns []string
		for _, outcome := range outcomes {
			columns = append(columns, fmt.Sprintf("%*d", len(outcome), counts[outcome]))
		}
		fmt.Printf("%-20s %5d  %s\n", damage.name, tries, strings.Join(columns, " | "))
		assert.Zero(t, counts["wrong"])
	}
	assert.Equal(t, "went on", d.attempt(d.state), "an undamaged file")
}

// What stands in the place of the storage's file stops the collector with a
// message, or is followed; an empty file is a first run, and none with
// on_missing_state: fail.
func TestReplacedFile(t *testing.T) {
	d := newDamageRig(t)
	refused := func(t *testing.T, want ...string) {
		t.Helper()
		require.NoError(t, os.RemoveAll(d.log))
		d.start()
		require.Error(t, d.collector.Wait(30*time.Second))
		for _, text := range want {
			assert.Contains(t, d.output(), text)
		}
		assert.NotContains(t, d.output(), "panic:")
	}
	before := d.sink.Unique()
	t.Run("locked by another collector", func(t *testing.T) {
		require.NoError(t, os.WriteFile(d.statePath(), d.state, 0o600))
		d.start()
		d.await("new records", func() bool { return d.sink.Unique() == before+len(d.fresh) })
		first := d.collector
		defer first.Kill()
		refused(t, `storage: open "file_storage": another collector holds the storage`)
		assert.True(t, first.Running())
	})
	t.Run("a symbolic link to it", func(t *testing.T) {
		elsewhere := filepath.Join(t.TempDir(), "state")
		require.NoError(t, os.Rename(d.statePath(), elsewhere))
		require.NoError(t, os.Symlink(elsewhere, d.statePath()))
		d.api.Add("AUTH_LOG", time.Now().Add(-time.Second), `{"event_id":"by a link"}`)
		d.start()
		d.awaitExact()
		d.stop()
	})
	t.Run("a directory", func(t *testing.T) {
		require.NoError(t, os.Remove(d.statePath()))
		require.NoError(t, os.Mkdir(d.statePath(), 0o700))
		refused(t, `storage: open "file_storage"`, "is a directory")
		require.NoError(t, os.Remove(d.statePath()))
	})
	overwritten := func(pattern, by string) []byte {
		re := regexp.MustCompile(pattern)
		require.Regexp(t, re, string(d.state))
		return re.ReplaceAll(d.state, []byte(by))
	}
	t.Run("a checkpoint overwritten", func(t *testing.T) {
		assert.Equal(t, "left the type out", d.attempt(overwritten("openai-compliance-checkpoint", "openai-compliance-checkpaint")))
	})
	t.Run("a term overwritten", func(t *testing.T) {
		assert.Equal(t, "left the type out", d.attempt(overwritten(`\{"number":`, `{"nummer":`)))
	})
	t.Run("a checkpoint's key overwritten", func(t *testing.T) {
		assert.Equal(t, "left the type out", d.attempt(overwritten(`/AUTH_LOG/([0-9a-f]{31})[0-9a-f]`, `/AUTH_LOG/${1}g`)))
		assert.False(t, saysOf(d.output(), saysDamaged, "CODEX_LOG"))
	})
	t.Run("all keys of a type overwritten", func(t *testing.T) {
		assert.Equal(t, "first run, said so", d.attempt(overwritten("/AUTH_LOG", "/AUTH_LOX")))
		assert.False(t, saysOf(d.output(), saysFirstRun, "CODEX_LOG"))
	})
	t.Run("state of an older build", func(t *testing.T) {
		// A key of our own in the place of the term's, with what such a build stored.
		old := []byte("openai-compliance-state 2 0badc0de\n")
		assert.Equal(t, "left the type out", d.attempt(d.withOnly("/AUTH_LOG", old)))
		assert.True(t, saysOf(d.output(), "of an older, unreleased build", "AUTH_LOG"))
		assert.False(t, saysOf(d.output(), saysFirstRun, "AUTH_LOG"))
	})
	t.Run("empty", func(t *testing.T) {
		assert.Equal(t, "first run, said so", d.attempt(nil))
	})
	t.Run("empty, and it must not be", func(t *testing.T) {
		d.replace("storage: file_storage", "storage: file_storage\n    on_missing_state: fail")
		require.NoError(t, os.WriteFile(d.statePath(), nil, 0o600))
		refused(t, "on_missing_state is fail and the storage has no state under", "AUTH_LOG")
	})
	t.Run("a directory that takes no file", func(t *testing.T) {
		d.replace(filepath.Dir(d.config), "/sys")
		refused(t, `storage: open "file_storage"`, "/sys/receiver_openai_compliance_")
	})
}
