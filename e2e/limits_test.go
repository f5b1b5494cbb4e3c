// Copyright The OpenTelemetry Authors
// SPDX-License-Identifier: Apache-2.0

//go:build e2e && linux

package e2e

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/openaicompliance/openaicompliancereceiver/internal/fakeapi"
	"github.com/openaicompliance/openaicompliancereceiver/internal/testbed"
)

// limit sets a resource limit of the running collector.
func (r *rig) limit(resource int, to uint64) {
	r.t.Helper()
	var now unix.Rlimit
	require.NoError(r.t, unix.Prlimit(r.collector.Pid(), resource, nil, &now))
	require.NoError(r.t, unix.Prlimit(r.collector.Pid(), resource, &unix.Rlimit{Cur: min(to, now.Max), Max: now.Max}, nil))
}

// stateFile is the file in which file_storage keeps the receiver's state.
func (r *rig) stateFile() string {
	return filepath.Join(filepath.Dir(r.config), "receiver_openai_compliance_")
}

// fill leaves no room in the storage's file: it may not grow beyond what it is,
// as on a disk that is full. It returns when both event types have met that.
func (r *rig) fill() {
	r.t.Helper()
	before := len(r.output())
	info, err := os.Stat(r.stateFile())
	require.NoError(r.t, err)
	r.limit(unix.RLIMIT_FSIZE, uint64(info.Size()))
	for _, eventType := range []string{"AUTH_LOG", "CODEX_LOG"} {
		r.await("a full disk for "+eventType, func() bool {
			for line := range strings.Lines(r.output()[before:]) {
				if strings.Contains(line, "failed to save checkpoint, retrying") && strings.Contains(line, eventType) {
					return true
				}
			}
			return false
		})
	}
}

// A disk that is full stops both event types, each with one batch that is
// delivered and not stored. With room again they go on as if nothing had been;
// after a kill that one batch comes again, and no more.
func TestStorageFull(t *testing.T) {
	const batch, streams = 10, 2
	api := fakeapi.New(fakeapi.Options{Seed: 5, Live: &fakeapi.Schedule{
		Types: []string{"AUTH_LOG", "CODEX_LOG"}, Since: time.Now().Add(-10 * time.Second), Every: 100 * time.Millisecond, Records: 25,
	}})
	r := newRig(t, api, fmt.Sprintf("%s\nbatch: {max_records: %d}", twoTypes, batch))
	r.start()
	r.await("some records", func() bool { return r.sink.Unique() > 200 })
	r.fill()
	stopped := r.sink.Unique()
	r.limit(unix.RLIMIT_FSIZE, unix.RLIM_INFINITY)
	r.await("records after there is room", func() bool { return r.sink.Unique() > stopped+200 })
	for uid, n := range r.sink.Counts() {
		require.Equal(t, 1, n, "%s: nothing comes twice without a crash", uid)
	}
	r.fill()
	r.collector.Kill()
	api.Freeze()
	r.start()
	want := fakeapi.Expected(api.Files(""))
	r.awaitEnd(len(want))
	r.stop()
	result := testbed.Compare(want, r.sink.Counts())
	assert.Empty(t, result.Lost)
	assert.Empty(t, result.Alien)
	assert.LessOrEqual(t, result.Delivered-result.Expected, batch*streams)
	fmt.Printf("full disk: %d records, %d lost, %d delivered again after the kill\n", result.Expected, len(result.Lost), result.Delivered-result.Expected)
}

// descriptors counts what the collector has open.
func (r *rig) descriptors() int {
	entries, err := os.ReadDir(fmt.Sprintf("/proc/%d/fd", r.collector.Pid()))
	require.NoError(r.t, err)
	return len(entries)
}

// A thousand polls, with files, refusals and broken connections among them, leave
// as many descriptors open as there were, and never need more than 64.
func TestFileDescriptors(t *testing.T) {
	r := newRig(t, backlog(fakeapi.Options{}, 5), twoTypes+"\napi_retry: {initial_interval: 1ms, max_interval: 5ms}")
	r.replace("poll_interval: 100ms", "poll_interval: 1ms")
	r.start()
	r.limit(unix.RLIMIT_NOFILE, 64)
	r.awaitExact()
	before := 0
	for range 20 { // each stream has its connections
		r.awaitPasses(2)
		before = max(before, r.descriptors())
	}
	most := before
	for n := range 20 {
		r.api.Script(fakeapi.Fault{Op: "list", Times: 2, Reset: true}, fakeapi.Fault{Op: "fetch", Times: 1, Status: 503})
		r.api.Add("AUTH_LOG", time.Now().Add(-time.Second), fmt.Sprintf(`{"event_id":"fd-%d","type":"AUTH_LOG"}`, n))
		r.awaitPasses(50)
		most = max(most, r.descriptors())
	}
	r.awaitExact()
	r.await("as many descriptors as before", func() bool { return r.descriptors() <= before })
	assert.NotContains(t, r.output(), "too many open files")
	fmt.Printf("file descriptors: %d before and %d after 1000 polls, %d at the most, 64 allowed\n", before, r.descriptors(), most)
	r.stop()
}

// peak is the most memory the collector has had, in bytes, as the kernel counts.
func (r *rig) peak() int {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", r.collector.Pid()))
	require.NoError(r.t, err)
	for line := range strings.Lines(string(status)) {
		if text, ok := strings.CutPrefix(line, "VmHWM:"); ok {
			kib, err := strconv.Atoi(strings.Fields(text)[0])
			require.NoError(r.t, err)
			return kib << 10
		}
	}
	require.Fail(r.t, "no VmHWM")
	return 0
}

// contain puts the collector into a control group with a limit on its memory, as a
// container's is, page cache included. It reports whether this machine lets it.
func (r *rig) contain(limit int) bool {
	r.t.Helper()
	for _, version := range []struct{ parent, limit string }{
		{"/sys/fs/cgroup/memory", "memory.limit_in_bytes"},
		{"/sys/fs/cgroup", "memory.max"},
	} {
		group, err := os.MkdirTemp(version.parent, "compliance-e2e-")
		if err != nil {
			continue
		}
		r.t.Cleanup(func() { _ = os.Remove(group) })
		if _, err := os.Stat(filepath.Join(group, version.limit)); err != nil {
			continue
		}
		write := func(file string, n int) error {
			return os.WriteFile(filepath.Join(group, file), []byte(strconv.Itoa(n)), 0o600)
		}
		require.NoError(r.t, write(version.limit, limit))
		require.NoError(r.t, write("cgroup.procs", r.collector.Pid()))
		return true
	}
	return false
}

// Four event types with files of the largest size the API makes are collected in a
// container's memory, where the machine lets the test make one, and within a hard
// limit on the process's memory: in 192 MiB as it is, in 128 MiB with GOMEMLIMIT. The
// kernel counts against the hard limit what Go has mapped, 64 MiB at a time.
func TestMemoryLimit(t *testing.T) {
	const hard = 384 << 20
	for _, tt := range []struct {
		container int
		env       []string
	}{
		{192 << 20, nil},
		{128 << 20, []string{"GOMEMLIMIT=90MiB"}},
	} {
		t.Run(fmt.Sprintf("%dMiB", tt.container>>20), func(t *testing.T) {
			types := []string{"AUTH_LOG", "AUDIT_LOG", "CODEX_LOG", "APP_LOG"}
			r := newRig(t, largestFiles(types), "event_types: ["+strings.Join(types, ", ")+"]")
			r.env = append(r.env, tt.env...)
			r.replace("initial_delay: 0s", "initial_delay: 1s") // to be in it before the first file
			r.start()
			contained := r.contain(tt.container)
			r.limit(unix.RLIMIT_DATA, hard)
			r.awaitExact()
			peak := r.peak()
			r.stop()
			assert.Less(t, peak, tt.container)
			fmt.Printf("memory: 12 files of 15 MB of 4 event types, a container of %d MiB (%v) %v and RLIMIT_DATA %d MiB, peak RSS %d MiB\n",
				tt.container>>20, contained, tt.env, hard>>20, peak>>20)
		})
	}
}

// largestFiles is an API with three of them for each type.
func largestFiles(types []string) *fakeapi.API {
	api := fakeapi.New(fakeapi.Options{})
	filler := bytes.Repeat([]byte("x"), 900)
	for _, eventType := range types {
		for n := range 3 {
			var content bytes.Buffer
			var ids []string
			for i := 0; content.Len() < fakeapi.MaxFileSize-1000; i++ {
				id := fmt.Sprintf("%s-%d-%d", eventType, n, i)
				fmt.Fprintf(&content, "{\"event_id\":%q,\"type\":%q,\"filler\":\"%s\"}\n", id, eventType, filler)
				ids = append(ids, id)
			}
			api.AddContent(eventType, time.Now().Add(time.Duration(n-10)*time.Minute), content.Bytes(), ids)
		}
	}
	return api
}
