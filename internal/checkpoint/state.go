// Copyright The OpenTelemetry Authors
// SPDX-License-Identifier: Apache-2.0

// Package checkpoint keeps what has been delivered of each stream, in a storage
// extension. Only a deliver.Receipt moves a position of a running receiver; package
// edit changes what is stored while none runs.
package checkpoint

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"maps"
	"slices"
	"time"
)

// state is the mark value of one stream: all that is stored of it but the blocks
// that Files and Events name. Writing it is the commit. Times are absolute and in
// UTC.
type state struct {
	// Floor is where the first run began; nothing at or before it is asked for.
	Floor time.Time `json:"floor"`
	// StartFrom is the configuration's text that Floor was made of.
	StartFrom string `json:"start_from"`
	// Until is the upper bound, zero for none; nothing above it is collected.
	Until time.Time `json:"until,omitzero"`
	// UntilText is the configuration's text that Until was made of.
	UntilText string `json:"until_text,omitzero"`
	// Ended is set once everything up to Until is done.
	Ended bool `json:"ended,omitzero"`
	// Segments are at least one.
	Segments []segment `json:"segments"`
	// Files is the ledger of finished files, from the floor or 31 days before
	// the cursor on: a hash of the id, and the end_time in microseconds.
	Files entries `json:"files"`
	// Events is the window of delivered events: a hash of the id, and half of one
	// of the line.
	Events entries `json:"events"`
	// Open holds the position inside files that are delivered in part, by id.
	Open map[string]position `json:"open"`
	// Quarantine holds files that could not be downloaded or verified, by id.
	Quarantine map[string]Quarantined `json:"quarantine"`
	// Refused holds runs of lines that the next consumer refused for good.
	Refused []Refused `json:"refused"`
}

// Refused is a run of lines of one file that is kept for later tries.
type Refused struct {
	FileID   string    `json:"file_id"`
	FileName string    `json:"file_name"`
	FileSize int64     `json:"file_size"`
	EndTime  time.Time `json:"end_time"`
	// SHA256 of the file, from the listing.
	SHA256 string `json:"sha256"`
	// From is the first line, To the first one behind the run.
	From  int       `json:"from"`
	To    int       `json:"to"`
	Tries int       `json:"tries"`
	Since time.Time `json:"since"`
}

// Holds reports whether a line is in the run.
func (r Refused) Holds(line int) bool { return line >= r.From && line < r.To }

// position inside a file, valid for these very bytes only.
type position struct {
	SHA256   string    `json:"sha256"`
	EndTime  time.Time `json:"end_time"`
	NextLine int       `json:"next_line"`
}

// reason why an open file is not finished.
func (p position) reason() string {
	if p.NextLine == 1 {
		return "released from quarantine for another try, and not read since"
	}
	return fmt.Sprintf("delivered in part, up to line %d", p.NextLine-1)
}

// Quarantined is a listed file that could not be read so far.
type Quarantined struct {
	EndTime time.Time `json:"end_time"`
	Name    string    `json:"name"`
	Size    int64     `json:"size"`
	SHA256  string    `json:"sha256"`
	// Reason is the error of the latest try.
	Reason string `json:"reason"`
	// Tries so far, and the time of the first.
	Tries int       `json:"tries"`
	Since time.Time `json:"since"`
}

// Beginning is what the first run fixes for good.
type Beginning struct {
	// Floor and StartFrom, the configuration's text that it was made of.
	Floor     time.Time
	StartFrom string
	// Until and UntilText likewise, zero for no bound.
	Until     time.Time
	UntilText string
	// Boundary, where it lies above the floor, is where live begins; what lies
	// between the two is history.
	Boundary time.Time
}

func newState(begin Beginning) *state {
	floor := begin.Floor.UTC()
	s := &state{
		Floor: floor, StartFrom: begin.StartFrom, Until: begin.Until.UTC(), UntilText: begin.UntilText,
		Segments: []segment{{From: floor, Cursor: floor}},
		Open:     map[string]position{}, Quarantine: map[string]Quarantined{},
	}
	if at := begin.Boundary.UTC(); at.After(floor) && (begin.Until.IsZero() || at.Before(begin.Until)) {
		s.Segments = append(s.Segments, segment{From: at, Cursor: at})
	}
	return s
}

func (s *state) clone() *state {
	next := *s
	next.Segments = slices.Clone(s.Segments)
	next.Files, next.Events = s.Files.clone(), s.Events.clone()
	next.Open, next.Quarantine = maps.Clone(s.Open), maps.Clone(s.Quarantine)
	next.Refused = slices.Clone(s.Refused)
	return &next
}

// tick is the resolution of the API's times.
const tick = time.Microsecond

// The stored value is a header line, "openai-compliance-state <version> <CRC-32C,
// hex>", and a JSON document. The checksum is that of all the rest, and up to version
// 2 of the document.
const (
	headerWord    = "openai-compliance-state"
	formatVersion = 3
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// Reasons why stored state cannot be used.
var (
	errHeader   = errors.New("it is not a state of this receiver")
	errChecksum = errors.New("its checksum does not match, so it is damaged")
)

func (s *state) encode() ([]byte, error) {
	doc, err := json.Marshal(s)
	if err != nil {
		return nil, fmt.Errorf("encode: %w", err)
	}
	return withHeader(formatVersion, doc), nil
}

// withHeader puts the header before a document.
func withHeader(version int, doc []byte) []byte {
	header := fmt.Appendf(nil, "%s %d ", headerWord, version)
	sum := crc32.Checksum(doc, castagnoli)
	if version > 2 {
		sum = crc32.Update(crc32.Checksum(header, castagnoli), castagnoli, doc)
	}
	header = fmt.Appendf(header, "%08x\n", sum)
	return append(header, doc...)
}

func decode(value []byte) (*state, error) {
	line, doc, ok := bytes.Cut(value, []byte{'\n'})
	if !ok {
		return nil, errHeader
	}
	var (
		word    string
		version int
		sum     uint32
	)
	if n, _ := fmt.Sscanf(string(line), "%s %d %08x", &word, &version, &sum); n != 3 || word != headerWord {
		return nil, errHeader
	}
	if version < 1 || version > formatVersion {
		return nil, fmt.Errorf("it has format version %d, this build reads 1 to %d", version, formatVersion)
	}
	if !bytes.Equal(withHeader(version, doc), value) {
		return nil, errChecksum
	}
	s, err := parse(version, doc)
	if err != nil || !s.whole() {
		return nil, errHeader
	}
	return s, nil
}

// whole reports whether the document has all that every encode writes.
func (s *state) whole() bool {
	return s.Open != nil && s.Quarantine != nil && len(s.Segments) > 0
}

func parse(version int, doc []byte) (*state, error) {
	s := &state{}
	if err := json.Unmarshal(doc, s); err != nil {
		return nil, err
	}
	if version < 3 { // events were written as files are
		if len(s.Events.Tail)%endForm.size() != 0 {
			return nil, errHeader
		}
		s.Events.Tail = contentForm.rewritten(s.Events.Tail, endForm)
	}
	if version > 1 {
		return s, nil
	}
	// Version 1 had one segment.
	var v1 struct {
		Cursor        time.Time `json:"cursor"`
		ListedThrough time.Time `json:"listed_through"`
	}
	if err := json.Unmarshal(doc, &v1); err != nil {
		return nil, err
	}
	s.Segments = []segment{{s.Floor, v1.Cursor, v1.ListedThrough}}
	return s, nil
}
