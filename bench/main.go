// Copyright The OpenTelemetry Authors
// SPDX-License-Identifier: Apache-2.0

// Command bench measures the built collector: CPU per gigabyte beside its peers,
// and memory. docs/performance.md says how and what came out.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"strings"
	"syscall"
)

type options struct {
	collector, samples, eventType string
	files, rounds                 int
	only                          []string
	profile                       string
	seconds                       int
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, os.Args[1:])
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string) error {
	if len(args) > 1 && args[0] == "floor" {
		urls := args[1:]
		then := makers[urls[0]]
		if then != nil {
			urls = urls[1:]
		}
		for _, url := range urls {
			if err := floor(ctx, url, then); err != nil {
				return err
			}
		}
		return nil
	}
	flags := flag.NewFlagSet("bench", flag.ContinueOnError)
	var opts options
	flags.StringVar(&opts.collector, "collector", "_build/bench/otelcol-bench", "the collector of bench/builder-config.yaml")
	flags.StringVar(&opts.samples, "samples", "testdata/records", "folder of the sample records")
	flags.StringVar(&opts.eventType, "type", "", "one event type instead of the mix")
	flags.IntVar(&opts.files, "files", 12, "files of 15 MB of each type")
	flags.IntVar(&opts.rounds, "rounds", 5, "how often each is measured, in turns")
	only := flags.String("only", "", "some of the contenders, by name, with semicolons between")
	what := flags.String("what", "cpu", "cpu, memory or idle")
	flags.StringVar(&opts.profile, "profile", "", "write a CPU profile of the last measurement to this file")
	flags.IntVar(&opts.seconds, "seconds", 3, "of the profile")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if *only != "" {
		opts.only = strings.Split(*only, ";")
	}
	switch *what {
	case "cpu":
		return compareCPU(ctx, opts)
	case "memory":
		return measureMemory(ctx, opts)
	case "idle":
		return measureIdle(ctx, opts)
	}
	return fmt.Errorf("-what: %q is none of cpu, memory, idle", *what)
}
