// Copyright The OpenTelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package collect

import (
	"context"
	"fmt"
	"time"

	"github.com/openaicompliance/openaicompliancereceiver/internal/checkpoint"
	"github.com/openaicompliance/openaicompliancereceiver/internal/compliance"
	"github.com/openaicompliance/openaicompliancereceiver/internal/record"
)

// listedFile is a file that still needs delivery.
type listedFile struct {
	compliance.File
	// late is set when most polls do not list back to it.
	late bool
	// at is how its end_time counts for the checkpoint.
	at checkpoint.CommitTime
}

// lister yields the files of one poll that still need delivery, page by page. It
// knows paging, the completed files and data gaps, and nothing of downloads.
type lister struct {
	stream  *Stream
	part    checkpoint.Part
	poll    *Poll
	pager   *compliance.Pager
	clocks  checkpoint.Reading // at the answer of the current page
	listed  map[string]bool    // ids of all pages so far
	reached time.Time          // sound end of the pages so far
	pages   int                // with anything new
	// answered is set once the poll has a page.
	answered bool
}

func (s *Stream) newLister(part checkpoint.Part, poll *Poll) *lister {
	seg, _ := s.checkpoint.Segment(part)
	l := &lister{stream: s, part: part, poll: poll, listed: map[string]bool{}}
	if !poll.Began.Local.IsZero() { // a poll that resumes
		l.reached = poll.After
	}
	l.pager = s.deps.API.Pages(s.id.EventType, poll.After, seg.To, s.isPlausible)
	return l
}

// isPlausible reports whether paging may go by an end_time.
func (s *Stream) isPlausible(end time.Time) bool { return plausible(end, s.deps.Clocks.Read()) }

// clocksAtFault reports whether more than half of a page, at least three entries,
// has a time that no clock explains.
func clocksAtFault(entries []compliance.Entry, clocks checkpoint.Reading) bool {
	odd := 0
	for _, entry := range entries {
		if !entry.EndTime.IsZero() && !plausible(entry.EndTime, clocks) {
			odd++
		}
	}
	return odd >= 3 && 2*odd > len(entries)
}

// nextPage returns the files of the next page that still need delivery, and io.EOF
// after the last one.
func (l *lister) nextPage(ctx context.Context) ([]listedFile, error) {
	page, err := l.stream.requestPage(ctx, l.pager)
	if err != nil {
		return nil, err
	}
	l.answered = true
	l.clocks = l.stream.deps.Clocks.Read()
	if l.poll.Began.Local.IsZero() {
		l.poll.Began = l.clocks
	}
	if err := l.checkGap(ctx); err != nil {
		return nil, err
	}
	if !page.Ties.IsZero() {
		if err := l.reportTies(ctx, page.Ties); err != nil {
			return nil, err
		}
	}
	return l.takePage(ctx, page)
}

// takePage sorts out what of a page needs delivery. Faults of single entries stay
// with their entries.
func (l *lister) takePage(ctx context.Context, page compliance.Page) ([]listedFile, error) {
	if noneIdentified(page.Entries) {
		return nil, fmt.Errorf("list files: %w", &compliance.AnswerError{Field: "data", Problem: "has no entry with a usable id"})
	}
	atFault := clocksAtFault(page.Entries, l.clocks)
	if atFault {
		l.stream.note(NoteError, "listed times are later than both clocks", Field{"entries", len(page.Entries)})
	}
	var files []listedFile
	anyNew := false
	for _, entry := range page.Entries {
		l.listed[entry.ID] = true
		file, ok, err := l.takeEntry(ctx, entry)
		if err != nil {
			return nil, err
		}
		anyNew = anyNew || ok
		if ok {
			files = append(files, file)
		}
		if plausible(entry.EndTime, l.clocks) || atFault {
			l.reached = notBefore(entry.EndTime, l.reached)
		}
	}
	if anyNew {
		l.pages++
	}
	return files, nil
}

// noneIdentified reports whether a page of three or more entries has no usable id:
// that is a fault of the type and not of its entries.
func noneIdentified(entries []compliance.Entry) bool {
	for _, entry := range entries {
		if entry.ID != "" {
			return false
		}
	}
	return len(entries) >= 3
}

// takeEntry returns the entry's file if it needs delivery now.
func (l *lister) takeEntry(ctx context.Context, entry compliance.Entry) (file listedFile, ok bool, err error) {
	s := l.stream
	switch {
	case entry.OtherType:
		s.noteOddEntry("other_type", entry)
		return file, false, nil
	case entry.ID == "":
		return file, false, l.reportUnreadable(ctx, entry)
	case s.checkpoint.IsCompleted(entry.ID):
		return file, false, nil
	}
	odd := !plausible(entry.EndTime, l.clocks)
	seg, _ := s.checkpoint.Segment(l.part)
	switch {
	case odd && !s.claims.take(entry.ID, turnOf(l.part)):
		l.poll.Delivered = true // so that the segment does not end before the other has settled it
		return file, false, nil
	case !odd && !seg.Contains(entry.EndTime):
		return file, false, nil // of another segment, or before the floor
	}
	// An entry of lines alone is about a file that is delivered otherwise.
	if queued, ok := s.checkpoint.Queued(entry.ID); ok && queued.NextLine > 0 {
		return file, false, s.queue.relist(ctx, queued, entry.File)
	}
	file = listedFile{
		File: entry.File, late: !odd && !entry.EndTime.After(l.poll.Usual),
		at: checkpoint.CommitTime{Implausible: odd, Now: earlierOf(l.clocks)},
	}
	if entry.Fault != "" {
		s.noteOddEntry("fault", entry)
		return file, false, s.queue.add(ctx, file, fmt.Errorf("list file: %w", &compliance.AnswerError{Field: "data", Problem: entry.Fault}), labelEntry)
	}
	return file, true, nil
}

// reportUnreadable puts an entry without a usable id in sight, once.
func (l *lister) reportUnreadable(ctx context.Context, entry compliance.Entry) error {
	s := l.stream
	if s.checkpoint.IsCompleted(entry.Digest) {
		return nil
	}
	s.noteOddEntry("no_id", entry)
	at := entry.EndTime
	if !plausible(at, l.clocks) {
		at = earlierOf(l.clocks)
	}
	if err := s.reportGap(ctx, record.Gap{
		From: at.Add(-tick), To: at, Reason: record.GapUnreadableEntry, File: record.File{ID: "entry:" + entry.Digest},
	}, compliance.File{}); err != nil {
		return err
	}
	return s.store(ctx, func(ctx context.Context) error {
		return s.checkpoint.MarkCompleted(ctx, entry.Digest, at)
	})
}

// reportTies puts files of one end_time in sight that the API cannot list, once: what
// was reported is kept with the completed files.
func (l *lister) reportTies(ctx context.Context, end time.Time) error {
	s, id := l.stream, "ties:"+end.Format(time.RFC3339Nano)
	if s.checkpoint.IsCompleted(id) {
		return nil
	}
	if err := s.reportGap(ctx, record.Gap{From: end.Add(-tick), To: end, Reason: record.GapTies}, compliance.File{}); err != nil {
		return err
	}
	return s.store(ctx, func(ctx context.Context) error { return s.checkpoint.MarkCompleted(ctx, id, end) })
}

// resumePoint is the time after which a listing resumes that ended early: before
// the first file that was not delivered, or at its last page's end.
func (l *lister) resumePoint(undelivered []listedFile) time.Time {
	at := l.reached
	for _, file := range undelivered {
		if !file.at.Implausible && file.EndTime.Before(at) {
			at = file.EndTime
		}
	}
	if at.IsZero() {
		return l.poll.After
	}
	return notBefore(at.Add(-tick), l.poll.After)
}
