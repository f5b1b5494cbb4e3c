// Copyright The OpenTelemetry Authors
// SPDX-License-Identifier: Apache-2.0

// Command demo-ui shows the records in a log database with a web page: it serves
// a simulated API, runs the built collector against it and VictoriaLogs behind
// it, prints where to look and what to ask, and runs until it is interrupted.
package main

import (
	"context"
	_ "embed"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/openaicompliance/openaicompliancereceiver/cmd/internal/plainflag"
	"github.com/openaicompliance/openaicompliancereceiver/internal/fakeapi"
	"github.com/openaicompliance/openaicompliancereceiver/internal/testbed"
)

//go:embed collector.yaml
var config []byte

func main() {
	var d demo
	flags := flag.NewFlagSet("demo-ui", flag.ContinueOnError)
	flags.StringVar(&d.collector, "collector", "_build/otelcol-openai-compliance", "the collector that make build makes")
	flags.StringVar(&d.database, "victoria-logs", ".tools/victoria-logs", "the log database that make demo-ui builds")
	flags.StringVar(&d.addr, "addr", "127.0.0.1:9428", "where the database and its page listen")
	flags.DurationVar(&d.live, "live", 0, "how long new files keep coming; 0: as long as this runs")
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := plainflag.Parse(flags, os.Args[1:], os.Stdout)
	if err == nil && d.live < 0 {
		err = plainflag.Misusef("-live: %v must be at least 0", d.live)
	}
	if err == nil {
		err = d.run(ctx)
	}
	stop()
	os.Exit(plainflag.End("demo-ui", err, os.Stderr))
}

type demo struct {
	collector, database, addr string
	live                      time.Duration

	dir string // of everything this leaves on disk, removed at the end
	api *fakeapi.API
}

func (d *demo) run(ctx context.Context) (err error) {
	if d.dir, err = os.MkdirTemp("", "openai-compliance-demo-ui-"); err != nil {
		return err
	}
	defer os.RemoveAll(d.dir)
	if err := d.startAPI(); err != nil {
		return err
	}
	defer d.api.Close()

	store := &store{base: "http://" + d.addr}
	if store.answers() {
		return fmt.Errorf("something listens at %s already; name another address with -addr", d.addr)
	}
	database, err := testbed.StartProgram(d.log("database"), nil, d.database,
		"-storageDataPath="+filepath.Join(d.dir, "logs"), "-httpListenAddr="+d.addr, "-retentionPeriod=40d")
	if err != nil {
		return fmt.Errorf("start the database: %w", err)
	}
	defer end("database", database)
	if err := d.await(ctx, database, "database", store.answers); err != nil {
		return err
	}
	collector, err := d.startCollector(store.base)
	if err != nil {
		return fmt.Errorf("start the collector: %w", err)
	}
	defer end("collector", collector)
	d.tell(store)
	return d.watch(ctx, store, map[string]*testbed.Collector{"collector": collector, "database": database})
}

// types are those of collector.yaml.
var types = []string{"AUTH_LOG", "AUDIT_LOG", "APP_LOG", "CODEX_LOG", "CODEX_TURN"}

// startAPI serves an hour of files, one of each type every twenty seconds, and
// goes on.
func (d *demo) startAPI() error {
	plan := &fakeapi.Schedule{
		Types: types, Since: time.Now().Add(-time.Hour), Every: 20 * time.Second,
		Records: 15, Duplicates: 0.03, Late: 0.05,
	}
	if d.live > 0 {
		plan.Stop = time.Now().Add(d.live)
	}
	d.api = fakeapi.New(fakeapi.Options{Seed: 11, Live: plan})
	return d.api.Start("", "")
}

func (d *demo) startCollector(sink string) (*testbed.Collector, error) {
	file := filepath.Join(d.dir, "collector.yaml")
	if err := os.WriteFile(file, config, 0o600); err != nil {
		return nil, err
	}
	return testbed.StartCollector(d.collector, file, d.log("collector"),
		"DEMO_ENDPOINT="+d.api.URL, "DEMO_SINK="+sink, "DEMO_STORAGE="+d.dir,
		"OPENAI_COMPLIANCE_API_KEY="+fakeapi.DefaultKey, "OPENAI_WORKSPACE_ID="+fakeapi.DefaultWorkspace)
}

func (d *demo) log(program string) string { return filepath.Join(d.dir, program+".log") }

// await waits a while until the program does what is asked of it.
func (d *demo) await(ctx context.Context, p *testbed.Collector, name string, ready func() bool) error {
	for limit := time.Now().Add(30 * time.Second); !ready(); {
		if !p.Running() || time.Now().After(limit) {
			return fmt.Errorf("the %s did not come up:\n%s", name, d.tail(name))
		}
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(100 * time.Millisecond):
		}
	}
	return nil
}

// watch tells when all that is exported so far has arrived, until ctx ends or a
// program does.
func (d *demo) watch(ctx context.Context, store *store, programs map[string]*testbed.Collector) error {
	told := 0
	for ctx.Err() == nil {
		want := len(fakeapi.Expected(d.api.Files("")))
		if records, different, err := store.count(ctx); err == nil && different >= want && records > told {
			fmt.Printf("%s  all %d records that the API has exported so far are in the database, %d of them twice\n",
				time.Now().Format(time.TimeOnly), different, records-different)
			told = records
		}
		select {
		case <-ctx.Done():
		case <-time.After(2 * time.Second):
			for name, p := range programs {
				if !p.Running() && ctx.Err() == nil {
					return fmt.Errorf("the %s ended by itself:\n%s", name, d.tail(name))
				}
			}
		}
	}
	fmt.Println("\nStopping; everything this has written is removed.")
	return nil
}

func (d *demo) tail(program string) string {
	data, _ := os.ReadFile(d.log(program))
	lines := strings.Split(strings.TrimSpace(string(data)), "\n")
	return strings.Join(lines[max(0, len(lines)-20):], "\n")
}

// end stops a program that may have been told to by the same Ctrl-C.
func end(name string, p *testbed.Collector) {
	err := p.Stop()
	if exit := (interface{ ExitCode() int })(nil); err != nil && !errors.As(err, &exit) {
		fmt.Fprintf(os.Stderr, "demo-ui: stop the %s: %v\n", name, err)
	}
}
