// Copyright The OpenTelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/openaicompliance/openaicompliancereceiver/cmd/internal/plainflag"
	"github.com/openaicompliance/openaicompliancereceiver/internal/fakeapi"
)

// Bounds of what is made in memory.
const (
	maxWindows = 100_000
	maxRecords = 1_000_000
)

// check refuses what cannot be served.
func (o *options) check() error {
	for flag, addr := range map[string]string{"-addr": o.addr, "-storage-addr": o.storage} {
		if _, _, err := net.SplitHostPort(addr); err != nil {
			return plainflag.Misusef("%s: %w", flag, err)
		}
	}
	for flag, share := range map[string]float64{"-duplicates": o.duplicates, "-late": o.late} {
		if !(share >= 0 && share <= 1) {
			return plainflag.Misusef("%s: %v must be from 0 to 1", flag, share)
		}
	}
	for flag, number := range map[string]int{"-lists-per-minute": o.lists, "-downloads-per-minute": o.downloads} {
		if number < 0 {
			return plainflag.Misusef("%s: %d must be at least 0", flag, number)
		}
	}
	switch {
	case o.records < 0 || o.records > maxRecords:
		return plainflag.Misusef("-records: %d must be from 0 to %d", o.records, maxRecords)
	case o.every <= 0:
		return plainflag.Misusef("-every: %v must be above 0", o.every)
	case o.history < 0:
		return plainflag.Misusef("-history: %v must be at least 0", o.history)
	case int64(o.history/o.every) > maxWindows:
		return plainflag.Misusef("-every: %v makes more than %d files of a type in a -history of %v", o.every, maxWindows, o.history)
	case o.types == "":
		return plainflag.Misusef("-types: missing; name at least one")
	}
	return errors.Join(checkTypes("-types", o.types), checkTypes("-forbidden", o.forbidden))
}

func split(list string) []string {
	if list == "" {
		return nil
	}
	return strings.Split(list, ",")
}

func checkTypes(flag, list string) error {
	for _, eventType := range split(list) {
		if !isType(eventType) {
			return plainflag.Misusef("%s: %q is not an event type that the simulated API has", flag, eventType)
		}
	}
	return nil
}

func isType(name string) bool {
	return slices.Contains(fakeapi.EventTypes(false), name) || slices.Contains(fakeapi.EventTypes(true), name)
}

// readFaults reads a fault script. What no request would meet, or would meet in another
// way than it is written, is refused.
func readFaults(path string) ([]fakeapi.Fault, error) {
	if path == "" {
		return nil, nil
	}
	data, err := os.ReadFile(path) //nolint:gosec // the user names the file
	if err != nil {
		return nil, plainflag.Misusef("-faults: %w", err)
	}
	var script []fakeapi.Fault
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.DisallowUnknownFields()
	if err = decoder.Decode(&script); err == nil {
		if _, end := decoder.Token(); !errors.Is(end, io.EOF) {
			err = errors.New("something follows the array")
		}
	}
	if err != nil {
		return nil, plainflag.Misusef("-faults: %s: expected a JSON array of faults: %w", path, err)
	}
	for i, fault := range script {
		if err := checkFault(fault); err != nil {
			return nil, plainflag.Misusef("-faults: %s: fault %d: %w", path, i+1, err)
		}
	}
	return script, nil
}

func checkFault(f fakeapi.Fault) error {
	switch {
	case !slices.Contains([]string{"list", "download", "fetch"}, f.Op):
		return fmt.Errorf("op: %q is not list, download or fetch", f.Op)
	case f.EventType != "" && !isType(f.EventType):
		return fmt.Errorf("event_type: %q is not an event type that the simulated API has", f.EventType)
	case f.Skip < 0:
		return fmt.Errorf("skip: %d must be at least 0", f.Skip)
	case f.Times < 0:
		return fmt.Errorf("times: %d must be at least 0", f.Times)
	case f.Delay < 0:
		return fmt.Errorf("delay: %v must be at least 0", time.Duration(f.Delay))
	case f.Status != 0 && (f.Status < 200 || f.Status > 599):
		return fmt.Errorf("status: %d must be from 200 to 599", f.Status)
	case f.Truncate != nil && *f.Truncate < 0:
		return fmt.Errorf("truncate: %d must be at least 0", *f.Truncate)
	}
	return nil
}
