// Copyright The OpenTelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package state

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/openaicompliance/openaicompliancereceiver/cmd/internal/command"
	"github.com/openaicompliance/openaicompliancereceiver/internal/checkpoint"
	"github.com/openaicompliance/openaicompliancereceiver/internal/checkpoint/edit"
	"github.com/openaicompliance/openaicompliancereceiver/internal/printable"
	"github.com/openaicompliance/openaicompliancereceiver/internal/secret"
	"github.com/openaicompliance/openaicompliancereceiver/internal/timespec"
)

func (c *task) setCursor(ctx context.Context) error {
	spec, err := timespec.Parse(c.args[1])
	if err != nil {
		return command.Misusef("TIME: %w", secret.ConcealError(err))
	}
	snap, err := c.readStream(ctx, c.args[0])
	if err != nil {
		return err
	}
	at, cursors, floor := spec.At(c.now).UTC(), formatCursors(snap), floorOf(snap)
	move, err := edit.SetCursor(snap, at, edit.Options{Skip: c.skip, Redeliver: c.redeliver, Now: c.now})
	if move == nil {
		return err
	}
	c.env.Notef("%s: cursor %s -> %s", c.args[0], cursors, formatTime(at))
	for _, stretch := range move.Skipped {
		c.env.Notef("Skipped permanently: undelivered files after %s up to %s.", formatTime(stretch.From), formatTime(stretch.To))
	}
	for _, id := range move.Discarded {
		c.env.Notef("Open file %s is discarded; its undelivered records are lost.", id)
	}
	switch {
	case errors.Is(err, edit.ErrSkips):
		return fmt.Errorf("%w; add --skip to skip what is between", err)
	case err != nil:
		return err
	}
	if now := floorOf(snap); !now.Equal(floor) {
		c.env.Notef("Floor %s -> %s.", formatTime(floor), formatTime(now))
	}
	switch {
	case c.redeliver:
		c.env.Notef("Every file after that is redelivered (forgotten: %d completed files, %d seen events). Records keep their log.record.uid; replay marks them, this does not.",
			move.Files, move.Events)
	case len(move.Skipped) == 0:
		c.env.Notef("Files after that are listed again. Completed files are not redelivered.")
	}
	return c.applyChange(ctx, true, func() error { return c.store.Replace(ctx, snap) })
}

func floorOf(snap *checkpoint.Snapshot) time.Time {
	if snap.Bounds == nil {
		return time.Time{}
	}
	return snap.Bounds.Floor
}

// formatCursors returns the cursor of each segment.
func formatCursors(snap *checkpoint.Snapshot) string {
	cursors := make([]string, len(snap.Segments))
	for i, seg := range snap.Segments {
		cursors[i] = formatTime(seg.Cursor)
	}
	if len(cursors) == 0 {
		return "-"
	}
	return strings.Join(cursors, " and ")
}

func (c *task) discard(ctx context.Context) error {
	snap, err := c.readStream(ctx, c.args[0])
	if err != nil {
		return err
	}
	files, lines := edit.Discard(snap, c.args[1])
	if len(files) == 0 && lines == 0 {
		return fmt.Errorf("%s: nothing of file %s is quarantined", c.args[0], c.args[1])
	}
	for _, id := range files {
		c.env.Notef("%s: file %s is discarded; its undelivered records are lost.", c.args[0], id)
	}
	if lines > 0 {
		c.env.Notef("%s: %d quarantined lines are discarded; their records are lost.", c.args[0], lines)
	}
	return c.applyChange(ctx, true, func() error { return c.store.Replace(ctx, snap) })
}

func (c *task) delete(ctx context.Context) error {
	if c.all == (len(c.args) > 0) {
		return command.Misusef("delete takes one STREAM or more, or --all; see openai-compliance state delete --help")
	}
	if err := c.requireStore(ctx); err != nil {
		return err
	}
	keys, err := c.storedKeys(c.args)
	if err != nil {
		return err
	}
	if len(keys) == 0 {
		return command.Misusef("no checkpoints are stored in %s", c.name())
	}
	for _, key := range keys {
		then := "The next start is a first run, from start_from; records since then are redelivered."
		if k, _ := checkpoint.ParseKey(key); k.Replay != "" {
			then = "The replay starts again if it is still configured."
		}
		c.env.Notef("State of %s is deleted. %s", c.streamName(key), then)
	}
	return c.applyChange(ctx, true, func() error { return c.store.Delete(ctx, keys...) })
}

func (c *task) export(ctx context.Context) error {
	if err := c.requireStore(ctx); err != nil {
		return err
	}
	keys, err := c.storedKeys(c.args)
	if err != nil {
		return err
	}
	snaps := []*checkpoint.Snapshot{}
	for _, key := range keys {
		snap, err := c.store.Read(ctx, key)
		if err != nil {
			return fmt.Errorf("%w; to export other streams, name them", err)
		}
		snaps = append(snaps, snap)
	}
	return edit.WriteExport(c.env.Out, c.owner.String(), c.now, snaps)
}

func (c *task) importStreams(ctx context.Context) error {
	file, snaps, err := edit.ReadExport(c.env.In)
	if err != nil {
		return command.Misuse(err)
	}
	if snaps, err = c.selectStreams(snaps); err != nil {
		return err
	}
	existed := c.file != nil && c.file.exists()
	if _, err := c.openStore(ctx, c.yes); err != nil {
		return err
	}
	if c.file == nil {
		existed = len(c.store.Streams()) > 0
	}
	c.env.Notef("Exported %s from receiver %s. What was delivered after that is redelivered.", formatTime(file.Exported), printable.Text(file.Receiver))
	for _, snap := range snaps {
		if err := c.describeImport(ctx, snap); err != nil {
			return err
		}
	}
	return c.applyChange(ctx, existed, func() error { return c.store.Replace(ctx, snaps...) })
}

// selectStreams returns the named streams of an export, or all without names. All of an
// export must be of the configured principal.
func (c *task) selectStreams(snaps []*checkpoint.Snapshot) (selected []*checkpoint.Snapshot, err error) {
	missing := slices.Clone(c.args)
	for _, snap := range snaps {
		if k, _ := checkpoint.ParseKey(snap.Key); k.PrincipalID != c.principalID() {
			return nil, command.Misusef("the export is of %s, but %s is %s", k.PrincipalID, c.principalKey(), c.principalID())
		}
		isNamed := func(name string) bool { return c.streamKey(name) == snap.Key }
		if len(c.args) == 0 || slices.ContainsFunc(c.args, isNamed) {
			selected = append(selected, snap)
		}
		missing = slices.DeleteFunc(missing, isNamed)
	}
	switch {
	case len(missing) > 0:
		return nil, command.Misusef("the export has no %s", strings.Join(missing, ", "))
	case len(selected) == 0:
		return nil, command.Misusef("the export is empty")
	}
	return selected, nil
}

// describeImport says what is replaced. A checkpoint that can be used is replaced with
// --replace only.
func (c *task) describeImport(ctx context.Context, snap *checkpoint.Snapshot) error {
	name, cursors := c.streamName(snap.Key), formatCursors(snap)
	var stored *checkpoint.Snapshot
	var err error
	if c.store != nil {
		stored, err = c.store.Read(ctx, snap.Key)
	}
	switch {
	case errors.Is(err, checkpoint.ErrCorrupt):
		c.env.Notef("%s: cursor %s, in place of a corrupt checkpoint.", name, cursors)
	case errors.Is(err, checkpoint.ErrOldFormat):
		c.env.Notef("%s: cursor %s, in place of state of an older build.", name, cursors)
	case err != nil:
		return err
	case stored == nil:
		c.env.Notef("%s: cursor %s, where no checkpoint was stored.", name, cursors)
	case !c.replace:
		return fmt.Errorf("a checkpoint of %s is stored, cursor %s; add --replace to replace it by cursor %s", name, formatCursors(stored), cursors)
	default:
		c.env.Notef("%s: cursor %s -> %s.", name, formatCursors(stored), cursors)
	}
	return nil
}
