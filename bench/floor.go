// Copyright The OpenTelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"time"

	"github.com/go-faster/jx"

	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/openaicompliance/openaicompliancereceiver/internal/record"
)

// floor does what no receiver can do without: read a body by HTTP, digest it, and
// read the tokens of its lines. Then it hands the content on, if anybody wants it.
func floor(ctx context.Context, url string, then func([]byte) error) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, http.NoBody)
	if err != nil {
		return err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	content := make([]byte, resp.ContentLength)
	if _, err := io.ReadFull(resp.Body, content); err != nil {
		return err
	}
	_ = sha256.Sum256(content)
	dec := jx.DecodeBytes(nil)
	for line := range bytes.Lines(content) {
		dec.ResetBytes(line)
		if err := dec.Skip(); err != nil {
			return err
		}
	}
	if then != nil {
		return then(content)
	}
	return nil
}

// makers of what the floor makes, by name.
var makers = map[string]func([]byte) error{
	withRecords: func(content []byte) error { return makeRecords(content, false) },
	withParsed:  func(content []byte) error { return makeRecords(content, true) },
}

const (
	withRecords = "records"
	withParsed  = "parsed"
)

// models is how many records are mapped, to know what the others hold.
const models = 50

// perBatch is as many records as a batch has by default.
const perBatch = 1000

// makeRecords makes a record with the attributes of its kind for each line, and finds
// none of their values: those of the first lines come again and again. That is the
// least that records cost, whoever reads the lines.
func makeRecords(content []byte, parsed bool) error {
	var first struct{ Type string }
	head, _, _ := bytes.Cut(content, []byte{'\n'})
	if err := json.Unmarshal(head, &first); err != nil {
		return err
	}
	var lines []record.Line
	for line := range bytes.Lines(content) {
		if len(lines) == models {
			break
		}
		lines = append(lines, record.Line{Number: len(lines) + 1, Text: bytes.TrimSuffix(line, []byte{'\n'})})
	}
	source := record.Source{EventType: first.Type, PrincipalAttr: record.AttrWorkspaceID, PrincipalID: "floor", Parsed: parsed}
	mapped, _ := record.NewMapper(source).Map(record.File{ID: "floor", Name: "floor", SHA256: "floor"}, lines, time.Now())
	from := mapped.ResourceLogs().At(0).ScopeLogs().At(0).LogRecords()

	var to plog.LogRecordSlice
	n := 0
	for line := range bytes.Lines(content) {
		if n%perBatch == 0 {
			to = plog.NewLogs().ResourceLogs().AppendEmpty().ScopeLogs().AppendEmpty().LogRecords()
			to.EnsureCapacity(perBatch)
		}
		made := to.AppendEmpty()
		model := from.At(n % from.Len())
		if parsed {
			model.Body().CopyTo(made.Body())
		} else {
			made.Body().SetStr(string(line))
		}
		model.Attributes().CopyTo(made.Attributes())
		n++
	}
	return nil
}

// measureFloor runs the floor in a process of its own.
func measureFloor(ctx context.Context, s *source, args ...string) (used, error) {
	cmd := exec.CommandContext(ctx, os.Args[0], append(append([]string{"floor"}, args...), s.urls()...)...)
	cmd.Stderr = os.Stderr
	if err := cmd.Run(); err != nil {
		return used{}, fmt.Errorf("floor: %w", err)
	}
	return used{cpu: cpuOf(cmd.ProcessState)}, nil
}
