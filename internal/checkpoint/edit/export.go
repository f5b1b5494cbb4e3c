// Copyright The OpenTelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package edit

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/openaicompliance/openaicompliancereceiver/internal/checkpoint"
	"github.com/openaicompliance/openaicompliancereceiver/internal/printable"
)

// The exported form; docs/state.md describes it.
const (
	ExportFormat  = "openai-compliance-checkpoints"
	ExportVersion = 1
)

const oldExportFormat = "openai-compliance-state"

// Export is what is written to a file, to be imported elsewhere.
type Export struct {
	Format   string    `json:"format"`
	Version  int       `json:"version"`
	Receiver string    `json:"receiver"`
	Exported time.Time `json:"exported"`
	// SHA256 of Streams as JSON without white space.
	SHA256  string          `json:"sha256"`
	Streams json.RawMessage `json:"streams"`
}

func encode(snaps []*checkpoint.Snapshot) (json.RawMessage, error) {
	raw, err := json.Marshal(snaps)
	if err != nil {
		return nil, fmt.Errorf("encode: %w", err)
	}
	return printable.JSON(raw), nil // ids and names are of others
}

// digest is independent of white space, so that a file may be formatted.
func digest(raw json.RawMessage) (string, error) {
	var compact bytes.Buffer
	if err := json.Compact(&compact, raw); err != nil {
		return "", err
	}
	sum := sha256.Sum256(compact.Bytes())
	return hex.EncodeToString(sum[:]), nil
}

// WriteExport writes snapshots as a file of their own.
func WriteExport(out io.Writer, receiver string, now time.Time, snaps []*checkpoint.Snapshot) error {
	raw, err := encode(snaps)
	if err != nil {
		return err
	}
	sum, err := digest(raw)
	if err != nil {
		return err
	}
	enc := json.NewEncoder(out)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	return enc.Encode(Export{ExportFormat, ExportVersion, receiver, now.UTC().Truncate(time.Second), sum, raw})
}

// Reasons why a file cannot be imported.
var (
	errNotExport = errors.New("it is no export of this tool")
	errOldExport = errors.New("it is an export of an older build, which this one does not read")
	errChanged   = errors.New("its checksum does not match: it was cut or changed")
)

// ReadExport reads such a file and checks all of it.
func ReadExport(in io.Reader) (*Export, []*checkpoint.Snapshot, error) {
	fault := func(err error) (*Export, []*checkpoint.Snapshot, error) {
		return nil, nil, fmt.Errorf("read export: %w", err)
	}
	data, err := io.ReadAll(in)
	if err != nil {
		return fault(err)
	}
	file := &Export{}
	err = strict(data, file)
	switch {
	case file.Format == oldExportFormat:
		return fault(errOldExport)
	case err != nil || file.Format != ExportFormat:
		return fault(errors.Join(errNotExport, err))
	case file.Version != ExportVersion:
		return fault(fmt.Errorf("its version is %d, this build reads version %d", file.Version, ExportVersion))
	}
	if sum, err := digest(file.Streams); err != nil || sum != file.SHA256 {
		return fault(errChanged)
	}
	var snaps []*checkpoint.Snapshot
	if err := strict(file.Streams, &snaps); err != nil {
		return fault(err)
	}
	seen := map[string]bool{}
	for _, snap := range snaps {
		if snap == nil || seen[snap.Key] {
			return fault(errNotExport)
		}
		seen[snap.Key] = true
		if err := snap.Check(); err != nil {
			return fault(err)
		}
	}
	return file, snaps, nil
}

// strict refuses members that the type does not know, and anything after the value.
func strict(data []byte, into any) error {
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.DisallowUnknownFields()
	if err := dec.Decode(into); err != nil {
		return err
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return errors.New("something follows the document")
	}
	return nil
}
