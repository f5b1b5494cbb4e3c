// Copyright The OpenTelemetry Authors
// SPDX-License-Identifier: Apache-2.0

// Package checkpoint keeps what has been delivered of each stream, in a storage
// extension. Only a deliver.Receipt moves a position.
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
	// Cursor is the end_time up to which every listed file is done.
	Cursor time.Time `json:"cursor"`
	// ListedThrough is the server's clock at the begin of the last pass that
	// listed everything; zero before the first.
	ListedThrough time.Time `json:"listed_through"`
	// Files is the ledger of finished files, from the floor or 31 days before
	// the cursor on: a hash of the id, and the end_time in microseconds.
	Files entries `json:"files"`
	// Events is the window of delivered events: a hash of the id, and one of
	// the line.
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

func newState(floor time.Time, startFrom string) *state {
	return &state{
		Floor: floor.UTC(), StartFrom: startFrom, Cursor: floor.UTC(),
		Open: map[string]position{}, Quarantine: map[string]Quarantined{},
	}
}

func (s *state) clone() *state {
	next := *s
	next.Files, next.Events = s.Files.clone(), s.Events.clone()
	next.Open, next.Quarantine = maps.Clone(s.Open), maps.Clone(s.Quarantine)
	next.Refused = slices.Clone(s.Refused)
	return &next
}

// lowestUnfinished is the earliest end_time of the files that are set aside or
// delivered in part; ok is false when there are none.
func (s *state) lowestUnfinished() (lowest time.Time, ok bool) {
	lower := func(end time.Time) {
		if !ok || end.Before(lowest) {
			lowest, ok = end, true
		}
	}
	for _, entry := range s.Quarantine {
		lower(entry.EndTime)
	}
	for _, open := range s.Open {
		lower(open.EndTime)
	}
	return lowest, ok
}

// advanceCursor moves the cursor to end, or to just before the earliest file in
// quarantine. The cursor never moves back.
func (s *state) advanceCursor(end time.Time) {
	for _, entry := range s.Quarantine {
		if before := entry.EndTime.Add(-tick); before.Before(end) {
			end = before
		}
	}
	if end.After(s.Cursor) {
		s.Cursor = end
	}
}

// tick is the resolution of the API's times.
const tick = time.Microsecond

// listFrom is the time after which files are to be listed: the position less the
// overlap, just below every unfinished file, and not below the floor. It is at
// least a tick behind the position: another file may share its end_time.
func (s *state) listFrom(overlap time.Duration) time.Time {
	from := s.Cursor.Add(-max(overlap, tick))
	if lowest, ok := s.lowestUnfinished(); ok && lowest.Add(-tick).Before(from) {
		from = lowest.Add(-tick)
	}
	if from.Before(s.Floor) {
		from = s.Floor
	}
	return from
}

// The stored value is a header line, "openai-compliance-state <version> <CRC-32C
// of the rest, hex>", and a JSON document.
const (
	headerWord    = "openai-compliance-state"
	formatVersion = 1
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
	return append(header(doc), doc...), nil
}

func header(doc []byte) []byte {
	return fmt.Appendf(nil, "%s %d %08x\n", headerWord, formatVersion, crc32.Checksum(doc, castagnoli))
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
	if version != formatVersion {
		return nil, fmt.Errorf("it has format version %d, this build reads %d", version, formatVersion)
	}
	if !bytes.Equal(header(doc), value[:len(line)+1]) {
		return nil, errChecksum
	}
	s := newState(time.Time{}, "")
	if err := json.Unmarshal(doc, s); err != nil {
		return nil, errHeader
	}
	if s.Open == nil || s.Quarantine == nil { // null, which no encode has written
		return nil, errHeader
	}
	return s, nil
}
