// Copyright The OpenTelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package sim

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"go.opentelemetry.io/collector/component/componentstatus"
	"go.opentelemetry.io/collector/consumer/consumererror"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/openaicompliance/openaicompliancereceiver/internal/fakeapi"
)

// dateAhead makes the next list answers carry a Date that is wrong.
func dateAhead(by time.Duration, times int) fakeapi.Fault {
	return fakeapi.Fault{Op: "list", Times: times, DateOffset: fakeapi.Duration(by)}
}

// Answers with a Date in the future, then right ones again, lose and invent nothing:
// files that follow are delivered, also after a restart.
func TestFaultDateAheadOfTime(t *testing.T) {
	for _, days := range []int{8, 31, 40} {
		t.Run(fmt.Sprintf("%d days", days), func(t *testing.T) {
			play(t, fakeapi.Options{}, func(s *scene) {
				s.add(time.Hour, "before")
				s.start()
				s.requireOnce(time.Minute, "before")
				time.Sleep(time.Hour)
				s.api.Script(dateAhead(time.Duration(days)*24*time.Hour, 4))
				time.Sleep(30 * time.Minute)
				s.add(0, "after")
				s.requireOnce(6*time.Minute, "before", "after")
				s.stop()
				s.add(2*time.Hour, "late")
				s.start()
				s.add(0, "later")
				s.requireOnce(6*time.Minute, "before", "after", "late", "later")
				assert.Empty(t, s.gaps())
				require.Len(t, s.stored().Segments, 1)
				assert.False(t, s.stored().Segments[0].ListedThrough.After(time.Now()))
			})
		})
	}
}

// One answer with a Date two days ahead: a file that appears three hours late is
// found within a day.
func TestFaultOneDateAhead(t *testing.T) {
	play(t, fakeapi.Options{}, func(s *scene) {
		s.add(5*time.Hour, "before")
		s.start()
		s.requireOnce(time.Minute, "before")
		s.api.Script(dateAhead(48*time.Hour, 1))
		time.Sleep(30 * time.Minute)
		s.add(3*time.Hour, "late")
		s.requireOnce(25*time.Hour, "before", "late")
	})
}

// Dates a month ahead while records are quarantined give nothing up.
func TestFaultDateAheadWithQuarantine(t *testing.T) {
	play(t, fakeapi.Options{}, func(s *scene) {
		t := s.t
		s.setConsume(func(logs plog.Logs) error {
			if holdsText(logs, "poison") {
				return consumererror.NewPermanent(assert.AnError)
			}
			return nil
		})
		s.add(time.Hour, "poison")
		s.add(30*time.Minute, "good")
		s.start()
		s.requireOnce(time.Minute, "good")
		s.api.Script(dateAhead(31*24*time.Hour, 200))
		time.Sleep(10 * time.Hour)
		assert.Empty(t, s.gaps())
		s.setConsume(nil)
		s.requireOnce(7*time.Hour, "good", "poison")
	})
}

// A Date ahead of time does not end a stream before its upper bound.
func TestFaultDateAheadOfUntil(t *testing.T) {
	for _, ahead := range []time.Duration{2 * time.Hour, 70 * 365 * 24 * time.Hour} {
		play(t, fakeapi.Options{}, func(s *scene) {
			t := s.t
			until := time.Now().Add(3 * time.Hour)
			s.cfg.Until = until.Format(time.RFC3339)
			s.add(time.Hour, "before")
			s.api.Script(dateAhead(ahead, 20))
			s.start()
			s.requireOnce(time.Minute, "before")
			time.Sleep(2 * time.Hour)
			s.add(0, "within")
			time.Sleep(6 * time.Hour)
			s.requireOnce(time.Second, "before", "within")
			assert.True(t, s.stored().Ended, "it ends when both clocks are past the bound")
		})
	}
}

// The collector's own clock is 30 hours ahead at the first start: the earlier clock
// counts, so nothing of what start_from means is left out.
func TestFaultOwnClockAheadAtFirstStart(t *testing.T) {
	play(t, fakeapi.Options{}, func(s *scene) {
		t := s.t
		s.setOffset(30 * time.Hour)
		s.add(20*time.Hour, "old")
		s.start()
		time.Sleep(10 * time.Minute)
		s.add(0, "new")
		s.requireOnce(10*time.Minute, "old", "new")
		s.setOffset(0)
		s.add(0, "after")
		s.requireOnce(10*time.Minute, "old", "new", "after")
		assert.Empty(t, s.gaps())
		assert.WithinDuration(t, s.begun.Add(-24*time.Hour), s.stored().Bounds.Floor, time.Minute)
	})
}

// The collector's clock is behind, or was restored from a snapshot: nothing is lost,
// nothing invented.
func TestFaultOwnClockBehind(t *testing.T) {
	play(t, fakeapi.Options{}, func(s *scene) {
		t := s.t
		s.add(time.Hour, "before")
		s.start()
		s.requireOnce(time.Minute, "before")
		s.setOffset(-40 * 24 * time.Hour)
		s.add(0, "after")
		s.requireOnce(10*time.Minute, "before", "after")
		s.stop()
		s.setOffset(0)
		s.start()
		s.add(0, "again")
		s.requireOnce(10*time.Minute, "before", "after", "again")
		assert.Empty(t, s.gaps())
	})
}

// A receiver that starts while its own clock is behind has no Date yet: that does not
// make stored times too late, and changes nothing of them.
func TestFaultOwnClockBehindAtStart(t *testing.T) {
	play(t, fakeapi.Options{}, func(s *scene) {
		t := s.t
		s.add(time.Hour, "before")
		s.start()
		s.requireOnce(time.Minute, "before")
		s.stop()
		cursor := s.stored().Segments[0].Cursor
		s.setOffset(-10 * time.Hour)
		s.start()
		time.Sleep(time.Minute)
		assert.Equal(t, cursor, s.stored().Segments[0].Cursor)
		assert.Zero(t, s.logs.FilterMessage("stored cursor is later than both clocks").Len())
		s.add(0, "after")
		s.requireOnce(6*time.Minute, "before", "after")
	})
}

// A difference of the clocks is an alarm in the status, which ends with it.
func TestFaultClockSkewAlarm(t *testing.T) {
	play(t, fakeapi.Options{}, func(s *scene) {
		t := s.t
		s.start()
		time.Sleep(10 * time.Minute)
		s.setOffset(20 * time.Minute)
		time.Sleep(30 * time.Minute)
		assert.Equal(t, componentstatus.StatusRecoverableError, s.lastStatus())
		assert.Equal(t, 1, s.logs.FilterMessage("clock differs from the API's clock").Len())
		s.setOffset(0)
		time.Sleep(30 * time.Minute)
		assert.Equal(t, componentstatus.StatusOK, s.lastStatus())
	})
}

// A listed end_time that no clock explains is a fault of that time: the file is
// delivered at once, once, and no cursor moves by it, with a Date and without.
func TestFaultImplausibleEndTime(t *testing.T) {
	for _, end := range []any{
		"9999-12-31T00:00:00.000000Z", "9999-12-31T23:59:59.999999-23:59", "1969-12-31T23:59:59Z", "not a time", nil, 17, "2026-08-01T00:00:00",
		"2026-09-10T00:00:00Z",
	} {
		for _, noDate := range []bool{false, true} {
			t.Run(fmt.Sprintf("%v, no date %v", end, noDate), func(t *testing.T) {
				play(t, fakeapi.Options{}, func(s *scene) {
					t := s.t
					odd := s.add(time.Minute, "odd")
					s.add(2*time.Minute, "before")
					s.api.Script(fakeapi.Fault{Op: "list", NoDate: noDate, Rewrite: func(page map[string]any) {
						for _, entry := range page["data"].([]any) {
							if e := entry.(map[string]any); e["id"] == odd.ID {
								e["end_time"] = end
							}
						}
					}})
					s.start()
					s.requireOnce(time.Minute, "odd", "before")
					time.Sleep(time.Hour)
					s.add(0, "after")
					s.requireOnce(6*time.Minute, "odd", "before", "after")
					s.stop()
					s.start()
					time.Sleep(26 * time.Hour)
					s.add(0, "later")
					s.requireOnce(6*time.Minute, "odd", "before", "after", "later")
					for _, seg := range s.stored().Segments {
						assert.False(t, seg.Cursor.After(time.Now()), "the cursor is %s", seg.Cursor)
					}
					assert.Empty(t, s.gaps())
				})
			})
		}
	}
}

// A file of history with an implausible time is delivered too, and comes no second time
// when a later listing goes further back, be its time right by then or not.
func TestFaultImplausibleEndTimeInHistory(t *testing.T) {
	for _, end := range []any{"9999-12-31T00:00:00.000000Z", "1969-12-31T23:59:59Z", nil} {
		t.Run(fmt.Sprint(end), func(t *testing.T) {
			play(t, fakeapi.Options{}, func(s *scene) {
				t := s.t
				s.cfg.StartFrom = "-120h"
				old, recent := s.add(70*time.Hour, "old"), s.add(20*time.Hour, "recent")
				s.add(80*time.Hour, "before")
				s.add(time.Hour, "after")
				want := []string{"old", "recent", "before", "after"}
				s.api.Script(fakeapi.Fault{Op: "list", Rewrite: func(page map[string]any) {
					for _, entry := range page["data"].([]any) {
						if e := entry.(map[string]any); e["id"] == old.ID || e["id"] == recent.ID {
							e["end_time"] = end
						}
					}
				}})
				s.start()
				s.requireOnce(time.Minute, want...)
				time.Sleep(time.Hour)
				require.Len(t, s.stored().Segments, 1, "history is complete")
				s.stop()
				s.start()
				time.Sleep(time.Hour)
				s.api.ClearScript()
				s.stop()
				s.start()
				time.Sleep(25 * time.Hour)
				s.add(0, "new")
				s.requireOnce(6*time.Minute, append(want, "new")...)
				assert.Empty(t, s.gaps())
			})
		})
	}
}

// After an implausible end_time a real outage is still reported as a gap.
func TestFaultImplausibleEndTimeHidesNoGap(t *testing.T) {
	play(t, fakeapi.Options{}, func(s *scene) {
		t := s.t
		odd := s.add(time.Minute, "odd")
		s.api.Script(fakeapi.Fault{Op: "list", Rewrite: func(page map[string]any) {
			for _, entry := range page["data"].([]any) {
				if e := entry.(map[string]any); e["id"] == odd.ID {
					e["end_time"] = "9999-12-31T00:00:00Z"
				}
			}
		}})
		s.start()
		s.requireOnce(time.Minute, "odd")
		s.stop()
		s.add(0, "expires")
		time.Sleep(40 * 24 * time.Hour)
		s.start()
		s.add(0, "new")
		s.requireOnce(6*time.Minute, "odd", "new")
		assert.Equal(t, map[string]int{"retention": 1}, s.gaps())
	})
}

// One clock alone says that a month has passed: the gap is suspected, shown, and
// dropped once the clocks agree.
func TestFaultSuspectedGap(t *testing.T) {
	play(t, fakeapi.Options{}, func(s *scene) {
		t := s.t
		s.add(time.Hour, "before")
		s.start()
		s.requireOnce(time.Minute, "before")
		s.setOffset(40 * 24 * time.Hour)
		time.Sleep(time.Hour)
		assert.Empty(t, s.gaps())
		require.NotEmpty(t, s.stored().Segments[0].Suspected, "the scene is not what it should be")
		cursor := s.stored().Segments[0].Cursor
		s.setOffset(0)
		time.Sleep(time.Hour)
		assert.Equal(t, cursor, s.stored().Segments[0].Cursor, "it was right all the time")
		assert.Zero(t, s.logs.FilterMessage("stored cursor is later than both clocks").Len())
		assert.False(t, s.stored().Segments[0].ListedThrough.After(time.Now()))
		s.add(0, "after")
		s.requireOnce(6*time.Minute, "before", "after")
		assert.Empty(t, s.gaps())
	})
}

// A suspected gap that is confirmed later covers what has expired until then, and nothing
// that is still served, whatever the wrong clock said.
func TestFaultSuspectedGapIsConfirmedLater(t *testing.T) {
	play(t, fakeapi.Options{}, func(s *scene) {
		t := s.t
		s.cfg.StartFrom = "-720h"
		for i := range 8 {
			s.add(720*time.Hour-time.Duration(i)*30*time.Minute-time.Minute, fmt.Sprint("old-", i))
		}
		s.add(time.Hour, "new")
		s.api.Script(fakeapi.Fault{Op: "list", Skip: 1, Times: 3, DateOffset: fakeapi.Duration(40 * 24 * time.Hour)})
		blocked := make(chan struct{})
		s.setConsume(func(plog.Logs) error { <-blocked; return nil })
		s.start()
		time.Sleep(125 * time.Minute)
		require.NotEmpty(t, s.stored().Segments[0].Suspected, "the scene is not what it should be")
		close(blocked)
		s.setConsume(nil)
		time.Sleep(30 * time.Minute)
		got := s.delivered()
		delete(got, "old-0") // was on its way
		assert.Equal(t, map[string]int{"old-5": 1, "old-6": 1, "old-7": 1, "new": 1}, got)
		require.Equal(t, 1, s.gaps()["retention"], "beside files that expired on their way")
		s.mu.Lock()
		defer s.mu.Unlock()
		at := slices.IndexFunc(s.records, func(r map[string]any) bool { return r["openai.compliance.gap.reason"] == "retention" })
		to, err := time.Parse(time.RFC3339Nano, s.records[at]["openai.compliance.gap.to"].(string))
		require.NoError(t, err)
		assert.False(t, to.After(time.Now().Add(-fakeapi.Retention)), "%s is still served", to)
		assert.True(t, to.After(time.Now().Add(-fakeapi.Retention-35*time.Minute)), "what has expired until %s is not all", to)
	})
}

// A stored cursor that was edited into the future is corrected and reported, and
// files are delivered.
func TestFaultStoredCursorAhead(t *testing.T) {
	play(t, fakeapi.Options{}, func(s *scene) {
		t := s.t
		s.add(time.Hour, "before")
		s.start()
		s.requireOnce(time.Minute, "before")
		// What a build would store whose both clocks were 20 days ahead.
		s.stop()
		s.setOffset(20 * 24 * time.Hour)
		s.api.Script(dateAhead(20*24*time.Hour, 3))
		s.start()
		time.Sleep(11 * time.Minute)
		s.stop()
		s.setOffset(0)
		s.api.ClearScript()
		require.True(t, s.stored().Segments[0].ListedThrough.After(time.Now()), "the scene is not what it should be")
		s.start()
		s.add(0, "after")
		s.requireOnce(6*time.Minute, "before", "after")
		assert.Equal(t, 1, s.logs.FilterMessage("stored cursor is later than both clocks").Len())
		time.Sleep(time.Hour)
		segments := s.stored().Segments
		assert.False(t, segments[len(segments)-1].ListedThrough.After(time.Now()))
	})
}
