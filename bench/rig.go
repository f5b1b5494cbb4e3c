// Copyright The OpenTelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"time"
)

// process is a program under measurement.
type process struct {
	cmd     *exec.Cmd
	dir     string
	metrics string
	pprof   string
	done    chan struct{}
	own     atomic.Int64 // the most of its memory that was resident and no file's
}

// used is what a process took from its start to its end.
type used struct {
	cpu  time.Duration // user and system
	peak int64         // resident set, in bytes
}

// startCollector runs the collector with a configuration in a folder of its own.
func startCollector(binary, config string) (*process, error) {
	dir, err := os.MkdirTemp("", "bench")
	if err != nil {
		return nil, err
	}
	p := &process{dir: dir, done: make(chan struct{})}
	if p.metrics, err = freeAddress(); err != nil {
		return nil, err
	}
	if p.pprof, err = freeAddress(); err != nil {
		return nil, err
	}
	_, port, _ := net.SplitHostPort(p.metrics)
	config = strings.NewReplacer("$METRICS_PORT", port, "$PPROF", p.pprof, "$DIR", dir).Replace(config)
	path := filepath.Join(dir, "config.yaml")
	if err := os.WriteFile(path, []byte(config), 0o600); err != nil {
		return nil, err
	}
	if err := os.Mkdir(filepath.Join(dir, "state"), 0o700); err != nil {
		return nil, err
	}
	p.cmd = exec.Command(binary, "--config", path)
	p.cmd.Stdout, p.cmd.Stderr = os.Stderr, os.Stderr
	if err := p.cmd.Start(); err != nil {
		return nil, err
	}
	go func() {
		defer close(p.done)
		_ = p.cmd.Wait()
	}()
	go p.watch()
	return p, nil
}

// watch looks every few milliseconds: the kernel keeps no maximum of this.
func (p *process) watch() {
	for {
		if now, err := p.status("RssAnon:"); err == nil {
			p.own.Store(max(p.own.Load(), now))
		}
		select {
		case <-p.done:
			return
		case <-time.After(5 * time.Millisecond):
		}
	}
}

func freeAddress() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	return l.Addr().String(), l.Close()
}

// stop ends the process as a supervisor does, and says what it took.
func (p *process) stop() (used, error) {
	defer os.RemoveAll(p.dir)
	peak, err := p.status("VmHWM:")
	if err != nil {
		return used{}, err
	}
	if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		return used{}, err
	}
	<-p.done
	return used{cpu: cpuOf(p.cmd.ProcessState), peak: peak}, nil
}

func cpuOf(state *os.ProcessState) time.Duration { return state.UserTime() + state.SystemTime() }

// status is a line of the process's status, in bytes. The maximum that the kernel
// tells of a child would include this program's own, from before the exec.
func (p *process) status(line string) (int64, error) {
	data, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.cmd.Process.Pid))
	if err != nil {
		return 0, err
	}
	_, rest, _ := strings.Cut(string(data), line)
	var kilobytes int64
	_, err = fmt.Sscanf(rest, "%d kB", &kilobytes)
	return kilobytes << 10, err
}

// awaitRecords waits until the collector's receivers have handed on so many records.
func (p *process) awaitRecords(ctx context.Context, want int) error {
	for {
		got, err := p.metric(ctx, "otelcol_receiver_accepted_log_records")
		if err == nil && int(got) >= want {
			return nil
		}
		select {
		case <-p.done:
			return errors.New("the collector ended by itself")
		case <-ctx.Done():
			return fmt.Errorf("%d of %d records: %w", int(got), want, ctx.Err())
		case <-time.After(250 * time.Millisecond):
		}
	}
}

// metric is the sum of a metric's points.
func (p *process) metric(ctx context.Context, name string) (sum float64, err error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+p.metrics+"/metrics", http.NoBody)
	if err != nil {
		return 0, err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return 0, err
	}
	defer resp.Body.Close()
	for lines := bufio.NewScanner(resp.Body); lines.Scan(); {
		if line := lines.Text(); strings.HasPrefix(line, name) {
			value, _ := strconv.ParseFloat(line[strings.LastIndexByte(line, ' ')+1:], 64)
			sum += value
		}
	}
	return sum, nil
}

// liveHeap is what is reachable after a garbage collection, in bytes.
func (p *process) liveHeap(ctx context.Context) (int64, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+p.pprof+"/debug/pprof/heap?gc=1&debug=1", http.NoBody)
	if err != nil {
		return 0, err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return 0, err
	}
	defer resp.Body.Close()
	for lines := bufio.NewScanner(resp.Body); lines.Scan(); {
		if value, ok := strings.CutPrefix(lines.Text(), "# HeapAlloc = "); ok {
			return strconv.ParseInt(value, 10, 64)
		}
	}
	return 0, errors.New("the heap profile has no HeapAlloc")
}

// profile writes what the collector's processor time of the next seconds goes to.
func (p *process) profile(ctx context.Context, seconds int, file string) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, fmt.Sprintf("http://%s/debug/pprof/profile?seconds=%d", p.pprof, seconds), http.NoBody)
	if err != nil {
		return err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return fmt.Errorf("profile: %w", err)
	}
	defer resp.Body.Close()
	out, err := os.Create(file)
	if err != nil {
		return err
	}
	_, err = io.Copy(out, resp.Body)
	return errors.Join(err, out.Close())
}

// awaitMetrics waits until the collector is up.
func (p *process) awaitMetrics(ctx context.Context) error { return p.awaitRecords(ctx, 0) }
