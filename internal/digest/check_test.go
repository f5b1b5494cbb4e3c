// Copyright The OpenTelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package digest

import (
	"crypto/ed25519"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// store is what a log store holds of one stream: the records of five files, the third of
// which had a quarantined line that came later, and a chain of four signed digests.
type store struct {
	key     ed25519.PrivateKey
	digests []storedDigest
	records []Record
}

type storedDigest struct{ document, sha256, signature string }

var testStream = StreamID{PrincipalID: "org-a", EventType: "AUTH_LOG"}

func line(file, number int) []byte { return fmt.Appendf(nil, `{"event_id":"%d-%d"}`, file, number) }

func newStore(t *testing.T) *store {
	t.Helper()
	_, key, err := ed25519.GenerateKey(nil)
	require.NoError(t, err)
	s := &store{key: key}
	entries := make([]Entry, 5)
	for i := range entries {
		file := &File{ID: fmt.Sprint("file-", i), SHA256: strings.Repeat(strconv.Itoa(i), 64), Size: 100, FirstLine: 1, EndTime: at(i)}
		lines := NewLinesDigest()
		for number := 1; number <= 4; number++ {
			if i == 2 && number == 3 {
				file.Quarantined++
				continue
			}
			file.Records++
			lines.Add(number, SumLine(line(i, number)))
			s.add(file, i, number)
		}
		file.LinesSHA256 = lines.Sum()
		entries[i] = Entry{File: file}
	}
	late := entries[2].File
	amended := NewLinesDigest()
	amended.Add(3, SumLine(line(2, 3)))
	s.add(late, 2, 3)
	amendment := Entry{Amended: &Amendment{FileID: late.ID, SHA256: late.SHA256, Lines: [][2]int{{3, 3}}, Counts: Counts{Records: 1}, LinesSHA256: amended.Sum()}}
	gap := Entry{Gap: &Gap{Reason: "file_expired", From: at(7), To: at(8), FileID: "gone"}}
	s.cut(t, entries[0], entries[1])
	s.cut(t, entries[2], gap)
	s.cut(t)
	s.cut(t, entries[3], entries[4], amendment)
	return s
}

func at(hour int) time.Time { return time.Date(2026, 8, 1, hour, 0, 0, 0, time.UTC) }

func (s *store) add(file *File, number, lineNumber int) {
	s.records = append(s.records, Record{
		Stream: testStream, FileID: file.ID, FileSHA256: file.SHA256, Line: lineNumber, Sum: SumLine(line(number, lineNumber)),
	})
}

// cut adds a digest of the entries to the chain.
func (s *store) cut(t *testing.T, entries ...Entry) {
	t.Helper()
	doc := Document{Chain: "c", Number: int64(len(s.digests) + 1), Term: 1, Cut: at(len(s.digests)), PrincipalID: "org-a", EventType: "AUTH_LOG"}
	if n := len(s.digests); n > 0 {
		doc.Previous = s.digests[n-1].sha256
	}
	for _, entry := range entries {
		encoded, err := entry.Encode()
		require.NoError(t, err)
		require.NoError(t, doc.Add(encoded))
	}
	s.digests = append(s.digests, s.sign(t, doc))
}

func (s *store) sign(t *testing.T, doc Document) storedDigest {
	t.Helper()
	document, err := doc.Encode()
	require.NoError(t, err)
	return storedDigest{string(document), Sum(document), Sign(s.key, document)}
}

// change decodes a digest, changes it, and stores it with a hash that fits.
func (s *store) change(t *testing.T, i int, change func(*Document)) {
	t.Helper()
	doc, err := Decode([]byte(s.digests[i].document))
	require.NoError(t, err)
	change(&doc)
	signature := s.digests[i].signature
	s.digests[i] = s.sign(t, doc)
	s.digests[i].signature = signature // who tampers has no key
}

func (s *store) check(key ed25519.PublicKey) Report {
	c := NewChecker(key)
	for _, d := range slices.Backward(s.digests) { // the order does not matter
		c.AddDigest(testStream, d.document, d.sha256, d.signature)
	}
	for _, r := range s.records {
		c.AddRecord(r)
	}
	return c.Report()
}

func kindsOf(report Report) (kinds []Kind) {
	for _, f := range report.Findings {
		if !slices.Contains(kinds, f.Kind) {
			kinds = append(kinds, f.Kind)
		}
	}
	return kinds
}

// An honest store has no finding, and each file and record of it is proven.
func TestHonestStore(t *testing.T) {
	s := newStore(t)
	report := s.check(s.key.Public().(ed25519.PublicKey))
	assert.Empty(t, report.Findings)
	require.Len(t, report.Streams, 1)
	got := report.Streams[0]
	assert.Equal(t, []int{4, 5, 20, 0, 0, 1}, []int{got.Digests, got.Files, got.Records, got.Unproven, got.Quarantine, len(got.Gaps)})
	assert.Equal(t, []time.Time{at(0), at(3)}, []time.Time{got.Since, got.Until})
	s.records = append(s.records, s.records[0])
	assert.Equal(t, []Kind{KindRepeated}, kindsOf(s.check(nil)), "a byte-equal repetition is a note")
	s.records = append(s.records, Record{Stream: testStream, FileID: "later", FileSHA256: "x", Line: 1})
	assert.Equal(t, 1, s.check(nil).Streams[0].Unproven, "records after the last digest")
}

// Each kind of tampering with a store is found, and named by what was done.
func TestTampering(t *testing.T) {
	for name, tt := range map[string]struct {
		tamper func(t *testing.T, s *store)
		want   Kind
	}{
		"a record is deleted": {func(_ *testing.T, s *store) { s.records = s.records[1:] }, KindFile},
		"a late record is deleted": {func(_ *testing.T, s *store) {
			s.records = slices.DeleteFunc(s.records, func(r Record) bool { return r.FileID == "file-2" && r.Line == 3 })
		}, KindFile},
		"all records of a file are deleted": {func(_ *testing.T, s *store) {
			s.records = slices.DeleteFunc(s.records, func(r Record) bool { return r.FileID == "file-1" })
		}, KindFile},
		"a line is changed":      {func(_ *testing.T, s *store) { s.records[5].Sum = SumLine([]byte("forged")) }, KindLines},
		"two lines are swapped":  {func(_ *testing.T, s *store) { s.records[0].Sum, s.records[1].Sum = s.records[1].Sum, s.records[0].Sum }, KindLines},
		"a line number is wrong": {func(_ *testing.T, s *store) { s.records[0].Line = 9 }, KindLines},
		"a record is added": {func(_ *testing.T, s *store) {
			forged := s.records[0]
			forged.Line = 77
			s.records = append(s.records, forged)
		}, KindForeign},
		"a forged copy is added": {func(_ *testing.T, s *store) {
			forged := s.records[0]
			forged.Sum = SumLine([]byte("forged"))
			s.records = append(s.records, forged)
		}, KindConflict},
		"the file's digest is changed": {func(_ *testing.T, s *store) {
			for i := range s.records {
				if s.records[i].FileID == "file-0" {
					s.records[i].FileSHA256 = "other"
				}
			}
		}, KindFile},
		"a digest is deleted":       {func(_ *testing.T, s *store) { s.digests = slices.Delete(s.digests, 1, 2) }, KindMissing},
		"the beginning is cut off":  {func(_ *testing.T, s *store) { s.digests = s.digests[2:] }, KindMissing},
		"a byte of a digest":        {func(_ *testing.T, s *store) { s.digests[0].document += " " }, KindForm},
		"another form of a digest":  {func(_ *testing.T, s *store) { s.digests[0].document = " " + s.digests[0].document }, KindForm},
		"a digest's hash attribute": {func(_ *testing.T, s *store) { s.digests[3].sha256 = strings.Repeat("0", 64) }, KindAltered},
		"a file taken out of a digest": {func(t *testing.T, s *store) {
			t.Helper()
			s.change(t, 0, func(d *Document) { d.Files = d.Files[1:] })
		}, KindAltered},
		"a gap taken out of a digest": {func(t *testing.T, s *store) {
			t.Helper()
			s.change(t, 1, func(d *Document) { d.Gaps = nil })
		}, KindAltered},
		"chains spliced": {func(t *testing.T, s *store) {
			t.Helper()
			other := newStore(t)
			other.change(t, 0, func(d *Document) { d.Files[0].Name = "another" })
			other.change(t, 1, func(d *Document) { d.Previous = other.digests[0].sha256 })
			other.change(t, 2, func(d *Document) { d.Previous = other.digests[1].sha256 })
			s.digests = append(s.digests[:2], other.digests[2:]...)
		}, KindAltered},
		"two chains in place of one": {func(t *testing.T, s *store) {
			t.Helper()
			s.digests = append(s.digests, newStore(t).digests[1])
			s.change(t, 4, func(d *Document) { d.Gaps = nil })
		}, KindFork},
		"recomputed without the key": {func(t *testing.T, s *store) {
			t.Helper()
			for i := range s.digests {
				s.change(t, i, func(d *Document) {
					if d.Previous != "" {
						d.Previous = s.digests[i-1].sha256
					}
					for j := range d.Files {
						d.Files[j].Records, d.Files[j].LinesSHA256 = 0, NewLinesDigest().Sum()
					}
					d.Amended = nil
				})
			}
			s.records = nil
		}, KindSignature},
	} {
		t.Run(name, func(t *testing.T) {
			s := newStore(t)
			tt.tamper(t, s)
			assert.Contains(t, kindsOf(s.check(s.key.Public().(ed25519.PublicKey))), tt.want)
		})
	}
}

// Whoever can rewrite the store and has no signature to fear leaves a chain without a
// finding: only a head that is kept elsewhere shows it. The documents say so.
func TestUnsignedChainProvesNothingAgainstARewrite(t *testing.T) {
	s := newStore(t)
	s.records, s.digests = nil, nil
	s.cut(t)
	assert.Empty(t, s.check(nil).Findings)
}

// A collector that went back to an older checkpoint cuts a number again, in a higher
// term. Both digests stay; that is a note, and the chain goes on from either.
func TestRestoredChain(t *testing.T) {
	s := newStore(t)
	s.change(t, 3, func(d *Document) { d.Term = 2 })
	again := newStore(t).digests[3]
	doc, err := Decode([]byte(again.document))
	require.NoError(t, err)
	doc.Previous = s.digests[2].sha256
	s.digests = append(s.digests, s.sign(t, doc))
	assert.Equal(t, []Kind{KindRestored}, kindsOf(s.check(nil)))
}

// A file that is completed again after an older checkpoint was restored may have left
// other lines out as duplicates: either digest of it may be what is there, and the records
// of both together are counted. What neither delivered in full is still missing.
func TestRestoredFile(t *testing.T) {
	s := newStore(t)
	s.change(t, 3, func(d *Document) { d.Term = 2 })
	again := newStore(t)
	again.change(t, 3, func(d *Document) {
		d.Term, d.Previous = 3, s.digests[2].sha256
		lines := NewLinesDigest()
		for number := 1; number <= 2; number++ {
			lines.Add(number, SumLine(line(3, number)))
		}
		d.Files[0].Records, d.Files[0].Duplicates, d.Files[0].LinesSHA256 = 2, 2, lines.Sum()
	})
	s.digests = append(s.digests, again.digests[3])
	assert.Equal(t, []Kind{KindRestored}, kindsOf(s.check(nil)))
	s.records = slices.DeleteFunc(s.records, func(r Record) bool { return r.FileID == "file-3" && r.Line == 1 })
	assert.Contains(t, kindsOf(s.check(nil)), KindFile)
}

// Lines that a file has left out as duplicates may be there all the same, from a call
// that a kill ended: they are counted, and more than these are foreign.
func TestDuplicatesMayBeThere(t *testing.T) {
	s := newStore(t)
	lines := NewLinesDigest()
	for number := 1; number <= 2; number++ {
		lines.Add(number, SumLine(line(4, number)))
	}
	s.change(t, 3, func(d *Document) {
		d.Files[1].Records, d.Files[1].Duplicates, d.Files[1].LinesSHA256 = 2, 2, lines.Sum()
	})
	report := s.check(nil)
	assert.Empty(t, report.Findings)
	assert.Equal(t, []int{4, 16, 4}, []int{report.Streams[0].Files, report.Streams[0].Records, report.Streams[0].Counted})
	forged := s.records[len(s.records)-2]
	forged.FileID, forged.FileSHA256, forged.Line = "file-4", strings.Repeat("4", 64), 99
	s.records = append(s.records, forged)
	assert.Equal(t, []Kind{KindForeign}, kindsOf(s.check(nil)))
}

// A tally that was stored and read goes on as if it had not been.
func TestTallyIsStored(t *testing.T) {
	whole, stored := NewTally(3), NewTally(3)
	for number := 3; number < 40; number++ {
		for _, tally := range []*Tally{whole, stored} {
			tally.Pass(number, SumLine(line(0, number)))
			tally.Counts.Records++
			tally.Next = number + 1
		}
		data, err := stored.MarshalBinary()
		require.NoError(t, err)
		stored, err = ParseTally(data)
		require.NoError(t, err)
	}
	assert.Equal(t, whole.LinesSHA256(), stored.LinesSHA256())
	assert.Equal(t, []any{whole.Counts, whole.FirstLine, whole.Next}, []any{stored.Counts, stored.FirstLine, stored.Next})
	for _, bad := range []string{"", "{}", `{"first_line":2,"next":1}`, `{"first_line":1,"next":1,"hash":"AAAA"}`, `{"x":1}`} {
		_, err := ParseTally([]byte(bad))
		assert.Error(t, err, bad)
	}
}

// The digest of lines is what a shell makes of the same lines.
func TestLinesDigestIsReproducible(t *testing.T) {
	d := NewLinesDigest()
	d.Add(1, SumLine([]byte("a")))
	d.Add(12, SumLine([]byte("b")))
	// printf '1 %s\n12 %s\n' "$(printf a | sha256sum | cut -c-64)" "$(printf b | sha256sum | cut -c-64)" | sha256sum
	assert.Equal(t, Sum([]byte("1 ca978112ca1bbdcafac231b39a23dc4da786eff8147c4e72b9807785afee48bb\n12 3e23e8160039594a33894f6564e1b1348bbd7a0088d42c4acb73eeaed59c009d\n")), d.Sum())
}

// No entry is larger than a digest has room for, whatever ids and names hold.
func TestEntriesFit(t *testing.T) {
	worst := strings.Repeat("\x01", 512)
	encoded, err := Entry{File: &File{ID: worst, Name: worst, SHA256: strings.Repeat("a", 64), LinesSHA256: strings.Repeat("a", 64), EndTime: at(0)}}.Encode()
	require.NoError(t, err)
	assert.LessOrEqual(t, len(encoded), maxEntry)
	var doc Document
	require.NoError(t, doc.Add(encoded))
	assert.Equal(t, worst, doc.Files[0].ID)
}
