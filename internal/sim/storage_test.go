// Copyright The OpenTelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package sim

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"strings"
	"time"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/extension/xextension/storage"

	"github.com/openaicompliance/openaicompliancereceiver/internal/wait"
)

var errStorage = errors.New("sim: no space left on device")

// disk is a storage extension whose values outlive the receivers. The clients of
// one that was killed write nothing any more.
type disk struct {
	component.StartFunc
	component.ShutdownFunc

	*fate
	values map[string][]byte
	open   map[int]bool // lives with a client
	// trouble says what a write meets now, nil for nothing.
	trouble func() window
	// stored and failed are told of writes to the key of a stream.
	stored, failed func(replay, eventType string)
	// floor gets the floor in each checkpoint.
	floor func(replay, eventType string, floor time.Time)
}

func newDisk(f *fate) *disk {
	return &disk{fate: f, values: map[string][]byte{}, open: map[int]bool{}}
}

// extension returns the storage as one receiver sees it.
func (d *disk) extension(life int) component.Component { return &diskOf{disk: d, life: life} }

type diskOf struct {
	*disk
	life int
}

// GetClient implements storage.Extension.
func (d *diskOf) GetClient(context.Context, component.Kind, component.ID, string) (storage.Client, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if err := d.storageCallLocked(d.life, atOpen); err != nil {
		return nil, err
	}
	if d.open[d.alive] {
		return nil, errors.New("sim: a second client")
	}
	d.open[d.life] = true
	return &diskClient{d}, nil
}

// storageCallLocked counts a call both by its kind and as one of any kind.
func (d *disk) storageCallLocked(life int, point string) error {
	if err := d.callLocked(life, anyStorage); err != nil {
		return err
	}
	return d.callLocked(life, point)
}

type diskClient struct{ *diskOf }

// Get implements storage.Client.
func (c *diskClient) Get(ctx context.Context, key string) ([]byte, error) {
	if err := c.endure(ctx); err != nil {
		return nil, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if err := c.storageCallLocked(c.life, atGet); err != nil {
		return nil, err
	}
	return bytes.Clone(c.values[key]), nil
}

// endure waits out slow storage, and returns the error of a broken one.
func (c *diskClient) endure(ctx context.Context) error {
	if c.trouble == nil {
		return nil
	}
	switch w := c.trouble(); w.kind {
	case storageSlow:
		c.reach(storageSlow)
		return wait.Sleep(ctx, w.pause)
	case storageFails:
		c.reach(storageFails)
		return errStorage
	}
	return nil
}

// Set implements storage.Client.
func (c *diskClient) Set(ctx context.Context, key string, value []byte) error {
	replay, eventType := streamOf(key)
	err := c.endure(ctx)
	c.mu.Lock()
	defer c.mu.Unlock()
	if err == nil {
		err = c.storageCallLocked(c.life, atSet)
	}
	if err != nil {
		// A block that is not written keeps the checkpoint from being written.
		if eventType == "" {
			replay, eventType = streamOf(checkpointOf(key))
		}
		if c.life == c.alive && eventType != "" {
			c.failed(replay, eventType)
		}
		return err
	}
	c.values[key] = bytes.Clone(value)
	if eventType != "" {
		c.noteFloor(replay, eventType, value)
		c.stored(replay, eventType)
	}
	return c.callLocked(c.life, atStored)
}

// streamOf is the replay and the event type of a checkpoint's key, empty for others.
func streamOf(key string) (replay, eventType string) {
	parts := strings.Split(key, "/")
	switch {
	case parts[len(parts)-1] == "term":
	case parts[0] == "replay" && len(parts) == 5:
		return parts[1], parts[3]
	case parts[0] == "stream" && len(parts) == 4:
		return "", parts[2]
	}
	return "", ""
}

// checkpointOf is the key of the checkpoint that a block belongs to.
func checkpointOf(key string) string {
	parts := strings.Split(key, "/")
	return strings.Join(parts[:max(1, len(parts)-2)], "/")
}

// noteFloor reads the floor out of a checkpoint.
func (d *disk) noteFloor(replay, eventType string, value []byte) {
	var stored struct {
		Bounds *struct {
			Floor time.Time `json:"floor"`
		} `json:"bounds"`
	}
	_, doc, _ := bytes.Cut(value, []byte{'\n'})
	if json.Unmarshal(doc, &stored) == nil && stored.Bounds != nil {
		d.floor(replay, eventType, stored.Bounds.Floor)
	}
}

// Delete implements storage.Client.
func (c *diskClient) Delete(ctx context.Context, key string) error {
	if err := c.endure(ctx); err != nil {
		return err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if err := c.storageCallLocked(c.life, atDelete); err != nil {
		return err
	}
	delete(c.values, key)
	return nil
}

// Batch implements storage.Client. It is not atomic, as the interface allows.
func (c *diskClient) Batch(ctx context.Context, ops ...*storage.Operation) error {
	for _, op := range ops {
		var err error
		switch op.Type {
		case storage.Get:
			op.Value, err = c.Get(ctx, op.Key)
		case storage.Set:
			err = c.Set(ctx, op.Key, op.Value)
		case storage.Delete:
			err = c.Delete(ctx, op.Key)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// Close implements storage.Client.
func (c *diskClient) Close(context.Context) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.open, c.life)
	return c.storageCallLocked(c.life, atClose)
}

// peek reads values behind the back of every receiver.
type peek struct {
	storage.Client
	*disk
}

// Get implements storage.Client.
func (p peek) Get(_ context.Context, key string) ([]byte, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return bytes.Clone(p.values[key]), nil
}

// Kinds of trouble that last for a while.
const (
	storageFails    = "storage fails"
	storageSlow     = "storage is slow"
	consumerRefuses = "consumer refuses"
	consumerDrops   = "consumer refuses for good"
	consumerSlow    = "consumer is slow"
	consumerBlocks  = "consumer blocks"
	networkDown     = "network is down"
)

// window is a trouble that lasts from one time to another, measured from the
// begin of the world.
type window struct {
	kind        string
	from, until time.Duration
	// eventType it is about, empty for all.
	eventType string
	// share of the calls it meets.
	share float64
	// pause of one slow call.
	pause time.Duration
	// by is how far a clock is off.
	by time.Duration
	// limit of a batch's bodies, in bytes.
	limit int
	// plain is set when errors are not permanent.
	plain bool
}
