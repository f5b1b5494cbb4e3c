// Copyright The OpenTelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package collect

import (
	"slices"

	"github.com/openaicompliance/openaicompliancereceiver/internal/deliver"
	"github.com/openaicompliance/openaicompliancereceiver/internal/digest"
	"github.com/openaicompliance/openaicompliancereceiver/internal/record"
)

// fileTally counts and digests the lines of the file in delivery. Its tally is always
// that of the last commit. A nil one does nothing: digests are off.
type fileTally struct {
	tally *digest.Tally
	lines []tallyLine // read and not passed, ascending
}

// tallyLine is a line on its way.
type tallyLine struct {
	number  int
	sum     digest.LineSum
	outcome lineOutcome
}

// lineOutcome is what became of a line.
type lineOutcome int

const (
	lineOpen lineOutcome = iota
	lineDelivered
	lineDuplicate
	lineQuarantined
	lineDropped
)

var lineOutcomes = map[deliver.Outcome]lineOutcome{
	deliver.Accepted: lineDelivered, deliver.Quarantined: lineQuarantined, deliver.Dropped: lineDropped,
}

// beginTally resumes the tally of a file at its next line.
func (s *Stream) beginTally(file listedFile, sha256 string, firstLine int) *fileTally {
	if !s.set.Digests.on() {
		return nil
	}
	if stored := s.checkpoint.Tally(file.ID, sha256); stored != nil {
		if tally, err := digest.ParseTally(stored); err == nil {
			return &fileTally{tally: tally}
		}
	}
	return &fileTally{tally: digest.NewTally(firstLine)}
}

// read takes the lines of a batch: those left out since they were delivered before, and
// those that an earlier delivery has delivered ahead.
func (t *fileTally) read(lines []record.Line, duplicates []int, ahead []record.Line) {
	if t == nil {
		return
	}
	for _, line := range lines {
		outcome := lineOpen
		if _, left := slices.BinarySearch(duplicates, line.Number); left {
			outcome = lineDuplicate
		}
		t.lines = append(t.lines, tallyLine{line.Number, digest.SumLine(line.Text), outcome})
	}
	for _, line := range ahead {
		t.lines = append(t.lines, tallyLine{line.Number, digest.SumLine(line.Text), lineDelivered})
	}
	slices.SortFunc(t.lines, func(a, b tallyLine) int { return a.number - b.number })
}

// settled are lines of one call.
type settled struct {
	numbers   []int // ascending
	fresh     []int // of these, the ones that were sent
	outcome   deliver.Outcome
	malformed int
	nextLine  int // first unsettled line of the file, 0 at its end
}

// settle returns the tally after a call. The receiver stays as it is.
func (t *fileTally) settle(call settled) (*fileTally, error) {
	if t == nil {
		return nil, nil
	}
	tally, err := t.tally.Clone()
	if err != nil {
		return nil, err
	}
	next := &fileTally{tally: tally, lines: slices.Clone(t.lines)}
	for i, line := range next.lines {
		if _, ok := slices.BinarySearch(call.numbers, line.number); !ok {
			continue
		}
		next.lines[i].outcome = lineDuplicate
		if _, sent := slices.BinarySearch(call.fresh, line.number); sent {
			next.lines[i].outcome = lineOutcomes[call.outcome]
		}
	}
	if call.outcome == deliver.Accepted {
		tally.Counts.Malformed += call.malformed
	}
	next.pass(call.nextLine)
	return next, nil
}

// pass counts and digests the lines before a line, all of them for 0.
func (t *fileTally) pass(nextLine int) {
	counts := &t.tally.Counts
	for len(t.lines) > 0 && (nextLine == 0 || t.lines[0].number < nextLine) {
		line := t.lines[0]
		switch line.outcome {
		case lineOpen:
		case lineDelivered:
			counts.Records++
			t.tally.Pass(line.number, line.sum)
		case lineDuplicate:
			counts.Duplicates++
		case lineQuarantined:
			counts.Quarantined++
		case lineDropped:
			counts.Dropped++
		}
		t.tally.Next = line.number + 1
		t.lines = t.lines[1:]
	}
}

// evidence is what the checkpoint stores of the tally: all of it while the file is open,
// and at its end what the next digest lists.
func (t *fileTally) evidence(job *transferJob, nextLine int) (e deliver.Evidence, err error) {
	if t == nil {
		return e, nil
	}
	if nextLine > 0 {
		e.Tally, err = t.tally.MarshalBinary()
		return e, err
	}
	e.Entry, err = digest.Entry{File: &digest.File{
		ID: job.file.ID, Name: job.file.Name, SHA256: job.body.sha256, Size: int64(job.body.size), EndTime: job.file.EndTime,
		Counts: t.tally.Counts, FirstLine: t.tally.FirstLine, LinesSHA256: t.tally.LinesSHA256(), Unverified: !job.body.verified,
	}}.Encode()
	return e, err
}

// maxAmended bounds the lines of one call of the retry queue, since a digest names them.
const maxAmended = 200

// amendment is what the next digest lists of quarantined lines that were delivered.
func (s *Stream) amendment(job transferJob, lines []record.Line, sent offer) (e deliver.Evidence, err error) {
	if !s.set.Digests.on() {
		return e, nil
	}
	delivered, runs := digest.NewLinesDigest(), [][2]int{}
	for _, line := range lines {
		if !slices.Contains(sent.sent, line.Number) {
			continue
		}
		delivered.Add(line.Number, digest.SumLine(line.Text))
		if n := len(runs); n > 0 && runs[n-1][1] == line.Number-1 {
			runs[n-1][1] = line.Number
		} else {
			runs = append(runs, [2]int{line.Number, line.Number})
		}
	}
	e.Entry, err = digest.Entry{Amended: &digest.Amendment{
		FileID: job.file.ID, SHA256: job.body.sha256, Lines: runs, LinesSHA256: delivered.Sum(), Counts: digest.Counts{
			Records: len(sent.sent), Malformed: sent.counts.Malformed, Duplicates: sent.counts.Duplicates,
		},
	}}.Encode()
	return e, err
}
