// Copyright The OpenTelemetry Authors
// SPDX-License-Identifier: Apache-2.0

//go:build e2e

package e2e

import (
	"bytes"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.etcd.io/bbolt"

	"github.com/openaicompliance/openaicompliancereceiver/internal/fakeapi"
)

// trouble is one row of the table in docs/operations.md.
type trouble struct {
	opts     fakeapi.Options
	receiver string // more keys of the receiver
	// cause makes the trouble and starts the collector; nil only starts it.
	cause func(r *rig)
	// says is what the log shows then, as the document quotes it.
	says string
	// shows is what the collector's own metrics show then: a series by the
	// regular expression of its name and labels, and the least value of it.
	shows string
	least float64
}

const refuseFast = "retry_on_failure: {initial_interval: 10ms, max_interval: 50ms}"

var oneFile = func(r *rig) {
	r.api.Add("AUTH_LOG", time.Now().Add(-time.Hour), `{"event_id":"a","type":"AUTH_LOG"}`)
}

func withFile(cause func(r *rig)) func(*rig) {
	return func(r *rig) {
		oneFile(r)
		cause(r)
		r.start()
	}
}

var troubles = map[string]trouble{
	"401": {
		cause: func(r *rig) { r.env = []string{"KEY=sk-proj-inference"}; r.start() },
		says:  "list: 401 Unauthorized", shows: `polls{.*AUTH_LOG.*outcome="unauthorized".*}`, least: 1,
	},
	"403": {
		opts: fakeapi.Options{Forbidden: []string{"AUTH_LOG"}},
		says: "list: 403 Forbidden", shows: `polls{.*AUTH_LOG.*outcome="forbidden".*}`, least: 1,
	},
	"400": {
		cause: func(r *rig) { r.changeConfig("[AUTH_LOG, CODEX_LOG]", "[NEW_LOG]"); r.start() },
		says:  "list: 400 Bad Request", shows: `polls{.*NEW_LOG.*outcome="not_found".*}`, least: 1,
	},
	"404": {
		cause: func(r *rig) {
			r.changeConfig(fakeapi.DefaultWorkspace, "00000000-0000-4000-8000-000000000000")
			r.start()
		},
		says: "list: 404 Not Found", shows: `polls{.*AUTH_LOG.*outcome="not_found".*}`, least: 1,
	},
	"no_answer": {
		cause: func(r *rig) { r.api.Close(); r.start() },
		says:  "connect: connection refused", receiver: "api_retry: {enabled: false}",
		shows: `api_requests{.*operation="list".*outcome="error".*}`, least: 1,
	},
	"nothing_arrives": {says: "poll complete", shows: `polls{.*AUTH_LOG.*outcome="success".*}`, least: 2},
	"late": {
		cause: func(r *rig) {
			happened := time.Now().Add(-3 * time.Hour).UTC().Format(time.RFC3339)
			r.api.Add("AUTH_LOG", time.Now().Add(-time.Second), `{"event_id":"a","type":"AUTH_LOG","timestamp":"`+happened+`"}`)
			r.start()
		},
		shows: `event_delivery_latency_sum{.*AUTH_LOG.*}`, least: 3 * 3600,
	},
	"behind": {
		cause: func(r *rig) {
			for i := range 9 {
				r.api.Add("AUTH_LOG", time.Now().Add(time.Duration(i-10)*time.Minute), `{"event_id":"`+strconv.Itoa(i)+`"}`)
			}
			r.changeConfig("downloads_per_minute: 0", "downloads_per_minute: 5")
			r.start()
		},
		shows: `backlog_files{.*AUTH_LOG.*}`, least: 4,
	},
	"disk_full": {
		cause: func(r *rig) {
			r.changeConfig("fsync: true", "fsync: true, max_size: 32768")
			for i := range 300 {
				r.api.Add("AUTH_LOG", time.Now().Add(time.Duration(i-400)*time.Second), `{"event_id":"`+strconv.Itoa(i)+`"}`)
			}
			r.start()
		},
		says: "failed to save checkpoint, retrying", shows: `checkpoint_failures{.*AUTH_LOG.*}`, least: 1,
	},
	"state_refused": {
		cause: func(r *rig) {
			r.start()
			r.awaitPasses(2)
			r.stop()
			damageState(r)
			r.start()
		},
		says: "checkpoint cannot be used, event type disabled", shows: `checkpoint_corruptions{.*AUTH_LOG.*}`, least: 1,
	},
	"state_gone": {says: "first run, no stored state"},
	"redirect": {
		receiver: "download: {allowed_hosts: [blob.example.com]}", cause: withFile(func(*rig) {}),
		says: `the host is not in download::allowed_hosts`,
	},
	"quarantined": {
		cause: withFile(func(r *rig) { r.api.Script(fakeapi.Fault{Op: "download", Status: 404}) }),
		says:  "file quarantined", shows: `files{.*AUTH_LOG.*outcome="quarantined".*}`, least: 1,
	},
	"refused": {
		receiver: refuseFast, cause: withFile(func(r *rig) { r.sink.Refuse(http.StatusServiceUnavailable) }),
		says: "next consumer returned an error, retrying batch", shows: `batch_retries{.*AUTH_LOG.*}`, least: 3,
	},
	"refused_for_good": {
		receiver: refuseFast, cause: withFile(func(r *rig) { r.sink.Refuse(http.StatusBadRequest) }),
		says: "permanent error from next consumer, record quarantined", shows: `records{.*AUTH_LOG.*outcome="quarantined".*}`, least: 1,
	},
	"gap": {
		says: "data gap: files expired before they were listed", shows: `data_gaps{.*AUTH_LOG.*}`, least: 1,
		cause: func(r *rig) {
			r.start()
			r.awaitPasses(4)
			r.stop()
			ageState(r, 40*24*time.Hour)
			r.start()
		},
	},
	"gap_suspected": {
		// The API's clock alone is ahead. Nothing is lost, and collection continues.
		says: "event type held, will retry", shows: `polls{.*AUTH_LOG.*outcome="success".*}`, least: 2,
		cause: func(r *rig) {
			r.start()
			r.awaitPasses(4)
			r.stop()
			ahead.Store(int64(40 * 24 * time.Hour))
			r.t.Cleanup(func() { ahead.Store(0) })
			r.start()
			r.await("the suspicion", func() bool { return strings.Contains(r.output(), `"cause": "gap_suspected"`) })
			r.awaitPasses(4)
			assert.NotContains(r.t, r.output(), "data gap: files expired")
		},
		opts: fakeapi.Options{Now: func() time.Time { return time.Now().Add(time.Duration(ahead.Load())) }},
	},
}

// damageState changes one byte in every checkpoint of the receiver, where the storage
// does not notice.
func damageState(r *rig) {
	file := filepath.Join(filepath.Dir(r.config), "receiver_openai_compliance_")
	data, err := os.ReadFile(file)
	require.NoError(r.t, err)
	header := []byte("openai-compliance-checkpoint ")
	values := bytes.Split(data, header)
	require.Greater(r.t, len(values), 1, "no stored value")
	for _, value := range values[1:] {
		value[60] ^= 1
	}
	require.NoError(r.t, os.WriteFile(file, bytes.Join(values, header), 0o600))
}

// storedTime is a time with a date in a checkpoint's JSON.
var storedTime = regexp.MustCompile(`"\d{4}-\d\d-\d\dT[^"]*Z"`)

// ageState makes every checkpoint one of so long ago.
func ageState(r *rig, by time.Duration) {
	changeState(r.t, filepath.Join(filepath.Dir(r.config), "receiver_openai_compliance_"), func(bucket *bbolt.Bucket) error {
		aged := map[string][]byte{}
		err := bucket.ForEach(func(key, value []byte) error {
			head, doc, found := bytes.Cut(value, []byte("\n"))
			if !found || !bytes.HasPrefix(head, []byte("openai-compliance-checkpoint ")) {
				return nil
			}
			doc = storedTime.ReplaceAllFunc(doc, func(text []byte) []byte {
				at, err := time.Parse(time.RFC3339Nano, strings.Trim(string(text), `"`))
				require.NoError(r.t, err)
				if at.Year() < 2020 {
					return text
				}
				return strconv.AppendQuote(nil, at.Add(-by).Format(time.RFC3339Nano))
			})
			head = head[:len(head)-8] // without the checksum
			sum := crc32.Checksum(append(bytes.Clone(head), doc...), crc32.MakeTable(crc32.Castagnoli))
			aged[string(key)] = fmt.Appendf(nil, "%s%08x\n%s", head, sum, doc)
			return nil
		})
		require.Len(r.t, aged, 2)
		for key, value := range aged {
			err = errors.Join(err, bucket.Put([]byte(key), value))
		}
		return err
	})
}

// ahead is how far the clock of the API is in the row of the suspected gap.
var ahead atomic.Int64

// Every row of the table of troubles in docs/operations.md is caused here: the
// log of the built collector says what the row quotes, and its metrics show what
// it names. No row is without a cause, and no cause without a row.
func TestTroubles(t *testing.T) {
	data, err := os.ReadFile("../docs/operations.md")
	require.NoError(t, err)
	rows := map[string]string{}
	for _, row := range regexp.MustCompile("(?m)^.*`TestTroubles/(\\w+)`.*$").FindAllStringSubmatch(string(data), -1) {
		rows[row[1]] = row[0]
	}
	for name := range rows {
		assert.Contains(t, troubles, name, "a row without its cause")
	}
	for name, tt := range troubles {
		t.Run(name, func(t *testing.T) {
			metric, _, _ := strings.Cut(tt.shows, "{")
			assert.Contains(t, rows[name], "`"+strings.TrimSuffix(metric, "_sum"))
			assert.Contains(t, rows[name], "`"+tt.says)
			r := newRig(t, fakeapi.New(tt.opts), twoTypes+"\n"+tt.receiver)
			metrics := r.serveMetrics()
			if tt.cause == nil {
				r.start()
			} else {
				tt.cause(r)
			}
			r.await(tt.says, func() bool { return strings.Contains(strings.ReplaceAll(r.output(), `\"`, `"`), tt.says) })
			if tt.shows != "" {
				r.await(tt.shows, func() bool { return scrape(metrics, tt.shows) >= tt.least })
			}
		})
	}
}

// scrape returns the largest value of the series that match, as the collector
// serves them itself.
func scrape(addr, series string) (value float64) {
	resp, err := http.Get("http://" + addr + "/metrics")
	if err != nil {
		return 0 // it does not listen yet
	}
	defer resp.Body.Close()
	text, _ := io.ReadAll(resp.Body)
	re := regexp.MustCompile(`(?m)^otelcol_receiver_openai_compliance_` + strings.ReplaceAll(series, "{", `\{`) + ` (\S+)$`)
	for _, found := range re.FindAllStringSubmatch(string(text), -1) {
		n, _ := strconv.ParseFloat(found[1], 64)
		value = max(value, n)
	}
	return value
}
