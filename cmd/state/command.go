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

// command is one command that runs.
type command struct {
	*options
	*storageLocation
	stdin          io.Reader
	stdout, stderr io.Writer
	now            time.Time

	client storage.Client
	store  *edit.Store
}

func (c *command) close(ctx context.Context) {
	if c.client != nil {
		_ = c.client.Close(context.WithoutCancel(ctx))
	}
}

// openStore opens the storage; found is false when its file does not exist.
func (c *command) openStore(ctx context.Context, create bool) (found bool, err error) {
	if c.client, err = c.open(ctx, create); c.client == nil || err != nil {
		return false, err
	}
	c.store, err = edit.Open(ctx, c.client)
	return true, err
}

// requireStore is openStore for commands that need stored checkpoints.
func (c *command) requireStore(ctx context.Context) error {
	found, err := c.openStore(ctx, false)
	if err == nil && !found {
		return misusef("no checkpoints are stored: %s does not exist", c.path)
	}
	return err
}

func (c *command) principalID() string { return receiver.PrincipalID(c.cfg) }

// principalKey is the configuration key of the principal.
func (c *command) principalKey() string {
	if c.cfg.OrganizationID != "" {
		return "organization_id"
	}
	return "workspace_id"
}

// streamName is a key as the commands take and show it.
func (c *command) streamName(key string) string {
	k, _ := checkpoint.ParseKey(key)
	switch {
	case k.PrincipalID != c.principalID():
		return key
	case k.Replay != "":
		return "replay/" + k.Replay + "/" + k.EventType
	}
	return k.EventType
}

// streamKey is the key that a name stands for.
func (c *command) streamKey(name string) string {
	if isStreamKey(name) {
		return name
	}
	parts := strings.Split(name, "/")
	if len(parts) == 3 && parts[0] == "replay" {
		return checkpoint.ReplayKey(parts[1], c.principalID(), parts[2])
	}
	return checkpoint.Key(c.principalID(), name)
}

func isStreamKey(name string) bool {
	k, ok := checkpoint.ParseKey(name)
	return ok && !k.Below
}

// checkPrincipal returns an error when all that is stored is of other principals: then
// the configured id is wrong, and no name means what it says.
func (c *command) checkPrincipal() error {
	var others []string
	for _, key := range c.store.Streams() {
		k, _ := checkpoint.ParseKey(key)
		if k.PrincipalID == c.principalID() {
			return nil
		}
		if !slices.Contains(others, k.PrincipalID) {
			others = append(others, k.PrincipalID)
		}
	}
	if len(others) == 0 {
		return nil
	}
	return misusef("%s is %s, but the storage holds checkpoints of %s only: correct it, or name streams by their storage keys",
		c.principalKey(), c.principalID(), strings.Join(others, ", "))
}

// storedKey is the key of a stream of which something is stored.
func (c *command) storedKey(name string) (string, error) {
	if !isStreamKey(name) {
		if err := c.checkPrincipal(); err != nil {
			return "", err
		}
	}
	stored := c.store.Streams()
	if key := c.streamKey(name); slices.Contains(stored, key) {
		return key, nil
	}
	if len(stored) == 0 {
		return "", misusef("no checkpoint of %s is stored, nor of any other stream", name)
	}
	names := make([]string, len(stored))
	for i, key := range stored {
		names[i] = c.streamName(key)
	}
	return "", misusef("no checkpoint of %s is stored, but of %s", name, strings.Join(names, ", "))
}

// storedKeys are those of the named streams, or of all without names.
func (c *command) storedKeys(names []string) ([]string, error) {
	if len(names) == 0 {
		return c.store.Streams(), c.checkPrincipal()
	}
	keys := make([]string, len(names))
	for i, name := range names {
		key, err := c.storedKey(name)
		if err != nil {
			return nil, err
		}
		keys[i] = key
	}
	slices.Sort(keys)
	return slices.Compact(keys), nil
}

// readStream reads the checkpoint that a command is to change.
func (c *command) readStream(ctx context.Context, name string) (*checkpoint.Snapshot, error) {
	if err := c.requireStore(ctx); err != nil {
		return nil, err
	}
	key, err := c.storedKey(name)
	if err != nil {
		return nil, err
	}
	return c.store.Read(ctx, key)
}

// requireArgs wants so many arguments.
func (c *command) requireArgs(n int, what string) error {
	if len(c.args) != n {
		return misusef("%s takes %s; see -help", c.name, what)
	}
	return nil
}

func (c *command) printf(format string, args ...any) { fmt.Fprintf(c.stderr, format+"\n", args...) }

// applyChange makes a change that has been described, if -yes permits it. existed says
// that there was a file before, which is copied to a backup first.
func (c *command) applyChange(existed bool, change func() error) error {
	if !c.yes {
		c.printf("Nothing changed. Add -yes to do it.")
		return nil
	}
	if existed {
		path, err := c.backup(c.now)
		if err != nil {
			return err
		}
		c.printf("Backup: %s", path)
		if err := change(); err != nil {
			return fmt.Errorf("%w; the backup is %s", err, path)
		}
	} else if err := change(); err != nil {
		return err
	}
	c.printf("Done (verified).")
	return nil
}

// exists reports whether the file was there before the command.
func (c *command) exists() bool {
	_, err := os.Stat(c.path)
	return err == nil
}
