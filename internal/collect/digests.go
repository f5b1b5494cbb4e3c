// Copyright The OpenTelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package collect

import (
	"context"
	"crypto/ed25519"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"go.opentelemetry.io/collector/config/configretry"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/openaicompliance/openaicompliancereceiver/internal/checkpoint"
	"github.com/openaicompliance/openaicompliancereceiver/internal/deliver"
	"github.com/openaicompliance/openaicompliancereceiver/internal/digest"
	"github.com/openaicompliance/openaicompliancereceiver/internal/record"
	"github.com/openaicompliance/openaicompliancereceiver/internal/wait"
)

// DigestSettings are about the records that prove what was delivered.
type DigestSettings struct {
	// Interval between two digests; 0 is none at all.
	Interval time.Duration
	// Key signs them; nil does not.
	Key ed25519.PrivateKey
}

func (d DigestSettings) on() bool { return d.Interval > 0 }

// digestRetry rules the calls with a digest: it is never given up.
var digestRetry = configretry.BackOffConfig{
	Enabled: true, InitialInterval: time.Second, MaxInterval: 5 * time.Minute, Multiplier: 2,
}

// errDigestOverdue is a digest that the next consumer has not accepted for long.
var errDigestOverdue = errors.New("deliver digest: overdue")

// digester cuts and delivers the digests of a stream, one after the other. What it does
// is in the checkpoint: a digest is cut by storing its bytes, then delivered, then
// committed. So a restart delivers the very same bytes.
type digester struct {
	stream *Stream
	// overdue is set while the last digest has been rejected for an interval.
	overdue bool
}

// run cuts a digest in each interval, and at once when one is full.
func (d *digester) run(ctx context.Context) {
	s := d.stream
	for ctx.Err() == nil {
		at, ok := s.checkpoint.Digests()
		if !ok {
			return
		}
		due := at.Cut.Add(s.set.Digests.Interval)
		switch pause := time.Until(due); {
		case at.Pending != "":
			d.deliver(ctx, at)
		case at.Full > 0 || pause <= 0:
			_ = d.cut(ctx)
		default:
			_ = wait.Sleep(ctx, min(pause, digestCheck))
		}
	}
}

// digestCheck is how often the digester looks for a full digest.
const digestCheck = 5 * time.Second

// finish cuts and delivers what is left at the end of a stream.
func (d *digester) finish(ctx context.Context) {
	s := d.stream
	for ctx.Err() == nil {
		at, ok := s.checkpoint.Digests()
		switch {
		case !ok, at.Pending == "" && at.Full == 0 && !at.Waiting && at.Number > 0:
			return
		case at.Pending != "":
			d.deliver(ctx, at)
		default:
			if d.cut(ctx) != nil {
				return
			}
		}
	}
}

func (d *digester) cut(ctx context.Context) error {
	s := d.stream
	return s.store(ctx, func(ctx context.Context) error {
		now := time.Now()
		return s.checkpoint.CutDigest(ctx, now, func(in checkpoint.DigestInput) ([]byte, error) { return s.digestOf(now, in) })
	})
}

// digestOf is the document of the next digest.
func (s *Stream) digestOf(now time.Time, in checkpoint.DigestInput) ([]byte, error) {
	doc := digest.Document{
		Chain: in.ID, Number: in.Number + 1, Term: in.Term, Previous: in.SHA256, Cut: now.UTC().Truncate(tick),
		PrincipalID: s.set.Source.PrincipalID, EventType: s.id.EventType, Replay: s.id.Replay,
	}
	for i, seg := range in.Segments {
		named := digest.Segment{Part: "live", From: seg.From, Cursor: seg.Cursor, ListedThrough: seg.ListedThrough}
		if i < len(in.Segments)-1 {
			named.Part, named.To = "history", in.Segments[i+1].From
		}
		doc.Segments = append(doc.Segments, named)
	}
	for _, entry := range in.Entries {
		if err := doc.Add(entry); err != nil {
			return nil, err
		}
	}
	for i, file := range doc.Files {
		doc.Files[i].Late = !in.Through.IsZero() && !file.EndTime.IsZero() && !file.EndTime.After(in.Through)
	}
	return doc.Encode()
}

// deliver offers the pending digest until the next consumer accepts it. Files are
// delivered meanwhile, and its rejections count towards no hold.
func (d *digester) deliver(ctx context.Context, at checkpoint.DigestState) {
	s, observed := d.stream, time.Now()
	doc := record.Digest{Document: at.Pending, SHA256: digest.Sum([]byte(at.Pending)), Chain: at.ID, Number: at.Number + 1}
	if parsed, err := digest.Decode([]byte(at.Pending)); err == nil {
		doc.Term = parsed.Term
	}
	if key := s.set.Digests.Key; key != nil {
		doc.Signature = digest.Sign(key, []byte(at.Pending))
	}
	call := deliver.Call{Records: 1, Build: func() plog.Logs { return record.NewMapper(s.set.Source).Digest(doc, observed) }}
	backOff := wait.NewBackOff(digestRetry)
	for {
		err := d.offer(ctx, call)
		if err == nil {
			d.setOverdue(nil)
			s.deps.Observer.DigestDelivered(s.id, doc.Number)
			return
		}
		if ctx.Err() != nil {
			return
		}
		if time.Since(at.Cut) > s.set.Digests.Interval {
			d.setOverdue(fmt.Errorf("%w: %w", errDigestOverdue, err))
		}
		pause, _ := backOff.Next(0)
		_ = wait.Sleep(ctx, pause)
	}
}

// offer makes one call and commits its success, under the delivery lock.
func (d *digester) offer(ctx context.Context, call deliver.Call) error {
	s := d.stream
	if err := s.lock.Acquire(ctx, deliver.TurnRetry); err != nil {
		return fmt.Errorf("deliver digest: %w", err)
	}
	defer s.lock.Release()
	calls, done := s.deps.Detach(ctx)
	defer done()
	if _, err := s.consumer.OfferOnce(calls, call); err != nil {
		return err
	}
	return s.store(ctx, s.checkpoint.DigestDelivered)
}

func (d *digester) setOverdue(err error) {
	if overdue := err != nil; overdue != d.overdue {
		d.overdue = overdue
		hold := Hold{}
		if overdue {
			hold = Hold{Err: err, Fault: Fault{Scope: ScopeConsumer, Label: "digest_overdue", Hint: hintDigestOverdue}}
		}
		d.stream.deps.Observer.HeldBy(d.stream.id, HoldDigest, hold)
	}
}

// prepareDigests begins a chain, or ends the one of an earlier run when digests are off:
// it would lack what is delivered now.
func (s *Stream) prepareDigests(ctx context.Context) error {
	if !s.set.Digests.on() {
		return s.store(ctx, s.checkpoint.EndDigests)
	}
	_, resumed := s.checkpoint.Digests()
	if err := s.store(ctx, func(ctx context.Context) error { return s.checkpoint.BeginDigests(ctx, time.Now()) }); err != nil {
		return err
	}
	at, _ := s.checkpoint.Digests()
	if !resumed {
		s.note(NoteInfo, "new chain of digests", Field{"chain", at.ID})
	}
	s.deps.Observer.DigestDelivered(s.id, at.Number)
	return nil
}

// noteGap lists a reported gap in the next digest.
func (s *Stream) noteGap(ctx context.Context, gap record.Gap) error {
	if !s.set.Digests.on() {
		return nil
	}
	entry, err := digest.Entry{Gap: &digest.Gap{
		Reason: gap.Reason, From: gap.From.UTC(), To: gap.To.UTC(), FileID: gap.File.ID, FirstLine: gap.FirstLine, LastLine: gap.LastLine,
	}}.Encode()
	if err != nil {
		return err
	}
	return s.store(ctx, func(ctx context.Context) error { return s.checkpoint.AppendDigestEntry(ctx, json.RawMessage(entry)) })
}
