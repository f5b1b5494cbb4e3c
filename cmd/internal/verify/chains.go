// Copyright The OpenTelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package verify

import (
	"crypto/ed25519"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/openaicompliance/openaicompliancereceiver/cmd/internal/command"
	"github.com/openaicompliance/openaicompliancereceiver/internal/digest"
	"github.com/openaicompliance/openaicompliancereceiver/internal/printable"
	"github.com/openaicompliance/openaicompliancereceiver/internal/record"
)

// retention is how long the API keeps a file.
const retention = 30 * 24 * time.Hour

// readPublicKey reads an Ed25519 public key (PKIX, PEM); "" is none.
func readPublicKey(path string) (ed25519.PublicKey, error) {
	if path == "" {
		return nil, nil
	}
	text, err := os.ReadFile(path) //nolint:gosec // the path is the user's own
	if err != nil {
		return nil, command.Misuse(fmt.Errorf("read --public-key: %w", err))
	}
	if block, _ := pem.Decode(text); block != nil && block.Type == "PUBLIC KEY" {
		if parsed, err := x509.ParsePKIXPublicKey(block.Bytes); err == nil {
			if key, ok := parsed.(ed25519.PublicKey); ok {
				return key, nil
			}
		}
	}
	return nil, command.Misusef("--public-key: %s holds no Ed25519 public key in PEM; `openssl pkey -in digest-key -pubout` makes one", path)
}

// streamOf is the stream that a record says it is of.
func streamOf(d delivered) digest.StreamID {
	return digest.StreamID{
		PrincipalID: claimedPrincipal(d).id, EventType: textOf(d.resource.Resource().Attributes(), record.AttrEventType), Replay: d.attr(record.AttrReplay),
	}
}

// addToChain takes a record for the check of chains. The line of a record is its body
// where that is the exact line, else that of the file at hand.
func (r *report) addToChain(d delivered) {
	if d.record.EventName() == record.DigestEventName {
		r.checker.AddDigest(streamOf(d), d.record.Body().AsString(), d.attr(record.AttrDigestSHA256), d.attr(record.AttrDigestSignature))
		return
	}
	if d.record.EventName() == record.GapEventName {
		return // the digests list gaps
	}
	of := digest.Record{
		Stream: streamOf(d), FileID: d.attr(record.AttrFileID), FileSHA256: d.attr(record.AttrFileSHA256), Line: int(d.line()),
	}
	if line, ok := rawLine(d); ok {
		of.Sum = digest.SumLine(line)
	} else {
		lines, err := r.files.linesOfKnown(of.FileSHA256)
		line, ok := lines[d.line()]
		if of.NoSum = err != nil || !ok; !of.NoSum {
			of.Sum = digest.SumLine(line)
		}
	}
	r.checker.AddRecord(of)
}

// linesOfKnown is linesOf for a file that may not be at hand.
func (s *fileSet) linesOfKnown(sum string) (map[int64][]byte, error) {
	if len(s.files[sum]) == 0 {
		return nil, errNoFile
	}
	return s.linesOf(sum)
}

// chainReport is what the digests prove of one stream.
type chainReport struct {
	Stream     string    `json:"stream"`
	Verdict    string    `json:"verdict"` // complete or incomplete
	Digests    int       `json:"digests"`
	Since      time.Time `json:"since,omitzero"`
	Until      time.Time `json:"until,omitzero"`
	Signed     bool      `json:"signed"`
	Files      int       `json:"files"`
	Records    int       `json:"records"`
	Counted    int       `json:"counted"` // as many as there were, their lines not at hand
	Unproven   int       `json:"unproven"`
	Quarantine int       `json:"quarantined"`
	Gaps       int       `json:"gaps"`
}

// chainFinding is one thing that contradicts the digests, or a note.
type chainFinding struct {
	Kind    string    `json:"kind"`
	Note    bool      `json:"note"`
	Stream  string    `json:"stream"`
	Chain   string    `json:"chain,omitempty"`
	Number  int64     `json:"number,omitempty"`
	FileID  string    `json:"file_id,omitempty"`
	Detail  string    `json:"detail"`
	APIHas  bool      `json:"api_has_it,omitempty"`
	APIEnds time.Time `json:"api_has_it_until,omitzero"`
}

// finishChains prints what the digests prove, and returns how many findings there are.
func (r *report) finishChains(now time.Time) (findings int, err error) {
	checked := r.checker.Report()
	found := map[digest.StreamID]int{}
	for _, f := range checked.Findings {
		if !f.Kind.IsNote() {
			findings++
			found[f.Stream]++
		}
		if printErr := r.printFinding(findingOf(f, now)); printErr != nil {
			return findings, printErr
		}
	}
	for _, s := range checked.Streams {
		if s.Digests == 0 && found[s.Stream] == 0 {
			continue
		}
		report := chainReport{
			Stream: s.Stream.String(), Verdict: "complete", Digests: s.Digests, Since: s.Since, Until: s.Until, Signed: s.Signed,
			Files: s.Files, Records: s.Records, Counted: s.Counted, Unproven: s.Unproven, Quarantine: s.Quarantine, Gaps: len(s.Gaps),
		}
		if found[s.Stream] > 0 {
			report.Verdict = "incomplete"
		}
		if printErr := r.printChain(report); printErr != nil {
			return findings, printErr
		}
	}
	return findings, nil
}

func findingOf(f digest.Finding, now time.Time) chainFinding {
	shown := chainFinding{
		Kind: string(f.Kind), Note: f.Kind.IsNote(), Stream: f.Stream.String(), Chain: f.Chain, Number: f.Number, FileID: f.FileID, Detail: f.Detail,
	}
	if f.Kind == digest.KindFile && !f.EndTime.IsZero() {
		shown.APIEnds = f.EndTime.Add(retention)
		shown.APIHas = now.Before(shown.APIEnds)
	}
	return shown
}

func (r *report) printFinding(f chainFinding) error {
	if r.format == command.JSON {
		return r.env.PrintJSON(map[string]chainFinding{"finding": f}, "")
	}
	word := "FINDING"
	if f.Note {
		word = "note"
	}
	line := fmt.Sprintf("%s: %s, %s", word, f.Kind, f.Stream)
	switch {
	case f.FileID != "":
		line += ", file " + f.FileID
	case f.Number > 0:
		line += fmt.Sprintf(", digest %d of chain %s", f.Number, f.Chain)
	}
	line += ": " + f.Detail
	switch {
	case f.APIHas:
		line += "; the API has the file until " + f.APIEnds.UTC().Format(time.RFC3339)
	case !f.APIEnds.IsZero():
		line += "; the API no longer has the file"
	}
	return r.env.Print(printable.Text(line) + "\n")
}

func (r *report) printChain(c chainReport) error {
	if r.format == command.JSON {
		return r.env.PrintJSON(map[string]chainReport{"stream": c}, "")
	}
	signed := "unsigned"
	if c.Signed {
		signed = "signatures checked"
	}
	if c.Digests == 0 {
		return r.env.Print(printable.Text(fmt.Sprintf("%s: %s, %d records and no digest that can be read", c.Stream, c.Verdict, c.Unproven)) + "\n")
	}
	parts := []string{fmt.Sprintf("%s: %s, %d digests (%s) from %s to %s; %d files with %d records whole", c.Stream, c.Verdict,
		c.Digests, signed, c.Since.UTC().Format(time.RFC3339), c.Until.UTC().Format(time.RFC3339), c.Files, c.Records)}
	for _, part := range []struct {
		n    int
		text string
	}{
		{c.Counted, "%d records as many as there were, their lines not at hand"},
		{c.Unproven, "%d records in no digest: not provable"},
		{c.Quarantine, "%d records quarantined"},
		{c.Gaps, "%d data gaps reported"},
	} {
		if part.n > 0 {
			parts = append(parts, fmt.Sprintf(part.text, part.n))
		}
	}
	return r.env.Print(printable.Text(strings.Join(parts, "; ")) + "\n")
}
