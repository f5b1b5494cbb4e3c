// Copyright The OpenTelemetry Authors
// SPDX-License-Identifier: Apache-2.0

// Package inspect is the command that prints what the receiver makes of exported lines.
package inspect

import (
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/openaicompliance/openaicompliancereceiver/cmd/internal/command"
	"github.com/openaicompliance/openaicompliancereceiver/cmd/internal/verify"
	"github.com/openaicompliance/openaicompliancereceiver/internal/collect"
	"github.com/openaicompliance/openaicompliancereceiver/internal/jsonl"
	"github.com/openaicompliance/openaicompliancereceiver/internal/printable"
	"github.com/openaicompliance/openaicompliancereceiver/internal/record"
)

const long = `Prints the log record that the receiver makes of one line of each exported file, with
its attributes. The name of a file, up to the time in it, is its event type, unless
--type names it. The ids of file and workspace, which a line does not have, are shown
as file-id, sha256 and empty. The key of --content hmac is taken from
OPENAI_COMPLIANCE_HMAC_KEY.`

// options of one run.
type options struct {
	format    command.Format
	eventType string
	line      int
	body      bool
	parsed    bool
	content   string
	each      bool
}

// New returns the command.
func New(env *command.Env) *cobra.Command {
	o := &options{}
	cmd := &cobra.Command{
		Use: "inspect FILE…", Short: "Print what the receiver makes of exported lines", Long: long,
		Args: command.TakesArgs(1, -1, "exported files"),
		RunE: func(_ *cobra.Command, args []string) error { return o.run(env, args) },
	}
	command.AddFormat(cmd, &o.format, "an object for each record")
	flags := cmd.Flags()
	flags.IntVar(&o.line, "line", 1, "`NUMBER` of the line to show; of a blank one the next is shown")
	flags.StringVar(&o.eventType, "type", "", "event `TYPE` of the files")
	flags.BoolVar(&o.each, "each-action", false, "show one record of each action or sub-type, as content is kept and as it is dropped")
	flags.BoolVar(&o.body, "body", false, "show the body too")
	flags.BoolVar(&o.parsed, "parsed", false, "as with body: parsed")
	flags.StringVar(&o.content, "content", string(record.ContentKeep), "as content::mode, `MODE` keep, hmac or drop")
	return cmd
}

func (o *options) run(env *command.Env, paths []string) error {
	source, err := o.source()
	if err != nil {
		return err
	}
	for _, path := range paths {
		if source.EventType, err = o.typeOf(path); err != nil {
			return err
		}
		if o.each {
			if err := o.showEachAction(env, source, path); err != nil {
				return err
			}
			continue
		}
		shown, err := show(source, path, o.line)
		if err != nil {
			return command.Misuse(err)
		}
		if err := o.print(env, source.EventType, shown); err != nil {
			return err
		}
	}
	return nil
}

func (o *options) source() (record.Source, error) {
	source := record.Source{PrincipalAttr: record.AttrWorkspaceID, Parsed: o.parsed}
	source.Content = record.Content{Mode: record.ContentMode(o.content), Key: []byte(os.Getenv("OPENAI_COMPLIANCE_HMAC_KEY"))}
	switch {
	case o.line < 1:
		return source, command.Misusef("--line: %d must be at least 1", o.line)
	case !slices.Contains([]record.ContentMode{record.ContentKeep, record.ContentHMAC, record.ContentDrop}, source.Content.Mode):
		return source, command.Misusef("--content: %q is not keep, hmac or drop", o.content)
	case source.Content.Mode == record.ContentHMAC && len(source.Content.Key) == 0:
		return source, command.Misusef("--content hmac needs a key: set OPENAI_COMPLIANCE_HMAC_KEY")
	}
	return source, nil
}

// typeOf is the event type of a file. One that nobody knows must be named by the flag:
// in a name it is a slip.
func (o *options) typeOf(path string) (string, error) {
	if o.eventType != "" {
		return o.eventType, nil
	}
	eventType := verify.TypeOfName(path)
	if _, known := collect.EventTypes[eventType]; !known {
		return "", command.Misusef("the name of %s does not begin with an event type; name it with --type", path)
	}
	return eventType, nil
}

// show returns the record that one line of a file gives.
func show(source record.Source, path string, number int) (plog.LogRecord, error) {
	data, err := os.ReadFile(path) //nolint:gosec // the path is the user's own
	if err != nil {
		return plog.LogRecord{}, err
	}
	for lines := jsonl.NewReader(data); lines.Next(); {
		if lines.Number() >= number {
			return mapLine(record.NewMapper(source), path, lines), nil
		}
	}
	return plog.LogRecord{}, fmt.Errorf("%s has no line %d", path, number)
}

// mapLine maps one line of a file.
func mapLine(mapper *record.Mapper, path string, lines *jsonl.Reader) plog.LogRecord {
	file := record.File{ID: "file-id", Name: filepath.Base(path), SHA256: "sha256"}
	logs, _ := mapper.Map(file, []record.Line{{Number: lines.Number(), Text: lines.Line()}}, time.Now())
	return logs.ResourceLogs().At(0).ScopeLogs().At(0).LogRecords().At(0)
}

// showEachAction prints the first record of each action or sub-type of a file, as kept and
// as dropped.
func (o *options) showEachAction(env *command.Env, source record.Source, path string) error {
	data, err := os.ReadFile(path) //nolint:gosec // the path is the user's own
	if err != nil {
		return command.Misuse(err)
	}
	keep := record.NewMapper(source)
	source.Content = record.Content{Mode: record.ContentDrop}
	drop, seen := record.NewMapper(source), map[string]bool{}
	for lines := jsonl.NewReader(data); lines.Next(); {
		kept := mapLine(keep, path, lines)
		action := actionOf(kept)
		if seen[action] {
			continue
		}
		seen[action] = true
		if err := o.print(env, action+", kept", kept); err != nil {
			return err
		}
		if err := o.print(env, action+", dropped", mapLine(drop, path, lines)); err != nil {
			return err
		}
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

// shownRecord is a record, as -o json prints it.
type shownRecord struct {
	EventType  string         `json:"event_type"`
	EventName  string         `json:"event_name"`
	Timestamp  time.Time      `json:"timestamp,omitzero"`
	Severity   string         `json:"severity"`
	Attributes map[string]any `json:"attributes"`
	Body       any            `json:"body,omitempty"`
}

func (o *options) print(env *command.Env, eventType string, shown plog.LogRecord) error {
	if o.format != command.JSON {
		var text strings.Builder
		printRecord(&text, eventType, shown, o.body)
		return env.Print(text.String())
	}
	r := shownRecord{EventType: eventType, EventName: shown.EventName(), Severity: shown.SeverityNumber().String(), Attributes: shown.Attributes().AsRaw()}
	if shown.Timestamp() != 0 {
		r.Timestamp = shown.Timestamp().AsTime()
	}
	if o.body {
		r.Body = shown.Body().AsRaw()
	}
	return env.PrintJSON(r, "")
}

func printRecord(out io.Writer, eventType string, shown plog.LogRecord, body bool) {
	fmt.Fprintf(out, "%s\n  %-46s %s\n  %-46s %s\n", eventType,
		"Timestamp", shown.Timestamp().AsTime().Format(time.RFC3339Nano), "Severity", shown.SeverityNumber())
	attrs := shown.Attributes().AsRaw()
	for _, name := range slices.Sorted(maps.Keys(attrs)) {
		fmt.Fprintf(out, "  %-46s %s\n", name, printable.Text(fmt.Sprint(attrs[name])))
	}
	if body {
		fmt.Fprintf(out, "  %-46s %s\n", "Body", printable.Text(shown.Body().AsString()))
	}
}
