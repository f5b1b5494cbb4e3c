// Copyright The OpenTelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"
	"unicode"

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

// print writes the records of the newest files, oldest first as in the files, and
// a line about them to notes.
func (p preview) print(ctx context.Context, out, notes io.Writer) error {
	files, total, err := p.newest(ctx)
	if err != nil {
		return fmt.Errorf("list files: %w", err)
	}
	if total == 0 {
		fmt.Fprintf(notes, "%s: no file since %s; look further back with -since, up to \"beginning\"\n", p.eventType, p.since.Format(time.RFC3339))
		return nil
	}
	var lines [][]byte
	used := 0
	for _, file := range slices.Backward(files) {
		content, err := p.client.Download(ctx, file)
		if err != nil {
			return fmt.Errorf("file %q: %w", file.ID, err)
		}
		used++
		lines = slices.Concat(linesOf(content.Bytes), lines)
		if len(lines) >= p.records {
			break
		}
	}
	lines = lines[max(0, len(lines)-p.records):]
	fmt.Fprintf(notes, "%s: %d records of the newest %d of %d files since %s, the newest written %s\n", p.eventType, len(lines), used, total,
		p.since.Format(time.RFC3339), files[len(files)-1].EndTime.Format(time.RFC3339))
	for _, line := range lines {
		if _, err := fmt.Fprintf(out, "%s\n", printable(p.shown(line))); err != nil {
			return fmt.Errorf("print: %w", err)
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

func linesOf(content []byte) (lines [][]byte) {
	reader := jsonl.NewReader(content)
	for reader.Next() {
		lines = append(lines, reader.Line())
	}
	return lines
}

// printable replaces control characters, which JSON never holds as they are and
// a terminal would obey.
func printable(line []byte) []byte {
	return bytes.Map(func(r rune) rune {
		if unicode.IsControl(r) && r != '\t' {
			return unicode.ReplacementChar
		}
		return r
	}, line)
}
