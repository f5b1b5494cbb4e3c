// Copyright The OpenTelemetry Authors
// SPDX-License-Identifier: Apache-2.0

// Command preview prints the newest compliance records of each event type, before
// a collector is set up or beside one that runs. It lists and downloads as the
// receiver does and keeps no state: no position of a collector is read or moved.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"github.com/openaicompliance/openaicompliancereceiver/internal/record"
	"github.com/openaicompliance/openaicompliancereceiver/internal/secret"
	"github.com/openaicompliance/openaicompliancereceiver/internal/timespec"
	"github.com/openaicompliance/openaicompliancereceiver/receiver"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	switch {
	case errors.Is(err, flag.ErrHelp):
	case err != nil:
		fmt.Fprintln(os.Stderr, "preview:", err)
		os.Exit(1)
	}
}

// options of one run.
type options struct {
	configs  []string
	receiver string
	types    []string
	since    time.Time
	records  int

	// Without a configuration.
	keyFile, workspace, organization, endpoint string
}

const usage = `Usage: preview [-config collector.yaml] [flags]

Prints the newest records of each event type to standard output, one line each as
exported, oldest first, and what it does to standard error. With -config it takes
key, ids, types and HTTP settings from a collector's configuration. Without, it
takes the key from OPENAI_COMPLIANCE_API_KEY or -api-key-file, and the id from
OPENAI_WORKSPACE_ID, OPENAI_ORGANIZATION_ID or a flag.

Records are shown as exported, message content included, unless the configuration
withholds content (content.mode: hmac or drop): then preview withholds it as well.
Like every request to this API, those of preview appear in the workspace's AUDIT_LOG.

`

func parseFlags(args []string, stderr io.Writer) (*options, error) {
	o := &options{}
	flags := flag.NewFlagSet("preview", flag.ContinueOnError)
	flags.SetOutput(secret.NewWriter(stderr)) // it quotes what it cannot read
	flags.Usage = func() {
		fmt.Fprint(stderr, usage)
		flags.PrintDefaults()
	}
	flags.Func("config", "a collector's `configuration`; may be repeated, as the collector's own flag", func(path string) error {
		o.configs = append(o.configs, path)
		return nil
	})
	flags.StringVar(&o.receiver, "receiver", "", "`id` of the receiver, if the configuration has more than one")
	types := flags.String("types", "", "event `types`, separated by commas; default those of the configuration, else AUTH_LOG,AUDIT_LOG")
	since := flags.String("since", "-24h", "how far back to look for files, a `time` as start_from takes it")
	flags.IntVar(&o.records, "records", 5, "`number` of records of each type")
	flags.StringVar(&o.keyFile, "api-key-file", "", "`file` that holds the key")
	flags.StringVar(&o.workspace, "workspace-id", "", "the workspace's `UUID`")
	flags.StringVar(&o.organization, "organization-id", "", "the organisation's `id`, org-…")
	flags.StringVar(&o.endpoint, "endpoint", receiver.DefaultEndpoint, "`URL` of the API")
	if err := flags.Parse(args); err != nil {
		return nil, secret.ConcealError(err)
	}
	if flags.NArg() > 0 {
		return nil, fmt.Errorf("%s is not a flag; see -help", secret.Quote(flags.Arg(0)))
	}
	if o.records < 1 {
		return nil, fmt.Errorf("-records: %d must be at least 1", o.records)
	}
	if *types != "" {
		o.types = strings.Split(*types, ",")
	}
	spec, err := timespec.Parse(*since)
	if err != nil {
		return nil, fmt.Errorf("-since: %w", err)
	}
	o.since = spec.At(time.Now())
	return o, nil
}

func run(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	o, err := parseFlags(args, stderr)
	if err != nil {
		return err
	}
	cfg, err := o.config(ctx)
	if err != nil {
		return err
	}
	client, done, err := receiver.Connect(ctx, cfg, "preview")
	if err != nil {
		return err
	}
	defer done()
	if withholds(cfg) {
		fmt.Fprintf(stderr, "content.mode is %s: content is withheld here as in the collector's records\n", cfg.Content.Mode)
	}
	failed := 0
	for _, eventType := range cfg.EventTypes {
		p := preview{client: client, eventType: eventType, since: o.since, records: o.records, shown: receiver.WithholdContent(cfg, eventType)}
		if err := p.print(ctx, stdout, stderr); err != nil {
			failed++
			fmt.Fprintf(stderr, "%s: %v\n  advice: %s\n", eventType, err, receiver.Advice(err, eventType))
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

// withholds reports whether the configuration keeps content out of records.
func withholds(cfg *receiver.Config) bool { return cfg.Content.Mode != string(record.ContentKeep) }
