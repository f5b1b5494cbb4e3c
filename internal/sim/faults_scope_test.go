// Copyright The OpenTelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package sim

import (
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"go.opentelemetry.io/collector/component/componentstatus"
	"go.opentelemetry.io/collector/consumer/consumererror"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/openaicompliance/openaicompliancereceiver/internal/fakeapi"
)

// rewriteEntry changes one entry of every list answer.
func rewriteEntry(id string, change func(entry map[string]any) any) fakeapi.Fault {
	return fakeapi.Fault{Op: "list", Rewrite: func(page map[string]any) {
		data := page["data"].([]any)
		for i, entry := range data {
			if e, ok := entry.(map[string]any); ok && e["id"] == id {
				data[i] = change(e)
			}
		}
	}}
}

// set is a change of one member.
func set(key string, value any) func(map[string]any) any {
	return func(e map[string]any) any { e[key] = value; return e }
}

// One odd entry among eleven costs that entry at most: the ten others come at once.
// An entry that can be read in spite of its form is delivered too; one that cannot
// is named.
func TestFaultOddEntry(t *testing.T) {
	base64Of := func(e map[string]any) any {
		sum, _ := hex.DecodeString(e["file_sha256"].(string))
		e["file_sha256"] = base64.StdEncoding.EncodeToString(sum)
		return e
	}
	for name, tt := range map[string]struct {
		change    func(map[string]any) any
		delivered bool
		gap       string
	}{
		"no digest":        {func(e map[string]any) any { delete(e, "file_sha256"); return e }, false, ""},
		"null digest":      {set("file_sha256", nil), false, ""},
		"prefixed digest":  {func(e map[string]any) any { e["file_sha256"] = "sha256:" + e["file_sha256"].(string); return e }, true, ""},
		"base64 digest":    {base64Of, true, ""},
		"null size":        {set("file_size", nil), true, ""},
		"size as text":     {func(e map[string]any) any { e["file_size"] = fmt.Sprint(e["file_size"]); return e }, true, ""},
		"size as fraction": {func(e map[string]any) any { e["file_size"] = fmt.Sprintf("%v.0", e["file_size"]); return e }, true, ""},
		"absurd size":      {set("file_size", int64(1)<<62), false, ""},
		"wrong size":       {set("file_size", 7), false, ""},
		"+0000": {func(e map[string]any) any {
			e["end_time"] = strings.Replace(e["end_time"].(string), "Z", "+0000", 1)
			return e
		}, true, ""},
		"blank in the time": {func(e map[string]any) any {
			e["end_time"] = strings.Replace(e["end_time"].(string), "T", " ", 1)
			return e
		}, true, ""},
		"no type":           {func(e map[string]any) any { delete(e, "event_type"); return e }, true, ""},
		"null type":         {set("event_type", nil), true, ""},
		"other type":        {set("event_type", "CODEX_LOG"), false, ""},
		"no id":             {func(e map[string]any) any { delete(e, "id"); return e }, false, "unreadable_entry"},
		"id of 4,000 bytes": {set("id", strings.Repeat("x", 4000)), false, "unreadable_entry"},
		"null":              {func(map[string]any) any { return nil }, false, "unreadable_entry"},
		"name of 3 MB":      {set("file_name", strings.Repeat("n", 3_000_000)), true, ""},
	} {
		t.Run(name, func(t *testing.T) {
			play(t, fakeapi.Options{}, func(s *scene) {
				t := s.t
				var want []string
				for i := range 11 {
					id := fmt.Sprint("e-", i)
					file := s.add(time.Duration(20-i)*time.Minute, id)
					if i == 5 {
						s.api.Script(rewriteEntry(file.ID, tt.change))
						if !tt.delivered {
							continue
						}
					}
					want = append(want, id)
				}
				s.start()
				if tt.delivered { // at the latest by the first try from the retry queue
					s.requireOnce(7*time.Minute, want...)
				} else {
					s.requireOnce(10*time.Second, want...)
				}
				time.Sleep(time.Hour)
				s.requireOnce(time.Second, want...)
				gaps := map[string]int{}
				if tt.gap != "" {
					gaps[tt.gap] = 1
				}
				assert.Equal(t, gaps, s.gaps(), "reported once")
				s.api.ClearScript()
				s.add(0, "new")
				if tt.gap == "" && name != "other type" {
					want = append(want[:0], numbered("e", 11)...) // the entry is right again
				} else if name == "other type" || tt.gap != "" {
					want = append(want[:0], numbered("e", 11)...)
				}
				s.requireOnce(7*time.Hour, append(want, "new")...)
			})
		})
	}
}

// An odd entry is quarantined as soon as its page is read; the cursor does not pass the
// files listed before it, which are still to come.
func TestFaultOddEntryPassesNoFile(t *testing.T) {
	play(t, fakeapi.Options{}, func(s *scene) {
		first := s.add(10*time.Hour, "first")
		odd := s.add(time.Hour, "odd")
		s.api.Script(rewriteEntry(odd.ID, set("file_size", nil)))
		blocked := make(chan struct{})
		s.setConsume(func(plog.Logs) error { <-blocked; return nil })
		s.start()
		time.Sleep(time.Minute)
		assert.Len(s.t, s.stored().Queue, 1)
		assert.True(s.t, s.stored().Segments[0].Cursor.Before(first.EndTime))
		close(blocked)
		s.setConsume(nil)
		s.requireOnce(7*time.Minute, "first", "odd")
	})
}

// An entry that was wrong while its file was collected, and that no poll lists again, is
// looked up by the retry queue: the file is delivered once its entry is right.
func TestFaultWrongEntryInHistory(t *testing.T) {
	for name, change := range map[string]func(map[string]any) any{
		"size": set("file_size", 7), "absurd size": set("file_size", int64(1)<<62), "digest": set("file_sha256", strings.Repeat("0", 64)),
	} {
		t.Run(name, func(t *testing.T) {
			play(t, fakeapi.Options{}, func(s *scene) {
				s.cfg.StartFrom, s.cfg.Download.Verify = "-240h", "strict"
				bad := s.add(200*time.Hour, "bad")
				s.add(time.Hour, "good")
				s.api.Script(rewriteEntry(bad.ID, change))
				s.start()
				s.requireOnce(time.Minute, "good")
				time.Sleep(12 * time.Hour)
				require.Len(s.t, s.stored().Segments, 1, "history is complete")
				s.api.ClearScript()
				s.requireOnce(7*time.Hour, "good", "bad")
				assert.Empty(s.t, s.stored().Queue)
			})
		})
	}
}

// A page of three or more entries without a usable id is a fault of the type.
func TestFaultPageWithoutIDs(t *testing.T) {
	play(t, fakeapi.Options{}, func(s *scene) {
		t := s.t
		for _, id := range numbered("e", 4) {
			s.add(time.Hour, id)
		}
		s.api.Script(fakeapi.Fault{Op: "list", Times: 5, Rewrite: func(page map[string]any) {
			for _, entry := range page["data"].([]any) {
				delete(entry.(map[string]any), "id")
			}
		}})
		s.start()
		time.Sleep(2 * time.Minute)
		assert.Empty(t, s.gaps())
		s.requireOnce(time.Hour, numbered("e", 4)...)
	})
}

// A file whose redirect is not followed waits in the retry queue; the files after it
// are delivered at once, and it is once its redirect is right.
func TestFaultRedirect(t *testing.T) {
	for name, header := range map[string]map[string]string{
		"user information": {"Location": "http://u:p@127.0.0.1:8081/blob/x"},
		"no Location":      {},
		"no host":          {"Location": "http:///x"},
		"other scheme":     {"Location": "ftp://127.0.0.1/x"},
	} {
		t.Run(name, func(t *testing.T) {
			play(t, fakeapi.Options{}, func(s *scene) {
				t := s.t
				bad := s.add(2*time.Hour, "bad")
				s.add(time.Hour, "good")
				s.api.Script(fakeapi.Fault{Op: "download", FileID: bad.ID, Status: 302, Header: header})
				s.start()
				s.requireOnce(10*time.Second, "good")
				require.Len(t, s.stored().Queue, 1)
				assert.Equal(t, bad.ID, s.stored().Queue[0].File.ID)
				assert.Equal(t, "redirect", s.stored().Queue[0].Cause)
				s.api.ClearScript()
				s.requireOnce(10*time.Minute, "good", "bad")
				assert.Empty(t, s.stored().Queue)
			})
		})
	}
}

// The exact listed bytes are the file, whatever the answer is labeled.
func TestFaultContentEncoding(t *testing.T) {
	for _, label := range []string{"aws-chunked", "UTF-8", "binary", "none", "null", "deflate", "identity,aws-chunked", "br"} {
		t.Run(label, func(t *testing.T) {
			play(t, fakeapi.Options{}, func(s *scene) {
				s.add(time.Hour, "a")
				s.api.Script(fakeapi.Fault{Op: "fetch", Header: map[string]string{"Content-Encoding": label}})
				s.start()
				s.requireOnce(10*time.Second, "a")
			})
		})
	}
}

// limitBytes rejects batches above a size, as a backend with a request limit.
func limitBytes(limit int, err error) func(plog.Logs) error {
	return func(logs plog.Logs) error {
		if (&plog.ProtoMarshaler{}).LogsSize(logs) > limit {
			return err
		}
		return nil
	}
}

// A backend that rejects large batches gets smaller ones: everything is delivered,
// nothing is quarantined, and the log names the setting.
func TestFaultOversizedBatch(t *testing.T) {
	for name, err := range map[string]error{
		"permanent": consumererror.NewPermanent(errors.New("413")),
		"retryable": errors.New("sending queue: batch is larger than the queue"),
	} {
		t.Run(name, func(t *testing.T) {
			play(t, fakeapi.Options{}, func(s *scene) {
				t := s.t
				s.setConsume(limitBytes(100_000, err))
				var ids []string
				for f := range 4 {
					var lines []string
					for i := range 900 {
						id := fmt.Sprintf("%d-%d", f, i)
						ids = append(ids, id)
						lines = append(lines, fmt.Sprintf(`{"event_id":%q,"text":%q}`, id, strings.Repeat("x", 300)))
					}
					s.api.Add("AUTH_LOG", time.Now().Add(-time.Hour+time.Duration(f)*time.Minute), lines...)
				}
				s.start()
				s.requireOnce(time.Hour, ids...)
				assert.Empty(t, s.stored().Queue)
				assert.Equal(t, 1, s.logs.FilterMessage("batch size limit learned, set batch::max_bytes").Len())
			})
		})
	}
}

// Poisoned records cost themselves and nothing else.
func TestFaultPoisonedRecords(t *testing.T) {
	for name, poisoned := range map[string]func(i int) bool{
		"the first of 1,000":       func(i int) bool { return i == 0 },
		"eight spread over 1,000":  func(i int) bool { return i%125 == 60 },
		"the last hundred":         func(i int) bool { return i >= 900 },
		"every third record":       func(i int) bool { return i%3 == 0 },
		"eight in a row, and more": func(i int) bool { return i >= 400 && i < 420 },
	} {
		t.Run(name, func(t *testing.T) {
			play(t, fakeapi.Options{}, func(s *scene) {
				t := s.t
				s.setConsume(func(logs plog.Logs) error {
					if holdsText(logs, "poison") {
						return consumererror.NewPermanent(errors.New("cannot parse"))
					}
					return nil
				})
				var lines, good, all []string
				for i := range 1000 {
					id := fmt.Sprint("g-", i)
					if poisoned(i) {
						id = fmt.Sprint("poison-", i)
					} else {
						good = append(good, id)
					}
					all = append(all, id)
					lines = append(lines, eventLine(id))
				}
				s.api.Add("AUTH_LOG", time.Now().Add(-time.Hour), lines...)
				s.add(time.Minute, "next")
				s.start()
				s.requireOnce(time.Minute, append(good, "next")...)
				_, records := len(s.stored().Queue), queuedRecords(s)
				assert.Equal(t, len(all)-len(good), records)
				s.setConsume(nil)
				s.requireOnce(7*time.Hour, append(all, "next")...)
				assert.Zero(t, queuedRecords(s))
			})
		})
	}
}

func queuedRecords(s *scene) (n int) {
	for _, file := range s.stored().Queue {
		for _, lines := range file.Lines {
			n += lines.To - lines.From
		}
	}
	return n
}

// A batch of eight or more records that are all rejected holds the stream, which
// says so, and quarantines nothing; the first acceptance ends the hold.
func TestFaultEveryRecordRejected(t *testing.T) {
	play(t, fakeapi.Options{}, func(s *scene) {
		t := s.t
		s.setConsume(func(plog.Logs) error {
			return consumererror.NewPermanent(errors.New("401"))
		})
		var lines []string
		for _, id := range numbered("e", 50) {
			lines = append(lines, eventLine(id))
		}
		s.api.Add("AUTH_LOG", time.Now().Add(-time.Hour), lines...)
		s.start()
		time.Sleep(2 * time.Hour)
		assert.Zero(t, queuedRecords(s))
		assert.Equal(t, componentstatus.StatusRecoverableError, s.lastStatus())
		s.setConsume(nil)
		s.requireOnce(2*time.Minute, numbered("e", 50)...)
		assert.Equal(t, componentstatus.StatusOK, s.lastStatus())
	})
}

// Single poisoned records, each alone in its file, are quarantined, and the next file
// is delivered; before the eighth such file in a row there is no hold.
func TestFaultPoisonedFilesInARow(t *testing.T) {
	play(t, fakeapi.Options{}, func(s *scene) {
		t := s.t
		s.setConsume(func(logs plog.Logs) error {
			if holdsText(logs, "poison") {
				return consumererror.NewPermanent(errors.New("cannot parse"))
			}
			return nil
		})
		for i, id := range numbered("poison", 7) {
			s.add(time.Hour-time.Duration(i)*time.Minute, id)
		}
		s.add(30*time.Minute, "good")
		for i, id := range numbered("poisons", 8) {
			s.add(20*time.Minute-time.Duration(i)*time.Minute, id)
		}
		s.add(time.Minute, "held")
		s.start()
		s.requireOnce(time.Minute, "good")
		assert.Equal(t, 14, queuedRecords(s), "the eighth in a row holds")
		assert.Equal(t, componentstatus.StatusRecoverableError, s.lastStatus())
		s.setConsume(nil)
		s.requireOnce(7*time.Hour, append(append(numbered("poison", 7), numbered("poisons", 8)...), "good", "held")...)
	})
}

// A plain error that one record of a batch causes, as a processor gives it, is found
// after five tries over five minutes: the other records pass.
func TestFaultPlainErrorOfOneRecord(t *testing.T) {
	play(t, fakeapi.Options{}, func(s *scene) {
		t := s.t
		s.setConsume(func(logs plog.Logs) error {
			if holdsText(logs, "cut") {
				return errors.New("failed to execute statement")
			}
			return nil
		})
		var lines, good []string
		for _, id := range numbered("e", 100) {
			lines, good = append(lines, eventLine(id)), append(good, id)
		}
		lines[40], good = eventLine("cut"), append(good[:40:40], good[41:]...)
		s.api.Add("AUTH_LOG", time.Now().Add(-time.Hour), lines...)
		s.start()
		s.requireOnce(30*time.Minute, good...)
		time.Sleep(10 * time.Minute)
		assert.Equal(t, 1, queuedRecords(s))
		s.add(0, "next")
		s.requireOnce(7*time.Minute, append(good, "next")...)
	})
}

// An outage that begins in the middle of such a split quarantines at most seven
// records, and then holds.
func TestFaultOutageWithinASplit(t *testing.T) {
	play(t, fakeapi.Options{}, func(s *scene) {
		t := s.t
		calls, down := 0, false
		s.setConsume(func(logs plog.Logs) error {
			if down {
				return errors.New("connection refused")
			}
			if calls++; holdsText(logs, "cut") {
				down = calls > 12
				return errors.New("failed to execute statement")
			}
			return nil
		})
		var lines []string
		for _, id := range numbered("e", 100) {
			lines = append(lines, eventLine(id))
		}
		lines[0] = eventLine("cut")
		s.api.Add("AUTH_LOG", time.Now().Add(-time.Hour), lines...)
		s.start()
		time.Sleep(6 * time.Hour)
		assert.LessOrEqual(t, queuedRecords(s), 7)
		s.setConsume(nil)
		s.requireOnce(13*time.Hour, append(numbered("e", 100)[1:], "cut")...)
	})
}

// A Retry-After of a day for one file pauses nobody but its storage host, and nobody
// at all with another status.
func TestFaultRetryAfterOfOneFile(t *testing.T) {
	for name, fault := range map[string]fakeapi.Fault{
		"404 of the storage": {Op: "fetch", Status: 404},
		"404 of the route":   {Op: "download", Status: 404},
		"500 of the storage": {Op: "fetch", Status: 500},
		"429 of the storage": {Op: "fetch", Status: 429},
		"503 of the storage": {Op: "fetch", Status: 503},
	} {
		t.Run(name, func(t *testing.T) {
			play(t, fakeapi.Options{}, func(s *scene) {
				s.cfg.EventTypes = []string{"AUTH_LOG", "CODEX_LOG"}
				bad := s.add(2*time.Hour, "bad")
				s.add(time.Hour, "good")
				s.api.Add("CODEX_LOG", time.Now().Add(-time.Hour), `{"event_id":"other"}`)
				fault.FileID, fault.Header = bad.ID, map[string]string{"Retry-After": "86400"}
				s.api.Script(fault)
				s.start()
				within := 20 * time.Second
				if fault.Op == "fetch" && (fault.Status == 429 || fault.Status == 503) {
					within = 50 * time.Minute // the host's pause is capped at a quarter of an hour
				}
				s.requireOnce(within, "good", "other")
			})
		})
	}
}

// Hundreds of unreadable files wait in the retry queue and take a tenth of the
// downloads: new records come within the poll interval, the status is steady.
func TestFaultManyUnreadableFiles(t *testing.T) {
	play(t, fakeapi.Options{}, func(s *scene) {
		t := s.t
		s.add(10*time.Hour, "first")
		var want []string
		for i := range 250 {
			bad := s.add(9*time.Hour-time.Duration(i)*time.Minute, fmt.Sprint("bad-", i))
			s.api.Script(fakeapi.Fault{Op: "fetch", FileID: bad.ID, Status: 404})
			if i%7 == 6 { // no eight in a row
				id := fmt.Sprint("good-", i)
				s.add(9*time.Hour-time.Duration(i)*time.Minute-30*time.Second, id)
				want = append(want, id)
			}
		}
		want = append(want, "first")
		s.start()
		s.requireOnce(20*time.Minute, want...)
		before := len(s.api.Requests())
		began := time.Now()
		for i := range 12 {
			time.Sleep(10 * time.Minute)
			id := fmt.Sprint("new-", i)
			s.add(0, id)
			want = append(want, id)
			s.requireOnce(6*time.Minute, want...)
		}
		downloads := 0
		for _, r := range s.api.Requests()[before:] {
			if r.Host == "api" && r.Query == "" {
				downloads++
			}
		}
		perMinute := float64(downloads) / time.Since(began).Minutes()
		assert.Less(t, perMinute, 11.0, "a tenth of the downloads")
		assert.Equal(t, componentstatus.StatusOK, s.lastStatus())
		assert.LessOrEqual(t, len(s.statuses), 2, "it does not flap")
	})
}

// A full page that says it is the last is asked on from.
func TestFaultHasMoreLies(t *testing.T) {
	for name, value := range map[string]any{"false": false, "absent": nil, "text": "false"} {
		t.Run(name, func(t *testing.T) {
			play(t, fakeapi.Options{}, func(s *scene) {
				ids := numbered("e", 250)
				for i, id := range ids {
					s.add(20*time.Hour-time.Duration(i)*time.Minute, id)
				}
				s.api.Script(fakeapi.Fault{Op: "list", Rewrite: func(page map[string]any) {
					page["has_more"] = value
					if value == nil {
						delete(page, "has_more")
					}
				}})
				s.start()
				s.requireOnce(15*time.Minute, ids...)
			})
		})
	}
}

// More files share one end_time than a page lists: what can be listed is delivered,
// the listing continues after them, and the gap is reported once.
func TestFaultTies(t *testing.T) {
	for _, inclusive := range []bool{false, true} {
		play(t, fakeapi.Options{Inclusive: inclusive}, func(s *scene) {
			t := s.t
			end := time.Now().Add(-2 * time.Hour)
			for _, id := range numbered("tie", 120) {
				s.api.Add("AUTH_LOG", end, eventLine(id))
			}
			s.add(time.Hour, "after")
			s.start()
			time.Sleep(10 * time.Minute)
			assert.Equal(t, 1, s.delivered()["after"])
			assert.GreaterOrEqual(t, len(s.delivered()), 101)
			assert.Equal(t, map[string]int{"ties": 1}, s.gaps())
		})
	}
}

// A list answer is read whatever its small print: a BOM, another 2xx status.
func TestFaultListAnswerForms(t *testing.T) {
	for name, status := range map[string]int{"bom": 200, "203": 203} {
		t.Run(name, func(t *testing.T) {
			play(t, fakeapi.Options{}, func(s *scene) {
				file := s.add(time.Hour, "a")
				body := fmt.Sprintf(`{"data":[{"id":%q,"event_type":"AUTH_LOG","end_time":%q,"file_name":"x","file_size":%d,"file_sha256":%q}]}`,
					file.ID, file.EndTime.Format(time.RFC3339Nano), file.Size, file.SHA256)
				if name == "bom" {
					body = "\ufeff" + body
				}
				s.api.Script(fakeapi.Fault{Op: "list", Status: status, Body: body})
				s.start()
				s.requireOnce(10*time.Second, "a")
			})
		})
	}
}

// A storage host that says nothing for one file costs stall_timeout per try; the
// files after it do not wait for more than its three tries.
func TestFaultSilentStorage(t *testing.T) {
	play(t, fakeapi.Options{}, func(s *scene) {
		bad := s.add(2*time.Hour, "bad")
		s.add(time.Hour, "good")
		s.api.Script(fakeapi.Fault{Op: "fetch", FileID: bad.ID, Stall: true})
		s.start()
		s.requireOnce(100*time.Second, "good")
	})
}

// Eight files in a row that fail with one cause are no longer the files' fault: the
// stream holds, quarantines no more, and the first verified file ends that.
func TestFaultNoFileCanBeHad(t *testing.T) {
	play(t, fakeapi.Options{}, func(s *scene) {
		t := s.t
		ids := numbered("e", 30)
		for i, id := range ids {
			s.add(20*time.Hour-time.Duration(i)*time.Minute, id)
		}
		s.api.Script(fakeapi.Fault{Op: "fetch", Status: 404})
		s.start()
		time.Sleep(3 * time.Hour)
		assert.Len(t, s.stored().Queue, 7)
		assert.Equal(t, componentstatus.StatusRecoverableError, s.lastStatus())
		s.api.ClearScript()
		s.requireOnce(10*time.Minute, ids...)
		assert.Equal(t, componentstatus.StatusOK, s.lastStatus())
		assert.Empty(t, s.stored().Queue)
	})
}

// With lenient verification the same wrong bytes are taken for the file in two fetches
// at least five minutes apart, however often a hold fetches them in between.
func TestFaultSameBytesTwice(t *testing.T) {
	play(t, fakeapi.Options{}, func(s *scene) {
		s.cfg.Download.Verify = "lenient"
		var ids []string
		for i := range 12 {
			file := s.api.Add("AUTH_LOG", time.Now().Add(-2*time.Hour+time.Duration(i)*time.Minute), `{"a":"bbbbbbbbbbbbbbbbbbbb"}`)
			ids = append(ids, file.ID+":1")
		}
		s.api.Script(fakeapi.Fault{Op: "fetch", Corrupt: true})
		s.start()
		time.Sleep(5*time.Minute - time.Second)
		assert.Empty(s.t, s.delivered())
		s.requireOnce(time.Hour, ids...)
	})
}

// Live and history hold together and try the same quarantined files: each is delivered
// by one of them, once, also without an event id to tell a repetition by.
func TestFaultNoFileCanBeHadOfTwoSegments(t *testing.T) {
	play(t, fakeapi.Options{}, func(s *scene) {
		s.cfg.StartFrom = "-72h"
		var ids []string
		for i := range 30 {
			for _, before := range []time.Duration{70 * time.Hour, 20 * time.Hour} {
				file := s.api.Add("AUTH_LOG", time.Now().Add(-before+time.Duration(i)*time.Minute), `{"a":1}`, `{"b":2}`)
				ids = append(ids, file.ID+":1", file.ID+":2")
			}
		}
		s.api.Script(fakeapi.Fault{Op: "fetch", Status: 404})
		s.setConsume(func(plog.Logs) error { time.Sleep(time.Second); return nil })
		s.start()
		time.Sleep(3 * time.Second)
		require.Len(s.t, s.stored().Queue, 7, "both hold, and try the first one next")
		s.api.ClearScript()
		time.Sleep(time.Hour)
		s.requireOnce(time.Second, ids...)
	})
}

// An outage of the network is logged within 30 s, and ever more rarely; the status
// shows it.
func TestFaultOutageIsReported(t *testing.T) {
	for name, fault := range map[string]fakeapi.Fault{
		"reset": {Op: "list", Reset: true}, "503": {Op: "list", Status: 503}, "no answer": {Op: "list", Delay: fakeapi.Duration(time.Hour)},
	} {
		t.Run(name, func(t *testing.T) {
			play(t, fakeapi.Options{}, func(s *scene) {
				t := s.t
				s.cfg.EventTypes = fakeapi.EventTypes(false)[:9]
				s.api.Script(fault)
				s.start()
				time.Sleep(31 * time.Second)
				assert.Equal(t, 1, s.logs.FilterMessage("requests fail").Len(), "within 30 s, once for nine types")
				time.Sleep(time.Minute)
				assert.Equal(t, componentstatus.StatusRecoverableError, s.lastStatus())
				time.Sleep(6 * time.Hour)
				assert.LessOrEqual(t, s.logs.FilterMessage("requests fail").Len(), 14)
				s.api.ClearScript()
				time.Sleep(time.Hour)
				assert.Equal(t, componentstatus.StatusOK, s.lastStatus())
			})
		})
	}
}

// A type that has ended does not count any more: the only other one fails, and so
// does the component.
func TestFaultEndedTypeDoesNotCount(t *testing.T) {
	play(t, fakeapi.Options{Forbidden: []string{"CODEX_LOG"}}, func(s *scene) {
		t := s.t
		s.cfg.EventTypes = []string{"AUTH_LOG", "CODEX_LOG"}
		s.cfg.Until = time.Now().Add(-2 * time.Hour).Format(time.RFC3339)
		s.add(3*time.Hour, "a")
		s.start()
		s.requireOnce(time.Minute, "a")
		time.Sleep(2 * time.Hour)
		require.True(t, s.stored().Ended)
		assert.Equal(t, componentstatus.StatusRecoverableError, s.lastStatus())
	})
}

// A quarantined file keeps the reason of its last failure.
func TestFaultReasonIsTheLastOne(t *testing.T) {
	play(t, fakeapi.Options{}, func(s *scene) {
		t := s.t
		bad := s.add(2*time.Hour, "bad")
		s.api.Script(fakeapi.Fault{Op: "fetch", FileID: bad.ID, Status: 404})
		s.start()
		time.Sleep(time.Minute)
		require.Len(t, s.stored().Queue, 1)
		assert.Equal(t, "404", s.stored().Queue[0].Cause)
		s.api.ClearScript()
		s.api.Script(fakeapi.Fault{Op: "fetch", FileID: bad.ID, Status: 410})
		time.Sleep(10 * time.Minute)
		assert.Equal(t, "410", s.stored().Queue[0].Cause)
		assert.Contains(t, s.stored().Queue[0].Reason, "410")
	})
}

// The event of a line that is repeated under its id, after another line did, is still
// known: A, then B, then A again are two records.
func TestFaultEventComesBack(t *testing.T) {
	play(t, fakeapi.Options{}, func(s *scene) {
		t := s.t
		a, b := `{"event_id":"x","v":"A"}`, `{"event_id":"x","v":"B"}`
		for i, line := range []string{a, b, a, b, a} {
			s.api.Add("AUTH_LOG", time.Now().Add(-5*time.Hour+time.Duration(i)*time.Hour), line)
		}
		s.start()
		time.Sleep(time.Minute)
		assert.Equal(t, map[string]int{"x": 2}, s.delivered())
	})
}

// An export of another type that is unreadable for days leaves the others alone and
// on time.
func TestFaultWholeTypeUnreadable(t *testing.T) {
	play(t, fakeapi.Options{}, func(s *scene) {
		t := s.t
		s.cfg.EventTypes = []string{"AUTH_LOG", "CODEX_LOG"}
		s.api.Script(fakeapi.Fault{Op: "list", EventType: "CODEX_LOG", Status: 200, Body: "<html>"})
		s.api.Add("CODEX_LOG", time.Now().Add(-time.Hour), `{"event_id":"codex"}`)
		s.start()
		var want []string
		for day := range 3 {
			id := fmt.Sprint("day-", day)
			s.add(0, id)
			want = append(want, id)
			s.requireOnce(6*time.Minute, want...)
			time.Sleep(24 * time.Hour)
		}
		assert.Equal(t, componentstatus.StatusOK, s.lastStatus(), "one type alone is not the component's")
		s.api.ClearScript()
		s.requireOnce(6*time.Minute, append(want, "codex")...)
	})
}

// At the first start a type whose list answer does not come holds the others up for
// seconds, not until its request times out.
func TestFaultSilentTypeAtFirstStart(t *testing.T) {
	for _, silent := range []string{"AUDIT_LOG", "AUTH_LOG"} {
		t.Run(silent, func(t *testing.T) {
			play(t, fakeapi.Options{}, func(s *scene) {
				s.cfg.EventTypes = []string{"AUDIT_LOG", "AUTH_LOG", "APP_LOG"}
				s.cfg.InitialDelay = 0
				s.cfg.HTTP.Timeout = 10 * time.Minute
				s.api.Script(fakeapi.Fault{Op: "list", EventType: silent, Stall: true})
				s.api.Add("APP_LOG", time.Now().Add(-time.Hour), eventLine("a"))
				s.start()
				s.requireOnce(12*time.Second, "a")
			})
		})
	}
}
