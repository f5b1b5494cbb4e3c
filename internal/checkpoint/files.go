// Copyright The OpenTelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package checkpoint

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"time"
	"unicode/utf8"

	"github.com/openaicompliance/openaicompliancereceiver/internal/deliver"
)

// QueuedFile is a file that still has something to deliver: in the retry queue, or open.
type QueuedFile struct {
	File deliver.FileRef
	// NextLine above 0: the whole file is delivered from this line. 0: only Lines.
	NextLine int
	// SHA256 of the bytes that the line numbers are of, "" when none were read.
	SHA256 string
	// Ahead are lines after NextLine that are delivered.
	Ahead []int
	// Tally is kept for digests while a part of the file is delivered.
	Tally []byte
	// Lines are rejected records, ascending.
	Lines []LineRange
	// Reason is the last error, at most 200 characters.
	Reason string
	// Cause is a short label of the cause.
	Cause string
	Since time.Time
	// Implausible is set when nothing comes from the end_time.
	Implausible bool
}

// storedFile is the JSON of a QueuedFile.
type storedFile struct {
	ID          string      `json:"id"`
	Name        string      `json:"name"`
	Size        int64       `json:"size"`
	EndTime     time.Time   `json:"end_time,omitzero"`
	Listed      string      `json:"listed_sha256,omitzero"`
	NextLine    int         `json:"next_line,omitzero"`
	SHA256      string      `json:"sha256,omitzero"`
	Ahead       []int       `json:"ahead,omitempty"`
	Tally       []byte      `json:"tally,omitempty"`
	Lines       []LineRange `json:"lines,omitempty"`
	Reason      string      `json:"reason,omitzero"`
	Cause       string      `json:"cause,omitzero"`
	Since       time.Time   `json:"since,omitzero"`
	Implausible bool        `json:"implausible,omitzero"`
}

// MarshalJSON returns a flat object; "listed_sha256" is the digest of the listing.
func (f QueuedFile) MarshalJSON() ([]byte, error) {
	return json.Marshal(storedFile{
		f.File.ID, f.File.Name, f.File.Size, f.File.EndTime, f.File.SHA256,
		f.NextLine, f.SHA256, f.Ahead, f.Tally, f.Lines, f.Reason, f.Cause, f.Since, f.Implausible,
	})
}

// UnmarshalJSON reads what MarshalJSON writes.
func (f *QueuedFile) UnmarshalJSON(data []byte) error {
	var s storedFile
	if err := decodeStrict(data, &s); err != nil {
		return err
	}
	*f = QueuedFile{
		deliver.FileRef{ID: s.ID, Name: s.Name, Size: s.Size, EndTime: s.EndTime, SHA256: s.Listed},
		s.NextLine, s.SHA256, s.Ahead, s.Tally, s.Lines, s.Reason, s.Cause, s.Since, s.Implausible,
	}
	return nil
}

// clone shares nothing with the original.
func (f QueuedFile) clone() QueuedFile {
	f.Ahead, f.Tally, f.Lines = slices.Clone(f.Ahead), slices.Clone(f.Tally), slices.Clone(f.Lines)
	return f
}

// maxReason is in characters.
const maxReason = 200

// stored is the file as it is kept: times in whole microseconds, the reason cut, lines in
// order, and the whole file when no lines are named.
func (f QueuedFile) stored() QueuedFile {
	f = f.clone()
	f.File.EndTime, f.Since = wholeMicros(f.File.EndTime), wholeMicros(f.Since)
	f.Lines = unitedRanges(nil, f.Lines)
	if f.NextLine == 0 && len(f.Lines) == 0 {
		f.NextLine = 1
	}
	if utf8.RuneCountInString(f.Reason) > maxReason {
		f.Reason = string([]rune(f.Reason)[:maxReason])
	}
	return f
}

var errQueuedFile = errors.New("a queued file has no id, nothing to deliver, or bad lines")

func (f QueuedFile) check() error {
	if f.File.ID == "" || f.NextLine < 0 || f.NextLine == 0 && len(f.Lines) == 0 || !validRanges(f.Lines) {
		return errQueuedFile
	}
	return nil
}

// OpenFiles returns a copy of the files that are delivered in part and not queued whole.
func (s *Stream) OpenFiles() []QueuedFile {
	files := []QueuedFile{}
	for _, f := range s.current().Open {
		files = append(files, f.clone())
	}
	return files
}

// RemoveOpen removes open files that have expired. They do not become completed.
func (s *Stream) RemoveOpen(ctx context.Context, fileIDs ...string) error {
	return s.commit(ctx, func(d *draft) error {
		before := len(d.Open)
		for _, id := range fileIDs {
			d.removeOpen(id)
		}
		if len(d.Open) == before {
			return errNoChange
		}
		return nil
	})
}

// ResumeLine returns the first line (from 1) of a file that still needs delivery, and the
// lines after it that are delivered. changed is set when these are stored for other bytes
// of this id: the file begins again.
func (s *Stream) ResumeLine(fileID, sha256 string) (next int, ahead []int, changed bool) {
	f, ok := s.current().begunFile(fileID)
	if !ok {
		return 1, nil, false
	}
	begun := f.NextLine > 1 || len(f.Ahead) > 0
	if begun && f.SHA256 != sha256 {
		return 1, nil, true
	}
	return f.NextLine, slices.Clone(f.Ahead), false
}

// Tally returns what digests have of a file of which a part is delivered; nil without.
func (s *Stream) Tally(fileID, sha256 string) []byte {
	f, ok := s.current().begunFile(fileID)
	if !ok || f.SHA256 != sha256 {
		return nil
	}
	return slices.Clone(f.Tally)
}

// begunFile is a file that is open or queued whole.
func (s *state) begunFile(id string) (f QueuedFile, ok bool) {
	if f, ok = s.Queue.get(id); ok && f.NextLine > 0 {
		return f, true
	}
	return s.openFile(id)
}

func (s *state) openFile(id string) (f QueuedFile, ok bool) {
	for _, f := range s.Open {
		if f.File.ID == id {
			return f, true
		}
	}
	return QueuedFile{}, false
}

// setOpen adds an open file or replaces it; its time stays.
func (d *draft) setOpen(f QueuedFile) {
	if old, ok := d.openFile(f.File.ID); ok {
		f.Since = old.Since
	}
	d.removeOpen(f.File.ID)
	d.Open = append(slices.Clip(d.Open), f)
}

func (d *draft) removeOpen(id string) {
	d.Open = slices.DeleteFunc(slices.Clone(d.Open), func(f QueuedFile) bool { return f.File.ID == id })
}
