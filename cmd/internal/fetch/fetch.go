// Copyright The OpenTelemetry Authors
// SPDX-License-Identifier: Apache-2.0

// Package fetch is the command that writes exported files to a directory. It lists and
// downloads as the receiver does and reads or moves no checkpoint.
package fetch

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"go.opentelemetry.io/collector/config/configretry"

	"github.com/openaicompliance/openaicompliancereceiver/cmd/internal/archive"
	"github.com/openaicompliance/openaicompliancereceiver/cmd/internal/command"
	"github.com/openaicompliance/openaicompliancereceiver/internal/compliance"
	"github.com/openaicompliance/openaicompliancereceiver/internal/limit"
	"github.com/openaicompliance/openaicompliancereceiver/receiver"
)

const long = `Writes the exported files of a time range to a directory, each after its size and
digest were compared with the listing's, and a manifest.jsonl with a line for each
file. A file appears whole or not at all. Files that the directory has are compared
again and not fetched: after an interruption the same command resumes.

Files hold the records as exported, message content included, whatever the
configuration withholds: keep the directory as you keep the records.

Downloads count in the limit that the workspace's clients share, a running
collector's too: --downloads-per-minute leaves it a part.`

// options of one run.
type options struct {
	command.API
	format       command.Format
	dir          string
	since, until *command.Time
	perMinute    int
}

// New returns the command.
func New(env *command.Env) *cobra.Command {
	o := &options{since: command.NewTime("beginning"), until: command.NewTime("now")}
	cmd := &cobra.Command{
		Use: "fetch --dir DIR", Short: "Write the exported files of a time range to a directory", Long: long, Args: command.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return o.run(cmd, env) },
	}
	o.AddFlags(cmd)
	command.AddFormat(cmd, &o.format, "an object for each event type")
	flags := cmd.Flags()
	flags.StringVar(&o.dir, "dir", "", "`DIR` to write to; it is made if there is none")
	flags.Var(o.since, "since", "files written after this time, which is one as start_from takes it")
	flags.Var(o.until, "until", "files written up to this time")
	flags.IntVar(&o.perMinute, "downloads-per-minute", 0, "at most `NUMBER` downloads in a minute, 0 for no limit; default that of the configuration")
	return cmd
}

func (o *options) run(cmd *cobra.Command, env *command.Env) error {
	ctx := cmd.Context()
	since, until, err := o.times(env.Now())
	if err != nil {
		return err
	}
	cfg, err := o.Config(ctx)
	if err != nil {
		return err
	}
	if cmd.Flags().Changed("downloads-per-minute") {
		cfg.RateLimit.DownloadsPerMinute = o.perMinute
	}
	client, done, err := receiver.Connect(ctx, cfg, command.Name)
	if err != nil {
		return command.Misuse(err)
	}
	defer done()
	files, err := archive.Open(o.dir)
	if err != nil {
		return command.Misuse(err)
	}
	f := newFetcher(cfg, client, files, env)
	f.since, f.until = since, until
	err = f.all(ctx, cfg.EventTypes)
	f.downloads.Close()
	return errors.Join(err, o.print(env, f.results), f.verdict(ctx), files.Close())
}

func (o *options) times(now time.Time) (since, until time.Time, err error) {
	if o.dir == "" {
		return since, until, command.Misusef("--dir is missing: the directory to write to")
	}
	if o.perMinute < 0 {
		return since, until, command.Misusef("--downloads-per-minute: %d must be at least 0", o.perMinute)
	}
	if since, err = o.since.PastAt(now, "since"); err != nil {
		return since, until, err
	}
	if until, err = o.until.PastAt(now, "until"); err != nil {
		return since, until, err
	}
	if !since.Before(until) {
		return since, until, command.Misusef("--until: %s is not after --since, %s", until.Format(time.RFC3339), since.Format(time.RFC3339))
	}
	return since, until, nil
}

// result counts the files of an event type.
type result struct {
	EventType string `json:"event_type"`
	Fetched   int    `json:"fetched"`
	Present   int    `json:"present"` // before, and right
	Failed    int    `json:"failed"`
	Bytes     int64  `json:"bytes"` // of the fetched ones
	// Complete is set when the listing was read to its end.
	Complete bool `json:"complete"`
}

func (o *options) print(env *command.Env, results []result) error {
	if o.format == command.JSON {
		for _, r := range results {
			if err := env.PrintJSON(r, ""); err != nil {
				return err
			}
		}
		return nil
	}
	table := tabwriter.NewWriter(env.Out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "EVENT TYPE\tFETCHED\tPRESENT\tFAILED\tBYTES\tLISTING")
	for _, r := range results {
		listing := "complete"
		if !r.Complete {
			listing = "incomplete"
		}
		fmt.Fprintf(table, "%s\t%d\t%d\t%d\t%d\t%s\n", r.EventType, r.Fetched, r.Present, r.Failed, r.Bytes, listing)
	}
	return table.Flush()
}

// fetcher fetches the files of one principal.
type fetcher struct {
	cfg    *receiver.Config
	client *compliance.Client
	files  *archive.Archive
	env    *command.Env

	lists        *limit.Rate
	downloads    *limit.Downloads
	since, until time.Time

	mu      sync.Mutex // guards results
	results []result
}

func newFetcher(cfg *receiver.Config, client *compliance.Client, files *archive.Archive, env *command.Env) *fetcher {
	return &fetcher{
		cfg: cfg, client: client, files: files, env: env, lists: limit.NewRate(cfg.RateLimit.ListsPerMinute),
		downloads: limit.NewDownloads(limit.Settings{
			Memory: cfg.Download.MemoryLimit, Slots: cfg.Download.Concurrency, PerMinute: cfg.RateLimit.DownloadsPerMinute,
		}),
	}
}

// all fetches the types one after the other. What fails is counted and noted; the error
// is one that nothing more can be done after.
func (f *fetcher) all(ctx context.Context, types []string) error {
	for i, eventType := range types {
		f.results = append(f.results, result{EventType: eventType})
		if err := f.fetchType(ctx, i); err != nil || ctx.Err() != nil {
			return err
		}
	}
	return nil
}

// verdict is nil when every file of the range is in the directory.
func (f *fetcher) verdict(ctx context.Context) error {
	failed, incomplete := 0, 0
	for _, r := range f.results {
		failed += r.Failed
		if !r.Complete {
			incomplete++
		}
	}
	switch {
	case ctx.Err() != nil:
		return errors.New("interrupted: the same command resumes")
	case failed+incomplete > 0:
		return fmt.Errorf("files not fetched: %d, incomplete listings: %d; the same command tries them again", failed, incomplete)
	}
	return nil
}

// count changes the result of a type.
func (f *fetcher) count(i int, change func(*result)) {
	f.mu.Lock()
	defer f.mu.Unlock()
	change(&f.results[i])
	r := f.results[i]
	f.env.Notes.Progress("%s: %d fetched, %d present, %d failed, %.1f MB",
		r.EventType, r.Fetched, r.Present, r.Failed, float64(r.Bytes)/1e6)
}

func (f *fetcher) backOff() configretry.BackOffConfig {
	return configretry.BackOffConfig(f.cfg.APIRetry.BackOff)
}
