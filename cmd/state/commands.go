// Copyright The OpenTelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/openaicompliance/openaicompliancereceiver/internal/checkpoint"
	"github.com/openaicompliance/openaicompliancereceiver/internal/checkpoint/edit"
	"github.com/openaicompliance/openaicompliancereceiver/internal/timespec"
	"github.com/openaicompliance/openaicompliancereceiver/receiver"
)

func (c *call) setCursor(ctx context.Context) error {
	if err := c.need(2, "a TYPE and a TIME"); err != nil {
		return err
	}
	spec, err := timespec.Parse(c.args[1])
	if err != nil {
		return fmt.Errorf("TIME: %w", err)
	}
	snap, err := c.read(ctx, c.args[0])
	if err != nil {
		return err
	}
	at := spec.At(c.now).UTC()
	c.say("%s: cursor %s -> %s", c.args[0], positions(snap), moment(at))
	move, err := edit.SetCursor(snap, at, edit.Options{Skip: c.skip, DeliverAgain: c.again, Now: c.now})
	if move != nil {
		for _, stretch := range move.Skipped {
			c.say("Skipped for good: files after %s up to %s that have not been delivered.", moment(stretch.From), moment(stretch.To))
		}
		for _, id := range move.GivenUp {
			c.say("Given up, unfinished: file %s.", id)
		}
	}
	switch {
	case errors.Is(err, edit.ErrSkips):
		return fmt.Errorf("%w; add -skip if that is meant", err)
	case err != nil:
		return err
	case c.again:
		c.say("Delivered again: every file after %s (%d in the ledger, %d events remembered). Records come with the same log.record.uid; replay marks them, this does not.",
			moment(at), move.Files, move.Events)
	case len(move.Skipped) == 0:
		c.say("Listed again from there. The ledger stays: what was delivered does not come again.")
	}
	return c.change(true, func() error { return c.store.Replace(ctx, snap) })
}

// positions of a stream's segments.
func positions(snap *checkpoint.Snapshot) string {
	var cursors []string
	for _, seg := range snap.Segments {
		cursors = append(cursors, moment(seg.Cursor))
	}
	return strings.Join(cursors, " and ")
}

func (c *call) release(ctx context.Context) error {
	if err := c.need(2, "a TYPE and a FILE_ID, or all"); err != nil {
		return err
	}
	snap, err := c.read(ctx, c.args[0])
	if err != nil {
		return err
	}
	released := edit.Release(snap, c.args[1])
	if len(released) == 0 {
		return fmt.Errorf("%s: no such file is in quarantine (refused lines need no release: every start tries them)", c.args[0])
	}
	for _, id := range released {
		c.say("%s: file %s leaves quarantine; the next pass tries it like a new one.", c.args[0], id)
	}
	return c.change(true, func() error { return c.store.Replace(ctx, snap) })
}

func (c *call) discard(ctx context.Context) error {
	if err := c.need(2, "a TYPE and a FILE_ID, or all"); err != nil {
		return err
	}
	snap, err := c.read(ctx, c.args[0])
	if err != nil {
		return err
	}
	files, refused := edit.Discard(snap, c.args[1])
	if len(files) == 0 && refused == 0 {
		return fmt.Errorf("%s: nothing of that file is set aside", c.args[0])
	}
	for _, id := range files {
		c.say("%s: file %s is given up; what was not delivered of it never will be.", c.args[0], id)
	}
	if refused > 0 {
		c.say("%s: %d refused lines are given up.", c.args[0], refused)
	}
	return c.change(true, func() error { return c.store.Replace(ctx, snap) })
}

func (c *call) delete(ctx context.Context) error {
	if c.all == (len(c.args) > 0) {
		return errors.New("delete takes one TYPE or more, or -all; see -help")
	}
	if err := c.mustLoad(ctx); err != nil {
		return err
	}
	keys := c.store.Streams()
	if !c.all {
		keys = nil
		for _, name := range c.args {
			key, err := c.stored(name)
			if err != nil {
				return err
			}
			keys = append(keys, key)
		}
	}
	for _, key := range keys {
		what := "a first run, from start_from on; what was delivered since then comes again"
		if k, _ := checkpoint.ParseKey(key); k.Replay != "" {
			what = "the replay from its beginning, if it is still configured"
		}
		c.say("%s is forgotten: the next start is %s.", c.nameOf(key), what)
	}
	return c.change(true, func() error { return c.store.Delete(ctx, keys...) })
}

func (c *call) export(ctx context.Context) error {
	if err := c.mustLoad(ctx); err != nil {
		return err
	}
	keys := c.store.Streams()
	if len(c.args) > 0 {
		keys = nil
		for _, name := range c.args {
			key, err := c.stored(name)
			if err != nil {
				return err
			}
			keys = append(keys, key)
		}
	}
	snaps := []*checkpoint.Snapshot{}
	for _, key := range keys {
		snap, err := c.store.Read(ctx, key)
		if err != nil {
			return fmt.Errorf("%w; to export the others, name them", err)
		}
		snaps = append(snaps, snap)
	}
	return edit.WriteExport(c.out, c.owner.String(), c.now, snaps)
}

func (c *call) importAll(ctx context.Context) error {
	file, snaps, err := edit.ReadExport(c.in)
	if err != nil {
		return err
	}
	if snaps, err = c.wanted(snaps); err != nil {
		return err
	}
	existed := c.exists()
	found, err := c.load(ctx, c.yes)
	if err != nil {
		return err
	}
	c.say("Exported %s from receiver %s. What was delivered after that comes again.", moment(file.Exported), file.Receiver)
	for _, snap := range snaps {
		if err := c.tellImport(ctx, snap, found); err != nil {
			return err
		}
	}
	return c.change(existed, func() error { return c.store.Replace(ctx, snaps...) })
}

// wanted are the named streams of an export, all of the configured principal.
func (c *call) wanted(snaps []*checkpoint.Snapshot) (wanted []*checkpoint.Snapshot, err error) {
	names := slices.Clone(c.args)
	for _, snap := range snaps {
		k, _ := checkpoint.ParseKey(snap.Key)
		if k.PrincipalID != receiver.PrincipalID(c.cfg) {
			return nil, fmt.Errorf("the export is of %s, the receiver collects %s", k.PrincipalID, receiver.PrincipalID(c.cfg))
		}
		if len(c.args) == 0 || slices.ContainsFunc(c.args, func(name string) bool { return c.keyOf(name) == snap.Key }) {
			wanted = append(wanted, snap)
		}
		names = slices.DeleteFunc(names, func(name string) bool { return c.keyOf(name) == snap.Key })
	}
	switch {
	case len(names) > 0:
		return nil, fmt.Errorf("the export has no %s", strings.Join(names, ", "))
	case len(wanted) == 0:
		return nil, errors.New("the export is empty")
	}
	return wanted, nil
}

// tellImport says what becomes of one stream. State that is there and whole is
// replaced only with -replace.
func (c *call) tellImport(ctx context.Context, snap *checkpoint.Snapshot, found bool) error {
	name := c.nameOf(snap.Key)
	var old *checkpoint.Snapshot
	var err error
	if found {
		old, err = c.store.Read(ctx, snap.Key)
	}
	switch {
	case err != nil && !errors.Is(err, checkpoint.ErrDamaged):
		return err
	case err != nil:
		c.say("%s: cursor %s, in place of damaged state.", name, positions(snap))
	case old == nil:
		c.say("%s: cursor %s, where there was no state.", name, positions(snap))
	case !c.replace:
		return fmt.Errorf("%s has state already, cursor %s; add -replace to put cursor %s in its place", name, positions(old), positions(snap))
	default:
		c.say("%s: cursor %s -> %s.", name, positions(old), positions(snap))
	}
	return nil
}
