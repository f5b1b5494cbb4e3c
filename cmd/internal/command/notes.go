// Copyright The OpenTelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package command

import (
	"fmt"
	"io"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"github.com/openaicompliance/openaicompliancereceiver/internal/printable"
)

// progressEvery is how often progress is shown.
const progressEvery = 100 * time.Millisecond

// progressWidth bounds a line of progress, in characters: one that wraps cannot be
// taken back.
const progressWidth = 78

// Notes writes lines, and on a terminal a last line with the progress that is taken
// back before anything else is written. It is safe for concurrent use.
type Notes struct {
	terminal bool

	mu    sync.Mutex // guards everything below
	raw   io.Writer
	lines printable.Writer
	shown int // characters of progress on the last line
	last  time.Time
}

func newNotes(out io.Writer, terminal bool) *Notes {
	return &Notes{terminal: terminal, raw: out, lines: printable.Writer{Out: out}}
}

// Write implements io.Writer.
func (n *Notes) Write(p []byte) (int, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.takeBackLocked()
	return n.lines.Write(p)
}

// Progress shows how far a long work is, on a terminal alone.
func (n *Notes) Progress(format string, args ...any) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if !n.terminal || time.Since(n.last) < progressEvery {
		return
	}
	text := []rune(printable.Text(fmt.Sprintf(format, args...)))
	text = text[:min(len(text), progressWidth)]
	n.takeBackLocked()
	fmt.Fprint(n.raw, string(text))
	n.shown, n.last = utf8.RuneCountInString(string(text)), time.Now()
}

// EndProgress takes the line of progress back.
func (n *Notes) EndProgress() {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.takeBackLocked()
}

func (n *Notes) takeBackLocked() {
	if n.shown > 0 {
		fmt.Fprint(n.raw, "\r"+strings.Repeat(" ", n.shown)+"\r")
		n.shown = 0
	}
}
