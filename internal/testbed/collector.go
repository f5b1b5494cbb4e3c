// Copyright The OpenTelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package testbed

import (
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"syscall"
	"time"
)

// Collector is the built collector, or a program beside it, as a child process.
type Collector struct {
	cmd     *exec.Cmd
	done    chan error
	started time.Time
}

// settles is how long a collector may take until it listens for signals. Before
// that SIGTERM ends it like any process, though it may collect already.
const settles = 2 * time.Second

// StartCollector runs the binary with a configuration; its output goes to the
// log file, behind what is there.
func StartCollector(binary, config, logFile string, env ...string) (*Collector, error) {
	return StartProgram(logFile, env, binary, "--config", config)
}

// StartProgram runs any program in the same way, with variables of its own beside
// those of this process.
func StartProgram(logFile string, env []string, binary string, args ...string) (*Collector, error) {
	cmd := exec.Command(binary, args...)
	cmd.Env = append(os.Environ(), env...)
	return StartCommand(logFile, cmd)
}

// StartCommand runs a command that the caller has prepared but for its output.
func StartCommand(logFile string, cmd *exec.Cmd) (*Collector, error) {
	log, err := os.OpenFile(logFile, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, err
	}
	// Through a pipe, so that limits of the child do not meet its log.
	output := io.MultiWriter(log)
	cmd.Stdout, cmd.Stderr = output, output
	if err := cmd.Start(); err != nil {
		log.Close()
		return nil, err
	}
	c := &Collector{cmd: cmd, done: make(chan error, 1), started: time.Now()}
	go func() {
		err := cmd.Wait()
		log.Close()
		c.done <- err
	}()
	return c, nil
}

// Pid of the process.
func (c *Collector) Pid() int { return c.cmd.Process.Pid }

// Signal sends a signal, once the collector listens for it.
func (c *Collector) Signal(signal os.Signal) error {
	time.Sleep(time.Until(c.started.Add(settles)))
	return c.cmd.Process.Signal(signal)
}

// Running reports whether the process is still there.
func (c *Collector) Running() bool {
	select {
	case err := <-c.done:
		c.done <- err
		return false
	default:
		return true
	}
}

// Stop ends it as a service manager does, and waits for a clean exit.
func (c *Collector) Stop() error {
	if err := c.Signal(syscall.SIGTERM); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return err
	}
	return c.wait(30 * time.Second)
}

// Kill ends it without a chance to tidy up, and waits until it is gone.
func (c *Collector) Kill() {
	_ = c.cmd.Process.Kill()
	_ = c.wait(30 * time.Second)
}

// Wait returns how the process ended by itself.
func (c *Collector) Wait(limit time.Duration) error { return c.wait(limit) }

func (c *Collector) wait(limit time.Duration) error {
	select {
	case err := <-c.done:
		c.done <- err
		return err
	case <-time.After(limit):
		_ = c.cmd.Process.Kill()
		return fmt.Errorf("the collector did not end within %v", limit)
	}
}
