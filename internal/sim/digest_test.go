// Copyright The OpenTelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package sim

import (
	"crypto/ed25519"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"go.opentelemetry.io/collector/component/componentstatus"
	"go.opentelemetry.io/collector/consumer/consumererror"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/openaicompliance/openaicompliancereceiver/internal/digest"
	"github.com/openaicompliance/openaicompliancereceiver/internal/fakeapi"
)

// evidence keeps what a scene has delivered, as a log store does: each record that was
// accepted.
type evidence struct {
	mu      sync.Mutex
	reject  func(record plog.LogRecord) error
	digests []plog.LogRecord
	records []digest.Record
}

const digestEvent = "openai.compliance.digest"

// keep is a consumer for a scene. It rejects a batch when reject rejects any of it.
func (e *evidence) keep(logs plog.Logs) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.keepLocked(logs)
}

func (e *evidence) keepLocked(logs plog.Logs) error {
	if logs.ResourceLogs().Len() == 0 {
		return nil
	}
	resource := logs.ResourceLogs().At(0)
	principal, _ := resource.Resource().Attributes().Get("openai.workspace.id")
	all := resource.ScopeLogs().At(0).LogRecords()
	for _, record := range all.All() {
		if e.reject != nil {
			if err := e.reject(record); err != nil {
				return err
			}
		}
	}
	for _, record := range all.All() {
		attrs := record.Attributes()
		text := func(key string) string {
			value, ok := attrs.Get(key)
			if !ok {
				return ""
			}
			return value.AsString()
		}
		switch record.EventName() {
		case digestEvent:
			kept := plog.NewLogRecord()
			record.CopyTo(kept)
			e.digests = append(e.digests, kept)
		case "openai.compliance.gap":
		default:
			line, _ := attrs.Get("openai.compliance.file.line")
			e.records = append(e.records, digest.Record{
				Stream: digest.StreamID{
					PrincipalID: principal.Str(), EventType: text("openai.compliance.event.type"), Replay: text("openai.compliance.replay"),
				},
				FileID: text("openai.compliance.file.id"), FileSHA256: text("openai.compliance.file.sha256"),
				Line: int(line.Int()), Sum: digest.SumLine([]byte(record.Body().Str())),
			})
		}
	}
	return nil
}

// documents of the digests, in the order in which they came.
func (e *evidence) documents(t *testing.T) (docs []digest.Document) {
	t.Helper()
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, record := range e.digests {
		doc, err := digest.Decode([]byte(record.Body().Str()))
		require.NoError(t, err)
		assert.LessOrEqual(t, len(record.Body().Str()), digest.MaxSize)
		docs = append(docs, doc)
	}
	return docs
}

// check holds the records against the digests.
func (e *evidence) check() digest.Report {
	e.mu.Lock()
	defer e.mu.Unlock()
	checker := digest.NewChecker(nil)
	for _, record := range e.digests {
		sum, _ := record.Attributes().Get("openai.compliance.digest.sha256")
		eventType, _ := record.Attributes().Get("openai.compliance.event.type")
		doc, _ := digest.Decode([]byte(record.Body().Str()))
		checker.AddDigest(digest.StreamID{PrincipalID: doc.PrincipalID, EventType: eventType.Str(), Replay: doc.Replay}, record.Body().Str(), sum.Str(), "")
	}
	for _, record := range e.records {
		checker.AddRecord(record)
	}
	return checker.Report()
}

// requireProven requires that everything that was delivered is proven, and nothing else.
func (e *evidence) requireProven(t *testing.T, files, records int) digest.Report {
	t.Helper()
	report := e.check()
	for _, finding := range report.Findings {
		assert.True(t, finding.Kind.IsNote(), "%+v", finding)
	}
	require.Len(t, report.Streams, 1)
	assert.Equal(t, files, report.Streams[0].Files)
	assert.Equal(t, records, report.Streams[0].Records)
	assert.Zero(t, report.Streams[0].Unproven)
	return report
}

// In each interval, quiet ones too, a digest lists the files that were completed since
// the one before; a backlog makes as many as it needs at once. The chain goes on after a
// restart, and proves every record.
func TestDigestsProveWhatWasDelivered(t *testing.T) {
	play(t, fakeapi.Options{}, func(s *scene) {
		var kept evidence
		s.setConsume(kept.keep)
		s.cfg.Digest.Interval = time.Hour
		records := 0
		for i := range 60 {
			n := 1 + i%4
			lines := make([]string, n)
			for j := range lines {
				lines[j] = eventLine(fmt.Sprint(i, "-", j))
			}
			records += n
			s.api.Add("AUTH_LOG", time.Now().Add(-time.Hour-time.Duration(i)*time.Minute), lines...)
		}
		s.start()
		time.Sleep(3*time.Hour + time.Minute)
		backlog := len(kept.documents(t))
		assert.Greater(t, backlog, 4, "a backlog of 60 files takes several digests")
		time.Sleep(3 * time.Hour)
		assert.Len(t, kept.documents(t), backlog+3, "quiet hours have digests too")
		s.stop()

		s.start()
		records += 2
		s.api.Add("AUTH_LOG", time.Now(), eventLine("last"), eventLine("last but one"))
		time.Sleep(2 * time.Hour)
		docs := kept.documents(t)
		for i, doc := range docs {
			assert.Equal(t, int64(i+1), doc.Number)
			assert.Equal(t, docs[0].Chain, doc.Chain)
			assert.NotEmpty(t, doc.Segments)
		}
		assert.Equal(t, int64(2), docs[len(docs)-1].Term, "the second writer")
		kept.requireProven(t, 61, records)
	})
}

// Records that are rejected, delivered ahead of others, repeated in later files or
// malformed are digested as what became of them, and quarantined ones again once they are
// delivered.
func TestDigestsOfOddRecords(t *testing.T) {
	play(t, fakeapi.Options{}, func(s *scene) {
		var kept evidence
		poisoned := true
		kept.reject = func(record plog.LogRecord) error {
			if poisoned && strings.Contains(record.Body().Str(), "poison") {
				return consumererror.NewPermanent(errors.New("no"))
			}
			return nil
		}
		s.setConsume(kept.keep)
		s.cfg.Digest.Interval = time.Hour
		var lines []string
		for i := range 40 {
			lines = append(lines, eventLine(fmt.Sprint("a", i)))
		}
		lines[7], lines[23], lines[30] = eventLine("poison 1"), eventLine("poison 2"), `{"cut`
		first := s.api.Add("AUTH_LOG", time.Now().Add(-2*time.Hour), lines...)
		s.api.Add("AUTH_LOG", time.Now().Add(-time.Hour), eventLine("a3"), eventLine("b"), "", eventLine("b"))
		s.start()
		time.Sleep(2 * time.Hour)
		listed := kept.documents(t)[0].Files
		require.Len(t, listed, 2)
		assert.Equal(t, digest.Counts{Records: 38, Malformed: 1, Quarantined: 2}, listed[0].Counts)
		assert.Equal(t, digest.Counts{Records: 1, Duplicates: 2}, listed[1].Counts)
		report := kept.requireProven(t, 2, 39)
		assert.Equal(t, 2, report.Streams[0].Quarantine)

		kept.mu.Lock()
		poisoned = false
		kept.mu.Unlock()
		time.Sleep(8 * time.Hour)
		var amended [][2]int
		for _, doc := range kept.documents(t) {
			for _, a := range doc.Amended {
				assert.Equal(t, first.ID, a.FileID)
				amended = append(amended, a.Lines...)
			}
		}
		assert.Equal(t, [][2]int{{8, 8}, {24, 24}}, amended)
		report = kept.requireProven(t, 2, 41)
		assert.Zero(t, report.Streams[0].Quarantine)
	})
}

// A digest that the next consumer rejects, for good too and whatever on_permanent_error
// says, is offered until it is accepted, with the same bytes, also after a restart. No
// other is cut meanwhile, records are delivered, and the status says that it is overdue.
func TestDigestIsNeverGivenUp(t *testing.T) {
	for _, policy := range []string{"drop", "quarantine", "block"} {
		t.Run(policy, func(t *testing.T) {
			play(t, fakeapi.Options{}, func(s *scene) {
				var kept evidence
				offered := map[string]bool{}
				broken := true
				kept.reject = func(record plog.LogRecord) error {
					if record.EventName() != digestEvent {
						return nil
					}
					offered[record.Body().Str()] = true
					if broken {
						return consumererror.NewPermanent(errors.New("no digests here"))
					}
					return nil
				}
				s.setConsume(kept.keep)
				s.cfg.Digest.Interval, s.cfg.OnPermanentError = time.Hour, policy
				s.add(time.Hour, "a")
				s.start()
				time.Sleep(4 * time.Hour)
				s.add(0, "b")
				time.Sleep(time.Hour)
				assert.Equal(t, componentstatus.StatusRecoverableError, s.lastStatus())
				s.stop()
				s.start()
				time.Sleep(time.Hour)
				kept.mu.Lock()
				assert.Len(t, kept.records, 2, "records are delivered meanwhile")
				assert.Len(t, offered, 1, "the same bytes, and no other digest")
				broken = false
				kept.mu.Unlock()
				time.Sleep(2 * time.Hour)
				assert.Equal(t, componentstatus.StatusOK, s.lastStatus())
				kept.requireProven(t, 2, 2)
			})
		})
	}
}

// With a signing key each digest carries the signature of its body.
func TestDigestsAreSigned(t *testing.T) {
	public, private, err := ed25519.GenerateKey(nil)
	require.NoError(t, err)
	pkcs8, err := x509.MarshalPKCS8PrivateKey(private)
	require.NoError(t, err)
	path := filepath.Join(t.TempDir(), "key")
	require.NoError(t, os.WriteFile(path, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: pkcs8}), 0o600))
	play(t, fakeapi.Options{}, func(s *scene) {
		var kept evidence
		s.setConsume(kept.keep)
		s.cfg.Digest.Interval, s.cfg.Digest.SigningKeyFile = time.Hour, path
		s.start()
		time.Sleep(150 * time.Minute)
		s.stop()
		require.Len(t, kept.digests, 2)
		for _, record := range kept.digests {
			signature, _ := record.Attributes().Get("openai.compliance.digest.signature")
			assert.True(t, digest.Verify(public, []byte(record.Body().Str()), signature.Str()))
		}
	})
}

// A stream that ends has a last digest of all that was delivered.
func TestDigestsOfAnEndedStream(t *testing.T) {
	play(t, fakeapi.Options{}, func(s *scene) {
		var kept evidence
		s.setConsume(kept.keep)
		s.cfg.Digest.Interval, s.cfg.Until, s.cfg.StartFrom = 24*time.Hour, "-1h", "-5h"
		for i := range 5 {
			s.add(90*time.Minute+time.Duration(i)*time.Minute, strconv.Itoa(i))
		}
		s.start()
		time.Sleep(3 * time.Hour)
		require.Len(t, kept.documents(t), 1)
		kept.requireProven(t, 5, 5)
	})
}

// Digests that were switched off in between begin a new chain: what was delivered
// meanwhile is in none.
func TestDigestsSwitchedOff(t *testing.T) {
	play(t, fakeapi.Options{}, func(s *scene) {
		var kept evidence
		s.setConsume(kept.keep)
		for i, interval := range []time.Duration{time.Hour, 0, time.Hour} {
			s.cfg.Digest.Interval = interval
			s.add(0, strconv.Itoa(i))
			s.start()
			time.Sleep(2 * time.Hour)
			s.stop()
		}
		chains := map[string]bool{}
		for _, doc := range kept.documents(t) {
			chains[doc.Chain] = true
		}
		assert.Len(t, chains, 2)
		report := kept.check()
		require.Len(t, report.Findings, 1)
		assert.Equal(t, digest.KindBegins, report.Findings[0].Kind)
		assert.Equal(t, 1, report.Streams[0].Unproven)
	})
}

// checkDigests holds what was delivered against the digests among it: whatever happened,
// they contradict nothing.
func (w *world) checkDigests() {
	report := w.kept.check()
	for _, finding := range report.Findings {
		if !finding.Kind.IsNote() {
			w.model.violate(nil, "digests: %+v", finding)
		}
		w.reached["digests: "+string(finding.Kind)]++
	}
	for _, stream := range report.Streams {
		if stream.Digests > 0 {
			w.reached["record proven by a digest"] += stream.Records
			w.reached["record after the last digest"] += stream.Unproven
			w.reached["digest"] += stream.Digests
		}
	}
}
