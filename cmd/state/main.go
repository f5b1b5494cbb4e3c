// Copyright The OpenTelemetry Authors
// SPDX-License-Identifier: Apache-2.0

// Command state shows and changes the checkpoints that a receiver has stored, while
// its collector is stopped. docs/state.md describes it.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/openaicompliance/openaicompliancereceiver/internal/secret"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, time.Now(), os.Args[1:], os.Stdin, os.Stdout, os.Stderr)
	stop()
	if err != nil && !errors.Is(err, flag.ErrHelp) {
		fmt.Fprintln(os.Stderr, "state:", oneLine(err))
	}
	os.Exit(exitStatus(err))
}

const usage = `Usage: state -config collector.yaml COMMAND [arguments]

Shows and changes the checkpoints of a receiver, in the file_storage that the
collector's configuration names. The collector must be stopped. A STREAM is an
event type, replay/NAME/TYPE, or a storage key as show prints it.

  show [-json]                   checkpoints, open files and retry queue of every stream
  export [STREAM…]               write checkpoints as JSON to standard output
  import [-replace] [STREAM…]    store what export has written, from standard input
  set-cursor STREAM TIME         resume from a time (RFC 3339, -2h, -1d@d …)
      -skip                      … later than the cursor: skips what is between
      -redeliver                 … earlier than the cursor: redelivers everything since then
  discard STREAM FILE_ID|all     remove quarantined files and lines from the retry queue
  delete STREAM…|-all            delete checkpoints: the next start is a first run

Without -yes a command says what it would change, and changes nothing. Before a
change the storage's file is copied to a backup beside it. The exit status is 2
for a wrong call or configuration, and 1 for any other failure.

Flags:
`

// misuse is a call or a configuration that is wrong.
type misuse struct{ error }

func (m misuse) Unwrap() error { return m.error }

func misusef(format string, args ...any) error { return misuse{fmt.Errorf(format, args...)} }

func exitStatus(err error) int {
	if err == nil || errors.Is(err, flag.ErrHelp) {
		return 0
	}
	if _, ok := errors.AsType[misuse](err); ok {
		return 2
	}
	return 1
}

// decodingFailed is what confmap puts before what is wrong.
const decodingFailed = "decoding failed due to the following error(s): "

// oneLine is an error's text as one sentence, whatever it is joined of.
func oneLine(err error) string {
	var parts []string
	for part := range strings.Lines(err.Error()) {
		if part = strings.TrimSpace(part); part != "" {
			parts = append(parts, part)
		}
	}
	text := strings.ReplaceAll(strings.Join(parts, "; "), ":; ", ": ")
	return strings.NewReplacer("'' "+decodingFailed, "", decodingFailed, "").Replace(text)
}

// options of one call.
type options struct {
	configs  []string
	receiver string
	name     string // of the command
	args     []string

	json, yes, skip, redeliver, replace, all bool
}

// allowedFlags of each command, beside those of all.
var allowedFlags = map[string][]string{
	"show": {"json"}, "export": nil, "import": {"yes", "replace"}, "set-cursor": {"yes", "skip", "redeliver"},
	"discard": {"yes"}, "delete": {"yes", "all"},
}

// relativeTime is a time such as -2h, which is no flag.
var relativeTime = regexp.MustCompile(`^-[0-9]`)

func parseFlags(args []string, stderr io.Writer) (*options, error) {
	o := &options{}
	flags := o.flags()
	var words []string
	for len(args) > 0 { // flags may stand before and after the command
		if relativeTime.MatchString(args[0]) || !strings.HasPrefix(args[0], "-") {
			words, args = append(words, args[0]), args[1:]
			continue
		}
		switch err := flags.Parse(args); {
		case errors.Is(err, flag.ErrHelp):
			fmt.Fprint(stderr, usage)
			flags.SetOutput(stderr)
			flags.PrintDefaults()
			return nil, err
		case err != nil:
			return nil, misusef("%w; see -help", secret.ConcealError(err))
		}
		args = flags.Args()
	}
	if len(words) == 0 {
		return nil, misusef("no command; see -help")
	}
	o.name, o.args = words[0], words[1:]
	return o, o.check(flags)
}

func (o *options) flags() *flag.FlagSet {
	flags := flag.NewFlagSet("state", flag.ContinueOnError)
	flags.SetOutput(io.Discard) // an error is printed once, by main
	flags.Usage = func() {}
	flags.Func("config", "a collector's `configuration`; may be repeated, as the collector's own flag", func(path string) error {
		o.configs = append(o.configs, path)
		return nil
	})
	flags.StringVar(&o.receiver, "receiver", "", "`id` of the receiver, if the configuration has more than one")
	flags.BoolVar(&o.json, "json", false, "show: as JSON")
	flags.BoolVar(&o.yes, "yes", false, "change the storage")
	flags.BoolVar(&o.skip, "skip", false, "set-cursor: never collect what is before the time")
	flags.BoolVar(&o.redeliver, "redeliver", false, "set-cursor: forget what was delivered after the time")
	flags.BoolVar(&o.replace, "replace", false, "import: replace checkpoints that can be used")
	flags.BoolVar(&o.all, "all", false, "delete: every stream")
	return flags
}

// check refuses flags that the command does not have.
func (o *options) check(flags *flag.FlagSet) (err error) {
	allowed, ok := allowedFlags[o.name]
	if !ok {
		return misusef("%s is not a command; see -help", secret.Quote(o.name))
	}
	if len(o.configs) == 0 {
		return misusef("-config is missing: the collector's configuration names the storage")
	}
	flags.Visit(func(f *flag.Flag) {
		if f.Name != "config" && f.Name != "receiver" && !slices.Contains(allowed, f.Name) {
			err = misusef("%s has no -%s; see -help", o.name, f.Name)
		}
	})
	return err
}

func run(ctx context.Context, now time.Time, args []string, stdin io.Reader, stdout, stderr io.Writer) error {
	o, err := parseFlags(args, stderr)
	if err != nil {
		return err
	}
	location, err := locateStorage(ctx, o)
	if err != nil {
		return err
	}
	c := &command{options: o, storageLocation: location, stdin: stdin, stdout: stdout, stderr: stderr, now: now}
	defer c.close(ctx)
	switch o.name {
	case "show":
		return c.show(ctx)
	case "export":
		return c.export(ctx)
	case "import":
		return c.importStreams(ctx)
	case "set-cursor":
		return c.setCursor(ctx)
	case "discard":
		return c.discard(ctx)
	}
	return c.delete(ctx)
}
