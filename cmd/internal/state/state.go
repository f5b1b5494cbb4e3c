// Copyright The OpenTelemetry Authors
// SPDX-License-Identifier: Apache-2.0

// Package state is the command that shows and changes the checkpoints that a receiver
// has stored, while its collector is stopped. docs/state.md describes it.
package state

import (
	"context"
	"errors"

	"github.com/spf13/cobra"

	"github.com/openaicompliance/openaicompliancereceiver/cmd/internal/command"
)

const long = `Shows and changes the checkpoints of a receiver, in the storage that the
collector's configuration names. The collector must be stopped. A STREAM is an
event type, replay/NAME/TYPE, or a storage key as show prints it.

Without --yes a command says what it would change, and changes nothing. Before a
change what is stored is copied to a backup.`

// options of one call.
type options struct {
	command.Source
	format command.Format

	yes, skip, redeliver, replace, all bool
}

// New returns the command.
func New(env *command.Env) *cobra.Command {
	o := &options{}
	cmd := &cobra.Command{Use: "state", Short: "Show and change the checkpoints of a stopped collector", Long: long}
	o.AddFlags(cmd)
	command.NeedsCommand(cmd)
	cmd.AddCommand(newShow(env, o), newExport(env, o), newImport(env, o), newSetCursor(env, o), newDelete(env, o), newQuarantine(env, o))
	return cmd
}

// runs lets a method of a task run the command.
func runs(env *command.Env, o *options, run func(*task, context.Context) error) func(*cobra.Command, []string) error {
	return func(cmd *cobra.Command, args []string) (err error) {
		if len(o.Configs) == 0 {
			return command.Misusef("--config is missing: the collector's configuration names the storage")
		}
		site, err := locateStorage(cmd.Context(), env, o)
		if err != nil {
			return err
		}
		t := &task{options: o, site: site, env: env, args: args, now: env.Now()}
		defer func() { err = errors.Join(err, t.close(cmd.Context())) }()
		return run(t, cmd.Context())
	}
}

func newShow(env *command.Env, o *options) *cobra.Command {
	cmd := &cobra.Command{
		Use: "show", Short: "Show checkpoints, open files and retry queue of every stream",
		Args: command.NoArgs, RunE: runs(env, o, (*task).show),
	}
	command.AddFormat(cmd, &o.format, "one document")
	return cmd
}

func newExport(env *command.Env, o *options) *cobra.Command {
	return &cobra.Command{
		Use: "export [STREAM…]", Short: "Write checkpoints as JSON to standard output",
		RunE: runs(env, o, (*task).export),
	}
}

func newImport(env *command.Env, o *options) *cobra.Command {
	cmd := &cobra.Command{
		Use: "import [STREAM…]", Short: "Store what export has written, from standard input",
		RunE: runs(env, o, (*task).importStreams),
	}
	cmd.Flags().BoolVar(&o.replace, "replace", false, "replace checkpoints that can be used")
	addYes(cmd, o)
	return cmd
}

func newSetCursor(env *command.Env, o *options) *cobra.Command {
	cmd := &cobra.Command{
		Use: "set-cursor STREAM TIME", Short: "Resume from a time (RFC 3339, -2h, -1d@d …)",
		Args: command.TakesArgs(2, 2, "a STREAM and a TIME"), RunE: runs(env, o, (*task).setCursor),
	}
	cmd.Flags().BoolVar(&o.skip, "skip", false, "permit a time later than the cursor: what is between is never collected")
	cmd.Flags().BoolVar(&o.redeliver, "redeliver", false, "forget what was delivered after the time")
	addYes(cmd, o)
	return cmd
}

func newDelete(env *command.Env, o *options) *cobra.Command {
	cmd := &cobra.Command{
		Use: "delete STREAM…|--all", Short: "Delete checkpoints: the next start is a first run",
		RunE: runs(env, o, (*task).delete),
	}
	cmd.Flags().BoolVar(&o.all, "all", false, "delete every stream")
	addYes(cmd, o)
	return cmd
}

func newQuarantine(env *command.Env, o *options) *cobra.Command {
	cmd := &cobra.Command{Use: "quarantine", Short: "List and discard quarantined files and lines"}
	command.NeedsCommand(cmd)
	list := &cobra.Command{
		Use: "list [STREAM…]", Short: "List the retry queue",
		RunE: runs(env, o, (*task).listQuarantine),
	}
	command.AddFormat(list, &o.format, "a line for each file")
	discard := &cobra.Command{
		Use: "discard STREAM FILE_ID|all", Short: "Remove quarantined files and lines from the retry queue",
		Args: command.TakesArgs(2, 2, "a STREAM and a FILE_ID, or all"), RunE: runs(env, o, (*task).discard),
	}
	addYes(discard, o)
	cmd.AddCommand(list, discard)
	return cmd
}

func addYes(cmd *cobra.Command, o *options) {
	cmd.Flags().BoolVar(&o.yes, "yes", false, "change what is stored")
}
