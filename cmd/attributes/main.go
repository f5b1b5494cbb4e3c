// Copyright The OpenTelemetry Authors
// SPDX-License-Identifier: Apache-2.0

// Command attributes prints what the receiver makes of exported lines, one record
// of each file:
//
//	go run ./cmd/attributes testdata/records/*.jsonl
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
	flag.BoolVar(&source.Parsed, "parsed", false, "as with body: parsed")
	mode := flag.String("content", string(record.ContentKeep), "as content::mode; the key is taken from OPENAI_COMPLIANCE_HMAC_KEY")
	flag.Parse()
	source.Content = record.Content{Mode: record.ContentMode(*mode), Key: []byte(os.Getenv("OPENAI_COMPLIANCE_HMAC_KEY"))}
	if *mode == string(record.ContentHMAC) && len(source.Content.Key) == 0 {
		fmt.Fprintln(os.Stderr, "attributes: set OPENAI_COMPLIANCE_HMAC_KEY")
		os.Exit(2)
	}
	for _, path := range flag.Args() {
		if err := show(os.Stdout, source, path, *line, *body); err != nil {
			fmt.Fprintln(os.Stderr, "attributes:", err)
			os.Exit(1)
		}
	}
}

var typeInName = regexp.MustCompile(`(?i)^[a-z][a-z_]*[a-z]`)

// show prints the record that one line of a file gives.
func show(out io.Writer, source record.Source, path string, number int, body bool) error {
	data, err := os.ReadFile(path) //nolint:gosec // the path is the user's own
	if err != nil {
		return err
	}
	source.EventType = strings.ToUpper(typeInName.FindString(strings.TrimSuffix(filepath.Base(path), ".jsonl")))
	source.PrincipalAttr = record.AttrWorkspaceID
	for lines := jsonl.NewReader(data); lines.Next(); {
		if lines.Number() < number {
			continue
		}
		file := record.File{ID: "file-id", Name: filepath.Base(path), SHA256: "sha256"}
		logs, _ := record.NewMapper(source).Map(file, []record.Line{{Number: lines.Number(), Text: lines.Line()}}, time.Now())
		printRecord(out, source.EventType, logs.ResourceLogs().At(0).ScopeLogs().At(0).LogRecords().At(0), body)
		return nil
	}
	return fmt.Errorf("%s has no line %d", path, number)
}

func printRecord(out io.Writer, eventType string, shown plog.LogRecord, body bool) {
	fmt.Fprintf(out, "%s\n  %-42s %s\n  %-42s %s\n", eventType,
		"Timestamp", shown.Timestamp().AsTime().Format(time.RFC3339Nano), "Severity", shown.SeverityNumber())
	attrs := shown.Attributes().AsRaw()
	for _, name := range slices.Sorted(maps.Keys(attrs)) {
		fmt.Fprintf(out, "  %-42s %v\n", name, attrs[name])
	}
	if body {
		fmt.Fprintf(out, "  %-42s %s\n", "Body", shown.Body().AsString())
	}
}
