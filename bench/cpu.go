// Copyright The OpenTelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// contender is one of the programs that read the same lines.
type contender struct {
	name string
	run  func(context.Context) (used, error)
	took []time.Duration
}

// mix are a small, a middling and a large kind of record.
var mix = []string{"AUTH_LOG", "CODEX_LOG", "CONVERSATION_MESSAGE"}

// compareCPU runs the contenders in turns, so that what else the machine does
// falls on all of them, and prints the medians.
func compareCPU(ctx context.Context, opts options) error {
	types := mix
	if opts.eventType != "" {
		types = []string{opts.eventType}
	}
	s, err := newSource(opts.samples, types, opts.files, fileSize)
	if err != nil {
		return err
	}
	defer s.close()
	dir, err := os.MkdirTemp("", "bench")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	s.keep()
	for _, id := range s.ids {
		if err := os.WriteFile(filepath.Join(dir, id+".jsonl"), s.made[id](), 0o600); err != nil {
			return err
		}
	}
	contenders := []*contender{
		{name: "nop receiver", run: opts.collect(s, nopReceiver)},
		{name: "floor", run: func(ctx context.Context) (used, error) { return measureFloor(ctx, s) }},
		{name: "floor, with records", run: func(ctx context.Context) (used, error) { return measureFloor(ctx, s, withRecords) }},
		{name: "floor, with parsed records", run: func(ctx context.Context) (used, error) { return measureFloor(ctx, s, withParsed) }},
		{name: "raw", run: opts.collect(s, ours(s, types, unlimited))},
		{name: "file_log", run: opts.collect(s, fileLog(dir))},
		{name: "parsed", run: opts.collect(s, ours(s, types, unlimited, "body: parsed"))},
		{name: "file_log, json_parser", run: opts.collect(s, fileLog(dir, jsonParser))},
	}
	if len(opts.only) > 0 {
		contenders = slices.DeleteFunc(contenders, func(c *contender) bool { return !slices.Contains(opts.only, c.name) && c.name != "nop receiver" })
	}
	fmt.Println(s)
	for round := range opts.rounds {
		for _, c := range contenders {
			u, err := c.run(ctx)
			if err != nil {
				return fmt.Errorf("%s: %w", c.name, err)
			}
			c.took = append(c.took, u.cpu)
			fmt.Fprintf(os.Stderr, "round %d  %-24s %6.2f s CPU  peak %4d MiB\n", round+1, c.name, u.cpu.Seconds(), u.peak>>20)
		}
	}
	printCPU(contenders, s.bytes)
	return nil
}

// collect runs the collector with a receiver until that has handed on every record
// of s, or with the nop receiver until it is up.
func (o options) collect(s *source, receiver string) func(context.Context) (used, error) {
	return func(ctx context.Context) (used, error) {
		p, err := startCollector(o.collector, pipeline(receiver))
		if err != nil {
			return used{}, err
		}
		err = p.awaitMetrics(ctx)
		if receiver != nopReceiver {
			if o.profile != "" && err == nil {
				err = p.profile(ctx, o.seconds, o.profile)
			}
			err = errors.Join(err, p.awaitRecords(ctx, s.records))
		}
		u, stopErr := p.stop()
		return u, errors.Join(err, stopErr)
	}
}

// printCPU leaves out what an idle collector takes to start and stop.
func printCPU(contenders []*contender, bytes int64) {
	idle := median(contenders[0].took)
	fmt.Printf("start and stop: %.2f s CPU, taken off the collectors below\n", idle.Seconds())
	fmt.Println("| | CPU s/GB | least | most |\n|---|--:|--:|--:|")
	for _, c := range contenders[1:] {
		perGB := func(d time.Duration) float64 {
			if !strings.HasPrefix(c.name, "floor") {
				d -= idle
			}
			return d.Seconds() / float64(bytes) * 1e9
		}
		fmt.Printf("| %s | %.2f | %.2f | %.2f |\n", c.name, perGB(median(c.took)), perGB(slices.Min(c.took)), perGB(slices.Max(c.took)))
	}
}

func median(d []time.Duration) time.Duration {
	sorted := slices.Sorted(slices.Values(d))
	return sorted[len(sorted)/2]
}
