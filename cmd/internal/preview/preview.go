// Copyright The OpenTelemetry Authors
// SPDX-License-Identifier: Apache-2.0

// Package preview is the command that prints the newest compliance records of each
// event type, before a collector is set up or beside one that runs. It lists and
// downloads as the receiver does and keeps no state: no checkpoint of a collector is
// read or moved.
package preview

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/openaicompliance/openaicompliancereceiver/cmd/internal/command"
	"github.com/openaicompliance/openaicompliancereceiver/internal/record"
	"github.com/openaicompliance/openaicompliancereceiver/receiver"
)

const long = `Prints the newest records of each event type to standard output, one line each as
exported, oldest first, and what it does to standard error. Characters that a
terminal would obey are replaced.

Records are shown as exported, message content included, unless the configuration
withholds content (content.mode: hmac or drop): then preview withholds it as well.`

// options of one run.
type options struct {
	command.API
	format  command.Format
	since   *command.Time
	records int
}

// New returns the command.
func New(env *command.Env) *cobra.Command {
	o := &options{since: command.NewTime("-24h")}
	cmd := &cobra.Command{
		Use: "preview", Short: "Print the newest records of each event type", Long: long, Args: command.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return o.run(cmd.Context(), env) },
	}
	o.AddFlags(cmd)
	command.AddFormat(cmd, &o.format, "an object for each record, with its file and line")
	cmd.Flags().Var(o.since, "since", "how far back to look for files, a time as start_from takes it")
	cmd.Flags().IntVar(&o.records, "records", 5, "`NUMBER` of records of each type")
	return cmd
}

func (o *options) run(ctx context.Context, env *command.Env) error {
	if o.records < 1 {
		return command.Misusef("--records: %d must be at least 1", o.records)
	}
	since, err := o.since.PastAt(env.Now(), "since")
	if err != nil {
		return err
	}
	cfg, err := o.Config(ctx)
	if err != nil {
		return err
	}
	client, done, err := receiver.Connect(ctx, cfg, command.Name)
	if err != nil {
		return command.Misuse(err)
	}
	defer done()
	if cfg.Content.Mode != string(record.ContentKeep) {
		env.Notef("content.mode is %s: content is withheld here as in the collector's records", cfg.Content.Mode)
	}
	failed := 0
	for _, eventType := range cfg.EventTypes {
		p := preview{client: client, eventType: eventType, since: since, records: o.records, shown: receiver.WithholdContent(cfg, eventType)}
		if err := p.print(ctx, env, o.format); err != nil {
			failed++
			env.Notef("%s: %v", eventType, err)
			env.Notef("  advice: %s", receiver.Advice(err, eventType))
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
	}
	if failed > 0 {
		return fmt.Errorf("%d of %d event types failed", failed, len(cfg.EventTypes))
	}
	return nil
}
