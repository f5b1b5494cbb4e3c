// Copyright The OpenTelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package collect

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"time"

	"github.com/openaicompliance/openaicompliancereceiver/internal/checkpoint"
	"github.com/openaicompliance/openaicompliancereceiver/internal/compliance"
	"github.com/openaicompliance/openaicompliancereceiver/internal/limit"
	"github.com/openaicompliance/openaicompliancereceiver/internal/wait"
)

// fetchTries is how often a file is tried in one poll whose failure may be the
// host's.
const fetchTries = 3

// prefetchFor is how long after an accepted batch a stream downloads ahead.
const prefetchFor = 30 * time.Second

// expiringWithin is how near its expiry a file goes before all others.
const expiringWithin = 24 * time.Hour

// errEvicted is a file whose memory the limiter took before all of it was
// delivered: it is fetched again.
var errEvicted = errors.New("deliver file: its memory was needed elsewhere")

// body is the content of a downloaded file. The limiter may take its memory while
// nothing moves; a holder of parts of it copies them in detach.
type body struct {
	size     int // bytes
	sha256   string
	verified bool
	grant    *limit.Grant

	mu     sync.Mutex // guards what follows
	bytes  []byte     // nil once evicted or released
	gone   bool
	detach func()
}

// evict lets go of the content. It is called once, by the limiter.
func (b *body) evict() {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.detach != nil {
		b.detach()
	}
	b.bytes, b.gone = nil, true
}

func (b *body) evicted() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.gone
}

// release gives the memory back. Nobody looks into the content afterwards.
func (b *body) release() {
	b.mu.Lock()
	b.bytes, b.detach = nil, nil
	b.mu.Unlock()
	b.grant.Release()
}

// prefetcher downloads the files of a page in their order, at most a few ahead of
// the one in delivery. It owns their memory and their cancellation. It is for one
// goroutine.
type prefetcher struct {
	stream  *Stream
	part    checkpoint.Part
	queue   []listedFile // not settled
	running []*download  // of the first files of the queue
	tries   int          // of the first file in this poll
	retries *wait.BackOff
	// lastAccepted is when the next consumer accepted a batch of the segment last.
	lastAccepted time.Time
}

// download is one file under way.
type download struct {
	file   listedFile
	ticket *limit.Ticket
	cancel context.CancelFunc
	finish func(error)   // ends the file's span
	begun  atomic.Bool   // its turn has come
	done   chan struct{} // closed once body or err is set
	body   *body
	err    error
}

func (s *Stream) newPrefetcher(part checkpoint.Part) *prefetcher {
	return &prefetcher{stream: s, part: part}
}

// load takes the files of the next page.
func (p *prefetcher) load(files []listedFile) {
	p.cancelAll()
	p.queue, p.tries = files, 0
}

// next returns the first file's content. It tries again where the failure may be
// the host's, then alone: a file whose turn has come never waits for memory that a
// later one holds. The caller releases the body.
func (p *prefetcher) next(ctx context.Context) (*body, error) {
	for {
		p.fill(ctx)
		first := p.running[0]
		select {
		case <-first.done:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
		if first.err == nil && !first.body.evicted() {
			p.setTurns()
			return first.body, nil
		}
		if first.err == nil {
			p.restart()
			continue
		}
		if err := p.retry(ctx, first.err); err != nil {
			return nil, err
		}
	}
}

// retry waits for the next try of the first file, or returns why there is none in
// this poll. The downloads ahead end for the time of the wait.
func (p *prefetcher) retry(ctx context.Context, err error) error {
	s := p.stream
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if p.retries == nil {
		p.retries = wait.NewBackOff(s.set.Fetch.Retry)
	}
	fault := s.classifier.Classify(err)
	pause, again := s.nextTry(p.retries, fault)
	s.pauseRequests(fault, pause)
	switch {
	case fault.Retry == RetryPause && fault.Scope == ScopeKey:
		p.cancelAll()
		return wait.Sleep(ctx, pause) // a pause of the API is no failure of the file
	case fault.Retry != RetryPause && fault.Retry != RetryNow && fault.Retry != RetryURL:
		return err
	}
	if p.tries++; p.tries >= fetchTries || !again {
		return err
	}
	p.cancelAll()
	return wait.Sleep(ctx, pause)
}

// fill keeps downloads of the first files under way.
func (p *prefetcher) fill(ctx context.Context) {
	for i := len(p.running); i < min(p.depth(), len(p.queue)); i++ {
		var after *limit.Ticket
		if i > 0 {
			after = p.running[i-1].ticket
		}
		p.running = append(p.running, p.stream.startDownload(ctx, p.queue[i], p.request(p.queue[i], after)))
	}
}

// depth is how many files may be under way: several while the next consumer
// accepts and nothing fails.
func (p *prefetcher) depth() int {
	if p.tries > 0 || p.lastAccepted.IsZero() || time.Since(p.lastAccepted) > prefetchFor {
		return 1
	}
	return max(1, p.stream.set.Fetch.Ahead)
}

// accepted takes note of a batch that the next consumer accepted: what was
// downloaded ahead has come nearer to its turn.
func (p *prefetcher) accepted() {
	p.lastAccepted = time.Now()
	for _, d := range p.running {
		select {
		case <-d.done:
			if d.err == nil {
				d.body.grant.Progress()
			}
		default:
		}
	}
}

// tried reports whether the first file was requested in this poll: to wait for its
// turn, or for the end of a pause, is no try.
func (p *prefetcher) tried() bool {
	return p.tries > 0 || len(p.running) > 0 && p.running[0].begun.Load()
}

func (p *prefetcher) setTurns() {
	for turn, d := range p.running {
		select {
		case <-d.done:
			if d.err == nil {
				d.body.grant.SetTurn(turn)
			}
		default:
		}
	}
}

// settled takes the first file off.
func (p *prefetcher) settled() {
	if len(p.running) > 0 && p.running[0].file.ID == p.queue[0].ID {
		p.running[0].end(nil)
		p.running = p.running[1:]
	}
	p.queue, p.tries, p.retries = p.queue[1:], 0, nil
}

// restart downloads the first file again, alone.
func (p *prefetcher) restart() {
	p.cancelAll()
	p.tries = 0
}

// dropFirst ends the first file's download, which has failed. Those ahead go on.
func (p *prefetcher) dropFirst() {
	if len(p.running) > 0 {
		p.running[0].end(context.Canceled)
		p.running = p.running[1:]
	}
}

// cancelAll ends all downloads and gives their memory back.
func (p *prefetcher) cancelAll() {
	for _, d := range p.running {
		d.end(context.Canceled)
	}
	p.running = nil
}

// request is what the limiter is asked for.
func (p *prefetcher) request(file listedFile, after *limit.Ticket) limit.Request {
	s := p.stream
	return limit.Request{
		Priority: s.priority(p.part, file), EndTime: file.EndTime, Size: s.memoryFor(file.File), After: after,
	}
}

// priority of a download. The earliest end_time of a priority goes first.
func (s *Stream) priority(part checkpoint.Part, file listedFile) limit.Priority {
	now := earlierOf(s.deps.Clocks.Read())
	seg, _ := s.checkpoint.Segment(part)
	switch {
	case file.Size < 0:
		return limit.UnknownSize
	case s.id.Replay != "":
		return limit.Replay
	case !file.at.Implausible && file.EndTime.Before(now.Add(expiringWithin-retention)):
		return limit.Expiring
	case part == checkpoint.History, !seg.To.IsZero() && seg.To.Before(now.Add(-LiveReach)):
		return limit.History
	case s.set.Fetch.Important:
		return limit.Important
	}
	return limit.Live
}

// recordMemory is about how much memory the records of a batch take beside its
// lines, with bodies that are maps (docs/performance.md).
const recordMemory = 4

// memoryFor is what a file takes while it is on its way, with a batch of it.
func (s *Stream) memoryFor(file compliance.File) int64 {
	size := file.Size
	if size < 0 || size > s.set.Fetch.MaxFileSize {
		size = s.set.Fetch.MaxFileSize
	}
	return compliance.Room(size) + recordMemory*min(int64(s.set.Batch.MaxBytes), size)
}

// startDownload begins the download of a file in a goroutine of its own.
func (s *Stream) startDownload(ctx context.Context, file listedFile, request limit.Request) *download {
	ctx, cancel := context.WithCancel(ctx)
	ctx, finish := s.deps.Observer.StartFile(ctx, s.id, file.File)
	d := &download{
		file: file, cancel: cancel, finish: finish, done: make(chan struct{}), ticket: s.deps.Downloads.Enqueue(request),
	}
	go func() {
		defer close(d.done)
		d.body, d.err = s.fetchFile(ctx, d)
	}()
	return d
}

// await waits for a download, and ends it when it fails or ctx ends.
func (d *download) await(ctx context.Context) error {
	select {
	case <-d.done:
	case <-ctx.Done():
	}
	if err := ctx.Err(); err != nil {
		d.end(err)
		return err
	}
	if d.err != nil {
		d.end(nil)
	}
	return d.err
}

// end ends a download and gives back what it holds. err is what became of the file;
// the download's own error comes before it.
func (d *download) end(err error) {
	d.cancel()
	<-d.done
	if d.body != nil {
		d.body.release()
	}
	if d.err != nil {
		err = d.err
	}
	d.finish(err)
}

// fetchFile downloads a file once, in its turn.
func (s *Stream) fetchFile(ctx context.Context, d *download) (*body, error) {
	grant, err := s.deps.Downloads.Acquire(ctx, d.ticket)
	if err != nil {
		return nil, err
	}
	d.begun.Store(true)
	content, err := s.deps.API.Download(ctx, d.file.File)
	grant.Downloaded()
	if content.Verified && s.deps.Contact.match() {
		s.deps.Observer.HeldBy(StreamID{}, HoldDigests, Hold{})
	}
	content, err = s.verifier.judge(d.file.File, content, err)
	if err != nil {
		grant.Release()
		if ctx.Err() == nil {
			s.deps.Observer.RequestFailed(s.id, s.classifier.Classify(err), err)
		}
		return nil, err
	}
	s.deps.Observer.RequestSucceeded(s.id)
	s.deps.Observer.FileRead(ctx, s.id, len(content.Bytes))
	b := &body{size: len(content.Bytes), sha256: content.SHA256, verified: content.Verified, bytes: content.Bytes, grant: grant}
	grant.Progress()
	grant.OnEvict(b.evict)
	return b, nil
}
