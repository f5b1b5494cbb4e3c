// Copyright The OpenTelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package compliance

import (
	"context"
	"io"
	"time"
)

// tick is the precision of the API's times, and how far the next page steps back
// from the end of the last one: so files that share the page's last end_time are
// listed again, whether or not the server counts `after` itself in.
const tick = time.Microsecond

// Pager walks the pages of one listing. It is for one goroutine.
type Pager struct {
	list  func(ctx context.Context, r listRange) (Page, error)
	sound func(time.Time) bool

	asks listRange // the next request
	// from is the time after which the listing asks; it never moves back.
	from time.Time
	// exact is set when the next request asks after the exact end of a page, in the
	// server's own text, and not after from.
	exact bool
	done  bool
	seen  map[entryKey]bool
	ties  time.Time // the last end_time that Page.Ties reported
}

// entryKey tells one entry from another.
type entryKey struct{ id, digest string }

func (e Entry) key() entryKey { return entryKey{e.ID, e.Digest} }

// Pages begins a listing of the files of one event type after a time, up to and
// with another, which is zero for no bound; both count in whole microseconds. A
// server may send files outside of the two. sound reports whether an end_time is
// plausible, nil for any: what is not serves for paging only when it is more than
// half of a page.
func (c *Client) Pages(eventType string, after, upTo time.Time, sound func(time.Time) bool) *Pager {
	from := wholeTicks(after)
	asks := listRange{eventType: eventType, after: timeText(from)}
	if !upTo.IsZero() {
		asks.before = timeText(wholeTicks(upTo).Add(tick))
	}
	if sound == nil {
		sound = func(time.Time) bool { return true }
	}
	return &Pager{list: c.list, sound: sound, asks: asks, from: from, seen: map[entryKey]bool{}}
}

func wholeTicks(at time.Time) time.Time { return at.UTC().Truncate(tick) }

func timeText(at time.Time) string { return wholeTicks(at).Format(time.RFC3339Nano) }

// Next returns the next page with the entries that no earlier page had, and io.EOF
// after the last page. With ErrNotAdvancing the listing is not complete. After any
// error but io.EOF the pager is where it was, so that Next may be called again.
func (p *Pager) Next(ctx context.Context) (Page, error) {
	if p.done {
		return Page{}, io.EOF
	}
	page, err := p.list(ctx, p.asks)
	if err != nil {
		return Page{}, err
	}
	fresh := p.unseen(page.Entries)
	switch {
	case !page.HasMore && page.Listed < PageLimit: // has_more alone is not trusted
		p.done = true
	case len(fresh) > 0:
		p.advance(page)
	default:
		if page.Ties, err = p.askAgain(page); err != nil {
			return Page{}, err
		}
	}
	for _, entry := range fresh {
		p.seen[entry.key()] = true
	}
	page.Entries = fresh
	return page, nil
}

// unseen leaves out entries of earlier pages, and of an entry that the page repeats
// all but the best one.
func (p *Pager) unseen(entries []Entry) []Entry {
	var fresh []Entry
	at := map[entryKey]int{}
	for _, entry := range entries {
		key := entry.key()
		if p.seen[key] {
			continue
		}
		if i, repeated := at[key]; repeated {
			if entry.oddity() < fresh[i].oddity() {
				fresh[i] = entry
			}
			continue
		}
		at[key] = len(fresh)
		fresh = append(fresh, entry)
	}
	sortEntries(fresh)
	return fresh
}

// oddity counts what is wrong with an entry; more weight has what keeps it from
// being collected.
func (e Entry) oddity() (n int) {
	for _, odd := range []bool{e.OtherType, e.Fault != "", e.EndTime.IsZero(), e.SHA256 == ""} {
		n <<= 1
		if odd {
			n++
		}
	}
	return n
}

// paged returns the entries whose time serves for paging: those with a plausible
// one. When more than half of a page, at least three, have implausible times, it is
// the clocks that are wrong, and any time serves.
func (p *Pager) paged(entries []Entry) []Entry {
	var timed, sound []Entry
	for _, entry := range entries {
		if entry.EndTime.IsZero() {
			continue
		}
		timed = append(timed, entry)
		if p.sound(entry.EndTime) {
			sound = append(sound, entry)
		}
	}
	if unsound := len(timed) - len(sound); unsound >= 3 && 2*unsound > len(entries) {
		return timed
	}
	return sound
}

// lastEndTime is the page's last_end_time; zero unless it is plausible and later
// than what was asked for.
func (p *Pager) lastEndTime(page Page) time.Time {
	at, ok := parseTime(page.LastEndTime)
	if !ok || !p.sound(at) || !at.After(p.from) {
		return time.Time{}
	}
	return at
}

// advance asks for the page after one that had something new: from one tick before
// its latest end_time, or before last_end_time if that is earlier, since nothing
// between the two has been listed. Where neither is known, the same is asked again.
func (p *Pager) advance(page Page) {
	end := p.lastEndTime(page)
	if paged := p.paged(page.Entries); len(paged) > 0 {
		if latest := paged[len(paged)-1].EndTime; end.IsZero() || latest.Before(end) {
			end = latest
		}
	}
	p.askFrom(end.Add(-tick))
}

// askFrom asks after a time, but never after an earlier one than before.
func (p *Pager) askFrom(at time.Time) {
	if at.After(p.from) {
		p.from = at
	}
	p.asks.after, p.exact = timeText(p.from), false
}

// askAgain decides on a page that promises more and has nothing new. It is asked for
// once more after its exact end. Where files of one end_time fill the page, there
// may be more of them, which no request lists: that end_time is returned, once, and
// a server that lists it again is asked after the next tick.
func (p *Pager) askAgain(page Page) (ties time.Time, err error) {
	end := p.lastEndTime(page)
	stepBack, tied := time.Time{}, false
	if paged := p.paged(page.Entries); len(paged) > 0 {
		first, last := paged[0], paged[len(paged)-1]
		end, stepBack = last.EndTime, last.EndTime.Add(-tick)
		tied = first.EndTime.Equal(end) && first.key() != last.key()
	}
	switch {
	case end.IsZero():
		return time.Time{}, ErrNotAdvancing
	case stepBack.After(p.from): // the last_end_time before was too early
		p.askFrom(stepBack)
	case !p.exact:
		p.asks.after, p.exact = exactText(page, end), true
	case tied && end.Add(tick).After(p.from):
		p.askFrom(end.Add(tick))
	default:
		return time.Time{}, ErrNotAdvancing
	}
	if tied && !end.Equal(p.ties) {
		p.ties, ties = end, end
	}
	return ties, nil
}

// exactText is the end of a page as the server writes it.
func exactText(page Page, end time.Time) string {
	if at, ok := parseTime(page.LastEndTime); ok && at.Equal(end) {
		return page.LastEndTime
	}
	return timeText(end)
}
