// Copyright The OpenTelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package command

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/openaicompliance/openaicompliancereceiver/internal/printable"
	"github.com/openaicompliance/openaicompliancereceiver/internal/secret"
)

// Name of the program.
const Name = "openai-compliance"

// The exit status.
const (
	ExitOK      = 0
	ExitFinding = 1 // something was found, or failed
	ExitMisuse  = 2 // a call, a configuration or an input that is wrong
)

// misuse is a call, a configuration or an input that is wrong.
type misuse struct{ error }

func (m misuse) Unwrap() error { return m.error }

// Misuse marks an error as a misuse; nil stays nil.
func Misuse(err error) error {
	if err == nil {
		return nil
	}
	return misuse{err}
}

// Misusef is fmt.Errorf for a misuse.
func Misusef(format string, args ...any) error { return misuse{fmt.Errorf(format, args...)} }

// IsMisuse reports whether an error is, or wraps, a misuse.
func IsMisuse(err error) bool {
	_, ok := errors.AsType[misuse](err)
	return ok
}

// NewRoot returns the program without commands.
func NewRoot(env *Env) *cobra.Command {
	root := &cobra.Command{
		Use:           Name,
		Short:         "Look at, fetch and verify OpenAI's compliance logs, beside a collector",
		SilenceErrors: true,
		SilenceUsage:  true,
	}
	root.SetIn(env.In)
	root.SetOut(env.Out)
	root.SetErr(env.Notes)
	root.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error {
		return Misusef("%w; see %s --help", err, cmd.CommandPath())
	})
	root.SetHelpCommand(newHelp(root))
	NeedsCommand(root)
	return root
}

// NeedsCommand makes a call of a command that has commands of its own, without one of
// them, a misuse.
func NeedsCommand(parent *cobra.Command) {
	parent.Args = cobra.ArbitraryArgs
	parent.RunE = func(cmd *cobra.Command, args []string) error {
		if len(args) > 0 {
			return Misusef("%s is not a command of %s; see %s --help", secret.Quote(args[0]), cmd.CommandPath(), cmd.CommandPath())
		}
		return Misusef("%s takes a command; see %s --help", cmd.CommandPath(), cmd.CommandPath())
	}
}

// newHelp is cobra's own, but for topics that do not exist.
func newHelp(root *cobra.Command) *cobra.Command {
	return &cobra.Command{
		Use:   "help [COMMAND]",
		Short: "Say what a command does",
		RunE: func(_ *cobra.Command, args []string) error {
			topic, rest, err := root.Find(args)
			if err != nil || topic == nil || len(rest) > 0 {
				return Misusef("%s is not a command; see %s --help", secret.Quote(strings.Join(args, " ")), Name)
			}
			return topic.Help()
		},
	}
}

// Run runs the program. An error is printed as one sentence; its exit status is
// returned.
func Run(ctx context.Context, root *cobra.Command, env *Env, args []string) int {
	root.InitDefaultCompletionCmd()
	if completion, _, err := root.Find([]string{"completion"}); err == nil && completion != root {
		NeedsCommand(completion)
	}
	ran := false // a command has begun; before that every error is a misuse
	eachCommand(root, func(cmd *cobra.Command) {
		if check := cmd.Args; check != nil {
			cmd.Args = func(cmd *cobra.Command, args []string) error { return check(cmd, unescapeTimes(args)) }
		}
		if run := cmd.RunE; run != nil {
			cmd.RunE = func(cmd *cobra.Command, args []string) error {
				ran = true
				return run(cmd, unescapeTimes(args))
			}
		}
	})
	root.SetArgs(escapeTimes(root, args))
	err := root.ExecuteContext(ctx)
	env.Notes.EndProgress()
	if err == nil {
		return ExitOK
	}
	if !ran {
		err = secret.ConcealError(err) // it quotes what it cannot read
	}
	env.Notef("%s: %s", Name, printable.Text(OneLine(err)))
	if !ran || IsMisuse(err) {
		return ExitMisuse
	}
	return ExitFinding
}

func eachCommand(cmd *cobra.Command, do func(*cobra.Command)) {
	do(cmd)
	for _, child := range cmd.Commands() {
		eachCommand(child, do)
	}
}

// relativeTime is a time such as -2h, which is no flag.
var relativeTime = regexp.MustCompile(`^-[0-9]`)

// timeMark before an argument keeps it from being read as a flag. No argument of a
// process holds this character.
const timeMark = "\x00"

// escapeTimes marks relative times that are arguments of their own. What follows a flag
// that takes a value is its value.
func escapeTimes(root *cobra.Command, args []string) []string {
	takesValue := map[string]bool{}
	eachCommand(root, func(cmd *cobra.Command) {
		for _, flags := range []*pflag.FlagSet{cmd.Flags(), cmd.PersistentFlags()} {
			flags.VisitAll(func(f *pflag.Flag) {
				if f.NoOptDefVal == "" {
					takesValue["--"+f.Name], takesValue["-"+f.Shorthand] = true, true
				}
			})
		}
	})
	escaped := make([]string, len(args))
	for i, arg := range args {
		escaped[i] = arg
		if relativeTime.MatchString(arg) && (i == 0 || !takesValue[args[i-1]]) {
			escaped[i] = timeMark + arg
		}
	}
	return escaped
}

func unescapeTimes(args []string) []string {
	plain := make([]string, len(args))
	for i, arg := range args {
		plain[i] = strings.TrimPrefix(arg, timeMark)
	}
	return plain
}

// decodingFailed is what confmap puts before what is wrong.
const decodingFailed = "decoding failed due to the following error(s): "

// OneLine is an error's text as one sentence, whatever it is joined of.
func OneLine(err error) string {
	var parts []string
	for part := range strings.Lines(err.Error()) {
		if part = strings.TrimSpace(part); part != "" {
			parts = append(parts, part)
		}
	}
	text := strings.ReplaceAll(strings.Join(parts, "; "), ":; ", ": ")
	return strings.NewReplacer("'' "+decodingFailed, "", decodingFailed, "").Replace(text)
}

// TakesArgs wants so many arguments, described for the error; most is -1 for no bound.
func TakesArgs(least, most int, what string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if len(args) < least || (most >= 0 && len(args) > most) {
			return Misusef("%s takes %s; see %s --help", cmd.CommandPath(), what, cmd.CommandPath())
		}
		return nil
	}
}

// NoArgs refuses arguments.
func NoArgs(cmd *cobra.Command, args []string) error {
	if len(args) > 0 {
		return Misusef("%s takes no argument %q; see %s --help", cmd.CommandPath(), args[0], cmd.CommandPath())
	}
	return nil
}
