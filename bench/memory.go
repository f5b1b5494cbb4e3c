// Copyright The OpenTelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"time"
)

// nine event types, as a workspace that uses most of the product exports.
var nine = []string{
	"AUTH_LOG", "AUDIT_LOG", "APP_LOG", "APP_AUTH_LOG", "CODEX_LOG", "CODEX_TURN",
	"CONVERSATION_MESSAGE", "CUSTOM_AGENTS_LOG", "CHATGPT_PLUGIN_SPREADSHEET",
}

// trial is one measurement of memory.
type trial struct {
	name     string
	types    []string
	files    int // of each type
	fileSize int
	more     []string // lines of the receiver's configuration
	blocked  bool     // the next consumer never answers
}

// memory that a collector took: what is reachable of its heap at the end, the most that
// was resident, and the most of that which is its own: the rest are pages of files,
// the program's and the storage's, which the system takes back when it needs them.
type memory struct{ live, peak, own int64 }

func measureMemory(ctx context.Context, opts options) error {
	idle, err := opts.nop(ctx)
	if err != nil {
		return err
	}
	fmt.Printf("a collector with a nop receiver: live heap %d MiB, peak RSS %d MiB, %d MiB of it its own; the rest is above it\n", idle.live>>20, idle.peak>>20, idle.own>>20)
	fmt.Println("| | live heap | peak RSS | of it its own |\n|---|--:|--:|--:|")
	one := []string{"AUTH_LOG"}
	for _, t := range []trial{
		{name: "one stream, 3 files of 15 MB", types: one, files: 3},
		{name: "one stream, 30 files", types: one, files: 30},
		{name: "one stream, 300 files, 1,000,000 events remembered", types: one, files: 300},
		{name: "nine streams, 9 files of 15 MB", types: nine, files: 1},
		{name: "nine streams, 90 files", types: nine, files: 10},
		{name: "nine streams, 900 files, 1,000,000 events remembered", types: nine, files: 100},
		{name: "one stream, one file of 60 MB", types: one, files: 1, fileSize: 60_000_000},
		{name: "nine streams, 90 files, a consumer that never answers", types: nine, files: 10, blocked: true},
	} {
		if len(opts.only) > 0 && !strings.Contains(t.name, opts.only[0]) {
			continue
		}
		took, err := opts.try(ctx, t)
		if err != nil {
			return fmt.Errorf("%s: %w", t.name, err)
		}
		fmt.Printf("| %s | %d MiB | %d MiB | %d MiB |\n", t.name, (took.live-idle.live)>>20, (took.peak-idle.peak)>>20, (took.own-idle.own)>>20)
	}
	return nil
}

func (o options) nop(ctx context.Context) (memory, error) {
	p, err := startCollector(o.collector, pipeline(nopReceiver))
	if err != nil {
		return memory{}, err
	}
	if err := p.awaitMetrics(ctx); err != nil {
		return memory{}, err
	}
	return p.memory(ctx)
}

func (o options) try(ctx context.Context, t trial) (memory, error) {
	size := fileSize
	if t.fileSize > 0 {
		size = t.fileSize
	}
	s, err := newSource(o.samples, t.types, t.files, size)
	if err != nil {
		return memory{}, err
	}
	defer s.close()
	config := pipeline(ours(s, t.types, append(t.more, unlimited)...))
	if t.blocked {
		sink := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }))
		defer sink.CloseClientConnections()
		exporter := "exporters: {otlp_http: {endpoint: " + sink.URL + ", timeout: 0, sending_queue: {enabled: false}, retry_on_failure: {enabled: false}}}"
		config = strings.NewReplacer("exporters: {nop: {}}", exporter, "exporters: [nop]", "exporters: [otlp_http]").Replace(config)
	}
	p, err := startCollector(o.collector, config)
	if err != nil {
		return memory{}, err
	}
	if t.blocked {
		time.Sleep(45 * time.Second) // a batch refused for 30 s gives its file's memory back
		before := s.fetched()
		time.Sleep(30 * time.Second)
		fmt.Fprintf(os.Stderr, "%d files fetched at first, %d after that\n", before, s.fetched()-before)
	} else if err := p.awaitRecords(ctx, s.records); err != nil {
		return memory{}, err
	}
	return p.memory(ctx)
}

// memory ends the process.
func (p *process) memory(ctx context.Context) (m memory, err error) {
	if m.peak, err = p.status("VmHWM:"); err != nil {
		return m, err
	}
	m.own = p.own.Load()
	if m.live, err = p.liveHeap(ctx); err != nil {
		return m, err
	}
	_ = p.cmd.Process.Kill() // one that is blocked would wait for its consumer
	<-p.done
	return m, os.RemoveAll(p.dir)
}

// measureIdle compares what collectors take that have nothing to do. Polls come
// ten times as often as by default.
func measureIdle(ctx context.Context, opts options) error {
	s, err := newSource(opts.samples, nine, 0, fileSize)
	if err != nil {
		return err
	}
	defer s.close()
	for _, c := range []struct{ name, receiver string }{
		{"nop receiver", nopReceiver},
		{"nine types, a poll each 30 s", ours(s, nine, "poll_interval: 30s", "rate_limit: {downloads_per_minute: 50, lists_per_minute: 0}")},
	} {
		p, err := startCollector(opts.collector, pipeline(c.receiver))
		if err != nil {
			return err
		}
		select {
		case <-time.After(2 * time.Minute):
		case <-ctx.Done():
		}
		live, err := p.liveHeap(ctx)
		if err != nil {
			return err
		}
		u, err := p.stop()
		if err != nil {
			return err
		}
		fmt.Printf("%s: %.2f s CPU in 2 minutes, live heap %.1f MiB, peak RSS %d MiB\n", c.name, u.cpu.Seconds(), float64(live)/(1<<20), u.peak>>20)
	}
	return nil
}
