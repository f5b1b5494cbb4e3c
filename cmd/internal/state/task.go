// Copyright The OpenTelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package state

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/openaicompliance/openaicompliancereceiver/cmd/internal/command"
	"github.com/openaicompliance/openaicompliancereceiver/internal/checkpoint"
	"github.com/openaicompliance/openaicompliancereceiver/internal/checkpoint/edit"
	"github.com/openaicompliance/openaicompliancereceiver/receiver"
)

// task is one command that runs.
type task struct {
	*options
	*site
	env  *command.Env
	args []string
	now  time.Time

	client *opened
	store  *edit.Store
}

func (c *task) close(ctx context.Context) error {
	if c.client == nil {
		return nil
	}
	return c.client.close(ctx)
}

// openStore opens the storage; found is false when there is none.
func (c *task) openStore(ctx context.Context, create bool) (found bool, err error) {
	if c.client, err = c.open(ctx, create); c.client == nil || err != nil {
		return false, err
	}
	c.store, err = edit.Open(ctx, c.client.Client)
	return true, err
}

// requireStore is openStore for commands that need stored checkpoints.
func (c *task) requireStore(ctx context.Context) error {
	found, err := c.openStore(ctx, false)
	if err == nil && !found {
		return command.Misusef("no checkpoints are stored: %s does not exist", c.name())
	}
	return err
}

func (c *task) principalID() string { return receiver.PrincipalID(c.cfg) }

// principalKey is the configuration key of the principal.
func (c *task) principalKey() string {
	if c.cfg.OrganizationID != "" {
		return "organization_id"
	}
	return "workspace_id"
}

// streamName is a key as the commands take and show it.
func (c *task) streamName(key string) string {
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
func (c *task) streamKey(name string) string {
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
func (c *task) checkPrincipal() error {
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
	return command.Misusef("%s is %s, but the storage holds checkpoints of %s only: correct it, or name streams by their storage keys",
		c.principalKey(), c.principalID(), strings.Join(others, ", "))
}

// storedKey is the key of a stream of which something is stored.
func (c *task) storedKey(name string) (string, error) {
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
		return "", command.Misusef("no checkpoint of %s is stored, nor of any other stream", name)
	}
	names := make([]string, len(stored))
	for i, key := range stored {
		names[i] = c.streamName(key)
	}
	return "", command.Misusef("no checkpoint of %s is stored, but of %s", name, strings.Join(names, ", "))
}

// storedKeys are those of the named streams, or of all without names.
func (c *task) storedKeys(names []string) ([]string, error) {
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
func (c *task) readStream(ctx context.Context, name string) (*checkpoint.Snapshot, error) {
	if err := c.requireStore(ctx); err != nil {
		return nil, err
	}
	key, err := c.storedKey(name)
	if err != nil {
		return nil, err
	}
	return c.store.Read(ctx, key)
}

// applyChange makes a change that has been described, if --yes permits it. existed says
// that something was stored before, which is backed up first.
func (c *task) applyChange(ctx context.Context, existed bool, change func() error) error {
	if !c.yes {
		c.env.Notef("Nothing changed. Add --yes to do it.")
		return nil
	}
	if existed {
		path, err := c.backup(ctx)
		if err != nil {
			return err
		}
		c.env.Notef("Backup: %s", path)
		if err := change(); err != nil {
			return fmt.Errorf("%w; the backup is %s", err, path)
		}
	} else if err := change(); err != nil {
		return err
	}
	c.env.Notef("Done (verified).")
	return nil
}

// backup copies the file of file_storage. Of another storage it exports all checkpoints
// that can be used to the working directory.
func (c *task) backup(ctx context.Context) (path string, err error) {
	if c.file != nil {
		return c.file.backup(c.now)
	}
	snaps := []*checkpoint.Snapshot{}
	for _, key := range c.store.Streams() {
		snap, err := c.store.Read(ctx, key)
		if err != nil {
			c.env.Notef("Not in the backup: %s cannot be used.", c.streamName(key))
			continue
		}
		snaps = append(snaps, snap)
	}
	path = "openai-compliance." + backupTime(c.now) + ".backup.json"
	out, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600) //nolint:gosec // a name of our own
	if err != nil {
		return "", fmt.Errorf("back up: %w", err)
	}
	err = edit.WriteExport(out, c.owner.String(), c.now, snaps)
	if err = errors.Join(err, out.Sync(), out.Close()); err != nil {
		return "", fmt.Errorf("back up: %w", err)
	}
	return path, nil
}
