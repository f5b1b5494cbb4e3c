// Copyright The OpenTelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package sim

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/openaicompliance/openaicompliancereceiver/internal/fakeapi"
)

// lists counts the list requests so far.
func (s *scene) lists() (n int) {
	for _, r := range s.api.Requests() {
		if r.Host == "api" && strings.HasSuffix(r.Path, "/logs") {
			n++
		}
	}
	return n
}

// A poll that takes much longer than the interval is followed by one that is overdue,
// and then the interval counts again: the missed ones are not made up for.
func TestLongPollIsMadeUpForOnce(t *testing.T) {
	play(t, fakeapi.Options{}, func(s *scene) {
		s.cfg.PollInterval = 5 * time.Minute
		s.add(time.Hour, "a")
		entered, release := make(chan struct{}, 1), make(chan struct{})
		s.setConsume(func(plog.Logs) error {
			entered <- struct{}{}
			<-release
			return nil
		})
		s.start()
		<-entered
		time.Sleep(2 * time.Hour)
		before := s.lists()
		close(release)
		time.Sleep(14 * time.Minute)
		assert.Equal(t, 3, s.lists()-before, "one at once, and two by the interval")
	})
}

// A clock that is set forward, or advances while the machine sleeps, does not make a
// stream poll again and again until the interval is over; neither does one that is set
// back stop it.
func TestClockIsSet(t *testing.T) {
	for name, by := range map[string]time.Duration{"forward": 3 * time.Hour, "back": -3 * time.Hour} {
		t.Run(name, func(t *testing.T) {
			play(t, fakeapi.Options{}, func(s *scene) {
				s.cfg.PollInterval = 5 * time.Minute
				s.start()
				time.Sleep(7 * time.Minute)
				before := s.lists()
				s.setOffset(by)
				time.Sleep(30 * time.Minute)
				assert.Equal(t, 6, s.lists()-before)
			})
		})
	}
}

// A stream polls at the times of its schedule.
func TestStreamWaitsForSchedule(t *testing.T) {
	play(t, fakeapi.Options{}, func(s *scene) {
		s.cfg.Schedule = "*/20 * * * *"
		s.start()
		time.Sleep(time.Minute)
		first := s.lists()
		began := time.Now()
		time.Sleep(time.Hour)
		assert.Equal(t, 3, s.lists()-first)
		for _, r := range s.api.Requests() {
			if !r.At.After(began) {
				continue
			}
			due := r.At.UTC().Truncate(20 * time.Minute)
			assert.Less(t, r.At.Sub(due), time.Minute+time.Second, "the clock is looked at each minute")
		}
	})
}
