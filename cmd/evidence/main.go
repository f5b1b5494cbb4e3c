// Copyright The OpenTelemetry Authors
// SPDX-License-Identifier: Apache-2.0

// Command evidence proves that delivered log records are lines of an exported
// file:
//
//	go run ./cmd/evidence -records delivered.json -file AUTH_LOG_2026-08-02.jsonl
//
// delivered.json holds OTLP in JSON, one message a line, as the file exporter
// writes it; "-" is the standard input. A record is proven when the file has the
// SHA-256 that the record names and the record's body is what the receiver makes
// of the line that it names. For bodies with digests in the place of content the
// key is taken from OPENAI_COMPLIANCE_HMAC_KEY.
//
// The exit status is 0 when every record is proven, 1 when one is not, 2 when the
// command cannot run.
package main

import (
	"bufio"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"time"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/openaicompliance/openaicompliancereceiver/internal/jsonl"
	"github.com/openaicompliance/openaicompliancereceiver/internal/record"
)

func main() {
	records := flag.String("records", "", "OTLP in JSON, one message a line; - for the standard input")
	file := flag.String("file", "", "the exported file")
	uid := flag.String("uid", "", "prove only the record with this log.record.uid")
	flag.Parse()
	failed, err := run(*records, *file, *uid, os.Getenv("OPENAI_COMPLIANCE_HMAC_KEY"), os.Stdout)
	switch {
	case err != nil:
		fmt.Fprintln(os.Stderr, "evidence:", err)
		os.Exit(2)
	case failed > 0:
		os.Exit(1)
	}
}

// run prints one line for each record and counts those that are not proven.
func run(records, file, uid, key string, out io.Writer) (failed int, err error) {
	if records == "" || file == "" {
		return 0, errors.New("both -records and -file are needed")
	}
	exported, err := readExport(file)
	if err != nil {
		return 0, err
	}
	exported.key = key
	in := os.Stdin
	if records != "-" {
		if in, err = os.Open(records); err != nil { //nolint:gosec // the path is the user's own
			return 0, err
		}
		defer in.Close()
	}
	found := 0
	err = eachRecord(in, func(resource pcommon.Map, delivered plog.LogRecord) {
		id := textOf(delivered.Attributes(), record.AttrRecordUID)
		if uid != "" && id != uid {
			return
		}
		found++
		verdict := "proven"
		if err := exported.prove(resource, delivered); err != nil {
			failed++
			verdict = "NOT PROVEN: " + err.Error()
		}
		line, _ := delivered.Attributes().Get(record.AttrFileLine)
		fmt.Fprintf(out, "%s line %s: %s\n", id, line.AsString(), verdict)
	})
	if err == nil && found == 0 {
		err = errors.New("no such record")
	}
	return failed, err
}

// eachRecord calls fn for every log record of a stream of OTLP messages.
func eachRecord(in io.Reader, fn func(resource pcommon.Map, delivered plog.LogRecord)) error {
	messages := bufio.NewScanner(in)
	messages.Buffer(nil, 1<<30)
	for messages.Scan() {
		if len(messages.Bytes()) == 0 {
			continue
		}
		logs, err := (&plog.JSONUnmarshaler{}).UnmarshalLogs(messages.Bytes())
		if err != nil {
			return fmt.Errorf("read records: %w", err)
		}
		for _, resource := range logs.ResourceLogs().All() {
			for _, scope := range resource.ScopeLogs().All() {
				for _, delivered := range scope.LogRecords().All() {
					fn(resource.Resource().Attributes(), delivered)
				}
			}
		}
	}
	return messages.Err()
}

// export is an exported file.
type export struct {
	sha256, key string
	lines       map[int64][]byte
}

func readExport(path string) (*export, error) {
	data, err := os.ReadFile(path) //nolint:gosec // the path is the user's own
	if err != nil {
		return nil, err
	}
	sum := sha256.Sum256(data)
	e := &export{sha256: hex.EncodeToString(sum[:]), lines: map[int64][]byte{}}
	for lines := jsonl.NewReader(data); lines.Next(); {
		e.lines[int64(lines.Number())] = lines.Line()
	}
	return e, nil
}

// prove returns why a record is not of this file, nil when it is.
func (e *export) prove(resource pcommon.Map, delivered plog.LogRecord) error {
	attrs := delivered.Attributes()
	if delivered.EventName() == record.GapEventName {
		return errors.New("it tells of lost records and is no line itself")
	}
	if sum := textOf(attrs, record.AttrFileSHA256); sum != e.sha256 {
		return fmt.Errorf("the file's SHA-256 is %s, the record names %q", e.sha256, sum)
	}
	number, _ := attrs.Get(record.AttrFileLine)
	line, ok := e.lines[number.Int()]
	if !ok {
		return fmt.Errorf("the file has no line %s", number.AsString())
	}
	source := record.Source{
		EventType: textOf(resource, record.AttrEventType), PrincipalAttr: record.AttrWorkspaceID,
		Parsed:  delivered.Body().Type() == pcommon.ValueTypeMap,
		Content: record.Content{Mode: record.ContentMode(textOf(attrs, record.AttrContent)), Key: []byte(e.key)},
	}
	if source.Content.Mode == record.ContentHMAC && e.key == "" {
		return errors.New("its content is withheld: set OPENAI_COMPLIANCE_HMAC_KEY")
	}
	from := record.File{ID: textOf(attrs, record.AttrFileID), Name: textOf(attrs, record.AttrFileName), SHA256: e.sha256}
	logs, _ := record.NewMapper(source).Map(from, []record.Line{{Number: int(number.Int()), Text: line}}, time.Time{})
	made := logs.ResourceLogs().At(0).ScopeLogs().At(0).LogRecords().At(0)
	switch {
	case !made.Body().Equal(delivered.Body()):
		return errors.New("the record's body is not what the line gives")
	case textOf(made.Attributes(), record.AttrRecordUID) != textOf(attrs, record.AttrRecordUID):
		return errors.New("the record's log.record.uid is not what the line gives")
	}
	return nil
}

func textOf(attrs pcommon.Map, name string) string {
	value, ok := attrs.Get(name)
	if !ok {
		return ""
	}
	return value.AsString()
}
