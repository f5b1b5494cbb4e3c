// Copyright The OpenTelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package digest

import (
	"cmp"
	"crypto/ed25519"
	"fmt"
	"maps"
	"slices"
	"time"
)

// StreamID names a stream in the log records.
type StreamID struct {
	PrincipalID, EventType, Replay string
}

// String is the name in reports.
func (id StreamID) String() string {
	name := id.EventType
	if id.PrincipalID != "" {
		name = id.PrincipalID + " " + name
	}
	if id.Replay != "" {
		name += " (replay " + id.Replay + ")"
	}
	return name
}

// Kind of a finding. Every kind but the notes says that something is not as it was
// delivered.
type Kind string

// The kinds.
const (
	KindAltered   Kind = "digest altered"      // its bytes are not those of its hash, or of the next digest's
	KindForm      Kind = "digest unreadable"   // it is no document of this version
	KindSignature Kind = "signature wrong"     // or missing, where a key is given
	KindMissing   Kind = "digest missing"      // a number is not there
	KindFork      Kind = "chain forked"        // two digests of one number and term
	KindFile      Kind = "file incomplete"     // records are missing
	KindLines     Kind = "records altered"     // as many as there were, with other bytes or lines
	KindForeign   Kind = "record foreign"      // a record, or a line, that no digest has
	KindConflict  Kind = "record contradicted" // one uid with two contents
	// The notes.
	KindRestored Kind = "chain restored" // the collector went back to an older checkpoint
	KindBegins   Kind = "chain begins"   // a stream has more than one chain
	KindRepeated Kind = "record repeated"
)

// IsNote reports whether the kind is no finding.
func (k Kind) IsNote() bool { return k == KindRestored || k == KindBegins || k == KindRepeated }

// Finding is one thing that a check found.
type Finding struct {
	Kind   Kind
	Stream StreamID
	// What it is about: a chain and number, or a file.
	Chain  string
	Number int64
	FileID string
	Detail string
	// EndTime of the file; zero when it does not matter.
	EndTime time.Time
}

// Record is a log record of a line, as a check needs it.
type Record struct {
	Stream             StreamID
	FileID, FileSHA256 string
	Line               int
	// Sum of the line as it was delivered. NoSum is set when that is not known.
	Sum   LineSum
	NoSum bool
}

// Checker holds log records against the digests among them. Both are added in any order;
// a repetition changes nothing. It keeps some 100 bytes for each record. It is not safe
// for concurrent use.
type Checker struct {
	// Key verifies signatures; nil does not ask for any.
	Key ed25519.PublicKey

	streams  map[StreamID]*checkedStream
	findings []Finding
}

type checkedStream struct {
	chains map[string]*checkedChain
	files  map[fileKey]*checkedFile
}

// fileKey names the bytes of a file: a source may serve others under one id.
type fileKey struct{ id, sha256 string }

type checkedChain struct {
	digests map[int64][]checkedDigest // by number, one for each term
}

type checkedDigest struct {
	doc Document
	sum string
}

type checkedFile struct {
	lines     map[int]LineSum
	noSum     int // of lines
	repeated  int
	conflicts []int
}

// NewChecker returns a Checker that has seen nothing.
func NewChecker(key ed25519.PublicKey) *Checker {
	return &Checker{Key: key, streams: map[StreamID]*checkedStream{}}
}

func (c *Checker) stream(id StreamID) *checkedStream {
	s := c.streams[id]
	if s == nil {
		s = &checkedStream{chains: map[string]*checkedChain{}, files: map[fileKey]*checkedFile{}}
		c.streams[id] = s
	}
	return s
}

func (c *Checker) find(f Finding) { c.findings = append(c.findings, f) }

// AddDigest takes a digest: its document, and the attributes of its record. id is that
// of the record.
func (c *Checker) AddDigest(id StreamID, document, sha256, signature string) {
	doc, err := Decode([]byte(document))
	if err != nil {
		c.find(Finding{Kind: KindForm, Stream: id, Detail: err.Error()})
		return
	}
	sum := Sum([]byte(document))
	at := Finding{Stream: id, Chain: doc.Chain, Number: doc.Number}
	if sum != sha256 {
		at.Kind, at.Detail = KindAltered, "the record's digest attribute is that of other bytes"
		c.find(at)
	}
	if c.Key != nil && !Verify(c.Key, []byte(document), signature) {
		at.Kind, at.Detail = KindSignature, "the key did not sign these bytes"
		c.find(at)
	}
	if own := (StreamID{doc.PrincipalID, doc.EventType, doc.Replay}); own != id {
		at.Kind, at.Detail = KindAltered, "the record names another stream than the document"
		c.find(at)
		id = own
	}
	chain := c.stream(id).chains[doc.Chain]
	if chain == nil {
		chain = &checkedChain{digests: map[int64][]checkedDigest{}}
		c.stream(id).chains[doc.Chain] = chain
	}
	for _, other := range chain.digests[doc.Number] {
		if other.sum == sum {
			return
		}
		if other.doc.Term == doc.Term {
			at.Kind, at.Detail = KindFork, "two digests have this number and term"
			c.find(at)
			return
		}
	}
	chain.digests[doc.Number] = append(chain.digests[doc.Number], checkedDigest{doc, sum})
}

// AddRecord takes a record of a line.
func (c *Checker) AddRecord(r Record) {
	files := c.stream(r.Stream).files
	key := fileKey{r.FileID, r.FileSHA256}
	file := files[key]
	if file == nil {
		file = &checkedFile{lines: map[int]LineSum{}}
		files[key] = file
	}
	switch known, ok := file.lines[r.Line]; {
	case !ok:
		file.lines[r.Line] = r.Sum
		if r.NoSum {
			file.noSum++
		}
	case known == r.Sum:
		file.repeated++
	default:
		file.conflicts = append(file.conflicts, r.Line)
	}
}

// StreamReport is what a check says of one stream.
type StreamReport struct {
	Stream StreamID
	// Digests, and the times between which they prove anything.
	Digests    int
	Since      time.Time
	Until      time.Time
	Signed     bool
	Files      int // proven complete
	Records    int // of these files
	Counted    int // records of files that are as many as there were, with unknown lines
	Gaps       []Gap
	Unproven   int // records of files that no digest lists
	Quarantine int // records that digests say wait or were rejected
}

// Report is the result of a check.
type Report struct {
	Streams  []StreamReport
	Findings []Finding
}

// Report checks everything that was added.
func (c *Checker) Report() Report {
	report := Report{Findings: slices.Clone(c.findings)}
	ids := slices.SortedFunc(maps.Keys(c.streams), func(a, b StreamID) int {
		return cmp.Or(cmp.Compare(a.PrincipalID, b.PrincipalID), cmp.Compare(a.EventType, b.EventType), cmp.Compare(a.Replay, b.Replay))
	})
	for _, id := range ids {
		stream := streamCheck{id: id, report: StreamReport{Stream: id, Signed: c.Key != nil}}
		stream.run(c.streams[id])
		report.Streams = append(report.Streams, stream.report)
		report.Findings = append(report.Findings, stream.findings...)
	}
	return report
}

// streamCheck is the check of one stream under way.
type streamCheck struct {
	id       StreamID
	report   StreamReport
	findings []Finding
	listed   map[fileKey][]File // one for each time that it was completed
	amended  map[fileKey][]Amendment
}

func (s *streamCheck) find(kind Kind, f Finding, format string, args ...any) {
	f.Kind, f.Stream, f.Detail = kind, s.id, fmt.Sprintf(format, args...)
	s.findings = append(s.findings, f)
}

func (s *streamCheck) run(stream *checkedStream) {
	s.listed, s.amended = map[fileKey][]File{}, map[fileKey][]Amendment{}
	chains := slices.Sorted(maps.Keys(stream.chains))
	for _, id := range chains {
		s.checkChain(id, stream.chains[id])
	}
	if len(chains) > 1 {
		s.find(KindBegins, Finding{}, "the stream has %d chains; what lies between two of them is not proven", len(chains))
	}
	for _, key := range slices.SortedFunc(maps.Keys(s.listed), compareKeys) {
		s.checkFile(s.listed[key], stream.files[key])
	}
	for _, key := range slices.SortedFunc(maps.Keys(stream.files), compareKeys) {
		s.checkUnlisted(key, stream.files[key])
	}
}

func compareKeys(a, b fileKey) int {
	return cmp.Or(cmp.Compare(a.id, b.id), cmp.Compare(a.sha256, b.sha256))
}

// checkChain follows a chain from its first number at hand. At equal numbers the higher
// term counts.
func (s *streamCheck) checkChain(id string, chain *checkedChain) {
	numbers := slices.Sorted(maps.Keys(chain.digests))
	previous := ""
	for i, number := range numbers {
		at := Finding{Chain: id, Number: number}
		terms := chain.digests[number]
		slices.SortFunc(terms, func(a, b checkedDigest) int { return cmp.Compare(a.doc.Term, b.doc.Term) })
		if len(terms) > 1 {
			s.find(KindRestored, at, "%d writers have cut this number; the last one counts", len(terms))
		}
		digest := terms[len(terms)-1]
		switch {
		case i > 0 && number != numbers[i-1]+1:
			s.find(KindMissing, at, "numbers %d to %d are not there", numbers[i-1]+1, number-1)
		case i > 0 && !slices.ContainsFunc(chain.digests[number-1], func(d checkedDigest) bool { return d.sum == digest.doc.Previous }):
			s.find(KindAltered, at, "the digest before it has another hash than this one says")
		case i == 0 && number > 1:
			s.find(KindMissing, at, "numbers 1 to %d are not there", number-1)
		case number == 1 && digest.doc.Previous != previous:
			s.find(KindAltered, at, "the first digest names one before it")
		}
		for _, each := range terms {
			s.take(each.doc)
		}
	}
}

// take adds what a digest lists.
func (s *streamCheck) take(doc Document) {
	s.report.Digests++
	if s.report.Since.IsZero() || doc.Cut.Before(s.report.Since) {
		s.report.Since = doc.Cut
	}
	if doc.Cut.After(s.report.Until) {
		s.report.Until = doc.Cut
	}
	for _, file := range doc.Files {
		key := fileKey{file.ID, file.SHA256}
		if !slices.Contains(s.listed[key], file) {
			s.listed[key] = append(s.listed[key], file)
		}
	}
	for _, amended := range doc.Amended {
		key := fileKey{amended.FileID, amended.SHA256}
		again := func(a Amendment) bool {
			return a.LinesSHA256 == amended.LinesSHA256 && slices.Equal(a.Lines, amended.Lines)
		}
		if !slices.ContainsFunc(s.amended[key], again) { // a restored checkpoint delivers it again
			s.amended[key] = append(s.amended[key], amended)
		}
	}
	s.report.Gaps = append(s.report.Gaps, doc.Gaps...)
}

// checkFile holds the records of a file against the digests that list it. After an older
// checkpoint was restored several may: then one of them counts, or their records together,
// of which the lines are not known.
func (s *streamCheck) checkFile(versions []File, records *checkedFile) {
	file := versions[len(versions)-1]
	at := Finding{FileID: file.ID, EndTime: file.EndTime}
	if records != nil {
		s.checkConflicts(at, records)
	}
	var wrong []fileVerdict
	for _, version := range versions {
		v := s.judgeFile(version, records)
		if v.kind == "" && v.counted == 0 {
			s.report.Files++
			s.report.Records += v.proven
			s.report.Quarantine += v.waiting
			return
		}
		if v.kind != "" {
			wrong = append(wrong, v)
		}
	}
	missing := slices.IndexFunc(wrong, func(v fileVerdict) bool { return v.kind == KindFile })
	switch {
	case missing >= 0:
		s.find(wrong[missing].kind, at, "%s", wrong[missing].detail)
	case len(wrong) > 0 && len(versions) == 1:
		s.find(wrong[0].kind, at, "%s", wrong[0].detail)
	default:
		s.report.Counted += len(records.lines)
	}
}

// fileVerdict is what is known of a file: complete without a kind, else what is wrong.
type fileVerdict struct {
	kind                     Kind
	detail                   string
	proven, counted, waiting int // records
}

func (s *streamCheck) judgeFile(file File, records *checkedFile) fileVerdict {
	want, amended := file.Records, map[int]bool{}
	amendments := s.amended[fileKey{file.ID, file.SHA256}]
	for _, a := range amendments {
		want += a.Records
		for _, run := range a.Lines {
			for line := run[0]; line <= run[1]; line++ {
				amended[line] = true
			}
		}
	}
	v := fileVerdict{waiting: max(file.Quarantined-len(amended), 0)}
	if records == nil {
		if want > 0 {
			v.kind, v.detail = KindFile, fmt.Sprintf("none of its %d records is there", want)
		}
		return v
	}
	got := LinesDigestOf(records.lines, func(line int) bool { return !amended[line] && line >= file.FirstLine })
	held := len(records.lines)
	for line := range records.lines {
		if line < file.FirstLine {
			held-- // delivered before the chain began
		}
	}
	switch {
	case held < want:
		v.kind, v.detail = KindFile, fmt.Sprintf("%d of its %d records are there", held, want)
	case held > want+file.Duplicates+v.waiting+file.Dropped:
		v.kind, v.detail = KindForeign, fmt.Sprintf("%d records are there, and %d were delivered", held, want)
	case records.noSum > 0, held > want:
		// More than were delivered: after a kill, lines of the call that was running may
		// have been left out, since another file had brought them meanwhile.
		v.counted = held
	case got != file.LinesSHA256 || !hold(amendments, records):
		v.kind, v.detail = KindLines, fmt.Sprintf("%d records are there, and not all as they were delivered", held)
	default:
		v.proven = held
	}
	return v
}

// hold reports whether the lines of amendments are as they were delivered.
func hold(amendments []Amendment, records *checkedFile) bool {
	for _, a := range amendments {
		of := LinesDigestOf(records.lines, func(line int) bool {
			return slices.ContainsFunc(a.Lines, func(run [2]int) bool { return run[0] <= line && line <= run[1] })
		})
		if of != a.LinesSHA256 {
			return false
		}
	}
	return true
}

func (s *streamCheck) checkConflicts(at Finding, records *checkedFile) {
	if n := len(records.conflicts); n > 0 {
		s.find(KindConflict, at, "%d records come with two contents, the first in line %d", n, slices.Min(records.conflicts))
	}
	if records.repeated > 0 {
		s.find(KindRepeated, at, "%d records are there again, byte for byte", records.repeated)
	}
}

// checkUnlisted is for records of a file that no digest lists.
func (s *streamCheck) checkUnlisted(key fileKey, records *checkedFile) {
	if _, ok := s.listed[key]; ok {
		return
	}
	s.checkConflicts(Finding{FileID: key.id}, records)
	s.report.Unproven += len(records.lines)
}

// LinesDigestOf digests those of some lines that count.
func LinesDigestOf(lines map[int]LineSum, counts func(line int) bool) string {
	d := NewLinesDigest()
	for _, line := range slices.Sorted(maps.Keys(lines)) {
		if counts(line) {
			d.Add(line, lines[line])
		}
	}
	return d.Sum()
}
