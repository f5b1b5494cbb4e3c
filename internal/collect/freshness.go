// Copyright The OpenTelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package collect

import (
	"context"
	"time"
)

const (
	// quietAfter is how long a type has no new file before the API is asked for its
	// newest record, and how often it is asked then: each question is a record of the
	// customer's audit log.
	quietAfter = 30 * time.Minute
	// freshnessRetry is how long nothing is asked of an API that does not know the
	// route.
	freshnessRetry = 24 * time.Hour
)

// freshness says when to ask the API for the newest record of a type. It is for the
// goroutine of the live segment.
type freshness struct {
	lastFile time.Time // when a file was last delivered; zero before
	next     time.Time
}

// due reports whether the type has been quiet for long enough, and is to be asked for
// at now.
func (f freshness) due(now time.Time) bool {
	return now.Sub(f.lastFile) >= quietAfter && !now.Before(f.next)
}

// checkFreshness asks for the newest record of a type that is quiet. Whatever the API
// answers, nothing depends on it but what is shown. It returns nil when nothing was
// asked, or not answered.
func (g *segment) checkFreshness(ctx context.Context, delivered bool) (newest *time.Time) {
	s, now := g.stream, time.Now()
	if delivered {
		g.fresh.lastFile = now
		s.deps.Observer.NewestEvent(s.id, time.Time{})
		return nil
	}
	if !g.fresh.due(now) {
		return nil
	}
	at, err := s.deps.API.NewestEvent(ctx, s.id.EventType)
	g.fresh.next = now.Add(quietAfter)
	s.deps.Observer.NewestEvent(s.id, at)
	if err != nil {
		if s.classifier.Classify(err).Poll == PollNotFound {
			g.fresh.next = now.Add(freshnessRetry)
		}
		s.note(NoteDebug, "newest record unknown", Field{"error", err})
		return nil
	}
	return &at
}
