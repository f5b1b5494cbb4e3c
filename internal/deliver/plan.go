// Copyright The OpenTelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package deliver

import (
	"slices"
	"time"
)

const (
	// maxProbes is how many single records are offered in a row to learn whether
	// the next consumer works. A smaller batch is split without.
	maxProbes = 8
	// A batch that failed retryably so often over so long is probed before each try.
	probeAfterFailures = 5
	probeAfterTime     = 5 * time.Minute
	// A single record that is split off after retryable errors has failed after so
	// many tries over so long.
	singleTries = 3
	singleTime  = time.Minute
)

// answerKind is how the next consumer took a step.
type answerKind int

const (
	answerNoCall answerKind = iota // all were duplicates
	answerAccepted
	answerRetryable
	answerPermanent
)

// answer to a step.
type answer struct {
	kind answerKind
	sent int       // records of the call: those of the step without duplicates
	at   time.Time // of the answer
}

// decision is what follows an answer.
type decision struct {
	outcome Outcome // of the step's records; Open when they are offered again
	backOff bool    // the next step waits
}

// partKind is why a part is offered.
type partKind int

const (
	wholeBatch        partKind = iota // not split yet
	probedSplit                       // a single record was accepted after a permanent rejection
	unprobedSplit                     // of a permanently rejected batch too small to probe
	splitAfterRetries                 // after retryable errors
	heldBatch                         // what is left, during a hold
)

// batchPart is some of the batch's records, offered in one call.
type batchPart struct {
	kind     partKind
	records  []int // ascending; settled ones are not offered
	failures int   // retryable ones
	since    time.Time
	vouched  bool // a probe was accepted since the last failure
}

// failed counts a retryable failure.
func (b *batchPart) failed(at time.Time) {
	if b.failures == 0 {
		b.since = at
	}
	b.failures++
}

// hasFailed tells whether there were so many failures over so long.
func (b *batchPart) hasFailed(failures int, over time.Duration, at time.Time) bool {
	return b.failures >= failures && at.Sub(b.since) >= over
}

// probePurpose is why single records are offered.
type probePurpose int

const (
	probeBatch  probePurpose = iota // an acceptance splits the batch; none holds it
	probeBefore                     // one record before the next try of a part
)

// probing is the single records that are offered next.
type probing struct {
	purpose  probePurpose
	records  []int
	rejected int
	reason   answerKind // how the batch was rejected
	round    int        // of earlier probing: another one chooses other records
}

// plan decides which records of one batch are offered next. It is a state machine
// that changes by answers alone: it makes no call and reads no clock.
type plan struct {
	policy  Policy
	left    records
	parts   []batchPart // to be offered; the leftmost is the last
	probing probing
	held    bool
	// heldAt is the stream's count of acceptances when a run of failed single
	// records held it, else -1.
	heldAt int
	size   sizeProof
}

// newPlan begins with the whole batch; sizes are the bytes of each record.
func newPlan(policy Policy, sizes []int) plan {
	p := plan{policy: policy, left: newRecords(len(sizes)), heldAt: -1, size: sizeProof{sizes: sizes}}
	if len(sizes) > 0 {
		p.parts = []batchPart{{records: p.left.all()}}
	}
	return p
}

// step is what to offer next; false when everything is settled.
func (p *plan) step() (Step, bool) {
	switch {
	case len(p.probing.records) > 0:
		return Step{Records: slices.Clone(p.probing.records[:1]), Probe: true}, true
	case len(p.parts) > 0:
		return Step{Records: p.left.of(p.part().records)}, true
	default:
		return Step{}, false
	}
}

// part is the leftmost one.
func (p *plan) part() *batchPart { return &p.parts[len(p.parts)-1] }

// answer takes the answer to the step; what it says of the next consumer is
// added to the stream.
func (p *plan) answer(s *streamState, step Step, a answer) decision {
	switch a.kind {
	case answerNoCall:
		p.settle(step.Records)
		if step.Probe {
			return decision{outcome: Accepted, backOff: p.probed(a.kind)}
		}
		return decision{outcome: Accepted}
	case answerAccepted:
		p.accepted(s, step, a)
		return decision{outcome: Accepted}
	case answerPermanent:
		if p.policy == Drop {
			p.size.spoiled = true
			p.settle(step.Records)
			return decision{outcome: Dropped}
		}
	case answerRetryable:
	}
	if len(step.Records) == 1 {
		p.size.spoiled = true
	}
	if step.Probe {
		p.probing.rejected++
		return decision{backOff: p.probed(a.kind)}
	}
	return p.partRejected(s, a)
}

// accepted settles the step and draws the conclusion from a probe.
func (p *plan) accepted(s *streamState, step Step, a answer) {
	s.accepted()
	p.held = false
	p.size.accepted(step.Records, a.sent)
	p.settle(step.Records)
	if !step.Probe {
		return
	}
	purpose, reason := p.probing.purpose, p.probing.reason
	p.probing.records = nil
	switch {
	case len(p.parts) == 0:
	case purpose == probeBefore:
		p.part().vouched = true
	case reason == answerPermanent:
		p.splitRest(probedSplit)
	default:
		p.splitRest(splitAfterRetries)
	}
}

// settle takes the records, and the parts that are done with them, off the plan.
func (p *plan) settle(records []int) {
	p.left.settle(records)
	for len(p.parts) > 0 && len(p.left.of(p.part().records)) == 0 {
		p.parts = p.parts[:len(p.parts)-1]
	}
}

// partRejected decides what follows the rejection of the leftmost part.
func (p *plan) partRejected(s *streamState, a answer) decision {
	part := p.part()
	switch {
	case part.kind == heldBatch:
		return p.heldRejected(s, a)
	case part.kind == splitAfterRetries:
		part.failed(a.at)
		return p.rejectedAfterRetries(s, a)
	case a.kind == answerPermanent:
		return p.permanentlyRejected(s, a)
	default:
		return p.retryablyRejected(s, a)
	}
}

func (p *plan) permanentlyRejected(s *streamState, a answer) decision {
	part := p.part()
	if part.kind == wholeBatch {
		switch {
		case part.vouched:
			part.kind = probedSplit
		case a.sent < maxProbes || p.left.isAheadFull():
			part.kind = unprobedSplit
		default:
			p.probe(a.kind)
			return decision{}
		}
	}
	if p.halve() {
		return decision{}
	}
	return p.singleFailed(s)
}

func (p *plan) retryablyRejected(s *streamState, a answer) decision {
	part := p.part()
	part.failed(a.at)
	if p.policy == Drop || !part.hasFailed(probeAfterFailures, probeAfterTime, a.at) {
		return decision{backOff: true}
	}
	candidates := p.left.unsettled()
	if records := p.left.of(part.records); len(records) == 1 {
		candidates = slices.DeleteFunc(candidates, func(i int) bool { return i == records[0] })
	}
	switch {
	case part.vouched || len(candidates) > 0 && p.left.isAheadFull():
		// Without room for a probe, the run of failed single records is the only guard.
		part.kind = splitAfterRetries
		if len(part.records) > 1 { // what is left of it, one record perhaps, begins its own tries
			part.failures = 0
			part.failed(a.at)
		}
		return p.rejectedAfterRetries(s, a)
	case len(candidates) > 0:
		round := p.probing.round
		places := probePlaces(len(candidates), round/maxProbes)
		p.probing = probing{
			purpose: probeBefore, records: []int{candidates[places[round%len(places)]]}, round: round + 1,
		}
	}
	return decision{backOff: true}
}

// rejectedAfterRetries splits the part, and gives a single record its tries.
func (p *plan) rejectedAfterRetries(s *streamState, a answer) decision {
	if p.halve() {
		return decision{}
	}
	if !p.part().hasFailed(singleTries, singleTime, a.at) {
		return decision{backOff: true}
	}
	return p.singleFailed(s)
}

// heldRejected probes what is left, unless the stream's next consumer has accepted
// something since a run of failed single records began the hold: that ended it.
func (p *plan) heldRejected(s *streamState, a answer) decision {
	if p.heldAt >= 0 && p.heldAt != s.acceptances {
		p.held, p.heldAt = false, -1
		p.part().kind = splitAfterRetries
		if a.kind == answerPermanent {
			p.part().kind = wholeBatch
		}
		return p.partRejected(s, a)
	}
	p.probe(a.kind)
	return decision{backOff: len(p.probing.records) == 0}
}

// singleFailed ends the single record at the left in quarantine, or holds.
func (p *plan) singleFailed(s *streamState) decision {
	part := p.part()
	if p.policy == Block {
		p.held = true
		return decision{backOff: true}
	}
	if part.kind != probedSplit && !s.singleFailed() {
		p.hold()
		p.heldAt = s.acceptances
		return decision{backOff: true}
	}
	p.settle(part.records)
	return decision{outcome: Quarantined}
}

// hold makes all that is left one part again, which is retried until something is
// accepted.
func (p *plan) hold() {
	p.held, p.heldAt = true, -1
	p.size.spoiled = true
	p.parts = []batchPart{{kind: heldBatch, records: p.left.unsettled()}}
}

// probe chooses up to eight single records of what is left. A batch of one record
// is its own probe.
func (p *plan) probe(reason answerKind) {
	round := p.probing.round
	p.probing = probing{purpose: probeBatch, reason: reason, round: round + 1}
	left := p.left.unsettled()
	if len(left) == 1 {
		return
	}
	if p.left.isAheadFull() { // only the first record adds nothing to what is stored ahead
		p.probing.records = left[:1]
		return
	}
	for _, place := range probePlaces(len(left), round) {
		p.probing.records = append(p.probing.records, left[place])
	}
}

// probed continues after a probe that was not accepted; kind is its answer. It
// returns whether the next step waits.
func (p *plan) probed(kind answerKind) (backOff bool) {
	p.probing.records = p.probing.records[1:]
	full, last := p.left.isAheadFull(), len(p.probing.records) == 0
	switch {
	case len(p.parts) == 0 || p.probing.purpose == probeBefore || !full && !last:
		return false
	case p.part().kind == heldBatch && full && kind == answerNoCall:
		p.probing.records = []int{p.left.first}
		return false
	case p.part().kind == heldBatch:
		p.probing.records = nil
		return true
	case last && p.probing.rejected > 0:
		p.hold()
		return true
	default: // duplicates took the room for probes: little is known
		p.probing.records = nil
		p.splitRest(unprobedSplit)
		return false
	}
}

// splitRest makes all that is left one part again and halves it.
func (p *plan) splitRest(kind partKind) {
	p.parts = []batchPart{{kind: kind, records: p.left.unsettled()}}
	p.halve()
}

// halve replaces the leftmost part by its halves; false for a single record.
func (p *plan) halve() bool {
	part := p.part()
	records, kind := p.left.of(part.records), part.kind
	part.records = records
	if len(records) < 2 {
		return false
	}
	p.size.split = true
	middle := (len(records) + 1) / 2
	p.parts[len(p.parts)-1] = batchPart{kind: kind, records: records[middle:]}
	p.parts = append(p.parts, batchPart{kind: kind, records: records[:middle]})
	return true
}

// probePlaces are up to eight of n places, one in each eighth, ascending; another
// round has other places. The places are not equally far from each other, so that
// records that repeat at one distance are not the only ones probed.
func probePlaces(n, round int) []int {
	count := min(n, maxProbes)
	places := make([]int, count)
	for k := range places {
		from, to := k*n/count, (k+1)*n/count
		places[k] = from + (k*(k+1)/2+round)%(to-from)
	}
	return places
}
