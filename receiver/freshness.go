// Copyright The OpenTelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package receiver

import (
	"strconv"
	"time"

	"github.com/openaicompliance/openaicompliancereceiver/internal/checkpoint"
)

// tellFreshness brings the gauges up to where the stream stands.
func (s *stream) tellFreshness() {
	files := 0
	for i, l := range []*lane{s.live, s.history} {
		segment, ok := s.progress.Segment(l.part)
		if !ok {
			s.fresh.pending(s.replay+"/"+strconv.Itoa(i), 0, time.Time{})
			continue
		}
		aside, oldest := s.progress.QuarantinedIn(segment)
		if l.pass != nil && len(l.pass.queue) > 0 {
			if first := l.pass.queue[0].EndTime; aside == 0 || first.Before(oldest) {
				oldest = first
			}
			aside += len(l.pass.queue)
		}
		s.fresh.pending(s.replay+"/"+strconv.Itoa(i), aside, oldest)
		files += aside
	}
	if s.replay != "" {
		return
	}
	if live, _ := s.progress.Segment(checkpoint.Live); !live.Known().Equal(live.From) {
		s.fresh.upTo(live.Known())
	}
	s.fresh.aside(s.progress.Aside())
}
