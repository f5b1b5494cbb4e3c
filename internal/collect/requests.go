// Copyright The OpenTelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package collect

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/openaicompliance/openaicompliancereceiver/internal/compliance"
	"github.com/openaicompliance/openaicompliancereceiver/internal/wait"
)

// isEnd reports the end of a listing.
func isEnd(err error) bool { return errors.Is(err, io.EOF) }

// requestPage asks for a page in its turn, again where api_retry says so. It
// returns io.EOF after the last page.
func (s *Stream) requestPage(ctx context.Context, pager *compliance.Pager) (compliance.Page, error) {
	retries := wait.NewBackOff(s.set.Fetch.Retry)
	for {
		page, fault, err := s.tryPage(ctx, pager)
		if err == nil || fault.Retry != RetryNow && fault.Retry != RetryPause || ctx.Err() != nil {
			return page, err
		}
		pause, again := s.nextTry(retries, fault)
		s.pauseRequests(fault, pause)
		if !again {
			return page, err
		}
		if waitErr := wait.Sleep(ctx, pause); waitErr != nil && fault.Retry == RetryPause {
			return page, fmt.Errorf("list files: %w", waitErr) // a pause is no failure
		} else if waitErr != nil {
			return page, err
		}
	}
}

// tryPage asks for a page once, in its turn.
func (s *Stream) tryPage(ctx context.Context, pager *compliance.Pager) (page compliance.Page, fault Fault, err error) {
	began := time.Now()
	if err := s.deps.Lists.Wait(ctx); err != nil {
		return page, fault, fmt.Errorf("list files: %w", err)
	}
	s.deps.Observer.ListWaited(ctx, time.Since(began))
	key, _ := s.deps.API.Key.Key()
	s.deps.Observer.RequestSent(s.id)
	page, err = pager.Next(ctx)
	switch {
	case isEnd(err):
		s.deps.Observer.RequestSucceeded(s.id) // no request was needed
		return page, fault, err
	case err == nil, errors.Is(err, compliance.ErrNotAdvancing):
		s.answered(page, key)
	case ctx.Err() != nil:
		s.deps.Observer.RequestFailed(s.id, Fault{}, err)
	default:
		fault = s.classifier.Classify(err)
		s.deps.Observer.RequestFailed(s.id, fault, err)
		s.deps.Keys.answered(key, fault.Poll == PollUnauthorized, err)
	}
	if err != nil {
		err = fmt.Errorf("list files: %w", err)
	}
	return page, fault, err
}

// answered takes note of a page of the API.
func (s *Stream) answered(page compliance.Page, key string) {
	s.deps.Observer.RequestSucceeded(s.id)
	s.deps.Keys.answered(key, false, nil)
	difference, alarm := s.deps.Clocks.Observe(page.Date)
	s.deps.Observer.ClockSkew(difference, alarm)
	if page.Trailing > 0 {
		s.note(NoteWarn, "ignoring trailing data after list response", Field{"bytes", page.Trailing})
	}
}

// pauseOf is how long the server asked to be left alone, within bounds.
func (s *Stream) pauseOf(fault Fault) time.Duration {
	return max(min(fault.Pause.For, s.set.Fetch.MaxRetryAfter), fault.Pause.Waiting)
}

// nextTry is how long to wait for the next try. A 429 makes even those wait whose
// tries in this poll are over: another stream or file asks the same route.
func (s *Stream) nextTry(retries *wait.BackOff, fault Fault) (pause time.Duration, again bool) {
	pause, again = retries.Next(s.pauseOf(fault))
	if !again && fault.Pause.Limited {
		pause = max(s.pauseOf(fault), s.set.Fetch.Retry.MaxInterval)
	}
	return pause, again
}

// pauseRequests keeps others from what a server asked to be left alone with: a
// storage host pauses nobody but itself. A 429 always pauses, without a
// Retry-After for as long as the back-off is.
func (s *Stream) pauseRequests(fault Fault, backOff time.Duration) {
	pause := min(fault.Pause.For, s.set.Fetch.MaxRetryAfter)
	if fault.Pause.Limited {
		pause = max(pause, backOff)
	}
	switch {
	case fault.Pause.Host != "":
		if pause > 0 {
			s.deps.Hosts.Pause(fault.Pause.Host, pause)
		}
	case fault.Pause.Op == compliance.OperationList:
		s.deps.Lists.Pause(pause)
		if fault.Pause.Limited {
			s.deps.Lists.Rejected()
		}
	case fault.Pause.Op == compliance.OperationDownload:
		s.deps.Downloads.Pause(pause)
		if fault.Pause.Limited {
			s.deps.Downloads.Rejected()
		}
	}
}
