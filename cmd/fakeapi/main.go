// Copyright The OpenTelemetry Authors
// SPDX-License-Identifier: Apache-2.0

// Command fakeapi serves a simulated compliance log API, for trials of the
// receiver without a key.
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"github.com/openaicompliance/openaicompliancereceiver/cmd/internal/plainflag"
	"github.com/openaicompliance/openaicompliancereceiver/internal/fakeapi"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, os.Args[1:], os.Stdout)
	stop()
	os.Exit(plainflag.End("fakeapi", err, os.Stderr))
}

// options of one run, as the flags give them.
type options struct {
	addr, storage    string
	types, forbidden string
	history, every   time.Duration
	records          int
	duplicates, late float64
	seed             uint64
	inclusive        bool
	lists, downloads int
	faults           string
}

func parse(args []string, help io.Writer) (*options, error) {
	o := &options{}
	flags := flag.NewFlagSet("fakeapi", flag.ContinueOnError)
	flags.StringVar(&o.addr, "addr", "127.0.0.1:8080", "address of the API host")
	flags.StringVar(&o.storage, "storage-addr", "127.0.0.1:8081", "address of the host behind the signed URLs")
	flags.StringVar(&o.types, "types", strings.Join(append(fakeapi.EventTypes(false), "COSTS"), ","), "event types that get files")
	flags.DurationVar(&o.history, "history", 24*time.Hour, "how far back files exist")
	flags.DurationVar(&o.every, "every", 10*time.Minute, "time between two files of a type")
	flags.IntVar(&o.records, "records", 20, "records in a file")
	flags.Float64Var(&o.duplicates, "duplicates", 0, "share of records that come again in a later file")
	flags.Float64Var(&o.late, "late", 0, "share of records whose time is hours before their file")
	flags.Uint64Var(&o.seed, "seed", 1, "decides ids and contents")
	flags.BoolVar(&o.inclusive, "inclusive", false, "list files whose end_time equals `after`, too")
	flags.StringVar(&o.forbidden, "forbidden", "", "event types that answer 403")
	flags.IntVar(&o.lists, "lists-per-minute", 0, "lists allowed in a minute, 0 for no limit")
	flags.IntVar(&o.downloads, "downloads-per-minute", 0, "downloads allowed in a minute, 0 for no limit")
	flags.StringVar(&o.faults, "faults", "", "file with a fault script: a JSON array, see docs/fakeapi.md")
	if err := plainflag.Parse(flags, args, help); err != nil {
		return nil, err
	}
	return o, o.check()
}

func run(ctx context.Context, args []string, out io.Writer) error {
	o, err := parse(args, out)
	if err != nil {
		return err
	}
	script, err := readFaults(o.faults)
	if err != nil {
		return err
	}
	api := fakeapi.New(fakeapi.Options{
		Seed: o.seed, Inclusive: o.inclusive, Forbidden: split(o.forbidden),
		ListsPerMinute: o.lists, DownloadsPerMinute: o.downloads,
		Live: &fakeapi.Schedule{
			Types: split(o.types), Since: time.Now().Add(-o.history), Every: o.every,
			Records: o.records, Duplicates: o.duplicates, Late: o.late,
		},
	})
	api.Script(script...)
	if err := api.Start(o.addr, o.storage); err != nil {
		return err
	}
	defer api.Close()
	fmt.Fprintf(out, "endpoint      %s\nkey           %s\nworkspace     %s\norganization  %s\n",
		api.URL, fakeapi.DefaultKey, fakeapi.DefaultWorkspace, fakeapi.DefaultOrganization)
	<-ctx.Done()
	return nil
}
