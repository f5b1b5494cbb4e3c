// Copyright The OpenTelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package compliance

import (
	"context"
	"io"
	"time"
)

// pageStep is how far the next page steps back from the end of the last one: the
// API's times have microseconds, so files that share the page's last end_time
// come again, whether the server counts `after` itself in or not.
const pageStep = time.Microsecond

// Pager walks the pages of one listing. It is for one goroutine.
type Pager struct {
	list func(ctx context.Context, r listRange) (Page, error)
	asks listRange // what the next request asks for

	last     time.Time // end of the pages so far
	verbatim bool      // after is the server's own text, asked for once more
	done     bool
	seen     map[string]bool
}

// Pages begins a listing of the files of one event type after a time, up to and
// with another, which is zero for no bound. A server may send files outside of the
// two all the same.
func (c *Client) Pages(eventType string, after, upTo time.Time) *Pager {
	asks := listRange{eventType: eventType, after: timeText(after)}
	if !upTo.IsZero() {
		asks.before = timeText(upTo.Add(pageStep))
	}
	return &Pager{list: c.list, asks: asks, seen: map[string]bool{}}
}

func timeText(at time.Time) string { return at.UTC().Format(time.RFC3339Nano) }

// Next returns the files of the next page that no earlier page had, and io.EOF
// behind the last page. After any other error the pager stands where it stood,
// so that Next may be called again.
func (p *Pager) Next(ctx context.Context) (Page, error) {
	if p.done {
		return Page{}, io.EOF
	}
	page, err := p.list(ctx, p.asks)
	if err != nil {
		return Page{}, err
	}
	fresh := p.unseen(page.Files)
	if page.HasMore {
		if err := p.step(page, len(fresh)); err != nil {
			return Page{}, err
		}
	}
	for _, file := range fresh {
		p.seen[file.ID] = true
	}
	p.done = !page.HasMore
	page.Files = fresh
	return page, nil
}

// unseen leaves out files of earlier pages and an id's repetition on this one.
func (p *Pager) unseen(files []File) []File {
	var fresh []File
	here := map[string]bool{}
	for _, file := range files {
		if !p.seen[file.ID] && !here[file.ID] {
			here[file.ID] = true
			fresh = append(fresh, file)
		}
	}
	return fresh
}

// step decides where the next page begins. A page without a new file is asked
// once more, from the server's own text, and is an error if that brings nothing
// either - unless one end_time fills the page: asking past it would leave files
// out, so that is an error at once.
func (p *Pager) step(page Page, fresh int) error {
	end, text, err := pageEnd(page)
	if err != nil {
		return err
	}
	if fresh == 0 {
		n := len(page.Files)
		switch {
		case n > 0 && page.Files[0].EndTime.Equal(page.Files[n-1].EndTime):
			return ErrTiesFillPage
		case p.verbatim || text == "":
			return ErrNotAdvancing
		}
		p.verbatim = true
		p.asks.after = text
		return nil
	}
	if end.Before(p.last) {
		return ErrNotAdvancing
	}
	p.verbatim = false
	p.last = end
	p.asks.after = timeText(end.Add(-pageStep))
	return nil
}

// pageEnd is the page's last_end_time, or its last file's where the server left
// that out or named a later one: nothing between the two has been listed.
func pageEnd(page Page) (end time.Time, text string, err error) {
	text = page.LastEndTime
	if text != "" {
		if end, err = time.Parse(time.RFC3339Nano, text); err != nil {
			return time.Time{}, "", &AnswerError{"last_end_time", "is not an RFC 3339 time"}
		}
	}
	if n := len(page.Files); n > 0 {
		if last := page.Files[n-1].EndTime; text == "" || end.After(last) {
			return last, last.Format(time.RFC3339Nano), nil
		}
	}
	return end, text, nil
}
