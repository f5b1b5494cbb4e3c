// Copyright The OpenTelemetry Authors
// SPDX-License-Identifier: Apache-2.0

// Package plainflag reads the flags of programs that have no commands, and ends them:
// with status 2 and one sentence when the call is wrong.
package plainflag

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"strings"
)

// misuse is a call that is wrong.
type misuse struct{ error }

func (m misuse) Unwrap() error { return m.error }

// Misusef is fmt.Errorf for a call that is wrong.
func Misusef(format string, args ...any) error { return misuse{fmt.Errorf(format, args...)} }

// Parse reads flags, and nothing but flags. It prints them to help when they are asked
// for, and then returns flag.ErrHelp.
func Parse(flags *flag.FlagSet, args []string, help io.Writer) error {
	flags.SetOutput(io.Discard) // an error is printed once, by End
	flags.Usage = func() {}
	err := flags.Parse(args)
	switch {
	case errors.Is(err, flag.ErrHelp):
		flags.SetOutput(help)
		fmt.Fprintf(help, "Usage of %s:\n", flags.Name())
		flags.PrintDefaults()
		return err
	case err != nil:
		return misuse{fmt.Errorf("%w; see -help", err)}
	case flags.NArg() > 0:
		return Misusef("%q is not a flag; see -help", flags.Arg(0))
	}
	return nil
}

// End prints why a program failed and returns its exit status: 1, or 2 for a call that
// is wrong.
func End(name string, err error, stderr io.Writer) int {
	if err == nil || errors.Is(err, flag.ErrHelp) {
		return 0
	}
	fmt.Fprintf(stderr, "%s: %s\n", name, strings.TrimSpace(err.Error()))
	if _, ok := errors.AsType[misuse](err); ok {
		return 2
	}
	return 1
}
