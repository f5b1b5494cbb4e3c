// Copyright The OpenTelemetry Authors
// SPDX-License-Identifier: Apache-2.0

// Command fakeapi serves a simulated compliance log API, for trials of the
// receiver without a key.
package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/openaicompliance/openaicompliancereceiver/internal/fakeapi"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, os.Args[1:])
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "fakeapi:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string) error {
	flags := flag.NewFlagSet("fakeapi", flag.ContinueOnError)
	var (
		addr       = flags.String("addr", "127.0.0.1:8080", "address of the API host")
		storage    = flags.String("storage-addr", "127.0.0.1:8081", "address of the host behind the signed URLs")
		types      = flags.String("types", strings.Join(append(fakeapi.EventTypes(false), "COSTS"), ","), "event types that get files")
		history    = flags.Duration("history", 24*time.Hour, "how far back files exist")
		every      = flags.Duration("every", 10*time.Minute, "time between two files of a type")
		records    = flags.Int("records", 20, "records in a file")
		duplicates = flags.Float64("duplicates", 0, "share of records that come again in a later file")
		late       = flags.Float64("late", 0, "share of records whose time lies hours before their file")
		seed       = flags.Uint64("seed", 1, "decides ids and contents")
		inclusive  = flags.Bool("inclusive", false, "list files whose end_time equals `after`, too")
		forbidden  = flags.String("forbidden", "", "event types that answer 403")
		lists      = flags.Int("lists-per-minute", 0, "lists allowed in a minute, 0 for no limit")
		downloads  = flags.Int("downloads-per-minute", 0, "downloads allowed in a minute, 0 for no limit")
		faults     = flags.String("faults", "", "file with a fault script: a JSON array, see docs/fakeapi.md")
	)
	if err := flags.Parse(args); err != nil {
		return err
	}
	now := time.Now()
	api := fakeapi.New(fakeapi.Options{
		Seed: *seed, Inclusive: *inclusive, Forbidden: split(*forbidden),
		ListsPerMinute: *lists, DownloadsPerMinute: *downloads,
		Live: &fakeapi.Schedule{
			Types: split(*types), Since: now.Add(-*history), Every: *every,
			Records: *records, Duplicates: *duplicates, Late: *late,
		},
	})
	if err := loadFaults(api, *faults); err != nil {
		return err
	}
	if err := api.Start(*addr, *storage); err != nil {
		return err
	}
	defer api.Close()
	fmt.Printf("endpoint      %s\nkey           %s\nworkspace     %s\norganization  %s\n",
		api.URL, fakeapi.DefaultKey, fakeapi.DefaultWorkspace, fakeapi.DefaultOrganization)
	<-ctx.Done()
	return nil
}

func split(list string) []string {
	return slices.DeleteFunc(strings.Split(list, ","), func(s string) bool { return s == "" })
}

func loadFaults(api *fakeapi.API, path string) error {
	if path == "" {
		return nil
	}
	data, err := os.ReadFile(path) //nolint:gosec // the user names the file
	if err != nil {
		return err
	}
	var script []fakeapi.Fault
	if err := json.Unmarshal(data, &script); err != nil {
		return fmt.Errorf("%s: expected a JSON array of faults: %w", path, err)
	}
	api.Script(script...)
	return nil
}
