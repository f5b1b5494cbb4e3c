// Copyright The OpenTelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package preview

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/openaicompliance/openaicompliancereceiver/cmd/internal/command"
	"github.com/openaicompliance/openaicompliancereceiver/internal/compliance"
	"github.com/openaicompliance/openaicompliancereceiver/internal/jsonl"
)

// maxFiles is how many files of a type are downloaded at most: quiet types have
// few records in each.
const maxFiles = 10

// preview of one event type.
type preview struct {
	client    *compliance.Client
	eventType string
	since     time.Time
	records   int
	// shown is what may be printed of a line.
	shown func(line []byte) []byte
}

// shownLine is a line of a file, as -o json prints it.
type shownLine struct {
	EventType string    `json:"event_type"`
	FileID    string    `json:"file_id"`
	FileName  string    `json:"file_name"`
	EndTime   time.Time `json:"end_time"`
	Line      int       `json:"line"`
	Record    string    `json:"record"` // as exported, or with content withheld
}

// print writes the records of the newest files, oldest first as in the files, and
// a line about them to the notes.
func (p preview) print(ctx context.Context, env *command.Env, format command.Format) error {
	files, total, err := p.newest(ctx)
	if err != nil {
		return fmt.Errorf("list files: %w", err)
	}
	if total == 0 {
		env.Notef("%s: no file since %s; look further back with --since, up to \"beginning\"", p.eventType, p.since.Format(time.RFC3339))
		return nil
	}
	var lines []shownLine
	used := 0
	for _, file := range slices.Backward(files) {
		env.Notes.Progress("%s: file %d", p.eventType, used+1)
		content, err := p.client.Download(ctx, file)
		if err != nil {
			return fmt.Errorf("file %q: %w", file.ID, err)
		}
		used++
		lines = slices.Concat(p.linesOf(file, content.Bytes), lines)
		if len(lines) >= p.records {
			break
		}
	}
	lines = lines[max(0, len(lines)-p.records):]
	env.Notef("%s: %d records of the newest %d of %d files since %s, the newest written %s", p.eventType, len(lines), used, total,
		p.since.Format(time.RFC3339), files[len(files)-1].EndTime.Format(time.RFC3339))
	for _, line := range lines {
		if format == command.JSON {
			err = env.PrintJSON(line, "")
		} else {
			err = env.Print(line.Record + "\n")
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// newest lists everything since the given time, and returns the last files and
// the number of all: the API lists the oldest first.
func (p preview) newest(ctx context.Context) (files []compliance.File, total int, err error) {
	pager := p.client.Pages(p.eventType, p.since, time.Time{}, nil)
	for {
		page, err := pager.Next(ctx)
		if errors.Is(err, io.EOF) {
			return files, total, nil
		}
		if err != nil {
			return nil, 0, err
		}
		for _, entry := range page.Entries {
			if entry.Fault == "" && !entry.OtherType { // others cannot be downloaded
				files = append(files, entry.File)
				total++
			}
		}
		files = files[max(0, len(files)-maxFiles):]
	}
}

func (p preview) linesOf(file compliance.File, content []byte) (lines []shownLine) {
	reader := jsonl.NewReader(content)
	for reader.Next() {
		lines = append(lines, shownLine{
			EventType: p.eventType, FileID: file.ID, FileName: file.Name, EndTime: file.EndTime,
			Line: reader.Number(), Record: string(p.shown(reader.Line())),
		})
	}
	return lines
}
