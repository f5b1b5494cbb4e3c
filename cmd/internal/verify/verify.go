// Copyright The OpenTelemetry Authors
// SPDX-License-Identifier: Apache-2.0

// Package verify is the command that proves delivered log records against the exported
// files: it makes each record of its line again, with the code that made it, and
// compares all of it.
package verify

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/openaicompliance/openaicompliancereceiver/cmd/internal/command"
	"github.com/openaicompliance/openaicompliancereceiver/internal/digest"
	"github.com/openaicompliance/openaicompliancereceiver/internal/printable"
	"github.com/openaicompliance/openaicompliancereceiver/internal/record"
)

const long = `Proves delivered log records: against the digests among them, and against the
exported files. RECORDS holds OTLP in JSON, one message a line, as the file exporter
writes it, gzip or not; - is the standard input. --files names the directory of a
fetch, or exported files; without it only the digests are checked.

With digests (digest::interval) each stream has a verdict: between its first and its
last digest nothing that was delivered is missing, changed or added, or what is. What
is in no digest, such as all after the last one, is not provable. The lines of
records are their raw bodies, or those of --files; without either they are counted.
Without --files the attributes of a record are made again of its raw body.
--public-key checks the signatures.

With --map RECORDS is NDJSON that a store has exported. Chains and lines are checked;
attributes are not compared, since stores change their types.

A record is proven when a file has the SHA-256 that the record names, and the line
that it names gives the whole record: body, time, severity and every attribute,
of the resource too. What a file does not give is named at the end: without the
manifest of a fetch that is the file's id and name, and the workspace unless
--workspace-id or --organization-id says it. For records with digests in the place
of content the key is taken from OPENAI_COMPLIANCE_HMAC_KEY. An attribute that the
pipeline adds is not of the line, and a finding unless --ignore-attribute names it.

The exit status is 0 when every record is proven and 1 when one is not, reports a gap,
or names a file that is not at hand.`

// options of one run.
type options struct {
	format                  command.Format
	paths                   []string
	uid                     string
	workspace, organization string
	ignored                 []string
	all                     bool
	publicKey, mapName      string
	fields                  *fieldMap
}

// New returns the command.
func New(env *command.Env) *cobra.Command {
	o := &options{}
	cmd := &cobra.Command{
		Use: "verify [--files PATH] RECORDS…", Short: "Prove delivered records against digests and exported files", Long: long,
		Args: command.TakesArgs(1, -1, "files of delivered records, or - for the standard input"),
		RunE: func(_ *cobra.Command, args []string) error { return o.run(env, args) },
	}
	command.AddFormat(cmd, &o.format, "an object for each record that is not proven, and one for the summary")
	flags := cmd.Flags()
	flags.StringArrayVar(&o.paths, "files", nil, "exported file, or directory of them, `PATH`; may be repeated")
	flags.StringVar(&o.uid, "uid", "", "prove only records of this log.record.uid, `UID`")
	flags.StringVar(&o.workspace, "workspace-id", "", "`UUID` of the workspace that all records should be of")
	flags.StringVar(&o.organization, "organization-id", "", "`ID` of the organization that all records should be of")
	flags.StringArrayVar(&o.ignored, "ignore-attribute", nil, "attribute `NAME` that may be anything, since a processor sets, changes or removes it; may be repeated")
	flags.StringVar(&o.publicKey, "public-key", "", "`FILE` with the Ed25519 public key that signatures of digests must be of")
	flags.StringVar(&o.mapName, "map", "", "RECORDS are NDJSON of a store: `NAME` splunk, elasticsearch or sentinel, or a file that says where its parts are")
	flags.BoolVar(&o.all, "all", false, "print proven records too")
	return cmd
}

func (o *options) principal() (principal, error) {
	switch {
	case o.workspace != "" && o.organization != "":
		return principal{}, command.Misusef("--workspace-id and --organization-id exclude each other")
	case o.organization != "":
		return principal{record.AttrOrganizationID, o.organization}, nil
	}
	return principal{record.AttrWorkspaceID, o.workspace}, nil
}

func (o *options) run(env *command.Env, args []string) error {
	whose, err := o.principal()
	if err != nil {
		return err
	}
	publicKey, err := readPublicKey(o.publicKey)
	if err != nil {
		return err
	}
	if o.fields, err = readMap(o.mapName); err != nil {
		return err
	}
	files := newFileSet()
	for _, path := range o.paths {
		if err := files.add(path); err != nil {
			return command.Misuse(fmt.Errorf("read files: %w", err))
		}
	}
	r := &report{
		options: o, env: env, checker: digest.NewChecker(publicKey), unproven: map[string]bool{}, counts: map[result]int{},
		prover: &prover{files: files, principal: whose, key: os.Getenv("OPENAI_COMPLIANCE_HMAC_KEY"), ignored: map[string]bool{}},
	}
	for _, name := range o.ignored {
		r.prover.ignored[name] = true
	}
	for _, path := range args {
		if err := r.readRecords(path); err != nil {
			return err
		}
	}
	return r.finish()
}

// report judges the records and prints what it finds.
type report struct {
	*options
	*prover
	env     *command.Env
	checker *digest.Checker

	counts   map[result]int
	unproven map[string]bool
	skipped  int // of other uids
	atHand   int // of files at hand
	printErr error
}

// readRecords judges the records of one file.
func (r *report) readRecords(path string) error {
	in := r.env.In
	if path != "-" {
		file, err := os.Open(path) //nolint:gosec // the path is the user's own
		if err != nil {
			return command.Misuse(fmt.Errorf("read records: %w", err))
		}
		defer file.Close()
		in = file
	}
	if err := eachRecord(in, r.fields, r.judge); err != nil {
		return command.Misuse(fmt.Errorf("read records of %s: %w", path, err))
	}
	return r.printErr
}

// maxMessage bounds one message, in bytes.
const maxMessage = 256 << 20

// eachRecord calls do for every log record of a stream, gzip or not, of OTLP messages or
// of a store's lines.
func eachRecord(in io.Reader, fields *fieldMap, do func(delivered)) error {
	buffered := bufio.NewReaderSize(in, 1<<20)
	var text io.Reader = buffered
	if head, _ := buffered.Peek(2); bytes.Equal(head, []byte{0x1f, 0x8b}) {
		inflated, err := gzip.NewReader(buffered)
		if err != nil {
			return err
		}
		text = inflated
	}
	if fields != nil {
		return fields.eachMapped(text, do)
	}
	messages := bufio.NewScanner(text)
	messages.Buffer(nil, maxMessage)
	number := 0
	for messages.Scan() {
		number++
		if len(bytes.TrimSpace(messages.Bytes())) == 0 {
			continue
		}
		logs, err := (&plog.JSONUnmarshaler{}).UnmarshalLogs(messages.Bytes())
		if err != nil {
			return fmt.Errorf("line %d is not a whole OTLP message in JSON; write one message a line, as the file exporter and jq -c do", number)
		}
		for _, resource := range logs.ResourceLogs().All() {
			for _, scope := range resource.ScopeLogs().All() {
				for _, one := range scope.LogRecords().All() {
					do(delivered{resource, scope, one})
				}
			}
		}
	}
	if errors.Is(messages.Err(), bufio.ErrTooLong) {
		return fmt.Errorf("line %d is longer than %d bytes", number+1, maxMessage)
	}
	return messages.Err()
}

func (r *report) judge(d delivered) {
	if r.uid != "" && d.attr(record.AttrRecordUID) != r.uid {
		r.skipped++
		return
	}
	r.addToChain(d)
	v := verdict{UID: d.attr(record.AttrRecordUID)}
	if r.provesLines() || d.record.EventName() == record.DigestEventName || r.provesBody(d) {
		v = r.prove(d)
	}
	r.counts[v.Result]++
	if v.Result == isDigest || v.Result == "" {
		return
	}
	if v.Problem != errNoFile.Error() {
		r.atHand++
	}
	for _, name := range v.unproven {
		r.unproven[name] = true
	}
	r.env.Notes.Progress("%d records proven, %d not", r.counts[proven], r.total()-r.counts[proven])
	if v.Result == proven && !r.all {
		return
	}
	r.printErr = errors.Join(r.printErr, r.print(v))
}

// provesLines reports whether each record is compared with its line. What a store has
// changed of types and attributes is no finding.
func (r *report) provesLines() bool { return len(r.paths) > 0 && r.fields == nil }

// provesBody reports whether a record is compared with its own body, the line that its
// attributes were made of: the digests prove that line.
func (r *report) provesBody(d delivered) bool {
	_, raw := rawLine(d)
	return len(r.paths) == 0 && r.fields == nil && raw && d.record.EventName() != record.GapEventName
}

// total counts the records, without digests.
func (r *report) total() (n int) {
	for result, count := range r.counts {
		if result != isDigest {
			n += count
		}
	}
	return n
}

// words for a result in a line.
var words = map[result]string{proven: "proven", notProven: "NOT PROVEN", notProvable: "NOT PROVABLE", reportsGap: "GAP"}

func (r *report) print(v verdict) error {
	if r.format == command.JSON {
		return r.env.PrintJSON(v, "")
	}
	line := fmt.Sprintf("%s: record %s, line %d of file %s", words[v.Result], orDash(v.UID), v.Line, orDash(v.FileID))
	if v.Problem != "" {
		line += ": " + v.Problem
	}
	return r.env.Print(printable.Text(line) + "\n")
}

func orDash(text string) string {
	if text == "" {
		return "-"
	}
	return text
}

// summary is the last thing that is printed.
type summary struct {
	Records     int `json:"records"`
	Proven      int `json:"proven"`
	NotProven   int `json:"not_proven"`
	NotProvable int `json:"not_provable"`
	Gaps        int `json:"gaps"`
	Digests     int `json:"digests"`  // not among the records
	Findings    int `json:"findings"` // of the check of digests
	// UnprovenAttributes are what the files do not give of records that are proven.
	UnprovenAttributes []string `json:"unproven_attributes"`
}

func (r *report) finish() error {
	s := summary{
		Records: r.total(), Proven: r.counts[proven], NotProven: r.counts[notProven], NotProvable: r.counts[notProvable], Gaps: r.counts[reportsGap], Digests: r.counts[isDigest],
		UnprovenAttributes: slices.Sorted(maps.Keys(r.unproven)),
	}
	switch {
	case s.Records == 0 && r.skipped > 0:
		return command.Misusef("none of the %d records has the uid %q", r.skipped, r.uid)
	case s.Records == 0 && s.Digests == 0:
		return command.Misusef("there is no log record in OTLP in what was read")
	case len(r.paths) == 0 && s.Digests == 0:
		return command.Misusef("there is no digest among the records, so --files is needed: the exported files, or their directory")
	case r.provesLines() && s.Records > 0 && r.atHand == 0:
		return command.Misusef("none of the %d records is of a file in %s", s.Records, strings.Join(r.paths, ", "))
	}
	var err error
	if s.Findings, err = r.finishChains(time.Now()); err != nil {
		return err
	}
	if err := r.printSummary(s); err != nil {
		return err
	}
	var failed []string
	unproven := s.NotProven
	if r.provesLines() {
		unproven = s.Records - s.Proven
	}
	if unproven > 0 {
		failed = append(failed, fmt.Sprintf("%d of %d records are not proven", unproven, s.Records))
	}
	if s.Findings > 0 {
		failed = append(failed, fmt.Sprintf("findings: %d", s.Findings))
	}
	if len(failed) > 0 {
		return errors.New(strings.Join(failed, "; "))
	}
	return nil
}

func (r *report) printSummary(s summary) error {
	if r.format == command.JSON {
		return r.env.PrintJSON(map[string]summary{"summary": s}, "")
	}
	text := fmt.Sprintf("%d records, %d digests; the attributes of %d records are what their bodies give\n", s.Records, s.Digests, s.Proven)
	if r.provesLines() {
		text = fmt.Sprintf("%d records: %d proven, %d not proven, %d not provable, %d report a gap\n", s.Records, s.Proven, s.NotProven, s.NotProvable, s.Gaps)
	}
	if len(s.UnprovenAttributes) > 0 {
		text += "Not proven of the proven ones: " + strings.Join(s.UnprovenAttributes, ", ") + "\n"
	}
	return r.env.Print(text)
}
