// Copyright The OpenTelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package edit

import (
	"slices"

	"github.com/openaicompliance/openaicompliancereceiver/internal/checkpoint"
)

// All names every file in the retry queue.
const All = "all"

// Discard gives up a queued file, or all: what was to be delivered of it never is. A file
// that was queued whole becomes completed. It returns the ids of these, and the number of
// lines that were queued by themselves.
func Discard(s *checkpoint.Snapshot, id string) (files []string, lines int) {
	s.Queue = slices.DeleteFunc(slices.Clone(s.Queue), func(f checkpoint.QueuedFile) bool {
		if id != All && f.File.ID != id {
			return false
		}
		if f.NextLine > 0 {
			complete(s, f)
			files = append(files, f.File.ID)
		}
		for _, r := range f.Lines {
			lines += r.To - r.From
		}
		return true
	})
	return files, lines
}

func complete(s *checkpoint.Snapshot, f checkpoint.QueuedFile) {
	if f.Implausible || f.File.EndTime.IsZero() {
		s.Implausible = append(s.Implausible, f.File.ID)
		return
	}
	s.MarkCompleted(f.File.ID, f.File.EndTime)
}
