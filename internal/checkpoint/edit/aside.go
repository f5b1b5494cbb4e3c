// Copyright The OpenTelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package edit

import (
	"maps"
	"slices"

	"github.com/openaicompliance/openaicompliancereceiver/internal/checkpoint"
)

// All names every entry in quarantine.
const All = "all"

// Release takes a file out of quarantine, or all, for another try from the first
// line on that was not delivered. The file becomes an open one: those are listed
// again wherever the cursor stands, so none is left behind. It returns the ids.
func Release(s *checkpoint.Snapshot, id string) (released []string) {
	for _, id := range chosen(s, id) {
		entry := s.Quarantine[id]
		if _, ok := s.Open[id]; !ok {
			s.Open[id] = checkpoint.OpenFile{SHA256: entry.SHA256, EndTime: entry.EndTime, NextLine: 1}
		}
		delete(s.Quarantine, id)
		released = append(released, id)
	}
	return released
}

// Discard gives a file in quarantine up, or all, and the refused lines of it: they
// are not tried again. It returns the files and the number of lines.
func Discard(s *checkpoint.Snapshot, id string) (files []string, lines int) {
	for _, id := range chosen(s, id) {
		s.MarkDone(id, s.Quarantine[id].EndTime)
		delete(s.Quarantine, id)
		delete(s.Open, id)
		files = append(files, id)
	}
	s.Refused = slices.DeleteFunc(s.Refused, func(run checkpoint.Refused) bool {
		if id != All && run.FileID != id {
			return false
		}
		lines += run.To - run.From
		return true
	})
	return files, lines
}

func chosen(s *checkpoint.Snapshot, id string) []string {
	if id == All {
		return slices.Sorted(maps.Keys(s.Quarantine))
	}
	if _, ok := s.Quarantine[id]; ok {
		return []string{id}
	}
	return nil
}
