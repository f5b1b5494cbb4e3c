// Copyright The OpenTelemetry Authors
// SPDX-License-Identifier: Apache-2.0

// Package killstorage is the file_storage extension that kills its own process.
// It exists for the end-to-end tests, which build a collector of their own with
// it: the process dies by SIGKILL at a call to the storage that the test has
// named, and the receiver under test knows nothing of it.
package killstorage

import (
	"context"
	"encoding/json"
	"math/rand/v2"
	"os"
	"regexp"
	"slices"
	"sync"
	"syscall"
	"time"

	"github.com/open-telemetry/opentelemetry-collector-contrib/extension/storage/filestorage"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/extension"
	"go.opentelemetry.io/collector/extension/xextension/storage"
)

// PlanVariable names the environment variable with the path of the plan. No plan
// at that path means that nobody dies.
const PlanVariable = "KILL_PLAN"

// plan says where the process dies. It is read anew at every call, so a test may
// write it while the collector runs.
type plan struct {
	// Call is open, get, set, delete or close.
	Call string `json:"call"`
	// Moment is before, in or after.
	Moment string `json:"moment"`
	// Key is a pattern that the key of a get, set or delete matches.
	Key string `json:"key"`
	// Old and New are patterns that the value stored so far, and the one to be
	// stored, match.
	Old string `json:"old"`
	New string `json:"new"`
	// Skip lets so many such calls pass.
	Skip int `json:"skip"`
}

// NewFactory returns the factory of kill_storage, which is configured as
// file_storage is.
func NewFactory() extension.Factory {
	inner := filestorage.NewFactory()
	create := func(ctx context.Context, set extension.Settings, cfg component.Config) (extension.Extension, error) {
		set.ID = component.NewIDWithName(inner.Type(), set.ID.Name())
		ext, err := inner.Create(ctx, set, cfg)
		if err != nil {
			return nil, err
		}
		return &killer{Extension: ext.(storage.Extension), seen: map[plan]int{}}, nil
	}
	return extension.NewFactory(component.MustNewType("kill_storage"), inner.CreateDefaultConfig, create, component.StabilityLevelDevelopment)
}

type killer struct {
	storage.Extension
	mu   sync.Mutex
	seen map[plan]int
}

// meet runs one call to the storage, and ends the process before, in or after it if
// the plan is about any of its parts: a batch has several.
func (k *killer) meet(calls []call, run func() error) error {
	moment := k.moment(calls)
	switch moment {
	case "before":
		die()
	case "in":
		go func() {
			time.Sleep(time.Duration(rand.IntN(300)) * time.Microsecond)
			die()
		}()
	}
	err := run()
	if moment != "" {
		die()
	}
	return err
}

// call is one call to the storage, or what a batch does to one key; old reads the
// value stored so far.
type call struct {
	name, key string
	old       func() []byte
	value     []byte
}

// is reports whether the plan is about this call.
func (c call) is(p plan) bool {
	matches := func(pattern string, text []byte) bool {
		ok, err := regexp.Match(pattern, text)
		return err == nil && ok
	}
	return p.Call == c.name && matches(p.Key, []byte(c.key)) && matches(p.New, c.value) && (p.Old == "" || matches(p.Old, c.old()))
}

// moment is when in this call the process is to die, empty for never.
func (k *killer) moment(calls []call) string {
	var p plan
	data, err := os.ReadFile(os.Getenv(PlanVariable))
	if err != nil || json.Unmarshal(data, &p) != nil || !slices.ContainsFunc(calls, func(c call) bool { return c.is(p) }) {
		return ""
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	k.seen[p]++
	if k.seen[p] <= p.Skip {
		return ""
	}
	return p.Moment
}

// die ends the process as the kernel does when it is out of memory.
func die() {
	_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
	select {}
}

// GetClient implements storage.Extension.
func (k *killer) GetClient(ctx context.Context, kind component.Kind, id component.ID, name string) (client storage.Client, err error) {
	err = k.meet([]call{{name: "open"}}, func() error {
		client, err = k.Extension.GetClient(ctx, kind, id, name)
		return err
	})
	if err != nil {
		return nil, err
	}
	return &killingClient{client, k}, nil
}

type killingClient struct {
	storage.Client
	k *killer
}

// Get implements storage.Client.
func (c *killingClient) Get(ctx context.Context, key string) (value []byte, err error) {
	err = c.k.meet([]call{{name: "get", key: key}}, func() error {
		value, err = c.Client.Get(ctx, key)
		return err
	})
	return value, err
}

// Set implements storage.Client.
func (c *killingClient) Set(ctx context.Context, key string, value []byte) error {
	set := call{"set", key, c.storedUnder(ctx, key), value}
	return c.k.meet([]call{set}, func() error { return c.Client.Set(ctx, key, value) })
}

// Delete implements storage.Client.
func (c *killingClient) Delete(ctx context.Context, key string) error {
	return c.Batch(ctx, storage.DeleteOperation(key))
}

// Batch implements storage.Client. It is one call, and the plan may name any value in
// it. file_storage runs a batch in one transaction, so there is no moment between two
// of its values.
func (c *killingClient) Batch(ctx context.Context, ops ...*storage.Operation) error {
	names := map[storage.OpType]string{storage.Get: "get", storage.Set: "set", storage.Delete: "delete"}
	var calls []call
	for _, op := range ops {
		calls = append(calls, call{names[op.Type], op.Key, c.storedUnder(ctx, op.Key), op.Value})
	}
	return c.k.meet(calls, func() error { return c.Client.Batch(ctx, ops...) })
}

// storedUnder reads the value stored so far.
func (c *killingClient) storedUnder(ctx context.Context, key string) func() []byte {
	return func() []byte {
		stored, _ := c.Client.Get(ctx, key)
		return stored
	}
}

// Close implements storage.Client.
func (c *killingClient) Close(ctx context.Context) error {
	return c.k.meet([]call{{name: "close"}}, func() error { return c.Client.Close(ctx) })
}
