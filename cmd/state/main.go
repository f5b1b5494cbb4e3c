// Copyright The OpenTelemetry Authors
// SPDX-License-Identifier: Apache-2.0

// Command state shows and changes what a collector's receiver has stored of its
// progress, while that collector does not run. docs/state.md describes it.
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
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, time.Now(), os.Args[1:], os.Stdin, os.Stdout, os.Stderr)
	stop()
	switch {
	case errors.Is(err, flag.ErrHelp):
	case err != nil:
		fmt.Fprintln(os.Stderr, "state:", err)
		os.Exit(1)
	}
}

const usage = `Usage: state -config collector.yaml COMMAND [arguments]

Shows and changes what a receiver has stored of its progress, in the file_storage
that the collector's configuration names. The collector must be stopped. A TYPE is
an event type, replay/NAME/TYPE, or a storage key as show prints it.

  show [-json]                   cursors, quarantine and damage of every type
  export [TYPE…]                 write the whole state as JSON to standard output
  import [-replace] [TYPE…]      store what export has written, from standard input
  set-cursor TYPE TIME           go on from a time (RFC 3339, -2h, -1d@d …)
      -skip                      … ahead of the position: skips what lies between
      -deliver-again             … behind it: delivers everything since then again
  release TYPE FILE_ID|all       take files out of quarantine for another try
  discard TYPE FILE_ID|all       give files in quarantine and refused lines up
  delete TYPE…|-all              forget everything: the next start is a first run

Without -yes a command says what it would change, and changes nothing. Before a
change the storage's file is copied beside itself.

`

// options of one call.
type options struct {
	configs  []string
	receiver string
	command  string
	args     []string

	json, yes, skip, again, replace, all bool
}

// takes says which flags a command has, beside those of all.
var takes = map[string][]string{
	"show": {"json"}, "export": nil, "import": {"yes", "replace"}, "set-cursor": {"yes", "skip", "deliver-again"},
	"release": {"yes"}, "discard": {"yes"}, "delete": {"yes", "all"},
}

// looksNegative tells a time such as -2h from a flag.
var looksNegative = regexp.MustCompile(`^-[0-9]`)

func parseFlags(args []string, stderr io.Writer) (*options, error) {
	o := &options{}
	flags := flag.NewFlagSet("state", flag.ContinueOnError)
	flags.SetOutput(stderr)
	flags.Usage = func() {
		fmt.Fprint(stderr, usage)
		flags.PrintDefaults()
	}
	flags.Func("config", "a collector's `configuration`; may be repeated, as the collector's own flag", func(path string) error {
		o.configs = append(o.configs, path)
		return nil
	})
	flags.StringVar(&o.receiver, "receiver", "", "`id` of the receiver, if the configuration has more than one")
	flags.BoolVar(&o.json, "json", false, "show: as JSON")
	flags.BoolVar(&o.yes, "yes", false, "change the storage")
	flags.BoolVar(&o.skip, "skip", false, "set-cursor: never collect what lies before the time")
	flags.BoolVar(&o.again, "deliver-again", false, "set-cursor: forget what was delivered after the time")
	flags.BoolVar(&o.replace, "replace", false, "import: over state that is there and whole")
	flags.BoolVar(&o.all, "all", false, "delete: every type and replay")
	var words []string
	for len(args) > 0 { // flags may stand before and behind the command
		if looksNegative.MatchString(args[0]) || !strings.HasPrefix(args[0], "-") {
			words, args = append(words, args[0]), args[1:]
			continue
		}
		if err := flags.Parse(args); err != nil {
			return nil, err
		}
		args = flags.Args()
	}
	if len(words) == 0 {
		flags.Usage()
		return nil, errors.New("no command; see -help")
	}
	o.command, o.args = words[0], words[1:]
	return o, o.check(flags)
}

// check refuses flags that the command does not have.
func (o *options) check(flags *flag.FlagSet) (err error) {
	allowed, ok := takes[o.command]
	if !ok {
		return fmt.Errorf("%q is not a command; see -help", o.command)
	}
	if len(o.configs) == 0 {
		return errors.New("-config is missing: the collector's configuration names the storage")
	}
	flags.Visit(func(f *flag.Flag) {
		if f.Name != "config" && f.Name != "receiver" && !slices.Contains(allowed, f.Name) {
			err = fmt.Errorf("%s has no -%s; see -help", o.command, f.Name)
		}
	})
	return err
}

func run(ctx context.Context, now time.Time, args []string, stdin io.Reader, stdout, stderr io.Writer) error {
	o, err := parseFlags(args, stderr)
	if err != nil {
		return err
	}
	where, err := locate(ctx, o)
	if err != nil {
		return err
	}
	c := &call{options: o, location: where, in: stdin, out: stdout, notes: stderr, now: now}
	defer c.close(ctx)
	switch o.command {
	case "show":
		return c.show(ctx)
	case "export":
		return c.export(ctx)
	case "import":
		return c.importAll(ctx)
	case "set-cursor":
		return c.setCursor(ctx)
	case "release":
		return c.release(ctx)
	case "discard":
		return c.discard(ctx)
	}
	return c.delete(ctx)
}
