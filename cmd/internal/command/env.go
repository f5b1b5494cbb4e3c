// Copyright The OpenTelemetry Authors
// SPDX-License-Identifier: Apache-2.0

// Package command is what the commands of openai-compliance share: their streams,
// their exit status, and where they take the API's configuration from.
package command

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"time"

	"go.opentelemetry.io/collector/extension"

	"github.com/openaicompliance/openaicompliancereceiver/internal/printable"
)

// Env is what a command has of its process.
type Env struct {
	// Storages makes the storage extensions whose state can be opened.
	Storages []extension.Factory
	Now      func() time.Time
	In       io.Reader
	// Out takes results. What it prints cannot mislead a terminal.
	Out io.Writer
	// Notes takes what a command says beside its results.
	Notes *Notes
}

// NewEnv returns an environment of these streams; stderr shows progress if it is a
// terminal.
func NewEnv(stdin io.Reader, stdout, stderr io.Writer, storages ...extension.Factory) *Env {
	return &Env{
		Storages: storages, Now: time.Now, In: stdin,
		Out: &printable.Writer{Out: stdout}, Notes: newNotes(stderr, isTerminal(stderr)),
	}
}

func isTerminal(w io.Writer) bool {
	file, ok := w.(*os.File)
	if !ok {
		return false
	}
	info, err := file.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}

// Notef prints one line about what is done.
func (e *Env) Notef(format string, args ...any) { fmt.Fprintf(e.Notes, format+"\n", args...) }

// Print writes a text to the results.
func (e *Env) Print(text string) error {
	if _, err := io.WriteString(e.Out, text); err != nil {
		return fmt.Errorf("print: %w", err)
	}
	return nil
}

// PrintJSON writes a value as one line of JSON, or indented as a document.
func (e *Env) PrintJSON(value any, indent string) error {
	var text bytes.Buffer
	enc := json.NewEncoder(&text)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", indent)
	if err := enc.Encode(value); err != nil {
		return fmt.Errorf("encode: %w", err)
	}
	return e.Print(string(printable.JSON(text.Bytes())))
}
