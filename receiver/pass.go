// Copyright The OpenTelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package receiver

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"go.uber.org/zap"

	"github.com/openaicompliance/openaicompliancereceiver/internal/checkpoint"
	"github.com/openaicompliance/openaicompliancereceiver/internal/compliance"
)

// pass is one listing of a segment, page by page, from its begin to its end. One
// that was cut or has failed is gone on with by the next, so that passes which end
// early come to an end together.
type pass struct {
	number  int
	started time.Time
	// ctx bounds the requests of the pass and carries its span; finish ends both
	// with what became of the pass.
	ctx     context.Context //nolint:containedctx // the pass is the scope of its requests
	finish  func(error)
	keyUsed string
	kind    passKind
	// since is when the first of the passes began that go on with each other.
	since time.Time
	// from is the time after which it lists; usual the one after which most
	// passes do: a file between the two appeared late.
	from, usual time.Time

	pager *compliance.Pager
	// queue holds the files of the last page that still need delivery.
	queue []compliance.File
	// answered is set once a page has come, ended behind the last one.
	answered, ended bool
	// resumed is set when the pass goes on with another, fresh when a file has been
	// delivered by any of them, through when all was listed and that is stored.
	resumed, fresh, through bool
	// pages counts those with anything new: not those with files alone that are set
	// aside, or the pass would never come past them.
	pages int
	// listed holds the files that were listed and not finished.
	listed map[string]bool
	// began is the server's clock at the first page, covered the end of the last.
	began, covered time.Time

	tally tally
	// spent is set when the time of poll_timeout went to a file that is set aside.
	spent bool
}

// passKind says how far back a pass lists.
type passKind int

const (
	_ passKind = iota // lists from the position less the overlap
	// passDeep lists the last days, for files that appeared later than the
	// overlap foresees.
	passDeep
	// passWhole lists all of a segment with an upper bound, before it ends.
	passWhole
)

// deepInterval is how often deepList is listed again. The first pass of a run does
// so too. A file that appears lateAtMost after its end is found by one of them.
const (
	deepInterval = 24 * time.Hour
	lateAtMost   = 72 * time.Hour
	deepList     = lateAtMost + deepInterval
)

// newPass begins a pass over the lane's segment.
func (l *lane) newPass(ctx context.Context) *pass {
	s := l.stream
	s.passes++
	now := time.Now()
	p := &pass{number: s.passes, started: now, since: now, listed: map[string]bool{}, usual: s.progress.ListFrom(l.part, 0)}
	p.keyUsed, _ = s.api.Key.Key()
	p.ctx, p.finish = s.scope(ctx)
	segment, _ := s.progress.Segment(l.part)
	if old := l.leftOff; old != nil {
		l.leftOff = nil
		if l.part == checkpoint.History || now.Sub(old.since) < liveReach {
			p.goOn(old)
			p.pager = s.api.Pages(s.eventType, old.reached(), segment.To, nil)
			return p
		}
	}
	p.from = p.usual
	switch {
	case l.whole:
		p.kind, p.from = passWhole, s.progress.ListFrom(l.part, retention)
	case l.part == checkpoint.Live && s.replay == "" && (l.deepListed.IsZero() || time.Since(l.deepListed) >= deepInterval):
		p.kind, p.from = passDeep, s.progress.ListFrom(l.part, deepList)
	}
	p.pager = s.api.Pages(s.eventType, p.from, segment.To, nil)
	return p
}

// goOn takes over what a pass that ended early has found. What it had listed and not
// delivered counts as not covered: it may expire before it is listed again.
func (p *pass) goOn(old *pass) {
	p.kind, p.from, p.usual, p.since = old.kind, old.from, old.usual, old.since
	p.began, p.covered, p.listed = old.began, old.reached(), old.listed
	p.resumed, p.fresh = true, old.fresh
}

// reached is the time after which the listing of a pass that ended early has to go
// on: its last page may have ended between two files of one end_time.
func (p *pass) reached() time.Time {
	at := p.covered
	if len(p.queue) > 0 {
		at = p.queue[0].EndTime
	}
	if at = at.Add(-time.Microsecond); at.Before(p.from) {
		return p.from
	}
	return at
}

// scope is a context for one pass, and what ends it.
func (s *stream) scope(ctx context.Context) (context.Context, func(error)) {
	cancel := func() {}
	if s.cfg.PollTimeout > 0 {
		ctx, cancel = context.WithTimeout(ctx, s.cfg.PollTimeout)
	}
	ctx, finish := s.telemetry.pass(ctx, s.eventType)
	return ctx, func(err error) {
		finish(err)
		cancel()
	}
}

// overdue reports whether the pass has taken as long as poll_timeout allows.
func (p *pass) overdue() bool { return errors.Is(p.ctx.Err(), context.DeadlineExceeded) }

// late reports whether a file is found later than most passes look.
func (p *pass) late(file compliance.File) bool { return !file.EndTime.After(p.usual) }

// nextPage lists one page and queues what of it needs delivery.
func (l *lane) nextPage(ctx context.Context) error {
	s, p := l.stream, l.pass
	page, err := s.requestPage(p.ctx, p.pager) //nolint:contextcheck // made of ctx when the pass began
	if errors.Is(err, io.EOF) {
		p.ended = true
		return nil
	}
	if err != nil {
		return fmt.Errorf("list files: %w", err)
	}
	p.answered = true
	s.setServerTime(page.Date)
	if p.began.IsZero() {
		p.began = page.Date
		if split, err := l.splitFarBehind(ctx, page.Date); split || err != nil {
			return err
		}
	}
	if err := s.checkGap(ctx, l.part, page.Date, p.covered); err != nil {
		return err
	}
	l.take(filesOf(page))
	return nil
}

// take queues the files of a page that belong to the segment and are not done.
func (l *lane) take(files []compliance.File) {
	s, p := l.stream, l.pass
	segment, _ := s.progress.Segment(l.part)
	anyNew := 0
	for _, file := range files {
		p.covered = file.EndTime
		if !segment.Holds(file.EndTime) || !file.EndTime.After(p.from) || s.progress.Done(file.ID) {
			continue
		}
		p.listed[file.ID] = true
		aside := s.progress.Quarantined(file.ID)
		if !aside {
			anyNew = 1
		}
		if !aside || !l.passBy {
			p.queue = append(p.queue, file)
		}
	}
	p.pages += anyNew
	if n := len(files); n > 0 && !segment.To.IsZero() && files[n-1].EndTime.After(segment.To) {
		p.ended = true // a server that does not know the upper bound
	}
}

// requestPage asks for a page in its turn. Nothing that other streams may wait for
// is held while a failed request is tried again.
func (s *stream) requestPage(ctx context.Context, pager *compliance.Pager) (page compliance.Page, err error) {
	err = s.list.do(ctx, func() error {
		began := time.Now()
		if s.lists.PausedFor(began) > lookInterval {
			s.dropAhead()
		}
		if err := s.lists.Enter(ctx); err != nil {
			return err
		}
		s.telemetry.rateLimitWait(ctx, compliance.OperationList, time.Since(began))
		if page, err = pager.Next(ctx); err == nil {
			err = checkPage(page)
		}
		if err != nil && !errors.Is(err, io.EOF) {
			s.dropAhead()
		}
		return err
	})
	if page.Trailing > 0 {
		s.logger.Warn("The list answer carries bytes behind its JSON document; they are ignored.", zap.Int("bytes", page.Trailing))
	}
	return page, err
}

// errTies is a page full of files with one end_time: paging by time cannot list all of
// them.
var errTies = errors.New("more files share one end_time than a page holds; paging by time cannot list them all")

// checkPage refuses a page with an entry that this engine cannot collect: to leave it
// out would be a silent gap.
func checkPage(page compliance.Page) error {
	for _, entry := range page.Entries {
		problem := ""
		switch {
		case entry.Fault != "":
			problem = entry.Fault
		case entry.OtherType:
			problem = "event_type is not the type that was asked for"
		case entry.EndTime.IsZero():
			problem = "end_time is not an RFC 3339 time"
		case entry.SHA256 == "":
			problem = "file_sha256 is not 64 hexadecimal digits"
		default:
			continue
		}
		field, problem, _ := strings.Cut(problem, " ")
		return &compliance.AnswerError{Field: field, Problem: problem}
	}
	if !page.Ties.IsZero() {
		return errTies
	}
	return nil
}

// filesOf returns the files of a page that checkPage let through.
func filesOf(page compliance.Page) []compliance.File {
	files := make([]compliance.File, len(page.Entries))
	for i, entry := range page.Entries {
		files[i] = entry.File
	}
	return files
}

// liveReach is how far back live may begin: what is older is history. A little more
// than that is not worth a split.
const (
	liveReach = 24 * time.Hour
	liveSlack = time.Hour
)

// splitFarBehind makes history of what live has not reached for long, after an
// outage: new files need not wait for old ones. The pass begins again then.
func (l *lane) splitFarBehind(ctx context.Context, serverTime time.Time) (split bool, err error) {
	s := l.stream
	live, _ := s.progress.Segment(checkpoint.Live)
	at := serverTime.Add(-liveReach).Truncate(time.Microsecond)
	if serverTime.IsZero() || l.part != checkpoint.Live || s.replay != "" || !at.After(live.Known().Add(liveSlack)) ||
		(!live.To.IsZero() && !at.Before(live.To)) {
		return false, nil
	}
	s.logger.Info("The stream is far behind: new files are collected first, those before the boundary beside them.",
		zap.Time("position", live.Known()), zap.Time("boundary", at))
	if err := s.store(ctx, func(ctx context.Context) error { return s.progress.Split(ctx, at) }); err != nil {
		return false, fmt.Errorf("split off history: %w", err)
	}
	l.pass.finish(nil)
	l.pass = l.newPass(ctx)
	return true, nil
}
