// Copyright The OpenTelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package deliver

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// show writes a step: "0-9" a part, "?4" a probe, "end".
func show(step Step, ok bool) string {
	if !ok {
		return "end"
	}
	var runs []string
	for i := 0; i < len(step.Records); {
		from, j := step.Records[i], i+1
		for j < len(step.Records) && step.Records[j] == step.Records[j-1]+1 {
			j++
		}
		if to := step.Records[j-1]; to > from {
			runs = append(runs, fmt.Sprintf("%d-%d", from, to))
		} else {
			runs = append(runs, strconv.Itoa(from))
		}
		i = j
	}
	text := strings.Join(runs, ",")
	if step.Probe {
		text = "?" + text
	}
	return text
}

// A script is words of answer and what follows it: an answer is + accepted,
// P permanent, R retryable, = no call; before it may stand the minutes passed since
// the last one. What follows is the next step, with "~" for a wait and "!" for a
// hold, "Q" and "D" for an outcome that ended the records.
func runScript(t *testing.T, p *plan, s *streamState, script string) {
	t.Helper()
	at := time.Date(2026, 8, 2, 9, 10, 0, 0, time.UTC)
	words := strings.Fields(script)
	require.Zero(t, len(words)%2)
	for i := 0; i < len(words); i += 2 {
		word := words[i]
		kind := map[byte]answerKind{'+': answerAccepted, 'P': answerPermanent, 'R': answerRetryable, '=': answerNoCall}[word[len(word)-1]]
		if minutes := word[:len(word)-1]; minutes != "" {
			passed, err := time.ParseDuration(minutes + "m")
			require.NoError(t, err)
			at = at.Add(passed)
		}
		step, ok := p.step()
		require.True(t, ok)
		decided := p.answer(s, step, answer{kind: kind, sent: len(step.Records), at: at})
		got := show(p.step())
		switch {
		case decided.outcome == Quarantined:
			got = "Q" + got
		case decided.outcome == Dropped:
			got = "D" + got
		case decided.backOff:
			got = "~" + got
		}
		if p.held {
			got = "!" + got
		}
		require.Equal(t, words[i+1], got, "after answer %d, %s to %s", i/2+1, word, show(step, true))
	}
}

// What is offered after each answer, for every rule.
func TestPlan(t *testing.T) {
	tests := []struct {
		name   string
		policy Policy
		n      int
		failed int // single records in a row before
		stored int // lines ahead
		script string
	}{
		{name: "accepted", n: 9, script: "+ end"},
		{name: "only duplicates", n: 9, script: "= end"},
		{name: "drop gives up the batch as one", policy: Drop, n: 100, script: "P Dend"},
		{name: "drop only retries a retryable error", policy: Drop, n: 100, script: "R ~0-99 2R ~0-99 2R ~0-99 2R ~0-99 2R ~0-99 2R ~0-99 P Dend"},

		{name: "a small batch is split at once", n: 7, script: "P 0-3 P 0-1 P 0 P Q1 + 2-3 + 4-6 + end"},
		{name: "a single record", n: 1, script: "P Qend"},
		{name: "the eighth failed single record in a row holds", n: 1, failed: 7, script: "P !~0 P !~0 R !~0 + end"},
		{name: "the seventh does not", n: 1, failed: 6, script: "P Qend"},
		{
			name: "a run over batches holds all that is left", n: 3, failed: 6,
			script: "P 0-1 P 0 P Q1 P !~1-2 P !?1 P !?2 P !~1-2 P !?1 P !?2 P !~1-2 + end",
		},
		{
			name: "an accepted probe ends the hold of a small batch, and its split is probed", n: 3, failed: 7,
			script: "P 0-1 P 0 P !~0-2 P !?0 P !?1 + 0 P Q2 P Qend",
		},
		{
			name: "a large batch is probed, split and quarantined", n: 16,
			script: "P ?0 P ?3 + 0-2,4-8 P 0-2,4 P 0-1 P 0 P Q1 P Q2,4 + 5-8 + 9-15 + end",
		},
		{
			name: "the split after a probe ignores the run", n: 16, failed: 7,
			script: "P ?0 + 1-8 P 1-4 P 1-2 P 1 P Q2 P Q3-4 P 3 P Q4 P Q5-8 P 5-6 P 5 P Q6 P Q7-8 P 7 P Q8 P Q9-15 + end",
		},
		{
			name: "no accepted probe holds; each retry probes other records", n: 16,
			script: "P ?0 P ?3 P ?5 P ?6 P ?8 P ?11 P ?13 P ?14 P !~0-15 P !?1 P !?2 R !?4 P !?7 P !?9 P !?10 P !?12 P !?15 P !~0-15 " +
				"P !?0 P !?3 + 0-2,4-8 + 9-15 + end",
		},
		{
			name: "an accepted batch ends a hold", n: 8,
			script: "P ?0 P ?1 P ?2 P ?3 P ?4 P ?5 P ?6 P ?7 P !~0-7 R !?0 R !?1 R !?2 R !?3 R !?4 R !?5 R !?6 R !?7 R !~0-7 + end",
		},
		{
			name: "a hold that ends while the batch fails retryably is split with tries", n: 8,
			script: "P ?0 P ?1 P ?2 P ?3 P ?4 P ?5 P ?6 P ?7 P !~0-7 R !?0 + 1-4 R 1-2 R 1 R ~1 1R ~1 R Q2 + 3-4 + 5-7 + end",
		},
		{
			name: "a retryable error in a split is retried", n: 8,
			script: "P ?0 + 1-4 R ~1-4 R ~1-4 + 5-7 P 5-6 + 7 R ~7 P Qend",
		},

		{name: "block retries the single record", policy: Block, n: 4, script: "P 0-1 P 0 P !~0 P !~0 R !~0 + 1 + 2-3 + end"},
		{name: "block probes too", policy: Block, n: 8, script: "P ?0 + 1-4 P 1-2 + 3-4 P 3 + 4 P !~4 + 5-7 + end"},
		{name: "block ignores the run", policy: Block, n: 1, failed: 7, script: "P !~0 P !~0 + end"},

		{
			name: "five failures are not enough within five minutes", n: 9,
			script: "R ~0-8 1R ~0-8 1R ~0-8 1R ~0-8 1R ~0-8 0.9R ~0-8 0.1R ~?0",
		},
		{name: "five minutes are not enough without five failures", n: 9, script: "R ~0-8 2R ~0-8 2R ~0-8 2R ~0-8 R ~?0"},
		{
			name: "another record at each try", n: 9,
			script: "R ~0-8 2R ~0-8 2R ~0-8 2R ~0-8 R ~?0 R 0-8 R ~?1 P 0-8 R ~?2 R 0-8 R ~?3 R 0-8 + end",
		},
		{
			name: "an accepted probe and a failure split with tries", n: 6,
			script: "R ~0-5 2R ~0-5 2R ~0-5 2R ~0-5 R ~?0 + 1-5 R 1-3 R 1-2 R 1 R ~1 0.4R ~1 0.4R ~1 0.2R Q2 + 3 + 4-5 + end",
		},
		{name: "an accepted probe and an accepted rest", n: 6, script: "R ~0-5 2R ~0-5 2R ~0-5 2R ~0-5 R ~?0 + 1-5 + end"},
		{
			name: "an accepted probe and a permanent rejection are split as probed", n: 9, failed: 7,
			script: "R ~0-8 2R ~0-8 2R ~0-8 2R ~0-8 R ~?0 + 1-8 P 1-4 P 1-2 P 1 P Q2 P Q3-4 + 5-8 + end",
		},
		{
			name: "one record of two: the rest begins its tries", n: 2,
			script: "R ~0-1 2R ~0-1 2R ~0-1 2R ~0-1 R ~?0 R 0-1 R ~?1 + 0 R ~0 1R ~0 R Qend",
		},
		{name: "a batch of one record has no probe", n: 1, script: "R ~0 2R ~0 2R ~0 2R ~0 R ~0 9R ~0 + end"},
		{
			name: "a single record that fails retryably in a split is vouched for by another", n: 3,
			script: "P 0-1 P 0 R ~0 2R ~0 2R ~0 2R ~0 R ~?1 R 0 R ~?2 + 0 R Q1 + end",
		},
		{
			name: "an outage in the split after retries holds at the eighth", n: 12,
			script: "R ~0-11 2R ~0-11 2R ~0-11 2R ~0-11 R ~?0 + 1-11 R 1-6 R 1-3 R 1-2 R 1 " +
				"R ~1 1R ~1 R Q2 R ~2 1R ~2 R Q3 R ~3 1R ~3 R Q4-6 R 4-5 R 4 R ~4 1R ~4 R Q5 R ~5 1R ~5 R Q6 R ~6 1R ~6 R Q7-11 " +
				"R 7-9 R 7-8 R 7 R ~7 1R ~7 R Q8 R ~8 1R ~8 R !~8-11 R !?8 R !?9 R !?10 R !?11 R !~8-11 + end",
		},

		{name: "no room ahead: split without a probe, within the run", n: 8, stored: 8, failed: 6, script: "P 0-3 P 0-1 P 0 P Q1 P !~1-7 P !?1 + 2-4 + 5-7 + end"},
		{name: "no room ahead: split after retries without a probe", n: 3, stored: 8, script: "R ~0-2 2R ~0-2 2R ~0-2 2R ~0-2 R 0-1 + 2 R ~2 1R ~2 R Qend"},
		{name: "no room ahead, but no other record either", n: 1, stored: 8, script: "R ~0 2R ~0 2R ~0 2R ~0 R ~0 9R ~0 + end"},
		{name: "room for one more ahead", n: 8, stored: 7, script: "P ?0 P ?1 + 0,2-4 + 5-7 + end"},

		{name: "duplicates are no accepted probes", n: 16, script: "P ?0 = ?3 = ?5 P ?6 + 1-2,4-5,7-9 + 10-15 + end"},
		{name: "nothing but duplicates: split without a probe", n: 8, failed: 7, script: "P ?0 = ?1 = ?2 = ?3 = ?4 = ?5 = ?6 = ?7 = end"},
		{name: "all probed ones duplicates: split without a probe", n: 16, failed: 7, script: "P ?0 = ?3 = ?5 = ?6 = ?8 = ?11 = ?13 = ?14 = 1-2,4,7 P 1-2 P 1 P !~1-2,4,7,9-10,12,15"},
		{name: "a duplicate does not break the run", n: 2, failed: 7, script: "P 0 = 1 P !~1"},
		{name: "a duplicate does not end a hold", n: 2, failed: 7, script: "P 0 P !~0-1 P !?0 = !?1 P !~1 P !~1"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			policy := test.policy
			if policy == Block && !strings.HasPrefix(test.name, "block") {
				policy = Quarantine
			}
			p := newPlan(policy, sizesOf(test.n, 100))
			p.left.stored = test.stored
			runScript(t, &p, &streamState{failedRun: test.failed}, test.script)
		})
	}
}

// A call of fewer than eight records, the others being duplicates, is a small
// batch.
func TestPlanCountsRecordsSent(t *testing.T) {
	p := newPlan(Quarantine, sizesOf(100, 100))
	step, _ := p.step()
	p.answer(&streamState{}, step, answer{kind: answerPermanent, sent: 7})
	assert.Equal(t, "0-49", show(p.step()))
}

// What another batch of the stream answers ends a run of failed single records,
// and the hold that the run began; a hold that probes began it does not end.
func TestPlanOtherBatchAccepted(t *testing.T) {
	s := &streamState{failedRun: 7}
	p := newPlan(Quarantine, sizesOf(1, 100))
	runScript(t, &p, s, "P !~0 P !~0")
	s.accepted()
	runScript(t, &p, s, "P Qend")

	s = &streamState{failedRun: 7}
	p = newPlan(Quarantine, sizesOf(3, 100))
	runScript(t, &p, s, "P 0-1 P 0 P !~0-2")
	s.accepted()
	runScript(t, &p, s, "R 0-1 R 0 R ~0 1R ~0 R Q1 + 2 + end")

	s = &streamState{}
	p = newPlan(Quarantine, sizesOf(8, 100))
	runScript(t, &p, s, "P ?0 P ?1 P ?2 P ?3 P ?4 P ?5 P ?6 P ?7 P !~0-7")
	s.accepted()
	runScript(t, &p, s, "P !?0")
}

// Where no more lines can be stored ahead, a hold still finds the first record
// that is no duplicate.
func TestPlanHeldWithoutRoom(t *testing.T) {
	s := &streamState{failedRun: 7}
	p := newPlan(Quarantine, sizesOf(5, 100))
	p.left.stored = MaxAhead
	runScript(t, &p, s, "P 0-2 P 0-1 P 0 P !~0-4 P !?0 = !?1 = !?2 P !~2-4 P !?2 + 3 + 4 + end")
}

// Probed places are distinct, one in each eighth, not equally far from each other;
// rounds reach every place.
func TestProbePlaces(t *testing.T) {
	for n := 1; n < 300; n++ {
		seen := map[int]bool{}
		for round := range n {
			places := probePlaces(n, round)
			require.Len(t, places, min(n, 8))
			require.True(t, slices.IsSorted(places))
			for k, place := range places {
				require.GreaterOrEqual(t, place, k*n/len(places))
				require.Less(t, place, (k+1)*n/len(places))
				seen[place] = true
			}
		}
		require.Len(t, seen, n)
	}
	assert.Equal(t, []int{0, 126, 253, 381, 510, 640, 771, 903}, probePlaces(1000, 0))
}

func TestRecordsAfter(t *testing.T) {
	r := newRecords(6)
	first, ahead := r.after([]int{2, 4})
	assert.Equal(t, 0, first)
	assert.Equal(t, []int{2, 4}, ahead)
	r.settle([]int{2, 4})
	first, ahead = r.after([]int{0, 1})
	assert.Equal(t, 3, first)
	assert.Equal(t, []int{4}, ahead)
	first, ahead = r.after([]int{0, 1, 3, 5})
	assert.Equal(t, 6, first)
	assert.Empty(t, ahead)
	assert.Equal(t, []int{0, 1, 3, 5}, r.unsettled())
}
