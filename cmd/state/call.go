// Copyright The OpenTelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"time"

	"go.opentelemetry.io/collector/extension/xextension/storage"

	"github.com/openaicompliance/openaicompliancereceiver/internal/checkpoint"
	"github.com/openaicompliance/openaicompliancereceiver/internal/checkpoint/edit"
	"github.com/openaicompliance/openaicompliancereceiver/receiver"
)

// call is one command at work.
type call struct {
	*options
	*location
	in         io.Reader
	out, notes io.Writer
	now        time.Time

	client storage.Client
	store  *edit.Store
}

func (c *call) close(ctx context.Context) {
	if c.client != nil {
		_ = c.client.Close(context.WithoutCancel(ctx))
	}
}

// load opens the state; found is false where there is none.
func (c *call) load(ctx context.Context, create bool) (found bool, err error) {
	if c.client, err = c.open(ctx, create); c.client == nil || err != nil {
		return false, err
	}
	c.store, err = edit.Open(ctx, c.client)
	return true, err
}

// mustLoad is load for commands that make no sense without state.
func (c *call) mustLoad(ctx context.Context) error {
	found, err := c.load(ctx, false)
	if err == nil && !found {
		return fmt.Errorf("there is no state: %s does not exist", c.path)
	}
	return err
}

// nameOf a stream, as the commands take it.
func (c *call) nameOf(key string) string {
	k, _ := checkpoint.ParseKey(key)
	switch {
	case k.PrincipalID != receiver.PrincipalID(c.cfg):
		return key
	case k.Replay != "":
		return "replay/" + k.Replay + "/" + k.EventType
	}
	return k.EventType
}

// keyOf is the other way round.
func (c *call) keyOf(name string) string {
	if k, ok := checkpoint.ParseKey(name); ok && !k.Block {
		return name
	}
	parts := strings.Split(name, "/")
	if len(parts) == 3 && parts[0] == "replay" {
		return checkpoint.ReplayKey(parts[1], receiver.PrincipalID(c.cfg), parts[2])
	}
	return checkpoint.Key(receiver.PrincipalID(c.cfg), name)
}

// stored is the key of a stream of which something is stored.
func (c *call) stored(name string) (string, error) {
	key := c.keyOf(name)
	if slices.Contains(c.store.Streams(), key) {
		return key, nil
	}
	var names []string
	for _, key := range c.store.Streams() {
		names = append(names, c.nameOf(key))
	}
	return "", fmt.Errorf("there is no state of %s, but of: %s", name, strings.Join(names, ", "))
}

// read a stream's state that a command is to change.
func (c *call) read(ctx context.Context, name string) (*checkpoint.Snapshot, error) {
	if err := c.mustLoad(ctx); err != nil {
		return nil, err
	}
	key, err := c.stored(name)
	if err != nil {
		return nil, err
	}
	return c.store.Read(ctx, key)
}

// need wants so many arguments.
func (c *call) need(n int, what string) error {
	if len(c.args) != n {
		return fmt.Errorf("%s takes %s; see -help", c.command, what)
	}
	return nil
}

func (c *call) say(format string, args ...any) { fmt.Fprintf(c.notes, format+"\n", args...) }

// change carries a change out that has been told, if -yes permits it, behind a
// copy of what was there before.
func (c *call) change(existed bool, do func() error) error {
	if !c.yes {
		c.say("Nothing was changed. Add -yes to do it.")
		return nil
	}
	if !existed {
		if err := do(); err != nil {
			return err
		}
		c.say("Done and read back.")
		return nil
	}
	backup, err := c.backUp(c.now)
	if err != nil {
		return err
	}
	c.say("Copy of what was there: %s", backup)
	if err := do(); err != nil {
		return fmt.Errorf("%w; what was there lies in %s", err, backup)
	}
	c.say("Done and read back.")
	return nil
}

// exists reports whether the file was there before the command.
func (c *call) exists() bool {
	_, err := os.Stat(c.path)
	return err == nil
}
