// Copyright The OpenTelemetry Authors
// SPDX-License-Identifier: Apache-2.0

//go:build e2e

package e2e

import (
	"encoding/json"
	"fmt"
	"strconv"
	"testing"

	"github.com/openaicompliance/openaicompliancereceiver/internal/fakeapi"
	"github.com/openaicompliance/openaicompliancereceiver/internal/testbed"
)

// batchSize and fileSize are in records: a file is three batches.
const (
	batchSize = 10
	fileSize  = 25
)

// killPoint is one place where the collector is killed. The receiver has no hook
// for it: the API, the sink or the storage do it.
type killPoint struct {
	name string
	// api is the request that the API kills at, and how far its answer gets.
	api *apiPoint
	// sink decides at each moment of a request to the sink whether to kill.
	sink func(at testbed.Moment, batch []testbed.Delivery) bool
	// storage is the call that the storage kills at.
	storage *storagePoint
	// fresh storage for each kill; stop asks the collector to end before it; restart
	// lets the collector run and end once, before the first kill.
	fresh, stop, restart bool
	// faults of the API.
	faults []fakeapi.Fault
	// history adds files of the day before yesterday. once is for what happens
	// once to a type, however many kills are asked for.
	history, once bool
	// receiver has further keys of the receiver's configuration.
	receiver string
}

type apiPoint struct {
	// host is list, download or fetch, as in a fault script.
	op string
	// share of the answer that is sent before the kill, in percent.
	share int
}

// storagePoint is what killstorage reads as its plan.
type storagePoint struct {
	Call   string `json:"call"`
	Moment string `json:"moment"`
	Key    string `json:"key"`
	Skip   int    `json:"skip"`
	Old    string `json:"old"`
	New    string `json:"new"`
}

func (p storagePoint) json() []byte {
	text, _ := json.Marshal(p)
	return text
}

// Keys of the values that a stream stores: the checkpoint, which lies under the id of
// a term; what names the current term; and blocks of the checkpoint.
const (
	checkpointKey = `_LOG/[0-9a-f]{32}$`
	termKey       = `_LOG/term$`
	eventsKey     = `_LOG/[0-9a-f]{32}/events/`
	queueKey      = `_LOG/[0-9a-f]{32}/queue/`
)

// What a checkpoint holds: segments, live alone or history too; bounds, or none
// before the first answer; an open file; a retry queue.
const (
	segment     = `\{[^{}]*(\{[^{}]*\})?\}`
	liveAlone   = `"segments":\[` + segment + `\]`
	withHistory = `"segments":\[` + segment + `,\{`
	noBounds    = `"bounds":null`
	withBounds  = `"bounds":\{`
	openFile    = `"open":\[\{`
	emptyQueue  = `"queue":(null|\[\])`
	queuedFile  = `"queue":\[\{`
)

// notServed is a file that is quarantined, and served when it is asked for again.
var notServed = []fakeapi.Fault{{Op: "download", Status: 404, Times: 1}}

// smallBlocks makes every batch seal a block.
const smallBlocks = "deduplication: {window: 24h, max_events: 160}"

func atSink(moment testbed.Moment) func(testbed.Moment, []testbed.Delivery) bool {
	return func(at testbed.Moment, _ []testbed.Delivery) bool { return at == moment }
}

// atFileEnd is a moment of the last batch of a file.
func atFileEnd(moment testbed.Moment) func(testbed.Moment, []testbed.Delivery) bool {
	return func(at testbed.Moment, batch []testbed.Delivery) bool { return at == moment && endsFile(batch) }
}

func endsFile(batch []testbed.Delivery) bool {
	return fmt.Sprint(batch[len(batch)-1].Attributes["openai.compliance.file.line"]) == strconv.Itoa(fileSize)
}

var killPoints = []killPoint{
	{name: "before the answer to a list", api: &apiPoint{"list", 0}},
	{name: "after the answer to a list", api: &apiPoint{"list", 100}},
	{name: "before the redirect of a download", api: &apiPoint{"download", 0}},
	{name: "after the redirect of a download", api: &apiPoint{"download", 100}},
	{name: "in the middle of a body", api: &apiPoint{"fetch", 50}},
	{name: "after the body", api: &apiPoint{"fetch", 100}},
	{name: "before the sink keeps a batch", sink: atSink(testbed.BeforeKept)},
	{name: "batch kept, before the answer", sink: atSink(testbed.Kept)},
	{name: "after the answer to a batch", sink: atSink(testbed.Answered)},
	{name: "before an offset is stored", storage: &storagePoint{Call: "set", Moment: "before", Key: checkpointKey, New: openFile, Skip: 3}},
	{name: "while an offset is stored", storage: &storagePoint{Call: "set", Moment: "in", Key: checkpointKey, New: openFile, Skip: 3}},
	{name: "after an offset is stored", storage: &storagePoint{Call: "set", Moment: "after", Key: checkpointKey, New: openFile, Skip: 3}},
	{name: "before the sink keeps a file's last batch", sink: atFileEnd(testbed.BeforeKept)},
	{name: "a file's last batch kept, before the answer", sink: atFileEnd(testbed.Kept)},
	{name: "file ended, before it is stored", sink: atFileEnd(testbed.Kept), storage: &storagePoint{Call: "set", Moment: "before"}},
	{name: "file ended and stored", sink: atFileEnd(testbed.Kept), storage: &storagePoint{Call: "set", Moment: "after"}},
	{name: "file ended, while it is stored", sink: atFileEnd(testbed.Kept), storage: &storagePoint{Call: "set", Moment: "in"}},
	{name: "before a block and its checkpoint are stored", storage: &storagePoint{Call: "set", Moment: "before", Key: eventsKey, Skip: 3}, receiver: smallBlocks},
	{name: "while a block and its checkpoint are stored", storage: &storagePoint{Call: "set", Moment: "in", Key: eventsKey, Skip: 3}, receiver: smallBlocks},
	{name: "a block and its checkpoint stored", storage: &storagePoint{Call: "set", Moment: "after", Key: eventsKey, Skip: 3}, receiver: smallBlocks},
	{name: "before a forgotten block is deleted", storage: &storagePoint{Call: "delete", Moment: "before", Key: eventsKey}, receiver: smallBlocks},
	{name: "a forgotten block deleted", storage: &storagePoint{Call: "delete", Moment: "after", Key: eventsKey}, receiver: smallBlocks},
	{name: "before a file is quarantined", storage: &storagePoint{Call: "set", Moment: "before", Key: queueKey, New: "404"}, faults: notServed, once: true},
	{name: "a file quarantined", storage: &storagePoint{Call: "set", Moment: "after", Key: queueKey, New: "404"}, faults: notServed, once: true},
	{name: "before a file leaves the retry queue", storage: &storagePoint{Call: "set", Moment: "before", Key: checkpointKey, Old: queuedFile, New: emptyQueue}, faults: notServed, restart: true, once: true},
	{name: "a file has left the retry queue", storage: &storagePoint{Call: "set", Moment: "after", Key: checkpointKey, Old: queuedFile, New: emptyQueue}, faults: notServed, restart: true, once: true},
	{name: "a checkpoint stored, live and history", storage: &storagePoint{Call: "set", Moment: "after", Old: withHistory, New: withHistory, Skip: 5}, history: true},
	{name: "before history ends", storage: &storagePoint{Call: "set", Moment: "before", Old: withHistory, New: liveAlone}, history: true},
	{name: "history ended", storage: &storagePoint{Call: "set", Moment: "after", Old: withHistory, New: liveAlone}, history: true, once: true},
	{name: "in Start, storage open", storage: &storagePoint{Call: "open", Moment: "after"}},
	{name: "in Start, one term read", storage: &storagePoint{Call: "get", Moment: "after", Key: termKey}},
	{name: "in Start, one checkpoint read", storage: &storagePoint{Call: "get", Moment: "after", Key: checkpointKey}, restart: true},
	{name: "in the first Start, before a term begins", storage: &storagePoint{Call: "set", Moment: "before", Key: termKey}, fresh: true},
	{name: "in the first Start, while a term begins", storage: &storagePoint{Call: "set", Moment: "in", Key: termKey}, fresh: true},
	{name: "in the first Start, one term begun", storage: &storagePoint{Call: "set", Moment: "after", Key: termKey}, fresh: true},
	{name: "in the first Start, both terms begun", storage: &storagePoint{Call: "set", Moment: "after", Key: termKey, Skip: 1}, fresh: true},
	{name: "first answer, before the bounds are fixed", storage: &storagePoint{Call: "set", Moment: "before", Key: checkpointKey, Old: noBounds, New: withBounds}, fresh: true},
	{name: "first answer, bounds of one type fixed", storage: &storagePoint{Call: "set", Moment: "after", Key: checkpointKey, Old: noBounds, New: withBounds}, fresh: true},
	{name: "in a later Start, before a term begins", storage: &storagePoint{Call: "set", Moment: "before", Key: termKey}, restart: true},
	{name: "in a later Start, while a term begins", storage: &storagePoint{Call: "set", Moment: "in", Key: termKey}, restart: true},
	{name: "in a later Start, one term begun", storage: &storagePoint{Call: "set", Moment: "after", Key: termKey}, restart: true},
	{name: "before the earlier term's checkpoint is deleted", storage: &storagePoint{Call: "delete", Moment: "before", Key: checkpointKey}, restart: true},
	{name: "the earlier term's checkpoint deleted", storage: &storagePoint{Call: "delete", Moment: "after", Key: checkpointKey}, restart: true},
	{name: "in a later Start, both terms begun", storage: &storagePoint{Call: "set", Moment: "after", Key: termKey, Skip: 1}, restart: true},
	{name: "in Shutdown, a batch at the sink", sink: atSink(testbed.Kept), stop: true},
	{name: "in Shutdown, before the storage is closed", storage: &storagePoint{Call: "close", Moment: "before"}, stop: true},
	{name: "in Shutdown, storage closed", storage: &storagePoint{Call: "close", Moment: "after"}, stop: true},
}

// kill -9 at each named point, while files keep coming, loses nothing, repeats at
// most one batch of each event type for each kill, and repeats it with the same
// uid and body. POINT_KILLS sets the kills at each point.
func TestKillPoints(t *testing.T) {
	kills := count(t, "POINT_KILLS", 1)
	outcomes := make([]string, len(killPoints))
	t.Run("points", func(t *testing.T) {
		for i, point := range killPoints {
			t.Run(point.name, func(t *testing.T) {
				t.Parallel()
				outcomes[i] = newKillRig(t, point).run(kills)
			})
		}
	})
	fmt.Printf("%-48s %5s %8s %6s %5s\n", "kill -9 at a named point", "kills", "records", "again", "lost")
	for _, outcome := range outcomes {
		fmt.Println(outcome)
	}
}
