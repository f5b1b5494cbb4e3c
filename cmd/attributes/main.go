// Copyright The OpenTelemetry Authors
// SPDX-License-Identifier: Apache-2.0

// Command attributes prints what the receiver makes of exported lines, one record
// of each file:
//
//	go run ./cmd/attributes testdata/records/*.jsonl
//
// or, as kept and as dropped, one record of each action or sub-type:
//
//	go run ./cmd/attributes -each-action testdata/records/audit_log.jsonl
//
// A file's name, up to the time in it, is its event type.
package main

import (
	"flag"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"

	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/openaicompliance/openaicompliancereceiver/internal/jsonl"
	"github.com/openaicompliance/openaicompliancereceiver/internal/record"
)

func main() {
	var source record.Source
	line := flag.Int("line", 1, "the line to show")
	body := flag.Bool("body", false, "show the body too")
	each := flag.Bool("each-action", false, "show one record of each action or sub-type, as content is kept and as it is dropped")
	flag.BoolVar(&source.Parsed, "parsed", false, "as with body: parsed")
	mode := flag.String("content", string(record.ContentKeep), "as content::mode; the key is taken from OPENAI_COMPLIANCE_HMAC_KEY")
	flag.Parse()
	source.Content = record.Content{Mode: record.ContentMode(*mode), Key: []byte(os.Getenv("OPENAI_COMPLIANCE_HMAC_KEY"))}
	if *mode == string(record.ContentHMAC) && len(source.Content.Key) == 0 {
		fmt.Fprintln(os.Stderr, "attributes: set OPENAI_COMPLIANCE_HMAC_KEY")
		os.Exit(2)
	}
	for _, path := range flag.Args() {
		var err error
		if *each {
			err = showEachAction(os.Stdout, path)
		} else {
			err = show(os.Stdout, source, path, *line, *body)
		}
		if err != nil {
			fmt.Fprintln(os.Stderr, "attributes:", err)
			os.Exit(1)
		}
	}
}

var typeInName = regexp.MustCompile(`(?i)^[a-z][a-z_]*[a-z]`)

// typeOf is the event type that a file's name tells.
func typeOf(path string) string {
	return strings.ToUpper(typeInName.FindString(strings.TrimSuffix(filepath.Base(path), ".jsonl")))
}

// mapLine maps one line of a file.
func mapLine(mapper *record.Mapper, path string, lines *jsonl.Reader) plog.LogRecord {
	file := record.File{ID: "file-id", Name: filepath.Base(path), SHA256: "sha256"}
	logs, _ := mapper.Map(file, []record.Line{{Number: lines.Number(), Text: lines.Line()}}, time.Now())
	return logs.ResourceLogs().At(0).ScopeLogs().At(0).LogRecords().At(0)
}

// show prints the record that one line of a file gives.
func show(out io.Writer, source record.Source, path string, number int, body bool) error {
	data, err := os.ReadFile(path) //nolint:gosec // the path is the user's own
	if err != nil {
		return err
	}
	source.EventType, source.PrincipalAttr = typeOf(path), record.AttrWorkspaceID
	for lines := jsonl.NewReader(data); lines.Next(); {
		if lines.Number() >= number {
			printRecord(out, source.EventType, mapLine(record.NewMapper(source), path, lines), body)
			return nil
		}
	}
	return fmt.Errorf("%s has no line %d", path, number)
}

// showEachAction prints the first record of each action or sub-type of a file, as kept and
// as dropped.
func showEachAction(out io.Writer, path string) error {
	data, err := os.ReadFile(path) //nolint:gosec // the path is the user's own
	if err != nil {
		return err
	}
	source := record.Source{EventType: typeOf(path), PrincipalAttr: record.AttrWorkspaceID}
	keep := record.NewMapper(source)
	source.Content.Mode = record.ContentDrop
	drop, seen := record.NewMapper(source), map[string]bool{}
	for lines := jsonl.NewReader(data); lines.Next(); {
		kept := mapLine(keep, path, lines)
		action := actionOf(kept)
		if seen[action] {
			continue
		}
		seen[action] = true
		printRecord(out, action+", kept", kept, true)
		printRecord(out, action+", dropped", mapLine(drop, path, lines), true)
	}
	return nil
}

// actionOf is what a record is about.
func actionOf(of plog.LogRecord) string {
	for _, name := range []string{record.AttrAction, record.AttrEventSubtype, record.AttrEventType} {
		if value, ok := of.Attributes().Get(name); ok {
			return value.AsString()
		}
	}
	return ""
}

func printRecord(out io.Writer, title string, shown plog.LogRecord, body bool) {
	fmt.Fprintf(out, "%s\n  %-46s %s\n  %-46s %s\n", title,
		"Timestamp", shown.Timestamp().AsTime().Format(time.RFC3339Nano), "Severity", shown.SeverityNumber())
	attrs := shown.Attributes().AsRaw()
	for _, name := range slices.Sorted(maps.Keys(attrs)) {
		fmt.Fprintf(out, "  %-46s %v\n", name, attrs[name])
	}
	if body {
		fmt.Fprintf(out, "  %-46s %s\n", "Body", shown.Body().AsString())
	}
}
